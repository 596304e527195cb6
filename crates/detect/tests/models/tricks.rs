//! The thirty-three ways past a scanner, each with many gadgets, protocols and wrappings: every
//! one is at least a `high` finding, with a verdict that says so.

use crate::assembler::{CALLS, Pickle, STRINGS, framed};
use crate::gadgets::GADGETS;
use crate::look::{look, worst};
use crate::wrappings::wrappings;
use lidless_core::Severity;
use std::collections::BTreeMap;
use std::path::Path;

type Case = (u8, String, &'static str, Vec<u8>);

#[derive(Default)]
pub(crate) struct Corpus(Vec<Case>);

impl Corpus {
    /// A file by the number of its technique, what varies in it, and its name.
    pub(crate) fn add(
        &mut self,
        technique: u8,
        what: impl Into<String>,
        name: &'static str,
        file: Vec<u8>,
    ) {
        self.0.push((technique, what.into(), name, file));
    }
}

pub(crate) fn evil() -> Vec<u8> {
    Pickle::new(2).call("REDUCE", "os", "system", "id").stop()
}

fn names(corpus: &mut Corpus) {
    // 1 to 3: names on no list, submodules, methods; in every protocol and kind of call.
    for (number, (module, name, argument)) in GADGETS.iter().enumerate() {
        for protocol in [0, 2, 4] {
            let way = CALLS[(number + usize::from(protocol)) % CALLS.len()];
            let file = Pickle::new(protocol).call(way, module, name, argument).stop();
            let technique = if name.contains('.') { 3 } else { u8::from(module.contains('.')) + 1 };
            corpus.add(technique, format!("{module}.{name} {way} {protocol}"), "net.pkl", file);
        }
        // 6, 7: the import alone.
        let file = Pickle::new(2).state().op(b"0").global(module, name).stop();
        corpus.add(6, format!("{module}.{name} never called"), "net.bin", file);
    }
    for (module, name) in
        [("antigravity", "x"), ("my_local_module", "x"), ("__main__", "Net"), ("this", "s")]
    {
        corpus.add(7, module, "net.pt", Pickle::new(2).global(module, name).stop());
        corpus.add(7, module, "data.dat", Pickle::new(4).stack_global(module, name).stop());
    }
    // 4: walks through attributes.
    for (module, name) in [
        ("pathlib", "os.system"),
        ("torch", "serialization.os.system"),
        ("builtins", "eval.__call__"),
        ("collections", "_sys.modules.get"),
        ("collections", "OrderedDict.__init__.__globals__"),
        ("numpy", "ndarray.tofile"),
        ("numpy", "os.system"),
        ("torch", "Tensor.__init__.__globals__"),
        ("functools", "partial.__call__"),
        ("sklearn.base", "os.popen"),
    ] {
        corpus.add(
            4,
            format!("{module} {name}"),
            "net.pkl",
            Pickle::new(4).stack_global(module, name).text("id").op(b"\x85R").stop(),
        );
        corpus.add(
            4,
            format!("{module} {name} GLOBAL"),
            "net.pkl",
            Pickle::new(4).global(module, name).text("id").op(b"\x85R").stop(),
        );
    }
    // 16: names of Python 2.
    for (module, name) in [
        ("__builtin__", "eval"),
        ("__builtin__", "apply"),
        ("commands", "getoutput"),
        ("cPickle", "loads"),
        ("copy_reg", "add_extension"),
        ("urllib2", "urlopen"),
        ("itertools", "imap"),
        ("__builtin__", "reduce"),
        ("httplib", "HTTPConnection"),
        ("thread", "start_new_thread"),
    ] {
        for protocol in [0, 2] {
            corpus.add(
                16,
                format!("{module}.{name}"),
                "old.pkl",
                Pickle::new(protocol).call("REDUCE", module, name, "x").stop(),
            );
        }
    }
    // 30: against the scanner itself.
    for (module, name) in [
        ("fickling.hook", "run_hook"),
        ("picklescan.scanner", "scan_bytes"),
        ("sys", "exit"),
        ("builtins", "exit"),
        ("gc", "disable"),
    ] {
        corpus.add(
            30,
            format!("{module}.{name}"),
            "net.pkl",
            Pickle::new(3).global(module, name).op(b")R").stop(),
        );
    }
}

fn indirect(corpus: &mut Corpus) {
    // 5: harmless names given something to call.
    let listed = [
        ("torch._tensor", "_rebuild_from_type_v2"),
        ("functools", "partial"),
        ("copyreg", "_reconstructor"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("pandas.core.indexes.base", "_new_Index"),
        ("collections", "defaultdict"),
    ];
    for (module, name) in listed {
        for (gadget, function, argument) in GADGETS.iter().step_by(19) {
            let file = Pickle::new(2)
                .global(module, name)
                .global(gadget, function)
                .text(argument)
                .op(b"\x86R")
                .stop();
            corpus.add(5, format!("{name} {gadget}.{function}"), "net.pkl", file);
        }
        if name != "defaultdict" {
            // What is called is the result of a harmless call.
            let file = Pickle::new(2)
                .global(module, name)
                .global("builtins", "str")
                .text("x")
                .op(b"\x85R")
                .text("y")
                .op(b"\x86R")
                .stop();
            corpus.add(5, format!("{name} of a result"), "net.pkl", file);
        }
    }
    corpus.add(
        5,
        "result called",
        "net.pkl",
        Pickle::new(2).global("collections", "OrderedDict").op(b")R)R").stop(),
    );
    corpus.add(
        5,
        "partial called",
        "net.pkl",
        Pickle::new(2)
            .global("functools", "partial")
            .global("builtins", "str")
            .op(b"\x85R)R")
            .stop(),
    );
    // 10: a name that only running would tell.
    let dynamic = [
        Pickle::new(4).global("builtins", "str").text("os").op(b"\x85R").text("system").op(b"\x93"),
        Pickle::new(4).text("os").global("builtins", "str").text("system").op(b"\x85R\x93"),
        Pickle::new(4).bytes(b"os").text("system").op(b"\x93"),
        Pickle::new(4).text("os").op(b"K\x01\x93"),
        Pickle::new(4).text(&"o".repeat(400)).text("system").op(b"\x93"),
        Pickle::new(5).op(b"\x97").text("system").op(b"\x93"),
        Pickle::new(4).text("os").text("x").op(b"Q").op(b"\x93"),
        Pickle::new(4).op(b"\x82\x01").text("system").op(b"\x93"),
    ];
    for (number, start) in dynamic.into_iter().enumerate() {
        corpus.add(
            10,
            format!("dynamic {number}"),
            "net.pkl",
            start.clone().text("id").op(b"\x85R").stop(),
        );
        corpus.add(
            10,
            format!("dynamic {number} without a name"),
            "blob",
            start.text("id").op(b"\x85R").stop(),
        );
    }
    // 12: calls without REDUCE, and methods of what was made.
    for way in CALLS {
        for (module, name, argument) in GADGETS.iter().step_by(17) {
            let file = Pickle::new(2).state().op(b"0").call(way, module, name, argument).stop();
            corpus.add(12, format!("{way} {module}.{name}"), "net.pth", file);
            // 13: the result is thrown away.
            let file = Pickle::new(2).call(way, module, name, argument).op(b"0").state().stop();
            corpus.add(13, format!("{way} POP {module}.{name}"), "net.pth", file);
            let file =
                Pickle::new(2).op(b"(").call(way, module, name, argument).op(b"1").state().stop();
            corpus.add(13, format!("{way} POP_MARK {module}.{name}"), "net.pth", file);
        }
    }
    for key in ["__setstate__", "__class__", "__reduce_ex__", "__getattr__", "__dict__", "__call__"]
    {
        let object = Pickle::new(2)
            .global("collections", "OrderedDict")
            .op(b")R}")
            .text(key)
            .global("builtins", "str");
        corpus.add(12, format!("BUILD {key}"), "net.pkl", object.op(b"sb").stop());
        let slots = Pickle::new(2)
            .global("argparse", "Namespace")
            .op(b")\x81N}")
            .text(key)
            .global("builtins", "str");
        corpus.add(12, format!("BUILD slot {key}"), "net.pkl", slots.op(b"s\x86b").stop());
        let marked = Pickle::new(0)
            .global("collections", "OrderedDict")
            .op(b"(tR(")
            .text(key)
            .global("builtins", "str");
        corpus.add(12, format!("BUILD DICT {key}"), "net.pkl", marked.op(b"db").stop());
    }
    corpus.add(
        12,
        "BUILD on a class",
        "net.pkl",
        Pickle::new(2)
            .global("collections", "OrderedDict")
            .op(b"}")
            .text("popitem")
            .global("builtins", "str")
            .op(b"sb")
            .stop(),
    );
    corpus.add(
        12,
        "SETITEM on a class",
        "net.pkl",
        Pickle::new(2).global("collections", "OrderedDict").text("a").op(b"Ns").stop(),
    );
    corpus.add(
        12,
        "APPEND on a class",
        "net.pkl",
        Pickle::new(2).global("collections", "deque").op(b"Na").stop(),
    );
    // 14: imports by number.
    for code in [&b"\x82\x01"[..], b"\x83\x01\x02", b"\x84\x01\x02\x03\x04", b"\x82\xff"] {
        corpus.add(14, "EXT", "net.pkl", Pickle::new(2).op(code).stop());
        corpus.add(
            14,
            "EXT called",
            "net.pkl",
            Pickle::new(2).op(code).text("id").op(b"\x85R").stop(),
        );
    }
    // 15: the loader's own hook.
    for id in [
        Pickle::new(2).text("x").op(b"Q"),
        Pickle::new(0).op(b"Pfile:///etc/passwd\n"),
        Pickle::new(2).text("storage").op(b"\x85Q"),
        Pickle::new(2)
            .text("module")
            .global("torch", "Tensor")
            .text("a.py")
            .text("code")
            .op(b"(\x87Q"),
        Pickle::new(2).op(b"K\x07Q"),
        Pickle::new(2)
            .op(b"(")
            .text("storage")
            .global("os", "system")
            .text("0")
            .text("cpu")
            .op(b"K\x01tQ"),
        Pickle::new(2)
            .op(b"(")
            .text("storage")
            .text("torch.FloatStorage")
            .text("0")
            .text("cpu")
            .op(b"K\x01tQ"),
    ] {
        corpus.add(15, "persistent id", "net.pkl", id.stop());
    }
}

fn encodings(corpus: &mut Corpus) {
    for (number, (module, name, argument)) in GADGETS.iter().step_by(9).enumerate() {
        // 11: every opcode that makes a string.
        for kind in STRINGS {
            let file = Pickle::new(4)
                .string(kind, module)
                .string(STRINGS[number % 7], name)
                .op(b"\x93")
                .text(argument)
                .op(b"\x85R");
            corpus.add(11, format!("{kind} {module}.{name}"), "net.pkl", file.stop());
            let bare = Pickle::new(0)
                .string(kind, module)
                .string(kind, name)
                .op(b"\x93")
                .string(kind, argument)
                .op(b"\x85R");
            corpus.add(11, format!("{kind} {module}.{name} without PROTO"), "net.pkl", bare.stop());
        }
        // 8: the memo.
        let memo: [(&str, Pickle); 6] = [
            (
                "MEMOIZE",
                Pickle::new(4).text(module).op(b"\x940").text(name).op(b"\x940h\0h\x01\x93"),
            ),
            (
                "PUT is the top",
                Pickle::new(2)
                    .text("collections")
                    .op(b"0")
                    .text(module)
                    .op(b"q\x050")
                    .text(name)
                    .op(b"q\x060h\x05h\x06\x93"),
            ),
            (
                "overwritten",
                Pickle::new(2)
                    .text("collections")
                    .op(b"q\x010")
                    .text(module)
                    .op(b"q\x010")
                    .text(name)
                    .op(b"q\x020h\x01h\x02\x93"),
            ),
            (
                "LONG_BINPUT",
                Pickle::new(2)
                    .text(module)
                    .op(b"r\xff\xff\xff\xff0")
                    .text(name)
                    .op(b"r\0\0\0\x800j\xff\xff\xff\xffj\0\0\0\x80\x93"),
            ),
            (
                "PUT in text",
                Pickle::new(0)
                    .text(module)
                    .op(b"p5000000000\n0")
                    .text(name)
                    .op(b"p1_0\n0g5000000000\ng10\n\x93"),
            ),
            (
                "MEMOIZE after gaps",
                Pickle::new(4)
                    .op(b"Nq\x090N\x940")
                    .text(module)
                    .op(b"\x940")
                    .text(name)
                    .op(b"\x940h\x02h\x03\x93"),
            ),
        ];
        for (what, start) in memo {
            corpus.add(
                8,
                format!("{what} {module}"),
                "net.pkl",
                start.text(argument).op(b"\x85R").stop(),
            );
        }
        // 9: noise between the strings and the import.
        for noise in [
            &b"N0"[..],
            b"(NNN1",
            b"20",
            b"]0}0",
            b"I0x1f\n0",
            b"L-0b11L\n0F1_0.5\n0",
            b"\x95\0\0\0\0\0\0\0\0",
        ] {
            let file = Pickle::new(4)
                .text(module)
                .op(noise)
                .text(name)
                .op(noise)
                .op(b"\x93")
                .text(argument)
                .op(b"\x85R");
            corpus.add(9, format!("{noise:?}"), "net.pkl", file.stop());
        }
    }
    // 21: frames that two loaders leave in different places.
    let body = Pickle::default().state().stop();
    let length = body.len() as u64;
    for wrong in [1, 3, length - 3, length + 1, length + 100, u64::MAX] {
        corpus.add(21, format!("frame of {wrong}"), "net.pkl", framed(&body, wrong));
        let evil = Pickle::default().call("STACK_GLOBAL", "os", "system", "id").stop();
        corpus.add(21, format!("evil frame of {wrong}"), "net.pkl", framed(&evil, wrong));
    }
    let nested = [b"N\x95\x02\0\0\0\0\0\0\0".as_slice(), &body].concat();
    corpus.add(21, "a frame in a frame", "net.pkl", framed(&nested, nested.len() as u64));
    corpus.add(
        21,
        "STOP before the end of a frame",
        "net.pkl",
        framed(&[&body[..], b"NNNN"].concat(), length + 4),
    );
}

fn inner(corpus: &mut Corpus) {
    // 17: pickles inside pickles.
    let loaders = [
        ("pickle", "loads"),
        ("_pickle", "loads"),
        ("torch.storage", "_load_from_bytes"),
        ("dill", "loads"),
        ("cloudpickle", "loads"),
        ("joblib", "load"),
        ("pandas", "read_pickle"),
        ("numpy", "load"),
    ];
    for (module, name) in loaders {
        let direct = Pickle::new(3).global(module, name).bytes(&evil()).op(b"\x85R").stop();
        corpus.add(17, format!("{module}.{name}"), "net.pkl", direct.clone());
        let encoded = evil().iter().map(|byte| char::from(*byte)).collect::<String>();
        let latin = Pickle::new(2)
            .global(module, name)
            .global("_codecs", "encode")
            .text(&encoded)
            .text("latin1")
            .op(b"\x86R\x85R");
        corpus.add(17, format!("{module}.{name} latin1"), "net.pkl", latin.stop());
        let hidden = Pickle::new(2)
            .global(module, name)
            .global("_codecs", "encode")
            .text("636f730a")
            .text("hex")
            .op(b"\x86R\x85R");
        corpus.add(17, format!("{module}.{name} hex"), "net.pkl", hidden.stop());
        let twice = Pickle::new(3)
            .global("torch.storage", "_load_from_bytes")
            .bytes(&direct)
            .op(b"\x85R")
            .stop();
        corpus.add(17, format!("{module}.{name} twice"), "net.pkl", twice);
    }
    let long = Pickle::new(2)
        .text(&"x".repeat(100_000))
        .op(b"0")
        .call("REDUCE", "os", "system", "id")
        .stop();
    corpus.add(
        17,
        "a long one inside",
        "net.pkl",
        Pickle::new(3).global("torch.storage", "_load_from_bytes").bytes(&long).op(b"\x85R").stop(),
    );
    // 18: broken behind the payload, or before it.
    for (module, name, argument) in GADGETS.iter().step_by(11) {
        let start = Pickle::new(2).call("REDUCE", module, name, argument).so_far();
        for tail in [
            &b""[..],
            b"\xff",
            b"X\xff\xff\xff\x7fab",
            b"\x8b\xff\xff\xff\xff",
            b"Inot a number\n.",
            b"h\xc8.",
            b"t.",
            b"\x80\x63.",
        ] {
            corpus.add(
                18,
                format!("{module}.{name} and {tail:?}"),
                "net.pkl",
                [&start, tail].concat(),
            );
            let before = [b"\x80\x02NN", tail, b"cos\nsystem\n(S'id'\ntR."].concat();
            if !tail.is_empty() && !tail.starts_with(b"X") && !tail.starts_with(b"I") {
                corpus.add(18, format!("{tail:?} first"), "net.pkl", before);
            }
        }
    }
    // 19: another stream behind the first.
    for (module, name, argument) in GADGETS.iter().step_by(13) {
        for protocol in [0, 2, 4] {
            let second = Pickle::new(protocol).call("REDUCE", module, name, argument).stop();
            for gap in [&b""[..], b"\0\0\0\0", b"\nraw\n\x07"] {
                let file = [&Pickle::new(2).state().stop(), gap, &second[..]].concat();
                corpus.add(19, format!("{module}.{name} {protocol} {gap:?}"), "net.pkl", file);
            }
        }
    }
    let mut many = Pickle::new(2).state().stop().repeat(300);
    many.extend(evil());
    corpus.add(19, "after three hundred", "net.pkl", many);
    // 20: the magic number of a checkpoint, made by running something.
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    for (module, name, argument) in GADGETS.iter().step_by(13) {
        let made = Pickle::new(2).call("REDUCE", module, name, argument).stop();
        corpus.add(
            20,
            format!("{module}.{name}"),
            "net.pt",
            [&made, &b"\x80\x02M\xe9\x03."[..]].concat(),
        );
        let later = [&magic[..], b"\x80\x02M\xe9\x03.\x80\x02}.", &made].concat();
        corpus.add(20, format!("{module}.{name} in the fourth"), "net.pt", later);
    }
    // 28, 29: size.
    let padding = [b"\x80\x02", &b"N0".repeat(300_000)[..]].concat();
    corpus.add(28, "padded with opcodes", "net.pkl", [&padding, &evil()[2..]].concat());
    corpus.add(
        28,
        "padded with imports",
        "net.pkl",
        [b"\x80\x02", &b"ccollections\nOrderedDict\n0".repeat(150_000)[..], &evil()[2..]].concat(),
    );
    corpus.add(
        28,
        "padded without PROTO",
        "blob",
        [&b"N0".repeat(30_000)[..], &evil()[2..]].concat(),
    );
    corpus.add(
        28,
        "a long text first",
        "net.pkl",
        Pickle::new(2)
            .text(&"x".repeat(3_000_000))
            .op(b"0")
            .call("REDUCE", "os", "system", "id")
            .stop(),
    );
    corpus.add(
        28,
        "a long line first",
        "net.pkl",
        [b"V", "x".repeat(3_000_000).as_bytes(), b"\n0cos\nsystem\n(S'id'\ntR."].concat(),
    );
    corpus.add(
        29,
        "a length that lies",
        "net.pkl",
        [&evil()[..evil().len() - 1], b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f."].concat(),
    );
    corpus.add(
        29,
        "a memo that doubles",
        "net.pkl",
        [b"\x80\x02N", &b"2\x86".repeat(50_000)[..], b"0", &evil()[2..]].concat(),
    );
    corpus.add(
        29,
        "a deep stack",
        "net.pkl",
        [b"\x80\x02", &b"(".repeat(100_000)[..], &evil()[2..]].concat(),
    );
}

fn keep(folder: &Path, corpus: &Corpus) {
    std::fs::create_dir_all(folder).unwrap();
    for (number, (technique, _, name, file)) in corpus.0.iter().enumerate() {
        std::fs::write(folder.join(format!("{technique:02}-{number:04}-{name}")), file).unwrap();
    }
}

#[test]
fn every_way_past_a_scanner_is_an_alarm() {
    let mut corpus = Corpus::default();
    names(&mut corpus);
    indirect(&mut corpus);
    encodings(&mut corpus);
    inner(&mut corpus);
    wrappings(&mut corpus);
    if let Some(folder) = std::env::var_os("LIDLESS_KEEP_MODELS") {
        keep(Path::new(&folder), &corpus);
    }
    let mut counted: BTreeMap<u8, usize> = BTreeMap::new();
    let mut missed = Vec::new();
    for (technique, what, name, file) in &corpus.0 {
        *counted.entry(*technique).or_default() += 1;
        let output = look(name, file);
        let alarm = output.findings.iter().any(|finding| {
            let verdict = finding.detail.get("verdict").and_then(|verdict| verdict.as_str());
            finding.severity >= Severity::High
                && matches!(verdict, Some("dangerous" | "suspicious" | "unknown import"))
        });
        if !alarm {
            let found: Vec<&str> = output.findings.iter().map(|one| one.rule.as_str()).collect();
            missed.push(format!("{technique}: {what} ({name}): {:?} {found:?}", worst(&output)));
        }
    }
    let techniques: Vec<u8> = (1..=31).filter(|number| !counted.contains_key(number)).collect();
    assert!(techniques.is_empty(), "nothing of {techniques:?}");
    assert!(corpus.0.len() >= 1_000, "only {} files", corpus.0.len());
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), corpus.0.len(), missed.join("\n"));
}
