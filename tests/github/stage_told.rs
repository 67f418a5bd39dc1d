//! The gate before a stage of a deploy: how it waits, what its reports say, and whom on GitHub it tells.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use mgmt_action::app::Context;
use mgmt_action::app::stage::{self, Answer, Request};
use mgmt_action::github::{Client, Hooks};
use mgmt_action::report::{self, Options};
use mgmt_action::sys::clock::Clock;
use mgmt_action::sys::env::Env;
use mgmt_action::sys::secret::Secret;

use super::github::{Fault, TokenKind};
use super::scene::{Scene, TOKEN};
use super::stage::{conclude, deploy, gate, scene, status_of};
use super::support::ran;

#[test]
fn a_deployment_is_told_what_came_of_it_and_failing_to_tell_changes_nothing() {
    let scene = scene();
    let none = gate(&scene, "staging", &["--answer", "status"]);
    assert_eq!(none.code, 4, "{none:?}");
    assert!(none.stderr.contains("the status of the deployment of this commit to staging: there is none"), "{none:?}");

    let target = scene.fake.repo("org/app").deployment("staging", &scene.commit);
    assert_eq!(gate(&scene, "staging", &["--answer", "status"]).code, 4);
    assert_eq!(status_of(&scene, target), Some("error".into()));
    let run = scene.run();
    scene.upload(run, 1, "");
    conclude(&scene, run, Some("failure"));
    assert_eq!(gate(&scene, "staging", &["--answer", "status"]).code, 1);
    assert_eq!(status_of(&scene, target), Some("failure".into()));

    let elsewhere = scene.fake.repo("org/app").deployment("review", &scene.commit);
    assert_eq!(gate(&scene, "staging", &["--answer", "status", "--environment", "review"]).code, 1);
    assert_eq!(status_of(&scene, elsewhere), Some("failure".into()));

    // The answer was lost: it is looked up, not sent again.
    conclude(&scene, run, Some("success"));
    let before = scene.fake.requests().len();
    scene.fake.fault(Fault::on("POST", "/repos/*/*/deployments/*/statuses").reset_afterwards());
    let lost = gate(&scene, "staging", &["--answer", "status"]);
    assert_eq!((lost.code, lost.stderr.contains("warning")), (0, false), "{lost:?}");
    assert_eq!(status_of(&scene, target), Some("in_progress".into()));
    let sent = scene.fake.requests()[before..].iter().filter(|request| request.method == "POST").count();
    assert_eq!(sent, 1);

    // What is live is not taken away by a gate that is asked again.
    scene.fake.repo("org/app").deployment_status(target, "success");
    let live = gate(&scene, "staging", &["--answer", "status"]);
    assert!(live.code == 0 && live.stderr.contains("to staging stays: it is live"), "{live:?}");
    assert_eq!(status_of(&scene, target), Some("success".into()));
    let target = scene.fake.repo("org/app").deployment("staging", &scene.commit);
    scene.fake.repo("org/app").deployment_status(target, "queued");

    scene.fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &["deployments: write"]);
    let refused = gate(&scene, "staging", &["--answer", "status"]);
    assert_eq!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("grant the job the permission `deployments: write`"), "{refused:?}");
}

#[test]
fn the_step_shows_what_was_decided() {
    let scene = scene();
    let run = scene.run();
    scene.upload(run, 1, "");
    let place = tempfile::tempdir().unwrap();
    let shown = |to: &str| {
        let (summary, outputs) = (place.path().join("summary"), place.path().join("outputs"));
        for file in [&summary, &outputs] {
            std::fs::write(file, "").unwrap();
        }
        let mut command = scene.command();
        command.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_OUTPUT", &outputs);
        let args = ["gate", "--repo=org/app", "--stage=staging", "--sha", &scene.commit, to];
        let ran = ran(command.args(args).output().unwrap());
        (ran, std::fs::read_to_string(&summary).unwrap(), std::fs::read_to_string(&outputs).unwrap())
    };
    let (ran, summary, outputs) = shown("--to=summary,outputs");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(summary.contains("## ✅ pass") && summary.contains("coverage.lines.percent"), "{summary}");
    let lines: Vec<_> = outputs.lines().collect();
    for (name, value) in [("verdict<<", "pass"), ("tests-total<<", "2"), ("coverage-lines<<", "50")] {
        let is_told = |pair: &[&str]| pair[0].starts_with(name) && pair[1].starts_with(value);
        assert!(lines.windows(2).any(is_told), "{name}: {outputs}");
    }
    assert!(outputs.contains("report-markdown"), "{outputs}");
    let (_, summary, outputs) = shown("--to=outputs");
    assert!(summary.is_empty() && !outputs.is_empty());
    let (refused, ..) = shown("--to=comment");
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("a stage is shown by its step alone"), "{refused:?}");
}

