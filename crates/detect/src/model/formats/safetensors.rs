//! safetensors: eight bytes of length, a header in JSON, the numbers. Source: the format's own
//! description, and the checks of its reference implementation.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::{Format, named};
use crate::model::found::{Found, shown};
use lidless_core::Entry;
use lidless_io::read_vec;
use serde_json::Value;

/// The largest header that the reference implementation reads.
const LARGEST_HEADER: u64 = 100_000_000;
/// The largest that is read here: a model of 20,000 tensors has 2 MB.
const READ_HEADER: u64 = 32 << 20;

/// A safetensors file.
pub(crate) struct SafeTensors;

impl Format for SafeTensors {
    fn name(&self) -> &'static str {
        "safetensors"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        let Some((length, rest)) = head.split_first_chunk::<8>() else { return false };
        let length = u64::from_le_bytes(*length);
        let json = rest.first() == Some(&b'{');
        let likely = (2..=LARGEST_HEADER).contains(&length)
            && memchr::memmem::find(rest.get(..2048).unwrap_or(rest), b"\"data_offsets\"")
                .is_some();
        json && (named(entry, &[".safetensors"]) || likely)
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let bytes = &*view.artifact.bytes;
        let all = bytes.len();
        let length = view.head.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let mut bad = |what: &str| found.danger(Danger::Malformed, what, Some(0));
        if length > LARGEST_HEADER || length.saturating_add(8) > all {
            bad(&format!("a header of {length} bytes in a file of {all}"));
            return;
        }
        if length > READ_HEADER {
            found.gap("a safetensors header too large to be read");
            return;
        }
        let Ok(header) = read_vec(bytes, 8, length) else {
            found.gap("a safetensors header that could not be read");
            return;
        };
        match serde_json::from_slice::<Header>(&header) {
            Ok(header) => check(&header, all.saturating_sub(length).saturating_sub(8), found),
            Err(error) => bad(&format!("a header that cannot be read: {error}")),
        }
    }
}

/// The header with its keys in order, and those that were written twice.
struct Header {
    tensors: Vec<(String, Value)>,
    twice: Option<String>,
}

impl<'de> serde::Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> serde::de::Visitor<'de> for Keys {
            type Value = Header;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Header, A::Error> {
                let mut header = Header { tensors: Vec::new(), twice: None };
                let mut seen = std::collections::HashSet::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if !seen.insert(key.clone()) {
                        header.twice = Some(key.clone());
                    }
                    header.tensors.push((key, value));
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// Bits of one number of a type; none for a type that does not exist.
fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ"
        | "F8_E5M2FNUZ" => 8,
        "I16" | "U16" | "F16" | "BF16" => 16,
        "I32" | "U32" | "F32" => 32,
        "C64" | "I64" | "U64" | "F64" => 64,
        _ => return None,
    })
}

fn check(header: &Header, data: u64, found: &mut Found) {
    let mut bad = |what: String| found.danger(Danger::Malformed, &what, Some(8));
    if let Some(twice) = &header.twice {
        bad(format!("two tensors of the name {}", shown(twice)));
    }
    let mut spans = Vec::with_capacity(header.tensors.len());
    for (name, value) in &header.tensors {
        if name == "__metadata__" {
            let plain = value.as_object().is_some_and(|all| all.values().all(Value::is_string));
            if !plain && !value.is_null() {
                bad("metadata that are not texts".into());
            }
            continue;
        }
        let name = shown(name);
        let Some((start, end)) = offsets(value) else {
            bad(format!("{name} has no place"));
            continue;
        };
        let numbers = value
            .get("shape")
            .and_then(Value::as_array)
            .and_then(|shape| shape.iter().try_fold(1u64, |all, n| all.checked_mul(n.as_u64()?)));
        let bits = value.get("dtype").and_then(Value::as_str).and_then(bits);
        match (numbers, bits) {
            (Some(numbers), Some(bits)) => {
                let wanted = numbers.checked_mul(bits).map(|all| all.div_ceil(8));
                if wanted != Some(end.saturating_sub(start)) || start > end {
                    bad(format!("{name} has a place that its shape does not fill"));
                }
            }
            (None, _) => bad(format!("{name} has no shape")),
            (_, None) => bad(format!("{name} has a type that does not exist")),
        }
        spans.push((start, end));
    }
    spans.sort_unstable();
    let mut at = 0;
    for (start, end) in spans {
        if start < at {
            bad("tensors that share bytes".into());
        } else if start > at {
            bad(format!("{} bytes that belong to no tensor", start.saturating_sub(at)));
        }
        at = at.max(end);
    }
    if at > data {
        bad(format!("tensors that end {} bytes behind the file", at.saturating_sub(data)));
    } else if at < data {
        bad(format!("{} bytes behind the last tensor", data.saturating_sub(at)));
    }
}

fn offsets(value: &Value) -> Option<(u64, u64)> {
    match value.get("data_offsets")?.as_array()?.as_slice() {
        [start, end] => Some((start.as_u64()?, end.as_u64()?)),
        _ => None,
    }
}
