//! Rows of CSV, into buffers that do not grow beyond a bound.

use crate::cells::{Cells, Column};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::io::Read;

/// Larger rows are no rows: a key has 1,024 bytes at most, metadata 8 KiB, a list of rights less
/// than that. A quote that never closes ends here.
const ROW_BYTES: usize = 1 << 20;
/// More cells than any inventory has columns.
const ROW_CELLS: usize = 1024;

/// Rows of one file.
pub(crate) struct CsvRows<R> {
    source: R,
    reader: Reader,
    input: Vec<u8>,
    used: usize,
    filled: usize,
    output: Vec<u8>,
    ends: Vec<usize>,
    columns: Vec<Option<Column>>,
    ended: bool,
}

/// Why rows end before the file does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowsError {
    #[error("it cannot be read to its end: {0}")]
    Read(#[from] std::io::Error),
    #[error("a row is larger than any row is")]
    Large,
    #[error("it is no Parquet that can be read: {0}")]
    Parquet(String),
    #[error("it has no column of {0}")]
    Column(&'static str),
}

/// What [`CsvRows::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CsvStep {
    /// The cells are filled.
    Row,
    /// A row that has not as many cells as there are columns, or is no text.
    Bad,
    /// The end.
    End,
}

impl<R: Read> CsvRows<R> {
    /// Begins to read; `header` says whether the first row names the columns, and none that the
    /// file is to be asked.
    ///
    /// # Errors
    /// When there are no columns that make objects, or the source cannot be read.
    pub(crate) fn new(
        source: R,
        delimiter: u8,
        header: Option<bool>,
        named: &[String],
    ) -> Result<Self, RowsError> {
        let mut rows = Self {
            source,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            input: vec![0; 1 << 16],
            used: 0,
            filled: 0,
            output: vec![0; ROW_BYTES],
            ends: vec![0; ROW_CELLS],
            columns: named.iter().map(|name| Column::of(name)).collect(),
            ended: false,
        };
        if header != Some(false)
            && let Some(cells) = rows.record()?
        {
            let first: Vec<Option<Column>> = (0..cells)
                .map(|index| {
                    rows.text(index)
                        .and_then(|text| std::str::from_utf8(text).ok())
                        .and_then(Column::of)
                })
                .collect();
            // A header is known by the names it has; a file without one cannot be read without
            // the manifest's.
            let is_header = first.contains(&Some(Column::Key));
            if header == Some(true) || is_header {
                rows.columns = first;
            } else {
                return Err(RowsError::Column("names in its first row"));
            }
        }
        required(&rows.columns)?;
        Ok(rows)
    }

    /// The columns, in order.
    pub(crate) fn columns(&self) -> &[Option<Column>] {
        &self.columns
    }

    /// Fills the cells with the next row.
    ///
    /// # Errors
    /// When the source cannot be read, or a row is larger than any is.
    pub(crate) fn next(&mut self, cells: &mut Cells) -> Result<CsvStep, RowsError> {
        cells.clear();
        let Some(count) = self.record()? else { return Ok(CsvStep::End) };
        if count != self.columns.len() {
            return Ok(CsvStep::Bad);
        }
        for (index, column) in self.columns.iter().enumerate() {
            let Some(cell) = column.and_then(|column| cells.cell(column)) else { continue };
            let text = self.text(index).and_then(|text| std::str::from_utf8(text).ok());
            let Some(text) = text else { return Ok(CsvStep::Bad) };
            cell.clear();
            cell.push_str(text);
        }
        Ok(CsvStep::Row)
    }

