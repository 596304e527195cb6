//! ONNX: a protobuf of nodes and tensors. Source: onnx.proto. Tensors' data are stepped over.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::{Format, named};
use crate::model::found::{Found, shown};
use crate::model::protobuf::{Field, Message, glance};
use lidless_core::Entry;
use lidless_io::ReadAt;

/// Read of one message at most: names and shapes, tensors are stepped over.
const MOST: u64 = 256 << 20;
/// Graphs inside graphs; real ones have four.
const DEPTH: u8 = 16;

/// Domains of operators that runtimes bring along.
const DOMAINS: [&str; 14] = [
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.training",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.microsoft.dml",
    "com.microsoft.experimental",
    "com.ms.internal.nhwc",
    "pkg.onnxscript.torch_lib",
    "pkg.onnxscript.torch_lib.common",
    "org.pytorch.aten",
];

/// An ONNX model.
pub(crate) struct Onnx;

impl Format for Onnx {
    fn name(&self) -> &'static str {
        "onnx"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        if head.first() != Some(&8) && !named(entry, &[".onnx"]) {
            return false;
        }
        let fields = glance(head);
        // A SavedModel begins alike: version 1, and then its graph.
        let version = fields.iter().any(
            |(field, _)| matches!(field, Field::Varint(1, version) if (2..=64).contains(version)),
        );
        let known = fields.iter().all(|(field, _)| match field {
            Field::Varint(number, _) => matches!(number, 1 | 5),
            Field::Part(number, _) => matches!(number, 2..=4 | 6..=8 | 14 | 20 | 25 | 26),
            Field::Fixed(_) => false,
        });
        let has = |wanted| fields.iter().any(|(field, _)| field.part(wanted).is_some());
        version && known && (has(7) || has(8) || named(entry, &[".onnx"]))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let bytes = &*view.artifact.bytes;
        let mut walk = Walk { bytes, found, functions: Vec::new() };
        let whole = Message::whole(bytes).fields(bytes, MOST, &mut |field| {
            if let Some(function) = field.part(25) {
                walk.function_name(function);
            }
            true
        });
        if !whole {
            walk.found.danger(Danger::Malformed, "a model that breaks off", None);
        }
        Message::whole(bytes).fields(bytes, MOST, &mut |field| {
            match field {
                Field::Part(7, graph) => walk.graph(graph, 0),
                Field::Part(20, training) => walk.each(training, &[1, 2], 0),
                Field::Part(25, function) => walk.function(function),
                _ => {}
            }
            true
        });
    }
}

struct Walk<'a> {
    bytes: &'a dyn ReadAt,
    found: &'a mut Found,
    /// Domains of functions that the model defines itself.
    functions: Vec<String>,
}

impl Walk<'_> {
    fn fields(&mut self, message: Message, visit: &mut dyn FnMut(&mut Self, Field)) {
        let bytes = self.bytes;
        if !message.fields(bytes, MOST, &mut |field| {
            visit(self, field);
            true
        }) {
            self.found.danger(Danger::Malformed, "a part that breaks off", Some(message.start));
        }
    }

    /// Graphs in these fields of a message.
    fn each(&mut self, message: Message, numbers: &[u64], depth: u8) {
        self.fields(message, &mut |walk, field| {
            if let Field::Part(number, graph) = field
                && numbers.contains(&number)
            {
                walk.graph(graph, depth);
            }
        });
    }

    fn function_name(&mut self, function: Message) {
        let bytes = self.bytes;
        let mut domain = String::new();
        function.fields(bytes, MOST, &mut |field| {
            if let Some(text) = field.part(10).and_then(|part| part.text(bytes, 256)) {
                domain = text;
            }
            true
        });
        if self.functions.len() < 1_000 {
            self.functions.push(domain);
        }
    }

    fn function(&mut self, function: Message) {
        self.fields(function, &mut |walk, field| {
            if let Some(node) = field.part(7) {
                walk.node(node, 0);
            }
        });
    }

    fn graph(&mut self, graph: Message, depth: u8) {
        if depth > DEPTH {
            self.found.gap("graphs nested deeper than any");
            return;
        }
        self.fields(graph, &mut |walk, field| match field {
            Field::Part(1, node) => walk.node(node, depth),
            Field::Part(5, tensor) => walk.tensor(tensor),
            Field::Part(15, sparse) => walk.sparse(sparse),
            _ => {}
        });
    }

    fn node(&mut self, node: Message, depth: u8) {
        let (mut operator, mut domain) = (String::new(), String::new());
        self.fields(node, &mut |walk, field| match field {
            Field::Part(4, text) => operator = text.text(walk.bytes, 256).unwrap_or_default(),
            Field::Part(7, text) => domain = text.text(walk.bytes, 256).unwrap_or_default(),
            Field::Part(5, attribute) => walk.attribute(attribute, depth),
            _ => {}
        });
        let name = shown(&format!("{domain}.{operator}"));
        if matches!(operator.as_str(), "PyOp" | "PythonOp" | "PyCustomOp")
            || domain == "ai.onnx.contrib" && operator.starts_with("Py")
        {
            self.found.danger(Danger::OnnxPython, &name, Some(node.start));
        } else if !DOMAINS.contains(&domain.as_str()) && !self.functions.contains(&domain) {
            self.found.danger(Danger::OnnxCustom, &name, Some(node.start));
        }
    }

    fn attribute(&mut self, attribute: Message, depth: u8) {
        self.fields(attribute, &mut |walk, field| match field {
            Field::Part(5 | 10, tensor) => walk.tensor(tensor),
            Field::Part(6 | 11, graph) => walk.graph(graph, depth.saturating_add(1)),
            Field::Part(22 | 23, sparse) => walk.sparse(sparse),
            _ => {}
        });
    }

    fn sparse(&mut self, sparse: Message) {
        self.fields(sparse, &mut |walk, field| {
            if let Field::Part(1 | 2, tensor) = field {
                walk.tensor(tensor);
            }
        });
    }

    fn tensor(&mut self, tensor: Message) {
        self.fields(tensor, &mut |walk, field| {
            let Some(entry) = field.part(13) else { return };
            let (mut key, mut value) = (String::new(), String::new());
            walk.fields(entry, &mut |walk, field| match field {
                Field::Part(1, text) => key = text.text(walk.bytes, 64).unwrap_or_default(),
                Field::Part(2, text) => value = text.text(walk.bytes, 8192).unwrap_or_default(),
                _ => {}
            });
            if key == "location" && leaves(&value) {
                walk.found.danger(Danger::OnnxEscapes, &shown(&value), Some(tensor.start));
            }
        });
    }
}

/// Whether a path leaves the folder it is relative to.
fn leaves(path: &str) -> bool {
    let mut bytes = path.bytes();
    let drive = bytes.next().is_some_and(|c| c.is_ascii_alphabetic()) && bytes.next() == Some(b':');
    path.starts_with(['/', '\\', '~'])
        || drive
        || path.contains("://")
        || path.contains('\0')
        || path.split(['/', '\\']).any(|part| part == "..")
}
