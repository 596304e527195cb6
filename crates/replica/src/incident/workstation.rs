//! The backup of one employee's workstation: a tree of files, and images of its disks.

use super::contents::when;
use super::credentials as fake;
use super::disk::sqlite;
use super::lorem::text;
use super::registry::{Data, Key, WHEN, hive, key};
use crate::blob::Blob;
use crate::random::Random;
use crate::source::{Fill, Source};

/// A workstation and whose it was.
pub(super) struct Workstation {
    pub(super) host: &'static str,
    pub(super) user: &'static str,
}

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

    fn system(&self, tree: &mut Tree, random: &mut Random) {
        for (name, megabytes) in [("SYSTEM", 18), ("SOFTWARE", 96), ("SAM", 1), ("SECURITY", 1)] {
            let file_name = format!("\\SystemRoot\\System32\\Config\\{name}");
            let source = hive(megabytes << 20, &file_name, self.keys(name));
            tree.add(&format!("Windows/System32/config/{name}"), source);
        }
        tree.add("Windows/explorer.exe", binary(random, b"MZ", 4_600_000));
        for number in 0..200 {
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

    /// What a hive of this machine says.
    fn keys(&self, hive: &str) -> Vec<Key> {
        let text = |text: &str| Data::Text(text.to_owned());
        match hive {
            "SYSTEM" => vec![
                key("Select", vec![("Current", Data::Number(1))]),
                Key {
                    name: "ControlSet001".into(),
                    values: Vec::new(),
                    below: vec![Key {
                        name: "Control".into(),
                        values: Vec::new(),
                        below: vec![
                            key(
                                "ComputerName\\ComputerName",
                                vec![("ComputerName", text(self.host))],
                            ),
                            key("Windows", vec![("ShutdownTime", Data::Time(WHEN))]),
                        ],
                    }],
                },
            ],
            "SOFTWARE" => vec![key(
                "Microsoft\\Windows NT\\CurrentVersion",
                vec![
                    ("ProductName", text("Windows 10 Enterprise")),
                    ("DisplayVersion", text("22H2")),
                    ("CurrentBuild", text("22621")),
                    ("RegisteredOwner", text(self.user)),
                ],
            )],
            "SAM" => vec![key("SAM\\Domains\\Account\\Users\\Names\\Administrator", vec![])],
            "SECURITY" => vec![key("Policy\\Secrets\\DefaultPassword\\CurrVal", vec![])],
            _ => vec![key(
                "Software\\Microsoft\\Terminal Server Client\\Servers\\login.example.com",
                vec![],
            )],
        }
    }

    fn profile(&self, tree: &mut Tree, random: &mut Random) {
        let home = format!("Users/{}", self.user);
        let hive_name = format!("\\??\\C:\\Users\\{}\\ntuser.dat", self.user);
        tree.add(&format!("{home}/NTUSER.DAT"), hive(6 << 20, &hive_name, self.keys("NTUSER")));
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
        let token = fake::forge_token(random);
        put(".git-credentials", format!("https://{user}:{token}@github.com\n"));
        let token = random.base62(36);
        put(".npmrc", format!("//registry.npmjs.org/:_authToken={}_{token}\n", "npm"));
        put("Desktop/passwords.txt", fake::passwords(random, user, 24));
        put("Documents/lab/passwords.txt", fake::passwords(random, &format!("{user}.admin"), 32));
        let browser = "AppData/Local/Google/Chrome/User Data/Default";
        for name in ["Login Data", "Cookies", "History"] {
            tree.add(&format!("{home}/{browser}/{name}"), Source::bytes(sqlite()));
        }
    }
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
