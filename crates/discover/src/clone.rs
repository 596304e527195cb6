//! Repositories elsewhere, cloned with the user's own git and its credentials.

use crate::error::DiscoverError;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A URL without userinfo, query and fragment.
pub(crate) fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or("");
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or("");
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

/// Clones a repository without its work tree; no hook and no filter runs.
///
/// # Errors
/// `Clone` with the last thing git said.
pub(crate) fn clone(url: &str) -> Result<TempDir, DiscoverError> {
    let failed = |reason: String| DiscoverError::Clone { url: shown(url), reason };
    // `ext::` runs a command by design; a leading dash would be an option.
    if url.starts_with('-') || url.contains("ext::") {
        return Err(failed("not a URL that is cloned".into()));
    }
    let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let output = Command::new("git")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"])
        .args(["clone", "--quiet", "--mirror", "--"])
        .arg(url)
        .arg(folder.path())
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(folder),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
            // git repeats the URL with whatever stood in it.
            let last = last.replace(url, &shown(url));
            let words: Vec<&str> =
                last.split_whitespace().filter(|word| !word.contains('@')).collect();
            Err(failed(words.join(" ")))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(failed("git is not installed: install it, or clone it yourself".into()))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}
