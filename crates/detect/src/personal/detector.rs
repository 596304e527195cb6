//! Personal data as findings: how many, of what kind, of about how many people.

use super::bank::{card, ibans};
use super::contact::{addresses, is_phone};
use super::digits::{coded_words, numbers};
use super::header::{Table, table};
use super::national::{KINDS, lettered};
use super::tally::Distinct;
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use lidless_core::{Category, Confidence, Entry, Finding, Holds, Pieces, Place, Severity};
use serde_json::Value;
use std::collections::BTreeMap;

/// Finds data about people in text.
pub(crate) struct PersonalDetector;

/// Endings of program text and of other files that hold no data of people by their kind.
const PROGRAMS: [&str; 40] = [
    "rs", "c", "h", "cc", "cpp", "hpp", "go", "java", "kt", "js", "mjs", "ts", "tsx", "jsx", "py",
    "rb", "php", "cs", "swift", "scala", "pl", "lua", "css", "scss", "less", "lock", "svg", "map",
    "sum", "asm", "s", "m", "f90", "vue", "dart", "proto", "po", "pot", "ps1", "patch",
];
/// Fewer addresses than this are no list.
const LIST: u64 = 10;
/// How many numbers without their name make a kind certain.
const ENOUGH: u64 = 5;

/// What was counted of one kind.
#[derive(Default)]
struct Count {
    shaped: u64,
    distinct: Distinct,
}

impl Detector for PersonalDetector {
    fn name(&self) -> &'static str {
        "personal-data"
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        if head.get(128..132) == Some(b"DICM") {
            return Want::Head;
        }
        let name = entry.lower_file_name();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        if head.is_empty() || PROGRAMS.contains(&ending) || !head.is_text() {
            return Want::Nothing;
        }
        Want::Text
    }

    fn detect(&self, view: &View<'_>, _context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        if view.head.get(128..132) == Some(b"DICM") {
            let evidence = "a DICOM image, by its own header";
            let found = finding(
                "personal.medical_image",
                "medical image",
                Severity::High,
                Confidence::High,
                entry,
                evidence.to_owned(),
            );
            output.findings.push(found);
            return;
        }
        let Some(text) = view.text else { return };
        let text = text.as_str();
        let mut found = Vec::new();
        let people = Seen::of(text, view.pieces, &mut found, entry);
        if let Some(table) = table(text) {
            found.push(of_table(&table, entry));
        } else if text.starts_with("MSH|") {
            let messages = text.lines().filter(|line| line.starts_with("MSH|")).count();
            let evidence = format!("{messages} HL7 messages");
            found.push(finding(
                "personal.health",
                "health records",
                Severity::High,
                Confidence::High,
                entry,
                evidence,
            ));
        }
        for one in &mut found {
            if let Some((count, method)) = people {
                one.detail.insert("people_estimate".into(), count.into());
                one.detail.insert("method".into(), method.into());
            }
        }
        output.findings.extend(found);
    }
}

/// What one text holds.
#[derive(Default)]
struct Seen {
    /// How much was counted of anything.
    noted: u64,
    cards: BTreeMap<&'static str, Count>,
    card_shapes: u64,
    ibans: Distinct,
    addresses: Distinct,
    domains: BTreeMap<String, u64>,
    phones: Distinct,
    national: BTreeMap<&'static str, Count>,
    lettered: BTreeMap<(&'static str, &'static str), Distinct>,
}

impl Seen {
    /// Adds what was found, and answers about how many people it is and how that was counted.
    fn of(
        text: &str,
        pieces: Option<&Pieces>,
        found: &mut Vec<Finding>,
        entry: &Entry,
    ) -> Option<(u64, &'static str)> {
        let mut seen = Self::default();
        match pieces {
            None => seen.read(text),
            // No number and no address goes over the end of a line.
            Some(pieces) => {
                for piece in pieces.each(Holds::PEOPLE) {
                    let before = seen.noted;
                    seen.read(text.get(piece.clone()).unwrap_or(""));
                    if seen.noted > before {
                        pieces.note(Holds::PEOPLE, &piece);
                    }
                }
            }
        }
        seen.say(text, found, entry)
    }

