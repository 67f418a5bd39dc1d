//! What would have to be looked at to say more, so that nobody asks GitHub for what changes nothing.

use jiff::Timestamp;

use super::facts::{Artifact, Listing};
use super::judge::Judged;
use super::questions::Judge;
use super::settings::Trace;
use super::slot::{Class, Slot, State};

/// Runs whose jobs are worth a request, the newest.
const JOBS: usize = 5;
/// Runs by hand of one slot that are looked into, the newest.
const BY_HAND: usize = 3;

/// A fact that nobody asked for yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// What an artifact holds.
    Model {
        /// The run that left it.
        run: u64,
        /// Its number.
        artifact: u64,
    },
    /// The jobs of a run that did not succeed.
    Jobs {
        /// The run.
        run: u64,
    },
    /// What became of a deployment.
    Statuses {
        /// Its number.
        deployment: u64,
    },
}

/// What the judgement of the newest slot turns on, and what would explain those that failed.
pub(super) fn wants(judge: &Judge<'_>, judged: &[Judged], newest: Option<usize>) -> Vec<Want> {
    let mut out = Vec::new();
    let Some(one) = newest.and_then(|newest| judged.get(newest)) else { return out };
    let own = [one.slot.run_id, one.slot.covered_by, one.past.champion, one.past.last];
    let runs = || own.into_iter().flatten();
    out.extend(runs().filter_map(|run| model(judge, run)));
    out.extend(statuses(judge, &one.slot));
    // Whether a run by hand did the work instead is asked as its own would be.
    for by_hand in one.unsure.iter().take(BY_HAND) {
        out.extend(by_hand.run_id.and_then(|run| model(judge, run)));
        out.extend(statuses(judge, by_hand));
    }
    let unexplained = |one: &&Judged| {
        let state = one.slot.state;
        state.class() == Class::Bad && matches!(state, State::Failed | State::TimedOut | State::Cancelled)
    };
    let failed = judged.iter().rev().filter(unexplained).filter_map(|one| one.slot.run_id).take(JOBS);
    out.extend(failed.filter(|run| !judge.facts.jobs.contains_key(run)).map(|run| Want::Jobs { run }));
    out.sort_unstable();
    out.dedup();
    out
}

fn model(judge: &Judge<'_>, run: u64) -> Option<Want> {
    let is_wanted = match &judge.settings.expect.model {
        Some(Trace::Artifact { digest, .. }) => *digest || judge.settings.expect.metrics.is_some(),
        Some(Trace::Commit(_)) | None => false,
    };
    let Artifact { id, expired, .. } = judge.artifacts.get(&run)?;
    let is_open = is_wanted && !expired && !judge.facts.models.contains_key(&run);
    is_open.then_some(Want::Model { run, artifact: *id })
}

fn statuses(judge: &Judge<'_>, slot: &Slot) -> Vec<Want> {
    let carries = matches!(judge.settings.expect.model, Some(Trace::Commit(_)));
    let is_own = |sha: &str| carries || slot.commit.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(sha));
    // An earlier attempt may have been deployed; a run by hand belongs to a slot that it comes after.
    let is_after = |at: Option<Timestamp>| at.is_none_or(|at| slot.expected_at <= at);
    let list = judge.facts.deployments.items().iter();
    let unasked = list.filter(|deployment| matches!(deployment.statuses, Listing::Unknown { .. }));
    let wanted = unasked.filter(|deployment| is_after(deployment.created) && is_own(&deployment.sha));
    wanted.map(|one| Want::Statuses { deployment: one.id }).collect()
}
