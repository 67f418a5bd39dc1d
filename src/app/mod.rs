//! Floor 8: one file for each thing a person can ask for. Joins the rooms below and returns values.
//!
//! Nothing here prints or exits: that is `cli`'s.

#[cfg(feature = "net")]
pub mod audit;
#[cfg(feature = "net")]
pub mod baseline;
pub mod bundle;
pub mod check;
#[cfg(feature = "net")]
pub mod ci;
pub mod compare;
pub mod explain;
pub mod gate;
pub mod history;
pub mod init;
pub mod inspect;
pub mod job;
pub mod judge;
#[cfg(feature = "net")]
pub mod notify;
pub mod policy;
#[cfg(feature = "net")]
pub mod publish;
#[cfg(feature = "net")]
pub mod remote;
pub mod reports;
#[cfg(feature = "net")]
pub mod stage;
pub mod status;
#[cfg(feature = "net")]
pub mod step;
pub mod told;
pub mod trend;
#[cfg(feature = "net")]
pub mod wired;

use camino::Utf8PathBuf;

use crate::config::{self, Config, LoadError};
use crate::evidence::problem::{Code, Level};
use crate::sys::clock::Clock;
use crate::sys::env::Env;

/// What every use case starts from.
#[derive(Clone, Debug)]
pub struct Context {
    /// The folder the program was started in.
    pub cwd: Utf8PathBuf,
    /// The environment.
    pub env: Env,
    /// The clock.
    pub clock: Clock,
    /// `--config`.
    pub config: Option<Utf8PathBuf>,
    /// `--report-dir`.
    pub report_dir: Option<Utf8PathBuf>,
}

impl Context {
    /// Finds and reads the configuration.
    ///
    /// # Errors
    /// A [`Stop`] for a missing or unreadable file; a [`LoadError::Invalid`] as it is, for its carets.
    pub fn load(&self) -> anyhow::Result<Config> {
        config::load(&self.cwd, self.config.as_deref()).map_err(Self::stopped)
    }

    /// Why there is no configuration: [`LoadError::Invalid`] as it is, for its carets; else a [`Stop`].
    #[must_use]
    pub fn stopped(error: LoadError) -> anyhow::Error {
        match error {
            LoadError::Invalid { .. } => error.into(),
            other => Stop::usage(other.to_string(), other.hint()).into(),
        }
    }

    /// Where reports go.
    #[must_use]
    pub fn report_dir(&self, config: &Config) -> Utf8PathBuf {
        match &self.report_dir {
            Some(folder) => self.cwd.join(folder),
            None => config.root.join(&config.reports.dir),
        }
    }
}

/// Why a use case ended without an answer.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Stop {
    /// What the program exits with.
    pub exit: Exit,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

/// Exit codes that no verdict gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// There is nothing to check.
    Nothing = 3,
    /// Something outside failed before there was a verdict.
    Undecided = 4,
}

impl Stop {
    /// The command line or the configuration is wrong.
    #[must_use]
    pub fn usage(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint }
    }

    /// There is nothing to check.
    #[must_use]
    pub fn nothing(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { exit: Exit::Nothing, message: message.into(), hint }
    }

    /// Something outside failed.
    #[must_use]
    pub fn undecided(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { exit: Exit::Undecided, message: message.into(), hint }
    }
}

impl From<crate::sys::fs::Error> for Stop {
    fn from(error: crate::sys::fs::Error) -> Self {
        Self::undecided(error.to_string(), error.hint().map(str::to_owned))
    }
}

impl From<crate::history::Error> for Stop {
    fn from(error: crate::history::Error) -> Self {
        let exit = match error {
            crate::history::Error::Missing { .. } => Exit::Usage,
            _ => Exit::Undecided,
        };
        Self { exit, message: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

/// Problem codes of the use cases.
pub const CODES: &[&Code] = &[
    &NO_REPOSITORY,
    &GIT,
    &crate::record::BASELINE,
    &bundle::INCOMPLETE,
    #[cfg(feature = "net")]
    &ci::SHARD,
    #[cfg(feature = "net")]
    &ci::RUNNING,
    &policy::UNRUN,
    &policy::CHANGED,
    &policy::NEW,
    &policy::UNKNOWN,
];

/// The project is not in git.
pub const NO_REPOSITORY: Code = Code {
    id: "repo.none",
    level: Level::Note,
    doc: "The project is not in a git repository: the record names no commit, and no later run can be compared with it.",
    hint: "",
};

/// git did not answer.
pub const GIT: Code = Code {
    id: "repo.git",
    level: Level::Warning,
    doc: "git could not say which commit is checked out, so the record names none.",
    hint: "run `git status` in the project and look at what it says",
};
