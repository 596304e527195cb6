//! What the parts of a document package are for, by their path (ECMA-376 part 1; OpenDocument
//! 1.3 part 2).

/// What is done with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Paragraphs of text.
    Paragraphs,
    /// The strings that cells of all sheets share.
    SharedStrings,
    /// The names of the sheets.
    Workbook,
    /// Cells.
    Sheet,
    /// Links to other parts and to elsewhere.
    Relations,
    /// The text of an OpenDocument.
    Content,
    /// What is encrypted in an OpenDocument.
    Manifest,
    /// How the document looks: nothing that anybody wrote.
    Layout,
    /// Anything else: handed on as it is.
    Other,
}

const LAYOUT: [&str; 22] = [
    "word/theme/",
    "word/styles",
    "word/fonttable",
    "word/numbering.xml",
    "word/websettings.xml",
    "word/stylewitheffects",
    "xl/theme/",
    "xl/styles.xml",
    "xl/calcchain.xml",
    "xl/printersettings/",
    "xl/metadata.xml",
    "ppt/theme/",
    "ppt/slidelayouts/",
    "ppt/slidemasters/",
    "ppt/notesmasters/",
    "ppt/handoutmasters/",
    "ppt/tablestyles.xml",
    "ppt/viewprops.xml",
    "ppt/presprops.xml",
    "docprops/thumbnail",
    "thumbnails/",
    "configurations2/",
];

const PARAGRAPHS: [&str; 13] = [
    "word/document",
    "word/header",
    "word/footer",
    "word/footnotes",
    "word/endnotes",
    "word/comments",
    "word/glossary/document",
    "xl/comments",
    "xl/threadedcomments/",
    "xl/drawings/drawing",
    "ppt/slides/",
    "ppt/notesslides/",
    "ppt/comments",
];

/// The role of the part at a path.
pub(super) fn role(path: &str, is_open_document: bool) -> Role {
    let path = path.trim_start_matches('/').replace('\\', "/").to_ascii_lowercase();
    if is_open_document {
        return match &*path {
            "content.xml" => Role::Content,
            // Headers and footers stand among the styles.
            "styles.xml" => Role::Content,
            "meta-inf/manifest.xml" => Role::Manifest,
            _ if LAYOUT.iter().any(|start| path.starts_with(start)) => Role::Layout,
            _ => Role::Other,
        };
    }
    if path.ends_with(".rels") {
        return Role::Relations;
    }
    let is_xml = path.ends_with(".xml");
    let may_be_layout = is_xml || path.ends_with(".bin") || path.starts_with("docprops/thumbnail");
    if may_be_layout && LAYOUT.iter().any(|start| path.starts_with(start)) {
        return Role::Layout;
    }
    match &*path {
        "xl/sharedstrings.xml" => Role::SharedStrings,
        "xl/workbook.xml" => Role::Workbook,
        "[content_types].xml" => Role::Layout,
        _ if is_xml && path.starts_with("xl/worksheets/") => Role::Sheet,
        _ if is_xml && PARAGRAPHS.iter().any(|start| path.starts_with(start)) => Role::Paragraphs,
        _ => Role::Other,
    }
}
