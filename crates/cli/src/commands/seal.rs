//! `lidless seal`: records what lies in a folder or a store, signed with the user's key.

use crate::args::{ReachArguments, SealArguments};
use crate::request::bare;
use crate::{input, own_keys};
use anyhow::{Context as _, Result, bail};
use lidless_core::Timestamp;
use lidless_engine::{SeenObject, StoreView, Target, observe, observe_folder};
use lidless_seal::{
    Algorithm, Digests, Manifest, Observed, Resource, SigningKey, digest, is_left_out, left_out,
    sign,
};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Reads what there is and writes the seal.
pub(crate) fn run(arguments: &SealArguments) -> Result<u8> {
    let pem = input::private_file(&arguments.key)?;
    let shown = arguments.key.display();
    let key = SigningKey::parse(&pem).with_context(|| format!("{shown} is refused"))?;
    let folder = folder(&arguments.target)?;
    let beside = || folder.clone().unwrap_or_default().join("model.sig");
    let output = arguments.output.clone().unwrap_or_else(beside);
    let Some(folder) = folder else {
        let view = store(&arguments.target, &arguments.reach)?;
        if view.objects.is_empty() {
            bail!("{} holds no object", view.name);
        }
        let manifest = manifest(arguments, &view, arguments.content, Vec::new())?;
        let how = if arguments.content { "read" } else { "listed, not read" };
        return write(&manifest, &key, &output, &format!("objects of {}, {how}", view.name));
    };
    let ignored = left_out(&input::inside(&folder, &output));
    let view = observe_folder(&folder, &|name| is_left_out(name, &ignored))?;
    if let Some(name) = view.odd.first() {
        bail!(
            "{name} is a link or a special file, which a seal does not follow: replace it with \
             what it points at, or take it out"
        );
    }
    if view.objects.is_empty() {
        bail!("{} holds no file", folder.display());
    }
    write(&manifest(arguments, &view, true, ignored)?, &key, &output, "files")
}

/// The folder that a target names; none when it has to be a store.
pub(crate) fn folder(target: &str) -> Result<Option<PathBuf>> {
    let path = Path::new(target);
    if path.exists() { input::folder(path).map(Some) } else { Ok(None) }
}

/// The store that a target names.
pub(crate) fn store(target: &str, reach: &ReachArguments) -> Result<StoreView> {
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
    Ok(observe(&settings)?)
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

fn manifest(
    arguments: &SealArguments,
    view: &StoreView,
    content: bool,
    ignored: Vec<String>,
) -> Result<Manifest> {
    let (mut resources, mut seen) = (Vec::new(), Vec::new());
    for one in &view.objects {
        let mut record = observed(one);
        if content {
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
    let last = view.name.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("model");
    let name = arguments.name.clone().unwrap_or_else(|| last.to_owned());
    Ok(Manifest { name, resources, ignored, observed: seen })
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
