//! The table of formats: a new one is one new file and one line here.

use crate::archive::{Ar, Cab, Cpio, Rar, Rpm, SevenZip, Sfx, Split, Stream, Tar, Wim};
use crate::coding::Coding;
use crate::disk::{DiskImage, hidden, images};
use crate::document::{Compound, Package, Pdf, Rtf};
use crate::mail::{Eml, Emlx, Mbox, Pst, Tnef};
use crate::peeler::Peeler;
use crate::told::Told;
use crate::zip::Zip;
use lidless_core::Artifact;

/// Every peeler there is.
pub struct Peelers {
    row: Vec<Box<dyn Peeler>>,
}

impl Default for Peelers {
    fn default() -> Self {
        Self::new()
    }
}

impl Peelers {
    /// The table.
    #[must_use]
    pub fn new() -> Self {
        let mut row: Vec<Box<dyn Peeler>> = Vec::new();
        for image in hidden() {
            row.push(Box::new(DiskImage(image)));
        }
        let others: Vec<Box<dyn Peeler>> = vec![
            Box::new(Package),
            Box::new(Split),
            Box::new(Zip),
            Box::new(Stream(Coding::Gzip)),
            Box::new(Stream(Coding::Bzip2)),
            Box::new(Stream(Coding::Xz)),
            Box::new(Stream(Coding::Zstd)),
            Box::new(Stream(Coding::Lz4)),
            Box::new(Stream(Coding::Lzip)),
            Box::new(Stream(Coding::Compress)),
            Box::new(Stream(Coding::Lzop)),
            Box::new(Stream(Coding::Lzma)),
            Box::new(Stream(Coding::Zlib)),
            Box::new(Tar),
            Box::new(Ar),
            Box::new(Cpio),
            Box::new(Rpm),
            Box::new(SevenZip),
            Box::new(Wim),
            Box::new(Rar),
            Box::new(Cab),
            Box::new(Sfx),
            Box::new(Told::ARCHIVES),
            Box::new(Compound),
            Box::new(Pst),
            Box::new(Rtf),
            Box::new(Pdf),
            Box::new(Mbox),
            Box::new(Eml),
            Box::new(Emlx),
            Box::new(Tnef),
            Box::new(Told::MAIL),
        ];
        row.extend(others);
        for image in images() {
            row.push(Box::new(DiskImage(image)));
        }
        Self { row }
    }

    /// The peeler for these bytes, by their content; `head` is the first 16 KiB.
    #[must_use]
    pub fn find(&self, artifact: &Artifact, head: &[u8]) -> Option<&dyn Peeler> {
        self.row.iter().find(|one| one.recognises(artifact, head)).map(|one| &**one)
    }
}
