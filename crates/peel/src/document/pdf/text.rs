//! What a PDF says: its pages, and what stands beside them.

use super::content::Shown;
use super::file::PdfFile;
use super::object::{Dictionary, Object, decoded};
use std::collections::HashSet;
use std::rc::Rc;

/// More pages than are looked at, and more objects of trees.
const MOST_PAGES: usize = 50_000;
const MOST_NODES: usize = 200_000;

/// A file attached to a PDF: its name, and the stream that holds it.
pub(super) struct AttachedFile {
    pub(super) name: String,
    pub(super) stream: Object,
}

/// What was found.
pub(super) struct Said {
    pub(super) text: String,
    pub(super) files: Vec<AttachedFile>,
    /// Whether text was left out because a font does not say its characters.
    pub(super) is_blind: bool,
    /// Whether there was more.
    pub(super) is_cut: bool,
    pub(super) pages: usize,
}

/// Reads all of it, up to `most` bytes of text.
pub(super) fn read(file: &PdfFile, most: usize) -> Said {
    let mut shown = Shown::new(file, most);
    let mut files = Vec::new();
    let root = file.trailer.get("Root").map_or(Object::Null, |root| file.resolve(root));
    let root = root.shared().unwrap_or_default();
    let info = file.trailer.get("Info").map_or(Object::Null, |info| file.resolve(info));
    for value in info.dictionary().into_iter().flat_map(Dictionary::values) {
        add(&mut shown, file.resolve(value).text());
    }
    let pages = pages(file, &root, &mut shown, &mut files);
    fields(file, &root, &mut shown);
    names(file, &root, &mut shown, &mut files);
    let is_cut = shown.is_full() || file.is_cut.get();
    Said { text: shown.out, files, is_blind: shown.is_blind, is_cut, pages }
}

fn add(shown: &mut Shown<'_>, text: Option<&[u8]>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return };
    if !shown.is_full() {
        shown.out.push_str(&decoded(text));
        shown.out.push('\n');
    }
}

fn pages(
    file: &PdfFile,
    root: &Dictionary,
    shown: &mut Shown<'_>,
    files: &mut Vec<AttachedFile>,
) -> usize {
    let mut seen = HashSet::new();
    let mut count = 0usize;
    let mut open: Vec<(Object, Rc<Dictionary>)> = Vec::new();
    if let Some(pages) = root.get("Pages") {
        open.push((pages.clone(), Rc::default()));
    }
    while let Some((node, above)) = open.pop() {
        if let Object::Reference(number) = node
            && !seen.insert(number)
        {
            continue;
        }
        if seen.len() > MOST_NODES || count >= MOST_PAGES || shown.is_full() {
            file.is_cut.set(true);
            break;
        }
        let node = file.resolve(&node);
        let Some(node) = node.dictionary() else { continue };
        // Resources are those of the nearest node above that has some.
        let own = file.get(node, "Resources");
        let resources = own.shared().unwrap_or(above);
        if let Some(kids) = file.get(node, "Kids").list() {
            open.extend(kids.iter().rev().map(|kid| (kid.clone(), Rc::clone(&resources))));
            continue;
        }
        count = count.saturating_add(1);
        let contents = file.get(node, "Contents");
        let bytes = match &contents {
            Object::List(list) => {
                // An operator may begin in one stream and end in the next.
                let parts = list.iter().take(10_000).filter_map(|part| file.stream_of(part));
                parts.flat_map(|part| [part, vec![b'\n']].concat()).collect()
            }
            other => file.stream_of(other).unwrap_or_default(),
        };
        shown.content(&bytes, &resources, 0);
        annotations(file, node, shown, files);
    }
    count
}

