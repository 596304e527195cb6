//! What is likely to matter most per byte comes first.

use lidless_core::{Entry, Interest, Object};

/// The place of an object in the order: smaller is sooner.
///
/// Credentials by their usual names come first, then small text, messages and models, then
/// archives, then media and large opaque things. Within a class, smaller objects come first.
pub(crate) fn priority(object: &Object) -> i64 {
    let class = class(&object.key.to_ascii_lowercase());
    // 2^48 bytes is more than any object; the class stays above the size.
    let size = i64::try_from(object.size.min((1 << 48) - 1)).unwrap_or(i64::MAX);
    class.saturating_mul(1 << 48).saturating_add(size)
}

/// How much a file inside an image promises.
pub(crate) fn interest(entry: &Entry) -> Interest {
    let path = entry.lower_path();
    if is_metadata(path) {
        return Interest::None;
    }
    if is_store(path) {
        return Interest::High;
    }
    match class(path) {
        0 => Interest::High,
        1..=5 => Interest::Medium,
        6 => Interest::Low,
        _ => Interest::None,
    }
}

/// Files in which a file system keeps itself: what they say was read already.
fn is_metadata(path: &str) -> bool {
    const NTFS: [&str; 11] = [
        "$mft", "$mftmirr", "$logfile", "$volume", "$attrdef", "$bitmap", "$boot", "$badclus",
        "$secure", "$upcase", "$extend",
    ];
    let first = path.split(['/', ':']).next().unwrap_or("");
    NTFS.contains(&first)
}

/// Hives, and the stores of browsers, mail and chats, of keys and of a machine's own settings.
pub(crate) fn is_store(path: &str) -> bool {
    const NAMES: [&str; 49] = [
        "ntuser.dat",
        "ntds.dit",
        "login data",
        "login data for account",
        "cookies",
        "web data",
        "local state",
        "logins.json",
        "key4.db",
        "cookies.sqlite",
        "cookies.binarycookies",
        "shadow",
        "shadow-",
        "gshadow",
        "passwd",
        "master.passwd",
        "hostname",
        "os-release",
        "machine-id",
        "wtmp",
        "systemversion.plist",
        "preferences.plist",
        "login.keychain-db",
        "keychain-2.db",
        "unattend.xml",
        "autounattend.xml",
        "sysprep.xml",
        "groups.xml",
        "consolehost_history.txt",
        "confcons.xml",
        "sitemanager.xml",
        "recentservers.xml",
        "winscp.ini",
        "mobaxterm.ini",
        "rclone.conf",
        "hosts.yml",
        "pgpass.conf",
        "access_tokens.db",
        "msal_token_cache.bin",
        "ipsec.secrets",
        "sssd.conf",
        "gitlab-secrets.json",
        "master.key",
        "hudson.util.secret",
        "wallet.dat",
        "config.json",
        "wp-config.php",
        "web.config",
        "terraform.tfstate",
    ];
    const ENDS: [&str; 19] = [
        ".pst",
        ".ost",
        ".kdbx",
        ".kdb",
        ".keychain-db",
        ".keychain",
        ".rdp",
        ".rdg",
        ".ovpn",
        ".ppk",
        "_history",
        ".keytab",
        ".jks",
        ".keystore",
        ".tfvars",
        ".1pux",
        ".1pif",
        ".bek",
        ".nmconnection",
    ];
    const PLACES: [&str; 8] = [
        ".indexeddb.leveldb/",
        "/microsoft/protect/",
        "/microsoft/credentials/",
        "/microsoft/vault/",
        "/dslocal/nodes/",
        "/private-keys-v1.d/",
        "/kubernetes/pki/",
        "/wireguard/",
    ];
    let name = path.rsplit('/').next().unwrap_or("");
    NAMES.contains(&name)
        || ENDS.iter().any(|end| name.ends_with(end))
        || path.contains("/system32/config/") && !name.contains('.')
        || PLACES.iter().any(|part| path.contains(part))
}

/// The class of a path in lower case; smaller is sooner.
pub(crate) fn class(path: &str) -> i64 {
    let name = path.rsplit('/').next().unwrap_or("");
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if is_credential(path, name) {
        0
    } else {
        match extension {
            "env" | "ini" | "conf" | "cfg" | "toml" | "yaml" | "yml" | "properties" | "tfstate"
            | "tfvars" | "ps1" | "sh" | "bat" | "xml" | "txt" => 1,
            "json" | "jsonl" | "csv" | "ipynb" | "py" | "md" | "sql" => 2,
            _ if is_model_name(name) => 3,
            "zip" | "tar" | "tgz" | "gz" | "bz2" | "xz" | "zst" | "7z" | "rar" => 4,
            "vhd" | "vhdx" | "vmdk" | "qcow2" | "vdi" | "e01" | "img" | "iso" | "dmg" => 5,
            "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "pdf" | "odt" | "ods" | "rtf"
            | "eml" | "msg" | "mbox" => 2,
            "jpg" | "jpeg" | "png" | "gif" | "mp4" | "mov" | "mp3" | "wav" | "webp" | "avi"
            | "mkv" | "flac" | "ttf" | "woff" | "ico" | "svg" => 8,
            "dll" | "exe" | "sys" | "so" | "dylib" | "o" | "a" | "mui" | "pdb" | "cat" | "nls"
            | "lib" | "pyc" | "class" | "ko" | "etl" | "evtx" => 8,
            _ => 6,
        }
    }
}

