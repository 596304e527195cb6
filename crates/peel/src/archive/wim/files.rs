//! One image as a file system.

use super::header::{Header, IN_SOLID, Line, METADATA, Place};
use super::metadata::{Named, Tree};
use super::resource::Chunked;
use crate::error::PeelError;
use crate::filesystem::{Content, FileSystem, Flow, Node, NodeKind, Swept};
use lidless_core::Limits;
use lidless_io::{Extent, Extents, ReadAt, Window};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A part of a split image: its bytes, and what its header says.
pub(super) struct Part {
    pub(super) bytes: Arc<dyn ReadAt>,
    pub(super) header: Header,
}

/// Where a content lies.
#[derive(Debug, Clone, Copy)]
struct Stored {
    part: usize,
    place: Place,
    /// The solid resource it lies in.
    solid: Option<usize>,
}

/// What all images of a file share: its contents by their SHA-1.
pub(super) struct Store {
    pub(super) parts: Vec<Part>,
    stored: HashMap<[u8; 20], Stored>,
    /// The metadata of the images in their order, each with its part.
    pub(super) metadata: Vec<(usize, Place)>,
    solids: Vec<(usize, Place)>,
    /// The solid resource that was opened last.
    opened: Mutex<Option<(usize, Arc<Chunked>)>>,
    /// Some parts are missing.
    pub(super) is_incomplete: bool,
}

impl Store {
    pub(super) fn new(parts: Vec<(Part, Vec<Line>)>, is_incomplete: bool) -> Self {
        let mut store = Self {
            parts: Vec::new(),
            stored: HashMap::new(),
            metadata: Vec::new(),
            solids: Vec::new(),
            opened: Mutex::default(),
            is_incomplete,
        };
        for (part, (own, lines)) in parts.into_iter().enumerate() {
            // A run of solid resources stands in front of what lies in them, as one.
            let mut run: Vec<usize> = Vec::new();
            let mut in_run = false;
            for line in lines {
                if line.place.is_solid_itself() {
                    if !in_run {
                        run.clear();
                    }
                    in_run = true;
                    run.push(store.solids.len());
                    store.solids.push((part, line.place));
                    continue;
                }
                in_run = false;
                if line.place.flags & METADATA != 0 {
                    store.metadata.push((part, line.place));
                    continue;
                }
                let solid = (line.place.flags & IN_SOLID != 0).then(|| run.first().copied());
                let solid = solid.flatten();
                store.stored.insert(line.hash, Stored { part, place: line.place, solid });
            }
            store.parts.push(own);
        }
        store
    }

    /// Length and place of a content; none when it is empty or missing.
    fn find(&self, hash: &[u8; 20]) -> Option<(u64, u64)> {
        let stored = self.stored.get(hash)?;
        Some(match stored.solid {
            // In a solid resource size and offset are those of the content itself.
            Some(solid) => {
                let base = self.solids.get(solid).map_or(0, |(_, place)| place.offset);
                (stored.place.size, base.saturating_add(stored.place.offset >> 8))
            }
            None => (stored.place.decoded, stored.place.offset),
        })
    }

    pub(super) fn open(&self, part: usize, place: Place) -> Result<Content, PeelError> {
        let Some(own) = self.parts.get(part) else {
            return Err(PeelError::Closed("a file of a Windows image in a missing part".into()));
        };
        if place.flags & super::header::COMPRESSED == 0 {
            let piece = Extent { at: 0, length: place.decoded, source: Some(place.offset) };
            let extents = Extents::new(Arc::clone(&own.bytes), vec![piece], place.decoded);
            // Pieces are those of the first part, which is visited like a volume.
            return Ok(match part {
                0 => Content::Extents(extents),
                _ => Content::Decoded(Arc::new(extents)),
            });
        }
        let Header { packing, chunk, .. } = own.header;
        let chunked = Chunked::new(Arc::clone(&own.bytes), place, packing, chunk)?;
        Ok(Content::Decoded(Arc::new(chunked)))
    }

