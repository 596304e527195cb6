//! R's serialised objects (`.rds`, `.rda`, after their compression). Source: R Internals,
//! "Serialization Formats", and serialize.c.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::Format;
use crate::model::forward::Forward;
use crate::model::found::Found;
use lidless_core::Entry;

const MOST: u64 = 256 << 20;
/// Objects inside objects; byte code and environments of real models nest some fifty.
const DEPTH: u32 = 500;
/// More objects than any model has.
const OBJECTS: u64 = 50_000_000;
/// What stands where a promise has no value yet.
const UNBOUND: u8 = 252;

/// R objects.
pub(crate) struct RSerial;

/// Where the objects begin; none when it is no file of R.
fn start(head: &[u8]) -> Option<u64> {
    let named = [&b"RDX2\n"[..], b"RDX3\n"].iter().any(|magic| head.starts_with(magic));
    let at = if named { 5 } else { 0 };
    let rest = head.get(at..)?;
    let version = rest.get(2..6)?;
    (rest.starts_with(b"X\n") && matches!(version, [0, 0, 0, 2 | 3]))
        .then(|| u64::try_from(at).unwrap_or(0))
}

impl Format for RSerial {
    fn name(&self) -> &'static str {
        "r-serialised"
    }

    fn recognises(&self, _entry: &Entry, head: &[u8]) -> bool {
        start(head).is_some()
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let bytes = &*view.artifact.bytes;
        let begin = start(view.head).unwrap_or(0).saturating_add(2);
        let mut walk =
            Walk { forward: Forward::new(bytes, begin, bytes.len(), MOST), found, objects: 0 };
        if walk.file().is_none() {
            let at = walk.forward.position();
            walk.found.gap(format!("an R file that was read up to byte {at} only"));
        }
    }
}

struct Walk<'a, 'b> {
    forward: Forward<'a>,
    found: &'b mut Found,
    objects: u64,
}

impl Walk<'_, '_> {
    fn file(&mut self) -> Option<()> {
        let version = self.forward.u32_be()?;
        self.forward.skip(8).then_some(())?;
        if version == 3 {
            let length = self.forward.u32_be()?;
            self.forward.skip(u64::from(length)).then_some(())?;
        }
        self.object(0).map(|_| ())
    }

    fn skip(&mut self, count: u64, width: u64) -> Option<()> {
        self.forward.skip(count.checked_mul(width)?).then_some(())
    }

    fn length(&mut self) -> Option<u64> {
        match self.forward.u32_be()? {
            u32::MAX => {
                let high = u64::from(self.forward.u32_be()?);
                Some(high.checked_shl(32)? | u64::from(self.forward.u32_be()?))
            }
            length => Some(u64::from(length)),
        }
    }

    /// One object with everything in it, and what kind it is; the rest of a list is a loop, not
    /// a call.
    fn object(&mut self, depth: u32) -> Option<u8> {
        if depth > DEPTH {
            return None;
        }
        let mut first = None;
        loop {
            self.objects = self.objects.saturating_add(1);
            if self.objects > OBJECTS {
                return None;
            }
            let at = self.forward.position();
            let flags = self.forward.u32_be()?;
            let deeper = depth.saturating_add(1);
            let (attributes, tag) = (flags & 0x200 != 0, flags & 0x400 != 0);
            let [kind, ..] = flags.to_le_bytes();
            let first = *first.get_or_insert(kind);
            match kind {
                // Nothing, environments by name, references that need no more.
                241..=242 | 250..=254 => return Some(first),
                255 => {
                    if flags >> 8 == 0 {
                        self.forward.u32_be()?;
                    }
                    return Some(first);
                }
                // A symbol: its name.
                1 => {
                    self.object(deeper)?;
                    return Some(first);
                }
                // Namespaces, packages, persistent names: texts.
                247..=249 => {
                    self.forward.u32_be()?;
                    let count = self.forward.u32_be()?;
                    for _ in 0..count {
                        self.object(deeper)?;
                    }
                    return Some(first);
                }
                // An environment: locked, enclosing, frame, table, attributes.
                4 => {
                    self.forward.u32_be()?;
                    for _ in 0..4 {
                        self.object(deeper)?;
                    }
                    return Some(first);
                }
                // Lists, closures, promises, calls, dots; the last two kinds have attributes.
                kind @ (2 | 3 | 5 | 6 | 17 | 239 | 240) => {
                    if attributes || kind >= 239 {
                        self.object(deeper)?;
                    }
                    if tag {
                        // The environment of a promise or a closure.
                        self.object(deeper)?;
                    }
                    let value = self.object(deeper)?;
                    if kind == 5 && value == UNBOUND {
                        let what = "a promise that was never kept";
                        self.found.danger(Danger::Promise, what, Some(at));
                    }
                    // The rest of the list takes the place of this one.
                }
                // Primitive functions by name.
                7 | 8 => {
                    let length = self.forward.u32_be()?;
                    self.skip(u64::from(length), 1)?;
                    return Some(first);
                }
                // A text; a missing one has no length.
                9 => {
                    let length = self.forward.u32_be()?;
                    if length != u32::MAX {
                        self.skip(length.into(), 1)?;
                    }
                    return Some(first);
                }
                kind @ (10 | 13 | 14 | 15 | 24) => {
                    let width = match kind {
                        14 => 8,
                        15 => 16,
                        24 => 1,
                        _ => 4,
                    };
                    let length = self.length()?;
                    self.skip(length, width)?;
                    if !attributes {
                        return Some(first);
                    }
                }
                16 | 19 | 20 => {
                    let length = self.length()?;
                    for _ in 0..length {
                        self.object(deeper)?;
                    }
                    if !attributes {
                        return Some(first);
                    }
                }
                // External pointers and weak references; objects of S4.
                22 => {
                    self.object(deeper)?;
                    self.object(deeper)?;
                    if !attributes {
                        return Some(first);
                    }
                }
                23 | 25 => {
                    if !attributes {
                        return Some(first);
                    }
                }
                // Compact vectors: what made them, their state, attributes.
                238 => {
                    self.object(deeper)?;
                    self.object(deeper)?;
                }
                // Byte code, and what is newer than this.
                _ => return None,
            }
        }
    }
}
