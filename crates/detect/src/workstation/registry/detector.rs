//! Recognises which hive it is by its keys, and reads what that one knows.

use super::facts::{Facts, instant};
use super::{accounts, software, system, user};
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use crate::workstation::place::Markers;
use crate::workstation::root::root_of;
use lidless_core::{
    Artifact, Category, Confidence, Entry, Finding, Gap, Mark, Place, Severity, Timestamp,
};
use lidless_io::ReadAt;
use lidless_records::hive::{Hive, HiveState};
use std::sync::Arc;

/// Reads registry hives.
pub(crate) struct RegistryDetector {
    markers: Arc<Markers>,
}

/// Hives with nothing about the machine or its people, by their names.
const WITHOUT: [&str; 12] = [
    "default",
    "components",
    "drivers",
    "elam",
    "bbi",
    "bcd",
    "amcache.hve",
    "usrclass.dat",
    "settings.dat",
    "systemindex",
    "userdiff",
    "vsmidk",
];

/// What a hive says of its machine.
#[derive(Default)]
pub(super) struct Machine {
    pub(super) host: Option<String>,
    pub(super) domain: Option<String>,
    pub(super) os: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) users: Vec<String>,
    pub(super) last_used: Option<Timestamp>,
    pub(super) machine_id: Option<String>,
    /// What it is, in words.
    pub(super) evidence: &'static str,
}

impl RegistryDetector {
    pub(crate) fn new(markers: Arc<Markers>) -> Self {
        Self { markers }
    }

    /// The root of the machine: what its path says, or the folder of a loose hive.
    fn root(&self, entry: &Entry) -> String {
        let path = entry.full_path();
        if let Some(sign) = self.markers.read(path).first() {
            return root_of(entry, sign.root);
        }
        let lower = path.to_ascii_lowercase();
        const BELOW: [&str; 4] = [
            "windows/system32/config/regback/",
            "windows/system32/config/",
            "windows/repair/",
            "documents and settings/",
        ];
        let above =
            BELOW.iter().find_map(|part| lower.find(part)).or_else(|| path.rfind('/')).unwrap_or(0);
        root_of(entry, above)
    }
}

fn is_wanted(entry: &Entry, head: &[u8]) -> bool {
    // Logs begin as hives do; their kind is not 0.
    Hive::is_one(head)
        && head.get(28..32) == Some(&[0; 4])
        && !WITHOUT.contains(&entry.lower_file_name())
}

/// The logs beside a hive.
fn logs(artifact: &Artifact) -> Vec<Arc<dyn ReadAt>> {
    let name = artifact.entry.file_name();
    [".LOG1", ".LOG2"]
        .iter()
        .filter_map(|end| artifact.sibling(&format!("{name}{end}")))
        .map(|log| log.bytes)
        .collect()
}

impl Detector for RegistryDetector {
    fn name(&self) -> &'static str {
        "registry"
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        if is_wanted(entry, head) { Want::Random } else { Want::Nothing }
    }

    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let artifact = view.artifact;
        let entry = &artifact.entry;
        let opened = Hive::open(Arc::clone(&artifact.bytes), || logs(artifact));
        let opened = opened.and_then(|hive| {
            let root = hive.root()?;
            let keys = hive.subkeys(&root)?;
            Ok((hive, keys))
        });
        let (hive, keys) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let reason = format!("a registry hive that could not be read: {}", word(&error));
                output.gaps.push(Gap::new(&entry.provenance, reason, Some(artifact.bytes.len())));
                by_place(entry, output);
                return;
            }
        };
        let has = |name: &str| keys.iter().any(|key| key.name.eq_ignore_ascii_case(name));
        let facts = Facts::new(&hive, entry);
        let mut machine = if has("Select") {
            system::read(&facts, output)
        } else if has("SAM") {
            accounts::sam(&facts, artifact, output)
        } else if has("Policy") {
            accounts::security(&facts, artifact, output)
        } else if has("Microsoft") {
            software::read(&facts, context, output)
        } else if has("Software") {
            user::read(&facts, context, output)
        } else {
            by_place(entry, output);
            return;
        };
        if hive.state() == HiveState::Stale {
            let reason = "a registry hive that was not closed and has no logs: its values may be \
                          older than they were";
            output.gaps.push(Gap::new(&entry.provenance, reason, None));
        }
        if facts.is_broken() {
            let reason = "parts of a registry hive that do not parse";
            output.gaps.push(Gap::new(&entry.provenance, reason, None));
        }
        machine.last_used = machine.last_used.max(instant(hive.written()));
        output.marks.push(Mark::Workstation {
            root: self.root(entry),
            stated: machine.host.is_some(),
            host: machine.host,
            domain: machine.domain,
            os: machine.os.or_else(|| Some("Windows".into())),
            owner: machine.owner,
            users: machine.users,
            evidence: machine.evidence.to_owned(),
            weight: 3,
            last_used: machine.last_used,
            machine_id: machine.machine_id,
        });
    }
}

/// A failed read or a form that does not parse, in words that count together.
fn word(error: &lidless_records::RecordError) -> &'static str {
    match error {
        lidless_records::RecordError::Read(_) => "its bytes could not be read",
        _ => "it does not parse",
    }
}

/// Hashes are there whether or not the hive parses here.
fn by_place(entry: &Entry, output: &mut Output) {
    let name = entry.lower_file_name();
    if !matches!(name, "sam" | "security") {
        return;
    }
    output.findings.push(Finding::new(
        "credential_file.windows_hives",
        Category::CredentialFile,
        Severity::Critical,
        Confidence::Medium,
        "Windows password hashes (registry hive)",
        &Place::whole(entry.provenance.clone()),
        "its place and its first bytes",
    ));
}
