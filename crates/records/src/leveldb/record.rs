//! What a file of a database is read as.

/// A record of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its key, without the sequence number.
    pub key: &'a [u8],
    /// Its value; empty when it was deleted.
    pub value: &'a [u8],
    /// Later writes have larger numbers.
    pub sequence: u64,
    /// It says that the key was deleted.
    pub is_deleted: bool,
}

/// How much of a file was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Records handed out.
    pub records: u64,
    /// Blocks or batches that do not parse.
    pub broken: u64,
    /// Blocks in a compression that is not read here.
    pub unread: u64,
}
