//! What goes wrong on purpose, and what it leaves behind.

use std::time::Duration;

use serde_json::json;

use super::super::github::{Fake, Fault, Made};
use super::super::wire::{ask, get};

const RUNS: &str = "/repos/org/app/actions/runs";

fn fake_with_runs() -> (Fake, String) {
    let fake = Fake::start();
    fake.repo("org/app").runs(3, |_, _| {});
    let url = format!("{}{RUNS}", fake.url());
    (fake, url)
}

#[test]
fn a_fault_happens_as_often_as_it_was_told() {
    let (fake, url) = fake_with_runs();
    fake.fault(Fault::on("GET", RUNS).status(500).after(1).times(2));
    let statuses: Vec<u16> = (0..5).map(|_| get(&url).status).collect();
    assert_eq!(statuses, [200, 500, 500, 200, 200]);
    let logged: Vec<u16> = fake.requests().iter().map(|request| request.status).collect();
    assert_eq!(logged, statuses);
}

#[test]
fn a_pattern_fits_parts_of_a_path() {
    let (fake, url) = fake_with_runs();
    let run = get(&url).json()["workflow_runs"][0]["id"].as_u64().unwrap();
    for (method, pattern, fits) in [
        ("GET", "/repos/*/*/actions/runs/*", true),
        ("*", "/repos/**", true),
        ("GET", "/repos/*/*/actions/runs", false),
        ("POST", "/repos/**", false),
        ("GET", "/repos/*", false),
    ] {
        fake.fault(Fault::on(method, pattern).status(503));
        assert_eq!(get(&format!("{url}/{run}")).status, if fits { 503 } else { 200 }, "{method} {pattern}");
    }
    assert_eq!((fake.count("*", "/repos/**"), fake.count("GET", RUNS), fake.count("POST", "/repos/**")), (6, 1, 0));
}

#[test]
fn a_bad_gateway_after_the_write_leaves_the_comment() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let issue = repo.issue("Something", |_| {});
    let path = format!("/repos/org/app/issues/{issue}/comments");
    let comment = || ask("POST", &format!("{}{path}", fake.url())).body(json!({ "body": "Report" }));
    fake.fault(Fault::on("POST", &path).bad_gateway_afterwards());
    let answer = comment().send();
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (502, "text/html"));
    assert_eq!(repo.comments(issue).len(), 1);
    fake.fault(Fault::on("POST", &path).reset_afterwards());
    assert!(comment().try_send().is_err());
    assert_eq!(repo.comments(issue).len(), 2);
    fake.fault(Fault::on("POST", &path).status(500));
    assert_eq!(comment().send().status, 500);
    assert_eq!(repo.comments(issue).len(), 2);
}

#[test]
fn limits_come_with_and_without_headers() {
    let (fake, url) = fake_with_runs();
    fake.fault(Fault::on("GET", RUNS).too_many(Some(7)));
    fake.fault(Fault::on("GET", RUNS).too_many(None));
    fake.fault(Fault::on("GET", RUNS).secondary_limit(Some(60)));
    fake.fault(Fault::on("GET", RUNS).secondary_limit(None));
    fake.fault(Fault::on("GET", RUNS).primary_limit(1_767_229_200));
    let answers: Vec<_> = (0..5).map(|_| get(&url)).collect();
    let seen = answers.iter().map(|answer| (answer.status, answer.headers.get("retry-after").map(String::as_str)));
    assert_eq!(seen.collect::<Vec<_>>(), [(429, Some("7")), (429, None), (403, Some("60")), (403, None), (403, None)]);
    assert!(answers[3].json()["message"].as_str().unwrap().contains("secondary rate limit"));
    let last = &answers[4].headers;
    assert_eq!((last["x-ratelimit-remaining"].as_str(), last["x-ratelimit-reset"].as_str()), ("0", "1767229200"));
    assert_ne!(answers[3].headers["x-ratelimit-remaining"], "0");
}

#[test]
fn the_primary_limit_runs_out_by_itself() {
    let (fake, url) = fake_with_runs();
    fake.state().rate.limit = 2;
    assert_eq!((get(&url).status, get(&url).status), (200, 200));
    let refused = get(&url);
    assert_eq!((refused.status, refused.headers["x-ratelimit-remaining"].as_str()), (403, "0"));
    let limit = get(&format!("{}/rate_limit", fake.url()));
    assert_eq!((limit.status, &limit.json()["rate"]["remaining"]), (200, &json!(0)));
}

