//! The gate before a stage of a deploy: what passes, and what never does.

use serde_json::Value;

use super::github::{Fake, Fault, TokenKind};
use super::scene::{JUNIT, Scene, TOKEN};
use super::support::{Ran, ran};

/// The clock of the fake stands still in the past, so ages are none of these tests' business unless they say so.
const POLICY: &str = "version: 1
gate: [{ metric: tests.failed, max: 0 }]
gates:
  deploy: [{ metric: tests.failed, max: 0 }, { metric: coverage.lines.percent, min: 50 }]
stages:
  staging: { workflows: ci.yml, max-age: 5000w, gate: deploy }
  production: { after: staging, workflows: ci.yml, max-age: 5000w, expect: [unit, e2e], gate: deploy }
  bare: { workflows: [ci.yml, lint.yml], max-age: 5000w, gate: false }
  old: { workflows: ci.yml, max-age: 1s, gate: false }
";

/// A scene whose default branch has stages.
pub(crate) fn scene() -> Scene {
    with(Scene::new())
}

fn with(scene: Scene) -> Scene {
    let repo = scene.fake.repo("org/app");
    repo.file(&scene.commit, "mgmt.yml", POLICY);
    repo.workflow("ci.yml");
    scene
}

pub(crate) fn gate(scene: &Scene, stage: &str, more: &[&str]) -> Ran {
    scene.mgmt(&[&["gate", "--stage", stage, "--sha", &scene.commit, "--repo", "org/app"], more].concat())
}

/// The exit code and the report.
pub(crate) fn json(scene: &Scene, stage: &str, more: &[&str]) -> (i32, Value) {
    let ran = gate(scene, stage, &[&["--format", "json", "-q"], more].concat());
    let value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (ran.code, value)
}

/// What the report says of one thing: verdict and message.
fn said<'v>(report: &'v Value, metric: &str) -> (&'v str, &'v str) {
    let rules = report["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["metric"] == metric).unwrap_or_else(|| panic!("no {metric}: {report}"));
    (rule["verdict"].as_str().unwrap(), rule["message"].as_str().unwrap())
}

pub(crate) fn deploy(fake: &Fake, commit: &str, environment: &str, state: &str) -> u64 {
    let id = fake.repo("org/app").deployment(environment, commit);
    fake.repo("org/app").deployment_status(id, state);
    id
}

#[test]
fn a_commit_with_green_runs_and_evidence_may_go_on() {
    for scene in [scene(), with(Scene::under("/api/v3"))] {
        let run = scene.run();
        scene.upload(run, 1, "");
        let (code, report) = json(&scene, "staging", &[]);
        assert_eq!((code, &report["verdict"]), (0, &Value::from("pass")), "{report}");
        assert_eq!(
            (&report["project"]["commit"], &report["project"]["name"]),
            (&scene.commit.as_str().into(), &"app".into())
        );
        assert_eq!(report["policy"]["commit"], scene.commit.as_str());
        assert_eq!(report["measurements"]["tests.total"], 2);
        assert_eq!((said(&report, "workflow ci.yml").0, said(&report, "evidence").0), ("pass", "pass"));
        assert_eq!(report["rules"][0]["gate"], "stage staging");
        assert_eq!(report["rules"][2]["gate"], "deploy");
        let requests = scene.fake.requests().len();
        assert!(requests <= 7, "{requests} requests");
        assert_eq!(scene.project.records().len(), 1, "it is stored like any other");
    }
}

#[test]
fn the_default_branch_decides_and_not_what_is_checked_out() {
    let scene = scene();
    let checks = "checks: { tests: { group: test, run: [pytest], evidence: { tests: junit.xml } } }\n";
    let lax = POLICY.replace("max: 0", "max: 99") + checks;
    scene.project.write("mgmt.yml", lax);
    let run = scene.run();
    scene.project.write("made/junit.xml", JUNIT.replace("'b'/>", "'b'><failure/></testcase>"));
    scene.upload(run, 1, "");
    let (code, report) = json(&scene, "staging", &[]);
    assert_eq!((code, said(&report, "tests.failed").0), (1, "fail"), "{report}");

    let nowhere = gate(&scene, "stagin", &[]);
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    assert!(nowhere.stderr.contains("there is no stage `stagin`\nhelp: did you mean `staging`?"), "{nowhere:?}");
    assert!(nowhere.stderr.contains("mgmt.yml on main of org/app decide"), "{nowhere:?}");

    scene.fake.repo("org/app").file(&scene.commit, "mgmt.yml", "version: 1\nstages: { staging: {} }\n");
    let broken = gate(&scene, "staging", &[]);
    assert_eq!(broken.code, 2, "{broken:?}");
    assert!(broken.stderr.contains("--> mgmt.yml on main of org/app:2:"), "{broken:?}");

    scene.fake.repo("org/app").edit(|repo| repo.commits.get_mut(&scene.commit).unwrap().files.clear());
    let none = gate(&scene, "staging", &[]);
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.stderr.contains("there is no mgmt.yml on main of org/app"), "{none:?}");
}

