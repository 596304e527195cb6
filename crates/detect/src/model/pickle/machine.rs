//! All opcodes of all protocols, on an abstract stack. Source: CPython's `Lib/pickle.py` and
//! `Lib/pickletools.py`.

use super::reader::{Broken, Reader};
use super::value::{Global, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// More opcodes than any checkpoint has; past them a stream was built to exhaust.
const OPCODES: u64 = 50_000_000;
/// A deeper stack was built to exhaust.
const STACK: usize = 4_000_000;

/// Something that would happen when loading, at the moment it would.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A name is imported.
    Import(Arc<Global>),
    /// A name is imported that only running would tell.
    HiddenImport,
    /// Something is called.
    Call(Value, Value),
    /// State is set on something.
    Build(Value),
    /// The loader's own hook is asked for an object.
    Persistent(Value),
    /// A name is imported by a number that only the loader knows.
    Extension(u32),
    /// An opcode reaches over the edge of its frame: two loaders read it differently.
    Straddles,
}

/// One stream, run to its STOP or to where it breaks.
pub(crate) struct Run {
    pub(crate) events: Vec<(u64, Event)>,
    pub(crate) broken: Option<Broken>,
    pub(crate) opcodes: u64,
    /// Every opcode is one that PyTorch's `weights_only` loader knows.
    pub(crate) plain_opcodes: bool,
    /// Where the next stream would begin.
    pub(crate) end: u64,
    pub(crate) protocol: u8,
}

struct Machine<'a, 'b> {
    reader: &'a mut Reader<'b>,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
    run: Run,
    frame_end: Option<u64>,
}

/// Runs one stream from where the reader stands.
pub(crate) fn run(reader: &mut Reader<'_>, limit: u64) -> Run {
    let start = reader.position();
    let mut machine = Machine {
        reader,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        run: Run {
            events: Vec::new(),
            broken: None,
            opcodes: 0,
            plain_opcodes: true,
            end: start,
            protocol: 0,
        },
        frame_end: None,
    };
    let limit = limit.min(OPCODES);
    loop {
        if machine.run.opcodes >= limit {
            machine.run.broken = Some(Broken::Malformed("more opcodes than any model has".into()));
            break;
        }
        if machine.stack.len() > STACK || machine.memo.len() > STACK {
            machine.run.broken =
                Some(Broken::Malformed("a stack deeper than any model has".into()));
            break;
        }
        match machine.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(broken) => {
                machine.run.broken = Some(broken);
                break;
            }
        }
    }
    machine.run.end = machine.reader.position();
    machine.run
}

fn bad(what: &str) -> Broken {
    Broken::Malformed(what.to_owned())
}

impl Machine<'_, '_> {
    fn say(&mut self, at: u64, event: Event) {
        // A stream of a million equal events says no more than its first hundred thousand.
        if self.run.events.len() < 100_000 {
            self.run.events.push((at, event));
        }
    }

