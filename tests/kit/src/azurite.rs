//! A real blob service on this machine: Azurite, started and stopped by a test.

use crate::port::Port;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// A running Azurite with accounts of its own, on a free loopback port, its data in a temporary
/// folder. Dropping it stops the process and removes the data.
pub struct Azurite {
    child: Child,
    port: Port,
    /// Name and first key.
    accounts: Vec<(String, String)>,
    _folder: TempDir,
}

/// The service version that uploads speak.
const VERSION: &str = "2021-08-06";
/// A cold start of its runtime on a busy machine takes this long at most.
const START: Duration = Duration::from_secs(90);

impl Azurite {
    /// Starts Azurite with accounts given as name, first and second key (base64, 64 bytes).
    ///
    /// The program is looked for in `LIDLESS_AZURITE`, in `PATH`, and where `./check` installs it.
    /// Returns nothing, and prints why, when it is nowhere.
    ///
    /// # Panics
    /// When it is nowhere and `CI` is set, and when it is there but does not start.
    pub fn start(accounts: &[(&str, &str, &str)]) -> Option<Self> {
        Self::start_service("blob", accounts)
    }

    /// The same for another service: `blob`, `queue` or `table`, whose program stands beside that
    /// of blobs.
    ///
    /// # Panics
    /// As [`Azurite::start`].
    pub fn start_service(service: &str, accounts: &[(&str, &str, &str)]) -> Option<Self> {
        let beside = |program: PathBuf| program.with_file_name(format!("azurite-{service}"));
        let Some(program) = program().map(beside).filter(|program| program.is_file()) else {
            let why = "azurite was not found: run ./check, or set LIDLESS_AZURITE";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("not tested against Azurite: {why}");
            return None;
        };
        let listed: Vec<String> =
            accounts.iter().map(|(n, k1, k2)| format!("{n}:{k1}:{k2}")).collect();
        // Between choosing a port and its use another process may take it: then choose again.
        for _ in 0..5 {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let port = Port::take();
            let child = Command::new(&program)
                .args([format!("--{service}Host"), "127.0.0.1".to_owned()])
                .args([format!("--{service}Port"), port.number().to_string()])
                .arg("--location")
                .arg(folder.path())
                .args(["--skipApiVersionCheck", "--loose", "--silent", "--disableTelemetry"])
                .env("AZURITE_ACCOUNTS", listed.join(";"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
            let accounts =
                accounts.iter().map(|(n, key, _)| ((*n).to_owned(), (*key).to_owned())).collect();
            let mut azurite = Self { child, port, accounts, _folder: folder };
            if azurite.answers() {
                return Some(azurite);
            }
        }
        panic!("{} was started and does not answer", program.display());
    }

    /// Where it listens: `http://127.0.0.1:PORT`; the account is the first part of the path.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Makes a container; `public` is `container`, `blob` or nothing.
    ///
    /// # Panics
    /// As all uploads: when the service does not take it.
    pub fn put_container(&self, account: &str, name: &str, public: Option<&str>) {
        let headers: Vec<(&str, String)> =
            public.iter().map(|word| ("x-ms-blob-public-access", (*word).to_owned())).collect();
        self.put(account, name, "restype=container", &headers, b"");
    }

    /// Uploads a block blob.
    pub fn put_blob(&self, account: &str, container: &str, key: &str, bytes: &[u8]) {
        let headers = [("x-ms-blob-type", "BlockBlob".to_owned())];
        self.put(account, &format!("{container}/{key}"), "", &headers, bytes);
    }

    /// Makes a sparse page blob of `size` bytes and writes `pages`, whose offsets and lengths are
    /// multiples of 512.
    pub fn put_page_blob(
        &self,
        account: &str,
        container: &str,
        key: &str,
        size: u64,
        pages: &[(u64, &[u8])],
    ) {
        let resource = format!("{container}/{key}");
        let headers = [
            ("x-ms-blob-type", "PageBlob".to_owned()),
            ("x-ms-blob-content-length", size.to_string()),
        ];
        self.put(account, &resource, "", &headers, b"");
        for (offset, bytes) in pages {
            let last = offset + bytes.len() as u64 - 1;
            let headers = [
                ("x-ms-page-write", "update".to_owned()),
                ("x-ms-range", format!("bytes={offset}-{last}")),
            ];
            self.put(account, &resource, "comp=page", &headers, bytes);
        }
    }

    /// Takes a snapshot of a blob.
    pub fn put_snapshot(&self, account: &str, container: &str, key: &str) {
        self.put(account, &format!("{container}/{key}"), "comp=snapshot", &[], b"");
    }

    /// Uploads a block blob with metadata.
    pub fn put_blob_with(
        &self,
        account: &str,
        container: &str,
        key: &str,
        bytes: &[u8],
        metadata: &[(&str, &str)],
    ) {
        let names: Vec<String> =
            metadata.iter().map(|(name, _)| format!("x-ms-meta-{name}")).collect();
        let mut headers = vec![("x-ms-blob-type", "BlockBlob".to_owned())];
        headers.extend(
            names
                .iter()
                .zip(metadata)
                .map(|(name, (_, value))| (name.as_str(), (*value).to_owned())),
        );
        self.put(account, &format!("{container}/{key}"), "", &headers, bytes);
    }

    /// Puts a block blob into the archive tier.
    pub fn archive_blob(&self, account: &str, container: &str, key: &str) {
        let headers = [("x-ms-access-tier", "Archive".to_owned())];
        let resource = format!("{container}/{key}");
        let (status, body) = self.send("PUT", account, &resource, "comp=tier", &headers, b"");
        assert!(matches!(status, 200 | 202), "{body}");
    }

    /// Makes a queue with messages in it.
    pub fn put_queue(&self, account: &str, name: &str, messages: &[&str]) {
        self.put(account, name, "", &[], b"");
        for message in messages {
            let text = message.replace('&', "&amp;").replace('<', "&lt;");
            let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
            let resource = format!("{name}/messages");
            let (status, text) = self.send("POST", account, &resource, "", &[], body.as_bytes());
            assert_eq!(status, 201, "cannot put a message: {text}");
        }
    }

    /// How many messages a queue holds, and how often the first was taken: peeking changes
    /// neither.
    pub fn queue_state(&self, account: &str, name: &str) -> (usize, String) {
        let query = "peekonly=true&numofmessages=32";
        let resource = format!("{name}/messages");
        let (status, body) = self.send("GET", account, &resource, query, &[], b"");
        assert_eq!(status, 200, "{body}");
        (body.matches("<QueueMessage>").count(), field(&body, "DequeueCount"))
    }

    /// Makes a table with rows in it, each the JSON of its properties.
    pub fn put_table(&self, account: &str, name: &str, rows: &[String]) {
        let body = format!("{{\"TableName\":\"{name}\"}}");
        for (resource, body) in
            std::iter::once(("Tables", &body)).chain(rows.iter().map(|row| (name, row)))
        {
            let (_, key) =
                self.accounts.iter().find(|(one, _)| one == account).expect("an account");
            let date = http_date(SystemTime::now());
            let text = format!("POST\n\napplication/json\n{date}\n/{account}/{account}/{resource}");
            let signature = sign(key, &text);
            let request = format!(
                "POST /{account}/{resource} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\n\
                 Content-Type: application/json\r\nAccept: application/json;odata=nometadata\r\n\
                 x-ms-date: {date}\r\nx-ms-version: 2019-02-02\r\nPrefer: return-no-content\r\n\
                 Authorization: SharedKey {account}:{signature}\r\n\r\n",
                self.port.number(),
                body.len(),
            );
            let (status, text) = self.exchange(&request, body.as_bytes());
            assert_eq!(status, 204, "cannot put into {resource}: {text}");
        }
    }

    /// Sets the one stored access policy of a container, or none; times as the service writes
    /// them.
    pub fn set_policy(&self, account: &str, container: &str, policy: Option<(&str, &str, &str)>) {
        let inner = policy.map_or(String::new(), |(id, permissions, expiry)| {
            format!(
                "<SignedIdentifier><Id>{id}</Id><AccessPolicy><Expiry>{expiry}</Expiry>\
                 <Permission>{permissions}</Permission></AccessPolicy></SignedIdentifier>"
            )
        });
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><SignedIdentifiers>{inner}\
             </SignedIdentifiers>"
        );
        let query = "restype=container&comp=acl";
        let (status, text) = self.send("PUT", account, container, query, &[], body.as_bytes());
        assert_eq!(status, 200, "cannot set the policy: {text}");
    }

    /// Sends one request as a stranger: all it carries is its URL. Gives the status.
    pub fn ask(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let target = url.strip_prefix(&self.url()).expect("a URL of this emulator");
        let mut request = format!(
            "{method} {target} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\n",
            self.port.number(),
            body.len()
        );
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").expect("text");
        }
        request.push_str("\r\n");
        self.exchange(&request, body).0
    }

