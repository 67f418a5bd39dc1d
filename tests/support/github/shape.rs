//! How things look in JSON when several routes show them: users, repositories, runs, pull requests, commits.
//!
//! Only what means something is written here; `contract` adds the addresses, nulls and falses that must be there, too.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::contract::Contract;
use super::exchange::fingerprint;
use super::state::{Commit, Pull, Repository, Run, State};

/// Where people look at things.
pub const WEB: &str = "https://github.com";

/// A user; one whose login ends in `[bot]` is a bot.
pub fn user(login: &str) -> Value {
    let id = fingerprint(login.as_bytes()) & 0xff_ffff;
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    let page = format!("{WEB}/{}", login.trim_end_matches("[bot]"));
    json!({ "login": login, "id": id, "type": kind, "gravatar_id": "", "html_url": page })
}

/// A time as GitHub writes it: whole seconds, UTC.
pub fn time(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// A time or null.
pub fn maybe_time(at: Option<Timestamp>) -> Value {
    json!(at.map(time))
}

/// A repository with all that some answer wants of it.
pub fn repository(repo: &Repository, api: &str, is_whole: bool) -> Value {
    let (owner, name) = repo.full_name.split_once('/').unwrap_or(("", &repo.full_name));
    let mut value = json!({
        "id": repo.id,
        "name": name,
        "full_name": repo.full_name,
        "owner": user(owner),
        "private": repo.private,
        "fork": repo.fork_of.is_some(),
        "url": format!("{api}/repos/{}", repo.full_name),
        "html_url": format!("{WEB}/{}", repo.full_name),
    });
    if is_whole {
        let created = "2020-01-01T00:00:00Z";
        for (key, field) in [
            ("default_branch", json!(repo.default_branch)),
            ("created_at", json!(created)),
            ("updated_at", json!(created)),
            ("pushed_at", maybe_time(repo.pushed_at)),
            ("archived", json!(repo.archived)),
            ("has_issues", json!(true)),
            ("visibility", json!(if repo.private { "private" } else { "public" })),
        ] {
            value[key] = field;
        }
        let counts = ["forks", "open_issues", "stargazers", "watchers"];
        let numbers = ["forks", "open_issues", "watchers", "size", "network_count", "subscribers_count"];
        counts.iter().for_each(|name| value[format!("{name}_count")] = json!(0));
        numbers.iter().for_each(|name| value[*name] = json!(0));
    }
    value
}

/// How runs are shown, and what was shown before: a page of runs holds the same users and repositories hundreds of
/// times.
#[derive(Debug)]
pub struct Shown<'c> {
    api: &'c str,
    with_pulls: bool,
    known: RefCell<BTreeMap<String, Value>>,
}

impl<'c> Shown<'c> {
    /// As the request wants it.
    pub fn to(call: &'c Call) -> Self {
        let with_pulls = call.query("exclude_pull_requests") != Some("true");
        Self { api: &call.api, with_pulls, known: RefCell::default() }
    }

    fn repository(&self, repo: &Repository) -> Value {
        let make = || Contract::get().complete_as("minimal-repository", repository(repo, self.api, false));
        self.known.borrow_mut().entry(repo.full_name.clone()).or_insert_with(make).clone()
    }

    fn user(&self, login: &str) -> Value {
        let make = || Contract::get().complete_as("simple-user", user(login));
        self.known.borrow_mut().entry(login.to_owned()).or_insert_with(make).clone()
    }
}

/// A run as its newest attempt, or as an earlier one.
pub fn run(state: &State, repo: &Repository, run: &Run, attempt: u64, shown: &Shown<'_>) -> Value {
    let api = shown.api;
    let url = format!("{api}/repos/{}/actions/runs/{}", repo.full_name, run.id);
    let earlier = attempt.checked_sub(1).and_then(|index| run.earlier.get(usize::try_from(index).ok()?));
    let (status, conclusion, started, updated) = match earlier {
        Some(earlier) => (Some("completed"), &earlier.conclusion, earlier.started_at, earlier.updated_at),
        None => (run.status.as_deref(), &run.conclusion, run.started_at, run.updated_at),
    };
    let head_repo = state.find(&run.head_repo).unwrap_or(repo);
    let previous = (attempt > 1).then(|| format!("{url}/attempts/{}", attempt - 1));
    let is_shown = |number: &&u64| shown.with_pulls && repo.pulls.iter().any(|pull| pull.number == **number);
    let pulls = run.pulls.iter().filter(is_shown).filter_map(|number| pull_minimal(repo, *number, api));
    json!({
        "id": run.id,
        "name": run.name,
        "display_title": run.display_title,
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": run.path,
        "run_number": run.number,
        "run_attempt": attempt,
        "event": run.event,
        "status": status,
        "conclusion": conclusion,
        "workflow_id": run.workflow_id,
        "check_suite_id": run.check_suite_id,
        "url": url,
        "html_url": format!("{WEB}/{}/actions/runs/{}", repo.full_name, run.id),
        "jobs_url": format!("{url}/jobs"),
        "artifacts_url": format!("{url}/artifacts"),
        "previous_attempt_url": previous,
        "pull_requests": pulls.collect::<Vec<_>>(),
        "created_at": time(run.created_at),
        "updated_at": time(updated),
        "run_started_at": time(started),
        "actor": shown.user(&run.actor),
        "triggering_actor": shown.user(&run.actor),
        "referenced_workflows": [],
        "head_commit": state.commit(repo, &run.sha).map(simple_commit),
        "repository": shown.repository(repo),
        "head_repository": shown.repository(head_repo),
    })
}

