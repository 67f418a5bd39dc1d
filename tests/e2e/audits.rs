//! The audit of a scheduled training, on a schedule: the workflow that `init --github` writes, and the reusable one.

use jiff::{SignedDuration, Timestamp};

use super::act::{BOT, Bench, Event, Jobs, REPOSITORY};
use super::discord::Fake as Discord;
use super::github::zip;

/// What the runs of this policy's training did is told by the fake's clock, so each audit is as of a moment of it.
const POLICY: &str = "\
version: 1
project: { name: project, default-branch: main }
retrain:
  workflow: train.yml
  tolerance: 12h
  timeout: 90m
  history: 4w
  expect:
    artifact: model
    metrics: { file: metrics.json, must: [f1] }
    deploy: { within: 6h, environment: production }
  champion: [{ metric: f1, min: 0.6, max-drop: 0.01 }]
notify: { discord: { url-env: DISCORD_WEBHOOK_URL } }
";
const TRAIN: &str = "\
on:
  schedule:
    - cron: '0 18 * * 0'
  workflow_dispatch:
jobs:
  train:
    runs-on: ubuntu-24.04
    steps:
      - run: ./train
";
/// The Monday after a slot, when the audit's own schedule is due.
const AS_OF: &str = "2024-06-24T07:17:00Z";
/// The newest slot before it.
const SLOT: &str = "2024-06-23T18:00:00Z";
/// When everything began.
const BEGIN: &str = "2024-01-01T00:00:00Z";
const AUDIT: &str = "mgmt-retrain-audit.yml";
/// The line of its arguments by which it tells anybody.
const PUBLISH: &str = "            --publish\n";
const REUSING: &str = "\
on:
  schedule:
    - cron: '17 7 * * *'
permissions: {}
jobs:
  audit:
    uses: org/mgmt-action/.github/workflows/retrain-audit.yml@v1
    permissions: { contents: read, actions: read, deployments: read, pull-requests: read, issues: write }
    with:
      publish: false
      as-of: 'AS-OF'
    secrets:
      DISCORD_WEBHOOK_URL: ${{ secrets.DISCORD_WEBHOOK_URL }}
  after:
    needs: audit
    runs-on: ubuntu-24.04
    steps:
      - run: echo \"told <${VERDICT}>\"
        env:
          VERDICT: ${{ needs.audit.outputs.verdict }}
