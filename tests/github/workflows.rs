//! Workflows: their state, starting them, and running failed jobs again.

use std::collections::BTreeMap;

use mgmt_action::github::{Dispatched, WorkflowState};

use super::client::{TOKEN, client, slug};
use super::github::{Fake, Fault, Repo, TokenKind};

const RETRAIN: &str = "/repos/org/app/actions/workflows/retrain.yml";
const DISPATCHES: &str = "/repos/org/app/actions/workflows/retrain.yml/dispatches";
const ENABLE: &str = "/repos/org/app/actions/workflows/retrain.yml/enable";

fn trained(fake: &Fake) -> Repo<'_> {
    let repo = fake.repo("org/app");
    repo.history("main", 1);
    repo.workflow("retrain.yml");
    repo
}

fn put(repo: &Repo<'_>, state: &str) {
    repo.edit(|repo| repo.workflows[0].state = state.to_owned());
}

#[test]
fn a_workflow_tells_whether_it_listens() {
    let fake = Fake::start();
    let repo = trained(&fake);
    let tried = client(&fake);
    for (word, state) in [
        ("active", WorkflowState::Active),
        ("deleted", WorkflowState::Deleted),
        ("disabled_fork", WorkflowState::DisabledFork),
        ("disabled_inactivity", WorkflowState::DisabledInactivity),
        ("disabled_manually", WorkflowState::DisabledManually),
    ] {
        put(&repo, word);
        let workflow = tried.client.workflow(&slug(), "retrain.yml").unwrap();
        assert_eq!(
            (workflow.state.as_ref(), workflow.path.as_deref()),
            (Some(&state), Some(".github/workflows/retrain.yml"))
        );
        assert_eq!(tried.client.workflow(&slug(), &workflow.id.to_string()).unwrap(), workflow);
    }
    fake.fault(Fault::on("GET", RETRAIN).unknown_words());
    let odd = tried.client.workflow(&slug(), "retrain.yml").unwrap().state;
    assert_eq!(odd, Some(WorkflowState::Other("brand_new".into())));
    assert!(tried.client.workflow(&slug(), "../../x").unwrap_err().is_missing());
    for number in 0..120 {
        repo.workflow(&format!("{number}.yml"));
    }
    let all = tried.client.workflows(&slug()).unwrap();
    assert_eq!((all.items.len(), all.is_partial()), (121, false));
}

#[test]
fn a_workflow_is_enabled_once_and_looked_at_if_nobody_answers() {
    let fake = Fake::start();
    let repo = trained(&fake);
    let tried = client(&fake);
    for fault in [Fault::on("PUT", ENABLE).bad_gateway_afterwards(), Fault::on("PUT", ENABLE).reset_afterwards()] {
        put(&repo, "disabled_inactivity");
        fake.fault(fault);
        tried.client.enable_workflow(&slug(), "retrain.yml").unwrap();
        assert_eq!(repo.read(|repo| repo.workflows[0].state.clone()), "active");
    }
    put(&repo, "disabled_inactivity");
    fake.fault(Fault::on("PUT", ENABLE).status(500));
    assert_eq!(tried.client.enable_workflow(&slug(), "retrain.yml").unwrap_err().http_status(), Some(500));
    assert_eq!(fake.count("PUT", ENABLE), 3);
    fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &["actions: write"]);
    let error = tried.client.enable_workflow(&slug(), "retrain.yml").unwrap_err();
    assert_eq!(error.hint().unwrap(), "grant the job the permission `actions: write`");
}

#[test]
fn a_dispatch_goes_out_once_and_its_run_is_found() {
    let fake = Fake::start();
    let repo = trained(&fake);
    let tried = client(&fake);
    let inputs: BTreeMap<_, _> = [("full".to_owned(), "true".to_owned())].into();
    let dispatch = || tried.client.dispatch(&slug(), "retrain.yml", "main", &inputs);
    let newest = || repo.read(|repo| repo.runs.last().map(|run| run.id));
    assert_eq!(dispatch().unwrap(), Dispatched::Taken(newest()));
    assert_eq!(repo.read(|repo| repo.dispatches[0].inputs["full"].clone()), "true");
    for fault in
        [Fault::on("POST", DISPATCHES).bad_gateway_afterwards(), Fault::on("POST", DISPATCHES).reset_afterwards()]
    {
        fake.fault(fault);
        assert_eq!(dispatch().unwrap(), Dispatched::Seen(newest().unwrap()));
    }
    assert!(tried.waits.borrow().is_empty());
    // Not taken at all: an older run is no proof, and the dispatch is not repeated.
    fake.fault(Fault::on("POST", DISPATCHES).status(500));
    assert_eq!(dispatch().unwrap_err().http_status(), Some(500));
    assert_eq!(*tried.waits.borrow(), [2, 2]);
    assert_eq!((fake.count("POST", DISPATCHES), repo.read(|repo| repo.dispatches.len())), (4, 3));
    put(&repo, "disabled_manually");
    assert!(dispatch().unwrap_err().to_string().contains("on a disabled workflow"));
}

#[test]
fn an_installation_that_names_no_run_has_taken_the_dispatch_all_the_same() {
    let fake = Fake::start();
    trained(&fake);
    let tried = client(&fake);
    fake.fault(Fault::on("POST", DISPATCHES).corrupt(|answer| *answer = serde_json::json!({})));
    let taken = tried.client.dispatch(&slug(), "retrain.yml", "main", &BTreeMap::new()).unwrap();
    assert_eq!(taken, Dispatched::Taken(None));
    let _ = fake.take_violations();
}

#[test]
fn failed_jobs_run_again_once() {
    let fake = Fake::start();
    let repo = trained(&fake);
    let tried = client(&fake);
    let failed = || {
        let id = repo.run(|run| run.conclusion = Some("failure".to_owned()));
        (tried.client.run(&slug(), id).unwrap(), format!("/repos/org/app/actions/runs/{id}/rerun-failed-jobs"))
    };
    let (run, path) = failed();
    assert_eq!(tried.client.rerun_failed_jobs(&slug(), &run).unwrap(), 2);
    assert!(tried.client.rerun_failed_jobs(&slug(), &run).unwrap_err().to_string().contains("already running"));
    assert_eq!(fake.count("POST", &path), 2);
    let (run, path) = failed();
    fake.fault(Fault::on("POST", &path).bad_gateway_afterwards());
    assert_eq!(tried.client.rerun_failed_jobs(&slug(), &run).unwrap(), 2);
    let (run, path) = failed();
    fake.fault(Fault::on("POST", &path).status(502));
    assert!(tried.client.rerun_failed_jobs(&slug(), &run).is_err());
    assert_eq!((fake.count("POST", &path), repo.read(|repo| repo.runs.last().unwrap().attempt)), (1, 1));
}
