//! How much a file is worth looking into, before a byte of it is read.

/// What the name, the place and the size of a file promise; the first is looked into first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interest {
    /// A place where credentials lie, a registry hive, a store of a browser, of mail or of chats.
    High,
    /// Text, configuration, data, documents, models, archives, images of disks.
    Medium,
    /// Nothing is known of it: worth a look while it is small.
    Low,
    /// Programs, media and other things that hold nothing by their kind.
    None,
}
