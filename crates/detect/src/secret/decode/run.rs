//! Runs of characters that may be base64 or hex, found by looking at one byte in twenty.

use std::ops::Range;

/// The shortest run: fifteen bytes, fewer than any token has.
pub(super) const SHORTEST: usize = 20;
/// The shortest line of what is wrapped.
const LINE: usize = 40;
/// The longest wrapped text.
const LONGEST: usize = 4 << 20;

#[expect(
    clippy::indexing_slicing,
    reason = "in a constant, where it fails to compile or not at all"
)]
const CLASS: [bool; 256] = {
    let mut class = [false; 256];
    let mut byte = 0u8;
    loop {
        class[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        if byte == 255 {
            break;
        }
        byte = byte.wrapping_add(1);
    }
    class
};

fn is_of(byte: u8) -> bool {
    CLASS.get(usize::from(byte)).copied().unwrap_or(false)
}

/// The next run from a place on, which must not lie inside one.
pub(super) fn next_run(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut start = from;
    loop {
        // Every run holds this place or ends before it: backwards, most words end at once.
        let window = bytes.get(start..start.checked_add(SHORTEST)?)?;
        match window.iter().rposition(|byte| !is_of(*byte)) {
            Some(gap) => start = start.checked_add(gap)?.checked_add(1)?,
            None => return Some(start..end_of(bytes, start)),
        }
    }
}

fn end_of(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or(&[]);
    let length = rest.iter().position(|byte| !is_of(*byte)).unwrap_or(rest.len());
    start.saturating_add(length)
}

/// The characters of a run and of those on the lines after it when it is wrapped, and where all
/// of it ends.
pub(super) fn unwrapped(bytes: &[u8], first: &Range<usize>) -> (Vec<u8>, usize) {
    let mut whole = bytes.get(first.clone()).unwrap_or(&[]).to_vec();
    let mut end = first.end;
    if first.len() < LINE {
        return (whole, end);
    }
    while whole.len() < LONGEST {
        let Some(start) = next_line(bytes, end) else { break };
        let after = end_of(bytes, start);
        let Some(line) = bytes.get(start..after).filter(|line| !line.is_empty()) else { break };
        let is_last = line.len() < LINE;
        let total = whole.len().saturating_add(line.len());
        let padded = bytes.get(after) == Some(&b'=');
        // A word of prose after it is none of it: what ends base64 is full or padded.
        if is_last && !(total.is_multiple_of(4) || padded) {
            break;
        }
        whole.extend(line);
        end = after;
        if is_last || padded {
            break;
        }
    }
    (whole, end)
}

/// Where the next line of wrapped text begins: after a break and what stands around it, spelled
/// out or not, in source code or not.
fn next_line(bytes: &[u8], from: usize) -> Option<usize> {
    let mut place = from;
    let mut broken = false;
    let mut before = 0u8;
    // Indents of up to sixty columns.
    for _ in 0..64 {
        let byte = *bytes.get(place)?;
        let step = match byte {
            b'\n' => {
                broken = true;
                1
            }
            b'\\' => match bytes.get(place.checked_add(1)?)? {
                b'n' | b'r' => {
                    broken = true;
                    2
                }
                _ => 1,
            },
            b' ' | b'\t' | b'\r' | b'"' | b'\'' | b',' | b'#' | b'*' | b'.' => 1,
            b'+' if matches!(before, b' ' | b'"' | b'\'') => 1,
            _ => return broken.then_some(place),
        };
        before = byte;
        place = place.checked_add(step)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(run) = next_run(text.as_bytes(), from) {
            from = run.end;
            found.push(&text[run]);
        }
        found
    }

    #[test]
    fn runs_are_found_whole_wherever_they_begin() {
        let run = "abcdefghijklmnopqrstuvwxyz";
        for before in 0..50 {
            let text = format!("{} {run}\" short {run}", "x ".repeat(before));
            assert_eq!(all(&text), [run, run], "{before}");
        }
        assert_eq!(all(&"a".repeat(SHORTEST)), ["a".repeat(SHORTEST)]);
        assert!(all(&"a".repeat(SHORTEST - 1)).is_empty());
        assert!(all("").is_empty());
    }

    #[test]
    fn wrapped_lines_are_one_text() {
        let line = "QUJD".repeat(16);
        for between in ["\n", "\r\n", "\n    ", "\\n", "\" +\n  \"", "\",\n\"", " \\\n", "\n# "] {
            let text = format!("{line}{between}{line}{between}QUI=\nword");
            let (whole, end) = unwrapped(text.as_bytes(), &(0..line.len()));
            assert_eq!(whole, format!("{line}{line}QUI").into_bytes(), "{between:?}");
            assert_eq!(&text[end..], "=\nword");
        }
        let text = format!("{line}\nwords after it");
        assert_eq!(unwrapped(text.as_bytes(), &(0..line.len())).1, line.len());
    }
}
