//! `Range` and `x-ms-range`.

use crate::refusal::Refusal;

/// The part of a blob that a request asks for: `[start, end)`, null for all of it.
///
/// `bytes=A-B` and `bytes=A-` as the service knows them; a suffix range (`bytes=-N`) it does not
/// know, and says so here instead of sending terabytes to who wanted a few bytes.
pub(crate) fn requested(header: Option<&str>, size: u64) -> Result<Option<(u64, u64)>, Refusal> {
    let Some(header) = header else {
        return Ok(None);
    };
    let malformed = || {
        Refusal::new(
            400,
            "InvalidHeaderValue",
            "The value for one of the HTTP headers is not in the correct format.",
        )
    };
    let range = header.trim().strip_prefix("bytes=").ok_or_else(malformed)?;
    let (start, end) = range.split_once('-').ok_or_else(malformed)?;
    let start: u64 = start.parse().map_err(|_| malformed())?;
    let end = if end.is_empty() {
        size
    } else {
        let last: u64 = end.parse().map_err(|_| malformed())?;
        if last < start {
            return Err(malformed());
        }
        last.saturating_add(1).min(size)
    };
    if start >= size {
        return Err(Refusal::new(
            416,
            "InvalidRange",
            "The range specified is invalid for the current size of the resource.",
        )
        .with_header("Content-Range", format!("bytes */{size}")));
    }
    Ok(Some((start, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_service_reads_them() {
        assert_eq!(requested(None, 10).unwrap(), None);
        assert_eq!(requested(Some("bytes=0-0"), 10).unwrap(), Some((0, 1)));
        assert_eq!(requested(Some("bytes=4-"), 10).unwrap(), Some((4, 10)));
        assert_eq!(requested(Some("bytes=4-99"), 10).unwrap(), Some((4, 10)));
        assert_eq!(requested(Some("bytes=10-"), 10).unwrap_err().status, 416);
        assert_eq!(requested(Some("bytes=0-0"), 0).unwrap_err().status, 416);
        for wrong in ["bytes=-5", "bytes=5-4", "bytes=", "0-1", "bytes=a-b", "bytes=0-1,3-4"] {
            assert_eq!(requested(Some(wrong), 10).unwrap_err().status, 400, "{wrong}");
        }
    }
}
