//! Commits, the ways between them, refs, and files at a ref.

use base64::Engine;
use serde_json::{Value, json};

use super::super::build::sha;
use super::super::call::{Answer, Answered, Call, found};
use super::super::diff::{self, Change};
use super::super::page::page;
use super::super::shape::{self, WEB};
use super::super::state::{Commit, Repository, State};

/// What GitHub lists of one comparison.
const MOST_FILES: usize = 300;

/// Lines of a difference that GitHub still shows.
const MOST_LINES: usize = 20_000;

/// Files that a pull request or commit touches, as lists show them.
pub(super) fn entry(repo: &Repository, head: &str, change: &Change, api: &str) -> Value {
    let mut value = json!({
        "sha": sha(&format!("{head}:{}", change.path)),
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "contents_url": format!("{api}/repos/{}/contents/{}?ref={head}", repo.full_name, change.path),
    });
    if let Some(patch) = &change.patch {
        value["patch"] = json!(patch);
    }
    value
}

/// A difference as text, unless it is too long.
pub(super) fn raw_diff(text: String) -> Answer {
    if text.lines().count() > MOST_LINES {
        let message = format!("Sorry, the diff exceeded the maximum number of lines ({MOST_LINES})");
        return Answer::error(406, &message);
    }
    Answer::raw("application/vnd.github.diff; charset=utf-8", text)
}

fn parent(commit: &Commit) -> &str {
    commit.parents.first().map(String::as_str).unwrap_or_default()
}

