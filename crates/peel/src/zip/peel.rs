//! Yields the members, what decides first.

use super::checkpoint::{checkpoint_roots, is_inert};
use super::directory::{End, Line, ends, lines};
use super::guess::directory_bytes;
use super::hidden::Hidden;
use super::local::{LOCAL, Local, local};
use super::member::{Member, is_supported};
use super::oddities::{Oddities, Oddity};
use super::parts;
use super::runs::runs;
use crate::archive::Known;
use crate::peeler::{Peeler, Sink};
use bytes::Bytes;
use lidless_core::{Artifact, Entry, Gap, Interest, Layer, Limits, Provenance};
use lidless_io::number::{index, wide};
use lidless_io::{ReadAt, ReadError, read_vec};
use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Archives up to this size are read in one go: all of their bytes are looked at then.
const WHOLE: u64 = 256 << 10;
/// How much of the end of larger ones is read first at the least: the end record and the directory
/// of some 500 members.
const TAIL: u64 = 44 << 10;
/// The furthest an end record lies from the end: a comment of 65,535 bytes, and zip64's records.
const FURTHEST: u64 = (64 << 10) + 128;
/// How much of the end decides whether something that does not begin as one is a zip archive.
const GLANCE: u64 = 4 << 10;
/// The largest directory that is read.
const LARGEST_DIRECTORY: u64 = 64 << 20;
/// What of a directory is read to see whether it is one, where its end record disagrees.
const MAGIC: u64 = 4;
const ENCRYPTED: u16 = 1;
/// How many members that are marked as encrypted are tried, and up to which size after that.
const TRIED: u64 = 16;
const CHEAP: u64 = 64 << 10;
const AES: u16 = 99;

/// A zip archive.
pub(crate) struct Zip;

impl Peeler for Zip {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        // The two others begin archives that were meant for several disks.
        let starts = [&LOCAL[..], b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04"];
        if starts.iter().any(|magic| head.starts_with(magic)) {
            return true;
        }
        let length = artifact.bytes.len();
        let whole = u64::try_from(head.len()).is_ok_and(|known| known >= length);
        if whole {
            return has_directory(head, 0, &*artifact.bytes);
        }
        if !may_hide_a_zip(artifact, head) {
            return false;
        }
        let base = length.saturating_sub(GLANCE);
        read_vec(&*artifact.bytes, base, GLANCE)
            .is_ok_and(|tail| has_directory(&tail, base, &*artifact.bytes))
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        if parts::is_part(artifact) {
            return;
        }
        let (archive, found, starts) = match open_all(artifact, head, sink) {
            Ok(opened) => opened,
            Err(error) => {
                let reason = format!("a zip archive could not be read: {}", error.message);
                sink.gap(Gap::new(place, reason, Some(artifact.bytes.len())));
                return;
            }
        };
        let mut oddities = Oddities::default();
        let mut listed = Listed { starts, ..Listed::default() };
        for end in &found {
            listed.read(&archive, end, limits, &mut oddities);
        }
        if listed.lines.is_empty() && found.first().is_none_or(|end| end.members > 0) {
            listed.problems.insert("a zip archive without its directory");
        }
        for problem in &listed.problems {
            sink.gap(Gap::new(place, *problem, None));
        }
        let out = HandOut::new(archive, place, limits, sink, oddities);
        out.members(listed.lines, &listed.ends);
    }
}

/// Whether the tail of a file, which begins at `base`, ends a zip archive with members in it.
fn has_directory(tail: &[u8], base: u64, archive: &dyn ReadAt) -> bool {
    ends(tail, base, archive).iter().any(|end| {
        end.members > 0
            && end.size >= 46
            && end.size <= end.begins
            && read_vec(archive, end.begins.saturating_sub(end.size), 4)
                .is_ok_and(|magic| magic == b"PK\x01\x02")
    })
}

