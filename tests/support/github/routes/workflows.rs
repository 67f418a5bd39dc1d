//! Workflow files: listed, enabled, dispatched.

use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call, found};
use super::super::page::page;
use super::super::shape::{WEB, time};
use super::super::state::{Dispatch, Repository, Run, State, Workflow};

/// A workflow by its number or the name of its file.
pub(super) fn find<'s>(repo: &'s Repository, wanted: &str) -> Option<&'s Workflow> {
    repo.workflows.iter().find(|workflow| is(workflow, wanted))
}

fn is(workflow: &Workflow, wanted: &str) -> bool {
    workflow.id.to_string() == wanted || workflow.path.rsplit('/').next() == Some(wanted)
}

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let all: Vec<&Workflow> = repo.workflows.iter().collect();
    let total = all.len();
    Ok(page(call, repo.id, all, usize::MAX).counted(total, "workflows", |one| shown(repo, one, &call.api)))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let workflow = found(find(repo, call.param("workflow_id")))?;
    Ok(Answer::json(200, shown(repo, workflow, &call.api)))
}

fn shown(repo: &Repository, workflow: &Workflow, api: &str) -> Value {
    json!({
        "id": workflow.id,
        "name": workflow.name,
        "path": workflow.path,
        "state": workflow.state,
        "created_at": time(workflow.created_at),
        "updated_at": time(workflow.created_at),
        "url": format!("{api}/repos/{}/actions/workflows/{}", repo.full_name, workflow.id),
        "html_url": format!("{WEB}/{}/blob/{}/{}", repo.full_name, repo.default_branch, workflow.path),
    })
}

pub(super) fn enable(state: &mut State, call: &Call) -> Answered {
    let wanted = call.param("workflow_id");
    let workflow = found(call.repo_mut(state)?.workflows.iter_mut().find(|workflow| is(workflow, wanted)))?;
    workflow.state = "active".to_owned();
    Ok(Answer::empty(204))
}

/// Makes a queued run; nothing runs in it by itself.
pub(super) fn dispatch(state: &mut State, call: &Call) -> Answered {
    let (id, now) = (state.id(), state.now);
    let reference = call.text("ref").unwrap_or_default();
    let head = {
        let repo = call.repo(state)?;
        let workflow = found(find(repo, call.param("workflow_id")))?;
        if workflow.state != "active" {
            return Ok(Answer::error(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow"));
        }
        match state.resolve(repo, &reference) {
            Some(commit) => (workflow.id, commit.sha.clone()),
            None => return Ok(Answer::error(422, &format!("No ref found for: {reference}"))),
        }
    };
    let repo = call.repo_mut(state)?;
    let mut run = Run::new(repo, head.0, id, now);
    run.branch = Some(reference.trim_start_matches("refs/heads/").to_owned());
    run.sha = head.1;
    run.event = "workflow_dispatch".to_owned();
    run.status = Some("queued".to_owned());
    run.conclusion = None;
    run.actor.clone_from(&call.caller.login);
    repo.runs.push(run);
    let inputs = call.body.get("inputs").cloned().unwrap_or_else(|| json!({}));
    repo.dispatches.push(Dispatch { workflow_id: head.0, reference, inputs });
    if call.body.get("return_run_details") != Some(&json!(true)) {
        return Ok(Answer::empty(204));
    }
    let url = format!("{}/repos/{}/actions/runs/{id}", call.api, repo.full_name);
    let page = format!("{WEB}/{}/actions/runs/{id}", repo.full_name);
    Ok(Answer::json(200, json!({ "workflow_run_id": id, "run_url": url, "html_url": page })))
}
