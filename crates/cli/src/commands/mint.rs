//! `lidless mint`: the least that does the job, in place of what leaked. Nothing is sent.

use crate::args::{Format, MintArguments, ReplacementKind};
use crate::{input, output};
use anyhow::{Context as _, Result, bail};
use lidless_core::Timestamp;
use lidless_report::{MintView, render_mint};
use lidless_token::{Replacement, Wish, replacements};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Proposes, compares, and signs what can be signed with the keys given.
pub(crate) fn run(arguments: &MintArguments) -> Result<u8> {
    let keys = input::keys(arguments.keys.as_deref())?;
    let credential = input::one_credential(&arguments.from)?;
    let wish = Wish {
        container: arguments.container.clone(),
        object: arguments.object.clone(),
        permissions: arguments.permissions.clone(),
        seconds: arguments.lifetime,
        ip: arguments.ip.clone(),
        now: Timestamp::now(),
    };
    let mut list = replacements(&credential, &wish, &keys)?;
    if let Some(kind) = arguments.kind {
        list.retain(|one| one.kind == kind.word());
        if list.is_empty() {
            bail!("there is no replacement of that kind for this token: leave --kind out");
        }
    }
    // One signed link is enough: the best that can be signed here.
    let signed = list.iter().find(|one| one.url.is_some());
    if let (Some(path), Some(one)) = (&arguments.output, signed) {
        save(path, one)?;
    }
    if arguments.output.is_some() && signed.is_none() {
        bail!(
            "nothing here can be signed, so there is nothing to write: give the key with --keys, \
             and say the container with --container where the token does not"
        );
    }
    match arguments.format {
        Format::Human => {
            let view = MintView {
                leaked: credential.redacted_url(),
                choices: list.iter().map(choice).collect(),
                signed: signed.map(|one| {
                    let where_to = arguments.output.as_ref().map(|path| path.display().to_string());
                    let url = one.url.as_ref().map(|url| url.expose().to_owned());
                    (one.title.clone(), where_to.or(url).unwrap_or_default())
                }),
            };
            output::to(None, |out, style| render_mint(&view, style, out))?;
        }
        Format::Json => output::to(None, |out, _| {
            let mut value = serde_json::json!({ "choices": list });
            if let (Some(object), Some(one)) = (value.as_object_mut(), signed)
                && arguments.output.is_none()
            {
                let url = one.url.as_ref().map(|url| url.expose());
                object.insert("signed".into(), serde_json::json!({ "kind": one.kind, "url": url }));
            }
            serde_json::to_writer_pretty(&mut *out, &value)?;
            writeln!(out)
        })?,
        _ => bail!("a replacement is written as human or json"),
    }
    Ok(0)
}

fn choice(one: &Replacement) -> lidless_report::MintChoice {
    lidless_report::MintChoice {
        title: one.title.clone(),
        why: one.why.clone(),
        commands: one.commands.clone(),
        rows: one
            .differences
            .iter()
            .map(|row| (row.what.to_owned(), row.before.clone(), row.after.clone()))
            .collect(),
    }
}

/// Writes the link where its owner alone can read it; never over a file that is there.
fn save(path: &Path, one: &Replacement) -> Result<()> {
    let Some(url) = &one.url else { return Ok(()) };
    let shown = path.display();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {shown}"))?;
    writeln!(file, "{}", url.expose()).with_context(|| format!("cannot write {shown}"))
}

impl ReplacementKind {
    fn word(self) -> &'static str {
        match self {
            Self::Delegation => "user_delegation",
            Self::Policy => "stored_policy",
            Self::Service => "service",
            Self::Presigned => "presigned",
        }
    }
}
