//! The response: what to do, in what order, with exact commands, and what it breaks.

use lidless_core::{
    Category, Exposure, Grant, GrantStatus, Mechanism, Report, Severity, Timestamp,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One step of the response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What to do, in a line.
    pub title: String,
    /// Why, and what to know before doing it.
    pub why: String,
    /// Commands to run on one's own machine with one's own keys; words in capitals between
    /// angle brackets are for the reader to fill in.
    pub commands: Vec<String>,
    /// What stops working.
    pub breaks: Vec<String>,
}

/// The ordered response to a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The steps, first things first.
    pub steps: Vec<Step>,
}

/// Works out the response to a report. `case` is how the user calls the case file.
#[must_use]
pub fn plan(report: &Report, case: &str, now: Timestamp) -> Plan {
    let mut steps = Vec::new();
    let mut grants: Vec<&Grant> = report.grants.iter().filter(|grant| is_open(grant)).collect();
    grants.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)));
    let mut closed: BTreeSet<&str> = BTreeSet::new();
    for grant in grants {
        if closed.contains(grant.id.as_str()) {
            continue;
        }
        let exposure = report.exposures.iter().find(|exposure| exposure.grant == grant.id);
        steps.extend(replacement(grant, exposure, place(grant, report).as_deref()));
        let also = dies_with(grant, report);
        closed.extend(also.iter().map(|other| other.id.as_str()));
        steps.extend(revocation(grant, &also, report));
    }
    if steps.is_empty() {
        return Plan { steps };
    }
    steps.push(Step {
        title: "Prove that it is closed".into(),
        why: "Asks again, read-only, whether each grant still works, and notes the time.".into(),
        commands: vec![format!("lidless check {case}")],
        breaks: Vec::new(),
    });
    steps.extend(history(report));
    steps.extend(secrets(report));
    steps.extend(models(report));
    steps.extend(prevention(report, now));
    Plan { steps }
}

fn is_open(grant: &Grant) -> bool {
    let opens = !matches!(
        grant.mechanism,
        Mechanism::AzureAnonymous
            | Mechanism::S3Anonymous
            | Mechanism::GcsAnonymous
            | Mechanism::Http
    ) || grant.status == GrantStatus::Live;
    opens && !matches!(grant.status, GrantStatus::Expired | GrantStatus::Revoked)
}

/// The account, bucket or host of a grant, and what is below it.
fn parts(resource: &str) -> (&str, &str) {
    let rest = resource.split_once("://").map_or(resource, |(_, rest)| rest);
    rest.split_once('/').unwrap_or((rest, ""))
}

/// The other open grants that rotating the same key ends.
fn dies_with<'r>(grant: &Grant, report: &'r Report) -> Vec<&'r Grant> {
    if !hangs_on_key(grant) {
        return Vec::new();
    }
    let account = parts(&grant.resource).0;
    report
        .grants
        .iter()
        .filter(|other| {
            other.id != grant.id
                && is_open(other)
                && hangs_on_key(other)
                && parts(&other.resource).0 == account
                && (other.signature.key.is_none() || other.signature.key == grant.signature.key)
        })
        .collect()
}

fn hangs_on_key(grant: &Grant) -> bool {
    match grant.mechanism {
        Mechanism::AzureAccountSas | Mechanism::AzureAccountKey => true,
        Mechanism::AzureServiceSas => grant.identifier.is_none(),
        _ => false,
    }
}

/// Where the credential still stands, as `lidless mint --from` takes it.
fn place(grant: &Grant, report: &Report) -> Option<String> {
    report
        .leads
        .iter()
        .filter(|lead| lead.grant.as_deref() == Some(grant.id.as_str()))
        .filter(|lead| lead.in_newest_tree == Some(true))
        .find_map(|lead| Some(format!("{}:{}", lead.file.as_ref()?, lead.line?)))
}

fn replacement(grant: &Grant, exposure: Option<&Exposure>, place: Option<&str>) -> Option<Step> {
    if !hangs_on_key(grant) && grant.identifier.is_none() {
        return None;
    }
    let (account, path) = parts(&grant.resource);
    let container = match path.split('/').next().filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        // What readers of the link most likely came for: the container with the models, if any,
        // cannot be told from names alone, so the reader chooses.
        None => "<CONTAINER>".to_owned(),
    };
    let reached = exposure.map_or(String::new(), |exposure| {
        let names: Vec<&str> = exposure.containers.iter().map(|c| c.name.as_str()).collect();
        format!(" It now opens: {}.", names.join(", "))
    });
    Some(Step {
        title: format!("Give the link's rightful readers another one for az://{account}"),
        why: format!(
            "A user delegation SAS for one container, read only, seven days at most: it ends by \
             itself and hangs on an identity, not on the account key.{reached}"
        ),
        commands: place
            .map(|place| {
                let container = quote(&container);
                format!("lidless mint --from {} --container {container}", quote(place))
            })
            .into_iter()
            .chain([format!(
                "az storage container generate-sas --account-name {} --name {} --permissions r \
                 --expiry \"$(date -u -d '+7 days' +%Y-%m-%dT%H:%MZ)\" --https-only \
                 --auth-mode login --as-user --output tsv",
                quote(account),
                quote(&container)
            )])
            .collect(),
        breaks: Vec::new(),
    })
}

