//! An inventory: found, checked against its manifest, and read.

use crate::cells::{Cells, Column};
use crate::checksum::md5;
use crate::csv::{CsvRows, CsvStep, RowsError};
use crate::error::InventoryError;
use crate::files::{Form, LocalFiles};
use crate::manifest::{DataFile, Manifest, Origin};
use crate::row::{Meaning, Row, understand};
use crate::source::{InventoryFile, InventoryFiles};
use flate2::read::MultiGzDecoder;
use lidless_core::Gap;
use lidless_io::{ReadAt as _, SequentialReader, read_vec};
use std::collections::BTreeSet;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

/// No manifest is larger: S3's has 150 bytes a file.
const MANIFEST_BYTES: u64 = 256 << 20;
/// Data files that cannot be opened and are told one by one.
const TOLD: usize = 20;

/// An inventory whose manifest was understood and of which at least one data file is there.
#[derive(Clone)]
pub struct Inventory {
    files: Arc<dyn InventoryFiles>,
    manifest: Arc<Manifest>,
    altered: bool,
}

impl std::fmt::Debug for Inventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.place(), self.manifest.origin.place())
    }
}

/// What reading an inventory gave beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Rows read, also those that are no objects.
    pub rows: u64,
    /// Sizes of objects added up.
    pub bytes: u64,
    /// What is missing, what is not as the manifest says, what was not understood.
    pub gaps: Vec<Gap>,
}

impl Inventory {
    /// Reads a manifest on this machine and looks for its files.
    ///
    /// # Errors
    /// When it is no manifest, is of something that is not read, or none of its files is here.
    pub fn open(path: &Path) -> Result<Self, InventoryError> {
        if path.is_dir() {
            let found = "it is a folder; name the manifest in it".to_owned();
            return Err(InventoryError::NotAManifest { path: path.display().to_string(), found });
        }
        Self::of(Arc::new(LocalFiles::new(path)))
    }

    /// Reads a manifest and looks for its files, wherever they lie.
    ///
    /// # Errors
    /// When it is no manifest, is of something that is not read, or none of its files is there.
    pub fn of(files: Arc<dyn InventoryFiles>) -> Result<Self, InventoryError> {
        let path = files.place();
        let unreadable = |reason: String| InventoryError::Unreadable { path: path.clone(), reason };
        let source = files.manifest().map_err(unreadable)?;
        if source.len() > MANIFEST_BYTES {
            let found = "it is larger than any manifest".to_owned();
            return Err(InventoryError::NotAManifest { path, found });
        }
        let bytes =
            read_vec(&*source, 0, source.len()).map_err(|error| unreadable(error.to_string()))?;
        let manifest = Manifest::parse(&bytes)
            .map_err(|found| InventoryError::NotAManifest { path: path.clone(), found })?;
        if let (Err(reason), Some(first)) = (files.any(&manifest.files), manifest.files.first()) {
            let (files, first) = (manifest.files.len(), first.key.clone());
            return Err(InventoryError::NoFiles { path, files, first, reason });
        }
        // Storage Insights writes none.
        let altered = !matches!(manifest.origin, Origin::Gcs { .. }) && is_altered(&*files, &bytes);
        Ok(Self { files, manifest: Arc::new(manifest), altered })
    }

    /// What its manifest says.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where its manifest is, as messages name it.
    #[must_use]
    pub fn place(&self) -> String {
        self.files.place()
    }

    /// Hands every object to `sink`, in the order of the files, and says what was not as the
    /// manifest says. Nothing that is wrong with one file keeps the others from being read.
    ///
    /// # Errors
    /// What `sink` answered; nothing is read after that.
    pub fn read<E>(&self, mut sink: impl FnMut(Row) -> Result<(), E>) -> Result<Told, E> {
        let mut reading = Reading { told: Told::default(), columns: BTreeSet::new() };
        let place = self.place();
        if self.altered {
            reading.gap(
                &place,
                "its manifest is not what its checksum file says: one is not from the \
                         same run, or was changed",
            );
        }
        if let Some(trouble) = &self.manifest.trouble {
            reading.gap(&place, trouble);
        }
        let (mut whole, mut missing) = (true, 0usize);
        for file in &self.manifest.files {
            match self.files.open(&file.key) {
                Ok(found) => whole &= self.read_file(file, &found, &mut reading, &mut sink)?,
                Err(why) => {
                    whole = false;
                    missing = missing.saturating_add(1);
                    if missing <= TOLD {
                        reading.gap(&file.key, &format!("a data file of the inventory {why}"));
                    }
                }
            }
        }
        if let Some(more) = missing.checked_sub(TOLD).filter(|more| *more > 0) {
            reading.gap(&place, &format!("{more} more of its data files could not be opened"));
        }
        self.check_totals(&place, whole, &mut reading);
        Ok(reading.told)
    }

