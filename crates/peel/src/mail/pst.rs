//! An Outlook store as a wrapping: its messages folder by folder, and what is attached to them.

use super::letter::Letter;
use crate::error::PeelError;
use crate::peeler::{Peeler, Sink};
use crate::plain::{Attached, give_text};
use crate::time::filetime_seconds;
use lidless_core::{
    Artifact, Category, Confidence, Entry, Finding, Gap, Interest, Layer, Limits, Place,
    Provenance, Severity,
};
use lidless_io::number::{index, wide};
use lidless_io::{MemoryBytes, ReadAt, read_vec};
use lidless_records::{Folder, Listed, Message, PstFile, RecordError};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Messages inside messages deeper than this are not opened.
const DEEPEST: usize = 8;
/// Classes that are counted by name.
const MOST_CLASSES: usize = 40;
/// What a message or an attachment costs at least of the budget.
const LEAST: u64 = 1024;
const TEAMS: &str = "IPM.SkypeTeams.Message";

/// An Outlook store.
pub(crate) struct Pst;

impl Peeler for Pst {
    fn name(&self) -> &'static str {
        "PST"
    }

    fn recognises(&self, _artifact: &Artifact, head: &[u8]) -> bool {
        head.starts_with(b"!BDN") && head.get(10).is_some()
    }

    fn peel(&self, artifact: &Artifact, _head: &[u8], limits: &Limits, sink: &mut dyn Sink) {
        let place = &artifact.entry.provenance;
        let length = artifact.bytes.len();
        let file = match PstFile::open(Arc::clone(&artifact.bytes)) {
            Ok(file) => file,
            Err(error) => {
                PeelError::from(error).say(place, Some(length), sink);
                return;
            }
        };
        let mut visit = Visit {
            file: &file,
            place,
            limits,
            left: limits.image_bytes.min(limits.expanded(length)),
            messages: 0,
            seen: HashSet::new(),
            damaged: false,
            counted: Counted::default(),
            unseen: (0, 0),
            sink,
        };
        let folders = visit.folders();
        visit.teams(&folders);
        for (folder, listed) in &folders {
            visit.folder(folder, listed);
        }
        if visit.damaged {
            visit.unlisted();
        }
        visit.end(length);
    }
}

/// What the folders say of their messages.
#[derive(Default)]
struct Counted {
    folders: u64,
    messages: u64,
    classes: BTreeMap<String, u64>,
    teams: u64,
    people: BTreeSet<String>,
    first: Option<u64>,
    last: Option<u64>,
}

impl Counted {
    fn add(&mut self, one: &Listed) {
        self.messages = self.messages.saturating_add(1);
        // Classes are names of programs; anything else that stands there is not shown.
        let named = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '-' | '_');
        let known = one.class.len() <= 64 && !one.class.is_empty() && one.class.chars().all(named);
        let class = if known { one.class.as_str() } else { "other" };
        if self.classes.contains_key(class) || self.classes.len() < MOST_CLASSES {
            let count = self.classes.entry(class.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        if one.class.eq_ignore_ascii_case(TEAMS) {
            self.teams = self.teams.saturating_add(1);
            self.people.extend(one.sender.clone());
        }
        let earliest = |known: Option<u64>| known.into_iter().chain(one.delivered).min();
        let latest = |known: Option<u64>| known.into_iter().chain(one.delivered).max();
        (self.first, self.last) = (earliest(self.first), latest(self.last));
    }
}

struct Visit<'a> {
    file: &'a PstFile,
    place: &'a Provenance,
    limits: &'a Limits,
    /// How many bytes of contents may still be read, and how many messages were opened.
    left: u64,
    messages: u64,
    seen: HashSet<u32>,
    /// Whether some folder could not be read: its messages are looked for without it then.
    damaged: bool,
    counted: Counted,
    /// Messages that a limit left out, and their bytes.
    unseen: (u64, u64),
    sink: &'a mut dyn Sink,
}

