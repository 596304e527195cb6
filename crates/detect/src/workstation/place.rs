//! What the place of a file says about the machine it came from.

use crate::pattern::Pattern;
use aho_corasick::{AhoCorasick, MatchKind};

/// A marker: where it stands, what it is evidence of, and how strong.
struct Marker {
    /// Parts of which every path it matches has one; in lower case.
    parts: &'static [&'static str],
    /// On the path with `/` between its parts; group 1 is the root, `user` a user's name.
    pattern: Pattern,
    os: &'static str,
    evidence: &'static str,
    weight: u8,
}

/// What one path says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sign {
    /// Length of the root in the path, without a slash at its end.
    pub(crate) root: usize,
    pub(crate) os: &'static str,
    pub(crate) evidence: &'static str,
    pub(crate) weight: u8,
    pub(crate) user: Option<String>,
    pub(crate) host: Option<String>,
}

/// The markers, compiled.
pub(crate) struct Markers {
    row: Vec<Marker>,
    /// Finds the parts of all markers in one pass: nearly no path has any.
    filter: Option<AhoCorasick>,
    /// The marker of each part; none for the one of image backups.
    owners: Vec<Option<usize>>,
    image: Pattern,
    host: Pattern,
}

impl Markers {
    pub(crate) fn new() -> Self {
        let row: [(&'static [&'static str], &str, &'static str, &'static str, u8); 13] = [
            (
                &["/system32/config/"],
                r"(?i)^(.*?)/?windows/system32/config/(?:system|software|sam|security)$",
                "Windows",
                "registry hives",
                3,
            ),
            (
                &["/ntuser.dat"],
                r"(?i)^(.*?)/?users/(?P<user>[^/]+)/ntuser\.dat$",
                "Windows",
                "registry hive of a user",
                3,
            ),
            (
                &["/appdata/"],
                r"(?i)^(.*?)/?users/(?P<user>[^/]+)/appdata/(?:local|roaming)/",
                "Windows",
                "application data of a user",
                2,
            ),
            (
                &["windows/explorer.exe"],
                r"(?i)^(.*?)/?windows/explorer\.exe$",
                "Windows",
                "programs of the system",
                2,
            ),
            (
                &["pagefile.sys", "hiberfil.sys", "$mft"],
                r"(?i)^(.*?)/?(?:pagefile\.sys|hiberfil\.sys|\$mft)$",
                "Windows",
                "files of a system disk",
                2,
            ),
            (
                &["/desktop/", "/documents/", "/downloads/"],
                r"(?i)^(.*?)/?users/(?P<user>[^/]+)/(?:desktop|documents|downloads)/",
                "Windows",
                "folders of a user",
                1,
            ),
            (&["etc/shadow"], r"^(.*?)/?etc/shadow$", "Linux", "password hashes of the system", 3),
            (
                &["/.ssh/"],
                r"^(.*?)/?home/(?P<user>[^/]+)/\.ssh/",
                "Linux",
                "SSH folder of a user",
                3,
            ),
            (
                &["/.bash_history", "/.config/", "/.local/share/"],
                r"^(.*?)/?home/(?P<user>[^/]+)/(?:\.bash_history|\.config/|\.local/share/)",
                "Linux",
                "settings of a user",
                2,
            ),
            (
                &["etc/hostname", "etc/machine-id", "etc/fstab"],
                r"^(.*?)/?etc/(?:hostname|machine-id|fstab)$",
                "Linux",
                "settings of the system",
                2,
            ),
            (
                &["/dslocal/nodes/"],
                r"^(.*?)/?private/var/db/dslocal/nodes/Default/users/",
                "macOS",
                "accounts of the system",
                3,
            ),
            (
                &["/library/"],
                r"^(.*?)/?Users/(?P<user>[^/]+)/Library/(?:Keychains|Preferences|Application Support)/",
                "macOS",
                "library of a user",
                3,
            ),
            (
                &["/coreservices/systemversion.plist"],
                r"^(.*?)/?System/Library/CoreServices/SystemVersion\.plist$",
                "macOS",
                "version of the system",
                2,
            ),
        ];
        let row: Vec<Marker> = row
            .into_iter()
            .map(|(parts, pattern, os, evidence, weight)| Marker {
                parts,
                pattern: Pattern::new(pattern),
                os,
                evidence,
                weight,
            })
            .collect();
        let parts = row
            .iter()
            .enumerate()
            .flat_map(|(index, marker)| marker.parts.iter().map(move |part| (*part, Some(index))));
        let (parts, owners): (Vec<&str>, Vec<Option<usize>>) =
            parts.chain([("windowsimagebackup/", None)]).unzip();
        let filter = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(parts)
            .ok();
        Self {
            row,
            filter,
            owners,
            image: Pattern::new(r"(?i)^(.*?)/?windowsimagebackup/([^/]+)/"),
            host: Pattern::new(
                r"(?i)^(?:[a-z]{1,6}|desktop|laptop|notebook|pc|ws|wks|mac|host)[-_][a-z0-9][a-z0-9_-]{0,20}[0-9a-z]$",
            ),
        }
    }

    /// The signs in a path; `container` and key are joined by a slash.
    pub(crate) fn read(&self, path: &str) -> Vec<Sign> {
        let Some(filter) = &self.filter else { return Vec::new() };
        let mut may_match = vec![];
        let mut may_be_image = false;
        for found in filter.find_overlapping_iter(path) {
            match self.owners.get(found.pattern().as_usize()) {
                Some(Some(index)) if !may_match.contains(index) => may_match.push(*index),
                Some(None) => may_be_image = true,
                _ => {}
            }
        }
        may_match.sort_unstable();
        self.signs(path, may_be_image, &may_match)
    }

    /// The signs of some of the markers.
    fn signs(&self, path: &str, may_be_image: bool, markers: &[usize]) -> Vec<Sign> {
        let mut signs = Vec::new();
        let image = if may_be_image { self.image.captures(path) } else { None };
        if let Some(captures) = image {
            let root = captures.get(2).map_or(0, |host| host.end());
            signs.push(Sign {
                root,
                os: "Windows",
                evidence: "a Windows image backup",
                weight: 3,
                user: None,
                host: captures.get(2).map(|host| host.as_str().to_owned()),
            });
        }
        for marker in markers.iter().filter_map(|index| self.row.get(*index)) {
            let Some(captures) = marker.pattern.captures(path) else { continue };
            let root = captures.get(1).map_or(0, |root| root.end());
            let above = path.get(..root).unwrap_or("");
            let user = captures
                .name("user")
                .map(|user| user.as_str().to_owned())
                .filter(|user| !is_everybody(user));
            signs.push(Sign {
                root: self.machine(above),
                os: marker.os,
                evidence: marker.evidence,
                weight: marker.weight,
                user,
                host: self.host_in(above),
            });
        }
        signs
    }

    /// The part of a root down to the machine: a drive below it is the same machine.
    pub(crate) fn machine(&self, above: &str) -> usize {
        let (parent, last) = above.rsplit_once('/').unwrap_or(("", above));
        let drive = last.len() == 1
            || ["c_drive", "drive_c", "c$", "c:", "root", "rootfs"]
                .contains(&last.to_ascii_lowercase().as_str());
        if drive && !parent.is_empty() { parent.len() } else { above.len() }
    }

    /// The lowest part of a path that looks like the name of a machine.
    fn host_in(&self, above: &str) -> Option<String> {
        // The first part is the container, whose name says nothing of a machine.
        let parts: Vec<&str> = above.split('/').filter(|part| !part.is_empty()).collect();
        parts
            .iter()
            .rev()
            .take(3)
            .find(|part| {
                self.host.is_match(part)
                    && part.contains(['-', '_'])
                    && part.chars().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            })
            .map(|part| (*part).to_owned())
    }
}

