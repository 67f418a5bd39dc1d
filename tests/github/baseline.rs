//! A baseline that travels: left behind by a push, found by a job on a fresh machine.

use serde_json::Value;

use super::github::zip;
use super::scene::Scene;
use super::support::Ran;

/// A push to main whose record was uploaded, then two commits more; the last one is checked out.
struct Pushed {
    scene: Scene,
    artifact: u64,
}

impl Pushed {
    fn new() -> Self {
        let scene = Scene::new();
        let run = scene.run();
        assert_eq!(scene.in_job(run, 1, &["full-check", "-q"]).code, 0);
        assert_eq!(scene.in_job(run, 1, &["collect"]).code, 0);
        let record = std::fs::read(scene.project.path(".mgmt/bundle/record.json")).unwrap();
        let artifact = scene.fake.repo("org/app").artifact(run, "mgmt-record", zip(&[("record.json", &record)]));
        std::fs::remove_dir_all(scene.project.path(".mgmt")).unwrap();
        let mut scene = scene;
        for name in ["two", "three"] {
            scene.project.write("src/a.py", format!("a = 1\nb = '{name}'\n"));
            scene.project.git(&["commit", "-q", "-a", "-m", name]);
            let (before, now) = (scene.commit.clone(), scene.project.git(&["rev-parse", "HEAD"]));
            scene.fake.repo("org/app").commit_with(|made| {
                made.sha.clone_from(&now);
                made.parents = vec![before];
                made.message = name.to_owned();
            });
            scene.fake.repo("org/app").branch("main", &now);
            scene.commit = now;
        }
        Self { scene, artifact }
    }

    fn find(&self) -> Ran {
        let ran = self.scene.in_job(77, 1, &["ci", "baseline"]);
        assert_eq!(ran.code, 0, "a run goes on without a baseline: {ran:?}");
        ran
    }
}

#[test]
fn the_nearest_record_of_the_branch_is_taken_in_and_compared_with() {
    let pushed = Pushed::new();
    let ran = pushed.find();
    assert!(ran.stdout.contains("-full-check-pass of ") && ran.stdout.ends_with(", 2 commits back\n"), "{ran:?}");
    assert_eq!(pushed.scene.fake.requests().len(), 2, "one listing, one download");
    let checked = pushed.scene.in_job(77, 1, &["full-check", "--format", "json", "-q"]);
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    // The report counts from where the change starts: the commit before.
    assert_eq!(report["baseline"]["distance"], 1, "{report}");
    // Once more changes nothing.
    assert_eq!(pushed.find().stdout, ran.stdout);
}

#[test]
fn a_shallow_clone_asks_github_for_the_way() {
    let pushed = Pushed::new();
    let head = pushed.scene.commit.clone();
    std::fs::write(pushed.scene.project.path(".git/shallow"), format!("{head}\n")).unwrap();
    let ran = pushed.find();
    assert!(ran.stdout.ends_with(", 2 commits back\n"), "{ran:?}");
    // And what changed since the commit before, and since the record's.
    assert_eq!(pushed.scene.fake.requests().len(), 5);
}

#[test]
fn a_part_is_compared_with_the_same_part() {
    let pushed = Pushed::new();
    let find = |shard: &str| pushed.scene.in_job(77, 1, &["ci", "baseline", "--shard", shard]);
    assert!(find("api").stderr.contains("leave their record as the artifact mgmt-record-api"));
    pushed.scene.fake.repo("org/app").edit_artifact(pushed.artifact, |one| one.name = "mgmt-record-api".to_owned());
    assert!(find("api").stdout.ends_with(", 2 commits back\n"));
    assert_eq!((find("web").stdout, pushed.find().stdout), (String::new(), String::new()));
}

#[test]
fn what_cannot_serve_is_left_alone_and_said() {
    let pushed = Pushed::new();
    let repo = pushed.scene.fake.repo("org/app");
    repo.edit_artifact(pushed.artifact, |artifact| artifact.expires_at = artifact.created_at);
    let expired = pushed.find();
    assert!(expired.stderr.contains("no earlier record was found: the repository has none"), "{expired:?}");
    assert!(expired.stderr.contains("help: pushes to main leave their record"), "{expired:?}");

    for (record, want) in [(&b"{}"[..], "cannot be used"), (b"no json", "cannot be used")] {
        let run = pushed.scene.run();
        repo.edit_run(run, |run| run.sha = pushed.scene.project.git(&["rev-parse", "HEAD~1"]));
        repo.artifact(run, "mgmt-record", zip(&[("record.json", record)]));
        let bad = pushed.find();
        assert!(bad.stderr.contains(want), "{bad:?}");
    }
    assert!(!pushed.scene.project.path(".mgmt/history.db").exists(), "nothing was taken in");
}

#[test]
fn a_stranger_cannot_hide_a_baseline_behind_others() {
    let pushed = Pushed::new();
    let repo = pushed.scene.fake.repo("org/app");
    repo.fork("stranger/app");
    let run = pushed.scene.run();
    repo.edit_run(run, |run| {
        run.head_repo = "stranger/app".to_owned();
        run.event = "pull_request".to_owned();
        run.sha = "7".repeat(40);
    });
    for _ in 0..100 {
        repo.artifact(run, "mgmt-record", zip(&[("record.json", b"{}")]));
    }
    let ran = pushed.find();
    assert!(ran.stdout.ends_with(", 2 commits back\n"), "{ran:?}");
    // Where there is none at all, that is what is said.
    repo.edit_artifact(pushed.artifact, |artifact| artifact.expires_at = artifact.created_at);
    let none = pushed.find();
    assert!(none.stderr.contains("none of them is of an earlier commit within reach"), "{none:?}");
}

#[test]
fn a_stranger_cannot_leave_a_baseline() {
    let pushed = Pushed::new();
    let repo = pushed.scene.fake.repo("org/app");
    repo.fork("stranger/app");
    repo.edit_artifact(pushed.artifact, |artifact| artifact.expires_at = artifact.created_at);
    for edit in [("stranger/app", "main"), ("org/app", "other")] {
        let run = pushed.scene.run();
        repo.edit_run(run, |run| {
            run.head_repo = edit.0.to_owned();
            run.branch = Some(edit.1.to_owned());
            run.sha = pushed.scene.project.git(&["rev-parse", "HEAD~1"]);
        });
        repo.artifact(run, "mgmt-record", zip(&[("record.json", b"{}")]));
        let ran = pushed.find();
        assert!(ran.stderr.contains("the repository has none that has not expired"), "{edit:?}: {ran:?}");
    }
}
