//! Every operation once with an answer that is no error, so that each shape was held against the description; and
//! what the less used ones do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::github::contract::Contract;
use super::super::github::{Fake, TokenKind, zip};
use super::super::wire::{Answer, ask, get};

struct Tour<'f> {
    fake: &'f Fake,
}

impl Tour<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}/repos/org/app{path}", self.fake.url())
    }

    fn get(&self, path: &str) -> Value {
        let answer = get(&self.url(path));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    fn send(&self, method: &str, path: &str, body: Value, status: u16) -> Answer {
        self.send_as("job", method, path, body, status)
    }

    fn send_as(&self, token: &str, method: &str, path: &str, body: Value, status: u16) -> Answer {
        let mut request = ask(method, &self.url(path)).token(token);
        if !body.is_null() {
            request = request.body(body);
        }
        let answer = request.send();
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        answer
    }
}

/// The operations that were answered without an error.
fn visited(fake: &Fake) -> BTreeSet<String> {
    let good = fake.requests().into_iter().filter(|request| (200..400).contains(&request.status));
    good.map(|request| Contract::get().find(&request.method, &request.path).unwrap().0.id.clone()).collect()
}

#[test]
fn every_operation_gives_a_valid_answer() {
    let fake = Fake::start();
    for (token, kind, login) in [
        ("ghs_test", TokenKind::Actions, "github-actions[bot]"),
        ("job", TokenKind::Actions, "github-actions[bot]"),
        ("app", TokenKind::App, "gatekeeper[bot]"),
        ("person", TokenKind::User, "octocat"),
    ] {
        fake.token(token, kind, login, &[]);
    }
    let tour = Tour { fake: &fake };
    tour_of_actions(&tour);
    tour_of_waiting_runs(&tour);
    tour_of_code(&tour);
    tour_of_issues(&tour);
    tour_of_checks(&tour);
    tour_of_deployments(&tour);
    assert_eq!(get(&format!("{}/rate_limit", fake.url())).status, 200);
    assert_eq!(ask("GET", &format!("{}/user", fake.url())).token("person").send().status, 200);
    let all: BTreeSet<String> = Contract::get().operations().map(str::to_owned).collect();
    let left: Vec<&String> = all.iter().filter(|operation| !visited(&fake).contains(*operation)).collect();
    assert!(left.is_empty(), "never answered: {left:?}");
}

fn tour_of_actions(tour: &Tour<'_>) {
    let repo = tour.fake.repo("org/app");
    let head = repo.history("main", 2).remove(1);
    let number = repo.pull("org/app", "main", |pull| pull.head_sha.clone_from(&head));
    let run = repo.run(|run| {
        run.conclusion = Some("failure".to_owned());
        run.pulls = vec![number];
    });
    let job = repo.job(run, "test (ubuntu-latest)", |job| job.log = "hello\n".to_owned());
    let artifact = repo.artifact(run, "mgmt-record", zip(&[("record.json", b"{}")]));
    assert_eq!(tour.get("/actions/runs")["workflow_runs"][0]["pull_requests"][0]["number"], number);
    assert_eq!(tour.get("/actions/runs?exclude_pull_requests=true")["workflow_runs"][0]["pull_requests"], json!([]));
    tour.get("/actions/workflows/ci.yml/runs");
    tour.get(&format!("/actions/runs/{run}"));
    tour.get(&format!("/actions/runs/{run}/attempts/1"));
    tour.get(&format!("/actions/runs/{run}/attempts/1/jobs"));
    tour.get(&format!("/actions/runs/{run}/jobs"));
    tour.get(&format!("/actions/jobs/{job}"));
    let log = get(&tour.url(&format!("/actions/jobs/{job}/logs"))).headers["location"].clone();
    assert_eq!(ask("GET", &log).without("authorization").send().text(), "hello\n");
    assert_eq!(tour.get(&format!("/actions/runs/{run}/artifacts?name=other"))["total_count"], 0);
    assert_eq!(tour.get("/actions/artifacts?name=mgmt-record")["artifacts"][0]["workflow_run"]["id"], run);
    tour.get(&format!("/actions/artifacts/{artifact}"));
    assert_eq!(get(&tour.url(&format!("/actions/artifacts/{artifact}/zip"))).status, 302);
    tour.send("POST", &format!("/actions/runs/{run}/rerun-failed-jobs"), Value::Null, 201);
    assert_eq!(tour.get(&format!("/actions/runs/{run}"))["run_attempt"], 2);
    tour.send("POST", &format!("/actions/runs/{run}/rerun-failed-jobs"), Value::Null, 403);
    tour.send("POST", &format!("/actions/runs/{run}/cancel"), Value::Null, 202);
    tour.send("POST", &format!("/actions/runs/{run}/cancel"), Value::Null, 409);
    tour.send("POST", &format!("/actions/runs/{run}/rerun"), json!({ "enable_debug_logging": true }), 201);

    let id = repo.workflow("retrain.yml");
    repo.edit(|repo| repo.workflows[1].state = "disabled_inactivity".to_owned());
    assert_eq!(tour.get("/actions/workflows")["total_count"], 2);
    let dispatch = json!({ "ref": "main", "inputs": { "full": "true" } });
    tour.send("POST", "/actions/workflows/retrain.yml/dispatches", dispatch.clone(), 422);
    tour.send("PUT", "/actions/workflows/retrain.yml/enable", Value::Null, 204);
    assert_eq!(tour.get(&format!("/actions/workflows/{id}"))["state"], "active");
    tour.send("POST", "/actions/workflows/retrain.yml/dispatches", dispatch, 204);
    let told = json!({ "ref": "main", "return_run_details": true });
    let told = tour.send("POST", &format!("/actions/workflows/{id}/dispatches"), told, 200).json();
    assert_eq!(tour.get(&format!("/actions/runs/{}", told["workflow_run_id"]))["status"], "queued");
    assert_eq!(repo.read(|repo| repo.dispatches[0].inputs["full"].clone()), "true");
}

