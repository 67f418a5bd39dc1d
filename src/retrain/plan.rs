//! Which action of [`super::remediate`] an audit calls for, what keeps it back, and whether the moment is still the one
//! that it was planned for.
//!
//! One action at a time, and the same one never twice: a run is run again once, a slot is started once, and what failed
//! in the same place after it was run again is left to people. Deliberately absent: looking and acting.

use jiff::{SignedDuration, Timestamp};

use super::audit::Audit;
use super::facts::{Listing, Run};
use super::incident::decisive;
use super::judge;
use super::questions::since;
use super::remediate::{Budget, MOST_ACTIONS, Remedies};
use super::remedy::{Action, Outcome, Remedy};
use super::settings::Settings;
use super::slot::{Class, Slot, State};
use super::wiring;
use crate::sys::{clock, text};

/// GitHub runs nothing again that is older.
const OLDEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// GitHub's word for a workflow whose triggers are heard.
const ACTIVE: &str = "active";
/// And for one that it disabled because nothing happened in the repository.
const INACTIVE: &str = "disabled_inactivity";
/// How what was tried already ends.
const PERSON: &str = "somebody has to look";

/// What several memories know together: what was tried, each once, the oldest first; of much the newest, and no fewer
/// than a budget can count.
#[must_use]
pub fn joined(memories: &[&[Remedy]]) -> Vec<Remedy> {
    let mut out: Vec<Remedy> = Vec::new();
    for one in memories.iter().copied().flatten().filter(|one| one.is_spent()) {
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
    let mut out: Vec<_> = kept.iter().filter(|one| one.is_spent() && since(one.at, now) < budget.within).collect();
    out.sort_by_key(|one| one.at);
    out
}

/// How many actions the budget still has at a moment.
#[must_use]
pub fn left(kept: &[Remedy], budget: Budget, now: Timestamp) -> u64 {
    budget.actions.saturating_sub(counted(kept, budget, now).len() as u64)
}

/// The action that an audit calls for, planned or withheld; `None` if no action that is declared would help. `kept` are
/// those of earlier audits.
#[must_use]
pub fn plan(audit: &Audit, settings: &Settings, kept: &[Remedy]) -> Option<Remedy> {
    let remedies = settings.remediate.as_ref()?;
    let one = candidate(audit, remedies)?;
    let counted = counted(kept, remedies.budget, audit.as_of);
    let why = repeated(&one, audit, kept)
        .or_else(|| unheard(&one, audit))
        .or_else(|| soon(&one, audit, settings))
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

/// What was tried already is not tried again.
fn repeated(one: &Remedy, audit: &Audit, kept: &[Remedy]) -> Option<String> {
    let is_same = |before: &&Remedy| before.action == one.action && before.is_spent();
    match one.action {
        Action::EnableDisabled => None,
        Action::DispatchMissed => {
            let before = kept.iter().filter(is_same).find(|before| before.slot == one.slot)?;
            Some(format!("it was done {} already; {PERSON}", clock::minute(before.at)))
        }
        Action::RerunFailed => {
            let slot = decisive(audit)?;
            match slot.attempt {
                None => return Some("GitHub does not say which attempt it was".to_owned()),
                Some(attempt) if attempt > 1 => return Some(format!("attempt {attempt} failed as well; {PERSON}")),
                Some(_) => {}
            }
            if let Some(before) = kept.iter().filter(is_same).find(|before| before.run_id == one.run_id) {
                return Some(format!("it was done {} already; {PERSON}", clock::minute(before.at)));
            }
            let same = as_before(slot, audit)?;
            let failure = slot.failure.as_ref()?;
            let place = failure.step.as_ref().map_or("job", |_| "step");
            let name = text::shorten(&text::one_line(failure.step.as_ref().unwrap_or(&failure.job)), 100);
            let at = clock::minute(same.expected_at);
            Some(format!("{place} `{name}` failed in the slot of {at} also after it was run again; {PERSON}"))
        }
    }
}

/// An earlier slot of the same stretch of trouble whose run failed in the same place also after it was run again.
fn as_before<'a>(slot: &Slot, audit: &'a Audit) -> Option<&'a Slot> {
    let failure = slot.failure.as_ref()?;
    let stretch = audit.slots.iter().rev().skip_while(|one| one.expected_at >= slot.expected_at);
    let stretch = stretch.take_while(|one| !matches!(one.state.class(), Class::Kept | Class::Late | Class::Faded));
    let is_same = |one: &&Slot| {
        let place = one.failure.as_ref().map(|failure| (&failure.job, &failure.step));
        one.attempt.is_some_and(|attempt| attempt > 1) && place == Some((&failure.job, &failure.step))
    };
    stretch.into_iter().find(is_same)
}

fn unheard(one: &Remedy, audit: &Audit) -> Option<String> {
    let found = audit.problems.iter().find(|problem| problem.code == wiring::NO_DISPATCH.id)?;
    (one.action == Action::DispatchMissed).then(|| found.message.clone())
}

/// A run that would meet that of the next slot.
fn soon(one: &Remedy, audit: &Audit, settings: &Settings) -> Option<String> {
    let next = *audit.next.first()?;
    let is_soon = one.action != Action::EnableDisabled && !judge::is_over(audit.as_of, settings.timeout, next);
    is_soon.then(|| format!("the next slot comes {}, and a run may take that long", clock::minute(next)))
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
    /// All runs of the workflow since the slot.
    pub since: Listing<Run>,
}

/// Whether the moment is still the one that an action was planned for; otherwise why not.
///
/// # Errors
/// What speaks against it, in a sentence fragment.
pub fn holds(one: &Remedy, seen: &Seen) -> Result<(), String> {
    let state = seen.state.as_deref();
    if one.action == Action::EnableDisabled {
        return match state {
            Some(INACTIVE) => Ok(()),
            Some(ACTIVE) => Err("it is enabled by now".to_owned()),
            other => Err(judge::disabled(other).unwrap_or_else(|| "GitHub does not say its state".to_owned())),
        };
    }
    if state != Some(ACTIVE) {
        return Err(judge::disabled(state).unwrap_or_else(|| "GitHub does not say the workflow's state".to_owned()));
    }
    if let Some(gap) = seen.since.gap() {
        return Err(format!("the list of runs since the slot is not whole: {gap}"));
    }
    let is_other = |run: &&Run| {
        let is_change = run.event.as_deref().is_some_and(|event| event.starts_with("pull_request"));
        Some(run.id) != one.run_id && !is_change
    };
    let others: Vec<_> = seen.since.items().iter().filter(is_other).collect();
    if let Some(other) = others.iter().find(|run| !run.is_completed()) {
        return Err(format!("run {} is going on", other.id));
    }
    match one.action {
        Action::RerunFailed => again(one, seen.run.as_ref(), &others),
        _ => match others.first() {
            Some(other) => Err(format!("run {} has begun since", other.id)),
            None => Ok(()),
        },
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
        Some("failure" | "timed_out" | "cancelled") => {}
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
    let is_old = |created: Timestamp| one.at.duration_since(created) >= OLDEST;
    if run.created.is_none_or(is_old) {
        return Err("it is older than 30 days, and GitHub runs nothing again that is".to_owned());
    }
    match others.iter().find(|other| other.conclusion.as_deref() == Some("success")) {
        Some(other) => Err(format!("run {} has succeeded since", other.id)),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
