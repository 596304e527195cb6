//! The volumes of a disk, and what lies on each.

use super::part::Holder;
use super::table::{holder, parts};
use crate::error::PeelError;
use crate::filesystem::{self, Tour, Toured};
use crate::peeler::Sink;
use lidless_core::{Artifact, Gap, Layer, Limits, Provenance};
use lidless_io::{ReadAt, Window, read_vec};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How much of a volume tells what it is: the super block of btrfs at 64 KiB is the furthest.
pub(crate) const HEAD: u64 = 72 << 10;
/// The longest copy of boot sectors that tools keep: the `$Boot` of NTFS has 16.
const BOOT: u64 = 8 << 10;
/// How many volumes may lie in volumes.
const NESTED: usize = 4;
/// How many volumes of a disk are looked at, those inside others as well.
const MOST_VOLUMES: usize = 1024;
/// After how many times the names of one archive no more file systems of a disk are opened.
const MOST_SYSTEMS: u64 = 8;
/// Names of files that are disks or volumes byte for byte: worth a request to see.
const NAMES: [&str; 20] = [
    ".img", ".raw", ".dd", ".iso", ".bin", ".001", ".image", ".disk", ".udf", ".toast", ".cdr",
    ".ext2", ".ext3", ".ext4", ".xfs", ".ntfs", ".fat", ".vhd", ".hfs", ".btrfs",
];

/// What one volume is, and what was seen of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// The partition, when there is a table.
    pub(crate) number: Option<u32>,
    /// The file system or holder, or what its partition table calls it.
    pub(crate) kind: String,
    /// Its label or name.
    pub(crate) label: Option<String>,
    /// Length in bytes.
    pub(crate) bytes: u64,
    /// What was seen of its files.
    pub(crate) toured: Option<Toured>,
    /// Why it was not opened.
    pub(crate) closed: Option<String>,
    /// It belongs to a machine's own disk.
    pub(crate) is_of_a_machine: bool,
}

impl Seen {
    pub(crate) fn to_json(&self) -> Value {
        let of = |count: fn(&Toured) -> u64| self.toured.as_ref().map(count);
        json!({
            "partition": self.number,
            "kind": self.kind,
            "label": self.label,
            "bytes": self.bytes,
            "files": of(|toured| toured.files),
            "directories": of(|toured| toured.directories),
            "deleted": of(|toured| toured.deleted),
            "opened": of(|toured| toured.opened),
            "closed": self.closed,
        })
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)?;
        match &self.toured {
            Some(toured) if toured.listed => write!(f, " with {} files", toured.files),
            Some(_) => f.write_str(" not listed to its end"),
            None => f.write_str(" not opened"),
        }
    }
}

/// Looks at the volumes of disks.
pub(crate) struct Volumes<'a> {
    pub(crate) place: &'a Provenance,
    pub(crate) limits: &'a Limits,
}

