//! `lidless inventory`: the objects of a case as Parquet.

use crate::args::InventoryArguments;
use anyhow::Result;
use lidless_inventory::{SegmentRow, SegmentWriter};
use lidless_ledger::{Case, StoredObject};
use std::io::Write as _;

/// Writes the segments and says where they are.
pub(crate) fn run(arguments: &InventoryArguments) -> Result<u8> {
    let case = Case::open(&arguments.case)?;
    let mut writer = SegmentWriter::create(&arguments.out)?;
    case.each_object(|store, container, stored| {
        let StoredObject { object, state, reason, bytes_read } = stored;
        let (store, container) = (store.to_owned(), container.to_owned());
        writer.push(SegmentRow { store, container, object, state, reason, bytes_read })?;
        Ok::<(), anyhow::Error>(())
    })?;
    let (segments, rows) = writer.finish()?;
    let files = if segments == 1 { "file" } else { "files" };
    writeln!(
        std::io::stdout(),
        "{rows} objects in {segments} Parquet {files}: {}",
        arguments.out.join("objects-*.parquet").display()
    )?;
    Ok(0)
}
