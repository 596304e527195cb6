//! `lidless seal`: records what lies in a folder or a store, signed with the user's key.

use crate::args::{ReachArguments, SealArguments};
use crate::request::bare;
use crate::{input, own_keys};
use anyhow::{Context as _, Result, bail};
use lidless_core::Timestamp;
use lidless_engine::{SeenObject, StoreView, Target, observe};
use lidless_seal::{
    Algorithm, Digests, Manifest, Observed, Resource, SigningKey, digest, read_folder, sign,
};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Reads what there is and writes the seal.
pub(crate) fn run(arguments: &SealArguments) -> Result<u8> {
    let pem = input::private_file(&arguments.key)?;
    let shown = arguments.key.display();
    let key = SigningKey::parse(&pem).with_context(|| format!("{shown} is refused"))?;
    match store(&arguments.target, &arguments.reach)? {
        Some(view) => of_store(arguments, &view, &key),
        None => of_folder(arguments, &key),
    }
}

/// The store that a target names; none when it is a folder.
pub(crate) fn store(target: &str, reach: &ReachArguments) -> Result<Option<StoreView>> {
    if Path::new(target).exists() {
        return Ok(None);
    }
    let now = Timestamp::now();
    let mut targets = input::targets(&[target.to_owned()])?;
    match targets.as_slice() {
        [Target::Credential { .. } | Target::Store { .. }] => {}
        _ => bail!("{target}: neither a folder nor a store"),
    }
    let mut settings = bare(reach, now)?;
    let stores = own_keys::stores(&mut targets, &mut []);
    let told = (false, own_keys::Unused::Refused);
    own_keys::give(&reach.credentials, stores, &mut settings.endpoints, told)?;
    settings.targets.append(&mut targets);
    Ok(Some(observe(&settings)?))
}

/// What is recorded of an object without reading it.
pub(crate) fn observed(one: &SeenObject) -> Observed {
    Observed {
        name: one.name.clone(),
        size_bytes: one.object.size,
        modified_nanoseconds: one
            .object
            .modified
            .and_then(|time| i64::try_from(time.as_nanosecond()).ok()),
        etag: one.object.etag.clone(),
        content_md5: one.object.content_md5.clone(),
        blake3: None,
    }
}

/// Digests of an object, all of it read.
pub(crate) fn digests(one: &SeenObject) -> Result<Digests> {
    digest(&*one.bytes).map_err(|why| anyhow::anyhow!("cannot read {}: {why}", one.name))
}

fn of_store(arguments: &SealArguments, view: &StoreView, key: &SigningKey) -> Result<u8> {
    if view.objects.is_empty() {
        bail!("{} holds no object", view.name);
    }
    let (mut resources, mut seen) = (Vec::new(), Vec::new());
    for one in &view.objects {
        let mut record = observed(one);
        if arguments.content {
            let made = digests(one)?;
            record.blake3 = Some(made.blake3);
            resources.push(Resource {
                name: one.name.clone(),
                algorithm: Algorithm::Sha256,
                digest: made.sha256,
            });
        } else {
            resources.push(record.as_resource());
        }
        seen.push(record);
    }
    let last = view.name.rsplit('/').next().unwrap_or("model").to_owned();
    let name = arguments.name.clone().unwrap_or(last);
    let manifest = Manifest { name, resources, ignored: Vec::new(), observed: seen };
    let output = arguments.output.clone().unwrap_or_else(|| PathBuf::from("model.sig"));
    let how = if arguments.content { "read" } else { "listed, not read" };
    write(&manifest, key, &output, &format!("objects of {}, {how}", view.name))
}

fn of_folder(arguments: &SealArguments, key: &SigningKey) -> Result<u8> {
    let folder = input::folder(Path::new(&arguments.target))?;
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
    write(&manifest, key, &output, "files")
}

fn write(manifest: &Manifest, key: &SigningKey, output: &Path, what: &str) -> Result<u8> {
    let seal = sign(manifest, key)?;
    std::fs::write(output, seal).with_context(|| format!("cannot write {}", output.display()))?;
    let bytes: u64 = manifest.observed.iter().map(|one| one.size_bytes).sum();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "Sealed {} {what}, {bytes} bytes, in {}.\nLater: lidless verify TARGET --seal {} --key \
         PUBLIC-KEY",
        manifest.resources.len(),
        output.display(),
        output.display()
    )?;
    Ok(0)
}
