//! Short and long names of FAT.

use lidless_io::utf16::text_to_zero;

/// The upper half of code page 437.
const OEM: [&str; 4] = [
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ",
    "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐",
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀",
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
];

fn of_oem(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(above) => {
            let row = OEM.get(usize::from(above >> 5)).copied().unwrap_or("");
            row.chars().nth(usize::from(above & 31)).unwrap_or('\u{fffd}')
        }
    }
}

/// The name of eleven bytes, with the bits that say which half is in lower case.
pub(super) fn short(raw: &[u8; 11], case: u8) -> String {
    let part = |bytes: &[u8], lower: bool| {
        let text: String = bytes.iter().map(|byte| of_oem(*byte)).collect();
        let text = text.trim_end_matches(' ').to_owned();
        if lower { text.to_lowercase() } else { text }
    };
    let (base, ending) = raw.split_at_checked(8).unwrap_or((raw, &[]));
    let mut name = part(base, case & 0x08 != 0);
    let ending = part(ending, case & 0x10 != 0);
    if !ending.is_empty() {
        name.push('.');
        name.push_str(&ending);
    }
    name
}

/// The label of a volume: eleven bytes without a dot.
pub(super) fn label(raw: &[u8; 11]) -> String {
    let text: String = raw.iter().map(|byte| of_oem(*byte)).collect();
    text.trim_end_matches(' ').to_owned()
}

/// Whether eleven bytes can be a short name.
pub(super) fn is_short(raw: &[u8; 11]) -> bool {
    raw.iter().all(|byte| *byte >= 0x20 && !b"\"*+,./:;<=>?[\\]|".contains(byte))
        && raw.first() != Some(&b' ')
}

/// The sum that entries of a long name carry of their short one.
pub(super) fn checksum(raw: &[u8; 11]) -> u8 {
    raw.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// The first byte that a short name must have had for its sum to be `sum`.
pub(super) fn lost_first(raw: &[u8; 11], sum: u8) -> u8 {
    let mut left = sum;
    for byte in raw.iter().skip(1).rev() {
        left = left.wrapping_sub(*byte).rotate_left(1);
    }
    left
}

/// A long name, from units of UTF-16 that a zero ends.
pub(super) fn long(units: &[u16]) -> String {
    text_to_zero(units.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_eleven_bytes_become_names() {
        assert!(OEM.iter().all(|row| row.chars().count() == 32));
        assert_eq!(short(b"README  TXT", 0), "README.TXT");
        assert_eq!(short(b"README  TXT", 0x18), "readme.txt");
        assert_eq!(short(b"NOTE       ", 0x08), "note");
        assert_eq!(short(b"\x9aBER    TXT", 0), "ÜBER.TXT");
        assert!(is_short(b"README  TXT") && !is_short(b" EADME  TXT"));
    }

    #[test]
    fn the_lost_first_byte_of_a_name_is_found_by_its_sum() {
        for name in [b"README  TXT", b"\x9aBER    TXT", b"A          "] {
            assert_eq!(lost_first(name, checksum(name)), name[0]);
        }
    }
}
