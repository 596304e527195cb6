//! The incident, counted: what the demo says is what is there.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    dead_code
)]

mod support;

use lidless_replica::{Container, Replica, Tier, incident};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::Read;
use std::process::Command;

fn bytes(container: &Container, name: &str) -> Vec<u8> {
    let blob = container.find(name).unwrap();
    let mut bytes = vec![0; usize::try_from(blob.source.size()).unwrap()];
    blob.source.read_at(0, &mut bytes);
    bytes
}

#[test]
fn the_account_looks_38_tb_large() {
    let contents = incident::contents();
    let total = contents.total_bytes();
    assert!((38_000_000_000_000..=38_300_000_000_000).contains(&total), "{total}");
    assert!((1500..=3000).contains(&contents.total_blobs()), "{}", contents.total_blobs());
    let sizes: Vec<(String, u64)> = contents
        .containers()
        .iter()
        .map(|it| (it.name.clone(), it.total_bytes() / 1_000_000_000))
        .collect();
    assert_eq!(
        sizes.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(),
        ["backups", "models", "public-data", "teams"]
    );
    let archived = contents.containers().iter().flat_map(Container::iter);
    assert_eq!(archived.filter(|it| it.tier == Tier::Archive).count(), 12);
    for container in contents.containers() {
        for blob in container.iter() {
            assert!(blob.source.size() <= 8 << 40, "{}", blob.name);
            if blob.blob_type == lidless_core::BlobType::Page {
                assert_eq!(blob.source.size() % 512, 0, "{}", blob.name);
            }
        }
    }
}

#[test]
fn the_contents_are_the_same_each_time() {
    let digest = || {
        let mut hasher = Sha256::new();
        for container in incident::contents().containers() {
            for blob in container.iter() {
                let mut head = vec![0; 4096];
                let length = blob.source.read_at(0, &mut head);
                hasher.update(format!("{} {}", blob.name, blob.etag()));
                hasher.update(&head[..length]);
            }
        }
        hasher.finalize()
    };
    assert_eq!(digest(), digest());
    assert_eq!(incident::account().key1, incident::account().key1);
    assert_ne!(incident::account().key1, incident::account().key2);
}

#[test]
fn there_are_29900_messages_of_359_people_and_100_in_a_cache() {
    let contents = incident::contents();
    let teams = contents.container("teams").unwrap();
    let (mut messages, mut people, mut others) = (0, BTreeSet::new(), 0);
    let mut ids = BTreeSet::new();
    for blob in teams.iter().filter(|it| it.name.ends_with(".json")) {
        let page: serde_json::Value = serde_json::from_slice(&bytes(teams, &blob.name)).unwrap();
        for item in page["value"].as_array().unwrap() {
            let place = format!("{}{}", item["chatId"], item["channelIdentity"]);
            assert!(ids.insert(format!("{place}{}", item["id"])));
            if item["messageType"] == "message" && item["deletedDateTime"].is_null() {
                messages += 1;
                people.insert(item["from"]["user"]["id"].as_str().unwrap().to_owned());
            } else {
                others += 1;
            }
        }
    }
    assert_eq!((messages, people.len(), others), (29_900, 359, 1196));
}

#[test]
fn there_are_214_models_and_one_would_run_a_command() {
    let contents = incident::contents();
    let models = contents.container("models").unwrap();
    let is_model = |name: &str| name.ends_with(".ckpt") || name.ends_with(".safetensors");
    let found: Vec<_> = models.iter().filter(|it| is_model(&it.name)).collect();
    assert_eq!(found.len(), 214);
    let mut unsafe_ones = Vec::new();
    for blob in found {
        let mut head = vec![0; 64 << 10];
        let length = blob.source.read_at(0, &mut head);
        let text = String::from_utf8_lossy(&head[..length]);
        if text.contains("posix") {
            unsafe_ones.push(blob.name.clone());
        }
    }
    assert_eq!(unsafe_ones, ["resnet50.ckpt"]);
}

