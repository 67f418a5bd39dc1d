//! What the runs of a required workflow say of a commit.
//!
//! The newest attempt that began decides, whichever run it belongs to, and no run may be under way beside it. A run
//! counts if it ran the commit itself: one for a pull request ran a merge, one of a fork ran a stranger's workflow.

use std::time::Duration;

use jiff::Timestamp;

use super::facts::{Facts, Listing, Origin, Run, Workflow};
use super::reason::{Doubts, Reason};
use super::settings::Stage;
use crate::gate::RuleVerdict;
use crate::sys::text;

/// How far two clocks may be apart.
const SKEW: i64 = 300;

/// GitHub's word for a run that has ended.
const COMPLETED: &str = "completed";

/// Events whose runs have the commit itself checked out.
const OF_THE_COMMIT: &[&str] = &[
    "push",
    "schedule",
    "workflow_dispatch",
    "repository_dispatch",
    "merge_group",
    "release",
    "create",
    "deployment",
    "deployment_status",
    "dynamic",
];

/// The run that decides for a workflow: of those that count, the one whose newest attempt began last. One of which too
/// little is known decides only where there is no other.
#[must_use]
pub fn deciding<'a>(workflow: &'a Workflow, sha: &str) -> Option<&'a Run> {
    counting(workflow, sha).max_by_key(|run| (unknown(run).is_empty(), run.started, run.id))
}

/// The runs that may speak for the commit. One of which too little is known is among them: it must not be passed over.
fn counting<'a>(workflow: &'a Workflow, sha: &str) -> impl Iterator<Item = &'a Run> {
    let is_of = move |run: &&Run| run.head_sha.as_deref().is_none_or(|head| is_same(head, sha));
    workflow.runs.items().iter().filter(bears).filter(is_of)
}

/// Whether a run is of a kind that may speak for its commit.
fn bears(run: &&Run) -> bool {
    run.origin != Origin::Fork && run.event.as_deref().is_none_or(|event| OF_THE_COMMIT.contains(&event))
}

fn is_same(head: &str, sha: &str) -> bool {
    head.eq_ignore_ascii_case(sha)
}

/// What a workflow says.
pub(super) fn reason(stage: &Stage, facts: &Facts, file: &str) -> Reason {
    let subject = format!("workflow {file}");
    let wanted = format!("success within {}", text::duration_setting(stage.max_age));
    let mut doubts = Doubts::none();
    let Some(workflow) = facts.workflows.iter().find(|workflow| workflow.file == file) else {
        doubts.open("not asked", format!("nobody asked for the runs of {file}"), "ask again");
        return doubts.reason(subject, wanted, None, Default::default);
    };
    let run = deciding(workflow, &facts.sha);
    let source = run.and_then(|run| run.url.clone());
    // A run of which too little is known may be the newest, and must not be passed over.
    let unclear = |other: &&Run| !unknown(other).is_empty();
    for run in run.into_iter().filter(|run| !unclear(run)).chain(counting(workflow, &facts.sha).filter(unclear)) {
        ended(&mut doubts, run, facts);
        known(&mut doubts, run);
    }
    // Pages that move while they are read may tell of one run twice, and differently.
    let is_deciding = |other: &Run| run.is_some_and(|run| std::ptr::eq(run, other));
    let beside = counting(workflow, &facts.sha).filter(|other| !unclear(other) && !is_deciding(other));
    let as_new = |other: &&Run| other.started == run.and_then(|run| run.started);
    for other in beside.filter(|other| as_new(other) || other.status.as_deref() != Some(COMPLETED)) {
        ended(&mut doubts, other, facts);
    }
    let is_foreign = |run: &&Run| run.head_sha.as_deref().is_some_and(|head| !is_same(head, &facts.sha));
    let foreign = workflow.runs.items().iter().filter(bears).filter(is_foreign);
    for run in foreign {
        let message = format!("GitHub names {} of another commit beside those asked for", told(run));
        doubts.open("another commit", message, "try again; what belongs to this commit is not clear");
    }
    match &workflow.runs {
        Listing::Absent => doubts.open(
            "no workflow",
            format!("there is no workflow {file}, or the token may not see it"),
            "check the name under `workflows`, and that the token has the permission `actions: read`",
        ),
        Listing::Unknown { why, next } => doubts.open("no answer", why.clone(), next.clone()),
        Listing::Known { .. } => {
            if let Some(gap) = workflow.runs.gap() {
                let message = format!("the list of its runs on this commit is not whole: {gap}");
                doubts.open("list not whole", message, "look at the runs of the commit, and try again");
            } else if run.is_none() {
                absent(&mut doubts, workflow);
            }
        }
    }
    if let Some(started) = run.and_then(|run| run.started) {
        timely(&mut doubts, started, facts.now, stage.max_age);
    }
    doubts.reason(subject, wanted, source, || {
        let (Some(run), Some(since)) = (run, run.and_then(|run| since(run, facts.now))) else {
            return Default::default();
        };
        (format!("success, {since} ago"), format!("{} succeeded, begun {since} ago", told(run)))
    })
}

