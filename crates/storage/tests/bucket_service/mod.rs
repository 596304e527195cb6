//! A small Cloud Storage: the JSON interface's listings, objects, media and permissions, for
//! strangers, for one access token, and for tokens that one service account signed itself.
//!
//! Source: the reference of the JSON interface, version 1. It checks signatures, times and scopes,
//! so that a client which gets them wrong is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lidless_core::{Object, ObjectVersion};
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::signature::Verifier as _;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Random enough for a key that opens nothing.
struct Dice(u64);

impl TryRng for Dice {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
        for part in to.chunks_mut(8) {
            let bytes = self.try_next_u64()?.to_le_bytes();
            part.copy_from_slice(&bytes[..part.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Dice {}

/// A key from a seed: the same for the same.
pub fn private_key(seed: u64) -> rsa::PrivateKey {
    rsa::PrivateKey::new(&mut Dice(seed), 1024).unwrap()
}

#[derive(Debug, Clone)]
pub struct Kept {
    pub bucket: String,
    pub name: String,
    pub bytes: Vec<u8>,
    pub generation: u64,
    /// It was replaced, and is kept.
    pub is_old: bool,
    /// It was deleted, and is kept for some days.
    pub is_deleted: bool,
    /// It is encrypted with a key that only its owner has.
    pub is_locked: bool,
}

impl Kept {
    pub fn new(bucket: &str, name: &str, bytes: &[u8]) -> Self {
        let (bucket, name) = (bucket.to_owned(), name.to_owned());
        Self {
            bucket,
            name,
            bytes: bytes.to_vec(),
            generation: 17,
            is_old: false,
            is_deleted: false,
            is_locked: false,
        }
    }
}

struct State {
    token: String,
    email: String,
    key: rsa::PublicKey,
    objects: Vec<Kept>,
    verbs: Mutex<Vec<String>>,
    stop: AtomicBool,
}

pub struct BucketService {
    port: u16,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

enum Caller {
    Nobody,
    Reader,
    Unknown,
}

struct Reply {
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl BucketService {
    pub fn start(token: &str, email: &str, key: rsa::PublicKey, mut objects: Vec<Kept>) -> Self {
        objects.sort_by(|a, b| (&a.name, a.generation).cmp(&(&b.name, b.generation)));
        let state = Arc::new(State {
            token: token.to_owned(),
            email: email.to_owned(),
            key,
            objects,
            verbs: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let here = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if here.stop.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&here);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { port, state, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The verbs of all requests so far.
    pub fn verbs(&self) -> Vec<String> {
        self.state.verbs.lock().unwrap().clone()
    }

    /// The bytes of what was listed.
    pub fn kept(&self, object: &Object) -> Vec<u8> {
        let is_old = matches!(object.version, Some(ObjectVersion::Version(_)));
        let kept = |it: &&Kept| it.name == object.key && it.is_old == is_old;
        self.state.objects.iter().find(kept).unwrap().bytes.clone()
    }
}

impl Drop for BucketService {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().unwrap().join();
    }
}

fn serve(mut stream: TcpStream, state: &State) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let head: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let header = |name: &str| {
        head.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let mut words = first.split(' ');
    let (verb, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    state.verbs.lock().unwrap().push(verb.to_owned());
    let caller = state.caller(header("authorization").as_deref());
    let answer = state.answer(&caller, target, header("range").as_deref());
    let mut text = format!("HTTP/1.1 {} Said\r\nConnection: close\r\n", answer.status);
    for line in &answer.headers {
        text.push_str(&format!("{line}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
    let _ = stream.write_all(&[text.as_bytes(), &answer.body].concat());
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn refusal(status: u16, reason: &str) -> Reply {
    let body = json!({"error": {"code": status, "errors": [{"reason": reason}]}});
    Reply { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

fn document(value: &Value) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: value.to_string().into_bytes() }
}

fn shown(object: &Kept) -> Value {
    let mut value = json!({
        "kind": "storage#object",
        "name": object.name,
        "bucket": object.bucket,
        "size": object.bytes.len().to_string(),
        "generation": object.generation.to_string(),
        "storageClass": "STANDARD",
        "updated": "2026-11-24T10:00:00.000Z",
        "timeCreated": "2026-11-24T10:00:00.000Z",
    });
    if object.is_old {
        value["timeDeleted"] = "2026-11-25T10:00:00.000Z".into();
    }
    if object.is_deleted {
        value["softDeleteTime"] = "2026-11-25T10:00:00.000Z".into();
        value["hardDeleteTime"] = "2026-12-02T10:00:00.000Z".into();
    }
    if object.is_locked {
        value["customerEncryption"] = json!({"encryptionAlgorithm": "AES256", "keySha256": "q="});
    }
    value
}

impl State {
    fn caller(&self, authorization: Option<&str>) -> Caller {
        let Some(authorization) = authorization else { return Caller::Nobody };
        let Some(bearer) = authorization.strip_prefix("Bearer ") else { return Caller::Unknown };
        if bearer == self.token || self.is_signed(bearer).is_some() {
            Caller::Reader
        } else {
            Caller::Unknown
        }
    }

    /// Whether the service account signed a token for reading that is good now.
    fn is_signed(&self, bearer: &str) -> Option<()> {
        let (text, signature) = bearer.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signature = Signature::try_from(signature.as_slice()).ok()?;
        let key = VerifyingKey::<Sha256>::new(self.key.clone());
        key.verify(text.as_bytes(), &signature).ok()?;
        let (header, claims) = text.split_once('.')?;
        let part = |text: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
        };
        let (header, claims) = (part(header)?, part(claims)?);
        let now = lidless_core::Timestamp::now().as_second();
        let (from, to) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?);
        let fits = header["alg"] == "RS256"
            && header["kid"] == "k1"
            && claims["iss"] == self.email.as_str()
            && claims["sub"] == claims["iss"]
            && claims["scope"] == "https://www.googleapis.com/auth/devstorage.read_only"
            && (from..to).contains(&now)
            && to - from <= 3600;
        fits.then_some(())
    }

    fn answer(&self, caller: &Caller, target: &str, range: Option<&str>) -> Reply {
        if matches!(caller, Caller::Unknown) {
            return refusal(401, "authError");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parameters: Vec<(String, String)> = query
            .split('&')
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        let get = |wanted: &str| {
            let mut found = parameters.iter().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.as_str())
        };
        let is_reader = matches!(caller, Caller::Reader);
        let parts: Vec<String> = path.split('/').skip(1).map(decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let ["storage", "v1", "b", rest @ ..] = parts.as_slice() else {
            return refusal(404, "notFound");
        };
        let Some(bucket) = rest.first() else {
            if !is_reader || get("project") != Some("contoso-lab") {
                return refusal(if is_reader { 403 } else { 401 }, "required");
            }
            let items = [json!({"name": "models"}), json!({"name": "open"})];
            return document(&json!({"kind": "storage#buckets", "items": items}));
        };
        if !["models", "open"].contains(bucket) {
            return refusal(404, "notFound");
        }
        if rest.get(1..) == Some(&["iam", "testPermissions"][..]) {
            let held: &[&str] = match (is_reader, *bucket) {
                (true, "open") => {
                    &["objects.list", "objects.get", "buckets.get", "buckets.getIamPolicy"]
                }
                (true, _) => &["objects.list", "objects.get", "objects.create"],
                (false, "open") => &["objects.list", "objects.get"],
                (false, _) => &[],
            };
            let asked = parameters.iter().map(|(_, value)| value.as_str());
            let held: Vec<_> = asked
                .filter(|one| held.iter().any(|held| *one == format!("storage.{held}")))
                .collect();
            let mut value = json!({"kind": "storage#testIamPermissionsResponse"});
            if !held.is_empty() {
                value["permissions"] = held.into();
            }
            return document(&value);
        }
        if is_reader && *bucket == "open" {
            if rest.len() == 1 {
                return document(&json!({"kind": "storage#bucket", "iamConfiguration": {
                    "publicAccessPrevention": "inherited",
                    "uniformBucketLevelAccess": {"enabled": true}}}));
            }
            if rest.get(1..) == Some(&["iam"][..]) {
                return document(&json!({"kind": "storage#policy", "bindings": [
                    {"role": "roles/storage.objectViewer", "members": ["allUsers"]},
                    {"role": "roles/storage.objectCreator", "members": ["allAuthenticatedUsers"]}]}));
            }
        }
        if !is_reader && *bucket != "open" {
            return refusal(401, "required");
        }
        match rest.get(1..) {
            Some(["o"]) => self.page(bucket, &get),
            Some(["o", name]) => self.object(bucket, name, &get, range),
            _ => refusal(404, "notFound"),
        }
    }

    fn page<'a>(&self, bucket: &str, get: &dyn Fn(&str) -> Option<&'a str>) -> Reply {
        // Objects and folded prefixes share a page.
        let mut listed: Vec<(String, Option<Value>)> = Vec::new();
        let prefix = get("prefix").unwrap_or("");
        let from: usize = get("pageToken").map_or(0, |token| token.parse().unwrap());
        let most: usize = get("maxResults").map_or(1000, |most| most.parse().unwrap());
        let with_old = get("versions") == Some("true");
        let deleted = get("softDeleted") == Some("true");
        if with_old && deleted {
            return refusal(400, "invalid");
        }
        let (start, end) = (get("startOffset").unwrap_or(""), get("endOffset"));
        let mut prefixes = BTreeSet::new();
        let mut items = Vec::new();
        for object in &self.objects {
            let fits = object.bucket == bucket && object.name.starts_with(prefix);
            let in_range =
                object.name.as_str() >= start && end.is_none_or(|end| object.name.as_str() < end);
            if !fits || (object.is_old && !with_old) || object.is_deleted != deleted || !in_range {
                continue;
            }
            let rest = &object.name[prefix.len()..];
            match rest.split_once('/').filter(|_| get("delimiter").is_some()) {
                Some((folder, _)) => {
                    let folder = format!("{prefix}{folder}/");
                    if !listed.iter().any(|(name, _)| *name == folder) {
                        listed.push((folder, None));
                    }
                }
                None => listed.push((object.name.clone(), Some(shown(object)))),
            }
        }
        let next = (from + most < listed.len()).then(|| (from + most).to_string());
        for (name, item) in listed.into_iter().skip(from).take(most) {
            match item {
                Some(item) => items.push(item),
                None => drop(prefixes.insert(name)),
            }
        }
        let mut value = json!({"kind": "storage#objects", "items": items});
        if !prefixes.is_empty() {
            value["prefixes"] = prefixes.into_iter().collect();
        }
        if let Some(next) = next {
            value["nextPageToken"] = next.into();
        }
        document(&value)
    }

    fn object<'a>(
        &self,
        bucket: &str,
        name: &str,
        get: &dyn Fn(&str) -> Option<&'a str>,
        range: Option<&str>,
    ) -> Reply {
        let found = self.objects.iter().find(|object| {
            let fits = match get("generation") {
                Some(generation) => generation == object.generation.to_string(),
                None => !object.is_old,
            };
            fits && !object.is_deleted && object.bucket == bucket && object.name == name
        });
        let Some(object) = found else { return refusal(404, "notFound") };
        if get("alt") != Some("media") {
            return document(&shown(object));
        }
        if object.is_locked {
            return refusal(400, "resourceIsEncryptedWithCustomerEncryptionKey");
        }
        let generation = format!("X-Goog-Generation: {}", object.generation);
        let size = object.bytes.len();
        let Some((first, last)) =
            range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'))
        else {
            return Reply { status: 200, headers: vec![generation], body: object.bytes.clone() };
        };
        let first: usize = first.parse().unwrap();
        if first >= size {
            return refusal(416, "requestedRangeNotSatisfiable");
        }
        let last = last.parse::<usize>().unwrap().min(size - 1);
        let told = format!("Content-Range: bytes {first}-{last}/{size}");
        let body = object.bytes[first..=last].to_vec();
        Reply { status: 206, headers: vec![generation, told], body }
    }
}
