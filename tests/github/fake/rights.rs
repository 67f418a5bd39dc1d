//! Who may do what, and what GitHub says to those who may not.

use serde_json::{Value, json};

use super::super::github::{Fake, TokenKind};
use super::super::wire::ask;

struct Tried<'f> {
    fake: &'f Fake,
    token: &'f str,
}

impl Tried<'_> {
    /// Status and message.
    fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
        let mut request = ask(method, &format!("{}{path}", self.fake.url())).token(self.token);
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send();
        let message = serde_json::from_slice::<Value>(&answer.bytes).unwrap_or_default()["message"].clone();
        (answer.status, message.as_str().unwrap_or_default().to_owned())
    }
}

const NOT_FOR_APP: &str = "Resource not accessible by integration";

#[test]
fn a_job_token_may_do_what_its_permissions_say() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let head = repo.history("main", 1).remove(0);
    repo.branch("topic", &head);
    let issue = repo.issue("Something", |_| {});
    let pull = repo.pull("org/app", "topic", |_| {});
    fake.token("no_issues", TokenKind::Actions, "github-actions[bot]", &["issues: write"]);
    fake.token("no_pulls", TokenKind::Actions, "github-actions[bot]", &["pull-requests: write"]);
    fake.token("reader", TokenKind::Actions, "github-actions[bot]", &["issues: write", "pull-requests: write"]);
    fake.token("no_checks", TokenKind::Actions, "github-actions[bot]", &["checks: write", "deployments: write"]);
    fake.token("blind", TokenKind::Actions, "github-actions[bot]", &["actions: read"]);
    let comment = || Some(json!({ "body": "x" }));
    let check = || Some(json!({ "name": "mgmt", "head_sha": head }));
    let deployment = || Some(json!({ "ref": "main", "auto_merge": false, "required_contexts": [] }));
    let on_issue = format!("/repos/org/app/issues/{issue}/comments");
    let on_pull = format!("/repos/org/app/issues/{pull}/comments");
    for (token, method, path, body, status) in [
        // Either permission is enough on a pull request, only its own on an issue.
        ("no_issues", "POST", on_pull.as_str(), comment(), 201),
        ("no_issues", "POST", &on_issue, comment(), 403),
        ("no_pulls", "POST", &on_pull, comment(), 201),
        ("no_pulls", "POST", &on_issue, comment(), 201),
        ("reader", "POST", &on_pull, comment(), 403),
        ("reader", "GET", &on_pull, None, 200),
        ("no_checks", "POST", "/repos/org/app/check-runs", check(), 403),
        ("no_checks", "POST", "/repos/org/app/deployments", deployment(), 403),
        ("no_checks", "GET", "/repos/org/app/deployments", None, 200),
        ("reader", "POST", "/repos/org/app/check-runs", check(), 201),
        ("blind", "GET", "/repos/org/app/actions/runs", None, 403),
        ("blind", "GET", "/repos/org/app/contents/a", None, 404),
    ] {
        let (found, message) = Tried { fake: &fake, token }.send(method, path, body);
        assert_eq!(found, status, "{token} {method} {path}: {message}");
        assert_eq!(message == NOT_FOR_APP, status == 403, "{token} {method} {path}: {message}");
    }
    assert_eq!(repo.comments(pull).len(), 2);
}

#[test]
fn a_refusal_names_the_permission() {
    let fake = Fake::start();
    fake.repo("org/app").issue("Something", |_| {});
    fake.token("reader", TokenKind::Actions, "github-actions[bot]", &["issues: write"]);
    let url = format!("{}/repos/org/app/issues/1/comments", fake.url());
    let answer = ask("POST", &url).token("reader").body(json!({ "body": "x" })).send();
    assert_eq!(answer.status, 403);
    assert_eq!(answer.headers["x-accepted-github-permissions"], "issues=write; pull_requests=write");
}

#[test]
fn kinds_of_tokens_differ() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let head = repo.history("main", 1).remove(0);
    repo.environment("production", |environment| environment.rules = vec!["gatekeeper".to_owned()]);
    let run = repo.run(|run| {
        (run.status, run.conclusion) = (Some("waiting".to_owned()), None);
        run.pending = vec!["production".to_owned()];
    });
    fake.token("job", TokenKind::Actions, "github-actions[bot]", &[]);
    fake.token("app", TokenKind::App, "gatekeeper[bot]", &[]);
    fake.token("person", TokenKind::User, "octocat", &[]);
    let rule = format!("/repos/org/app/actions/runs/{run}/deployment_protection_rule");
    let answer = || Some(json!({ "environment_name": "production", "state": "approved", "comment": "ok" }));
    let check = || Some(json!({ "name": "mgmt", "head_sha": head }));
    let tried = |token| Tried { fake: &fake, token };
    assert_eq!(tried("job").send("GET", "/user", None), (403, NOT_FOR_APP.to_owned()));
    assert_eq!(tried("person").send("GET", "/user", None).0, 200);
    assert_eq!(tried("job").send("POST", &rule, answer()), (403, NOT_FOR_APP.to_owned()));
    assert_eq!(tried("app").send("POST", &rule, answer()).0, 204);
    assert_eq!(tried("app").send("POST", &rule, answer()).0, 422);
    assert_eq!(repo.read(|repo| repo.runs[0].status.clone()).unwrap(), "queued");
    assert_eq!(tried("person").send("POST", "/repos/org/app/check-runs", check()).0, 403);
    assert_eq!(tried("nobody").send("GET", "/repos/org/app", None), (401, "Bad credentials".to_owned()));
}

#[test]
fn without_a_token_only_public_things_are_read() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let issue = repo.issue("Something", |_| {});
    fake.repo("org/secret").edit(|repo| repo.private = true);
    let plain = |method: &str, path: &str| ask(method, &format!("{}{path}", fake.url())).without("authorization");
    assert_eq!(plain("GET", "/repos/org/app").send().status, 200);
    assert_eq!(plain("GET", "/repos/org/secret").send().status, 404);
    let comment = plain("POST", &format!("/repos/org/app/issues/{issue}/comments")).body(json!({ "body": "x" }));
    assert_eq!(comment.send().status, 401);
}

#[test]
fn what_a_token_writes_bears_its_name() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let issue = repo.issue("Something", |_| {});
    fake.token("app", TokenKind::App, "reporter[bot]", &[]);
    fake.token("person", TokenKind::User, "octocat", &[]);
    let url = format!("{}/repos/org/app/issues/{issue}/comments", fake.url());
    let made = ask("POST", &url).token("app").body(json!({ "body": "x" })).send().json();
    assert_eq!((&made["user"]["login"], &made["user"]["type"]), (&json!("reporter[bot]"), &json!("Bot")));
    // A person cannot change what an app wrote.
    let edit = ask("PATCH", made["url"].as_str().unwrap()).token("person").body(json!({ "body": "y" })).send();
    assert_eq!(edit.status, 403);
    assert_eq!(repo.comments(issue), [("reporter[bot]".to_owned(), "x".to_owned())]);
}
