//! An answer on its way out.

use crate::source::Source;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What follows the head.
#[derive(Debug)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    Part { source: Source, start: u64, length: u64 },
}

impl Body {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Part { length, .. } => *length,
        }
    }
}

/// Status, headers and body. `Content-Length` is the body's, sent or (for HEAD) not.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

/// Bytes made and sent at once: large enough that a system call is cheap beside it, small enough
/// for many connections.
const CHUNK: usize = 64 << 10;

impl Response {
    pub(crate) fn xml(body: String) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type", "application/xml".to_owned())],
            body: Body::Bytes(body.into_bytes()),
        }
    }

    pub(crate) fn empty(headers: Vec<(&'static str, String)>) -> Self {
        Self { status: 200, headers, body: Body::Bytes(Vec::new()) }
    }

    /// Writes the head and a half of the body, and then fails, which closes the connection.
    pub(crate) fn write_half(&self, out: &mut impl Write) -> io::Result<()> {
        let mut head = Vec::new();
        let unsent = AtomicU64::new(0);
        self.write(&mut head, true, &unsent, &AtomicBool::new(false))?;
        let body = usize::try_from(self.body.length()).unwrap_or(usize::MAX);
        let half = head.len().saturating_sub(body.div_ceil(2));
        out.write_all(head.get(..half).unwrap_or_default())?;
        out.flush()?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Writes it; counts body bytes into `sent`, and gives up between chunks when `stop` is set.
    pub(crate) fn write(
        &self,
        out: &mut impl Write,
        with_body: bool,
        sent: &AtomicU64,
        stop: &AtomicBool,
    ) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            // A header cannot hold a line break, whatever a request put into its value.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            head.push_str(name);
            head.push_str(": ");
            head.push_str(&value);
            head.push_str("\r\n");
        }
        head.push_str("Content-Length: ");
        head.push_str(&self.body.length().to_string());
        head.push_str("\r\n\r\n");
        let mut first = head.into_bytes();
        match &self.body {
            _ if !with_body => out.write_all(&first)?,
            Body::Bytes(bytes) => {
                first.extend_from_slice(bytes);
                out.write_all(&first)?;
                sent.fetch_add(self.body.length(), Ordering::Relaxed);
            }
            Body::Part { source, start, length } => {
                let (mut offset, mut left) = (*start, *length);
                let room = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
                let mut chunk = vec![0; room];
                while left > 0 {
                    if stop.load(Ordering::Relaxed) {
                        return Err(io::ErrorKind::ConnectionAborted.into());
                    }
                    let want = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
                    let part = chunk.get_mut(..want).unwrap_or_default();
                    let got = source.read_at(offset, part);
                    if got == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    let part = part.get(..got).unwrap_or_default();
                    if first.is_empty() {
                        out.write_all(part)?;
                    } else {
                        // Head and first bytes in one packet: a small read is one round trip.
                        first.extend_from_slice(part);
                        out.write_all(&first)?;
                        first = Vec::new();
                    }
                    let got = u64::try_from(got).unwrap_or(u64::MAX);
                    sent.fetch_add(got, Ordering::Relaxed);
                    offset = offset.saturating_add(got);
                    left = left.saturating_sub(got);
                }
                out.write_all(&first)?;
            }
        }
        out.flush()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        412 => "Precondition Failed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
