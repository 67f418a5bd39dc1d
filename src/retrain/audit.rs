//! The whole of an audit as one value: schema `mgmt.audit/1`, frozen; changes are additive.
//!
//! The verdict is that of the newest slot that can be judged, and of what is wrong around it; slots before it warn. So
//! an audit is bad while the last retraining is, and good again with the next good one. Late is a warning.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::champion::{self, Comparison, Reign};
use super::cron::{self, Schedule};
use super::facts::{Facts, Metrics, Model};
use super::judge::{self, Judged};
use super::questions::Judge;
use super::remedy::Remedy;
use super::settings::{Settings, When};
use super::slot::{self, Class, Slot, State};
use super::trend::{Trend, trend};
use super::want::{self, Want};
use super::wiring::{self, Finding};
use super::workflow::File;
use crate::gate::{RuleVerdict, Verdict};
use crate::sys::{clock, text};

/// The name of the schema.
pub const SCHEMA: &str = "mgmt.audit/1";
/// Moments ahead that are told.
const NEXT: usize = 3;
/// Days without activity after which GitHub disables the schedules of a public repository.
const INACTIVE_DAYS: i64 = 60;
/// Days before that on which it is worth a warning.
const NEAR_DAYS: i64 = 14;

/// What the workflow files say.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The audited workflow; why not, if its text could not be had.
    pub audited: Option<File>,
    /// All workflows that could be read, the audited one among them.
    pub files: Vec<File>,
    /// Files that could not be read: path, reason and line.
    pub unreadable: Vec<(String, String, u64)>,
    /// Why there may be more files than were seen.
    pub gap: Option<String>,
}

/// An audit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The moment that it is about.
    pub as_of: Timestamp,
    /// `owner/name`.
    pub repository: String,
    /// The workflow's file name.
    pub workflow: String,
    /// GitHub's word for its state.
    pub workflow_state: Option<String>,
    /// The answer.
    pub verdict: Verdict,
    /// The same as the program's exit code.
    pub exit_code: u8,
    /// Its schedules.
    pub schedule: Vec<Moment>,
    /// Since when slots are looked at.
    pub since: Timestamp,
    /// Before which moment nobody can say whether the schedule was what it is now.
    #[serde(skip)]
    pub unsure_before: Option<Timestamp>,
    /// The champion that the next audit has to know, while a worse model is in its place.
    #[serde(skip)]
    pub reign: Option<Reign>,
    /// Every slot since then, in order of time.
    pub slots: Vec<Slot>,
    /// The slot that decides the verdict: the newest that can be judged.
    pub decided_by: Option<Timestamp>,
    /// The next moments of the schedule.
    pub next: Vec<Timestamp>,
    /// The newest model against the one before it.
    pub champion: Vec<Comparison>,
    /// The slots in numbers.
    pub summary: Summary,
    /// What changed over the history.
    pub trends: Trends,
    /// When GitHub will disable the schedule if nothing happens, where it would.
    pub inactivity: Option<Inactivity>,
    /// What is wrong, and what could not be seen.
    pub problems: Vec<Finding>,
    /// What is worth knowing, and held against nobody.
    pub notes: Vec<String>,
    /// What was done about it, or kept from being done, where that was asked for.
    pub remedies: Vec<Remedy>,
}

/// A schedule in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// The cron text.
    pub cron: String,
    /// Its time zone.
    pub timezone: String,
}

/// Slots in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Slots of which it is known what became of them.
    pub judged: usize,
    /// Those whose schedule did its work, late or not.
    pub kept: usize,
    /// Those of them that began late.
    pub late: usize,
    /// Those that a run by hand covered.
    pub covered: usize,
    /// Slots of which nobody can say.
    pub unknown: usize,
    /// `kept` of `judged`, from 0 to 1.
    pub success_rate: Option<f64>,
    /// How many slots in a row, up to the newest, are as good or as bad as it.
    pub streak: usize,
    /// Whether they are good.
    pub streak_kept: Option<bool>,
    /// The most in a row that were not.
    pub longest_gap: usize,
}

