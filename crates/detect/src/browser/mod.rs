//! What browsers keep: logins, cookies, cards, history. Counted, by site, and never decrypted.

mod chromium;
mod detector;
mod firefox;
mod safari;
mod store;

pub(crate) use detector::BrowserDetector;