pub(super) fn commits(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let start = call.query("sha").unwrap_or(&repo.default_branch);
    let head = found(state.resolve(repo, start))?;
    let time = |name: &str| call.query(name).and_then(|time| time.parse::<jiff::Timestamp>().ok());
    let (since, until) = (time("since"), time("until"));
    let below = |file: &str, path: &str| {
        file.strip_prefix(path.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let fits = |commit: &&Commit| {
        since.is_none_or(|time| commit.at >= time)
            && until.is_none_or(|time| commit.at <= time)
            && call.query("author").is_none_or(|author| commit.author == author)
            && call.query("path").is_none_or(|path| commit.files.keys().any(|file| below(file, path)))
    };
    let commits: Vec<&Commit> = state.history(repo, &head.sha).into_iter().filter(fits).collect();
    Ok(page(call, repo.id, commits, usize::MAX).array(|commit| shape::commit(repo, commit, &call.api)))
}

pub(super) fn commit(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let Some(commit) = state.resolve(repo, call.param("ref")) else {
        return Ok(Answer::error(422, &format!("No commit found for SHA: {}", call.param("ref"))));
    };
    if call.accepts("sha") {
        return Ok(Answer::raw("application/vnd.github.sha; charset=utf-8", commit.sha.clone()));
    }
    let changes = state.changes(repo, parent(commit), &commit.sha);
    if call.accepts("diff") {
        return Ok(raw_diff(diff::text(&changes)));
    }
    let mut value = shape::commit(repo, commit, &call.api);
    let additions: usize = changes.iter().map(|change| change.additions).sum();
    let deletions: usize = changes.iter().map(|change| change.deletions).sum();
    value["stats"] = json!({ "additions": additions, "deletions": deletions, "total": additions + deletions });
    let entries = changes.iter().take(MOST_FILES).map(|change| entry(repo, &commit.sha, change, &call.api));
    value["files"] = entries.collect();
    Ok(Answer::json(200, value))
}

/// Three dots: what the head has since it left the base.
pub(super) fn compare(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let (base, head) = found(call.param("basehead").split_once("..."))?;
    let base = found(state.resolve(repo, base))?;
    let head = found(state.resolve(repo, head))?;
    let Some(merge_base) = state.merge_base(repo, &base.sha, &head.sha) else {
        return Ok(Answer::error(404, "No common ancestor between the two commits."));
    };
    let changes = state.changes(repo, &merge_base.sha, &head.sha);
    if call.accepts("diff") {
        return Ok(raw_diff(diff::text(&changes)));
    }
    let beyond = |from: &Commit, to: &Commit| -> Vec<&Commit> {
        let known: Vec<&str> = state.history(repo, &from.sha).iter().map(|commit| commit.sha.as_str()).collect();
        let new = state.history(repo, &to.sha).into_iter().filter(|commit| !known.contains(&commit.sha.as_str()));
        new.collect()
    };
    let mut ahead = beyond(base, head);
    ahead.reverse();
    let behind = beyond(head, base).len();
    let status = match (ahead.len(), behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let total = ahead.len();
    let is_paged = call.query("page").is_some() || call.query("per_page").is_some();
    let is_first = call.query("page").is_none_or(|page| page == "1");
    let commits: Vec<Value> = if is_paged {
        page(call, repo.id, ahead, usize::MAX).items.iter().map(|one| shape::commit(repo, one, &call.api)).collect()
    } else {
        ahead.iter().take(250).map(|commit| shape::commit(repo, commit, &call.api)).collect()
    };
    let files = changes.iter().take(if is_first { MOST_FILES } else { 0 });
    Ok(Answer::json(
        200,
        json!({
            "status": status,
            "ahead_by": total,
            "behind_by": behind,
            "total_commits": total,
            "base_commit": shape::commit(repo, base, &call.api),
            "merge_base_commit": shape::commit(repo, merge_base, &call.api),
            "commits": commits,
            "files": files.map(|change| entry(repo, &head.sha, change, &call.api)).collect::<Vec<_>>(),
        }),
    ))
}

/// Only whole names: a start of a name is another operation.
pub(super) fn reference(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let name = call.param("ref");
    let sha = found(repo.refs.get(name))?;
    let url = format!("{}/repos/{}/git/refs/{name}", call.api, repo.full_name);
    Ok(Answer::json(
        200,
        json!({ "ref": format!("refs/{name}"), "url": url, "object": { "type": "commit", "sha": sha } }),
    ))
}

/// A file or a folder at a ref.
pub(super) fn content(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let reference = call.query("ref").unwrap_or(&repo.default_branch);
    let Some(commit) = state.resolve(repo, reference) else {
        return Ok(Answer::error(404, &format!("No commit found for the ref {reference}")));
    };
    let tree = state.tree(repo, &commit.sha);
    let path = call.param("path").trim_matches('/');
    if let Some(bytes) = tree.get(path) {
        if call.accepts("raw") {
            return Ok(Answer::raw("application/vnd.github.raw+json; charset=utf-8", bytes.to_vec()));
        }
        let mut value = file(repo, path, bytes, &commit.sha, &call.api);
        // From one megabyte on the content is left out.
        let is_large = bytes.len() > 1 << 20;
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        let lines: Vec<&str> = (0..text.len()).step_by(60).map(|at| &text[at..text.len().min(at + 60)]).collect();
        value["content"] = json!(if is_large { String::new() } else { lines.join("\n") + "\n" });
        value["encoding"] = json!(if is_large { "none" } else { "base64" });
        return Ok(Answer::json(200, value));
    }
    let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
    let mut entries: Vec<Value> = Vec::new();
    for (inside, bytes) in tree.iter().filter_map(|(file, bytes)| Some((file.strip_prefix(&folder)?, bytes))) {
        let (name, is_file) = inside.split_once('/').map_or((inside, true), |(name, _)| (name, false));
        if entries.iter().any(|entry| entry["name"] == name) {
            continue;
        }
        let mut entry =
            file(repo, &format!("{folder}{name}"), if is_file { bytes } else { b"" }, &commit.sha, &call.api);
        entry["type"] = json!(if is_file { "file" } else { "dir" });
        entries.push(entry);
    }
    if entries.is_empty() { Ok(Answer::not_found()) } else { Ok(Answer::json(200, json!(entries))) }
}

fn file(repo: &Repository, path: &str, bytes: &[u8], at: &str, api: &str) -> Value {
    let url = format!("{api}/repos/{}/contents/{path}?ref={at}", repo.full_name);
    let page = format!("{WEB}/{}/blob/{at}/{path}", repo.full_name);
    json!({
        "type": "file",
        "name": path.rsplit('/').next(),
        "path": path,
        "sha": sha(&String::from_utf8_lossy(bytes)),
        "size": bytes.len(),
        "url": url,
        "git_url": null,
        "html_url": page,
        "download_url": null,
        "_links": { "git": null, "html": page, "self": url },
    })
}
