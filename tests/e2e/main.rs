//! Whole projects, gated for real: what needs more than a Rust toolchain. `.ci/run` runs them with `--features e2e`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/project.rs"]
pub mod support;

mod act;
mod browser;
mod ml_service;
mod own_repository;
mod report_page;
mod terminal;
mod workflows;
