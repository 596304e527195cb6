//! Git histories: every blob once, by the commit that first brought it.
//!
//! Nothing in a repository is trusted: its configuration is not read beyond what opening needs,
//! no hook, filter or command in it runs, and a broken object is a gap.

mod blocks;
mod commits;
mod delta;
mod heads;
mod names;
mod options;
mod order;
mod origin;
mod packs;
mod submodules;
mod tips;
mod trees;
mod walk;

pub use options::GitOptions;
pub use origin::GitOrigin;
pub(crate) use walk::walk;

#[doc(hidden)]
pub use delta::apply as apply_delta;
