//! Runs, their attempts and their jobs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call, found};
use super::super::page::{FILTERED, page};
use super::super::shape::{self, Shown, WEB, maybe_time, time};
use super::super::state::{Job, Repository, Run, State};
use super::signed;
use super::workflows;

const FILTERS: [&str; 7] = ["actor", "branch", "check_suite_id", "created", "event", "head_sha", "status"];

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let workflow = match call.params.get("workflow_id") {
        Some(wanted) => Some(found(workflows::find(repo, wanted))?.id),
        None => None,
    };
    let created = match call.query("created").map(Span::read) {
        Some(None) => {
            return Ok(Answer::invalid("WorkflowRun", "created", "invalid", "created is not a range of times"));
        }
        Some(Some(span)) => Some(span),
        None => None,
    };
    let wanted = |run: &&Run| {
        let is = |name: &str, value: Option<&str>| call.query(name).is_none_or(|wanted| value == Some(wanted));
        workflow.is_none_or(|id| run.workflow_id == id)
            && is("actor", Some(&run.actor))
            && is("branch", run.branch.as_deref())
            && is("event", Some(&run.event))
            && is("head_sha", Some(&run.sha))
            && call.query("check_suite_id").is_none_or(|id| id == run.check_suite_id.to_string())
            && (is("status", run.status.as_deref()) || is("status", run.conclusion.as_deref()))
            && created.as_ref().is_none_or(|span| span.holds(run.created_at))
    };
    let mut runs: Vec<&Run> = repo.runs.iter().filter(wanted).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.created_at, run.id)));
    let total = runs.len();
    let is_filtered = FILTERS.iter().any(|name| call.query(name).is_some());
    let page = page(call, repo.id, runs, if is_filtered { FILTERED } else { usize::MAX });
    let shown = Shown::to(call);
    Ok(page.counted(total, "workflow_runs", |run| shape::run(state, repo, run, run.attempt, &shown)))
}

/// A range as search has it: `A..B`, `>=A`, `<B`, `A`, each a day or a time, `*` for no end.
struct Span {
    from: Timestamp,
    until: Timestamp,
}

impl Span {
    fn read(text: &str) -> Option<Self> {
        let all = Self { from: Timestamp::MIN, until: Timestamp::MAX };
        let second = jiff::SignedDuration::from_secs(1);
        if let Some((from, until)) = text.split_once("..") {
            let from = if from == "*" { all.from } else { moment(from)?.0 };
            let until = if until == "*" { all.until } else { moment(until)?.1 };
            return Some(Self { from, until });
        }
        let of = |sign: &str| text.strip_prefix(sign).map(moment);
        if let Some(time) = of(">=") {
            return Some(Self { from: time?.0, ..all });
        }
        if let Some(time) = of("<=") {
            return Some(Self { until: time?.1, ..all });
        }
        if let Some(time) = of(">") {
            return Some(Self { from: time?.1 + second, ..all });
        }
        if let Some(time) = of("<") {
            return Some(Self { until: time?.0 - second, ..all });
        }
        moment(text).map(|(from, until)| Self { from, until })
    }

    fn holds(&self, time: Timestamp) -> bool {
        (self.from..=self.until).contains(&time)
    }
}

/// The first and the last second of a day, or twice the same time.
fn moment(text: &str) -> Option<(Timestamp, Timestamp)> {
    if let Ok(day) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
    {
        let start = jiff::tz::TimeZone::UTC.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).ok()?;
        return Some((start, start + jiff::SignedDuration::from_secs(86_399)));
    }
    let time: Timestamp = text.parse().ok()?;
    Some((time, time))
}

fn one<'s>(repo: &'s Repository, call: &Call) -> Result<&'s Run, Box<Answer>> {
    let id = call.id("run_id");
    found(repo.runs.iter().find(|run| run.id == id))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let run = one(repo, call)?;
    Ok(Answer::json(200, shape::run(state, repo, run, run.attempt, &Shown::to(call))))
}

pub(super) fn attempt(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let run = one(repo, call)?;
    let attempt = call.id("attempt_number");
    if !(1..=run.attempt).contains(&attempt) {
        return Ok(Answer::not_found());
    }
    Ok(Answer::json(200, shape::run(state, repo, run, attempt, &Shown::to(call))))
}

