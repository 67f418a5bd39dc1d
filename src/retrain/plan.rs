//! Which action of [`super::remediate`] an audit calls for, what keeps it back, and whether the moment is still the one
//! that it was planned for.
//!
//! One action at a time; a run is run again once, a slot is started once, and what failed in the same place after it was
//! run again is left to people. Deliberately absent: looking and acting.

use jiff::{SignedDuration, Timestamp};

use super::audit::Audit;
use super::facts::{ACTIVE, Listing, Run};
use super::incident::decisive;
use super::judge;
use super::questions::since;
use super::remediate::{Budget, MOST_ACTIONS, Remedies};
use super::remedy::{Action, Outcome, Remedy};
use super::settings::Settings;
use super::slot::{Class, Slot, State};
use super::wiring;
use crate::gate::Verdict;
use crate::sys::{clock, text};

/// GitHub runs nothing again that is older.
const OLDEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// GitHub's word for a workflow that it disabled because nothing happened in the repository.
const INACTIVE: &str = "disabled_inactivity";
/// How what was tried already ends.
const PERSON: &str = "somebody has to look";

/// What several memories know together: what was tried, each once, the oldest first; of much the newest, and no fewer
/// than a budget can count.
#[must_use]
pub fn joined(memories: &[&[Remedy]]) -> Vec<Remedy> {
    let mut out: Vec<Remedy> = Vec::new();
    for one in memories.iter().copied().flatten().filter(|one| one.is_tried()) {
        let is_same = |known: &&mut Remedy| (known.action, known.at, known.slot) == (one.action, one.at, one.slot);
        match out.iter_mut().find(is_same) {
            // Who wrote down how it ended knows more.
            Some(known) if known.outcome == Outcome::Begun => *known = one.clone(),
            Some(_) => {}
            None => out.push(one.clone()),
        }
    }
    out.sort_by_key(|one| one.at);
    out.split_off(out.len().saturating_sub(usize::try_from(MOST_ACTIONS).unwrap_or(usize::MAX)))
}

/// Those that count at a moment: tried, and within the budget's time; the oldest first.
fn counted(kept: &[Remedy], budget: Budget, now: Timestamp) -> Vec<&Remedy> {
    let mut out: Vec<_> = kept.iter().filter(|one| one.is_tried() && since(one.at, now) < budget.within).collect();
    out.sort_by_key(|one| one.at);
    out
}

/// How many actions the budget still has at a moment.
#[must_use]
pub fn left(kept: &[Remedy], budget: Budget, now: Timestamp) -> u64 {
    budget.actions.saturating_sub(counted(kept, budget, now).len() as u64)
}

/// The action that an audit calls for, planned or withheld; `None` if no action that is declared would help. `kept` are
/// those of earlier audits; before `forgotten` nobody knows what was done.
#[must_use]
pub fn plan(audit: &Audit, settings: &Settings, kept: &[Remedy], forgotten: Option<Timestamp>) -> Option<Remedy> {
    let remedies = settings.remediate.as_ref().filter(|_| audit.verdict == Verdict::Fail)?;
    let one = candidate(audit, remedies)?;
    let counted = counted(kept, remedies.budget, audit.as_of);
    let why = repeated(&one, audit, kept)
        .or_else(|| uncertain(&one, audit))
        .or_else(|| soon(&one, audit, settings))
        .or_else(|| lost(forgotten, remedies.budget, audit.as_of))
        .or_else(|| spent(&counted, remedies, audit.as_of));
    Some(match why {
        Some(why) => one.ended(Outcome::Withheld, why),
        None => one,
    })
}

fn candidate(audit: &Audit, remedies: &Remedies) -> Option<Remedy> {
    let planned = |action, slot: Option<&Slot>| Remedy {
        action,
        at: audit.as_of,
        slot: slot.map(|slot| slot.expected_at),
        run_id: slot.and_then(|slot| slot.run_id),
        outcome: Outcome::Planned,
        detail: String::new(),
    };
    match audit.workflow_state.as_deref() {
        Some(INACTIVE) => return remedies.enable_disabled.then(|| planned(Action::EnableDisabled, None)),
        Some(ACTIVE) => {}
        // Somebody decided so, or nobody knows.
        _ => return None,
    }
    let slot = decisive(audit).filter(|slot| slot.covered_by.is_none())?;
    match (slot.state, slot.run_id) {
        (State::Missed, None) if remedies.dispatch_missed.is_some() => {
            Some(planned(Action::DispatchMissed, Some(slot)))
        }
        (State::Failed | State::TimedOut, Some(_)) if remedies.rerun_failed => {
            Some(planned(Action::RerunFailed, Some(slot)))
        }
        _ => None,
    }
}

