//! The audit of a schedule, from what GitHub answers to what people read.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::github::{Fake, Fault, TokenKind, zip};
use super::scene::TOKEN;
use super::support::{Project, Ran, ran};

pub(crate) const POLICY: &str = "version: 1
retrain:
  workflow: train.yml
  late-after: 30m
  tolerance: 12h
  timeout: 90m
  history: 4w
  expect:
    artifact: model
    metrics: { file: metrics.json, must: [f1] }
    deploy: { within: 6h, environment: production }
  champion: [{ metric: f1, min: 0.6, max-drop: 0.01 }]
";

const TRAIN: &str = "name: train
on:
  schedule:
    - cron: '0 18 * * 0'
  workflow_dispatch:
jobs:
  train:
    steps:
      - run: ./train
";

/// A Tuesday; the newest slot was two days before.
pub(crate) const AS_OF: &str = "2024-06-25T18:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A moment so many minutes after the slot of some weeks ago.
fn after(weeks: i64, minutes: i64) -> Timestamp {
    time(AS_OF) - SignedDuration::from_hours(48 + weeks * 7 * 24) + SignedDuration::from_mins(minutes)
}

/// A project and its repository, of which the last four retrainings went well.
pub(crate) struct Scene {
    pub(crate) fake: Fake,
    pub(crate) project: Project,
    /// Runs, the newest first.
    pub(crate) runs: Vec<u64>,
    /// Their artifacts.
    models: Vec<u64>,
}

pub(crate) fn model(number: i64, f1: f64) -> Vec<u8> {
    let metrics = json!({ "f1": f1, "loss": 0.4 }).to_string();
    zip(&[("model.bin", format!("model {number}").as_bytes()), ("metrics.json", metrics.as_bytes())])
}

impl Scene {
    pub(crate) fn new() -> Self {
        let project = Project::with(POLICY);
        project.write(".github/workflows/train.yml", TRAIN).commit();
        let fake = Fake::start();
        fake.set_now(AS_OF);
        fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &[]);
        let repo = fake.repo("org/app");
        let commit = repo.commit("train", &[], &[(".github/workflows/train.yml", TRAIN)]);
        repo.branch("main", &commit);
        repo.workflow("train.yml");
        repo.edit(|repo| {
            repo.commits.values_mut().for_each(|commit| commit.at = time("2024-01-01T00:00:00Z"));
            repo.workflows.iter_mut().for_each(|workflow| workflow.created_at = time("2024-01-01T00:00:00Z"));
            repo.pushed_at = Some(time("2024-06-20T00:00:00Z"));
        });
        let mut scene = Self { fake, project, runs: Vec::new(), models: Vec::new() };
        for weeks in (0..4).rev() {
            let (run, model) = scene.train(weeks, "schedule", 5, &commit);
            scene.runs.insert(0, run);
            scene.models.insert(0, model);
        }
        scene
    }

    /// A run, its model and its deployment.
    pub(crate) fn train(&self, weeks: i64, event: &str, minutes: i64, commit: &str) -> (u64, u64) {
        let repo = self.fake.repo("org/app");
        let id = repo.workflow("train.yml");
        let run = repo.run(|run| {
            (run.workflow_id, run.path) = (id, ".github/workflows/train.yml".to_owned());
            (run.event, run.sha, run.branch) = (event.to_owned(), commit.to_owned(), Some("main".to_owned()));
            (run.created_at, run.started_at) = (after(weeks, minutes), after(weeks, minutes));
            run.updated_at = after(weeks, minutes + 40);
        });
        let artifact = repo.artifact(run, "model", model(weeks, 0.7));
        repo.edit_artifact(artifact, |one| one.created_at = after(weeks, minutes + 35));
        let deployment = repo.deployment("production", commit);
        repo.deployment_status(deployment, "success");
        repo.edit(|repo| {
            let one = repo.deployments.iter_mut().find(|one| one.id == deployment).unwrap();
            one.created_at = after(weeks, minutes + 45);
            one.statuses[0].created_at = after(weeks, minutes + 50);
        });
        (run, artifact)
    }

    fn mgmt(&self, args: &[&str]) -> Ran {
        let mut command = self.project.command();
        command.env("GITHUB_API_URL", self.fake.url()).env("GITHUB_TOKEN", TOKEN);
        command.env("GITHUB_REPOSITORY", "org/app");
        let ran = ran(command.args(["audit", "retrain"]).args(args).output().unwrap());
        assert!(!format!("{ran:?}").contains("canary"), "the token was printed: {ran:?}");
        ran
    }

    fn audit(&self, more: &[&str]) -> (i32, Value) {
        let ran = self.mgmt(&[&["--as-of", AS_OF, "--format", "json", "-q"], more].concat());
        let value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        (ran.code, value)
    }
}

