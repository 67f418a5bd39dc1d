//! One stretch of trouble of a schedule: when it begins, how bad it is, when it is over.
//!
//! It begins with the first verdict that is not a pass and is over with the next pass of the same slot or a later one: a
//! run that is tried again is no recovery until it has ended. An audit of a moment before the one that was told last
//! changes nothing, so a run that is repeated later neither opens nor closes anything.
//! Deliberately absent: who is told and where this is kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::audit::Audit;
use super::slot::{Class, Slot, State};
use super::wiring::{self, Finding};
use crate::gate::{RuleVerdict, Verdict};
use crate::sys::{clock, text};

/// Slots in a row that did not do their work from which on an incident is critical.
const CRITICAL_STREAK: usize = 2;

/// A stretch of trouble, open or over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// What all that is said about it has in common.
    pub id: String,
    /// The moment of the audit that opened it.
    pub opened_at: Timestamp,
    /// The moment of the audit that was told last.
    pub told_at: Timestamp,
    /// The newest slot that decided an audit which found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Timestamp>,
    /// The moment of the audit by which it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_at: Option<Timestamp>,
}

impl Incident {
    /// One that begins.
    #[must_use]
    pub fn begin(workflow: &str, at: Timestamp) -> Self {
        let plain = |ch: char| if ch.is_ascii_alphanumeric() || "._-".contains(ch) { ch } else { '-' };
        let name: String = text::shorten_plain(workflow, 60).chars().map(plain).collect();
        let id = format!("retrain-{name}-{}", clock::stamp(at));
        Self { id, opened_at: at, told_at: at, slot: None, recovered_at: None }
    }

    /// Whether it is not over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.recovered_at.is_none()
    }
}

/// What an audit does to the incident of its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is wrong, and nothing was.
    Rest,
    /// A later moment was told already.
    Stale,
    /// It begins.
    Open(Incident),
    /// It goes on.
    Stay(Incident),
    /// It goes on, and what may end it has not ended: there is nothing new to tell.
    Wait,
    /// It is over.
    Recover(Incident),
}

/// The step from what was known to what an audit says. `known` is the last incident, open or over, if there was one.
#[must_use]
pub fn step(known: Option<&Incident>, audit: &Audit) -> Step {
    let slot = known.and_then(|known| known.slot);
    let is_open = |one: &Slot| Some(one.expected_at) == slot && one.state.class() == Class::Open;
    let waits = if audit.slots.iter().any(is_open) { Again::Runs } else { Again::Rests };
    // A schedule whose first slot lies ahead is no trouble: there is nothing to say yet.
    let is_grave = |one: &&Finding| matches!(one.level, RuleVerdict::Inconclusive | RuleVerdict::Fail);
    let mut grave = audit.problems.iter().filter(is_grave).peekable();
    if grave.peek().is_some() && grave.all(|problem| problem.code == wiring::NOTHING.id) && !audit.next.is_empty() {
        return if known.is_some_and(Incident::is_open) { Step::Wait } else { Step::Rest };
    }
    from(known, audit.verdict, &audit.workflow, (audit.as_of, audit.decided_by), waits)
}

/// Whether the slot of an incident is tried again at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Runs,
    Rests,
}