#[test]
fn a_gate_holds_a_request_until_it_is_opened() {
    let (fake, url) = fake_with_runs();
    let (fault, gate) = Fault::on("GET", RUNS).gate();
    fake.fault(fault);
    let waiting = std::thread::spawn({
        let url = url.clone();
        move || get(&url)
    });
    gate.wait_for(1);
    assert_eq!(fake.requests()[0].status, 0);
    // What happens meanwhile is seen by the request, and others are not held.
    fake.repo("org/app").run(|_| {});
    assert_eq!(get(&url).status, 200);
    gate.open();
    assert_eq!(waiting.join().unwrap().json()["total_count"], 4);
}

#[test]
fn a_gate_that_is_dropped_is_open() {
    let (fake, url) = fake_with_runs();
    let (fault, gate) = Fault::on("GET", RUNS).gate();
    fake.fault(fault);
    drop(gate);
    assert_eq!(get(&url).status, 200);
}

#[test]
fn a_delay_answers_all_the_same() {
    let (fake, url) = fake_with_runs();
    fake.fault(Fault::on("GET", RUNS).delay(Duration::from_millis(1)));
    assert_eq!(get(&url).status, 200);
}

#[test]
fn connections_break_before_and_within_an_answer() {
    let (fake, url) = fake_with_runs();
    fake.fault(Fault::on("GET", RUNS).reset());
    assert!(ask("GET", &url).try_send().is_err());
    fake.fault(Fault::on("GET", RUNS).truncate());
    let error = ask("GET", &url).try_send().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(get(&url).status, 200);
    let statuses: Vec<u16> = fake.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [0, 200, 200]);
}

#[test]
fn a_download_can_break_too() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let run = repo.run(|_| {});
    let id = repo.artifact(run, "mgmt-record", vec![7; 10_000]);
    let link = get(&format!("{}/repos/org/app/actions/artifacts/{id}/zip", fake.url())).headers["location"].clone();
    let download = || ask("GET", &link).without("authorization").try_send();
    fake.fault(Fault::on("GET", "/stored/artifacts/*").truncate());
    fake.fault(Fault::on("GET", "/stored/artifacts/*").status(503));
    assert!(download().is_err());
    assert_eq!(download().unwrap().status, 503);
    assert_eq!(download().unwrap().bytes.len(), 10_000);
    assert_eq!((fake.requests().len(), fake.downloads().len()), (1, 3));
}

#[test]
fn a_page_for_people_comes_in_place_of_json() {
    let (fake, url) = fake_with_runs();
    fake.fault(Fault::on("GET", RUNS).html());
    let answer = get(&url);
    assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "text/html"));
    fake.fault(Fault::on("GET", RUNS).instead(Made::error(451, "Repository access blocked")));
    assert_eq!(get(&url).json()["message"], "Repository access blocked");
}

#[test]
fn nulls_are_valid_wherever_the_description_says_so() {
    let (fake, url) = fake_with_runs();
    fake.fault(Fault::on("GET", RUNS).nulls("workflow-run"));
    let run = get(&url).json()["workflow_runs"][0].clone();
    for name in ["name", "head_branch", "status", "conclusion", "pull_requests", "head_commit"] {
        assert_eq!(run.get(name), Some(&json!(null)), "{name}");
    }
    assert!(run["id"].is_u64() && run["head_sha"].is_string());
}

#[test]
fn unknown_words_are_not_held_against_the_description() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let run = repo.run(|_| {});
    repo.job(run, "test", |_| {});
    fake.fault(Fault::on("GET", "/repos/**").unknown_words());
    let jobs = get(&format!("{}{RUNS}/{run}/jobs", fake.url())).json();
    assert_eq!(
        (&jobs["jobs"][0]["status"], &jobs["jobs"][0]["conclusion"]),
        (&json!("brand_new"), &json!("brand_new"))
    );
    fake.fault(Fault::on("GET", "/repos/**").corrupt(|jobs| jobs["jobs"][0]["id"] = json!("one")));
    assert_eq!(get(&format!("{}{RUNS}/{run}/jobs", fake.url())).json()["jobs"][0]["id"], "one");
}
