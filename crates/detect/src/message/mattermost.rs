//! Mattermost bulk exports: one object a line, `{"type":"post","post":{...}}` (Mattermost
//! documentation, "Bulk loading data").

use super::form::{Counted, Form, from_seconds};
use super::lines::objects;
use serde::Deserialize;

pub(super) struct Mattermost;

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: Option<String>,
    post: Option<Post>,
    direct_post: Option<Post>,
}

#[derive(Deserialize)]
struct Post {
    user: Option<String>,
    create_at: Option<i64>,
    replies: Option<Vec<Post>>,
}

impl Form for Mattermost {
    fn product(&self) -> &'static str {
        "mattermost"
    }

    fn title(&self) -> &'static str {
        "Mattermost messages"
    }

    fn recognises(&self, _path: &str, start: &str) -> bool {
        let first = start.lines().next().unwrap_or("");
        first.starts_with('{')
            && first.contains("\"type\"")
            && (first.contains("\"version\"") || first.contains("post\""))
            && ["post", "direct_post", "version"].iter().any(|kind| {
                first.contains(&format!("\"type\":\"{kind}\""))
                    || first.contains(&format!("\"type\": \"{kind}\""))
            })
    }

    fn count(&self, text: &str) -> Option<Counted> {
        let mut counted = Counted::default();
        let broken = objects(text, &mut |line: Line| {
            let post = match line.kind.as_deref() {
                Some("post") => line.post,
                Some("direct_post") => line.direct_post,
                _ => None,
            };
            for post in post.into_iter().flat_map(|mut post| {
                let replies = post.replies.take().unwrap_or_default();
                std::iter::once(post).chain(replies)
            }) {
                let when = post.create_at.and_then(|time| from_seconds(time.checked_div(1000)?));
                counted.note(post.user, when);
            }
        });
        counted.broken = broken;
        counted.some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_and_their_replies_count() {
        let text = "{\"type\":\"version\",\"version\":1}\n\
            {\"type\":\"post\",\"post\":{\"user\":\"a\",\"message\":\"x\",\"create_at\":1650000000000,\
            \"replies\":[{\"user\":\"b\",\"message\":\"y\",\"create_at\":1650000100000}]}}\n\
            {\"type\":\"user\",\"user\":{\"username\":\"a\"}}\n\
            {\"type\":\"direct_post\",\"direct_post\":{\"user\":\"c\",\"create_at\":1}}\n";
        assert!(Mattermost.recognises("", text));
        let counted = Mattermost.count(text).unwrap();
        assert_eq!((counted.messages, counted.people.len(), counted.broken), (3, 3, false));
    }
}
