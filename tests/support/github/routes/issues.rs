//! Issues, comments and labels.

use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call, found};
use super::super::page::page;
use super::super::shape::{self, WEB, maybe_time, time};
use super::super::state::{Comment, Issue, Label, Repository, State};

/// What a body may hold.
const LONGEST: usize = 65_536;

fn too_long(resource: &str, body: &str) -> Option<Answer> {
    let message = "body is too long (maximum is 65536 characters)";
    (body.chars().count() > LONGEST).then(|| Answer::invalid(resource, "body", "custom", message))
}

fn one<'s>(repo: &'s Repository, call: &Call) -> Result<&'s Issue, Box<Answer>> {
    let number = call.id("issue_number");
    found(repo.issues.iter().find(|issue| issue.number == number))
}

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let wanted = call.query("state").unwrap_or("open");
    let labels: Vec<&str> = call.query("labels").into_iter().flat_map(|labels| labels.split(',')).collect();
    let fits = |issue: &&Issue| {
        (wanted == "all" || issue.state == wanted)
            && call.query("creator").is_none_or(|login| issue.author == login)
            && labels.iter().all(|label| issue.labels.iter().any(|name| name.eq_ignore_ascii_case(label)))
            && since(call).is_none_or(|time| issue.updated_at >= time)
    };
    let mut issues: Vec<&Issue> = repo.issues.iter().filter(fits).collect();
    match call.query("sort") {
        Some("updated") => issues.sort_by_key(|issue| (issue.updated_at, issue.number)),
        _ => issues.sort_by_key(|issue| (issue.created_at, issue.number)),
    }
    if call.query("direction") != Some("asc") {
        issues.reverse();
    }
    Ok(page(call, repo.id, issues, usize::MAX).array(|issue| shown(repo, issue, &call.api)))
}

fn since(call: &Call) -> Option<jiff::Timestamp> {
    call.query("since").and_then(|time| time.parse().ok())
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    Ok(Answer::json(200, shown(repo, one(repo, call)?, &call.api)))
}

pub(super) fn create(state: &mut State, call: &Call) -> Answered {
    let (id, now) = (state.id(), state.now);
    let repo = call.repo_mut(state)?;
    let body = call.text("body");
    if let Some(refused) = body.as_deref().and_then(|body| too_long("Issue", body)) {
        return Ok(refused);
    }
    let title = call.text("title").unwrap_or_default();
    if title.is_empty() {
        return Ok(Answer::invalid("Issue", "title", "missing_field", "title is missing"));
    }
    let mut issue = Issue::new(id, repo.next_number(), &title, &call.caller.login, now);
    issue.body = body;
    issue.labels = label_names(&call.body["labels"]);
    let answer = shown(repo, &issue, &call.api);
    repo.issues.push(issue);
    Ok(Answer::json(201, answer))
}

pub(super) fn update(state: &mut State, call: &Call) -> Answered {
    let now = state.now;
    let repo = call.repo_mut(state)?;
    let number = one(repo, call)?.number;
    if let Some(refused) = call.text("body").as_deref().and_then(|body| too_long("Issue", body)) {
        return Ok(refused);
    }
    let issue = found(repo.issues.iter_mut().find(|issue| issue.number == number))?;
    if let Some(title) = call.text("title") {
        issue.title = title;
    }
    if call.body.get("body").is_some() {
        issue.body = call.text("body");
    }
    if call.body.get("labels").is_some() {
        issue.labels = label_names(&call.body["labels"]);
    }
    if let Some(wanted) = call.text("state") {
        issue.closed_at = (wanted == "closed").then_some(issue.closed_at.unwrap_or(now));
        let reason = if wanted == "closed" { "completed" } else { "reopened" };
        issue.state_reason = call.text("state_reason").or_else(|| Some(reason.to_owned()));
        issue.state = wanted;
    }
    issue.updated_at = now;
    let repo = call.repo(state)?;
    Ok(Answer::json(200, shown(repo, one(repo, call)?, &call.api)))
}

fn shown(repo: &Repository, issue: &Issue, api: &str) -> Value {
    let url = format!("{api}/repos/{}/issues/{}", repo.full_name, issue.number);
    let pull = repo.pulls.iter().find(|pull| pull.number == issue.number);
    let kind = if pull.is_some() { "pull" } else { "issues" };
    let page = format!("{WEB}/{}/{kind}/{}", repo.full_name, issue.number);
    let mut value = json!({
        "id": issue.id,
        "number": issue.number,
        "url": url,
        "html_url": page,
        "comments_url": format!("{url}/comments"),
        "repository_url": format!("{api}/repos/{}", repo.full_name),
        "state": issue.state,
        "state_reason": issue.state_reason,
        "title": issue.title,
        "body": issue.body,
        "user": shape::user(&issue.author),
        "labels": issue.labels.iter().map(|name| shape::label(repo, name)).collect::<Vec<_>>(),
        "assignees": [],
        "comments": repo.comments.iter().filter(|comment| comment.issue == issue.number).count(),
        "created_at": time(issue.created_at),
        "updated_at": time(issue.updated_at),
        "closed_at": maybe_time(issue.closed_at),
        "author_association": "CONTRIBUTOR",
    });
    if let Some(pull) = pull {
        value["pull_request"] = json!({
            "url": format!("{api}/repos/{}/pulls/{}", repo.full_name, issue.number),
            "html_url": page,
            "merged_at": maybe_time(pull.merged_at),
        });
    }
    value
}