#[test]
fn what_a_run_may_not_be_is_told() {
    type Change = (&'static str, i32, &'static str, fn(&Scene, u64));
    let changes: [Change; 15] = [
        ("failed", 1, "failed", |scene, run| conclude(scene, run, Some("failure"))),
        ("timed out", 1, "took too long", |scene, run| conclude(scene, run, Some("timed_out"))),
        ("did not start", 1, "could not start", |scene, run| conclude(scene, run, Some("startup_failure"))),
        ("cancelled", 4, "was cancelled", |scene, run| conclude(scene, run, Some("cancelled"))),
        ("skipped", 4, "nothing ran", |scene, run| conclude(scene, run, Some("skipped"))),
        ("neutral", 4, "neither yes nor no", |scene, run| conclude(scene, run, Some("neutral"))),
        ("stale", 4, "given up by GitHub", |scene, run| conclude(scene, run, Some("stale"))),
        ("held", 4, "somebody's approval", |scene, run| conclude(scene, run, Some("action_required"))),
        ("ended somehow", 4, "does not say how", |scene, run| conclude(scene, run, None)),
        ("runs again", 4, "has not ended: in_progress", |scene, run| scene.fake.repo("org/app").rerun(run, None)),
        ("failed again", 1, "attempt 2, push on main) failed", |scene, run| {
            scene.fake.repo("org/app").rerun(run, Some("failure"));
        }),
        ("another commit", 4, "has not run on this commit", |scene, run| {
            scene.fake.repo("org/app").edit_run(run, |run| run.sha = "1".repeat(40));
        }),
        ("a pull request", 4, "`pull_request` only", |scene, run| {
            scene.fake.repo("org/app").edit_run(run, |run| run.event = "pull_request".into());
        }),
        ("a fork with the same commit", 4, "only a fork has run", |scene, run| {
            scene.fake.repo("org/app").fork("stranger/app");
            scene.fake.repo("org/app").edit_run(run, |run| {
                run.event = "pull_request".into();
                run.head_repo = "stranger/app".into();
            });
        }),
        ("of the future", 4, "in the future", |scene, run| {
            scene.fake.repo("org/app").edit_run(run, |run| run.started_at = "2999-01-01T00:00:00Z".parse().unwrap());
        }),
    ];
    for (name, code, told, change) in changes {
        let scene = scene();
        let run = scene.run();
        scene.upload(run, 1, "");
        change(&scene, run);
        let (got, report) = json(&scene, "staging", &[]);
        assert!(said(&report, "workflow ci.yml").1.contains(told), "{name}: {report}");
        assert_eq!(got, code, "{name}: {report}");
    }
}

pub(crate) fn conclude(scene: &Scene, run: u64, conclusion: Option<&str>) {
    scene.fake.repo("org/app").edit_run(run, |run| run.conclusion = conclusion.map(str::to_owned));
}

#[test]
fn age_and_lists_that_are_not_whole_are_no_pass() {
    let scene = scene();
    let run = scene.run();
    let (code, report) = json(&scene, "old", &[]);
    assert_eq!((code, said(&report, "workflow ci.yml").1.contains("too old")), (4, true), "{report}");

    // A run that cannot be read may be the one that failed.
    scene.upload(run, 1, "");
    scene.fake.fault(Fault::on("GET", "/repos/*/*/actions/workflows/*/runs").corrupt(|body| {
        let runs = body["workflow_runs"].as_array_mut().unwrap();
        runs.push(serde_json::json!({ "id": "no number" }));
    }));
    let (code, report) = json(&scene, "staging", &[]);
    assert_eq!((code, said(&report, "workflow ci.yml").1.contains("could not be read")), (4, true), "{report}");
}

