//! Local headers: `PK\3\4`, at 6 flags, 8 method, 18 and 22 the sizes, 26 and 28 the lengths of
//! name and extra field, 30 the name.

use super::directory::{member_name, widen};
use lidless_io::Cursor;

pub(super) const LOCAL: &[u8; 4] = b"PK\x03\x04";
/// The sizes follow the content.
const DESCRIPTOR: u16 = 8;

/// What a local header says of its member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) name: String,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    /// Length of the header: the content follows.
    pub(super) length: u64,
}

impl Local {
    /// Whether it says how long its content is.
    pub(super) fn is_sized(&self) -> bool {
        self.flags & DESCRIPTOR == 0 && self.packed > 0 && self.packed != 0xffff_ffff
    }
}

/// Reads the header at the start of `bytes`; an extra field that is cut is taken as read.
pub(super) fn local(bytes: &[u8]) -> Option<Local> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(4).ok()? != LOCAL {
        return None;
    }
    cursor.skip(2).ok()?;
    let flags = cursor.u16_le().ok()?;
    let method = cursor.u16_le().ok()?;
    cursor.skip(8).ok()?;
    let mut packed = u64::from(cursor.u32_le().ok()?);
    let mut unpacked = u64::from(cursor.u32_le().ok()?);
    let name = cursor.u16_le().ok()?;
    let extra = cursor.u16_le().ok()?;
    let length = 30u64.saturating_add(u64::from(name)).saturating_add(u64::from(extra));
    let name = member_name(cursor.take(usize::from(name)).ok()?);
    let rest = cursor.remaining();
    let mut header = 0;
    widen(rest.get(..usize::from(extra)).unwrap_or(rest), &mut unpacked, &mut packed, &mut header);
    Some(Local { name, flags, method, packed, unpacked, length })
}
