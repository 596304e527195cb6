//! Signed URLs and bare tokens around a `sig=` or `Signature=` of flattened text.

use super::flat::Flat;
use super::scan::Candidate;
use crate::azure::AzureSas;
use crate::credential::Credential;
use crate::host::Address;
use crate::presigned::Presigned;
use aho_corasick::AhoCorasick;
use std::ops::Range;
use std::sync::LazyLock;

/// How far from its signature a link may begin or end: the longest URL that services take.
pub(crate) const WINDOW: usize = 4096;

/// Parameters a SAS may begin with when no URL stands before it.
const KEYS: [&str; 31] = [
    "sv", "ss", "srt", "sp", "se", "st", "spr", "sip", "sr", "si", "tn", "sdd", "skoid", "sktid",
    "skt", "ske", "sks", "skv", "ses", "rscc", "rscd", "rsce", "rscl", "rsct", "saoid", "suoid",
    "scid", "spk", "snapshot", "sduoid", "skdutid",
];

/// How many places to try as the end of a link that was put together from lines.
const ENDS: usize = 8;

static MARKS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder().ascii_case_insensitive(true).build(["sig=", "signature="]).ok()
});

/// Everything signed in a flattened text.
pub(crate) fn search(flat: &Flat, original: &str, found: &mut Vec<Candidate>) {
    let Some(marks) = MARKS.as_ref() else { return };
    // Each token has one signature, so what stands before the last one is not of this token;
    // that also keeps the work in proportion to the text.
    let (mut done, mut floor, mut floor_presigned) = (0usize, 0usize, 0usize);
    for mark in marks.find_iter(&flat.text) {
        if mark.start() < done {
            continue;
        }
        let candidate = match mark.pattern().as_usize() {
            0 if !is_parameter(flat, mark.start(), original) => None,
            0 => {
                let before = std::mem::replace(&mut floor, mark.end());
                sas(flat, mark.start(), before, original)
            }
            _ => {
                let before = std::mem::replace(&mut floor_presigned, mark.end());
                presigned(flat, mark.start(), before, original)
            }
        };
        if let Some((range, candidate)) = candidate {
            done = range.end;
            found.push(candidate);
        }
    }
}

type Read = Option<(Range<usize>, Candidate)>;

/// `sig` has to be a parameter of its own, not the end of another word.
fn is_parameter(flat: &Flat, anchor: usize, original: &str) -> bool {
    let word = flat.text.get(..anchor).and_then(|before| before.bytes().next_back());
    !word.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        || flat.is_joined(anchor, original)
}

fn sas(flat: &Flat, anchor: usize, floor: usize, original: &str) -> Read {
    let text = flat.text.as_str();
    let value = anchor.saturating_add(4);
    let length = signature_length(text.get(value..)?)?;
    let signed = value.saturating_add(length);
    let joined = (value..signed).any(|index| flat.is_joined(index, original));
    // Joined from two lines, only padding shows that the two belong together.
    if is_placeholder(text.get(value..signed)?)
        || (joined && !text.get(value..signed)?.ends_with(['=', 'D', 'd']))
    {
        return None;
    }
    let left = left_start(text, anchor, floor);
    let before = text.get(left..anchor)?;
    if let Some(at) = rfind(before, "sharedaccesssignature=") {
        let query = left.saturating_add(at).saturating_add("sharedaccesssignature=".len());
        return connection_string(flat, left, query..signed, original);
    }
    let scheme = scheme_start(before).map(|at| left.saturating_add(at));
    let with_url = scheme.filter(|start| text.get(*start..anchor).is_some_and(|t| t.contains('?')));
    let bare = bare_start(flat, left..anchor, original);
    let length = tail_length(text.get(signed..)?);
    candidates(flat, signed, length, original).into_iter().find_map(|(end, last)| {
        let (range, sas) = match with_url {
            Some(start) => {
                let (url, query) = text.get(start..end)?.split_once('?')?;
                (start..end, AzureSas::parse(Some(Address::parse(url)?), query)?)
            }
            None => (bare..end, AzureSas::parse(None, text.get(bare..end)?)?),
        };
        let form = if sas.address.is_some() { "sas_url" } else { "sas_token" };
        let sane = sas.is_plausible() && sas.address.as_ref().is_none_or(Address::is_plausible);
        (sane || last).then(|| {
            let candidate = Candidate {
                span: flat.span(&range, original),
                form,
                rank: (sane, sas.address.is_some()),
                credential: Credential::AzureSas(sas),
            };
            (range, candidate)
        })
    })
}

