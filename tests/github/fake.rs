//! The fake itself: what it answers, what it refuses, and that it notices what is invalid.

mod faults;
mod rights;
mod strict;
mod tour;

use serde_json::json;

use super::github::contract::Contract;
use super::github::routes::ROUTES;
use super::github::{Fake, sha, zip};
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
    let newer = repo.artifact(run, "mgmt-record", zip(&[]));
    for (query, first) in [("", newer), ("?direction=asc", id)] {
        let listed = get(&format!("{}/repos/org/app/actions/runs/{run}/artifacts{query}", fake.url())).json();
        assert_eq!((&listed["artifacts"][0]["id"], &listed["total_count"]), (&json!(first), &json!(2)));
    }
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

#[test]
fn ten_thousand_runs_fill_a_hundred_pages() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    repo.runs(10_000, |number, run| run.conclusion = Some(["success", "failure"][(number % 2) as usize].to_owned()));
    let url = format!("{}/repos/org/app/actions/runs?per_page=100", fake.url());
    let numbers = |url: &str| -> (Vec<u64>, Option<String>, Option<String>) {
        let page = get(url);
        let runs = page.json()["workflow_runs"].take();
        let numbers = runs.as_array().unwrap().iter().map(|run| run["run_number"].as_u64().unwrap()).collect();
        (numbers, page.link("next"), page.link("last"))
    };
    let (first, next, last) = numbers(&url);
    assert_eq!(first, (9_901..=10_000).rev().collect::<Vec<_>>());
    assert_eq!(numbers(&next.unwrap()).0, (9_801..=9_900).rev().collect::<Vec<_>>());
    let (oldest, next, _) = numbers(&last.unwrap());
    assert_eq!((oldest, next), ((1..=100).rev().collect(), None));
    assert_eq!(fake.requests()[2].query, "per_page=100&page=100");
    // With a filter nothing beyond the thousandth can be reached.
    let filtered = get(&format!("{url}&status=failure&page=10"));
    assert_eq!((filtered.json()["total_count"].as_u64(), filtered.link("next")), (Some(5_000), None));
    let beyond = get(&format!("{url}&status=failure&page=11"));
    assert_eq!(beyond.json()["workflow_runs"], json!([]));
}

#[test]
fn a_created_filter_takes_days_times_and_open_ends() {
    let fake = Fake::start();
    fake.set_now("2026-03-01T00:00:00Z");
    let repo = fake.repo("org/app");
    for day in ["2026-02-01T10:00:00Z", "2026-02-02T00:00:00Z", "2026-02-02T23:59:59Z", "2026-02-03T00:00:00Z"] {
        repo.run(|run| run.created_at = day.parse().unwrap());
    }
    for (filter, count) in [
        ("2026-02-02", 2),
        ("2026-02-01..2026-02-02", 3),
        ("%3E%3D2026-02-02T23:59:59Z", 2),
        ("%3E2026-02-02", 1),
        ("%3C2026-02-02", 1),
        ("%3C%3D2026-02-02", 3),
        ("*..2026-02-01", 1),
        ("2026-02-03T01:00:00%2B01:00..*", 1),
    ] {
        let url = format!("{}/repos/org/app/actions/runs?created={filter}", fake.url());
        assert_eq!(get(&url).json()["total_count"], count, "{filter}");
    }
    let wrong = get(&format!("{}/repos/org/app/actions/runs?created=yesterday", fake.url()));
    assert_eq!(wrong.status, 422);
}