/// What changed over the history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trends {
    /// How long successful runs took.
    pub duration_seconds: Trend,
    /// How much later than their slots runs began.
    pub late_seconds: Trend,
    /// The metrics that a new model is held to.
    pub metrics: BTreeMap<String, Trend>,
}

/// When GitHub disables a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inactivity {
    /// When something happened last in the repository.
    pub last_activity: Timestamp,
    /// Whole days that are left.
    pub days_left: i64,
}

/// An audit, and what would have to be looked at to say more.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The audit.
    pub audit: Audit,
    /// Facts that nobody asked for yet and that the audit turns on.
    pub wants: Vec<Want>,
}

/// Audits. Facts that came after the moment of the audit do not count.
#[must_use]
pub fn audit(settings: &Settings, facts: Facts, sources: &Sources) -> Outcome {
    let facts = facts.at();
    let (schedules, mut problems) = schedules(settings, sources);
    let since = since(settings, &facts);
    let end = facts.as_of.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
    let moments = cron::merged(&schedules, since, end);
    let next = next(&schedules, facts.as_of);
    let assigned = slot::assign(&moments, next.first().copied(), facts.runs.items());
    let judge = Judge::new(settings, &facts);
    let (judged, newest) = judge.judge(&assigned);
    let wants = want::wants(&judge, &judged, newest);
    for schedule in &schedules {
        if schedule.next(facts.as_of).is_none() {
            let message = format!("`{}` never comes", schedule.cron.text());
            problems.push(Finding::new(RuleVerdict::Fail, &wiring::NEVER, message));
        }
    }
    problems.extend(decisive(&settings.workflow, newest.map(|newest| &judged[newest])));
    problems.extend(earlier(&judged[..newest.unwrap_or(0)]));
    // A slot that a run by hand covered says nothing of why it had to.
    let told = newest.map(|newest| &judged[newest].slot).filter(|slot| slot.covered_by.is_none());
    problems.extend(around(settings, &facts, &judge, told.map(|slot| slot.state)));
    problems.extend(wired(&settings.workflow, &facts, sources));
    let is_started = settings.remediate.as_ref().is_some_and(|remedies| remedies.dispatch_missed.is_some());
    if is_started {
        problems.extend(wiring::undispatched(sources.audited.as_ref(), &settings.workflow));
    }
    let inactivity = inactivity(&facts);
    problems.extend(near(inactivity.as_ref()));
    let verdict = problems.iter().map(|problem| Verdict::from(problem.level)).max().unwrap_or(Verdict::Pass);
    problems.sort_by_key(|problem| std::cmp::Reverse(champion::rank_of(problem.level)));
    let champion = newest.map(|newest| judged[newest].comparisons.clone()).unwrap_or_default();
    let reign = newest.and_then(|newest| reign(&judge, &judged[newest])).or(facts.reign.clone());
    let trends = trends(settings, &facts, &judged);
    let slots: Vec<_> = judged.into_iter().map(|one| one.slot).collect();
    let audit = Audit {
        schema: SCHEMA,
        as_of: facts.as_of,
        repository: facts.repository.name.clone(),
        workflow: settings.workflow.clone(),
        workflow_state: facts.workflow.state.clone(),
        verdict,
        exit_code: verdict.exit_code(),
        schedule: schedules.iter().map(moment).collect(),
        since,
        unsure_before: facts.workflow.unsure_before,
        reign,
        decided_by: newest.map(|newest| slots[newest].expected_at),
        next,
        champion,
        summary: summary(&slots),
        trends,
        inactivity,
        problems,
        notes: facts.notes.clone(),
        remedies: Vec::new(),
        slots,
    };
    Outcome { audit, wants }
}