    fn read_file<E>(
        &self,
        file: &DataFile,
        found: &InventoryFile,
        reading: &mut Reading,
        sink: &mut impl FnMut(Row) -> Result<(), E>,
    ) -> Result<bool, E> {
        let place = &found.place;
        let form = match Form::of(&*found.bytes) {
            Ok(form) => form,
            Err(error) => {
                reading
                    .gap(place, &format!("a data file of the inventory cannot be read: {error}"));
                return Ok(false);
            }
        };
        check_file(file, found, reading);
        let mut failed = None;
        let (mut bad, mut told) = (0u64, Told::default());
        let mut take = |cells: &Cells, encoded: bool| {
            told.rows = told.rows.saturating_add(1);
            match understand(&self.manifest.origin, cells, encoded) {
                Meaning::Object(row) => {
                    told.bytes = told.bytes.saturating_add(row.object.size);
                    failed = sink(*row).err();
                }
                Meaning::Other => {}
                Meaning::Bad => bad = bad.saturating_add(1),
            }
            failed.is_none()
        };
        let mut odd = 0u64;
        let stream = || SequentialReader::new(Arc::clone(&found.bytes));
        let columns = match form {
            Form::Parquet => crate::parquet::rows(&found.bytes, &mut |cells| take(cells, false)),
            Form::Csv => self.csv(stream(), &mut odd, &mut take),
            Form::CsvGzip => {
                let source = MultiGzDecoder::new(BufReader::new(stream()));
                self.csv(source, &mut odd, &mut take)
            }
            Form::Orc => Err(RowsError::Parquet("it is ORC, which is not read".into())),
        };
        let bad = bad.saturating_add(odd);
        reading.told.rows = reading.told.rows.saturating_add(told.rows).saturating_add(odd);
        reading.told.bytes = reading.told.bytes.saturating_add(told.bytes);
        if let Some(failed) = failed {
            return Err(failed);
        }
        if bad > 0 {
            let reason = format!(
                "{bad} rows of the inventory were not understood (no name, no size, or no text)"
            );
            reading.gap(place, &reason);
        }
        match columns {
            Ok(columns) => {
                reading
                    .columns
                    .insert(columns.iter().flatten().map(|column| *column as u8).collect());
                Ok(true)
            }
            Err(error) => {
                reading.gap(place, &format!("a data file of the inventory: {error}"));
                Ok(false)
            }
        }
    }

    fn csv(
        &self,
        source: impl Read,
        odd: &mut u64,
        take: &mut dyn FnMut(&Cells, bool) -> bool,
    ) -> Result<Vec<Option<Column>>, RowsError> {
        let manifest = &self.manifest;
        // S3 writes keys as in URLs; Azure and Google as they are.
        let encoded = matches!(manifest.origin, crate::Origin::S3 { .. });
        let mut rows =
            CsvRows::new(source, manifest.delimiter, manifest.header, &manifest.columns)?;
        let mut cells = Cells::default();
        loop {
            match rows.next(&mut cells)? {
                CsvStep::Row => {
                    if !take(&cells, encoded) {
                        break;
                    }
                }
                CsvStep::Bad => *odd = odd.saturating_add(1),
                CsvStep::End => break,
            }
        }
        Ok(rows.columns().to_vec())
    }

    /// Rows, bytes and columns against what the manifest says and what a listing would give.
    fn check_totals(&self, place: &str, whole: bool, reading: &mut Reading) {
        let (rows, bytes) = (reading.told.rows, reading.told.bytes);
        // Files that are not here are told already.
        if let Some(expected) = self.manifest.rows.filter(|expected| whole && *expected != rows) {
            reading.gap(
                place,
                &format!("the inventory has {rows} rows, and its manifest says {expected}"),
            );
        }
        if let Some(expected) = self.manifest.bytes.filter(|expected| whole && *expected != bytes) {
            reading.gap(place, &format!(
                "the objects of the inventory have {bytes} bytes, and its manifest says {expected}"
            ));
        }
        let told = [
            (Column::Modified, "times of change"),
            (Column::Etag, "ETags, so that a later run cannot tell what has changed"),
            (Column::Tier, "tiers, so that archived objects are told only when they are asked for"),
        ];
        for (column, words) in told {
            if reading.columns.iter().any(|columns| !columns.contains(&(column as u8))) {
                reading.gap(place, &format!("the inventory has no column of {words}"));
            }
        }
    }
}

struct Reading {
    told: Told,
    /// The columns that files had, each set once.
    columns: BTreeSet<BTreeSet<u8>>,
}

impl Reading {
    fn gap(&mut self, place: &str, reason: &str) {
        self.told.gaps.push(Gap::new(place, reason, None));
    }
}

/// Size and MD5 against what the manifest says.
fn check_file(file: &DataFile, found: &InventoryFile, reading: &mut Reading) {
    let (place, length) = (&found.place, found.bytes.len());
    if let Some(expected) = file.size_bytes.filter(|expected| *expected != length) {
        reading.gap(
            place,
            &format!(
                "a data file of the inventory has {length} bytes, and its manifest says {expected}"
            ),
        );
    }
    let Some(expected) = &file.md5 else { return };
    // Whoever keeps the file has compared it already: nothing is read for it.
    if found.md5.as_ref() == Some(expected) {
        return;
    }
    match md5(SequentialReader::new(Arc::clone(&found.bytes))) {
        Ok(found) if found == *expected => {}
        Ok(_) => reading.gap(
            place,
            "a data file of the inventory is not what its manifest says (MD5): its rows were used \
             all the same",
        ),
        Err(error) => {
            reading.gap(place, &format!("a data file of the inventory cannot be read: {error}"));
        }
    }
}

/// Whether a checksum file beside the manifest says that it is another one.
fn is_altered(files: &dyn InventoryFiles, bytes: &[u8]) -> bool {
    let Some(beside) = files.checksum() else { return false };
    let Ok(text) = read_vec(&*beside, 0, 256) else { return false };
    let text = String::from_utf8_lossy(&text);
    let expected = text.trim().trim_matches('"');
    !expected.is_empty() && md5(bytes).is_ok_and(|found| !expected.eq_ignore_ascii_case(&found))
}
