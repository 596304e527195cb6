//! What the settings of a Linux machine or a Mac say of it.

use super::place::Markers;
use super::root::root_of;
use crate::detector::{Context, Detector, Output, View, Want};
use crate::head::Head;
use crate::names::shown;
use lidless_core::{Entry, Mark, Timestamp};
use lidless_io::read_vec;
use lidless_records::{Plist, property_list};
use std::sync::Arc;

/// Reads settings of Linux machines and of Macs.
pub(crate) struct UnixDetector {
    markers: Arc<Markers>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    HostName,
    Release,
    Accounts,
    MachineId,
    Logins,
    MacVersion,
    MacNames,
    MacAccount,
}

/// Where each lies below the root of a machine.
const PLACES: [(&str, File); 10] = [
    ("etc/hostname", File::HostName),
    ("etc/os-release", File::Release),
    ("usr/lib/os-release", File::Release),
    ("etc/passwd", File::Accounts),
    ("etc/machine-id", File::MachineId),
    ("var/lib/dbus/machine-id", File::MachineId),
    ("var/log/wtmp", File::Logins),
    ("System/Library/CoreServices/SystemVersion.plist", File::MacVersion),
    ("Library/Preferences/SystemConfiguration/preferences.plist", File::MacNames),
    ("private/var/db/dslocal/nodes/Default/users/", File::MacAccount),
];
/// Settings are far shorter.
const LARGEST: u64 = 4 << 20;
/// A record of `wtmp`: its kind first, its time at 340 (`utmp.h` of glibc on 64-bit machines).
const LOGIN: usize = 384;
const LOGIN_TIME: usize = 340;
/// How many records from its end are looked at.
const LOGINS: u64 = 64;

/// What a file is, and how long the path above its root is.
fn file(path: &str) -> Option<(File, usize)> {
    PLACES.iter().find_map(|(place, file)| {
        let above = if let Some(folder) = place.strip_suffix('/') {
            let (above, name) = path.rsplit_once('/')?;
            name.ends_with(".plist").then(|| above.strip_suffix(folder))??
        } else {
            path.strip_suffix(place)?
        };
        (above.is_empty() || above.ends_with('/'))
            .then(|| (*file, above.trim_end_matches('/').len()))
    })
}

#[derive(Default)]
struct Facts {
    host: Option<String>,
    os: Option<String>,
    users: Vec<String>,
    machine_id: Option<String>,
    last_used: Option<Timestamp>,
}

impl UnixDetector {
    pub(crate) fn new(markers: Arc<Markers>) -> Self {
        Self { markers }
    }
}

impl Detector for UnixDetector {
    fn name(&self) -> &'static str {
        "unix"
    }

    fn wants(&self, entry: &Entry, head: &Head<'_>) -> Want {
        if head.is_empty() {
            return Want::Nothing;
        }
        match file(entry.full_path()) {
            None => Want::Nothing,
            Some((File::HostName | File::Release | File::MachineId, _)) => Want::Head,
            // Lists in XML are text, which others look into as well.
            Some((File::Accounts, _)) => Want::Text,
            Some(_) if head.is_text() => Want::Text,
            Some(_) => Want::Random,
        }
    }

    fn detect(&self, view: &View<'_>, _context: &Context, output: &mut Output) {
        let entry = &view.artifact.entry;
        let path = entry.full_path();
        let Some((file, above)) = file(path) else { return };
        let head = String::from_utf8_lossy(view.head);
        let list = || -> Option<Plist> {
            property_list(&read_vec(&*view.artifact.bytes, 0, LARGEST).ok()?).ok()
        };
        let mut facts = Facts::default();
        let (system, evidence) = match file {
            File::HostName => {
                facts.host = host(&head);
                ("Linux", "name of the machine")
            }
            File::Release => {
                facts.os = release(&head);
                ("Linux", "version of the system")
            }
            File::Accounts => {
                facts.users = accounts(view.text.map_or("", |text| text.as_str()));
                ("Linux", "accounts of the machine")
            }
            File::MachineId => {
                facts.machine_id = machine_id(&head);
                ("Linux", "id of the machine")
            }
            File::Logins => {
                facts.last_used = last_login(view);
                ("Linux", "logins on the machine")
            }
            File::MacVersion => {
                facts.os = list().as_ref().and_then(mac_version);
                ("macOS", "version of the system, in its settings")
            }
            File::MacNames => {
                facts.host = list().as_ref().and_then(mac_name);
                ("macOS", "name of the machine")
            }
            File::MacAccount => {
                facts.users = list().as_ref().and_then(mac_user).into_iter().collect();
                ("macOS", "accounts of the machine")
            }
        };
        let said = facts.host.is_some()
            || facts.os.is_some()
            || !facts.users.is_empty()
            || facts.machine_id.is_some()
            || facts.last_used.is_some();
        if !said {
            return;
        }
        let above = path.get(..above).unwrap_or("");
        output.marks.push(Mark::Workstation {
            root: root_of(entry, self.markers.machine(above)),
            stated: facts.host.is_some(),
            host: facts.host,
            domain: None,
            os: facts.os.or_else(|| Some(system.to_owned())),
            owner: None,
            users: facts.users,
            evidence: evidence.to_owned(),
            weight: 2,
            last_used: facts.last_used,
            machine_id: facts.machine_id,
        });
    }
}

