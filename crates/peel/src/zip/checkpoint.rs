//! The raw members of torch checkpoints, which are not opened.

use super::local::local;
use super::peel::Listing;
use crate::archive::Known;
use lidless_io::number::index;
use std::collections::BTreeSet;

const ENCRYPTED: u16 = 1;

/// The folders (with their slash) that hold the `data.pkl` of a torch checkpoint.
pub(super) fn checkpoint_roots(lines: &[Listing]) -> BTreeSet<String> {
    lines
        .iter()
        .filter_map(|one| one.line.name.strip_suffix("data.pkl"))
        .filter(|root| root.is_empty() || root.ends_with('/'))
        .map(str::to_owned)
        .collect()
}

/// The raw storages of a torch checkpoint and its small fixed members, when they are stored and
/// nothing known about them says otherwise.
pub(super) fn is_inert(archive: &Known, one: &Listing, roots: &BTreeSet<String>) -> bool {
    let line = &one.line;
    let plain = line.method == 0 && line.packed == line.unpacked && line.flags & ENCRYPTED == 0;
    if !plain || !checkpoint_root(&line.name).is_some_and(|root| roots.contains(root)) {
        return false;
    }
    // What was read already must agree: the header, and a beginning that no pickle has.
    let Some(known) = archive.from(one.header) else { return true };
    let Some(local) = local(known) else { return true };
    let start = index(local.length);
    local.method == 0
        && local.name == line.name
        && !known.get(start..).is_some_and(begins_like_a_pickle)
}

/// Whether bytes could begin a pickle: by the opcode that does since protocol 2, or by an import
/// or a mark in front of text.
fn begins_like_a_pickle(bytes: &[u8]) -> bool {
    match bytes {
        [0x80, 0..=5, ..] => true,
        [b'c' | b'(', second, ..] => second.is_ascii_alphabetic() || *second == b'_',
        _ => false,
    }
}

/// The folder of the checkpoint that a raw member would belong to, by its name.
fn checkpoint_root(name: &str) -> Option<&str> {
    let start = name.rfind('/').map_or(0, |slash| slash.saturating_add(1));
    let (folder, last) = name.split_at_checked(start)?;
    if matches!(last, "version" | "byteorder" | ".format_version" | ".storage_alignment") {
        return Some(folder);
    }
    let number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    if !number && last != "serialization_id" {
        return None;
    }
    let root = folder.strip_suffix(".data/").or_else(|| folder.strip_suffix("data/"))?;
    (root.is_empty() || root.ends_with('/')).then_some(root)
}
