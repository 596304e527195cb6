//! The parts of a message (RFC 2046): texts are put together, attachments handed out.

use super::charset;
use super::header::{Headers, Value};
use super::transfer::{base64, quoted_printable, uudecode};
use crate::peeler::Sink;
use crate::plain::{Attached, give_text};
use lidless_core::{Gap, Limits, Provenance};
use lidless_io::MemoryBytes;
use std::sync::Arc;

/// Real mails nest parts five deep.
const DEEPEST: usize = 32;
/// More parts than any mail has.
const MOST_PARTS: u64 = 20_000;

/// Hands out the text and the attachments of a message that is in memory.
pub(super) fn peel(message: &[u8], place: &Provenance, limits: &Limits, sink: &mut dyn Sink) {
    let mut walk = Walk {
        sink,
        text: String::new(),
        attached: Attached::new(place.clone()),
        parts: 0,
        most: MOST_PARTS.min(limits.members),
        problems: Vec::new(),
    };
    let (headers, body) = Headers::split(message);
    walk.text.push_str(&headers.to_text());
    walk.text.push('\n');
    walk.part(&headers, body, 0);
    let Walk { text, problems, .. } = walk;
    give_text(place, text, sink);
    for problem in problems {
        sink.gap(Gap::new(place, problem, None));
    }
}

struct Walk<'a> {
    sink: &'a mut dyn Sink,
    text: String,
    attached: Attached,
    parts: u64,
    most: u64,
    problems: Vec<&'static str>,
}

impl Walk<'_> {
    fn problem(&mut self, what: &'static str) {
        if !self.problems.contains(&what) {
            self.problems.push(what);
        }
    }

    fn part(&mut self, headers: &Headers, body: &[u8], depth: usize) {
        self.parts = self.parts.saturating_add(1);
        if self.parts > self.most {
            self.problem("a mail with more parts than the limit");
            return;
        }
        let kind = Value::parse(headers.get("content-type").unwrap_or("text/plain"));
        if kind.main.starts_with("multipart/")
            && let Some(boundary) = kind.get("boundary").filter(|text| !text.is_empty())
        {
            if kind.main == "multipart/encrypted" {
                self.problem("an encrypted mail");
            }
            if depth >= DEEPEST {
                self.problem("a mail with parts nested deeper than the limit");
                return;
            }
            self.parts_of(body, boundary.trim_end(), depth);
            return;
        }
        let encoding = headers.get("content-transfer-encoding").unwrap_or("");
        let encoding = encoding.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let disposition = Value::parse(headers.get("content-disposition").unwrap_or(""));
        let name = disposition.get("filename").or_else(|| kind.get("name"));
        let is_text = kind.main.starts_with("text/")
            || matches!(
                &*kind.main,
                "message/delivery-status" | "message/disposition-notification"
            )
            || !kind.main.contains('/');
        if is_text && name.is_none() && disposition.main != "attachment" {
            self.take_text(&kind, &encoding, body);
            return;
        }
        if is_enveloped(&kind) {
            self.problem("an encrypted mail");
        }
        let ending = ending(&kind.main);
        let length =
            if encoding == "base64" { (body.len() / 4).saturating_mul(3) } else { body.len() };
        let name = name.unwrap_or_default();
        self.attached.give(&name, ending, u64::try_from(length).ok(), self.sink, |_, _| {
            Some(Arc::new(MemoryBytes::new(undo(&encoding, body))))
        });
    }

    fn take_text(&mut self, kind: &Value, encoding: &str, body: &[u8]) {
        let bytes = undo(encoding, body);
        let (kept, files) =
            if encoding == "base64" { (bytes, Vec::new()) } else { uudecode(&bytes) };
        let label = kind.get("charset");
        self.text.push_str(&charset::decode(&kept, label.as_deref()));
        self.text.push('\n');
        for file in files {
            let length = u64::try_from(file.bytes.len()).ok();
            self.attached.give(&file.name, "", length, self.sink, |_, _| {
                Some(Arc::new(MemoryBytes::new(file.bytes)))
            });
        }
    }

    /// The parts between the lines that begin with `--BOUNDARY`; what stands before the first
    /// and after the last is text that mail programs do not show.
    fn parts_of(&mut self, body: &[u8], boundary: &str, depth: usize) {
        let mark = format!("--{boundary}");
        let finder = memchr::memmem::Finder::new(&mark);
        let (mut from, mut inside, mut at) = (0usize, false, 0usize);
        let mut ended = false;
        while let Some(found) = body.get(at..).and_then(|rest| finder.find(rest)) {
            let start = at.saturating_add(found);
            let after = start.saturating_add(mark.len());
            at = after;
            let begins_line = match start.checked_sub(1) {
                Some(before) => body.get(before) == Some(&b'\n'),
                None => true,
            };
            let rest = body.get(after..).unwrap_or(&[]);
            // A longer boundary may begin like this one.
            let last = rest.starts_with(b"--");
            let fits = last || matches!(rest.first(), None | Some(b'\r' | b'\n' | b' ' | b'\t'));
            if !begins_line || !fits {
                continue;
            }
            self.piece(body.get(from..start).unwrap_or(&[]), inside, depth);
            let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end.saturating_add(1));
            from = after.saturating_add(line);
            at = from;
            inside = !last;
            if last {
                ended = true;
                break;
            }
        }
        if !ended {
            self.problem("a mail that breaks off");
        }
        self.piece(body.get(from..).unwrap_or(&[]), inside, depth);
    }

    fn piece(&mut self, bytes: &[u8], is_part: bool, depth: usize) {
        // The end of the line in front of a boundary belongs to the boundary.
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if is_part {
            let (headers, body) = Headers::split(bytes);
            let names = headers.to_text();
            self.text.push_str(&names);
            self.text.push('\n');
            self.part(&headers, body, depth.saturating_add(1));
        } else if !bytes.trim_ascii().is_empty() {
            self.text.push_str(&charset::decode(bytes, None));
            self.text.push('\n');
        }
    }
}

/// Undoes a transfer encoding.
fn undo(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding {
        "base64" => base64(body),
        "quoted-printable" => quoted_printable(body, false),
        "x-uuencode" | "uuencode" | "x-uue" | "uue" => {
            let (kept, files) = uudecode(body);
            files.into_iter().next().map_or(kept, |file| file.bytes)
        }
        _ => body.to_vec(),
    }
}

fn is_enveloped(kind: &Value) -> bool {
    let smime = matches!(&*kind.main, "application/pkcs7-mime" | "application/x-pkcs7-mime");
    smime && kind.get("smime-type").is_none_or(|kind| !kind.contains("signed"))
}

/// The ending for a part without a name.
fn ending(kind: &str) -> &'static str {
    match kind {
        "message/rfc822" | "message/global" => ".eml",
        "text/plain" => ".txt",
        "text/html" => ".html",
        "text/calendar" => ".ics",
        "text/csv" => ".csv",
        "application/json" => ".json",
        "application/pdf" => ".pdf",
        "application/zip" => ".zip",
        "application/ms-tnef" => ".dat",
        _ if kind.starts_with("image/") => ".png",
        _ if kind.starts_with("audio/") => ".mp3",
        _ if kind.starts_with("video/") => ".mp4",
        _ => ".bin",
    }
}