pub(super) fn jobs(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let run = one(repo, call)?;
    let all = call.query("filter") == Some("all");
    listed(repo, run, call, |job| all || job.attempt == run.attempt)
}

pub(super) fn jobs_of_attempt(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let run = one(repo, call)?;
    let attempt = call.id("attempt_number");
    if !(1..=run.attempt).contains(&attempt) {
        return Ok(Answer::not_found());
    }
    listed(repo, run, call, |job| job.attempt == attempt)
}

fn listed(repo: &Repository, run: &Run, call: &Call, wanted: impl Fn(&Job) -> bool) -> Answered {
    let jobs: Vec<&Job> = repo.jobs.iter().filter(|job| job.run == run.id && wanted(job)).collect();
    let total = jobs.len();
    let page = page(call, repo.id, jobs, usize::MAX);
    Ok(page.counted(total, "jobs", |job| shown(repo, job, &call.api)))
}

pub(super) fn job(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let id = call.id("job_id");
    let job = found(repo.jobs.iter().find(|job| job.id == id))?;
    Ok(Answer::json(200, shown(repo, job, &call.api)))
}

pub(super) fn job_logs(state: &mut State, call: &Call) -> Answered {
    let id = call.id("job_id");
    let job = found(call.repo(state)?.jobs.iter().find(|job| job.id == id))?;
    if job.status != "completed" {
        return Ok(Answer::not_found());
    }
    signed(state, call, "logs", id)
}

fn shown(repo: &Repository, job: &Job, api: &str) -> Value {
    let run = repo.runs.iter().find(|run| run.id == job.run);
    let steps = job.steps.iter().enumerate().map(|(index, (name, conclusion))| {
        json!({
            "name": name,
            "status": "completed",
            "conclusion": conclusion,
            "number": index + 1,
            "started_at": time(job.started_at),
            "completed_at": maybe_time(job.completed_at),
        })
    });
    json!({
        "id": job.id,
        "run_id": job.run,
        "run_attempt": job.attempt,
        "run_url": format!("{api}/repos/{}/actions/runs/{}", repo.full_name, job.run),
        "url": format!("{api}/repos/{}/actions/jobs/{}", repo.full_name, job.id),
        "html_url": format!("{WEB}/{}/actions/runs/{}/job/{}", repo.full_name, job.run, job.id),
        "head_sha": run.map(|run| &run.sha),
        "head_branch": run.and_then(|run| run.branch.as_deref()),
        "workflow_name": run.and_then(|run| run.name.as_deref()),
        "name": job.name,
        "status": job.status,
        "conclusion": job.conclusion,
        "created_at": time(job.started_at),
        "started_at": time(job.started_at),
        "completed_at": maybe_time(job.completed_at),
        "steps": steps.collect::<Vec<_>>(),
        "labels": ["ubuntu-latest"],
    })
}

/// Re-runs all jobs or the failed ones: a queued attempt, and nothing runs in it by itself.
pub(super) fn rerun(state: &mut State, call: &Call) -> Answered {
    let now = state.now;
    let id = call.id("run_id");
    let repo = call.repo_mut(state)?;
    let run = found(repo.runs.iter_mut().find(|run| run.id == id))?;
    if run.status.as_deref() != Some("completed") {
        return Ok(Answer::error(403, "This workflow is already running"));
    }
    let only_failed = call.operation == "actions/re-run-workflow-failed-jobs";
    if only_failed && run.conclusion.as_deref() == Some("success") {
        return Ok(Answer::error(403, "This workflow run cannot be retried"));
    }
    run.start_again(now);
    Ok(Answer::json(201, json!({})))
}

pub(super) fn cancel(state: &mut State, call: &Call) -> Answered {
    let now = state.now;
    let id = call.id("run_id");
    let run = found(call.repo_mut(state)?.runs.iter_mut().find(|run| run.id == id))?;
    if run.status.as_deref() == Some("completed") {
        return Ok(Answer::error(409, "Cannot cancel a workflow run that is completed."));
    }
    run.status = Some("completed".to_owned());
    run.conclusion = Some("cancelled".to_owned());
    run.updated_at = now;
    Ok(Answer::json(202, json!({})))
}
