//! TensorFlow graphs: SavedModel, MetaGraph, frozen graphs, in binary and in text; graphs inside
//! graphs and in functions. Source: saved_model.proto, meta_graph.proto, graph.proto,
//! node_def.proto, function.proto, attr_value.proto, tensor.proto.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::{Format, named};
use crate::model::forward::whole_text;
use crate::model::found::{Found, shown};
use crate::model::keras::judge_config;
use crate::model::protobuf::{Field, Message, glance};
use lidless_core::Entry;
use lidless_io::{ReadAt, read_vec};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Read of one message at most.
const MOST: u64 = 256 << 20;
/// Graphs inside graphs.
const DEPTH: u8 = 6;
/// Constants larger than this hold numbers, not a graph.
const LARGEST_CONSTANT: u64 = 4 << 20;

#[derive(Deserialize, Default)]
struct Operations {
    python: HashSet<String>,
    writes: HashSet<String>,
    reads: HashSet<String>,
    network: HashSet<String>,
}

static OPERATIONS: LazyLock<Operations> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../data/tensorflow_operations.toml")).unwrap_or_default()
});

/// What an operation of TensorFlow does beside computing.
pub(crate) fn judge_operation(operation: &str) -> Option<Danger> {
    let lists = &*OPERATIONS;
    if lists.python.contains(operation) {
        Some(Danger::GraphPython)
    } else if lists.writes.contains(operation) {
        Some(Danger::GraphWrites)
    } else if lists.reads.contains(operation) {
        Some(Danger::GraphReads)
    } else if lists.network.contains(operation) {
        Some(Danger::GraphNetwork)
    } else {
        None
    }
}

/// A graph of TensorFlow.
pub(crate) struct Graph;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    SavedModel,
    MetaGraph,
    Graph,
    Text,
}

impl Format for Graph {
    fn name(&self) -> &'static str {
        "tensorflow-graph"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        kind(entry, head).is_some()
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let bytes = &*view.artifact.bytes;
        let mut walk = Walk { bytes, found, depth: 0 };
        let whole = Message::whole(bytes);
        match kind(&view.artifact.entry, view.head) {
            Some(Kind::SavedModel) => {
                walk.found.format = Some("tensorflow-savedmodel");
                walk.fields(whole, &mut |walk, field| {
                    if let Some(meta) = field.part(2) {
                        walk.meta_graph(meta);
                    }
                });
            }
            Some(Kind::MetaGraph) => walk.meta_graph(whole),
            Some(Kind::Graph) => walk.graph(whole),
            Some(Kind::Text) => match whole_text(bytes, MOST) {
                Some(text) => judge_text(&text, walk.found),
                None => walk.found.gap("a graph in text too large to be read"),
            },
            None => {}
        }
    }
}

fn kind(entry: &Entry, head: &[u8]) -> Option<Kind> {
    let name = entry.lower_file_name();
    if name.ends_with(".pbtxt") {
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        return (has(b"meta_graphs") || has(b"node {") || has(b"node{")).then_some(Kind::Text);
    }
    let fields = glance(head);
    let meta_graph =
        |part: &[u8]| part.first() == Some(&0x0a) || part.first() == Some(&0x12) || part.is_empty();
    if let [(Field::Varint(1, 0 | 1), _), (Field::Part(2, _), part), rest @ ..] = fields.as_slice()
        && meta_graph(part)
        && rest.iter().all(|(field, _)| field.part(2).is_some())
    {
        return Some(Kind::SavedModel);
    }
    if name == "saved_model.pb" && !head.is_empty() {
        return Some(Kind::SavedModel);
    }
    let (first, part) = fields.first()?;
    first.part(1)?;
    if is_node(part) && fields.iter().all(|(field, _)| matches!(field.number(), 1..=4)) {
        return Some(Kind::Graph);
    }
    // A meta graph: what it is, and then its graph, which begins with a node.
    let graph = fields.iter().find_map(|(field, part)| field.part(2).map(|_| *part))?;
    let inner = glance(graph);
    let (node, part) = inner.first()?;
    (node.part(1).is_some() && is_node(part)).then_some(Kind::MetaGraph)
}

/// A node begins with its name and its operation.
fn is_node(part: &[u8]) -> bool {
    let fields = glance(part);
    let text = |wanted| {
        fields.iter().find_map(|(field, part)| field.part(wanted).map(|_| *part)).unwrap_or(b"")
    };
    let plain = |text: &[u8], more: &[u8]| {
        !text.is_empty()
            && text.len() < 512
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || more.contains(byte))
    };
    plain(text(1), b"_/.-\\>:")
        && plain(text(2), b"_>.")
        && text(2).first().is_some_and(|first| first.is_ascii_uppercase() || *first == b'_')
}

struct Walk<'a> {
    bytes: &'a dyn ReadAt,
    found: &'a mut Found,
    depth: u8,
}

