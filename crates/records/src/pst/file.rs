//! A store: its folders and the messages they list (MS-PST 2.4).

use super::header::{Header, LENGTH, Layout, malformed};
use super::message::Message;
use super::properties::Properties;
use super::table::Table;
use super::tree::Trees;
use crate::error::RecordError;
use lidless_io::number::u32_le;
use lidless_io::{BlockCache, ReadAt, read_vec};
use std::collections::HashSet;
use std::sync::Arc;

/// Pages and blocks lie scattered: small blocks, so that one of them costs little.
const BLOCK_BYTES: u64 = 16 << 10;
const CACHE_BYTES: u64 = 16 << 20;
const AHEAD_BYTES: u64 = 512 << 10;
/// Nodes that every store has.
const STORE: u32 = 0x21;
const ROOT: u32 = 0x122;
/// Kinds of nodes: the lower five bits of their ids.
const KIND: u32 = 0x1f;
const FOLDER: u32 = 0x02;
const HIERARCHY: u32 = 0x0d;
const CONTENTS: u32 = 0x0e;
/// More folders than any store has, and deeper than any.
const MOST_FOLDERS: usize = 100_000;
const DEEPEST: usize = 64;
const SHORT: u64 = 4 << 10;

/// An Outlook store that was opened.
#[derive(Clone)]
pub struct PstFile {
    trees: Trees,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Id of its node.
    pub id: u32,
    /// Names from below the root, `/` between them; a `/` in a name is `_`.
    pub path: String,
    /// How many messages it says it has.
    pub messages: u64,
    /// What it is for, as it says: `IPF.Note`, `IPF.Contact`.
    pub class: Option<String>,
}

/// A message as its folder lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id of its node.
    pub id: u32,
    /// What it is: `IPM.Note`, `IPM.SkypeTeams.Message`; empty when not said.
    pub class: String,
    /// Who sent it, as shown.
    pub sender: Option<String>,
    /// When it was delivered, in 100 ns since 1601.
    pub delivered: Option<u64>,
    /// Its size with all that is attached, in bytes.
    pub size: Option<u32>,
}

impl PstFile {
    /// Opens a store: reads its header only.
    ///
    /// # Errors
    /// `Malformed`; `Closed` when it is encrypted by Windows; `Read`.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, RecordError> {
        let cache = BlockCache::new(source, BLOCK_BYTES, CACHE_BYTES).reading_ahead(AHEAD_BYTES);
        let source: Arc<dyn ReadAt> = Arc::new(cache);
        let header = Header::parse(&read_vec(&*source, 0, LENGTH)?)?;
        Ok(Self { trees: Trees { source, header } })
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match (self.trees.header.is_offline, self.trees.header.layout) {
            (true, _) => "OST",
            (false, Layout::Narrow) => "PST (ANSI)",
            (false, _) => "PST",
        }
    }

    /// Whether Outlook asks for a password. It is a checksum beside content that is not
    /// encrypted: nothing here needs it.
    ///
    /// # Errors
    /// `Malformed`, `Read`.
    pub fn asks_for_password(&self) -> Result<bool, RecordError> {
        let Some(node) = self.trees.node(STORE)? else {
            return Err(malformed(0, "the node of the store", "none"));
        };
        let store = Properties::read(&self.trees, &node)?;
        Ok(store.number(0x67ff).is_some_and(|checksum| checksum != 0))
    }

    /// Calls `visit` with every folder, those above before those below. Search folders are left
    /// out: what they show lies elsewhere. A folder that cannot be read is a `problem`, and the
    /// others follow.
    ///
    /// # Errors
    /// When there is no root.
    pub fn folders(
        &self,
        visit: &mut dyn FnMut(&Folder) -> bool,
        problem: &mut dyn FnMut(RecordError),
    ) -> Result<(), RecordError> {
        if self.trees.node(ROOT)?.is_none() {
            return Err(malformed(0, "the root of the folders", "none"));
        }
        let mut seen = HashSet::from([ROOT]);
        let mut open = vec![(ROOT, String::new(), 0usize)];
        while let Some((id, path, depth)) = open.pop() {
            match self.folder(id, &path) {
                Ok(folder) => {
                    let path = folder.path.clone();
                    if !visit(&folder) {
                        return Ok(());
                    }
                    match self.below(id) {
                        Ok(ids) if depth < DEEPEST => {
                            for below in ids.into_iter().rev() {
                                if seen.len() < MOST_FOLDERS && seen.insert(below) {
                                    open.push((below, path.clone(), depth.saturating_add(1)));
                                }
                            }
                        }
                        Ok(_) => {}
                        Err(error) => problem(error),
                    }
                }
                Err(error) => problem(error),
            }
        }
        Ok(())
    }

    fn folder(&self, id: u32, above: &str) -> Result<Folder, RecordError> {
        let Some(node) = self.trees.node(id)? else {
            return Err(malformed(0, "a folder", format!("no node {id:#x}")));
        };
        let own = Properties::read(&self.trees, &node)?;
        let name = own.text(0x3001, SHORT).unwrap_or_default().replace('/', "_");
        let path = match (id == ROOT, above.is_empty()) {
            (true, _) => String::new(),
            (false, true) => name,
            (false, false) => format!("{above}/{name}"),
        };
        Ok(Folder {
            id,
            path,
            messages: own.number(0x3602).map_or(0, u64::from),
            class: own.text(0x3613, SHORT),
        })
    }

    /// A table that belongs to a folder; none when it has none.
    fn table(&self, folder: u32, kind: u32) -> Result<Option<Table>, RecordError> {
        match self.trees.node(folder & !KIND | kind)? {
            Some(node) if node.data != 0 => Table::read(&self.trees, &node).map(Some),
            _ => Ok(None),
        }
    }

    fn below(&self, folder: u32) -> Result<Vec<u32>, RecordError> {
        let Some(table) = self.table(folder, HIERARCHY)? else { return Ok(Vec::new()) };
        let ids = table.rows.iter().filter_map(|row| u32_le(row, 0));
        Ok(ids.filter(|id| id & KIND == FOLDER).collect())
    }

    /// The messages that a folder lists, with what the list says of them: no message is opened.
    ///
    /// # Errors
    /// `Malformed`, `Limit`, `Read`.
    pub fn messages(&self, folder: &Folder) -> Result<Vec<Listed>, RecordError> {
        let Some(table) = self.table(folder.id, CONTENTS)? else { return Ok(Vec::new()) };
        let listed = table.rows.iter().filter_map(|row| {
            Some(Listed {
                id: u32_le(row, 0)?,
                class: table.text(row, 0x001a, SHORT).unwrap_or_default(),
                sender: table.text(row, 0x0042, SHORT),
                delivered: table.time(row, 0x0e06),
                size: table.number(row, 0x0e08),
            })
        });
        Ok(listed.collect())
    }

    /// Opens a message by its id.
    ///
    /// # Errors
    /// `Malformed`, `Limit`, `Read`.
    pub fn message(&self, id: u32) -> Result<Message, RecordError> {
        match self.trees.node(id)? {
            Some(node) => Message::open(&self.trees, &node),
            None => Err(malformed(0, "a message", format!("no node {id:#x}"))),
        }
    }

    /// The ids of all messages in the store, listed by a folder or not, up to `most`: what was
    /// deleted and not overwritten yet is among them. Reads the whole tree of nodes.
    ///
    /// # Errors
    /// `Malformed`, `Read`.
    pub fn all_messages(&self, most: usize) -> Result<Vec<u32>, RecordError> {
        const MESSAGE: u32 = 0x04;
        self.trees.nodes_of(MESSAGE, most)
    }
}
