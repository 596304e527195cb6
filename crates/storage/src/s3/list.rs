//! Reading listings. The XML is hostile: bounded, and nothing in it is expanded.
//!
//! `ListObjectsV2` is asked with `encoding-type=url`, since keys hold characters that XML cannot.
//! Services that do not know the second version answer the first, with `NextMarker` or without.

use crate::retry::iso_time;
use crate::xml::{Step, Walk};
use lidless_core::{Container, Object};
use percent_encoding::percent_decode_str;

/// One page of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Object>,
    pub(crate) prefixes: Vec<String>,
    /// Where the next page starts: a token of the second version.
    pub(crate) token: Option<String>,
    /// The same in the first version.
    pub(crate) marker: Option<String>,
    pub(crate) truncated: bool,
}

/// Keys as `encoding-type=url` writes them: percent-encoded, and a space is a plus.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Reads a page of objects.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn objects(body: &[u8]) -> Result<Page, String> {
    let mut walk = Walk::new(body);
    let mut page = Page::default();
    let mut current = Object::default();
    let (mut encoded, mut complete) = (false, false);
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|name| name == "Contents") {
                    current = Object::default();
                }
            }
            Step::Close => {
                let (name, text) = walk.close();
                let parent = walk.path.last().map(String::as_str);
                let some = |text: String| Some(text).filter(|text| !text.is_empty());
                match (name.as_str(), parent) {
                    ("Key", Some("Contents")) => current.key = text,
                    ("Size", Some("Contents")) => {
                        current.size = text.trim().parse().map_err(|_| "a size that is none")?;
                    }
                    ("ETag", Some("Contents")) => {
                        current.etag = some(text.trim_matches('"').to_owned());
                    }
                    ("LastModified", Some("Contents")) => current.modified = iso_time(&text),
                    ("StorageClass", Some("Contents")) => {
                        current.tier = some(text.to_ascii_lowercase());
                    }
                    ("Contents", Some("ListBucketResult")) if !current.key.is_empty() => {
                        page.objects.push(current.clone());
                    }
                    ("Prefix", Some("CommonPrefixes")) => page.prefixes.push(text),
                    ("EncodingType", _) => encoded = text == "url",
                    ("NextContinuationToken", _) => page.token = some(text),
                    ("NextMarker", _) => page.marker = some(text),
                    ("IsTruncated", _) => page.truncated = text.trim() == "true",
                    ("ListBucketResult", None) => complete = true,
                    _ => {}
                }
            }
            Step::End if complete => break,
            Step::End => return Err("the listing breaks off".into()),
        }
    }
    if encoded {
        for object in &mut page.objects {
            object.key = decoded(&object.key);
        }
        for prefix in page.prefixes.iter_mut().chain(&mut page.marker) {
            *prefix = decoded(prefix);
        }
    }
    Ok(page)
}

/// Reads the buckets of an account.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn buckets(body: &[u8]) -> Result<(Vec<Container>, Option<String>), String> {
    let mut walk = Walk::new(body);
    let (mut found, mut next, mut complete) = (Vec::new(), None, false);
    let mut current = Container { name: String::new(), public: None, modified: None };
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|name| name == "Bucket") {
                    current = Container { name: String::new(), public: None, modified: None };
                }
            }
            Step::Close => {
                let (name, text) = walk.close();
                match (name.as_str(), walk.path.last().map(String::as_str)) {
                    ("Name", Some("Bucket")) => current.name = text,
                    ("CreationDate", Some("Bucket")) => current.modified = iso_time(&text),
                    ("Bucket", _) if !current.name.is_empty() => found.push(current.clone()),
                    ("ContinuationToken", _) => next = Some(text).filter(|text| !text.is_empty()),
                    ("ListAllMyBucketsResult", None) => complete = true,
                    _ => {}
                }
            }
            Step::End if complete => return Ok((found, next)),
            Step::End => return Err("the listing breaks off".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name>\
        <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
        <NextContinuationToken>a+b=</NextContinuationToken>\
        <Contents><Key>a+b%2Bc/%01</Key><LastModified>2026-11-24T10:00:00.000Z</LastModified>\
        <ETag>&quot;0123-2&quot;</ETag><Size>38000000000000</Size>\
        <StorageClass>DEEP_ARCHIVE</StorageClass></Contents>\
        <CommonPrefixes><Prefix>d+e/</Prefix></CommonPrefixes></ListBucketResult>";
    const BUCKETS: &str = "<ListAllMyBucketsResult><Owner><ID>x</ID></Owner><Buckets><Bucket>\
        <Name>one</Name><CreationDate>2020-01-01T00:00:00Z</CreationDate></Bucket></Buckets>\
        </ListAllMyBucketsResult>";

    #[test]
    fn a_page_is_read_with_its_names_as_they_are() {
        let page = objects(PAGE.as_bytes()).unwrap();
        let object = &page.objects[0];
        assert_eq!((object.key.as_str(), object.size), ("a b+c/\u{1}", 38_000_000_000_000));
        assert_eq!(object.etag.as_deref(), Some("0123-2"));
        assert!(object.is_offline() && object.modified.is_some());
        assert_eq!((page.token.as_deref(), page.truncated), (Some("a+b="), true));
        assert_eq!(page.prefixes, ["d e/"]);
        let plain = PAGE.replace("<EncodingType>url</EncodingType>", "");
        assert_eq!(objects(plain.as_bytes()).unwrap().objects[0].key, "a+b%2Bc/%01");
    }

    #[test]
    fn buckets_are_read() {
        let (found, next) = buckets(BUCKETS.as_bytes()).unwrap();
        assert_eq!((found[0].name.as_str(), found.len(), next), ("one", 1, None));
    }

    #[test]
    fn hostile_documents_are_errors() {
        for text in ["", "<ListBucketResult>", "<html>no</html>", "<!DOCTYPE a><b/>"] {
            assert!(objects(text.as_bytes()).is_err(), "{text}");
            assert!(buckets(text.as_bytes()).is_err(), "{text}");
        }
        for text in [PAGE, BUCKETS] {
            lidless_kit::cut_and_flip(text.as_bytes(), |bytes| {
                let _ = (objects(bytes), buckets(bytes));
            });
        }
    }
}