fn is_everybody(user: &str) -> bool {
    ["public", "default", "all users", "default user", "defaultapppool", "shared", "guest"]
        .contains(&user.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_and_its_user_are_read_off_the_path() {
        let markers = Markers::new();
        let own = [&markers.image, &markers.host];
        let all = markers.row.iter().map(|marker| &marker.pattern).chain(own);
        assert!(all.into_iter().all(crate::pattern::Pattern::is_valid));
        let signs = markers.read("backups/WS-ALICE-01/C/Users/alice/NTUSER.DAT");
        assert_eq!(signs.len(), 1);
        let sign = &signs[0];
        assert_eq!(sign.root, "backups/WS-ALICE-01".len());
        assert_eq!(sign.user.as_deref(), Some("alice"));
        assert_eq!(sign.host.as_deref(), Some("WS-ALICE-01"));
        let signs = markers.read("backups/WindowsImageBackup/WS-BOB-02/Backup 1/x.vhdx");
        assert_eq!(signs[0].host.as_deref(), Some("WS-BOB-02"));
        assert!(markers.read("models/users/guide.txt").is_empty());
        assert!(markers.read("x/Users/Public/Desktop/a.lnk")[0].user.is_none());
    }

    #[test]
    fn leaving_markers_out_early_changes_nothing() {
        let markers = Markers::new();
        let all: Vec<usize> = (0..markers.row.len()).collect();
        let mut hits = 0;
        for root in ["", "b/", "b/WS-ALICE-01/C/", "b/WindowsImageBackup/WS-BOB-02/x.vhdx/", "É/"]
        {
            for path in [
                "Windows/System32/config/SYSTEM",
                "WINDOWS/system32/CONFIG/sam",
                "Windows/System32/config/RegBack/SAM",
                "Windows/explorer.exe",
                "Users/alice/NTUSER.DAT",
                "users/alice/ntuser.dat.LOG1",
                "Users/alice/AppData/Local/x",
                "Users/alice/AppData/LocalLow/x",
                "Users/alice/Desktop/AppData/Roaming/x",
                "Users/alice/Documents/a.txt",
                "Users/Public/Downloads/a.txt",
                "superusers/alice/Documents/a.txt",
                "pagefile.sys",
                "pagefile.sys.txt",
                "$MFT",
                "etc/shadow",
                "ETC/shadow",
                "etc/shadow-",
                "etc/fstab",
                "etc/machine-id",
                "home/bob/.ssh/id_rsa",
                "home/bob/.config/x",
                "home/bob/.bash_history",
                "home/bob/.local/share/x",
                "root/.ssh/id_rsa",
                "private/var/db/dslocal/nodes/Default/users/a.plist",
                "Users/alice/Library/Keychains/login.keychain-db",
                "Users/alice/Library/Caches/x",
                "System/Library/CoreServices/SystemVersion.plist",
                "usr/share/doc/x/README",
                "models/resnet50.ckpt",
                "WindowsImageBackup/HOST/x",
                "",
            ] {
                let path = format!("{root}{path}");
                let found = markers.read(&path);
                assert_eq!(found, markers.signs(&path, true, &all), "{path}");
                hits += found.len();
            }
        }
        assert!(hits > 100);
    }
}
