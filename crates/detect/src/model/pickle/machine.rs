//! The machine: a stack, a memo and frames, on abstract values. Every opcode is in
//! [`super::opcode`]. Source: CPython's `Lib/pickle.py` and `Modules/_pickle.c`.

use super::dicts::Dicts;
use super::reader::{Broken, Reader};
use super::value::{Coding, Global, NAME, Payload, Value};
use crate::model::names::modern;
use std::collections::HashMap;
use std::sync::Arc;

/// More opcodes than any checkpoint has; past them a stream was built to exhaust.
const OPCODES: u64 = 50_000_000;
/// A deeper stack was built to exhaust.
const STACK: usize = 2_000_000;
/// More memoised values than any checkpoint has.
const MEMO: usize = 4_000_000;
/// Memory for memoised text and names, in bytes; past it values are no longer followed.
const MEMO_BYTES: usize = 256 << 20;
/// Of a payload, this much is kept to be shown.
const SHOWN: u64 = 128;

/// Something that would happen when loading, at the moment it would.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A name is imported.
    Import(Arc<Global>),
    /// A name is imported that only running would tell.
    HiddenImport,
    /// Something is called.
    Call(Value, Value),
    /// State is set on something, with the key in it that sets what it is.
    Build(Value, Option<Arc<str>>),
    /// Items are added to something.
    Add(Value, Adds),
    /// The loader's own hook is asked for an object.
    Persistent(Value),
    /// A name is imported by a number that only the loader knows.
    Extension(u32),
    /// A value that may be a pickle of its own.
    Inner(Value),
    /// A frame does not hold what it should: two loaders read two things.
    Straddles,
    /// An array in the stream hides opcodes, or cannot be stepped over.
    OddArray,
}

/// What kind of thing items are added as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Adds {
    Items,
    Keys,
    Members,
}

/// One stream, run to its STOP or to where it breaks.
pub(crate) struct Run {
    pub(crate) broken: Option<Broken>,
    pub(crate) opcodes: u64,
    /// Every opcode is one that PyTorch's `weights_only` loader knows.
    pub(crate) plain_opcodes: bool,
    /// Where the next stream would begin; where the opcode stands that broke it.
    pub(crate) end: u64,
}

pub(super) struct Machine<'a, 'b> {
    pub(super) reader: &'a mut Reader<'b>,
    pub(super) sink: &'a mut dyn FnMut(u64, Event),
    pub(super) stack: Vec<Value>,
    pub(super) dicts: Dicts,
    pub(super) protocol: u8,
    pub(super) mode: Mode,
    marks: Vec<usize>,
    memo: HashMap<u64, Value>,
    memo_bytes: usize,
    frame_end: Option<u64>,
}

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As joblib does: arrays lie in it, and are stepped over.
    Joblib,
    /// As everything else does.
    Plain,
    /// From somewhere in its middle, with a stack and a memo that nobody knows.
    Middle,
}

/// Runs one stream from where the reader stands, telling `sink` what would happen.
pub(crate) fn run(
    reader: &mut Reader<'_>,
    limit: u64,
    mode: Mode,
    sink: &mut dyn FnMut(u64, Event),
) -> Run {
    let mut run = Run { broken: None, opcodes: 0, plain_opcodes: true, end: reader.position() };
    let mut machine = Machine {
        reader,
        sink,
        stack: Vec::new(),
        dicts: Dicts::default(),
        protocol: 0,
        mode,
        marks: Vec::new(),
        memo: HashMap::new(),
        memo_bytes: 0,
        frame_end: None,
    };
    let limit = limit.min(OPCODES);
    loop {
        run.end = machine.reader.position();
        if run.opcodes >= limit {
            run.broken = Some(bad("more opcodes than any model has"));
            break;
        }
        if machine.stack.len() > STACK || machine.marks.len() > STACK || machine.memo.len() > MEMO {
            run.broken = Some(bad("a stack deeper than any model has"));
            break;
        }
        match machine.step(&mut run) {
            Ok(true) => {}
            Ok(false) => {
                run.end = machine.reader.position();
                break;
            }
            Err(broken) => {
                run.broken = Some(broken);
                break;
            }
        }
    }
    run
}

