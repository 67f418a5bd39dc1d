//! The client itself: what is repeated and what is not, how long it waits, what it survives, what it never does.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use mgmt_action::github::{Cause, Client, Conclusion, Download, Hooks, RunFilter, Slug};
use mgmt_action::sys::clock::Clock;
use mgmt_action::sys::secret::Secret;
use serde_json::json;

use super::github::{Fake, Fault, TokenKind, zip};

pub(super) const TOKEN: &str = "ghs_canary0000000000000000000000000000";

/// A client that notes its waits instead of sleeping.
pub(super) struct Tried {
    pub(super) client: Client,
    pub(super) waits: Rc<RefCell<Vec<u64>>>,
    told: Rc<RefCell<Vec<String>>>,
}

pub(super) fn client(fake: &Fake) -> Tried {
    fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &[]);
    let (waits, told) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
    let (slept, said) = (Rc::clone(&waits), Rc::clone(&told));
    let hooks = Hooks {
        sleep: Box::new(move |time: Duration| slept.borrow_mut().push(time.as_secs())),
        tell: Box::new(move |line: &str| said.borrow_mut().push(line.to_owned())),
        clock: Clock::Fixed("2026-11-22T12:00:00Z".parse().unwrap()),
    };
    let token = Secret::new(TOKEN).unwrap();
    Tried { client: Client::new(fake.url(), Some(&token), hooks).unwrap(), waits, told }
}

pub(super) fn slug() -> Slug {
    "org/app".parse().unwrap()
}

const RUNS: &str = "/repos/org/app/actions/runs";
const NOW: i64 = 1_795_348_800;

#[test]
fn reads_are_repeated_with_growing_pauses_and_not_for_ever() {
    let fake = Fake::start();
    let run = fake.repo("org/app").run(|_| {});
    let one = format!("{RUNS}/{run}");
    for fault in [Fault::on("GET", &one).status(500), Fault::on("GET", &one).reset(), Fault::on("GET", &one).truncate()]
    {
        let tried = client(&fake);
        fake.fault(fault.times(2));
        assert_eq!(tried.client.run(&slug(), run).unwrap().id, run);
        assert_eq!(*tried.waits.borrow(), [1, 2]);
        assert!(tried.told.borrow()[0].contains("waiting for 1.0 s"), "{:?}", tried.told);
    }
    let tried = client(&fake);
    fake.fault(Fault::on("GET", &one).status(502).times(4));
    let error = tried.client.run(&slug(), run).unwrap_err();
    assert_eq!((error.http_status(), tried.waits.borrow().len()), (Some(502), 3));
    assert!(error.hint().unwrap().contains("try again later"));
}

#[test]
fn limits_are_waited_for_as_github_asks_and_within_reason() {
    let fake = Fake::start();
    let run = fake.repo("org/app").run(|_| {});
    let one = format!("{RUNS}/{run}");
    let on = || Fault::on("GET", &one);
    for (fault, waits) in [
        (on().too_many(Some(7)), vec![7]),
        (on().too_many(None), vec![60]),
        (on().secondary_limit(None).times(2), vec![60, 120]),
        (on().secondary_limit(Some(9)), vec![9]),
        (on().primary_limit(NOW + 30), vec![31]),
    ] {
        let tried = client(&fake);
        fake.fault(fault);
        assert_eq!(tried.client.run(&slug(), run).unwrap().id, run);
        assert_eq!(*tried.waits.borrow(), waits);
    }
    let tried = client(&fake);
    fake.fault(on().primary_limit(NOW + 3_600));
    let error = tried.client.run(&slug(), run).unwrap_err();
    assert!(matches!(error.cause, Cause::Limit { until: Some(_) }), "{error}");
    assert!(tried.waits.borrow().is_empty(), "an hour is not slept through");
    assert!(error.to_string().contains("it ends at 2026-11-22 13:00 UTC"), "{error}");
}

#[test]
fn writes_go_out_once() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let issue = repo.issue("x", |_| {});
    let path = format!("/repos/org/app/issues/{issue}/comments");
    for fault in [
        Fault::on("POST", &path).status(500),
        Fault::on("POST", &path).bad_gateway_afterwards(),
        Fault::on("POST", &path).reset_afterwards(),
    ] {
        let tried = client(&fake);
        fake.fault(fault);
        let before = fake.requests().len();
        let error = tried.client.comment(&slug(), issue, "hello").unwrap_err();
        assert!(error.is_unclear(), "{error}");
        assert_eq!((fake.requests().len() - before, tried.waits.borrow().len()), (1, 0));
    }
    assert_eq!(repo.comments(issue).len(), 2, "two of them took effect");
    // What a limit refused did not happen, so it is sent again.
    let tried = client(&fake);
    fake.fault(Fault::on("POST", &path).too_many(Some(3)));
    tried.client.comment(&slug(), issue, "once").unwrap();
    assert_eq!(*tried.waits.borrow(), [3]);
    let written = repo.comments(issue);
    assert_eq!(written.iter().filter(|(_, body)| body == "once").count(), 1);
}

