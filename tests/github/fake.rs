//! The fake itself: what it answers, what it refuses, and that it notices what is invalid.

use serde_json::json;

use super::github::contract::Contract;
use super::github::routes::ROUTES;
use super::github::{Fake, zip};
use super::wire::{ask, get};

#[test]
fn every_operation_of_the_slice_has_a_route() {
    let mut described: Vec<&str> = Contract::get().operations().collect();
    described.sort_unstable();
    let routes: Vec<&str> = ROUTES.iter().map(|(operation, _)| *operation).collect();
    assert_eq!(routes, described);
}

#[test]
fn runs_are_listed_by_pages_newest_first() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    repo.history("main", 3);
    repo.runs(5, |number, run| run.event = if number == 2 { "schedule" } else { "push" }.to_owned());
    let first = get(&format!("{}/repos/org/app/actions/runs?per_page=2", fake.url()));
    assert_eq!((first.status, first.json()["total_count"].as_u64()), (200, Some(5)));
    assert_eq!(first.json()["workflow_runs"][0]["run_number"], 5);
    let next = get(&first.link("next").unwrap());
    assert_eq!(next.json()["workflow_runs"][1]["run_number"], 2);
    let last = get(&next.link("last").unwrap());
    assert_eq!((last.json()["workflow_runs"].as_array().unwrap().len(), last.link("next")), (1, None));
    let paths: Vec<String> = fake.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, vec!["/repos/org/app/actions/runs"; 3]);
    let scheduled = get(&format!("{}/repos/org/app/actions/workflows/ci.yml/runs?event=schedule", fake.url()));
    assert_eq!(scheduled.json()["total_count"], 1);
}

#[test]
fn artifacts_come_from_another_origin() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let run = repo.run(|_| {});
    let bytes = zip(&[("bundle.json", b"{}")]);
    let id = repo.artifact(run, "mgmt-evidence-attempt1", bytes.clone());
    let listed = get(&format!("{}/repos/org/app/actions/runs/{run}/artifacts", fake.url())).json();
    assert_eq!(listed["artifacts"][0]["id"], id);
    assert!(listed["artifacts"][0]["digest"].as_str().unwrap().starts_with("sha256:"));
    let link = get(&format!("{}/repos/org/app/actions/artifacts/{id}/zip", fake.url()));
    assert_eq!(link.status, 302);
    let stored = ask("GET", &link.headers["location"]).without("authorization").send();
    assert_eq!((stored.status, stored.bytes), (200, bytes));
}

#[test]
fn comments_are_kept() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let issue = repo.issue("Something", |_| {});
    repo.comment(issue, "octocat", "Hello");
    let url = format!("{}/repos/org/app/issues/{issue}/comments", fake.url());
    let made = ask("POST", &url).body(json!({ "body": "Report" })).send();
    assert_eq!(made.status, 201);
    let own = made.json()["url"].as_str().unwrap().to_owned();
    assert_eq!(ask("PATCH", &own).body(json!({ "body": "Report 2" })).send().status, 200);
    let listed = get(&url).json();
    assert_eq!(listed[1]["user"]["login"], "github-actions[bot]");
    assert_eq!(repo.comments(issue)[1].1, "Report 2");
    assert_eq!(ask("DELETE", &own).send().status, 204);
    assert_eq!(repo.comments(issue).len(), 1);
}

#[test]
fn files_are_read_at_a_ref() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let first = repo.commit("first", &[], &[("mgmt.yml", "version: 1\n"), ("src/lib.rs", "")]);
    let second = repo.commit("second", &[&first], &[("mgmt.yml", "version: 2\n")]);
    repo.branch("main", &second);
    let url = format!("{}/repos/org/app/contents/mgmt.yml", fake.url());
    let raw = ask("GET", &format!("{url}?ref={first}")).with("accept", "application/vnd.github.raw+json").send();
    assert_eq!(raw.text(), "version: 1\n");
    assert_eq!(get(&url).json()["content"], "dmVyc2lvbjogMgo=\n");
    assert_eq!(get(&format!("{}/repos/org/app/contents/src", fake.url())).json()[0]["name"], "lib.rs");
    assert_eq!(get(&format!("{}/repos/org/app/contents/gone", fake.url())).status, 404);
}

/// What the fake says about requests that are answered as they deserve otherwise.
fn violations(act: impl FnOnce(&Fake)) -> Vec<String> {
    let fake = Fake::start();
    fake.repo("org/app").history("main", 1);
    act(&fake);
    fake.take_violations()
}

#[test]
fn an_unknown_path_is_noticed() {
    let found = violations(|fake| assert_eq!(get(&format!("{}/repos/org/app/stars", fake.url())).status, 404));
    assert_eq!(found, ["GET /repos/org/app/stars: no such operation in the slice"]);
}

#[test]
fn an_unknown_query_parameter_is_noticed() {
    let found = violations(|fake| drop(get(&format!("{}/repos/org/app/actions/runs?conclusion=success", fake.url()))));
    assert_eq!(
        found,
        [
            "GET /repos/org/app/actions/runs (actions/list-workflow-runs-for-repo): query parameter conclusion does not exist"
        ]
    );
}
