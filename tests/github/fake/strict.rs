//! Whatever is invalid fails the test: each kind of violation, seen red.

use serde_json::json;

use super::super::github::{Fake, Fault, TokenKind, zip};
use super::super::wire::{ask, get};

/// What the fake says about requests to `org/app`, whose branch `main` is there.
fn violations(act: impl FnOnce(&Fake, &str)) -> Vec<String> {
    let fake = Fake::start();
    fake.repo("org/app").history("main", 1);
    act(&fake, &format!("{}/repos/org/app", fake.url()));
    fake.take_violations()
}

fn one(act: impl FnOnce(&Fake, &str)) -> String {
    let found = violations(act);
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].clone()
}

#[test]
fn a_path_that_does_not_exist() {
    let found = one(|_, url| assert_eq!(get(&format!("{url}/stars")).status, 404));
    assert_eq!(found, "GET /repos/org/app/stars: no such operation in the slice");
}

#[test]
fn a_method_that_does_not_exist() {
    let found = one(|_, url| assert_eq!(ask("PUT", &format!("{url}/issues/1")).send().status, 404));
    assert_eq!(found, "PUT /repos/org/app/issues/1: no such operation in the slice");
}

#[test]
fn a_path_parameter_of_the_wrong_type() {
    let found = one(|_, url| drop(get(&format!("{url}/actions/runs/newest"))));
    assert!(found.contains("(actions/get-workflow-run): path parameter run_id:"), "{found}");
}

#[test]
fn a_query_parameter_that_does_not_exist() {
    let found = one(|_, url| drop(get(&format!("{url}/actions/runs?conclusion=success"))));
    assert!(found.ends_with("query parameter conclusion does not exist"), "{found}");
}

#[test]
fn a_query_parameter_with_an_unknown_word() {
    // The description says that this conclusion is no filter.
    let found = one(|_, url| drop(get(&format!("{url}/actions/runs?status=startup_failure"))));
    assert!(found.contains("query parameter status:"), "{found}");
}

#[test]
fn a_query_parameter_of_the_wrong_type() {
    let found = one(|_, url| drop(get(&format!("{url}/actions/runs?per_page=all"))));
    assert!(found.contains("query parameter per_page:"), "{found}");
}

#[test]
fn a_query_parameter_given_twice() {
    let found = one(|_, url| drop(get(&format!("{url}/actions/runs?page=1&page=2"))));
    assert!(found.ends_with("query parameter page is given twice"), "{found}");
}

#[test]
fn a_body_without_what_is_required() {
    let found = violations(|fake, url| {
        let issue = fake.repo("org/app").issue("Something", |_| {});
        let answer = ask("POST", &format!("{url}/issues/{issue}/comments")).body(json!({ "text": "x" })).send();
        assert_eq!(answer.status, 422);
    });
    assert!(found[0].ends_with("body: \"body\" is a required property"), "{found:?}");
    assert!(found[1].ends_with("body field text does not exist"), "{found:?}");
}

#[test]
fn a_body_with_a_field_of_the_wrong_type() {
    let found = one(|_, url| {
        ask("POST", &format!("{url}/issues")).body(json!({ "title": "x", "labels": "bug" })).send();
    });
    assert!(found.contains("body/labels:"), "{found}");
}

#[test]
fn a_body_that_is_missing() {
    let found = one(|fake, url| {
        let issue = fake.repo("org/app").issue("Something", |_| {});
        ask("POST", &format!("{url}/issues/{issue}/comments")).send();
    });
    assert!(found.ends_with("the body is missing"), "{found}");
}

#[test]
fn a_body_that_is_not_json() {
    let found = one(|_, url| assert_eq!(ask("POST", &format!("{url}/issues")).body("{").send().status, 400));
    assert!(found.ends_with("the body is not JSON"), "{found}");
}

#[test]
fn a_body_where_none_belongs() {
    let found = one(|_, url| drop(ask("GET", url).body("{}").send()));
    assert!(found.ends_with("a body where none is described"), "{found}");
}

