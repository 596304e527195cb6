//! Targets, tokens and keys as they are given.

use anyhow::{Context as _, Result, bail};
use lidless_core::Scope;
use lidless_engine::{AllowedImports, Inventory, InventoryPlace, Target};
use lidless_storage::Endpoints;
use lidless_token::{Credential, KeyRing};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most that is read from standard input or a file of targets.
const LIMIT: u64 = 64 << 20;

/// A word of the command line: `-`, `@FILE`, or itself. Says where it came from.
fn expand(word: &str, position: usize) -> Result<(String, String)> {
    if word == "-" {
        let mut text = String::new();
        std::io::stdin()
            .take(LIMIT)
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
        return Ok((text, "standard input".into()));
    }
    if let Some(path) = word.strip_prefix('@') {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {path}"))?;
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes).with_context(|| format!("cannot read {path}"))?;
        let text = lidless_core::Text::decode(&bytes)
            .with_context(|| format!("{path} is not a text file"))?;
        return Ok((text.as_str().to_owned(), path.to_owned()));
    }
    Ok((word.to_owned(), format!("argument {}", position.saturating_add(1))))
}

/// Understands the targets of a scan.
pub(crate) fn targets(words: &[String]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for (position, word) in words.iter().enumerate() {
        let (text, source) = expand(word, position)?;
        if text.trim().is_empty() {
            bail!("{source} is empty: give a path, a git URL, a storage URL or a token");
        }
        if word == "-" || word.starts_with('@') {
            let found = credentials_in(&text);
            if found.is_empty() {
                for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    targets.push(Target::parse(line, &source)?);
                }
            } else {
                targets.extend(found.into_iter().map(|credential| Target::Credential {
                    credential: Box::new(credential),
                    source: source.clone(),
                }));
            }
        } else {
            targets.push(Target::parse(&text, &source)?);
        }
    }
    Ok(targets)
}

/// Understands `--inventory`: manifests on this machine are opened at once.
pub(crate) fn inventories(words: &[String]) -> Result<Vec<InventoryPlace>> {
    let understood = words.iter().enumerate().map(|(position, word)| {
        let (text, source) = expand(word, position)?;
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let is_given = word == "-" || word.starts_with('@');
        let [link] = lines.as_slice() else {
            bail!("{source} holds no link to a manifest, or more than one line");
        };
        if !link.contains("://") && !is_given {
            return Ok(InventoryPlace::Here(Inventory::open(Path::new(word))?));
        }
        Ok(InventoryPlace::parse(link, &source)?)
    });
    understood.collect::<Result<_>>().context("--inventory")
}

/// The credentials that `inspect` is given.
pub(crate) fn credentials(words: &[String]) -> Result<Vec<Credential>> {
    let mut credentials = Vec::new();
    for (position, word) in words.iter().enumerate() {
        let (text, source) = expand(word, position)?;
        let found = credentials_in(&text);
        if found.is_empty() {
            bail!(
                "{source} holds no storage credential or URL that is understood: it takes a SAS, \
                 a presigned URL, a connection string or a storage URL, whole"
            );
        }
        credentials.extend(found);
    }
    Ok(credentials)
}

fn credentials_in(text: &str) -> Vec<Credential> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let each: Option<Vec<Credential>> =
        lines.iter().map(|line| lidless_token::read(line)).collect();
    match each {
        Some(each) if !each.is_empty() => each,
        // Not one a line: a text with credentials somewhere in it, or one wrapped over lines.
        _ => {
            let mut found: Vec<Credential> = lidless_token::recognise(text)
                .into_iter()
                .map(|sighting| sighting.credential)
                .collect();
            let mut known = std::collections::BTreeSet::new();
            found.retain(|credential| known.insert(credential.id()));
            if found.is_empty() { lidless_token::read(text).into_iter().collect() } else { found }
        }
    }
}

/// The one credential that `mint` is given: also `FILE:LINE`, as reports name places.
pub(crate) fn one_credential(word: &str) -> Result<Credential> {
    if let Some((path, line)) = word.rsplit_once(':')
        && let Ok(line) = line.parse::<usize>()
        && Path::new(path).is_file()
    {
        let (text, _) = expand(&format!("@{path}"), 0)?;
        let on_line = |at: usize| {
            let before = text.as_bytes().get(..at).unwrap_or(&[]);
            before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
        };
        let found = lidless_token::recognise(&text)
            .into_iter()
            .find(|one| (on_line(one.span.start)..=on_line(one.span.end)).contains(&line));
        return match found {
            Some(one) => Ok(one.credential),
            None => bail!("line {line} of {path} holds no storage credential"),
        };
    }
    let mut found = credentials(&[word.to_owned()])?;
    // Links without a credential beside a token are where it points, not what to replace.
    if found.iter().any(|one| !matches!(one, Credential::Link(_))) {
        found.retain(|one| !matches!(one, Credential::Link(_)));
    }
    if found.len() > 1 {
        bail!("that holds {} credentials: give one, as FILE:LINE", found.len());
    }
    found.pop().context("that holds no storage credential")
}