/// Whether the end is worth a request: the name or the beginning is of a kind that zip archives
/// are appended to, or hidden in.
fn may_hide_a_zip(artifact: &Artifact, head: &[u8]) -> bool {
    const NAMES: [&str; 21] = [
        ".zip",
        ".pt",
        ".pth",
        ".ckpt",
        ".bin",
        ".pkl",
        ".npz",
        ".keras",
        ".nemo",
        ".mar",
        ".jar",
        ".whl",
        ".apk",
        ".docx",
        ".xlsx",
        ".pptx",
        ".pyz",
        ".exe",
        ".safetensors",
        ".model",
        ".llamafile",
    ];
    let name = artifact.entry.lower_file_name();
    let pickle = matches!(head, [0x80, 2..=5, ..]);
    let starts = [&b"MZ"[..], b"\x7fELF", b"#!", b"GGUF", b"GIF8", b"\x89PNG", b"\xff\xd8\xff"];
    pickle
        || NAMES.iter().any(|end| name.ends_with(end))
        || starts.iter().any(|magic| head.starts_with(magic))
}

/// Reads what tells the members: all of a small archive, the end of a large one.
fn open(artifact: &Artifact, head: &[u8]) -> Result<(Arc<Known>, Vec<End>), ReadError> {
    let length = artifact.bytes.len();
    let mut archive = Known::new(Arc::clone(&artifact.bytes), head);
    if length <= WHOLE {
        let all = Bytes::from(read_vec(&archive, 0, length)?);
        let found = ends(&all, 0, &archive);
        archive.keep(0, all);
        return Ok((Arc::new(archive), found));
    }
    let mut found = Vec::new();
    let first = directory_bytes(head, length).map_or(TAIL, |guess| guess.saturating_add(TAIL));
    for size in [first, FURTHEST] {
        let base = length.saturating_sub(size);
        let tail = Bytes::from(read_vec(&archive, base, size)?);
        archive.keep(base, tail.clone());
        // However much of a directory was read with it, an end record lies no further.
        let far = index(wide(tail.len()).saturating_sub(FURTHEST));
        let last = tail.get(far..).unwrap_or(&[]);
        found = ends(last, base.saturating_add(wide(far)), &archive);
        if !found.is_empty() {
            break;
        }
    }
    Ok((Arc::new(archive), found))
}

/// An archive, its end records, and where each of its parts begins.
type Opened = (Arc<Known>, Vec<End>, Vec<u64>);

/// As [`open`], with the parts in front of the last one where there are any; where each begins.
fn open_all(artifact: &Artifact, head: &[u8], sink: &mut dyn Sink) -> Result<Opened, ReadError> {
    let (archive, found) = open(artifact, head)?;
    let Some(in_front) = found.first().and_then(parts::in_front) else {
        return Ok((archive, found, Vec::new()));
    };
    let Some((joined, starts)) = parts::join(artifact, in_front) else {
        let reason = "a zip archive in parts, of which some are missing";
        sink.gap(Gap::new(&artifact.entry.provenance, reason, None));
        return Ok((archive, found, Vec::new()));
    };
    let (archive, mut found) = open(&joined, &[])?;
    for end in &mut found {
        end.offset = parts::shifted(&starts, end.first_part, end.offset);
    }
    Ok((archive, found, starts))
}

/// A line of a directory, with the offset of its local header in the file.
pub(super) struct Listing {
    pub(super) line: Line,
    pub(super) header: u64,
}

/// What the directories list.
#[derive(Default)]
struct Listed {
    lines: Vec<Listing>,
    /// Where each directory that was read begins and its end record ends.
    ends: Vec<(u64, u64)>,
    /// Where each part of an archive in parts begins.
    starts: Vec<u64>,
    problems: BTreeSet<&'static str>,
}

