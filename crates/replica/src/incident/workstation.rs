//! The backup of one employee's workstation: a tree of files, and images of its disks.

use super::contents::when;
use super::credentials as fake;
use super::image::{Cell, File, Key, Table, Value, database};
use super::lorem::text;
use crate::blob::Blob;
use crate::random::Random;
use crate::source::{Fill, Source};

/// A workstation and whose it was.
pub(super) struct Workstation {
    pub(super) host: &'static str,
    pub(super) user: &'static str,
}

/// What is larger lies in the images as its length alone.
const LARGE: u64 = 512 << 10;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x03\0\x08\x02\0\0\0";

impl Workstation {
    /// Every file of its tree, under `HOST/C/`.
    pub(super) fn files(&self) -> Vec<Blob> {
        let mut random = Random::named(self.host);
        let mut tree = Tree { root: format!("{}/C", self.host), day: 0, blobs: Vec::new() };
        self.system(&mut tree, &mut random);
        self.profile(&mut tree, &mut random);
        self.secrets(&mut tree, &mut random);
        tree.blobs
    }

    /// The same files for the file system of a disk image; of large ones only their length.
    pub(super) fn disk(&self) -> Vec<File> {
        let root = format!("{}/C/", self.host);
        let mut files = Vec::new();
        for blob in self.files() {
            let Some(path) = blob.name.strip_prefix(&root) else { continue };
            let size = blob.source.size();
            if size > LARGE {
                files.push(File::zeros(path, size));
                continue;
            }
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            blob.source.read_at(0, &mut bytes);
            files.push(File::new(path, bytes));
        }
        files
    }

    fn system(&self, tree: &mut Tree, random: &mut Random) {
        for (name, hive) in self.hives() {
            let file_name = format!("\\SystemRoot\\System32\\Config\\{name}");
            let hive = Source::bytes(hive.hive(&file_name));
            tree.add(&format!("Windows/System32/config/{name}"), hive);
        }
        tree.add("Windows/explorer.exe", binary(random, b"MZ", 4_600_000));
        for number in 0..120 {
            let name = format!("Windows/System32/lab{number:03}.dll");
            let size = random.below(2_000_000).saturating_add(40_000);
            tree.add(&name, binary(random, b"MZ", size));
        }
        tree.add("pagefile.sys", Source::generated(random.next(), 16 << 30));
        tree.add("hiberfil.sys", Source::generated(random.next(), 12 << 30));
        for number in 0..20 {
            let name = format!("ProgramData/Microsoft/Diagnosis/ETLLogs/log{number:02}.txt");
            tree.text(&name, text(random, 30));
        }
    }