/// Reads keys from a file that nobody else can read, from standard input (`-`), or from
/// `LIDLESS_KEYS`, where lines may also be separated by spaces.
pub(crate) fn keys(path: Option<&Path>) -> Result<KeyRing> {
    let Some(path) = path else {
        let Ok(text) = std::env::var("LIDLESS_KEYS") else { return Ok(KeyRing::default()) };
        let text = if text.trim_start().starts_with('{') {
            text
        } else {
            text.split_whitespace().collect::<Vec<_>>().join("\n")
        };
        return KeyRing::parse(&text).map_err(|error| anyhow::anyhow!("LIDLESS_KEYS: {error}"));
    };
    let shown = path.display();
    if path == Path::new("-") {
        let (text, _) = expand("-", 0)?;
        return KeyRing::parse(&text).map_err(|error| anyhow::anyhow!("standard input: {error}"));
    }
    let text = private_file(path)?;
    KeyRing::parse(&text).map_err(|error| anyhow::anyhow!("{shown}: {error}"))
}

/// Reads a list of names that models may import.
pub(crate) fn imports(path: Option<&Path>) -> Result<AllowedImports> {
    let Some(path) = path else { return Ok(AllowedImports::default()) };
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    AllowedImports::from_toml(&text).map_err(|error| anyhow::anyhow!("{shown}: {error}"))
}

/// Reads a file with keys; refuses one that others can read.
pub(crate) fn private_file(path: &Path) -> Result<String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    if mode & 0o077 != 0 {
        bail!("{shown} holds keys and others can read it: run chmod 600 {shown} first");
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))
}

/// A folder that is there, by its whole path.
pub(crate) fn folder(path: &Path) -> Result<PathBuf> {
    let shown = path.display();
    let whole = path.canonicalize().with_context(|| format!("cannot read {shown}"))?;
    if !whole.is_dir() {
        bail!("{shown} is no folder: seals are made of folders");
    }
    Ok(whole)
}

/// The path of a file below a folder, when it lies there, as a list of what to leave out.
pub(crate) fn inside(folder: &Path, file: &Path) -> Vec<String> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize().ok();
    let whole = parent.zip(file.file_name()).map(|(parent, name)| parent.join(name));
    let below = whole.and_then(|whole| whole.strip_prefix(folder).ok().map(Path::to_owned));
    below.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Reads a scope file; without one, the rules for none.
pub(crate) fn scope(path: Option<&Path>, now: lidless_core::Timestamp) -> Result<Scope> {
    let Some(path) = path else { return Ok(Scope::without_file()) };
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    Scope::from_toml(&text, now).with_context(|| format!("{shown} is refused"))
}

/// Whether a built-in rule asks an issuer of this name.
fn is_issuer(name: &str) -> bool {
    let asked = lidless_detect::secret_rules().iter().filter_map(|rule| rule.verify.as_ref());
    asked.into_iter().any(|verify| verify.issuer == name)
}

/// Understands `SERVICE=URL`.
pub(crate) fn endpoints(words: &[String]) -> Result<Endpoints> {
    let mut endpoints = Endpoints::default();
    for word in words {
        let Some((service, url)) = word.split_once('=') else {
            bail!("--endpoint {word}: write it as azure=http://127.0.0.1:10000");
        };
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            bail!("--endpoint {word}: the URL has to start with http:// or https://");
        }
        let url = Some(url.trim_end_matches('/').to_owned());
        match service {
            "azure" => endpoints.azure = url,
            "s3" => endpoints.s3 = url,
            "gcs" => endpoints.gcs = url,
            "azure-file" | "azure-queue" | "azure-table" => {
                let label = service.trim_start_matches("azure-").to_owned();
                endpoints.azure_services.extend(url.map(|url| (label, url)));
            }
            _ => match service.strip_prefix("verify:") {
                Some(name) if is_issuer(name) => {
                    endpoints.issuers.extend(url.map(|url| (name.to_owned(), url)));
                }
                Some(_) => bail!(
                    "--endpoint {word}: no rule asks an issuer of that name; lidless rules \
                     explain RULE says the name of each"
                ),
                None => bail!(
                    "--endpoint {word}: the service is one of azure, s3, gcs, azure-file, \
                     azure-queue, azure-table, or verify:ISSUER"
                ),
            },
        }
    }
    Ok(endpoints)
}
