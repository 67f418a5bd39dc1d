//! What a slot is asked with, and what the questions found.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::champion::Comparison;
use super::facts::{Artifact, Facts, Listing, Run};
use super::settings::Settings;
use super::slot::{Failure, State};

/// Everything that slots are judged by.
pub(super) struct Judge<'a> {
    pub(super) settings: &'a Settings,
    pub(super) facts: &'a Facts,
    /// Whether runs may be missing from the list, and why.
    pub(super) gap: Option<String>,
    /// Where the list of runs only ends too early: from when on it is whole.
    pub(super) cut: Option<Timestamp>,
    /// When the newest scheduled run was asked for.
    pub(super) newest: Option<Timestamp>,
    /// The newest artifact of each run: an attempt may leave another one.
    pub(super) artifacts: BTreeMap<u64, &'a Artifact>,
}

/// What the questions found.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) faults: Vec<(State, String)>,
    pub(super) open: Vec<String>,
    pub(super) awaited: Option<String>,
    pub(super) notes: Vec<String>,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) failure: Option<Failure>,
}

impl Answers {
    pub(super) fn fault(&mut self, state: State, detail: impl Into<String>) {
        self.faults.push((state, detail.into()));
    }

    /// Nobody can say.
    pub(super) fn open(&mut self, detail: impl Into<String>) {
        self.open.push(detail.into());
    }

    /// It will be known later.
    pub(super) fn awaited(&mut self, detail: impl Into<String>) {
        self.awaited = Some(detail.into());
    }

    pub(super) fn end(self, otherwise: State) -> (State, Option<String>) {
        let first = self.faults.into_iter().min_by_key(|(state, _)| state.precedence());
        let open = self.open.into_iter().next();
        let (state, detail) = match (first, open, self.awaited) {
            (Some((state, detail)), ..) => (state, Some(detail)),
            (None, Some(detail), _) => (State::Unknown, Some(detail)),
            (None, None, Some(detail)) => (State::Running, Some(detail)),
            (None, None, None) => (otherwise, None),
        };
        let parts: Vec<_> = detail.into_iter().chain(self.notes).collect();
        (state, (!parts.is_empty()).then(|| parts.join("; ")))
    }
}

impl<'a> Judge<'a> {
    pub(super) fn new(settings: &'a Settings, facts: &'a Facts) -> Self {
        let items = facts.runs.items();
        let is_odd = |run: &&Run| run.created.is_none() || run.event.is_none();
        let odd =
            items.iter().find(is_odd).map(|run| format!("of run {} GitHub does not say when or why it began", run.id));
        // GitHub tells the newest first: what comes after the oldest that was read is all there is.
        let is_only_cut = odd.is_none() && matches!(facts.runs, Listing::Known { truncated: true, unreadable: 0, .. });
        let cut = items.iter().filter(|_| is_only_cut).filter_map(|run| run.created).min();
        let gap = facts.runs.gap().filter(|_| cut.is_none());
        let gap = gap.map(|gap| format!("the list of runs is not whole: {gap}")).or(odd);
        let newest = items.iter().filter(|run| run.is_scheduled()).filter_map(|run| run.created).max();
        let mut artifacts: Vec<_> = facts.artifacts.items().iter().collect();
        artifacts.sort_by_key(|artifact| (artifact.created, artifact.id));
        let artifacts = artifacts.into_iter().filter_map(|artifact| Some((artifact.run?, artifact))).collect();
        Self { settings, facts, gap, cut, newest, artifacts }
    }
}

/// How long ago something was: nothing, for a time in the future.
pub(super) fn since(from: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(from)).unwrap_or_default()
}

/// Whether something may be missing from a list, in words.
pub(super) fn gap<T>(list: &Listing<T>, what: &str) -> Option<String> {
    list.gap().map(|gap| format!("the list of {what} is not whole: {gap}"))
}