/// Changes to a world in which all is well: the exit code and the state of the newest slot.
type Change = (&'static str, i32, &'static str, fn(&Scene));

const CHANGES: &[Change] = &[
    ("all is well", 0, "on-time", |_| {}),
    ("late", 0, "late", |scene| scene.edit_run(|run| run.created_at = after(0, 45))),
    ("missed", 1, "missed", |scene| {
        let newest = scene.runs[0];
        scene.fake.repo("org/app").edit(|repo| repo.runs.retain(|run| run.id != newest));
    }),
    ("disabled", 1, "disabled", |scene| scene.disable("disabled_inactivity")),
    ("disabled by hand", 1, "disabled", |scene| scene.disable("disabled_manually")),
    ("disabled as a fork", 1, "disabled", |scene| scene.disable("disabled_fork")),
    ("missed, and done by hand", 0, "missed", |scene| {
        scene.edit_run(|run| run.event = "workflow_dispatch".to_owned());
    }),
    ("it may still run", 0, "pending", |scene| {
        let newest = scene.runs[0];
        scene.fake.repo("org/app").edit(|repo| repo.runs.retain(|run| run.id != newest));
        scene.project.write("mgmt.yml", POLICY.replace("tolerance: 12h", "tolerance: 3d"));
    }),
    ("wrong branch", 1, "wrong-branch", |scene| scene.edit_run(|run| run.branch = Some("dev".to_owned()))),
    ("failed", 1, "failed", |scene| {
        scene.edit_run(|run| run.conclusion = Some("failure".to_owned()));
        scene.fake.repo("org/app").job(scene.runs[0], "train", |job| {
            job.conclusion = Some("failure".to_owned());
            job.steps.push(("Fit".to_owned(), "failure".to_owned()));
            job.log = "epoch 1\nout of memory\n".to_owned();
        });
    }),
    ("cancelled", 1, "cancelled", |scene| scene.edit_run(|run| run.conclusion = Some("cancelled".to_owned()))),
    ("timed out", 1, "timed-out", |scene| scene.edit_run(|run| run.conclusion = Some("timed_out".to_owned()))),
    ("superseded", 1, "superseded", |scene| {
        scene.edit_run(|run| run.conclusion = Some("cancelled".to_owned()));
        let (newer, _) = scene.train(0, "workflow_dispatch", 20, "0");
        scene.fake.repo("org/app").edit_run(newer, |run| run.conclusion = Some("failure".to_owned()));
    }),
    ("running", 0, "running", |scene| {
        scene.edit_run(|run| {
            (run.status, run.conclusion) = (Some("in_progress".to_owned()), None);
            run.started_at = time(AS_OF) - SignedDuration::from_mins(20);
        });
    }),
    ("no artifact", 1, "no-artifact", |scene| {
        let gone = scene.models[0];
        scene.fake.repo("org/app").edit(|repo| repo.artifacts.retain(|one| one.id != gone));
    }),
    ("expired", 1, "artifact-expired", |scene| scene.edit_model(|one| one.expires_at = after(0, 60))),
    ("another digest", 1, "digest-mismatch", |scene| {
        scene.edit_model(|one| one.digest = Some(format!("sha256:{:064}", 0)));
    }),
    ("no digest", 4, "unknown", |scene| scene.edit_model(|one| one.digest = None)),
    ("no metrics", 1, "metrics-missing", |scene| scene.put(&[("model.bin", b"m"), ("other.json", b"{}")])),
    ("no numbers", 1, "metrics-missing", |scene| scene.put(&[("model.bin", b"m"), ("metrics.json", b"{\"f1\": NaN}")])),
    ("half a file", 1, "metrics-missing", |scene| scene.put(&[("model.bin", b"m"), ("metrics.json", b"{\"f1\": 0.")])),
    ("the same model", 1, "model-unchanged", |scene| {
        scene.put(&[("model.bin", b"model 1"), ("metrics.json", b"{\"f1\": 0.71}")]);
    }),
    ("worse", 1, "worse-than-champion", |scene| {
        scene.put(&[("model.bin", b"m"), ("metrics.json", b"{\"f1\": 0.65}")]);
    }),
    ("not deployed", 1, "not-deployed", |scene| {
        scene.fake.repo("org/app").edit(|repo| {
            repo.deployments.retain(|one| one.created_at < after(0, 0));
        });
    }),
    ("runs that are kept away", 4, "unknown", |scene| {
        scene.fake.fault(Fault::on("GET", "/repos/org/app/actions/workflows/train.yml/runs").status(403));
    }),
    ("artifacts that are kept away", 4, "unknown", |scene| {
        scene.fake.fault(Fault::on("GET", "/repos/org/app/actions/artifacts").status(403));
    }),
];

