//! How an issuer is asked whether a secret is live, and what its answer means: data of a rule.
//!
//! Nothing here sends anything. A question is a GET that changes nothing; an answer is judged by
//! its status and by one place in it, and of who the secret belongs to only the places that the
//! rule names are shown.

use base64::Engine as _;
use lidless_core::{Secret, Verified};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// What stays as it is of a secret that becomes a part of a URL. A colon is fine in a path, and
/// some services do not decode it.
const PART: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');
/// The longest value of an identity that is shown, in characters.
const LONGEST: usize = 120;
/// How many values of a list are shown.
const LISTED: usize = 24;
/// So many bytes of a secret in an answer are the secret.
const TELLTALE: usize = 10;

/// How the issuer of a kind of secret is asked.
#[derive(Debug)]
pub struct Verify {
    /// A short name of the issuer, for `--endpoint verify:NAME=URL`.
    pub issuer: &'static str,
    /// What is asked, with GET. `{secret}` and `{pair}` stand for what was found.
    pub url: &'static str,
    /// Headers, with the same marks.
    pub headers: &'static [(&'static str, &'static str)],
    /// `USER:PASSWORD` for HTTP basic authentication, with the same marks.
    pub basic: Option<&'static str>,
    /// The URL is signed in place of holding the secret.
    pub sign: Option<Sign>,
    /// The secret begins with one of these; empty for any.
    pub only: &'static [&'static str],
    /// What else is needed, and stands near the secret.
    pub pair: Option<Pair>,
    /// Answers that mean it works; looked at first.
    pub live: &'static [Answer],
    /// Answers that mean it does not.
    pub dead: &'static [Answer],
    /// What of an answer is shown, by name.
    pub identity: &'static [(&'static str, &'static str)],
    /// Why a refusal decides nothing, where it does not.
    pub doubt: Option<&'static str>,
    /// Where the service documents the call.
    pub reference: &'static str,
}

/// AWS Signature Version 4.
#[derive(Debug)]
pub struct Sign {
    /// `sts`.
    pub service: &'static str,
    /// `us-east-1`.
    pub region: &'static str,
    /// `{secret}` or `{pair}`: which one is the id.
    pub id: &'static str,
    /// Which one is the key.
    pub key: &'static str,
}

/// What else a question needs.
#[derive(Debug)]
pub struct Pair {
    /// What it is, in words.
    pub name: &'static str,
    /// How it looks; its first group.
    pub pattern: &'static str,
    /// The nearest one begins with one of these, or nothing is asked; empty for any.
    pub only: &'static [&'static str],
}

/// One kind of answer.
#[derive(Debug)]
pub struct Answer {
    /// Any of these statuses.
    pub status: &'static [u16],
    /// A place in it: a JSON pointer, `header:NAME`, `xml:TAG`, or `json` for any JSON object;
    /// empty for the status alone, which with a good one means any JSON.
    pub at: &'static str,
    /// What stands there; empty for anything.
    pub is: &'static [&'static str],
}

/// A question, made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The whole URL.
    pub url: Secret,
    /// Headers by name.
    pub headers: Vec<(&'static str, Secret)>,
    /// Id and key to sign with.
    pub sign: Option<(Secret, Secret)>,
}

/// An answer, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What it says.
    pub verdict: Verified,
    /// Why, in words.
    pub meaning: String,
    /// Who the secret belongs to and what it may do, as far as the rule shows it.
    pub identity: Map<String, Value>,
}