#[test]
fn runs_are_filtered_by_status_and_conclusion_alike() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    repo.run(|run| (run.status, run.conclusion) = (Some("in_progress".to_owned()), None));
    repo.run(|run| run.conclusion = Some("failure".to_owned()));
    repo.run(|run| {
        run.branch = Some("topic".to_owned());
        run.sha = sha("topic");
        run.actor = "hubot".to_owned();
    });
    for (filter, count) in [
        ("status=completed", 2),
        ("status=in_progress", 1),
        ("status=failure", 1),
        ("status=success&branch=topic", 1),
        ("status=success&branch=main", 0),
        ("actor=hubot", 1),
    ] {
        let url = format!("{}/repos/org/app/actions/runs?{filter}", fake.url());
        assert_eq!(get(&url).json()["total_count"], count, "{filter}");
    }
    let url = format!("{}/repos/org/app/actions/runs?head_sha={}", fake.url(), sha("topic"));
    assert_eq!(get(&url).json()["total_count"], 1);
}

#[test]
fn attempts_are_remembered() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let run = repo.run(|run| run.conclusion = Some("failure".to_owned()));
    repo.job(run, "test", |job| job.conclusion = Some("failure".to_owned()));
    fake.advance(600);
    repo.rerun(run, Some("success"));
    repo.job(run, "test", |_| {});
    let url = format!("{}/repos/org/app/actions/runs/{run}", fake.url());
    let newest = get(&url).json();
    assert_eq!((&newest["run_attempt"], &newest["conclusion"]), (&json!(2), &json!("success")));
    assert_eq!(newest["run_started_at"], "2026-01-01T00:10:00Z");
    assert_eq!(newest["created_at"], "2026-01-01T00:00:00Z");
    let first = get(newest["previous_attempt_url"].as_str().unwrap()).json();
    assert_eq!((&first["run_attempt"], &first["conclusion"]), (&json!(1), &json!("failure")));
    assert_eq!(get(&format!("{url}/jobs")).json()["jobs"][0]["conclusion"], "success");
    assert_eq!(get(&format!("{url}/jobs?filter=all")).json()["total_count"], 2);
    assert_eq!(get(&format!("{url}/attempts/1/jobs")).json()["jobs"][0]["conclusion"], "failure");
    assert_eq!(get(&format!("{url}/attempts/3")).status, 404);
}

#[test]
fn an_expired_artifact_is_gone_and_a_link_lives_a_minute() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let run = repo.run(|_| {});
    let id = repo.artifact(run, "mgmt-record", zip(&[]));
    let url = format!("{}/repos/org/app/actions/artifacts/{id}", fake.url());
    let link = get(&format!("{url}/zip")).headers["location"].clone();
    fake.advance(61);
    assert_eq!(ask("GET", &link).without("authorization").send().status, 403);
    assert_eq!(get(&url).json()["expired"], false);
    fake.advance(90 * 24 * 3600);
    assert_eq!(get(&url).json()["expired"], true);
    assert_eq!(get(&format!("{url}/zip")).status, 410);
}

#[test]
fn a_pull_request_from_a_fork_shares_objects_and_shows_its_difference() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let base = repo.commit("base", &[], &[("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n"), ("b.txt", "x\n")]);
    repo.branch("main", &base);
    let fork = repo.fork("someone/app");
    let head = fork.commit("head", &[&base], &[("a.txt", "1\n2\n3\n4\nfive\n6\n7\n8\n"), ("c.txt", "new\n")]);
    fork.branch("topic", &head);
    let newer = repo.commit("newer", &[&base], &[("b.txt", "y\n")]);
    repo.branch("main", &newer);
    let number = repo.pull("someone/app", "topic", |_| {});
    let url = format!("{}/repos/org/app/pulls/{number}", fake.url());
    let pull = get(&url).json();
    assert_eq!((&pull["head"]["sha"], &pull["base"]["sha"]), (&json!(head), &json!(newer)));
    assert_eq!(pull["head"]["repo"]["full_name"], "someone/app");
    assert_eq!((&pull["changed_files"], &pull["additions"], &pull["commits"]), (&json!(2), &json!(2), &json!(1)));
    let diff = ask("GET", &url).with("accept", "application/vnd.github.diff").send().text();
    assert_eq!(
        diff,
        "diff --git a/a.txt b/a.txt\nindex 0000001..0000002 100644\n--- a/a.txt\n+++ b/a.txt\n\
         @@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n\
         diff --git a/c.txt b/c.txt\nnew file mode 100644\nindex 0000001..0000002 100644\n--- /dev/null\n+++ b/c.txt\n\
         @@ -0,0 +1,1 @@\n+new\n"
    );
    let found = get(&format!("{}/repos/org/app/pulls?head=someone:topic&state=all", fake.url())).json();
    assert_eq!(found[0]["number"], number);
    let way = get(&format!("{}/repos/org/app/compare/main...someone:topic", fake.url())).json();
    assert_eq!((&way["status"], &way["ahead_by"], &way["behind_by"]), (&json!("diverged"), &json!(1), &json!(1)));
    assert_eq!(way["merge_base_commit"]["sha"], base);
    repo.edit(|repo| repo.pulls[0].head_repo = None);
    assert_eq!(get(&url).json()["head"]["repo"], json!(null));
}

