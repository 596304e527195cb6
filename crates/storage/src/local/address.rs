//! Keys and the names of files.
//!
//! A key is the path below the folder, with `/`. A file name may be any bytes but `/` and NUL; a
//! key is text. What is no UTF-8 is written as NUL and two hex digits a byte: no name holds a NUL,
//! so two names never share a key, and every key leads back to its name.

/// The part of a key that a file name is.
pub(crate) fn part_of(name: &[u8]) -> String {
    let mut part = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        part.push_str(chunk.valid());
        for byte in chunk.invalid() {
            part.push_str(&format!("\0{byte:02x}"));
        }
    }
    part
}

/// The file name that a part of a key is of; none for what no listing names: nothing at all, the
/// folder itself, the one above it, and what another key is the right one for.
pub(crate) fn name_of(part: &str) -> Option<Vec<u8>> {
    if matches!(part, "" | "." | "..") || part.contains('/') {
        return None;
    }
    let mut pieces = part.split('\0');
    let mut name = pieces.next().unwrap_or("").as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        name.push(u8::from_str_radix(digits, 16).ok()?);
        name.extend(rest.as_bytes());
    }
    (part_of(&name) == part).then_some(name)
}

/// The file names that a key leads through, the last one the file's; none where no listing names
/// such a key.
pub(crate) fn names_of(key: &str) -> Option<Vec<Vec<u8>>> {
    key.split('/').map(name_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_text_have_keys_of_their_own_and_lead_back() {
        let names: [&[u8]; 7] =
            [b"a", b"a\xff", b"\xff\xfe", b"\xe2\x82", b"00ff", "ü".as_bytes(), b"x\x80y\x80"];
        let mut keys: Vec<String> = names.iter().map(|name| part_of(name)).collect();
        for (name, key) in names.iter().zip(&keys) {
            assert_eq!(name_of(key).as_deref(), Some(*name), "{key:?}");
        }
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), names.len());
    }

    #[test]
    fn keys_that_lead_out_or_have_another_spelling_are_nobodys() {
        for key in ["", "..", "a/..", "a/../b", "./a", "a//b", "/a", "a/", "\0", "\x004", "\0zz"] {
            assert_eq!(names_of(key), None, "{key:?}");
        }
        // `A` has its own spelling, a NUL and a slash stand in no name, and digits are lower case.
        for key in ["\x0041", "\x0000", "\x002f", "\0FF", "\0+f"] {
            assert_eq!(names_of(key), None, "{key:?}");
        }
    }

    #[test]
    fn whatever_a_file_is_called_its_key_leads_back_and_no_other_key_does() {
        lidless_kit::cut_and_flip("pl\u{e4}in \u{65e5}\u{1f600}%00ff.txt".as_bytes(), |bytes| {
            let name: Vec<u8> = bytes.iter().copied().filter(|it| !b"\0/".contains(it)).collect();
            if !matches!(name.as_slice(), b"" | b"." | b"..") {
                assert_eq!(name_of(&part_of(&name)), Some(name));
            }
            // Any key at all: none, or the one of its name.
            let key = String::from_utf8_lossy(bytes);
            if let Some(names) = names_of(&key) {
                let parts: Vec<String> = names.iter().map(|name| part_of(name)).collect();
                assert_eq!(parts.join("/"), key);
            }
        });
    }
}