#[test]
fn a_workflow_that_is_not_there_and_a_github_that_is_not_there_decide_nothing() {
    let scene = scene();
    scene.run();
    let (code, report) = json(&scene, "bare", &[]);
    assert_eq!((code, said(&report, "workflow ci.yml").0), (4, "pass"), "{report}");
    let (verdict, message) = said(&report, "workflow lint.yml");
    assert_eq!((verdict, message), ("inconclusive", "there is no workflow lint.yml, or the token may not see it"));

    let mut command = scene.command();
    command.args(["gate", "--stage", "bare", "--repo", "org/app", "--sha", &scene.commit]);
    let alone = ran(command.env("GITHUB_API_URL", "http://127.0.0.1:1").output().unwrap());
    assert_eq!(alone.code, 4, "{alone:?}");
}

#[test]
fn a_token_that_may_not_see_enough_is_told_what_it_lacks() {
    let scene = scene();
    scene.run();
    scene.fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &["actions: read", "deployments: read"]);
    let ran = gate(&scene, "production", &[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stdout.contains("grant the job the permission `actions: read`"), "{ran:?}");
    assert!(ran.stdout.contains("grant the job the permission `deployments: read`"), "{ran:?}");
    scene.fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &["contents: read"]);
    let ran = gate(&scene, "production", &[]);
    assert_eq!(ran.code, 4, "without the policy nothing is decided: {ran:?}");
    assert!(ran.stderr.contains("grant the job the permission `contents: read`"), "{ran:?}");
}

#[test]
fn the_stage_before_must_be_live_with_this_commit() {
    let scene = scene();
    let run = scene.run();
    scene.upload(run, 1, "unit");
    scene.upload(run, 1, "e2e");
    let before = |told: &str| {
        let (code, report) = json(&scene, "production", &[]);
        let (verdict, message) = said(&report, "stage staging");
        assert!(message.contains(told), "{told}: {message}");
        (code, verdict.to_owned())
    };
    assert_eq!(before("never deployed to staging"), (1, "fail".into()));
    deploy(&scene.fake, &"1".repeat(40), "staging", "success");
    assert_eq!(before("never deployed to staging"), (1, "fail".into()), "another commit is live there");
    let id = deploy(&scene.fake, &scene.commit, "staging", "in_progress");
    assert_eq!(before("is in_progress"), (4, "inconclusive".into()));
    for (state, told, want) in [
        ("success", "is live in staging", (0, "pass")),
        ("inactive", "was retired", (1, "fail")),
        ("success", "is live in staging", (0, "pass")),
        ("failure", "ended as failure", (1, "fail")),
        ("error", "ended as error", (1, "fail")),
        ("queued", "is queued", (4, "inconclusive")),
        ("success", "is live in staging", (0, "pass")),
    ] {
        scene.fake.repo("org/app").deployment_status(id, state);
        assert_eq!(before(told), (want.0, want.1.to_owned()), "{state}");
    }
    // A newer deployment of the same commit counts, whatever the older one was.
    let newer = scene.fake.repo("org/app").deployment("staging", &scene.commit);
    assert_eq!(before("has no status yet"), (4, "inconclusive".into()));
    scene.fake.repo("org/app").deployment_status(newer, "failure");
    assert_eq!(before("ended as failure"), (1, "fail".into()));
}