impl Walk<'_> {
    fn fields(&mut self, message: Message, visit: &mut dyn FnMut(&mut Self, Field)) {
        let bytes = self.bytes;
        let whole = message.fields(bytes, MOST, &mut |field| {
            visit(self, field);
            true
        });
        if !whole {
            self.found.danger(Danger::Malformed, "a graph that breaks off", Some(message.start));
        }
    }

    fn meta_graph(&mut self, meta: Message) {
        self.fields(meta, &mut |walk, field| {
            if let Some(graph) = field.part(2) {
                walk.graph(graph);
            }
        });
    }

    fn graph(&mut self, graph: Message) {
        self.fields(graph, &mut |walk, field| match field {
            Field::Part(1, node) => walk.node(node),
            Field::Part(2, library) => walk.fields(library, &mut |walk, field| {
                if let Some(function) = field.part(1) {
                    walk.fields(function, &mut |walk, field| {
                        if let Some(node) = field.part(3) {
                            walk.node(node);
                        }
                    });
                }
            }),
            _ => {}
        });
    }

    fn node(&mut self, node: Message) {
        let (mut name, mut operation) = (String::new(), String::new());
        self.fields(node, &mut |walk, field| match field {
            Field::Part(1, text) => name = text.text(walk.bytes, 512).unwrap_or_default(),
            Field::Part(2, text) => operation = text.text(walk.bytes, 256).unwrap_or_default(),
            Field::Part(5, attribute) => walk.fields(attribute, &mut |walk, field| {
                if let Some(value) = field.part(2) {
                    walk.value(value);
                }
            }),
            _ => {}
        });
        if let Some(danger) = judge_operation(&operation) {
            let words = format!("{operation} in node {}", shown(&name));
            self.found.danger(danger, &words, Some(node.start));
        }
    }

    /// An attribute: texts in it, lists, and constants may hold a graph of their own.
    fn value(&mut self, value: Message) {
        self.fields(value, &mut |walk, field| match field {
            Field::Part(2, text) => walk.nested(text),
            Field::Part(1, list) => walk.fields(list, &mut |walk, field| match field {
                Field::Part(2, text) => walk.nested(text),
                Field::Part(8, tensor) => walk.tensor(tensor),
                _ => {}
            }),
            Field::Part(8, tensor) => walk.tensor(tensor),
            _ => {}
        });
    }

    fn tensor(&mut self, tensor: Message) {
        self.fields(tensor, &mut |walk, field| {
            // Texts, and content that may be texts.
            if let Field::Part(4 | 8, text) = field {
                walk.nested(text);
            }
        });
    }

    fn nested(&mut self, text: Message) {
        if text.length() < 8 || text.length() > LARGEST_CONSTANT {
            return;
        }
        let Ok(head) = read_vec(self.bytes, text.start, text.length().min(2048)) else { return };
        if head.first() == Some(&b'{') && memchr::memmem::find(&head, b"class_name").is_some() {
            if let Some(config) = text.text(self.bytes, LARGEST_CONSTANT) {
                judge_config(&config, self.found);
            }
            return;
        }
        let graph = glance(&head)
            .first()
            .is_some_and(|(field, part)| field.part(1).is_some() && is_node(part));
        if !graph {
            return;
        }
        if self.depth >= DEPTH {
            self.found.gap("graphs nested deeper than any");
            return;
        }
        self.depth = self.depth.saturating_add(1);
        self.graph(text);
        self.depth = self.depth.saturating_sub(1);
    }
}

/// Operations of a graph in text.
fn judge_text(text: &str, found: &mut Found) {
    for line in text.lines() {
        let Some(rest) = line.trim_start().strip_prefix("op:") else { continue };
        let operation = rest.trim().trim_matches('"');
        if let Some(danger) = judge_operation(operation) {
            found.danger(danger, &shown(operation), None);
        }
    }
}

/// `keras_metadata.pb` of a SavedModel: configurations in texts.
pub(crate) struct KerasMetadata;

impl Format for KerasMetadata {
    fn name(&self) -> &'static str {
        "keras-metadata"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        named(entry, &["keras_metadata.pb"]) && head.first() == Some(&0x0a)
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let bytes = &*view.artifact.bytes;
        // SavedMetadata: nodes (1), each with its metadata (4).
        let whole = Message::whole(bytes).fields(bytes, MOST, &mut |field| {
            let Some(node) = field.part(1) else { return true };
            node.fields(bytes, MOST, &mut |field| {
                if let Some(config) = field.part(4).and_then(|text| text.text(bytes, MOST))
                    && !judge_config(&config, found)
                {
                    found.gap("a configuration in the Keras metadata that is no JSON");
                }
                true
            });
            true
        });
        if !whole {
            found.danger(Danger::Malformed, "metadata that break off", None);
        }
    }
}
