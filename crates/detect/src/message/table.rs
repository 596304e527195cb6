//! The table of forms of messages: a new one is one new file and one line here.

use super::discord::Discord;
use super::ediscovery::{Items, Rsmf};
use super::form::Form;
use super::google::GoogleChat;
use super::mattermost::Mattermost;
use super::rocket::RocketChat;
use super::slack::Slack;
use super::teams::Teams;
use super::telegram::Telegram;
use super::whatsapp::WhatsApp;

/// Every form that is text, the surest first.
pub(super) fn forms() -> [&'static dyn Form; 10] {
    [
        &Teams,
        &Rsmf,
        &Slack,
        &Mattermost,
        &GoogleChat,
        &Telegram,
        &Discord,
        &RocketChat,
        &Items,
        &WhatsApp,
    ]
}