    /// Deletes a blob.
    pub fn delete_blob(&self, account: &str, container: &str, key: &str) {
        let resource = format!("{container}/{key}");
        let (status, body) = self.send("DELETE", account, &resource, "", &[], b"");
        assert_eq!(status, 202, "{body}");
    }

    /// Everything in an account as container, key, size and ETag, sorted; a container itself has
    /// an empty key. Equal before and after means that nothing was written.
    pub fn snapshot(&self, account: &str) -> Vec<(String, String, u64, String)> {
        let mut all = Vec::new();
        for container in self.pages(account, "", "comp=list", "Container") {
            let name = field(&container, "Name");
            for blob in self.pages(account, &name, "restype=container&comp=list", "Blob") {
                let size = field(&blob, "Content-Length").parse().expect("a size");
                all.push((name.clone(), field(&blob, "Name"), size, field(&blob, "Etag")));
            }
            let etag = field(&container, "Etag") + &field(&container, "Last-Modified");
            all.push((name, String::new(), 0, etag));
        }
        all.sort();
        all
    }

    fn pages(&self, account: &str, resource: &str, query: &str, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let mut found = Vec::new();
        let mut marker = String::new();
        loop {
            let query = if marker.is_empty() {
                query.to_owned()
            } else {
                format!("{query}&marker={}", encode(&marker, ""))
            };
            let (status, body) = self.send("GET", account, resource, &query, &[], b"");
            assert_eq!(status, 200, "{body}");
            let parts = body.split(&open).skip(1).filter_map(|part| part.split(&close).next());
            found.extend(parts.map(str::to_owned));
            marker = field(&body, "NextMarker");
            if marker.is_empty() {
                return found;
            }
        }
    }

