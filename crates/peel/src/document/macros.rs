//! The source of macros (MS-OVBA): streams of a folder `VBA`, each compressed from an offset on
//! that the stream `dir` names.
//!
//! Compressed: `01`, then chunks of 2 bytes header (12 bits length less 3, bit 15 compressed) and
//! groups of a byte of eight flags and as many pieces: a byte, or 2 bytes of length and distance.

use super::compound::all;
use crate::mail::{code_page, decode_charset};
use lidless_io::number::{index, u16_le, u32_le};
use lidless_io::utf16::{text_to_zero, units_le};
use lidless_records::{CompoundFile, StoredKind};

/// What one chunk holds.
const CHUNK: usize = 4096;
/// More modules than any project has.
const MOST_MODULES: usize = 5000;

/// The names and texts of the modules of all projects in a file, up to `most` bytes.
pub(super) fn macros(file: &CompoundFile, most: u64) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = index(most);
    for stored in file.stored() {
        let lower = stored.path.to_ascii_lowercase();
        let is_dir = lower == "vba/dir" || lower.ends_with("/vba/dir");
        if stored.kind != StoredKind::Stream || !is_dir || !stored.is_reached {
            continue;
        }
        let folder = stored.path.get(..stored.path.len().saturating_sub(3)).unwrap_or("");
        let Ok(packed) = all(file, &stored.path, most) else { continue };
        let (page, modules) = modules(&decompress(&packed, left));
        for (name, offset) in modules {
            let Ok(stream) = all(file, &format!("{folder}{name}"), most) else { continue };
            let source = decompress(stream.get(offset..).unwrap_or(&[]), left);
            left = left.saturating_sub(source.len());
            let text = decode_charset(&source, page.and_then(code_page));
            if !text.is_empty() {
                found.push((name, text));
            }
        }
    }
    found
}

/// The code page of a project, and the streams of its modules with where their source begins.
fn modules(directory: &[u8]) -> (Option<u32>, Vec<(String, usize)>) {
    let (mut page, mut found) = (None, Vec::new());
    let mut name = String::new();
    let mut rest = directory;
    while let (Some(kind), Some(length)) = (u16_le(rest, 0), u32_le(rest, 2)) {
        // The version of the project is two bytes longer than it says.
        let length = if kind == 9 { 6 } else { index(length) };
        let Some(body) = rest.get(6..) else { break };
        let Some((content, after)) = body.split_at_checked(length) else { break };
        match kind {
            0x03 => page = u16_le(content, 0).map(u32::from),
            0x1a => name = decode_charset(content, page.and_then(code_page)),
            // The same name again in UTF-16.
            0x32 if !content.is_empty() => name = text_to_zero(units_le(content)),
            0x31 if found.len() < MOST_MODULES => {
                let offset = u32_le(content, 0).and_then(|offset| usize::try_from(offset).ok());
                found.push((std::mem::take(&mut name), offset.unwrap_or(0)));
            }
            _ => {}
        }
        rest = after;
    }
    (page, found)
}

/// Decompresses, up to about `most` bytes; what is broken ends where it breaks.
fn decompress(packed: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(mut rest) = packed.strip_prefix(&[1]) else { return out };
    while let Some(header) = u16_le(rest, 0) {
        let length = usize::from(header & 0xfff).saturating_add(1);
        let body = rest.get(2..).unwrap_or(&[]);
        let (chunk, after) = body.split_at_checked(length).unwrap_or((body, &[]));
        if header & 0x7000 != 0x3000 || out.len() >= most {
            break;
        }
        if header & 0x8000 != 0 {
            unpack(chunk, &mut out);
        } else {
            out.extend_from_slice(chunk);
        }
        rest = after;
    }
    out
}

fn unpack(chunk: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut input = chunk.iter().copied();
    while let Some(flags) = input.next() {
        for bit in 0..8u32 {
            let done = out.len().saturating_sub(start);
            let Some(first) = input.next() else { return };
            if done >= CHUNK {
                return;
            }
            if flags.wrapping_shr(bit) & 1 == 0 {
                out.push(first);
                continue;
            }
            let Some(second) = input.next() else { return };
            let pair = usize::from(u16::from_le_bytes([first, second]));
            // The further into the chunk, the more bits are of the distance.
            let bits = usize::BITS.saturating_sub(done.saturating_sub(1).leading_zeros()).max(4);
            let shift = 16u32.saturating_sub(bits);
            let distance = pair.wrapping_shr(shift).saturating_add(1);
            let length = (pair & 0xffff_usize.wrapping_shr(bits)).saturating_add(3);
            let Some(from) = out.len().checked_sub(distance).filter(|from| *from >= start) else {
                return;
            };
            for step in 0..length {
                let Some(byte) = out.get(from.saturating_add(step)).copied() else { return };
                out.push(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the specification: no compression (3.2.1), normal (3.2.2), maximal
    /// (3.2.3).
    #[test]
    fn the_examples_of_the_specification_come_out() {
        let plain = b"\x01\x19\xb0\x00abcdefgh\x00ijklmnop\x00qrstuv.";
        assert_eq!(decompress(plain, 1 << 20), b"abcdefghijklmnopqrstuv.");
        let normal = b"\x01\x2f\xb0\x00#aaabcde\x82f\x00pghijk\x4al\x00mnopqrstuvwx\x82y\x0az";
        assert!(decompress(normal, 1 << 20).starts_with(b"#aaabcdef"));
        let repeated = b"\x01\x03\xb0\x02\x61\x45\x00";
        assert_eq!(decompress(repeated, 1 << 20), vec![b'a'; 73]);
        assert_eq!(decompress(b"\x01\x03\xb0\x03\x45\x00a", 9), b"");
    }
}
