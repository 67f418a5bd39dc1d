//! A moment at which a schedule should have run, its state, and which runs belong to it.
//!
//! A scheduled run belongs to the latest slot at or before the moment it was asked for. Where a schedule is shorter
//! than its delays, a run that is later than the next slot therefore counts for that one: GitHub does not tell which
//! slot it meant, and the number of slots without a run is the same either way. Several runs may belong to one slot
//! (two cron texts that name one moment, an hour that comes twice); the best of them speaks for it.

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::facts::Run;

/// How much earlier than its slot a run may seem to be: clocks differ.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// What became of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It ran in time, and all that was asked came of it.
    OnTime,
    /// The same, but it began late.
    Late,
    /// Nothing ran, or it began later than is tolerated.
    Missed,
    /// Nothing ran, because the workflow is disabled.
    Disabled,
    /// It ran on another branch.
    WrongBranch,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It went on for too long.
    TimedOut,
    /// It was cancelled by a newer run of the same workflow.
    Superseded,
    /// It is green, and left no model.
    NoArtifact,
    /// It left a model that is gone.
    ArtifactExpired,
    /// The model is not the one that was left.
    DigestMismatch,
    /// The model has no metrics, or not all of them, or not as numbers.
    MetricsMissing,
    /// The model is the one before.
    ModelUnchanged,
    /// The model is worse than the one before, or than is allowed.
    WorseThanChampion,
    /// The model did not get where it belongs.
    NotDeployed,
    /// Not judged: it may still run.
    Pending,
    /// Not judged: it has not ended, or its deployment is awaited.
    Running,
    /// Nobody can say.
    Unknown,
}

/// What a state is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// As it should be.
    Kept,
    /// As it should be, but late.
    Late,
    /// As it was then: what is left of it cannot be looked at any more.
    Faded,
    /// Not judged yet.
    Open,
    /// Nobody can say.
    Unknown,
    /// Not as it should be.
    Bad,
}

/// One row: a state.
pub struct Row {
    /// The state.
    pub state: State,
    /// Its word.
    pub word: &'static str,
    /// Its sign in a calendar strip; no two are equal.
    pub sign: char,
    /// What it is worth.
    pub class: Class,
    /// What it means, in a sentence.
    pub doc: &'static str,
    /// The next step, with `FILE` for the workflow's; empty where there is none to take.
    pub hint: &'static str,
}

macro_rules! states {
    ($($state:ident, $word:literal, $sign:literal, $class:ident, $doc:literal, $hint:literal;)*) => {
        /// Every state, in the order of precedence: of several faults of one run the first names the slot.
        pub const STATES: &[Row] = &[$(Row {
            state: State::$state,
            word: $word,
            sign: $sign,
            class: Class::$class,
            doc: $doc,
            hint: $hint,
        }),*];
    };
}

states! {
    Disabled, "disabled", 'D', Bad,
        "No run, because the workflow is disabled.",
        "enable it: `gh workflow enable FILE`";
    Missed, "missed", 'M', Bad,
        "No run within the tolerance.",
        "start it by hand: `gh workflow run FILE`; GitHub tells nobody why a scheduled run never began or began late";
    WrongBranch, "wrong-branch", 'B', Bad,
        "The run was on another branch than the one that is expected.",
        "GitHub runs schedules on the default branch alone: expect that one, or make the other the default";
    TimedOut, "timed-out", 'T', Bad,
        "The run went on for longer than it may.",
        "look at where the run hangs, or raise `timeout:`";
    Failed, "failed", 'F', Bad,
        "The run did not succeed.",
        "look at the step that failed: its log tells more";
    Superseded, "superseded", 'S', Bad,
        "The run was cancelled because a newer one of the same workflow began.",
        "give the training a `concurrency:` group of its own, without `cancel-in-progress`";
    Cancelled, "cancelled", 'C', Bad,
        "The run was cancelled.",
        "find out who cancelled it; `gh workflow run FILE` starts it again";
    NoArtifact, "no-artifact", 'N', Bad,
        "The run is green and left no model.",
        "let the training fail where it leaves nothing of what `expect:` names";
    ArtifactExpired, "artifact-expired", 'E', Faded,
        "The run is green, and the model it left has been removed since.",
        "keep artifacts for longer than the time between two slots: `retention-days` of the upload";
    DigestMismatch, "digest-mismatch", 'X', Bad,
        "The bytes of the model are not those that were stored.",
        "deploy it nowhere, find out what came between, and train anew";
    MetricsMissing, "metrics-missing", 'Q', Bad,
        "The model's metrics are not there, or are no numbers.",
        "let the training put the file of `expect: metrics:` beside the model, each value a finite number";
    ModelUnchanged, "model-unchanged", 'U', Bad,
        "The model is the same as the one before.",
        "look whether the training reads new data, and stores what it trained";
    WorseThanChampion, "worse-than-champion", 'W', Bad,
        "The model is worse than the one before, or than its limits.",
        "keep the model before it in production, and look at what the new one was trained on";
    NotDeployed, "not-deployed", 'P', Bad,
        "The model did not get to production in time.",
        "look at the run of the deploy, and at which model production serves";
    Unknown, "unknown", '?', Unknown,
        "What is needed to judge the slot is not known.",
        "see the other problems: they say what could not be seen";
    Running, "running", '>', Open,
        "The run has not ended, or its deployment is awaited. Not judged.",
        "";
    Pending, "pending", '.', Open,
        "There is no run yet, and it would still be tolerated. Not judged.",
        "";
    Late, "late", 'l', Late,
        "The run began late, and did what is expected.",
        "GitHub is busiest at the start of every hour: move the schedule by some minutes, or raise `late-after:`";
    OnTime, "on-time", 'o', Kept,
        "The run began in time, and did what is expected.",
        "";
}