impl Scene {
    fn disable(&self, state: &str) {
        let newest = self.runs[0];
        self.fake.repo("org/app").edit(|repo| {
            repo.runs.retain(|run| run.id != newest);
            repo.workflows.iter_mut().for_each(|one| one.state = state.to_owned());
        });
    }

    pub(crate) fn edit_run(&self, edit: impl FnOnce(&mut super::github::state::Run)) {
        self.fake.repo("org/app").edit_run(self.runs[0], edit);
    }

    pub(crate) fn edit_model(&self, edit: impl FnOnce(&mut super::github::state::Artifact)) {
        self.fake.repo("org/app").edit_artifact(self.models[0], edit);
    }

    /// Another archive for the newest run, with its digest.
    fn put(&self, files: &[(&str, &[u8])]) {
        let repo = self.fake.repo("org/app");
        let gone = self.models[0];
        repo.edit(|repo| repo.artifacts.retain(|one| one.id != gone));
        let new = repo.artifact(self.runs[0], "model", zip(files));
        repo.edit_artifact(new, |one| one.created_at = after(0, 40));
    }
}

#[test]
fn every_state_is_found_from_what_github_answers() {
    for (name, code, state, change) in CHANGES {
        let scene = Scene::new();
        change(&scene);
        let (exit, audit) = scene.audit(&[]);
        let slots = audit["slots"].as_array().unwrap();
        let slot = slots.last().unwrap();
        assert_eq!((slot["state"].as_str().unwrap(), exit), (*state, *code), "{name}: {slot}\n{}", audit["problems"]);
        assert_eq!((slots.len(), audit["schema"].as_str()), (4, Some("mgmt.audit/1")), "{name}");
        assert!(scene.fake.requests().len() <= 40, "{name}: {}", scene.fake.requests().len());
        if *state == "failed" {
            let failure = json!({ "job": "train", "step": "Fit", "tail": "epoch 1\nout of memory" });
            assert_eq!(slot["failure"], failure);
        }
        if *name == "missed, and done by hand" {
            assert_eq!((&slot["covered_by"], &slot["run_id"]), (&json!(scene.runs[0]), &Value::Null));
        }
        if *name == "all is well" {
            assert_eq!(audit["champion"][0]["verdict"], "pass");
            assert_eq!(audit["trends"]["metrics"]["f1"]["samples"], 4);
            assert_eq!(audit["next"][0], "2024-06-30T18:00:00Z");
        }
        assert!(scene.fake.requests().iter().all(|request| request.method == "GET"), "an audit only reads");
    }
}

#[test]
fn a_github_that_does_not_answer_leaves_an_audit_that_says_so() {
    for status in [401, 403] {
        let scene = Scene::new();
        scene.fake.fault(Fault::on("GET", "/repos/org/app").status(status).always());
        let before = scene.fake.requests().len();
        let (code, audit) = scene.audit(&[]);
        assert_eq!((code, audit["verdict"].as_str()), (4, Some("inconclusive")), "{status}: {audit}");
        assert_eq!(audit["slots"].as_array().unwrap().last().unwrap()["state"], "unknown");
        let problems = audit["problems"].to_string();
        assert!(problems.contains(&format!("look at org/app: {status}")), "{problems}");
        assert_eq!(scene.fake.requests().len() - before, 1, "it is not asked again and again");
        assert_eq!(scene.audit(&[]).1, audit, "nothing that differs from time to time");
    }
    let gone = Scene::new();
    gone.fake.fault(Fault::on("GET", "/repos/org/app").status(404).always());
    let ran = gone.mgmt(&["--as-of", AS_OF]);
    assert!(ran.code == 4 && ran.stdout.is_empty() && ran.stderr.contains("check the name"), "{ran:?}");
}

