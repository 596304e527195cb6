//! Techniques 19 and 22 to 31: names, archives, streams and arrays that hide a pickle.

use crate::assembler::{Member, Pickle, crc32, npy, tar, zip};
use crate::gadgets::GADGETS;
use crate::tricks::{Corpus, evil};

/// Adds them all.
pub(crate) fn wrappings(corpus: &mut Corpus) {
    // 22: any name, or none.
    let names = [
        "net.safetensors",
        "net.onnx",
        "config.json",
        "weights.h5",
        "readme.txt",
        "blob",
        "a.jpg",
        "net.gguf",
        "model.bin",
        "x.npy",
        "x.keras",
        "x.pb",
    ];
    for name in names {
        for protocol in [0, 2, 4] {
            corpus.add(
                22,
                format!("{name} {protocol}"),
                name,
                Pickle::new(protocol).call("REDUCE", "os", "system", "id").stop(),
            );
        }
        corpus.add(
            22,
            format!("{name} import"),
            name,
            Pickle::new(2).global("os", "system").stop(),
        );
    }
    let bad = evil();
    let good = Pickle::new(2).state().stop();
    // 23, 24, 25, 26: archives.
    for flags in [1u16, 0x20, 0x40, 0x801] {
        corpus.add(
            23,
            format!("flags {flags:#x}"),
            "net.pt",
            zip(&[Member { flags, ..Member::new("a/data.pkl", &bad) }]),
        );
    }
    corpus.add(23, "CRC", "net.pt", zip(&[Member { crc: 1, ..Member::new("a/data.pkl", &bad) }]));
    corpus.add(
        24,
        "local name",
        "net.pt",
        zip(&[Member { local: "a/readme.txt", ..Member::new("a/data.pkl", &bad) }]),
    );
    corpus.add(
        24,
        "central name",
        "net.pt",
        zip(&[
            Member { central: "a/data/0", ..Member::new("a/data.pkl", &bad) },
            Member::new("a/data.pkl", &good),
        ]),
    );
    corpus.add(
        25,
        "twice",
        "net.pt",
        zip(&[Member::new("a/data.pkl", &good), Member::new("a/data.pkl", &bad)]),
    );
    corpus.add(
        25,
        "twice, first",
        "net.pt",
        zip(&[Member::new("a/data.pkl", &bad), Member::new("a/data.pkl", &good)]),
    );
    let (one, two) =
        (zip(&[Member::new("a/data.pkl", &good)]), zip(&[Member::new("a/data.pkl", &bad)]));
    corpus.add(25, "one behind the other", "net.pt", [&one[..], &two].concat());
    corpus.add(25, "the other way", "net.pt", [&two[..], &one].concat());
    corpus.add(25, "behind a pickle", "net.pt", [&bad[..], &one].concat());
    corpus.add(25, "in front of one", "net.pt", [&good[..], &two].concat());
    for name in
        ["a/data/0", "a/notes", "a/x.json", "constants.pkl", "model.weights.npz", "a/code/b.py"]
    {
        corpus.add(
            26,
            name,
            "net.pt",
            zip(&[
                Member::new("a/data.pkl", &good),
                Member { crc: crc32(&bad), ..Member::new(name, &bad) },
            ]),
        );
    }
    let old = Pickle::new(0).call("REDUCE", "os", "system", "id").stop();
    corpus.add(26, "protocol 0", "net.pt", zip(&[Member::new("a/x", &old)]));
    corpus.add(26, "zip in zip", "net.zip", zip(&[Member::new("inner.pt", &two)]));
    corpus.add(
        26,
        "tar in zip",
        "net.zip",
        zip(&[Member::new("inner.tar", &tar(&[("x.pkl", &bad)]))]),
    );
    // 27: other wrappings.
    corpus.add(27, "tar", "net.tar", tar(&[("a.txt", b"x"), ("pickle", &bad)]));
    corpus.add(27, "nemo", "net.nemo", tar(&[("model_weights.ckpt", &two)]));
    for (what, packed) in [
        ("gzip", gzip(&bad)),
        ("gzip of zip", gzip(&two)),
        ("gzip of tar", gzip(&tar(&[("x", &bad)]))),
        ("zlib", zlib(&bad)),
    ] {
        corpus.add(27, what, "net.joblib", packed);
    }
    // 31: arrays of objects.
    for descr in [
        "'|O'",
        "'O'",
        "\"|O\"",
        "'|O8'",
        "[('a', '<f4'), ('b', '|O')]",
        "'|' 'O'",
        "'\\x7cO'",
        "'object'",
        "[('a', [('b', 'O')])]",
        "('O', (2,))",
        "'(2,)O'",
    ] {
        for version in [1, 2, 3] {
            corpus.add(31, format!("{descr} {version}"), "x.npy", npy(version, descr, &bad));
        }
        corpus.add(
            31,
            format!("{descr} in npz"),
            "x.npz",
            zip(&[Member::new("arr_0", &npy(1, descr, &bad))]),
        );
    }
    joblib(corpus);
}

fn joblib(corpus: &mut Corpus) {
    // 19, 31: behind, and in, the arrays of joblib.
    let wrapper = |dtype: &str, alignment: &[u8]| {
        Pickle::new(3)
            .global("joblib.numpy_pickle", "NumpyArrayWrapper")
            .op(b")\x81}(")
            .text("shape")
            .op(b"K\x04\x85")
            .text("dtype")
            .global("numpy", "dtype")
            .text(dtype)
            .op(b"\x89\x88\x87R")
            .text("numpy_array_alignment_bytes")
            .op(alignment)
            .op(b"ub")
            .so_far()
    };
    let behind = b"cos\nsystem\n(S'id'\ntR.";
    for (module, name, argument) in GADGETS.iter().step_by(15) {
        let tail = Pickle::default().op(b"0").call("REDUCE", module, name, argument).stop();
        corpus.add(
            19,
            format!("joblib {module}"),
            "x.joblib",
            [&wrapper("f8", b"K\x10"), &b"\x04\xff\xff\xff\xff"[..], &[7; 32], &tail].concat(),
        );
        corpus.add(
            19,
            format!("old joblib {module}"),
            "x.joblib",
            [&wrapper("f8", b"N"), &[7u8; 32][..], &tail].concat(),
        );
    }
    let mut opcodes = b"0cos\nsystem\n(S'id'\ntR.".to_vec();
    opcodes.resize(32, 0);
    corpus.add(
        19,
        "opcodes as an array",
        "x.joblib",
        [&wrapper("f8", b"N"), &opcodes[..], b"."].concat(),
    );
    corpus.add(
        19,
        "opcodes as padding",
        "x.joblib",
        [&wrapper("f8", b"K\x10"), &b"N0"[..], &opcodes, &[0; 80], b"."].concat(),
    );
    corpus.add(
        31,
        "joblib objects",
        "x.joblib",
        [&wrapper("O8", b"K\x10"), &evil(), &b"."[..]].concat(),
    );
    corpus.add(19, "unknown width", "x.joblib", [&wrapper("wat", b"K\x10"), &behind[..]].concat());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    out.extend(stored(bytes));
    out.extend(crc32(bytes).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    [&b"\x78\x01"[..], &stored(bytes), &(b << 16 | a).to_be_bytes()].concat()
}

/// A deflate stream of one stored block.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat()
}
