//! Floor 6: where a result goes on GitHub, and what of it has room there. One file for each target.
//!
//! Every target has a limit past which GitHub refuses the whole or drops a part without a word. The functions here turn
//! a record and its [`Context`] into bodies within those limits; the last one of a target that is a file writes it.
//! Deliberately absent: requests, waiting, permissions and the choice of targets. Nothing here can change a verdict.

pub mod annotation;
mod append;
pub mod badge;
pub mod check_run;
pub mod comment;
pub mod context;
pub mod issue;
pub mod log;
pub mod outputs;
pub mod summary;
#[cfg(test)]
mod tests;

pub use context::{Context, Key};

use camino::Utf8PathBuf;

use crate::sys::{fs, text};

/// A place where a result is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// One comment on the pull request, kept up to date.
    Comment,
    /// A check run on the commit.
    Check,
    /// The summary of the job.
    Summary,
    /// The outputs of the step.
    Outputs,
    /// A badge file.
    Badge,
}

/// One row: a target.
#[derive(Debug)]
pub struct Row {
    /// Which.
    pub target: Target,
    /// Its name after `--to`.
    pub name: &'static str,
    /// One line for help texts.
    pub doc: &'static str,
    /// Whether it is written when nobody chooses.
    pub default: bool,
    /// What the job's token must be permitted, if anything.
    pub permission: Option<&'static str>,
}

/// Every target, in the order in which they are written: outputs tell of the comment.
pub const TARGETS: &[Row] = &[
    Row {
        target: Target::Comment,
        name: "comment",
        doc: "One comment on the pull request, kept up to date.",
        default: true,
        permission: Some("pull-requests: write"),
    },
    Row {
        target: Target::Check,
        name: "check",
        doc: "A check run on the commit, with annotations at changed lines and failed tests.",
        default: false,
        permission: Some("checks: write"),
    },
    Row {
        target: Target::Summary,
        name: "summary",
        doc: "The report in the summary of the job.",
        default: true,
        permission: None,
    },
    Row {
        target: Target::Outputs,
        name: "outputs",
        doc: "The verdict and the main numbers as outputs of the step.",
        default: true,
        permission: None,
    },
    Row {
        target: Target::Badge,
        name: "badge",
        doc: "A badge as SVG, or as JSON for an endpoint of shields.io.",
        default: false,
        permission: None,
    },
];

/// The row with this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Row> {
    TARGETS.iter().find(|row| row.name == name)
}

/// A target that could not be written. The others are written all the same.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system's error.
    #[error(transparent)]
    File(#[from] fs::Error),
    /// Other commands of the step have filled its summary.
    #[error("the summary {path} holds {} already, and GitHub takes {} of a step", text::bytes(*held), text::bytes(summary::LIMIT))]
    Full {
        /// The file.
        path: Utf8PathBuf,
        /// Bytes in it.
        held: u64,
    },
    /// A badge file with another ending than those known.
    #[error("`{0}` does not say which kind of badge it is to be")]
    BadgeName(Utf8PathBuf),
}

impl Error {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint().unwrap_or("check that the folder is there and that it can be written"),
            Self::Full { .. } => "publish in a step of its own: every step has a summary of its own",
            Self::BadgeName(_) => "end its name in .svg for an image or in .json for an endpoint of shields.io",
        }
    }
}