fn simple_commit(commit: &Commit) -> Value {
    let author = json!({ "name": commit.author, "email": format!("{}@example.org", commit.author) });
    json!({
        "id": commit.sha,
        "tree_id": tree_sha(&commit.sha),
        "message": commit.message,
        "timestamp": time(commit.at),
        "author": author,
        "committer": author,
    })
}

/// A name for a commit's tree.
pub fn tree_sha(sha: &str) -> String {
    super::build::sha(&format!("tree of {sha}"))
}

/// A commit as lists show it.
pub fn commit(repo: &Repository, commit: &Commit, api: &str) -> Value {
    let signature = json!({
        "name": commit.author,
        "email": format!("{}@example.org", commit.author),
        "date": time(commit.at),
    });
    let url = |sha: &str| format!("{api}/repos/{}/commits/{sha}", repo.full_name);
    let parents = commit.parents.iter().map(|sha| json!({ "sha": sha, "url": url(sha) }));
    json!({
        "sha": commit.sha,
        "url": url(&commit.sha),
        "html_url": format!("{WEB}/{}/commit/{}", repo.full_name, commit.sha),
        "author": user(&commit.author),
        "committer": user(&commit.author),
        "parents": parents.collect::<Vec<_>>(),
        "commit": {
            "message": commit.message,
            "author": signature,
            "committer": signature,
            "comment_count": 0,
            "tree": { "sha": tree_sha(&commit.sha) },
        },
    })
}

/// A pull request as runs and check runs show it.
pub fn pull_minimal(repo: &Repository, number: u64, api: &str) -> Option<Value> {
    let pull = repo.pulls.iter().find(|pull| pull.number == number)?;
    let name = repo.full_name.split_once('/').map(|(_, name)| name);
    let place = json!({ "id": repo.id, "name": name, "url": format!("{api}/repos/{}", repo.full_name) });
    Some(json!({
        "id": number + 500_000,
        "number": number,
        "url": format!("{api}/repos/{}/pulls/{number}", repo.full_name),
        "head": { "ref": pull.head_ref, "sha": pull.head_sha, "repo": place },
        "base": { "ref": pull.base_ref, "sha": pull.base_sha, "repo": place },
    }))
}

/// A pull request as lists show it.
pub fn pull(state: &State, repo: &Repository, pull: &Pull, api: &str) -> Value {
    let Some(issue) = repo.issues.iter().find(|issue| issue.number == pull.number) else { return Value::Null };
    let head_repo = pull.head_repo.as_deref().and_then(|name| state.find(name));
    let head_owner = pull.head_repo.as_deref().unwrap_or("ghost/").split('/').next().unwrap_or_default();
    let owner = repo.full_name.split('/').next().unwrap_or_default();
    let web = format!("{WEB}/{}/pull/{}", repo.full_name, pull.number);
    let links = ["comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment", "self"];
    let links: serde_json::Map<String, Value> =
        links.map(|name| (name.to_owned(), json!({ "href": web }))).into_iter().collect();
    json!({
        "id": pull.number + 500_000,
        "number": pull.number,
        "url": format!("{api}/repos/{}/pulls/{}", repo.full_name, pull.number),
        "html_url": web,
        "diff_url": format!("{web}.diff"),
        "state": issue.state,
        "title": issue.title,
        "body": issue.body,
        "user": user(&issue.author),
        "labels": issue.labels.iter().map(|name| label(repo, name)).collect::<Vec<_>>(),
        "created_at": time(issue.created_at),
        "updated_at": time(issue.updated_at),
        "closed_at": maybe_time(issue.closed_at),
        "merged_at": maybe_time(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "draft": pull.draft,
        "author_association": "CONTRIBUTOR",
        "auto_merge": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": {
            "label": format!("{head_owner}:{}", pull.head_ref),
            "ref": pull.head_ref,
            "sha": pull.head_sha,
            "user": user(head_owner),
            "repo": head_repo.map(|head| repository(head, api, true)),
        },
        "base": {
            "label": format!("{owner}:{}", pull.base_ref),
            "ref": pull.base_ref,
            "sha": pull.base_sha,
            "user": user(owner),
            "repo": repository(repo, api, true),
        },
        "_links": links,
    })
}

/// A label of an issue.
pub fn label(repo: &Repository, name: &str) -> Value {
    let known = repo.labels.get(name);
    json!({
        "id": known.map_or(1, |label| label.id),
        "name": name,
        "color": known.map_or("ededed", |label| &label.color),
        "description": known.and_then(|label| label.description.as_deref()),
        "default": false,
    })
}

/// An app.
pub fn app(slug: &str) -> Value {
    let id = user(slug)["id"].clone();
    json!({
        "id": id,
        "slug": slug,
        "name": slug,
        "owner": user("github"),
        "external_url": WEB,
        "html_url": format!("{WEB}/apps/{slug}"),
        "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2019-12-10T19:04:12Z",
        "permissions": { "checks": "write" },
        "events": [],
    })
}
