//! The GitHub part against a GitHub on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/connection.rs"]
pub mod connection;
#[path = "../support/discord/mod.rs"]
pub mod discord;
#[path = "../support/github/mod.rs"]
pub mod github;
#[path = "../support/project.rs"]
pub mod support;

mod audit;
mod baseline;
mod client;
mod comments;
mod evidence;
mod fake;
mod incident;
mod issues;
mod lasting;
mod lookups;
mod markup;
mod parts;
mod publish;
mod remedy;
mod scene;
mod shallow;
mod stage;
mod stage_checks;
mod stage_told;
mod whole_job;
mod wire;
mod withheld;
mod workflows;
