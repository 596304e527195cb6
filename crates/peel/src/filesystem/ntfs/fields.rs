//! Fields at fixed offsets of a structure; none where the structure is too short.

use lidless_io::utf16;

pub(super) fn u8_at(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// A name for a path: what is not Unicode is replaced, and so are separators.
pub(super) fn text(units: impl IntoIterator<Item = u16>) -> String {
    utf16::text(units).replace(['/', '\0'], "_")
}
