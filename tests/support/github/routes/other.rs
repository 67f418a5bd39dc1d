//! The repository itself, the rate limit and who asks.

use serde_json::json;

use super::super::call::{Answer, Answered, Call};
use super::super::shape;
use super::super::state::State;

pub(super) fn repo(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let mut value = shape::repository(repo, &call.api, true);
    if let Some(parent) = repo.fork_of.as_deref().and_then(|name| state.find(name)) {
        value["parent"] = shape::repository(parent, &call.api, true);
        value["source"] = value["parent"].clone();
    }
    Ok(Answer::json(200, value))
}

pub(super) fn rate_limit(state: &mut State, _: &Call) -> Answered {
    let rate = &state.rate;
    let remaining = rate.limit.saturating_sub(rate.used);
    let core = json!({ "limit": rate.limit, "used": rate.used, "remaining": remaining, "reset": rate.reset });
    let search = json!({ "limit": 30, "used": 0, "remaining": 30, "reset": rate.reset });
    Ok(Answer::json(200, json!({ "resources": { "core": core, "search": search }, "rate": core })))
}

pub(super) fn user(_: &mut State, call: &Call) -> Answered {
    let mut value = shape::user(&call.caller.login);
    for name in ["bio", "company", "email", "hireable", "location", "name"] {
        value[name] = json!(null);
    }
    let counts = ["followers", "following", "public_gists", "public_repos", "collaborators", "disk_usage"];
    for name in counts.iter().chain(&["owned_private_repos", "private_gists", "total_private_repos"]) {
        value[*name] = json!(0);
    }
    for name in ["created_at", "updated_at"] {
        value[name] = json!("2020-01-01T00:00:00Z");
    }
    Ok(Answer::json(200, value))
}
