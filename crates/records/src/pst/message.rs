//! A message: its properties, recipients and attachments (MS-PST 2.4.5 and 2.4.6).

use super::properties::{OBJECT, Properties};
use super::table::Table;
use super::tree::{Node, Trees};
use crate::error::RecordError;
use lidless_io::number::u32_le;
use lidless_io::{ReadAt, read_vec};
use std::sync::Arc;

/// The subnodes of a message that hold tables.
const ATTACHMENTS: u32 = 0x671;
const RECIPIENTS: u32 = 0x692;
/// Texts of single properties are shorter.
const SHORT: u64 = 64 << 10;

/// A message that was opened.
pub struct Message {
    trees: Trees,
    properties: Properties,
}

/// Who a message went to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// 1 to, 2 copy, 3 blind copy.
    pub kind: u32,
    /// Name as shown.
    pub name: String,
    /// Address: of SMTP where there is one.
    pub address: String,
}

/// Something attached to a message.
pub struct Attached {
    /// File name; empty when it has none.
    pub name: String,
    /// Length in bytes as the message says.
    pub length_bytes: Option<u64>,
    /// Its bytes, when it is a file.
    pub bytes: Option<Arc<dyn ReadAt>>,
    /// The message, when it is one.
    pub message: Option<Message>,
}

impl Message {
    pub(super) fn open(trees: &Trees, node: &Node) -> Result<Self, RecordError> {
        Ok(Self { trees: trees.clone(), properties: Properties::read(trees, node)? })
    }

    /// A text of the message by the number of its property (MS-OXPROPS), up to 64 KiB.
    #[must_use]
    pub fn text(&self, property: u16) -> Option<String> {
        self.properties.text(property, SHORT)
    }

    /// A text of any length, up to `most` bytes as stored.
    #[must_use]
    pub fn long_text(&self, property: u16, most: u64) -> Option<String> {
        self.properties.text(property, most)
    }

    /// A value as bytes.
    #[must_use]
    pub fn bytes(&self, property: u16) -> Option<Arc<dyn ReadAt>> {
        self.properties.bytes(property).map(|(_, bytes)| bytes)
    }

    /// A number.
    #[must_use]
    pub fn number(&self, property: u16) -> Option<u32> {
        self.properties.number(property)
    }

    /// A time, in 100 ns since 1601.
    #[must_use]
    pub fn time(&self, property: u16) -> Option<u64> {
        self.properties.time(property)
    }

    fn table(&self, id: u32) -> Result<Option<Table>, RecordError> {
        match self.properties.subnode(id) {
            Some(node) => Table::read(&self.trees, node).map(Some),
            None => Ok(None),
        }
    }

    /// Who it went to.
    ///
    /// # Errors
    /// `Malformed`, `Limit`, `Read`.
    pub fn recipients(&self) -> Result<Vec<Recipient>, RecordError> {
        let Some(table) = self.table(RECIPIENTS)? else { return Ok(Vec::new()) };
        let found = table.rows.iter().map(|row| Recipient {
            kind: table.number(row, 0x0c15).unwrap_or(1),
            name: table.text(row, 0x3001, SHORT).unwrap_or_default(),
            address: table
                .text(row, 0x39fe, SHORT)
                .filter(|address| !address.is_empty())
                .or_else(|| table.text(row, 0x3003, SHORT))
                .unwrap_or_default(),
        });
        Ok(found.collect())
    }

    /// The ids of what is attached; each is opened by [`Message::attachment`].
    ///
    /// # Errors
    /// `Malformed`, `Limit`, `Read`.
    pub fn attachments(&self) -> Result<Vec<u32>, RecordError> {
        let Some(table) = self.table(ATTACHMENTS)? else { return Ok(Vec::new()) };
        Ok(table.rows.iter().filter_map(|row| u32_le(row, 0)).collect())
    }

    /// Opens an attachment; none when there is none of that id.
    ///
    /// # Errors
    /// `Malformed`, `Limit`, `Read`.
    pub fn attachment(&self, id: u32) -> Result<Option<Attached>, RecordError> {
        let Some(node) = self.properties.subnode(id) else { return Ok(None) };
        let own = Properties::read(&self.trees, node)?;
        let name = [0x3707u16, 0x3704, 0x3001]
            .iter()
            .find_map(|name| own.text(*name, SHORT).filter(|name| !name.is_empty()));
        let mut attached = Attached {
            name: name.unwrap_or_default(),
            length_bytes: None,
            bytes: None,
            message: None,
        };
        match own.bytes(0x3701) {
            Some((OBJECT, place)) => {
                let place = read_vec(&*place, 0, 8)?;
                let node = u32_le(&place, 0).and_then(|id| own.subnode(id)).copied();
                // Method 5 is a message; other objects are those of OLE.
                if own.number(0x3705) == Some(5) {
                    attached.message =
                        node.map(|node| Self::open(&self.trees, &node)).transpose()?;
                } else if let Some(node) = node {
                    attached.bytes = Some(Arc::new(self.trees.data(node.data)?));
                }
            }
            Some((_, bytes)) => attached.bytes = Some(bytes),
            None => {}
        }
        attached.length_bytes = attached.bytes.as_ref().map(|bytes| bytes.len());
        Ok(Some(attached))
    }
}