    fn note(&mut self) {
        self.noted = self.noted.saturating_add(1);
    }

    fn read(&mut self, text: &str) {
        numbers(text, &mut |number| {
            if (13..=19).contains(&number.digits().len()) {
                self.note();
                self.card_shapes = self.card_shapes.saturating_add(1);
            }
            if let Some(scheme) = card(&number) {
                self.note();
                self.cards.entry(scheme).or_default().distinct.add(number.digits());
            }
            if !number.whole {
                return;
            }
            if is_phone(&number) {
                self.note();
                self.phones.add(number.digits());
            }
            for kind in &KINDS {
                if let Some(passes) = (kind.check)(&number) {
                    self.note();
                    let count = self.national.entry(kind.id).or_default();
                    count.shaped = count.shaped.saturating_add(1);
                    if passes {
                        count.distinct.add(number.digits());
                    }
                }
            }
        });
        ibans(text, &mut |iban| {
            self.note();
            self.ibans.add(&iban);
        });
        addresses(text, &mut |name, domain| {
            self.note();
            self.addresses.add(&(name, domain));
            if let Some(count) = self.domains.get_mut(domain) {
                *count = count.saturating_add(1);
            } else if self.domains.len() < 10_000 {
                self.domains.insert(domain.to_owned(), 1);
            }
        });
        coded_words(text, &mut |word| {
            if matches!(word.len(), 9 | 11 | 16)
                && let Some(kind) = lettered(word)
            {
                self.note();
                self.lettered.entry(kind).or_default().add(word);
            }
        });
    }

    fn say(
        self,
        text: &str,
        found: &mut Vec<Finding>,
        entry: &Entry,
    ) -> Option<(u64, &'static str)> {
        let lower = std::cell::OnceCell::new();
        let names = |words: &[&str]| {
            // All that is asked for is ASCII.
            let text = lower.get_or_init(|| text.to_ascii_lowercase());
            words.iter().any(|word| is_word(text, word))
        };
        let mut people: Option<(u64, &'static str)> = None;
        let mut note = |count: u64, method: &'static str| {
            if people.is_none_or(|(known, _)| known < count) {
                people = Some((count, method));
            }
        };
        let cards: u64 = self.cards.values().map(|count| count.distinct.count()).sum();
        let named = cards > 0
            && names(&[
                "card",
                "cardnumber",
                "card_number",
                "pan",
                "visa",
                "mastercard",
                "kreditkarte",
                "cc",
                "ccnum",
                "credit",
            ]);
        // By chance one in forty of such numbers passes.
        let mostly = cards >= 2 && cards.saturating_mul(2) >= self.card_shapes;
        if cards > 0 && (named || mostly) {
            let schemes: Vec<String> = self
                .cards
                .iter()
                .map(|(scheme, count)| format!("{scheme} {}", count.distinct.count()))
                .collect();
            let evidence = format!(
                "{cards} different card numbers with true check digits: {}",
                schemes.join(", ")
            );
            let sure = if named && cards >= 3 { Confidence::High } else { Confidence::Medium };
            found.push(counted(
                "personal.payment_cards",
                "payment cards",
                cards,
                sure,
                entry,
                evidence,
            ));
            note(cards, "different payment cards");
        }
        let accounts = self.ibans.count();
        if accounts > 0 {
            let evidence = format!("{accounts} different IBANs with true check digits");
            found.push(counted(
                "personal.iban",
                "bank accounts",
                accounts,
                Confidence::High,
                entry,
                evidence,
            ));
            note(accounts, "different bank accounts");
        }
        for kind in &KINDS {
            let Some(count) = self.national.get(kind.id) else { continue };
            let distinct = count.distinct.count();
            let named = distinct > 0 && names(kind.words);
            let share = |part: u64| {
                distinct.saturating_mul(part) >= count.shaped.saturating_mul(part.saturating_sub(1))
            };
            if !((named && share(3)) || (kind.is_strong && distinct >= ENOUGH && share(10))) {
                continue;
            }
            let sure = if named { Confidence::High } else { Confidence::Medium };
            let evidence =
                format!("{distinct} different numbers that pass the check of a {}", kind.title);
            let rule = format!("personal.national_id.{}", kind.id);
            found.push(counted(&rule, kind.title, distinct, sure, entry, evidence));
            note(distinct, "different national ids");
        }
        for ((id, title), distinct) in &self.lettered {
            let distinct = distinct.count();
            let evidence = format!("{distinct} different codes that pass the check of a {title}");
            let rule = format!("personal.national_id.{id}");
            let sure = if distinct >= 3 { Confidence::High } else { Confidence::Medium };
            found.push(counted(&rule, title, distinct, sure, entry, evidence));
            note(distinct, "different national ids");
        }
        let addresses = self.addresses.count();
        if addresses >= LIST {
            let mut domains: Vec<(u64, &str)> =
                self.domains.iter().map(|(domain, count)| (*count, domain.as_str())).collect();
            domains.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
            let evidence =
                format!("{addresses} different e-mail addresses in {} domains", domains.len());
            let most: Vec<Value> = domains
                .iter()
                .take(5)
                .map(|(count, domain)| serde_json::json!({"domain": domain, "addresses": count}))
                .collect();
            found.push(
                list("personal.email_list", "list of e-mail addresses", addresses, entry, evidence)
                    .with_detail("domains", most),
            );
            note(addresses, "different e-mail addresses");
        }
        let phones = self.phones.count();
        if phones >= LIST {
            let evidence = format!("{phones} different telephone numbers");
            found.push(list(
                "personal.phone_list",
                "list of telephone numbers",
                phones,
                entry,
                evidence,
            ));
            note(phones, "different telephone numbers");
        }
        people
    }
}