fn schedules(settings: &Settings, sources: &Sources) -> (Vec<Schedule>, Vec<Finding>) {
    match (&settings.when, &sources.audited) {
        (When::Given(schedules), None) => (schedules.clone(), Vec::new()),
        // What GitHub refuses keeps the workflow from running, whatever the policy expects.
        (When::Given(schedules), Some(file)) => (schedules.clone(), wiring::schedules(file).1),
        (When::FromWorkflow, Some(file)) => wiring::schedules(file),
        (When::FromWorkflow, None) => {
            let message = format!("the schedule is not known: {} could not be read", settings.workflow);
            let hint = "check the name under `retrain: workflow:`, or write the schedule under `cron:`";
            (Vec::new(), vec![Finding::new(RuleVerdict::Inconclusive, &wiring::GAP, message).with_hint(hint)])
        }
    }
}

/// The champion that a slot's model was worse than.
fn reign(judge: &Judge<'_>, newest: &Judged) -> Option<Reign> {
    let run = newest.past.champion.filter(|_| newest.slot.state == State::WorseThanChampion)?;
    let known = judge.facts.reign.clone().filter(|reign| reign.run == run);
    let created = judge.facts.runs.items().iter().find(|one| one.id == run).and_then(|run| run.created);
    let read = || Reign::of(run, created?, judge.values(run)?, &judge.settings.champion);
    known.or_else(read)
}

/// Since when slots are expected: within the history, and not before the workflow was there as it is.
fn since(settings: &Settings, facts: &Facts) -> Timestamp {
    let history = SignedDuration::try_from(settings.history).unwrap_or_default();
    let start = facts.as_of.checked_sub(history).unwrap_or(Timestamp::MIN);
    let known = [facts.workflow.created, facts.workflow.scheduled_since];
    known.into_iter().flatten().fold(start, Timestamp::max)
}

fn next(schedules: &[Schedule], as_of: Timestamp) -> Vec<Timestamp> {
    let ahead = |schedule: &Schedule| {
        std::iter::successors(schedule.next(as_of), |last| schedule.next(*last)).take(NEXT).collect::<Vec<_>>()
    };
    let mut out: Vec<_> = schedules.iter().flat_map(ahead).collect();
    out.sort_unstable();
    out.dedup();
    out.truncate(NEXT);
    out
}

fn moment(schedule: &Schedule) -> Moment {
    Moment { cron: schedule.cron.text().to_owned(), timezone: schedule.zone_name().to_owned() }
}

/// What the newest slot says.
fn decisive(file: &str, newest: Option<&Judged>) -> Vec<Finding> {
    let Some(Judged { slot, comparisons, .. }) = newest else {
        let message = "no slot of the history can be judged";
        return vec![Finding::new(RuleVerdict::Inconclusive, &wiring::NOTHING, message)];
    };
    let told = told(slot);
    let level = match slot.state.class() {
        Class::Kept | Class::Open => None,
        Class::Late => Some(RuleVerdict::Warn),
        Class::Unknown => Some(RuleVerdict::Inconclusive),
        Class::Bad | Class::Faded => Some(RuleVerdict::Fail),
    };
    let mut out = Vec::new();
    out.extend(match (level, slot.covered_by) {
        (None, _) => None,
        (Some(_), Some(run)) => {
            let message = format!("{told}; run {run} was started by hand instead");
            Some(Finding::new(RuleVerdict::Warn, &wiring::COVERED, message))
        }
        (Some(level), None) => {
            let finding = Finding::new(level, &wiring::STATE, told);
            Some(match slot.state.row().hint {
                "" => finding,
                hint => finding.with_hint(hint.replace("FILE", &text::one_line(file))),
            })
        }
    });
    let of = |verdict| comparisons.iter().filter(move |one| one.verdict == verdict);
    out.extend(of(RuleVerdict::Inconclusive).map(|one| {
        let message = format!("{}: {}", text::one_line(&one.metric), one.message);
        Finding::new(RuleVerdict::Inconclusive, &wiring::UNSURE, message)
    }));
    if let Some(first) = of(RuleVerdict::Warn).next() {
        out.push(Finding::new(RuleVerdict::Warn, &wiring::FIRST, first.message.clone()));
    }
    out
}

