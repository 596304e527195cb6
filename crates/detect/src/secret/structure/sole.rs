//! Files that hold one secret and nothing else: `master.key`, `.vault_pass`, `/run/secrets/NAME`.

use super::format::{Format, Source};
use super::key::{Key, Meaning};
use super::pair::{Form, Pairs};
use super::reader::trim;

/// A file that is a secret.
pub(super) struct Sole;

/// Longer is a document.
const LONGEST: usize = 300;

impl Format for Sole {
    fn fits(&self, source: &Source<'_>) -> bool {
        let body = source.text.trim();
        if body.is_empty()
            || body.len() > LONGEST
            || body.contains(char::is_whitespace)
            || body.contains('=') && !body.ends_with('=')
        {
            return false;
        }
        let known = source.name == "master.key"
            || source.name == "hudson.util.secret"
            || (source.ending == "key" && source.path.contains("credentials/"))
            || source.name.contains("vault_pass")
            || source.name.contains("vault-pass")
            || source.name == ".vault-token"
            || source.path.contains("run/secrets/");
        // `db_password`, `db_password.txt`: a file called like a setting.
        let plain = matches!(source.ending, "" | "txt" | "secret" | "token" | "password");
        let stem = source.name.strip_suffix(".txt").unwrap_or(source.name);
        known
            || (plain
                && Key::read(stem, &[])
                    .is_some_and(|key| matches!(key.meaning, Meaning::Password | Meaning::Token)))
    }

    fn is_always_read(&self) -> bool {
        true
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        let span = trim(source.text, 0..source.text.len());
        let meaning = if source.name.contains("pass") { Meaning::Password } else { Meaning::Token };
        pairs.push_as(meaning, source.name, span, 0, Form::Store);
    }
}
