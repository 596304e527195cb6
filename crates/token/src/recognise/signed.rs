//! Signed URLs and bare tokens around a `sig=` or `Signature=`.

use super::flat::{Flat, Reading};
use crate::azure::AzureSas;
use crate::credential::{Credential, Sighting};
use crate::host::Address;
use crate::presigned::Presigned;
use std::ops::Range;

/// How far from its signature a link may begin or end.
const WINDOW: usize = 4096;

/// Parameters a SAS may begin with when no URL stands before it.
const KEYS: [&str; 30] = [
    "sv", "ss", "srt", "sp", "se", "st", "spr", "sip", "sr", "si", "tn", "sdd", "skoid", "sktid",
    "skt", "ske", "sks", "skv", "ses", "rscc", "rscd", "rsce", "rscl", "rsct", "saoid", "suoid",
    "scid", "spk", "snapshot", "sduoid",
];

/// The part of `text` around `anchor`, cut at character boundaries.
fn window(text: &str, anchor: usize) -> (usize, &str) {
    let mut start = anchor.saturating_sub(WINDOW);
    while !text.is_char_boundary(start) {
        start = start.saturating_sub(1);
    }
    let mut end = anchor.saturating_add(WINDOW).min(text.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_add(1);
    }
    (start, text.get(start..end).unwrap_or(""))
}

/// The readings to try, the plainest first.
fn readings(percent: u8) -> [Reading; 3] {
    let plain = Reading { join: false, percent, quoted_printable: false };
    [
        plain,
        Reading { join: true, ..plain },
        Reading { join: true, quoted_printable: true, ..plain },
    ]
}

/// Reads the SAS whose `sig` stands at `anchor`.
pub(crate) fn sas(text: &str, anchor: usize, percent: u8) -> Option<Sighting> {
    let (base, raw) = window(text, anchor);
    let mut best: Option<(Range<usize>, AzureSas)> = None;
    for reading in readings(percent) {
        let flat = Flat::new(raw, base, reading);
        let Some((range, sas)) = sas_in(&flat, flat.index_of(anchor)) else { continue };
        let span = flat.place(range.start)..end_place(&flat, range.end);
        match &best {
            // The same signature with an address beats one without.
            Some((_, known))
                if known.address.is_none()
                    && sas.address.is_some()
                    && known.signature() == sas.signature() =>
            {
                best = Some((span, sas));
            }
            Some(_) => {}
            None => best = Some((span, sas)),
        }
        if best.as_ref().is_some_and(|(_, sas)| sas.address.is_some()) {
            break;
        }
    }
    let (span, sas) = best?;
    let form = if sas.address.is_some() { "sas_url" } else { "sas_token" };
    Some(Sighting { span, form, credential: Credential::AzureSas(sas) })
}

fn end_place(flat: &Flat, end: usize) -> usize {
    flat.place(end.saturating_sub(1)).saturating_add(1)
}

fn sas_in(flat: &Flat, anchor: usize) -> Option<(Range<usize>, AzureSas)> {
    let text = flat.text.as_str();
    let value = text.get(anchor..)?;
    if !value.get(..4)?.eq_ignore_ascii_case("sig=") {
        return None;
    }
    // `sig` has to be a parameter of its own, not the end of another word.
    let before = text.get(..anchor)?.chars().next_back();
    if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return None;
    }
    let start_of_signature = anchor.saturating_add(4);
    let signature_end =
        start_of_signature.saturating_add(signature_length(text.get(start_of_signature..)?)?);
    let end = if text.get(signature_end..).is_some_and(|rest| rest.starts_with('&')) {
        signature_end.saturating_add(url_length(text.get(signature_end..)?))
    } else {
        signature_end
    };
    let left = left_start(text, anchor);
    let before = text.get(left..anchor)?;
    if let Some(at) = scheme_start(before) {
        let start = left.saturating_add(at);
        let all = text.get(start..end)?;
        if let Some((url, query)) = all.split_once('?') {
            let sas = AzureSas::parse(Some(Address::parse(url)?), query)?;
            return Some((start..end, sas));
        }
        // A connection string names the endpoint and the token apart from each other.
        let (url, rest) = all.split_once(';')?;
        let (_, query) = rest.split_once("SharedAccessSignature=")?;
        let sas = AzureSas::parse(Address::parse(url), query)?;
        return Some((start..end, sas));
    }
    let start = left.saturating_add(bare_start(before));
    let sas = AzureSas::parse(None, text.get(start..end)?)?;
    Some((start..end, sas))
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
            _ => character.is_ascii_alphanumeric() || matches!(character, b'+' | b'/' | b' '),
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

/// Length of what can be part of a query string.
fn url_length(text: &str) -> usize {
    let all = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"%-_.~+/=:,&!*@$?".contains(byte))
        .count();
    let part = text.get(..all).unwrap_or("");
    part.trim_end_matches(['.', ',', ':', '!', '?', '*', '&']).len()
}

/// Where what can be part of a URL begins before `anchor`.
fn left_start(text: &str, anchor: usize) -> usize {
    let before = text.get(..anchor).unwrap_or("");
    before
        .char_indices()
        .rev()
        .take_while(|(_, c)| {
            !c.is_whitespace()
                && !matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\' | '|' | '{' | '}')
        })
        .last()
        .map_or(anchor, |(index, _)| index)
}

fn scheme_start(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    [lower.rfind("https://"), lower.rfind("http://")].into_iter().flatten().max()
}

/// Where the first parameter of a bare token begins.
fn bare_start(text: &str) -> usize {
    if let Some(at) = text.rfind('?') {
        return at.saturating_add(1);
    }
    let mut first = None;
    for key in KEYS {
        for (at, _) in text.match_indices(&format!("{key}=")) {
            let word = text.get(..at).and_then(|before| before.chars().next_back());
            let starts = word.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
            if starts && first.is_none_or(|known| at < known) {
                first = Some(at);
            }
        }
    }
    // `sig` itself may come first.
    first.unwrap_or(text.len())
}

/// Reads the presigned URL whose signature parameter ends at `anchor`.
pub(crate) fn presigned(text: &str, anchor: usize, percent: u8) -> Option<Sighting> {
    let (base, raw) = window(text, anchor);
    for reading in readings(percent).into_iter().take(2) {
        let flat = Flat::new(raw, base, reading);
        let index = flat.index_of(anchor);
        let left = left_start(&flat.text, index);
        let Some(at) = flat.text.get(left..index).and_then(scheme_start) else { continue };
        let start = left.saturating_add(at);
        let rest = flat.text.get(start..).unwrap_or("");
        let end = start.saturating_add(url_length(rest));
        let Some((url, query)) = flat.text.get(start..end).and_then(|all| all.split_once('?'))
        else {
            continue;
        };
        let found = Address::parse(url).and_then(|address| Presigned::parse(address, query));
        if let Some(found) = found {
            let span = flat.place(start)..end_place(&flat, end);
            return Some(Sighting {
                span,
                form: "presigned_url",
                credential: Credential::Presigned(found),
            });
        }
    }
    None
}
