//! Web servers that show what lies in a folder: Apache, nginx, lighttpd, IIS, Caddy, Python, and
//! whatever writes a list of links to what is below it.

mod bytes;
mod html;
mod index;
mod probe;
mod store;

pub use index::{Index, IndexEntry};
pub(crate) use store::HttpStore;
