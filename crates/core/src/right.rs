//! What is known of who may do what with a store: proved by a read, declared, refused, unknown.

use crate::operation::Operation;
use serde::{Deserialize, Serialize};

/// Why nothing that changes the store is ever observed.
pub const NEVER_WRITTEN: &str = "nothing is ever written to find out";

/// Whose right it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// Whoever holds the credential or the link.
    Holder,
    /// Anyone with an account of the provider.
    Members,
    /// Anyone at all.
    Strangers,
}

impl Party {
    /// The word used in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holder => "holder",
            Self::Members => "members",
            Self::Strangers => "strangers",
        }
    }
}

/// Who declares a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Declarer {
    /// The credential itself: the letters of a token, the method that was signed.
    Credential,
    /// The service, when it was asked: a policy, an access control list, the caller's permissions.
    Service,
}

impl Declarer {
    /// The word used in every format.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Service => "service",
        }
    }
}

/// How a right stands: what a read showed outweighs what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// A harmless read showed it.
    Proved,
    /// It is declared, and no read showed it or could.
    Declared,
    /// A read was refused, or it is declared not to be given.
    Refused,
    /// Neither declared nor observed.
    Unknown,
}

impl Standing {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 4] = [Self::Proved, Self::Declared, Self::Refused, Self::Unknown];

    /// The word used in every format for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Declared => "declared",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// One operation on a store, for one party: what is declared beside what a harmless read showed.
/// Declared and observed are never mixed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Right {
    /// Who.
    pub party: Party,
    /// Where: `s3://models`; null for everything that the grant reaches.
    pub place: Option<String>,
    /// What.
    pub operation: Operation,
    /// Whether it is declared; null where nobody says.
    pub declared: Option<bool>,
    /// Who declares it; null exactly where `declared` is.
    pub declared_by: Option<Declarer>,
    /// Whether a read of something there showed it; null where it was not tried, and always for
    /// what changes something.
    pub observed: Option<bool>,
    /// What showed it, or why it is not known.
    pub why: String,
}

impl Right {
    /// A right of which nothing is known yet, on everything that the grant reaches.
    #[must_use]
    pub fn of(party: Party, operation: Operation) -> Self {
        let (place, why) = (None, String::new());
        Self { party, place, operation, declared: None, declared_by: None, observed: None, why }
    }

    /// The same in one place; none is everything that the grant reaches.
    #[must_use]
    pub fn at(self, place: Option<String>) -> Self {
        Self { place, ..self }
    }

    /// The same, declared; none where nobody says.
    #[must_use]
    pub fn declared(self, declared: Option<bool>, by: Declarer) -> Self {
        Self { declared, declared_by: declared.map(|_| by), ..self }
    }

    /// The same with what a read showed; none where none was made, or where its answer decides
    /// nothing. What changes something is never observed.
    #[must_use]
    pub fn observed(self, observed: Option<bool>) -> Self {
        let observed = observed.filter(|_| !self.operation.changes());
        Self { observed, ..self }
    }

    /// The same with the reason. That nothing is ever written is said wherever it is one.
    #[must_use]
    pub fn because(self, why: &str) -> Self {
        let why = join(&self, why, "");
        Self { why, ..self }
    }

    /// The reason without the remark that nothing is ever written.
    #[must_use]
    pub fn reason(&self) -> &str {
        let rest = self.why.strip_suffix(NEVER_WRITTEN).unwrap_or(&self.why);
        rest.strip_suffix("; ").unwrap_or(rest)
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (self.observed, self.declared) {
            (Some(true), _) => Standing::Proved,
            (Some(false), _) | (None, Some(false)) => Standing::Refused,
            (None, Some(true)) => Standing::Declared,
            (None, None) => Standing::Unknown,
        }
    }

    /// What it speaks of.
    fn about(&self) -> (Party, &Option<String>, Operation) {
        (self.party, &self.place, self.operation)
    }

    /// Takes in what another row knows of the same thing. A read that worked once is proof.
    fn learn(&mut self, other: &Self) {
        if self.declared.is_none() {
            (self.declared, self.declared_by) = (other.declared, other.declared_by);
        }
        self.observed = match (self.observed, other.observed) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (mine, theirs) => mine.or(theirs),
        };
        self.why = join(self, &self.why, &other.why);
    }
}

/// Two reasons as one, each part once, and last that nothing is written.
fn join(right: &Right, one: &str, other: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in one.split("; ").chain(other.split("; ")) {
        if !part.is_empty() && part != NEVER_WRITTEN && !parts.contains(&part) {
            parts.push(part);
        }
    }
    if right.operation.changes() {
        parts.push(NEVER_WRITTEN);
    }
    parts.join("; ")
}

/// One row for each party, place and operation, in a stable order.
#[must_use]
pub fn settle_rights(mut rights: Vec<Right>) -> Vec<Right> {
    // What was seen is told before what is said.
    rights.sort_by(|a, b| {
        let seen = |right: &Right| right.observed.is_none();
        a.about().cmp(&b.about()).then(seen(a).cmp(&seen(b))).then_with(|| a.cmp(b))
    });
    let mut settled: Vec<Right> = Vec::new();
    for right in rights {
        match settled.last_mut().filter(|last| last.about() == right.about()) {
            Some(last) => last.learn(&right),
            None => settled.push(right),
        }
    }
    settled
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_and_what_was_observed_meet_in_one_row_and_stay_apart() {
        let list = || Right::of(Party::Strangers, Operation::ListObjects);
        let place = Some("s3://models".to_owned());
        let rights = vec![
            Right::of(Party::Holder, Operation::DeleteObjects).because("a key declares nothing"),
            list().at(place.clone()).observed(Some(false)).because("a listing: refused"),
            list().at(place).declared(Some(true), Declarer::Service).because("the policy gives it"),
        ];
        let settled = settle_rights(rights);
        let [delete, list] = settled.as_slice() else { panic!("{settled:#?}") };
        assert_eq!(delete.why, "a key declares nothing; nothing is ever written to find out");
        assert_eq!((delete.reason(), list.reason()), ("a key declares nothing", &*list.why));
        assert_eq!((list.declared, list.observed), (Some(true), Some(false)));
        assert_eq!(list.declared_by, Some(Declarer::Service));
        assert_eq!(list.why, "a listing: refused; the policy gives it");
        assert_eq!(settle_rights([settled.clone(), settled.clone()].concat()), settled);
    }

    #[test]
    fn what_changes_something_is_never_observed() {
        for operation in Operation::ALL {
            let right = Right::of(Party::Holder, *operation).observed(Some(true)).because("");
            assert_eq!(right.observed.is_none(), operation.changes(), "{right:?}");
            assert_eq!(right.why.contains("ever written"), operation.changes(), "{right:?}");
        }
    }

    #[test]
    fn each_row_stands_in_one_way() {
        let row = |declared, observed| {
            let right = Right::of(Party::Holder, Operation::ReadContent).observed(observed);
            right.declared(declared, Declarer::Credential).standing()
        };
        for declared in [Some(true), Some(false), None] {
            assert_eq!(row(declared, Some(true)), Standing::Proved);
            assert_eq!(row(declared, Some(false)), Standing::Refused);
        }
        assert_eq!(row(Some(true), None), Standing::Declared);
        assert_eq!(row(Some(false), None), Standing::Refused);
        assert_eq!(row(None, None), Standing::Unknown);
    }
}
