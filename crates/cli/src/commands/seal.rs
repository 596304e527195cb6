//! `lidless seal`: records what lies in a folder, signed with the user's key.

use crate::args::SealArguments;
use crate::input;
use anyhow::{Context as _, Result, bail};
use lidless_seal::{SigningKey, read_folder, sign};
use std::io::Write as _;

/// Reads every file and writes the seal.
pub(crate) fn run(arguments: &SealArguments) -> Result<u8> {
    let folder = input::folder(&arguments.target)?;
    let pem = input::private_file(&arguments.key)?;
    let shown = arguments.key.display();
    let key = SigningKey::parse(&pem).with_context(|| format!("{shown} is refused"))?;
    let output = arguments.output.clone().unwrap_or_else(|| folder.join("model.sig"));
    let ignored = input::inside(&folder, &output);
    let found = read_folder(&folder, &ignored)?;
    if let Some(name) = found.odd.first() {
        bail!(
            "{name} is a link or a special file, which a seal does not follow: replace it with \
             what it points at, or take it out"
        );
    }
    if found.files.is_empty() {
        bail!("{} holds no file", folder.display());
    }
    let name = folder
        .file_name()
        .map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned());
    let manifest = found.manifest(&folder, arguments.name.as_deref().unwrap_or(&name), &ignored)?;
    let seal = sign(&manifest, &key)?;
    std::fs::write(&output, seal).with_context(|| format!("cannot write {}", output.display()))?;
    let bytes: u64 = manifest.observed.iter().map(|one| one.size_bytes).sum();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "Sealed {} files, {bytes} bytes, in {}.\nLater: lidless verify {} --seal {} --key \
         PUBLIC-KEY",
        manifest.resources.len(),
        output.display(),
        folder.display(),
        output.display()
    )?;
    Ok(0)
}
