//! A file that was dropped into a document: the stream `\1Ole10Native` (MS-OLEDS 2.3.6).
//!
//! 4 bytes length, 2 bytes, label and file name each up to a zero byte, 4 bytes, 4 bytes length
//! of a path and the path, 4 bytes length of the content and the content.

use lidless_io::number::index;
use lidless_io::{Cursor, CursorError, ReadAt, read_vec};

/// The name and the content; none when it is nothing of the kind.
pub(super) fn native(bytes: &dyn ReadAt, most: u64) -> Option<(String, Vec<u8>)> {
    let bytes = read_vec(bytes, 0, most).ok()?;
    parse(&bytes).ok().filter(|(name, _)| !name.is_empty())
}

fn parse(bytes: &[u8]) -> Result<(String, Vec<u8>), CursorError> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip(6)?;
    let label = text(&mut cursor)?;
    let path = text(&mut cursor)?;
    cursor.skip(4)?;
    let length = index(cursor.u32_le()?);
    cursor.skip(length)?;
    let length = index(cursor.u32_le()?);
    let content = cursor.take(length)?.to_vec();
    let name = if label.is_empty() { path } else { label };
    let name = name.rsplit(['\\', '/']).next().unwrap_or("").to_owned();
    Ok((name, content))
}

fn text(cursor: &mut Cursor<'_>) -> Result<String, CursorError> {
    let rest = cursor.remaining();
    let length = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let text = cursor.take(length)?;
    cursor.skip(1)?;
    Ok(text.iter().map(|byte| char::from(*byte)).collect())
}
