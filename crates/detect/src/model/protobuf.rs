//! Walks protobuf messages by their tags, without a schema and without reading what is stepped
//! over. Source: the protocol buffers encoding specification.

use super::forward::Forward;
use lidless_io::{ReadAt, read_vec};

/// A message that lies at `start..end` of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// A number.
    Varint(u64, u64),
    /// Four or eight bytes.
    Fixed(u64),
    /// Text, bytes or another message.
    Part(u64, Message),
}

impl Field {
    /// Its number.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Varint(number, _) | Self::Fixed(number) | Self::Part(number, _) => number,
        }
    }

    /// What it holds when it is a part of this number.
    pub(crate) fn part(self, wanted: u64) -> Option<Message> {
        match self {
            Self::Part(number, message) if number == wanted => Some(message),
            _ => None,
        }
    }
}

impl Message {
    /// All of a source.
    pub(crate) fn whole(source: &dyn ReadAt) -> Self {
        Self { start: 0, end: source.len() }
    }

    /// Length in bytes.
    pub(crate) fn length(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Gives its fields in turn until `visit` says false; false when the bytes are no message to
    /// their end.
    pub(crate) fn fields(
        self,
        source: &dyn ReadAt,
        most: u64,
        visit: &mut dyn FnMut(Field) -> bool,
    ) -> bool {
        let mut forward = Forward::new(source, self.start, self.end, most);
        while forward.left() > 0 {
            match field(&mut forward) {
                Some(field) if visit(field) => {}
                Some(_) => return true,
                None => return false,
            }
        }
        true
    }

    /// Its bytes as text, when they are at most `most`.
    pub(crate) fn text(self, source: &dyn ReadAt, most: u64) -> Option<String> {
        if self.length() > most {
            return None;
        }
        let bytes = read_vec(source, self.start, self.length()).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn field(forward: &mut Forward<'_>) -> Option<Field> {
    let tag = varint(forward)?;
    let number = tag >> 3;
    if number == 0 {
        return None;
    }
    match tag & 7 {
        0 => Some(Field::Varint(number, varint(forward)?)),
        1 => forward.skip(8).then_some(Field::Fixed(number)),
        2 => {
            let length = varint(forward)?;
            let start = forward.position();
            let end = start.checked_add(length)?;
            forward.skip(length).then_some(Field::Part(number, Message { start, end }))
        }
        5 => forward.skip(4).then_some(Field::Fixed(number)),
        _ => None,
    }
}

fn varint(forward: &mut Forward<'_>) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64u32).step_by(7) {
        let byte = forward.byte()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The fields of the head of a file as far as they are whole, with how many bytes of each part
/// are in sight; for telling formats apart. A part that runs out of the head is the last.
pub(crate) fn glance(head: &[u8]) -> Vec<(Field, &[u8])> {
    // Most of what is asked about is no such thing, by its first byte.
    if !head.first().is_some_and(|tag| *tag >= 8 && matches!(tag & 7, 0 | 1 | 2 | 5)) {
        return Vec::new();
    }
    let source = lidless_io::BorrowedBytes(head);
    let length = u64::try_from(head.len()).unwrap_or(u64::MAX);
    let mut forward = Forward::new(&source, 0, length, u64::MAX);
    let mut found = Vec::new();
    while forward.left() > 0 && found.len() < 64 {
        let before = forward.position();
        if let Some(one) = field(&mut forward) {
            let part = match one {
                Field::Part(_, message) => slice(head, message.start, message.end),
                _ => &[],
            };
            found.push((one, part));
            continue;
        }
        // Perhaps a part whose end is out of sight.
        let mut again = Forward::new(&source, before, length, u64::MAX);
        if let (Some(tag), Some(part)) = (varint(&mut again), varint(&mut again))
            && tag & 7 == 2
            && tag >> 3 > 0
            && part > again.left()
        {
            let start = again.position();
            let message = Message { start, end: start.saturating_add(part) };
            found.push((Field::Part(tag >> 3, message), slice(head, start, length)));
        } else {
            found.clear();
        }
        break;
    }
    found
}

fn slice(head: &[u8], start: u64, end: u64) -> &[u8] {
    match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) => head.get(start..end).unwrap_or(&[]),
        _ => &[],
    }
}