#[test]
fn a_look_up_that_nothing_depends_on_is_a_note() {
    for status in [404, 403] {
        let scene = Scene::new();
        scene.fake.fault(Fault::on("GET", "/repos/org/app/commits").status(status).always());
        let (code, audit) = scene.audit(&[]);
        assert_eq!((code, &audit["problems"]), (0, &json!([])), "{status}");
        let note = audit["notes"][0].as_str().unwrap();
        assert!(
            note.starts_with("since when the schedule is what it is: ") && note.contains(&status.to_string()),
            "{note}"
        );
        let human = scene.mgmt(&["--as-of", AS_OF]);
        assert!(human.stdout.contains("note   since when the schedule"), "{human:?}");
    }
}

#[test]
fn people_read_the_same_and_a_past_moment_gives_the_same_bytes() {
    let scene = Scene::new();
    scene.edit_run(|run| run.conclusion = Some("failure".to_owned()));
    let human = scene.mgmt(&["--as-of", AS_OF]);
    assert_eq!(human.code, 1);
    assert!(
        human.stdout.contains("2024        oooF")
            && human.stdout.contains("FAIL  the slot of 2024-06-23 18:00 UTC is failed"),
        "{}",
        human.stdout
    );
    let markdown = scene.mgmt(&["--as-of", AS_OF, "--format", "markdown"]);
    assert!(markdown.stdout.starts_with("## ❌ `train.yml`: fail"), "{}", markdown.stdout);
    assert_eq!(scene.mgmt(&["--as-of", AS_OF]).stdout, human.stdout);
    // Before the run that failed, all was well.
    let before = scene.mgmt(&["--as-of", "2024-06-23T17:59:00Z"]);
    assert_eq!(before.code, 0, "{before:?}");
}

#[test]
fn a_schedule_that_is_younger_than_the_workflow_is_not_held_to_earlier_slots() {
    let scene = Scene::new();
    let repo = scene.fake.repo("org/app");
    let root = repo.read(|repo| repo.refs["heads/main"].clone());
    let daily = TRAIN.replace("0 18 * * 0", "0 18 * * *");
    repo.edit(|repo| {
        let root = repo.commits.get_mut(&root).unwrap();
        root.files.insert(".github/workflows/train.yml".to_owned(), Some(daily.into_bytes()));
    });
    let weekly = repo.commit("weekly", &[&root], &[(".github/workflows/train.yml", TRAIN)]);
    repo.edit(|repo| repo.commits.get_mut(&weekly).unwrap().at = after(2, -60));
    repo.branch("main", &weekly);
    let (_, audit) = scene.audit(&[]);
    assert_eq!(audit["slots"].as_array().unwrap().len(), 3, "{audit}");
    assert_eq!(audit["since"], json!(after(2, -60)));
    // It was committed on a branch then, and merged a week later.
    let number = repo.pull("org/app", "main", |pull| {
        pull.head_sha.clone_from(&weekly);
        pull.base_sha.clone_from(&root);
        pull.merged_at = Some(after(1, -60));
    });
    let (_, audit) = scene.audit(&[]);
    assert_eq!(audit["since"], json!(after(1, -60)), "{audit}");
    // Also if it was committed before the history begins.
    repo.edit(|repo| repo.commits.get_mut(&weekly).unwrap().at = after(20, -60));
    assert_eq!(scene.audit(&[]).1["since"], json!(after(1, -60)));
    repo.edit(|repo| repo.commits.get_mut(&weekly).unwrap().at = after(2, -60));
    // What was never merged says nothing; and who may not look says so.
    repo.edit(|repo| repo.pulls.iter_mut().find(|pull| pull.number == number).unwrap().merged_at = None);
    assert_eq!(scene.audit(&[]).1["since"], json!(after(2, -60)));
    scene.fake.fault(Fault::on("GET", "/repos/*/*/commits/*/pulls").status(403));
    let notes = scene.audit(&[]).1["notes"].to_string();
    assert!(notes.contains("when the newest schedule was merged: "), "{notes}");
}

#[test]
fn another_repository_is_read_through_the_api() {
    let scene = Scene::new();
    std::fs::remove_dir_all(scene.project.path(".github")).unwrap();
    let (code, audit) = scene.audit(&["--repo", "org/app"]);
    assert_eq!((code, audit["schedule"][0]["cron"].as_str()), (0, Some("0 18 * * 0")), "{audit}");
    let (code, audit) = scene.audit(&[]);
    assert_eq!((code, audit["slots"].as_array().unwrap().len()), (4, 0), "no file, no schedule, no answer");
}

