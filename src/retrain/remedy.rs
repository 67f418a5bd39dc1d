//! One action about a slot that did not do what is expected, as a value: a row of the audit that called for it, kept for
//! the audits after it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sys::clock;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The failed jobs of a run, and those after them, are run again.
    RerunFailed,
    /// The workflow is started.
    DispatchMissed,
    /// The workflow is enabled.
    EnableDisabled,
}

impl Action {
    /// Its key under `remediate:`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::RerunFailed => "rerun-failed",
            Self::DispatchMissed => "dispatch-missed",
            Self::EnableDisabled => "enable-disabled",
        }
    }
}

/// How far an action came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It would be done.
    Planned,
    /// Something keeps it back. It does not count.
    Withheld,
    /// It was about to be done, and nobody wrote down how it ended.
    Begun,
    /// It was done, and seen afterwards.
    Verified,
    /// GitHub was asked for it, and it was not seen afterwards.
    Unverified,
    /// It was certainly not done: GitHub did not take it, or was not asked. It counts, and may be tried again.
    Failed,
}

impl Outcome {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Withheld => "withheld",
            Self::Begun => "begun",
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Failed => "failed",
        }
    }
}

/// One action: part of the audit that called for it, and kept for those after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// What is done.
    pub action: Action,
    /// The moment of the audit.
    pub at: Timestamp,
    /// The slot that it is done for, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Timestamp>,
    /// The run that is run again, or the one that was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<u64>,
    /// How far it came.
    pub outcome: Outcome,
    /// What there is to say about it, in a sentence fragment.
    #[serde(default)]
    pub detail: String,
}

impl Remedy {
    /// The same with another end.
    #[must_use]
    pub fn ended(&self, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into(), ..self.clone() }
    }

    /// Whether it was tried, well or not: it counts for budget and cooldown.
    #[must_use]
    pub fn is_tried(&self) -> bool {
        !matches!(self.outcome, Outcome::Planned | Outcome::Withheld)
    }

    /// Whether it was done, or may have been: it is not done again.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_tried() && self.outcome != Outcome::Failed
    }

    /// What is to be done, in words: `run the failed jobs of run 17 again`.
    #[must_use]
    pub fn told(&self) -> String {
        self.worded(["run", "start", "enable"])
    }

    /// What was done, in words: `ran the failed jobs of run 17 again`.
    #[must_use]
    pub fn did(&self) -> String {
        self.worded(["ran", "started", "enabled"])
    }

    fn worded(&self, [run, start, enable]: [&str; 3]) -> String {
        match (self.action, self.run_id, self.slot) {
            (Action::RerunFailed, Some(id), _) => format!("{run} the failed jobs of run {id} again"),
            (Action::RerunFailed, None, _) => format!("{run} the failed jobs again"),
            (Action::DispatchMissed, _, Some(slot)) => {
                format!("{start} the workflow for the slot of {}", clock::minute(slot))
            }
            (Action::DispatchMissed, _, None) => format!("{start} the workflow"),
            (Action::EnableDisabled, ..) => format!("{enable} the workflow"),
        }
    }
}