#[test]
fn a_protection_rule_is_answered_by_its_app_alone() {
    let scene = scene();
    let repo = scene.fake.repo("org/app");
    repo.environment("staging", |environment| environment.rules.push("gatekeeper".into()));
    let run = scene.run();
    scene.upload(run, 1, "");
    let waiting = repo.run(|run| {
        run.sha = "2".repeat(40);
        run.status = Some("waiting".into());
        run.conclusion = None;
        run.pending = vec!["staging".into()];
    });
    let id = waiting.to_string();
    let rule = ["--answer", "rule", "--run", &id, "--environment", "staging"];
    let refused = gate(&scene, "staging", &rule);
    assert_eq!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("only the GitHub App that the protection rule belongs to"), "{refused:?}");

    let app = |args: &[&str]| {
        let mut command = scene.command();
        command.env("GITHUB_TOKEN", "ghs_app").args(["gate", "--repo", "org/app", "--sha", &scene.commit]).args(args);
        ran(command.output().unwrap())
    };
    scene.fake.token("ghs_app", TokenKind::App, "gatekeeper[bot]", &[]);
    scene.fake.repo("org/app").rerun(run, None);
    let open = app(&[&["--stage", "staging"], &rule[..]].concat());
    assert_eq!((open.code, open.stderr.contains("warning")), (4, false), "{open:?}");
    conclude_all(&scene, run);
    let passed = app(&[&["--stage", "staging"], &rule[..]].concat());
    assert_eq!((passed.code, passed.stderr.contains("warning")), (0, false), "{passed:?}");
    let answers: Vec<_> = scene.fake.repo("org/app").edit(|repo| {
        let run = repo.runs.iter().find(|run| run.id == waiting).unwrap();
        run.rule_answers.iter().map(|answer| (answer.state.clone(), answer.comment.clone())).collect()
    });
    assert_eq!(answers[0].0, None, "nobody can say: it goes on waiting");
    assert!(answers[0].1.starts_with("staging: inconclusive: "), "{answers:?}");
    assert_eq!(answers[1].0.as_deref(), Some("approved"));
}

fn conclude_all(scene: &Scene, run: u64) {
    scene.fake.repo("org/app").edit_run(run, |run| {
        run.status = Some("completed".into());
        run.conclusion = Some("success".into());
    });
}

/// Decides within this process: what is waited for, and the clock, are the test's.
fn decide(
    scene: &Arc<Scene>,
    request: &Request,
    sleep: impl Fn(&Scene, Duration) + 'static,
) -> (String, Vec<String>, i32) {
    let told = Rc::new(RefCell::new(Vec::new()));
    let (teller, sleeper) = (Rc::clone(&told), Arc::clone(scene));
    let clock = Clock::Fixed(scene.fake.state().now + jiff::SignedDuration::from_hours(3));
    let hooks = Hooks {
        sleep: Box::new(move |time| sleep(&sleeper, time)),
        tell: Box::new(move |line| teller.borrow_mut().push(line.to_owned())),
        clock,
    };
    let client = Client::new(scene.fake.url(), Some(&Secret::new(TOKEN).unwrap()), hooks).unwrap();
    let cwd = Utf8PathBuf::from_path_buf(scene.project.root().to_owned()).unwrap();
    let context = Context { cwd, env: Env::default(), clock, config: None, report_dir: None };
    let checked = stage::decide(&context, &client, request).unwrap();
    let human = (report::renderer("human").unwrap().render)(&checked.record, Options { colour: false, verbose: false });
    drop(client);
    let told = told.borrow().clone();
    (scene.project.redact(&human), told, checked.record.verdict.exit_code().into())
}

fn request(scene: &Scene, stage: &str, wait: u64) -> Request {
    Request {
        stage: stage.into(),
        sha: scene.commit.clone(),
        repo: Some("org/app".into()),
        wait: Duration::from_secs(wait),
        answer: None::<Answer>,
        to: Vec::new(),
    }
}