/// Ascending by id: the oldest first.
pub(super) fn comments(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let number = one(repo, call)?.number;
    let fits =
        |comment: &&Comment| comment.issue == number && since(call).is_none_or(|time| comment.updated_at >= time);
    let mut comments: Vec<&Comment> = repo.comments.iter().filter(fits).collect();
    comments.sort_by_key(|comment| comment.id);
    Ok(page(call, repo.id, comments, usize::MAX).array(|comment| shown_comment(repo, comment, &call.api)))
}

pub(super) fn get_comment(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let id = call.id("comment_id");
    let comment = found(repo.comments.iter().find(|comment| comment.id == id))?;
    Ok(Answer::json(200, shown_comment(repo, comment, &call.api)))
}

pub(super) fn create_comment(state: &mut State, call: &Call) -> Answered {
    let (id, now) = (state.id(), state.now);
    let repo = call.repo_mut(state)?;
    let issue = one(repo, call)?.number;
    let body = call.text("body").unwrap_or_default();
    if let Some(refused) = unfit(&body) {
        return Ok(refused);
    }
    let author = call.caller.login.clone();
    let comment = Comment { id, issue, author, body, created_at: now, updated_at: now };
    let answer = shown_comment(repo, &comment, &call.api);
    repo.comments.push(comment);
    Ok(Answer::json(201, answer))
}

pub(super) fn update_comment(state: &mut State, call: &Call) -> Answered {
    let now = state.now;
    let id = call.id("comment_id");
    let body = call.text("body").unwrap_or_default();
    let repo = call.repo_mut(state)?;
    let comment = found(repo.comments.iter_mut().find(|comment| comment.id == id))?;
    if call.caller.is_user() && comment.author != call.caller.login {
        return Ok(Answer::error(403, "Must have admin rights to Repository."));
    }
    if let Some(refused) = unfit(&body) {
        return Ok(refused);
    }
    comment.body = body;
    comment.updated_at = now;
    get_comment(state, call)
}

fn unfit(body: &str) -> Option<Answer> {
    if body.trim().is_empty() {
        return Some(Answer::invalid("IssueComment", "body", "unprocessable", "body cannot be blank"));
    }
    too_long("IssueComment", body)
}

pub(super) fn delete_comment(state: &mut State, call: &Call) -> Answered {
    let id = call.id("comment_id");
    let repo = call.repo_mut(state)?;
    let index = found(repo.comments.iter().position(|comment| comment.id == id))?;
    repo.comments.remove(index);
    Ok(Answer::empty(204))
}

fn shown_comment(repo: &Repository, comment: &Comment, api: &str) -> Value {
    let kind = if repo.pulls.iter().any(|pull| pull.number == comment.issue) { "pull" } else { "issues" };
    let page = format!("{WEB}/{}/{kind}/{}#issuecomment-{}", repo.full_name, comment.issue, comment.id);
    json!({
        "id": comment.id,
        "body": comment.body,
        "user": shape::user(&comment.author),
        "url": format!("{api}/repos/{}/issues/comments/{}", repo.full_name, comment.id),
        "html_url": page,
        "issue_url": format!("{api}/repos/{}/issues/{}", repo.full_name, comment.issue),
        "created_at": time(comment.created_at),
        "updated_at": time(comment.updated_at),
        "author_association": "NONE",
    })
}

fn label_names(labels: &Value) -> Vec<String> {
    let name = |label: &Value| label.as_str().or(label["name"].as_str()).map(str::to_owned);
    labels.as_array().into_iter().flatten().filter_map(name).collect()
}

pub(super) fn labels(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let names: Vec<&String> = repo.labels.keys().collect();
    Ok(page(call, repo.id, names, usize::MAX).array(|name| shape::label(repo, name)))
}

pub(super) fn get_label(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let (name, _) = found(repo.labels.iter().find(|(name, _)| name.eq_ignore_ascii_case(call.param("name"))))?;
    Ok(Answer::json(200, shape::label(repo, name)))
}

pub(super) fn create_label(state: &mut State, call: &Call) -> Answered {
    let id = state.id();
    let repo = call.repo_mut(state)?;
    let name = call.text("name").unwrap_or_default();
    if repo.labels.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
        return Ok(Answer::invalid("Label", "name", "already_exists", "name already exists"));
    }
    let color = call.text("color").unwrap_or_else(|| "ededed".to_owned());
    repo.labels.insert(name.clone(), Label { id, color, description: call.text("description") });
    Ok(Answer::json(201, shape::label(repo, &name)))
}

pub(super) fn add_labels(state: &mut State, call: &Call) -> Answered {
    let number = call.id("issue_number");
    let repo = call.repo_mut(state)?;
    let issue = found(repo.issues.iter_mut().find(|issue| issue.number == number))?;
    for name in label_names(&call.body["labels"]) {
        if !issue.labels.contains(&name) {
            issue.labels.push(name);
        }
    }
    let names = issue.labels.clone();
    Ok(Answer::json(200, names.iter().map(|name| shape::label(repo, name)).collect()))
}
