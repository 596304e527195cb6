//! Reading listings. The XML is hostile: bounded, and nothing in it is expanded.

use crate::encryption::azure;
use crate::retry::http_time;
use crate::store::{ListPage, StorageError, malformed};
use crate::xml::{Step, Walk};
use lidless_core::{BlobType, Container, Object, ObjectVersion, PublicAccess};

/// The blobs, the folded prefixes, and where the next page starts.
pub(crate) type BlobPage = (Vec<Object>, Vec<String>, Option<String>);

/// A container that was deleted and is kept for some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeletedContainer {
    pub(crate) name: String,
    /// When it was deleted, as the service writes it.
    pub(crate) deleted: String,
    /// For how many more days it is kept.
    pub(crate) days: String,
}

/// A page of containers.
#[derive(Debug, Default)]
pub(crate) struct ContainerPage {
    pub(crate) containers: Vec<Container>,
    pub(crate) deleted: Vec<DeletedContainer>,
    /// Where the next page starts.
    pub(crate) next: Option<String>,
}

/// What of a blob's element says which state it is.
#[derive(Debug, Default)]
struct State {
    directory: bool,
    deleted: bool,
    current: bool,
    /// A root that holds nothing itself, but versions.
    hollow: bool,
    snapshot: String,
    version: String,
    deleted_at: String,
}

impl State {
    /// A lake lists its directories among the blobs; they hold nothing.
    fn is_blob(&self) -> bool {
        !self.directory && !self.hollow
    }

