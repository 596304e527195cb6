//! The names of a swept file system, put together to paths.
//!
//! A sweep learns names in the order of the disk: this name stands in that directory for this
//! inode. Only when all are known do they make paths.

use super::face::{Flow, Node, NodeKind};
use lidless_core::Timestamp;
use lidless_io::number::{index, wide};
use std::collections::HashSet;

/// The longest path that is followed, in bytes: Linux itself opens 4,096.
const LONGEST: usize = 8 << 10;
/// How long all paths together may be, in bytes: millions of usual ones.
const TOGETHER: usize = 512 << 20;
/// How long all names together may be, in bytes: many millions of usual ones.
const TEXT: usize = 256 << 20;
/// Where files are listed that no directory names.
const ORPHANS: &str = "$OrphanFiles";

/// A name as it is shown: one part of a path, whatever its bytes.
pub(super) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace(['/', '\0'], "_")
}

/// What is known of an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) kind: NodeKind,
    pub(super) size: u64,
    pub(super) modified: Option<Timestamp>,
    pub(super) place: u64,
    pub(super) deleted: bool,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    parent: u64,
    child: u64,
    at: u32,
    length: u16,
    kind: NodeKind,
    deleted: bool,
}

impl Link {
    fn is_alive(&self) -> bool {
        !self.deleted && self.parent != self.child
    }
}

/// Names as they were found.
pub(super) struct Names {
    text: Vec<u8>,
    links: Vec<Link>,
    most: usize,
    /// There were more than may be kept.
    pub(super) is_full: bool,
}

/// What stood out when paths were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// Names whose inode is not there.
    pub(super) dangling: u64,
    /// Names of a directory that was entered under another name already.
    pub(super) looped: u64,
    /// Paths were longer than the limit.
    pub(super) is_deep: bool,
}

impl Names {
    /// Keeps `most` names.
    pub(super) fn new(most: u64) -> Self {
        Self { text: Vec::new(), links: Vec::new(), most: index(most), is_full: false }
    }

    /// A name in the directory `parent` for `child`, which the directory says is a `kind`.
    pub(super) fn add(
        &mut self,
        parent: u64,
        child: u64,
        kind: NodeKind,
        deleted: bool,
        name: &[u8],
    ) {
        if name.is_empty() || name == b"." || name == b".." {
            return;
        }
        let (Ok(at), Ok(length)) = (u32::try_from(self.text.len()), u16::try_from(name.len()))
        else {
            self.is_full = true;
            return;
        };
        if self.links.len() >= self.most || self.text.len() >= TEXT {
            self.is_full = true;
            return;
        }
        self.text.extend_from_slice(name);
        self.links.push(Link { parent, child, at, length, kind, deleted });
    }

    fn name(&self, link: &Link) -> &[u8] {
        let from = index(u64::from(link.at));
        self.text.get(from..from.saturating_add(usize::from(link.length))).unwrap_or(&[])
    }

    /// Sorts the names and leaves out deleted ones that still stand beside the same name alive.
    fn settle(&mut self) {
        let mut links = std::mem::take(&mut self.links);
        links.sort_unstable_by(|one, other| {
            let key = |link: &Link| (link.parent, link.deleted, link.child);
            let names = || self.name(one).cmp(self.name(other));
            one.parent.cmp(&other.parent).then_with(names).then_with(|| key(one).cmp(&key(other)))
        });
        let mut alive: Option<Link> = None;
        let mut last: Option<Link> = None;
        links.retain(|link| {
            let is_same = |known: &Option<Link>, child: bool| {
                known.is_some_and(|known| {
                    known.parent == link.parent
                        && self.name(&known) == self.name(link)
                        && (!child || known.child == link.child)
                })
            };
            let stale = link.deleted && (is_same(&alive, false) || is_same(&last, true));
            if !link.deleted {
                alive = Some(*link);
            }
            last = Some(*link);
            !stale
        });
        self.links = links;
    }

