//! An Outlook store with folders and mails (MS-PST): the Unicode layout, permuted blocks, each
//! heap in one block. For the few dozen mails of the incident.

use super::block::{Block, count, small, utf16};
use super::disk::crc32_plain;

/// A mail.
pub(in super::super) struct Mail {
    pub(in super::super) subject: String,
    pub(in super::super) from: (String, String),
    pub(in super::super) to: String,
    pub(in super::super) body: String,
    pub(in super::super) attachment: Option<(String, Vec<u8>)>,
}

/// What a byte becomes when a block is written (MS-PST 5.1).
const PERMUTED: [u8; 256] = [
    65, 54, 19, 98, 168, 33, 110, 187, 244, 22, 204, 4, 127, 100, 232, 93, 30, 242, 203, 42, 116,
    197, 94, 53, 210, 149, 71, 158, 150, 45, 154, 136, 76, 125, 132, 63, 219, 172, 49, 182, 72, 95,
    246, 196, 216, 57, 139, 231, 35, 59, 56, 142, 200, 193, 223, 37, 177, 32, 165, 70, 96, 78, 156,
    251, 170, 211, 86, 81, 69, 124, 85, 0, 7, 201, 43, 157, 133, 155, 9, 160, 143, 173, 179, 15,
    99, 171, 137, 75, 215, 167, 21, 90, 113, 102, 66, 191, 38, 74, 107, 152, 250, 234, 119, 83,
    178, 112, 5, 44, 253, 89, 58, 134, 126, 206, 6, 235, 130, 120, 87, 199, 141, 67, 175, 180, 28,
    212, 91, 205, 226, 233, 39, 79, 195, 8, 114, 128, 207, 176, 239, 245, 40, 109, 190, 48, 77, 52,
    146, 213, 14, 60, 34, 50, 229, 228, 249, 159, 194, 209, 10, 129, 18, 225, 238, 145, 131, 118,
    227, 151, 230, 97, 138, 23, 121, 164, 183, 220, 144, 122, 92, 140, 2, 166, 202, 105, 222, 80,
    26, 17, 147, 185, 82, 135, 88, 252, 237, 29, 55, 73, 27, 106, 224, 41, 51, 153, 189, 108, 217,
    148, 243, 64, 84, 111, 240, 198, 115, 184, 214, 62, 101, 24, 68, 31, 221, 103, 16, 241, 12, 25,
    236, 174, 3, 161, 20, 123, 169, 11, 255, 248, 163, 192, 162, 1, 247, 46, 188, 36, 104, 117, 13,
    254, 186, 47, 181, 208, 218, 61,
];

const TEXT: u16 = 0x1f;
const BINARY: u16 = 0x102;
const LONG: u16 = 3;
const TIME: u16 = 0x40;
const BOOLEAN: u16 = 0xb;
/// The 2nd of March 2021, in units of 100 ns since 1601.
const WHEN: u64 = 132_591_636_120_000_000;
const PAGE: usize = 512;
/// Up to this size a value lies in its heap.
const IN_HEAP: usize = 2500;
const ROOT: u64 = 0x122;

/// A value of a property or a cell.
#[derive(Clone)]
enum Value {
    Bytes(Vec<u8>),
    Number(u32),
}

fn text(text: &str) -> Value {
    Value::Bytes(utf16(text))
}

/// The store.
pub(in super::super) fn store(folders: &[(&str, &[Mail])]) -> Vec<u8> {
    let mut store =
        Store { out: Block::new(0x4600), blocks: Vec::new(), nodes: Vec::new(), next: 4, local: 0 };
    let own = vec![
        (0x0ff9, BINARY, Value::Bytes(vec![0; 16])),
        (0x3001, TEXT, text("Store")),
        (0x67ff, LONG, Value::Number(0)),
        (0x35e0, BINARY, Value::Bytes([[0; 16].as_slice(), &0x122_u32.to_le_bytes()].concat())),
    ];
    let made = store.properties(own, Vec::new());
    store.nodes.push((0x21, made, 0));
    let names = vec![
        (1, LONG, Value::Number(251)),
        (2, BINARY, Value::Bytes(vec![0; 16])),
        (3, BINARY, Value::Bytes(vec![0; 8])),
        (4, BINARY, Value::Bytes(vec![0; 4])),
    ];
    let made = store.properties(names, Vec::new());
    store.nodes.push((0x61, made, 0));
    let mut below = Vec::new();
    let mut messages = 0;
    for (number, (name, mails)) in folders.iter().enumerate() {
        let nid = (count(number).saturating_add(0x401)) << 5 | 2;
        let mut rows = Vec::new();
        for mail in *mails {
            let own = (0x1_0000_u64.saturating_add(messages)) << 5 | 4;
            messages = messages.saturating_add(1);
            let made = store.message(mail);
            store.nodes.push((own, made, nid));
            rows.push((own, mail.row()));
        }
        store.folder(nid, ROOT, name, &[], rows);
        below.push((nid, (*name).to_owned(), count(mails.len())));
    }
    store.folder(ROOT, ROOT, "root", &below, Vec::new());
    store.finish()
}