impl Volumes<'_> {
    /// Looks at every volume of a disk.
    pub(crate) fn peel(&self, disk: &Arc<dyn ReadAt>, sink: &mut dyn Sink) -> Vec<Seen> {
        let mut found = Found::default();
        let whole = One { place: self.place, number: None, called: "", bytes: disk };
        if let Some(head) = found.head(&whole, sink) {
            self.disk(&whole, &head, 0, sink, &mut found);
        }
        found.seen
    }

    /// A disk, or what may be one inside a volume: by its partitions, or as one volume.
    fn disk(
        &self,
        disk: &One<'_>,
        head: &[u8],
        depth: usize,
        sink: &mut dyn Sink,
        found: &mut Found,
    ) {
        let parts = match parts(&**disk.bytes, head) {
            None => return self.volume(disk, head, depth, sink, found),
            Some((_, Err(error))) => return error.say(disk.place, Some(disk.bytes.len()), sink),
            Some((_, Ok(parts))) => parts,
        };
        // A disc that also starts from a stick has a table beside its file system.
        let is_whole = is_disc(head) && filesystem::find(&**disk.bytes, head).is_some();
        let disc_ends = if is_whole { disc_bytes(head) } else { 0 };
        if is_whole {
            self.volume(disk, head, depth, sink, found);
        }
        let mut starts = BTreeSet::new();
        for part in parts {
            let place = disk.place.child(Layer::Partition { number: part.number });
            if !starts.insert(part.start) {
                let reason = "a partition that begins where another one does";
                sink.gap(Gap::new(&place, reason, Some(part.length)));
                continue;
            }
            if part.start >= disk.bytes.len() {
                let reason = "a partition past the end of its disk";
                sink.gap(Gap::new(&place, reason, Some(part.length)));
                continue;
            }
            if part.is_reserved {
                continue;
            }
            let window: Arc<dyn ReadAt> =
                Arc::new(Window::new(Arc::clone(disk.bytes), part.start, part.length));
            let one = One {
                place: &place,
                number: Some(part.number),
                called: &part.kind,
                bytes: &window,
            };
            let Some(head) = found.head(&one, sink) else { continue };
            // The files of a disc need not be seen once more, under whatever name a table has for
            // where they lie.
            let is_known = || {
                filesystem::find(&**one.bytes, &head).is_some()
                    || holder(&**one.bytes, &head).is_some()
            };
            let is_of_disc =
                is_whole && (is_disc(&head) || (part.start < disc_ends && !is_known()));
            if !is_of_disc {
                self.volume(&one, &head, depth, sink, found);
            }
        }
    }

    fn volume(
        &self,
        volume: &One<'_>,
        head: &[u8],
        depth: usize,
        sink: &mut dyn Sink,
        found: &mut Found,
    ) {
        let One { place, called, bytes, .. } = *volume;
        let holder = holder(&**bytes, head);
        let format = filesystem::find(&**bytes, head);
        let is_first = holder.as_ref().is_some_and(|holder| holder.is_before_files());
        let mut failed: Vec<(&'static str, PeelError)> = Vec::new();
        for is_holder in [is_first, !is_first] {
            let (name, opened) = match (is_holder, &holder, &format) {
                (true, Some(holder), _) => {
                    (holder.name(), self.held(volume, &**holder, head, depth, sink, found))
                }
                (false, _, Some(format)) => {
                    (format.name(), self.files(volume, &**format, sink, found))
                }
                _ => continue,
            };
            let Err(error) = opened else { return };
            // What an older use of the volume left behind does not parse, and hides no newer one.
            let is_certain = !matches!(error, PeelError::Malformed { .. });
            failed.push((name, error));
            if is_certain {
                break;
            }
        }
        if let Some((name, error)) = failed.last() {
            let closed = Some(error.to_string());
            found.seen.push(Seen { closed, ..volume.seen(name) });
            for (_, error) in failed {
                error.say(place, Some(bytes.len()), sink);
            }
            return;
        }
        if head.iter().all(|byte| *byte == 0) && is_blank(&**bytes) {
            return;
        }
        let reason = match called {
            "" => "a volume of unknown kind, not looked into".to_owned(),
            known => format!("a volume of unknown kind ({known}), not looked into"),
        };
        sink.gap(Gap::new(place, reason.clone(), Some(bytes.len())));
        found.seen.push(Seen { closed: Some(reason), ..volume.seen(called) });
    }

    /// Visits the files of a volume.
    fn files(
        &self,
        volume: &One<'_>,
        format: &dyn filesystem::Format,
        sink: &mut dyn Sink,
        found: &mut Found,
    ) -> Result<(), PeelError> {
        if found.names > self.limits.members.saturating_mul(MOST_SYSTEMS) {
            return Err(PeelError::Limit("more files on a disk than the limit"));
        }
        let files = format.open(Arc::clone(volume.bytes), self.limits)?;
        let label = files.label();
        let tour = Tour {
            place: volume.place,
            volume: volume.bytes,
            files,
            format: format.name(),
            limits: self.limits,
        };
        let toured = tour.run(sink);
        found.add(&toured);
        let is_of_a_machine = toured.is_of_a_machine;
        let seen = volume.seen(format.name());
        found.seen.push(Seen { label, is_of_a_machine, toured: Some(toured), ..seen });
        Ok(())
    }

    /// Looks at the volumes inside a volume.
    fn held(
        &self,
        volume: &One<'_>,
        holder: &dyn Holder,
        head: &[u8],
        depth: usize,
        sink: &mut dyn Sink,
        found: &mut Found,
    ) -> Result<(), PeelError> {
        let logicals = holder.open(volume.bytes, head)?;
        found.seen.push(volume.seen(holder.name()));
        for logical in logicals {
            let place = volume.place.child(Layer::Member { path: logical.name.clone() });
            if depth >= NESTED {
                sink.gap(Gap::new(&place, "volumes nested deeper than the limit", None));
                continue;
            }
            let inside = One {
                place: &place,
                number: volume.number,
                called: &logical.name,
                bytes: &logical.bytes,
            };
            // The disk of a guest, as often as not.
            if let Some(head) = found.head(&inside, sink) {
                self.disk(&inside, &head, depth.saturating_add(1), sink, found);
            }
        }
        Ok(())
    }
}

