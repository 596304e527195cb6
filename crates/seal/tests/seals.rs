//! Seals of folders: made, opened, compared, and never believed when they were changed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use lidless_seal::{
    ChangeKind, Depth, Present, SealError, SigningKey, VerifyingKey, compare, open, read_file,
    read_folder, sign,
};
use std::fs;
use std::path::Path;

// Made for this test; they protect nothing.
const P256: &str = include_str!("keys/p256.pem");
const P384: &str = include_str!("keys/p384.pem");

fn model(at: &Path) {
    fs::create_dir_all(at.join("weights/deep")).unwrap();
    fs::create_dir_all(at.join(".git")).unwrap();
    fs::write(at.join(".git/HEAD"), "ref").unwrap();
    fs::write(at.join("config.json"), "{}").unwrap();
    fs::write(at.join("weights/a.bin"), vec![7u8; 3_000_000]).unwrap();
    fs::write(at.join("weights/deep/ü b.bin"), "").unwrap();
}

#[test]
fn a_seal_is_opened_by_its_key_alone_and_shows_every_change() {
    for pem in [P256, P384] {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        model(at);
        let key = SigningKey::parse(pem).unwrap();
        let ignored = ["model.sig".to_owned()];
        let before = read_folder(at, &ignored).unwrap();
        assert_eq!(before.files.len(), 3, "what belongs to version control is left out");
        let manifest = before.manifest(at, "net", &ignored).unwrap();
        let seal = sign(&manifest, &key).unwrap();
        assert_eq!(open(&seal, &key.public()).unwrap(), manifest);
        let other = if pem == P256 { P384 } else { P256 };
        let other = VerifyingKey::parse(other).unwrap();
        assert_eq!(open(&seal, &other), Err(SealError::Signature));

        let changes = |depth| {
            let now = read_folder(at, &ignored).unwrap();
            let mut read = |name: &str| read_file(&at.join(name));
            let mut present = Present { files: &now.files, odd: &now.odd, read: &mut read };
            let list = compare(&manifest, &mut present, depth).unwrap();
            list.into_iter().map(|one| (one.kind, one.name)).collect::<Vec<_>>()
        };
        assert_eq!(changes(Depth::Metadata), []);
        assert_eq!(changes(Depth::Content), []);
        // The same size and the same time, so that only content tells.
        let path = at.join("weights/a.bin");
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[2_999_999] = 8;
        fs::write(&path, bytes).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        assert_eq!(changes(Depth::Metadata), []);
        let changed = (ChangeKind::Changed, "weights/a.bin".to_owned());
        assert_eq!(changes(Depth::Content), std::slice::from_ref(&changed));
        file.set_modified(time + std::time::Duration::from_secs(60)).unwrap();
        assert_eq!(changes(Depth::Metadata), [(ChangeKind::Touched, "weights/a.bin".to_owned())]);
        fs::remove_file(at.join("config.json")).unwrap();
        fs::write(at.join("new.pkl"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/hostname", at.join("link.bin")).unwrap();
        assert_eq!(
            changes(Depth::Content),
            [
                changed,
                (ChangeKind::Appeared, "link.bin".to_owned()),
                (ChangeKind::Appeared, "new.pkl".to_owned()),
                (ChangeKind::Vanished, "config.json".to_owned()),
            ]
        );
    }
}

#[test]
fn no_change_of_a_seal_goes_unnoticed_and_no_text_panics() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.bin"), "a").unwrap();
    let key = SigningKey::parse(P256).unwrap();
    let now = read_folder(folder.path(), &[]).unwrap();
    let manifest = now.manifest(folder.path(), "net", &[]).unwrap();
    let seal = sign(&manifest, &key).unwrap();
    let public = key.public();
    lidless_kit::cut_and_flip(seal.as_bytes(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(read) = open(&text, &public) {
            assert_eq!(read, manifest, "a changed seal says something else");
        }
    });
    for text in ["", "{}", "[]", "null", "{\"mediaType\": 1}"] {
        assert!(open(text, &public).is_err(), "{text}");
    }
    for pem in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        assert!(matches!(SigningKey::parse(pem), Err(SealError::Key)));
        assert!(matches!(VerifyingKey::parse(pem), Err(SealError::Key)));
    }
}