#[test]
fn too_many_annotations() {
    let found = one(|fake, url| {
        let sha = fake.repo("org/app").read(|repo| repo.refs["heads/main"].clone());
        let one = json!({
            "path": "a.rs", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "x",
        });
        let output = json!({ "title": "x", "summary": "x", "annotations": vec![one; 51] });
        let body = json!({ "name": "mgmt", "head_sha": sha, "output": output });
        assert_eq!(ask("POST", &format!("{url}/check-runs")).body(body).send().status, 422);
    });
    assert!(found.contains("body/output/annotations:"), "{found}");
}

#[test]
fn a_request_without_a_name() {
    let found = one(|_, url| assert_eq!(ask("GET", url).without("user-agent").send().status, 403));
    assert!(found.ends_with("no User-Agent"), "{found}");
}

#[test]
fn a_request_that_a_fault_answers() {
    let found = one(|fake, url| {
        fake.fault(Fault::on("GET", "/repos/org/app/stars").status(500));
        assert_eq!(get(&format!("{url}/stars")).status, 500);
    });
    assert!(found.ends_with("no such operation in the slice"), "{found}");
}

#[test]
fn an_answer_that_github_would_not_give() {
    let found = one(|fake, url| {
        fake.fault(Fault::on("GET", "/repos/org/app").edit(|repo| repo["private"] = json!("no")));
        assert_eq!(get(url).status, 200);
    });
    assert!(found.contains("(repos/get) answered 200: answer/private:"), "{found}");
}

#[test]
fn a_status_that_is_none() {
    let found = one(|fake, url| {
        let repo = fake.repo("org/app");
        let run = repo.run(|_| {});
        repo.job(run, "test", |job| job.status = "sleeping".to_owned());
        assert_eq!(get(&format!("{url}/actions/runs/{run}/jobs")).status, 200);
    });
    assert!(found.contains("answer/jobs/0/status:"), "{found}");
}

#[test]
fn a_token_at_another_origin() {
    let found = one(|fake, url| {
        let repo = fake.repo("org/app");
        let run = repo.run(|_| {});
        let id = repo.artifact(run, "mgmt-record", zip(&[]));
        let link = get(&format!("{url}/actions/artifacts/{id}/zip")).headers["location"].clone();
        assert_eq!(get(&link).status, 200);
        assert_eq!(fake.downloads().len(), 1);
    });
    assert!(found.ends_with("the token reached another origin"), "{found}");
}

#[test]
fn dropping_the_fake_fails_the_test_with_all_of_them() {
    let failed = std::panic::catch_unwind(|| {
        let fake = Fake::start();
        get(&format!("{}/one", fake.url()));
        get(&format!("{}/two", fake.url()));
        fake.finish();
    });
    let text = *failed.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("GET /one") && text.contains("GET /two"), "{text}");
}

#[test]
fn a_test_that_fails_for_a_reason_of_its_own_keeps_it() {
    let failed = std::panic::catch_unwind(|| {
        let fake = Fake::start();
        get(&format!("{}/one", fake.url()));
        panic!("its own reason");
    });
    assert_eq!(*failed.unwrap_err().downcast::<&str>().unwrap(), "its own reason");
}

#[test]
fn errors_have_the_shape_of_githubs() {
    let found = violations(|fake, url| {
        fake.token("ghs_known", TokenKind::Actions, "github-actions[bot]", &[]);
        for (token, path, status) in [("ghs_known", "/issues/9", 404), ("ghs_other", "", 401)] {
            let answer = ask("GET", &format!("{url}{path}")).token(token).send();
            assert_eq!(answer.status, status);
            assert_eq!(answer.json()["status"], status.to_string());
            assert!(answer.json()["message"].is_string() && answer.json()["documentation_url"].is_string());
        }
    });
    assert_eq!(found, [] as [String; 0]);
}