/// The same from parts of the audit; `slot` decides it.
fn from(
    known: Option<&Incident>,
    verdict: Verdict,
    workflow: &str,
    (at, slot): (Timestamp, Option<Timestamp>),
    again: Again,
) -> Step {
    if known.is_some_and(|known| at < known.told_at) {
        return Step::Stale;
    }
    let open = known.filter(|known| known.is_open());
    match (open, verdict) {
        (None, Verdict::Pass) => Step::Rest,
        (None, _) => Step::Open(Incident { slot, ..Incident::begin(workflow, at) }),
        (Some(_), Verdict::Pass) if again == Again::Runs => Step::Wait,
        (Some(open), Verdict::Pass) => Step::Recover(Incident { told_at: at, recovered_at: Some(at), ..open.clone() }),
        // Of two that are known; `None` comes first.
        (Some(open), _) => Step::Stay(Incident { told_at: at, slot: open.slot.max(slot), ..open.clone() }),
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nobody can say, or it was only late.
    Warning,
    /// The newest slot did not do its work, or something around it is wrong.
    Error,
    /// It will not mend by itself: the workflow is disabled, the model's bytes are not those that were stored, or two
    /// slots in a row did not do their work.
    Critical,
}

/// How bad what an audit found is; `None` if nothing is wrong.
#[must_use]
pub fn severity(audit: &Audit) -> Option<Severity> {
    let newest = decisive(audit).map(|slot| slot.state);
    match audit.verdict {
        Verdict::Pass => (newest == Some(State::Late)).then_some(Severity::Warning),
        Verdict::Inconclusive | Verdict::Interrupted => Some(Severity::Warning),
        Verdict::Fail => {
            let is_disabled = audit.problems.iter().any(|problem| problem.code == wiring::DISABLED.id);
            let is_grave = matches!(newest, Some(State::Disabled | State::DigestMismatch)) || is_disabled;
            let summary = &audit.summary;
            let is_lasting = summary.streak_kept == Some(false) && summary.streak >= CRITICAL_STREAK;
            Some(if is_grave || is_lasting { Severity::Critical } else { Severity::Error })
        }
    }
}

/// The slot that decides the verdict.
#[must_use]
pub fn decisive(audit: &Audit) -> Option<&Slot> {
    audit.slots.iter().find(|slot| Some(slot.expected_at) == audit.decided_by)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + second).unwrap()
    }

    #[test]
    fn every_standing_and_every_verdict_lead_somewhere() {
        let open = Incident::begin("train.yml", at(0));
        let later = Incident { told_at: at(5), ..open.clone() };
        let over = Incident { told_at: at(5), recovered_at: Some(at(5)), ..open.clone() };
        let new = Incident::begin("train.yml", at(9));
        let table = [
            (None, Verdict::Pass, 9, Step::Rest),
            (None, Verdict::Fail, 9, Step::Open(new.clone())),
            (None, Verdict::Inconclusive, 9, Step::Open(new.clone())),
            (None, Verdict::Interrupted, 9, Step::Open(new.clone())),
            (Some(&open), Verdict::Fail, 5, Step::Stay(later.clone())),
            (Some(&open), Verdict::Inconclusive, 5, Step::Stay(later.clone())),
            (Some(&open), Verdict::Interrupted, 5, Step::Stay(later.clone())),
            (Some(&open), Verdict::Fail, 0, Step::Stay(open.clone())),
            (Some(&open), Verdict::Pass, 5, Step::Recover(over.clone())),
            (Some(&later), Verdict::Pass, 4, Step::Stale),
            (Some(&later), Verdict::Fail, 4, Step::Stale),
            (Some(&over), Verdict::Pass, 9, Step::Rest),
            (Some(&over), Verdict::Fail, 9, Step::Open(new.clone())),
            (Some(&over), Verdict::Inconclusive, 9, Step::Open(new.clone())),
            (Some(&over), Verdict::Fail, 4, Step::Stale),
        ];
        for (known, verdict, second, want) in table {
            assert_eq!(
                from(known, verdict, "train.yml", (at(second), None), Again::Rests),
                want,
                "{known:?} {verdict:?} {second}"
            );
        }
        // A slot that is tried again is not judged, and the one before it decides meanwhile.
        let of = |slot| Incident { slot: Some(at(slot)), ..open.clone() };
        let told = |slot| Incident { told_at: at(5), ..of(slot) };
        let recovered = || Step::Recover(Incident { recovered_at: Some(at(5)), ..told(3) });
        for (verdict, slot, again, want) in [
            (Verdict::Pass, Some(2), Again::Runs, Step::Wait),
            (Verdict::Pass, Some(2), Again::Rests, recovered()),
            (Verdict::Pass, Some(4), Again::Rests, recovered()),
            (Verdict::Fail, Some(2), Again::Runs, Step::Stay(told(3))),
            (Verdict::Fail, Some(4), Again::Rests, Step::Stay(told(4))),
            (Verdict::Inconclusive, None, Again::Rests, Step::Stay(told(3))),
        ] {
            let step = from(Some(&of(3)), verdict, "train.yml", (at(5), slot.map(at)), again);
            assert_eq!(step, want, "{verdict:?} {slot:?} {again:?}");
        }
        let begun = from(None, Verdict::Fail, "train.yml", (at(9), Some(at(3))), Again::Rests);
        assert_eq!(begun, Step::Open(Incident { slot: Some(at(3)), ..new.clone() }));
        assert_eq!(open.id, "retrain-train.yml-20260101T000000000Z");
        let hostile = Incident::begin("a --> b\n`c`@everyone.yml", at(0)).id;
        assert!(hostile.chars().all(|ch| ch.is_ascii_alphanumeric() || "._-".contains(ch)), "{hostile}");
    }

    proptest! {
        #[test]
        fn one_incident_for_one_stretch_of_trouble(audits in prop::collection::vec((0..4_usize, 0..30_i64, any::<bool>()), 0..60)) {
            let mut known: Option<Incident> = None;
            let mut newest = i64::MIN;
            let (mut opened, mut recovered) = (0, 0);
            for (verdict, second, is_tried) in audits {
                let again = if is_tried { Again::Runs } else { Again::Rests };
                let verdict = Verdict::ALL[verdict];
                let before = known.clone();
                let was_open = before.as_ref().is_some_and(Incident::is_open);
                match from(known.as_ref(), verdict, "w", (at(second), None), again) {
                    Step::Rest => prop_assert!(!was_open && verdict == Verdict::Pass),
                    Step::Stale => prop_assert!(second < newest),
                    Step::Wait => prop_assert!(was_open && is_tried && verdict == Verdict::Pass),
                    Step::Open(incident) => {
                        prop_assert!(!was_open && verdict != Verdict::Pass && incident.is_open());
                        prop_assert!(before.is_none_or(|before| before.is_open() || before.told_at <= incident.opened_at));
                        (opened, newest, known) = (opened + 1, second, Some(incident));
                    }
                    Step::Stay(incident) => {
                        let before = before.unwrap();
                        prop_assert!(was_open && verdict != Verdict::Pass && incident.is_open());
                        prop_assert_eq!((&incident.id, incident.opened_at), (&before.id, before.opened_at));
                        (newest, known) = (second, Some(incident));
                    }
                    Step::Recover(incident) => {
                        let before = before.unwrap();
                        prop_assert!(was_open && verdict == Verdict::Pass && !incident.is_open());
                        prop_assert_eq!(&incident.id, &before.id);
                        prop_assert!(!is_tried);
                        (recovered, newest, known) = (recovered + 1, second, Some(incident));
                    }
                }
                let is_open = known.as_ref().is_some_and(Incident::is_open);
                prop_assert_eq!(opened, recovered + usize::from(is_open));
            }
        }
    }
}
