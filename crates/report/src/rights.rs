//! What is proved of a grant, what is only declared, refused, or unknown and why: the same words
//! for every provider, in every format for people.

use crate::amount::counted;
use crate::clean::clean;
use lidless_core::{Grant, NEVER_WRITTEN, Operation, Party, Right, Standing};

/// Operations of one row that a terminal shows; the rest is counted.
const OPERATIONS: usize = 8;
/// Rows of one standing that a terminal shows; the rest is counted.
const ROWS: usize = 6;

/// Operations of which the same is known, for the same reason.
pub(crate) struct Row<'g> {
    operations: Vec<Operation>,
    /// The first of them, for what they have in common.
    right: &'g Right,
}

/// The rights of a grant, in the order of their standing.
pub(crate) fn rows(grant: &Grant) -> Vec<Row<'_>> {
    let all = grant.observed.as_ref().map_or(&[][..], |seen| seen.rights.as_slice());
    let mut rows: Vec<Row<'_>> = Vec::new();
    for standing in Standing::ALL {
        for right in all.iter().filter(|right| right.standing() == standing) {
            match rows.iter_mut().find(|row| row.fits(right)) {
                Some(row) => row.operations.push(right.operation),
                None => rows.push(Row { operations: vec![right.operation], right }),
            }
        }
    }
    rows
}

impl Row<'_> {
    fn fits(&self, other: &Right) -> bool {
        let about =
            |right: &Right| (right.party, right.declared, right.declared_by, right.observed);
        about(self.right) == about(other)
            && self.right.place == other.place
            && self.right.why == other.why
    }

    /// `proved`, `declared`, `refused`, `unknown`.
    pub(crate) fn standing(&self) -> &'static str {
        self.right.standing().as_str()
    }

    /// Whose rights.
    pub(crate) fn who(&self) -> &'static str {
        self.right.party.as_str()
    }

    /// What, and where: `list objects, read content in s3://models`.
    pub(crate) fn what(&self) -> String {
        phrase(&self.operations, self.right)
    }

    /// `yes, by the credential`, `no, by the service`, or a dash where nobody says.
    pub(crate) fn declared(&self) -> String {
        let by = self.right.declared_by.map_or("nobody", |by| by.as_str());
        match self.right.declared {
            Some(true) => format!("yes, by the {by}"),
            Some(false) => format!("no, by the {by}"),
            None => "–".to_owned(),
        }
    }

    /// `yes`, `no`, or a dash where it was not tried.
    pub(crate) fn observed(&self) -> &'static str {
        match self.right.observed {
            Some(true) => "yes",
            Some(false) => "no",
            None => "–",
        }
    }

    /// What showed it, or why it is not known.
    pub(crate) fn why(&self) -> String {
        clean(&self.right.why)
    }
}

fn phrase(operations: &[Operation], right: &Right) -> String {
    let words: Vec<&str> = operations.iter().map(|one| one.as_str()).collect();
    match &right.place {
        Some(place) => format!("{} in {}", words.join(", "), clean(place)),
        None => words.join(", "),
    }
}

/// One line of each standing that has any: its word and all of it, shortened.
pub(crate) fn lines(grant: &Grant) -> Vec<(&'static str, String)> {
    let rows = rows(grant);
    let mut lines = Vec::new();
    for standing in Standing::ALL {
        let of_it: Vec<&Row<'_>> =
            rows.iter().filter(|row| row.right.standing() == standing).collect();
        let parts = shortened(&of_it, standing);
        let label = match standing {
            Standing::Proved => "Proved",
            Standing::Declared => "Declared",
            Standing::Refused => "Refused",
            Standing::Unknown => "Unknown",
        };
        if !parts.is_empty() {
            lines.push((label, parts.join(" · ")));
        }
    }
    lines
}

/// What a line tells beside the operations: reasons matter where something is refused or unknown.
fn beside(right: &Right, standing: Standing) -> String {
    match (standing, right.declared_by) {
        (Standing::Proved, _) => String::new(),
        (Standing::Declared, Some(by)) => format!("by the {}", by.as_str()),
        _ => clean(right.reason()),
    }
}

/// What one line tells together.
struct Part<'g> {
    right: &'g Right,
    places: Vec<&'g str>,
    operations: Vec<Operation>,
    beside: String,
}

fn shortened(rows: &[&Row<'_>], standing: Standing) -> Vec<String> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for row in rows {
        let beside = beside(row.right, standing);
        let place = row.right.place.as_deref();
        // What is declared of several services of an account would be the same over and over.
        let fits = |part: &&mut Part<'_>| {
            let here = part.right.place.as_deref();
            part.right.party == row.right.party
                && part.beside == beside
                && (here == place
                    || standing == Standing::Declared && here.is_some() == place.is_some())
        };
        if let Some(part) = parts.iter_mut().find(fits) {
            part.operations.extend(&row.operations);
            part.places.extend(place.filter(|place| !part.places.contains(place)));
        } else {
            let places = place.into_iter().collect();
            let operations = row.operations.clone();
            parts.push(Part { right: row.right, places, operations, beside });
        }
    }
    let hidden = parts.len().saturating_sub(ROWS);
    let mut lines: Vec<String> = parts.iter_mut().take(ROWS).map(Part::words).collect();
    if hidden > 0 {
        let hidden = u64::try_from(hidden).unwrap_or(0);
        lines.push(format!("and {}", counted(hidden, "more row", "more rows")));
    }
    let is_told = matches!(standing, Standing::Declared | Standing::Unknown);
    if is_told && parts.iter().flat_map(|part| &part.operations).any(|one| one.changes()) {
        lines.push(NEVER_WRITTEN.to_owned());
    }
    lines
}

impl Part<'_> {
    fn words(&mut self) -> String {
        // What changes something matters more than what sees something.
        self.operations.sort_by_key(|operation| (!operation.changes(), *operation));
        self.operations.dedup();
        let more = self.operations.len().saturating_sub(OPERATIONS);
        let shown = self.operations.iter().take(OPERATIONS);
        let mut words = shown.map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
        if more > 0 {
            words.push_str(&format!(" and {more} more"));
        }
        if !self.places.is_empty() {
            let places: Vec<String> = self.places.iter().map(|place| clean(place)).collect();
            words.push_str(&format!(" in {}", listed(&places)));
        }
        words.push_str(match self.right.party {
            Party::Holder => "",
            Party::Members => " (anyone with an account)",
            Party::Strangers => " (strangers)",
        });
        if self.beside.is_empty() { words } else { format!("{words}: {}", self.beside) }
    }
}

/// A few names, the rest counted.
fn listed(names: &[String]) -> String {
    match names {
        [first, rest @ ..] if rest.len() > 1 => format!("{first} and {} more places", rest.len()),
        all => all.join(" and "),
    }
}