impl State {
    /// Its row.
    #[must_use]
    pub fn row(self) -> &'static Row {
        STATES.iter().find(|row| row.state == self).unwrap_or(&STATES[0])
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// What it is worth.
    #[must_use]
    pub fn class(self) -> Class {
        self.row().class
    }

    /// Whether time alone will not change it.
    #[must_use]
    pub fn is_judged(self) -> bool {
        self.class() != Class::Open
    }

    /// Where it stands among several faults of one run; less goes first.
    #[must_use]
    pub fn precedence(self) -> usize {
        STATES.iter().position(|row| row.state == self).unwrap_or(0)
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.word())
    }
}

/// A slot and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slot {
    /// When the schedule names it.
    pub expected_at: Timestamp,
    /// What became of it.
    pub state: State,
    /// The run that speaks for it.
    pub run_id: Option<u64>,
    /// That run's newest attempt.
    pub attempt: Option<u32>,
    /// When that attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How much later than the slot the run was asked for, in seconds.
    pub late_seconds: Option<i64>,
    /// How deep it was looked at.
    pub depth: Depth,
    /// What more there is to say.
    pub detail: Option<String>,
    /// The run by hand that did the work instead.
    pub covered_by: Option<u64>,
    /// The run's commit.
    pub commit: Option<String>,
    /// Where people look at the run.
    pub url: Option<String>,
    /// What failed of it.
    pub failure: Option<Failure>,
}

/// How deep a slot was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// The run, and what is known of its model without another look: what nobody asked for is not held against it.
    Run,
    /// All that the policy asks for: what is not known is `unknown`.
    Model,
}

/// What failed of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The job.
    pub job: String,
    /// The step in it.
    pub step: Option<String>,
    /// The end of its log.
    pub tail: Option<String>,
}

/// A slot with the runs that belong to it.
#[derive(Clone, Debug)]
pub struct Assigned<'a> {
    /// When the schedule names it.
    pub at: Timestamp,
    /// The next slot.
    pub until: Option<Timestamp>,
    /// Runs that the schedule started, in order of time.
    pub scheduled: Vec<&'a Run>,
    /// Runs that somebody or something else started.
    pub other: Vec<&'a Run>,
}

/// Gives each run to its slot. `slots` are in order; `next` is the first that is not judged any more. A run without a
/// time or without what started it belongs nowhere.
#[must_use]
pub fn assign<'a>(slots: &[Timestamp], next: Option<Timestamp>, runs: &'a [Run]) -> Vec<Assigned<'a>> {
    let until = slots.iter().skip(1).copied().map(Some).chain([next]);
    let mut out: Vec<_> = slots
        .iter()
        .zip(until)
        .map(|(at, until)| Assigned { at: *at, until, scheduled: Vec::new(), other: Vec::new() })
        .collect();
    for run in runs {
        let (Some(created), Some(event)) = (run.created, run.event.as_deref()) else { continue };
        let is_scheduled = run.is_scheduled();
        let early = if is_scheduled { EARLY } else { SignedDuration::ZERO };
        let moment = created.checked_add(early).unwrap_or(created);
        let at = slots.partition_point(|slot| *slot <= moment);
        let is_next = next.is_some_and(|next| next <= moment);
        let Some(slot) = at.checked_sub(1).filter(|_| !is_next).and_then(|at| out.get_mut(at)) else { continue };
        if is_scheduled {
            slot.scheduled.push(run);
        } else if !event.starts_with("pull_request") {
            slot.other.push(run);
        }
    }
    for slot in &mut out {
        slot.scheduled.sort_by_key(|run| (run.created, run.id));
        slot.other.sort_by_key(|run| (run.created, run.id));
    }
    out
}

#[cfg(test)]
mod unit_tests {
    use std::collections::BTreeSet;

    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-06-01T{text}Z").parse().unwrap()
    }

    fn run(id: u64, event: &str, time: &str) -> Run {
        Run { id, event: Some(event.into()), created: Some(at(time)), ..Run::default() }
    }

    #[test]
    fn every_state_has_one_word_and_one_sign() {
        let words: BTreeSet<_> = STATES.iter().map(|row| row.word).collect();
        let signs: BTreeSet<_> = STATES.iter().map(|row| row.sign).collect();
        assert_eq!((words.len(), signs.len()), (19, 19));
        assert!(STATES.iter().all(|row| row.doc.ends_with('.') && row.state.row().word == row.word));
    }

    #[test]
    fn a_run_belongs_to_the_latest_slot_before_it() {
        let slots = [at("01:00:00"), at("02:00:00"), at("03:00:00")];
        let runs = [
            run(1, "schedule", "00:30:00"),
            run(2, "schedule", "02:10:00"),
            run(3, "schedule", "02:05:00"),
            run(4, "schedule", "02:59:30"),
            run(5, "workflow_dispatch", "02:59:30"),
            run(6, "pull_request", "03:10:00"),
            run(7, "schedule", "03:59:30"),
            Run { created: None, ..run(8, "schedule", "03:10:00") },
            Run { event: None, ..run(9, "schedule", "03:10:00") },
        ];
        let ids = |runs: &[&Run]| runs.iter().map(|run| run.id).collect::<Vec<_>>();
        let all = assign(&slots, Some(at("04:00:00")), &runs);
        let told: Vec<_> = all.iter().map(|slot| (ids(&slot.scheduled), ids(&slot.other))).collect();
        assert_eq!(told, [(vec![], vec![]), (vec![3, 2], vec![5]), (vec![4], vec![])]);
        assert_eq!(all[2].until, Some(at("04:00:00")));
        assert!(assign(&[], None, &runs).is_empty());
    }
}
