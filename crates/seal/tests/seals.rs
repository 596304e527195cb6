//! Seals: made, opened, compared, and never believed when they were changed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use lidless_io::MemoryBytes;
use lidless_seal::{
    Algorithm, ChangeKind, Depth, Digests, Manifest, Observed, Present, Resource, SealError,
    SigningKey, VerifyingKey, compare, digest, open, sign,
};
use std::collections::BTreeMap;

// Made for this test; they protect nothing.
const P256: &str = include_str!("keys/p256.pem");
const P384: &str = include_str!("keys/p384.pem");

/// Names, contents, and when they were changed.
#[derive(Clone)]
struct Model(BTreeMap<&'static str, (Vec<u8>, i64)>);

fn model() -> Model {
    let files = [
        ("config.json", b"{}".to_vec()),
        ("weights/a.bin", vec![7u8; 3_000_000]),
        ("weights/deep/ü b.bin", Vec::new()),
    ];
    Model(files.map(|(name, bytes)| (name, (bytes, 1_000))).into())
}

impl Model {
    fn seen(&self) -> Vec<Observed> {
        let one = |(name, (bytes, time)): (&&str, &(Vec<u8>, i64))| Observed {
            name: (*name).to_owned(),
            size_bytes: bytes.len() as u64,
            modified_nanoseconds: Some(*time),
            ..Observed::default()
        };
        self.0.iter().map(one).collect()
    }

    fn read(&self, name: &str) -> Digests {
        digest(&MemoryBytes::new(self.0[name].0.clone())).unwrap()
    }

    fn manifest(&self) -> Manifest {
        let resource = |name: &&str| Resource {
            name: (*name).to_owned(),
            algorithm: Algorithm::Sha256,
            digest: self.read(name).sha256,
        };
        let resources = self.0.keys().map(resource).collect();
        let ignored = vec!["model.sig".to_owned()];
        Manifest { name: "net".into(), resources, ignored, observed: self.seen() }
    }

    fn changes(
        &self,
        sealed: &Manifest,
        odd: &[String],
        depth: Depth,
    ) -> Vec<(ChangeKind, String)> {
        let mut read = |name: &str| Ok(self.read(name));
        let files = self.seen();
        let mut present = Present { files: &files, odd, read: &mut read };
        let list = compare(sealed, &mut present, depth).unwrap();
        list.into_iter().map(|one| (one.kind, one.name)).collect()
    }
}

#[test]
fn a_seal_is_opened_by_its_key_alone_and_shows_every_change() {
    for pem in [P256, P384] {
        let key = SigningKey::parse(pem).unwrap();
        let mut model = model();
        let manifest = model.manifest();
        let seal = sign(&manifest, &key).unwrap();
        assert_eq!(open(&seal, &key.public()).unwrap(), manifest);
        let other = if pem == P256 { P384 } else { P256 };
        let other = VerifyingKey::parse(other).unwrap();
        assert_eq!(open(&seal, &other), Err(SealError::Signature));

        assert_eq!(model.changes(&manifest, &[], Depth::Metadata), []);
        assert_eq!(model.changes(&manifest, &[], Depth::Content), []);
        // The same size and the same time, so that only content tells.
        model.0.get_mut("weights/a.bin").unwrap().0[2_999_999] = 8;
        assert_eq!(model.changes(&manifest, &[], Depth::Metadata), []);
        let changed = (ChangeKind::Changed, "weights/a.bin".to_owned());
        let all = model.changes(&manifest, &[], Depth::Content);
        assert_eq!(all, std::slice::from_ref(&changed));
        model.0.get_mut("weights/a.bin").unwrap().1 = 2_000;
        let touched = (ChangeKind::Touched, "weights/a.bin".to_owned());
        assert_eq!(model.changes(&manifest, &[], Depth::Metadata), [touched]);
        model.0.remove("config.json");
        model.0.insert("new.pkl", (b"x".to_vec(), 1_000));
        assert_eq!(
            model.changes(&manifest, &["link.bin".to_owned()], Depth::Content),
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
    let key = SigningKey::parse(P256).unwrap();
    let manifest = Model([("a.bin", (b"a".to_vec(), 1_000))].into()).manifest();
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
