//! What a directory index shows: the names right below a folder, whoever wrote the page.
//!
//! Sources: mod_autoindex of Apache, ngx_http_autoindex_module (HTML, XML and JSON),
//! mod_dirlisting of lighttpd, the file server of Caddy (HTML and JSON), Python's `http.server`,
//! IIS's directory browsing, and the listing that a bucket of S3 answers with at its root. Each was
//! measured on the server itself where it runs on Linux.

use super::html::{self, Anchor};
use crate::xml::{Step, Walk};
use lidless_core::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// One name right below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The name, decoded, without a slash.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its size in bytes, where the page gives it exactly.
    pub size: Option<u64>,
    /// When it was changed, where the page gives it with a zone.
    pub modified: Option<Timestamp>,
}

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The names, in the order of the page, each once.
    pub entries: Vec<IndexEntry>,
    /// The page names more than is read of one page.
    pub is_cut: bool,
}

impl Index {
    /// Reads a page; `folder` is the encoded path it was asked for, with a slash at its end.
    ///
    /// # Errors
    /// In words, when the page is no directory index.
    pub fn parse(body: &[u8], folder: &str) -> Result<Self, String> {
        let start = body.iter().position(|byte| !byte.is_ascii_whitespace());
        let start = body.get(start.unwrap_or(0)..).unwrap_or(body);
        let start = start.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(start);
        let mut index = if start.starts_with(b"[") {
            json(start)?
        } else if start.starts_with(b"<?xml") || start.starts_with(b"<list") {
            xml(start)?
        } else {
            of_links(&String::from_utf8_lossy(start), folder)?
        };
        let mut known = std::collections::BTreeSet::new();
        index.entries.retain(|entry| is_name(&entry.name) && known.insert(entry.name.clone()));
        Ok(index)
    }
}

/// A name that stays in its folder.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\', '\0'])
        && name.len() <= 4096
}

/// nginx: `{"name", "type", "mtime", "size"}`; Caddy: `{"name", "size", "mod_time", "is_dir"}`.
fn json(body: &[u8]) -> Result<Index, String> {
    let list: Vec<Value> = serde_json::from_slice(body).map_err(|_| "a list that breaks off")?;
    let is_cut = list.len() > html::MOST;
    let mut entries = Vec::new();
    for item in list.iter().take(html::MOST) {
        let field = |name: &str| item.get(name).and_then(Value::as_str);
        let Some(name) = field("name") else { return Err("a list of something else".into()) };
        let kind = field("type");
        let is_dir = item.get("is_dir").and_then(Value::as_bool);
        if kind.is_none() && is_dir.is_none() {
            return Err("a list of something else".into());
        }
        let time = field("mod_time").and_then(|time| time.parse().ok());
        entries.push(IndexEntry {
            name: name.trim_end_matches('/').to_owned(),
            is_folder: kind == Some("directory") || is_dir == Some(true),
            size: item.get("size").and_then(Value::as_u64),
            modified: time.or_else(|| field("mtime").and_then(crate::retry::http_time)),
        });
    }
    Ok(Index { entries, is_cut })
}

/// nginx: `<list><directory mtime>NAME</directory><file mtime size>NAME</file></list>`.
fn xml(body: &[u8]) -> Result<Index, String> {
    let mut walk = Walk::new(body);
    let mut entries = Vec::new();
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.first().is_some_and(|root| root == "ListBucketResult") {
                    return Err("the listing of a bucket: name it as s3://BUCKET".into());
                }
                if walk.path.first().is_some_and(|root| root != "list") {
                    return Err("a document of something else".into());
                }
            }
            Step::Close => {
                let (kind, name) = walk.close();
                if walk.path.len() == 1 && entries.len() < html::MOST {
                    let is_folder = kind == "directory";
                    if is_folder || kind == "file" {
                        entries.push(IndexEntry { name, is_folder, size: None, modified: None });
                    }
                }
            }
            Step::End if walk.path.is_empty() => {
                let is_cut = entries.len() >= html::MOST;
                return Ok(Index { entries, is_cut });
            }
            Step::End => return Err("the list breaks off".into()),
        }
    }
}

