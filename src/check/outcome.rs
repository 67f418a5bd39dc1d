//! How a check ended.

use serde::{Deserialize, Serialize};

use crate::gate::Quarantine;
use crate::sys::text;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It held.
    Passed,
    /// It did not hold.
    Failed,
    /// It was ended because it ran too long.
    TimedOut,
    /// It could not be started, so nothing is known.
    Error,
    /// It was not started, and the reason says why.
    Skipped,
    /// It was stopped by a signal to the whole run, or never got its turn because of one.
    Interrupted,
}

impl Status {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether its result can be used by a check that needs it.
    #[must_use]
    pub fn is_usable(self) -> bool {
        self == Self::Passed
    }
}

/// Why a check was skipped: they differ in what they mean for the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// A program it requires is not there: a warning.
    MissingTool,
    /// A check it needs did not pass, and so nobody knows what this one would have said.
    NeedFailed,
    /// `--fail-fast`, after a failure.
    FailFast,
}

/// Everything about one execution of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// The check's name.
    pub id: String,
    /// Its group.
    pub group: String,
    /// How it ended.
    pub status: Status,
    /// Why it was skipped, if it was.
    pub skip: Option<Skip>,
    /// Why, where the status alone does not say it.
    pub reason: Option<String>,
    /// Whether its failure is only a warning.
    pub allow_failure: bool,
    /// Whether quarantine explains its failure, so that it is only a warning.
    #[serde(default)]
    pub quarantined: bool,
    /// Time from its start to its end, without waiting for a turn.
    pub duration_ms: u64,
    /// The command as a person would type it.
    pub command: Option<String>,
    /// The program's exit code, if it ended with one.
    pub exit_code: Option<i32>,
    /// What it printed, both streams in order: all of it, or its start and its end.
    pub output: Output,
    /// The command that repairs what it found.
    pub fix: Option<String>,
}

impl CheckOutcome {
    /// Whether its failure is only a warning.
    #[must_use]
    pub fn is_excused(&self) -> bool {
        self.allow_failure || self.quarantined
    }

    /// Whether its tests can be compared with those of another run: it ran, to its end or as long as it might. One
    /// that was skipped, could not start or was stopped says nothing about tests that are not there.
    #[must_use]
    pub fn is_evaluated(&self) -> bool {
        matches!(self.status, Status::Passed | Status::Failed | Status::TimedOut)
    }

    /// Whether its failure is wholly explained by tests in quarantine: it ended by itself with a failure, its own
    /// reports name failing tests, each of them is excused, and nothing of those reports was lost (`is_lossy`). A
    /// program that was killed, ran too long or did not start failed for another reason.
    #[must_use]
    pub fn is_explained_by(&self, quarantine: &Quarantine, is_lossy: bool) -> bool {
        self.status == Status::Failed && self.exit_code.is_some() && !is_lossy && quarantine.explains(&self.id)
    }
}

/// Printed text, bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The text; where something was dropped, a line says how much.
    pub text: String,
    /// Bytes dropped from the middle.
    pub dropped_bytes: u64,
}

impl Output {
    /// The last lines, at most `max`, and in words what stands before them, if anything does.
    #[must_use]
    pub fn tail(&self, max: usize) -> (Option<String>, String) {
        let lines: Vec<_> = self.text.trim_end().lines().collect();
        let before = lines.len().saturating_sub(max);
        let told = match (before, self.dropped_bytes) {
            (0, _) => None,
            (_, 0) => Some(text::plural(before as u64, "line", "lines")),
            // The line that says it is among those before: without these words the count would be taken for all.
            (_, dropped) => Some(format!(
                "{} and {} that were not kept",
                text::plural(before as u64, "line", "lines"),
                text::bytes(dropped)
            )),
        };
        (told, lines[before..].join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_of_its_own_tests_is_explained_by_quarantine() {
        let quarantine = Quarantine { explained: vec!["unit".into()], ..Quarantine::default() };
        let check = |id: &str, status, exit_code| CheckOutcome {
            id: id.into(),
            group: "test".into(),
            status,
            skip: None,
            reason: None,
            allow_failure: false,
            quarantined: false,
            duration_ms: 0,
            command: None,
            exit_code,
            output: Output::default(),
            fix: None,
        };
        let failed = check("unit", Status::Failed, Some(1));
        assert!(failed.is_explained_by(&quarantine, false));
        assert!(!failed.is_explained_by(&quarantine, true), "a lost report may hide other failures");
        assert!(!check("other", Status::Failed, Some(1)).is_explained_by(&quarantine, false));
        assert!(!check("unit", Status::Failed, None).is_explained_by(&quarantine, false), "killed by a signal");
        for status in [Status::Passed, Status::TimedOut, Status::Error, Status::Skipped, Status::Interrupted] {
            assert!(!check("unit", status, Some(1)).is_explained_by(&quarantine, false), "{status:?}");
        }
    }

    #[test]
    fn a_tail_says_what_stands_before_it_and_what_was_dropped() {
        let output = |dropped_bytes| Output { text: "a\nb\nc\n".into(), dropped_bytes };
        assert_eq!(output(0).tail(3), (None, "a\nb\nc".into()));
        assert_eq!(output(0).tail(2), (Some("1 line".into()), "b\nc".into()));
        assert_eq!(output(2048).tail(1), (Some("2 lines and 2.0 KiB that were not kept".into()), "c".into()));
    }
}