#[test]
fn evidence_must_be_whole_and_of_this_commit() {
    let evidence = |prepare: &dyn Fn(&Scene, u64)| {
        let scene = scene();
        deploy(&scene.fake, &scene.commit, "staging", "success");
        let run = scene.run();
        prepare(&scene, run);
        let (code, report) = json(&scene, "production", &[]);
        let (verdict, message) = said(&report, "evidence");
        (code, format!("{verdict}: {message}"))
    };
    let both = |scene: &Scene, run: u64| (scene.upload(run, 1, "unit"), scene.upload(run, 1, "e2e"));
    let is = |told: &str| (4, format!("inconclusive: {told}"));
    assert_eq!(evidence(&|_, _| {}), is("the evidence of unit and e2e is missing"));
    assert_eq!(evidence(&|scene, run| _ = scene.upload(run, 1, "unit")), is("the evidence of e2e is missing"));
    assert_eq!(evidence(&|scene, run| _ = both(scene, run)), (0, "pass: 2 shards of this commit".into()));
    let expired = evidence(&|scene, run| {
        let (_, e2e) = both(scene, run);
        scene.fake.repo("org/app").edit_artifact(e2e, |artifact| artifact.expires_at = artifact.created_at);
    });
    assert_eq!(expired, is("`mgmt-evidence-e2e-attempt1` has expired"));
    // Of another run, and so perhaps of another commit, however it is called.
    let foreign = evidence(&|scene, run| {
        both(scene, run);
        let other = scene.run();
        scene.fake.repo("org/app").edit_run(other, |run| run.started_at -= jiff::SignedDuration::from_hours(1));
        scene.fake.repo("org/app").edit(|repo| repo.artifacts.iter_mut().for_each(|one| one.run = other));
        scene.fake.repo("org/app").edit_run(run, |run| run.conclusion = Some("failure".into()));
        scene.fake.repo("org/app").edit_run(other, |run| run.started_at += jiff::SignedDuration::from_hours(2));
    });
    assert_eq!(foreign, is("`mgmt-evidence-e2e-attempt1`: it belongs to another run"));
    // The newest attempt of a shard counts, also where it is the worse one.
    let worse = evidence(&|scene, run| {
        both(scene, run);
        scene.fake.repo("org/app").rerun(run, Some("success"));
        scene.project.write("made/junit.xml", JUNIT.replace("'b'/>", "'b'><failure/></testcase>"));
        scene.upload(run, 2, "e2e");
    });
    assert_eq!(worse, (1, "pass: 2 shards of this commit".into()));
}

#[test]
fn twenty_shards_take_at_most_thirty_requests_with_the_answer() {
    let scene = scene();
    scene.fake.repo("org/app").file(&scene.commit, "mgmt.yml", POLICY.replace("[unit, e2e]", "20"));
    deploy(&scene.fake, &scene.commit, "staging", "success");
    let target = scene.fake.repo("org/app").deployment("production", &scene.commit);
    let run = scene.run();
    for shard in 0..20 {
        scene.upload(run, 1, &format!("s{shard}"));
    }
    let (code, report) = json(&scene, "production", &["--answer", "status"]);
    assert_eq!((code, said(&report, "evidence").1), (0, "20 shards of this commit"), "{report}");
    let (requests, downloads) = (scene.fake.requests().len(), scene.fake.downloads().len());
    assert_eq!(downloads, 20);
    assert!(requests <= 30, "{requests} requests");
    assert_eq!(status_of(&scene, target), Some("in_progress".into()));
}

/// The newest state of a deployment.
pub(crate) fn status_of(scene: &Scene, deployment: u64) -> Option<String> {
    scene.fake.repo("org/app").edit(|repo| {
        let deployment = repo.deployments.iter().find(|one| one.id == deployment).unwrap();
        deployment.statuses.last().map(|status| status.state.clone())
    })
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    let scene = scene();
    let sha = scene.commit.as_str();
    for (args, told) in [
        (&["--stage", "a"][..], "--sha <SHA>"),
        (&["--sha", sha], "--stage <NAME>"),
        (&["--stage", "a", "--sha", &sha[..10]], "write all forty digits of the commit"),
        (&["--stage", "a", "--sha", sha, "--evidence", "x.xml"], "cannot be used with '--evidence"),
        (&["--stage", "a", "--sha", sha, "--gate", "g"], "cannot be used with '--gate"),
        (&["--stage", "a", "--sha", sha, "--base", "main"], "cannot be used with '--base"),
        (&["--stage", "a", "--sha", sha, "--answer", "rule"], "--run <ID>"),
        (&["--stage", "a", "--sha", sha, "--answer", "status", "--run", "1"], "--run names the run"),
        (&["--stage", "a", "--sha", sha, "--environment", "b"], "--answer <WHOM>"),
        (&["--evidence", "x.xml", "--wait", "5m"], "--stage <NAME>"),
        (&[], "--evidence"),
    ] {
        let ran = scene.mgmt(&[&["gate"], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(told), "{args:?}: {ran:?}");
    }
    assert!(scene.fake.requests().is_empty());
}
