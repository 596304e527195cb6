//! Text of a page: the operators of its content stream that show text (ISO 32000-1, 9.4).

use super::file::PdfFile;
use super::font::Font;
use super::lexer::{Lexer, is_space};
use super::object::{Dictionary, Object};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Forms inside of forms deeper than this are not looked into.
const DEEPEST: usize = 8;
/// More forms than a file shows; one is counted as often as it is shown.
const MOST_FORMS: usize = 5000;
/// Operands before an operator.
const MOST_OPERANDS: usize = 64;
/// A space between two pieces is a step back of a fifth of a letter, in thousandths.
const SPACE: f64 = -200.0;

/// What pages show, put together.
pub(super) struct Shown<'a> {
    pub(super) file: &'a PdfFile,
    pub(super) out: String,
    /// The most that is put together, in bytes.
    pub(super) most: usize,
    /// Whether some text was in a font that does not say its characters.
    pub(super) is_blind: bool,
    /// Fonts by the number of their object.
    fonts: BTreeMap<u32, Rc<Font>>,
    /// Forms that may still be shown: one is shown as often as it is named.
    forms: usize,
}

impl<'a> Shown<'a> {
    pub(super) fn new(file: &'a PdfFile, most: usize) -> Self {
        Self {
            file,
            out: String::new(),
            most,
            is_blind: false,
            fonts: BTreeMap::new(),
            forms: MOST_FORMS,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.out.len() >= self.most
    }

    fn line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
    }

    fn font(&mut self, resources: &Dictionary, name: &str) -> Option<Rc<Font>> {
        let fonts = self.file.get(resources, "Font");
        let object = fonts.dictionary()?.get(name)?;
        if let Object::Reference(number) = object
            && let Some(font) = self.fonts.get(number)
        {
            return Some(Rc::clone(font));
        }
        let dictionary = self.file.resolve(object);
        let font = Rc::new(Font::read(self.file, dictionary.dictionary()?));
        if let Object::Reference(number) = object
            && self.fonts.len() < 1000
        {
            self.fonts.insert(*number, Rc::clone(&font));
        }
        Some(font)
    }

    /// Adds the text of a content stream.
    pub(super) fn content(&mut self, bytes: &[u8], resources: &Dictionary, depth: usize) {
        let mut lexer = Lexer::new(bytes);
        let mut operands: Vec<Object> = Vec::new();
        let mut font: Option<Rc<Font>> = None;
        let mut height = None;
        while let Some(object) = lexer.object() {
            let Object::Word(operator) = &object else {
                if operands.len() < MOST_OPERANDS {
                    operands.push(object);
                }
                continue;
            };
            if self.is_full() {
                return;
            }
            let number = |index: usize| operands.get(index).and_then(Object::number);
            match operator.as_slice() {
                b"BT" | b"T*" => self.line(),
                b"ET" => height = None,
                b"Tf" => {
                    let name = operands.first().and_then(Object::name).unwrap_or("");
                    font = self.font(resources, name);
                }
                b"Td" | b"TD" => {
                    if number(1).is_some_and(|down| down == 0.0) {
                        self.space()
                    } else {
                        self.line()
                    }
                }
                b"Tm" => {
                    let now = number(5);
                    if height == Some(now) {
                        self.space()
                    } else {
                        self.line()
                    }
                    height = Some(now);
                }
                b"Tj" => self.show(font.as_deref(), operands.first()),
                b"'" | b"\"" => {
                    self.line();
                    self.show(font.as_deref(), operands.last());
                }
                b"TJ" => {
                    for one in operands.first().and_then(Object::list).unwrap_or(&[]) {
                        match one {
                            Object::Number(step) if *step < SPACE => self.space(),
                            other => self.show(font.as_deref(), Some(other)),
                        }
                    }
                }
                b"Do" => {
                    let name = operands.first().and_then(Object::name).unwrap_or("").to_owned();
                    self.form(resources, &name, depth);
                }
                b"ID" => skip_image(&mut lexer),
                _ => {}
            }
            operands.clear();
        }
        self.line();
    }

    fn show(&mut self, font: Option<&Font>, text: Option<&Object>) {
        let Some(text) = text.and_then(Object::text) else { return };
        match font {
            Some(font) => self.is_blind |= !font.show(text, &mut self.out),
            None => self.out.push_str(&super::object::decoded(text)),
        }
    }

    fn form(&mut self, resources: &Dictionary, name: &str, depth: usize) {
        if depth >= DEEPEST || self.forms == 0 {
            self.file.is_cut.set(true);
            return;
        }
        let forms = self.file.get(resources, "XObject");
        let Some(object) = forms.dictionary().and_then(|forms| forms.get(name)) else { return };
        let form = self.file.resolve(object);
        let Some(dictionary) = form.dictionary() else { return };
        if self.file.get(dictionary, "Subtype").name() != Some("Form") {
            return;
        }
        self.forms = self.forms.saturating_sub(1);
        let own = self.file.get(dictionary, "Resources");
        let own = own.shared();
        let resources = own.as_deref().unwrap_or(resources);
        if let Some(bytes) = self.file.stream_of(&form) {
            self.content(&bytes, resources, depth.saturating_add(1));
        }
    }
}

/// Passes over the bytes of a picture that stands in the content: to `EI` between white space.
fn skip_image(lexer: &mut Lexer<'_>) {
    let rest = lexer.rest();
    for at in memchr::memmem::find_iter(rest, b"EI") {
        let space =
            |at: Option<usize>| at.and_then(|at| rest.get(at)).is_none_or(|one| is_space(*one));
        if space(at.checked_sub(1)) && space(at.checked_add(2)) {
            lexer.skip(at.saturating_add(2));
            return;
        }
    }
    lexer.skip(rest.len());
}
