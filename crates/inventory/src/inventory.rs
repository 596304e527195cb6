//! An inventory on this machine: found, checked against its manifest, and read.

use crate::cells::{Cells, Column};
use crate::checksum::md5;
use crate::csv::{CsvRows, CsvStep, RowsError};
use crate::error::InventoryError;
use crate::files::{Form, locate};
use crate::manifest::{DataFile, Manifest};
use crate::row::{Meaning, Row, understand};
use flate2::read::MultiGzDecoder;
use lidless_core::Gap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// No manifest is larger: S3's has 150 bytes a file.
const MANIFEST_BYTES: u64 = 256 << 20;

/// An inventory whose manifest was understood and of which at least one data file is here.
#[derive(Debug, Clone)]
pub struct Inventory {
    path: PathBuf,
    manifest: Manifest,
    located: Vec<Option<PathBuf>>,
    altered: bool,
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
    /// Reads a manifest and looks for its files.
    ///
    /// # Errors
    /// When it is no manifest, is of something that is not read, or none of its files is here.
    pub fn open(path: &Path) -> Result<Self, InventoryError> {
        let shown = path.display().to_string();
        let unreadable = |error: std::io::Error| InventoryError::Unreadable {
            path: shown.clone(),
            reason: error.to_string(),
        };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            let found = "it is a folder; name the manifest in it".to_owned();
            return Err(InventoryError::NotAManifest { path: shown, found });
        }
        let mut bytes = Vec::new();
        let limit = MANIFEST_BYTES.saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MANIFEST_BYTES {
            let found = "it is larger than any manifest".to_owned();
            return Err(InventoryError::NotAManifest { path: shown, found });
        }
        let manifest = Manifest::parse(&bytes)
            .map_err(|found| InventoryError::NotAManifest { path: shown.clone(), found })?;
        // A bare name has an empty parent, which is no path.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let located: Vec<Option<PathBuf>> =
            manifest.files.iter().map(|file| locate(folder, &file.key)).collect();
        if located.iter().all(Option::is_none)
            && let Some(first) = manifest.files.first()
        {
            return Err(InventoryError::NoFiles {
                path: shown,
                files: manifest.files.len(),
                first: first.key.clone(),
            });
        }
        let altered = is_altered(path, &bytes);
        Ok(Self { path: path.to_owned(), manifest, located, altered })
    }

    /// What its manifest says.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where its manifest is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands every object to `sink`, in the order of the files, and says what was not as the
    /// manifest says. Nothing that is wrong with one file keeps the others from being read.
    ///
    /// # Errors
    /// What `sink` answered; nothing is read after that.
    pub fn read<E>(&self, mut sink: impl FnMut(Row) -> Result<(), E>) -> Result<Told, E> {
        let mut reading = Reading { told: Told::default(), columns: BTreeSet::new() };
        let place = self.path.display().to_string();
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
        let mut whole = true;
        for (file, path) in self.manifest.files.iter().zip(&self.located) {
            let Some(path) = path else {
                reading.gap(
                    &file.key,
                    "a data file of the inventory is not here, so its objects are not known",
                );
                whole = false;
                continue;
            };
            whole &= self.read_file(file, path, &mut reading, &mut sink)?;
        }
        self.check_totals(&place, whole, &mut reading);
        Ok(reading.told)
    }

    fn read_file<E>(
        &self,
        file: &DataFile,
        path: &Path,
        reading: &mut Reading,
        sink: &mut impl FnMut(Row) -> Result<(), E>,
    ) -> Result<bool, E> {
        let place = path.display().to_string();
        let opened = Form::of(path).and_then(|form| Ok((form, File::open(path)?)));
        let (form, source) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                reading
                    .gap(&place, &format!("a data file of the inventory cannot be read: {error}"));
                return Ok(false);
            }
        };
        check_file(file, &source, &place, reading);
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
        let columns = match form {
            Form::Parquet => crate::parquet::rows(&source, &mut |cells| take(cells, false)),
            Form::Csv => self.csv(BufReader::new(&source), &mut odd, &mut take),
            Form::CsvGzip => {
                let source = MultiGzDecoder::new(BufReader::new(&source));
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
            reading.gap(&place, &reason);
        }
        match columns {
            Ok(columns) => {
                reading
                    .columns
                    .insert(columns.iter().flatten().map(|column| *column as u8).collect());
                Ok(true)
            }
            Err(error) => {
                reading.gap(&place, &format!("a data file of the inventory: {error}"));
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
fn check_file(file: &DataFile, source: &File, place: &str, reading: &mut Reading) {
    let length = source.metadata().map(|metadata| metadata.len());
    if let (Some(expected), Ok(length)) = (file.size_bytes, length)
        && expected != length
    {
        reading.gap(
            place,
            &format!(
                "a data file of the inventory has {length} bytes, and its manifest says {expected}"
            ),
        );
    }
    let Some(expected) = &file.md5 else { return };
    let found = source.try_clone().and_then(md5);
    let rewound = std::io::Seek::rewind(&mut { source });
    match (found, rewound) {
        (Ok(found), Ok(())) if found == *expected => {}
        (Ok(_), Ok(())) => reading.gap(
            place,
            "a data file of the inventory is not what its manifest says (MD5): its rows were used \
             all the same",
        ),
        (Err(error), _) | (_, Err(error)) => {
            reading.gap(place, &format!("a data file of the inventory cannot be read: {error}"));
        }
    }
}

/// Whether a checksum file beside the manifest says that it is another one.
fn is_altered(path: &Path, bytes: &[u8]) -> bool {
    let beside = path.with_extension("checksum");
    let mut text = String::new();
    let read = File::open(beside).and_then(|file| file.take(256).read_to_string(&mut text));
    let expected = text.trim().trim_matches('"');
    if read.is_err() || expected.is_empty() {
        return false;
    }
    md5(bytes).is_ok_and(|found| !expected.eq_ignore_ascii_case(&found))
}
