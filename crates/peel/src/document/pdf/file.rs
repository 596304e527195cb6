//! A PDF that was opened: its objects by their number.

use super::filter::{filters, undo};
use super::lexer::Lexer;
use super::object::{Dictionary, Object};
use lidless_io::number::wide;
use lidless_io::{BlockCache, MemoryBytes, ReadAt, ReadError, Window, read_vec};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// Files up to this size are read in one go.
const WHOLE: u64 = 512 << 10;
const BLOCK_BYTES: u64 = 64 << 10;
const CACHE_BYTES: u64 = 16 << 20;
const AHEAD_BYTES: u64 = 1 << 20;
/// The largest object that is no stream.
const LARGEST_OBJECT: u64 = 4 << 20;
/// References that lead to references.
const FURTHEST: usize = 16;
/// How many look-ups one file is worth: pages of pages may name the same again and again.
const MOST_LOOKUPS: usize = 3_000_000;
/// How many objects are kept.
const KEPT: usize = 4096;

/// Where an object lies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spot {
    /// At an offset of the file.
    At(u64),
    /// In a stream of objects.
    In(u32),
}

/// The number of a stream of objects, and the objects with theirs.
type Packed = (u32, Rc<BTreeMap<u32, Object>>);

/// A PDF.
pub(super) struct PdfFile {
    pub(super) source: Arc<dyn ReadAt>,
    pub(super) spots: BTreeMap<u32, Spot>,
    pub(super) trailer: Dictionary,
    objects: RefCell<HashMap<u32, Object>>,
    /// The objects of the last stream of objects that was read.
    packed: RefCell<Option<Packed>>,
    lookups: Cell<usize>,
    /// What may still be unpacked, in bytes, and what one stream may be.
    left: Cell<usize>,
    largest: usize,
    /// Whether the limit left something out.
    pub(super) is_cut: Cell<bool>,
}

impl PdfFile {
    /// Opens a PDF whose streams may unpack to `budget` bytes in all, one to `largest`.
    pub(super) fn open(
        source: &Arc<dyn ReadAt>,
        head: &[u8],
        budget: usize,
        largest: usize,
    ) -> Result<Self, ReadError> {
        let source: Arc<dyn ReadAt> = if source.len() <= WHOLE {
            Arc::new(MemoryBytes::new(read_vec(&**source, 0, WHOLE)?))
        } else {
            let cache = BlockCache::new(Arc::clone(source), BLOCK_BYTES, CACHE_BYTES);
            Arc::new(cache.reading_ahead(AHEAD_BYTES))
        };
        // Offsets count from the mark of the format.
        let start = memchr::memmem::find(head, b"%PDF-").unwrap_or(0);
        let start = u64::try_from(start).unwrap_or(0);
        let source = Arc::new(Window::new(source, start, u64::MAX));
        let mut file = Self {
            source,
            spots: BTreeMap::new(),
            trailer: Dictionary::new(),
            objects: RefCell::default(),
            packed: RefCell::default(),
            lookups: Cell::new(MOST_LOOKUPS),
            left: Cell::new(budget),
            largest,
            is_cut: Cell::new(false),
        };
        let found = file.find_objects() && {
            let root = file.trailer.get("Root").map(|root| file.resolve(root));
            root.as_ref()
                .and_then(Object::dictionary)
                .is_some_and(|root| root.contains_key("Pages"))
        };
        if !found && !file.trailer.contains_key("Encrypt") {
            file.objects.borrow_mut().clear();
            file.packed.borrow_mut().take();
            file.rebuild();
        }
        Ok(file)
    }

    /// The object that begins at an offset, and its number. A stream names where its bytes begin
    /// in the file.
    pub(super) fn object_at(&self, offset: u64) -> Option<(u32, Object)> {
        let mut size = 2048u64;
        loop {
            let bytes = read_vec(&*self.source, offset, size).ok()?;
            let whole = u64::try_from(bytes.len()).is_ok_and(|got| got < size);
            let mut lexer = Lexer::new(&bytes);
            let number = lexer.object()?.whole()?;
            lexer.object()?;
            let is_object = matches!(lexer.object()?, Object::Word(word) if word == b"obj");
            if !is_object {
                return None;
            }
            let object = lexer.object();
            // An object that ends with what was read may go on.
            let complete = lexer.position().saturating_add(32) < bytes.len();
            if let Some(object) = object
                && (complete || whole || size >= LARGEST_OBJECT)
            {
                let object = match object {
                    Object::Stream(dictionary, start) => {
                        Object::Stream(dictionary, offset.saturating_add(start))
                    }
                    other => other,
                };
                return Some((u32::try_from(number).ok()?, object));
            }
            size = size.saturating_mul(4);
            if whole || size > LARGEST_OBJECT {
                return None;
            }
        }
    }

    /// The object with a number; null when there is none.
    pub(super) fn object(&self, number: u32) -> Object {
        let Some(left) = self.lookups.get().checked_sub(1) else {
            self.is_cut.set(true);
            return Object::Null;
        };
        self.lookups.set(left);
        if let Some(object) = self.objects.borrow().get(&number) {
            return object.clone();
        }
        // What is being looked up is nothing meanwhile, so that no loop goes on.
        self.keep(number, Object::Null);
        let object = match self.spots.get(&number) {
            Some(Spot::At(offset)) => self.object_at(*offset).map(|(_, object)| object),
            Some(Spot::In(stream)) => self.packed(*stream, number),
            None => None,
        };
        let object = object.unwrap_or(Object::Null);
        self.keep(number, object.clone());
        object
    }

