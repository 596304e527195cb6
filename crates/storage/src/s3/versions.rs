//! Listings of every version of every key, where the service allows them.
//!
//! Source: ListObjectVersions of the S3 API reference. A delete marker has no content of its own:
//! what it hides is listed as the versions behind it.

use super::list::decoded;
use crate::retry::iso_time;
use crate::url::query;
use crate::xml::{Step, Walk};
use lidless_core::{Object, ObjectVersion};

/// One page of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    /// Current objects, and versions that are not current.
    pub(crate) objects: Vec<Object>,
    pub(crate) prefixes: Vec<String>,
    /// Keys whose newest state is a delete marker.
    pub(crate) deleted: u64,
    /// Where the next page starts; none on the last.
    pub(crate) next: Option<Marker>,
}

/// Where a page of versions ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) key: String,
    /// Empty when the page ended between two keys.
    pub(crate) version: String,
}

impl Marker {
    /// As a cursor keeps it.
    pub(crate) fn cursor(&self) -> String {
        format!("version:{}&{}", query(&self.key), query(&self.version))
    }

    /// The parameters of the next page, of what stands behind `version:`; it is encoded already.
    pub(crate) fn parameters(kept: &str) -> String {
        let (key, version) = kept.split_once('&').unwrap_or((kept, ""));
        let mut text = format!("&key-marker={key}");
        if !version.is_empty() {
            text.push_str(&format!("&version-id-marker={version}"));
        }
        text
    }
}

/// Reads a page of versions.
///
/// # Errors
/// What is wrong with the document, in words.
pub(crate) fn versions(body: &[u8]) -> Result<Versions, String> {
    let mut walk = Walk::new(body);
    let mut page = Versions::default();
    let mut current = Object::default();
    let (mut id, mut is_latest) = (String::new(), true);
    let (mut encoded, mut truncated, mut complete) = (false, false, false);
    let mut last_key = String::new();
    let mut marker = Marker { key: String::new(), version: String::new() };
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|name| name == "Version" || name == "DeleteMarker")
                {
                    (current, id, is_latest) = (Object::default(), String::new(), true);
                }
            }
            Step::Close => {
                let (name, text) = walk.close();
                let parent = walk.path.last().map(String::as_str);
                let some = |text: String| Some(text).filter(|text| !text.is_empty());
                match (name.as_str(), parent) {
                    ("Key", Some("Version")) => {
                        last_key.clone_from(&text);
                        current.key = text;
                    }
                    ("Key", Some("DeleteMarker")) => last_key = text,
                    ("VersionId", Some("Version")) => id = text,
                    ("IsLatest", Some("Version" | "DeleteMarker")) => {
                        is_latest = text.trim() != "false";
                    }
                    ("Size", Some("Version")) => {
                        current.size = text.trim().parse().map_err(|_| "a size that is none")?;
                    }
                    ("ETag", Some("Version")) => {
                        current.etag = some(text.trim_matches('"').to_owned());
                    }
                    ("LastModified", Some("Version")) => current.modified = iso_time(&text),
                    ("StorageClass", Some("Version")) => {
                        current.tier = some(text.to_ascii_lowercase());
                    }
                    ("Version", Some("ListVersionsResult")) if !current.key.is_empty() => {
                        if !is_latest {
                            current.version = Some(ObjectVersion::Version(id.clone()));
                        }
                        page.objects.push(std::mem::take(&mut current));
                    }
                    ("DeleteMarker", Some("ListVersionsResult")) if is_latest => {
                        page.deleted = page.deleted.saturating_add(1);
                    }
                    ("Prefix", Some("CommonPrefixes")) => page.prefixes.push(text),
                    ("EncodingType", _) => encoded = text == "url",
                    ("NextKeyMarker", _) => marker.key = text,
                    ("NextVersionIdMarker", _) => marker.version = text,
                    ("IsTruncated", _) => truncated = text.trim() == "true",
                    ("ListVersionsResult", None) => complete = true,
                    _ => {}
                }
            }
            Step::End if complete => break,
            Step::End => return Err("the listing breaks off".into()),
        }
    }
    if encoded {
        page.objects.iter_mut().for_each(|object| object.key = decoded(&object.key));
        page.prefixes.iter_mut().for_each(|prefix| *prefix = decoded(prefix));
        // Ceph encodes all names but this one.
        let plain = [Some(decoded(&last_key)), page.prefixes.last().cloned()];
        if !plain.iter().flatten().any(|name| *name == marker.key) {
            marker.key = decoded(&marker.key);
        }
    }
    if truncated && marker.key.is_empty() {
        return Err("the page says that more follows, not where".into());
    }
    page.next = truncated.then_some(marker);
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<ListVersionsResult><EncodingType>url</EncodingType>\
        <IsTruncated>true</IsTruncated><NextKeyMarker>a+b</NextKeyMarker>\
        <NextVersionIdMarker>v/1</NextVersionIdMarker>\
        <Version><Key>a+b</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest>\
        <LastModified>2026-11-24T10:00:00.000Z</LastModified><ETag>&quot;01&quot;</ETag>\
        <Size>2</Size></Version>\
        <Version><Key>a+b</Key><VersionId>v/1</VersionId><IsLatest>false</IsLatest>\
        <Size>1</Size><StorageClass>GLACIER</StorageClass></Version>\
        <DeleteMarker><Key>c</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest>\
        </DeleteMarker><CommonPrefixes><Prefix>d+e/</Prefix></CommonPrefixes>\
        </ListVersionsResult>";

    #[test]
    fn the_current_state_has_no_version_and_earlier_ones_do() {
        let page = versions(PAGE.as_bytes()).unwrap();
        let seen: Vec<_> =
            page.objects.iter().map(|it| (it.key.as_str(), it.version.clone())).collect();
        let old = ObjectVersion::Version("v/1".into());
        assert_eq!(seen, [("a b", None), ("a b", Some(old))]);
        assert!(page.objects[1].is_offline() && page.objects[0].etag.is_some());
        assert_eq!((page.deleted, page.prefixes), (1, vec!["d e/".to_owned()]));
        let cursor = page.next.unwrap().cursor();
        assert_eq!(cursor, "version:a%20b&v%2F1");
        let plain = PAGE.replace("Marker>a+b<", "Marker>c<").replace("<Key>c<", "<Key>%63<");
        assert_eq!(versions(plain.as_bytes()).unwrap().next.unwrap().key, "c");
        let odd = PAGE.replace("Marker>a+b<", "Marker>1+1<").replace("<Key>c<", "<Key>1%2B1<");
        assert_eq!(versions(odd.as_bytes()).unwrap().next.unwrap().key, "1+1");
        let kept = cursor.strip_prefix("version:").unwrap();
        assert_eq!(Marker::parameters(kept), "&key-marker=a%20b&version-id-marker=v%2F1");
    }

    #[test]
    fn hostile_documents_are_errors() {
        let lost = PAGE.replace("<NextKeyMarker>a+b</NextKeyMarker>", "");
        for text in ["", "<ListVersionsResult>", "<html>no</html>", &lost] {
            assert!(versions(text.as_bytes()).is_err(), "{text}");
        }
        lidless_kit::cut_and_flip(PAGE.as_bytes(), |bytes| {
            let _ = versions(bytes);
        });
    }
}
