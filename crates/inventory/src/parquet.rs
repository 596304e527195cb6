//! Rows of Parquet, through Arrow's library without Arrow.

use crate::cells::{Cells, Column, micros, millis};
use crate::csv::{RowsError, required};
use crate::pages;
use parquet::basic::Repetition;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The footer says of each column of each group of rows where it is; a hundred thousand columns
/// fit in.
const FOOTER_BYTES: u32 = 32 << 20;

/// Names differ, so a row takes a part of a byte at least; a run of equal or absent values, of which
/// a few bytes give billions, does not end before this.
const ROWS_PER_BYTE: u64 = 1000;

/// Hands every row to `sink`, until it says false. Gives the columns that were read.
///
/// # Errors
/// When the file is none, or is not as files of inventories are. Rows handed out before stay
/// handed out.
pub(crate) fn rows(
    file: &File,
    sink: &mut dyn FnMut(&Cells) -> bool,
) -> Result<Vec<Option<Column>>, RowsError> {
    // The library is not ours: what makes it panic ends this file only.
    catch_unwind(AssertUnwindSafe(|| read(file, sink)))
        .unwrap_or_else(|_| Err(RowsError::Parquet("its parts contradict each other".into())))
}

fn read(
    file: &File,
    sink: &mut dyn FnMut(&Cells) -> bool,
) -> Result<Vec<Option<Column>>, RowsError> {
    let malformed = |error: parquet::errors::ParquetError| RowsError::Parquet(error.to_string());
    footer(file)?;
    let reader = SerializedFileReader::new(file.try_clone()?).map_err(malformed)?;
    let schema = reader.metadata().file_metadata().schema();
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for field in schema.get_fields() {
        let Some(column) = Column::of(field.name()) else { continue };
        let flat =
            field.is_primitive() && field.get_basic_info().repetition() != Repetition::REPEATED;
        if flat && !columns.contains(&Some(column)) {
            columns.push(Some(column));
            fields.push(Arc::clone(field));
        }
    }
    required(&columns)?;
    let projection =
        Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(malformed)?;
    let mut cells = Cells::default();
    let mut left = file.metadata()?.len().saturating_mul(ROWS_PER_BYTE);
    for index in 0..reader.num_row_groups() {
        for chunk in reader.metadata().row_group(index).columns() {
            let read = chunk.column_path().parts();
            let [name] = read else { continue };
            if Column::of(name).is_none() {
                continue;
            }
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let start = start.min(chunk.data_page_offset());
            let (Ok(start), Ok(length)) =
                (u64::try_from(start), u64::try_from(chunk.compressed_size()))
            else {
                return Err(RowsError::Parquet("a column that begins before its file".into()));
            };
            if !pages::are_bounded(file, start, length) {
                return Err(RowsError::Parquet(
                    "a page that is larger than pages are, or none at all".into(),
                ));
            }
        }
        let group = reader.get_row_group(index).map_err(malformed)?;
        for row in group.get_row_iter(Some(projection.clone())).map_err(malformed)? {
            let row = row.map_err(malformed)?;
            left = left.checked_sub(1).ok_or_else(|| {
                RowsError::Parquet("it claims more rows than names of objects fit into it".into())
            })?;
            cells.clear();
            for ((_, field), column) in row.get_column_iter().zip(columns.iter().flatten()) {
                if let (Some(cell), Some(text)) = (cells.cell(*column), text(field, *column)) {
                    cell.push_str(&text);
                }
            }
            if !sink(&cells) {
                return Ok(columns);
            }
        }
    }
    Ok(columns)
}

/// Refuses footers that no inventory has before the library takes them into memory.
fn footer(file: &File) -> Result<(), RowsError> {
    let length = file.metadata()?.len();
    let mut tail = [0u8; 8];
    let cut = || RowsError::Parquet("it is cut off: its end is missing".into());
    file.read_exact_at(&mut tail, length.checked_sub(8).ok_or_else(cut)?)?;
    let [a, b, c, d, magic @ ..] = tail;
    if &magic != b"PAR1" {
        return Err(cut());
    }
    if u32::from_le_bytes([a, b, c, d]) > FOOTER_BYTES {
        return Err(RowsError::Parquet("its footer is larger than any is".into()));
    }
    Ok(())
}

/// A value as CSV would have it.
fn text(field: &Field, column: Column) -> Option<String> {
    let is_time = matches!(column, Column::Modified | Column::Created | Column::DeletedTime);
    Some(match field {
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).ok()?.to_owned(),
        Field::Bool(value) => value.to_string(),
        Field::Int(value) => value.to_string(),
        Field::Long(value) if is_time => bare_time(*value)?.to_string(),
        Field::Long(value) => value.to_string(),
        Field::UInt(value) => value.to_string(),
        Field::ULong(value) => value.to_string(),
        Field::TimestampMillis(value) => millis(*value)?.to_string(),
        Field::TimestampMicros(value) => micros(*value)?.to_string(),
        _ => return None,
    })
}

/// A time without its unit, which the library does not give for nanoseconds: from 1973 to 5138 the
/// units cannot be mistaken for one another.
fn bare_time(value: i64) -> Option<lidless_core::Timestamp> {
    match value.unsigned_abs() {
        0..100_000_000_000 => lidless_core::Timestamp::from_second(value).ok(),
        100_000_000_000..100_000_000_000_000 => millis(value),
        100_000_000_000_000..100_000_000_000_000_000 => micros(value),
        _ => lidless_core::Timestamp::from_nanosecond(i128::from(value)).ok(),
    }
}