fn revocation(grant: &Grant, also: &[&Grant], report: &Report) -> Vec<Step> {
    let (account, path) = parts(&grant.resource);
    let container = path.split('/').next().unwrap_or("");
    let places = |id: &str| {
        let found: Vec<&str> = report
            .leads
            .iter()
            .filter(|lead| lead.grant.as_deref() == Some(id))
            .map(|lead| lead.location.as_str())
            .take(3)
            .collect();
        if found.is_empty() { "place unknown".to_owned() } else { found.join(", ") }
    };
    let mut breaks: Vec<String> = also
        .iter()
        .map(|other| {
            format!(
                "also ends the {} for {} ({})",
                other.mechanism.words(),
                other.resource,
                places(&other.id)
            )
        })
        .collect();
    let title = format!("Close the {} for {}", grant.mechanism.words(), grant.resource);
    match grant.mechanism {
        Mechanism::AzureServiceSas if grant.identifier.is_some() => {
            let policy = grant.identifier.as_deref().unwrap_or("");
            breaks.push(format!("every token on the policy {policy}"));
            vec![Step {
                title,
                why: "It hangs on a stored access policy: deleting the policy ends it within half \
                      a minute, and nothing else that does not use the policy."
                    .into(),
                commands: vec![format!(
                    "az storage container policy delete --account-name {} --container-name {} \
                     --name {}",
                    quote(account),
                    quote(container),
                    quote(policy)
                )],
                breaks,
            }]
        }
        Mechanism::AzureAccountSas | Mechanism::AzureServiceSas | Mechanism::AzureAccountKey => {
            breaks.push(
                "everything else that uses this key: applications, connection strings, tokens \
                 nobody listed"
                    .into(),
            );
            let renew = |key: &str| {
                format!(
                    "az storage account keys renew --account-name {} --key {key}",
                    quote(account)
                )
            };
            let (why, commands) = match grant.signature.key.as_deref() {
                Some(key) => (
                    format!(
                        "{key} signed it. Renewing {key} ends it at once; first move what \
                         rightfully uses {key} to the other key."
                    ),
                    vec![renew(key)],
                ),
                None => (
                    "Nothing but renewing the key that signed it ends it. Which key that was is \
                     not known: give both keys to `lidless inspect --keys FILE` to find out, or \
                     renew both, key1 first, moving what rightfully uses each to the other in \
                     between."
                        .to_owned(),
                    vec![renew("key1"), renew("key2")],
                ),
            };
            vec![Step { title, why, commands, breaks }]
        }
        Mechanism::AzureUserDelegationSas => {
            breaks.push(format!("every user delegation SAS of {account}"));
            vec![Step {
                title,
                why:
                    "It hangs on a user delegation key: revoking those keys ends it, with a delay \
                      of some minutes because they are cached."
                        .into(),
                commands: vec![
                    format!(
                        "az storage account show --name {} --query resourceGroup --output tsv",
                        quote(account)
                    ),
                    format!(
                        "az storage account revoke-delegation-keys --name {} \
                         --resource-group <RESOURCE-GROUP>",
                        quote(account)
                    ),
                ],
                breaks,
            }]
        }
        Mechanism::AzureAnonymous => vec![Step {
            title,
            why: "It answers to strangers. Switch public access off for the account, or for the \
                  container when others must stay public."
                .into(),
            commands: vec![
                format!(
                    "az storage account update --name {} --allow-blob-public-access false",
                    quote(account)
                ),
                format!(
                    "az storage container set-permission --account-name {} --name {} \
                     --public-access off",
                    quote(account),
                    quote(if container.is_empty() { "<CONTAINER>" } else { container })
                ),
            ],
            breaks: vec!["every reader who comes without a credential".into()],
        }],
        _ => vec![Step { title, why: grant.revocation.clone(), commands: Vec::new(), breaks }],
    }
}