/// Whether a word stands in a text in lower case, not as a part of a longer one.
fn is_word(text: &str, word: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), word).any(|at| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at.saturating_add(word.len())..).and_then(|rest| rest.chars().next());
        !before.is_some_and(char::is_alphabetic) && !after.is_some_and(char::is_alphabetic)
    })
}

fn of_table(table: &Table, entry: &Entry) -> Finding {
    let (rule, title) = table.subject.words();
    let evidence =
        format!("{} rows, by the names of its columns: {}", table.rows, table.columns.join(", "));
    let severity = match (rule, table.rows) {
        ("personal.health", 100..) => Severity::Critical,
        ("personal.health", _) | ("personal.hr", 10..) | (_, 1000..) => Severity::High,
        (_, 10..) => Severity::Medium,
        _ => Severity::Low,
    };
    finding(rule, title, severity, Confidence::Medium, entry, evidence)
        .with_detail("rows", table.rows)
}

/// A finding about numbers that are worth something by themselves.
fn counted(
    rule: &str,
    title: &str,
    count: u64,
    confidence: Confidence,
    entry: &Entry,
    evidence: String,
) -> Finding {
    let severity = match count {
        1000.. => Severity::Critical,
        5.. => Severity::High,
        _ => Severity::Medium,
    };
    finding(rule, title, severity, confidence, entry, evidence).with_detail("count", count)
}

/// A finding about a list of contacts.
fn list(rule: &str, title: &str, count: u64, entry: &Entry, evidence: String) -> Finding {
    let severity = match count {
        10_000.. => Severity::High,
        1000.. => Severity::Medium,
        _ => Severity::Low,
    };
    finding(rule, title, severity, Confidence::High, entry, evidence).with_detail("count", count)
}

fn finding(
    rule: &str,
    title: &str,
    severity: Severity,
    confidence: Confidence,
    entry: &Entry,
    evidence: String,
) -> Finding {
    let place = Place::whole(entry.provenance.clone());
    Finding::new(rule, Category::PersonalData, severity, confidence, title, &place, evidence)
}
