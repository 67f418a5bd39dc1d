//! What a commit says of itself and a gate before a stage does not believe.

use super::github::zip_folder;
use super::scene::Scene;
use super::stage::{json, scene};

const STAGES: &str = "stages: { staging: { workflows: ci.yml, max-age: 5000w, gate: false } }\n";
const LINT: &str =
    "version: 1\nchecks:\n  lint: { group: lint, run: [\"false\"] }\n  other: { group: lint, run: [\"true\"] }\n";

/// What a full check of this policy leaves behind.
fn full_check(scene: &Scene, policy: &str, more: &[&str]) {
    let run = scene.run();
    scene.project.write("mgmt.yml", policy);
    scene.in_job(run, 1, &[&["full-check", "-q"], more].concat());
    assert_eq!(scene.in_job(run, 1, &["collect"]).code, 0);
    let bytes = zip_folder(&scene.project.path(".mgmt/bundle"));
    scene.fake.repo("org/app").artifact(run, "mgmt-evidence-attempt1", bytes);
}

/// Where the commit stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    DefaultBranch,
    Another,
}

/// A gate by a default branch with this policy.
fn gated(on: On, policy: &str, own: &str) -> (i32, String) {
    gated_with(on, policy, own, &[])
}

fn gated_with(on: On, policy: &str, own: &str, more: &[&str]) -> (i32, String) {
    let scene = scene();
    let repo = scene.fake.repo("org/app");
    let policy = format!("{policy}{STAGES}").replace("gate: false", "");
    match on {
        On::DefaultBranch => repo.file(&scene.commit, "mgmt.yml", policy),
        On::Another => repo.branch("main", &repo.commit("other", &[], &[("mgmt.yml", policy.as_str())])),
    }
    full_check(&scene, own, more);
    let (code, report) = json(&scene, "staging", &[]);
    (code, report.to_string())
}

#[test]
fn a_commit_excuses_none_of_its_checks() {
    let gate = "gate: [{ metric: tests.failed, max: 0, when-missing: warn }]\n";
    let policy = format!("{LINT}{gate}");
    let excused = LINT.replace("lint: {", "lint: { allow-failure: true,");
    for on in [On::DefaultBranch, On::Another] {
        assert_eq!(gated(on, &policy, &policy).0, 1);
        assert_eq!(gated(on, &policy, &excused).0, 1, "the default branch does not let it through");
        assert_eq!(gated(on, &format!("{excused}{gate}"), LINT).0, 0, "and here it does");
    }
}

#[test]
fn a_check_that_was_dropped_is_missed_and_one_that_came_later_is_not() {
    let gate = "gate: [{ metric: tests.failed, max: 0, when-missing: warn }]\n";
    let policy = format!("{LINT}{gate}");
    let without = LINT.replace("  lint: { group: lint, run: [\"false\"] }\n", "");
    let (code, report) = gated(On::Another, &policy, &without);
    assert!(code == 4 && report.contains("the run says nothing of the check `lint`"), "{code}: {report}");
    assert_eq!(gated(On::Another, &format!("{without}{gate}"), &without).0, 0);
    // A commit of the default branch is only older than the check.
    let (code, report) = gated(On::DefaultBranch, &policy, &without);
    assert_eq!(code, 0, "{report}");
    // Its run did not tell of a check that it had.
    let (code, report) = gated_with(On::DefaultBranch, &policy, &policy, &["--skip", "lint"]);
    assert!(code == 4 && report.contains("the run says nothing of the check `lint`"), "{code}: {report}");
}

#[test]
fn what_was_checked_out_is_what_was_tested() {
    let scene = scene();
    let run = scene.run();
    // The event is about one commit, and the job checks out another.
    scene.project.git(&["checkout", "-q", "-b", "tag"]);
    scene.project.write("src/a.py", "a = 7\nb = 2\n").commit();
    let other = scene.project.git(&["rev-parse", "HEAD"]);
    scene.upload(run, 1, "");
    let index: serde_json::Value = serde_json::from_str(&scene.project.read(".mgmt/bundle/bundle.json")).unwrap();
    assert_eq!(index["source"]["commit"], other.as_str());
    let (code, report) = json(&scene, "staging", &[]);
    assert!(code == 4 && report.to_string().contains("belongs to another commit"), "{code}: {report}");
    let (code, shown, _) = scene.evidence(&["--run", &run.to_string()]);
    assert_eq!((code, shown["problems"][0]["code"].as_str()), (4, Some("shard.missing")), "{shown}");
}

#[test]
fn a_bundle_whose_record_is_of_another_commit_is_refused() {
    let scene = scene();
    let run = scene.run();
    scene.in_job(run, 1, &["full-check", "-q"]);
    assert_eq!(scene.in_job(run, 1, &["collect"]).code, 0);
    let record = scene.project.read(".mgmt/bundle/record.json");
    assert!(record.contains(&scene.commit), "{record}");
    let record = record.replace(&scene.commit, &"2".repeat(40));
    std::fs::write(scene.project.path(".mgmt/bundle/record.json"), record).unwrap();
    let bytes = zip_folder(&scene.project.path(".mgmt/bundle"));
    scene.fake.repo("org/app").artifact(run, "mgmt-evidence-attempt1", bytes);
    let (code, report) = json(&scene, "staging", &[]);
    assert!(code == 4 && report.to_string().contains("belongs to another commit"), "{code}: {report}");
}
