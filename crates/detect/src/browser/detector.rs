//! Which store it is, by its name and its first bytes.

use super::store::{About, finding};
use super::{chromium, firefox, safari};
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use lidless_core::{Confidence, Entry, Finding, Gap};
use lidless_records::RecordError;
use lidless_records::sqlite::Database;

/// Looks into the stores of browsers.
pub(crate) struct BrowserDetector;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Store {
    Logins,
    Cookies,
    WebData,
    History,
    FirefoxLogins,
    FirefoxKeys,
    FirefoxCookies,
    FirefoxHistory,
    SafariCookies,
}

fn store(entry: &Entry, head: &[u8]) -> Option<Store> {
    let name = entry.lower_file_name();
    let kind = match name {
        "login data" | "login data for account" => Store::Logins,
        // `Cookies` of Chromium; other programs keep other things in files of that name.
        "cookies" => Store::Cookies,
        "web data" => Store::WebData,
        "history" => Store::History,
        "logins.json" | "logins-backup.json" => Store::FirefoxLogins,
        "key4.db" => Store::FirefoxKeys,
        "cookies.sqlite" => Store::FirefoxCookies,
        "places.sqlite" => Store::FirefoxHistory,
        "cookies.binarycookies" => Store::SafariCookies,
        _ => return None,
    };
    let fits = match kind {
        Store::FirefoxLogins => memchr::memmem::find(head, b"\"logins\"").is_some(),
        Store::SafariCookies => head.starts_with(safari::MAGIC),
        _ => Database::is_one(head),
    };
    fits.then_some(kind)
}

impl Detector for BrowserDetector {
    fn name(&self) -> &'static str {
        "browser"
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        match store(entry, head) {
            None => Want::Nothing,
            Some(Store::FirefoxLogins) => Want::Text,
            Some(_) => Want::Random,
        }
    }

    fn detect(&self, view: &View<'_>, _context: &Context, output: &mut Output) {
        let artifact = view.artifact;
        let Some(kind) = store(&artifact.entry, view.head) else { return };
        let (about, found): (&About, Result<Vec<Finding>, RecordError>) = match kind {
            Store::Logins => (&chromium::LOGINS, chromium::logins(artifact)),
            Store::Cookies => (&chromium::COOKIES, chromium::cookies(artifact)),
            Store::WebData => (&chromium::HISTORY, chromium::web_data(artifact)),
            Store::History => (&chromium::HISTORY, chromium::history(artifact, "urls")),
            Store::FirefoxLogins => {
                let text = view.text.map_or("", |text| text.as_str());
                (&firefox::LOGINS, Ok(firefox::logins(artifact, text).into_iter().collect()))
            }
            Store::FirefoxKeys => (&firefox::KEYS, firefox::keys(artifact)),
            Store::FirefoxCookies => (&chromium::COOKIES, firefox::cookies(artifact)),
            Store::FirefoxHistory => {
                (&chromium::HISTORY, chromium::history(artifact, "moz_places"))
            }
            Store::SafariCookies => {
                let found = safari::cookies(artifact).map_err(RecordError::from);
                (&chromium::COOKIES, found.map(|found| found.into_iter().collect()))
            }
        };
        match found {
            Ok(found) => output.findings.extend(found),
            Err(error) => {
                let why = match error {
                    RecordError::Read(_) => "its bytes could not be read",
                    _ => "it does not parse",
                };
                let reason = format!("a store of a browser that could not be counted: {why}");
                let place = &artifact.entry.provenance;
                output.gaps.push(Gap::new(place, reason, Some(artifact.bytes.len())));
                let mut finding = finding(about, artifact, "its place and its first bytes");
                finding.confidence = Confidence::Medium;
                output.findings.push(finding);
            }
        }
    }
}