    /// Makes the paths: from `root` down, then what no directory names, below `$OrphanFiles`.
    /// `facts` knows inodes; `rest` is every inode that should have a name, with whether it is
    /// a directory.
    pub(super) fn walk(
        mut self,
        root: u64,
        facts: &dyn Fn(u64) -> Option<Facts>,
        rest: &dyn Fn() -> Vec<(u64, bool)>,
        visit: &mut dyn FnMut(Node) -> Flow,
    ) -> Walked {
        self.settle();
        let mut walk = Walk {
            names: &self,
            facts,
            visit,
            named: self
                .links
                .iter()
                .filter(|link| link.is_alive())
                .map(|link| link.child)
                .collect(),
            entered: HashSet::new(),
            seen: HashSet::new(),
            spent: 0,
            walked: Walked::default(),
        };
        walk.entered.insert(root);
        walk.seen.insert(root);
        if walk.below(root, String::new(), false) == Flow::Continue {
            walk.orphans(rest());
        }
        walk.walked
    }
}

struct Walk<'a> {
    names: &'a Names,
    facts: &'a dyn Fn(u64) -> Option<Facts>,
    visit: &'a mut dyn FnMut(Node) -> Flow,
    /// Inodes with a name that was not deleted.
    named: HashSet<u64>,
    entered: HashSet<u64>,
    seen: HashSet<u64>,
    spent: usize,
    walked: Walked,
}

impl Walk<'_> {
    /// Everything below a directory.
    fn below(&mut self, directory: u64, path: String, deleted: bool) -> Flow {
        let mut stack = vec![(directory, path, deleted)];
        while let Some((directory, path, gone)) = stack.pop() {
            let links = &self.names.links;
            let first = links.partition_point(|link| link.parent < directory);
            let own = links.get(first..).unwrap_or(&[]);
            for link in own.iter().take_while(|link| link.parent == directory) {
                let Some(node) = self.node(link, &path, gone) else { continue };
                self.seen.insert(link.child);
                let enters = node.kind == NodeKind::Directory;
                if enters && !self.entered.insert(link.child) {
                    if !node.deleted {
                        self.walked.looped = self.walked.looped.saturating_add(1);
                    }
                    continue;
                }
                if enters {
                    stack.push((link.child, node.path.clone(), node.deleted));
                }
                if (self.visit)(node) == Flow::Stop {
                    return Flow::Stop;
                }
            }
        }
        Flow::Continue
    }

    fn node(&mut self, link: &Link, folder: &str, gone: bool) -> Option<Node> {
        let name = shown(self.names.name(link));
        let length = folder.len().saturating_add(name.len()).saturating_add(1);
        self.spent = self.spent.saturating_add(length);
        if length > LONGEST || self.spent > TOGETHER {
            self.walked.is_deep = true;
            return None;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let deleted = link.deleted || gone;
        let nothing =
            Facts { kind: link.kind, size: 0, modified: None, place: 0, deleted: link.deleted };
        let (facts, handle) = match (self.facts)(link.child) {
            // The inode of a name that was deleted serves another file by now.
            Some(facts) if link.deleted && !facts.deleted && self.named.contains(&link.child) => {
                (nothing, 0)
            }
            Some(facts) => (facts, link.child),
            None => {
                if !deleted {
                    self.walked.dangling = self.walked.dangling.saturating_add(1);
                }
                (nothing, 0)
            }
        };
        Some(Node {
            path,
            // A deleted directory whose inode is gone is a name, with nothing below it.
            kind: if handle == 0 && facts.kind == NodeKind::Directory {
                NodeKind::Other
            } else {
                facts.kind
            },
            size: facts.size,
            modified: facts.modified,
            deleted: deleted || facts.deleted,
            handle,
            place: facts.place,
        })
    }

    fn orphans(&mut self, rest: Vec<(u64, bool)>) {
        let mut rest: Vec<_> =
            rest.into_iter().filter(|(child, _)| !self.seen.contains(child)).collect();
        if rest.is_empty() {
            return;
        }
        // Directories first, those with a name in another lost one last: what lies in a
        // directory is listed there.
        rest.sort_by_key(|(child, is_directory)| {
            (!is_directory, self.named.contains(child) && *is_directory, *child)
        });
        for (child, is_directory) in rest {
            if self.seen.contains(&child) {
                continue;
            }
            let Some(facts) = (self.facts)(child) else { continue };
            let path = format!("{ORPHANS}/OrphanFile-{child}");
            self.seen.insert(child);
            let node = Node {
                path: path.clone(),
                kind: facts.kind,
                size: facts.size,
                modified: facts.modified,
                deleted: facts.deleted,
                handle: child,
                place: facts.place,
            };
            if (self.visit)(node) == Flow::Stop {
                return;
            }
            let enters = is_directory && self.entered.insert(child);
            if enters && self.below(child, path, facts.deleted) == Flow::Stop {
                return;
            }
        }
    }
}

