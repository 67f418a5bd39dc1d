//! `mgmt`: one policy file, one verdict.
//!
//! The library behind the `mgmt` binary and behind any project's `cargo xtask`. `src/README.md` is the map.

pub mod app;
pub mod check;
pub mod cli;
pub mod config;
pub mod decode;
pub mod deploy;
pub mod evidence;
pub mod gate;
#[cfg(feature = "net")]
pub mod github;
pub mod history;
pub mod notify;
pub mod progress;
pub mod publish;
pub mod record;
pub mod repo;
pub mod report;
pub mod retrain;
pub mod run;
pub mod sys;

pub use sys::VERSION;
