//! Deployments and what became of them.

use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call, found};
use super::super::page::page;
use super::super::shape::{self, time};
use super::super::state::{Deployment, DeploymentStatus, Repository, State};

fn one<'s>(repo: &'s Repository, call: &Call) -> Result<&'s Deployment, Box<Answer>> {
    let id = call.id("deployment_id");
    found(repo.deployments.iter().find(|deployment| deployment.id == id))
}

/// Newest first.
pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let fits = |deployment: &&Deployment| {
        let is = |name: &str, value: &str| call.query(name).is_none_or(|wanted| wanted == "none" || wanted == value);
        is("sha", &deployment.sha)
            && is("ref", &deployment.reference)
            && is("task", &deployment.task)
            && is("environment", &deployment.environment)
    };
    let mut deployments: Vec<&Deployment> = repo.deployments.iter().filter(fits).collect();
    deployments.sort_by_key(|deployment| std::cmp::Reverse(deployment.id));
    Ok(page(call, repo.id, deployments, usize::MAX).array(|deployment| shown(repo, deployment, &call.api)))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    Ok(Answer::json(200, shown(repo, one(repo, call)?, &call.api)))
}

pub(super) fn create(state: &mut State, call: &Call) -> Answered {
    let (id, created_at) = (state.id(), state.now);
    let reference = call.text("ref").unwrap_or_default();
    let sha = {
        let repo = call.repo(state)?;
        match state.resolve(repo, &reference) {
            Some(commit) => commit.sha.clone(),
            None => return Ok(Answer::error(422, &format!("No ref found for: {reference}"))),
        }
    };
    let environment = call.text("environment").unwrap_or_else(|| "production".to_owned());
    let repo = call.repo_mut(state)?;
    if let Some(refused) = conflict(repo, call, &sha, &reference) {
        return Ok(refused);
    }
    let flag = |name: &str| call.body.get(name).and_then(Value::as_bool);
    let deployment = Deployment {
        id,
        sha,
        reference,
        task: call.text("task").unwrap_or_else(|| "deploy".to_owned()),
        production: flag("production_environment").unwrap_or(environment == "production"),
        transient: flag("transient_environment").unwrap_or(false),
        environment,
        description: call.text("description"),
        creator: call.caller.login.clone(),
        payload: call.body.get("payload").cloned().unwrap_or_else(|| json!({})),
        created_at,
        statuses: Vec::new(),
    };
    let answer = shown(repo, &deployment, &call.api);
    repo.deployments.push(deployment);
    Ok(Answer::json(201, answer))
}

/// What makes a deployment fail that was asked for with GitHub's defaults.
fn conflict(repo: &Repository, call: &Call, sha: &str, reference: &str) -> Option<Answer> {
    let merges = call.body.get("auto_merge") != Some(&json!(false));
    let default = repo.refs.get(&format!("heads/{}", repo.default_branch));
    let is_branch = repo.refs.contains_key(&format!("heads/{reference}")) && reference != repo.default_branch;
    if merges && is_branch && default.is_some_and(|default| default != sha) {
        return Some(Answer::json(202, json!({ "message": "Auto-merged main into the branch on deployment." })));
    }
    let wanted: Option<Vec<&str>> =
        call.body["required_contexts"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect());
    let checks = repo.check_runs.iter().filter(|check| check.head_sha == sha);
    let mut failing = checks.filter(|check| {
        let is_wanted = wanted.as_ref().is_none_or(|names| names.contains(&check.name.as_str()));
        is_wanted && check.conclusion.as_deref() != Some("success")
    });
    failing.next().map(|check| {
        Answer::error(409, &format!("Conflict: Commit status checks failed for {reference}: {}", check.name))
    })
}

/// Newest first.
pub(super) fn statuses(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let deployment = one(repo, call)?;
    let statuses: Vec<&DeploymentStatus> = deployment.statuses.iter().rev().collect();
    Ok(page(call, repo.id, statuses, usize::MAX).array(|status| shown_status(repo, deployment, status, &call.api)))
}