impl Listed {
    /// Reads the directory that an end record points to, and the one that stands right before
    /// the record: loaders take either.
    fn read(&mut self, archive: &Known, end: &End, limits: &Limits, oddities: &mut Oddities) {
        // An archive inside a stored member ends there as well.
        if self.lines.iter().any(|one| one.contains(end.at)) {
            return;
        }
        let first = self.ends.is_empty();
        let near = end.begins.saturating_sub(end.size);
        let mut starts = vec![(end.offset, 0)];
        if near != end.offset {
            starts.push((near, near.saturating_sub(end.offset)));
        }
        let mut any = false;
        for (start, shift) in starts {
            let size = end.begins.saturating_sub(start);
            // A directory that is as long as its record says is read in one request.
            let fits = size == end.size || size <= WHOLE;
            if start >= end.begins || !(fits || is_directory(archive, start, MAGIC)) {
                continue;
            }
            if size > LARGEST_DIRECTORY {
                self.problems.insert("a zip directory larger than any");
            }
            let Ok(bytes) = read_vec(archive, start, size.min(LARGEST_DIRECTORY)) else {
                self.problems.insert("a zip directory that could not be read");
                continue;
            };
            if !bytes.starts_with(b"PK\x01\x02") {
                continue;
            }
            any = true;
            self.add(&bytes, shift, end, limits, oddities);
            self.ends.push((start, end.at.saturating_add(22)));
        }
        if !any && end.members > 0 && first {
            self.problems.insert("a zip archive without its directory");
        }
    }

    fn add(
        &mut self,
        directory: &[u8],
        shift: u64,
        end: &End,
        limits: &Limits,
        oddities: &mut Oddities,
    ) {
        let left = limits.members.saturating_sub(wide(self.lines.len()));
        let found = lines(directory, left);
        if wide(found.len()) >= left && left <= end.members {
            self.problems.insert("more members than the limit");
        } else if wide(found.len()) < end.members {
            self.problems.insert("a zip directory that breaks off");
        }
        let known: Option<HashSet<(&str, u64)>> = (!self.lines.is_empty())
            .then(|| self.lines.iter().map(|one| (one.line.name.as_str(), one.header)).collect());
        let mut fresh = Vec::with_capacity(found.len());
        for line in found {
            let header = line.header.saturating_add(shift);
            let header = parts::shifted(&self.starts, u32::from(line.part), header);
            if let Some(known) = &known {
                if known.contains(&(line.name.as_str(), header)) {
                    continue;
                }
                oddities.add(Oddity::SeveralDirectories, || {
                    format!("only one of them names {}", line.name)
                });
            }
            fresh.push(Listing { line, header });
        }
        self.lines.extend(fresh);
    }
}

fn is_directory(archive: &Known, at: u64, length: u64) -> bool {
    read_vec(archive, at, length).is_ok_and(|bytes| bytes == b"PK\x01\x02")
}

impl Listing {
    /// Where its content ends at the least: the local header may have an extra field as well.
    pub(super) fn end(&self) -> u64 {
        self.header
            .saturating_add(30)
            .saturating_add(u64::from(self.line.name_length))
            .saturating_add(self.line.packed)
    }

    fn contains(&self, offset: u64) -> bool {
        self.header <= offset && offset < self.end()
    }

    /// Which members come first: pickles, then small ones, then the rest.
    fn rank(&self) -> (u8, u64) {
        let name = self.line.name.as_bytes();
        let ends = |end: &[u8]| {
            name.len()
                .checked_sub(end.len())
                .and_then(|start| name.get(start..))
                .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
        };
        let pickle = ends(b".pkl") || ends(b".pickle");
        let small = self.line.unpacked <= 1 << 20;
        (if pickle { 0 } else { u8::from(!small).saturating_add(1) }, self.header)
    }
}

/// A folder, unless it holds something.
fn is_folder(line: &Line) -> bool {
    line.name.ends_with('/') && line.packed == 0
}

/// Hands the members to the sink, within the limits.
struct HandOut<'a> {
    archive: Arc<Known>,
    place: &'a Provenance,
    sink: &'a mut dyn Sink,
    oddities: Oddities,
    /// What one archive may expand to, and how much of it is left.
    allowed: u64,
    left: u64,
    limits: &'a Limits,
    /// Digests of the names that were given.
    given: HashSet<u64>,
    /// How much is encrypted, once something is.
    encrypted: Option<u64>,
    locked: u64,
}