impl Mail {
    fn row(&self) -> Vec<(u16, Value)> {
        vec![
            (0x001a, text("IPM.Note")),
            (0x0037, text(&self.subject)),
            (0x0042, text(&self.from.0)),
            (0x0e06, Value::Bytes(WHEN.to_le_bytes().to_vec())),
            (0x0e07, Value::Number(1)),
            (0x0e08, Value::Number(1000)),
            (0x0017, Value::Number(1)),
        ]
    }
}

/// A heap in one block: items one after the other, and the map of where they begin.
struct Heap {
    client: u8,
    items: Vec<Vec<u8>>,
}

impl Heap {
    fn add(&mut self, item: Vec<u8>) -> u32 {
        if item.is_empty() {
            return 0;
        }
        self.items.push(item);
        small::<u32>(count(self.items.len())) << 5
    }

    /// A tree of one leaf with records in order of their keys.
    fn tree(&mut self, key: u8, value: u8, mut records: Vec<(u32, Vec<u8>)>) -> u32 {
        records.sort_by_key(|(key, _)| *key);
        let mut leaf = Vec::new();
        for (number, record) in records {
            leaf.extend(number.to_le_bytes().iter().take(usize::from(key)));
            leaf.extend(record);
        }
        let leaf = self.add(leaf);
        self.add([&[0xb5, key, value, 0][..], &leaf.to_le_bytes()].concat())
    }

    fn bytes(self, root: u32) -> Vec<u8> {
        let mut block = Block::new(12);
        let mut places: Vec<u8> = Vec::new();
        for item in &self.items {
            places.extend(small::<u16>(count(block.len())).to_le_bytes());
            block.push(item);
        }
        places.extend(small::<u16>(count(block.len())).to_le_bytes());
        block.align(2);
        let map = small(count(block.len()));
        block.u16(0, map).put(2, &[0xec, self.client]).u32(4, root);
        block.push(&small::<u16>(count(self.items.len())).to_le_bytes()).push(&[0, 0]);
        block.push(&places);
        block.into_bytes()
    }
}

struct Store {
    out: Block,
    /// Id, offset, length.
    blocks: Vec<(u64, u64, u64)>,
    /// Id, (data, subnodes), parent.
    nodes: Vec<(u64, (u64, u64), u64)>,
    next: u64,
    local: u64,
}

impl Store {
    fn block(&mut self, data: Vec<u8>, internal: bool) -> u64 {
        let bid = self.next | if internal { 2 } else { 0 };
        self.next = self.next.saturating_add(4);
        let stored: Vec<u8> = if internal {
            data
        } else {
            let permuted = |byte: &u8| PERMUTED.get(usize::from(*byte)).copied().unwrap_or(0);
            data.iter().map(permuted).collect()
        };
        self.out.align(64);
        let offset = count(self.out.len());
        let length = count(stored.len());
        let mut body = Block::default();
        let size = stored.len().saturating_add(16).next_multiple_of(64).saturating_sub(16);
        body.push(&stored).align(1);
        let mut body = body.into_bytes();
        body.resize(size, 0);
        self.out.push(&body).push(&small::<u16>(length).to_le_bytes());
        self.out.push(&signature(offset, bid).to_le_bytes());
        self.out.push(&crc32_plain(&stored).to_le_bytes()).push(&bid.to_le_bytes());
        self.blocks.push((bid, offset, length));
        bid
    }

