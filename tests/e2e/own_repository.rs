//! This repository, gated by itself.

use std::process::Command;

use super::support::scrubbed;

fn cargo(args: &[&str]) -> Command {
    let mut cargo = scrubbed("cargo");
    cargo.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

#[test]
fn a_full_check_right_after_the_tests_compiles_nothing() {
    let built = cargo(&["test", "--workspace", "--no-run", "--locked"]).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let folder = tempfile::tempdir().unwrap();
    let events = folder.path().join("events.jsonl");
    let report_dir = folder.path().join("reports");
    let mut check = cargo(&["xtask", "full-check", "--only", "tests", "-q", "--events"]);
    let output = check.arg(&events).arg("--report-dir").arg(&report_dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let events = std::fs::read_to_string(events).unwrap();
    let finished = events
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|event| event["event"] == "check-finished")
        .unwrap();
    let printed = finished["outcome"]["output"]["text"].as_str().unwrap();
    assert!(printed.contains("Running unittests") && !printed.contains("Compiling"), "{printed}");
}