    /// The bytes of a cell of the record read last.
    fn text(&self, index: usize) -> Option<&[u8]> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.output.get(start..*self.ends.get(index)?)
    }

    /// Reads one record; says how many cells it has.
    fn record(&mut self) -> Result<Option<usize>, RowsError> {
        let (mut written, mut cells) = (0usize, 0usize);
        loop {
            if self.used >= self.filled && !self.ended {
                self.used = 0;
                self.filled = self.source.read(&mut self.input)?;
                self.ended = self.filled == 0;
            }
            let input = self.input.get(self.used..self.filled).unwrap_or(&[]);
            let output = self.output.get_mut(written..).unwrap_or(&mut []);
            let ends = self.ends.get_mut(cells..).unwrap_or(&mut []);
            let (result, read, wrote, ended) = self.reader.read_record(input, output, ends);
            self.used = self.used.saturating_add(read);
            // Ends count from the first byte of the record, also when it takes several reads.
            written = written.saturating_add(wrote);
            cells = cells.saturating_add(ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(RowsError::Large);
                }
                ReadRecordResult::Record => return Ok(Some(cells)),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

/// Without names there are no objects, and without sizes none that can be read.
pub(crate) fn required(columns: &[Option<Column>]) -> Result<(), RowsError> {
    if !columns.contains(&Some(Column::Key)) {
        return Err(RowsError::Column("names"));
    }
    if !columns.contains(&Some(Column::Size)) {
        return Err(RowsError::Column(
            "sizes, without which nothing can be read: have the store write Size (on Azure \
             Content-Length) into the inventory",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], header: Option<bool>, named: &[&str]) -> Vec<(CsvStep, String)> {
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let mut rows = CsvRows::new(text, b',', header, &named).unwrap();
        let mut cells = Cells::default();
        let mut found = Vec::new();
        loop {
            let step = rows.next(&mut cells).unwrap();
            let end = step == CsvStep::End;
            found.push((step, cells.get(Column::Key).unwrap_or("").to_owned()));
            if end {
                return found;
            }
        }
    }

    #[test]
    fn quotes_hold_delimiters_quotes_and_ends_of_lines() {
        let text = b"Name,Lease,Content-Length\r\n\"c/a,\"\"b\"\"\nc\",x,1\r\nc/d,,2\n";
        let rows = all(text, Some(true), &[]);
        assert_eq!(rows[0], (CsvStep::Row, "c/a,\"b\"\nc".into()));
        assert_eq!(rows[1], (CsvStep::Row, "c/d".into()));
        assert_eq!(rows[2].0, CsvStep::End);
    }

    #[test]
    fn a_file_without_header_has_the_columns_of_the_manifest() {
        let rows =
            all(b"\"b\",\"k\",\"3\"\n\"b\",\"k\"\n", Some(false), &["Bucket", "Key", "Size"]);
        assert_eq!((&rows[0].0, rows[0].1.as_str()), (&CsvStep::Row, "k"));
        assert_eq!(rows[1].0, CsvStep::Bad);
    }

    #[test]
    fn a_quote_that_never_closes_ends_at_the_bound() {
        let endless = std::io::repeat(b'a');
        let text = std::io::Read::chain(&b"Name,Size\n\"c/"[..], endless);
        let mut rows = CsvRows::new(text, b',', Some(true), &[]).unwrap();
        assert!(matches!(rows.next(&mut Cells::default()), Err(RowsError::Large)));
    }

    #[test]
    fn a_file_without_sizes_is_told() {
        let result = CsvRows::new(&b"Name,Etag\n"[..], b',', Some(true), &[]);
        assert!(matches!(result.err(), Some(RowsError::Column(what)) if what.contains("sizes")));
    }

    #[test]
    fn cut_and_changed_files_cost_no_more_than_rows() {
        let text = b"Name,Content-Length,Etag\n\"c/a,b\",1,\"0x1\"\nc/b,2,0x2\n";
        lidless_kit::cut_and_flip(text, |bytes| {
            let Ok(mut rows) = CsvRows::new(bytes, b',', None, &[]) else { return };
            let mut cells = Cells::default();
            let mut count = 0;
            while let Ok(CsvStep::Row | CsvStep::Bad) = rows.next(&mut cells) {
                count += 1;
                assert!(count <= bytes.len());
            }
        });
    }
}
