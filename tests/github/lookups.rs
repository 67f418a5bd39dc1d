//! What an audit looks up: long stretches of runs, jobs with the end of their logs, artifacts, deployments, commits.

use jiff::{SignedDuration, Timestamp};
use mgmt_action::github::{Conclusion, RunFilter};

use super::client::{client, slug};
use super::github::{Fake, Fault, zip};

const JOB_LOG: &str = "/repos/org/app/actions/jobs/*/logs";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn scheduled() -> RunFilter {
    RunFilter { workflow: Some("ci.yml".into()), event: Some("schedule".into()), ..RunFilter::default() }
}

#[test]
fn twelve_weeks_of_an_hourly_schedule_are_read_whole_in_few_requests() {
    let fake = Fake::start();
    fake.set_now("2026-03-26T00:00:00Z");
    let repo = fake.repo("org/app");
    repo.history("main", 1);
    let now = time("2026-03-26T00:00:00Z");
    repo.runs(2_016, |number, run| {
        run.event = "schedule".into();
        run.created_at = now - SignedDuration::from_hours(i64::try_from(2_016 - number).unwrap());
    });
    let tried = client(&fake);
    let span = (now - SignedDuration::from_hours(12 * 7 * 24), now);
    let list = tried.client.runs_between(&slug(), &scheduled(), span, 10_000).unwrap();
    assert_eq!((list.items.len(), list.is_partial()), (2_016, false));
    assert!(list.items.windows(2).all(|pair| pair[0].created_at > pair[1].created_at));
    assert_eq!(fake.requests().len(), 21);
    // Without slices nobody would know of the older ones: it is said.
    let list = tried.client.runs(&slug(), &scheduled(), 10_000).unwrap();
    assert_eq!((list.items.len(), list.truncated), (1_000, true));
    let week = (now - SignedDuration::from_hours(7 * 24), now - SignedDuration::from_hours(1));
    let list = tried.client.runs_between(&slug(), &scheduled(), week, 10_000).unwrap();
    assert_eq!((list.items.len(), list.is_partial()), (168, false), "both ends are within");
    let before = fake.requests().len();
    let list = tried.client.runs_between(&slug(), &scheduled(), span, 1_500).unwrap();
    assert_eq!((list.items.len(), list.truncated, fake.requests().len() - before), (1_499, true, 15));
    assert_eq!(tried.client.runs_between(&slug(), &scheduled(), (now, span.0), 10).unwrap().items.len(), 0);
}

#[test]
fn more_runs_in_one_second_than_github_tells_of_are_no_endless_loop() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    repo.history("main", 1);
    repo.runs(1_200, |_, run| {
        run.event = "schedule".into();
        run.created_at = "2026-01-01T00:00:00Z".parse().unwrap();
    });
    let span = (time("2025-12-31T00:00:00Z"), time("2026-01-02T00:00:00Z"));
    let list = client(&fake).client.runs_between(&slug(), &scheduled(), span, 10_000).unwrap();
    assert_eq!((list.items.len(), list.truncated), (1_000, true));
}

#[test]
fn the_failed_job_its_step_and_the_end_of_its_log_are_told() {
    let fake = Fake::start();
    let repo = fake.repo("org/app");
    repo.history("main", 1);
    let run = repo.run(|run| run.conclusion = Some("failure".into()));
    let log: String = (0..20_000).map(|line| format!("2026-01-01T00:00:00.0000000Z line {line}\r\n")).collect();
    let job = repo.job(run, "train (gpu)", |job| {
        job.conclusion = Some("failure".into());
        job.steps = vec![("Set up job".into(), "success".into()), ("Train".into(), "failure".into())];
        job.log = format!("\u{feff}{log}");
    });
    repo.rerun(run, Some("success"));
    let tried = client(&fake);
    let jobs = tried.client.jobs_of_attempt(&slug(), run, 1).unwrap();
    assert_eq!((jobs.items.len(), tried.client.jobs(&slug(), run).unwrap().items.len()), (1, 0));
    let failed = jobs.items[0].steps.iter().find(|step| step.conclusion == Some(Conclusion::Failure)).unwrap();
    assert_eq!((failed.name.as_deref(), failed.number), (Some("Train"), 2));
    assert!(tried.client.jobs_of_attempt(&slug(), run, 3).unwrap_err().is_missing());

    let tail = tried.client.job_log(&slug(), job, 4_096).unwrap();
    assert_eq!((tail.bytes.len(), tail.total), (4_096, log.len() as u64 + 3));
    let lines = tail.lines();
    assert_eq!(lines.last().unwrap(), "2026-01-01T00:00:00.0000000Z line 19999");
    assert!(lines.len() > 90 && lines.iter().all(|line| line.starts_with("2026-01-01T")), "{lines:?}");
    // The fake itself fails the test if the token reaches the storage.
    assert_eq!(fake.downloads().len(), 1);
    fake.fault(Fault::on("GET", "/stored/logs/*").truncate());
    assert_eq!(tried.client.job_log(&slug(), job, 4_096).unwrap(), tail, "a broken download begins anew");
    assert_eq!(*tried.waits.borrow(), [1]);
    fake.fault(Fault::on("GET", JOB_LOG).status(410));
    assert!(tried.client.job_log(&slug(), job, 4_096).unwrap_err().is_missing(), "logs go, too");
    assert_eq!(tried.client.job_log(&slug(), job, 0).unwrap().lines(), Vec::<String>::new());
}