";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A project with this policy and the workflow that `init` writes.
fn written(policy: &str) -> Bench {
    let bench = Bench::new(policy);
    bench.project.write(".github/workflows/train.yml", TRAIN);
    let ran = bench.project.run(&["init", "--github"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    bench
}

/// That workflow, telling nobody, and its last four retrainings, which went well.
fn bench() -> Bench {
    let bench = written(POLICY);
    let project = &bench.project;
    let written = project.read(&format!(".github/workflows/{AUDIT}"));
    assert!(written.contains("- cron: \"17 7 * * *\"\n") && written.contains(PUBLISH), "{written}");
    project.write(".github/workflows/reusing.yml", REUSING.replace("AS-OF", AS_OF));
    let reusable = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/workflows/retrain-audit.yml");
    project.write(".github/workflows/by-hand.yml", std::fs::read(reusable).unwrap());
    change(&bench, PUBLISH, &as_of(AS_OF));
    for weeks in (0..4).rev() {
        train(&bench, time(SLOT) - SignedDuration::from_hours(weeks * 7 * 24));
    }
    bench
}

/// The line of the workflow's arguments that names a moment.
fn as_of(moment: &str) -> String {
    format!("            --as-of={moment}\n")
}

/// Changes a line of the workflow that `init` wrote, long before any slot.
fn change(bench: &Bench, from: &str, to: &str) {
    let path = format!(".github/workflows/{AUDIT}");
    let changed = bench.project.read(&path).replace(from, to);
    assert!(changed.contains(to), "{from} in {changed}");
    bench.project.write(&path, changed);
    settle(bench);
}

/// Pushes the project as it is, long before any slot.
fn settle(bench: &Bench) {
    bench.commit(REPOSITORY, "main");
    bench.repo().workflow("train.yml");
    bench.repo().edit(|repo| {
        repo.commits.values_mut().for_each(|commit| commit.at = time(BEGIN));
        repo.workflows.iter_mut().for_each(|workflow| workflow.created_at = time(BEGIN));
        repo.pushed_at = Some(time(SLOT));
    });
}

/// A retraining that goes well, with its model and its deployment.
fn train(bench: &Bench, slot: Timestamp) {
    let repo = bench.repo();
    let sha = repo.read(|repo| repo.refs["heads/main"].clone());
    let workflow = repo.workflow("train.yml");
    let after = |minutes| slot + SignedDuration::from_mins(minutes);
    let run = repo.run(|run| {
        (run.workflow_id, run.path) = (workflow, ".github/workflows/train.yml".to_owned());
        (run.event, run.sha, run.branch) = ("schedule".to_owned(), sha.clone(), Some("main".to_owned()));
        (run.created_at, run.started_at, run.updated_at) = (after(5), after(5), after(45));
    });
    let files = [("model.bin", format!("model of {slot}")), ("metrics.json", r#"{"f1": 0.7}"#.to_owned())];
    let model = repo.artifact(run, "model", zip(&files.each_ref().map(|(name, text)| (*name, text.as_bytes()))));
    repo.edit_artifact(model, |one| one.created_at = after(40));
    let deployment = repo.deployment("production", &sha);
    repo.deployment_status(deployment, "success");
    repo.edit(|repo| {
        let one = repo.deployments.iter_mut().find(|one| one.id == deployment).unwrap();
        (one.created_at, one.statuses[0].created_at) = (after(50), after(55));
    });
}

/// Takes the newest retraining away, as if it had never begun.
fn miss(bench: &Bench) {
    bench.repo().edit(|repo| repo.runs.retain(|run| run.created_at < time(SLOT) || !run.path.ends_with("train.yml")));
}

/// Lets the audit's schedule come.
fn audit(bench: &Bench, workflow: &'static str) -> Jobs {
    read_only(bench, &bench.event_of(workflow, "schedule"))
}

/// Runs an audit that tells nobody.
fn read_only(bench: &Bench, event: &Event) -> Jobs {
    let before = bench.fake.requests().len();
    let jobs = bench.start(event);
    let asked = &bench.fake.requests()[before..];
    assert!(!asked.is_empty() && asked.len() <= 30, "{} requests", asked.len());
    assert!(asked.iter().all(|request| request.method == "GET"), "nobody asked it to write");
    assert_eq!(bench.kept("artifacts"), [""; 0]);
    jobs
}

#[test]
fn a_week_that_was_missed_fails_the_scheduled_audit_and_the_next_that_is_kept_passes() {
    let bench = bench();
    let jobs = audit(&bench, AUDIT);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (0, 1, 0), "{}", jobs.log);
    assert!(jobs.log.contains("4 of 4 slots did what is expected"), "{}", jobs.log);
    miss(&bench);
    let jobs = audit(&bench, AUDIT);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (1, 0, 1), "{}", jobs.log);
    let told = "the slot of 2024-06-23 18:00 UTC is missed; 3 of 4 slots did what is expected";
    assert!(jobs.log.contains(told), "{}", jobs.log);
}

#[test]
fn the_reusable_audit_says_its_verdict_to_the_jobs_after_it() {
    let bench = bench();
    let jobs = audit(&bench, "reusing.yml");
    assert!(jobs.code == 0 && jobs.log.contains("told <pass>"), "{}", jobs.log);
    // act starts no job after a reusable workflow that failed, whatever its condition: the action's own output is seen.
    let failed = |jobs: &Jobs, verdict| {
        let told = format!("::set-output:: verdict={verdict}\n");
        assert!((jobs.code, jobs.failed) == (1, 1) && jobs.log.contains(&told), "{verdict}: {}", jobs.log);
    };
    miss(&bench);
    failed(&audit(&bench, "reusing.yml"), "fail");
    // What is needed and cannot be seen is no pass.
    bench.allow(&["actions: read"]);
    failed(&audit(&bench, "reusing.yml"), "inconclusive");
}

#[test]
fn the_same_workflow_can_be_started_by_hand() {
    let bench = bench();
    let mut event = bench.event_of("by-hand.yml", "workflow_dispatch");
    event.payload["inputs"] = serde_json::json!({ "publish": "false", "as-of": AS_OF, "config": "mgmt.yml" });
    let jobs = read_only(&bench, &event);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (0, 1, 0), "{}", jobs.log);
    assert!(jobs.log.contains("4 of 4 slots did what is expected"), "{}", jobs.log);
}

/// One audit that tells: what it ends with, the issue's state, how often the message was edited, and its title.
fn told(bench: &Bench, discord: &Discord, code: i32) -> (String, usize, String) {
    let jobs = bench.start(&bench.event_of(AUDIT, "schedule"));
    assert_eq!((jobs.code, jobs.failed), (code, usize::try_from(code).unwrap()), "{}", jobs.log);
    assert!(jobs.summary.contains("`train.yml`"), "{}\n{}", jobs.summary, jobs.log);
    let (issues, messages) = (bench.repo().read(|repo| repo.issues.clone()), discord.messages());
    assert_eq!((issues.len(), messages.len()), (1, 1), "{issues:?}\n{messages:?}");
    assert_eq!(issues[0].author, BOT);
    let title = messages[0].content["embeds"][0]["title"].as_str().unwrap();
    (issues[0].state.clone(), messages[0].edits, title.split(": ").next().unwrap().to_owned())
}

#[test]
fn trouble_is_one_issue_and_one_message_until_it_is_over() {
    let discord = Discord::start();
    let bench = bench().with_discord(&discord);
    miss(&bench);
    let first = as_of(AS_OF);
    change(&bench, &first, &format!("{PUBLISH}{first}"));
    assert_eq!(told(&bench, &discord, 1), ("open".to_owned(), 0, "ERROR".to_owned()));
    // A week later, and missed again.
    let (second, third) = (as_of("2024-07-01T07:17:00Z"), as_of("2024-07-08T07:17:00Z"));
    change(&bench, &first, &second);
    assert_eq!(told(&bench, &discord, 1), ("open".to_owned(), 1, "CRITICAL, ongoing".to_owned()));
    let body = bench.repo().read(|repo| repo.issues[0].body.clone().unwrap());
    assert!(body.contains("2024-06-30 18:00"), "{body}");
    change(&bench, &second, &third);
    train(&bench, time("2024-07-07T18:00:00Z"));
    assert_eq!(told(&bench, &discord, 0), ("closed".to_owned(), 2, "RECOVERED".to_owned()));
}

#[test]
fn what_the_policy_declares_is_done_by_the_scheduled_audit() {
    let discord = Discord::start();
    let policy = POLICY.replace("notify:", "  remediate: { enable-disabled: true }\nnotify:");
    let bench = written(&policy).with_discord(&discord);
    settle(&bench);
    let state = || bench.repo().read(|repo| repo.workflows.iter().map(|one| one.state.clone()).collect::<Vec<_>>());
    bench.repo().edit(|repo| repo.workflows.iter_mut().for_each(|one| one.state = "disabled_inactivity".to_owned()));
    // Whatever day it is: no slot was kept, and nothing but the workflow's state matters.
    let jobs = bench.start(&bench.event_of(AUDIT, "schedule"));
    assert_eq!((jobs.code, jobs.failed), (1, 1), "{}", jobs.log);
    assert!(state().iter().any(|state| state == "active"), "{:?}\n{}", state(), jobs.log);
    assert!(jobs.summary.contains("enabled the workflow: GitHub shows it as active"), "{}", jobs.summary);
    let body = bench.repo().read(|repo| repo.issues[0].body.clone().unwrap());
    assert!(body.contains("### What was done about it") && body.contains("\"outcome\":\"verified\""), "{body}");
    let titles = |discord: &Discord| {
        let title = |message: &super::discord::Message| message.content["embeds"][0]["title"].to_string();
        discord.messages().iter().map(title).collect::<Vec<_>>()
    };
    let told = titles(&discord);
    assert!(
        told.len() == 2 && told[0].contains("CRITICAL") && told[1].contains("AUDIT: train.yml: enabled"),
        "{told:?}"
    );
    let enabled = || bench.fake.count("PUT", "/repos/**");
    assert_eq!(enabled(), 1);
    bench.start(&bench.event_of(AUDIT, "schedule"));
    assert_eq!((enabled(), titles(&discord).len()), (1, 2));
}