fn tour_of_waiting_runs(tour: &Tour<'_>) {
    let repo = tour.fake.repo("org/app");
    let staging = repo.environment("staging", |environment| environment.reviewers = vec!["octocat".to_owned()]);
    repo.environment("production", |environment| {
        environment.rules = vec!["gatekeeper".to_owned()];
        environment.wait_timer = 30;
        environment.protected_branches = true;
    });
    let run = repo.run(|run| {
        (run.status, run.conclusion) = (Some("waiting".to_owned()), None);
        run.pending = vec!["staging".to_owned(), "production".to_owned()];
    });
    assert_eq!(tour.get("/environments")["total_count"], 2);
    assert_eq!(tour.get("/environments/staging")["protection_rules"][0]["type"], "required_reviewers");
    let rules = tour.get("/environments/production/deployment_protection_rules");
    assert_eq!(rules["custom_deployment_protection_rules"][0]["app"]["slug"], "gatekeeper");
    let path = format!("/actions/runs/{run}");
    assert_eq!(tour.get(&format!("{path}/pending_deployments"))[0]["environment"]["id"], staging);
    let review = json!({ "environment_ids": [staging], "state": "approved", "comment": "fine" });
    let made = tour.send_as("person", "POST", &format!("{path}/pending_deployments"), review.clone(), 200).json();
    assert_eq!(made[0]["environment"], "staging");
    tour.send_as("person", "POST", &format!("{path}/pending_deployments"), review.clone(), 422);
    tour.send_as("job", "POST", &format!("{path}/pending_deployments"), review, 403);
    assert_eq!(tour.get(&format!("{path}/approvals"))[0]["comment"], "fine");
    let rule = format!("{path}/deployment_protection_rule");
    let report = json!({ "environment_name": "production", "comment": "still looking" });
    tour.send_as("app", "POST", &rule, report.clone(), 204);
    (1..10).for_each(|_| drop(tour.send_as("app", "POST", &rule, report.clone(), 204)));
    tour.send_as("app", "POST", &rule, report, 422);
    let no = json!({ "environment_name": "production", "state": "rejected", "comment": "red" });
    tour.send_as("app", "POST", &rule, no, 204);
    let ended = tour.get(&path);
    assert_eq!((&ended["status"], &ended["conclusion"]), (&json!("completed"), &json!("failure")));
    assert_eq!(repo.read(|repo| repo.runs.last().unwrap().rule_answers.len()), 11);
}

