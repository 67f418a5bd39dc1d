//! What a commit says of itself and a gate before a stage does not believe.

use super::github::zip_folder;
use super::scene::Scene;
use super::stage::{json, scene};

const STAGES: &str = "stages: { staging: { workflows: ci.yml, max-age: 5000w, gate: false } }\n";
const LINT: &str =
    "version: 1\nchecks:\n  lint: { group: lint, run: [\"false\"] }\n  other: { group: lint, run: [\"true\"] }\n";

/// What a full check of this policy leaves behind.
fn full_check(scene: &Scene, policy: &str) {
    let run = scene.run();
    scene.project.write("mgmt.yml", policy);
    scene.in_job(run, 1, &["full-check", "-q"]);
    assert_eq!(scene.in_job(run, 1, &["collect"]).code, 0);
    let bytes = zip_folder(&scene.project.path(".mgmt/bundle"));
    scene.fake.repo("org/app").artifact(run, "mgmt-evidence-attempt1", bytes);
}

/// A gate by a default branch with this policy.
fn gated(policy: &str, own: &str) -> (i32, String) {
    let scene = scene();
    scene.fake.repo("org/app").file(&scene.commit, "mgmt.yml", format!("{policy}{STAGES}").replace("gate: false", ""));
    full_check(&scene, own);
    let (code, report) = json(&scene, "staging", &[]);
    (code, report.to_string())
}

#[test]
fn a_commit_excuses_none_of_its_checks() {
    let gate = "gate: [{ metric: tests.failed, max: 0, when-missing: warn }]\n";
    let policy = format!("{LINT}{gate}");
    assert_eq!(gated(&policy, &policy).0, 1);
    let excused = LINT.replace("lint: {", "lint: { allow-failure: true,");
    assert_eq!(gated(&policy, &excused).0, 1, "the default branch does not let it through");
    assert_eq!(gated(&format!("{excused}{gate}"), LINT).0, 0, "and here it does");
    // A check that the commit has dropped is missed.
    let dropped = LINT.replace("  lint: { group: lint, run: [\"false\"] }\n", "");
    let (code, report) = gated(&policy, &dropped);
    assert!(code == 4 && report.contains("the run says nothing of the check `lint`"), "{code}: {report}");
    assert_eq!(gated(&format!("{dropped}{gate}"), &dropped).0, 0);
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
