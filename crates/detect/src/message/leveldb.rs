//! Messages in the caches of chat programs that are made of a browser: Teams and Slack.
//!
//! A database is counted once, at its `CURRENT` file, over the files that its manifest names;
//! where its other files cannot be reached, each is counted for itself. What a cache holds is a
//! part of what was said, and what a file holds a part of that: every number is a lower bound.

use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use lidless_core::{
    Artifact, Category, Confidence, Entry, Finding, Gap, Mark, Place, Severity, Timestamp,
};
use lidless_io::{ReadAt, read_vec};
use lidless_records::leveldb::{
    Extent, current_manifest, is_table, live_files, read_log, read_table,
};
use lidless_records::{Field, Fields, RecordError, Walked, v8_objects};
use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::ControlFlow;

/// How much of one database is read.
const BYTES: u64 = 512 << 20;
/// How many messages are told apart.
const MESSAGES: usize = 5_000_000;
/// How many people are told apart.
const PEOPLE: usize = 100_000;

/// Counts messages in caches of chat programs.
pub(crate) struct ChatCacheDetector;

/// A chat program by where it keeps its cache.
struct Product {
    name: &'static str,
    title: &'static str,
    /// Parts of a path in lower case, of which one is there.
    places: &'static [&'static str],
    /// Only objects with this field are messages ...
    kind: &'static str,
    /// ... and, where this is not empty, only those whose value begins with one of these.
    kinds: &'static [&'static str],
    /// Fields that name one message; the first that is there counts.
    ids: &'static [&'static str],
    people: &'static [&'static str],
    times: &'static [&'static str],
}

const PRODUCTS: [Product; 2] = [
    Product {
        name: "teams",
        title: "Teams messages in the program's cache",
        places: &[
            "https_teams.microsoft.com_",
            "https_teams.live.com_",
            "https_teams.cloud.microsoft_",
        ],
        kind: "messageType",
        kinds: &["Text", "RichText"],
        ids: &["dedupeKey", "clientMessageId", "id"],
        people: &["creator", "fromUserId", "imDisplayName"],
        times: &[
            "originalArrivalTime",
            "originalArrivalTimestamp",
            "composeTime",
            "clientArrivalTime",
        ],
    },
    Product {
        name: "slack",
        title: "Slack messages in the program's cache",
        places: &["https_app.slack.com_"],
        kind: "client_msg_id",
        kinds: &[],
        ids: &["client_msg_id"],
        people: &["user"],
        times: &["ts"],
    },
];

fn product(entry: &Entry) -> Option<&'static Product> {
    let path = entry.lower_full_path();
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    PRODUCTS.iter().find(|product| {
        folder.ends_with(".leveldb") && product.places.iter().any(|place| folder.contains(place))
    })
}

/// What a cache adds up to.
#[derive(Default)]
struct Counted {
    messages: HashSet<u64>,
    people: BTreeSet<String>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Values that lie in other files, or broke off.
    unseen: u64,
    broken: u64,
    bytes: u64,
}

impl Product {
    /// The names of all fields, in the order: kind, ids, people, times.
    fn names(&self) -> Vec<&'static str> {
        let rest = self.ids.iter().chain(self.people).chain(self.times);
        std::iter::once(&self.kind).chain(rest).copied().collect()
    }

    /// The first of some fields that an object has.
    fn first<'f>(&self, fields: &'f Fields, wanted: &[&str]) -> Option<&'f Field> {
        let names = self.names();
        wanted.iter().find_map(|wanted| {
            fields
                .iter()
                .find(|(name, _)| names.get(*name).is_some_and(|own| own == wanted))
                .map(|(_, field)| field)
        })
    }
}

impl Counted {
    fn value(&mut self, product: &Product, value: &[u8]) {
        let names = product.names();
        let walked = v8_objects(value, &names, &mut |fields| self.object(product, fields));
        if matches!(walked, Walked::Elsewhere | Walked::Part) {
            self.unseen = self.unseen.saturating_add(1);
        }
    }

    fn object(&mut self, product: &Product, fields: &Fields) {
        let Some(kind) = product.first(fields, &[product.kind]).and_then(Field::text) else {
            return;
        };
        let counts =
            product.kinds.is_empty() || product.kinds.iter().any(|known| kind.starts_with(known));
        let Some(id) = product.first(fields, product.ids).filter(|_| counts) else { return };
        let person = product.first(fields, product.people).and_then(Field::text);
        if self.messages.len() < MESSAGES {
            let mut hasher = DefaultHasher::new();
            match id {
                Field::Text(text) => text.hash(&mut hasher),
                Field::Number(number) => number.to_bits().hash(&mut hasher),
            }
            self.messages.insert(hasher.finish());
        }
        if self.people.len() < PEOPLE {
            self.people.extend(person.map(|id| super::form::person(id).to_owned()));
        }
        if let Some(time) = product.first(fields, product.times).and_then(instant) {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = self.last.max(Some(time));
        }
    }

    /// Counts a file of a database.
    fn file(
        &mut self,
        product: &Product,
        name: &str,
        bytes: &dyn ReadAt,
    ) -> Result<(), RecordError> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        let read: Extent = if name.to_ascii_lowercase().ends_with(".log") {
            read_log(bytes, &mut |record| {
                self.value(product, record.value);
                ControlFlow::Continue(())
            })?
        } else {
            read_table(bytes, &mut |record| {
                self.value(product, record.value);
                ControlFlow::Continue(())
            })?
        };
        self.broken = self.broken.saturating_add(read.broken).saturating_add(read.unread);
        Ok(())
    }
}

