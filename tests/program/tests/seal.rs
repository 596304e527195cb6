//! Seals made by lidless verified by the model-signing package, and the other way round.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use lidless_program_tests::run;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program that `./check` installed.
fn model_signing() -> Option<PathBuf> {
    let named = std::env::var_os("LIDLESS_MODEL_SIGNING").map(PathBuf::from);
    let local = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/tools/model-signing/bin/model_signing");
    let found = named.or(Some(local)).filter(|path| path.is_file());
    if found.is_none() {
        let why = "model-signing was not found: run ./check";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("not tested against model-signing: {why}");
    }
    found
}

#[test]
fn seals_are_verified_by_model_signing_and_its_seals_by_lidless() {
    let Some(peer) = model_signing() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let model = path("net");
    fs::create_dir_all(path("net/weights")).unwrap();
    fs::write(path("net/config.json"), "{}").unwrap();
    fs::write(path("net/weights/a.bin"), vec![1u8; 100_000]).unwrap();
    fs::write(path("net/weights/a b ü.bin"), "x").unwrap();
    for curve in ["p256", "p384"] {
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/seal/tests/keys");
        let (key, public) = (path(&format!("{curve}.pem")), path(&format!("{curve}.pub")));
        fs::copy(keys.join(format!("{curve}.pem")), &key).unwrap();
        fs::copy(keys.join(format!("{curve}.pub")), &public).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let (ours, theirs) = (path(&format!("{curve}.ours")), path(&format!("{curve}.theirs")));
        let ran = run(&["seal", &model, "--key", &key, "--output", &ours]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let ask = |words: &[&str]| {
            let output = Command::new(&peer).args(words).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.success(), said)
        };
        let theirs_of_ours =
            ask(&["verify", "key", &model, "--signature", &ours, "--public_key", &public]);
        assert!(theirs_of_ours.0, "{curve}: {}", theirs_of_ours.1);
        let made = ask(&["sign", "key", &model, "--signature", &theirs, "--private_key", &key]);
        assert!(made.0, "{curve}: {}", made.1);
        let verify = |seal: &str| {
            run(&["verify", &model, "--seal", seal, "--key", &public, "--format", "json"])
        };
        for seal in [&ours, &theirs] {
            let ran = verify(seal);
            assert_eq!(ran.code, 0, "{curve}: {} {}", ran.out, ran.err);
            assert_eq!(ran.json()["files"], 3);
        }
        // One byte more: both say so, of both seals.
        let before = fs::read(path("net/weights/a.bin")).unwrap();
        fs::write(path("net/weights/a.bin"), vec![1u8; 100_001]).unwrap();
        for seal in [&ours, &theirs] {
            let ran = verify(seal);
            assert_eq!(ran.code, 1, "{curve}: {} {}", ran.out, ran.err);
            assert_eq!(ran.json()["changes"][0]["name"], "weights/a.bin");
            let peer =
                ask(&["verify", "key", &model, "--signature", seal, "--public_key", &public]);
            assert!(!peer.0, "{curve}");
        }
        fs::write(path("net/weights/a.bin"), before).unwrap();
    }
    // A seal of another key is not to be believed; a key that others can read is refused.
    let ran = run(&["verify", &model, "--seal", &path("p256.ours"), "--key", &path("p384.pub")]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("not made by this key"), "{}", ran.err);
    fs::set_permissions(path("p256.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    let ran = run(&["seal", &model, "--key", &path("p256.pem")]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("chmod 600"), "{}", ran.err);
}

/// A folder with a model, and the key to seal it with.
fn model(root: &Path) -> (String, String, String) {
    let path = |name: &str| root.join(name).display().to_string();
    fs::create_dir_all(path("net/weights/deep")).unwrap();
    fs::create_dir_all(path("net/.git")).unwrap();
    fs::write(path("net/.git/HEAD"), "ref").unwrap();
    symlink("HEAD", path("net/.git/link")).unwrap();
    fs::write(path("net/config.json"), "{}").unwrap();
    fs::write(path("net/weights/a.bin"), vec![7u8; 3_000_000]).unwrap();
    fs::write(path("net/weights/deep/ü b.bin"), "").unwrap();
    let latin = std::ffi::OsStr::from_bytes(b"net/weights/latin \xfc.bin");
    fs::write(root.join(latin), "no text").unwrap();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/seal/tests/keys");
    let (key, public) = (path("key.pem"), path("key.pub"));
    fs::copy(keys.join("p256.pem"), &key).unwrap();
    fs::copy(keys.join("p256.pub"), &public).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    (path("net"), key, public)
}

#[test]
fn a_folder_is_sealed_without_version_control_and_every_change_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (net, key, public) = model(folder.path());
    let sealed = run(&["seal", &net, "--key", &key]);
    assert_eq!(sealed.code, 0, "{}", sealed.err);
    assert!(sealed.out.contains("Sealed 4 files, 3000009 bytes"), "{}", sealed.out);
    let changes = |more: &[&str]| {
        let ran = run(&[&["verify", &net, "--key", &public, "--format", "json"], more].concat());
        assert!(matches!(ran.code, 0 | 1 | 3), "{}", ran.err);
        let json = ran.json();
        let of = |one: &serde_json::Value| {
            format!("{} {}", one["kind"].as_str().unwrap(), one["name"].as_str().unwrap())
        };
        json["changes"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!((changes(&[]), changes(&["--content"])), (vec![], vec![]));
    // A copy is the same, whatever its system says of it.
    let copy = folder.path().join("copy");
    let copied = Command::new("cp").arg("-a").arg(&net).arg(&copy).status().unwrap();
    assert!(copied.success());
    let ran = run(&["verify", copy.to_str().unwrap(), "--key", &public]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    // The same size and the same time, so that only content tells.
    let path = Path::new(&net).join("weights/a.bin");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[2_999_999] = 8;
    fs::write(&path, bytes).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(changes(&[]), [""; 0]);
    assert_eq!(changes(&["--content"]), ["changed weights/a.bin"]);
    fs::remove_file(Path::new(&net).join("config.json")).unwrap();
    fs::write(Path::new(&net).join("new.pkl"), "x").unwrap();
    symlink("/etc/hostname", Path::new(&net).join("link 100%.bin")).unwrap();
    let wanted = [
        "changed weights/a.bin",
        "appeared link 100%.bin",
        "appeared new.pkl",
        "vanished config.json",
    ];
    assert_eq!(changes(&["--content"]), wanted);
    let again = run(&["seal", &net, "--key", &key]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("link 100%.bin is a link"), "{}", again.err);
}

#[test]
fn half_a_folder_is_not_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let (net, key, _) = model(folder.path());
    // Deeper than is followed, which bars even whoever may read everything.
    fs::create_dir_all(Path::new(&net).join("d/".repeat(300))).unwrap();
    let ran = run(&["seal", &net, "--key", &key]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("256 folders deep"), "{}", ran.err);
    assert!(!Path::new(&net).join("model.sig").exists());
    for target in [folder.path().join("nothing"), Path::new(&net).join("config.json")] {
        let ran = run(&["seal", target.to_str().unwrap(), "--key", &key]);
        assert_eq!(ran.code, 2, "{}", ran.out);
    }
}