impl Verify {
    /// Whether the question is for a secret of this form.
    pub(crate) fn is_for(&self, secret: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|prefix| secret.starts_with(prefix))
    }

    /// The host that is asked, with `*` for a part that depends on what was found.
    #[must_use]
    pub fn host(&self) -> String {
        split(self.url).1.replace("{pair}", "*")
    }

    /// What is asked, as it may be shown.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("GET {}", self.url)
    }

    /// The question about one secret; none when it does not fit into one.
    #[must_use]
    pub fn ask(&self, secret: &Secret, pair: Option<&Secret>) -> Option<Asking> {
        let secret = secret.expose();
        let pair = pair.map(Secret::expose);
        let wanted = self.pair.as_ref().map(|pair| pair.only);
        match (wanted, pair) {
            (None, None) => {}
            (Some(only), Some(pair))
                if only.is_empty() || only.iter().any(|prefix| pair.starts_with(prefix)) => {}
            _ => return None,
        }
        // What a request line or a header may not hold never comes near one.
        if ![Some(secret), pair].into_iter().flatten().all(|one| {
            !one.is_empty() && one.len() <= 8_192 && one.bytes().all(|b| b.is_ascii_graphic())
        }) {
            return None;
        }
        let (scheme, host, rest) = split(self.url);
        // A host takes one label of what was found, so that it stays a host of the issuer.
        let label = |one: &str| {
            one.len() <= 63 && one.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if host.contains("{pair}") && !pair.is_some_and(label) {
            return None;
        }
        let host = fill(host, secret, pair, str::to_owned);
        let rest = fill(rest, secret, pair, |one| utf8_percent_encode(one, PART).to_string());
        let plain = |template: &str| fill(template, secret, pair, str::to_owned);
        let mut headers: Vec<(&'static str, Secret)> =
            self.headers.iter().map(|(name, value)| (*name, Secret::new(plain(value)))).collect();
        if let Some(basic) = self.basic {
            let text = Secret::new(plain(basic));
            let packed = base64::engine::general_purpose::STANDARD.encode(text.expose());
            headers.push(("authorization", Secret::new(format!("Basic {packed}"))));
        }
        let sign = self
            .sign
            .as_ref()
            .map(|sign| (Secret::new(plain(sign.id)), Secret::new(plain(sign.key))));
        Some(Asking { url: Secret::new(format!("{scheme}{host}{rest}")), headers, sign })
    }

    /// What an answer means for the secret that was asked about. `moved` is the host that the user
    /// named in place of the issuer: a refusal is then its own.
    #[must_use]
    pub fn judge(
        &self,
        secret: &Secret,
        pair: Option<&Secret>,
        moved: Option<&str>,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Judged {
        let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let content = Content { headers, body, json };
        let at =
            |place: &str| fill(place, secret.expose(), pair.map(Secret::expose), str::to_owned);
        let matches = |row: &[Answer]| row.iter().find_map(|one| one.fits(status, &content, &at));
        let host = moved.map_or_else(|| self.host(), str::to_owned);
        let undecided =
            |meaning: String| Judged { verdict: Verified::Unknown, meaning, identity: Map::new() };
        if let Some(word) = matches(self.live) {
            let mut identity = Map::new();
            for (name, place) in self.identity {
                let value = content.value(&at(place));
                let parts = [Some(secret), pair].into_iter().flatten();
                if let Some(value) =
                    value.and_then(|value| shown(&value, &parts.collect::<Vec<_>>()))
                {
                    identity.insert((*name).to_owned(), value);
                }
            }
            let meaning = format!("{host} accepts it ({word})");
            return Judged { verdict: Verified::Live, meaning, identity };
        }
        if let Some(word) = matches(self.dead) {
            return match self.doubt.filter(|_| moved.is_none()) {
                Some(doubt) => undecided(format!("{host} refuses it ({word}), but {doubt}")),
                None => Judged {
                    verdict: Verified::Dead,
                    meaning: format!("{host} refuses it ({word})"),
                    identity: Map::new(),
                },
            };
        }
        undecided(format!("{host} answers {status}, which decides nothing"))
    }
}

impl Answer {
    /// The word that decided when an answer is of this kind: a word of the rule, or the status.
    fn fits(
        &self,
        status: u16,
        content: &Content<'_>,
        at: &dyn Fn(&str) -> String,
    ) -> Option<String> {
        if !self.status.contains(&status) {
            return None;
        }
        if self.at.is_empty() {
            // A page of some gateway is no answer of an issuer: those speak JSON. A refusal may
            // say anything.
            let speaks = !matches!(status, 200..=299) || content.is_json();
            return speaks.then(|| status.to_string());
        }
        let value = content.value(&at(self.at)).filter(|value| !value.is_null())?;
        if self.is.is_empty() {
            return Some(status.to_string());
        }
        let text = scalar(&value)?;
        let word = self.is.iter().find(|word| **word == text)?;
        // `true` says less than the status.
        let says = !matches!(*word, "true" | "false");
        Some(if says { format!("{status}, {word}") } else { status.to_string() })
    }
}

/// An answer's parts.
struct Content<'a> {
    headers: &'a [(String, String)],
    body: &'a [u8],
    json: Value,
}

impl Content<'_> {
    /// Whether it is JSON, or the beginning of a long one.
    fn is_json(&self) -> bool {
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        !self.json.is_null() || matches!(first, Some(b'{' | b'['))
    }

    /// What stands at a place. A `*` in a pointer gives a list of what each member has there.
    fn value(&self, place: &str) -> Option<Value> {
        if let Some(name) = place.strip_prefix("header:") {
            let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            return found.map(|(_, value)| Value::String(value.clone()));
        }
        if let Some(tag) = place.strip_prefix("xml:") {
            let text = std::str::from_utf8(self.body).ok()?;
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            let (value, _) = rest.split_once("</")?;
            return (!value.contains('<')).then(|| Value::String(value.to_owned()));
        }
        if place == "json" {
            return self.json.is_object().then_some(Value::Bool(true));
        }
        match place.split_once("/*") {
            None => self.json.pointer(place).cloned(),
            Some((list, below)) => {
                let list = self.json.pointer(list)?.as_array()?;
                let values = list.iter().take(LISTED).filter_map(|one| one.pointer(below).cloned());
                Some(Value::Array(values.collect()))
            }
        }
    }
}