    fn put(
        &self,
        account: &str,
        resource: &str,
        query: &str,
        extra: &[(&str, String)],
        body: &[u8],
    ) {
        let (status, text) = self.send("PUT", account, resource, query, extra, body);
        assert_eq!(status, 201, "cannot put {resource}: {text}");
    }

    /// Sends one request signed with the account's first key.
    fn send(
        &self,
        method: &str,
        account: &str,
        resource: &str,
        query: &str,
        extra: &[(&str, String)],
        body: &[u8],
    ) -> (u16, String) {
        let (_, key) = self.accounts.iter().find(|(name, _)| name == account).expect("an account");
        let path = if resource.is_empty() {
            format!("/{account}")
        } else {
            format!("/{account}/{}", encode(resource, "/$"))
        };
        let mut headers: Vec<(&str, String)> = extra.to_vec();
        headers.push(("x-ms-date", http_date(SystemTime::now())));
        headers.push(("x-ms-version", VERSION.to_owned()));
        headers.sort();
        let length = if body.is_empty() { String::new() } else { body.len().to_string() };
        let mut text = format!("{method}\n\n\n{length}\n\n\n\n\n\n\n\n\n");
        for (name, value) in &headers {
            writeln!(text, "{name}:{value}").expect("text");
        }
        write!(text, "/{account}{path}").expect("text");
        let mut parameters: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
        parameters.sort_unstable();
        for parameter in parameters {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            write!(text, "\n{name}:{}", decode(value)).expect("text");
        }
        let signature = sign(key, &text);
        let target = if query.is_empty() { path } else { format!("{path}?{query}") };
        // HTTP/1.0: the answer ends when the connection does, without chunks.
        let mut request = format!(
            "{method} {target} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\n\
             Authorization: SharedKey {account}:{signature}\r\n",
            self.port.number(),
            body.len()
        );
        for (name, value) in &headers {
            write!(request, "{name}: {value}\r\n").expect("text");
        }
        request.push_str("\r\n");
        self.exchange(&request, body)
    }

