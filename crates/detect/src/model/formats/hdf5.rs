//! HDF5: what Keras keeps in the attributes of the root, and links out of the file.

use crate::detector::{Context, View};
use crate::model::format::Format;
use crate::model::found::Found;
use crate::model::keras::judge_config;
use hdf5_reader::Hdf5File;
use hdf5_reader::error::Error;
use hdf5_reader::storage::{BlockCacheStorage, RangeRequestStorage};
use lidless_core::Entry;
use lidless_io::read_vec;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Read at a time: the superblock, the root and its attributes mostly lie in the first two.
const BLOCK: usize = 32 << 10;
/// Blocks that are kept.
const BLOCKS: usize = 64;
/// Attributes larger than this are no configuration.
const LARGEST: usize = 64 << 20;

/// An HDF5 file.
pub(crate) struct Hdf5;

impl Format for Hdf5 {
    fn name(&self) -> &'static str {
        "hdf5"
    }

    fn recognises(&self, _entry: &Entry, head: &[u8]) -> bool {
        let magic = b"\x89HDF\r\n\x1a\n";
        [0, 512, 1024, 2048, 4096, 8192]
            .iter()
            .any(|at| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let source = Arc::clone(&view.artifact.bytes);
        // The library is not ours: a panic in it is a gap like any other error.
        let read = catch_unwind(AssertUnwindSafe(|| attributes(source)));
        match read {
            Ok(Ok(texts)) => {
                for (name, text) in texts {
                    let keras = matches!(name.as_str(), "model_config" | "training_config");
                    if keras {
                        found.format = Some("keras-hdf5");
                    }
                    if (keras || text.contains("class_name")) && !judge_config(&text, found) {
                        found.gap(format!("an attribute {name} of an HDF5 file that is no JSON"));
                    }
                }
            }
            Ok(Err(why)) => found.gap(format!("an HDF5 file that cannot be read: {why}")),
            Err(_) => found.gap("an HDF5 file that cannot be read"),
        }
    }
}

fn attributes(source: Arc<dyn lidless_io::ReadAt>) -> Result<Vec<(String, String)>, Error> {
    let length = source.len();
    let ranges = RangeRequestStorage::new(length, move |offset, wanted| {
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
        read_vec(&*source, offset, wanted)
            .map_err(|error| Error::Io(std::io::Error::other(error.to_string())))
    });
    let storage = Arc::new(BlockCacheStorage::new(Arc::new(ranges), BLOCK, BLOCKS));
    let file = Hdf5File::from_storage(storage)?;
    let root = file.root_group()?;
    let mut texts = Vec::new();
    for attribute in root.attributes()? {
        if attribute.raw_data.len() > LARGEST {
            continue;
        }
        if let Ok(text) = attribute.read_string() {
            texts.push((attribute.name.clone(), text));
        }
    }
    Ok(texts)
}