/// A slot in a sentence fragment.
fn told(slot: &Slot) -> String {
    let detail = slot.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let late = slot.late_seconds.filter(|_| slot.state == State::Late);
    let late = late.map(|late| text::duration(std::time::Duration::from_secs(late.unsigned_abs())));
    let late = late.map(|late| format!(" by {late}")).unwrap_or_default();
    format!("the slot of {} is {}{late}{detail}", clock::minute(slot.expected_at), slot.state.word())
}

/// What slots before the newest one say.
fn earlier(judged: &[Judged]) -> Option<Finding> {
    let is_bad = |slot: &&Slot| slot.state.class() == Class::Bad && slot.covered_by.is_none();
    let bad: Vec<_> = judged.iter().map(|one| &one.slot).filter(is_bad).map(|slot| slot.state).collect();
    let mut counts: BTreeMap<usize, (State, usize)> = BTreeMap::new();
    for state in &bad {
        counts.entry(state.precedence()).or_insert((*state, 0)).1 += 1;
    }
    let words: Vec<_> = counts.values().map(|(state, count)| format!("{count} {}", state.word())).collect();
    let all = text::plural(judged.len() as u64, "slot", "slots");
    let message = format!("{} of {all} before it did not do what is expected: {}", bad.len(), text::list(&words));
    (!bad.is_empty()).then(|| Finding::new(RuleVerdict::Warn, &wiring::EARLIER, message))
}

/// What is wrong around the slots.
fn around(settings: &Settings, facts: &Facts, judge: &Judge<'_>, newest: Option<State>) -> Vec<Finding> {
    let mut out = Vec::new();
    if let Some(gap) = &judge.gap {
        out.push(Finding::new(RuleVerdict::Inconclusive, &wiring::GAP, gap.clone()));
    }
    if let Some(cut) = judge.cut {
        let message = format!("there are more runs than are read: none before {}", clock::minute(cut));
        let hint = "shorten `history:` under `retrain:`; what is older is not judged";
        out.push(Finding::new(RuleVerdict::Warn, &wiring::GAP, message).with_hint(hint));
    }
    let workflow = &facts.workflow;
    let file = text::one_line(&settings.workflow);
    match (workflow.is_known, judge::disabled(workflow.state.as_deref())) {
        (Some(false), _) => {
            let message = format!("GitHub knows no workflow {file}: it is not on the default branch");
            let hint = "check the name under `retrain: workflow:`, or merge the workflow into the default branch";
            out.push(Finding::new(RuleVerdict::Fail, &wiring::BRANCH, message).with_hint(hint));
        }
        (_, Some(why)) if newest != Some(State::Disabled) => {
            let hint = wiring::DISABLED.hint.replace("FILE", &file);
            out.push(Finding::new(RuleVerdict::Fail, &wiring::DISABLED, why).with_hint(hint));
        }
        (_, None) if workflow.state.is_none() => {
            let message = format!("GitHub does not say whether {file} is active");
            out.push(Finding::new(RuleVerdict::Inconclusive, &wiring::GAP, message));
        }
        _ => {}
    }
    if let (Some(wanted), Some(default)) = (&settings.expect.branch, &facts.repository.default_branch)
        && wanted != default
    {
        let (wanted, default) = (text::one_line(wanted), text::one_line(default));
        let message = format!("`{wanted}` is expected, and the default branch is `{default}`");
        out.push(Finding::new(RuleVerdict::Fail, &wiring::BRANCH, message));
    }
    out
}

/// What the workflow files say of who hears the result.
fn wired(audited: &str, facts: &Facts, sources: &Sources) -> Vec<Finding> {
    let unread = |(path, why, line): &(String, String, u64)| {
        let is_audited = path.strip_suffix(audited).is_some_and(|folder| folder.ends_with('/'));
        // What GitHub cannot read either never runs.
        let level = if is_audited { RuleVerdict::Inconclusive } else { RuleVerdict::Warn };
        Finding::new(level, &wiring::UNREADABLE, text::one_line(why)).at(path, *line)
    };
    let mut out: Vec<_> = sources.unreadable.iter().map(unread).collect();
    if let Some(audited) = &sources.audited {
        let is_whole = sources.gap.is_none() && sources.unreadable.is_empty();
        out.extend(wiring::unheard(audited, &sources.files, &facts.repository.name, is_whole));
    }
    out
}