    fn exchange(&self, request: &str, body: &[u8]) -> (u16, String) {
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port.number())).expect("a connection");
        stream.set_read_timeout(Some(START)).expect("a timeout");
        stream.write_all(request.as_bytes()).expect("a request");
        stream.write_all(body).expect("a body");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Waits until it speaks HTTP; false when the process ended instead.
    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return false;
            }
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port.number())) {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
                let mut answer = String::new();
                let _ = stream.read_to_string(&mut answer);
                if answer.contains("Azurite") {
                    return true;
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    const NAME: &str = "azurite-blob";
    if let Some(named) = std::env::var_os("LIDLESS_AZURITE").filter(|name| !name.is_empty()) {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "LIDLESS_AZURITE names {}, which is no file", named.display());
        return Some(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/azurite");
    std::env::split_paths(&path)
        .chain([root.join("node_modules/.bin"), root.join("bin")])
        .map(|folder| folder.join(NAME))
        .find(|file| file.is_file())
}

fn sign(key: &str, text: &str) -> String {
    let key = STANDARD.decode(key).expect("a key in base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn encode(text: &str, kept: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if plain || kept.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("text");
        }
    }
    encoded
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text of the first element of a name, with XML's own entities resolved; empty when absent.
fn field(xml: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let text = xml.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
    let text = text.map_or("", |(text, _)| text);
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A time as HTTP writes it: `Tue, 24 Nov 2026 10:00:00 GMT`.
fn http_date(time: SystemTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let weekday = DAYS[(days % 7) as usize];
    let leap = |year: u64| year.is_multiple_of(if year.is_multiple_of(100) { 400 } else { 4 });
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    format!(
        "{weekday}, {:02} {} {year} {:02}:{:02}:{:02} GMT",
        left + 1,
        MONTHS[month],
        rest / 3600,
        rest % 3600 / 60,
        rest % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_writes_them() {
        let of = |seconds| http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(of(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(of(1_582_934_400), "Sat, 29 Feb 2020 00:00:00 GMT");
        assert_eq!(of(4_102_444_799), "Thu, 31 Dec 2099 23:59:59 GMT");
    }

    #[test]
    fn what_is_uploaded_is_in_the_snapshot_and_a_change_shows() {
        let key = STANDARD.encode([7u8; 64]);
        let other = STANDARD.encode([8u8; 64]);
        let Some(azurite) = Azurite::start(&[("kitaccount", &key, &other)]) else { return };
        azurite.put_container("kitaccount", "open", Some("container"));
        azurite.put_blob("kitaccount", "open", "a b/ä+100%.txt", b"hello");
        azurite.put_page_blob("kitaccount", "open", "disk.vhd", 1 << 40, &[(512, &[1; 512])]);
        let before = azurite.snapshot("kitaccount");
        let seen: Vec<_> = before.iter().map(|(_, key, size, _)| (key.as_str(), *size)).collect();
        assert_eq!(seen, [("", 0), ("a b/ä+100%.txt", 5), ("disk.vhd", 1 << 40)]);
        assert_eq!(before, azurite.snapshot("kitaccount"));
        azurite.put_blob("kitaccount", "open", "a b/ä+100%.txt", b"jello");
        assert_ne!(before, azurite.snapshot("kitaccount"));
        azurite.delete_blob("kitaccount", "open", "disk.vhd");
        assert_eq!(azurite.snapshot("kitaccount").len(), 2);
    }
}
