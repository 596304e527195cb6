//! The one network client. It knows two verbs and asks the scope before every request.

use crate::allowance::Allowance;
use crate::open::Endpoints;
use crate::pace::{Outcome, Pace, Throttled};
use crate::retry::{is_passing, is_throttled, pause};
use crate::store::{StorageError, StorageErrorKind};
use crate::trail::{Sent, Trail};
use crate::url::{joined, origin, resolved};
use lidless_core::{Scope, Timestamp, Touch};
use lidless_io::Tally;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Where services are, when not where they usually are.
    pub endpoints: Endpoints,
    /// How the client names itself.
    pub user_agent: String,
    /// What the ids of requests begin with: the run they belong to.
    pub run: String,
    /// Where every request is noted.
    pub trail: Option<Arc<dyn Trail>>,
    /// Requests a second at most, beside what the scope says.
    pub rate: Option<u32>,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for an answer, and for each next part of it; the whole of a body may
    /// take five times as long.
    pub read_timeout: Duration,
    /// How often to ask at most. An account that says it is too much (429, 503) is asked for
    /// longer: eight times the longest pause it may ask for.
    pub attempts: u32,
    /// The longest pause a service may ask for.
    pub retry_after_cap: Duration,
    /// Whether requests to buckets of AWS say that whoever asks will pay for them.
    pub requester_pays: bool,
    /// How many requests may be sent, and for how long.
    pub allowance: Allowance,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            endpoints: Endpoints::default(),
            user_agent: concat!("lidless/", env!("CARGO_PKG_VERSION")).to_owned(),
            run: "run".to_owned(),
            trail: None,
            rate: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            attempts: 5,
            retry_after_cap: Duration::from_secs(60),
            requester_pays: false,
            allowance: Allowance::default(),
        }
    }
}

/// The two things that are ever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Headers and body.
    Get,
    /// Headers alone.
    Head,
}

/// One request. Neither its URL nor its headers are ever shown.
pub(crate) struct Ask<'a> {
    /// What a URL that a redirect names would touch.
    pub(crate) locate: &'a dyn Fn(&str) -> Touch,
    /// Only a part (206) is of use: the body of a whole answer (200) is not read.
    pub(crate) part_only: bool,
    pub(crate) verb: Verb,
    /// The whole URL, credentials included.
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) touch: Touch,
    /// What is asked, for errors: `list the blobs of az://a/b`.
    pub(crate) what: &'a str,
    /// The most of a good answer's body that is read.
    pub(crate) limit: u64,
}

/// The most of a refusal's body that is read: its code and its reason stand at the start.
const REFUSAL_LIMIT: u64 = 64 << 10;

/// A request that got no answer.
pub(crate) struct Failure {
    pub(crate) error: StorageError,
    /// Asking again may help.
    passing: bool,
}

/// How one request is told from all others.
struct Named<'a> {
    id: &'a str,
    attempt: u32,
    /// The rule of the scope that allowed it.
    rule: &'a str,
    /// Its path may hold a secret, too.
    hide_path: bool,
}

/// How often the longest pause is waited for an account that says it is too much.
const PATIENCE: u32 = 8;
/// The header that Azure keeps in its logs (`clientRequestId`).
const REQUEST_ID: &str = "x-ms-client-request-id";

/// An answer, read to its end or to the limit.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// False when the body goes on past the limit.
    pub(crate) whole: bool,
}

