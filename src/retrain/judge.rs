//! Which state a slot has.
//!
//! A run is asked one question after the other, in the order of [`super::slot::STATES`]: did it begin within the
//! tolerance, has it ended, was it on the branch, did it succeed, did it leave a model, is the model still there, is it
//! the one that was left, has it its metrics, is it another one than before, is it good enough, did it get to
//! production. Every question is asked as far as its facts go: the first that is answered with no names the slot; if
//! none is, one that could not be answered makes it `unknown`. So nothing that is missing ends as `on-time`, and
//! nothing that becomes known hides a fault that was known before.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::champion::{self, Champion, Comparison};
use super::facts::{Facts, Model, Run};
use super::product;
use super::questions::{Answers, Judge, since};
use super::slot::{Assigned, Class, Depth, Failure, Slot, State};
use crate::gate::RuleVerdict;
use crate::sys::text;

/// What came before a slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// The run whose model is in use: the newest that was good enough.
    pub(super) champion: Option<u64>,
    /// The run that left the newest model.
    pub(super) last: Option<u64>,
    /// Whether a scheduled run was seen.
    pub(super) has_run: bool,
}

/// A slot with what was compared for it.
pub(super) struct Judged {
    pub(super) slot: Slot,
    pub(super) comparisons: Vec<Comparison>,
    /// The run whose model counts from now on.
    pub(super) model: Option<u64>,
    /// A run that left a model, good enough or not.
    pub(super) left: Option<u64>,
    /// What came before.
    pub(super) past: Past,
    /// Runs by hand of which more has to be known before one of them covers the slot; the newest first.
    pub(super) unsure: Vec<Slot>,
}

