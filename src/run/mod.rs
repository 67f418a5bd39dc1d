//! Floor 5: runs a plan. Processes, timers, signals and report files live here; decisions do not.
//!
//! The runner prints nothing. It tells what happens as [`Event`]s and returns what came of each check.

mod capture;
pub mod evidence;
mod output;
mod process;
mod schedule;
mod tree;
mod which;

pub use output::{kept_output, output_label};
pub use schedule::{Executed, Run, execute};
pub use tree::DiskTree;
pub use which::which;

use std::time::Duration;

use camino::Utf8PathBuf;

use crate::evidence::Limits;
use crate::evidence::problem::{Code, Level};
use crate::sys::env::Env;

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The command's name, for events.
    pub command: String,
    /// The project's root.
    pub root: Utf8PathBuf,
    /// What children inherit.
    pub env: Env,
    /// Checks at once, at least 1.
    pub jobs: usize,
    /// Whether a failure keeps what has not begun from beginning.
    pub fail_fast: FailFast,
    /// Whether `fix:` commands run first.
    pub fix: Fix,
    /// Time between asking a process group to end and killing it.
    pub grace: Duration,
    /// Bounds on report files.
    pub limits: Limits,
    /// The folder that keeps what checks print of which a report is read (`from: output`), so that it can be packed.
    pub keep_output: Utf8PathBuf,
}

/// What a failure means for checks that have not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailFast {
    /// Nothing: independent checks all run.
    No,
    /// They are skipped.
    Yes,
}

/// Whether `fix:` commands run before the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    /// They do not.
    No,
    /// They run one after the other, then the checks.
    Yes,
}

/// The runner's own problem codes.
pub const CODES: &[&Code] = &[&HELD_OPEN, &FIX_FAILED];

/// A process stays behind.
pub const HELD_OPEN: Code = Code {
    id: "run.held-open",
    level: Level::Warning,
    doc: "The check's program ended, but a process it started still holds its output open. What that process prints is not read, and it is not ended.",
    hint: "let the check stop what it starts, or redirect that process's output",
};

/// A repair did not work.
pub const FIX_FAILED: Code = Code {
    id: "run.fix-failed",
    level: Level::Warning,
    doc: "A `fix:` command did not exit with 0. The checks ran all the same and decide.",
    hint: "run the command by hand and look at what it says",
};
