//! A grant together with all that was found behind it.

use crate::object::PublicAccess;
use crate::severity::Severity;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The inputs of the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputName {
    /// Who holds the link.
    Audience,
    /// How far reading reaches.
    Read,
    /// How far overwriting reaches.
    Write,
    /// How far deleting reaches.
    Delete,
    /// The worst class of content that was confirmed.
    Content,
    /// Who loads these bytes.
    Consumers,
    /// How long it was and will be open; 1 when short-lived.
    Time,
    /// What access logs prove.
    Evidence,
}

/// How an input is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// A probe or a read showed it.
    Tested,
    /// The token or the configuration says it.
    Declared,
    /// It follows from something else.
    Inferred,
    /// Not known: scored at its least and at its most.
    Unknown,
}

/// One input of the score with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreInput {
    /// Which one.
    pub input: InputName,
    /// The least it can be, 0 to 4. Equal to `high` when known.
    pub value: u8,
    /// The most it can be, 0 to 4.
    pub high: u8,
    /// Why, in words.
    pub evidence: String,
    /// How it is known.
    pub basis: Basis,
}

/// A score from 0 to 100 as an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// With every unknown at its least.
    pub low: f64,
    /// With every unknown at its most.
    pub high: f64,
}

/// What a grant reaches in one container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContainerReach {
    /// Its name.
    pub name: String,
    /// Objects listed.
    pub objects: u64,
    /// Their sizes added up.
    pub bytes: u64,
    /// What strangers may do with it; null when unknown.
    pub public: Option<PublicAccess>,
    /// Bytes by kind, told by names alone: `models`, `disk images`, `archives`, `text`, ...
    #[serde(default)]
    pub kinds: BTreeMap<String, u64>,
}

/// A machine whose backup was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Workstation {
    /// Host name.
    pub host: Option<String>,
    /// Domain.
    pub domain: Option<String>,
    /// Operating system.
    pub os: Option<String>,
    /// Registered owner.
    pub owner: Option<String>,
    /// Users with a profile, sorted.
    pub users: Vec<String>,
    /// What was seen, in words.
    pub evidence: Vec<String>,
    /// Where, as URIs.
    pub places: Vec<String>,
    /// When it was last in use, as far as the evidence says.
    #[serde(default)]
    pub last_used: Option<Timestamp>,
    /// An id that stays with its installation.
    #[serde(default)]
    pub machine_id: Option<String>,
    /// What opens other doors there, counted by kind: `private_keys`, `password_stores`,
    /// `browser_logins`, `cookies`, `hive_sets` (password hashes with the key to them),
    /// `credential_files`, `secrets`.
    #[serde(default)]
    pub credentials: BTreeMap<String, u64>,
}

/// Messages behind a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MessageTotals {
    /// How many.
    pub count: u64,
    /// Distinct people.
    pub people: u64,
}

/// The blast radius of one grant, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// Id of the grant.
    pub grant: String,
    /// By the upper end of the score and never below the grant's own severity.
    pub severity: Severity,
    /// The arithmetic's result.
    pub score: Score,
    /// The arithmetic's inputs.
    pub why: Vec<ScoreInput>,
    /// The arithmetic, printed.
    pub arithmetic: Vec<String>,
    /// What it reaches, largest first.
    pub containers: Vec<ContainerReach>,
    /// Objects reached.
    pub objects: u64,
    /// Bytes reached.
    pub bytes: u64,
    /// Findings behind it, by category.
    pub findings_by_category: BTreeMap<String, u64>,
    /// Model files behind it.
    pub models: u64,
    /// Model files that the holder can overwrite.
    pub writable_models: u64,
    /// Machines whose backups lie behind it.
    pub workstations: Vec<Workstation>,
    /// Messages behind it.
    pub messages: MessageTotals,
}
