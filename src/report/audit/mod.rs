//! An audit of a schedule rendered for a reader. Pure: the same audit gives the same bytes.
//!
//! Every form leads with the verdict and what is wrong, and shows the slots as a calendar strip. JSON is the audit
//! itself and leaves nothing out; the other forms say how much more it holds.

mod human;
mod markdown;
mod strip;

use super::Options;
use crate::gate::RuleVerdict;
use crate::retrain::remedy::Outcome;
use crate::retrain::slot::{Class, Slot, State};
use crate::retrain::trend::{Direction, Trend};
use crate::retrain::wiring::Finding;
use crate::retrain::{Audit, Remedy};
use crate::sys::{clock, text};

pub use markdown::fitted;
pub use strip::{Line, legend, strip};

/// One row: a form of output.
pub struct Renderer {
    /// Its name after `--format`.
    pub name: &'static str,
    /// Renders an audit; ends with a line break.
    pub render: fn(&Audit, Options) -> String,
}

/// Every form.
pub const RENDERERS: &[Renderer] = &[
    Renderer { name: "human", render: human::render },
    Renderer { name: "markdown", render: |audit, _| markdown::render(audit) },
    Renderer { name: "json", render: |audit, _| json(audit) },
];

/// The row with this name.
#[must_use]
pub fn renderer(name: &str) -> Option<&'static Renderer> {
    RENDERERS.iter().find(|row| row.name == name)
}

/// The audit itself, schema [`crate::retrain::audit::SCHEMA`].
fn json(audit: &Audit) -> String {
    serde_json::to_string_pretty(audit).unwrap_or_default() + "\n"
}

/// The verdict in a sentence: what decides it, and how the history was.
#[must_use]
pub fn headline(audit: &Audit) -> String {
    let newest = audit.slots.iter().find(|slot| Some(slot.expected_at) == audit.decided_by);
    let newest = match newest {
        Some(slot) => format!("the slot of {} is {}", clock::minute(slot.expected_at), slot.state.word()),
        None => "no slot can be judged".to_owned(),
    };
    let summary = &audit.summary;
    let slots = text::plural(summary.judged as u64, "slot", "slots");
    format!("{newest}; {} of {slots} did what is expected", summary.kept)
}

/// When and where it should run, in words.
fn schedule(audit: &Audit) -> String {
    let all: Vec<_> = audit.schedule.iter().map(|one| format!("`{}` ({})", one.cron, one.timezone)).collect();
    if all.is_empty() { "no schedule".to_owned() } else { all.join(", ") }
}

/// `late by 40 min; run 17`, and what more is known.
fn about(slot: &Slot) -> String {
    let late = slot.late_seconds.filter(|late| slot.state == State::Late && *late > 0);
    let late = late.map(|late| format!("by {}", text::duration(std::time::Duration::from_secs(late.unsigned_abs()))));
    let covered = slot.covered_by.map(|run| format!("run {run} was started by hand instead"));
    [late, slot.detail.clone(), covered].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Slots that a reader should look at, the newest first.
fn remarkable(audit: &Audit) -> Vec<&Slot> {
    let is_plain = |slot: &&Slot| {
        let is_decisive = Some(slot.expected_at) == audit.decided_by;
        is_decisive || !matches!(slot.state.class(), Class::Kept | Class::Faded)
    };
    audit.slots.iter().rev().filter(is_plain).collect()
}

/// The word of a finding.
fn word(finding: &Finding) -> &'static str {
    match finding.level {
        RuleVerdict::Fail => "FAIL",
        RuleVerdict::Inconclusive => "?",
        RuleVerdict::Warn => "warn",
        RuleVerdict::Pass | RuleVerdict::NotAsked | RuleVerdict::NotApplicable => "note",
    }
}

/// The place of a finding: `.github/workflows/train.yml:8`.
fn place(finding: &Finding) -> Option<String> {
    let file = text::one_line(finding.file.as_deref()?);
    Some(finding.line.map_or(file.clone(), |line| format!("{file}:{line}")))
}

/// What was done about it, or not, in a sentence fragment.
#[must_use]
pub fn sentence(remedy: &Remedy) -> String {
    let (told, detail) = (remedy.told(), text::one_line(&remedy.detail));
    match remedy.outcome {
        Outcome::Planned => format!("would {told}"),
        Outcome::Withheld => format!("did not {told}: {detail}"),
        Outcome::Begun => format!("was about to {told}; how that ended is not known"),
        Outcome::Verified => format!("{}: {detail}", remedy.did()),
        Outcome::Unverified => format!("asked GitHub to {told}, and {detail}"),
        Outcome::Failed => format!("could not {told}: {detail}"),
    }
}

/// The numbers of the history in sentences.
fn numbers(audit: &Audit) -> Vec<String> {
    let summary = &audit.summary;
    let mut out = Vec::new();
    if let Some(rate) = summary.success_rate {
        let parts = [(summary.late, "late"), (summary.covered, "covered by hand"), (summary.unknown, "not known")];
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!(", {count} {word}"));
        let share = text::number((rate * 1000.0).round() / 10.0);
        out.push(format!(
            "{share} % of {} kept{}",
            text::plural(summary.judged as u64, "slot", "slots"),
            parts.collect::<String>()
        ));
    }
    if let Some(kept) = summary.streak_kept {
        let word = if kept { "kept" } else { "not kept" };
        out.push(format!("{} in a row {word}; the longest gap was {}", summary.streak, summary.longest_gap));
    }
    let trends = &audit.trends;
    let seconds =
        |value: f64| text::duration(std::time::Duration::try_from_secs_f64(value.max(0.0)).unwrap_or_default());
    out.extend(course("duration", &trends.duration_seconds, seconds));
    out.extend(course("lateness", &trends.late_seconds, seconds));
    out.extend(
        trends
            .metrics
            .iter()
            .filter_map(|(name, one)| course(&text::shorten(&text::one_line(name), 60), one, text::number)),
    );
    if let Some(next) = audit.next.first() {
        out.push(format!("next slot {}", clock::minute(*next)));
    }
    if let Some(inactivity) = &audit.inactivity {
        let days = text::plural(inactivity.days_left.unsigned_abs(), "day", "days");
        out.push(format!("GitHub disables the schedule in {days}, unless something happens in the repository"));
    }
    out
}

fn course(what: &str, trend: &Trend, show: impl Fn(f64) -> String) -> Option<String> {
    let (median, last) = (show(trend.median?), show(trend.last?));
    let samples = text::plural(trend.samples as u64, "run", "runs");
    let way = match (trend.direction, trend.per_week) {
        (Direction::Unknown, _) => "too few for a trend".to_owned(),
        (Direction::Rising, Some(by)) => format!("rising by {} a week", show(by)),
        (Direction::Falling, Some(by)) => format!("falling by {} a week", show(-by)),
        (Direction::Rising, None) => "rising".to_owned(),
        (Direction::Falling, None) => "falling".to_owned(),
        (Direction::Steady, _) => "steady".to_owned(),
    };
    Some(format!("{what}: {last} now, {median} usually in {samples}, {way}"))
}

#[cfg(test)]
mod unit_tests;