#[test]
fn a_checkpoint_is_a_whole_zip_with_true_checksums() {
    let contents = incident::contents();
    let models = contents.container("models").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("resnet50.ckpt");
    std::fs::write(&file, bytes(models, "resnet50.ckpt")).unwrap();
    // Python's own zip and pickle readers, where there is one; nothing is unpickled.
    let script = "import sys, zipfile, pickletools\n\
        z = zipfile.ZipFile(sys.argv[1])\n\
        assert z.testzip() is None\n\
        names = [o.name for o, _, _ in pickletools.genops(z.read('archive/data.pkl'))]\n\
        assert names[-1] == 'STOP' and names.count('BINPERSID') == 3\n\
        print(len(z.namelist()))\n";
    let Ok(output) = Command::new("python3").arg("-c").arg(script).arg(&file).output() else {
        eprintln!("left out: no python3 here");
        return;
    };
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "6",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_checkpoint_beyond_4_gb_has_a_directory_that_other_readers_understand() {
    use std::io::{Seek, SeekFrom, Write};
    let contents = incident::contents();
    let models = contents.container("models").unwrap();
    let stem = "resnet50_linf_run00";
    let blob = models.find(&format!("checkpoints/linf/{stem}.ckpt")).unwrap();
    let size = blob.source.size();
    assert!(size > 1 << 33);
    // Its first and last bytes in a file with a hole: the weights between are not wanted.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.ckpt");
    let mut file = std::fs::File::create(&path).unwrap();
    file.set_len(size).unwrap();
    for offset in [0, size - (64 << 10)] {
        let mut part = vec![0; 64 << 10];
        blob.source.read_at(offset, &mut part);
        file.seek(SeekFrom::Start(offset)).unwrap();
        file.write_all(&part).unwrap();
    }
    let script = "import sys, zipfile\n\
        z = zipfile.ZipFile(sys.argv[1])\n\
        assert z.read(sys.argv[2] + '/version') == b'3\\n'\n\
        assert z.read(sys.argv[2] + '/data.pkl').endswith(b'.')\n\
        assert sum(m.file_size for m in z.infolist()) > 2**33\n\
        print(len(z.namelist()))\n";
    let command = Command::new("python3").arg("-c").arg(script).arg(&path).arg(stem).output();
    let Ok(output) = command else {
        eprintln!("left out: no python3 here");
        return;
    };
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "83", "{error}");
}

#[test]
fn the_workstations_hold_what_backups_hold() {
    let contents = incident::contents();
    let backups = contents.container("backups").unwrap();
    for (host, user) in [("WS-ALICE-01", "alice"), ("WS-BOB-02", "bob")] {
        let start = |path: &str, length: usize| {
            let blob = backups.find(&format!("{host}/C/{path}")).unwrap();
            let mut head = vec![0; length];
            blob.source.read_at(0, &mut head);
            head
        };
        for name in ["SYSTEM", "SOFTWARE", "SAM", "SECURITY"] {
            assert_eq!(start(&format!("Windows/System32/config/{name}"), 4), b"regf");
        }
        assert_eq!(start(&format!("Users/{user}/NTUSER.DAT"), 4), b"regf");
        let key = start(&format!("Users/{user}/.ssh/id_ed25519"), 35);
        assert!(key.starts_with(concat!("-----BEGIN ", "OPENSSH PRIVATE KEY-----").as_bytes()));
        let login = "AppData/Local/Google/Chrome/User Data/Default/Login Data";
        assert_eq!(start(&format!("Users/{user}/{login}"), 16), b"SQLite format 3\0");
    }
    for blob in backups.iter().filter(|it| it.name.contains("WindowsImageBackup")) {
        let mut edge = [0; 8];
        if blob.name.ends_with(".vhdx") {
            blob.source.read_at(0, &mut edge);
            assert_eq!(&edge, b"vhdxfile");
        } else if blob.name.ends_with(".vhd") {
            blob.source.read_at(blob.source.size() - 512, &mut edge);
            assert_eq!(&edge, b"conectix");
        }
    }
}

#[test]
fn the_second_link_opens_everything_and_the_first_is_over() {
    let account = incident::account();
    let links = incident::links(&account);
    let now = || "2023-06-22T09:00:00Z".parse().unwrap();
    let replica = Replica::start(account, incident::contents(), now).unwrap();
    let mut client = support::Client::to(replica.port());
    let query = |link: &str| link.split_once('?').unwrap().1.to_owned();
    let list = "/contosolab?comp=list";
    let answer = client.get(&format!("{list}&{}", query(links.second.expose())));
    assert_eq!(answer.all("Name"), ["backups", "models", "public-data", "teams"]);
    assert_eq!(answer.all("PublicAccess"), ["blob"]);
    let answer = client.get(&format!("{list}&{}", query(links.first.expose())));
    assert!(answer.all("AuthenticationErrorDetail")[0].contains("Expiry [Tue, 05 Oct 2021"));
}