/// What was done already is not done again.
fn repeated(one: &Remedy, audit: &Audit, kept: &[Remedy]) -> Option<String> {
    let mut before = kept.iter().filter(|before| before.action == one.action && before.is_done());
    match one.action {
        Action::EnableDisabled => None,
        Action::DispatchMissed => {
            let before = before.find(|before| before.slot == one.slot)?;
            let run = before.run_id.map_or("it".to_owned(), |run| format!("run {run}"));
            Some(format!("{run} was started for it {} already", clock::minute(before.at)))
        }
        Action::RerunFailed => {
            let slot = decisive(audit)?;
            match slot.attempt {
                None => return Some("GitHub does not say which attempt it was".to_owned()),
                Some(attempt) if attempt > 1 => return Some(format!("attempt {attempt} failed as well; {PERSON}")),
                Some(_) => {}
            }
            if let Some(before) = before.find(|before| before.run_id == one.run_id) {
                return Some(format!("that was done {} already; {PERSON}", clock::minute(before.at)));
            }
            deterministic(slot, audit)
        }
    }
}

/// Why a failure is no accident: an earlier run of the same stretch of trouble failed in the same place after it was run
/// again, or where it failed is not known.
fn deterministic(slot: &Slot, audit: &Audit) -> Option<String> {
    let place = |slot: &Slot| slot.failure.as_ref().map(|failure| (failure.job.clone(), failure.step.clone()));
    let stretch = audit.slots.iter().rev().skip_while(|one| one.expected_at >= slot.expected_at);
    let stretch = stretch.take_while(|one| !matches!(one.state.class(), Class::Kept | Class::Late | Class::Faded));
    let again = |one: &&Slot| {
        matches!(one.state, State::Failed | State::TimedOut) && one.attempt.is_some_and(|attempt| attempt > 1)
    };
    for before in stretch.filter(again) {
        let at = clock::minute(before.expected_at);
        let (Some(now), Some(then)) = (place(slot), place(before)) else {
            return Some(format!("whether it failed where the slot of {at} did, which was run again, is not known"));
        };
        if now == then {
            let (job, step) = now;
            let word = step.as_ref().map_or("job", |_| "step");
            let name = text::shorten(&text::one_line(&step.unwrap_or(job)), 100);
            return Some(format!("{word} `{name}` failed in the slot of {at} also after it was run again; {PERSON}"));
        }
    }
    None
}

/// What nobody knows about a slot that was missed, or about starting the workflow.
fn uncertain(one: &Remedy, audit: &Audit) -> Option<String> {
    if one.action != Action::DispatchMissed {
        return None;
    }
    if audit.unsure_before.is_some_and(|unsure| one.slot.is_none_or(|slot| slot < unsure)) {
        return Some("whether the schedule had that slot then is not known".to_owned());
    }
    let found = audit.problems.iter().find(|problem| problem.code == wiring::NO_DISPATCH.id)?;
    Some(found.message.clone())
}

/// A run that would meet that of another slot: of one that has come, or of the next one.
fn soon(one: &Remedy, audit: &Audit, settings: &Settings) -> Option<String> {
    if one.action == Action::EnableDisabled {
        return None;
    }
    let is_open = |slot: &&Slot| Some(slot.expected_at) > one.slot && slot.state.class() == Class::Open;
    if let Some(open) = audit.slots.iter().find(is_open) {
        return Some(format!("the slot of {} may still run", clock::minute(open.expected_at)));
    }
    let next = *audit.next.first()?;
    let is_soon = !judge::is_over(audit.as_of, settings.timeout, next);
    is_soon.then(|| format!("the next slot comes {}, and a run may take that long", clock::minute(next)))
}

/// A budget of which nobody knows what is left.
fn lost(forgotten: Option<Timestamp>, budget: Budget, now: Timestamp) -> Option<String> {
    let at = forgotten.filter(|at| since(*at, now) < budget.within)?;
    let (at, within) = (clock::minute(at), text::duration_setting(budget.within));
    Some(format!("what was done before {at} is not known, and each action counts for {within}"))
}

