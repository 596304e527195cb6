//! Logs (`.log`): batches of writes that are in no table yet.

use super::log::records;
use super::varint::prefixed;
use super::{Extent, Record};
use crate::error::RecordError;
use lidless_io::ReadAt;
use lidless_io::number;
use std::ops::ControlFlow;

/// Hands out every record of a log.
///
/// # Errors
/// `Read`. What does not parse is counted and left out.
pub fn read_log(
    source: &dyn ReadAt,
    visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>,
) -> Result<Extent, RecordError> {
    let mut extent = Extent::default();
    let mut broken = 0u64;
    let lost = records(source, &mut |batch| {
        let mut flow = ControlFlow::Continue(());
        let whole = each(batch, &mut |record| {
            extent.records = extent.records.saturating_add(1);
            flow = visit(record);
            flow
        });
        broken = broken.saturating_add(u64::from(whole.is_none()));
        flow
    })?;
    extent.broken = broken.saturating_add(lost);
    Ok(extent)
}

/// A batch: sequence number (8), count (4); then kind (1), key and, for values, value.
fn each(batch: &[u8], visit: &mut dyn FnMut(Record<'_>) -> ControlFlow<()>) -> Option<()> {
    let mut sequence = number::u64_le(batch, 0)?;
    let mut rest = batch.get(12..)?;
    while let Some((kind, after)) = rest.split_first() {
        let (key, after) = prefixed(after)?;
        let (value, after) = match kind {
            0 => (&[][..], after),
            1 => prefixed(after)?,
            _ => return None,
        };
        if visit(Record { key, value, sequence, is_deleted: *kind == 0 }).is_break() {
            return Some(());
        }
        sequence = sequence.saturating_add(1);
        rest = after;
    }
    Some(())
}
