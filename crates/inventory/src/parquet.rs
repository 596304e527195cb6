//! Rows of Parquet, through Arrow's library without Arrow.

use crate::cells::{Cells, Column, micros, millis};
use crate::csv::{RowsError, required};
use crate::pages;
use bytes::Bytes;
use lidless_io::{ReadAt, ReadError, read_exact_vec, read_vec};
use parquet::basic::Repetition;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader as _, Length, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// The footer says of each column of each group of rows where it is; a hundred thousand columns
/// fit in.
const FOOTER_BYTES: u32 = 32 << 20;

/// What is brought at once of a column.
const BRING_BYTES: u64 = 4 << 20;

/// Names differ, so a row takes a part of a byte at least; a run of equal or absent values, of which
/// a few bytes give billions, does not end before this.
const ROWS_PER_BYTE: u64 = 1000;

/// Hands every row to `sink`, until it says false. Gives the columns that were read.
///
/// # Errors
/// When the file is none, or is not as files of inventories are. Rows handed out before stay
/// handed out.
pub(crate) fn rows(
    bytes: &Arc<dyn ReadAt>,
    sink: &mut dyn FnMut(&Cells) -> bool,
) -> Result<Vec<Option<Column>>, RowsError> {
    let source = Source { bytes: Arc::clone(bytes), failed: Arc::default() };
    // The library is not ours: what makes it panic ends this file only.
    let read = catch_unwind(AssertUnwindSafe(|| read(&source, sink)))
        .unwrap_or_else(|_| Err(RowsError::Parquet("its parts contradict each other".into())));
    // What could not be read is no fault of the file.
    let failed = source.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (read, failed) {
        (Err(_), Some(failed)) => Err(RowsError::Read(failed.into())),
        (read, _) => read,
    }
}

/// The file as the library reads it.
struct Source {
    bytes: Arc<dyn ReadAt>,
    /// The first read that failed.
    failed: Arc<Mutex<Option<ReadError>>>,
}

impl Source {
    fn note(&self, error: ReadError) -> std::io::Error {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert_with(|| error.clone());
        error.into()
    }

    /// Brings a part that is read in small pieces next, where each piece would be a request: in
    /// large ones, which the cache of the source keeps.
    fn bring(&self, start: u64, length: u64) -> std::io::Result<()> {
        if self.bytes.lanes() < 2 {
            return Ok(());
        }
        let end = start.saturating_add(length).min(self.bytes.len());
        let mut buffer = vec![0u8; usize::try_from(length.min(BRING_BYTES)).unwrap_or(0)];
        let mut at = start;
        while at < end {
            let got = self.bytes.read_at(at, &mut buffer).map_err(|error| self.note(error))?;
            if got == 0 {
                break;
            }
            at = at.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
        }
        Ok(())
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.bytes.len()
    }
}

impl ChunkReader for Source {
    type T = BufReader<Part>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let source = Self { bytes: Arc::clone(&self.bytes), failed: Arc::clone(&self.failed) };
        Ok(BufReader::new(Part { source, at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let read = if start.saturating_add(length) > self.bytes.len() {
            Err(ParquetError::EOF("a part that ends behind the file".into()))
        } else {
            read_exact_vec(&self.bytes, start, length).map_err(|error| self.note(error).into())
        };
        Ok(Bytes::from(read?))
    }
}

/// The file from a place on.
struct Part {
    source: Source,
    at: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let got = self.source.bytes.read_at(self.at, buffer);
        let got = got.map_err(|error| self.source.note(error))?;
        self.at = self.at.saturating_add(u64::try_from(got).unwrap_or(u64::MAX));
        Ok(got)
    }
}

fn read(
    source: &Source,
    sink: &mut dyn FnMut(&Cells) -> bool,
) -> Result<Vec<Option<Column>>, RowsError> {
    let malformed = |error: ParquetError| RowsError::Parquet(error.to_string());
    footer(source)?;
    let file = Source { bytes: Arc::clone(&source.bytes), failed: Arc::clone(&source.failed) };
    let reader = SerializedFileReader::new(file).map_err(malformed)?;
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
    let mut left = source.bytes.len().saturating_mul(ROWS_PER_BYTE);
    // Columns do not overlap, so that together they are no larger than the file.
    let mut unread = source.bytes.len();
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
            unread = unread
                .checked_sub(length)
                .ok_or_else(|| RowsError::Parquet("its columns are larger than the file".into()))?;
            source.bring(start, length)?;
            if !pages::are_bounded(&*source.bytes, start, length) {
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
fn footer(source: &Source) -> Result<(), RowsError> {
    let cut = || RowsError::Parquet("it is cut off: its end is missing".into());
    let start = source.bytes.len().checked_sub(8).ok_or_else(cut)?;
    let tail = read_vec(&*source.bytes, start, 8).map_err(|error| source.note(error))?;
    let tail: [u8; 8] = tail.try_into().map_err(|_| cut())?;
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