impl Walked {
    /// Adds what stood out to what a sweep answers.
    pub(super) fn say(self, format: &str, swept: &mut super::face::Swept) {
        for (count, what) in [
            (self.dangling, "name without its inode"),
            (self.looped, "directory that is its own ancestor or has two names"),
        ] {
            swept.count(format!("{format} {what}"), count);
        }
        if self.is_deep {
            swept.gaps.push("paths in a file system longer than the limit".to_owned());
        }
    }
}

/// What a sweep may keep when it hands out at most `members` names: inodes, and names of each.
pub(super) fn most(members: u64) -> u64 {
    members.saturating_mul(2).saturating_add(wide(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(inode: u64) -> Option<Facts> {
        let kind = if inode < 10 { NodeKind::Directory } else { NodeKind::File };
        let deleted = inode >= 90;
        (inode != 77).then_some(Facts { kind, size: inode, modified: None, place: 0, deleted })
    }

    #[test]
    fn paths_are_made_once_and_loops_end() {
        let mut names = Names::new(100);
        let d = NodeKind::Directory;
        for (parent, child, kind, deleted, name) in [
            (3, 12, NodeKind::File, false, "deep"),
            (2, 3, d, false, "a"),
            (3, 4, d, false, "b"),
            (4, 3, d, false, "again"),
            (2, 77, NodeKind::File, false, "lost"),
            (2, 91, NodeKind::File, true, "gone"),
            (2, 91, NodeKind::File, true, "gone"),
            (3, 12, NodeKind::File, true, "deep"),
            (2, 12, NodeKind::File, true, "reused"),
            (6, 14, NodeKind::File, false, "in lost"),
            (5, 6, d, false, "below"),
            (2, 2, d, false, "."),
        ] {
            names.add(parent, child, kind, deleted, name.as_bytes());
        }
        let mut seen = Vec::new();
        let rest = || vec![(6, true), (5, true), (14, false), (15, false), (92, false)];
        let walked = names.walk(2, &facts, &rest, &mut |node| {
            seen.push((node.path, node.handle, node.deleted));
            Flow::Continue
        });
        assert_eq!(walked, Walked { dangling: 1, looped: 1, is_deep: false });
        let expected = [
            ("a", 3, false),
            ("gone", 91, true),
            ("lost", 0, false),
            ("reused", 0, true),
            ("a/b", 4, false),
            ("a/deep", 12, false),
            ("$OrphanFiles/OrphanFile-5", 5, false),
            ("$OrphanFiles/OrphanFile-5/below", 6, false),
            ("$OrphanFiles/OrphanFile-5/below/in lost", 14, false),
            ("$OrphanFiles/OrphanFile-15", 15, false),
            ("$OrphanFiles/OrphanFile-92", 92, true),
        ];
        let seen: Vec<_> =
            seen.iter().map(|(path, at, gone)| (path.as_str(), *at, *gone)).collect();
        assert_eq!(seen, expected);
    }
}
