//! Every format beside pickles: what is dangerous in it is told, what is ordinary is not, and no
//! cut or flipped file harms.

use crate::assembler::{Member, Pickle, zip};
use crate::look::{look, worst};
use lidless_core::Severity;

/// A field of a protobuf that holds text, bytes or a message.
fn part(number: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut out = varint(number << 3 | 2);
    out.extend(varint(content.len() as u64));
    out.extend_from_slice(content);
    out
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

fn tensorflow_node(name: &str, operation: &str, value: &[u8]) -> Vec<u8> {
    let attribute = part(5, [part(1, "value"), part(2, value)].concat());
    part(1, [part(1, name), part(2, operation), attribute].concat())
}

fn graph(operation: &str) -> Vec<u8> {
    [tensorflow_node("x", "Const", b""), tensorflow_node("y", operation, b"")].concat()
}

fn saved_model(graph: &[u8]) -> Vec<u8> {
    let meta = [part(1, part(4, "serve")), part(2, graph)].concat();
    [number(1, 1), part(2, meta)].concat()
}

/// A function of a graph's library with one node of this operation.
fn in_function(operation: &str) -> Vec<u8> {
    let node = [part(1, "n"), part(2, operation)].concat();
    let function = [part(1, part(1, "f")), part(3, node)].concat();
    [tensorflow_node("x", "Const", b""), part(2, part(1, function))].concat()
}

/// A graph that carries another one in a constant.
fn in_constant(operation: &str) -> Vec<u8> {
    let tensor = [number(1, 7), part(8, graph(operation))].concat();
    tensorflow_node("graph_def", "Const", &part(8, tensor))
}

fn onnx(node: &[u8], tensor: &[u8]) -> Vec<u8> {
    let graph = [part(1, node), part(2, "g"), part(5, tensor)].concat();
    let opset = part(8, number(2, 17));
    [number(1, 8), part(2, "producer"), part(7, graph), opset].concat()
}

fn onnx_node(operator: &str, domain: &str) -> Vec<u8> {
    [part(1, "a"), part(2, "b"), part(4, operator), part(7, domain)].concat()
}

fn external(location: &str) -> Vec<u8> {
    let entry = [part(1, "location"), part(2, location)].concat();
    [number(1, 4), number(2, 1), part(8, "w"), part(13, entry), number(14, 1)].concat()
}

fn gguf(template: &str) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut out = b"GGUF\x03\0\0\0".to_vec();
    out.extend(0u64.to_le_bytes());
    out.extend(3u64.to_le_bytes());
    out.extend([text("general.architecture"), 8u32.to_le_bytes().to_vec(), text("llama")].concat());
    out.extend([text("tokenizer.ggml.tokens"), 9u32.to_le_bytes().to_vec()].concat());
    out.extend([8u32.to_le_bytes().to_vec(), 2u64.to_le_bytes().to_vec()].concat());
    out.extend([text("<s>"), text("</s>")].concat());
    out.extend(
        [text("tokenizer.chat_template"), 8u32.to_le_bytes().to_vec(), text(template)].concat(),
    );
    out
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(header.as_bytes());
    out.resize(out.len() + data, 0);
    out
}

/// A TensorFlow Lite model with one custom operator, laid out by hand.
fn tflite(custom: &str) -> Vec<u8> {
    let mut out = vec![0u8; 64];
    let put = |out: &mut Vec<u8>, at: usize, value: u32| {
        out[at..at + 4].copy_from_slice(&value.to_le_bytes());
    };
    out[4..8].copy_from_slice(b"TFL3");
    put(&mut out, 0, 20);
    // The model's table at 20, its field table at 8: size, length, version, operators.
    out[8..16].copy_from_slice(&[8, 0, 8, 0, 0, 0, 4, 0]);
    put(&mut out, 20, 12);
    put(&mut out, 24, 4);
    // The vector at 28: one operator, whose table is at 44, its field table at 36.
    put(&mut out, 28, 1);
    put(&mut out, 32, 12);
    out[36..44].copy_from_slice(&[8, 0, 8, 0, 0, 0, 4, 0]);
    put(&mut out, 44, 8);
    put(&mut out, 48, 4);
    put(&mut out, 52, custom.len() as u32);
    out.truncate(56);
    out.extend_from_slice(custom.as_bytes());
    out.push(0);
    out
}

