//! Which function answers which operation.
//!
//! The description finds the operation, so there is one row for each and no path is written twice.

mod artifacts;
mod changes;
mod checks;
mod deployments;
mod environments;
mod issues;
mod other;
mod pulls;
mod runs;
mod workflows;

use super::call::{Answer, Answered, Call};
use super::state::State;

type Route = fn(&mut State, &Call) -> Answered;

/// All routes by operation.
pub const ROUTES: &[(&str, Route)] = &[
    ("actions/cancel-workflow-run", runs::cancel),
    ("actions/create-workflow-dispatch", workflows::dispatch),
    ("actions/download-artifact", artifacts::download),
    ("actions/download-job-logs-for-workflow-run", runs::job_logs),
    ("actions/enable-workflow", workflows::enable),
    ("actions/get-artifact", artifacts::get),
    ("actions/get-job-for-workflow-run", runs::job),
    ("actions/get-pending-deployments-for-run", environments::pending),
    ("actions/get-reviews-for-run", environments::approvals),
    ("actions/get-workflow", workflows::get),
    ("actions/get-workflow-run", runs::get),
    ("actions/get-workflow-run-attempt", runs::attempt),
    ("actions/list-artifacts-for-repo", artifacts::of_repo),
    ("actions/list-jobs-for-workflow-run", runs::jobs),
    ("actions/list-jobs-for-workflow-run-attempt", runs::jobs_of_attempt),
    ("actions/list-repo-workflows", workflows::list),
    ("actions/list-workflow-run-artifacts", artifacts::of_run),
    ("actions/list-workflow-runs", runs::list),
    ("actions/list-workflow-runs-for-repo", runs::list),
    ("actions/re-run-workflow", runs::rerun),
    ("actions/re-run-workflow-failed-jobs", runs::rerun),
    ("actions/review-custom-gates-for-run", environments::answer_rule),
    ("actions/review-pending-deployments-for-run", environments::review),
    ("checks/create", checks::create),
    ("checks/get", checks::get),
    ("checks/list-annotations", checks::annotations),
    ("checks/list-for-ref", checks::list),
    ("checks/update", checks::update),
    ("git/get-ref", changes::reference),
    ("issues/add-labels", issues::add_labels),
    ("issues/create", issues::create),
    ("issues/create-comment", issues::create_comment),
    ("issues/create-label", issues::create_label),
    ("issues/delete-comment", issues::delete_comment),
    ("issues/get", issues::get),
    ("issues/get-comment", issues::get_comment),
    ("issues/get-label", issues::get_label),
    ("issues/list-comments", issues::comments),
    ("issues/list-for-repo", issues::list),
    ("issues/list-labels-for-repo", issues::labels),
    ("issues/update", issues::update),
    ("issues/update-comment", issues::update_comment),
    ("pulls/get", pulls::get),
    ("pulls/list", pulls::list),
    ("pulls/list-files", pulls::files),
    ("rate-limit/get", other::rate_limit),
    ("repos/compare-commits-with-basehead", changes::compare),
    ("repos/create-deployment", deployments::create),
    ("repos/create-deployment-status", deployments::create_status),
    ("repos/get", other::repo),
    ("repos/get-all-deployment-protection-rules", environments::rules),
    ("repos/get-all-environments", environments::list),
    ("repos/get-commit", changes::commit),
    ("repos/get-content", changes::content),
    ("repos/get-deployment", deployments::get),
    ("repos/get-deployment-status", deployments::status),
    ("repos/get-environment", environments::get),
    ("repos/list-commits", changes::commits),
    ("repos/list-deployment-statuses", deployments::statuses),
    ("repos/list-deployments", deployments::list),
    ("repos/list-pull-requests-associated-with-commit", pulls::of_commit),
    ("users/get-authenticated", other::user),
];

/// Answers an operation.
///
/// # Errors
/// With the answer, where a route ends early.
pub fn answer(state: &mut State, call: &Call) -> Answered {
    let route = ROUTES.iter().find(|(operation, _)| *operation == call.operation);
    match route {
        Some((_, route)) => route(state, call),
        None => Err(Box::new(Answer::error(501, "The fake does not answer this operation"))),
    }
}

/// What a signed link leads to: the content type and the bytes.
pub fn stored(state: &State, path: &str) -> Option<(&'static str, Vec<u8>)> {
    let (kind, id) = path.strip_prefix("/stored/")?.split_once('/')?;
    let id: u64 = id.parse().ok()?;
    match kind {
        "artifacts" => {
            let artifact = state.repos.iter().flat_map(|repo| &repo.artifacts).find(|artifact| artifact.id == id)?;
            Some(("application/zip", artifact.bytes.clone()))
        }
        "logs" => {
            let job = state.repos.iter().flat_map(|repo| &repo.jobs).find(|job| job.id == id)?;
            Some(("text/plain", job.log.clone().into_bytes()))
        }
        _ => None,
    }
}

/// A link that is valid for a minute.
fn signed(state: &State, call: &Call, kind: &str, id: u64) -> Answered {
    let until = state.now.as_second() + 60;
    Ok(Answer::found(format!("{}/stored/{kind}/{id}?se={until}&sig=c2lnbmF0dXJl", call.storage)))
}