impl Answer {
    /// The service's error code, from the header or the body; letters and digits only.
    pub(crate) fn code(&self) -> Option<String> {
        let plain = |text: &str| {
            let fits =
                (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
            fits.then(|| text.to_owned())
        };
        self.header("x-ms-error-code").and_then(plain).or_else(|| {
            let body = String::from_utf8_lossy(&self.body);
            if let Some((_, rest)) = body.split_once("<Code>") {
                return plain(rest.split('<').next()?);
            }
            // Some services answer in JSON: `{"error":{"code":"ResourceNotFound",...}}`.
            let (_, rest) = body.split_once("\"code\":\"")?;
            plain(rest.split('"').next()?)
        })
    }

    /// The first header of a name, lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A network client bound to a scope.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    scope: Arc<Scope>,
    settings: ClientSettings,
    tally: Tally,
    pace: Arc<Pace>,
    /// Number of the next request.
    next: Arc<AtomicU64>,
}

/// Redirects followed at most, each within the scope.
const REDIRECTS: usize = 5;

impl Client {
    /// A client that may touch what `scope` allows.
    pub fn new(scope: Arc<Scope>, settings: ClientSettings) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy from the environment would send credentials through a third party.
            .proxy(None)
            .user_agent(settings.user_agent.clone())
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_recv_response(Some(settings.read_timeout))
            .timeout_per_read(Some(settings.read_timeout))
            // Bounds a server that sends a byte now and then.
            .timeout_recv_body(Some(settings.read_timeout.saturating_mul(5)))
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_send_request(Some(settings.read_timeout))
            .max_idle_connections_per_host(64)
            .max_idle_connections(256)
            .build();
        let ceilings = [scope.requests_per_second(), settings.rate];
        let ceiling = ceilings.into_iter().flatten().min();
        let pace = Pace::new(ceiling, settings.retry_after_cap);
        Self {
            agent: ureq::Agent::new_with_config(config),
            scope,
            settings,
            tally: Tally::default(),
            pace: Arc::new(pace),
            next: Arc::new(AtomicU64::new(1)),
        }
    }

    /// The same as one of two clients of a run, which differ in scope: they share their pace,
    /// what they count, and the numbers of their requests.
    #[must_use]
    pub fn beside(self, other: &Self) -> Self {
        Self {
            tally: other.tally.clone(),
            pace: Arc::clone(&other.pace),
            next: Arc::clone(&other.next),
            ..self
        }
    }