    /// What the registry says of the machine.
    fn hives(&self) -> [(&'static str, Key); 4] {
        let user = self.user;
        let mut system = Key::default();
        system
            .set("Select", "Current", Value::Number(1))
            .text(r"ControlSet001\Control\ComputerName\ComputerName", "ComputerName", self.host)
            .text(r"ControlSet001\Services\Tcpip\Parameters", "Hostname", &self.host.to_lowercase())
            .text(r"ControlSet001\Services\Tcpip\Parameters", "Domain", "lab.example.com")
            .text(r"ControlSet001\Control\TimeZoneInformation", "TimeZoneKeyName", "UTC");
        let version = r"Microsoft\Windows NT\CurrentVersion";
        let logon = r"Microsoft\Windows\CurrentVersion\Authentication\LogonUI";
        let mut software = Key::default();
        software
            .text(version, "ProductName", "Windows 10 Pro")
            .text(version, "DisplayVersion", "20H2")
            .text(version, "CurrentBuild", "19042")
            .text(version, "EditionID", "Professional")
            .text(version, "RegisteredOwner", &format!("{user}@example.com"))
            .text(version, "RegisteredOrganization", "Contoso Lab")
            .set(version, "InstallDate", Value::Number(1_583_020_800))
            .text(logon, "LastLoggedOnUser", &format!("LAB\\{user}"));
        for (number, name) in [user, "backup"].iter().enumerate() {
            let key =
                format!(r"{version}\ProfileList\S-1-5-21-1-2-3-{}", number.saturating_add(1001));
            software.text(&key, "ProfileImagePath", &format!(r"C:\Users\{name}"));
        }
        let mut accounts = Key::default();
        accounts.text(r"SAM\Domains\Account\Users\Names", user, "");
        let mut security = Key::default();
        security.text(r"Policy\Secrets", "$MACHINE.ACC", "");
        [("SYSTEM", system), ("SOFTWARE", software), ("SAM", accounts), ("SECURITY", security)]
    }

    /// The hive of the user: saved sessions and servers.
    fn own_hive(&self) -> Key {
        let mut hive = Key::default();
        for server in ["login.example.com", "gpu07.example.com"] {
            let session = format!(r"Software\SimonTatham\PuTTY\Sessions\{server}");
            hive.text(&session, "HostName", server).text(&session, "UserName", self.user);
        }
        let servers = r"Software\Microsoft\Terminal Server Client\Servers\rdp.example.com";
        hive.text(servers, "UsernameHint", &format!("LAB\\{}", self.user));
        hive
    }

    fn profile(&self, tree: &mut Tree, random: &mut Random) {
        let home = format!("Users/{}", self.user);
        let hive_name = format!("\\??\\C:\\Users\\{}\\ntuser.dat", self.user);
        let hive = Source::bytes(self.own_hive().hive(&hive_name));
        tree.add(&format!("{home}/NTUSER.DAT"), hive);
        tree.text(&format!("{home}/Desktop/desktop.ini"), "[.ShellClassInfo]\r\n".to_owned());
        for number in 0..120 {
            let name = format!("{home}/Documents/notes/note{number:03}.txt");
            tree.text(&name, text(random, 20));
        }
        for number in 0..80 {
            let size = random.below(5_000_000).saturating_add(300_000);
            let name = format!("{home}/Pictures/plot{number:03}.png");
            tree.add(&name, binary(random, PNG, size));
        }
        for number in 0..20 {
            let name = format!("{home}/AppData/Local/Temp/trace{number:02}.log");
            tree.text(&name, text(random, 40));
        }
    }

    fn secrets(&self, tree: &mut Tree, random: &mut Random) {
        let user = self.user;
        let home = format!("Users/{user}");
        let mut put = |name: &str, content: String| tree.text(&format!("{home}/{name}"), content);
        let comment = format!("{user}@{}", self.host.to_lowercase());
        put(".ssh/id_ed25519", fake::ssh_ed25519(random, &comment));
        put(".ssh/id_rsa", fake::rsa(random));
        put(".ssh/config", "Host cluster\n  HostName login.example.com\n".to_owned());
        put("source/service/certs/server.key", fake::rsa(random));
        put("source/service/.env", fake::dot_env(random));
        put(".aws/credentials", fake::aws(random));
        put(".kube/config", fake::kube_config(random, user));
        let token = fake::forge_token(&["gh", "p"].concat(), random);
        put(".git-credentials", format!("https://{user}:{token}@github.com\n"));
        let token = fake::forge_token("npm", random);
        put(".npmrc", format!("//npm.example.com/:_authToken={token}\n"));
        put("Desktop/passwords.txt", fake::passwords(random, user, 24));
        put("Documents/lab/passwords.txt", fake::passwords(random, &format!("{user}.admin"), 32));
        let browser = "AppData/Local/Google/Chrome/User Data/Default";
        for (name, table) in
            [("Login Data", logins(random)), ("Cookies", cookies(random)), ("History", history())]
        {
            tree.add(&format!("{home}/{browser}/{name}"), Source::bytes(database(&[table])));
        }
    }
}

/// Sites that the people of the lab go to.
const SITES: [&str; 12] = [
    "https://mail.example.com/",
    "https://forge.example.com/",
    "https://wiki.example.com/",
    "https://shop.example.com/",
    "https://bank.example.com/",
    "https://travel.example.com/",
    "https://conference.example.org/",
    "https://journal.example.org/",
    "https://forum.example.org/",
    "https://photos.example.net/",
    "https://cloud.example.net/",
    "https://phone.example.net/",
];

fn site(number: usize) -> &'static str {
    SITES.iter().cycle().nth(number).copied().unwrap_or_default()
}

/// Saved passwords, encrypted as Chromium marks them: `v10` and random bytes.
fn logins(random: &mut Random) -> Table {
    let rows = (0..57)
        .map(|number| {
            let secret = [b"v10".as_slice(), &random.bytes(42)].concat();
            vec![
                Cell::Text(site(number).to_owned()),
                Cell::Text(format!("user{number}")),
                Cell::Blob(secret),
            ]
        })
        .collect();
    let sql = "CREATE TABLE logins (origin_url VARCHAR NOT NULL, username_value VARCHAR, \
               password_value BLOB)";
    Table { name: "logins", sql, rows }
}

fn cookies(random: &mut Random) -> Table {
    let rows = (0..240_usize)
        .map(|number| {
            let host = site(number).trim_start_matches("https://").trim_end_matches('/');
            vec![
                Cell::Text(host.to_owned()),
                Cell::Text("session".to_owned()),
                Cell::Blob([b"v10".as_slice(), &random.bytes(30)].concat()),
                // Microseconds since 1601: the end of 2030.
                Cell::Number(13_569_465_600_000_000),
            ]
        })
        .collect();
    let sql = "CREATE TABLE cookies (host_key TEXT NOT NULL, name TEXT NOT NULL, \
               encrypted_value BLOB NOT NULL, expires_utc INTEGER NOT NULL)";
    Table { name: "cookies", sql, rows }
}

fn history() -> Table {
    let rows = SITES.iter().map(|site| vec![Cell::Text((*site).to_owned())]).collect();
    Table { name: "urls", sql: "CREATE TABLE urls (url LONGVARCHAR)", rows }
}

struct Tree {
    root: String,
    day: u64,
    blobs: Vec<Blob>,
}

impl Tree {
    fn add(&mut self, name: &str, source: Source) {
        self.day = self.day.wrapping_add(1) % 365;
        self.blobs.push(Blob::new(format!("{}/{name}", self.root), when(self.day), source));
    }

    fn text(&mut self, name: &str, content: String) {
        self.add(name, Source::bytes(content.into_bytes()));
    }
}

fn binary(random: &mut Random, magic: &[u8], size: u64) -> Source {
    Source::over(Fill::Random(random.next()), size, vec![(0, magic.to_vec().into())])
}
