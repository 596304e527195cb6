//! `.netrc`: machines with their logins, in words.

use super::format::{Format, Source};
use super::key::Meaning;
use super::pair::{Form, Pairs};
use super::reader::unquote;
use super::shell;

/// Logins of machines.
pub(super) struct Netrc;

impl Format for Netrc {
    fn fits(&self, source: &Source<'_>) -> bool {
        source.name.ends_with("netrc")
            || source.name.starts_with(".netrc")
            || source.name == ".authinfo"
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        let text = source.text;
        let mut group = 0;
        let mut before = "";
        let mut at = 0_usize;
        let mut in_macro = false;
        for line in text.split_inclusive('\n') {
            let range = at..at.saturating_add(line.len());
            at = range.end;
            // A macro goes on to the next empty line.
            in_macro &= !line.trim().is_empty();
            if in_macro {
                continue;
            }
            for word in shell::words(text, range) {
                let value = text.get(word.clone()).unwrap_or("");
                let span = unquote(text, word);
                match before {
                    "machine" => {
                        group = pairs.group(0);
                        pairs.push_as(Meaning::Host, "machine", span, group, Form::Store);
                    }
                    "login" => pairs.push_as(Meaning::User, "login", span, group, Form::Store),
                    "password" => {
                        pairs.push_as(Meaning::Password, "password", span, group, Form::Store)
                    }
                    "macdef" => in_macro = true,
                    "account" => {}
                    _ => {
                        before = value;
                        continue;
                    }
                }
                before = "";
            }
        }
    }
}