impl Visit<'_> {
    /// Every folder with the messages it lists, counted.
    fn folders(&mut self) -> Vec<(Folder, Vec<Listed>)> {
        let mut folders = Vec::new();
        let mut problems: Vec<RecordError> = Vec::new();
        let walked = self.file.folders(
            &mut |folder| {
                folders.push(folder.clone());
                true
            },
            &mut |error| problems.push(error),
        );
        problems.extend(walked.err());
        let mut found = Vec::new();
        let mut room_left = self.limits.members;
        for folder in folders {
            match self.file.messages(&folder) {
                Ok(mut listed) => {
                    listed.iter().for_each(|one| self.counted.add(one));
                    // What will not be opened is counted, and not held.
                    let room = index(room_left);
                    for one in listed.drain(room.min(listed.len())..) {
                        self.unseen.0 = self.unseen.0.saturating_add(1);
                        let size = one.size.map_or(0, u64::from);
                        self.unseen.1 = self.unseen.1.saturating_add(size);
                    }
                    let kept = wide(listed.len());
                    room_left = room_left.saturating_sub(kept);
                    found.push((folder, listed));
                }
                Err(error) => problems.push(error),
            }
        }
        self.counted.folders = wide(found.len());
        self.damaged = !problems.is_empty();
        // One of each kind is enough: a damaged store has the same a thousand times.
        let mut said = BTreeSet::new();
        for problem in problems {
            let problem = PeelError::from(problem);
            let kind = match &problem {
                PeelError::Malformed { expected, .. } => expected.clone(),
                other => other.to_string(),
            };
            if said.insert(kind) {
                problem.say(self.place, None, self.sink);
            }
        }
        found
    }

    /// The list of Teams messages in the form in which Microsoft Graph exports them, without
    /// bodies: what counts messages and people elsewhere counts these as well.
    fn teams(&mut self, folders: &[(Folder, Vec<Listed>)]) {
        let most = index(self.limits.memory_bytes / 2);
        let mut lines = String::new();
        for one in folders.iter().flat_map(|(_, listed)| listed) {
            if one.class.eq_ignore_ascii_case(TEAMS) && lines.len() < most {
                let line = serde_json::json!({
                    "messageType": "message",
                    "createdDateTime": one.delivered.and_then(filetime_seconds).map(|when| when.to_string()),
                    "from": {"user": {"displayName": one.sender}},
                });
                lines.push_str(&line.to_string());
                lines.push('\n');
            }
        }
        if lines.is_empty() {
            return;
        }
        let place = self.place.child(Layer::Decoded { encoding: "teams messages".to_owned() });
        let bytes: Arc<dyn ReadAt> = Arc::new(MemoryBytes::new(lines.into_bytes()));
        self.sink.entry(Artifact::new(Entry::new(place, Some(bytes.len())), bytes));
    }

    fn folder(&mut self, folder: &Folder, listed: &[Listed]) {
        for one in listed {
            if !self.seen.insert(one.id) {
                continue;
            }
            if self.left == 0 || self.messages >= self.limits.members {
                let (count, bytes) = self.unseen;
                let size = one.size.map_or(0, u64::from);
                self.unseen = (count.saturating_add(1), bytes.saturating_add(size));
                continue;
            }
            let path = match folder.path.as_str() {
                "" => one.id.to_string(),
                above => format!("{above}/{}", one.id),
            };
            self.message(one.id, path, one.delivered, one.size);
        }
    }

    /// Messages that no folder listed, because some folder cannot be read.
    fn unlisted(&mut self) {
        let most = index(self.limits.members);
        let Ok(ids) = self.file.all_messages(most) else { return };
        for id in ids {
            if self.left > 0 && self.seen.insert(id) {
                self.message(id, format!("unlisted/{id}"), None, None);
            }
        }
    }

    fn message(&mut self, id: u32, path: String, delivered: Option<u64>, size: Option<u32>) {
        let place = self.place.child(Layer::Member { path });
        match self.file.message(id) {
            Ok(message) => self.open(&message, &place, delivered, 0),
            Err(error) => PeelError::from(error).say(&place, size.map(u64::from), self.sink),
        }
    }

    fn spend(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes.max(LEAST));
    }

    /// Hands out a message: its text, and what is attached.
    fn open(&mut self, message: &Message, place: &Provenance, when: Option<u64>, depth: usize) {
        self.messages = self.messages.saturating_add(1);
        let most = self.limits.memory_bytes / 4;
        let text = text(message, when, most);
        self.spend(wide(text.len()));
        give_text(place, text, self.sink);
        let ids = match message.attachments() {
            Ok(ids) => ids,
            Err(error) => {
                PeelError::from(error).say(place, None, self.sink);
                return;
            }
        };
        let mut attached = Attached::new(place.clone());
        let mut given = HashSet::new();
        for id in ids.into_iter().filter(|id| given.insert(*id)) {
            if self.left == 0 || self.messages >= self.limits.members {
                self.unseen.0 = self.unseen.0.saturating_add(1);
                continue;
            }
            self.spend(0);
            match message.attachment(id) {
                Ok(Some(one)) => {
                    let kind = if one.message.is_some() { ".message" } else { ".bin" };
                    let entry = attached.entry(&one.name, kind, one.length_bytes);
                    if let Some(inner) = one.message {
                        self.nested(&inner, &entry, depth);
                    } else if let Some(bytes) = one.bytes {
                        if self.sink.interest(&entry) == Interest::None {
                            let reason = "an attachment that holds nothing by its kind";
                            self.sink.inert(entry, reason);
                            continue;
                        }
                        self.spend(bytes.len());
                        self.sink.entry(Artifact::new(entry, bytes));
                    }
                }
                Ok(None) => {}
                Err(error) => PeelError::from(error).say(place, None, self.sink),
            }
        }
    }

    fn nested(&mut self, message: &Message, entry: &Entry, depth: usize) {
        if depth >= DEEPEST {
            let reason = "a message nested deeper than the limit";
            self.sink.gap(Gap::new(&entry.provenance, reason, None));
            return;
        }
        self.open(message, &entry.provenance, None, depth.saturating_add(1));
    }

    fn end(self, length: u64) {
        if self.unseen.0 > 0 {
            let reason = "messages of an Outlook store past the limit";
            self.sink.gap(Gap::new(self.place, reason, Some(self.unseen.1)));
        }
        let counted = &self.counted;
        if counted.messages == 0 {
            return;
        }
        let mut evidence =
            format!("{length} bytes, {} messages in {} folders", counted.messages, counted.folders);
        if counted.teams > 0 {
            let people = counted.people.len();
            evidence.push_str(&format!(", {} of Teams from {people} people", counted.teams));
        }
        let day = |when: Option<u64>| {
            when.and_then(filetime_seconds).map(|when| Value::from(when.to_string()))
        };
        let classes: Map<String, Value> =
            counted.classes.iter().map(|(class, count)| (class.clone(), (*count).into())).collect();
        let finding = Finding::new(
            "message.mailbox",
            Category::Message,
            Severity::High,
            Confidence::High,
            format!("mailbox of Outlook ({})", self.file.kind()),
            &Place::whole(self.place.clone()),
            evidence,
        )
        .with_detail("messages", counted.messages)
        .with_detail("folders", counted.folders)
        .with_detail("teams_messages", counted.teams)
        .with_detail("teams_people", counted.people.len())
        .with_detail("classes", classes)
        .with_detail("first", day(counted.first))
        .with_detail("last", day(counted.last))
        .with_detail("asks_for_password", self.file.asks_for_password().ok());
        self.sink.finding(finding);
    }
}

