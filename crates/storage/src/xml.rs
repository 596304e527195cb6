//! The XML of answers, element by element. It is hostile: bounded, and nothing in it is expanded.

use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Names and values of one element at a time, innermost text only.
pub(crate) struct Walk<'a> {
    reader: Reader<&'a [u8]>,
    /// The open elements, outermost first.
    pub(crate) path: Vec<String>,
    text: String,
    encoded: bool,
    /// The name of a root that was written as an empty element.
    pub(crate) empty_root: Option<String>,
    /// What the listing says that it lists, by the element below its root.
    lists: Option<String>,
}

/// The elements below a listing's root that say what it lists.
const LISTS: [&str; 5] = ["Containers", "Blobs", "Shares", "Entries", "Queues"];

/// What a step met.
pub(crate) enum Step {
    /// An element began.
    Open,
    /// The element at the end of the path ended; its text is in `text`.
    Close,
    /// The document ended.
    End,
}

/// Deeper than this no listing is.
const DEPTH: usize = 16;

impl<'a> Walk<'a> {
    /// Starts before the first element.
    pub(crate) fn new(body: &'a [u8]) -> Self {
        let body = body.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(body);
        Self {
            reader: Reader::from_reader(body),
            path: Vec::new(),
            text: String::new(),
            encoded: false,
            empty_root: None,
            lists: None,
        }
    }

    /// Goes on to the next beginning or end of an element.
    pub(crate) fn step(&mut self) -> Result<Step, String> {
        loop {
            let event = self.reader.read_event().map_err(|error| error.to_string())?;
            match event {
                Event::Start(tag) => {
                    if self.path.len() >= DEPTH {
                        return Err("nested too deep".into());
                    }
                    let name = String::from_utf8_lossy(tag.name().as_ref().as_ref()).into_owned();
                    self.encoded = tag
                        .attributes()
                        .flatten()
                        .any(|one| one.key.as_ref() == "Encoded" && one.value.as_ref() == "true");
                    self.below_root(&name);
                    self.path.push(name);
                    self.text.clear();
                    return Ok(Step::Open);
                }
                Event::End(_) => return Ok(Step::Close),
                Event::Text(text) => {
                    self.text.push_str(&String::from_utf8_lossy(text.as_ref().as_ref()))
                }
                Event::CData(text) => {
                    self.text.push_str(&String::from_utf8_lossy(text.as_ref().as_ref()))
                }
                Event::GeneralRef(reference) => {
                    let name = String::from_utf8_lossy(reference.as_ref().as_ref()).into_owned();
                    self.text.push(entity(&name).ok_or("an entity that is not XML's own")?);
                }
                Event::DocType(_) => return Err("a document type where none belongs".into()),
                Event::Eof => return Ok(Step::End),
                Event::Empty(tag) if self.path.is_empty() => {
                    let name = String::from_utf8_lossy(tag.name().as_ref().as_ref()).into_owned();
                    self.empty_root = Some(name);
                }
                Event::Empty(tag) => {
                    let name = String::from_utf8_lossy(tag.name().as_ref().as_ref()).into_owned();
                    self.below_root(&name);
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// Leaves the innermost element: its name and its text.
    pub(crate) fn close(&mut self) -> (String, String) {
        let name = self.path.pop().unwrap_or_default();
        let text = std::mem::take(&mut self.text);
        let text = if self.encoded {
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        } else {
            text
        };
        self.encoded = false;
        (name, text)
    }

    fn below_root(&mut self, name: &str) {
        if self.path.len() == 1 && LISTS.contains(&name) {
            self.lists = Some(name.to_owned());
        }
    }

    /// Refuses a listing of something else than was asked for: another service answers listings
    /// of the same shape.
    pub(crate) fn lists_only(&self, what: &str) -> Result<(), String> {
        match self.lists.as_deref() {
            Some(lists) if lists != what => Err(format!("a listing of something else: {lists}")),
            _ => Ok(()),
        }
    }

    /// The element around the one at the end of the path.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.path.iter().rev().nth(1).map(String::as_str)
    }

    /// Whether an element of that name is open.
    pub(crate) fn is_in(&self, name: &str) -> bool {
        self.path.iter().any(|one| one == name)
    }
}

/// The five entities of XML and characters by number.
fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
