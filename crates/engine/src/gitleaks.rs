//! What gitleaks was told to allow: its baseline (a JSON report), `.gitleaksignore`, and the paths
//! of the allow lists in `.gitleaks.toml`. Its rules have other names, so the place or the secret
//! itself decides.

use lidless_core::{FingerprintKey, Identity, Secret};
use serde::Deserialize;

/// One place or secret that gitleaks was told to allow.
#[derive(Clone)]
pub struct Allowed {
    commit: Option<String>,
    path: String,
    line: Option<u64>,
    /// None when the report was redacted.
    secret: Option<Secret>,
    source: &'static str,
}

impl std::fmt::Debug for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Allowed({}:{:?})", self.path, self.line)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    file: String,
    #[serde(default)]
    start_line: Option<u64>,
    #[serde(default)]
    commit: String,
    #[serde(default)]
    secret: String,
}

#[derive(Deserialize, Default)]
struct Configuration {
    #[serde(default)]
    allowlist: Option<List>,
    #[serde(default)]
    allowlists: Vec<List>,
}

#[derive(Deserialize, Default)]
struct List {
    #[serde(default)]
    paths: Vec<String>,
}

/// Reads a baseline of gitleaks: its report in JSON.
///
/// # Errors
/// When it is none.
pub fn gitleaks_baseline(text: &str) -> Result<Vec<Allowed>, String> {
    let rows: Vec<Row> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let allowed = rows.into_iter().map(|row| Allowed {
        commit: (!row.commit.is_empty()).then_some(row.commit),
        path: row.file.replace('\\', "/"),
        line: row.start_line,
        secret: (!row.secret.is_empty()
            && !row.secret.contains("REDACTED")
            && !row.secret.ends_with("..."))
        .then(|| Secret::new(row.secret)),
        source: "gitleaks baseline",
    });
    Ok(allowed.collect())
}

/// Reads `.gitleaksignore`: a line `COMMIT:FILE:RULE:LINE` or `FILE:RULE:LINE`. Gives the lines
/// that are neither, by number.
#[must_use]
pub fn gitleaks_ignore(text: &str) -> (Vec<Allowed>, Vec<usize>) {
    let mut allowed = Vec::new();
    let mut wrong = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match fingerprint(line) {
            Some(one) => allowed.push(one),
            None => wrong.push(at.saturating_add(1)),
        }
    }
    (allowed, wrong)
}

fn fingerprint(line: &str) -> Option<Allowed> {
    let mut parts = line.rsplitn(3, ':');
    let number: u64 = parts.next()?.parse().ok()?;
    let _rule = parts.next()?;
    let rest = parts.next()?;
    let commit = rest.split_once(':').filter(|(commit, _)| is_commit(commit));
    let (commit, path) = match commit {
        Some((commit, path)) => (Some(commit.to_owned()), path),
        None => (None, rest),
    };
    Some(Allowed {
        commit,
        path: path.trim_start_matches("./").to_owned(),
        line: Some(number),
        secret: None,
        source: ".gitleaksignore",
    })
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The expressions of paths in the allow lists of `.gitleaks.toml`.
///
/// # Errors
/// When it is no TOML.
pub fn gitleaks_paths(text: &str) -> Result<Vec<String>, String> {
    let read: Configuration = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let lists = read.allowlist.into_iter().chain(read.allowlists);
    Ok(lists.flat_map(|list| list.paths).collect())
}

impl Allowed {
    /// The path it is about.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// In which file of gitleaks it stood.
    pub(crate) fn source(&self) -> &'static str {
        self.source
    }

    /// Whether it allows a finding in its path: the same secret, or the same line of the same
    /// commit. A line alone decides only where nobody wrote the secret down: what stands there
    /// tomorrow is another one.
    pub(crate) fn allows(
        &self,
        commit: Option<&str>,
        line: Option<u64>,
        identity: Option<&Identity>,
        key: &FingerprintKey,
    ) -> bool {
        if let (Some(secret), Some(identity)) = (&self.secret, identity)
            && key.identity(secret.expose().as_bytes()) == *identity
        {
            return true;
        }
        if self.line.is_none() || self.line != line {
            return false;
        }
        match (&self.commit, commit) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (Some(_), None) => false,
            (None, _) => self.secret.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_allows_its_secrets_wherever_they_move_and_no_others() {
        let text = r#"[{"RuleID":"generic-api-key","File":"src/a.py","StartLine":3,
            "Commit":"","Secret":"tr0ub4dor-horse","Match":"x","Fingerprint":"src/a.py:g:3"},
            {"RuleID":"x","File":"b","StartLine":9,"Secret":"REDACTED"}]"#;
        let all = gitleaks_baseline(text).unwrap();
        let key = FingerprintKey::from_bytes([4; 32]);
        let (same, other) = (key.identity(b"tr0ub4dor-horse"), key.identity(b"another"));
        assert!(all[0].allows(None, Some(77), Some(&same), &key));
        assert!(!all[0].allows(None, Some(3), Some(&other), &key));
        assert!(all[1].allows(None, Some(9), Some(&other), &key));
        assert!(!all[1].allows(None, Some(8), Some(&other), &key));
        assert!(!format!("{all:?}").contains("tr0ub4dor"));
        assert!(gitleaks_baseline("{}").is_err());
    }

    #[test]
    fn an_ignore_file_names_places() {
        let commit = "a".repeat(40);
        let text = format!("# known\n{commit}:src/a.py:aws-access-token:12\nb c.txt:rule:3\nx\n");
        let (all, wrong) = gitleaks_ignore(&text);
        assert_eq!((all.len(), wrong), (2, vec![4]));
        let key = FingerprintKey::from_bytes([4; 32]);
        assert!(all[0].allows(Some(&commit), Some(12), None, &key));
        assert!(!all[0].allows(Some(&"b".repeat(40)), Some(12), None, &key));
        assert_eq!((all[1].path(), all[1].line), ("b c.txt", Some(3)));
    }

    #[test]
    fn the_allow_lists_of_a_configuration_name_paths() {
        let text = "[allowlist]\npaths = ['''go\\.sum''']\nregexes=['x']\n\
                    [[allowlists]]\ndescription='d'\npaths=['vendor/']\n[[rules]]\nid='x'\n";
        assert_eq!(gitleaks_paths(text).unwrap(), ["go\\.sum", "vendor/"]);
        assert!(gitleaks_paths("= =").is_err());
    }
}
