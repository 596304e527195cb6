//! Text of PowerPoint presentations of before 2007 (MS-PPT): records inside records, each 2 bytes
//! version and instance, 2 bytes type, 4 bytes length; those of version 15 hold others.

use super::compound::{DocumentText, all, encrypted};
use encoding_rs::UTF_16LE;
use lidless_io::number::{index, u16_le, u32_le};
use lidless_records::CompoundFile;

const CHARACTERS: u16 = 0x0fa0;
const BYTES: u16 = 0x0fa8;
const NAME: u16 = 0x0fba;
const ENCRYPTED: u16 = 0x2f14;

/// The text of a presentation.
pub(super) fn presentation_text(file: &CompoundFile, most: u64) -> DocumentText {
    let bytes = all(file, "PowerPoint Document", most)?;
    // The stream of the current user begins with another number when the rest is encrypted.
    let user = all(file, "Current User", 64)?;
    if u32_le(&user, 12) == Some(0xf3d1_c4df) {
        return Err(encrypted());
    }
    let mut out = String::new();
    let mut rest = bytes.as_slice();
    while let (Some(version), Some(kind), Some(length)) =
        (u16_le(rest, 0), u16_le(rest, 2), u32_le(rest, 4))
    {
        let body = rest.get(8..).unwrap_or(&[]);
        if kind == ENCRYPTED {
            return Err(encrypted());
        }
        if version & 0xf == 0xf {
            // What it holds follows right away.
            rest = body;
            continue;
        }
        let length = index(length);
        let (content, after) = body.split_at_checked(length).unwrap_or((body, &[]));
        let text = match kind {
            CHARACTERS | NAME => UTF_16LE.decode_without_bom_handling(content).0.into_owned(),
            BYTES => content.iter().map(|byte| char::from(*byte)).collect(),
            _ => String::new(),
        };
        if !text.is_empty() {
            out.extend(text.chars().map(|one| match one {
                '\r' | '\u{b}' => '\n',
                other => other,
            }));
            out.push('\n');
        }
        rest = after;
    }
    Ok((out, true))
}