    /// Data of any length: one block, or a list of them.
    fn data(&mut self, bytes: &[u8]) -> u64 {
        if bytes.len() <= 8176 {
            return self.block(bytes.to_vec(), false);
        }
        let ids: Vec<u64> =
            bytes.chunks(8176).map(|part| self.block(part.to_vec(), false)).collect();
        let mut list = vec![1, 1];
        list.extend(small::<u16>(count(ids.len())).to_le_bytes());
        list.extend(small::<u32>(count(bytes.len())).to_le_bytes());
        list.extend(ids.iter().flat_map(|id| id.to_le_bytes()));
        self.block(list, true)
    }

    fn subnodes(&mut self, mut nodes: Vec<(u64, (u64, u64))>) -> u64 {
        if nodes.is_empty() {
            return 0;
        }
        nodes.sort_by_key(|(id, _)| *id);
        let mut list = vec![2, 0];
        list.extend(small::<u16>(count(nodes.len())).to_le_bytes());
        list.extend([0; 4]);
        for (id, (data, sub)) in nodes {
            list.extend([id, data, sub].iter().flat_map(|number| number.to_le_bytes()));
        }
        self.block(list, true)
    }

    fn local_id(&mut self) -> u64 {
        self.local = self.local.saturating_add(1);
        (self.local.saturating_add(0x400)) << 5 | 0x1f
    }

    fn properties(
        &mut self,
        values: Vec<(u16, u16, Value)>,
        mut inside: Vec<(u64, (u64, u64))>,
    ) -> (u64, u64) {
        let mut heap = Heap { client: 0xbc, items: Vec::new() };
        let mut records = Vec::new();
        for (number, kind, value) in values {
            let place = match value {
                Value::Number(number) => number,
                Value::Bytes(bytes) if bytes.len() <= IN_HEAP => heap.add(bytes),
                Value::Bytes(bytes) => {
                    let id = self.local_id();
                    inside.push((id, (self.data(&bytes), 0)));
                    small(id)
                }
            };
            let record = [&kind.to_le_bytes()[..], &place.to_le_bytes()].concat();
            records.push((u32::from(number), record));
        }
        let root = heap.tree(2, 6, records);
        (self.block(heap.bytes(root), false), self.subnodes(inside))
    }

    fn table(&mut self, columns: &[(u16, u16)], rows: Vec<(u64, Vec<(u16, Value)>)>) -> (u64, u64) {
        let mut columns: Vec<(u16, u16)> = columns.to_vec();
        columns.extend([(0x67f2, LONG), (0x67f3, LONG)]);
        let size = |kind: u16| match kind {
            TIME => 8_usize,
            BOOLEAN => 1,
            _ => 4,
        };
        // The ids first, then the widest.
        columns.sort_by_key(|(number, kind)| {
            (size(*kind) == 1, *number < 0x67f2, 8_usize.saturating_sub(size(*kind)), *number)
        });
        let mut places = std::collections::BTreeMap::new();
        let mut at = 0_usize;
        let mut wide = 0_usize;
        for (bit, (number, kind)) in columns.iter().enumerate() {
            places.insert(*number, (at, size(*kind), bit));
            at = at.saturating_add(size(*kind));
            if size(*kind) >= 4 {
                wide = at;
            }
        }
        let length = at.saturating_add(columns.len().div_ceil(8));
        let mut heap = Heap { client: 0x7c, items: Vec::new() };
        let mut matrix = Vec::new();
        let mut index = Vec::new();
        for (number, (id, values)) in rows.into_iter().enumerate() {
            let mut row = Block::new(length);
            let mut cells = values;
            cells.push((0x67f2, Value::Number(small(id))));
            cells.push((0x67f3, Value::Number(small(count(number)))));
            for (column, value) in cells {
                let Some((place, width, bit)) = places.get(&column).copied() else { continue };
                let cell = match value {
                    Value::Number(number) => {
                        number.to_le_bytes().get(..width.min(4)).unwrap_or_default().to_vec()
                    }
                    Value::Bytes(bytes) if width == 8 => bytes,
                    Value::Bytes(bytes) => heap.add(bytes).to_le_bytes().to_vec(),
                };
                let flag = at.saturating_add(bit / 8);
                let known = row.bytes().get(flag).copied().unwrap_or(0);
                row.put(place, &cell).put(flag, &[known | 0x80 >> (bit % 8)]);
            }
            matrix.extend(row.into_bytes());
            index.push((small(id), small::<u32>(count(number)).to_le_bytes().to_vec()));
        }
        let matrix = heap.add(matrix);
        let index = heap.tree(4, 4, index);
        let mut info = vec![0x7c, small(count(columns.len()))];
        for number in [wide, wide, at, length] {
            info.extend(small::<u16>(count(number)).to_le_bytes());
        }
        for number in [index, matrix, 0] {
            info.extend(number.to_le_bytes());
        }
        columns.sort_by_key(|(number, kind)| (*number, *kind));
        for (number, kind) in &columns {
            let Some((place, width, bit)) = places.get(number).copied() else { continue };
            info.extend(
                [*kind, *number, small(count(place))].iter().flat_map(|one| one.to_le_bytes()),
            );
            info.extend([small::<u8>(count(width)), small(count(bit))]);
        }
        let root = heap.add(info);
        (self.block(heap.bytes(root), false), 0)
    }

