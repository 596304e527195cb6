//! Messages of people: counted, never kept.

mod detector;
mod discord;
mod ediscovery;
mod form;
mod google;
mod leveldb;
mod lines;
mod mattermost;
mod rocket;
mod slack;
mod table;
mod teams;
mod telegram;
mod whatsapp;

pub(crate) use detector::MessageDetector;
pub(crate) use leveldb::ChatCacheDetector;
