//! A small reader of DER (ITU-T X.690): tags of one byte, definite lengths, nothing allocated.

/// `INTEGER`
pub(super) const INTEGER: u8 = 0x02;
/// `BIT STRING`
pub(super) const BITS: u8 = 0x03;
/// `OCTET STRING`
pub(super) const OCTETS: u8 = 0x04;
/// `OBJECT IDENTIFIER`
pub(super) const OID: u8 = 0x06;
/// `SEQUENCE`
pub(super) const SEQUENCE: u8 = 0x30;
/// `SET`
pub(super) const SET: u8 = 0x31;
/// `[0]`, constructed
pub(super) const CONTEXT_0: u8 = 0xa0;
/// `[1]`, constructed
pub(super) const CONTEXT_1: u8 = 0xa1;
/// `[1]`, primitive
pub(super) const BARE_1: u8 = 0x81;

/// Values one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next value.
    pub(super) fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next value, with its tag and, whole, with its header.
    pub(super) fn any(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            // Up to 4 GiB; 0x80 is a length that is not said, which DER has not.
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits.iter().fold(0u64, |sum, digit| sum << 8 | u64::from(*digit));
                (usize::try_from(length).ok()?, rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len().checked_sub(after.len())?)?;
        self.0 = after;
        Some((*tag, content, whole))
    }

    /// The content of the next value, when it has this tag; stays where it is when not.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag()? != tag {
            return None;
        }
        self.any().map(|(_, content, _)| content)
    }

    /// What lies in the next value, when it has this tag.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }

    /// The next value, an unsigned number without leading zeros.
    pub(super) fn number(&mut self) -> Option<&'a [u8]> {
        self.take(INTEGER).map(bare)
    }

    /// The next value, a small number.
    pub(super) fn small(&mut self) -> Option<u32> {
        let digits = self.number()?;
        (digits.len() <= 4)
            .then(|| digits.iter().fold(0, |sum: u32, digit| sum << 8 | u32::from(*digit)))
    }
}

/// A big-endian number without leading zeros.
pub(super) fn bare(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|digit| **digit == 0).count();
    number.get(zeros..).unwrap_or(&[])
}

/// Writes a value.
pub(super) fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    let digits = u64::try_from(content.len()).unwrap_or(u64::MAX).to_be_bytes();
    let digits = bare(&digits);
    if content.len() < 0x80 {
        out.push(u8::try_from(content.len()).unwrap_or(0));
    } else {
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
        out.extend(digits);
    }
    out.extend(content);
    out
}

/// Writes an unsigned number.
pub(super) fn write_number(number: &[u8]) -> Vec<u8> {
    let number = bare(number);
    let sign: &[u8] = if number.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    write(INTEGER, &[sign, number])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were_written() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let content = vec![7; length];
            let bytes = write(OCTETS, &[&content]);
            let mut der = Der::new(&bytes);
            assert_eq!(der.take(INTEGER), None);
            assert_eq!(der.take(OCTETS), Some(&content[..]));
            assert!(der.is_empty());
        }
        assert_eq!(write_number(&[0, 0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(Der::new(&[2, 2, 0, 0x80]).number(), Some(&[0x80][..]));
        assert_eq!(Der::new(&[2, 2, 1, 0]).small(), Some(256));
    }

    #[test]
    fn lengths_that_are_not_there_are_none() {
        for bytes in [&[0x30][..], &[0x30, 0x80, 0, 0], &[0x30, 2, 0], &[0x1f, 1, 0], &[4, 0x85]] {
            assert!(Der::new(bytes).any().is_none(), "{bytes:?}");
        }
    }
}