fn history(report: &Report) -> Option<Step> {
    let mut repositories: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for lead in report.leads.iter().filter(|lead| lead.commit.is_some() && lead.grant.is_some()) {
        let repository = lead
            .location
            .strip_prefix("git+file://")
            .or_else(|| lead.location.strip_prefix("git+"))
            .and_then(|rest| rest.rsplit_once('@'))
            .map_or("", |(repository, _)| repository);
        repositories.entry(repository).or_default().extend(lead.file.as_deref());
    }
    let (repository, files) = repositories.iter().next()?;
    let files: Vec<&str> = files.iter().copied().collect();
    Some(Step {
        title: "Take the link out of the history".into(),
        why: format!(
            "It stands in {}. This tidies up and closes nothing: clones, forks and caches keep \
             it, so do it after the key is renewed. The pattern cuts every SAS signature.",
            files.join(", ")
        ),
        commands: vec![
            "printf '%s\\n' 'regex:sig=[A-Za-z0-9%+/=]{43,}==>sig=REMOVED' > replacements.txt"
                .into(),
            format!("git -C {} filter-repo --replace-text replacements.txt", quote(repository)),
            format!(
                "git -C {} push --force --all && git -C {} push --force --tags",
                quote(repository),
                quote(repository)
            ),
        ],
        breaks: vec!["every commit after the first one with the link gets a new id".into()],
    })
}

fn secrets(report: &Report) -> Option<Step> {
    let mut titles: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| {
        matches!(finding.category, Category::Secret | Category::CredentialFile)
            && finding.severity >= Severity::Medium
    }) {
        let count = titles.entry(finding.title.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    if titles.is_empty() {
        return None;
    }
    let mut list: Vec<(u64, &str)> = titles.into_iter().map(|(title, n)| (n, title)).collect();
    list.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let shown: Vec<String> =
        list.iter().take(8).map(|(count, title)| format!("{count} x {title}")).collect();
    Some(Step {
        title: "Rotate what lay behind it".into(),
        why: format!(
            "Whoever held the link could read these, so treat them as known: {}{}. The report \
             lists each with its place.",
            shown.join("; "),
            if list.len() > shown.len() { "; and others" } else { "" }
        ),
        commands: Vec::new(),
        breaks: vec!["whatever still uses the old values".into()],
    })
}

fn models(report: &Report) -> Option<Step> {
    let writable: u64 = report
        .exposures
        .iter()
        .map(|exposure| exposure.writable_models)
        .fold(0, u64::saturating_add);
    if writable == 0 {
        return None;
    }
    let unsafe_models: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.rule == "model.dangerous")
        .map(|finding| finding.location.as_str())
        .take(5)
        .collect();
    Some(Step {
        title: "Publish the models anew".into(),
        why: format!(
            "{writable} model files could be overwritten by anyone with the link. Compare each \
             with the copy it was published from, tell those who loaded them, and publish in a \
             format without code (safetensors).{}",
            if unsafe_models.is_empty() {
                String::new()
            } else {
                format!(" Take down first: {}.", unsafe_models.join(", "))
            }
        ),
        commands: Vec::new(),
        breaks: Vec::new(),
    })
}

fn prevention(report: &Report, _now: Timestamp) -> Option<Step> {
    let accounts: BTreeSet<&str> = report
        .grants
        .iter()
        .filter(|grant| hangs_on_key(grant) && is_open(grant))
        .map(|grant| parts(&grant.resource).0)
        .collect();
    if accounts.is_empty() {
        return None;
    }
    Some(Step {
        title: "Make it impossible next time".into(),
        why: "Without shared key access no token like this one can be made; with an expiration \
              policy a long one stands out in the logs."
            .into(),
        commands: accounts
            .iter()
            .flat_map(|account| {
                [
                    format!(
                        "az storage account update --name {} --sas-expiration-period 7.00:00:00",
                        quote(account)
                    ),
                    format!(
                        "az storage account update --name {} --allow-shared-key-access false",
                        quote(account)
                    ),
                ]
            })
            .collect(),
        breaks: vec!["everything that uses an account key or a SAS signed with one".into()],
    })
}

/// Quotes a word for a shell. Names come from data that strangers can write.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./<>$:".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('-') {
        return if word.contains(['$', '<', '>']) && !word.starts_with('<') {
            format!("'{word}'")
        } else {
            word.to_owned()
        };
    }
    let clean: String = word.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", clean.replace('\'', "'\\''"))
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.steps.is_empty() {
            return writeln!(f, "  Nothing to close: no grant in this case is open.");
        }
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "  {}  {}", number.saturating_add(1), step.title)?;
            for line in wrap(&step.why, 72) {
                writeln!(f, "     {line}")?;
            }
            for command in &step.commands {
                writeln!(f, "\n       {command}")?;
            }
            if !step.breaks.is_empty() {
                writeln!(f)?;
            }
            for broken in &step.breaks {
                for (index, line) in wrap(broken, 64).into_iter().enumerate() {
                    writeln!(f, "     {} {line}", if index == 0 { "breaks:" } else { "       " })?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Breaks a text into lines of at most `width` characters where words allow it.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count().saturating_add(word.chars().count()) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_data_cannot_leave_their_quotes() {
        assert_eq!(quote("contoso"), "contoso");
        assert_eq!(quote("a b; rm -rf /"), "'a b; rm -rf /'");
        assert_eq!(quote("it's"), "'it'\\''s'");
        assert_eq!(quote("$(id)"), "'$(id)'");
        assert_eq!(quote("-x"), "'-x'");
    }
}
