//! TensorFlow Lite and ExecuTorch: flatbuffers. Of a TensorFlow Lite model the table of operators
//! is read. Source: tflite's schema.fbs; the FlatBuffers internals document.

use super::graph::judge_operation;
use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::Format;
use crate::model::found::{Found, shown};
use lidless_core::Entry;
use lidless_io::{BlockCache, ReadAt, read_exact_vec};
use std::sync::Arc;

/// More operators than any model has kinds of.
const OPERATORS: u32 = 10_000;
/// Custom operators that TensorFlow's own and MediaPipe's runtimes bring along.
const KNOWN: [&str; 10] = [
    "TFLite_Detection_PostProcess",
    "TfLiteAwaitOp",
    "Convolution2DTransposeBias",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "Landmarks2TransformMatrix",
    "TransformTensor",
    "TransformLandmarks",
    "AudioSpectrogram",
    "Mfcc",
];

/// A flatbuffer model.
pub(crate) struct Lite;

impl Format for Lite {
    fn name(&self) -> &'static str {
        "tflite"
    }

    fn recognises(&self, _entry: &Entry, head: &[u8]) -> bool {
        matches!(head.get(4..8), Some(b"TFL3" | b"ET12" | b"ET13"))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        if view.head.get(4..6) == Some(b"ET") {
            found.format = Some("executorch");
            return;
        }
        let bytes = BlockCache::new(Arc::clone(&view.artifact.bytes), 16 << 10, 4 << 20);
        if operators(&bytes, found).is_none() {
            found.danger(Danger::Malformed, "a table of operators that breaks off", None);
        }
    }
}

fn number(bytes: &dyn ReadAt, at: u64) -> Option<u32> {
    Some(u32::from_le_bytes(read_exact_vec(bytes, at, 4).ok()?.try_into().ok()?))
}

/// Where the offset that lies at `at` points to.
fn follow(bytes: &dyn ReadAt, at: u64) -> Option<u64> {
    at.checked_add(u64::from(number(bytes, at)?))
}

/// Where field `index` of a table lies; none when the table does not have it.
fn field(bytes: &dyn ReadAt, table: u64, index: u64) -> Option<Option<u64>> {
    let back = i64::from(number(bytes, table)?.cast_signed());
    let entries = u64::try_from(i64::try_from(table).ok()?.checked_sub(back)?).ok()?;
    let short = |at: u64| -> Option<u64> {
        let bytes: [u8; 2] = read_exact_vec(bytes, at, 2).ok()?.try_into().ok()?;
        Some(u64::from(u16::from_le_bytes(bytes)))
    };
    let slot = index.checked_mul(2)?.checked_add(4)?;
    if slot.checked_add(2)? > short(entries)? {
        return Some(None);
    }
    let offset = short(entries.checked_add(slot)?)?;
    Some((offset > 0).then(|| table.saturating_add(offset)))
}

fn operators(bytes: &dyn ReadAt, found: &mut Found) -> Option<()> {
    let model = follow(bytes, 0)?;
    let Some(codes) = field(bytes, model, 1)? else { return Some(()) };
    let vector = follow(bytes, codes)?;
    let count = number(bytes, vector)?;
    if count > OPERATORS {
        return None;
    }
    for index in 0..u64::from(count) {
        let code = follow(bytes, vector.checked_add(4)?.checked_add(index.checked_mul(4)?)?)?;
        let Some(custom) = field(bytes, code, 1)? else { continue };
        let text = follow(bytes, custom)?;
        let length = u64::from(number(bytes, text)?);
        if length > 512 {
            return None;
        }
        let name = read_exact_vec(bytes, text.checked_add(4)?, length).ok()?;
        let name = String::from_utf8_lossy(&name).into_owned();
        match name.strip_prefix("Flex") {
            Some(operation) => {
                if let Some(danger) = judge_operation(operation) {
                    found.danger(danger, &shown(&name), Some(text));
                }
            }
            None if KNOWN.contains(&name.as_str()) || name.is_empty() => {}
            None => found.danger(Danger::LiteCustom, &shown(&name), Some(text)),
        }
    }
    Some(())
}
