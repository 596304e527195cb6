//! The face of every form of messages, and what counting one gives.

use std::collections::BTreeSet;

/// How many people of one export are told apart; more are counted as this many.
const PEOPLE: usize = 200_000;

/// What a file of messages adds up to. Bodies are never kept, and exist nowhere after parsing.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// How many messages of people; events of the service are none.
    pub(super) messages: u64,
    /// Who wrote, by the id that the form gives; kept only until digests are made.
    pub(super) people: BTreeSet<String>,
    /// Domains of their addresses, when the form gives addresses.
    pub(super) organisations: BTreeSet<String>,
    /// The oldest, as RFC 3339.
    pub(super) first: Option<String>,
    /// The newest, as RFC 3339.
    pub(super) last: Option<String>,
    /// The file broke off; what came before was counted.
    pub(super) broken: bool,
}

impl Counted {
    /// Adds a message of somebody at a time (RFC 3339, in UTC).
    pub(super) fn note(&mut self, who: Option<String>, when: Option<String>) {
        self.messages = self.messages.saturating_add(1);
        if let Some(who) = who.filter(|who| !who.is_empty()) {
            let who = person(&who).to_owned();
            if let Some((_, domain)) = who.rsplit_once('@').filter(|_| is_address(&who)) {
                self.organisations.insert(domain.to_lowercase());
            }
            if self.people.len() < PEOPLE {
                self.people.insert(who);
            }
        }
        if let Some(when) = when {
            if self.first.as_ref().is_none_or(|known| when < *known) {
                self.first = Some(when.clone());
            }
            if self.last.as_ref().is_none_or(|known| when > *known) {
                self.last = Some(when);
            }
        }
    }

    /// Itself when it counted anything.
    pub(super) fn some(self) -> Option<Self> {
        (self.messages > 0).then_some(self)
    }
}

/// The id of a person without what some forms put in front: `8:orgid:` and the id of the
/// directory are one person.
pub(super) fn person(id: &str) -> &str {
    id.strip_prefix("8:orgid:").unwrap_or(id)
}

fn is_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && domain.contains('.') && !domain.contains([' ', ':', '/'])
    })
}

/// Seconds since 1970 as RFC 3339.
pub(super) fn from_seconds(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// One form. A new one is one new file and one line in `table.rs`.
pub(super) trait Form: Send + Sync {
    /// What exported it: `teams`, `slack`, ...
    fn product(&self) -> &'static str;

    /// `Teams messages`, `Slack messages`, ...
    fn title(&self) -> &'static str;

    /// Whether the beginning of a text (some KiB) is of this form; `path` is in lower case.
    fn recognises(&self, path: &str, start: &str) -> bool;

    /// Counts; none when it is not of this form after all.
    fn count(&self, text: &str) -> Option<Counted>;
}
