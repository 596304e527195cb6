//! Credentials of the user's own for the stores they name: only when asked, and told which.

use anyhow::{Context as _, Result, bail};
use lidless_core::{Access, Provider};
use lidless_engine::{InventoryPlace, Target};
use lidless_storage::Endpoints;
use lidless_storage::chain::{self, Surroundings};
use lidless_token::Own;

/// What becomes of credentials that no store uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unused {
    /// A mistake.
    Refused,
    /// Something else may use them.
    Fine,
}

/// The targets and the places of inventories that may be given credentials.
pub(crate) fn stores<'a>(
    targets: &'a mut [Target],
    places: &'a mut [InventoryPlace],
) -> Vec<&'a mut Target> {
    let places = places.iter_mut().filter_map(|place| match place {
        InventoryPlace::There(target) => Some(target),
        InventoryPlace::Here(_) => None,
    });
    targets.iter_mut().chain(places).collect()
}

/// Gives the stores what `--credentials` names, and says which on standard error.
///
/// The settings beside a credential also say where the service is, unless `--endpoint` does.
pub(crate) fn give(
    words: &[String],
    mut stores: Vec<&mut Target>,
    endpoints: &mut Endpoints,
    (quiet, unused): (bool, Unused),
) -> Result<()> {
    for word in words {
        let (cloud, profile) = match word.split_once(':') {
            Some((cloud, profile)) => (cloud, Some(profile)),
            None => (word.as_str(), None),
        };
        let variable = |name: &str| std::env::var(name).ok();
        let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
        let around = Surroundings { variable: &variable, home };
        let found = match (cloud, profile) {
            ("aws", profile) => chain::aws(&around, profile),
            ("gcs", None) => chain::gcs(&around),
            _ => bail!("--credentials {word}: it is one of aws, aws:PROFILE, gcs"),
        };
        let own = found.with_context(|| format!("--credentials {word}"))?;
        let provider = if cloud == "aws" { Provider::Aws } else { Provider::Gcs };
        let mut used = false;
        for target in &mut stores {
            let Target::Store { access, name, own: slot } = &mut **target else { continue };
            if access.provider != provider {
                continue;
            }
            let origin = match (provider, &own.region) {
                (Provider::Aws, Some(region)) if own.endpoint.is_none() => in_region(region),
                _ => access.origin.clone(),
            };
            let access = Access {
                auth: own.auth.clone(),
                origin,
                // Buckets of Google Cloud belong to a project; elsewhere there is none.
                account: own.project.clone().unwrap_or_default(),
                ..access.clone()
            };
            *slot = Some(Own::keys(access, own.hint.clone(), own.source.clone()));
            used = true;
            if !quiet {
                let asked = match provider {
                    Provider::Aws => endpoints.s3.as_ref(),
                    _ => endpoints.gcs.as_ref(),
                };
                let moved = asked.or(own.endpoint.as_ref());
                let at = moved.map(|place| format!(" at {place}")).unwrap_or_default();
                eprintln!("{name} is opened with your own {} ({}){at}", own.hint, own.source);
            }
        }
        if !used && unused == Unused::Refused {
            let scheme = if provider == Provider::Aws { "s3" } else { "gs" };
            bail!("--credentials {word}: no target is {scheme}://BUCKET, so nothing uses them");
        }
        let (place, moved) = match provider {
            Provider::Aws => (&mut endpoints.s3, own.endpoint),
            _ => (&mut endpoints.gcs, own.endpoint),
        };
        if place.is_none() && moved.is_some() {
            *place = moved;
        }
        if provider == Provider::Aws {
            endpoints.s3_region = own.region;
        }
    }
    Ok(())
}

/// Refuses to look at all buckets of nobody.
pub(crate) fn demand(targets: &[Target]) -> Result<()> {
    for target in targets {
        if let Target::Store { access, name, own: None } = target
            && access.container.is_none()
            && access.provider != Provider::Azure
        {
            bail!("{name} names no bucket: add one, or --credentials to look at all of your own");
        }
    }
    Ok(())
}

fn in_region(region: &str) -> String {
    let zone = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://s3.{region}.amazonaws.com{zone}")
}
