//! Outlook stores (MS-PST): `.pst` and `.ost`, of all three layouts. A file of nodes found through
//! two trees of pages; nodes hold heaps of properties and tables; of those, folders and messages
//! are made. Everything is looked up on demand.

mod block;
mod cipher;
mod file;
mod header;
mod heap;
mod message;
mod node;
mod properties;
mod table;
mod tree;

pub use file::{Folder, Listed, PstFile};
pub use message::{Attached, Message, Recipient};
