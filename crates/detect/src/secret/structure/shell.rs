//! Shell scripts, profiles and histories: variables, and what is given to commands.

use super::format::{Format, Source};
use super::key::{Key, Meaning};
use super::pair::{Form, Pairs};
use super::reader::{Reader, trim, unquote};
use std::ops::Range;

/// Lines of commands.
pub(super) struct Shell;

const LONGEST_LINE: usize = 8 << 10;

const ENDINGS: [&str; 12] = [
    "sh",
    "bash",
    "zsh",
    "fish",
    "ksh",
    "bat",
    "cmd",
    "ps1",
    "psm1",
    "profile",
    "dockerfile",
    "history",
];

impl Format for Shell {
    fn fits(&self, source: &Source<'_>) -> bool {
        let first = source.start().lines().next().unwrap_or("");
        let interpreter = first.starts_with("#!")
            && (first.contains("sh") && !first.contains("python") && !first.contains("perl"));
        source.ends(&ENDINGS)
            || interpreter
            || source.name.ends_with("_history")
            || source.name.ends_with("bashrc")
            || source.name.ends_with("zshrc")
            || source.name.ends_with("_aliases")
            || source.name.ends_with("_profile")
            || source.is_named(&[
                "dockerfile",
                "containerfile",
                "profile",
                ".login",
                ".zprofile",
                ".zshenv",
                ".envrc",
            ])
    }

    /// `mysql -pPASSWORD` has no word that speaks of one.
    fn is_always_read(&self) -> bool {
        true
    }

    fn read<'t>(&self, source: &Source<'t>, pairs: &mut Pairs<'t>) {
        let text = source.text;
        let mut at = 0_usize;
        for line in text.split_inclusive('\n') {
            let whole = at..at.saturating_add(line.len());
            at = whole.end;
            if line.len() <= LONGEST_LINE && speaks(line) {
                read_line(text, trim(text, whole), pairs);
            }
        }
    }
}

/// Whether a line can hold anything at all.
fn speaks(line: &str) -> bool {
    line.len() > 5 && !line.trim_start().starts_with('#')
}

/// A command, what of it takes a password attached to a flag, behind one, and a login behind one.
struct Command {
    names: &'static [&'static str],
    attached: &'static [&'static str],
    behind: &'static [&'static str],
    login: &'static [&'static str],
}

const COMMANDS: [Command; 13] = [
    Command {
        names: &["mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump"],
        attached: &["-p"],
        behind: &[],
        login: &[],
    },
    Command {
        names: &["curl", "wget"],
        attached: &[],
        behind: &[],
        login: &["-u", "-U", "--user", "--proxy-user"],
    },
    Command { names: &["sshpass"], attached: &["-p"], behind: &["-p"], login: &[] },
    Command {
        names: &["docker", "podman", "helm", "az", "skopeo", "buildah"],
        attached: &[],
        behind: &[],
        login: &[],
    },
    Command { names: &["redis-cli"], attached: &[], behind: &["-a", "--pass"], login: &[] },
    Command {
        names: &["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"],
        attached: &[],
        behind: &["-p"],
        login: &[],
    },
    Command { names: &["sqlcmd", "bcp"], attached: &["-P"], behind: &["-P"], login: &[] },
    Command {
        names: &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldappasswd", "ldapwhoami"],
        attached: &["-w"],
        behind: &["-w"],
        login: &[],
    },
    Command { names: &["xfreerdp", "wfreerdp"], attached: &["/p:"], behind: &[], login: &[] },
    Command { names: &["rdesktop"], attached: &[], behind: &["-p"], login: &[] },
    Command {
        names: &["keytool", "jarsigner"],
        attached: &[],
        behind: &["-storepass", "-keypass", "-srcstorepass", "-deststorepass"],
        login: &[],
    },
    Command { names: &["openssl"], attached: &["pass:"], behind: &["-k"], login: &[] },
    Command {
        names: &["smbclient", "rpcclient", "crackmapexec", "net"],
        attached: &[],
        behind: &[],
        login: &["-U"],
    },
];

/// Words after which a name and its value stand as two words.
const NAMED: [&str; 5] = ["setx", "setenv", "ENV", "set", "setparam"];

