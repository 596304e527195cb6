//! One file a command.

mod baseline;
mod check;
mod demo;
mod dispatch;
mod import;
mod inspect;
mod inventory;
mod mint;
mod plan;
mod report;
mod rules;
mod scan;
mod seal;
mod trail;
mod verify;

pub(crate) use dispatch::run;
