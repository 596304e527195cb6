//! What can be typed.

use crate::history::HistoryArguments;
use clap::{Args, Parser, Subcommand, ValueEnum};
use lidless_core::{ImageReach, Severity};
use lidless_judge::FailOn;
use std::path::PathBuf;

const AFTER: &str = "\
Give a URL or token as - (standard input) or @FILE, so that it stays out of the
process list and the shell's history.

  lidless demo                              see it work on a replica of the incident
  lidless scan . --follow                   from your repository to a judged exposure
  lidless inspect @link.txt                 what may the holder of this link do?

Exit codes: 0 nothing at or above --fail-on, 1 something is, 2 could not run,
3 nothing is, but not everything was seen.";

/// Finds cloud storage that was left open, says what a stranger holding the link can do, what
/// lies behind it, and how to close it. Read-only: it never changes anything.
#[derive(Debug, Parser)]
#[command(name = "lidless", version, after_help = AFTER, arg_required_else_help = true,
          disable_help_subcommand = true, max_term_width = 80)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say more on standard error (-vv for everything)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// No progress on standard error
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find links in repositories, follow them, look inside, judge
    Scan(Box<ScanArguments>),
    /// Explain a token or URL, offline
    Inspect(InspectArguments),
    /// Propose, and sign with your key, the least that replaces a leaked token
    Mint(MintArguments),
    /// Render a case again, in any format
    Report(ReportArguments),
    /// The objects of a case as Parquet, for DuckDB, pandas and Spark
    Inventory(InventoryArguments),
    /// Accept what a case found, for a time and with a reason
    Baseline(BaselineArguments),
    /// What to revoke, in what order, with exact commands
    Plan(PlanArguments),
    /// Ask again whether each grant still works
    Check(CheckArguments),
    /// Every request that was sent for a case, and whether the record of them is whole
    #[command(visible_alias = "audit")]
    Trail(TrailArguments),
    /// Record what a model's folder or a store holds, signed with your key
    Seal(SealArguments),
    /// What changed since a folder was sealed
    Verify(VerifyArguments),
    /// List, explain, test and import rules of secrets
    Rules(RulesArguments),
    /// Build a replica of the incident on this machine and scan it
    Demo(DemoArguments),
}

/// How a result is written.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutputArguments {
    /// How to write the result
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Write the result to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
    Jsonl,
    Sarif,
    Html,
    Markdown,
    Csv,
}

/// What may be touched and where services are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReachArguments {
    /// The file that says what may be touched (docs/scope.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) scope: Option<PathBuf>,
    /// Where a service is: azure=http://127.0.0.1:10000 (blobs; azure-queue=URL, azure-table=URL,
    /// azure-file=URL beside it), s3=URL, gcs=URL; an issuer: verify:github=URL
    #[arg(long, value_name = "SERVICE=URL")]
    pub(crate) endpoint: Vec<String>,
    /// Account keys, a line each ACCOUNT:KEY1:KEY2, to tell which key signed
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// Open the buckets you name with your own credentials, as that cloud's tools find them:
    /// aws, aws:PROFILE, gcs (docs/storage.md)
    #[arg(long, value_name = "CLOUD")]
    pub(crate) credentials: Vec<String>,
    /// Pay for buckets of AWS whose owner has whoever asks pay; without it they are left alone
    #[arg(long)]
    pub(crate) requester_pays: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lidless scan .                            leads in this tree and all its history
  lidless scan . --follow --case a.case     follow what the scope allows, keep a case
  lidless scan https://example.com/r.git    a repository elsewhere
  lidless scan . --since-commit ORIG_HEAD   only what came since, after a pull
  lidless scan @link.txt                    a link you were handed
  lidless scan az://contoso                 what an account shows to strangers
  lidless scan s3://contoso-weights         the same of a bucket
  lidless scan s3:// --credentials aws      every bucket of your own account
  lidless scan https://example.com/pub/     a directory index and what it links

