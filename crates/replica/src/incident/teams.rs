//! An export of a chat service: 29,900 messages of 359 people as Microsoft Graph `chatMessage`
//! pages, and 100 more in a program's cache, with events and deleted messages among them that are no messages.

use super::contents::when;
use super::image::Message;
use super::lorem::{person, sentence};
use crate::blob::Blob;
use crate::contents::Container;
use crate::random::Random;
use crate::source::Source;
use std::fmt::Write;

/// People who wrote at least one message.
const PEOPLE: usize = 359;
/// Chats and channels, each with as many messages.
const CONVERSATIONS: usize = 300;
const MESSAGES: usize = 100;
/// Messages a page: the most that Graph returns.
const PAGE: usize = 50;
/// Meeting recordings: bytes beside words.
const RECORDINGS: u64 = 8;
const RECORDING_BYTES: u64 = 150_000_000;

pub(super) fn container() -> Container {
    let mut random = Random::named("teams");
    let ids: Vec<String> = (0..PEOPLE).map(|_| random.uuid()).collect();
    let mut blobs = Vec::new();
    for number in 0..CONVERSATIONS.saturating_sub(1) {
        let talk = Conversation::new(number, &mut random);
        for page in 0..MESSAGES / PAGE {
            let text = talk.page(page, &ids, &mut random);
            let day = u64::try_from(number).unwrap_or(0);
            let source = Source::bytes(text.into_bytes());
            blobs.push(Blob::new(talk.blob_name(page), when(day), source));
        }
    }
    for number in 0..RECORDINGS {
        let head = *b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
        let source = Source::over(
            crate::source::Fill::Random(number),
            RECORDING_BYTES,
            vec![(0, head.to_vec().into())],
        );
        blobs.push(Blob::new(format!("recordings/meeting-{number:02}.mp4"), when(number), source));
    }
    Container::new("teams", when(0), blobs)
}

/// The last conversation, which lies in the cache of a member's program and not in the export.
pub(super) fn cached() -> Vec<Message> {
    let mut random = Random::named("teams");
    let ids: Vec<String> = (0..PEOPLE).map(|_| random.uuid()).collect();
    let mut random = Random::named("teams cache");
    let talk = Conversation::new(CONVERSATIONS.saturating_sub(1), &mut random);
    (0..MESSAGES)
        .map(|number| {
            let member = talk.members.iter().cycle().nth(number).copied().unwrap_or(0);
            let id = ids.get(member).cloned().unwrap_or_default();
            vec![
                ("messageType", "RichText/Html".to_owned()),
                ("clientMessageId", random.next().to_string()),
                ("conversationId", talk.id.clone()),
                ("creator", format!("8:orgid:{id}")),
                ("imDisplayName", person(member)),
                ("originalArrivalTime", talk.time(number).to_string()),
                ("content", format!("<p>{}</p>", sentence(&mut random, 8))),
            ]
        })
        .collect()
}

struct Conversation {
    number: usize,
    id: String,
    team: Option<String>,
    members: Vec<usize>,
}

impl Conversation {
    /// Every fifth is a channel of a team, the others are chats of two to nine. Members are spread
    /// so that everybody is in one at least, and each writes in turn first.
    fn new(number: usize, random: &mut Random) -> Self {
        let channel = number.is_multiple_of(5);
        let size = if channel { 24 } else { 2_usize.saturating_add(number % 8) };
        let members = (0..size)
            .map(|seat| number.wrapping_mul(7).wrapping_add(seat.wrapping_mul(31)) % PEOPLE)
            .collect();
        let domain = if channel { "thread.tacv2" } else { "thread.v2" };
        Self {
            number,
            id: format!("19:{}@{domain}", random.hex(32)),
            team: channel.then(|| random.uuid()),
            members,
        }
    }

    fn blob_name(&self, page: usize) -> String {
        let kind = if self.team.is_some() { "channels/channel" } else { "chats/chat" };
        format!("export/{kind}_{:03}/messages_{page}.json", self.number)
    }

    /// When a message was written.
    fn time(&self, number: usize) -> jiff::Timestamp {
        let minutes =
            u64::try_from(number.wrapping_mul(613).wrapping_add(self.number)).unwrap_or(0);
        jiff::Timestamp::from_second(
            i64::try_from(minutes.wrapping_mul(60)).unwrap_or(0).saturating_add(1_577_865_600),
        )
        .unwrap_or_default()
    }

    fn page(&self, page: usize, ids: &[String], random: &mut Random) -> String {
        let context = match &self.team {
            Some(team) => format!("teams('{team}')/channels('{}')/messages", self.id),
            None => format!("chats('{}')/messages", self.id),
        };
        let mut out = format!(
            "{{\"@odata.context\":\"https://graph.example.com/v1.0/$metadata#{context}\",\
             \"@odata.count\":{PAGE},\"value\":[\n"
        );
        let first = page.saturating_mul(PAGE);
        for number in first..first.saturating_add(PAGE) {
            self.message(&mut out, number, ids, random, "message", false);
            out.push_str(",\n");
        }
        // Beyond the messages: one that was deleted, and who joined.
        let after = MESSAGES.saturating_add(page.saturating_mul(2));
        self.message(&mut out, after, ids, random, "message", true);
        out.push_str(",\n");
        self.message(&mut out, after.saturating_add(1), ids, random, "systemEventMessage", false);
        out.push_str("\n]}\n");
        out
    }

    fn message(
        &self,
        out: &mut String,
        number: usize,
        ids: &[String],
        random: &mut Random,
        kind: &str,
        deleted: bool,
    ) {
        let time = self.time(number);
        let id = time.as_millisecond();
        let from = self
            .members
            .iter()
            .cycle()
            .nth(number)
            .and_then(|member| Some((*member, ids.get(*member)?)))
            .filter(|_| kind == "message")
            .map_or_else(
                || "null".to_owned(),
                |(member, id)| {
                    let name = person(member);
                    format!(
                        "{{\"application\":null,\"device\":null,\"user\":{{\"id\":\"{id}\",\
                         \"displayName\":\"{name}\",\"userIdentityType\":\"aadUser\"}}}}"
                    )
                },
            );
        let place = match &self.team {
            Some(team) => format!(
                "\"chatId\":null,\"channelIdentity\":{{\"teamId\":\"{team}\",\"channelId\":\"{}\"}}",
                self.id
            ),
            None => format!("\"chatId\":\"{}\",\"channelIdentity\":null", self.id),
        };
        let removed = if deleted { format!("\"{time}\"") } else { "null".to_owned() };
        let content = match (kind, deleted) {
            ("message", false) => format!("<p>{}</p>", sentence(random, 8)),
            ("message", true) => String::new(),
            _ => "<systemEventMessage/>".to_owned(),
        };
        let _ = write!(
            out,
            "{{\"id\":\"{id}\",\"replyToId\":null,\"etag\":\"{id}\",\"messageType\":\"{kind}\",\
             \"createdDateTime\":\"{time}\",\"lastModifiedDateTime\":\"{time}\",\
             \"deletedDateTime\":{removed},\"subject\":null,\"importance\":\"normal\",\
             \"locale\":\"en-us\",{place},\"from\":{from},\"body\":{{\"contentType\":\"html\",\
             \"content\":\"{content}\"}},\"attachments\":[],\"mentions\":[],\"reactions\":[]}}"
        );
    }
}
