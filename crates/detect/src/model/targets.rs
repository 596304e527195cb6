//! `_target_`: what Hydra, OmegaConf and NeMo import and call.

use super::danger::Danger;
use super::found::{Found, shown};
use super::names::{Standing, standing};
use serde_json::Value;

/// What configurations of training name all the time: classes that are built, nothing that runs.
const USUAL: [&str; 20] = [
    "torch.",
    "torchvision.",
    "torchaudio.",
    "pytorch_lightning.",
    "lightning.",
    "nemo.",
    "transformers.",
    "hydra.",
    "omegaconf.",
    "timm.",
    "diffusers.",
    "monai.",
    "torchmetrics.",
    "sklearn.",
    "xgboost.",
    "lightgbm.",
    "numpy.",
    "datasets.",
    "megatron.",
    "apex.",
];
/// Keys that name something to import.
const KEYS: [&str; 4] = ["_target_", "target", "_partial_target_", "cls_path"];

/// Judges every target in a configuration.
pub(crate) fn judge_targets(value: &Value, found: &mut Found) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| judge_targets(item, found)),
        Value::Object(map) => {
            for (key, inner) in map {
                match inner.as_str() {
                    Some(target) if KEYS.contains(&key.as_str()) => {
                        judge_target(key, target, map, found);
                    }
                    _ => judge_targets(inner, found),
                }
            }
        }
        _ => {}
    }
}

fn judge_target(key: &str, target: &str, map: &serde_json::Map<String, Value>, found: &mut Found) {
    let path = target.trim().replace(':', ".");
    let Some((module, name)) = path.rsplit_once('.') else {
        if key == "_target_" && standing("builtins", &path) == Standing::Dangerous {
            found.danger(Danger::TargetDangerous, &shown(&path), None);
        }
        return;
    };
    let identifiers = path
        .split('.')
        .all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'));
    if !identifiers {
        return;
    }
    let usual = USUAL.iter().any(|start| path.starts_with(start));
    match standing(module, name) {
        Standing::Dangerous if !(usual && is_training(&path)) => {
            let arguments: Vec<String> = map
                .iter()
                .filter(|(other, _)| other.as_str() != key)
                .take(3)
                .map(|(other, value)| format!("{other}={value}"))
                .collect();
            let call = format!("{path}({})", shown(&arguments.join(", ")));
            found.danger(Danger::TargetDangerous, &call, None);
        }
        _ if key == "_target_" && !usual => {
            found.danger(Danger::Target, &shown(&path), None);
        }
        _ => {}
    }
}

/// Parts of those libraries that a list of gadgets names, and training uses.
fn is_training(path: &str) -> bool {
    [
        "torch.utils.data.",
        "torch.distributed.fsdp",
        "transformers.utils.",
        "torch.testing.",
        "torch.optim.",
    ]
    .iter()
    .any(|start| path.starts_with(start))
        && !path.ends_with("bottleneck")
}
