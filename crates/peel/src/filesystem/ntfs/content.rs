//! What a file holds, and why it may not be there.

use super::boot::Geometry;
use super::chunked::Chunked;
use super::compressed::Units;
use super::file::{COMPRESSED, ENCRYPTED, File, Place, Stream};
use super::record::{Body, DATA, REPARSE};
use super::runs::Run;
use super::wof::Compacted;
use crate::error::PeelError;
use crate::filesystem::face::Content;
use lidless_io::ReadAt;
use lidless_io::number::u32_le;
use std::sync::Arc;

/// Where Windows keeps what it compressed above NTFS.
pub(super) const WOF_STREAM: &str = "WofCompressedData";

/// Tags of reparse points (MS-FSCC 2.1.2.1).
const WOF: u32 = 0x8000_0017;
const DEDUPLICATED: u32 = 0x8000_0013;
/// Moved to slower storage: HSM, HSM2, and the placeholders of Windows 8.1.
const MOVED: [u32; 3] = [0xc000_0004, 0x8000_0006, 0x8000_0015];
/// Cloud files, 16 of them; OneDrive and other providers.
const CLOUD: u32 = 0x9000_001a;
const CLOUD_MASK: u32 = 0xffff_0fff;
const ONEDRIVE: u32 = 0x8000_0021;
/// Stands for another name.
const SURROGATE: u32 = 0x2000_0000;
/// Links, sockets, pipes and devices of Linux and of NFS; programs of the store.
const SPECIAL: [u32; 6] =
    [0x8000_0014, 0x8000_001b, 0x8000_0023, 0x8000_0024, 0x8000_0025, 0x8000_0026];

/// Whether a reparse point is a link, or another thing without content.
pub(super) fn tag_is_link(tag: u32) -> bool {
    tag & SURROGATE != 0 || SPECIAL.contains(&tag)
}

/// Whether a reparse point says that Windows compressed the file.
pub(super) fn tag_is_wof(tag: u32) -> bool {
    tag == WOF
}

fn reparse(file: &File) -> Option<&[u8]> {
    file.attributes.iter().find_map(|attribute| match &attribute.body {
        Body::Resident(bytes) if attribute.kind == REPARSE => Some(bytes.as_slice()),
        _ => None,
    })
}

/// The tag of a file's reparse point.
pub(super) fn reparse_tag(file: &File) -> Option<u32> {
    reparse(file).and_then(|bytes| u32_le(bytes, 0))
}

/// Whether a stream lies in a record that was not kept.
pub(super) fn is_left(file: &File) -> bool {
    file.attributes.iter().any(|attribute| matches!(attribute.body, Body::Left(_)))
}

/// The content of a stream, `""` for the main one.
pub(super) fn content(
    volume: &Arc<dyn ReadAt>,
    geometry: &Geometry,
    file: &File,
    name: &str,
) -> Result<Content, PeelError> {
    let Some(stream) = file.stream(DATA, name)? else {
        if name.is_empty() {
            // Some files have no content at all, not even an empty one.
            return Ok(Content::Inline(Vec::new()));
        }
        let number = file.reference.number;
        return Err(PeelError::malformed("NTFS", 0, "a stream", format!("none in {number}")));
    };
    if name.is_empty()
        && let Some(content) = elsewhere(volume, geometry, file, &stream)?
    {
        return Ok(content);
    }
    if stream.flags & ENCRYPTED != 0 {
        return Err(PeelError::Closed("a file encrypted with EFS".into()));
    }
    within(volume, geometry, &stream)?;
    let is_compressed = stream.flags & COMPRESSED != 0 && stream.unit > 0;
    match stream.place {
        Place::Inline(bytes) => Ok(Content::Inline(bytes)),
        Place::Runs(_) if is_compressed => {
            let Some(units) = Units::new(volume, geometry, &stream) else {
                let found = format!("{} as a power of two", stream.unit);
                let expected = "units of compression of at most 1 MiB";
                return Err(PeelError::malformed("NTFS", 0, expected, found));
            };
            Ok(Content::Decoded(Arc::new(Chunked::new(units))))
        }
        _ => Ok(Content::Extents(stream.stored(volume, geometry))),
    }
}

/// Clusters that are not there would read as zeros, and nobody would know.
fn within(volume: &Arc<dyn ReadAt>, geometry: &Geometry, stream: &Stream) -> Result<(), PeelError> {
    let Place::Runs(runs) = &stream.place else { return Ok(()) };
    let end = volume.len();
    let is_past = |run: &Run| {
        let bytes = run.lcn.map(|lcn| lcn.saturating_add(run.length));
        bytes.is_some_and(|clusters| clusters.saturating_mul(geometry.cluster) > end)
    };
    if runs.iter().any(is_past) {
        return Err(PeelError::Closed("a file that reaches past the end of its volume".into()));
    }
    Ok(())
}

/// The content of a file whose reparse point says where else it is.
fn elsewhere(
    volume: &Arc<dyn ReadAt>,
    geometry: &Geometry,
    file: &File,
    stream: &Stream,
) -> Result<Option<Content>, PeelError> {
    let Some(tag) = reparse_tag(file) else { return Ok(None) };
    let closed = |why: &str| Err(PeelError::Closed(why.to_owned()));
    if tag_is_wof(tag) {
        let bytes = reparse(file).and_then(|bytes| bytes.get(8..)).unwrap_or(&[]);
        let packed = file.stream(DATA, WOF_STREAM)?;
        if packed.as_ref().is_some_and(|packed| packed.flags & ENCRYPTED != 0) {
            return closed("a file encrypted with EFS");
        }
        if let Some(packed) = &packed {
            within(volume, geometry, packed)?;
        }
        let compacted = Compacted::new(volume, geometry, bytes, packed.as_ref(), stream.length)?;
        return Ok(Some(Content::Decoded(Arc::new(Chunked::new(compacted)))));
    }
    if !stream.is_hollow() {
        // A placeholder whose content was fetched.
        return Ok(None);
    }
    match tag {
        DEDUPLICATED => closed("a file whose content lies in the store of Data Deduplication"),
        ONEDRIVE => closed("a file whose content lies in OneDrive"),
        tag if tag & CLOUD_MASK == CLOUD => {
            closed("a file whose content lies in a cloud store (OneDrive or another)")
        }
        tag if MOVED.contains(&tag) => closed("a file whose content was moved to other storage"),
        _ => Ok(None),
    }
}
