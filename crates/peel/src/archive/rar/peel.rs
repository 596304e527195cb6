//! A RAR archive as a wrapping. Its compression is not published for others to read by, so that
//! compressed members are listed and told. Each volume of an archive in volumes lists its own.

use super::{five, four};
use crate::archive::members::{About, Members};
use crate::archive::tape::Lying;
use crate::error::PeelError;
use crate::peeler::{Peeler, Sink};
use lidless_core::{Artifact, Limits};
use std::sync::Arc;

const FOUR: &[u8] = b"Rar!\x1a\x07\0";
const FIVE: &[u8] = b"Rar!\x1a\x07\x01\0";

/// A RAR archive.
pub(crate) struct Rar;

impl Peeler for Rar {
    fn name(&self) -> &'static str {
        "RAR"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(FOUR) || head.starts_with(FIVE)
    }

    fn peel(&self, artifact: &Artifact, head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let mut tape = Lying::new(Arc::clone(&artifact.bytes));
        let mut members = Members::new(&artifact.entry.provenance, limits, sink);
        let walked = if head.starts_with(FIVE) {
            five::walk(&mut tape, &mut members)
        } else {
            four::walk(&mut tape, &mut members)
        };
        if let Err(error) = walked {
            members.fail(&error, None);
        }
        members.finish();
    }
}

/// A member, as its header describes it.
pub(super) struct Member {
    pub(super) about: About,
    /// Where its packed bytes begin, and their number.
    pub(super) start: u64,
    pub(super) packed: u64,
    pub(super) is_stored: bool,
    pub(super) is_encrypted: bool,
    pub(super) is_split: bool,
}

impl Member {
    /// Hands it out, or says why not.
    pub(super) fn give(
        &self,
        tape: &mut Lying,
        members: &mut Members<'_>,
    ) -> Result<(), PeelError> {
        let closed = match self {
            Self { is_encrypted: true, .. } => "encrypted members of a RAR archive",
            Self { is_split: true, .. } => "a RAR member that lies in several volumes",
            Self { is_stored: true, packed, about, .. } if *packed == about.length => {
                let broken = "a RAR member that breaks off";
                return members.stored(tape, about, self.start, broken);
            }
            _ if self.about.length == 0 => {
                let entry = members.entry(&self.about);
                members.sink.inert(entry, "an empty member");
                return Ok(());
            }
            _ => "a RAR member that is compressed in a way that is not read",
        };
        members.closed(&self.about, closed);
        Ok(())
    }
}

/// Said where a header cannot be one.
pub(super) const BREAKS_OFF: &str = "a RAR archive that breaks off";
pub(super) const LOCKED: &str = "a RAR archive whose headers are encrypted";
