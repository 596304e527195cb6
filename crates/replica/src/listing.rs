//! Listings: containers of the account, blobs of a container.

use crate::blob::Blob;
use crate::contents::{Container, Contents};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::xml::{HEAD, escaped, http_date, name};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lidless_core::{BlobType, PublicAccess};
use std::fmt::Write;

/// Names on a page at most, and when nothing is asked: the service's own limit.
const PAGE: u64 = 5000;

struct Page<'r> {
    prefix: &'r str,
    delimiter: Option<&'r str>,
    from: String,
    max: u64,
    head: String,
}

impl<'r> Page<'r> {
    fn asked(request: &'r Request) -> Result<Self, Refusal> {
        let prefix = request.parameter("prefix").unwrap_or_default();
        let delimiter = request.parameter("delimiter").filter(|text| !text.is_empty());
        let marker = request.parameter("marker").filter(|text| !text.is_empty());
        let max = request
            .parameter("maxresults")
            .filter(|text| !text.is_empty())
            .map(|text| {
                text.parse().ok().filter(|max| *max > 0).ok_or_else(|| {
                    Refusal::new(
                        400,
                        "OutOfRangeQueryParameterValue",
                        "One of the query parameters specified in the request URI is outside the \
                         permissible range.",
                    )
                })
            })
            .transpose()?;
        let mut head = String::new();
        let mut echo = |tag: &str, value: Option<&str>| {
            if let Some(value) = value {
                let _ = write!(head, "<{tag}>{}</{tag}>", escaped(value));
            }
        };
        echo("Prefix", Some(prefix).filter(|text| !text.is_empty()));
        echo("Marker", marker);
        echo("MaxResults", max.map(|max: u64| max.to_string()).as_deref());
        echo("Delimiter", delimiter);
        Ok(Self {
            prefix,
            delimiter,
            from: marker.map(read_marker).transpose()?.unwrap_or_default(),
            max: max.unwrap_or(PAGE).min(PAGE),
            head,
        })
    }
}

/// A marker names the first item of the page it leads to. Its form is the service's; its content
/// is nobody's business.
fn marker(next: &str) -> String {
    let text = STANDARD.encode(next);
    format!("2!{}!{text}", text.len())
}

fn read_marker(text: &str) -> Result<String, Refusal> {
    text.strip_prefix("2!")
        .and_then(|rest| rest.split_once('!'))
        .and_then(|(_, text)| STANDARD.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            Refusal::query(
                "Value for one of the query parameters specified in the request URI is invalid.",
            )
        })
}

/// List Containers.
pub(crate) fn containers(
    endpoint: &str,
    contents: &Contents,
    request: &Request,
) -> Result<String, Refusal> {
    let page = Page::asked(request)?;
    let mut body = format!(
        "{HEAD}<EnumerationResults ServiceEndpoint=\"{}\">{}<Containers>",
        escaped(endpoint),
        page.head
    );
    let mut shown = 0;
    let mut next = None;
    for container in contents.containers() {
        if !container.name.starts_with(page.prefix) || container.name < page.from {
            continue;
        }
        if shown == page.max {
            next = Some(marker(&container.name));
            break;
        }
        let access = match container.public {
            PublicAccess::None => String::new(),
            level => format!("<PublicAccess>{}</PublicAccess>", level.as_str()),
        };
        let _ = write!(
            body,
            "<Container>{}<Properties><Last-Modified>{}</Last-Modified><Etag>\"0x8D{:013X}\"</Etag>\
             <LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>{access}\
             <HasImmutabilityPolicy>false</HasImmutabilityPolicy><HasLegalHold>false</HasLegalHold>\
             </Properties></Container>",
            name(&container.name),
            http_date(container.modified),
            crate::random::seed_of(&container.name) >> 12,
        );
        shown = shown.saturating_add(1);
    }
    end(&mut body, "Containers", next);
    Ok(body)
}

/// List Blobs, flat or with a delimiter. Looks at the names of one page and, to skip what a prefix
/// folds, at a few more: never at all of them.
pub(crate) fn blobs(
    endpoint: &str,
    container: &Container,
    request: &Request,
) -> Result<String, Refusal> {
    let page = Page::asked(request)?;
    let mut body = format!(
        "{HEAD}<EnumerationResults ServiceEndpoint=\"{}\" ContainerName=\"{}\">{}<Blobs>",
        escaped(endpoint),
        escaped(&container.name),
        page.head
    );
    let from = page.from.as_str().max(page.prefix);
    let mut index = container.first(|other| other >= from);
    let mut shown = 0;
    let mut next = None;
    while let Some(blob) = container.at(index) {
        let Some(rest) = blob.name.strip_prefix(page.prefix) else {
            break;
        };
        if shown == page.max {
            next = Some(marker(&blob.name));
            break;
        }
        let fold = page.delimiter.and_then(|delimiter| {
            let at = rest.find(delimiter)?.checked_add(delimiter.len())?;
            blob.name.get(..page.prefix.len().checked_add(at)?)
        });
        if let Some(folded) = fold {
            let _ = write!(body, "<BlobPrefix>{}</BlobPrefix>", name(folded));
            index = container.first(|other| other >= folded && !other.starts_with(folded));
        } else {
            describe(&mut body, &blob);
            index = index.saturating_add(1);
        }
        shown = shown.saturating_add(1);
    }
    end(&mut body, "Blobs", next);
    Ok(body)
}

fn end(body: &mut String, list: &str, next: Option<String>) {
    let next = next.map_or_else(
        || "<NextMarker />".to_owned(),
        |marker| format!("<NextMarker>{marker}</NextMarker>"),
    );
    let _ = write!(body, "</{list}>{next}</EnumerationResults>");
}

fn describe(body: &mut String, blob: &Blob) {
    let kind = match blob.blob_type {
        BlobType::Page => {
            "<x-ms-blob-sequence-number>0</x-ms-blob-sequence-number><BlobType>PageBlob</BlobType>"
        }
        BlobType::Append => "<BlobType>AppendBlob</BlobType>",
        BlobType::Block => "<BlobType>BlockBlob</BlobType>",
    };
    // Page and append blobs of a general-purpose account have no tier.
    let tier = if blob.blob_type == BlobType::Block {
        format!("<AccessTier>{}</AccessTier>", blob.tier.as_str())
    } else {
        String::new()
    };
    let _ = write!(
        body,
        "<Blob>{}<Properties><Creation-Time>{}</Creation-Time><Last-Modified>{}</Last-Modified>\
         <Etag>{}</Etag><Content-Length>{}</Content-Length><Content-Type>{}</Content-Type>\
         <Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5 /><Cache-Control />\
         <Content-Disposition />{kind}{tier}<LeaseStatus>unlocked</LeaseStatus>\
         <LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties>\
         <OrMetadata /></Blob>",
        name(&blob.name),
        http_date(blob.created),
        http_date(blob.modified),
        blob.etag(),
        blob.source.size(),
        blob.content_type,
    );
}