impl Judge<'_> {
    /// The states of all slots. Those from `deep` on are looked at as a model.
    fn all(&self, assigned: &[Assigned<'_>], deep: usize) -> Vec<Judged> {
        let mut past = assigned.first().map(|first| self.before(first.at)).unwrap_or_default();
        let reign = self.facts.reign.as_ref();
        let mut reigns = false;
        let one = |(at, assigned): (usize, &Assigned<'_>)| {
            if let Some(reign) = reign.filter(|reign| !reigns && reign.since < assigned.at) {
                (past.champion, reigns) = (Some(reign.run), true);
            }
            let depth = if at >= deep { Depth::Model } else { Depth::Run };
            let judged = self.slot(assigned, depth, &past);
            // After one that was worse only a model that was held against the champion takes its place.
            let is_proven = !reigns || !judged.comparisons.is_empty();
            past.champion = judged.model.filter(|_| is_proven).or(past.champion);
            past.last = judged.left.or(past.last);
            past.has_run |= !assigned.scheduled.is_empty();
            judged
        };
        assigned.iter().enumerate().map(one).collect()
    }

    /// What there was before the first slot: the schedule may be younger than the training.
    fn before(&self, first: Timestamp) -> Past {
        let left = |run: &&Run| {
            let is_own = run.event.as_deref().is_some_and(|event| !event.starts_with("pull_request"));
            let is_good = run.is_completed() && run.conclusion.as_deref() == Some("success");
            let is_there = self.branch().is_none_or(|wanted| run.branch.as_ref() == Some(wanted));
            is_own
                && is_good
                && is_there
                && run.created.is_some_and(|at| at < first)
                && self.artifacts.contains_key(&run.id)
        };
        let newest = self.facts.runs.items().iter().filter(left).max_by_key(|run| (run.created, run.id));
        let run = newest.map(|run| run.id);
        Past { champion: run, last: run, has_run: false }
    }

    /// The states of all slots, and which of them is the newest that can be judged: that one was looked at as a model.
    pub(super) fn judge(&self, assigned: &[Assigned<'_>]) -> (Vec<Judged>, Option<usize>) {
        let mut deep = assigned.len();
        loop {
            let judged = self.all(assigned, deep);
            match judged.iter().rposition(|one| one.slot.state.is_judged()) {
                Some(newest) if newest < deep => deep = newest,
                newest => return (judged, newest),
            }
        }
    }

    /// The state of a slot.
    pub(super) fn slot(&self, assigned: &Assigned<'_>, depth: Depth, past: &Past) -> Judged {
        let all = assigned.scheduled.iter().map(|run| self.run(assigned, run, depth, past, true));
        // The earliest of those that are as good.
        let best = all.reduce(|best, next| if rank(next.slot.state) < rank(best.slot.state) { next } else { best });
        let mut judged = best.unwrap_or_else(|| self.without(assigned, depth, past));
        let others = assigned.scheduled.len().saturating_sub(1);
        if others > 0 {
            let note = format!("{} of this slot beside it", text::plural(others as u64, "other run", "other runs"));
            judged.slot.detail = Some(judged.slot.detail.map_or(note.clone(), |detail| format!("{detail}; {note}")));
        }
        if judged.slot.state.class() == Class::Bad {
            let by_hand = assigned.other.iter().map(|run| self.run(assigned, run, depth, past, false));
            let (mut kept, rest): (Vec<_>, Vec<_>) = by_hand.partition(|cover| cover.slot.state.class() == Class::Kept);
            if let Some(cover) = (!kept.is_empty()).then(|| kept.remove(0)) {
                judged.slot.covered_by = cover.slot.run_id;
                (judged.model, judged.left) = (cover.model, cover.left);
                judged.comparisons = cover.comparisons;
            } else {
                let unsure = rest.into_iter().rev().filter(|cover| cover.slot.state.class() == Class::Unknown);
                judged.unsure = unsure.map(|cover| cover.slot).collect();
            }
        }
        judged
    }

    /// A slot that no scheduled run belongs to.
    fn without(&self, assigned: &Assigned<'_>, depth: Depth, past: &Past) -> Judged {
        let Facts { as_of, workflow, .. } = self.facts;
        let waits = self.settings.tolerance;
        let (state, detail) = if let (Some(why), None) = (self.disabled(assigned.at), &self.gap) {
            (State::Disabled, Some(why))
        } else if !is_over(assigned.at, waits, *as_of) {
            (State::Pending, None)
        } else if let Some(gap) = &self.gap {
            (State::Unknown, Some(gap.clone()))
        } else if self.cut.is_some_and(|cut| assigned.at < cut) {
            (State::Unknown, Some("it is older than the runs that were read".to_owned()))
        } else if workflow.created.is_none() && workflow.scheduled_since.is_none() && !past.has_run {
            let why = "no run until then, and GitHub does not say since when the workflow exists";
            (State::Unknown, Some(why.to_owned()))
        } else {
            (State::Missed, Some(format!("no run within {}", text::duration_setting(waits))))
        };
        let slot = Slot {
            expected_at: assigned.at,
            state,
            run_id: None,
            attempt: None,
            started_at: None,
            finished_at: None,
            late_seconds: None,
            depth,
            detail,
            covered_by: None,
            commit: None,
            url: None,
            failure: None,
        };
        Judged { slot, comparisons: Vec::new(), model: None, left: None, past: past.clone(), unsure: Vec::new() }
    }

    /// Why the schedule did not run at that moment, if the workflow is disabled and has been since.
    fn disabled(&self, slot: Timestamp) -> Option<String> {
        let why = disabled(self.facts.workflow.state.as_deref())?;
        self.newest.is_none_or(|newest| newest <= slot).then_some(why)
    }

    fn run(&self, assigned: &Assigned<'_>, run: &Run, depth: Depth, past: &Past, scheduled: bool) -> Judged {
        let late = run.created.map(|created| created.duration_since(assigned.at).as_secs().max(0));
        let mut answers = Answers::default();
        if scheduled {
            self.tolerated(&mut answers, late);
        }
        let left = self.product(&mut answers, assigned, run, depth, past);
        if let Some(attempt) = run.attempt.filter(|attempt| *attempt > 1) {
            let before = text::plural(u64::from(attempt) - 1, "earlier attempt", "earlier attempts");
            answers.notes.push(format!("attempt {attempt}, after {before}"));
        }
        let is_late = scheduled && late.is_some_and(|late| late > seconds(self.settings.late_after));
        let failure = answers.failure.take();
        let comparisons = std::mem::take(&mut answers.comparisons);
        let (state, detail) = answers.end(if is_late { State::Late } else { State::OnTime });
        let slot = Slot {
            expected_at: assigned.at,
            state,
            run_id: Some(run.id),
            attempt: run.attempt,
            started_at: run.began(),
            finished_at: run.ended(),
            late_seconds: late.filter(|_| scheduled),
            depth,
            detail,
            covered_by: None,
            commit: run.sha.clone(),
            url: run.url.clone(),
            failure,
        };
        let is_good = matches!(state.class(), Class::Kept | Class::Late | Class::Faded);
        // One that comes too late for its slot is a model all the same.
        let came_too_late = state == State::Missed && left;
        let model = (left && (is_good || came_too_late)).then_some(run.id);
        Judged { slot, comparisons, model, left: left.then_some(run.id), past: past.clone(), unsure: Vec::new() }
    }

    fn tolerated(&self, answers: &mut Answers, late: Option<i64>) {
        let most = self.settings.tolerance;
        match late {
            Some(late) if late > seconds(most) => {
                let late = text::duration(Duration::from_secs(late.unsigned_abs()));
                answers.fault(
                    State::Missed,
                    format!("its run came after {late}, later than {}", text::duration_setting(most)),
                );
            }
            Some(_) => {}
            None => answers.open("GitHub does not say when the run began"),
        }
    }

    /// Asks a run; whether it left a model.
    fn product(&self, answers: &mut Answers, assigned: &Assigned<'_>, run: &Run, depth: Depth, past: &Past) -> bool {
        if !self.ended(answers, run) {
            return false;
        }
        self.on_branch(answers, run);
        if !self.succeeded(answers, run) {
            return false;
        }
        let product = product::Product { judge: self, assigned, run, depth };
        let before = answers.faults.len();
        product.model(answers);
        let left =
            answers.faults.len() == before || answers.faults.iter().all(|(state, _)| state.class() == Class::Faded);
        product.is_new(answers, past.last);
        self.champion(answers, run, depth, past);
        product.deployed(answers);
        left
    }

    fn ended(&self, answers: &mut Answers, run: &Run) -> bool {
        let Some(status) = run.status.as_deref() else {
            answers.open("GitHub does not say how far its run is");
            return false;
        };
        if run.is_completed() {
            return true;
        }
        let word = text::shorten(&text::one_line(status), 40);
        match run.began() {
            None => answers.open(format!("its run is {word}, and GitHub does not say since when")),
            Some(began) if is_over(began, self.settings.timeout, self.facts.as_of) => {
                let since = text::duration(since(began, self.facts.as_of));
                let most = text::duration_setting(self.settings.timeout);
                answers.fault(State::TimedOut, format!("its run is {word} for {since}, longer than {most}"));
            }
            Some(_) => answers.awaited(format!("its run is {word}")),
        }
        false
    }

    fn on_branch(&self, answers: &mut Answers, run: &Run) {
        match (self.branch(), &run.branch) {
            (None, _) => answers.open("GitHub does not name the default branch"),
            (_, None) => answers.open("GitHub does not name the branch of its run"),
            (Some(wanted), Some(branch)) if wanted != branch => {
                let branch = text::shorten(&text::one_line(branch), 100);
                answers.fault(
                    State::WrongBranch,
                    format!("its run was on `{branch}`, not on `{}`", text::one_line(wanted)),
                );
            }
            _ => {}
        }
    }

    /// The branch that runs must be on.
    fn branch(&self) -> Option<&String> {
        self.settings.expect.branch.as_ref().or(self.facts.repository.default_branch.as_ref())
    }

    fn succeeded(&self, answers: &mut Answers, run: &Run) -> bool {
        let Some(conclusion) = run.conclusion.as_deref() else {
            answers.open("GitHub does not say how its run ended");
            return false;
        };
        let took = run.began().zip(run.ended()).map(|(began, ended)| since(began, ended));
        let hung = took.filter(|took| *took >= self.settings.timeout);
        match conclusion {
            "success" => return true,
            "timed_out" => answers.fault(State::TimedOut, "its run took too long and was ended"),
            // GitHub cancels a job that passes its `timeout-minutes`.
            "cancelled" if hung.is_some() => {
                let took = text::duration(hung.unwrap_or_default());
                answers.fault(State::TimedOut, format!("its run was cancelled after {took}"));
            }
            "cancelled" => match self.successor(run) {
                Some(newer) => answers.fault(State::Superseded, format!("run {newer} began while it went on")),
                None => answers.fault(State::Cancelled, "its run was cancelled"),
            },
            "stale" => answers.fault(State::Cancelled, "GitHub gave its run up"),
            "failure" => answers.fault(State::Failed, "its run failed"),
            "startup_failure" => {
                answers.fault(State::Failed, "its run could not start: the workflow file cannot be used")
            }
            "skipped" => answers.fault(State::Failed, "its run was skipped: nothing was trained"),
            "action_required" => answers.fault(State::Failed, "its run waits for somebody's approval"),
            word => {
                let word = text::shorten(&text::one_line(word), 40);
                answers.open(format!("its run ended as `{word}`, which is not known to be a success"));
            }
        }
        answers.failure = self.failure(run);
        if let (Some(failure), Some((_, detail))) = (&answers.failure, answers.faults.last_mut()) {
            let short = |words: &str| text::shorten(&text::one_line(words), 100);
            let step = failure.step.as_deref().map(|step| format!(", step `{}`", short(step))).unwrap_or_default();
            detail.push_str(&format!(": job `{}`{step}", short(&failure.job)));
        }
        false
    }

    /// The run that took the place of a cancelled one.
    fn successor(&self, run: &Run) -> Option<u64> {
        let (created, ended) = (run.created?, run.ended()?);
        let is_newer = |other: &&Run| {
            other.id != run.id && other.created.is_some_and(|at| (at, other.id) > (created, run.id) && at <= ended)
        };
        self.facts
            .runs
            .items()
            .iter()
            .filter(is_newer)
            .min_by_key(|other| (other.created, other.id))
            .map(|other| other.id)
    }

    fn failure(&self, run: &Run) -> Option<Failure> {
        let jobs = self.facts.jobs.get(&run.id)?;
        let is_bad = |word: Option<&str>| !matches!(word, Some("success" | "skipped" | "neutral"));
        // A job that failed tells more than one that was cancelled because of it.
        let rank = |word: Option<&str>| match word {
            Some("failure") => 0,
            Some("timed_out" | "startup_failure") => 1,
            _ => 2,
        };
        let bad = jobs.items().iter().filter(|job| is_bad(job.conclusion.as_deref()));
        let job = bad.min_by_key(|job| rank(job.conclusion.as_deref()))?;
        Some(Failure { job: job.name.clone(), step: job.step.clone(), tail: job.tail.clone() })
    }

    fn champion(&self, answers: &mut Answers, run: &Run, depth: Depth, past: &Past) {
        if self.settings.champion.is_empty() {
            return;
        }
        let Some(values) = self.values(run.id) else { return };
        let champion = match past.champion.map(|before| (before, self.values(before))) {
            None => Champion::None,
            Some((run, Some(values))) => Champion::Of { run, values },
            Some((run, None)) => Champion::Unknown(match self.facts.models.get(&run) {
                Some(Model::Unknown(why)) => format!("run {run}: {why}"),
                Some(Model::Read { .. }) => format!("the artifact of run {run} has no metrics that could be read"),
                None => format!("the artifact of run {run} was not looked into"),
            }),
        };
        if depth == Depth::Run && matches!(champion, Champion::Unknown(_)) {
            return;
        }
        answers.comparisons = champion::compare(&self.settings.champion, values, &champion);
        let worse = answers.comparisons.iter().filter(|one| one.verdict == RuleVerdict::Fail);
        let worse: Vec<_> = worse.map(|one| format!("{}: {}", text::one_line(&one.metric), one.message)).collect();
        if !worse.is_empty() {
            answers.fault(State::WorseThanChampion, worse.join("; "));
        }
    }

    /// The values of a run's model, read now or kept from before.
    pub(super) fn values(&self, run: u64) -> Option<&champion::Values> {
        match self.facts.models.get(&run) {
            Some(Model::Read { metrics: super::facts::Metrics::Read(values), .. }) => Some(values),
            _ => self.facts.reign.as_ref().filter(|reign| reign.run == run).map(|reign| &reign.values),
        }
    }
}

/// Which of several runs of one slot speaks for it.
fn rank(state: State) -> (Class, bool) {
    (state.class(), state == State::Missed)
}

/// Why a workflow in this state does not run, in words.
pub(super) fn disabled(state: Option<&str>) -> Option<String> {
    let why = match state? {
        "active" => return None,
        "disabled_inactivity" => "GitHub disabled the workflow, because nothing happened in the repository for 60 days",
        "disabled_manually" => "somebody disabled the workflow",
        "disabled_fork" => "the workflow is disabled, because the repository is a fork",
        "deleted" => "the workflow's file was deleted",
        other => return Some(format!("the workflow is `{}`", text::shorten(&text::one_line(other), 40))),
    };
    Some(why.to_owned())
}

/// Whether more than `span` has gone by.
pub(super) fn is_over(from: Timestamp, span: Duration, now: Timestamp) -> bool {
    since(from, now) > span
}

fn seconds(span: Duration) -> i64 {
    SignedDuration::try_from(span).map_or(i64::MAX, |span| span.as_secs())
}
