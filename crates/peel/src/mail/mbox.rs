//! mbox (RFC 4155): mails one after the other, each after a line `From ADDRESS DATE`.

use super::header::Headers;
use crate::peeler::{Peeler, Sink};
use crate::plain::is_given_text;
use lidless_core::{Artifact, Entry, Gap, Layer, Limits, Provenance};
use lidless_io::number::wide;
use lidless_io::{MemoryBytes, ReadAt, Window, read_vec};
use std::sync::Arc;

/// How much is read at once.
const CHUNK: u64 = 8 << 20;
/// Lines that part mails are shorter.
const LONGEST_LINE: usize = 512;

/// A file of mails.
pub(crate) struct Mbox;

/// Whether a line parts two mails: it says when, at least hours, minutes and a year.
fn parts(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    if !line.starts_with(b"From ") || line.len() > LONGEST_LINE {
        return false;
    }
    let digits =
        |part: &[u8], count: usize| part.len() == count && part.iter().all(u8::is_ascii_digit);
    let time = line.windows(5).any(|five| {
        five.get(2) == Some(&b':')
            && five.get(..2).is_some_and(|two| digits(two, 2))
            && five.get(3..).is_some_and(|two| digits(two, 2))
    });
    time && line.split(|byte| *byte == b' ').any(|word| digits(word, 4))
}

fn first_line(bytes: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', bytes.get(..LONGEST_LINE).unwrap_or(bytes));
    bytes.get(..end.unwrap_or(0)).unwrap_or(&[])
}

impl Peeler for Mbox {
    fn name(&self) -> &'static str {
        "mbox"
    }

    fn recognises(&self, artifact: &Artifact, head: &[u8]) -> bool {
        let line = first_line(head);
        let rest = head.get(line.len().saturating_add(1)..).unwrap_or(&[]);
        !is_given_text(artifact) && parts(line) && Headers::begin(rest)
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let mut mails = Mails {
            source: &artifact.bytes,
            place: &artifact.entry.provenance,
            start: 0,
            number: 0,
            sink,
        };
        mails.read(limits);
    }
}

struct Mails<'a> {
    source: &'a Arc<dyn ReadAt>,
    place: &'a Provenance,
    /// Where the mail that is being read begins.
    start: u64,
    number: u64,
    sink: &'a mut dyn Sink,
}

impl Mails<'_> {
    /// Reads front to back, every byte once: a mail that lies within what is held is handed out
    /// of memory.
    fn read(&mut self, limits: &Limits) {
        let length = self.source.len();
        let most = limits.memory_bytes.max(CHUNK);
        // `held` begins at `base`; up to `searched` no line of it parts mails any more.
        let (mut held, mut base, mut searched) = (Vec::new(), 0u64, 0usize);
        loop {
            let end = base.saturating_add(size(&held));
            let chunk = match read_vec(&**self.source, end, CHUNK) {
                Ok(chunk) => chunk,
                Err(error) => {
                    let reason = format!("could not be read: {error}");
                    let rest = length.saturating_sub(self.start);
                    self.sink.gap(Gap::new(self.place, reason, Some(rest)));
                    return;
                }
            };
            let last = chunk.is_empty();
            held.extend_from_slice(&chunk);
            drop(chunk);
            while let Some(at) = next(&held, searched, last) {
                searched = at.saturating_add(1);
                let place = base.saturating_add(u64::try_from(at).unwrap_or(0));
                if place > self.start && !self.give(&held, base, place, limits) {
                    return;
                }
            }
            if last {
                self.give(&held, base, length, limits);
                return;
            }
            // The last line may not be all there.
            searched = held.len().saturating_sub(LONGEST_LINE).max(searched);
            let done = usize::try_from(self.start.saturating_sub(base)).unwrap_or(0);
            // A mail too large to hold is read again when somebody asks for it.
            // The byte in front is kept: it tells whether a line begins.
            let done = if size(&held) > most { searched.saturating_sub(1) } else { done };
            held.drain(..done.min(held.len()));
            base = base.saturating_add(u64::try_from(done).unwrap_or(0));
            searched = searched.saturating_sub(done);
        }
    }

    /// Hands out the mail that ends at `end`; false when there are too many.
    fn give(&mut self, held: &[u8], base: u64, end: u64, limits: &Limits) -> bool {
        let start = std::mem::replace(&mut self.start, end);
        if end <= start {
            return true;
        }
        self.number = self.number.saturating_add(1);
        if self.number > limits.members {
            let rest = self.source.len().saturating_sub(start);
            self.sink.gap(Gap::new(self.place, "more members than the limit", Some(rest)));
            return false;
        }
        let within = |at: u64| at.checked_sub(base).and_then(|at| usize::try_from(at).ok());
        let known = within(start).zip(within(end)).and_then(|(from, to)| held.get(from..to));
        let bytes: Arc<dyn ReadAt> = match known {
            Some(mail) => {
                let skip = first_line(mail).len();
                let skip = if skip > 0 { skip.saturating_add(1) } else { 0 };
                Arc::new(MemoryBytes::new(mail.get(skip..).unwrap_or(mail).to_vec()))
            }
            None => {
                let whole = Window::new(Arc::clone(self.source), start, end.saturating_sub(start));
                let Ok(head) = read_vec(&whole, 0, 512) else { return true };
                let skip = u64::try_from(first_line(&head).len()).unwrap_or(0).saturating_add(1);
                Arc::new(Window::new(Arc::new(whole), skip, u64::MAX))
            }
        };
        let path = format!("{:06}.eml", self.number);
        let entry = Entry::new(self.place.child(Layer::Member { path }), Some(bytes.len()));
        self.sink.entry(Artifact::new(entry, bytes));
        true
    }
}

fn size(bytes: &[u8]) -> u64 {
    wide(bytes.len())
}

/// The next line from `searched` on that parts mails; one at the end of what is held counts only
/// when nothing follows.
fn next(held: &[u8], searched: usize, last: bool) -> Option<usize> {
    let mut from = searched;
    loop {
        let rest = held.get(from..)?;
        let at = from.saturating_add(memchr::memmem::find(rest, b"From ")?);
        let begins = match at.checked_sub(1) {
            Some(before) => held.get(before) == Some(&b'\n'),
            None => true,
        };
        let tail = held.get(at..)?;
        let tail = tail.get(..LONGEST_LINE).unwrap_or(tail);
        let whole = memchr::memchr(b'\n', tail);
        if begins && (whole.is_some() || last) {
            let line = tail.get(..whole.unwrap_or(tail.len())).unwrap_or(tail);
            if parts(line) {
                return Some(at);
            }
        }
        from = at.saturating_add(5);
    }
}