impl<'a> HandOut<'a> {
    fn new(
        archive: Arc<Known>,
        place: &'a Provenance,
        limits: &'a Limits,
        sink: &'a mut dyn Sink,
        oddities: Oddities,
    ) -> Self {
        let allowed = limits.expanded(archive.len());
        let given = HashSet::new();
        let left = allowed;
        Self {
            archive,
            place,
            sink,
            oddities,
            allowed,
            left,
            limits,
            given,
            encrypted: None,
            locked: 0,
        }
    }

    fn members(mut self, lines: Vec<Listing>, ends: &[(u64, u64)]) {
        let mut lines = lines;
        lines.sort_by_key(|one| one.header);
        let mut reached = 0u64;
        for one in &lines {
            if one.header < reached {
                self.oddities.add(Oddity::MembersOverlap, || one.line.name.clone());
            }
            reached = reached.max(one.end());
        }
        let roots = checkpoint_roots(&lines);
        let hidden =
            Hidden::find(&self.archive, &lines, ends, |one| is_inert(&self.archive, one, &roots));
        lines.sort_by_key(Listing::rank);
        let wanted: Vec<bool> = lines.iter().map(|one| self.is_wanted(one, &roots)).collect();
        let runs = runs(&lines, &wanted, self.archive.gap_bytes(), self.archive.len());
        for ((one, wanted), run) in lines.iter().zip(wanted).zip(runs) {
            self.listed(one, &roots, wanted, run);
        }
        // Four bytes are the mark of an archive that was meant for several disks.
        if hidden.in_front > 4 {
            let length = hidden.in_front;
            self.oddities.add(Oddity::BytesInFront, || format!("{length} bytes"));
        }
        for (header, local) in hidden.members {
            // Without any directory the archive is cut off, and nothing was hidden.
            if !lines.is_empty() {
                self.oddities.add(Oddity::HiddenMember, || local.name.clone());
            }
            let end = hidden.ends.get(&header).copied().unwrap_or(header);
            self.local(header, &local, end);
        }
        if let Some(bytes) = self.encrypted {
            self.sink.gap(Gap::new(self.place, "encrypted members of a zip archive", Some(bytes)));
        }
        if hidden.unseen > 0 {
            let reason = "bytes between the members of a zip archive, not looked into";
            self.sink.gap(Gap::new(self.place, reason, Some(hidden.unseen)));
        }
        self.oddities.say(self.place, self.sink);
    }

    /// Whether a member is opened: by its name, unless its local header is known to differ.
    fn is_wanted(&self, one: &Listing, roots: &BTreeSet<String>) -> bool {
        let line = &one.line;
        let layer = Layer::Member { path: line.name.clone() };
        let entry = Entry::new(self.place.child(layer), Some(line.unpacked));
        if is_folder(line) || is_inert(&self.archive, one, roots) {
            return false;
        }
        let renamed = || {
            let local = self.archive.from(one.header).and_then(local);
            local.is_some_and(|local| local.name != line.name)
        };
        self.sink.interest(&entry) != Interest::None || renamed()
    }

    fn listed(&mut self, one: &Listing, roots: &BTreeSet<String>, wanted: bool, run: Range<u64>) {
        let line = &one.line;
        if is_folder(line) {
            return;
        }
        let (mut entry, again) = self.entry(&line.name, one.header, line.unpacked);
        entry.modified = line.modified;
        if again {
            self.oddities.add(Oddity::DuplicateMember, || line.name.clone());
        }
        if is_inert(&self.archive, one, roots) {
            self.sink.inert(entry, "raw tensor data of a checkpoint");
            return;
        }
        if !wanted {
            self.sink.inert(entry, "a member of an archive that is listed only");
            return;
        }
        let mut member = self.member(one.header, line);
        member.run = run;
        if let Some(local) = self.give(entry, member) {
            self.compare(one, &local);
        }
    }