    fn keep(&self, number: u32, object: Object) {
        let mut objects = self.objects.borrow_mut();
        if objects.len() >= KEPT {
            objects.clear();
        }
        objects.insert(number, object);
    }

    /// An object of a stream of objects (7.5.7).
    fn packed(&self, stream: u32, number: u32) -> Option<Object> {
        let held = self.packed.borrow().as_ref().is_some_and(|(known, _)| *known == stream);
        if !held {
            let objects = self.unpack(stream);
            *self.packed.borrow_mut() = Some((stream, Rc::new(objects)));
        }
        let packed = self.packed.borrow();
        let (_, objects) = packed.as_ref()?;
        objects.get(&number).cloned()
    }

    fn unpack(&self, stream: u32) -> BTreeMap<u32, Object> {
        let Some(Spot::At(_)) = self.spots.get(&stream) else { return BTreeMap::new() };
        let object = self.object(stream);
        let Some(dictionary) = object.dictionary() else { return BTreeMap::new() };
        let number = |name: &str| {
            let value = self.resolve(dictionary.get(name)?).whole()?;
            usize::try_from(value).ok()
        };
        let (Some(count), Some(first)) = (number("N"), number("First")) else {
            return BTreeMap::new();
        };
        let Some(bytes) = self.stream_of(&object) else { return BTreeMap::new() };
        let mut names = Lexer::new(bytes.get(..first).unwrap_or(&[]));
        let mut found = BTreeMap::new();
        for _ in 0..count.min(100_000) {
            let (Some(number), Some(offset)) = (names.object(), names.object()) else { break };
            let offset = offset.whole().and_then(|offset| usize::try_from(offset).ok());
            let start = offset.unwrap_or(usize::MAX).saturating_add(first);
            let Some(rest) = bytes.get(start..) else { continue };
            if let Some(number) = number.whole().and_then(|number| u32::try_from(number).ok())
                && let Some(object) = Lexer::new(rest).object()
            {
                found.insert(number, object);
            }
        }
        found
    }

    /// The numbers of the objects in a stream of objects.
    pub(super) fn packed_numbers(&self, stream: u32) -> Vec<u32> {
        self.unpack(stream).into_keys().collect()
    }

    /// What an object is, followed through references.
    pub(super) fn resolve(&self, object: &Object) -> Object {
        let mut object = object.clone();
        for _ in 0..FURTHEST {
            match object {
                Object::Reference(number) => object = self.object(number),
                other => return other,
            }
        }
        Object::Null
    }

    /// A value of a dictionary, followed through references.
    pub(super) fn get(&self, dictionary: &Dictionary, name: &str) -> Object {
        dictionary.get(name).map_or(Object::Null, |object| self.resolve(object))
    }

    /// The bytes of a stream with its filters undone; none when there is a filter that is not
    /// known, or nothing left of the limit.
    pub(super) fn stream_of(&self, object: &Object) -> Option<Vec<u8>> {
        let Object::Stream(dictionary, start) = self.resolve(object) else { return None };
        let mut dictionary = dictionary.as_ref().clone();
        for name in ["Filter", "DecodeParms"] {
            let value = self.get(&dictionary, name);
            let value = match value {
                Object::List(list) => Object::List(Rc::new(
                    list.iter().take(8).map(|one| self.resolve(one)).collect(),
                )),
                other => other,
            };
            dictionary.insert(name.to_owned(), value);
        }
        let left = self.left.get().min(self.largest);
        if left == 0 {
            self.is_cut.set(true);
            return None;
        }
        let mut bytes = self.raw(&dictionary, start)?;
        let mut cost = bytes.len();
        for (filter, parameters) in filters(&dictionary) {
            let Some(undone) = undo(&filter, parameters.as_deref(), &bytes, left) else {
                self.left.set(self.left.get().saturating_sub(cost));
                return None;
            };
            bytes = undone;
            cost = cost.max(bytes.len());
            if bytes.len() >= left {
                self.is_cut.set(true);
            }
        }
        bytes.truncate(left);
        self.left.set(self.left.get().saturating_sub(cost));
        Some(bytes)
    }

    fn raw(&self, dictionary: &Dictionary, start: u64) -> Option<Vec<u8>> {
        let most = wide(self.largest);
        if let Some(length) =
            self.get(dictionary, "Length").whole().filter(|length| *length <= most)
        {
            let bytes = read_vec(&*self.source, start, length.saturating_add(16)).ok()?;
            let size = usize::try_from(length).ok()?;
            let after = bytes.get(size..).unwrap_or(&[]);
            if after.trim_ascii_start().starts_with(b"endstream") {
                return bytes.get(..size).map(<[u8]>::to_vec);
            }
        }
        // The length lies: the end is searched for.
        let mut size = 64u64 << 10;
        loop {
            let bytes = read_vec(&*self.source, start, size.min(most)).ok()?;
            let end = memchr::memmem::find(&bytes, b"endstream");
            let whole = u64::try_from(bytes.len()).is_ok_and(|got| got < size);
            if end.is_some() || whole || size >= most {
                return bytes.get(..end.unwrap_or(bytes.len())).map(<[u8]>::to_vec);
            }
            size = size.saturating_mul(8);
        }
    }
}
