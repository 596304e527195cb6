//! The filters of streams (ISO 32000-1, 7.4), each bounded. What is broken ends where it breaks.

use super::object::{Dictionary, Object};
use lidless_io::number::{index, wide};
use std::io::Read as _;
use std::rc::Rc;

/// Undoes one filter; none for those of pictures and for encryption.
pub(super) fn undo(
    filter: &str,
    parameters: Option<&Dictionary>,
    bytes: &[u8],
    most: usize,
) -> Option<Vec<u8>> {
    let number = |name: &str, default: u64| {
        parameters.and_then(|known| known.get(name)?.whole()).unwrap_or(default)
    };
    let out = match filter {
        "FlateDecode" | "Fl" => inflate(bytes, most),
        "LZWDecode" | "LZW" => lzw(bytes, number("EarlyChange", 1) != 0, most),
        "ASCIIHexDecode" | "AHx" => hexadecimal(bytes),
        "ASCII85Decode" | "A85" => ascii85(bytes),
        "RunLengthDecode" | "RL" => run_length(bytes, most),
        _ => return None,
    };
    let columns = usize::try_from(number("Columns", 1)).ok()?.min(1 << 20);
    let colours = usize::try_from(number("Colors", 1)).ok()?.clamp(1, 32);
    let bits = usize::try_from(number("BitsPerComponent", 8)).ok()?.clamp(1, 16);
    let pixel = colours.saturating_mul(bits).div_ceil(8);
    let line = columns.saturating_mul(colours).saturating_mul(bits).div_ceil(8);
    Some(match number("Predictor", 1) {
        10..=15 => png(&out, line, pixel),
        2 if bits == 8 => tiff(out, line, pixel),
        _ => out,
    })
}

/// The names of filters in order, with their parameters.
pub(super) fn filters(dictionary: &Dictionary) -> Vec<(String, Option<Rc<Dictionary>>)> {
    let get = |long: &str, short: &str| dictionary.get(long).or_else(|| dictionary.get(short));
    let parameters = get("DecodeParms", "DP");
    let nth = |index: usize| {
        let one = match parameters? {
            Object::List(list) => list.get(index)?,
            other => other,
        };
        one.shared()
    };
    match get("Filter", "F") {
        Some(Object::Name(name)) => vec![(name.clone(), nth(0))],
        Some(Object::List(list)) => list
            .iter()
            .take(8)
            .enumerate()
            .filter_map(|(index, one)| Some((one.name()?.to_owned(), nth(index))))
            .collect(),
        _ => Vec::new(),
    }
}

fn inflate(bytes: &[u8], most: usize) -> Vec<u8> {
    let most = wide(most);
    let mut out = Vec::new();
    let _ = flate2::read::ZlibDecoder::new(bytes).take(most).read_to_end(&mut out);
    if out.is_empty() {
        // Some writers leave the two bytes in front away or break them.
        let raw = bytes.get(2..).unwrap_or(&[]);
        let _ = flate2::read::DeflateDecoder::new(raw).take(most).read_to_end(&mut out);
    }
    out
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    let digits = bytes.iter().take_while(|byte| **byte != b'>');
    let digits: Vec<u32> = digits.filter_map(|byte| char::from(*byte).to_digit(16)).collect();
    digits
        .chunks(2)
        .filter_map(|two| Some(two.first()? << 4 | two.get(1).unwrap_or(&0)))
        .map(|byte| byte.to_le_bytes()[0])
        .collect()
}

fn ascii85(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut value, mut count) = (0u32, 0usize);
    for byte in bytes.strip_prefix(b"<~").unwrap_or(bytes) {
        match byte {
            b'~' => break,
            b'z' if count == 0 => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                let digit = u32::from(byte.saturating_sub(b'!'));
                value = value.wrapping_mul(85).wrapping_add(digit);
                count = count.saturating_add(1);
                if count == 5 {
                    out.extend_from_slice(&value.to_be_bytes());
                    (value, count) = (0, 0);
                }
            }
            _ => {}
        }
    }
    if count > 1 {
        for _ in count..5 {
            value = value.wrapping_mul(85).wrapping_add(84);
        }
        out.extend(value.to_be_bytes().iter().take(count.saturating_sub(1)));
    }
    out
}

fn run_length(bytes: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first() {
        if out.len() >= most || *length == 128 {
            break;
        }
        if *length < 128 {
            let count = usize::from(*length).saturating_add(1);
            let (copied, next) = after.split_at_checked(count).unwrap_or((after, &[]));
            out.extend_from_slice(copied);
            rest = next;
        } else {
            let Some((byte, next)) = after.split_first() else { break };
            let count = 257usize.saturating_sub(usize::from(*length));
            out.extend(std::iter::repeat_n(*byte, count));
            rest = next;
        }
    }
    out
}