/// R's list of one promise, with or without a value.
fn r_promise(pending: bool) -> Vec<u8> {
    let mut out = b"X\n\0\0\0\x02\0\x04\x02\x01\0\x02\x03\0".to_vec();
    let mut put = |value: u32| out.extend(value.to_be_bytes());
    put(19);
    put(1);
    // A promise with an environment: the environment, the value, the call.
    put(5 | 0x400);
    put(253);
    put(if pending { 252 } else { 254 });
    put(6);
    put(1);
    put(9);
    put(6);
    out.extend_from_slice(b"system");
    out.extend(254u32.to_be_bytes());
    out
}

fn member(name: &str, content: &[u8]) -> Vec<u8> {
    zip(&[Member::new(name, content)])
}

type Case = (&'static str, Vec<u8>, Option<&'static str>);

fn cases() -> Vec<Case> {
    let chat = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] | trim }}{% endfor %}";
    let escape = "{{ cycler.__init__.__globals__.os.popen('id').read() }}";
    let good_header =
        r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let lambda = r#"{"module":"keras","class_name":"Sequential","config":{"layers":[{"module":"keras.layers","class_name":"TimeDistributed","config":{"layer":{"module":"keras.layers","class_name":"Lambda","config":{"name":"l"}}}}]}}"#;
    let dense = r#"{"module":"keras","class_name":"Sequential","config":{"layers":[{"module":"keras.layers","class_name":"Dense","config":{"units":2}}]}}"#;
    let import = r#"{"module":"subprocess","class_name":"Popen","config":{"args":["id"]}}"#;
    let layer = |class: &str| {
        [number(1, 4), part(2, ""), part(500, part(1, part(500, part(10, class))))].concat()
    };
    vec![
        // TensorFlow.
        ("saved_model.pb", saved_model(&graph("MatMul")), None),
        ("saved_model.pb", saved_model(&graph("WriteFile")), Some("model.graph_writes")),
        ("saved_model.pb", saved_model(&graph("ReadFile")), Some("model.graph_reads")),
        ("saved_model.pb", saved_model(&graph("PyFunc")), Some("model.graph_python")),
        ("x.pb", saved_model(&in_function("WriteFile")), Some("model.graph_writes")),
        ("x.pb", saved_model(&in_constant("WriteFile")), Some("model.graph_writes")),
        ("frozen.pb", graph("Conv2D"), None),
        ("frozen.bin", graph("EagerPyFunc"), Some("model.graph_python")),
        ("graph.meta", [part(1, part(4, "t")), part(2, graph("WriteFile"))].concat(), Some("model.graph_writes")),
        ("g.pbtxt", b"node {\n  name: \"w\"\n  op: \"WriteFile\"\n}\n".to_vec(), Some("model.graph_writes")),
        ("keras_metadata.pb", part(1, [number(2, 1), part(4, lambda)].concat()), Some("model.keras_lambda")),
        ("m.tflite", tflite("TFLite_Detection_PostProcess"), None),
        ("m.tflite", tflite("FlexWriteFile"), Some("model.graph_writes")),
        ("m.tflite", tflite("Mine"), Some("model.tflite_custom")),
        // ONNX.
        ("m.onnx", onnx(&onnx_node("Add", ""), &external("weights.bin")), None),
        ("m.onnx", onnx(&onnx_node("Add", ""), &external("../../etc/passwd")), Some("model.onnx_external_path")),
        ("model", onnx(&onnx_node("Add", ""), &external("/etc/passwd")), Some("model.onnx_external_path")),
        ("m.onnx", onnx(&onnx_node("PyOp", "ai.onnx.contrib"), b""), Some("model.onnx_python")),
        ("m.onnx", onnx(&onnx_node("Thing", "my.domain"), b""), Some("model.onnx_custom")),
        // Keras.
        ("m.keras", member("config.json", dense.as_bytes()), None),
        ("m.keras", member("config.json", lambda.as_bytes()), Some("model.keras_lambda")),
        ("m.keras", member("config.json", import.as_bytes()), Some("model.keras_runs_code")),
        ("m.keras", member("model.weights.npz", &Pickle::new(2).call("REDUCE", "os", "system", "id").stop()), Some("model.dangerous")),
        // Templates.
        ("m.gguf", gguf(chat), None),
        ("m.gguf", gguf(escape), Some("model.template_escapes")),
        ("tokenizer_config.json", format!("{{\"chat_template\": {}}}", serde_json::json!(chat)).into_bytes(), None),
        ("tokenizer_config.json", format!("{{\"chat_template\": {}}}", serde_json::json!(escape)).into_bytes(), Some("model.template_escapes")),
        ("chat_template.jinja", escape.into(), Some("model.template_escapes")),
        ("config.json", br#"{"architectures":["X"],"auto_map":{"AutoModel":"modeling.X"}}"#.to_vec(), Some("model.remote_code")),
        // safetensors.
        ("m.safetensors", safetensors(good_header, 8), None),
        ("m.bin", safetensors(good_header, 8), None),
        ("m.safetensors", safetensors(good_header, 9), Some("model.malformed")),
        ("m.safetensors", safetensors(&good_header.replace("[0,8]", "[4,12]"), 12), Some("model.malformed")),
        ("m.safetensors", safetensors(&good_header.replace("[2]", "[3]"), 8), Some("model.malformed")),
        ("m.safetensors", safetensors(r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 8), Some("model.malformed")),
        ("m.safetensors", b"\xff\xff\xff\xff\xff\0\0\0{".to_vec(), Some("model.malformed")),
        // Configurations.
        ("model_config.yaml", b"model:\n  _target_: nemo.collections.asr.Model\n  lr: 0.1\n".to_vec(), None),
        ("model_config.yaml", b"model:\n  cmd: id\n  _target_: os.system\n".to_vec(), Some("model.hydra_runs_code")),
        ("model_config.yaml", b"a: [{_target_: builtins.exec, _args_: [x]}]\n".to_vec(), Some("model.hydra_runs_code")),
        ("x.yml", b"a: !!python/object/apply:os.system ['id']\n".to_vec(), Some("model.yaml_python")),
        // Others.
        ("m.skops", member("schema.json", br#"{"__class__":"Pipeline","__module__":"sklearn.pipeline","__loader__":"ObjectNode","content":{}}"#), None),
        ("m.skops", member("schema.json", br#"{"__class__":"system","__module__":"os","__loader__":"FunctionNode","content":{"module_path":"os","function":"system"}}"#), Some("model.skops_runs_code")),
        ("m.pmml", b"<?xml version=\"1.0\"?>\n<PMML version=\"4.4\"><Header/></PMML>".to_vec(), None),
        ("m.pmml", b"<?xml version=\"1.0\"?>\n<!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<PMML>&x;</PMML>".to_vec(), Some("model.xml_entity")),
        ("m.xml", b"<?xml version=\"1.0\"?><net name=\"n\" version=\"11\"><layers><layer type=\"Parameter\"/></layers></net>".to_vec(), None),
        ("m.xml", b"<?xml version=\"1.0\"?><net name=\"n\" version=\"11\"><layers><layer library=\"/tmp/e.so\"/></layers></net>".to_vec(), Some("model.xml_library")),
        ("m.mlmodel", layer("MyLayer"), Some("model.coreml_custom")),
        ("m.llamafile", b"MZqFpD='\n\0\0".to_vec(), Some("model.executable")),
        ("m.rds", r_promise(true), Some("model.r_promise")),
        ("m.rds", r_promise(false), None),
        ("m.pt", member("m/code/__torch__.py", b"def forward(self):\n  torch.save(self.x, \"/tmp/x\")\n"), Some("model.script_reads")),
        ("m.pt", member("m/code/__torch__.py", b"def forward(self):\n  return torch.add(self.x, 1)\n"), None),
        ("m.pt", member("m/.data/extern_modules", b"os\nsys\n"), Some("model.package_source")),
        ("m.mar", member("MAR-INF/MANIFEST.json", br#"{"model":{"handler":"mine.py"}}"#), Some("model.handler_source")),
        ("m.mar", member("MAR-INF/MANIFEST.json", br#"{"model":{"handler":"image_classifier"}}"#), None),
        ("m.ubj", b"{L\0\0\0\0\0\0\0\x07learner{".to_vec(), None),
        ("m.txt", b"tree\nversion=v4\nnum_class=1\n".to_vec(), None),
        ("v.index", [&[0, 0, 1][..], b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"].concat(), None),
    ]
}

#[test]
fn every_format_tells_what_is_dangerous_and_nothing_else() {
    let mut wrong = Vec::new();
    for (name, file, rule) in cases() {
        let output = look(name, &file);
        let bad: Vec<&str> = output
            .findings
            .iter()
            .filter(|finding| finding.severity > Severity::Info)
            .map(|finding| finding.rule.as_str())
            .collect();
        let told = output.findings.iter().any(|finding| finding.rule.starts_with("model."));
        let right = match rule {
            Some(rule) => bad.contains(&rule),
            None => bad.is_empty() && output.gaps.is_empty() && told,
        };
        if !right {
            wrong.push(format!("{name}: wanted {rule:?}, got {bad:?} {:?}", output.gaps));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_format_survives_cuts_and_flips() {
    for (name, file, _) in cases() {
        lidless_kit::cut_and_flip(&file, |bytes| {
            let _ = worst(&look(name, bytes));
        });
    }
}