#[test]
fn git_accepts_the_repository_and_finds_both_links_in_it() {
    let account = incident::account();
    let links = incident::links(&account);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("robust-models");
    incident::repository(&path, &account).unwrap();
    assert!(incident::repository(&path, &account).is_err(), "an existing one is left alone");

    let readme = std::fs::read_to_string(path.join("README.md")).unwrap();
    assert!(readme.lines().nth(11).unwrap().contains(links.second.expose()));
    assert!(!readme.contains(links.first.expose()));
    let cells = std::fs::read_to_string(path.join("notebooks/load_model.ipynb")).unwrap();
    let _: serde_json::Value = serde_json::from_str(&cells).unwrap();
    let mut head = [0; 4];
    std::fs::File::open(path.join(".git/index")).unwrap().read_exact(&mut head).unwrap();
    assert_eq!(&head, b"DIRC");

    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "safe.directory=*", "-C"])
            .arg(&path)
            .args(arguments)
            .output()
            .ok()?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {arguments:?}: {error}");
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(log) = git(&["log", "--format=%as %an", "--reverse"]) else {
        eprintln!("left out: no git here");
        return;
    };
    assert_eq!(log.lines().count(), 7);
    assert_eq!(log.lines().next(), Some("2020-07-20 Research Intern"));
    assert_eq!(log.lines().nth(3), Some("2021-10-06 Research Intern"));
    git(&["fsck", "--strict", "--full"]).unwrap();
    assert_eq!(git(&["status", "--porcelain"]).unwrap(), "");
    for (link, first) in [(&links.first, "2020-07-20"), (&links.second, "2021-10-06")] {
        let found = git(&["log", "--format=%as", "--reverse", "-S", link.expose()]).unwrap();
        assert_eq!(found.lines().next(), Some(first));
    }
}

/// An image as a sparse file that other tools open.
fn written(name: &str, folder: &std::path::Path) -> std::path::PathBuf {
    use std::os::unix::fs::FileExt;
    let contents = incident::contents();
    let backups = contents.containers().iter().find(|it| it.name == "backups").unwrap();
    let source = &backups.find(name).unwrap().source;
    let path = folder.join(name.replace('/', "-"));
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(source.size()).unwrap();
    for (start, end) in source.pages() {
        let mut at = start;
        while at < end {
            let mut buffer = vec![0; (end - at).min(1 << 20) as usize];
            source.read_at(at, &mut buffer);
            file.write_all_at(&buffer, at).unwrap();
            at += buffer.len() as u64;
        }
    }
    path
}

fn output(program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            assert!(output.status.success(), "{program} {arguments:?}");
            Some(output.stdout)
        }
        Err(_) => {
            assert!(std::env::var_os("CI").is_none(), "{program} is not installed");
            eprintln!("left out: {program} is not installed");
            None
        }
    }
}

#[test]
fn other_tools_read_the_disk_images() {
    let folder = tempfile::tempdir().unwrap();
    let contents = incident::contents();
    let backups = contents.containers().iter().find(|it| it.name == "backups").unwrap();
    let vhdx = written("alice.vhdx", folder.path());
    if let Some(info) = output("qemu-img", &["info", vhdx.to_str().unwrap()]) {
        assert!(String::from_utf8_lossy(&info).contains("file format: vhdx"));
    }
    let pst = folder.path().join("alice.pst");
    std::fs::write(&pst, bytes(backups, "mail/alice.pst")).unwrap();
    if let Some(info) = output("pffinfo", &[pst.to_str().unwrap()]) {
        assert!(String::from_utf8_lossy(&info).contains("compressible"));
    }
    let out = folder.path().join("alice");
    if output("pffexport", &["-q", "-t", out.to_str().unwrap(), pst.to_str().unwrap()]).is_some() {
        let found = Command::new("find").arg(folder.path()).output().unwrap().stdout;
        let found = String::from_utf8(found).unwrap();
        assert_eq!(found.matches("/OutlookHeaders.txt").count(), 36, "{found}");
        assert!(found.contains("id_ed25519"), "{found}");
    }
    let vhd = written("bob.vhd", folder.path());
    let vhd = vhd.to_str().unwrap();
    let Some(listing) = output("fls", &["-r", "-p", "-o", "34816", vhd]) else { return };
    let listing = String::from_utf8(listing).unwrap();
    for path in ["Users/bob/.ssh/id_rsa", "Windows/System32/config/SOFTWARE", "pagefile.sys"] {
        let line = listing.lines().find(|line| line.ends_with(path)).unwrap();
        if path == "pagefile.sys" {
            continue;
        }
        let inode = line.split_whitespace().nth(1).unwrap().trim_end_matches(':');
        let read = output("icat", &["-o", "34816", vhd, inode]).unwrap();
        assert_eq!(read, bytes(backups, &format!("WS-BOB-02/C/{path}")), "{path}");
    }
    let vmdk = written("vm/gpu07.vmdk", folder.path());
    let raw = folder.path().join("gpu07.raw");
    let (vmdk, raw) = (vmdk.to_str().unwrap(), raw.to_str().unwrap());
    output("qemu-img", &["convert", "-O", "raw", vmdk, raw]).unwrap();
    let listing = output("fls", &["-r", "-p", "-o", "2048", raw]).unwrap();
    let listing = String::from_utf8(listing).unwrap();
    assert!(listing.contains("home/carol/.ssh/id_ed25519") && listing.contains("etc/shadow"));
}