    fn message(&mut self, mail: &Mail) -> (u64, u64) {
        let columns = [(0x0c15, LONG), (0x3001, TEXT), (0x3003, TEXT), (0x0e0f, BOOLEAN)];
        let row = vec![
            (0x0c15, Value::Number(1)),
            (0x3001, text(&mail.to)),
            (0x3003, text(&mail.to)),
            (0x0e0f, Value::Number(1)),
        ];
        let mut inside = vec![(0x692, self.table(&columns, vec![(0, row)]))];
        if let Some((name, content)) = &mail.attachment {
            let nid = 0x401_u64 << 5 | 5;
            let row = vec![
                (0x0e20, Value::Number(small(count(content.len())))),
                (0x3704, text(name)),
                (0x3705, Value::Number(1)),
            ];
            let columns = [(0x0e20, LONG), (0x3704, TEXT), (0x3705, LONG)];
            inside.push((0x671, self.table(&columns, vec![(nid, row)])));
            let values = vec![
                (0x3705, LONG, Value::Number(1)),
                (0x3704, TEXT, text(name)),
                (0x3707, TEXT, text(name)),
                (0x0e20, LONG, Value::Number(small(count(content.len())))),
                (0x3701, BINARY, Value::Bytes(content.clone())),
            ];
            inside.push((nid, self.properties(values, Vec::new())));
        }
        let time = Value::Bytes(WHEN.to_le_bytes().to_vec());
        let values = vec![
            (0x001a, TEXT, text("IPM.Note")),
            (0x0037, TEXT, text(&mail.subject)),
            (0x0042, TEXT, text(&mail.from.0)),
            (0x0c1a, TEXT, text(&mail.from.0)),
            (0x0c1f, TEXT, text(&mail.from.1)),
            (0x0e04, TEXT, text(&mail.to)),
            (0x0e07, LONG, Value::Number(1)),
            (0x0e08, LONG, Value::Number(1000)),
            (0x0e06, TIME, time.clone()),
            (0x0039, TIME, time),
            (0x1000, TEXT, text(&mail.body)),
        ];
        self.properties(values, inside)
    }

    fn folder(
        &mut self,
        nid: u64,
        parent: u64,
        name: &str,
        below: &[(u64, String, u64)],
        rows: Vec<(u64, Vec<(u16, Value)>)>,
    ) {
        let values = vec![
            (0x3001, TEXT, text(name)),
            (0x3602, LONG, Value::Number(small(count(rows.len())))),
            (0x3603, LONG, Value::Number(0)),
            (0x360a, BOOLEAN, Value::Number(u32::from(!below.is_empty()))),
        ];
        let made = self.properties(values, Vec::new());
        self.nodes.push((nid, made, parent));
        let children = below
            .iter()
            .map(|(id, name, mails)| {
                let row = vec![
                    (0x3001, text(name)),
                    (0x3602, Value::Number(small(*mails))),
                    (0x3603, Value::Number(0)),
                    (0x360a, Value::Number(0)),
                ];
                (*id, row)
            })
            .collect();
        let own = nid & !31;
        let columns = [(0x3001, TEXT), (0x3602, LONG), (0x3603, LONG), (0x360a, BOOLEAN)];
        let made = self.table(&columns, children);
        self.nodes.push((own | 0x0d, made, 0));
        let columns = [
            (0x001a, TEXT),
            (0x0037, TEXT),
            (0x0042, TEXT),
            (0x0e06, TIME),
            (0x0e07, LONG),
            (0x0e08, LONG),
            (0x0017, LONG),
        ];
        let made = self.table(&columns, rows);
        self.nodes.push((own | 0x0e, made, 0));
        let made = self.table(&columns, Vec::new());
        self.nodes.push((own | 0x0f, made, 0));
    }