#[test]
fn what_cannot_be_asked_says_what_to_do() {
    let scene = Scene::new();
    let future = scene.mgmt(&["--as-of", "2999-01-01T00:00:00Z"]);
    assert_eq!((future.code, future.stderr.contains("lies in the future")), (2, true), "{future:?}");
    let odd = scene.mgmt(&["--as-of", "2024-06-25"]);
    assert!(odd.code == 2 && odd.stderr.contains("such as 2030-01-31T12:00:00Z"), "{odd:?}");
    assert_eq!(scene.mgmt(&["--as-of", AS_OF, "--format", "html"]).code, 2);
    scene.project.write("mgmt.yml", "version: 1\n");
    let none = scene.mgmt(&["--as-of", AS_OF]);
    assert_eq!((none.code, none.stderr.contains("audits no schedule")), (2, true), "{none:?}");
}

#[test]
fn a_remote_that_is_not_on_github_is_not_looked_for_there() {
    let scene = Scene::new();
    scene.project.git(&["remote", "add", "origin", "git@github.com:org/app.git"]);
    let audit = || {
        let mut command = scene.project.command();
        command.env("GITHUB_API_URL", scene.fake.url()).env("GITHUB_TOKEN", TOKEN);
        ran(command.args(["audit", "retrain", "--as-of", AS_OF]).output().unwrap())
    };
    assert_eq!(audit().code, 0);
    for (url, told) in [
        ("git@gitlab.com:org/app.git", "the remote `origin` is at gitlab.com, not on GitHub"),
        ("../org/app", "the remote `origin` is not on GitHub"),
    ] {
        scene.project.git(&["remote", "set-url", "origin", url]);
        let before = scene.fake.requests().len();
        let refused = audit();
        assert_eq!((refused.code, scene.fake.requests().len()), (2, before), "{refused:?}");
        assert!(refused.stderr.contains(told) && refused.stderr.contains("name it: --repo"), "{refused:?}");
    }
}

#[test]
fn twelve_weeks_of_hours_take_few_requests() {
    let artifact = "artifact: model, metrics: { file: metrics.json, must: [f1] }";
    for expect in [artifact.to_owned(), format!("{artifact}, deploy: {{ within: 40m, environment: production }}")] {
        twelve_weeks_of_hours(&expect);
    }
}

fn twelve_weeks_of_hours(expect: &str) {
    let scene = Scene::new();
    scene.project.write(
        "mgmt.yml",
        format!(
            "version: 1\nretrain:\n  workflow: train.yml\n  cron: {{ cron: '0 * * * *' }}\n  tolerance: 50m\n  history: \
             12w\n  expect: {{ {expect} }}\n  champion: [{{ metric: f1, max-drop: 0.01 }}]\n"
        ),
    );
    let repo = scene.fake.repo("org/app");
    let id = repo.workflow("train.yml");
    repo.edit(|repo| {
        repo.runs.clear();
        repo.artifacts.clear();
        repo.deployments.clear();
    });
    let hour = |at: u64| time(AS_OF) - SignedDuration::from_hours(i64::try_from(2_016 - at).unwrap());
    repo.runs(2_016, |number, run| {
        (run.workflow_id, run.path) = (id, ".github/workflows/train.yml".to_owned());
        (run.event, run.branch) = ("schedule".to_owned(), Some("main".to_owned()));
        let at = hour(number) + SignedDuration::from_mins(3);
        (run.created_at, run.started_at, run.updated_at) = (at, at, at + SignedDuration::from_mins(20));
    });
    let runs: Vec<u64> = repo.read(|repo| repo.runs.iter().map(|run| run.id).collect());
    let sha = repo.read(|repo| repo.refs["heads/main"].clone());
    repo.edit(|repo| repo.runs.iter_mut().for_each(|run| run.sha.clone_from(&sha)));
    for (number, run) in runs.iter().enumerate() {
        let artifact = repo.artifact(*run, "model", model(i64::try_from(number).unwrap(), 0.7));
        repo.edit_artifact(artifact, |one| one.created_at = hour(number as u64) + SignedDuration::from_mins(20));
        let deployment = repo.deployment("production", &sha);
        repo.deployment_status(deployment, "success");
        repo.edit(|repo| {
            let one = repo.deployments.last_mut().unwrap();
            one.created_at = hour(number as u64) + SignedDuration::from_mins(30);
            one.statuses[0].created_at = hour(number as u64) + SignedDuration::from_mins(35);
        });
    }
    let before = scene.fake.requests().len();
    let (code, audit) = scene.audit(&[]);
    let asked = scene.fake.requests().len() - before;
    assert_eq!(code, 0, "{}", audit["problems"]);
    assert!(audit["summary"]["judged"].as_u64().unwrap() >= 2_015, "{}", audit["summary"]);
    assert!(asked <= 60, "{asked} requests for {expect}");
}
