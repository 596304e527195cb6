//! A server on loopback that answers as the issuer of a credential would, by a script, and
//! remembers every byte it was sent.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a scripted issuer does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers.
    Say {
        /// HTTP status.
        status: u16,
        /// Headers, whole lines.
        headers: Vec<String>,
        /// The body.
        body: String,
    },
    /// Takes the request and never answers.
    Hang,
    /// Sends so many bytes of a body, and would go on.
    Flood(usize),
}

impl Reply {
    /// An answer without headers of its own.
    #[must_use]
    pub fn say(status: u16, body: &str) -> Self {
        Self::Say { status, headers: Vec::new(), body: body.to_owned() }
    }

    /// An answer with one header.
    #[must_use]
    pub fn with(status: u16, header: &str, body: &str) -> Self {
        Self::Say { status, headers: vec![header.to_owned()], body: body.to_owned() }
    }
}

type Script = dyn Fn(usize, &str) -> Reply + Send + Sync;

/// The server. It ends with the test's process.
pub struct Issuer {
    port: u16,
    seen: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Issuer {
    /// Starts one. The script gets the number of the request, from 0, and its head.
    ///
    /// # Panics
    /// When no port is free.
    #[must_use]
    pub fn start(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &*script, &log));
            }
        });
        Self { port, seen }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The heads of all requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().map(|(_, head)| head.clone()).collect()
    }

    /// The pauses between the requests.
    #[must_use]
    pub fn pauses(&self) -> Vec<Duration> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.windows(2).map(|two| two[1].0.duration_since(two[0].0)).collect()
    }
}

fn serve(mut stream: TcpStream, script: &Script, log: &Mutex<Vec<(Instant, String)>>) {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 64 << 10 {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let number = {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push((Instant::now(), head.clone()));
        log.len() - 1
    };
    match script(number, &head) {
        Reply::Say { status, headers, body } => {
            let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
            );
        }
        Reply::Hang => std::thread::sleep(Duration::from_secs(600)),
        Reply::Flood(bytes) => {
            let _ = write!(stream, "HTTP/1.1 200 X\r\nconnection: close\r\n\r\n");
            let part = [b'x'; 4096];
            for _ in 0..bytes / part.len() {
                if stream.write_all(&part).is_err() {
                    return;
                }
            }
        }
    }
}