#[test]
fn a_check_run_whose_making_was_not_heard_of_is_found_again() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let sha = repo.history("main", 1).remove(0);
    let tried = client(&fake);
    let new = |external_id: &str| {
        json!({
            "name": "mgmt",
            "head_sha": sha,
            "status": "completed",
            "conclusion": "success",
            "external_id": external_id,
            "output": { "title": "pass", "summary": "all of it" },
        })
    };
    fake.fault(Fault::on("POST", "/repos/org/app/check-runs").bad_gateway_afterwards());
    let made = tried.client.make_check_run(&slug(), &new("run 1"), &[]).unwrap();
    assert_eq!(made.external_id.as_deref(), Some("run 1"));
    fake.fault(Fault::on("POST", "/repos/org/app/check-runs").status(500));
    assert!(tried.client.make_check_run(&slug(), &new("run 2"), &[]).is_err(), "this one was not made");
}

#[test]
fn one_odd_run_hides_no_other() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    repo.history("main", 1);
    repo.runs(3, |_, _| {});
    fake.fault(Fault::on("GET", RUNS).nulls("workflow-run"));
    let list = client(&fake).client.runs(&slug(), &RunFilter::default(), 10).unwrap();
    assert_eq!((list.items.len(), list.is_partial()), (3, false));
    assert!(list.items.iter().all(|run| run.head_branch.is_none() && run.conclusion.is_none()));
    fake.fault(Fault::on("GET", RUNS).edit(|page| {
        page["workflow_runs"][0]["conclusion"] = "brand_new".into();
        page["workflow_runs"][1]["id"] = "not a number".into();
    }));
    let list = client(&fake).client.runs(&slug(), &RunFilter::default(), 10).unwrap();
    assert_eq!(list.items[0].conclusion, Some(Conclusion::Other("brand_new".into())));
    assert_eq!((list.items.len(), list.unreadable.len(), list.is_partial()), (2, 1, true));
    let _ = fake.take_violations();
}

#[test]
fn lists_are_read_page_by_page_as_far_as_wanted() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    repo.history("main", 1);
    repo.runs(1_050, |_, _| {});
    let tried = client(&fake);
    let count = |limit: usize| {
        let before = fake.requests().len();
        let list = tried.client.runs(&slug(), &RunFilter::default(), limit).unwrap();
        (list.items.len(), list.truncated, fake.requests().len() - before)
    };
    assert_eq!(
        [count(50), count(100), count(250), count(2_000)],
        [(50, true, 1), (100, true, 1), (250, true, 3), (1_050, false, 11),]
    );
}

#[test]
fn artifacts_are_checked_and_the_storage_never_sees_the_token() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    let run = repo.run(|_| {});
    let bytes = zip(&[("a", b"1")]);
    repo.artifact(run, "x", bytes.clone());
    let tried = client(&fake);
    let read = |limit: u64| {
        let artifact = tried.client.artifacts_of_run(&slug(), run).unwrap().items.remove(0);
        let mut file = tempfile::tempfile().unwrap();
        tried.client.artifact(&slug(), &artifact, &mut file, limit)
    };
    assert!(matches!(read(1 << 20).unwrap(), Download::Whole(_)));
    assert!(matches!(read(3).unwrap_err().cause, Cause::TooLarge { limit: 3 }));
    // The fake itself fails the test if the token reaches the storage.
    assert_eq!(fake.downloads().len(), 1);
    let id = tried.client.artifacts_of_run(&slug(), run).unwrap().items[0].id;
    repo.edit_artifact(id, |artifact| artifact.digest = Some("sha256:00".into()));
    assert!(read(1 << 20).unwrap_err().to_string().contains("GitHub names 00"));
    repo.edit_artifact(id, |artifact| artifact.expires_at = artifact.created_at);
    assert_eq!(read(1 << 20).unwrap(), Download::Expired);
}

#[test]
fn a_missing_permission_is_named() {
    let fake = Fake::start();
    let issue = fake.repo("org/app").issue("x", |_| {});
    let tried = client(&fake);
    fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &["issues: write", "pull-requests: write"]);
    let error = tried.client.comment(&slug(), issue, "hello").unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    assert!(error.hint().unwrap().contains(": write`"), "{:?}", error.hint());
}

#[test]
fn a_token_goes_over_https_or_not_beyond_this_machine() {
    let connect = |api: &str, token: Option<&Secret>| {
        let hooks = Hooks { sleep: Box::new(|_| {}), tell: Box::new(|_| {}), clock: Clock::System };
        Client::new(api, token, hooks).map(drop).map_err(|error| error.to_string())
    };
    let token = Secret::new(TOKEN).unwrap();
    let refused = connect("http://ghe.example/api/v3", Some(&token)).unwrap_err();
    assert!(refused.contains("would be sent in the clear") && !refused.contains("canary"), "{refused}");
    for api in ["http://ghe.example/api/v3", "https://ghe.example/api/v3", "http://127.0.0.1:1", "http://[::1]:1"] {
        assert_eq!(connect(api, Some(&token).filter(|_| !api.starts_with("http://ghe"))), Ok(()), "{api}");
    }
    for wrong in ["", "api.github.com", "ftp://x", "https://user@x", "https://x?y"] {
        assert!(connect(wrong, None).is_err(), "{wrong}");
    }
}
