//! Pull requests, their files and their difference.

use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call, found};
use super::super::diff;
use super::super::page::page;
use super::super::shape;
use super::super::state::{Pull, Repository, State};
use super::changes;

fn one<'s>(repo: &'s Repository, call: &Call) -> Result<&'s Pull, Box<Answer>> {
    let number = call.id("pull_number");
    found(repo.pulls.iter().find(|pull| pull.number == number))
}

fn state_of<'s>(repo: &'s Repository, pull: &Pull) -> &'s str {
    repo.issues.iter().find(|issue| issue.number == pull.number).map_or("open", |issue| &issue.state)
}

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let wanted = call.query("state").unwrap_or("open");
    // Without `owner:` GitHub does not filter at all.
    let head = call.query("head").filter(|head| head.contains(':'));
    let is_head = |pull: &Pull, head: &str| {
        let owner = pull.head_repo.as_deref().and_then(|name| name.split('/').next()).unwrap_or_default();
        head.eq_ignore_ascii_case(&format!("{owner}:{}", pull.head_ref))
    };
    let fits = |pull: &&Pull| {
        (wanted == "all" || state_of(repo, pull) == wanted)
            && head.is_none_or(|head| is_head(pull, head))
            && call.query("base").is_none_or(|base| pull.base_ref == base)
    };
    let mut pulls: Vec<&Pull> = repo.pulls.iter().filter(fits).collect();
    let updated =
        |pull: &Pull| repo.issues.iter().find(|issue| issue.number == pull.number).map(|issue| issue.updated_at);
    match call.query("sort") {
        Some("updated") => pulls.sort_by_key(|pull| (updated(pull), pull.number)),
        _ => pulls.sort_by_key(|pull| pull.number),
    }
    let is_default_sort = call.query("sort").is_none_or(|sort| sort == "created");
    if call.query("direction").map_or(is_default_sort, |direction| direction == "desc") {
        pulls.reverse();
    }
    Ok(page(call, repo.id, pulls, usize::MAX).array(|pull| shape::pull(state, repo, pull, &call.api)))
}

pub(super) fn of_commit(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let wanted = call.param("commit_sha");
    if state.commit(repo, wanted).is_none() {
        return Ok(Answer::error(422, &format!("No commit found for SHA: {wanted}")));
    }
    let holds = |pull: &&Pull| {
        let is_in = |sha: &str| state.history(repo, sha).iter().any(|commit| commit.sha == wanted);
        pull.head_sha == wanted || is_in(&pull.head_sha) && !is_in(&pull.base_sha)
    };
    let pulls: Vec<&Pull> = repo.pulls.iter().filter(holds).collect();
    Ok(page(call, repo.id, pulls, usize::MAX).array(|pull| shape::pull(state, repo, pull, &call.api)))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let pull = one(repo, call)?;
    let changes = changed(state, repo, pull);
    if call.accepts("diff") {
        return Ok(changes::raw_diff(pull.diff.clone().unwrap_or_else(|| diff::text(&changes))));
    }
    let mut value = shape::pull(state, repo, pull, &call.api);
    let known: Vec<&str> = state.history(repo, &pull.base_sha).iter().map(|commit| commit.sha.as_str()).collect();
    let ahead = state.history(repo, &pull.head_sha).iter().filter(|one| !known.contains(&one.sha.as_str())).count();
    let comments = repo.comments.iter().filter(|comment| comment.issue == pull.number).count();
    for (name, count) in [
        ("additions", changes.iter().map(|change| change.additions).sum()),
        ("deletions", changes.iter().map(|change| change.deletions).sum()),
        ("changed_files", changes.len()),
        ("commits", ahead),
        ("comments", comments),
        ("review_comments", 0),
    ] {
        value[name] = json!(count);
    }
    let is_open = state_of(repo, pull) == "open";
    value["merged"] = json!(pull.merged_at.is_some());
    value["mergeable"] = if is_open { json!(true) } else { Value::Null };
    value["mergeable_state"] = json!(if is_open { "clean" } else { "unknown" });
    Ok(Answer::json(200, value))
}

fn changed(state: &State, repo: &Repository, pull: &Pull) -> Vec<diff::Change> {
    let base = state.merge_base(repo, &pull.base_sha, &pull.head_sha);
    state.changes(repo, base.map_or(&pull.base_sha, |commit| &commit.sha), &pull.head_sha)
}

pub(super) fn files(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let pull = one(repo, call)?;
    let changes = changed(state, repo, pull);
    // GitHub lists no more than 3,000 files.
    let page = page(call, repo.id, changes.iter().collect(), 3000);
    Ok(page.array(|change| changes::entry(repo, &pull.head_sha, change, &call.api)))
}
