//! Transfer encodings (RFC 2045, section 6; uuencode as POSIX has it), decoded leniently: what
//! is no character of the encoding is passed over, as mail programs do.

/// Decodes base64, in its usual and its URL alphabet.
pub(crate) fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity((text.len() / 4).saturating_mul(3));
    let (mut held, mut bits) = (0u32, 0u32);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            // Padding ends one block of several that were joined.
            b'=' => {
                (held, bits) = (0, 0);
                continue;
            }
            _ => continue,
        };
        held = (held << 6 | u32::from(value)) & 0xff_ffff;
        bits = bits.wrapping_add(6);
        if bits >= 8 {
            bits = bits.wrapping_sub(8);
            out.push(held.wrapping_shr(bits).to_le_bytes()[0]);
        }
    }
    out
}

/// Decodes quoted-printable; of header words as well, where `_` is a space.
pub(crate) fn quoted_printable(text: &[u8], in_header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'=' => {
                let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
                match (hex(after.first()), hex(after.get(1))) {
                    (Some(high), Some(low)) => {
                        out.push((high << 4 | low).to_le_bytes()[0]);
                        rest = after.get(2..).unwrap_or(&[]);
                    }
                    _ => match soft_break(after) {
                        Some(next) => rest = next,
                        None => out.push(b'='),
                    },
                }
            }
            b'_' if in_header => out.push(b' '),
            other => out.push(*other),
        }
    }
    out
}

/// What follows a soft line break, when this is one: spaces, then the end of the line.
fn soft_break(after: &[u8]) -> Option<&[u8]> {
    let spaces = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
    let rest = after.get(spaces..)?;
    match rest.split_first() {
        Some((b'\n', rest)) => Some(rest),
        None => Some(rest),
        _ => None,
    }
}

/// More files than anybody put into one text.
const MOST_FILES: usize = 1000;

/// A file that was put into text by uuencode.
pub(crate) struct Encoded {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Takes the files out of a text that uuencode put in; the lines around them stay.
pub(crate) fn uudecode(text: &[u8]) -> (Vec<u8>, Vec<Encoded>) {
    if memchr::memmem::find(text, b"begin ").is_none() {
        return (text.to_vec(), Vec::new());
    }
    let (mut kept, mut found) = (Vec::with_capacity(text.len()), Vec::new());
    let mut open: Option<Encoded> = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.trim_ascii_end();
        if let Some(file) = &mut open {
            if bare == b"end" {
                found.extend(open.take());
            } else if !uu_line(bare, &mut file.bytes) {
                // No line of it: the file broke off here.
                found.extend(open.take());
                kept.extend_from_slice(line);
            }
            continue;
        }
        match begins(bare).filter(|_| found.len() < MOST_FILES) {
            Some(name) => open = Some(Encoded { name, bytes: Vec::new() }),
            None => kept.extend_from_slice(line),
        }
    }
    found.extend(open);
    (kept, found)
}

/// The name on a line `begin 644 NAME`.
fn begins(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"begin ")?;
    let space = rest.iter().position(|byte| *byte == b' ')?;
    let (mode, name) = rest.split_at_checked(space)?;
    let octal =
        (3..=4).contains(&mode.len()) && mode.iter().all(|byte| matches!(byte, b'0'..=b'7'));
    let name = String::from_utf8_lossy(name).trim().to_owned();
    (octal && !name.is_empty()).then_some(name)
}

/// Decodes one line: a character that says how many bytes, then four characters for three.
fn uu_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let value = |byte: u8| byte.wrapping_sub(b' ') & 0x3f;
    let Some((first, rest)) = line.split_first() else { return true };
    if !matches!(first, b' '..=b'`') {
        return false;
    }
    let length = usize::from(value(*first));
    if rest.len() < length.saturating_mul(4).div_ceil(3) && length > 0 {
        // Spaces at the end may have been cut off by a mail program; more missing is no line.
        if rest.len().saturating_add(4) < length.saturating_mul(4).div_ceil(3) {
            return false;
        }
    }
    let end = out.len().saturating_add(length);
    for four in rest.chunks(4) {
        let byte = |at: usize| u32::from(four.get(at).map_or(0, |byte| value(*byte)));
        let joined = byte(0) << 18 | byte(1) << 12 | byte(2) << 6 | byte(3);
        let [low, middle, high, _] = joined.to_le_bytes();
        out.extend_from_slice(&[high, middle, low]);
    }
    out.truncate(end);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_undone_as_mail_programs_do() {
        assert_eq!(base64(b"aGVs\r\nbG8="), b"hello");
        assert_eq!(base64(b"aGVsbG8=aGVsbG8"), b"hellohello");
        assert_eq!(base64(b"-_-_"), [0xfb, 0xff, 0xbf]);
        assert_eq!(quoted_printable(b"caf=E9 a=\r\nb=  \nc=3", false), b"caf\xe9 abc=3");
        assert_eq!(quoted_printable(b"a_b=5F", true), b"a b_");
    }

    #[test]
    fn files_in_text_are_taken_out() {
        let text = b"before\nbegin 644 a.txt\n%:&5L;&\\\n`\nend\nafter\n";
        let (kept, files) = uudecode(text);
        assert_eq!(kept, b"before\nafter\n");
        assert_eq!((files[0].name.as_str(), &files[0].bytes[..]), ("a.txt", &b"hello"[..]));
        let (kept, files) = uudecode(b"begin with care\nbegin 644 x\nthis is no line of it\n");
        assert_eq!(kept, b"begin with care\nthis is no line of it\n");
        assert_eq!(files.len(), 1);
    }
}