fn spent(counted: &[&Remedy], remedies: &Remedies, now: Timestamp) -> Option<String> {
    let Budget { actions, within } = remedies.budget;
    if counted.len() as u64 >= actions {
        let all = text::plural(actions, "action", "actions");
        let within = text::duration_setting(within);
        return Some(format!("the budget of {all} within {within} is spent; {PERSON}"));
    }
    let last = counted.last().filter(|last| since(last.at, now) < remedies.cooldown)?;
    let (at, pause) = (clock::minute(last.at), text::duration_setting(remedies.cooldown));
    Some(format!("the last action was {at}, and `cooldown` is {pause}"))
}

/// What GitHub says right before the action.
#[derive(Clone, Debug)]
pub struct Seen {
    /// GitHub's word for the workflow's state.
    pub state: Option<String>,
    /// The run that would be run again.
    pub run: Option<Run>,
    /// The newest runs of the workflow. For an action about a slot.
    pub runs: Listing<Run>,
}

/// Whether the moment is still the one that an action was planned for; otherwise why not.
///
/// # Errors
/// What speaks against it, in a sentence fragment.
pub fn holds(one: &Remedy, seen: &Seen) -> Result<(), String> {
    let state = seen.state.as_deref();
    let silent = || "GitHub does not say the workflow's state".to_owned();
    let slot = match (one.action, one.slot, state) {
        (Action::EnableDisabled, _, Some(INACTIVE)) => return Ok(()),
        (Action::EnableDisabled, _, Some(ACTIVE)) => return Err("it is enabled by now".to_owned()),
        (Action::RerunFailed | Action::DispatchMissed, Some(slot), Some(ACTIVE)) => slot,
        (_, _, state) => return Err(judge::disabled(state).unwrap_or_else(silent)),
    };
    let is_other = |run: &&Run| {
        let is_change = run.event.as_deref().is_some_and(|event| event.starts_with("pull_request"));
        Some(run.id) != one.run_id && !is_change
    };
    let others: Vec<_> = seen.runs.items().iter().filter(is_other).collect();
    // A run that is run again keeps its time: one from long before may be going on.
    if let Some(other) = others.iter().find(|run| !run.is_completed()) {
        return Err(format!("run {} is going on", other.id));
    }
    // GitHub tells the newest first, so that a list that lacks its end has all since any of its runs.
    let is_cut = matches!(&seen.runs, Listing::Known { truncated: true, unreadable: 0, .. });
    let reaches = is_cut && seen.runs.items().iter().any(|run| run.created.is_some_and(|created| created < slot));
    if let Some(gap) = seen.runs.gap().filter(|_| !reaches) {
        return Err(format!("the list of runs since the slot is not whole: {gap}"));
    }
    let since: Vec<_> = others.into_iter().filter(|run| run.created.is_none_or(|created| created >= slot)).collect();
    match (one.action, since.first()) {
        (Action::RerunFailed, _) => again(one, seen.run.as_ref(), &since),
        (_, Some(other)) => Err(format!("run {} has begun since", other.id)),
        (_, None) => Ok(()),
    }
}

fn again(one: &Remedy, run: Option<&Run>, others: &[&Run]) -> Result<(), String> {
    let Some(run) = run.filter(|run| Some(run.id) == one.run_id) else {
        return Err("GitHub does not show the run".to_owned());
    };
    if !run.is_completed() {
        return Err("it is going on".to_owned());
    }
    match run.conclusion.as_deref() {
        Some("failure" | "timed_out") => {}
        other => {
            let word = text::shorten(&text::one_line(other.unwrap_or("nothing")), 40);
            return Err(format!("it ended as `{word}`, which running it again does not mend"));
        }
    }
    match run.attempt {
        Some(1) => {}
        Some(attempt) => return Err(format!("it is at attempt {attempt} by now")),
        None => return Err("GitHub does not say which attempt it is at".to_owned()),
    }
    match run.created {
        Some(created) if one.at.duration_since(created) < OLDEST => {}
        Some(_) => return Err("it is older than 30 days, and GitHub runs nothing again that is".to_owned()),
        None => return Err("GitHub does not say how old it is".to_owned()),
    }
    match others.iter().find(|other| other.conclusion.as_deref() == Some("success")) {
        Some(other) => Err(format!("run {} has succeeded since", other.id)),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
