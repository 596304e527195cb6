//! Content that lies behind a link in tests. All of it made up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An OpenSSH private key without a passphrase: the right frame around made-up bytes.
#[must_use]
pub fn private_key(seed: u8) -> String {
    let mut body = b"openssh-key-v1\0".to_vec();
    for part in [&b"none"[..], b"none", b""] {
        body.extend((part.len() as u32).to_be_bytes());
        body.extend(part);
    }
    body.extend(1u32.to_be_bytes());
    let public: Vec<u8> =
        [&11u32.to_be_bytes()[..], b"ssh-ed25519", &32u32.to_be_bytes(), &[seed; 32]].concat();
    body.extend((public.len() as u32).to_be_bytes());
    body.extend(&public);
    let secret: Vec<u8> = (0..136u32).map(|n| (n.wrapping_mul(31) as u8) ^ seed).collect();
    body.extend((secret.len() as u32).to_be_bytes());
    body.extend(secret);
    let text = STANDARD.encode(body);
    let lines: Vec<&str> =
        text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap_or("")).collect();
    let kind = "OPENSSH PRIVATE";
    format!("-----BEGIN {kind} KEY-----\n{}\n-----END {kind} KEY-----\n", lines.join("\n"))
}

/// A pickle of protocol 2 that would run a harmless command when loaded.
#[must_use]
pub fn pickle_that_runs() -> Vec<u8> {
    [
        &b"\x80\x02cposix\nsystem\nq\x00X\x0f\x00\x00\x00"[..],
        b"echo made-up 42",
        b"q\x01\x85q\x02Rq\x03.",
    ]
    .concat()
}

/// Teams messages as Microsoft Graph gives them: `count` real ones of `people` people, and some
/// that do not count (system events, deleted ones).
#[must_use]
pub fn teams_messages(count: usize, people: usize) -> String {
    let message = |number: usize, kind: &str, deleted: &str| {
        let person = number % people;
        format!(
            "{{\"id\":\"{number}\",\"messageType\":\"{kind}\",\
             \"createdDateTime\":\"2022-03-01T10:{:02}:{:02}Z\",\"deletedDateTime\":{deleted},\
             \"chatId\":\"19:made-up@thread.v2\",\"from\":{{\"user\":{{\"id\":\"id-{person}\",\
             \"displayName\":\"Person {person}\",\"userIdentityType\":\"aadUser\"}}}},\
             \"body\":{{\"contentType\":\"html\",\"content\":\"<p>lorem ipsum {number}</p>\"}}}}",
            number / 60 % 60,
            number % 60
        )
    };
    let mut messages: Vec<String> = (0..count).map(|n| message(n, "message", "null")).collect();
    messages.push(message(count, "systemEventMessage", "null"));
    messages.push(message(count + 1, "message", "\"2022-04-01T00:00:00Z\""));
    format!(
        "{{\"@odata.context\":\"https://graph.microsoft.com/v1.0/$metadata#chats('x')/messages\",\"value\":[{}]}}",
        messages.join(",")
    )
}