    fn content(&self, hash: &[u8; 20]) -> Result<Content, PeelError> {
        let Some(stored) = self.stored.get(hash) else {
            let why = if self.is_incomplete {
                "a file of a Windows image in a missing part"
            } else {
                "a file of a Windows image whose content is missing"
            };
            return Err(PeelError::Closed(why.to_owned()));
        };
        let Some(solid) = stored.solid else { return self.open(stored.part, stored.place) };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = match &*opened {
            Some((index, whole)) if *index == solid => Arc::clone(whole),
            _ => {
                let Some((part, place)) = self.solids.get(solid) else {
                    return Err(PeelError::Closed("a solid Windows image that is broken".into()));
                };
                let source = self.parts.get(*part).map(|part| Arc::clone(&part.bytes));
                let Some(source) = source else {
                    return Err(PeelError::Closed("a solid Windows image that is broken".into()));
                };
                let whole = Arc::new(Chunked::solid(source, *place)?);
                *opened = Some((solid, Arc::clone(&whole)));
                whole
            }
        };
        let window = Window::new(whole, stored.place.offset, stored.place.size);
        Ok(Content::Decoded(Arc::new(window)))
    }
}

/// One image.
pub(super) struct Files {
    store: Arc<Store>,
    tree: Tree,
}

impl Files {
    pub(super) fn new(store: Arc<Store>, mut tree: Tree) -> Self {
        for named in &mut tree.names {
            if named.node.kind == NodeKind::File
                && let Some((size, place)) = store.find(&named.hash)
            {
                named.node.size = size;
                named.node.place = place;
            } else if named.node.kind == NodeKind::File && named.hash != [0; 20] {
                // Its length is not known; that it is not there is said when it is opened.
                named.node.size = 1;
            }
        }
        Self { store, tree }
    }

    /// Whether a user's own profile lies in it, as on no medium that Windows is installed from.
    pub(super) fn has_a_user(&self) -> bool {
        self.tree.names.iter().any(|named| {
            let path = named.node.path.to_lowercase();
            let user =
                path.strip_prefix("users/").and_then(|rest| rest.strip_suffix("/ntuser.dat"));
            user.is_some_and(|user| !matches!(user, "default" | "public" | "default user"))
        })
    }

    fn named(&self, node: &Node) -> Option<&Named> {
        self.tree.names.get(usize::try_from(node.handle).ok()?)
    }
}

impl FileSystem for Files {
    fn directory(&self, path: &str) -> Result<Option<Vec<Node>>, PeelError> {
        let Some(range) = self.tree.folders.get(&path.to_lowercase()) else { return Ok(None) };
        let children = self.tree.names.get(range.clone()).unwrap_or(&[]);
        Ok(Some(children.iter().map(|named| named.node.clone()).collect()))
    }

    fn sweep(
        &self,
        _limits: &Limits,
        visit: &mut dyn FnMut(Node) -> Flow,
    ) -> Result<Swept, PeelError> {
        for named in &self.tree.names {
            if visit(named.node.clone()) == Flow::Stop {
                break;
            }
        }
        let mut swept = Swept::default();
        if self.tree.broken > 0 {
            let what = "a folder of a Windows image that is malformed".to_owned();
            swept.malformed.push((what, self.tree.broken));
        }
        if self.tree.is_cut {
            swept.gaps.push("a Windows image with more names than the limit".to_owned());
        }
        Ok(swept)
    }

    fn content(&self, node: &Node) -> Result<Content, PeelError> {
        let Some(named) = self.named(node) else { return Ok(Content::Inline(Vec::new())) };
        if named.is_encrypted {
            return Err(PeelError::Closed("a file encrypted by Windows (EFS)".to_owned()));
        }
        if named.hash == [0; 20] {
            return Ok(Content::Inline(Vec::new()));
        }
        self.store.content(&named.hash)
    }
}
