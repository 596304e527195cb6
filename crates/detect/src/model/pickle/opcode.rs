//! All opcodes of all protocols. Source: CPython's `Lib/pickletools.py`.

use super::array::step_over;
use super::literal::{escaped, is_number, raw_unicode, small};
use super::machine::{Adds, Event, Machine, bad};
use super::reader::Broken;
use super::value::Value;

/// Whether PyTorch's `weights_only` loader knows an opcode. Source:
/// `torch/_weights_only_unpickler.py`.
pub(super) fn is_plain(opcode: u8) -> bool {
    b"cRbaesut()]}NQJKMGXUhjqr.".contains(&opcode)
        || matches!(opcode, 0x80 | 0x81 | 0x85..=0x8a | 0x8f)
}

impl Machine<'_, '_> {
    /// Runs one opcode that was read at `at`; false after STOP.
    pub(super) fn opcode(&mut self, at: u64, opcode: u8) -> Result<bool, Broken> {
        match opcode {
            b'I' | b'L' | b'F' | b'J' | b'K' | b'M' | b'G' | 0x8a | 0x8b | b'N' | 0x88 | 0x89 => {
                self.number(opcode)?;
            }
            b'S' | b'V' | b'T' | b'U' | b'X' | 0x8c | 0x8d | b'B' | b'C' | 0x8e | 0x96 => {
                self.string(opcode)?;
            }
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.memo(opcode)?,
            b'c' | 0x93 | b'i' | b'o' | b'R' | 0x81 | 0x92 | b'b' => self.act(at, opcode)?,
            b']'
            | b'}'
            | 0x8f
            | b'l'
            | b'd'
            | 0x91
            | b'a'
            | b's'
            | b'e'
            | b'u'
            | 0x90
            | b't'
            | b')'
            | 0x85..=0x87 => self.container(at, opcode)?,
            0x97 => self.stack.push(Value::Unknown),
            0x98 => {}
            b'(' => self.mark(),
            b'0' => self.pop_or_mark()?,
            b'1' => {
                self.items()?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
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
            0x80 => {
                let protocol = self.reader.byte()?;
                if protocol > 5 {
                    return Err(bad("a protocol that does not exist"));
                }
                self.protocol = protocol;
            }
            0x95 => {
                let length = u64::from_le_bytes(self.reader.array()?);
                self.frame(at, length);
            }
            b'.' => {
                self.pop()?;
                return Ok(false);
            }
            other => return Err(Broken::Malformed(format!("byte {other:#04x} is no opcode"))),
        }
        Ok(true)
    }

    fn number(&mut self, opcode: u8) -> Result<(), Broken> {
        let value = match opcode {
            b'I' | b'L' | b'F' => {
                let line = self.reader.line()?;
                if !is_number(&line) {
                    return Err(bad("a number that is none"));
                }
                small(&line).map_or(Value::Plain, Value::Int)
            }
            b'J' => Value::Int(i64::from(i32::from_le_bytes(self.reader.array()?))),
            b'K' => Value::Int(i64::from(self.reader.byte()?)),
            b'M' => Value::Int(i64::from(u16::from_le_bytes(self.reader.array()?))),
            b'G' => {
                self.reader.array::<8>()?;
                Value::Plain
            }
            0x8a | 0x8b => {
                let length = if opcode == 0x8a {
                    u64::from(self.reader.byte()?)
                } else {
                    let length = i32::from_le_bytes(self.reader.array()?);
                    u64::try_from(length).map_err(|_| bad("a negative length"))?
                };
                let bytes = self.reader.payload(length, 8)?;
                if length > 8 { Value::Plain } else { Value::Int(long(&bytes)) }
            }
            _ => Value::Plain,
        };
        self.stack.push(value);
        Ok(())
    }

    fn string(&mut self, opcode: u8) -> Result<(), Broken> {
        match opcode {
            b'S' => {
                let line = self.reader.line()?;
                let line = line.trim();
                let inner = line
                    .strip_prefix('\'')
                    .and_then(|rest| rest.strip_suffix('\''))
                    .or_else(|| line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')))
                    .ok_or_else(|| bad("a string without its quotes"))?;
                self.line_text(&escaped(inner));
                Ok(())
            }
            b'V' => {
                let line = self.reader.line()?;
                self.line_text(&raw_unicode(&line));
                Ok(())
            }
            b'U' | 0x8c | b'C' => {
                let length = u64::from(self.reader.byte()?);
                if opcode == b'C' { self.bytes(length) } else { self.text(length) }
            }
            b'T' | b'X' | b'B' => {
                let length = u64::from(u32::from_le_bytes(self.reader.array()?));
                if opcode == b'B' { self.bytes(length) } else { self.text(length) }
            }
            _ => {
                let length = u64::from_le_bytes(self.reader.array()?);
                if opcode == 0x8d { self.text(length) } else { self.bytes(length) }
            }
        }
    }

    fn memo(&mut self, opcode: u8) -> Result<(), Broken> {
        let index = match opcode {
            0x94 => return self.memoize(),
            b'p' | b'g' => {
                let line = self.reader.line()?;
                let number = small(&line).and_then(|number| u64::try_from(number).ok());
                number.ok_or_else(|| bad("a memo number that is none"))?
            }
            b'q' | b'h' => u64::from(self.reader.byte()?),
            _ => u64::from(u32::from_le_bytes(self.reader.array()?)),
        };
        if b"pqr".contains(&opcode) { self.put(index) } else { self.get(index) }
    }

    /// Imports, calls and state.
    fn act(&mut self, at: u64, opcode: u8) -> Result<(), Broken> {
        match opcode {
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
            0x92 => {
                let (_, arguments, target) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(at, target, arguments);
            }
            b'b' => {
                let state = self.pop()?;
                let target = self.top()?;
                let odd = self.dicts.odd(&state);
                self.say(at, Event::Build(target.clone(), odd));
                step_over(self, at, &target, &state)?;
            }
            _ => {
                let (arguments, target) = (self.pop()?, self.pop()?);
                self.call(at, target, arguments);
            }
        }
        Ok(())
    }

    fn container(&mut self, at: u64, opcode: u8) -> Result<(), Broken> {
        match opcode {
            b']' => self.stack.push(Value::List),
            0x8f => self.stack.push(Value::Plain),
            b'}' => {
                let dict = self.dicts.add();
                self.stack.push(dict);
            }
            b'l' => {
                self.items()?;
                self.stack.push(Value::List);
            }
            0x91 => {
                self.items()?;
                self.stack.push(Value::Plain);
            }
            b'd' => {
                let items = self.items()?;
                let dict = self.dicts.add();
                self.stack.push(dict);
                self.set_items(at, &items)?;
            }
            b'a' => {
                self.pop()?;
                self.add_items(at, Adds::Items)?;
            }
            b'e' => {
                self.items()?;
                self.add_items(at, Adds::Items)?;
            }
            0x90 => {
                self.items()?;
                self.add_items(at, Adds::Members)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(at, &[key, value])?;
            }
            b'u' => {
                let items = self.items()?;
                self.set_items(at, &items)?;
            }
            b't' => {
                let items = self.items()?;
                self.stack.push(Value::tuple(items));
            }
            b')' => self.stack.push(Value::tuple(Vec::new())),
            _ => {
                let mut items = Vec::new();
                for _ in 0x84..opcode {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.stack.push(Value::tuple(items));
            }
        }
        Ok(())
    }

    fn extension(&mut self, at: u64, code: u32) {
        self.say(at, Event::Extension(code));
        self.stack.push(Value::Unknown);
    }
}

/// A little-endian number in two's complement, of at most eight bytes.
fn long(bytes: &[u8]) -> i64 {
    let fill = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut all = [fill; 8];
    for (slot, byte) in all.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    i64::from_le_bytes(all)
}