fn tour_of_code(tour: &Tour<'_>) {
    let repo = tour.fake.repo("org/app");
    let fork = repo.fork("someone/app");
    let main = repo.read(|repo| repo.refs["heads/main"].clone());
    let head = fork.commit("feature", &[&main], &[("src/a.rs", "fn a() {}\n"), ("logo.png", "\u{0}")]);
    fork.edit(|repo| {
        let commit = repo.commits.get_mut(&head).unwrap();
        commit.files.insert("logo.png".to_owned(), Some(vec![0xff, 0xfe]));
    });
    fork.branch("feature/a", &head);
    let number = repo.pull("someone/app", "feature/a", |_| {});
    let parent = get(&format!("{}/repos/someone/app", tour.fake.url())).json()["parent"]["full_name"].clone();
    assert_eq!((parent, &tour.get("")["fork"]), (json!("org/app"), &json!(false)));
    assert_eq!(tour.get("/git/ref/heads/main")["object"]["sha"], main);
    assert_eq!(get(&tour.url("/git/ref/heads/mai")).status, 404);
    assert_eq!(tour.get("/commits?per_page=1")[0]["sha"], main);
    assert_eq!(tour.get(&format!("/commits?sha={head}")).as_array().unwrap().len(), 3);
    let commit = tour.get(&format!("/commits/{head}"));
    assert_eq!(commit["files"][1]["filename"], "src/a.rs");
    assert_eq!(commit["files"][0].get("patch"), None);
    let sha = ask("GET", &tour.url("/commits/main")).with("accept", "application/vnd.github.sha").send();
    assert_eq!(sha.text(), main);
    assert_eq!(get(&tour.url(&format!("/commits/{}", "0".repeat(40)))).status, 422);
    assert_eq!(tour.get(&format!("/compare/main...{head}"))["status"], "ahead");
    assert_eq!(tour.get("/compare/main...main")["status"], "identical");
    assert_eq!(get(&tour.url("/compare/main...gone")).status, 404);
    let diff = ask("GET", &tour.url(&format!("/compare/main...{head}"))).with("accept", "application/vnd.github.diff");
    assert!(diff.send().text().contains("Binary files /dev/null and b/logo.png differ\n"));
    assert_eq!(tour.get(&format!("/contents/src?ref={head}"))[0]["path"], "src/a.rs");
    assert_eq!(tour.get(&format!("/contents/src/a.rs?ref={head}"))["encoding"], "base64");
    assert_eq!(tour.get(&format!("/pulls/{number}"))["changed_files"], 2);
    assert_eq!(tour.get("/pulls?state=open&base=main").as_array().unwrap().len(), 2);
    assert_eq!(tour.get(&format!("/pulls/{number}/files?per_page=1")).as_array().unwrap().len(), 1);
    assert_eq!(tour.get(&format!("/commits/{head}/pulls"))[0]["number"], number);
    repo.edit(|repo| repo.pulls.last_mut().unwrap().diff = Some("+\n".repeat(20_001)));
    let large = ask("GET", &tour.url(&format!("/pulls/{number}"))).with("accept", "application/vnd.github.v3.diff");
    assert_eq!(large.send().status, 406);
}

fn tour_of_issues(tour: &Tour<'_>) {
    let repo = tour.fake.repo("org/app");
    repo.label("ops");
    let body = json!({ "title": "Down", "body": "text", "labels": ["ops"] });
    let issue = tour.send("POST", "/issues", body, 201).json();
    let path = format!("/issues/{}", issue["number"]);
    assert_eq!(tour.get(&path)["labels"][0]["color"], "ededed");
    let found = tour.get("/issues?labels=ops&creator=github-actions%5Bbot%5D&sort=created&direction=asc");
    assert_eq!(found[0]["number"], issue["number"]);
    let closed = tour.send("PATCH", &path, json!({ "state": "closed" }), 200).json();
    assert_eq!((&closed["state_reason"], closed["closed_at"].is_string()), (&json!("completed"), true));
    assert_eq!(tour.get("/issues?labels=ops"), json!([]));
    // A pull request is an issue, too.
    assert!(tour.get("/issues?state=all")[1]["pull_request"]["url"].is_string());
    tour.send("POST", "/labels", json!({ "name": "drift", "color": "ff0000" }), 201);
    tour.send("POST", "/labels", json!({ "name": "Drift" }), 422);
    assert_eq!(tour.get("/labels")[0]["name"], "drift");
    assert_eq!(tour.get("/labels/ops")["description"], json!(null));
    let labels = tour.send("POST", &format!("{path}/labels"), json!({ "labels": ["drift"] }), 200).json();
    assert_eq!(labels.as_array().unwrap().len(), 2);
    let comment = tour.send("POST", &format!("{path}/comments"), json!({ "body": "x".repeat(65_536) }), 201).json();
    tour.send("POST", &format!("{path}/comments"), json!({ "body": "x".repeat(65_537) }), 422);
    tour.send("POST", &format!("{path}/comments"), json!({ "body": " " }), 422);
    let own = format!("/issues/comments/{}", comment["id"]);
    assert_eq!(tour.get(&own)["id"], comment["id"]);
    tour.fake.advance(60);
    tour.send("PATCH", &own, json!({ "body": "y" }), 200);
    tour.send("PATCH", &own, json!({ "body": "x".repeat(65_537) }), 422);
    repo.comment(issue["number"].as_u64().unwrap(), "octocat", "z");
    let comments = tour.get(&format!("{path}/comments?since=2026-01-01T00:00:30Z"));
    assert_eq!((&comments[0]["body"], &comments[1]["body"]), (&json!("y"), &json!("z")));
    tour.send("DELETE", &own, Value::Null, 204);
    tour.send("DELETE", &own, Value::Null, 404);
}

