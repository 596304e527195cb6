//! A volume group: its logical volumes as pieces of one physical volume.

use super::text::{Section, Value};
use lidless_io::Extent;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;

pub(super) const SECTOR: u64 = 512;
/// Volumes of a mirror lie in volumes of their own.
const DEEPEST: usize = 3;
/// More than any group has.
const MOST_VOLUMES: usize = 4096;
/// Segments and what stands in them, in all: mirrors may name the same volume again and again.
const MOST_WORK: usize = 4 << 20;

/// A logical volume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Volume {
    /// As the device mapper names it: `group-volume`.
    pub(super) name: String,
    pub(super) length: u64,
    /// What of it lies on this physical volume.
    pub(super) pieces: Vec<Extent>,
    /// What does not, or not in a form that is read, in order.
    pub(super) missing: Vec<Range<u64>>,
    /// Why, in words.
    pub(super) why: Option<String>,
}

/// The volumes of a group that files can lie on; `own` is the UUID of the physical volume that is
/// read, without its hyphens.
pub(super) fn volumes(text: &Section, own: &str) -> Vec<Volume> {
    let Some((group_name, group)) = text.sections().next() else { return Vec::new() };
    let named = |name| group.section(name).map(Section::sections).into_iter().flatten();
    let here = named("physical_volumes")
        .find(|(_, volume)| volume.text("id").is_some_and(|id| id.replace('-', "") == own));
    let group = Group {
        extent: group.number("extent_size").unwrap_or(0).saturating_mul(SECTOR),
        here: here.map_or("", |(name, _)| name),
        first: here.and_then(|(_, it)| it.number("pe_start")).unwrap_or(0).saturating_mul(SECTOR),
        volumes: named("logical_volumes").collect(),
        left: Cell::new(MOST_WORK),
    };
    let is_visible = |volume: &Section| {
        volume.list("status").iter().any(|it| *it == Value::Text("VISIBLE".into()))
    };
    let mut found = Vec::new();
    let visible = named("logical_volumes").filter(|(_, section)| is_visible(section));
    for (name, section) in visible.take(MOST_VOLUMES) {
        // What a pool holds is told by the volumes that are made of it.
        if kind(section).ends_with("-pool") {
            continue;
        }
        let mut volume = Volume {
            name: format!("{}-{}", group_name.replace('-', "--"), name.replace('-', "--")),
            ..Volume::default()
        };
        group.add(section, 0, &mut volume);
        found.push(volume);
    }
    found
}

fn kind(volume: &Section) -> &str {
    volume.sections().next().and_then(|(_, segment)| segment.text("type")).unwrap_or("")
}

struct Group<'a> {
    /// Bytes of an extent.
    extent: u64,
    /// How the text calls the physical volume that is read.
    here: &'a str,
    /// Where its extents begin.
    first: u64,
    volumes: BTreeMap<&'a str, &'a Section>,
    /// How much may still be looked at.
    left: Cell<usize>,
}

impl Group<'_> {
    /// Adds the segments of a volume.
    fn add(&self, volume: &Section, depth: usize, into: &mut Volume) {
        for (_, segment) in volume.sections() {
            let members = segment.list("raids").len().saturating_add(segment.list("mirrors").len());
            let work = segment.0.len().saturating_add(members).saturating_add(1);
            let Some(left) = self.left.get().checked_sub(work) else {
                into.why.get_or_insert("in a group with more segments than the limit".into());
                into.missing.push(0..u64::MAX);
                // Something to read, so that it is told.
                into.length = into.length.max(SECTOR);
                break;
            };
            self.left.set(left);
            let bytes = |name| segment.number(name).unwrap_or(0).saturating_mul(self.extent);
            let (at, length) = (bytes("start_extent"), bytes("extent_count"));
            into.length = into.length.max(at.saturating_add(length));
            if let Err(why) = self.segment(segment, at, length, depth, into) {
                into.missing.push(at..at.saturating_add(length));
                into.why.get_or_insert(why);
            }
        }
        into.missing.sort_by_key(|range| range.start);
    }

    fn segment(
        &self,
        segment: &Section,
        at: u64,
        length: u64,
        depth: usize,
        into: &mut Volume,
    ) -> Result<(), String> {
        let kind = segment.text("type").unwrap_or("");
        match kind {
            "striped" | "linear" => match segment.list("stripes") {
                [Value::Text(on), Value::Number(first)] if on == self.here => {
                    let source = first.saturating_mul(self.extent).saturating_add(self.first);
                    into.pieces.push(Extent { at, length, source: Some(source) });
                    Ok(())
                }
                [_, _] => Err("on a physical volume that is not here".into()),
                _ => Err("striped over several physical volumes".into()),
            },
            "zero" | "error" => Ok(()),
            // Each member holds all of it: one that is here whole is enough.
            "raid1" | "mirror" => {
                let names = ["raids", "mirrors"].into_iter().flat_map(|name| segment.list(name));
                for name in names.filter(|_| depth < DEEPEST) {
                    let Value::Text(name) = name else { continue };
                    let member = self.volumes.get(name.as_str());
                    let Some(member) = member.filter(|_| !name.contains("_rmeta_")) else {
                        continue;
                    };
                    let mut whole = Volume::default();
                    self.add(member, depth.saturating_add(1), &mut whole);
                    if whole.missing.is_empty() && whole.length >= length {
                        into.pieces.extend(
                            whole
                                .pieces
                                .iter()
                                .map(|piece| Extent { at: at.saturating_add(piece.at), ..*piece }),
                        );
                        return Ok(());
                    }
                }
                Err("a mirror of which no member is here".into())
            }
            _ => {
                let is_word = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
                let kind: String = kind.chars().filter(|it| is_word(*it)).take(20).collect();
                Err(format!("of a kind that is not read ({kind})"))
            }
        }
    }
}