/// A volume to look at.
#[derive(Clone, Copy)]
struct One<'a> {
    place: &'a Provenance,
    /// The partition, when there is a table.
    number: Option<u32>,
    /// What the partition table or the holder calls it.
    called: &'a str,
    bytes: &'a Arc<dyn ReadAt>,
}

impl One<'_> {
    /// Of this kind, and nothing seen of it yet.
    fn seen(&self, kind: &str) -> Seen {
        Seen {
            number: self.number,
            kind: kind.to_owned(),
            label: None,
            bytes: self.bytes.len(),
            toured: None,
            closed: None,
            is_of_a_machine: false,
        }
    }
}

/// What was found on a disk so far.
#[derive(Default)]
struct Found {
    seen: Vec<Seen>,
    /// How many volumes were looked at, with those that hold nothing.
    looked: usize,
    /// How many names all of their file systems have.
    names: u64,
}

impl Found {
    fn add(&mut self, toured: &Toured) {
        for names in [toured.files, toured.directories, toured.deleted] {
            self.names = self.names.saturating_add(names);
        }
    }

    /// Reads the beginning of one more volume; none past the limit, which is said once, or when
    /// it cannot be read, which is said as well.
    fn head(&mut self, one: &One<'_>, sink: &mut dyn Sink) -> Option<Vec<u8>> {
        self.looked = self.looked.saturating_add(1);
        if self.looked > MOST_VOLUMES {
            if self.looked == MOST_VOLUMES.saturating_add(1) {
                sink.gap(Gap::new(one.place, "more volumes on a disk than the limit", None));
            }
            return None;
        }
        let read = read_vec(&**one.bytes, 0, HEAD);
        read.map_err(|error| PeelError::from(error).say(one.place, Some(one.bytes.len()), sink))
            .ok()
    }
}

/// Whether a volume has the descriptor of a disc (ECMA-119, 8.4).
fn is_disc(head: &[u8]) -> bool {
    head.get(32769..32774) == Some(b"CD001")
}

/// How long a disc is by its descriptor: at 80 the number of blocks, at 128 the bytes of one.
fn disc_bytes(head: &[u8]) -> u64 {
    let descriptor = head.get(32768..).unwrap_or(&[]);
    let blocks = descriptor.get(80..84).and_then(|four| four.try_into().ok());
    let size = descriptor.get(128..130).and_then(|two| two.try_into().ok());
    let (blocks, size) = (blocks.map_or(0, u32::from_le_bytes), size.map_or(0, u16::from_le_bytes));
    u64::from(blocks).saturating_mul(u64::from(size))
}

/// Whether a volume that begins with zeros holds nothing further on either, by a few looks.
fn is_blank(volume: &dyn ReadAt) -> bool {
    [1u64 << 20, volume.len() / 2, volume.len().saturating_sub(4096)].into_iter().all(|offset| {
        read_vec(volume, offset, 4096).is_ok_and(|bytes| bytes.iter().all(|byte| *byte == 0))
    })
}

/// Whether bytes are a disk or a volume without a container: by a partition table, a file system
/// or a holder. More than the head is read only where its beginning or its name say it is worth it.
pub(crate) fn looks_like_a_disk(artifact: &Artifact, head: &[u8]) -> bool {
    // A copy of what a machine starts from, kept as a file: nothing lies behind it.
    if artifact.bytes.len() <= BOOT && head.get(510..512) == Some(&[0x55, 0xaa]) {
        return false;
    }
    let known = |head: &[u8]| {
        parts(&*artifact.bytes, head).is_some()
            || filesystem::find(&*artifact.bytes, head).is_some()
            || holder(&*artifact.bytes, head).is_some()
    };
    // No boot sector, no super block and no header of a holder is without a byte of zero.
    if memchr::memchr(0, head).is_some() && known(head) {
        return true;
    }
    let whole = u64::try_from(head.len()).is_ok_and(|length| length >= artifact.bytes.len());
    let name = artifact.entry.lower_file_name();
    let named = NAMES.iter().any(|end| name.ends_with(end));
    let blank = head.iter().all(|byte| *byte == 0);
    if whole || !(named || blank) {
        return false;
    }
    read_vec(&*artifact.bytes, 0, HEAD).is_ok_and(|head| known(&head))
}