/// A page of links to what is below it.
fn of_links(page: &str, folder: &str) -> Result<Index, String> {
    let (anchors, is_cut) = html::anchors(page);
    // Only IIS writes what it says of a name before the name.
    let before = anchors.iter().any(|one| one.text.eq_ignore_ascii_case("[to parent directory]"))
        || page.contains("&lt;dir&gt; <A HREF");
    let mut entries = Vec::new();
    let (mut shown, mut elsewhere) = (0usize, 0usize);
    for anchor in &anchors {
        match below(&anchor.href, folder) {
            Some((name, is_folder)) => {
                shown = shown.saturating_add(usize::from(shows(anchor, &name)));
                let size = if is_folder { None } else { size(anchor, before) };
                entries.push(IndexEntry { name, is_folder, size, modified: None });
            }
            None if is_furniture(&anchor.href, folder) => {}
            None => elsewhere = elsewhere.saturating_add(1),
        }
    }
    if says_so(page) {
        return Ok(Index { entries, is_cut });
    }
    // A page that does not call itself an index is one when it is made of links that show the
    // names they lead to.
    let most = entries.len().saturating_mul(9) <= shown.saturating_mul(10);
    if !entries.is_empty() && most && elsewhere <= entries.len() / 4 {
        return Ok(Index { entries, is_cut });
    }
    Err("the page is no directory index".into())
}

/// The words by which servers call a page an index.
fn says_so(page: &str) -> bool {
    let head = html::start_of(page, 4096).to_ascii_lowercase();
    [
        "<title>index of",
        "<h1>index of",
        "<h2>index of",
        "<title>directory listing for",
        "<h1>directory listing for",
        "[to parent directory]",
    ]
    .iter()
    .any(|words| head.contains(words))
}

/// The name right below `folder` that a link leads to, and whether it is a folder.
fn below(href: &str, folder: &str) -> Option<(String, bool)> {
    // Links that sort the same list again have a query.
    if href.contains(['?', '#']) || href.is_empty() {
        return None;
    }
    let rest = match href.split_once("://") {
        // Its own origin was checked by whoever asked for the page; another's path is not here.
        Some(_) => return None,
        None if href.starts_with("//") => return None,
        None => match href.strip_prefix('/') {
            Some(_) => in_folder(href, folder)?,
            None => href.strip_prefix("./").unwrap_or(href),
        },
    };
    let (name, is_folder) = match rest.strip_suffix('/') {
        Some(name) => (name, true),
        None => (rest, false),
    };
    // `mailto:`, `javascript:`: a colon before any slash is a scheme, unless it was encoded.
    if name.contains('/') || name.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) {
        return None;
    }
    // A name that is no UTF-8 stays encoded: asking for it fails and is counted.
    let name = match percent_decode_str(name).decode_utf8() {
        Ok(decoded) => decoded.into_owned(),
        Err(_) => name.to_owned(),
    };
    is_name(&name).then_some((name, is_folder))
}

/// What stands behind the folder in a path; both may be encoded in different ways.
fn in_folder<'a>(href: &'a str, folder: &str) -> Option<&'a str> {
    if let Some(rest) = href.strip_prefix(folder) {
        return Some(rest);
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let inner = href.strip_suffix('/').unwrap_or(href);
    let cut = inner.rfind('/')?.saturating_add(1);
    (decoded(href.get(..cut)?) == decoded(folder)).then(|| href.get(cut..)).flatten()
}

fn is_scheme(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "http" | "https" | "mailto" | "javascript" | "data" | "ftp" | "file" | "tel" | "blob"
    )
}

/// Links that every index has: to what is above, and to the same list in another order.
fn is_furniture(href: &str, folder: &str) -> bool {
    href.starts_with(['?', '#'])
        || href.starts_with("..")
        || matches!(href, "." | "./" | "/")
        || href.starts_with('/') && folder.starts_with(href)
        || href
            .split_once('?')
            .is_some_and(|(path, _)| matches!(path, "." | "./") || path == folder)
}

/// Whether the text of a link is the name it leads to; servers cut long ones.
fn shows(anchor: &Anchor, name: &str) -> bool {
    let text = anchor.text.trim().trim_end_matches(['/', '@', '*']);
    let cut = text.trim_end_matches("..>").trim_end_matches("...").trim_end_matches('…');
    !cut.is_empty() && (text == name || cut.len() >= 8 && name.starts_with(cut))
}

