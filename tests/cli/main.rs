//! The real binary, driven from outside: what a person meets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod baseline;
mod commands;
mod comparison;
mod config;
mod contract;
mod execution;
mod followed;
mod gate_rules;
mod history;
mod init;
mod inspect;
mod quarantine;
mod stages;
#[path = "../support/project.rs"]
pub mod support;
mod trend;
mod workflows;