/// A single value as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value fit for a report: short, without control characters, and without a part of a secret.
fn shown(value: &Value, secrets: &[&Secret]) -> Option<Value> {
    match value {
        Value::Array(values) => {
            let kept: Vec<Value> =
                values.iter().take(LISTED).filter_map(|one| shown(one, secrets)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        Value::Number(_) | Value::Bool(_) => Some(value.clone()),
        Value::String(text) => {
            let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
            // An id that belongs to a secret may be shown; the secret itself and any part of it
            // may not.
            let told = secrets.iter().any(|secret| tells(&text, secret.expose()));
            (!text.is_empty() && !told).then_some(Value::String(text))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Whether a text holds a telling part of a secret.
fn tells(text: &str, secret: &str) -> bool {
    let length = TELLTALE.min(secret.len());
    length > 0
        && secret
            .as_bytes()
            .windows(length)
            .any(|part| std::str::from_utf8(part).is_ok_and(|part| text.contains(part)))
}

/// `https://`, the host, and the rest.
fn split(url: &str) -> (&str, &str, &str) {
    let from = url.find("://").map_or(0, |at| at.saturating_add(3));
    let (scheme, rest) = url.split_at_checked(from).unwrap_or(("", url));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    (scheme, host, rest)
}

/// A template filled in one pass: what is filled in is never looked at again.
fn fill(
    template: &str,
    secret: &str,
    pair: Option<&str>,
    encode: impl Fn(&str) -> String,
) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, mark) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let (value, length) = if mark.starts_with("{secret}") {
            (secret, "{secret}".len())
        } else if mark.starts_with("{pair}") {
            (pair.unwrap_or(""), "{pair}".len())
        } else {
            out.push('{');
            rest = mark.get(1..).unwrap_or("");
            continue;
        };
        out.push_str(&encode(value));
        rest = mark.get(length..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::rule::{Rule, secret_rules};
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn rule(id: &str) -> &'static Rule {
        secret_rules().iter().find(|rule| rule.id == id).unwrap()
    }

    fn verify(id: &str) -> &'static Verify {
        rule(id).verify.as_ref().unwrap()
    }

    fn secret() -> Secret {
        Secret::new(["Zq3v9KxT", "2mW8bR5nY7cL"].concat())
    }

    fn judged(id: &str, status: u16, body: &str) -> Judged {
        verify(id).judge(&secret(), None, None, status, &[], body.as_bytes())
    }

    /// The hosts that may ever see a secret: each belongs to the service that issues it. A new
    /// one is looked at by a person, here.
    const HOSTS: [(&str, &str); 50] = [
        ("airtable", "api.airtable.com"),
        ("anthropic", "api.anthropic.com"),
        ("asana", "app.asana.com"),
        ("aws", "sts.amazonaws.com"),
        ("brevo", "api.brevo.com"),
        ("buildkite", "api.buildkite.com"),
        ("circleci", "circleci.com"),
        ("clickup", "api.clickup.com"),
        ("cloudflare", "api.cloudflare.com"),
        ("datadog", "api.datadoghq.com"),
        ("deepseek", "api.deepseek.com"),
        ("digitalocean", "api.digitalocean.com"),
        ("discord", "discord.com"),
        ("doppler", "api.doppler.com"),
        ("fastly", "api.fastly.com"),
        ("figma", "api.figma.com"),
        ("gcp", "www.googleapis.com"),
        ("gcs", "storage.googleapis.com"),
        ("github", "api.github.com"),
        ("gitlab", "gitlab.com"),
        ("groq", "api.groq.com"),
        ("heroku", "api.heroku.com"),
        ("hubspot", "api.hubapi.com"),
        ("huggingface", "huggingface.co"),
        ("intercom", "api.intercom.io"),
        ("launchdarkly", "app.launchdarkly.com"),
        ("linode", "api.linode.com"),
        ("mailchimp", "*.api.mailchimp.com"),
        ("mailgun", "api.mailgun.net"),
        ("mapbox", "api.mapbox.com"),
        ("mistral", "api.mistral.ai"),
        ("neon", "console.neon.tech"),
        ("netlify", "api.netlify.com"),
        ("notion", "api.notion.com"),
        ("okta", "*.okta.com"),
        ("openai", "api.openai.com"),
        ("pagerduty", "api.pagerduty.com"),
        ("postman", "api.getpostman.com"),
        ("postmark", "api.postmarkapp.com"),
        ("pulumi", "api.pulumi.com"),
        ("render", "api.render.com"),
        ("replicate", "api.replicate.com"),
        ("sendgrid", "api.sendgrid.com"),
        ("shopify", "*.myshopify.com"),
        ("slack", "slack.com"),
        ("square", "connect.squareup.com"),
        ("stripe", "api.stripe.com"),
        ("supabase", "api.supabase.com"),
        ("telegram", "api.telegram.org"),
        ("terraform", "app.terraform.io"),
    ];

    #[test]
    fn every_question_goes_over_tls_to_a_host_of_the_service() {
        let known: BTreeMap<&str, &str> = HOSTS
            .into_iter()
            .chain([("twilio", "api.twilio.com"), ("vercel", "api.vercel.com")])
            .collect();
        let mut wrong = Vec::new();
        let mut seen = BTreeSet::new();
        for rule in secret_rules() {
            let Some(verify) = &rule.verify else { continue };
            let mut say = |what: &str| wrong.push(format!("{}: {what}", rule.id));
            seen.insert(verify.issuer);
            if known.get(verify.issuer) != Some(&verify.host().as_str()) {
                say("its host is not the one known of the issuer");
            }
            let (scheme, host, rest) = split(verify.url);
            if scheme != "https://" || !rest.starts_with('/') || host.contains("{secret}") {
                say("the question is no https URL with a path, or the host holds the secret");
            }
            if host.contains('@') || host.contains(':') || verify.url.contains('#') {
                say("the URL holds more than a host, a path and a query");
            }
            if verify.live.is_empty() || verify.dead.is_empty() {
                say("it does not say which answer means what");
            }
            let statuses = || verify.live.iter().chain(verify.dead).flat_map(|one| one.status);
            if statuses().any(|status| !(200..500).contains(status) || (300..400).contains(status))
            {
                say("a redirect, a refusal for load or a failure decides nothing");
            }
            if statuses().any(|status| matches!(status, 408 | 429)) {
                say("a refusal for load decides nothing");
            }
            let own =
                verify.basic.into_iter().chain(verify.headers.iter().map(|(_, value)| *value));
            let mut places: Vec<&str> = own.chain([verify.url]).collect();
            if let Some(sign) = &verify.sign {
                places.extend([sign.id, sign.key]);
            }
            let used = |mark: &str| places.iter().any(|place| place.contains(mark));
            let judged = verify.live.iter().any(|one| one.at.contains("{secret}"));
            if !used("{secret}") && !judged {
                say("the question is not about the secret");
            }
            if verify.pair.is_some() != used("{pair}") {
                say("a pair is named and not used, or used and not named");
            }
            if !verify.reference.starts_with("https://") {
                say("there is no reference");
            }
            if rule.examples.iter().all(|text| {
                let found =
                    crate::secret::secret_span(&crate::secret::RuleSet::default(), rule, text);
                !found.and_then(|span| text.get(span)).is_some_and(|one| verify.is_for(one))
            }) {
                say("the question is for none of the rule's examples");
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(seen, known.keys().copied().collect());
    }

    #[test]
    fn an_answer_is_judged_by_its_status_and_its_words() {
        for (id, status, body, verdict) in [
            ("github_token", 200, r#"{"login":"octo"}"#, Verified::Live),
            ("github_token", 200, "<html>Sign in to the wireless</html>", Verified::Unknown),
            ("github_token", 200, "", Verified::Unknown),
            ("github_token", 401, "", Verified::Dead),
            ("github_token", 403, r#"{"message":"Sorry"}"#, Verified::Unknown),
            ("github_token", 302, "", Verified::Unknown),
            ("github_token", 500, "", Verified::Unknown),
            ("slack_token", 200, r#"{"ok":true,"team":"T"}"#, Verified::Live),
            ("slack_token", 200, r#"{"ok":false,"error":"invalid_auth"}"#, Verified::Dead),
            ("slack_token", 200, r#"{"ok":false,"error":"ratelimited"}"#, Verified::Unknown),
            ("slack_token", 200, r#"{"ok":"#, Verified::Unknown),
            ("gitlab_token", 401, "{}", Verified::Unknown),
            ("mapbox_secret_token", 200, r#"{"code":"TokenRevoked"}"#, Verified::Dead),
            ("openai_key", 200, r#"{"data":[{"id":"a long li"#, Verified::Live),
        ] {
            assert_eq!(judged(id, status, body).verdict, verdict, "{id} {status} {body}");
        }
        let own = verify("gitlab_token").judge(&secret(), None, Some("127.0.0.1"), 401, &[], b"{}");
        assert_eq!(own.verdict, Verified::Dead, "an issuer that the user named speaks for itself");
    }

    #[test]
    fn of_who_it_belongs_to_only_what_the_rule_names_is_shown_and_never_the_secret() {
        let secret = secret();
        let long = "x".repeat(5_000);
        let body = format!(
            r#"{{"login":"oc\u0007to","id":7,"email":"a@example.com","type":"{} and more"}}"#,
            &secret.expose()[3..15]
        );
        let scopes = ("x-oauth-scopes".to_owned(), long);
        let one =
            verify("github_token").judge(&secret, None, None, 200, &[scopes], body.as_bytes());
        assert_eq!(one.identity["login"], "octo");
        assert_eq!(one.identity["id"], 7);
        assert_eq!(one.identity["scopes"].as_str().unwrap().len(), LONGEST);
        assert!(!one.identity.contains_key("type") && !one.identity.contains_key("email"));
        let body = r#"{"access_scopes":[{"handle":"read_orders"},{"handle":"write_orders"},{}]}"#;
        let pair = Secret::new("shop");
        let one =
            verify("shopify_token").judge(&secret, Some(&pair), None, 200, &[], body.as_bytes());
        assert_eq!(one.identity["scopes"], serde_json::json!(["read_orders", "write_orders"]));
        let body =
            "<R><Arn>arn:aws:iam::123456789012:user/ci</Arn><Account>123456789012</Account></R>";
        let aws = verify("aws_secret_access_key");
        let one = aws.judge(&secret, Some(&pair), None, 200, &[], body.as_bytes());
        assert_eq!(one.verdict, Verified::Live);
        assert_eq!(one.identity["arn"], "arn:aws:iam::123456789012:user/ci");
    }

    #[test]
    fn a_key_of_a_service_account_is_live_while_its_id_is_published() {
        let ask = verify("gcp_service_account");
        let (id, mail) = (Secret::new("0a1b2c"), Secret::new("ci@lab.iam.gserviceaccount.com"));
        let said =
            |body: &str| ask.judge(&id, Some(&mail), None, 200, &[], body.as_bytes()).verdict;
        assert_eq!(said(r#"{"0a1b2c":"-----BEGIN CERTIFICATE-----"}"#), Verified::Live);
        assert_eq!(said(r#"{"ffff":"-----BEGIN CERTIFICATE-----"}"#), Verified::Dead);
        assert_eq!(said("<html></html>"), Verified::Unknown);
        let asked = ask.ask(&id, Some(&mail)).unwrap();
        assert!(asked.url.expose().ends_with("/x509/ci%40lab.iam.gserviceaccount.com"));
        assert!(asked.headers.is_empty(), "nothing of the key is sent");
    }

    #[test]
    fn a_question_is_made_of_what_was_found_and_stays_with_the_issuer() {
        let token = Secret::new("123456789:AAtoken-_x");
        let asked = verify("telegram_token").ask(&token, None).unwrap();
        assert_eq!(asked.url.expose(), "https://api.telegram.org/bot123456789:AAtoken-_x/getMe");
        let okta = verify("okta_token");
        let at = |pair: &str| okta.ask(&secret(), Some(&Secret::new(pair)));
        let asked = at("lab-7").unwrap();
        assert_eq!(asked.url.expose(), "https://lab-7.okta.com/api/v1/users/me");
        assert!(asked.headers.iter().any(|(name, value)| *name == "Authorization"
            && value.expose() == format!("SSWS {}", secret().expose())));
        for bad in ["evil.example.com/", "a.b", "x@y", "{secret}", "a#b", ""] {
            assert!(at(bad).is_none(), "{bad}");
        }
        assert!(okta.ask(&secret(), None).is_none());
        let odd = Secret::new("a/../b?c#d\u{e9}");
        assert!(verify("telegram_token").ask(&odd, None).is_none());
        let odd = Secret::new("a/../b?c#d{pair}");
        let asked = verify("telegram_token").ask(&odd, None).unwrap();
        assert!(asked.url.expose().contains("bota%2F..%2Fb%3Fc%23d%7Bpair%7D/getMe"));
        let line = Secret::new("a\r\nx: y");
        assert!(verify("github_token").ask(&line, None).is_none());
        let twilio = verify("twilio_auth_token").ask(&Secret::new("p"), Some(&Secret::new("AC1")));
        let basic = twilio.unwrap().headers;
        assert_eq!(basic[0].1.expose(), "Basic QUMxOnA=");
        let aws = verify("aws_secret_access_key");
        let of = |id: &str| aws.ask(&secret(), Some(&Secret::new(id)));
        assert!(of(concat!("AK", "IAQNZGKIQY56JQ7WML")).unwrap().sign.is_some());
        // A temporary key does nothing without its session token.
        assert!(of(concat!("AS", "IAQNZGKIQY56JQ7WML")).is_none());
    }

    #[test]
    fn hostile_answers_end_in_a_judgement() {
        let body = br#"{"ok":true,"user":"a","team":["b",{"c":null}],"url":"\ud800","error":1}"#;
        lidless_kit::cut_and_flip(body, |body| {
            for id in ["slack_token", "aws_secret_access_key", "render_key"] {
                let _ = verify(id).judge(&secret(), None, None, 200, &[], body);
            }
        });
        let deep = "[".repeat(60_000);
        assert_eq!(judged("slack_token", 200, &deep).verdict, Verified::Unknown);
    }
}