fn tour_of_checks(tour: &Tour<'_>) {
    let repo = tour.fake.repo("org/app");
    let main = repo.read(|repo| repo.refs["heads/main"].clone());
    let annotation = |line: usize| json!({ "path": "a.rs", "start_line": line, "end_line": line, "annotation_level": "warning", "message": "x" });
    let annotations = |from: usize| (from..from + 50).map(annotation).collect::<Vec<_>>();
    let output = |from: usize| json!({ "title": "mgmt", "summary": "fine", "annotations": annotations(from) });
    let body = json!({ "name": "mgmt", "head_sha": main, "status": "in_progress", "output": output(1) });
    let check = tour.send("POST", "/check-runs", body, 201).json();
    let path = format!("/check-runs/{}", check["id"]);
    let body = json!({ "status": "completed", "conclusion": "failure", "output": output(51) });
    let done = tour.send("PATCH", &path, body, 200).json();
    assert_eq!((&done["output"]["annotations_count"], &done["conclusion"]), (&json!(100), &json!("failure")));
    assert_eq!(tour.get(&path)["app"]["slug"], "github-actions");
    assert_eq!(tour.get(&format!("{path}/annotations?per_page=100")).as_array().unwrap().len(), 100);
    tour.send_as("app", "PATCH", &path, json!({ "name": "x" }), 403);
    let unknown = json!({ "name": "mgmt", "head_sha": "0".repeat(40) });
    tour.send("POST", "/check-runs", unknown, 422);
    repo.check_run("mgmt", &main, |_| {});
    let listed = |query: &str| tour.get(&format!("/commits/main/check-runs?{query}"))["total_count"].clone();
    assert_eq!((listed("check_name=mgmt"), listed("check_name=mgmt&filter=all")), (json!(1), json!(2)));
}

fn tour_of_deployments(tour: &Tour<'_>) {
    let repo = tour.fake.repo("org/app");
    let main = repo.read(|repo| repo.refs["heads/main"].clone());
    let ask_for = |more: Value, status: u16| {
        let mut body = json!({ "ref": "main", "environment": "staging" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        tour.send("POST", "/deployments", body, status).json()
    };
    // With its defaults GitHub demands every check of the commit, of which one failed.
    ask_for(json!({ "auto_merge": false }), 409);
    let plain = json!({ "auto_merge": false, "required_contexts": [] });
    let older = ask_for(plain.clone(), 201);
    let newer = ask_for(plain, 201);
    repo.branch("behind", &repo.read(|repo| repo.commits[&main].parents[0].clone()));
    tour.send("POST", "/deployments", json!({ "ref": "behind", "required_contexts": [] }), 202);
    assert_eq!(tour.get("/deployments?environment=staging")[0]["id"], newer["id"]);
    assert_eq!(tour.get(&format!("/deployments/{}", older["id"]))["sha"], main);
    let statuses = |deployment: &Value| format!("/deployments/{}/statuses", deployment["id"]);
    let success = json!({ "state": "success", "log_url": "https://example.org/log", "description": "live" });
    tour.send("POST", &statuses(&older), success.clone(), 201);
    let set = tour.send("POST", &statuses(&newer), success, 201).json();
    assert_eq!(set["target_url"], "https://example.org/log");
    // The older one is retired by the newer one.
    let of_older = tour.get(&statuses(&older));
    assert_eq!((&of_older[0]["state"], &of_older[1]["state"]), (&json!("inactive"), &json!("success")));
    tour.get(&format!("{}/{}", statuses(&newer), set["id"]));
    let quiet = json!({ "state": "success", "auto_inactive": false });
    tour.send("POST", &statuses(&older), quiet, 201);
    assert_eq!(tour.get(&statuses(&newer))[0]["state"], "success");
    tour.send("POST", &statuses(&older), json!({ "state": "failure", "description": "x".repeat(141) }), 422);
    let live = repo.deployment("production", &main);
    repo.deployment_status(live, "success");
    assert_eq!(tour.get(&format!("/deployments/{live}/statuses"))[0]["environment"], "production");
}