/// A time in milliseconds, in seconds with a fraction (Slack), or in words.
fn instant(field: &Field) -> Option<Timestamp> {
    let number = match field {
        Field::Number(number) => *number,
        Field::Text(text) => match text.parse::<f64>() {
            Ok(number) => number,
            Err(_) => return text.parse().ok(),
        },
    };
    let seconds = if number > 1e11 { number / 1000.0 } else { number };
    // From 2000 to 2100.
    if !(9.5e8..4.1e9).contains(&seconds) {
        return None;
    }
    format!("{seconds:.0}").parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// Counts all files of a database, from its `CURRENT`; none when they cannot be reached.
fn whole(product: &Product, current: &Artifact) -> Option<Counted> {
    let files = live_files(&*manifest(current)?.bytes).ok()?;
    let mut counted = Counted::default();
    let mut names: Vec<[String; 2]> =
        files.logs.iter().map(|number| [format!("{number:06}.log"), String::new()]).collect();
    names.extend(
        files.tables.iter().map(|number| [format!("{number:06}.ldb"), format!("{number:06}.sst")]),
    );
    for choices in names {
        let found = choices
            .iter()
            .filter(|name| !name.is_empty())
            .find_map(|name| current.sibling(name).map(|file| (name, file)));
        match found {
            // A log may be gone once its writes are in a table.
            None if choices.iter().any(|name| name.ends_with(".log")) => {}
            Some((name, file)) if counted.bytes.saturating_add(file.bytes.len()) <= BYTES => {
                if counted.file(product, name, &*file.bytes).is_err() {
                    counted.broken = counted.broken.saturating_add(1);
                }
            }
            _ => counted.unseen = counted.unseen.saturating_add(1),
        }
    }
    Some(counted)
}

impl Detector for ChatCacheDetector {
    fn name(&self) -> &'static str {
        "chat-cache"
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        let name = entry.lower_file_name();
        let is_file = [".ldb", ".sst", ".log"].iter().any(|end| name.ends_with(end));
        let is_current = name == "current" && head.starts_with(b"MANIFEST-");
        if (is_file || is_current) && product(entry).is_some() {
            Want::Random
        } else {
            Want::Nothing
        }
    }

    fn detect(&self, view: &View<'_>, context: &Context, output: &mut Output) {
        let artifact = view.artifact;
        let Some(product) = product(&artifact.entry) else { return };
        let name = artifact.entry.file_name();
        let counted = if name.eq_ignore_ascii_case("current") {
            match whole(product, artifact) {
                Some(counted) => counted,
                None => return,
            }
        } else {
            // Counted with its database.
            if artifact.sibling("CURRENT").is_some_and(|current| manifest(&current).is_some()) {
                return;
            }
            let mut counted = Counted::default();
            let is_log = name.to_ascii_lowercase().ends_with(".log");
            if !is_log && !is_table(&*artifact.bytes) {
                return;
            }
            if counted.file(product, name, &*artifact.bytes).is_err() {
                counted.broken = counted.broken.saturating_add(1);
            }
            counted
        };
        say(product, &counted, artifact, context, output);
    }
}

/// The manifest that a `CURRENT` file names, when it can be reached.
fn manifest(current: &Artifact) -> Option<Artifact> {
    let head = read_vec(&*current.bytes, 0, 64).ok()?;
    current.sibling(current_manifest(&head)?)
}

fn say(
    product: &Product,
    counted: &Counted,
    artifact: &Artifact,
    context: &Context,
    output: &mut Output,
) {
    let place = &artifact.entry.provenance;
    if counted.broken > 0 || counted.unseen > 0 {
        let reason = "parts of a chat program's cache that could not be read";
        output.gaps.push(Gap::new(place, reason, None));
    }
    let count = u64::try_from(counted.messages.len()).unwrap_or(u64::MAX);
    if count == 0 {
        return;
    }
    let day = |time: &Option<Timestamp>| {
        time.map(|time| time.to_string()).and_then(|time| time.get(..10).map(str::to_owned))
    };
    let range = match (day(&counted.first), day(&counted.last)) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    let evidence =
        format!("at least {count} distinct messages of {} people{range}", counted.people.len());
    let location = place.to_string();
    let store = location.rsplit_once('/').map_or(location.clone(), |(store, _)| store.to_owned());
    let finding = Finding::new(
        format!("message.{}_cache", product.name),
        Category::Message,
        Severity::High,
        Confidence::High,
        product.title,
        &Place::whole(place.clone()),
        evidence,
    )
    .with_detail("count", count)
    .with_detail("people", counted.people.len())
    .with_detail("first", counted.first.map(|time| time.to_string()))
    .with_detail("last", counted.last.map(|time| time.to_string()))
    .with_detail("lower_bound", true);
    output.findings.push(finding);
    output.marks.push(Mark::Messages {
        product: product.name.into(),
        messages: count,
        people: counted.people.iter().map(|who| context.key.of(who.as_bytes())).collect(),
        first: counted.first,
        last: counted.last,
        store: Some(store),
    });
}