#[test]
fn artifacts_are_listed_by_name_as_far_back_as_wanted() {
    let fake = Fake::start();
    fake.set_now("2026-06-01T00:00:00Z");
    let repo = fake.repo("org/app");
    repo.history("main", 1);
    let run = repo.run(|_| {});
    let archive = zip(&[("a", b"1")]);
    for day in 0..250 {
        let id = repo.artifact(run, "model", archive.clone());
        repo.edit_artifact(id, |one| one.created_at -= SignedDuration::from_hours(24 * (249 - day)));
        repo.artifact(run, "other", archive.clone());
    }
    let tried = client(&fake);
    let since = time("2026-06-01T00:00:00Z") - SignedDuration::from_hours(24 * 149);
    let list = tried.client.artifacts_since(&slug(), "model", since, 10_000).unwrap();
    assert_eq!((list.items.len(), list.is_partial(), fake.requests().len()), (150, false, 2));
    let first = &list.items[0];
    assert!(first.digest.as_deref().unwrap().starts_with("sha256:") && first.expires_at > first.created_at);
    assert_eq!(first.workflow_run.as_ref().unwrap().id, Some(run));
    let list = tried.client.artifacts_since(&slug(), "model", since, 100).unwrap();
    assert_eq!((list.items.len(), list.truncated), (100, true));
    fake.fault(Fault::on("GET", "/repos/org/app/actions/artifacts").nulls("artifact"));
    assert!(tried.client.artifacts_since(&slug(), "model", since, 10).unwrap().unreadable.is_empty());
}

#[test]
fn a_repository_its_environments_and_deployments_are_looked_at() {
    let fake = Fake::start();
    fake.set_now("2026-06-01T00:00:00Z");
    let repo = fake.repo("org/app");
    let sha = repo.history("main", 1).remove(0);
    repo.edit(|repo| {
        (repo.archived, repo.private) = (true, true);
        repo.pushed_at = Some("2026-05-01T00:00:00Z".parse().unwrap());
    });
    let tried = client(&fake);
    let seen = tried.client.repository(&slug()).unwrap();
    assert_eq!((seen.fork, seen.archived, seen.private), (Some(false), Some(true), Some(true)));
    assert_eq!((seen.pushed_at, seen.default_branch.as_str()), (Some(time("2026-05-01T00:00:00Z")), "main"));
    let fork = repo.fork("someone/app");
    assert_eq!(tried.client.repository(&fork.name().parse().unwrap()).unwrap().fork, Some(true));
    fake.fault(Fault::on("GET", "/repos/org/app").corrupt(|repo| {
        (repo["pushed_at"], repo["fork"]) = (serde_json::Value::Null, serde_json::Value::Null);
    }));
    assert_eq!(tried.client.repository(&slug()).unwrap().pushed_at, None);

    repo.environment("production EU", |_| {});
    let names: Vec<_> = tried.client.environments(&slug()).unwrap().items.into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["production EU"]);
    let old = repo.deployment("production EU", &sha);
    repo.edit(|repo| repo.deployments[0].created_at -= SignedDuration::from_hours(48));
    let new = repo.deployment("production EU", &sha);
    repo.deployment("staging", &sha);
    let since = |hours: i64| {
        let since = time("2026-06-01T00:00:00Z") - SignedDuration::from_hours(hours);
        let list = tried.client.deployments_since(&slug(), "production EU", since, 100).unwrap();
        list.items.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!((since(72), since(1)), (vec![new, old], vec![new]));
}

#[test]
fn commits_that_touch_the_model_are_listed_since_a_moment() {
    let fake = Fake::start();
    fake.set_now("2026-06-01T00:00:00Z");
    let repo = fake.repo("org/app");
    let root = repo.commit("root", &[], &[("models/production/model.bin", "0")]);
    repo.edit(|repo| repo.commits.get_mut(&root).unwrap().at -= SignedDuration::from_hours(24 * 30));
    let beside = repo.commit("beside", &[&root], &[("models/production-old/x", "1"), ("README.md", "")]);
    let retrained = repo.commit("Retrain the model", &[&beside], &[("models/production/model.bin", "1")]);
    repo.branch("main", &retrained);
    let tried = client(&fake);
    let touching = |since: &str| {
        tried.client.commits_touching(&slug(), "main", "models/production", Some(time(since)), 100).unwrap().items
    };
    let commits = touching("2026-05-25T00:00:00Z");
    assert_eq!(commits.iter().map(|commit| &commit.sha).collect::<Vec<_>>(), [&retrained]);
    assert_eq!(commits[0].committed_at(), Some(time("2026-06-01T00:00:00Z")));
    assert_eq!(commits[0].commit.as_ref().unwrap().message.as_deref(), Some("Retrain the model"));
    assert_eq!(touching("2026-01-01T00:00:00Z").len(), 2);
    assert!(tried.client.commits_touching(&slug(), "gone", "x", None, 9).unwrap_err().is_missing());
}
