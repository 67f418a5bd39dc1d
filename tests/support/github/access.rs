//! Who may do what: tokens, and the permission that each operation needs.

use super::call::{Answer, Call};
use super::state::{State, TokenKind};

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `None` without an `Authorization` header.
    pub kind: Option<TokenKind>,
    /// Login of the token's user.
    pub login: String,
}

impl Caller {
    /// Whether a person asks, not an app.
    pub fn is_user(&self) -> bool {
        self.kind == Some(TokenKind::User)
    }
}

/// The permissions that allow an operation, any of them, and whether it writes.
fn needed(operation: &str) -> (&'static [&'static str], bool) {
    let writes = ["create", "update", "delete", "re-run", "cancel", "enable", "review-", "add-"];
    let verb = operation.split_once('/').map(|(_, verb)| verb).unwrap_or_default();
    let write = writes.iter().any(|word| verb.starts_with(word));
    let names: &[&str] = match operation {
        "actions/review-custom-gates-for-run" | "actions/review-pending-deployments-for-run" => &["deployments"],
        "" | "rate-limit/get" | "users/get-authenticated" | "repos/get" => &[],
        "repos/get-all-deployment-protection-rules" | "repos/get-all-environments" | "repos/get-environment" => {
            &["actions"]
        }
        "repos/list-pull-requests-associated-with-commit" => &["pull_requests"],
        "issues/create" | "issues/list-for-repo" => &["issues"],
        _ if verb.contains("deployment") && !operation.starts_with("actions/") => &["deployments"],
        _ => match operation.split_once('/').map(|(group, _)| group) {
            Some("actions") => &["actions"],
            Some("checks") => &["checks"],
            Some("pulls") => &["pull_requests"],
            Some("issues") => &["issues", "pull_requests"],
            _ => &["contents"],
        },
    };
    (names, write)
}

/// Either permission is enough for a pull request's half that is an issue; an issue proper takes its own.
fn is_for_issue(state: &State, call: &Call) -> bool {
    let Some(repo) = state.find(&call.repo_name()) else { return false };
    let number = match call.params.get("comment_id").and_then(|id| id.parse::<u64>().ok()) {
        Some(id) => repo.comments.iter().find(|comment| comment.id == id).map(|comment| comment.issue),
        None => call.params.get("issue_number").and_then(|number| number.parse().ok()),
    };
    number.is_some_and(|number| !repo.pulls.iter().any(|pull| pull.number == number))
}

/// What GitHub names in `x-accepted-github-permissions`.
pub fn accepted(operation: &str) -> String {
    let (names, write) = needed(operation);
    let verb = if write { "write" } else { "read" };
    names.iter().map(|name| format!("{name}={verb}")).collect::<Vec<_>>().join("; ")
}

/// Who sent this header.
///
/// # Errors
/// `401` for a token that nobody knows.
pub fn caller(state: &State, authorization: Option<&str>) -> Result<(Caller, Option<String>), Box<Answer>> {
    let Some(authorization) = authorization else {
        return Ok((Caller { kind: None, login: String::new() }, None));
    };
    let token = authorization.split_once(' ').map_or(authorization, |(_, token)| token).trim();
    match state.tokens.get(token) {
        Some(known) => Ok((Caller { kind: Some(known.kind), login: known.login.clone() }, Some(token.to_owned()))),
        None if state.tokens.is_empty() => {
            Ok((Caller { kind: Some(TokenKind::Actions), login: "github-actions[bot]".to_owned() }, None))
        }
        None => Err(Box::new(Answer::error(401, "Bad credentials"))),
    }
}

/// Whether the caller may do this.
///
/// # Errors
/// `401`, `403` or, where even the existence is secret, `404`.
pub fn allow(state: &State, call: &Call, token: Option<&str>) -> Result<(), Box<Answer>> {
    let operation = call.operation;
    let (mut names, write) = needed(operation);
    if names.len() > 1 && is_for_issue(state, call) {
        names = &names[..1];
    }
    let Some(kind) = call.caller.kind else {
        return match state.find(&call.repo_name()) {
            _ if write || operation == "users/get-authenticated" => {
                Err(Box::new(Answer::error(401, "Requires authentication")))
            }
            Some(repo) if repo.private => Err(Box::new(Answer::not_found())),
            _ => Ok(()),
        };
    };
    let not_for_app = Answer::error(403, "Resource not accessible by integration");
    let lacking = token.and_then(|token| state.tokens.get(token)).map(|token| &token.lacking);
    let lacks = |name: &&&str| {
        let name = name.replace('_', "-");
        let has = |level: &str| lacking.is_some_and(|lacking| lacking.contains(&format!("{name}: {level}")));
        has("read") || write && has("write")
    };
    if !names.is_empty() && names.iter().filter(lacks).count() == names.len() {
        return Err(Box::new(match kind {
            TokenKind::User => Answer::error(403, "Resource not accessible by personal access token"),
            _ => not_for_app,
        }));
    }
    let wrong_kind = match operation {
        "users/get-authenticated" => kind != TokenKind::User,
        "actions/review-custom-gates-for-run" => kind != TokenKind::App,
        "actions/review-pending-deployments-for-run" => kind != TokenKind::User,
        _ => false,
    };
    if wrong_kind {
        return Err(Box::new(not_for_app));
    }
    if kind == TokenKind::User && matches!(operation, "checks/create" | "checks/update") {
        return Err(Box::new(Answer::error(403, "You must authenticate via a GitHub App.")));
    }
    Ok(())
}
