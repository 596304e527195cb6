//! A case's objects as Parquet: segments of a bounded size, sorted by store, container and key.
//!
//! Any tool that reads Parquet reads them. Keys that follow one another share most of their
//! bytes, which delta encoding leaves out; the rest is packed by Zstandard.

use lidless_core::{BlobType, Object};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows held in memory at once: about 16 MB of them.
const GROUP_ROWS: usize = 65_536;
/// Rows of one file: a few dozen MB.
const SEGMENT_ROWS: usize = 16 * GROUP_ROWS;

const SCHEMA: &str = "message lidless_objects {
    required binary store (UTF8); required binary container (UTF8); required binary key (UTF8);
    optional binary version (UTF8); required int64 size (INTEGER(64,false));
    optional binary etag (UTF8); optional int64 modified (TIMESTAMP(MICROS,true));
    optional binary tier (UTF8); optional binary blob_type (UTF8);
    optional binary encryption (UTF8); required binary state (UTF8);
    optional binary reason (UTF8); required int64 bytes_read (INTEGER(64,false)); }";

/// One object as a segment has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRow {
    /// `az://ACCOUNT`, `s3:/`, `gs:/`.
    pub store: String,
    /// The container.
    pub container: String,
    /// The object, as a listing or an inventory named it.
    pub object: Object,
    /// `pending`, `inspected` or `skipped`.
    pub state: &'static str,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// Bytes of its content that were read.
    pub bytes_read: u64,
}

/// Segments that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// Segments of before are in the way.
    #[error("{0} has segments in it already: name another folder")]
    Exists(String),
    /// The disk said no.
    #[error("cannot write {path}: {reason}")]
    Write {
        /// The file or folder.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Writes segments into a folder: `objects-00000.parquet` and on. A file has its name only once
/// it is whole.
pub struct SegmentWriter {
    folder: PathBuf,
    schema: TypePtr,
    properties: Arc<WriterProperties>,
    group_rows: usize,
    segment_rows: usize,
    rows: Vec<SegmentRow>,
    open: Option<Open>,
    segments: usize,
    total: u64,
}

struct Open {
    writer: SerializedFileWriter<File>,
    part: PathBuf,
    rows: usize,
}

impl SegmentWriter {
    /// Makes the folder, readable by its owner only, unless it is there.
    ///
    /// # Errors
    /// `Exists`, or `Write` when it cannot be made.
    pub fn create(folder: &Path) -> Result<Self, SegmentError> {
        Self::with_sizes(folder, GROUP_ROWS, SEGMENT_ROWS)
    }

    fn with_sizes(folder: &Path, group: usize, segment: usize) -> Result<Self, SegmentError> {
        let failed = |error: &dyn std::fmt::Display| SegmentError::Write {
            path: folder.display().to_string(),
            reason: error.to_string(),
        };
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder).map_err(|error| failed(&error))?;
        if folder.join(name_of(0)).exists() {
            return Err(SegmentError::Exists(folder.display().to_string()));
        }
        let schema = parse_message_type(SCHEMA).map_err(|error| failed(&error))?;
        let level = ZstdLevel::try_new(3).map_err(|error| failed(&error))?;
        let key = ColumnPath::from("key");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_column_dictionary_enabled(key.clone(), false)
            .set_column_encoding(key, Encoding::DELTA_BYTE_ARRAY)
            .set_created_by(concat!("lidless ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        Ok(Self {
            folder: folder.to_owned(),
            schema: Arc::new(schema),
            properties: Arc::new(properties),
            group_rows: group,
            segment_rows: segment,
            rows: Vec::new(),
            open: None,
            segments: 0,
            total: 0,
        })
    }

    /// Takes one row; rows come sorted.
    ///
    /// # Errors
    /// `Write`.
    pub fn push(&mut self, row: SegmentRow) -> Result<(), SegmentError> {
        self.rows.push(row);
        self.total = self.total.saturating_add(1);
        if self.rows.len() >= self.group_rows {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends the last segment; says how many segments and rows there are.
    ///
    /// # Errors
    /// `Write`.
    pub fn finish(mut self) -> Result<(usize, u64), SegmentError> {
        // A case without objects is a segment without rows: tools read it all the same.
        if !self.rows.is_empty() || self.segments == 0 && self.open.is_none() {
            self.flush()?;
        }
        self.close()?;
        Ok((self.segments, self.total))
    }

    fn flush(&mut self) -> Result<(), SegmentError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        let rows = std::mem::take(&mut self.rows);
        group(&mut open.writer, &rows).map_err(|error| failed(&open.part, &error))?;
        open.rows = open.rows.saturating_add(rows.len());
        let full = open.rows >= self.segment_rows;
        self.open = Some(open);
        if full { self.close() } else { Ok(()) }
    }

    fn begin(&self) -> Result<Open, SegmentError> {
        let part = self.folder.join(format!("{}.part", name_of(self.segments)));
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&part).map_err(|error| failed(&part, &error))?;
        let (schema, properties) = (Arc::clone(&self.schema), Arc::clone(&self.properties));
        let writer = SerializedFileWriter::new(file, schema, properties)
            .map_err(|error| failed(&part, &error))?;
        Ok(Open { writer, part, rows: 0 })
    }

    fn close(&mut self) -> Result<(), SegmentError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let path = self.folder.join(name_of(self.segments));
        open.writer
            .into_inner()
            .map_err(|error| error.to_string())
            .and_then(|file| file.sync_all().map_err(|error| error.to_string()))
            .and_then(|()| std::fs::rename(&open.part, &path).map_err(|error| error.to_string()))
            .map_err(|error| failed(&open.part, &error))?;
        self.segments = self.segments.saturating_add(1);
        Ok(())
    }
}

