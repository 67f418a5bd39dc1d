//! Check runs and their annotations.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call, found};
use super::super::page::page;
use super::super::shape::{self, WEB, maybe_time};
use super::super::state::{CheckRun, Repository, State};

/// Annotations in one request.
const ANNOTATIONS: usize = 50;

/// Characters of a summary or text.
const LONGEST: usize = 65_535;

pub(super) fn create(state: &mut State, call: &Call) -> Answered {
    let (id, now) = (state.id(), state.now);
    let sha = call.text("head_sha").unwrap_or_default();
    if state.commit(call.repo(state)?, &sha).is_none() {
        return Ok(Answer::error(422, &format!("No commit found for SHA: {sha}")));
    }
    if let Some(refused) = unfit(&call.body) {
        return Ok(refused);
    }
    let app = call.caller.login.trim_end_matches("[bot]").to_owned();
    let mut check = CheckRun::new(id, &call.text("name").unwrap_or_default(), &sha, &app);
    check.started_at = Some(now);
    write(&mut check, &call.body, now);
    let repo = call.repo_mut(state)?;
    let answer = shown(repo, &check, &call.api);
    repo.check_runs.push(check);
    Ok(Answer::json(201, answer))
}

pub(super) fn update(state: &mut State, call: &Call) -> Answered {
    let now = state.now;
    let id = call.id("check_run_id");
    let repo = call.repo_mut(state)?;
    let check = found(repo.check_runs.iter_mut().find(|check| check.id == id))?;
    if check.app != call.caller.login.trim_end_matches("[bot]") {
        return Ok(Answer::error(
            403,
            "Invalid app_id `1` - check run can only be modified by the GitHub App that created it.",
        ));
    }
    if let Some(refused) = unfit(&call.body) {
        return Ok(refused);
    }
    write(check, &call.body, now);
    get(state, call)
}

/// What GitHub refuses beside what its description says.
fn unfit(body: &Value) -> Option<Answer> {
    let output = &body["output"];
    let count = output["annotations"].as_array().map_or(0, Vec::len);
    if count > ANNOTATIONS {
        let message = format!("Invalid input: {count} annotations, no more than {ANNOTATIONS} are allowed");
        return Some(Answer::error(422, &message));
    }
    let is_long = |name: &&&str| output[**name].as_str().is_some_and(|text| text.chars().count() > LONGEST);
    if let Some(name) = ["summary", "text"].iter().find(is_long) {
        return Some(Answer::error(422, &format!("Only {LONGEST} characters are allowed; {name} has more")));
    }
    let is_completed = body["status"] == "completed";
    (is_completed && body.get("conclusion").is_none()).then(|| Answer::error(422, "conclusion is missing"))
}

fn write(check: &mut CheckRun, body: &Value, now: Timestamp) {
    let text = |from: &Value, name: &str| from[name].as_str().map(str::to_owned);
    let time = |name: &str| body[name].as_str().and_then(|time| time.parse().ok());
    if let Some(name) = text(body, "name") {
        check.name = name;
    }
    if let Some(status) = text(body, "status") {
        check.status = status;
    }
    if let Some(conclusion) = text(body, "conclusion") {
        check.conclusion = Some(conclusion);
        check.status = "completed".to_owned();
    }
    check.details_url = text(body, "details_url").or(check.details_url.take());
    check.external_id = text(body, "external_id").or(check.external_id.take());
    check.started_at = time("started_at").or(check.started_at);
    if check.status == "completed" {
        check.completed_at = time("completed_at").or(check.completed_at).or(Some(now));
    }
    let output = &body["output"];
    check.title = text(output, "title").or(check.title.take());
    check.summary = text(output, "summary").or(check.summary.take());
    check.text = text(output, "text").or(check.text.take());
    // Each request adds to the annotations of those before.
    check.annotations.extend(output["annotations"].as_array().into_iter().flatten().cloned());
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let id = call.id("check_run_id");
    let check = found(repo.check_runs.iter().find(|check| check.id == id))?;
    Ok(Answer::json(200, shown(repo, check, &call.api)))
}

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let Some(commit) = state.resolve(repo, call.param("ref")) else {
        return Ok(Answer::error(422, &format!("No commit found for SHA: {}", call.param("ref"))));
    };
    let app_id = |check: &CheckRun| shape::app(&check.app)["id"].to_string();
    let fits = |check: &&CheckRun| {
        check.head_sha == commit.sha
            && call.query("check_name").is_none_or(|name| check.name == name)
            && call.query("status").is_none_or(|status| check.status == status)
            && call.query("app_id").is_none_or(|id| app_id(check) == id)
    };
    let mut checks: Vec<&CheckRun> = repo.check_runs.iter().filter(fits).collect();
    checks.sort_by_key(|check| std::cmp::Reverse(check.id));
    if call.query("filter") != Some("all") {
        // Of several with one name and app only the newest.
        let mut seen = Vec::new();
        checks.retain(|check| {
            let key = (&check.name, &check.app);
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new
        });
    }
    let total = checks.len();
    let page = page(call, repo.id, checks, 1000);
    Ok(page.counted(total, "check_runs", |check| shown(repo, check, &call.api)))
}

pub(super) fn annotations(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let id = call.id("check_run_id");
    let check = found(repo.check_runs.iter().find(|check| check.id == id))?;
    let page = page(call, repo.id, check.annotations.iter().collect(), usize::MAX);
    Ok(page.array(|annotation| {
        let mut annotation = (*annotation).clone();
        annotation["blob_href"] = json!(format!("{WEB}/{}/blob/{}", repo.full_name, check.head_sha));
        annotation
    }))
}

fn shown(repo: &Repository, check: &CheckRun, api: &str) -> Value {
    let url = format!("{api}/repos/{}/check-runs/{}", repo.full_name, check.id);
    let pulls = repo
        .pulls
        .iter()
        .filter(|pull| pull.head_sha == check.head_sha && pull.head_repo.as_deref() == Some(repo.full_name.as_str()));
    json!({
        "id": check.id,
        "name": check.name,
        "head_sha": check.head_sha,
        "external_id": check.external_id,
        "url": url,
        "html_url": format!("{WEB}/{}/runs/{}", repo.full_name, check.id),
        "details_url": check.details_url,
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": maybe_time(check.started_at),
        "completed_at": maybe_time(check.completed_at),
        "output": {
            "title": check.title,
            "summary": check.summary,
            "text": check.text,
            "annotations_count": check.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": { "id": check.id + 1_000_000 },
        "app": shape::app(&check.app),
        "pull_requests": pulls.filter_map(|pull| shape::pull_minimal(repo, pull.number, api)).collect::<Vec<_>>(),
    })
}