pub(super) fn bad(what: &str) -> Broken {
    Broken::Malformed(what.to_owned())
}

impl Machine<'_, '_> {
    /// Runs one opcode; false after STOP.
    fn step(&mut self, run: &mut Run) -> Result<bool, Broken> {
        let at = self.reader.position();
        if self.frame_end.is_some_and(|end| at >= end) {
            self.frame_end = None;
        }
        let opcode = self.reader.byte()?;
        run.opcodes = run.opcodes.saturating_add(1);
        run.plain_opcodes &= super::opcode::is_plain(opcode);
        let outer = self.frame_end;
        let going = self.opcode(at, opcode)?;
        // A frame is left where it ends, not within an opcode, nor before.
        let after = self.reader.position();
        if let (Some(end), Some(now)) = (outer, self.frame_end)
            && (after > end || (!going && after < end) || now != end)
        {
            self.say(at, Event::Straddles);
            if now == end {
                self.frame_end = None;
            }
        }
        Ok(going)
    }

    pub(super) fn say(&mut self, at: u64, event: Event) {
        (self.sink)(at, event);
    }

    /// A frame of `length` bytes begins here.
    pub(super) fn frame(&mut self, at: u64, length: u64) {
        let end = self.reader.position().saturating_add(length);
        if end > self.reader.length() {
            self.say(at, Event::Straddles);
        }
        self.frame_end = Some(end);
    }

    /// What lies outside of frames follows.
    pub(super) fn leave_frame(&mut self, at: u64) {
        if self.frame_end.take().is_some_and(|end| end != self.reader.position()) {
            self.say(at, Event::Straddles);
        }
    }

    pub(super) fn mark(&mut self) {
        self.marks.push(self.stack.len());
    }

