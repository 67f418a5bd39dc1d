//! Whole projects, gated for real: what needs more than a Rust toolchain. `.ci/run` runs them with `--features e2e`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/connection.rs"]
pub mod connection;
#[path = "../support/discord/mod.rs"]
pub mod discord;
#[path = "../support/github/mod.rs"]
pub mod github;
#[path = "../support/project.rs"]
pub mod support;

mod act;
mod audits;
mod browser;
mod deploys;
mod ml_service;
mod own_repository;
mod pull_requests;
mod report_page;
mod terminal;
mod workflows;
