//! What one run is to do.

use crate::decisions::Decisions;
use crate::inventory_place::InventoryPlace;
use crate::target::Target;
use crate::verify::VerifySettings;
use globset::GlobSet;
use lidless_core::{Limits, Scope, Timestamp};
use lidless_detect::RuleSet;
use lidless_detect::model::AllowedImports;
use lidless_discover::GitOptions;
use lidless_judge::FailOn;
use lidless_storage::{Allowance, Endpoints};
use lidless_token::KeyRing;

/// What one run is to do. What was typed, understood once.
#[derive(Debug, Clone)]
pub struct ScanSettings {
    /// What to look at.
    pub targets: Vec<Target>,
    /// Whether leads found along the way are followed, where the scope allows it.
    pub follow: bool,
    /// What may be touched.
    pub scope: Scope,
    /// Where services are, when not where they usually are.
    pub endpoints: Endpoints,
    /// Whether requests to buckets of AWS say that whoever asks will pay for them.
    pub requester_pays: bool,
    /// Whether git histories are read, or only the newest tree.
    pub history: bool,
    /// Which part of them.
    pub git: GitOptions,
    /// Threads that wait for networks; computing takes as many as there are cores.
    pub jobs: usize,
    /// Requests a second at most, beside what the scope and the services say.
    pub rate: Option<u32>,
    /// Bytes of content to read from stores at most.
    pub budget: Option<u64>,
    /// How many requests may be sent, and for how long.
    pub allowance: Allowance,
    /// Inventories that stores made of themselves, taken in place of listings.
    pub inventories: Vec<InventoryPlace>,
    /// Paths and keys to leave out.
    pub exclude: GlobSet,
    /// What the user decided to leave out, and whose word counts.
    pub decisions: Decisions,
    /// The bounds.
    pub limits: Limits,
    /// Account keys that the user gave, to tell which key signed a token.
    pub keys: KeyRing,
    /// Names that models may import, beside the known ones.
    pub imports: AllowedImports,
    /// The rules of secrets.
    pub rules: RuleSet,
    /// Whether harmless models are listed as well.
    pub all: bool,
    /// From which severity on the run fails.
    pub fail_on: FailOn,
    /// Whether and how issuers are asked if credentials are live.
    pub verify: Option<VerifySettings>,
    /// The time of the run.
    pub now: Timestamp,
}