    pub(super) fn pop(&mut self) -> Result<Value, Broken> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return self.unknown("the stack is empty");
        }
        self.stack.pop().ok_or_else(|| bad("the stack is empty"))
    }

    /// What lay there before, when reading began in the middle.
    fn unknown(&self, what: &str) -> Result<Value, Broken> {
        if self.mode == Mode::Middle { Ok(Value::Unknown) } else { Err(bad(what)) }
    }

    /// POP takes a mark away where nothing lies on it.
    pub(super) fn pop_or_mark(&mut self) -> Result<(), Broken> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(|_| ())
    }

    pub(super) fn top(&self) -> Result<Value, Broken> {
        match self.stack.last() {
            Some(top) => Ok(top.clone()),
            None => self.unknown("the stack is empty"),
        }
    }

    /// Everything above the last mark.
    pub(super) fn items(&mut self) -> Result<Vec<Value>, Broken> {
        let mark = match self.marks.pop() {
            Some(mark) => mark,
            None => self.unknown("no mark").map(|_| 0)?,
        };
        if mark > self.stack.len() {
            return Err(bad("a mark above the stack"));
        }
        Ok(self.stack.split_off(mark))
    }

    pub(super) fn put(&mut self, index: u64) -> Result<(), Broken> {
        let mut top = self.top()?;
        self.memo_bytes = self.memo_bytes.saturating_add(top.weight());
        if self.memo_bytes > MEMO_BYTES && top.weight() > 0 {
            top = Value::Unknown;
        }
        self.memo.insert(index, top);
        Ok(())
    }

    /// MEMOIZE numbers by how many there are.
    pub(super) fn memoize(&mut self) -> Result<(), Broken> {
        self.put(u64::try_from(self.memo.len()).unwrap_or(u64::MAX))
    }

    pub(super) fn get(&mut self, index: u64) -> Result<(), Broken> {
        let value = match self.memo.get(&index) {
            Some(value) => value.clone(),
            None => self.unknown("a memo that was never set")?,
        };
        self.stack.push(value);
        Ok(())
    }

    pub(super) fn import(&mut self, at: u64, module: &str, name: &str) {
        let (module, name) = if self.protocol < 3 { modern(module, name) } else { (module, name) };
        let global = Arc::new(Global { module: module.to_owned(), name: name.to_owned() });
        self.say(at, Event::Import(Arc::clone(&global)));
        self.stack.push(Value::Global(global));
    }

    pub(super) fn call(&mut self, at: u64, target: Value, arguments: Value) {
        let made = match &target {
            Value::Global(global) if global.is("_codecs", "encode") => {
                encoded(&arguments).unwrap_or(Value::Unknown)
            }
            Value::Global(global) => Value::made(Arc::clone(global), arguments.clone()),
            _ => Value::Unknown,
        };
        self.say(at, Event::Call(target, arguments));
        self.stack.push(made);
    }

    pub(super) fn text(&mut self, length: u64) -> Result<(), Broken> {
        let offset = self.reader.position();
        let kept = if length <= NAME { NAME } else { SHOWN };
        let head = self.reader.payload(length, kept)?;
        let value = if length <= NAME {
            Value::Text(String::from_utf8_lossy(&head).into())
        } else {
            Value::Payload(Arc::new(Payload { head, offset, length, coding: Coding::Text }))
        };
        self.constant(offset, value);
        Ok(())
    }

    /// Pushes a text or bytes, and says so when they may be a pickle of their own.
    fn constant(&mut self, at: u64, value: Value) {
        let head = match &value {
            Value::Text(text) => text.as_bytes(),
            Value::Payload(payload) => &payload.head,
            _ => &[],
        };
        if self.mode != Mode::Middle && begins_inner(head) {
            self.say(at, Event::Inner(value.clone()));
        }
        self.stack.push(value);
    }

    pub(super) fn line_text(&mut self, text: &str) {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let value = if length <= NAME {
            Value::Text(text.into())
        } else {
            let head = text.chars().take(128).collect::<String>().into_bytes();
            Value::Payload(Arc::new(Payload { head, offset: 0, length, coding: Coding::Text }))
        };
        let at = self.reader.position();
        self.constant(at, value);
    }

    pub(super) fn bytes(&mut self, length: u64) -> Result<(), Broken> {
        let offset = self.reader.position();
        let head = self.reader.payload(length, SHOWN)?;
        let payload = Payload { head, offset, length, coding: Coding::Bytes };
        self.constant(offset, Value::Payload(Arc::new(payload)));
        Ok(())
    }

    /// Keys and values in turn go into a dictionary, or to the methods of an object.
    pub(super) fn set_items(&mut self, at: u64, items: &[Value]) -> Result<(), Broken> {
        let target = self.top()?;
        match &target {
            Value::Dict(number) => {
                for pair in items.chunks_exact(2) {
                    if let [key, value] = pair {
                        self.dicts.set(*number, key, value);
                    }
                }
            }
            _ => self.say(at, Event::Add(target, Adds::Keys)),
        }
        Ok(())
    }

    pub(super) fn add_items(&mut self, at: u64, adds: Adds) -> Result<(), Broken> {
        let target = self.top()?;
        let plain = match adds {
            Adds::Members => matches!(target, Value::Plain),
            _ => matches!(target, Value::List),
        };
        if !plain {
            self.say(at, Event::Add(target, adds));
        }
        Ok(())
    }
}

/// Whether a value begins like a pickle of protocol 2 to 5: as it is, in base64, in hexadecimal.
fn begins_inner(head: &[u8]) -> bool {
    head.len() > 8
        && matches!(
            head,
            [0x80, 2..=5, ..] | [b'g', b'A', b'I'..=b'X', ..] | [b'8', b'0', b'0', b'2'..=b'5', ..]
        )
}

/// The bytes that `_codecs.encode(text, "latin1")` gives: how protocol 2 writes bytes.
fn encoded(arguments: &Value) -> Option<Value> {
    let [text, Value::Text(codec)] = arguments.items() else { return None };
    if !matches!(&**codec, "latin1" | "latin-1" | "iso-8859-1") {
        return None;
    }
    let payload = match text {
        Value::Text(text) => {
            let head: Vec<u8> =
                text.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<_, _>>().ok()?;
            let length = u64::try_from(head.len()).ok()?;
            Payload { head, offset: 0, length, coding: Coding::Inline }
        }
        Value::Payload(payload) if payload.coding == Coding::Text && payload.offset > 0 => {
            Payload { coding: Coding::Latin1, ..(**payload).clone() }
        }
        _ => return None,
    };
    Some(Value::Payload(Arc::new(payload)))
}