/// LZW with codes of 9 to 12 bits; 256 clears the table, 257 ends.
fn lzw(bytes: &[u8], early: bool, most: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    // Each entry is a part of what came out: where it begins and how long it is.
    let mut table: Vec<(usize, usize)> = Vec::new();
    let mut last: Option<(usize, usize)> = None;
    let (mut held, mut bits, mut width) = (0u32, 0u32, 9u32);
    for byte in bytes.iter().copied() {
        held = held << 8 | u32::from(byte);
        bits = bits.saturating_add(8);
        if bits < width {
            continue;
        }
        bits = bits.saturating_sub(width);
        let code = held.wrapping_shr(bits) & 1u32.wrapping_shl(width).saturating_sub(1);
        held &= 1u32.wrapping_shl(bits).saturating_sub(1);
        if code == 257 || out.len() >= most {
            break;
        }
        if code == 256 {
            table.clear();
            (last, width) = (None, 9);
            continue;
        }
        let start = out.len();
        if let Ok(byte) = u8::try_from(code) {
            out.push(byte);
        } else {
            let index = index(code.saturating_sub(258));
            let part = table.get(index).copied();
            // A code that is just being made is the last part and its first byte.
            let made = last.map(|(from, length)| (from, length.saturating_add(1)));
            let Some((from, length)) = part.or(made.filter(|_| index == table.len())) else {
                break;
            };
            for step in 0..length {
                let Some(byte) = out.get(from.saturating_add(step)).copied() else { break };
                out.push(byte);
            }
        }
        if let Some((from, length)) = last
            && table.len() < 4096 - 258
        {
            // What came before and the first byte of this lie one behind the other.
            table.push((from, length.saturating_add(1)));
        }
        last = Some((start, out.len().saturating_sub(start)));
        let next = table.len().saturating_add(259).saturating_sub(usize::from(!early));
        width = match next {
            0..=511 => 9,
            512..=1023 => 10,
            1024..=2047 => 11,
            _ => 12,
        };
    }
    out
}

/// Lines with a byte in front that says what each byte is the difference to.
fn png(bytes: &[u8], line: usize, pixel: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut above = vec![0u8; line];
    for row in bytes.chunks(line.saturating_add(1)) {
        let Some((kind, row)) = row.split_first() else { break };
        let mut current: Vec<u8> = Vec::with_capacity(line);
        for (index, byte) in row.iter().enumerate() {
            let before = index.checked_sub(pixel);
            let left = before.and_then(|at| current.get(at)).copied().unwrap_or(0);
            let up = above.get(index).copied().unwrap_or(0);
            let corner = before.and_then(|at| above.get(at)).copied().unwrap_or(0);
            let guess = match kind {
                1 => left,
                2 => up,
                3 => u16::midpoint(u16::from(left), u16::from(up)).to_le_bytes()[0],
                4 => paeth(left, up, corner),
                _ => 0,
            };
            current.push(byte.wrapping_add(guess));
        }
        out.extend_from_slice(&current);
        above = current;
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let guess = a.saturating_add(b).saturating_sub(c);
    let far = |one: i16| guess.saturating_sub(one).saturating_abs();
    if far(a) <= far(b) && far(a) <= far(c) {
        left
    } else if far(b) <= far(c) {
        up
    } else {
        corner
    }
}

fn tiff(mut bytes: Vec<u8>, line: usize, pixel: usize) -> Vec<u8> {
    for row in bytes.chunks_mut(line.max(1)) {
        for index in pixel..row.len() {
            let left = index.checked_sub(pixel).and_then(|at| row.get(at)).copied().unwrap_or(0);
            if let Some(byte) = row.get_mut(index) {
                *byte = byte.wrapping_add(left);
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_undo_what_the_standard_shows() {
        // ISO 32000-1, 7.4.4.2, example 1.
        let packed = b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01";
        let plain = [45, 45, 45, 45, 45, 65, 45, 45, 45, 66];
        assert_eq!(lzw(packed, true, 100), plain);
        assert_eq!(ascii85(b"87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(hexadecimal(b"48 65 6C6c6f7>"), b"Hellop");
        assert_eq!(run_length(b"\x01ab\xfec\x80x", 100), b"abccc");
        assert_eq!(png(b"\x01\x01\x01\x01\x02\x01\x01\x01", 3, 1), [1, 2, 3, 2, 3, 4]);
        assert_eq!(lzw(&[0xff; 50], true, 100), b"");
    }
}
