//! Building URLs, and taking apart the ones that redirects name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a path.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'$');

/// What stays as it is in a query value.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Percent-encodes a path; slashes stay.
pub(crate) fn path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// Percent-encodes a query value.
pub(crate) fn query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// Host without a port, lower case.
pub(crate) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let authority = authority.rsplit('@').next().unwrap_or("").to_ascii_lowercase();
    if authority.starts_with('[') {
        return authority.split_inclusive(']').next().unwrap_or("").to_owned();
    }
    authority.split(':').next().unwrap_or("").to_owned()
}

/// Scheme and authority.
pub(crate) fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return String::new() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    format!("{}://{}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase())
}

/// Host and port as they stand, without userinfo.
pub(crate) fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    authority.rsplit('@').next().unwrap_or("").to_owned()
}

/// The path as it stands, without query and fragment; `/` when there is none.
pub(crate) fn encoded_path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or("");
    rest.split_once('/').map_or_else(|| "/".to_owned(), |(_, path)| format!("/{path}"))
}

/// The path as a server may read it: backslashes are slashes, and dot segments are resolved.
/// None when that changes nothing.
pub(crate) fn resolved(path: &str) -> Option<String> {
    let slashed = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in slashed.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/")).filter(|resolved| resolved != path)
}

/// Query text found in the wild made fit for a request line: what may not stand in one is
/// encoded, everything else stays as it was signed.
pub(crate) fn fit(query: &str) -> String {
    const UNFIT: &AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'<')
        .add(b'>')
        .add(b'`')
        .add(b'{')
        .add(b'}')
        .add(b'|')
        .add(b'\\')
        .add(b'^');
    utf8_percent_encode(query, UNFIT).to_string()
}

/// The URL a redirect names, made whole; none for other schemes.
pub(crate) fn joined(base: &str, location: &str) -> Option<String> {
    if location.starts_with("https://") || location.starts_with("http://") {
        return Some(location.to_owned());
    }
    if location.starts_with("//") {
        let (scheme, _) = base.split_once("://")?;
        return Some(format!("{scheme}:{location}"));
    }
    if location.contains("://") || !location.starts_with('/') {
        return None;
    }
    Some(format!("{}{location}", origin(base)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_and_hosts_are_read() {
        assert_eq!(path("a b/100%+#?é"), "a%20b/100%25%2B%23%3F%C3%A9");
        assert_eq!(host("https://u:p@Example.com:8080/x"), "example.com");
        assert_eq!(host("http://[::1]:80/x"), "[::1]");
        assert_eq!(joined("http://a/b?c", "/d").unwrap(), "http://a/d");
        assert_eq!(joined("http://a/b", "https://c/d").unwrap(), "https://c/d");
        assert!(joined("http://a/b", "file:///etc/passwd").is_none());
        assert_eq!(encoded_path("http://a:1/b%20/c?d/e#f"), "/b%20/c");
        assert_eq!(encoded_path("http://a?b"), "/");
        assert_eq!(resolved("c/open/../secret/./x").unwrap(), "c/secret/x");
        assert_eq!(resolved("c\\..\\x").unwrap(), "x");
        assert!(resolved("c/open//x..y").is_none());
        assert_eq!(fit("sig=a+b%2F&x=\u{e9} \n"), "sig=a+b%2F&x=%C3%A9%20%0A");
    }
}
