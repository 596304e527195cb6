//! A message of Outlook in a file of its own (MS-OXMSG): a compound file with a stream for each
//! longer property, named by the number and the type of it.
//!
//! The stream of properties: a header (32 bytes at the top, 24 in a message inside a message, 8 in
//! recipients and attachments), then 16 bytes each: 2 bytes type, 2 bytes number, 4 bytes flags, 8
//! bytes value.

use super::letter::Letter;
use crate::error::PeelError;
use crate::mail::decode_charset;
use crate::peeler::Sink;
use crate::plain::{Attached, give_text};
use crate::time::filetime_seconds;
use lidless_core::{Artifact, Gap, Interest, Limits, Provenance};
use lidless_io::number::{index, u16_le, u32_le, u64_le};
use lidless_io::utf16::{text_to_zero, units_le};
use lidless_records::{CompoundFile, StoredKind};
use std::collections::BTreeSet;

/// The stream that every message has.
pub(crate) const PROPERTIES: &str = "__properties_version1.0";
const RECIPIENT: &str = "__recip_version1.0_#";
const ATTACHMENT: &str = "__attach_version1.0_#";
const DEEPEST: usize = 8;
/// More messages in a message, and more attachments, than any has.
const MOST_MESSAGES: u64 = 1000;
const MOST_ATTACHMENTS: usize = 10_000;

/// Hands out the text and the attachments of a message.
pub(crate) fn peel(file: &CompoundFile, place: &Provenance, limits: &Limits, sink: &mut dyn Sink) {
    let left = limits.expanded(file.length_bytes());
    Message { file, limits, left, messages: 0 }.open("", 32, place, 0, sink);
}

struct Message<'a> {
    file: &'a CompoundFile,
    limits: &'a Limits,
    /// What may still be handed out: streams may share their sectors.
    left: u64,
    messages: u64,
}

/// The values of a stream of properties that are not in streams of their own.
struct Values(Vec<u8>, usize);

impl Values {
    fn get(&self, number: u16) -> Option<&[u8]> {
        let entries = self.0.get(self.1..)?.chunks_exact(16);
        let mut entries = entries.filter(|entry| u16_le(entry, 2) == Some(number));
        entries.next().and_then(|entry| entry.get(8..))
    }
    fn number(&self, number: u16) -> Option<u32> {
        self.get(number).and_then(|value| u32_le(value, 0))
    }
    fn time(&self, number: u16) -> Option<u64> {
        self.get(number).and_then(|value| u64_le(value, 0))
    }
}