    /// Bytes of bodies received and requests sent so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally.clone()
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.settings.endpoints
    }

    /// The accounts that asked to slow down, and how often.
    #[must_use]
    pub fn throttled(&self) -> Vec<(String, Throttled)> {
        self.pace.throttled()
    }

    /// A new id for a request, for a header that has to be signed. Requests without one get one.
    pub(crate) fn request_id(&self) -> (&'static str, String) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (REQUEST_ID, format!("{}-{number:08x}", self.settings.run))
    }

    /// Sends a request, and again while the answer is a passing one. An account that says it is
    /// too much is asked more slowly, and for longer than one that is broken.
    ///
    /// # Errors
    /// Out of scope, unreachable, or still busy after every attempt. Any other answer is an
    /// answer.
    pub(crate) fn ask(&self, ask: &Ask<'_>) -> Result<Answer, StorageError> {
        let own = ask.headers.iter().find(|(name, _)| *name == REQUEST_ID);
        let id = own.map_or_else(|| self.request_id().1, |(_, id)| id.clone());
        let lane = self.pace.lane(&ask.touch);
        let patience = self.settings.retry_after_cap.saturating_mul(PATIENCE);
        let mut busy_since: Option<Instant> = None;
        let mut attempt = 1u32;
        loop {
            let last = attempt >= self.attempts();
            let entered = lane.enter();
            let result = self.follow(ask, &id, attempt);
            let outcome = match &result {
                Ok(answer) if is_throttled(answer.status) => {
                    Outcome::Throttled(answer.header("retry-after"))
                }
                Ok(answer) if !is_passing(answer.status) => Outcome::Good,
                _ => Outcome::Failed,
            };
            let (good, throttled) =
                (outcome == Outcome::Good, matches!(outcome, Outcome::Throttled(_)));
            lane.leave(entered, outcome);
            match result {
                Ok(answer) if good => return Ok(answer),
                Ok(answer) if throttled => {
                    let since = *busy_since.get_or_insert(entered);
                    if self.attempts() == 1 || since.elapsed() >= patience {
                        return Err(busy(ask, &answer));
                    }
                    // The lane makes everybody wait, this request included.
                    attempt = attempt.saturating_add(1);
                    continue;
                }
                Ok(answer) if last => return Err(busy(ask, &answer)),
                Err(failure) if last || !failure.passing => return Err(failure.error),
                _ => {}
            }
            let wait = pause(attempt, None, self.settings.retry_after_cap);
            tracing::debug!(what = ask.what, attempt, ?wait, "asking again");
            std::thread::sleep(wait);
            attempt = attempt.saturating_add(1);
        }
    }

    /// Whether the user said to pay for buckets for which whoever asks pays.
    pub(crate) fn pays(&self) -> bool {
        self.settings.requester_pays
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.settings.attempts.max(1)
    }

    pub(crate) fn retry_after_cap(&self) -> Duration {
        self.settings.retry_after_cap
    }

    /// Sends a request once and follows nothing. The second part of an error says whether asking
    /// again may help.
    pub(crate) fn ask_once(&self, ask: &Ask<'_>) -> Result<Answer, (StorageError, bool)> {
        let rule = self.in_scope(&ask.touch).map_err(|error| (error, false))?;
        let (_, id) = self.request_id();
        let named = Named { id: &id, attempt: 1, rule: &rule, hide_path: true };
        self.send(ask, &ask.url, true, &named).map_err(|failure| (failure.error, failure.passing))
    }

    /// Sends a request and follows its redirects, each hop within the scope.
    fn follow(&self, ask: &Ask<'_>, id: &str, attempt: u32) -> Result<Answer, Failure> {
        let mut url = ask.url.clone();
        let mut touch = ask.touch.clone();
        for _ in 0..=REDIRECTS {
            let rule = self.in_scope(&touch).map_err(|error| Failure { error, passing: false })?;
            let same_origin = origin(&url) == origin(&ask.url);
            let named = Named { id, attempt, rule: &rule, hide_path: false };
            let answer = self.send(ask, &url, same_origin, &named)?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let Some(next) = answer.header("location").and_then(|to| joined(&url, to)) else {
                return Ok(answer);
            };
            touch = (ask.locate)(&next);
            url = next;
        }
        let why = format!("redirected more than {REDIRECTS} times");
        Err(failure(ask, StorageErrorKind::Malformed, &why, false))
    }

    /// Asks the scope: for the path as it is written and as a server may resolve it. Gives the
    /// rule that allows it as it is written.
    fn in_scope(&self, touch: &Touch) -> Result<String, StorageError> {
        let now = Timestamp::now();
        let allowed = |touch: &Touch| {
            self.scope.allowed_by(touch, now).map_err(|denied| StorageError {
                kind: StorageErrorKind::OutOfScope,
                message: denied.reason,
                status: None,
                code: None,
            })
        };
        let rule = allowed(touch)?;
        if let Some(path) = resolved(&touch.path) {
            allowed(&Touch { path, ..touch.clone() })?;
        }
        Ok(rule)
    }

    /// Sends one request and notes it in the trail, whatever comes of it.
    fn send(
        &self,
        ask: &Ask<'_>,
        url: &str,
        credentials: bool,
        named: &Named<'_>,
    ) -> Result<Answer, Failure> {
        self.settings
            .allowance
            .take()
            .map_err(|spent| failure(ask, StorageErrorKind::OutOfBudget, spent.words(), false))?;
        self.pace.wait();
        let (time, begun) = (Timestamp::now(), Instant::now());
        let mut bytes = 0;
        let result = self.transfer(ask, url, credentials, named.id, &mut bytes);
        if let Some(trail) = &self.settings.trail {
            let sent = Sent {
                time,
                verb: ask.verb,
                url,
                hide_path: named.hide_path,
                rule: named.rule,
                id: named.id,
                attempt: named.attempt,
                bytes,
                took: begun.elapsed(),
            };
            trail.note(sent.record(&result));
        }
        result
    }

    fn transfer(
        &self,
        ask: &Ask<'_>,
        url: &str,
        credentials: bool,
        id: &str,
        bytes: &mut u64,
    ) -> Result<Answer, Failure> {
        let mut request = match ask.verb {
            Verb::Get => self.agent.get(url),
            Verb::Head => self.agent.head(url),
        };
        // Headers may carry a signature; another origin does not get to see them.
        for (name, value) in ask.headers.iter().filter(|_| credentials) {
            request = request.header(*name, value);
        }
        if !credentials || !ask.headers.iter().any(|(name, _)| *name == REQUEST_ID) {
            // Other services log no header of ours but this one.
            let agent = format!("{} request/{id}", self.settings.user_agent);
            request = request.header("user-agent", agent);
        }
        self.tally.add(0, 1);
        let mut response = request.call().map_err(|error| unreachable(ask, &error))?;
        let status = response.status().as_u16();
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let mut body = Vec::new();
        let mut whole = true;
        let limit = match status {
            200 if ask.part_only => 0,
            200..=299 => ask.limit,
            _ => REFUSAL_LIMIT,
        };
        if ask.verb == Verb::Get && limit > 0 {
            let reader = response.body_mut().with_config().limit(u64::MAX).reader();
            let result = reader.take(limit.saturating_add(1)).read_to_end(&mut body);
            let read = u64::try_from(body.len()).unwrap_or(u64::MAX);
            *bytes = read.min(limit);
            self.tally.add(*bytes, 0);
            if let Err(error) = result {
                return Err(broken(ask, &error, read));
            }
            whole = read <= limit;
            body.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Ok(Answer { status, headers, body, whole })
    }
}

