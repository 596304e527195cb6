//! How a blob is stored and encrypted, as one short text of a case.
//!
//! Cases hold a hundred million objects, so that what is usual is not kept: encryption with keys
//! of the service takes no room. What is not usual stands behind a `+`: `page+scope`,
//! `+customer_key`.

use lidless_core::{BlobType, Encryption, Object};

/// The text of an object; none when there is nothing to keep.
pub(crate) fn write(object: &Object) -> Option<String> {
    let stored = match object.blob_type {
        Some(BlobType::Block) => "block",
        Some(BlobType::Page) => "page",
        Some(BlobType::Append) => "append",
        None => "",
    };
    match object.encryption {
        None | Some(Encryption::Service) if stored.is_empty() => None,
        None | Some(Encryption::Service) => Some(stored.to_owned()),
        Some(other) => Some(format!("{stored}+{}", other.as_str())),
    }
}

/// Reads what [`write`] wrote. What is not known is left out.
pub(crate) fn read(text: Option<&str>) -> (Option<BlobType>, Option<Encryption>) {
    let text = text.unwrap_or("");
    let (stored, encryption) = text.split_once('+').unwrap_or((text, ""));
    let stored = match stored {
        "page" => Some(BlobType::Page),
        "append" => Some(BlobType::Append),
        "block" => Some(BlobType::Block),
        _ => None,
    };
    (stored, Encryption::parse(encryption))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_takes_no_room_and_the_rest_comes_back() {
        let object = |blob_type, encryption| Object { blob_type, encryption, ..Object::default() };
        assert_eq!(write(&object(None, Some(Encryption::Service))), None);
        let usual = object(Some(BlobType::Block), Some(Encryption::Service));
        assert_eq!(write(&usual).as_deref(), Some("block"));
        for blob_type in [None, Some(BlobType::Block), Some(BlobType::Page)] {
            for encryption in [
                None,
                Some(Encryption::None),
                Some(Encryption::Managed),
                Some(Encryption::Scope),
                Some(Encryption::CustomerKey),
            ] {
                let text = write(&object(blob_type, encryption));
                assert_eq!(read(text.as_deref()), (blob_type, encryption), "{text:?}");
            }
        }
        assert_eq!(read(Some("append")), (Some(BlobType::Append), None));
        assert_eq!(read(Some("x+y+z")), (None, None));
    }
}
