//! How long a central directory is likely to be, from the members that were seen already.

use super::local::{LOCAL, local};
use lidless_io::number::wide;

/// Fewer members than this say nothing of the others.
const ENOUGH: usize = 16;
/// A directory that is taken for longer is found by its end record first: one request more is
/// nothing beside it, and a wrong guess would cost as much.
const LONGEST: u64 = 8 << 20;
/// What a line of a directory has beside the name and the extra field.
const LINE: u64 = 46;

/// How many bytes the directory of an archive of `length` bytes takes, if its other members are
/// like those that `head`, its beginning, shows; none when that shows too few, or the directory
/// would be longer than is worth a guess.
pub(super) fn directory_bytes(head: &[u8], length: u64) -> Option<u64> {
    let mut at = memchr::memmem::find(head, LOCAL)?;
    let (first, mut members) = (at, 0usize);
    // What the members before the last one take, by their lines in a directory.
    let (mut lines, mut last) = (0u64, 0u64);
    while let Some(header) = head.get(at..).and_then(local) {
        members = members.saturating_add(1);
        lines = lines.saturating_add(last);
        // A header is as long as its line is, but for what is fixed of both.
        last = header.length.saturating_sub(30).saturating_add(LINE);
        let end = header.length.saturating_add(header.packed);
        let next = if header.is_sized() {
            usize::try_from(end).ok().and_then(|end| at.checked_add(end))
        } else {
            let from = at.saturating_add(LOCAL.len());
            let found = head.get(from..).and_then(|rest| memchr::memmem::find(rest, LOCAL));
            found.map(|found| from.saturating_add(found))
        };
        match next {
            Some(next) if head.get(next..).is_some_and(|rest| local(rest).is_some()) => at = next,
            _ => break,
        }
    }
    if members <= ENOUGH {
        return None;
    }
    let contents = wide(at.saturating_sub(first));
    let size = u128::from(length)
        .checked_mul(u128::from(lines))?
        .checked_div(u128::from(contents.saturating_add(lines)))?;
    // No members are all alike.
    let size = u64::try_from(size).ok()?;
    Some(size.saturating_add(size / 8)).filter(|size| *size <= LONGEST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation)]
    use super::*;

    fn member(name: &str, content: &[u8], is_sized: bool) -> Vec<u8> {
        let mut bytes = LOCAL.to_vec();
        bytes.extend_from_slice(&[20, 0, if is_sized { 0 } else { 8 }, 0, 0, 0]);
        bytes.extend_from_slice(&[0; 8]);
        let size = if is_sized { content.len() as u32 } else { 0 };
        bytes.extend_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn members_that_are_alike_tell_how_long_their_directory_is() {
        for is_sized in [true, false] {
            // 30 + 10 + 60 bytes each, and lines of 56.
            let one = |n: u32| member(&format!("{n:06}.txt"), &[b'x'; 60], is_sized);
            let all: Vec<u8> = (0..10_000).flat_map(one).collect();
            let length = all.len() as u64 + 560_000 + 22;
            let guess = directory_bytes(&all[..16 << 10], length).unwrap();
            assert!((560_000..700_000).contains(&guess), "{guess}");
            // A directory past what is worth a guess, and too few members to say.
            assert_eq!(directory_bytes(&all[..16 << 10], 1 << 30), None);
            assert_eq!(directory_bytes(&all[..1600], length), None);
        }
    }

    #[test]
    fn what_is_cut_or_no_archive_gives_no_guess_and_ends() {
        let one = member("a", b"", false).repeat(600);
        for cut in 0..one.len().min(700) {
            let _ = directory_bytes(&one[..cut], u64::MAX);
        }
        assert_eq!(directory_bytes(&one, u64::MAX), None);
        assert_eq!(directory_bytes(b"", 1 << 20), None);
        assert_eq!(directory_bytes(&[b'P'; 5000], 1 << 20), None);
    }
}