/// A message as text for detectors.
fn text(message: &Message, when: Option<u64>, most: u64) -> String {
    let mut letter = Letter::default();
    letter.field("Message-Class", message.text(0x001a).as_deref());
    let sender = [0x0c1a, 0x0042].iter().find_map(|name| message.text(*name));
    let address = [0x5d01, 0x0c1f, 0x0065].iter().find_map(|name| message.text(*name));
    letter.person("From", &sender.unwrap_or_default(), &address.unwrap_or_default());
    for one in message.recipients().unwrap_or_default() {
        let field = match one.kind {
            2 => "Cc",
            3 => "Bcc",
            _ => "To",
        };
        letter.person(field, &one.name, &one.address);
    }
    let sent = message.time(0x0039).or_else(|| message.time(0x0e06)).or(when);
    letter.field("Date", sent.and_then(filetime_seconds).map(|when| when.to_string()).as_deref());
    // Two characters in front say how long a prefix like `RE:` is.
    let subject = message.text(0x0037).unwrap_or_default();
    let subject = match subject.strip_prefix('\u{1}') {
        Some(rest) => rest.chars().skip(1).collect(),
        None => subject,
    };
    letter.field("Subject", Some(&subject));
    if let Some(headers) = message.long_text(0x007d, most) {
        letter.body(&headers);
    }
    let plain = message.long_text(0x1000, most);
    if let Some(plain) = &plain {
        letter.body(plain);
    }
    let html = message.bytes(0x1013).and_then(|bytes| read_vec(&*bytes, 0, most).ok());
    match html {
        Some(html) => letter.html(&html, message.number(0x3fde)),
        None if plain.is_none() => {
            let rich = message.bytes(0x1009).and_then(|bytes| read_vec(&*bytes, 0, most).ok());
            if let Some(rich) = rich {
                letter.rich(&rich, index(most));
            }
        }
        None => {}
    }
    letter.into_text()
}
