//! Core ML: a protobuf with a version, a description and one of many kinds of model. Source:
//! Model.proto of coremltools.

use crate::detector::{Context, View};
use crate::model::danger::Danger;
use crate::model::format::{Format, named};
use crate::model::found::{Found, shown};
use crate::model::protobuf::{Field, Message, glance};
use lidless_core::Entry;
use lidless_io::ReadAt;

const MOST: u64 = 64 << 20;
const CUSTOM_MODEL: u64 = 555;
/// Pipelines: the models in them.
const PIPELINES: [u64; 3] = [200, 201, 202];
/// Neural networks: as classifier, regressor, itself.
const NETWORKS: [u64; 3] = [303, 403, 500];
const CUSTOM_LAYER: u64 = 500;

/// A Core ML model.
pub(crate) struct CoreMl;

impl Format for CoreMl {
    fn name(&self) -> &'static str {
        "coreml"
    }

    fn recognises(&self, entry: &Entry, head: &[u8]) -> bool {
        // It begins with its version.
        if head.first() != Some(&8) {
            return false;
        }
        let fields = glance(head);
        let version = matches!(fields.first(), Some((Field::Varint(1, 1..=64), _)));
        let known = fields.iter().all(|(field, _)| match field {
            Field::Varint(number, _) => matches!(number, 1 | 10),
            Field::Part(number, _) => *number == 2 || (200..=3000).contains(number),
            Field::Fixed(_) => false,
        });
        let model = fields.iter().any(|(field, _)| field.number() >= 200);
        version && known && (model || named(entry, &[".mlmodel"]))
    }

    fn look(&self, view: &View<'_>, _context: &Context, found: &mut Found) {
        let bytes = &*view.artifact.bytes;
        model(bytes, Message::whole(bytes), 0, found);
    }
}

fn model(bytes: &dyn ReadAt, whole: Message, depth: u8, found: &mut Found) {
    let read = whole.fields(bytes, MOST, &mut |field| {
        match field {
            Field::Part(CUSTOM_MODEL, custom) => name(bytes, custom, 10, found),
            Field::Part(number, part) if NETWORKS.contains(&number) => {
                layers(bytes, part, found);
            }
            Field::Part(number, part) if PIPELINES.contains(&number) && depth < 8 => {
                part.fields(bytes, MOST, &mut |field| {
                    match field {
                        Field::Part(1, inner) if number == 202 => {
                            model(bytes, inner, depth.saturating_add(1), found);
                        }
                        Field::Part(1, pipeline) => {
                            pipeline.fields(bytes, MOST, &mut |field| {
                                if let Some(inner) = field.part(1) {
                                    model(bytes, inner, depth.saturating_add(1), found);
                                }
                                true
                            });
                        }
                        _ => {}
                    }
                    true
                });
            }
            _ => {}
        }
        true
    });
    if !read {
        found.danger(Danger::Malformed, "a model that breaks off", Some(whole.start));
    }
}

fn layers(bytes: &dyn ReadAt, network: Message, found: &mut Found) {
    network.fields(bytes, MOST, &mut |field| {
        if let Some(layer) = field.part(1) {
            layer.fields(bytes, MOST, &mut |field| {
                if let Some(custom) = field.part(CUSTOM_LAYER) {
                    name(bytes, custom, 10, found);
                }
                true
            });
        }
        true
    });
}

/// The class that a custom model or layer names.
fn name(bytes: &dyn ReadAt, custom: Message, number: u64, found: &mut Found) {
    let mut class = String::from("a class without a name");
    custom.fields(bytes, MOST, &mut |field| {
        if let Some(text) = field.part(number).and_then(|part| part.text(bytes, 512)) {
            class = text;
        }
        true
    });
    found.danger(Danger::CoreMlCustom, &shown(&class), Some(custom.start));
}