/// A connection string names the endpoints and the token apart from each other.
fn connection_string(flat: &Flat, left: usize, query: Range<usize>, original: &str) -> Read {
    let text = flat.text.as_str();
    let end = query.end.saturating_add(tail_length(text.get(query.end..)?));
    let right = text.get(end..)?;
    let right = right
        .get(..right.len().min(WINDOW))
        .unwrap_or(right)
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\' | ','))
        .filter(|_| right.starts_with(';'))
        .or(right.starts_with(';').then_some(right.len()))
        .unwrap_or(0);
    let all = text.get(left..end.saturating_add(right))?.trim_end_matches(['.', ')']);
    let field = |name: &str| {
        all.split(';').find_map(|part| {
            let at = rfind(part, name)?;
            let (key, value) = part.get(at..)?.split_once('=')?;
            (key.len() == name.len()).then_some(value)
        })
    };
    let mut address = ["BlobEndpoint", "FileEndpoint", "QueueEndpoint", "TableEndpoint"]
        .into_iter()
        .find_map(|name| field(name).and_then(Address::parse));
    let name = field("AccountName").map(str::to_ascii_lowercase);
    if address.is_none()
        && let (Some(name), Some(suffix)) = (&name, field("EndpointSuffix"))
    {
        address = Address::parse(&format!("https://{name}.blob.{suffix}"));
    }
    let mut sas = AzureSas::parse(address, text.get(query.start..end)?)?;
    if sas.account.is_none() {
        sas.account = name;
    }
    let first = ["blobendpoint=", "queueendpoint=", "fileendpoint=", "tableendpoint="]
        .into_iter()
        .chain(["accountname=", "defaultendpointsprotocol=", "sharedaccesssignature="])
        .filter_map(|name| all.to_ascii_lowercase().find(name))
        .min()?;
    let range = left.saturating_add(first)..left.saturating_add(all.len());
    let candidate = Candidate {
        span: flat.span(&range, original),
        form: "connection_string",
        rank: (sas.is_plausible(), sas.account.is_some()),
        credential: Credential::AzureSas(sas),
    };
    Some((range, candidate))
}

fn presigned(flat: &Flat, anchor: usize, floor: usize, original: &str) -> Read {
    let text = flat.text.as_str();
    let left = left_start(text, anchor, floor);
    let start = left.saturating_add(scheme_start(text.get(left..anchor)?)?);
    let value = anchor.saturating_add("signature=".len());
    let length = url_length(text.get(value..)?);
    candidates(flat, value, length, original).into_iter().find_map(|(end, last)| {
        let (url, query) = text.get(start..end)?.split_once('?')?;
        let url = Presigned::parse(Address::parse(url)?, query)?;
        let sane = url.is_plausible();
        (sane || last).then(|| {
            let candidate = Candidate {
                span: flat.span(&(start..end), original),
                form: "presigned_url",
                rank: (sane, true),
                credential: Credential::Presigned(url),
            };
            (start..end, candidate)
        })
    })
}

/// Where a link may end, also before a comma: in a list of values the comma is not of the link.
fn candidates(flat: &Flat, from: usize, length: usize, original: &str) -> Vec<(usize, bool)> {
    let mut list = ends(flat, from, length, original);
    let part = flat.text.get(from..from.saturating_add(length)).unwrap_or("");
    if let Some(comma) = part.find(',') {
        for (_, last) in &mut list {
            *last = false;
        }
        list.extend(ends(flat, from, comma, original));
    }
    list
}

/// Where a link that goes on for `length` bytes at `from` may end, the farthest first: at what
/// cannot be part of it, or where two lines were joined. The last one is marked.
fn ends(flat: &Flat, from: usize, length: usize, original: &str) -> Vec<(usize, bool)> {
    let far = from.saturating_add(length);
    let mut list = vec![far];
    list.extend(
        (from.saturating_add(1)..far)
            .rev()
            .filter(|index| flat.is_joined(*index, original))
            .map(|index| {
                let part = flat.text.get(from..index).unwrap_or("");
                from.saturating_add(part.trim_end_matches('&').len())
            })
            .take(ENDS),
    );
    let count = list.len();
    list.into_iter().enumerate().map(|(at, end)| (end, at.saturating_add(1) == count)).collect()
}

