//! NumPy arrays: harmless unless they hold objects, which are a pickle.

/// Where the pickle of an object array begins, or none when the array holds plain numbers; the
/// outer none is "no array". Source: the NPY format, versions 1 to 3.
#[must_use]
pub(crate) fn object_array(head: &[u8]) -> Option<Option<u64>> {
    if !head.starts_with(b"\x93NUMPY") {
        return None;
    }
    let version = head.get(6).copied()?;
    let (start, length) = if version == 1 {
        (10usize, usize::from(u16::from_le_bytes(head.get(8..10)?.try_into().ok()?)))
    } else {
        let length = u32::from_le_bytes(head.get(8..12)?.try_into().ok()?);
        (12usize, usize::try_from(length).ok()?)
    };
    let end = start.checked_add(length)?;
    let header = String::from_utf8_lossy(head.get(start..end.min(head.len()))?).into_owned();
    let descr = header.split("descr").nth(1).unwrap_or("");
    let descr = descr.split("fortran_order").next().unwrap_or(descr);
    let objects =
        ["'|O'", "\"|O\"", "'O'", "\"O\"", "|O8", "|O4"].iter().any(|o| descr.contains(o));
    Some(objects.then_some(u64::try_from(end).unwrap_or(u64::MAX)))
}