/// The size that stands beside a link, when it is a plain number of bytes: right before it (IIS),
/// or behind it, after a date and a time (nginx, Apache for small files). `1.2M` is not exact, and
/// is asked for.
fn size(anchor: &Anchor, before: bool) -> Option<u64> {
    if before {
        return anchor.before.split_whitespace().last()?.replace(',', "").parse().ok();
    }
    let words: Vec<&str> = anchor.after.split_whitespace().take(4).collect();
    let time = words.iter().position(|word| word.contains(':'))?;
    words.get(time.saturating_add(1))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const APACHE: &str = "<!DOCTYPE HTML><html><head><title>Index of /pub</title></head><body>\
        <h1>Index of /pub</h1><table><tr><th><a href=\"?C=N;O=D\">Name</a></th><th>\
        <a href=\"?C=M;O=A\">Last modified</a></th></tr><tr><td><a href=\"/\">Parent Directory</a>\
        </td><td>&nbsp;</td></tr><tr><td><a href=\"a%20b.txt\">a b.txt</a></td>\
        <td>2026-01-02 03:04  </td><td> 12 </td></tr><tr><td><a href=\"big.bin\">big.bin</a></td>\
        <td>2026-01-02 03:04  </td><td>1.2M</td></tr><tr><td><a href=\"sub/\">sub/</a></td>\
        <td>2026-01-02 03:04  </td><td>  - </td></tr></table></body></html>";
    const NGINX: &str = "<html>\r\n<head><title>Index of /pub/</title></head>\r\n<body>\r\n\
        <h1>Index of /pub/</h1><hr><pre><a href=\"../\">../</a>\r\n\
        <a href=\"sub/\">sub/</a>            02-Jan-2026 03:04       -\r\n\
        <a href=\"a%26b%3F.txt\">a&amp;b?.txt</a>  02-Jan-2026 03:04    38000000000000\r\n\
        </pre><hr></body></html>";
    const IIS: &str = "<html><head><title>h - /pub/</title></head><body><H1>h - /pub/</H1><hr>\
        <pre><A HREF=\"/\">[To Parent Directory]</A><br><br>\
        1/2/2026  3:04 AM        12,345 <A HREF=\"/pub/a.txt\">a.txt</A><br>\
        1/2/2026  3:04 AM        &lt;dir&gt; <A HREF=\"/pub/sub/\">sub</A><br></pre></body></html>";
    const PYTHON: &str = "<!DOCTYPE HTML><html lang=\"en\"><head><title>Directory listing for \
        /pub/</title></head><body><h1>Directory listing for /pub/</h1><hr><ul>\
        <li><a href=\"a.txt\">a.txt</a></li><li><a href=\"link\">link@</a></li>\
        <li><a href=\"sub/\">sub/</a></li></ul></body></html>";
    const LIGHTTPD: &str = "<!DOCTYPE html><html><head><title>Index of /pub/</title></head><body>\
        <h2>Index of /pub/</h2><table><tr class=\"d\"><td class=\"n\"><a href=\"../\">..</a>/</td>\
        </tr><tr><td class=\"n\"><a href=\"a.txt\">a.txt</a></td><td class=\"m\">2026-Jan-02 \
        03:04:05</td><td class=\"s\">0.1K</td></tr></table></body></html>";
    const CADDY: &str = "<!DOCTYPE html><html><body><table><tr><td><a href=\"..\">Up</a></td></tr>\
        <tr><td><a href=\"./sub/\"><span>sub</span></a></td></tr><tr><td><a href=\"./a.txt\">\
        <span>a.txt</span></a></td></tr></table></body></html>";
    const NGINX_JSON: &str = r#"[{"name":"sub","type":"directory","mtime":
        "Fri, 02 Jan 2026 03:04:05 GMT"},{"name":"a.txt","type":"file","size":12,"mtime":
        "Fri, 02 Jan 2026 03:04:05 GMT"}]"#;
    const CADDY_JSON: &str = r#"[{"name":"sub/","size":96,"url":"./sub/","is_dir":true,
        "mod_time":"2026-01-02T03:04:05Z"},{"name":"a.txt","size":12,"url":"./a.txt",
        "is_dir":false,"mod_time":"2026-01-02T03:04:05Z"}]"#;
    const NGINX_XML: &str = "<?xml version=\"1.0\"?><list><directory mtime=\"x\">sub</directory>\
        <file mtime=\"x\" size=\"12\">a&amp;b.txt</file></list>";

    fn seen(page: &str) -> Vec<(String, bool, Option<u64>)> {
        let index = Index::parse(page.as_bytes(), "/pub/").unwrap();
        index.entries.into_iter().map(|it| (it.name, it.is_folder, it.size)).collect()
    }

    fn entry(name: &str, is_folder: bool, size: Option<u64>) -> (String, bool, Option<u64>) {
        (name.to_owned(), is_folder, size)
    }

    #[test]
    fn every_server_s_page_gives_the_names_below() {
        let sub = entry("sub", true, None);
        let wanted =
            [entry("a b.txt", false, Some(12)), entry("big.bin", false, None), sub.clone()];
        assert_eq!(seen(APACHE), wanted);
        assert_eq!(seen(NGINX), [sub.clone(), entry("a&b?.txt", false, Some(38_000_000_000_000))]);
        assert_eq!(seen(IIS), [entry("a.txt", false, Some(12_345)), sub.clone()]);
        let file = entry("a.txt", false, None);
        assert_eq!(seen(PYTHON), [file.clone(), entry("link", false, None), sub.clone()]);
        assert_eq!(seen(LIGHTTPD), std::slice::from_ref(&file));
        assert_eq!(seen(CADDY), [sub.clone(), file]);
        assert_eq!(seen(NGINX_JSON), [sub, entry("a.txt", false, Some(12))]);
        let json = seen(CADDY_JSON);
        assert_eq!((json[0].0.as_str(), json[0].1, json[1].2), ("sub", true, Some(12)));
        assert_eq!(seen(NGINX_XML), [entry("sub", true, None), entry("a&b.txt", false, None)]);
    }

    #[test]
    fn what_leads_out_of_the_folder_is_no_entry() {
        let page = "<title>Index of /pub</title><a href=\"?C=N\">n</a><a href=\"../\">up</a>\
            <a href=\"/pub/\">self</a><a href=\"/etc/x\">x</a><a href=\"http://h/pub/y\">y</a>\
            <a href=\"a/b\">deep</a><a href=\"%2e%2e/\">up</a><a href=\"..%2fz\">z</a>\
            <a href=\"javascript:alert(1)\">j</a><a href=\"//h/pub/k\">k</a><a href=\"a?b\">q</a>\
            <a href=\"/%70ub/ok\">ok</a><a href=\"x%5c..%5cy\">w</a>";
        assert_eq!(seen(page), [entry("ok", false, None)]);
    }

    #[test]
    fn an_ordinary_page_is_no_index() {
        for page in [
            "",
            "<html><title>Welcome</title><a href=\"about\">About us</a></html>",
            "<a href=\"a\">a</a><a href=\"http://x/\">1</a><a href=\"http://y/\">2</a>",
            "[1, 2]",
            "[{\"name\":\"x\"}]",
            "<?xml version=\"1.0\"?><feed><entry/></feed>",
            "<?xml version=\"1.0\"?><list><file>x",
        ] {
            assert!(Index::parse(page.as_bytes(), "/pub/").is_err(), "{page}");
        }
        let bucket = "<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name></ListBucketResult>";
        let why = Index::parse(bucket.as_bytes(), "/").unwrap_err();
        assert!(why.contains("s3://"), "{why}");
    }

    #[test]
    fn hostile_pages_are_read_to_an_end() {
        let pages =
            [APACHE, NGINX, IIS, PYTHON, LIGHTTPD, CADDY, NGINX_JSON, CADDY_JSON, NGINX_XML];
        for page in pages {
            lidless_kit::cut_and_flip(page.as_bytes(), |bytes| {
                if let Ok(index) = Index::parse(bytes, "/pub/") {
                    assert!(index.entries.iter().all(|entry| is_name(&entry.name)));
                }
            });
        }
        let deep = "<a href=x".repeat(50_000);
        let _ = Index::parse(deep.as_bytes(), "/");
    }
}
