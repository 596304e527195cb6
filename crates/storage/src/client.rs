//! The one network client. It knows two verbs and asks the scope before every request.

use crate::open::Endpoints;
use crate::pace::Pace;
use crate::retry::{is_passing, pause};
use crate::store::{StorageError, StorageErrorKind};
use crate::url::{host, joined, origin};
use lidless_core::{Scope, Timestamp, Touch};
use lidless_io::Tally;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Where services are, when not where they usually are.
    pub endpoints: Endpoints,
    /// How the client names itself.
    pub user_agent: String,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for an answer, and for the whole of a body.
    pub read_timeout: Duration,
    /// How often to ask at most.
    pub attempts: u32,
    /// The longest pause a service may ask for.
    pub retry_after_cap: Duration,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            endpoints: Endpoints::default(),
            user_agent: concat!("lidless/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            attempts: 5,
            retry_after_cap: Duration::from_secs(60),
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
    pub(crate) verb: Verb,
    /// The whole URL, credentials included.
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) touch: Touch,
    /// What is asked, for errors: `list the blobs of az://a/b`.
    pub(crate) what: &'a str,
    /// The most of a body that is read.
    pub(crate) limit: u64,
}

/// An answer, read to its end or to the limit.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body went on past the limit, or broke off before the length it announced.
    pub(crate) whole: bool,
}

impl Answer {
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
    pace: Pace,
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
            .timeout_recv_body(Some(settings.read_timeout))
            .timeout_send_request(Some(settings.read_timeout))
            .max_idle_connections_per_host(64)
            .max_idle_connections(256)
            .build();
        let pace = Pace::new(scope.requests_per_second());
        Self {
            agent: ureq::Agent::new_with_config(config),
            scope,
            settings,
            tally: Tally::default(),
            pace,
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

    /// Sends a request, and again while the answer is a passing one.
    ///
    /// # Errors
    /// Out of scope, unreachable, or still busy after every attempt. Any other answer is an
    /// answer.
    pub(crate) fn ask(&self, ask: &Ask<'_>) -> Result<Answer, StorageError> {
        let mut attempt = 1u32;
        loop {
            let last = attempt >= self.settings.attempts.max(1);
            let result = self.follow(ask);
            let retry_after = match &result {
                Ok(answer) if is_passing(answer.status) && !last => {
                    answer.header("retry-after").map(str::to_owned)
                }
                Ok(answer) if is_passing(answer.status) => return Err(busy(ask, answer)),
                Err(error) if error.kind == StorageErrorKind::Unavailable && !last => None,
                _ => return result,
            };
            let salt = self.tally.requests().wrapping_mul(2_654_435_761);
            let wait = pause(attempt, retry_after.as_deref(), self.settings.retry_after_cap, salt);
            tracing::debug!(what = ask.what, attempt, ?wait, "asking again");
            std::thread::sleep(wait);
            attempt = attempt.saturating_add(1);
        }
    }

    /// Sends a request and follows its redirects, each hop within the scope.
    fn follow(&self, ask: &Ask<'_>) -> Result<Answer, StorageError> {
        let mut url = ask.url.clone();
        let mut touch = ask.touch.clone();
        for _ in 0..=REDIRECTS {
            self.scope.allows(&touch, Timestamp::now()).map_err(|denied| StorageError {
                kind: StorageErrorKind::OutOfScope,
                message: denied.reason,
                status: None,
                code: None,
            })?;
            let same_origin = origin(&url) == origin(&ask.url);
            let answer = self.send(ask, &url, same_origin)?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let Some(next) = answer.header("location").and_then(|to| joined(&url, to)) else {
                return Ok(answer);
            };
            touch = if origin(&next) == origin(&ask.url) {
                ask.touch.clone()
            } else {
                Touch { host: host(&next), store: None, path: String::new() }
            };
            url = next;
        }
        Err(StorageError {
            kind: StorageErrorKind::Malformed,
            message: format!("cannot {}: redirected more than {REDIRECTS} times", ask.what),
            status: None,
            code: None,
        })
    }

    fn send(&self, ask: &Ask<'_>, url: &str, credentials: bool) -> Result<Answer, StorageError> {
        self.pace.wait();
        let mut request = match ask.verb {
            Verb::Get => self.agent.get(url),
            Verb::Head => self.agent.head(url),
        };
        // Headers may carry a signature; another origin does not get to see them.
        for (name, value) in ask.headers.iter().filter(|_| credentials) {
            request = request.header(*name, value);
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
        if ask.verb == Verb::Get {
            let reader = response.body_mut().with_config().limit(u64::MAX).reader();
            match reader.take(ask.limit.saturating_add(1)).read_to_end(&mut body) {
                Ok(_) => {}
                Err(error) if body.is_empty() => {
                    return Err(StorageError {
                        kind: StorageErrorKind::Unavailable,
                        message: format!("cannot {}: {}", ask.what, clean(&error.to_string())),
                        status: Some(status),
                        code: None,
                    });
                }
                Err(_) => whole = false,
            }
            let read = u64::try_from(body.len()).unwrap_or(u64::MAX);
            self.tally.add(read.min(ask.limit), 0);
            if read > ask.limit {
                whole = false;
                body.truncate(usize::try_from(ask.limit).unwrap_or(usize::MAX));
            }
        }
        Ok(Answer { status, headers, body, whole })
    }
}

fn busy(ask: &Ask<'_>, answer: &Answer) -> StorageError {
    StorageError {
        kind: StorageErrorKind::Busy,
        message: format!(
            "cannot {}: the service answers {} again and again",
            ask.what, answer.status
        ),
        status: Some(answer.status),
        code: answer.header("x-ms-error-code").map(str::to_owned),
    }
}

fn unreachable(ask: &Ask<'_>, error: &ureq::Error) -> StorageError {
    let (kind, why) = match error {
        ureq::Error::HostNotFound => (StorageErrorKind::NotFound, "no such host".to_owned()),
        ureq::Error::Timeout(_) => (StorageErrorKind::Unavailable, "no answer in time".to_owned()),
        ureq::Error::ConnectionFailed => {
            (StorageErrorKind::Unavailable, "no connection".to_owned())
        }
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            (StorageErrorKind::Unavailable, "connection refused".to_owned())
        }
        ureq::Error::Io(error) => (StorageErrorKind::Unavailable, clean(&error.to_string())),
        // The URL is in this one, and in the URL the credential.
        ureq::Error::BadUri(_) => (StorageErrorKind::Malformed, "the URL is malformed".to_owned()),
        ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => {
            (StorageErrorKind::Malformed, "the answer is not HTTP that is understood".to_owned())
        }
        other => (StorageErrorKind::Unavailable, clean(&other.to_string())),
    };
    StorageError { kind, message: format!("cannot {}: {why}", ask.what), status: None, code: None }
}

/// An error of a library without anything that could be a URL.
fn clean(text: &str) -> String {
    text.split_whitespace()
        .map(|word| if word.contains("://") || word.contains("sig=") { "[address]" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect()
}