/// A name is one word; comments do not count.
fn host(text: &str) -> Option<String> {
    let line =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let fits = line.len() <= 253
        && line.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
        && !line.eq_ignore_ascii_case("localhost");
    fits.then(|| line.to_owned())
}

fn release(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(shown(line.trim().trim_matches(['"', '\'']))).filter(|name| !name.is_empty())
}

/// Those of people: ids from 1000 on, with a shell.
fn accounts(text: &str) -> Vec<String> {
    let user = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, id, _, _, _, shell] = fields.as_slice() else { return None };
        let id: u32 = id.parse().ok()?;
        let person = (1_000..60_000).contains(&id)
            && !shell.ends_with("nologin")
            && !shell.trim().ends_with("/false");
        person.then(|| shown(name))
    };
    text.lines().filter_map(user).take(1_000).collect()
}

fn machine_id(text: &str) -> Option<String> {
    let id = text.trim();
    let fits = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| id.to_ascii_lowercase())
}

fn last_login(view: &View<'_>) -> Option<Timestamp> {
    let record = u64::try_from(LOGIN).ok()?;
    let records = view.artifact.bytes.len().checked_div(record)?;
    let from = records.saturating_sub(LOGINS).saturating_mul(record);
    let bytes = read_vec(&*view.artifact.bytes, from, LOGINS.saturating_mul(record)).ok()?;
    let times = bytes.chunks_exact(LOGIN).filter_map(|record| {
        let kind = u16::from_le_bytes(record.get(..2)?.try_into().ok()?);
        let end = LOGIN_TIME.checked_add(4)?;
        let time = u32::from_le_bytes(record.get(LOGIN_TIME..end)?.try_into().ok()?);
        ((1..=8).contains(&kind) && time > 946_684_800).then_some(time)
    });
    times.max().and_then(|time| Timestamp::from_second(i64::from(time)).ok())
}

fn mac_version(list: &Plist) -> Option<String> {
    let text = |name: &str| list.get(&[name]).and_then(Plist::text);
    let version = text("ProductUserVisibleVersion").or_else(|| text("ProductVersion"))?;
    Some(shown(&format!("{} {version}", text("ProductName").unwrap_or("macOS"))))
}

fn mac_name(list: &Plist) -> Option<String> {
    let names: [&[&str]; 3] = [
        &["System", "System", "HostName"],
        &["System", "System", "ComputerName"],
        &["System", "Network", "HostNames", "LocalHostName"],
    ];
    let name = names.iter().find_map(|path| list.get(path).and_then(Plist::text))?;
    Some(shown(name)).filter(|name| !name.is_empty())
}

/// Accounts of the system begin with an underscore.
fn mac_user(list: &Plist) -> Option<String> {
    const SYSTEM: [&str; 3] = ["root", "daemon", "nobody"];
    let name = shown(list.get(&["name"]).and_then(Plist::first_text)?);
    (!name.is_empty() && !name.starts_with('_') && !SYSTEM.contains(&name.as_str())).then_some(name)
}