pub(super) fn status(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let deployment = one(repo, call)?;
    let id = call.id("status_id");
    let status = found(deployment.statuses.iter().find(|status| status.id == id))?;
    Ok(Answer::json(200, shown_status(repo, deployment, status, &call.api)))
}

pub(super) fn create_status(state: &mut State, call: &Call) -> Answered {
    let (id, created_at) = (state.id(), state.now);
    let first = state.last_id;
    let repo = call.repo_mut(state)?;
    let number = one(repo, call)?.id;
    let description = call.text("description").unwrap_or_default();
    if description.chars().count() > 140 {
        let message = "description is too long (maximum is 140 characters)";
        return Ok(Answer::invalid("DeploymentStatus", "description", "custom", message));
    }
    let wanted = call.text("state").unwrap_or_default();
    let deployment = found(repo.deployments.iter_mut().find(|deployment| deployment.id == number))?;
    let status = DeploymentStatus {
        id,
        state: wanted.clone(),
        description,
        environment: call.text("environment").unwrap_or_else(|| deployment.environment.clone()),
        log_url: call.text("log_url").or(call.text("target_url")).unwrap_or_default(),
        environment_url: call.text("environment_url").unwrap_or_default(),
        creator: call.caller.login.clone(),
        created_at,
    };
    let environment = status.environment.clone();
    deployment.statuses.push(status);
    let mut added = 0;
    if wanted == "success" && call.body.get("auto_inactive") != Some(&json!(false)) {
        added = retire(repo, number, &environment, first);
    }
    state.last_id += added;
    let repo = call.repo(state)?;
    let deployment = one(repo, call)?;
    let status = found(deployment.statuses.iter().find(|status| status.id == id))?;
    Ok(Answer::json(201, shown_status(repo, deployment, status, &call.api)))
}

/// Earlier successful deployments of the environment become inactive, unless it is transient or production.
fn retire(repo: &mut Repository, number: u64, environment: &str, mut id: u64) -> u64 {
    let first = id;
    let earlier = repo
        .deployments
        .iter_mut()
        .filter(|one| one.id < number && one.environment == environment && !one.transient && !one.production);
    for deployment in earlier {
        let Some(last) = deployment.statuses.last().filter(|status| status.state == "success").cloned() else {
            continue;
        };
        id += 1;
        deployment.statuses.push(DeploymentStatus { id, state: "inactive".to_owned(), ..last });
    }
    id - first
}

/// A deployment as all answers show it.
pub(super) fn shown(repo: &Repository, deployment: &Deployment, api: &str) -> Value {
    let url = format!("{api}/repos/{}/deployments/{}", repo.full_name, deployment.id);
    let updated = deployment.statuses.last().map_or(deployment.created_at, |status| status.created_at);
    json!({
        "id": deployment.id,
        "sha": deployment.sha,
        "ref": deployment.reference,
        "task": deployment.task,
        "payload": deployment.payload,
        "environment": deployment.environment,
        "original_environment": deployment.environment,
        "description": deployment.description,
        "creator": shape::user(&deployment.creator),
        "url": url,
        "statuses_url": format!("{url}/statuses"),
        "repository_url": format!("{api}/repos/{}", repo.full_name),
        "created_at": time(deployment.created_at),
        "updated_at": time(updated),
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
    })
}

fn shown_status(repo: &Repository, deployment: &Deployment, status: &DeploymentStatus, api: &str) -> Value {
    let url = format!("{api}/repos/{}/deployments/{}", repo.full_name, deployment.id);
    json!({
        "id": status.id,
        "state": status.state,
        "description": status.description,
        "environment": status.environment,
        "creator": shape::user(&status.creator),
        "url": format!("{url}/statuses/{}", status.id),
        "deployment_url": url,
        "repository_url": format!("{api}/repos/{}", repo.full_name),
        "target_url": status.log_url,
        "log_url": status.log_url,
        "environment_url": status.environment_url,
        "created_at": time(status.created_at),
        "updated_at": time(status.created_at),
    })
}