    fn pop(&mut self) -> Result<Value, Broken> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(bad("the stack is empty"));
        }
        self.stack.pop().ok_or_else(|| bad("the stack is empty"))
    }

    fn top(&self) -> Result<Value, Broken> {
        self.stack.last().cloned().ok_or_else(|| bad("the stack is empty"))
    }

    /// Everything above the last mark.
    fn items(&mut self) -> Result<Vec<Value>, Broken> {
        let mark = self.marks.pop().ok_or_else(|| bad("no mark"))?;
        if mark > self.stack.len() {
            return Err(bad("a mark above the stack"));
        }
        Ok(self.stack.split_off(mark))
    }

    fn put(&mut self, index: u32) -> Result<(), Broken> {
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn get(&mut self, index: u32) -> Result<(), Broken> {
        // A loader raises here; what follows is read all the same.
        let value =
            self.memo.get(&index).cloned().ok_or_else(|| bad("a memo that was never set"))?;
        self.stack.push(value);
        Ok(())
    }

    fn import(&mut self, at: u64, module: &str, name: &str) {
        let global = Arc::new(Global { module: module.to_owned(), name: name.to_owned() });
        self.say(at, Event::Import(Arc::clone(&global)));
        self.stack.push(Value::Global(global));
    }

    fn call(&mut self, at: u64, target: Value, arguments: Value) {
        let made = match &target {
            Value::Global(global) => Value::Made(Arc::clone(global)),
            _ => Value::Unknown,
        };
        self.say(at, Event::Call(target, arguments));
        self.stack.push(made);
    }

    fn text(&mut self, length: u64) -> Result<(), Broken> {
        let bytes = self.reader.payload(length)?;
        let value = if u64::try_from(bytes.len()).unwrap_or(0) == length {
            Value::Text(String::from_utf8_lossy(&bytes).into())
        } else {
            Value::Unknown
        };
        self.stack.push(value);
        Ok(())
    }

    fn bytes(&mut self, length: u64) -> Result<(), Broken> {
        let bytes = self.reader.payload(length)?;
        self.stack.push(Value::Bytes(bytes.into()));
        Ok(())
    }

    /// Runs one opcode; false after STOP.
    fn step(&mut self) -> Result<bool, Broken> {
        let at = self.reader.position();
        if self.frame_end.is_some_and(|end| at >= end) {
            self.frame_end = None;
        }
        let opcode = self.reader.byte()?;
        self.run.opcodes = self.run.opcodes.saturating_add(1);
        let known_to_torch = matches!(
            opcode,
            b'c' | b'R'
                | b'b'
                | b'a'
                | b'e'
                | b's'
                | b'u'
                | b'('
                | b')'
                | b']'
                | b'}'
                | b'0'
                | b'N'
                | 0x80
                | 0x81
                | 0x82
                ..=0x8b
                    | b'J'
                    | b'K'
                    | b'M'
                    | b'G'
                    | b'X'
                    | b'T'
                    | b'U'
                    | b'q'
                    | b'r'
                    | b'h'
                    | b'j'
                    | b't'
                    | b'Q'
                    | b'.'
        ) && opcode != 0x82
            && opcode != 0x83
            && opcode != 0x84;
        self.run.plain_opcodes &= known_to_torch;
        let going = self.opcode(at, opcode)?;
        // A frame may only be left where it ends.
        let after = self.reader.position();
        if let Some(end) = self.frame_end
            && at < end
            && after > end
        {
            self.say(at, Event::Straddles);
            self.frame_end = None;
        }
        Ok(going)
    }

    fn opcode(&mut self, at: u64, opcode: u8) -> Result<bool, Broken> {
        let le4 = |bytes: [u8; 4]| u64::from(u32::from_le_bytes(bytes));
        match opcode {
            // Numbers and constants.
            b'I' | b'L' | b'F' => {
                let line = self.reader.line()?;
                let line = line.trim_end_matches('L').trim();
                if line.parse::<f64>().is_err() {
                    return Err(bad("a number that is none"));
                }
                self.stack.push(Value::Plain);
            }
            b'J' => {
                self.reader.array::<4>()?;
                self.stack.push(Value::Plain);
            }
            b'K' => {
                self.reader.byte()?;
                self.stack.push(Value::Plain);
            }
            b'M' => {
                self.reader.array::<2>()?;
                self.stack.push(Value::Plain);
            }
            b'G' => {
                self.reader.array::<8>()?;
                self.stack.push(Value::Plain);
            }
            0x8a => {
                let length = u64::from(self.reader.byte()?);
                self.reader.payload(length)?;
                self.stack.push(Value::Plain);
            }
            0x8b => {
                let length = i32::from_le_bytes(self.reader.array()?);
                let length = u64::try_from(length).map_err(|_| bad("a negative length"))?;
                self.reader.payload(length)?;
                self.stack.push(Value::Plain);
            }
            b'N' | 0x88 | 0x89 | b']' | b'}' | 0x8f => self.stack.push(Value::Plain),
            // Text and bytes.
            b'S' => {
                let line = self.reader.line()?;
                let line = line.trim();
                let inner = line
                    .strip_prefix('\'')
                    .and_then(|rest| rest.strip_suffix('\''))
                    .or_else(|| line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')))
                    .ok_or_else(|| bad("a string without its quotes"))?;
                self.stack.push(Value::Text(unescape(inner).into()));
            }
            b'V' => {
                let line = self.reader.line()?;
                self.stack.push(Value::Text(unescape(&line).into()));
            }
            b'T' => {
                let length = le4(self.reader.array()?);
                self.text(length)?;
            }
            b'U' => {
                let length = u64::from(self.reader.byte()?);
                self.text(length)?;
            }
            b'X' => {
                let length = le4(self.reader.array()?);
                self.text(length)?;
            }
            0x8c => {
                let length = u64::from(self.reader.byte()?);
                self.text(length)?;
            }
            0x8d => {
                let length = u64::from_le_bytes(self.reader.array()?);
                self.text(length)?;
            }
            b'B' => {
                let length = le4(self.reader.array()?);
                self.bytes(length)?;
            }
            b'C' => {
                let length = u64::from(self.reader.byte()?);
                self.bytes(length)?;
            }
            0x8e | 0x96 => {
                let length = u64::from_le_bytes(self.reader.array()?);
                self.bytes(length)?;
            }
            0x97 => self.stack.push(Value::Unknown),
            0x98 => {}
            // The stack.
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            b'1' => {
                self.items()?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            // Containers.
            b't' => {
                let items = self.items()?;
                self.stack.push(Value::tuple(items));
            }
            b')' => self.stack.push(Value::tuple(Vec::new())),
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x84..opcode {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.stack.push(Value::tuple(items));
            }
            b'l' | b'd' | 0x91 => {
                self.items()?;
                self.stack.push(Value::Plain);
            }
            b'a' => {
                self.pop()?;
                self.adds(at)?;
            }
            b's' => {
                self.pop()?;
                self.pop()?;
                self.adds(at)?;
            }
            b'e' | b'u' | 0x90 => {
                self.items()?;
                self.adds(at)?;
            }
            // The memo.
            b'p' => {
                let index = number(&self.reader.line()?)?;
                self.put(index)?;
            }
            b'q' => {
                let index = u32::from(self.reader.byte()?);
                self.put(index)?;
            }
            b'r' => {
                let index = u32::from_le_bytes(self.reader.array()?);
                self.put(index)?;
            }
            0x94 => {
                let index = u32::try_from(self.memo.len()).unwrap_or(u32::MAX);
                self.put(index)?;
            }
            b'g' => {
                let index = number(&self.reader.line()?)?;
                self.get(index)?;
            }
            b'h' => {
                let index = u32::from(self.reader.byte()?);
                self.get(index)?;
            }
            b'j' => {
                let index = u32::from_le_bytes(self.reader.array()?);
                self.get(index)?;
            }
            // Names and calls.
            b'c' => {
                let (module, name) = (self.reader.line()?, self.reader.line()?);
                self.import(at, &module, &name);
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (module, name) {
                    (Value::Text(module), Value::Text(name)) => self.import(at, &module, &name),
                    _ => {
                        self.say(at, Event::HiddenImport);
                        self.stack.push(Value::Unknown);
                    }
                }
            }
            b'i' => {
                let (module, name) = (self.reader.line()?, self.reader.line()?);
                let arguments = self.items()?;
                self.import(at, &module, &name);
                let target = self.pop()?;
                self.call(at, target, Value::tuple(arguments));
            }
            b'o' => {
                let mut items = self.items()?;
                if items.is_empty() {
                    return Err(bad("an object without a class"));
                }
                let target = items.remove(0);
                self.call(at, target, Value::tuple(items));
            }
            b'R' => {
                let (arguments, target) = (self.pop()?, self.pop()?);
                self.call(at, target, arguments);
            }
            0x81 => {
                let (arguments, target) = (self.pop()?, self.pop()?);
                self.call(at, target, arguments);
            }
            0x92 => {
                let (_, arguments, target) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(at, target, arguments);
            }
            b'b' => {
                self.pop()?;
                let target = self.top()?;
                self.say(at, Event::Build(target));
            }
            0x82 => {
                let code = u32::from(self.reader.byte()?);
                self.extension(at, code);
            }
            0x83 => {
                let code = u32::from(u16::from_le_bytes(self.reader.array()?));
                self.extension(at, code);
            }
            0x84 => {
                let code = u32::from_le_bytes(self.reader.array()?);
                self.extension(at, code);
            }
            b'P' => {
                let line = self.reader.line()?;
                self.say(at, Event::Persistent(Value::Text(line.into())));
                self.stack.push(Value::Plain);
            }
            b'Q' => {
                let id = self.pop()?;
                self.say(at, Event::Persistent(id));
                self.stack.push(Value::Plain);
            }
            // The frame of it all.
            0x80 => {
                let protocol = self.reader.byte()?;
                if protocol > 5 {
                    return Err(bad("a protocol that does not exist"));
                }
                self.run.protocol = self.run.protocol.max(protocol);
            }
            0x95 => {
                let length = u64::from_le_bytes(self.reader.array()?);
                self.frame_end = Some(self.reader.position().saturating_add(length));
            }
            b'.' => {
                self.pop()?;
                return Ok(false);
            }
            other => return Err(Broken::Malformed(format!("byte {other:#04x} is no opcode"))),
        }
        Ok(true)
    }

    /// Adding to something that was made by a call runs its methods.
    fn adds(&mut self, at: u64) -> Result<(), Broken> {
        let target = self.top()?;
        if !matches!(target, Value::Plain) {
            self.say(at, Event::Build(target));
        }
        Ok(())
    }

    fn extension(&mut self, at: u64, code: u32) {
        self.say(at, Event::Extension(code));
        self.stack.push(Value::Unknown);
    }
}

fn number(text: &str) -> Result<u32, Broken> {
    text.trim().parse().map_err(|_| bad("a memo number that is none"))
}

/// Undoes the escapes of Python string literals that can hide a name.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let hex = |digits: usize, rest: &mut std::str::Chars<'_>| {
            let code: String = rest.by_ref().take(digits).collect();
            u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)
        };
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('x') => out.extend(hex(2, &mut rest)),
            Some('u') => out.extend(hex(4, &mut rest)),
            Some('U') => out.extend(hex(8, &mut rest)),
            Some(digit @ '0'..='7') => {
                let mut code = digit.to_digit(8).unwrap_or(0);
                let ahead: Vec<u32> = rest.clone().take(2).map_while(|c| c.to_digit(8)).collect();
                for digit in ahead {
                    code = code.saturating_mul(8).saturating_add(digit);
                    rest.next();
                }
                out.extend(char::from_u32(code));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}
