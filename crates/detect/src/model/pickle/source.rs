//! Part of a source, for pickles inside pickles.

use super::value::{Coding, Payload, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use lidless_io::{MemoryBytes, ReadAt, ReadError, read_vec};

/// Of text that stands for bytes, at most this much is decoded.
const DECODED: u64 = 16 << 20;

/// The bytes of a payload as a source of their own.
pub(super) enum Inner<'a> {
    Part { source: &'a dyn ReadAt, start: u64, length: u64 },
    Memory(MemoryBytes),
}

impl<'a> Inner<'a> {
    /// What a payload of `source` holds; none when that cannot be read.
    pub(super) fn new(source: &'a dyn ReadAt, payload: &Payload) -> Option<Self> {
        match payload.coding {
            Coding::Bytes => {
                Some(Self::Part { source, start: payload.offset, length: payload.length })
            }
            Coding::Inline => Some(Self::Memory(MemoryBytes::new(payload.head.clone()))),
            Coding::Latin1 => {
                let text = read_vec(source, payload.offset, payload.length.min(DECODED)).ok()?;
                let text = String::from_utf8_lossy(&text);
                let bytes: Vec<u8> =
                    text.chars().map_while(|c| u8::try_from(u32::from(c)).ok()).collect();
                Some(Self::Memory(MemoryBytes::new(bytes)))
            }
            Coding::Text => None,
        }
    }
}

/// What a text or bytes that may be a pickle hold, with base64 and hexadecimal undone.
pub(super) fn decoded(source: &dyn ReadAt, value: &Value) -> Option<MemoryBytes> {
    let bytes = match value {
        Value::Text(text) => text.as_bytes().to_vec(),
        Value::Payload(payload) if payload.coding == Coding::Inline || payload.offset == 0 => {
            payload.head.clone()
        }
        Value::Payload(payload) => {
            read_vec(source, payload.offset, payload.length.min(DECODED)).ok()?
        }
        _ => return None,
    };
    let bytes = match bytes.first()? {
        0x80 => bytes,
        b'g' => {
            let clean: Vec<u8> = bytes
                .into_iter()
                .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
                .collect();
            let whole = clean.len().saturating_sub(clean.len() % 4);
            STANDARD_NO_PAD.decode(clean.get(..whole)?).ok()?
        }
        _ => hexadecimal(&bytes),
    };
    Some(MemoryBytes::new(bytes))
}

fn hexadecimal(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.chunks_exact(2)
        .map_while(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

impl ReadAt for Inner<'_> {
    fn len(&self) -> u64 {
        match self {
            Self::Part { length, .. } => *length,
            Self::Memory(bytes) => bytes.len(),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        match self {
            Self::Memory(bytes) => bytes.read_at(offset, buffer),
            Self::Part { source, start, length } => {
                let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
                let wanted = left.min(buffer.len());
                match buffer.get_mut(..wanted) {
                    Some(rest) if !rest.is_empty() => {
                        source.read_at(start.saturating_add(offset), rest)
                    }
                    _ => Ok(0),
                }
            }
        }
    }
}
