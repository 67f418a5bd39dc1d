//! Notices against a Discord on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/connection.rs"]
pub mod connection;
#[path = "../support/discord/mod.rs"]
pub mod discord;
#[path = "../support/project.rs"]
pub mod support;

mod command;
mod config;
mod deliver;
mod fake;
mod scene;
