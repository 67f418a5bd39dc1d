//! Environments, runs that wait for them, and who let those go on.

use serde_json::{Value, json};

use super::super::call::{Answer, Answered, Call, found};
use super::super::page::page;
use super::super::shape::{self, WEB, time};
use super::super::state::{Approval, Environment, Repository, RuleAnswer, Run, State};
use super::deployments;

pub(super) fn list(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let all: Vec<&Environment> = repo.environments.iter().collect();
    let total = all.len();
    Ok(page(call, repo.id, all, usize::MAX).counted(total, "environments", |one| shown(repo, one, &call.api)))
}

fn one<'s>(repo: &'s Repository, name: &str) -> Result<&'s Environment, Box<Answer>> {
    found(repo.environments.iter().find(|environment| environment.name.eq_ignore_ascii_case(name)))
}

pub(super) fn get(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    Ok(Answer::json(200, shown(repo, one(repo, call.param("environment_name"))?, &call.api)))
}

/// The custom rules: apps that are asked.
pub(super) fn rules(state: &mut State, call: &Call) -> Answered {
    let environment = one(call.repo(state)?, call.param("environment_name"))?;
    let rule = |(index, slug): (usize, &String)| {
        let id = shape::app(slug)["id"].clone();
        let app = json!({ "id": id, "slug": slug, "integration_url": format!("{}/apps/{slug}", call.api) });
        json!({ "id": environment.id + 10_000 + index as u64, "enabled": true, "app": app })
    };
    let rules: Vec<Value> = environment.rules.iter().enumerate().map(rule).collect();
    Ok(Answer::json(200, json!({ "total_count": rules.len(), "custom_deployment_protection_rules": rules })))
}

fn short(repo: &Repository, environment: &Environment, api: &str) -> Value {
    json!({
        "id": environment.id,
        "node_id": "N_",
        "name": environment.name,
        "url": format!("{api}/repos/{}/environments/{}", repo.full_name, environment.name),
        "html_url": format!("{WEB}/{}/deployments/activity_log", repo.full_name),
    })
}

fn shown(repo: &Repository, environment: &Environment, api: &str) -> Value {
    let mut value = short(repo, environment, api);
    let mut rules = Vec::new();
    let mut add = |kind: &str, more: (&str, Value)| {
        let id = environment.id + 20_000 + rules.len() as u64;
        let mut rule = json!({ "id": id, "node_id": "N_", "type": kind });
        rule[more.0] = more.1;
        rules.push(rule);
    };
    if environment.wait_timer > 0 {
        add("wait_timer", ("wait_timer", json!(environment.wait_timer)));
    }
    if !environment.reviewers.is_empty() {
        add("required_reviewers", ("reviewers", reviewers(environment)));
    }
    if environment.protected_branches {
        let policy = json!({ "protected_branches": true, "custom_branch_policies": false });
        value["deployment_branch_policy"] = policy;
        add("branch_policy", ("node_id", json!("N_")));
    } else {
        value["deployment_branch_policy"] = Value::Null;
    }
    value["protection_rules"] = json!(rules);
    value["created_at"] = json!(time(environment.created_at));
    value["updated_at"] = json!(time(environment.created_at));
    value
}

fn reviewers(environment: &Environment) -> Value {
    let filled = |login: &String| {
        let mut user = shape::user(login);
        let addresses = ["avatar", "events", "followers", "following", "gists", "organizations"];
        let more = ["received_events", "repos", "starred", "subscriptions"];
        addresses.iter().chain(&more).for_each(|name| user[format!("{name}_url")] = json!(WEB));
        (user["url"], user["node_id"], user["site_admin"]) = (json!(WEB), json!("N_"), json!(false));
        json!({ "type": "User", "reviewer": user })
    };
    environment.reviewers.iter().map(filled).collect()
}

fn run<'s>(repo: &'s Repository, call: &Call) -> Result<&'s Run, Box<Answer>> {
    let id = call.id("run_id");
    found(repo.runs.iter().find(|run| run.id == id))
}

/// What the run waits for.
pub(super) fn pending(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let mut waiting = Vec::new();
    for name in &run(repo, call)?.pending {
        let environment = one(repo, name)?;
        waiting.push(json!({
            "environment": short(repo, environment, &call.api),
            "wait_timer": environment.wait_timer,
            "wait_timer_started_at": null,
            "current_user_can_approve": environment.reviewers.contains(&call.caller.login),
            "reviewers": reviewers(environment),
        }));
    }
    Ok(Answer::json(200, json!(waiting)))
}

