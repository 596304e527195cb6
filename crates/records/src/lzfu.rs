//! Compressed RTF of Outlook (MS-OXRTFCP).
//!
//! 4 bytes length of what follows, 4 bytes length of the text, 4 bytes `LZFu` (or `MELA`: not
//! compressed), 4 bytes checksum, then groups of a byte of eight flags and as many pieces: a
//! byte, or 12 bits of place in the last 4,096 bytes and 4 bits of length.

use lidless_io::number::{index, u32_le};

/// What the last 4,096 bytes are thought to end with at the start (2.1.2.1).
const START: &[u8] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \
\\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\
\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW: usize = 4096;
const HEADER: usize = 16;

/// Decompresses RTF, up to `most` bytes. What is broken ends where it breaks; none when it is no
/// compressed RTF at all.
#[must_use]
pub fn decompress_rtf(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let body = bytes.get(HEADER..)?;
    let length = index(u32_le(bytes, 4)?).min(most);
    match bytes.get(8..12)? {
        b"MELA" => return Some(body.get(..length).unwrap_or(body).to_vec()),
        b"LZFu" => {}
        _ => return None,
    }
    let mut window = [0u8; WINDOW];
    for (to, from) in window.iter_mut().zip(START) {
        *to = *from;
    }
    let mut at = START.len();
    let mut out = Vec::new();
    let mut input = body.iter().copied();
    let mut put = |byte: u8, window: &mut [u8; WINDOW], out: &mut Vec<u8>| {
        if let Some(slot) = window.get_mut(at) {
            *slot = byte;
        }
        at = at.wrapping_add(1) % WINDOW;
        out.push(byte);
        at
    };
    let mut end = START.len();
    'groups: while let Some(flags) = input.next() {
        for bit in 0..8u32 {
            if out.len() >= length {
                break 'groups;
            }
            let Some(first) = input.next() else { break 'groups };
            if flags.wrapping_shr(bit) & 1 == 0 {
                end = put(first, &mut window, &mut out);
                continue;
            }
            let Some(second) = input.next() else { break 'groups };
            let pair = u16::from_be_bytes([first, second]);
            let from = usize::from(pair >> 4);
            // A piece that begins where the next byte goes is the end.
            if from == end {
                break 'groups;
            }
            let count = usize::from(pair & 0xf).saturating_add(2);
            for step in 0..count {
                let place = from.wrapping_add(step) % WINDOW;
                let byte = window.get(place).copied().unwrap_or(0);
                end = put(byte, &mut window, &mut out);
            }
        }
    }
    out.truncate(length);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of the specification (3.1.1), and the second (3.1.2), which crosses its
    /// own end.
    #[test]
    fn the_examples_of_the_specification_come_out() {
        let simple =
            b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x422\x0a\xf3 hel\
            \x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        let text = decompress_rtf(simple, 1 << 20).unwrap();
        assert_eq!(text, b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        let crossing = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4KQA\0\x04 WXYZ\x0dn}\x01\x0e\xb0";
        let text = decompress_rtf(crossing, 1 << 20).unwrap();
        assert_eq!(text, b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
        assert_eq!(decompress_rtf(crossing, 5).unwrap(), b"{\\rtf");
        assert!(decompress_rtf(b"too short", 9).is_none());
    }
}