/// How a run ended, or that it has not.
fn ended(doubts: &mut Doubts, run: &Run, facts: &Facts) {
    let told = told(run);
    let again = format!(
        "run it again{}",
        run.url.as_deref().map(|url| format!(": {}", text::one_line(url))).unwrap_or_default()
    );
    let Some(status) = run.status.as_deref() else {
        return doubts.open("unknown", format!("GitHub does not say how far {told} is"), "try again");
    };
    let word = text::one_line(status);
    if status != COMPLETED {
        let message = format!("{told} has not ended: {word}");
        return if facts.own_run == Some(run.id) {
            let next = "the gate stands in this very run: move it to a workflow of its own, or leave this workflow out of \
                        `workflows`";
            doubts.open(word, format!("{message}, and waits for this gate"), next);
        } else {
            doubts.running(word, message, "wait for it: --wait 30m");
        };
    }
    let Some(conclusion) = run.conclusion.as_deref() else {
        return doubts.open("unknown", format!("GitHub does not say how {told} ended"), again);
    };
    let word = text::one_line(conclusion);
    let fix = format!(
        "see what failed{}",
        run.url.as_deref().map(|url| format!(": {}", text::one_line(url))).unwrap_or_default()
    );
    match conclusion {
        "success" => {}
        "failure" => doubts.add(RuleVerdict::Fail, word, format!("{told} failed"), fix),
        "timed_out" => doubts.add(RuleVerdict::Fail, word, format!("{told} took too long and was ended"), fix),
        "startup_failure" => {
            let message = format!("{told} could not start: the workflow file cannot be used");
            doubts.add(RuleVerdict::Fail, word, message, fix);
        }
        "cancelled" => doubts.open(word, format!("{told} was cancelled before it could say anything"), again),
        "skipped" => doubts.open(word, format!("{told} was skipped: nothing ran"), again),
        "neutral" => doubts.open(word, format!("{told} says neither yes nor no"), again),
        "stale" => doubts.open(word, format!("{told} was given up by GitHub before it ended"), again),
        "action_required" => {
            doubts.open(word, format!("{told} waits for somebody's approval"), "approve it, then ask again");
        }
        _ => doubts.open(
            format!("`{word}`"),
            format!("{told} ended as `{word}`, which is not known to be a success"),
            again,
        ),
    }
}

/// Doubts about a run of which too little is known.
fn known(doubts: &mut Doubts, run: &Run) {
    let missing = unknown(run);
    if !missing.is_empty() {
        let message = format!("of {} GitHub does not say {}", told(run), text::list(&missing));
        doubts.open("not known", message, "run the workflow again on this commit");
    }
}

/// What must be known of a run for it to count, and is not.
fn unknown(run: &Run) -> Vec<&'static str> {
    let all = [
        (run.head_sha.is_none(), "its commit"),
        (run.event.is_none(), "what started it"),
        (run.origin == Origin::Unknown, "the repository of its commit"),
        (run.started.is_none(), "when it began"),
        (run.attempt.is_none(), "its attempt"),
    ];
    all.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, what)| what).collect()
}

/// Not before its time, and not past it.
fn timely(doubts: &mut Doubts, started: Timestamp, now: Timestamp, max_age: Duration) {
    let age = now.duration_since(started);
    if age.as_secs() < -SKEW {
        let message = "its run begins in the future: one of two clocks is wrong";
        return doubts.open("in the future", message, "set the clock of this machine");
    }
    let age = Duration::try_from(age).unwrap_or_default();
    if age > max_age {
        let (age, most) = (text::duration(age), text::duration(max_age));
        let message = format!("its run is too old: begun {age} ago, at most {most} is allowed");
        doubts.open(format!("{age} old"), message, "run the workflow again on this commit, or raise `max-age`");
    }
}

/// Why no run counts.
fn absent(doubts: &mut Doubts, workflow: &Workflow) {
    let items = workflow.runs.items();
    let next = "run the workflow on this commit: on push, or by hand (workflow_dispatch)";
    if items.iter().any(|run| run.origin == Origin::Fork) {
        let message = format!("only a fork has run {} on this commit, and it runs its own workflow", workflow.file);
        return doubts.open("only a fork's", message, next);
    }
    if let Some(event) = items.iter().find_map(|run| run.event.as_deref()) {
        let event = text::one_line(event);
        let message =
            format!("{} ran for this commit on `{event}` only, which does not run the commit itself", workflow.file);
        return doubts.open(format!("only {event}"), message, next);
    }
    doubts.running("no run", format!("{} has not run on this commit", workflow.file), next);
}

fn since(run: &Run, now: Timestamp) -> Option<String> {
    let age = now.duration_since(run.started?);
    Some(text::duration(Duration::try_from(age).unwrap_or_default()))
}

/// A run in words: `run 17 (attempt 2, push to main)`.
fn told(run: &Run) -> String {
    let attempt = match run.attempt {
        Some(attempt) if attempt > 1 => format!("attempt {attempt}, "),
        _ => String::new(),
    };
    let event = run.event.as_deref().map_or_else(|| "unknown event".to_owned(), text::one_line);
    let branch = run.branch.as_deref().map(|branch| format!(" on {}", text::one_line(branch))).unwrap_or_default();
    text::shorten(&format!("run {} ({attempt}{event}{branch})", run.number), 160)
}
