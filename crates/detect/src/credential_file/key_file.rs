//! Binary key files: a finding for each key in one, so that the same key elsewhere is the same.

use crate::detector::{Context, View};
use crate::secret::{describe_key, key_kind, read_keys};
use lidless_core::{Finding, Severity};
use lidless_io::read_vec;

/// How much of a key file is read: a keyring of a thousand keys has some megabytes.
const LARGEST: u64 = 8 << 20;

/// Whether files of a kind are read by their structure here.
pub(super) fn is_key_file(id: &str) -> bool {
    matches!(
        id,
        "pkcs12" | "java_keystore" | "java_keystore_pkcs12" | "pgp_secret_key" | "private_key_file"
    )
}

/// The finding about a file of a kind, as one for each key that its own structure names.
pub(super) fn by_key(
    id: &str,
    view: &View<'_>,
    context: &Context,
    finding: Finding,
) -> Vec<Finding> {
    if !is_key_file(id) || view.text.is_some() {
        return vec![finding];
    }
    let length = view.artifact.bytes.len().min(LARGEST);
    let Ok(bytes) = read_vec(view.artifact.bytes.as_ref(), 0, length) else {
        return vec![finding];
    };
    let keys = read_keys(&bytes);
    if keys.is_empty() {
        // A store of certificates, or one whose structure is not that of its first bytes: said
        // where its name says what it is, and not where only its first bytes do.
        if id == "private_key_file" {
            return Vec::new();
        }
        let mut finding = finding;
        if key_kind(&bytes).is_some() {
            finding.severity = Severity::Low;
            "certificates only, as far as it can be read".clone_into(&mut finding.evidence);
        }
        return vec![finding];
    }
    let title = finding.title.clone();
    let finds = keys.iter().enumerate().map(|(place, key)| {
        let mut one = Finding { title: title.clone(), ..finding.clone() };
        if place > 0 {
            // Each needs an id of its own: the same rule at the same place.
            one.id = format!("{}-{place}", one.id);
        }
        describe_key(key, context, one)
    });
    finds.collect()
}
