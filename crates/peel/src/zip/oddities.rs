//! What is odd about an archive: added up, and said once a rule.

use crate::peeler::Sink;
use lidless_core::{Category, Confidence, Finding, Place, Provenance, Severity};
use std::collections::BTreeMap;

/// A way in which an archive shows different faces to different readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Oddity {
    /// Central directory and local header say different things of one member.
    ViewsDiffer,
    /// A member that no directory names.
    HiddenMember,
    /// More than one central directory, each naming members that the other does not.
    SeveralDirectories,
    /// Two members of one name.
    DuplicateMember,
    /// Members that share bytes.
    MembersOverlap,
    /// Marked as encrypted, and not encrypted.
    FlagsLie,
    /// Bytes in front of the first member.
    BytesInFront,
}

impl Oddity {
    fn text(self) -> (&'static str, Severity, Confidence, &'static str) {
        use Confidence as C;
        use Severity as S;
        match self {
            Self::ViewsDiffer => (
                "zip.views_differ",
                S::High,
                C::High,
                "A zip archive whose directory and local headers disagree",
            ),
            Self::HiddenMember => (
                "zip.hidden_member",
                S::High,
                C::Medium,
                "A zip archive with members that its directory does not name",
            ),
            Self::SeveralDirectories => (
                "zip.several_directories",
                S::High,
                C::Medium,
                "A zip archive with more than one directory",
            ),
            Self::DuplicateMember => (
                "zip.duplicate_member",
                S::Medium,
                C::Medium,
                "A zip archive with two members of one name",
            ),
            Self::MembersOverlap => (
                "zip.members_overlap",
                S::Medium,
                C::High,
                "A zip archive whose members share bytes",
            ),
            Self::FlagsLie => (
                "zip.flags_lie",
                S::Medium,
                C::High,
                "A zip archive that marks plain members as encrypted",
            ),
            Self::BytesInFront => (
                "zip.bytes_in_front",
                S::Low,
                C::High,
                "A zip archive with other bytes in front of it",
            ),
        }
    }
}

/// Counts oddities and keeps the first example of each.
#[derive(Default)]
pub(super) struct Oddities {
    found: BTreeMap<Oddity, (u64, String)>,
}

impl Oddities {
    /// Adds one; `example` names the member, or says what is odd.
    pub(super) fn add(&mut self, oddity: Oddity, example: impl FnOnce() -> String) {
        let (count, _) = self.found.entry(oddity).or_insert_with(|| (0, example()));
        *count = count.saturating_add(1);
    }

    /// Says all of them.
    pub(super) fn say(self, place: &Provenance, sink: &mut dyn Sink) {
        for (oddity, (count, example)) in self.found {
            let (rule, severity, confidence, title) = oddity.text();
            let place = Place::whole(place.clone());
            let evidence = if count > 1 {
                format!("{example}, and {} more", count.saturating_sub(1))
            } else {
                example
            };
            let category = Category::Malformed;
            let finding =
                Finding::new(rule, category, severity, confidence, title, &place, evidence);
            sink.finding(finding.with_detail("count", count));
        }
    }
}