fn failure(ask: &Ask<'_>, kind: StorageErrorKind, why: &str, passing: bool) -> Failure {
    let message = format!("cannot {}: {why}", ask.what);
    Failure { error: StorageError { kind, message, status: None, code: None }, passing }
}

/// A body that stopped before its end.
fn broken(ask: &Ask<'_>, error: &std::io::Error, read: u64) -> Failure {
    let timed_out = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ureq::Error>())
        .is_some_and(|inner| matches!(inner, ureq::Error::Timeout(_)));
    if timed_out || error.kind() == std::io::ErrorKind::TimedOut {
        let why = format!("the answer stalled after {read} bytes");
        return failure(ask, StorageErrorKind::Unavailable, &why, true);
    }
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        let why = format!("the answer ends after {read} bytes, before the length it announced");
        return failure(ask, StorageErrorKind::Malformed, &why, true);
    }
    let why = format!("the answer broke off after {read} bytes: {}", error.kind());
    failure(ask, StorageErrorKind::Unavailable, &why, true)
}

fn busy(ask: &Ask<'_>, answer: &Answer) -> StorageError {
    StorageError {
        kind: StorageErrorKind::Busy,
        message: format!(
            "cannot {}: the service answers {} again and again",
            ask.what, answer.status
        ),
        status: Some(answer.status),
        code: answer.code(),
    }
}

/// A request that got no answer at all. What the libraries say is not repeated where it may hold
/// the URL, and in the URL the credential.
fn unreachable(ask: &Ask<'_>, error: &ureq::Error) -> Failure {
    use StorageErrorKind::{Malformed, NotFound, Unavailable};
    let (kind, why, passing) = match error {
        ureq::Error::HostNotFound => (NotFound, "no such host".to_owned(), false),
        ureq::Error::Timeout(_) => (Unavailable, "no answer in time".to_owned(), true),
        ureq::Error::ConnectionFailed => (Unavailable, "no connection".to_owned(), true),
        ureq::Error::Io(error) => from_io(error),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => (
            Unavailable,
            "no secure connection: the certificate is not trusted, or the server speaks no TLS"
                .to_owned(),
            false,
        ),
        ureq::Error::BadUri(_) => (Malformed, "the URL is malformed".to_owned(), false),
        ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => {
            (Malformed, "the answer is not HTTP that is understood".to_owned(), false)
        }
        _ => (Unavailable, "the connection failed".to_owned(), true),
    };
    failure(ask, kind, &why, passing)
}

fn from_io(error: &std::io::Error) -> (StorageErrorKind, String, bool) {
    let text = error.to_string();
    // The resolver has no error kinds; these are the words of glibc, musl, macOS and Windows.
    if text.contains("lookup address") || text.contains("No such host") {
        return if text.contains("emporary") || text.contains("ry again") {
            (StorageErrorKind::Unavailable, "the name service does not answer".to_owned(), true)
        } else {
            (StorageErrorKind::NotFound, "no such host".to_owned(), false)
        };
    }
    // Certificate errors arrive wrapped; asking again does not mend them.
    let passing = error.kind() != std::io::ErrorKind::InvalidData;
    let why = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        std::io::ErrorKind::InvalidData => "no secure connection could be made".to_owned(),
        kind => kind.to_string(),
    };
    (StorageErrorKind::Unavailable, why, passing)
}
