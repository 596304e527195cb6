//! A request, read from bytes that may be anything.

use percent_encoding::percent_decode_str;

/// Bytes that a request's head may have: room for the longest token, and an end for nonsense.
pub(crate) const HEAD_LIMIT: usize = 16 << 10;

/// Headers that a request may have.
const HEADER_LIMIT: usize = 64;

/// What a request asks for, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The verb as sent.
    pub method: String,
    /// The part of the target before `?`, still encoded.
    pub path: String,
    /// The query, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// Headers with lower-case names, in the order sent.
    pub headers: Vec<(String, String)>,
    /// Whether the client wants the connection kept.
    pub keep_alive: bool,
    /// Length in bytes of the head, its empty line included.
    pub head_bytes: usize,
}

/// What became of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseOutcome {
    /// A whole head.
    Complete(Request),
    /// More bytes are needed.
    Partial,
    /// No request, whatever may follow: the status to answer with.
    Refused(u16),
}

/// Reads the head of a request from the start of `bytes`.
#[must_use]
pub fn parse_request(bytes: &[u8]) -> ParseOutcome {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut raw = httparse::Request::new(&mut headers);
    let head_bytes = match raw.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_LIMIT => length,
        Ok(httparse::Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => {
            return ParseOutcome::Refused(431);
        }
        Ok(httparse::Status::Partial) if bytes.len() >= HEAD_LIMIT => {
            return ParseOutcome::Refused(431);
        }
        Ok(httparse::Status::Partial) => return ParseOutcome::Partial,
        Err(_) => return ParseOutcome::Refused(400),
    };
    let (Some(method), Some(target)) = (raw.method, raw.path) else {
        return ParseOutcome::Refused(400);
    };
    // A proxy-style target names the host again; nothing else may stand before the path.
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    if !target.starts_with('/') {
        return ParseOutcome::Refused(400);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = raw
        .headers
        .iter()
        .map(|header| {
            (
                header.name.to_ascii_lowercase(),
                String::from_utf8_lossy(header.value).trim().to_owned(),
            )
        })
        .collect();
    let connection = headers
        .iter()
        .find(|(name, _)| name == "connection")
        .map(|(_, value)| value.to_ascii_lowercase());
    let keep_alive = match connection.as_deref() {
        Some("close") => false,
        Some("keep-alive") => true,
        _ => raw.version == Some(1),
    };
    ParseOutcome::Complete(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
            })
            .collect(),
        headers,
        keep_alive,
        head_bytes,
    })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl Request {
    /// The first value of a query parameter, decoded; absent and empty are told apart.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Account, container and key of a path-style target, decoded; empty where not given.
    #[must_use]
    pub fn target(&self) -> (String, String, String) {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        let (account, rest) = path.split_once('/').unwrap_or((path, ""));
        let (container, key) = rest.split_once('/').unwrap_or((rest, ""));
        (decoded(account), decoded(container), decoded(key))
    }

    /// Length in bytes of the body that follows; the largest number when it is sent in chunks.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        if self.header("transfer-encoding").is_some() {
            return u64::MAX;
        }
        self.header("content-length").map_or(0, |value| value.parse().unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = b"GET /contosolab/models/a%20b%2Fc.ckpt?comp=list&prefix=x%2B+y&&flag \
HTTP/1.1\r\nHost: 127.0.0.1:1\r\nx-ms-range: bytes=0-9\r\nConnection: close\r\n\r\nrest";

    #[test]
    fn a_request_is_taken_apart() {
        let ParseOutcome::Complete(request) = parse_request(SAMPLE) else {
            panic!("not parsed");
        };
        assert_eq!(request.method, "GET");
        assert_eq!(request.target(), ("contosolab".into(), "models".into(), "a b/c.ckpt".into()));
        assert_eq!(request.parameter("prefix"), Some("x+ y"));
        assert_eq!(request.parameter("flag"), Some(""));
        assert_eq!(request.parameter("marker"), None);
        assert_eq!(request.header("x-ms-range"), Some("bytes=0-9"));
        assert!(!request.keep_alive);
        assert_eq!(request.head_bytes, SAMPLE.len() - 4);
    }

    #[test]
    fn any_cut_or_change_of_a_request_is_survived() {
        lidless_kit::cut_and_flip(SAMPLE, |bytes| {
            if let ParseOutcome::Complete(request) = parse_request(bytes) {
                let _ = (request.target(), request.body_bytes());
            }
        });
    }

    #[test]
    fn an_endless_head_is_refused() {
        let mut head = b"GET / HTTP/1.1\r\nA: ".to_vec();
        head.resize(HEAD_LIMIT, b'a');
        assert_eq!(parse_request(&head), ParseOutcome::Refused(431));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
        assert_eq!(parse_request(many.as_bytes()), ParseOutcome::Refused(431));
    }
}