/// A person's review. An approved environment gets a deployment; a rejected one ends the run.
pub(super) fn review(state: &mut State, call: &Call) -> Answered {
    let id = call.id("run_id");
    let wanted: Vec<u64> =
        call.body["environment_ids"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let verdict = call.text("state").unwrap_or_default();
    let (names, sha, reference) = {
        let repo = call.repo(state)?;
        let run = run(repo, call)?;
        let named = repo.environments.iter().filter(|environment| wanted.contains(&environment.id));
        let waiting: Vec<&Environment> = named.filter(|environment| run.pending.contains(&environment.name)).collect();
        if waiting.len() != wanted.len() || waiting.is_empty() {
            return Ok(Answer::error(
                422,
                "There were one or more errors: no pending deployments for the environments",
            ));
        }
        if waiting.iter().any(|environment| !environment.reviewers.contains(&call.caller.login)) {
            return Ok(Answer::error(403, "You are not allowed to review these deployments"));
        }
        let names: Vec<String> = waiting.iter().map(|environment| environment.name.clone()).collect();
        (names, run.sha.clone(), run.branch.clone().unwrap_or_default())
    };
    let mut made = Vec::new();
    for name in names.iter().filter(|_| verdict == "approved") {
        let (id, created_at) = (state.id(), state.now);
        let repo = call.repo_mut(state)?;
        let deployment = super::super::state::Deployment {
            id,
            sha: sha.clone(),
            reference: reference.clone(),
            task: "deploy".to_owned(),
            environment: name.clone(),
            description: None,
            creator: call.caller.login.clone(),
            payload: json!({}),
            transient: false,
            production: name == "production",
            created_at,
            statuses: Vec::new(),
        };
        made.push(deployments::shown(repo, &deployment, &call.api));
        repo.deployments.push(deployment);
    }
    let comment = call.text("comment").unwrap_or_default();
    let approval = Approval { environments: names, state: verdict, comment, login: call.caller.login.clone() };
    let run = found(call.repo_mut(state)?.runs.iter_mut().find(|run| run.id == id))?;
    decide(run, &approval.environments.clone(), &approval.state.clone());
    run.approvals.push(approval);
    Ok(Answer::json(200, json!(made)))
}

fn decide(run: &mut Run, environments: &[String], verdict: &str) {
    run.pending.retain(|name| !environments.contains(name));
    if verdict == "rejected" {
        run.pending.clear();
        run.status = Some("completed".to_owned());
        run.conclusion = Some("failure".to_owned());
    } else if run.pending.is_empty() && run.status.as_deref() == Some("waiting") {
        run.status = Some("queued".to_owned());
    }
}

pub(super) fn approvals(state: &mut State, call: &Call) -> Answered {
    let repo = call.repo(state)?;
    let shown = |approval: &Approval| {
        let named = repo.environments.iter().filter(|one| approval.environments.contains(&one.name));
        json!({
            "environments": named.map(|one| short(repo, one, &call.api)).collect::<Vec<_>>(),
            "state": approval.state,
            "user": shape::user(&approval.login),
            "comment": approval.comment,
        })
    };
    Ok(Answer::json(200, run(repo, call)?.approvals.iter().map(shown).collect()))
}

/// An app's answer to its own rule. Without a state it only reports, at most ten times.
pub(super) fn answer_rule(state: &mut State, call: &Call) -> Answered {
    let id = call.id("run_id");
    let name = call.text("environment_name").unwrap_or_default();
    let slug = call.caller.login.trim_end_matches("[bot]").to_owned();
    let is_asked = one(call.repo(state)?, &name)?.rules.contains(&slug);
    let run = found(call.repo_mut(state)?.runs.iter_mut().find(|run| run.id == id))?;
    if !is_asked || !run.pending.contains(&name) {
        return Ok(Answer::error(422, "No pending custom deployment protection rule for this app and environment"));
    }
    let comment = call.text("comment").unwrap_or_default();
    if comment.chars().count() > 1024 {
        return Ok(Answer::error(422, "comment is too long (maximum is 1024 characters)"));
    }
    let verdict = call.text("state");
    let reports = run.rule_answers.iter().filter(|answer| answer.environment == name && answer.state.is_none()).count();
    match &verdict {
        Some(verdict) => decide(run, std::slice::from_ref(&name), verdict),
        None if reports >= 10 => return Ok(Answer::error(422, "No more than 10 reports are allowed")),
        None => {}
    }
    run.rule_answers.push(RuleAnswer { environment: name, state: verdict, comment });
    Ok(Answer::empty(204))
}