/// Length of a signature of 32 bytes in base64, percent-encoded or not, at the start of `text`.
fn signature_length(text: &str) -> Option<usize> {
    let mut index = 0usize;
    let mut decoded = 0usize;
    while decoded < 44 {
        let Some(byte) = text.as_bytes().get(index).copied() else { break };
        let (character, width) = if byte == b'%' {
            let hex = text.get(index.saturating_add(1)..index.saturating_add(3))?;
            (u8::from_str_radix(hex, 16).ok()?, 3)
        } else {
            (byte, 1)
        };
        let fits = match decoded {
            43 => character == b'=',
            _ => character.is_ascii_alphanumeric() || matches!(character, b'+' | b'/'),
        };
        if !fits {
            break;
        }
        decoded = decoded.saturating_add(1);
        index = index.saturating_add(width);
    }
    // The padding may be lost, but then something else has to follow.
    let next = text.as_bytes().get(index).copied();
    let ends =
        next.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'%' && byte != b'/');
    match decoded {
        44 => Some(index),
        43 if ends => Some(index),
        _ => None,
    }
}

/// Of 43 random characters at least twenty differ; of `XXXX` and `AbCdAbCd` few do.
fn is_placeholder(signature: &str) -> bool {
    let mut seen = [false; 128];
    for byte in signature.bytes() {
        if let Some(slot) = seen.get_mut(usize::from(byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|known| **known).count() < 12
}

/// Length of what can be part of a query string.
fn url_length(text: &str) -> usize {
    let all = text.bytes().take(WINDOW).take_while(|byte| is_url_byte(*byte)).count();
    let part = text.get(..all).unwrap_or("");
    part.trim_end_matches(['.', ',', ':', '!', '?', '*', '&']).len()
}

/// Length of the parameters after a signature.
fn tail_length(text: &str) -> usize {
    if !text.starts_with('&') {
        return 0;
    }
    let length = url_length(text);
    // One signature too many is a contradiction to report; more of them are other tokens.
    let tail = text.get(..length).unwrap_or("");
    memchr::memmem::find_iter(tail.as_bytes(), b"&sig=").nth(1).unwrap_or(length)
}

fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%-_.~+/=:,&!*@$?".contains(&byte)
}

/// Where what can be part of a URL begins before `anchor`, not before `floor`.
fn left_start(text: &str, anchor: usize, floor: usize) -> usize {
    let mut floor = anchor.saturating_sub(WINDOW).max(floor);
    while !text.is_char_boundary(floor) {
        floor = floor.saturating_add(1);
    }
    let before = text.get(floor..anchor).unwrap_or("");
    before
        .char_indices()
        .rev()
        .take_while(|(_, c)| {
            !c.is_whitespace()
                && !matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\' | '|' | '{' | '}')
        })
        .last()
        .map_or(anchor, |(index, _)| floor.saturating_add(index))
}

/// Where a word stands last, in any case.
fn rfind(text: &str, word: &str) -> Option<usize> {
    let last = word.bytes().next_back()?;
    memchr::memrchr_iter(last, text.as_bytes()).find_map(|at| {
        let start = at.saturating_add(1).checked_sub(word.len())?;
        text.get(start..=at)?.eq_ignore_ascii_case(word).then_some(start)
    })
}

fn scheme_start(text: &str) -> Option<usize> {
    memchr::memmem::rfind_iter(text.as_bytes(), b"://").find_map(|at| {
        [5, 4].into_iter().find_map(|length: usize| {
            let start = at.checked_sub(length)?;
            let scheme = text.get(start..at)?;
            (scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
                .then_some(start)
        })
    })
}

/// Where the first parameter of a bare token begins.
fn bare_start(flat: &Flat, range: Range<usize>, original: &str) -> usize {
    let text = flat.text.get(range.clone()).unwrap_or("");
    if let Some(at) = text.rfind('?') {
        return range.start.saturating_add(at).saturating_add(1);
    }
    let is_key = |at: usize| {
        let rest = text.get(at..).unwrap_or("");
        let key = rest.get(..rest.len().min(9)).unwrap_or(rest).split('=').next().unwrap_or("");
        let before = at.checked_sub(1).and_then(|index| text.as_bytes().get(index).copied());
        let starts = before
            .is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'_' && byte != b'-')
            || flat.is_joined(range.start.saturating_add(at), original);
        starts && KEYS.contains(&key) && rest.as_bytes().get(key.len()) == Some(&b'=')
    };
    // `sig` itself may come first.
    let first = memchr::memchr_iter(b's', text.as_bytes())
        .chain(memchr::memchr_iter(b't', text.as_bytes()))
        .chain(memchr::memchr_iter(b'r', text.as_bytes()))
        .filter(|at| is_key(*at))
        .min();
    range.start.saturating_add(first.unwrap_or(text.len()))
}