A TARGET is a path, a git URL, a storage URL or token, az://ACCOUNT[/CONTAINER
[/PREFIX]], s3://BUCKET[/PREFIX], gs://BUCKET[/PREFIX], https://HOST/FOLDER/ (as
index+http://127.0.0.1/FOLDER/ on this machine, where emulators are), or - or @FILE
with any of these. What you name may be touched; what is found along the way is followed only
with --follow and inside the scope.")]
pub(crate) struct ScanArguments {
    /// What to look at
    #[arg(value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// Follow the leads that are found, where the scope allows it
    #[arg(long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
    /// Keep everything in FILE, to resume, report, plan and check
    #[arg(long, value_name = "FILE")]
    pub(crate) case: Option<PathBuf>,
    /// Go on with the case where it stopped
    #[arg(long, requires = "case")]
    pub(crate) resume: bool,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Exit with 1 from this severity on: info, low, medium, high, critical, never
    #[arg(long, value_name = "SEVERITY", default_value = "high", value_parser = fail_on)]
    pub(crate) fail_on: FailOn,
    /// Read at most this much content from stores: 500MB, 2GiB, 1000000
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub(crate) budget: Option<u64>,
    /// Send at most so many requests to stores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// Send requests to stores for this long at most: 90s, 10m, 2h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) time: Option<std::time::Duration>,
    /// List, and say what reading would take and cost the owner; read nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take the objects from the inventory that the store made of itself, in place of a listing:
    /// the manifest of Azure Blob Inventory, S3 Inventory or Storage Insights, as a path, its
    /// place in a store, or - or @FILE with a link to it (docs/storage.md)
    #[arg(long, value_name = "MANIFEST")]
    pub(crate) inventory: Vec<String>,
    /// How many requests at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) jobs: u16,
    /// Send at most N requests a second; services that answer that it is too much get fewer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
    /// Leave out paths and keys that match
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// How many wrappings deep to look
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) max_depth: usize,
    /// Only the newest tree, not the history
    #[arg(help_heading = "Git histories", long)]
    pub(crate) no_history: bool,
    #[command(flatten)]
    pub(crate) history: HistoryArguments,
    /// Ask issuers whether the credentials that are found are live (docs/verify.md)
    #[arg(help_heading = "Secrets", long)]
    pub(crate) verify: bool,
    /// Ask one issuer about so many credentials at most
    #[arg(
        help_heading = "Secrets",
        long,
        value_name = "N",
        default_value_t = 100,
        requires = "verify"
    )]
    pub(crate) verify_limit: usize,
    /// Rules of your own beside the built-in ones: ours, gitleaks, Nosey Parker, Kingfisher
    #[arg(help_heading = "Secrets", long, value_name = "FILE|FOLDER")]
    pub(crate) rules: Vec<PathBuf>,
    /// Leave out findings that FILE accepts (lidless baseline; a gitleaks report or
    /// .gitleaksignore)
    #[arg(help_heading = "Secrets", long, value_name = "FILE")]
    pub(crate) baseline: Vec<PathBuf>,
    /// Leave out paths by the patterns of FILE, as in .lidlessignore (or a .gitleaks.toml)
    #[arg(help_heading = "Secrets", long, value_name = "FILE")]
    pub(crate) ignore_file: Vec<PathBuf>,
    /// Heed no lidless:allow and no .lidlessignore: for content that others wrote
    #[arg(help_heading = "Secrets", long, conflicts_with = "honor_foreign_allows")]
    pub(crate) no_allows: bool,
    /// Heed gitleaks:allow, pragma: allowlist secret and the like as well
    #[arg(help_heading = "Secrets", long)]
    pub(crate) honor_foreign_allows: bool,
    /// List what looked like a secret and was told apart, with the reason
    #[arg(help_heading = "Secrets", long)]
    pub(crate) show_suppressed: bool,
    /// Write a bill of materials of the models to FILE (CycloneDX 1.6, JSON)
    #[arg(help_heading = "Models", long, value_name = "FILE")]
    pub(crate) sbom: Option<PathBuf>,
    /// List harmless models as well
    #[arg(help_heading = "Models", long)]
    pub(crate) all: bool,
    /// Names that models may import, beside the known ones (TOML: "my.module" = ["Class"])
    #[arg(help_heading = "Models", long, value_name = "FILE")]
    pub(crate) allow_imports: Option<PathBuf>,
    /// How far to look into disk images: known places, every name, or all that may matter
    #[arg(help_heading = "Disk images", long, value_enum, default_value_t = Images::All, value_name = "REACH")]
    pub(crate) images: Images,
    /// Read at most this much of the files of one file system in an image
    #[arg(help_heading = "Disk images", long, value_name = "BYTES", default_value = "4GiB", value_parser = bytes)]
    pub(crate) image_budget: u64,
}

