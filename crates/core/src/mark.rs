//! Evidence that only adds up over many entries.

use crate::fingerprint::Fingerprint;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One piece of evidence, kept in the case beside findings and added up when judging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mark {
    /// A path or a file that a workstation backup has.
    Workstation {
        /// The root of the backup: the place (URI) above the marker, without a slash at the end.
        root: String,
        /// Host name, when this evidence says one.
        host: Option<String>,
        /// Domain, when this evidence says one.
        domain: Option<String>,
        /// Operating system, when this evidence says one: `Windows`, `macOS`, `Linux`, or more.
        os: Option<String>,
        /// Registered owner.
        owner: Option<String>,
        /// Names of users with a profile.
        users: Vec<String>,
        /// What was seen, in words.
        evidence: String,
        /// 3 strong, 2 medium, 1 weak: a backup is one at 5 or more with a strong one.
        weight: u8,
        /// The name was read in the machine's own settings and not off a path.
        #[serde(default)]
        stated: bool,
        /// When it was last in use, when this evidence says so.
        #[serde(default)]
        last_used: Option<Timestamp>,
        /// An id that stays with an installation: a machine GUID, a machine id.
        #[serde(default)]
        machine_id: Option<String>,
    },
    /// Messages in one entry. No bodies, no names: people are keyed digests.
    Messages {
        /// What exported them: `teams`, `slack`, ...
        product: String,
        /// How many.
        messages: u64,
        /// Who wrote or was addressed, as keyed digests of their ids.
        people: Vec<Fingerprint>,
        /// The oldest.
        first: Option<Timestamp>,
        /// The newest.
        last: Option<Timestamp>,
        /// The database (URI) this is one file of, when it is: the files of one repeat each
        /// other, and only the largest count of them is sure.
        #[serde(default)]
        store: Option<String>,
    },
    /// A model file and what loading it does.
    Model {
        /// `pickle`, `torch-zip`, `torch-legacy`, `numpy`, `safetensors`, ...
        format: String,
        /// The verdict.
        verdict: ModelVerdict,
        /// The file, as a place (URI); empty in cases of before it was kept.
        #[serde(default)]
        location: String,
    },
}

/// What loading a model file does, from harmless to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelVerdict {
    /// Only exact, known-harmless names with checked arguments, or a format without code.
    Safe,
    /// Loads under PyTorch's own `weights_only` rule.
    WeightsOnly,
    /// Imports a name that is on no list.
    UnknownImport,
    /// Built to mislead, or broken in a way that hides something.
    Suspicious,
    /// Would run code.
    Dangerous,
}

impl ModelVerdict {
    /// The words of a report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::WeightsOnly => "loads with weights_only",
            Self::UnknownImport => "unknown import",
            Self::Suspicious => "suspicious",
            Self::Dangerous => "dangerous",
        }
    }
}

impl std::fmt::Display for ModelVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_older_cases_are_read() {
        let machine = r#"{"kind":"workstation","root":"az://a/b","host":"WS-1","domain":null,
            "os":"Windows","owner":null,"users":["alice"],"evidence":"x","weight":3}"#;
        let messages = r#"{"kind":"messages","product":"teams","messages":3,"people":[],
            "first":null,"last":null}"#;
        let Mark::Workstation { stated, last_used, machine_id, .. } =
            serde_json::from_str(machine).unwrap()
        else {
            panic!()
        };
        assert_eq!((stated, last_used, machine_id), (false, None, None));
        let Mark::Messages { store, .. } = serde_json::from_str(messages).unwrap() else {
            panic!()
        };
        assert_eq!(store, None);
    }
}