#[test]
fn a_run_that_goes_on_is_waited_for_in_growing_pauses() {
    let scene = Arc::new(scene());
    let run = scene.run();
    scene.upload(run, 1, "");
    scene.fake.repo("org/app").rerun(run, None);
    let (_, told, code) = decide(&scene, &request(&scene, "staging", 100), |_, _| {});
    let pauses = ["5.0 s", "10.0 s", "20.0 s", "40.0 s", "25.0 s"];
    let line = |pause: &str| format!("run 1 (attempt 2, push on main) has not ended: in_progress; waiting for {pause}");
    assert_eq!((told, code), (pauses.map(line).into(), 4));

    // It ends well while it is waited for.
    let (_, told, code) = decide(&scene, &request(&scene, "staging", 3_600), move |scene, time| {
        if time >= Duration::from_secs(20) {
            conclude_all(scene, run);
        }
    });
    assert_eq!((told.len(), code), (3, 0));

    // What has failed is not waited for.
    let (_, told, code) = decide(&scene, &request(&scene, "production", 3_600), |_, _| panic!("nothing goes on"));
    assert_eq!((told, code), (vec![], 1));
}

#[test]
fn a_report_says_what_was_looked_at_what_is_wanted_and_what_to_do() {
    let scene = Arc::new(scene());
    deploy(&scene.fake, &scene.commit, "staging", "success");
    let run = scene.run();
    scene.upload(run, 1, "unit");
    let (open, ..) = decide(&scene, &request(&scene, "production", 0), |_, _| {});
    insta::assert_snapshot!(open, @r"
    gate app  @ [commit]

    rules (gate stage production)
      pass   workflow ci.yml         success, 3 h ago  success within 35000d  https://github.com/org/app/actions/runs/1006
      pass   stage staging                       live  live
      ?      evidence                         1 shard  unit, e2e              the evidence of e2e is missing
      pass   tests.failed                           0  max 0                  made/junit.xml
      pass   coverage.lines.percent              50 %  min 50                 made/lcov.info

    INCONCLUSIVE  1 rule could not be judged ( [time])
    next: evidence (unit, e2e) could not be judged: the evidence of e2e is missing → let the jobs upload theirs with `mgmt collect`, and compare the names with `artifacts` and `expect`
    ");
    scene.upload(run, 1, "e2e");
    let (passed, ..) = decide(&scene, &request(&scene, "production", 0), |_, _| {});
    insta::assert_snapshot!(passed, @r"
    gate app  @ [commit]

    rules (gate stage production)
      pass   workflow ci.yml         success, 3 h ago  success within 35000d  https://github.com/org/app/actions/runs/1006
      pass   stage staging                       live  live
      pass   evidence                        2 shards  unit, e2e
      pass   tests.failed                           0  max 0                  made/junit.xml
      pass   coverage.lines.percent              50 %  min 50                 made/lcov.info

    PASS  5 rules held ( [time])
    ");
}

#[test]
fn markdown_shows_the_same() {
    let scene = scene();
    let run = scene.run();
    conclude(&scene, run, Some("cancelled"));
    let ran = gate(&scene, "staging", &["--format", "markdown", "-q"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let html = gate(&scene, "staging", &["--format", "html", "-q"]).stdout;
    assert!(html.contains("cancelled before it could say anything") && html.contains("success within"));
    insta::assert_snapshot!(scene.project.redact(&ran.stdout), @r"
    ## ❔ inconclusive: app `gate`

    4 rules could not be judged.

    **What to do next**

    1. workflow ci.yml (success within 35000d) could not be judged: run 1 (push on main) was cancelled before it could say anything → run it again: https:&#8203;//github.com/org/app/actions/runs/1004
    1. evidence (of this commit) could not be judged: none of the runs left evidence behind → let the jobs upload theirs with `mgmt collect`, and compare the names with `artifacts` and `expect`
    1. tests.failed (max 0) could not be judged: not measured; no report that was given is about it
    1. coverage.lines.percent (min 50) could not be judged: not measured; no report that was given is about it

    ### Rules (gate `stage staging`)

    | | metric | value | limit | read from |
    |---|---|---:|---|---|
    | ❔ inconclusive | `workflow ci.yml` | cancelled | success within 35000d | `https://github.com/org/app/actions/runs/1004` |
    | ❔ inconclusive | `evidence` | none | of this commit |  |
    | ❔ inconclusive | `tests.failed` | not measured | max 0 |  |
    | ❔ inconclusive | `coverage.lines.percent` | not measured | min 50 |  |

    Commit `[commit]`. Policy `mgmt.yml`. Began [minute], took [time]. Record `[stamp]-gate-inconclusive`.
    ");
}