    /// A tree of pages over entries of (key, bytes); the reference to its root.
    fn tree(&mut self, kind: u8, mut entries: Vec<(u64, Vec<u8>)>) -> Vec<u8> {
        let mut level = 0_u8;
        loop {
            let size = entries.first().map_or(1, |(_, bytes)| bytes.len());
            let per = 488_usize.checked_div(size).unwrap_or(1).max(1);
            let pages: Vec<(u64, Vec<u8>)> = entries
                .chunks(per)
                .map(|part| {
                    let key = part.first().map_or(0, |(key, _)| *key);
                    (key, self.page(kind, level, size, part))
                })
                .collect();
            if let [(_, root)] = pages.as_slice() {
                return root.clone();
            }
            level = level.saturating_add(1);
            entries = pages
                .into_iter()
                .map(|(key, place)| (key, [&key.to_le_bytes()[..], &place].concat()))
                .collect();
        }
    }

    fn page(&mut self, kind: u8, level: u8, size: usize, entries: &[(u64, Vec<u8>)]) -> Vec<u8> {
        self.out.align(PAGE);
        let offset = count(self.out.len());
        let bid = self.next | 2;
        self.next = self.next.saturating_add(4);
        let body: Vec<u8> = entries.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        let mut page = Block::new(PAGE);
        let most = 488_usize.checked_div(size).unwrap_or(0);
        page.put(0, &body);
        page.put(
            488,
            &[small(count(entries.len())), small(count(most)), small(count(size)), level],
        );
        let sum = crc32_plain(page.bytes().get(..496).unwrap_or_default());
        page.put(496, &[kind, kind]).u16(498, signature(offset, bid)).u32(500, sum).u64(504, bid);
        self.out.push(page.bytes());
        [bid.to_le_bytes(), offset.to_le_bytes()].concat()
    }

    fn finish(mut self) -> Vec<u8> {
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.sort_by_key(|(id, ..)| *id);
        let nodes = nodes
            .into_iter()
            .map(|(id, (data, sub), parent)| {
                (id, [id, data, sub, parent].iter().flat_map(|one| one.to_le_bytes()).collect())
            })
            .collect();
        let nodes = self.tree(0x81, nodes);
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.sort_unstable();
        let blocks = blocks
            .into_iter()
            .map(|(id, offset, length)| {
                let mut bytes = [id.to_le_bytes(), offset.to_le_bytes()].concat();
                bytes.extend(small::<u16>(length).to_le_bytes());
                bytes.extend([2, 0, 0, 0, 0, 0]);
                (id, bytes)
            })
            .collect();
        let blocks = self.tree(0x80, blocks);
        let mut head = Block::new(564);
        head.put(0, b"!BDN").put(8, b"SM").u16(10, 23).u16(12, 19).put(14, &[1, 1]);
        head.u64(32, self.next).u32(40, 1);
        for counter in 0..32_usize {
            head.u32(44_usize.saturating_add(counter.saturating_mul(4)), 0x1_0000);
        }
        let end = count(self.out.len());
        head.u64(184, end).u64(192, 0x4400).put(216, &nodes).put(232, &blocks);
        head.put(248, &[2]).put(256, &[0xff; 256]).put(512, &[0x80, 1]).u64(516, self.next);
        let part = |from: usize, to: usize, head: &Block| {
            crc32_plain(head.bytes().get(from..to).unwrap_or_default())
        };
        let sum = part(8, 479, &head);
        let full = part(8, 524, &head);
        head.u32(4, sum).u32(524, full);
        let head = head.into_bytes();
        self.out.put(0, &head);
        self.out.into_bytes()
    }
}

/// The signature of a block or page (MS-PST 5.5).
fn signature(offset: u64, bid: u64) -> u16 {
    let value = (offset ^ bid) & 0xffff_ffff;
    small::<u16>(value >> 16) ^ small::<u16>(value & 0xffff)
}
