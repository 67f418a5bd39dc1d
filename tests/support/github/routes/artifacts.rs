//! Artifacts: listed, and downloaded through a link to another origin.

use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call, found};
use super::super::page::page;
use super::super::shape::time;
use super::super::state::{Artifact, Repository, State};
use super::signed;

pub(super) fn of_repo(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let mut artifacts = named(repo, call);
    artifacts.sort_by_key(|artifact| std::cmp::Reverse(artifact.id));
    Ok(listed(state, repo, call, artifacts))
}

pub(super) fn of_run(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let id = call.id("run_id");
    found(repo.runs.iter().find(|run| run.id == id))?;
    let mut artifacts = named(repo, call);
    artifacts.retain(|artifact| artifact.run == id);
    if call.query("direction") != Some("asc") {
        artifacts.reverse();
    }
    Ok(listed(state, repo, call, artifacts))
}

fn named<'s>(repo: &'s Repository, call: &Call) -> Vec<&'s Artifact> {
    let wanted = call.query("name");
    repo.artifacts.iter().filter(|artifact| wanted.is_none_or(|name| artifact.name == name)).collect()
}

fn listed(state: &State, repo: &Repository, call: &Call, artifacts: Vec<&Artifact>) -> Answer {
    let total = artifacts.len();
    page(call, repo.id, artifacts, usize::MAX).counted(total, "artifacts", |one| shown(state, repo, one, &call.api))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let artifact = one(repo, call)?;
    Ok(Answer::json(200, shown(state, repo, artifact, &call.api)))
}

pub(super) fn download(state: &mut State, call: &Call) -> Answered {
    let artifact = one(call.repo(state)?, call)?;
    if call.param("archive_format") != "zip" {
        return Ok(Answer::not_found());
    }
    if artifact.expires_at <= state.now {
        return Ok(Answer::error(410, "Artifact has expired"));
    }
    signed(state, call, "artifacts", artifact.id)
}

fn one<'s>(repo: &'s Repository, call: &Call) -> Result<&'s Artifact, Box<Answer>> {
    let id = call.id("artifact_id");
    found(repo.artifacts.iter().find(|artifact| artifact.id == id))
}

fn shown(state: &State, repo: &Repository, artifact: &Artifact, api: &str) -> Value {
    let url = format!("{api}/repos/{}/actions/artifacts/{}", repo.full_name, artifact.id);
    let run = repo.runs.iter().find(|run| run.id == artifact.run).map(|run| {
        let mut of_run = json!({
            "id": run.id,
            "repository_id": repo.id,
            "head_repository_id": state.find(&run.head_repo).map_or(repo.id, |head| head.id),
            "head_sha": run.sha,
        });
        if let Some(branch) = &run.branch {
            of_run["head_branch"] = json!(branch);
        }
        of_run
    });
    json!({
        "id": artifact.id,
        "name": artifact.name,
        "size_in_bytes": artifact.bytes.len(),
        "url": url,
        "archive_download_url": format!("{url}/zip"),
        "expired": artifact.expires_at <= state.now,
        "created_at": time(artifact.created_at),
        "updated_at": time(artifact.created_at),
        "expires_at": time(artifact.expires_at),
        "digest": artifact.digest,
        "workflow_run": run,
    })
}