fn name_of(segment: usize) -> String {
    format!("objects-{segment:05}.parquet")
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> SegmentError {
    SegmentError::Write { path: path.display().to_string(), reason: error.to_string() }
}

/// One column of a group of rows: what is there, and the levels that say where.
enum Values {
    Texts(Vec<ByteArray>, Option<Vec<i16>>),
    Numbers(Vec<i64>, Option<Vec<i16>>),
}

fn group(writer: &mut SerializedFileWriter<File>, rows: &[SegmentRow]) -> Result<(), ParquetError> {
    let text = |get: fn(&SegmentRow) -> &str| {
        Values::Texts(rows.iter().map(|row| ByteArray::from(get(row))).collect(), None)
    };
    let may = |get: fn(&SegmentRow) -> Option<String>| {
        let values: Vec<Option<String>> = rows.iter().map(get).collect();
        let levels = values.iter().map(|value| i16::from(value.is_some())).collect();
        let present = values.into_iter().flatten().map(|value| ByteArray::from(value.into_bytes()));
        Values::Texts(present.collect(), Some(levels))
    };
    let number = |get: fn(&SegmentRow) -> u64| {
        // Sizes beyond i64 would be negative to tools that take the column as signed.
        let numbers = rows.iter().map(|row| i64::try_from(get(row)).unwrap_or(i64::MAX));
        Values::Numbers(numbers.collect(), None)
    };
    let times: Vec<Option<i64>> =
        rows.iter().map(|row| row.object.modified.map(|time| time.as_microsecond())).collect();
    let levels = times.iter().map(|time| i16::from(time.is_some())).collect();
    let columns = [
        text(|row| &row.store),
        text(|row| &row.container),
        text(|row| &row.object.key),
        may(|row| row.object.version.as_ref().map(lidless_core::ObjectVersion::query)),
        number(|row| row.object.size),
        may(|row| row.object.etag.clone()),
        Values::Numbers(times.into_iter().flatten().collect(), Some(levels)),
        may(|row| row.object.tier.clone()),
        may(|row| row.object.blob_type.map(word).map(str::to_owned)),
        may(|row| row.object.encryption.map(|one| one.as_str().to_owned())),
        text(|row| row.state),
        may(|row| row.reason.clone()),
        number(|row| row.bytes_read),
    ];
    let mut group = writer.next_row_group()?;
    for values in columns {
        let Some(mut column) = group.next_column()? else {
            return Err(ParquetError::General("fewer columns than the schema has".into()));
        };
        match (column.untyped(), values) {
            (ColumnWriter::ByteArrayColumnWriter(writer), Values::Texts(texts, levels)) => {
                writer.write_batch(&texts, levels.as_deref(), None)?;
            }
            (ColumnWriter::Int64ColumnWriter(writer), Values::Numbers(numbers, levels)) => {
                writer.write_batch(&numbers, levels.as_deref(), None)?;
            }
            _ => return Err(ParquetError::General("a column of another type".into())),
        }
        column.close()?;
    }
    group.close()?;
    Ok(())
}

fn word(kind: BlobType) -> &'static str {
    match kind {
        BlobType::Block => "block",
        BlobType::Page => "page",
        BlobType::Append => "append",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::ObjectVersion;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    fn row(number: usize) -> SegmentRow {
        let object = Object {
            key: format!("folder/{number:06}.txt"),
            size: 38_000_000_000_000,
            etag: number.is_multiple_of(2).then(|| "0x1".into()),
            modified: Some("2026-01-02T03:04:05.123456Z".parse().unwrap()),
            version: (number == 3).then(|| ObjectVersion::Snapshot("t".into())),
            blob_type: Some(BlobType::Page),
            ..Object::default()
        };
        SegmentRow {
            store: "az://contoso".into(),
            container: "c".into(),
            object,
            state: "skipped",
            reason: Some("in the archive tier".into()),
            bytes_read: 5,
        }
    }

    #[test]
    fn segments_are_bounded_and_hold_every_row_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SegmentWriter::with_sizes(folder.path(), 4, 8).unwrap();
        (0..21).for_each(|number| writer.push(row(number)).unwrap());
        assert_eq!(writer.finish().unwrap(), (3, 21));
        let mut keys = Vec::new();
        for (segment, rows) in [(0, 8), (1, 8), (2, 5)] {
            let file = File::open(folder.path().join(name_of(segment))).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            assert_eq!(reader.metadata().file_metadata().num_rows(), rows);
            let column = reader.metadata().row_group(0).column(2);
            assert!(matches!(column.compression(), Compression::ZSTD(_)));
            for found in reader.get_row_iter(None).unwrap() {
                let found = found.unwrap();
                assert_eq!(found.get_string(0).unwrap(), "az://contoso");
                assert_eq!(found.get_ulong(4).unwrap(), 38_000_000_000_000);
                assert_eq!(found.get_timestamp_micros(6).unwrap(), 1_767_323_045_123_456);
                assert_eq!(found.get_string(8).unwrap(), "page");
                assert_eq!(found.get_string(3).is_ok(), keys.len() == 3);
                assert_eq!(found.get_string(5).is_ok(), keys.len().is_multiple_of(2));
                keys.push(found.get_string(2).unwrap().clone());
            }
        }
        let expected: Vec<String> = (0..21).map(|number| row(number).object.key).collect();
        assert_eq!(keys, expected);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
        let again = SegmentWriter::create(folder.path());
        assert!(matches!(again.err(), Some(SegmentError::Exists(_))));
    }

    #[test]
    fn a_case_without_objects_is_one_segment_without_rows() {
        let folder = tempfile::tempdir().unwrap();
        let writer = SegmentWriter::create(folder.path()).unwrap();
        assert_eq!(writer.finish().unwrap(), (1, 0));
        let file = File::open(folder.path().join(name_of(0))).unwrap();
        assert_eq!(SerializedFileReader::new(file).unwrap().get_row_iter(None).unwrap().count(), 0);
    }
}
