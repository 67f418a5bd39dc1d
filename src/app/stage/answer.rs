//! Telling GitHub what came of it. What fails here is said, and changes no verdict.

use super::Answer;
use super::ask::Subject;
use crate::app::check::Failure;
use crate::app::job::Job;
use crate::deploy::newest_deployment;
use crate::gate::Verdict;
use crate::github::{Error, NewStatus};
use crate::record::Record;
use crate::report::advice;
use crate::sys::text;

/// The longest description of a deployment's status, in characters.
const DESCRIPTION: usize = 140;
/// The longest comment of a protection rule's answer.
const COMMENT: usize = 1_024;

/// Sends the answer.
pub(super) fn send(subject: &Subject<'_>, answer: &Answer, record: &Record, job: Option<&Job>) -> Result<(), Failure> {
    let or_own = |named: &Option<String>| named.clone().unwrap_or_else(|| subject.stage.environment.clone());
    match answer {
        Answer::Status { environment } => status(subject, &or_own(environment), record, job),
        Answer::Rule { run, environment } => rule(subject, *run, &or_own(environment), record, job),
    }
}

/// A pass is no success: that is what the deploy itself says once the commit is live.
fn status(subject: &Subject<'_>, environment: &str, record: &Record, job: Option<&Job>) -> Result<(), Failure> {
    let shown = text::one_line(environment);
    let deployments = subject.deployments(environment);
    let Some(deployment) = newest_deployment(deployments.items(), subject.sha, environment) else {
        let why = deployments.gap().unwrap_or_else(|| "there is none".to_owned());
        return Err(Failure {
            message: format!("the status of the deployment of this commit to {shown}: {why}"),
            hint: Some("a job with `environment:` makes a deployment, and so does the API".to_owned()),
        });
    };
    // What is live stays so until somebody deploys: a gate that is asked once more takes nothing away.
    let statuses = subject.client.deployment_statuses(subject.slug, deployment.id);
    let statuses = statuses.map_err(|error| Failure { message: error.to_string(), hint: error.hint() })?;
    let newest = statuses.items.into_iter().max_by_key(|one| (one.created_at.is_none(), one.created_at, one.id));
    if newest.and_then(|one| one.state).as_deref() == Some("success") {
        return Err(Failure {
            message: format!("the status of the deployment of this commit to {shown} stays: it is live"),
            hint: Some("the next deployment of it to that environment is told".to_owned()),
        });
    }
    let state = match record.verdict {
        Verdict::Pass => "in_progress",
        Verdict::Fail => "failure",
        Verdict::Inconclusive | Verdict::Interrupted => "error",
    };
    let description = text::shorten(&told(subject, record), DESCRIPTION);
    let new = NewStatus { state, description, log_url: job.and_then(Job::run_url) };
    subject
        .client
        .set_deployment_status(subject.slug, deployment.id, &new)
        .map_err(|error| Failure { message: error.to_string(), hint: error.hint() })
}

/// Without a verdict the run goes on waiting, and the rule says why.
fn rule(subject: &Subject<'_>, run: u64, environment: &str, record: &Record, job: Option<&Job>) -> Result<(), Failure> {
    let state = match record.verdict {
        Verdict::Pass => Some("approved"),
        Verdict::Fail => Some("rejected"),
        Verdict::Inconclusive | Verdict::Interrupted => None,
    };
    let report = job.and_then(Job::run_url).map(|url| format!(" ({url})")).unwrap_or_default();
    let room = COMMENT.saturating_sub(report.chars().count());
    let comment = format!("{}{report}", text::shorten(&told(subject, record), room));
    let sent = subject.client.answer_rule(subject.slug, run, environment, state, &comment);
    sent.map_err(|error| Failure { hint: hint(&error), message: error.to_string() })
}

/// Who may answer a rule is not what GitHub's own words say.
fn hint(error: &Error) -> Option<String> {
    if error.is_forbidden() || error.is_missing() {
        let told = "only the GitHub App that the protection rule belongs to can answer it: give a token of its \
                    installation (permissions `actions: read` and `deployments: write`) in GITHUB_TOKEN; the token of a \
                    workflow cannot";
        return Some(told.to_owned());
    }
    error.hint()
}

fn told(subject: &Subject<'_>, record: &Record) -> String {
    format!("{}: {}: {}", subject.stage.name, record.verdict.word(), advice::summary(record))
}