/// Whether a path is named like a model file.
pub(crate) fn is_model_name(path: &str) -> bool {
    const ENDS: [&str; 27] = [
        "ckpt",
        "pt",
        "pth",
        "pkl",
        "pickle",
        "bin",
        "joblib",
        "dill",
        "npy",
        "npz",
        "h5",
        "hdf5",
        "keras",
        "safetensors",
        "onnx",
        "gguf",
        "ggml",
        "tflite",
        "pb",
        "mlmodel",
        "nemo",
        "mar",
        "skops",
        "llamafile",
        "pdparams",
        "rds",
        "model",
    ];
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or("");
    name.rsplit_once('.').is_some_and(|(_, end)| ENDS.contains(&end))
}

/// What a class of the order holds, in words.
pub(crate) fn kind(class: i64) -> &'static str {
    match class {
        0 => "credentials",
        1 => "configuration",
        2 => "text and data",
        3 => "models",
        4 => "archives",
        5 => "disk images",
        8 => "media",
        _ => "other",
    }
}

fn is_credential(path: &str, name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "credential",
        "passw",
        "secret",
        "token",
        ".npmrc",
        ".netrc",
        ".pgpass",
        "id_rsa",
        "id_ed25519",
        "id_ecdsa",
        ".env",
        "kubeconfig",
    ];
    const PLACES: [&str; 5] = [".ssh/", ".aws/", ".azure/", ".kube/", ".docker/"];
    const ENDS: [&str; 6] = [".pem", ".key", ".pfx", ".p12", ".kdbx", ".ppk"];
    NAMES.iter().any(|part| name.contains(part))
        || PLACES.iter().any(|part| path.contains(part))
        || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lidless_core::{Layer, Provenance};

    fn object(key: &str, size: u64) -> Object {
        Object {
            key: key.into(),
            size,
            etag: None,
            modified: None,
            created: None,
            tier: None,
            blob_type: None,
            content_md5: None,
            content_type: None,
            ..Object::default()
        }
    }

    #[test]
    fn a_file_system_is_not_looked_for_in_its_own_metadata() {
        let interest = |path: &str| {
            let place = Provenance::new(Layer::File { path: "/disk".into() });
            interest(&Entry::new(place.child(Layer::Member { path: path.into() }), Some(9)))
        };
        assert_eq!(interest("$Boot"), Interest::None);
        assert_eq!(interest("$Secure:$SDS"), Interest::None);
        assert_eq!(interest("$Extend/$UsnJrnl:$J"), Interest::None);
        assert_eq!(interest("$Recycle.Bin/S-1-5-21/$R1.txt"), Interest::Medium);
        assert_eq!(interest("Users/a/.ssh/id_rsa"), Interest::High);
        assert_eq!(interest("Windows/explorer.exe"), Interest::None);
    }

    #[test]
    fn keys_come_before_models_and_models_before_pictures() {
        let mut objects = [
            object("photo.jpg", 10),
            object("disk.vhdx", u64::MAX),
            object("model.ckpt", 1 << 40),
            object("home/a/.ssh/config", 1 << 40),
            object("model-small.ckpt", 10),
        ];
        objects.sort_by_key(priority);
        let order: Vec<_> = objects.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(
            order,
            ["home/a/.ssh/config", "model-small.ckpt", "model.ckpt", "disk.vhdx", "photo.jpg"]
        );
    }

    #[test]
    fn stores_of_machines_are_looked_into_first_and_programs_never() {
        use lidless_core::{Layer, Provenance};
        for (path, interest_of) in [
            ("Windows/System32/config/SYSTEM", Interest::High),
            ("Windows/System32/config/SYSTEM.LOG1", Interest::Low),
            (
                "Users/a/AppData/Local/Microsoft/Edge/User Data/Default/Network/Cookies",
                Interest::High,
            ),
            ("Users/a/AppData/Roaming/Microsoft/Protect/S-1-5-21/0a", Interest::High),
            ("Users/a/x/https_teams.microsoft.com_0.indexeddb.leveldb/CURRENT", Interest::High),
            ("var/db/dslocal/nodes/Default/users/alice.plist", Interest::High),
            ("home/a/.ssh/id_ed25519", Interest::High),
            ("home/a/notes.txt", Interest::Medium),
            ("Windows/System32/kernel32.dll", Interest::None),
        ] {
            let place = Provenance::new(Layer::Member { path: path.into() });
            assert_eq!(interest(&Entry::new(place, None)), interest_of, "{path}");
        }
    }
}