    /// Says where the local header differs, and hands out what it describes.
    fn compare(&mut self, one: &Listing, local: &Local) {
        let line = &one.line;
        let sized = local.is_sized();
        let resized = sized && local.packed != line.packed;
        let recoded = local.method != line.method;
        let renamed = local.name != line.name;
        if !(resized || recoded || renamed) {
            return;
        }
        self.oddities.add(Oddity::ViewsDiffer, || {
            if renamed { format!("{} and {}", line.name, local.name) } else { line.name.clone() }
        });
        let end = if sized {
            one.header.saturating_add(local.length).saturating_add(local.packed)
        } else {
            one.header.saturating_add(local.length).saturating_add(line.packed)
        };
        self.local(one.header, local, end);
    }

    /// Hands out a member as its local header describes it.
    fn local(&mut self, header: u64, local: &Local, end: u64) {
        if local.name.ends_with('/') && local.packed == 0 {
            return;
        }
        let start = header.saturating_add(local.length);
        let sized = local.is_sized();
        let packed = if sized { local.packed } else { end.saturating_sub(start) };
        let line = Line {
            name: local.name.clone(),
            name_length: u16::try_from(local.length.saturating_sub(30)).unwrap_or(u16::MAX),
            flags: local.flags,
            method: local.method,
            packed,
            unpacked: if sized { local.unpacked } else { packed },
            header,
            part: 0,
            modified: None,
        };
        let (entry, _) = self.entry(&line.name, header, line.unpacked);
        let member = self.member(header, &line);
        let _ = self.give(entry, member);
    }

    /// An entry, and whether its name was given before; it gets the offset of its member then.
    fn entry(&mut self, name: &str, header: u64, length: u64) -> (Entry, bool) {
        let mut digest = DefaultHasher::new();
        name.hash(&mut digest);
        let again = !self.given.insert(digest.finish());
        let path = if again { format!("{name}@{header}") } else { name.to_owned() };
        (Entry::new(self.place.child(Layer::Member { path }), Some(length)), again)
    }

    fn member(&self, header: u64, line: &Line) -> Member {
        Member {
            archive: Arc::clone(&self.archive),
            header,
            name_length: u64::from(line.name_length),
            flags: line.flags,
            method: line.method,
            packed: line.packed,
            unpacked: line.unpacked,
            limit: self.limits.expanded(line.packed).min(self.left),
            run: 0..0,
            opened: OnceLock::new(),
        }
    }

    /// Lists an encrypted member; how much of the archive is encrypted is said at its end.
    fn encrypted(&mut self, entry: Entry, length: u64) {
        let sum = self.encrypted.get_or_insert(0);
        *sum = sum.saturating_add(length);
        self.locked = self.locked.saturating_add(1);
        self.sink.inert(entry, "an encrypted member");
    }

    /// Hands a member out, and returns what its local header says if it was opened.
    fn give(&mut self, entry: Entry, member: Member) -> Option<Local> {
        let gap = |reason: &str| Gap::new(&entry.provenance, reason, Some(member.unpacked));
        if member.method == AES {
            self.encrypted(entry, member.unpacked);
            return None;
        }
        if !is_supported(member.method) {
            let reason = format!("a zip member compressed by method {}", member.method);
            self.sink.gap(gap(&reason));
            return None;
        }
        if self.left == 0 && self.allowed > 0 {
            self.sink.gap(gap("a zip archive that expands past the limit"));
            return None;
        }
        if member.flags & ENCRYPTED != 0 {
            // The flag alone means nothing to many loaders; but once it was right many times, only
            // small members are tried.
            let tried = self.locked < TRIED || member.packed <= CHEAP;
            if !tried || !member.is_plain() {
                self.encrypted(entry, member.unpacked);
                return None;
            }
            self.oddities.add(Oddity::FlagsLie, || entry.provenance.path().to_owned());
        }
        let place = entry.provenance.clone();
        let member = Arc::new(member);
        let bytes: Arc<dyn ReadAt> = member.clone();
        self.sink.entry(Artifact::new(entry, bytes));
        let opened = member.opened.get()?;
        if let Some(problem) = opened.problem {
            self.sink.gap(Gap::new(&place, problem, None));
        }
        // Members that share bytes are each paid for.
        let cost = opened.bytes.as_ref().map_or(0, |bytes| bytes.len());
        self.left = self.left.saturating_sub(cost);
        opened.local.clone()
    }
}