/// How far disk images are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Images {
    Known,
    Names,
    All,
}

impl Images {
    pub(crate) fn reach(self) -> ImageReach {
        match self {
            Self::Known => ImageReach::Known,
            Self::Names => ImageReach::Names,
            Self::All => ImageReach::All,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lidless inspect -                         paste the link, then Ctrl-D
  lidless inspect @link.txt                 read it from a file
  lidless inspect @link.txt --explain       for someone who has never met a SAS
  lidless inspect @link.txt --keys keys     also tell which key signed it

A file may hold many tokens, a line each, or any text with tokens in it. Nothing is
sent anywhere.")]
pub(crate) struct InspectArguments {
    /// -, @FILE, or the token or URL itself (which others may then see)
    #[arg(value_name = "TOKEN-OR-URL", required = true)]
    pub(crate) inputs: Vec<String>,
    /// For someone who has never met such a token: what it is, with references
    #[arg(long)]
    pub(crate) explain: bool,
    /// Keys, to tell which one signed: a line each ACCOUNT:KEY1:KEY2 or ACCESS_ID:SECRET,
    /// or a service account's JSON; - for standard input; else LIDLESS_KEYS
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// Exit with 1 from this severity on: info, low, medium, high, critical, never
    #[arg(long, value_name = "SEVERITY", default_value = "high", value_parser = fail_on)]
    pub(crate) fail_on: FailOn,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lidless mint --from @link.txt                         what to give instead
  lidless mint --from README.md:12 --container models   of a token in a file's line
  lidless mint --from @link.txt --container models --keys keys --output new-link

The first choice needs an identity and is signed by the service: its command is
printed. The others are signed here when --keys has the key. Nothing is sent.")]
pub(crate) struct MintArguments {
    /// The token to replace: -, @FILE, FILE:LINE, or the token itself (which others may see)
    #[arg(long, value_name = "TOKEN")]
    pub(crate) from: String,
    /// The one container or bucket that readers need
    #[arg(long, value_name = "NAME")]
    pub(crate) container: Option<String>,
    /// The one object that readers need
    #[arg(long, value_name = "KEY")]
    pub(crate) object: Option<String>,
    /// What readers do: letters, r read, l list, c create, w write, d delete
    #[arg(long, value_name = "LETTERS", default_value = "r")]
    pub(crate) permissions: String,
    /// How long: 30m, 8h, 7d; seven days at most
    #[arg(long = "for", value_name = "TIME", default_value = "7d", value_parser = lifetime)]
    pub(crate) lifetime: i64,
    /// Only from this address, or FIRST-LAST
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Option<String>,
    /// Only this kind of replacement
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) kind: Option<ReplacementKind>,
    /// Keys to sign with: a line each ACCOUNT:KEY or ACCESS_ID:SECRET, or a service
    /// account's JSON; - for standard input; else LIDLESS_KEYS
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// How to write the proposal: human or json
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Write the signed link to a new FILE that you alone can read, instead of showing it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplacementKind {
    /// User delegation SAS, on an identity
    Delegation,
    /// Service SAS under a stored access policy
    Policy,
    /// Service SAS that stands alone
    Service,
    /// Presigned URL of S3 or GCS
    Presigned,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lidless trail incident.case               each request, and the digest of the last
  lidless trail incident.case --status 403 --url /backups/
  lidless trail incident.case --expect DIGEST
                                            does it still hold what it held then?

Every record holds the digest of all before it. Keep the last digest elsewhere, and
nobody can rewrite what came before it. Exit code 1: the record was changed or cut.")]
pub(crate) struct TrailArguments {
    /// The case file
    pub(crate) case: PathBuf,
    /// Only requests that were answered with this status
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<u16>,
    /// Only requests whose URL holds TEXT
    #[arg(long, value_name = "TEXT")]
    pub(crate) url: Option<String>,
    /// Only requests that got no whole answer
    #[arg(long)]
    pub(crate) failed: bool,
    /// A last digest that was kept: the trail has to hold it
    #[arg(long, value_name = "DIGEST")]
    pub(crate) expect: Option<String>,
    /// How to write it: human or jsonl
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Write it to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lidless report incident.case --format html --output incident.html")]
pub(crate) struct ReportArguments {
    /// The case file
    pub(crate) case: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// List what looked like a secret and was told apart, with the reason
    #[arg(long)]
    pub(crate) show_suppressed: bool,
    /// Exit with 1 from this severity on: info, low, medium, high, critical, never
    #[arg(long, value_name = "SEVERITY", default_value = "high", value_parser = fail_on)]
    pub(crate) fail_on: FailOn,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lidless inventory incident.case --out inventory
  duckdb -c \"select container, count(*), sum(size) from 'inventory/*.parquet' group by 1\"

Sorted by store, container and key; a file holds about a million objects. Names are written as
the stores have them: they may tell as much as what is in the objects.")]
pub(crate) struct InventoryArguments {
    /// The case file
    pub(crate) case: PathBuf,
    /// The folder for the segments, made unless it is there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lidless scan . --case a.case
  lidless baseline a.case --reason 'keys of the test server' -o lidless-baseline.json
  lidless scan . --baseline lidless-baseline.json

An entry knows its secret wherever it moves in its file; a new secret there is a new
finding. Its id says no secret. Entries end: after that the finding is back. Links
and keys that open storage are never accepted.")]
pub(crate) struct BaselineArguments {
    /// The case file
    pub(crate) case: PathBuf,
    /// Why what was found is accepted
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// For how long: 30d, 90d
    #[arg(long = "for", value_name = "TIME", default_value = "90d", value_parser = lifetime)]
    pub(crate) lifetime: i64,
    /// Write the baseline to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lidless plan incident.case

Prints commands; runs none.")]
pub(crate) struct PlanArguments {
    /// The case file
    pub(crate) case: PathBuf,
    /// How to write the plan: human or json
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Write the plan to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lidless check incident.case
  lidless check incident.case --token @link.txt

A case holds no credential: they are read again where they stood. Give one with
--token when it no longer stands there. Exit code 0 when all are closed, 1 when one
is still live, 3 when one could not be asked.")]
pub(crate) struct CheckArguments {
    /// The case file
    pub(crate) case: PathBuf,
    /// A token or URL that no longer stands where it was found: - or @FILE
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Vec<String>,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
    /// How to write the result: human or json
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Write the result to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  lidless demo --directory /tmp/incident

Needs no network and nothing installed. It starts a read-only replica of a storage
account on this machine, makes a repository that leaks it, and scans that.")]
pub(crate) struct DemoArguments {
    /// Where to put the repository, the case and the report
    #[arg(long, value_name = "FOLDER", default_value = "lidless-demo")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  openssl ecparam -name prime256v1 -genkey -noout -out key.pem
  chmod 600 key.pem
  openssl ec -in key.pem -pubout -out key.pub
  lidless seal models/net --key key.pem
  lidless seal @link.txt --key key.pem -o net.sig    a store, by what it says

The seal is an OpenSSF Model Signing v1.0 signature (key mode), which the
model-signing package verifies as well. Every file of a folder is read; of a
store only the listing, unless --content is given. Nothing is written there.")]
pub(crate) struct SealArguments {
    /// The model's folder, or a store: a storage URL, az://ACCOUNT/CONTAINER, - or @FILE
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    /// Read every object of a store, for digests that other tools can verify
    #[arg(long)]
    pub(crate) content: bool,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
    /// Your private key, PEM, ECDSA on P-256 or P-384; readable by you alone
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// What the model is called; the folder's name otherwise
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Where to write the seal; model.sig in the folder, or here for a store, otherwise
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lidless verify models/net --key key.pub              by names, sizes and times
  lidless verify models/net --key key.pub --content    by every byte

Exit codes: 0 nothing changed, 1 something did, 2 could not tell, for example
because the seal was not made by this key, 3 not proved without --content.")]
pub(crate) struct VerifyArguments {
    /// The model's folder, or a store: a storage URL, az://ACCOUNT/CONTAINER, - or @FILE
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) reach: ReachArguments,
    /// The public key of who sealed it, PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The seal; model.sig in the folder, or here for a store, otherwise
    #[arg(long, value_name = "FILE")]
    pub(crate) seal: Option<PathBuf>,
    /// Read and compare every byte
    #[arg(long)]
    pub(crate) content: bool,
    /// How to write the result: human or json
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lidless rules list                        every rule
  lidless rules list stripe                 those that say so
  lidless rules list critical --format json
  lidless rules explain github_token        what it opens, how to revoke it
  lidless rules test                        hold every rule against its examples
  lidless rules test --rules mine.toml      yours as well
  lidless rules import .gitleaks.toml       what of it can be used here
  lidless rules import rules/*.yml -o mine.toml

Exit codes of test: 0 every rule does what it says, 1 one does not. Exit codes of
import: 0 every rule was taken, 1 some were not, 2 none was or a file could not be
read.")]
pub(crate) struct RulesArguments {
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Every rule, or those whose name, service, title or severity holds FILTER
    List {
        /// A word to look for
        filter: Option<String>,
        #[command(flatten)]
        own: OwnRules,
        /// How to write the list: human or json
        #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
        format: Format,
    },
    /// What a rule finds, what that opens, how it is revoked
    Explain {
        /// The rule, as in a finding: secret.github_token, or without secret.
        rule: String,
        #[command(flatten)]
        own: OwnRules,
        /// How to write it: human or json
        #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
        format: Format,
    },
    /// Hold every rule against its examples and counter-examples
    Test {
        #[command(flatten)]
        own: OwnRules,
    },
    /// Read rules of gitleaks, Nosey Parker or Kingfisher and say what becomes of each
    Import(ImportArguments),
}

/// Rules beside the built-in ones.
#[derive(Debug, Args)]
pub(crate) struct OwnRules {
    /// Rules of your own as well: ours, or of gitleaks, Nosey Parker, Kingfisher
    #[arg(long, value_name = "FILE|FOLDER")]
    pub(crate) rules: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// gitleaks TOML, Nosey Parker or Kingfisher YAML, or folders of them
    #[arg(value_name = "FILE|FOLDER", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write the rules that can be used to FILE, for --rules
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How to write what became of them: human or json
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT")]
    pub(crate) format: Format,
}

fn fail_on(word: &str) -> Result<FailOn, String> {
    word.parse()
}

/// Reads an amount of bytes: a number, with `KB`, `MB`, `GB`, `TB` or `KiB`, `MiB`, `GiB`, `TiB`.
fn bytes(word: &str) -> Result<u64, String> {
    let split = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (number, unit) = word.split_at_checked(split).unwrap_or((word, ""));
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(format!("\"{unit}\" is no unit: use KB, MB, GB, TB, KiB, MiB, GiB, TiB")),
    };
    let number: u64 = number.parse().map_err(|_| "give a number, like 500MB".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "that is more than any store holds".to_owned())
}

/// Reads a length of time: a number with `s`, `m`, `h` or `d`.
fn lifetime(word: &str) -> Result<i64, String> {
    let split = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (number, unit) = word.split_at_checked(split).unwrap_or((word, ""));
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("give a number with s, m, h or d, like 8h".to_owned()),
    };
    let number: i64 = number.parse().map_err(|_| "give a number first, like 8h".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "that is too long".to_owned())
}

/// Reads a length of time that is more than none.
fn duration(word: &str) -> Result<std::time::Duration, String> {
    let seconds = u64::try_from(lifetime(word)?).map_err(|_| "give more than nothing")?;
    let some = (seconds > 0).then(|| std::time::Duration::from_secs(seconds));
    some.ok_or_else(|| "give more than nothing".to_owned())
}

impl Format {
    /// The report's own word for it.
    pub(crate) fn of_report(self) -> lidless_report::Format {
        match self {
            Self::Human => lidless_report::Format::Human,
            Self::Json => lidless_report::Format::Json,
            Self::Jsonl => lidless_report::Format::Jsonl,
            Self::Sarif => lidless_report::Format::Sarif,
            Self::Html => lidless_report::Format::Html,
            Self::Markdown => lidless_report::Format::Markdown,
            Self::Csv => lidless_report::Format::Csv,
        }
    }
}

/// Whether something of this severity makes a run fail.
pub(crate) fn fails(fail_on: FailOn, severity: Severity) -> bool {
    matches!(fail_on, FailOn::At(threshold) if severity >= threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_units() {
        assert_eq!(bytes("1000"), Ok(1000));
        assert_eq!(bytes("2GiB"), Ok(2 << 30));
        assert_eq!(bytes("500MB"), Ok(500_000_000));
        assert!(bytes("5 parsecs").is_err());
        assert!(bytes("99999999999TB").is_err());
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