    fn version(&self) -> Option<ObjectVersion> {
        let (snapshot, version) = (self.snapshot.clone(), self.version.clone());
        if self.deleted {
            // What tells it from the others of its name.
            let ids = [version, snapshot, self.deleted_at.clone()];
            let id = ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default();
            return Some(ObjectVersion::Deleted(id));
        }
        if !snapshot.is_empty() {
            return Some(ObjectVersion::Snapshot(snapshot));
        }
        (!version.is_empty() && !self.current).then_some(ObjectVersion::Version(version))
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
) -> Result<ContainerPage, String> {
    let mut walk = Walk::new(body);
    let mut page = ContainerPage::default();
    let mut current = Container { name: String::new(), public: None, modified: None };
    let (mut deleted, mut deleted_at, mut days) = (false, String::new(), String::new());
    let mut complete = false;
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|name| name == "Container")
                    && walk.parent() == Some("Containers")
                {
                    current = Container { name: String::new(), public: silence, modified: None };
                    (deleted, deleted_at, days) = (false, String::new(), String::new());
                }
            }
            Step::Close => {
                let (name, text) = walk.close();
                // Each where it belongs: metadata has names that its writer chose, and one called
                // `Deleted` hides no container.
                match (name.as_str(), walk.path.last().map(String::as_str)) {
                    ("Name", Some("Container")) => current.name = text,
                    ("PublicAccess", Some("Properties")) => {
                        current.public = Some(match text.as_str() {
                            "container" => PublicAccess::Container,
                            "blob" => PublicAccess::Blob,
                            _ => PublicAccess::None,
                        });
                    }
                    ("Last-Modified", Some("Properties")) => current.modified = http_time(&text),
                    ("Deleted", Some("Container")) => deleted = text == "true",
                    ("DeletedTime", Some("Properties")) => deleted_at = text,
                    ("RemainingRetentionDays", Some("Properties")) => days = text,
                    ("Container", Some("Containers")) if current.name.is_empty() => {}
                    ("Container", Some("Containers")) if deleted => {
                        page.deleted.push(DeletedContainer {
                            name: current.name.clone(),
                            deleted: deleted_at.clone(),
                            days: days.clone(),
                        });
                    }
                    ("Container", Some("Containers")) => page.containers.push(current.clone()),
                    ("NextMarker", Some("EnumerationResults")) => {
                        page.next = Some(text).filter(|text| !text.is_empty());
                    }
                    ("EnumerationResults", None) => complete = true,
                    _ => {}
                }
            }
            Step::End if complete => return walk.lists_only("Containers").map(|()| page),
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
    let (mut current, mut state) = (Object::default(), State::default());
    let mut tag = String::new();
    let mut complete = false;
    loop {
        match walk.step()? {
            Step::Open => {
                if walk.path.last().is_some_and(|name| name == "Blob")
                    && walk.parent() == Some("Blobs")
                {
                    (current, state) = (Object::default(), State::default());
                }
            }
            Step::Close => {
                let (name, text) = walk.close();
                let parent = walk.path.last().map(String::as_str);
                let some = |text: String| Some(text).filter(|text| !text.is_empty());
                match (name.as_str(), parent) {
                    ("Name", Some("Blob")) => current.key = text,
                    ("Name", Some("BlobPrefix")) => prefixes.push(text),
                    ("Snapshot", Some("Blob")) => state.snapshot = text,
                    ("VersionId", Some("Blob")) => state.version = text,
                    ("IsCurrentVersion", Some("Blob")) => state.current = text == "true",
                    ("Deleted", Some("Blob")) => state.deleted = text == "true",
                    ("HasVersionsOnly", Some("Blob")) => state.hollow = text == "true",
                    ("Key", Some("Tag")) => tag = text,
                    ("Value", Some("Tag")) => {
                        current.metadata.insert(format!("tag {tag}"), text);
                    }
                    (_, Some("Metadata")) if walk.is_in("Blob") => {
                        current.metadata.insert(name, text);
                    }
                    ("Blob", Some("Blobs")) if current.key.is_empty() || !state.is_blob() => {}
                    ("Blob", Some("Blobs")) => {
                        current.version = state.version();
                        objects.push(std::mem::take(&mut current));
                    }
                    ("NextMarker", Some("EnumerationResults")) => next = some(text),
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
                        "ResourceType" => state.directory = text == "directory",
                        "DeletedTime" => state.deleted_at = text,
                        "ServerEncrypted" | "CustomerProvidedKeySha256" | "EncryptionScope" => {
                            current.encryption = azure(current.encryption, &name, &text);
                        }
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
            Step::End if complete => {
                return walk.lists_only("Blobs").map(|()| (objects, prefixes, next));
            }
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
    use lidless_core::Encryption;

    const PAGE: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults \
        ContainerName=\"c\"><Blobs><Blob><Name>a &amp; b&#32;c.txt</Name><Properties>\
        <Last-Modified>Tue, 24 Nov 2026 10:00:00 GMT</Last-Modified><Etag>\"0x8\"</Etag>\
        <Content-Length>38000000000000</Content-Length><BlobType>PageBlob</BlobType>\
        <AccessTier>Archive</AccessTier><ServerEncrypted>true</ServerEncrypted>\
        <CustomerProvidedKeySha256>q==</CustomerProvidedKeySha256></Properties></Blob><BlobPrefix><Name>d/</Name>\
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
        assert_eq!(object.encryption, Some(Encryption::CustomerKey));
        let scope = PAGE.replace("CustomerProvidedKeySha256", "EncryptionScope");
        assert_eq!(blobs(scope.as_bytes()).unwrap().0[0].encryption, Some(Encryption::Scope));
        let lake = PAGE.replace("<BlobType>", "<ResourceType>directory</ResourceType><BlobType>");
        assert_eq!(blobs(lake.as_bytes()).unwrap().0, []);
        let odd = PAGE.replace("<Name>a &amp; b&#32;c.txt", "<Name Encoded=\"true\">%EF%BF%BE%25x");
        assert_eq!(blobs(odd.as_bytes()).unwrap().0[0].key, "\u{fffe}%x");
        assert_eq!((prefixes, next.as_deref()), (vec!["d/".to_owned()], Some("m")));
    }

    /// From the service's documentation of List Blobs: an account with versions, snapshots and
    /// soft delete.
    const STATES: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>\
        <Blob><Name>a.txt</Name><Snapshot>2026-01-02T03:04:05.0000000Z</Snapshot><Properties>\
        <Content-Length>3</Content-Length></Properties></Blob>\
        <Blob><Name>a.txt</Name><VersionId>2026-01-01T00:00:00.0000001Z</VersionId><Properties>\
        <Content-Length>2</Content-Length></Properties><Metadata><owner>dana</owner></Metadata>\
        <Tags><TagSet><Tag><Key>class</Key><Value>secret</Value></Tag></TagSet></Tags></Blob>\
        <Blob><Name>a.txt</Name><VersionId>2026-02-01T00:00:00.0000001Z</VersionId>\
        <IsCurrentVersion>true</IsCurrentVersion><Properties><Content-Length>1</Content-Length>\
        </Properties></Blob>\
        <Blob><Name>b.txt</Name><Deleted>true</Deleted><Properties><DeletedTime>Tue, 24 Nov 2026 \
        10:00:00 GMT</DeletedTime><RemainingRetentionDays>6</RemainingRetentionDays>\
        <Content-Length>9</Content-Length></Properties></Blob>\
        <Blob><Name>c.txt</Name><HasVersionsOnly>true</HasVersionsOnly><Properties/></Blob>\
        </Blobs><NextMarker/></EnumerationResults>";

    #[test]
    fn every_state_of_a_name_is_an_object_of_its_own() {
        let (objects, ..) = blobs(STATES.as_bytes()).unwrap();
        let seen: Vec<_> = objects
            .iter()
            .map(|one| (one.key.as_str(), one.size, one.version.as_ref().map(|v| v.query())))
            .collect();
        assert_eq!(
            seen,
            [
                ("a.txt", 3, Some("snapshot=2026-01-02T03:04:05.0000000Z".into())),
                ("a.txt", 2, Some("versionid=2026-01-01T00:00:00.0000001Z".into())),
                ("a.txt", 1, None),
                ("b.txt", 9, Some("deleted=Tue, 24 Nov 2026 10:00:00 GMT".into())),
            ]
        );
        assert_eq!(objects[1].metadata["owner"], "dana");
        assert_eq!(objects[1].metadata["tag class"], "secret");
        assert!(objects[0].metadata.is_empty() && objects[3].unreadable().is_some());
        lidless_kit::cut_and_flip(STATES.as_bytes(), |bytes| {
            let _ = blobs(bytes);
        });
    }

    #[test]
    fn deleted_containers_are_told_apart() {
        let body = "<EnumerationResults><Containers><Container><Name>old</Name><Deleted>true\
            </Deleted><Version>01D6</Version><Properties><DeletedTime>Tue, 24 Nov 2026 10:00:00 \
            GMT</DeletedTime><RemainingRetentionDays>3</RemainingRetentionDays></Properties>\
            </Container><Container><Name>new</Name><Properties/></Container></Containers>\
            <NextMarker/></EnumerationResults>";
        let page = containers(body.as_bytes(), None).unwrap();
        assert_eq!(page.containers.len(), 1);
        assert_eq!((page.deleted[0].name.as_str(), page.deleted[0].days.as_str()), ("old", "3"));
    }

    #[test]
    fn metadata_named_like_the_listing_s_own_words_changes_nothing() {
        let named = "<Metadata><Deleted>true</Deleted><PublicAccess>container</PublicAccess>\
            <NextMarker>again</NextMarker><Name>x</Name><Container>y</Container><Blob>z</Blob>\
            <Last-Modified>never</Last-Modified></Metadata>";
        let body = format!(
            "<EnumerationResults><Containers><Container><Name>c</Name><Properties/>{named}\
             </Container></Containers><NextMarker/></EnumerationResults>"
        );
        let page = containers(body.as_bytes(), None).unwrap();
        assert_eq!((page.deleted, page.next), (vec![], None));
        assert_eq!(page.containers.len(), 1);
        assert_eq!((page.containers[0].name.as_str(), page.containers[0].public), ("c", None));
        let body = format!(
            "<EnumerationResults><Blobs><Blob><Name>k</Name><Properties><Content-Length>4\
             </Content-Length></Properties>{named}</Blob></Blobs><NextMarker/></EnumerationResults>"
        );
        let (objects, _, next) = blobs(body.as_bytes()).unwrap();
        assert_eq!((objects.len(), next), (1, None));
        assert_eq!((objects[0].key.as_str(), objects[0].size), ("k", 4));
        assert_eq!((objects[0].metadata["Deleted"].as_str(), &objects[0].version), ("true", &None));
        assert_eq!(objects[0].metadata["Blob"], "z");
    }

    #[test]
    fn a_listing_of_another_service_is_none_of_blobs() {
        for what in ["Queues", "Shares", "Entries"] {
            for inner in [format!("<{what}/>"), format!("<{what}></{what}>")] {
                let body = format!("<EnumerationResults>{inner}<NextMarker/></EnumerationResults>");
                assert!(blobs(body.as_bytes()).is_err(), "{what}");
                assert!(containers(body.as_bytes(), None).is_err(), "{what}");
            }
        }
        let body = b"<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
        assert!(blobs(body).is_ok() && containers(body, None).is_err());
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
