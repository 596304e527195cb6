//! LUKS, the encryption of Linux: told with its cipher (LUKS1 on-disk format 1.2.3, LUKS2 1.1.3).
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 6 | `LUKS` BA BE |
//! | 6 | 2 | version, big-endian |
//! | 8 | 32 | 1: the cipher; 2: 8 bytes of length of the header |
//! | 40 | 32 | 1: its mode |
//! | 208 | 8 × 48 | 1: key slots; 00 AC 71 F3 when in use |
//! | 4096 | | 2: a JSON text with `keyslots`, `segments`, `tokens` |

use super::part::{Holder, Logical};
use crate::disk::Fields;
use crate::error::PeelError;
use lidless_io::{ReadAt, read_vec};
use serde_json::Value;
use std::sync::Arc;

const FORMAT: &str = "LUKS";
/// The largest header that `cryptsetup` makes.
const LARGEST: u64 = 4 << 20;

/// Volumes of LUKS.
pub(super) struct Luks;

impl Holder for Luks {
    fn name(&self) -> &'static str {
        FORMAT
    }

    fn recognises(&self, _: &dyn ReadAt, head: &[u8]) -> bool {
        head.starts_with(b"LUKS\xba\xbe\0")
    }

    fn open(&self, volume: &Arc<dyn ReadAt>, head: &[u8]) -> Result<Vec<Logical>, PeelError> {
        let fields = Fields::new(FORMAT, 0, head);
        let found = match fields.array::<2>(6)? {
            [0, 1] => first(&fields)?,
            [0, 2] => second(volume, &fields)?,
            _ => "encrypted with LUKS of an unknown version".to_owned(),
        };
        Err(PeelError::Closed(found))
    }
}

fn slots(count: usize) -> &'static str {
    match count {
        0 => "no key slot",
        1 => "one key slot",
        _ => "several key slots",
    }
}

/// A word of a header, as far as it is one.
fn word(bytes: &[u8]) -> String {
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || b"-_:.".contains(it);
    bytes.iter().take(40).take_while(|it| is_word(it)).map(|it| char::from(*it)).collect()
}

fn first(fields: &Fields<'_>) -> Result<String, PeelError> {
    let (cipher, mode) = (word(&fields.array::<32>(8)?), word(&fields.array::<32>(40)?));
    let mut used = 0usize;
    for number in 0..8usize {
        let at = number.saturating_mul(48).saturating_add(208);
        used = used.saturating_add(usize::from(fields.u32_be(at)? == 0x00ac_71f3));
    }
    Ok(format!("encrypted with LUKS1 ({cipher}-{mode}), {}", slots(used)))
}

fn second(volume: &Arc<dyn ReadAt>, fields: &Fields<'_>) -> Result<String, PeelError> {
    let length = fields.u64_be(8)?.min(LARGEST);
    let text = match usize::try_from(length).ok().and_then(|end| fields.bytes().get(4096..end)) {
        Some(text) => text.to_vec(),
        None => read_vec(&**volume, 4096, length.saturating_sub(4096))?,
    };
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    let json: Value = serde_json::from_slice(text.get(..end).unwrap_or(&[]))
        .map_err(|_| fields.wrong(4096, "a JSON text", "something else"))?;
    let values = |name: &str, field: &str| {
        let objects = json.get(name).and_then(Value::as_object);
        let values = objects.into_iter().flatten().map(|(_, value)| value);
        let mut words: Vec<String> = values
            .filter_map(|value| value.get(field)?.as_str())
            .map(|text| word(text.as_bytes()))
            .collect();
        words.sort();
        words.dedup();
        words.join(", ")
    };
    let count = json.get("keyslots").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    let tokens = values("tokens", "type");
    let tokens = if tokens.is_empty() { tokens } else { format!(", opened by {tokens}") };
    let cipher = values("segments", "encryption");
    Ok(format!("encrypted with LUKS2 ({cipher}), {}{tokens}", slots(count)))
}