fn read_line<'t>(text: &'t str, line: Range<usize>, pairs: &mut Pairs<'t>) {
    let words = words(text, line.clone());
    let word = |at: usize| words.get(at).and_then(|range| text.get(range.clone())).unwrap_or("");
    // `$env:NAME = "value"`, `$password = "value"`
    if word(0).starts_with('$') && (word(1) == "=" || word(0).contains('=')) {
        let start = line.start.saturating_add(1);
        let start = if word(0).starts_with("$env:") { start.saturating_add(4) } else { start };
        super::lines::setting(text, start..line.end, &[], 0, pairs);
    }
    let mut command: Option<&Command> = None;
    let mut at = 0_usize;
    while let Some(range) = words.get(at) {
        let one = word(at);
        let next = words.get(at.saturating_add(1)).cloned();
        at = at.saturating_add(1);
        if let Some((name, _)) = one.split_once('=').filter(|(name, _)| is_name(name)) {
            let start = range.start.saturating_add(name.len()).saturating_add(1);
            let span = unquote(text, start..range.end);
            pairs.push(&[], name, span, 0, Form::Setting);
            continue;
        }
        if NAMED.contains(&one) {
            // `set -gx NAME value`
            let mut from = at;
            while word(from).starts_with(['-', '/']) {
                from = from.saturating_add(1);
            }
            if let Some(span) = words.get(from.saturating_add(1))
                && is_name(word(from))
            {
                pairs.push(&[], word(from), unquote(text, span.clone()), 0, Form::Setting);
            }
            continue;
        }
        let base = one.rsplit(['/', '\\']).next().unwrap_or("");
        let base = base.strip_suffix(".exe").unwrap_or(base);
        if let Some(found) = COMMANDS.iter().find(|known| known.names.contains(&base)) {
            command = Some(found);
            continue;
        }
        if matches!(one, "|" | "&&" | ";" | "||") {
            command = None;
            continue;
        }
        if base == "ConvertTo-SecureString"
            && text.get(line.clone()).is_some_and(|l| l.contains("-AsPlainText"))
        {
            if let Some(span) =
                next.filter(|span| !text.get(span.clone()).unwrap_or("-").starts_with(['-', '$']))
            {
                pairs.push_as(
                    Meaning::Password,
                    "ConvertTo-SecureString",
                    unquote(text, span),
                    0,
                    Form::Command,
                );
            }
            continue;
        }
        if let Some(known) = command {
            argument(text, known, range, next, pairs);
        }
        if one.starts_with("--") || (one.starts_with('-') && one.len() > 4) {
            flag(text, range, words.get(at), pairs);
        }
    }
}

fn argument<'t>(
    text: &'t str,
    known: &Command,
    range: &Range<usize>,
    next: Option<Range<usize>>,
    pairs: &mut Pairs<'t>,
) {
    let one = text.get(range.clone()).unwrap_or("");
    let name = known.names.first().copied().unwrap_or("");
    if let Some(flag) = known.attached.iter().find(|flag| one.starts_with(**flag))
        && one.len() > flag.len()
    {
        let span = unquote(text, range.start.saturating_add(flag.len())..range.end);
        pairs.push_as(Meaning::Password, name, span, 0, Form::Command);
    } else if known.behind.contains(&one)
        && let Some(span) = next
    {
        pairs.push_as(Meaning::Password, name, unquote(text, span), 0, Form::Command);
    } else if known.login.contains(&one)
        && let Some(span) = next
    {
        let span = unquote(text, span);
        let login = text.get(span.clone()).unwrap_or("");
        let Some(colon) = login.find([':', '%']) else { return };
        let group = pairs.group(0);
        let middle = span.start.saturating_add(colon);
        pairs.push_as(Meaning::User, name, span.start..middle, group, Form::Command);
        pairs.push_as(
            Meaning::Password,
            name,
            middle.saturating_add(1)..span.end,
            group,
            Form::Command,
        );
    }
}

/// `--password=a`, `--api-key a`, `-Password a`.
fn flag<'t>(
    text: &'t str,
    range: &Range<usize>,
    next: Option<&Range<usize>>,
    pairs: &mut Pairs<'t>,
) {
    let one = text.get(range.clone()).unwrap_or("");
    let (name, span) = match one.split_once('=') {
        Some((name, rest)) => (name, range.end.saturating_sub(rest.len())..range.end),
        None => match next {
            Some(next) if !text.get(next.clone()).unwrap_or("-").starts_with('-') => {
                (one, next.clone())
            }
            _ => return,
        },
    };
    let means = Key::read(name, &[]).map(|key| key.meaning);
    if matches!(means, Some(Meaning::Password | Meaning::Token)) {
        pairs.push(&[], name.trim_start_matches('-'), unquote(text, span), 0, Form::Command);
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 80
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The words of a line, each with its quotes; a comment ends them.
pub(super) fn words(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    let mut reader = Reader::new(text, line);
    let mut words = Vec::new();
    while !reader.is_done() && words.len() < 200 {
        reader.skip_space();
        let start = reader.at();
        if reader.peek() == Some(b'#') {
            break;
        }
        while let Some(byte) = reader.peek() {
            match byte {
                byte if byte.is_ascii_whitespace() => break,
                b'"' | b'\'' => {
                    reader.bump();
                    if reader.quoted(byte, false).is_none() {
                        continue;
                    }
                }
                b'\\' => {
                    reader.bump();
                    reader.bump();
                }
                b';' if reader.at() > start => break,
                _ => {
                    reader.bump();
                    if byte == b';' {
                        break;
                    }
                }
            }
        }
        if reader.at() > start {
            words.push(start..reader.at());
        }
    }
    words
}