impl Message<'_> {
    fn values(&self, folder: &str, header: usize) -> Values {
        let path = format!("{folder}{PROPERTIES}");
        Values(self.file.read(&path, 1 << 20).ok().flatten().unwrap_or_default(), header)
    }

    fn bytes(&self, folder: &str, number: u16, most: u64) -> Option<Vec<u8>> {
        let path = format!("{folder}__substg1.0_{number:04X}0102");
        self.file.read(&path, most).ok().flatten()
    }

    fn text(&self, folder: &str, number: u16, most: u64) -> Option<String> {
        let path = format!("{folder}__substg1.0_{number:04X}001F");
        if let Some(bytes) = self.file.read(&path, most).ok().flatten() {
            return Some(text_to_zero(units_le(&bytes)));
        }
        let path = format!("{folder}__substg1.0_{number:04X}001E");
        let bytes = self.file.read(&path, most).ok().flatten()?;
        Some(decode_charset(&bytes, None))
    }

    /// The folders below `folder` whose names begin with `start`.
    fn below(&self, folder: &str, start: &str) -> BTreeSet<String> {
        let all = self.file.stored().iter().filter(|one| one.kind == StoredKind::Storage);
        all.filter_map(|one| {
            let name = one.path.strip_prefix(folder)?;
            let fits = name.starts_with(start) && !name.contains('/') && one.is_reached;
            fits.then(|| format!("{}/", one.path))
        })
        .collect()
    }

    fn open(
        &mut self,
        folder: &str,
        header: usize,
        place: &Provenance,
        depth: usize,
        sink: &mut dyn Sink,
    ) {
        self.messages = self.messages.saturating_add(1);
        let text = self.letter(folder, header);
        give_text(place, text, sink);
        let mut attached = Attached::new(place.clone());
        for below in self.below(folder, ATTACHMENT).into_iter().take(MOST_ATTACHMENTS) {
            self.attachment(&below, &mut attached, depth, sink);
        }
    }

    fn letter(&self, folder: &str, header: usize) -> String {
        let most = self.limits.memory_bytes / 4;
        let short = most.min(64 << 10);
        let values = self.values(folder, header);
        let text = |number: u16| self.text(folder, number, short);
        let mut letter = Letter::default();
        letter.field("Message-Class", text(0x001a).as_deref());
        let sender = text(0x0c1a).or_else(|| text(0x0042)).unwrap_or_default();
        let address = text(0x5d01).or_else(|| text(0x0c1f)).or_else(|| text(0x0065));
        letter.person("From", &sender, &address.unwrap_or_default());
        for below in self.below(folder, RECIPIENT).into_iter().take(MOST_ATTACHMENTS) {
            let field = match self.values(&below, 8).number(0x0c15) {
                Some(2) => "Cc",
                Some(3) => "Bcc",
                _ => "To",
            };
            let name = self.text(&below, 0x3001, short).unwrap_or_default();
            let address = self.text(&below, 0x39fe, short);
            let address = address.or_else(|| self.text(&below, 0x3003, short));
            letter.person(field, &name, &address.unwrap_or_default());
        }
        let sent = values.time(0x0039).or_else(|| values.time(0x0e06));
        letter
            .field("Date", sent.and_then(filetime_seconds).map(|when| when.to_string()).as_deref());
        letter.field("Subject", text(0x0037).as_deref());
        if let Some(headers) = self.text(folder, 0x007d, most) {
            letter.body(&headers);
        }
        let plain = self.text(folder, 0x1000, most);
        if let Some(plain) = &plain {
            letter.body(plain);
        }
        if let Some(html) = self.bytes(folder, 0x1013, most) {
            letter.html(&html, values.number(0x3fde));
        } else if plain.is_none()
            && let Some(rich) = self.bytes(folder, 0x1009, most)
        {
            letter.rich(&rich, index(most));
        }
        letter.into_text()
    }

    fn attachment(
        &mut self,
        folder: &str,
        attached: &mut Attached,
        depth: usize,
        sink: &mut dyn Sink,
    ) {
        let name = [0x3707u16, 0x3704, 0x3001]
            .iter()
            .find_map(|number| self.text(folder, *number, 4096).filter(|name| !name.is_empty()))
            .unwrap_or_default();
        let inner = format!("{folder}__substg1.0_3701000D/");
        if self.file.find(&format!("{inner}{PROPERTIES}")).is_some() {
            let entry = attached.entry(&name, ".message", None);
            if depth >= DEEPEST || self.messages > MOST_MESSAGES {
                let reason = "a message nested deeper than the limit";
                sink.gap(Gap::new(&entry.provenance, reason, None));
                return;
            }
            self.open(&inner, 24, &entry.provenance, depth.saturating_add(1), sink);
            return;
        }
        let Some(stored) = self.file.find(&format!("{folder}__substg1.0_37010102")) else {
            return;
        };
        let entry = attached.entry(&name, ".bin", Some(stored.length_bytes));
        if sink.interest(&entry) == Interest::None {
            sink.inert(entry, "an attachment that holds nothing by its kind");
            return;
        }
        let bytes = self.file.stream(stored);
        if bytes.len() > self.left {
            PeelError::Limit("a compound file that expands past the limit").say(
                &entry.provenance,
                Some(bytes.len()),
                sink,
            );
            return;
        }
        self.left = self.left.saturating_sub(bytes.len());
        sink.entry(Artifact::new(entry, bytes));
    }
}
