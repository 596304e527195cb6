//! A server that says what it is told to say, in order; the last reply is repeated.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

#[derive(Debug, Clone)]
pub enum Reply {
    /// These bytes, then the end.
    Raw(Vec<u8>),
    /// The connection is reset before the request is read.
    Reset,
    /// The request is read and the connection closed.
    Close,
    /// Nothing, for longer than anyone waits.
    Stall,
    /// A listing that never ends.
    Endless,
    /// A listing that comes a byte at a time, for ever.
    Trickle,
}

/// A whole answer with its length.
pub fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut text = format!("HTTP/1.1 {status} Said\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    Reply::Raw([text.as_bytes(), body].concat())
}

#[derive(Debug, Clone)]
pub struct Seen {
    pub verb: String,
    pub target: String,
    pub head: String,
}

pub struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (seen_here, stop_here) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if stop_here.load(Ordering::SeqCst) {
                    return;
                }
                let reply = replies.get(number).or(replies.last()).cloned();
                let (seen, stop) = (Arc::clone(&seen_here), Arc::clone(&stop_here));
                let (Some(reply), Ok(stream)) = (reply, stream) else { continue };
                std::thread::spawn(move || answer(stream, reply, &seen, &stop));
            }
        });
        Self { port, seen, stop, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().unwrap().join();
    }
}

fn answer(mut stream: TcpStream, reply: Reply, seen: &Mutex<Vec<Seen>>, stop: &AtomicBool) {
    if matches!(reply, Reply::Reset) {
        // Closing with unread bytes in the buffer resets the connection.
        std::thread::sleep(Duration::from_millis(50));
        return;
    }
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let head: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let mut words = first.split(' ').map(str::to_owned);
    let (verb, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    seen.lock().unwrap().push(Seen { verb, target, head: head.join("\n") });
    let open = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<EnumerationResults><Blobs>";
    let going_on = || !stop.load(Ordering::SeqCst);
    match reply {
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Reply::Stall => {
            while going_on() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Reply::Endless => {
            let piece = "<Blob><Name>x</Name></Blob>".repeat(4096);
            let mut result = stream.write_all(open);
            while result.is_ok() && going_on() {
                result = stream.write_all(piece.as_bytes());
            }
        }
        Reply::Trickle => {
            let mut result = stream.write_all(open);
            while result.is_ok() && going_on() {
                std::thread::sleep(Duration::from_millis(50));
                result = stream.write_all(b" ");
            }
        }
        Reply::Reset | Reply::Close => {}
    }
}
