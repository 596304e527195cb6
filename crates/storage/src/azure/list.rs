//! Reading listings. The XML is hostile: bounded, and nothing in it is expanded.

use crate::retry::http_time;
use crate::store::{ListPage, StorageError, malformed};
use crate::xml::{Step, Walk};
use lidless_core::{BlobType, Container, Object, PublicAccess};

/// The blobs, the folded prefixes, and where the next page starts.
pub(crate) type BlobPage = (Vec<Object>, Vec<String>, Option<String>);

fn empty_object() -> Object {
    Object {
        key: String::new(),
        size: 0,
        etag: None,
        modified: None,
        created: None,
        tier: None,
        blob_type: None,
        content_md5: None,
        content_type: None,
        ..Object::default()
    }
}

/// Reads a page of containers and where the next one starts. `silence` is what a container
/// without `PublicAccess` is: newer versions of the service leave it out when there is none, older
/// ones never say.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn containers(
    body: &[u8],
    silence: Option<PublicAccess>,
) -> Result<(Vec<Container>, Option<String>), String> {
    let mut walk = Walk::new(body);
    let mut found = Vec::new();
    let mut next = None;
    let mut current = Container { name: String::new(), public: None, modified: None };
    let mut complete = false;
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|name| name == "Container") {
                    current = Container { name: String::new(), public: silence, modified: None };
                }
            }
            Step::Close => {
                let (name, text) = walk.close();
                match name.as_str() {
                    "Name" if walk.path.last().is_some_and(|one| one == "Container") => {
                        current.name = text;
                    }
                    "PublicAccess" => {
                        current.public = Some(match text.as_str() {
                            "container" => PublicAccess::Container,
                            "blob" => PublicAccess::Blob,
                            _ => PublicAccess::None,
                        });
                    }
                    "Last-Modified" => current.modified = http_time(&text),
                    "Container" if !current.name.is_empty() => found.push(current.clone()),
                    "NextMarker" => next = Some(text).filter(|text| !text.is_empty()),
                    "EnumerationResults" => complete = true,
                    _ => {}
                }
            }
            Step::End if complete => return Ok((found, next)),
            Step::End => return Err("the listing breaks off".into()),
        }
    }
}

/// Reads a page of blobs.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn blobs(body: &[u8]) -> Result<BlobPage, String> {
    let mut walk = Walk::new(body);
    let (mut objects, mut prefixes, mut next) = (Vec::new(), Vec::new(), None);
    let mut current = empty_object();
    let mut complete = false;
    let mut directory = false;
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|name| name == "Blob") {
                    directory = false;
                    current = empty_object();
                }
            }
            Step::Close => {
                let (name, text) = walk.close();
                let parent = walk.path.last().map(String::as_str);
                let some = |text: String| Some(text).filter(|text| !text.is_empty());
                match (name.as_str(), parent) {
                    ("Name", Some("Blob")) => current.key = text,
                    ("Name", Some("BlobPrefix")) => prefixes.push(text),
                    // A lake lists its directories among the blobs; they hold nothing.
                    ("Blob", _) if directory => {}
                    ("Blob", _) if !current.key.is_empty() => objects.push(current.clone()),
                    ("NextMarker", _) => next = some(text),
                    ("EnumerationResults", None) => complete = true,
                    (_, Some("Properties")) if walk.is_in("Blob") => match name.as_str() {
                        "Content-Length" => {
                            current.size =
                                text.trim().parse().map_err(|_| "a size that is none")?;
                        }
                        "Etag" => current.etag = some(text.trim_matches('"').to_owned()),
                        "Last-Modified" => current.modified = http_time(&text),
                        "Creation-Time" => current.created = http_time(&text),
                        "AccessTier" => current.tier = some(text.to_ascii_lowercase()),
                        "ResourceType" => directory = text == "directory",
                        "Content-MD5" => current.content_md5 = some(text),
                        "Content-Type" => current.content_type = some(text),
                        "BlobType" => {
                            current.blob_type = match text.as_str() {
                                "BlockBlob" => Some(BlobType::Block),
                                "PageBlob" => Some(BlobType::Page),
                                "AppendBlob" => Some(BlobType::Append),
                                _ => None,
                            };
                        }
                        _ => {}
                    },
                    _ => {}
                }
            }
            Step::End if complete => return Ok((objects, prefixes, next)),
            Step::End => return Err("the listing breaks off".into()),
        }
    }
}

impl ListPage {
    /// Reads an answer of Azure's List Blobs, as the service sends it or as it was kept.
    ///
    /// # Errors
    /// `Malformed` when it is no such answer, or not all of one.
    pub fn from_azure_xml(body: &[u8]) -> Result<Self, StorageError> {
        let (objects, prefixes, next) =
            blobs(body).map_err(|why| malformed("read the listing", &why))?;
        Ok(Self { objects, prefixes, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults \
        ContainerName=\"c\"><Blobs><Blob><Name>a &amp; b&#32;c.txt</Name><Properties>\
        <Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Etag>\"0x8\"</Etag>\
        <Content-Length>38000000000000</Content-Length><BlobType>PageBlob</BlobType>\
        <AccessTier>Archive</AccessTier></Properties></Blob><BlobPrefix><Name>d/</Name>\
        </BlobPrefix></Blobs><NextMarker>m</NextMarker></EnumerationResults>";

    #[test]
    fn a_page_is_read_with_its_names_as_they_are() {
        let (objects, prefixes, next) = blobs(PAGE.as_bytes()).unwrap();
        assert_eq!(objects.len(), 1);
        let object = &objects[0];
        assert_eq!((object.key.as_str(), object.size), ("a & b c.txt", 38_000_000_000_000));
        assert_eq!(object.etag.as_deref(), Some("0x8"));
        assert!(object.is_offline() && object.modified.is_some());
        assert_eq!(object.blob_type, Some(BlobType::Page));
        let lake = PAGE.replace("<BlobType>", "<ResourceType>directory</ResourceType><BlobType>");
        assert_eq!(blobs(lake.as_bytes()).unwrap().0, []);
        let odd = PAGE.replace("<Name>a &amp; b&#32;c.txt", "<Name Encoded=\"true\">%EF%BF%BE%25x");
        assert_eq!(blobs(odd.as_bytes()).unwrap().0[0].key, "\u{fffe}%x");
        assert_eq!((prefixes, next.as_deref()), (vec!["d/".to_owned()], Some("m")));
    }

    #[test]
    fn hostile_documents_are_errors() {
        for text in [
            "",
            "<EnumerationResults>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><EnumerationResults>&a;</EnumerationResults>",
            "<EnumerationResults>&a;</EnumerationResults>",
            "<html>no</html>",
        ] {
            assert!(blobs(text.as_bytes()).is_err(), "{text}");
            assert!(containers(text.as_bytes(), None).is_err(), "{text}");
        }
        assert!(blobs("<a>".repeat(100).as_bytes()).is_err());
        lidless_kit::cut_and_flip(PAGE.as_bytes(), |bytes| {
            let _ = (blobs(bytes), containers(bytes, None));
        });
    }
}