#[test]
fn the_api_can_live_below_a_base_path() {
    let fake = Fake::start_under("/api/v3");
    let repo = fake.repo("org/app");
    repo.runs(3, |_, _| {});
    let first = get(&format!("{}/repos/org/app/actions/runs?per_page=2", fake.url()));
    let next = first.link("next").unwrap();
    assert!(next.contains("/api/v3/repositories/"), "{next}");
    assert_eq!(get(&next).json()["workflow_runs"][0]["run_number"], 1);
    assert_eq!(fake.requests()[1].path, "/repos/org/app/actions/runs");
    assert_eq!(get(&fake.url().replace("/api/v3", "/repos/org/app")).status, 404);
    assert_eq!(fake.take_violations(), ["GET /repos/org/app: not a path of this API"]);
}

#[test]
fn what_did_not_change_is_not_sent_again() {
    let fake = Fake::start();
    fake.repo("org/app");
    let url = format!("{}/repos/org/app", fake.url());
    let first = get(&url);
    let again = ask("GET", &url).with("if-none-match", &first.headers["etag"]).send();
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    assert_eq!(first.headers["x-ratelimit-remaining"], again.headers["x-ratelimit-remaining"]);
}

#[cfg(feature = "e2e")]
#[test]
fn the_archive_is_one_that_others_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    std::fs::write(&path, zip(&[("bundle.json", b"{}"), ("evidence/ü.xml", &[b'x'; 5000])])).unwrap();
    let script = "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),z.namelist(),len(z.read('evidence/ü.xml')))";
    let output = std::process::Command::new("python3").arg("-c").arg(script).arg(&path).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "None ['bundle.json', 'evidence/ü.xml'] 5000");
}

#[test]
fn a_renamed_repository_is_found_by_its_number() {
    let fake = Fake::start();
    let repo = fake.repo("org/new");
    repo.edit(|repo| repo.former_names.push("org/old".to_owned()));
    let moved = get(&format!("{}/repos/org/old/issues?state=all", fake.url()));
    assert_eq!(moved.status, 301);
    let id = repo.read(|repo| repo.id);
    assert_eq!(moved.headers["location"], format!("{}/repositories/{id}/issues?state=all", fake.url()));
    assert_eq!(get(&moved.headers["location"]).status, 200);
    assert_eq!(ask("POST", &moved.headers["location"]).body(json!({ "title": "x" })).send().status, 201);
    let write = ask("POST", &format!("{}/repos/org/old/issues", fake.url())).body(json!({ "title": "x" }));
    assert_eq!(write.send().status, 307);
    assert_eq!(
        fake.take_violations(),
        ["POST /repos/org/new/issues (issues/create): query parameter state does not exist"]
    );
}

#[test]
fn the_servers_clock_is_the_tests_clock() {
    let fake = Fake::start();
    fake.repo("org/app");
    fake.advance(3600);
    let answer = get(&format!("{}/repos/org/app", fake.url()));
    assert_eq!(answer.headers["date"], "Thu, 01 Jan 2026 01:00:00 GMT");
}
