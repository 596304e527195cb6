//! The server: threads, sockets, connections that are kept.

use crate::account::Account;
use crate::contents::Contents;
use crate::fault::{Fault, Plan};
use crate::refusal::Refusal;
use crate::request::{HEAD_LIMIT, ParseOutcome, Request, parse_request};
use crate::service::Service;
use jiff::Timestamp;
use std::collections::HashMap;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Connections at once: more than a client of this machine needs, and an end.
const CONNECTIONS: usize = 256;
/// How long a connection may say nothing, or take nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an unwanted body that are read so that the refusal arrives.
const DRAIN: u64 = 1 << 20;

/// A running replica: loopback only, read only, stopped on drop.
///
/// It listens on a free port of 127.0.0.1, with one thread a connection.
#[derive(Debug)]
pub struct Replica {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    service: Service,
    delay: Duration,
    plan: Box<Plan>,
    stop: AtomicBool,
    requests: AtomicU64,
    violations: AtomicU64,
    bytes_sent: AtomicU64,
    connections: Mutex<HashMap<u64, TcpStream>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "replica of {}", self.service.account.name)
    }
}

impl Replica {
    /// Starts to serve `contents` as `account`; `now` is the service's clock.
    ///
    /// # Errors
    /// When no port of the loopback interface can be listened on, or no thread be started.
    pub fn start(
        account: Account,
        contents: Contents,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_far(account, contents, now, Duration::ZERO)
    }

    /// As [`Replica::start`], with `delay` before each answer, as if it were far away.
    ///
    /// # Errors
    /// As [`Replica::start`].
    pub fn start_far(
        account: Account,
        contents: Contents,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        delay: Duration,
    ) -> io::Result<Self> {
        Self::start_with(account, contents, now, delay, |_, _| None)
    }

    /// As [`Replica::start`], with `plan` to say what goes wrong.
    ///
    /// # Errors
    /// As [`Replica::start`].
    pub fn start_faulty(
        account: Account,
        contents: Contents,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        plan: impl Fn(u64, &Request) -> Option<Fault> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_with(account, contents, now, Duration::ZERO, plan)
    }

    fn start_with(
        account: Account,
        contents: Contents,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        delay: Duration,
        plan: impl Fn(u64, &Request) -> Option<Fault> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let endpoint = format!("http://{address}/{}/", account.name);
        let shared = Arc::new(Shared {
            service: Service { account, contents, endpoint, now: Box::new(now) },
            delay,
            plan: Box::new(plan),
            stop: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            violations: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            connections: Mutex::new(HashMap::new()),
        });
        let acceptor = std::thread::Builder::new().name("replica".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        })?;
        tracing::debug!(%address, "replica listens");
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// Where it listens: `http://127.0.0.1:PORT`. The account's name is the first segment of every
    /// path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Requests answered so far, refused ones included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Bytes of bodies sent so far.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.shared.bytes_sent.load(Ordering::Relaxed)
    }

    /// Requests so far with a verb other than GET or HEAD, or with a body: what a read-only client
    /// never sends.
    #[must_use]
    pub fn violations(&self) -> u64 {
        self.shared.violations.load(Ordering::Relaxed)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // The acceptor waits for a connection: it gets one.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        for stream in self.shared.open().values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut number: u64 = 0;
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = stream else { continue };
        let Ok(twin) = stream.try_clone() else {
            continue;
        };
        number = number.wrapping_add(1);
        {
            let mut open = shared.open();
            if open.len() >= CONNECTIONS {
                continue;
            }
            open.insert(number, twin);
        }
        threads.retain(|thread| !thread.is_finished());
        let spawned = std::thread::Builder::new().name(format!("replica-{number}")).spawn({
            let shared = Arc::clone(shared);
            move || {
                let _ = serve(stream, &shared);
                shared.open().remove(&number);
            }
        });
        match spawned {
            Ok(thread) => threads.push(thread),
            Err(_) => {
                shared.open().remove(&number);
            }
        }
    }
    // A connection accepted while the stop was on its way is closed here.
    for stream in shared.open().values() {
        let _ = stream.shutdown(Shutdown::Both);
    }
    for thread in threads {
        let _ = thread.join();
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let peer = stream.peer_addr()?.ip();
    let mut buffer: Vec<u8> = Vec::with_capacity(4096);
    loop {
        let request = match parse_request(&buffer) {
            ParseOutcome::Complete(request) => request,
            ParseOutcome::Partial => {
                let mut chunk = [0; 4096];
                let got = stream.read(&mut chunk)?;
                if got == 0 || shared.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                buffer.extend_from_slice(chunk.get(..got).unwrap_or_default());
                continue;
            }
            ParseOutcome::Refused(status) => return refuse(&mut stream, shared, status),
        };
        let body = request.body_bytes();
        let keep = request.keep_alive && body == 0;
        answer(&mut stream, shared, &request, peer, keep)?;
        if !keep {
            let read = buffer.len().saturating_sub(request.head_bytes);
            drain(&mut stream, body.saturating_sub(u64::try_from(read).unwrap_or(0)));
            return Ok(());
        }
        buffer.drain(..request.head_bytes.min(HEAD_LIMIT));
    }
}

fn answer(
    stream: &mut TcpStream,
    shared: &Shared,
    request: &Request,
    peer: IpAddr,
    keep: bool,
) -> io::Result<()> {
    let number = shared.requests.fetch_add(1, Ordering::Relaxed);
    if !matches!(request.method.as_str(), "GET" | "HEAD") || request.body_bytes() > 0 {
        shared.violations.fetch_add(1, Ordering::Relaxed);
    }
    std::thread::sleep(shared.delay);
    let mut response = shared.service.answer(request, peer, number);
    let fault = (shared.plan)(number, request);
    if let Some(fault) = fault {
        response = fault.apply(response).ok_or(io::ErrorKind::ConnectionReset)?;
    }
    if !keep {
        response.headers.push(("Connection", "close".to_owned()));
    }
    let with_body = request.method != "HEAD";
    if fault == Some(Fault::Short) {
        return response.write_half(stream);
    }
    response.write(stream, with_body, &shared.bytes_sent, &shared.stop)
}

fn refuse(stream: &mut TcpStream, shared: &Shared, status: u16) -> io::Result<()> {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let mut response =
        Refusal::new(status, "InvalidInput", "One of the request inputs is not valid.")
            .into_response("00000000-0000-0000-0000-000000000000", (shared.service.now)());
    response.headers.push(("Connection", "close".to_owned()));
    response.write(stream, true, &shared.bytes_sent, &shared.stop)?;
    drain(stream, DRAIN);
    Ok(())
}

/// Reads what the client still sends, so that closing does not take the answer away from it.
fn drain(stream: &mut TcpStream, body: u64) {
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    let mut left = body.min(DRAIN);
    let mut chunk = [0; 4096];
    while left > 0 {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(got) => left = left.saturating_sub(u64::try_from(got).unwrap_or(left)),
        }
    }
}
