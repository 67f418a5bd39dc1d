//! What is told while checks run: the one interface between the runner and everybody who listens.
//!
//! Each event carries all its data. `--events FILE` writes them as JSON lines, schema `mgmt.event/1`.

use jiff::Timestamp;
use serde::Serialize;

use super::outcome::{CheckOutcome, Status};

/// The schema of an event line.
pub const SCHEMA: &str = "mgmt.event/1";

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// The command: `full-check`.
        command: String,
        /// Checks that will run.
        checks: usize,
        /// How many at once.
        jobs: usize,
    },
    /// A `fix:` command begins.
    FixStarted {
        /// The check it belongs to.
        id: String,
        /// The command.
        command: String,
    },
    /// A `fix:` command ended.
    FixFinished {
        /// The check it belongs to.
        id: String,
        /// Whether it exited with 0.
        status: Status,
    },
    /// A check begins.
    CheckStarted {
        /// Its name.
        id: String,
        /// Its group.
        group: String,
        /// The command, if it is one.
        command: Option<String>,
    },
    /// A check runs for long; told at 30 s and again each time the time doubles.
    CheckSlow {
        /// Its name.
        id: String,
        /// How long it runs by now.
        elapsed_ms: u64,
    },
    /// A check ended, or was skipped.
    CheckFinished {
        /// Everything about it.
        outcome: Box<CheckOutcome>,
    },
    /// A signal arrived: nothing more is started, what runs is ended.
    Interrupted {
        /// The signal: `SIGINT`, `SIGTERM`.
        signal: String,
    },
    /// The run is over.
    RunFinished {
        /// How many checks ended in which way, in order of first appearance.
        statuses: Vec<(Status, usize)>,
    },
}

/// An event with its time, as it is written to a file.
#[derive(Serialize)]
pub struct Line<'a> {
    /// `mgmt.event/1`.
    pub schema: &'static str,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: &'a Event,
}