fn inactivity(facts: &Facts) -> Option<Inactivity> {
    let last_activity = facts.repository.last_activity?;
    let days = facts.as_of.duration_since(last_activity).as_hours().div_euclid(24);
    (facts.repository.is_private != Some(true))
        .then(|| Inactivity { last_activity, days_left: (INACTIVE_DAYS - days).max(0) })
}

fn near(inactivity: Option<&Inactivity>) -> Option<Finding> {
    let days = inactivity?.days_left;
    let left = text::plural(days.unsigned_abs(), "day", "days");
    let message = format!("nothing has happened in the repository for {} days: {left} left", INACTIVE_DAYS - days);
    (days <= NEAR_DAYS).then(|| Finding::new(RuleVerdict::Warn, &wiring::INACTIVE, message))
}

fn is_kept(state: State) -> bool {
    matches!(state.class(), Class::Kept | Class::Late | Class::Faded)
}

fn summary(slots: &[Slot]) -> Summary {
    let known = |slot: &&Slot| !matches!(slot.state.class(), Class::Open | Class::Unknown);
    let judged: Vec<_> = slots.iter().filter(known).collect();
    let kept = judged.iter().filter(|slot| is_kept(slot.state)).count();
    let last = judged.last().map(|slot| is_kept(slot.state));
    let mut longest = 0;
    let mut gap = 0;
    for slot in &judged {
        gap = if is_kept(slot.state) { 0 } else { gap + 1 };
        longest = longest.max(gap);
    }
    #[expect(clippy::cast_precision_loss, reason = "no history has 2^53 slots")]
    let rate = (!judged.is_empty()).then(|| kept as f64 / judged.len() as f64);
    Summary {
        judged: judged.len(),
        kept,
        late: judged.iter().filter(|slot| slot.state == State::Late).count(),
        covered: judged.iter().filter(|slot| slot.covered_by.is_some()).count(),
        unknown: slots.iter().filter(|slot| slot.state == State::Unknown).count(),
        success_rate: rate,
        streak: judged.iter().rev().take_while(|slot| Some(is_kept(slot.state)) == last).count(),
        streak_kept: last,
        longest_gap: longest,
    }
}

fn trends(settings: &Settings, facts: &Facts, judged: &[Judged]) -> Trends {
    let slots = || judged.iter().map(|one| &one.slot);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a year at most")]
    let late = slots().filter_map(|slot| Some((slot.expected_at, slot.late_seconds? as f64)));
    let took = |slot: &Slot| Some(slot.finished_at?.duration_since(slot.started_at?).as_secs_f64());
    let ended = slots().filter(|slot| is_kept(slot.state));
    let took = ended.filter_map(|slot| Some((slot.expected_at, took(slot)?)));
    let values = |metric: &str| {
        let of = |one: &Judged| match facts.models.get(&one.left?)? {
            Model::Read { metrics: Metrics::Read(values), .. } => {
                Some((one.slot.expected_at, champion::value(values, metric)?))
            }
            _ => None,
        };
        trend(&judged.iter().filter_map(of).collect::<Vec<_>>())
    };
    let must = settings.expect.metrics.iter().flat_map(|metrics| &metrics.must);
    let names = must.chain(settings.champion.iter().map(|challenge| &challenge.metric));
    Trends {
        duration_seconds: trend(&took.collect::<Vec<_>>()),
        late_seconds: trend(&late.collect::<Vec<_>>()),
        metrics: names.map(|name| (name.clone(), values(name))).collect(),
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
pub(in crate::retrain) mod tests;
