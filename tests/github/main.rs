//! The GitHub part against a GitHub on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/github/mod.rs"]
pub mod github;

mod fake;
mod wire;
