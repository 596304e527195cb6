//! A token taken apart, parameter by parameter.

use crate::azure::{AzureSas, SasKind};
use crate::presigned::Presigned;
use crate::query::Parameter;
use crate::time;
use lidless_core::{Grant, Note, Permission, Timestamp};

/// What each parameter of a SAS means.
pub(crate) fn sas(sas: &AzureSas, grant: &Grant, now: Timestamp) -> Vec<Note> {
    each(&sas.parameters, |one| azure(one, sas, grant, now))
}

/// What each parameter of a presigned URL means.
pub(crate) fn presigned(url: &Presigned, grant: &Grant, now: Timestamp) -> Vec<Note> {
    each(url.parameters(), |one| signed(one, grant, now))
}

fn each(parameters: &[Parameter], mean: impl Fn(&Parameter) -> String) -> Vec<Note> {
    parameters.iter().map(|one| Note { parameter: one.key.clone(), meaning: mean(one) }).collect()
}

fn azure(one: &Parameter, sas: &AzureSas, grant: &Grant, now: Timestamp) -> String {
    let value = one.value.as_str();
    match one.key.as_str() {
        "sv" => format!("signed by the rules of service version {}", short(value)),
        "ss" => list(value, &[('b', "blobs"), ('f', "files"), ('q', "queues"), ('t', "tables")]),
        "srt" => levels(value),
        "sr" => match value {
            "b" => "one blob".into(),
            "c" => "one container and every blob in it".into(),
            "d" => "one directory and everything below it".into(),
            "bs" => "one snapshot of a blob".into(),
            "bv" => "one version of a blob".into(),
            "f" => "one file".into(),
            "s" => "one share and every file in it".into(),
            _ => "a kind of resource that is not known".into(),
        },
        "sdd" => format!("the directory lies {} levels deep", short(value)),
        "tn" => format!("the table {}", short(value)),
        "sp" => match &grant.permissions {
            Some(known) => {
                let words: Vec<&str> = known.iter().map(|one| Permission::as_str(*one)).collect();
                words.join(" ")
            }
            None => "its permissions".into(),
        },
        "st" => match time::azure(value) {
            Some(time) if time > now => "does not work before this".into(),
            Some(_) => "works since then".into(),
            None => "a start that cannot be read".into(),
        },
        "se" => end(time::azure(value), sas, now),
        "sip" => "works from these addresses alone".into(),
        "spr" if value.eq_ignore_ascii_case("https") => "over https alone".into(),
        "spr" => "over plain http too, where anyone on the way can read it".into(),
        "si" => {
            "a stored access policy of this name holds the rest; deleting it ends the token".into()
        }
        "sig" => "the signature: who has this text holds the token. Made with HMAC-SHA256 from \
                  all of the above"
            .into(),
        "ses" => "the encryption scope that writes must use".into(),
        "skoid" => "the identity behind it, by object id: the service grants what both the token \
                    and a role of this identity allow"
            .into(),
        "sktid" => "the identity's tenant".into(),
        "skt" => "the delegation key is valid from then".into(),
        "ske" => "the delegation key ends then, and the token with it".into(),
        "sks" => "the service of the delegation key".into(),
        "skv" => "the version that the delegation key was made with".into(),
        "saoid" => "an authorised object id, whose rights were checked when it was made".into(),
        "suoid" => "an object id whose rights are checked on every use".into(),
        "scid" => "an id to find its use in the logs".into(),
        "sduoid" => "bound to this user: useless without their sign-in".into(),
        "skdutid" => "the tenant of the user it is bound to".into(),
        "srh" => "headers of the request that are signed with it".into(),
        "srq" => "parameters of the request that are signed with it".into(),
        "spk" | "srk" => "where the range of rows begins".into(),
        "epk" | "erk" => "where the range of rows ends".into(),
        "snapshot" | "versionid" => "which snapshot or version".into(),
        "rscc" | "rscd" | "rsce" | "rscl" | "rsct" => {
            "a header that the answer is to carry, signed".into()
        }
        "restype" | "comp" | "prefix" | "delimiter" | "maxresults" | "marker" | "include" => {
            "part of a request, not of the token".into()
        }
        _ => "no parameter of a SAS: not signed, and ignored by the service".into(),
    }
}

fn signed(one: &Parameter, grant: &Grant, now: Timestamp) -> String {
    let end = || match grant.expires {
        Some(end) if end <= now => format!("expired {}", end.strftime("%Y-%m-%d %H:%M UTC")),
        Some(end) => format!("works until {}", end.strftime("%Y-%m-%d %H:%M UTC")),
        None => "an end that cannot be read".into(),
    };
    match one.key.as_str() {
        "x-amz-algorithm" | "x-goog-algorithm" | "x-oss-signature-version" => {
            "how it is signed".into()
        }
        "x-amz-credential" | "x-goog-credential" | "x-oss-credential" => {
            "the key that signed it, then day, region and service".into()
        }
        "awsaccesskeyid" | "googleaccessid" | "ossaccesskeyid" => "the key that signed it".into(),
        "x-amz-date" | "x-goog-date" | "x-oss-date" => "when it was signed".into(),
        "x-amz-expires" | "x-goog-expires" | "x-oss-expires" => {
            format!("lives {} seconds: {}", short(&one.value), end())
        }
        "expires" => end(),
        "x-amz-signedheaders" | "x-goog-signedheaders" => {
            "headers that the request must carry as signed".into()
        }
        "x-amz-security-token" | "x-oss-security-token" | "security-token" => {
            "the session token of temporary credentials: it ends with them".into()
        }
        "x-amz-signature" | "x-goog-signature" | "x-oss-signature" | "signature" => {
            "the signature: who has this text holds the link. It binds one method, which the URL \
             does not tell"
                .into()
        }
        "list-type" | "prefix" | "delimiter" | "encoding-type" | "max-keys" => {
            "lists the bucket instead of reading one object".into()
        }
        "x-id" => "the operation, as the client named it".into(),
        key if key.starts_with("response-") => "a header that the answer is to carry".into(),
        "versionid" | "generation" => "which version of the object".into(),
        _ => "signed with the rest".into(),
    }
}

fn end(end: Option<Timestamp>, sas: &AzureSas, now: Timestamp) -> String {
    let Some(end) = end else { return "an end that cannot be read".into() };
    let days = end.as_second().saturating_sub(now.as_second()) / 86_400;
    let sooner = if sas.get("si").is_some() {
        "or when its policy is deleted"
    } else if sas.kind() == SasKind::UserDelegation {
        "or when its delegation keys are revoked"
    } else {
        "no policy can end it sooner"
    };
    match days {
        _ if end <= now => "expired".into(),
        days if days > 730 => format!("ends in {} years; {sooner}", days / 365),
        days if days > 1 => format!("ends in {days} days; {sooner}"),
        _ => format!("ends within two days; {sooner}"),
    }
}

fn levels(value: &str) -> String {
    let words = list(value, &[('s', "service"), ('c', "container"), ('o', "object")]);
    format!("{words} level: in every container, not one")
}

fn list(value: &str, known: &[(char, &str)]) -> String {
    let words: Vec<&str> =
        known.iter().filter(|(letter, _)| value.contains(*letter)).map(|(_, word)| *word).collect();
    match words.split_last() {
        None => "nothing that is known".into(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Values come from the token, so they are cut to what fits a sentence.
fn short(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(24).collect()
}