/// Links, notes and attached files of a page.
fn annotations(
    file: &PdfFile,
    page: &Dictionary,
    shown: &mut Shown<'_>,
    files: &mut Vec<AttachedFile>,
) {
    let list = file.get(page, "Annots");
    for one in list.list().unwrap_or(&[]).iter().take(10_000) {
        let one = file.resolve(one);
        let Some(one) = one.dictionary() else { continue };
        let action = file.get(one, "A");
        if let Some(action) = action.dictionary() {
            add(shown, file.get(action, "URI").text());
            script(file, action, shown);
        }
        add(shown, file.get(one, "Contents").text());
        add(shown, file.get(one, "V").text());
        if file.get(one, "Subtype").name() == Some("FileAttachment") {
            attached(file, &file.get(one, "FS"), None, files);
        }
    }
}

/// The source of a script, which is not run.
fn script(file: &PdfFile, action: &Dictionary, shown: &mut Shown<'_>) {
    match file.get(action, "JS") {
        Object::Text(text) => add(shown, Some(&text)),
        stream @ Object::Stream(..) => {
            let bytes = file.stream_of(&stream);
            add(shown, bytes.as_deref());
        }
        _ => {}
    }
}

/// The values of a form.
fn fields(file: &PdfFile, root: &Dictionary, shown: &mut Shown<'_>) {
    let form = file.get(root, "AcroForm");
    let Some(form) = form.dictionary() else { return };
    let fields = file.get(form, "Fields");
    let mut open: Vec<Object> = fields.list().unwrap_or(&[]).to_vec();
    let mut seen = HashSet::new();
    while let Some(field) = open.pop() {
        if let Object::Reference(number) = field
            && !seen.insert(number)
        {
            continue;
        }
        if seen.len() > MOST_NODES || open.len() > MOST_NODES || shown.is_full() {
            return;
        }
        let field = file.resolve(&field);
        let Some(field) = field.dictionary() else { continue };
        let (name, value) = (file.get(field, "T"), file.get(field, "V"));
        if let (Some(name), Some(value)) = (name.text(), value.text()) {
            let line = format!("{}: {}", decoded(name), decoded(value));
            shown.out.push_str(&line);
            shown.out.push('\n');
        }
        if let Some(kids) = file.get(field, "Kids").list() {
            open.extend(kids.iter().filter(|kid| matches!(kid, Object::Reference(_))).cloned());
        }
    }
}

/// The trees of names that hold attached files and scripts.
fn names(file: &PdfFile, root: &Dictionary, shown: &mut Shown<'_>, files: &mut Vec<AttachedFile>) {
    let names = file.get(root, "Names");
    let Some(names) = names.dictionary() else { return };
    for tree in ["EmbeddedFiles", "JavaScript"] {
        let mut open = vec![file.get(names, tree)];
        let mut seen = HashSet::new();
        while let Some(node) = open.pop() {
            let Some(node) = node.dictionary() else { continue };
            for pair in file.get(node, "Names").list().unwrap_or(&[]).chunks_exact(2) {
                let [name, value] = pair else { continue };
                let value = file.resolve(value);
                if tree == "EmbeddedFiles" {
                    attached(file, &value, name.text(), files);
                } else if let Some(action) = value.dictionary() {
                    script(file, action, shown);
                }
            }
            for kid in file.get(node, "Kids").list().unwrap_or(&[]) {
                if let Object::Reference(number) = kid
                    && seen.len() < MOST_NODES
                    && seen.insert(*number)
                {
                    open.push(file.object(*number));
                }
            }
        }
    }
}

fn attached(
    file: &PdfFile,
    specification: &Object,
    known: Option<&[u8]>,
    files: &mut Vec<AttachedFile>,
) {
    let Some(specification) = specification.dictionary() else { return };
    let held = file.get(specification, "EF");
    let Some(held) = held.dictionary() else { return };
    let stream = held.get("F").or_else(|| held.get("UF")).map(|one| file.resolve(one));
    let Some(stream @ Object::Stream(..)) = stream else { return };
    let named = ["UF", "F"].iter().find_map(|name| {
        file.get(specification, name).text().filter(|name| !name.is_empty()).map(decoded)
    });
    let name = named.or_else(|| known.map(decoded)).unwrap_or_default();
    if files.len() < 10_000 {
        files.push(AttachedFile { name, stream });
    }
}
