//! Inputs that are refused, by name and before anything is run.

use crate::job::{Job, SHA};

/// Runs a job that has to be refused.
#[track_caller]
fn refused(job: Job, words: &[&str]) {
    let done = job.run();
    assert_eq!(done.codes["prepare"], 2, "{done:#?}");
    assert!(done.codes["finish"] != 0 && done.ended().is_none());
    assert!(done.tells("error", words), "{words:?} in:\n{}", done.log);
    assert!(job.calls("mgmt").is_empty() && job.calls("cargo").is_empty() && job.calls("curl").is_empty());
}

#[test]
fn a_value_that_means_nothing_is_refused_and_its_input_named() {
    for (input, value) in [
        ("command", "full check"),
        ("command", ""),
        ("comment", "Always"),
        ("comment", ""),
        ("check-run", "yes"),
        ("summary", "1"),
        ("upload", "TRUE"),
        ("baseline", " true"),
        ("fallback", "docker"),
        ("retention-days", "-1"),
        ("retention-days", "401"),
        ("retention-days", "1e2"),
        ("retention-days", ""),
        ("sha", "main"),
        ("sha", "0123456789ABCDEF0123456789ABCDEF01234567"),
        ("run-id", "12a"),
        ("run-id", "-1"),
        ("shard", "a b"),
        ("shard", "../a"),
        ("key", "a-->b"),
        ("expect", "a,,b"),
        ("wait", "soon"),
        ("answer", "yes"),
        ("version", "99.0.0"),
        ("working-directory", "no/such/folder"),
    ] {
        refused(Job::ready().input(input, value), &[&format!("title=input {input}::"), &format!("input `{input}`")]);
    }
}

#[test]
fn every_single_line_input_refuses_more_than_one() {
    for input in ["config", "report-dir", "working-directory", "gate", "badge", "key", "shard", "sha", "stage"] {
        refused(Job::ready().input(input, "a\nb"), &[&format!("input `{input}`"), "a%0Ab"]);
    }
    for input in ["args", "evidence"] {
        refused(Job::ready().input(input, "a\tb"), &[&format!("input `{input}`"), "control"]);
        refused(Job::ready().input(input, "ok\nb\u{1b}[31m"), &[&format!("input `{input}`"), "control"]);
    }
}

#[test]
fn an_input_that_the_command_does_not_take_is_refused() {
    for (command, input, value) in [
        ("full-check", "stage", "live"),
        ("full-check", "sha", SHA),
        ("full-check", "wait", "5m"),
        ("full-check", "answer", "status"),
        ("full-check", "run-id", "1"),
        ("full-check", "expect", "2"),
        ("gate", "expect", "2"),
        ("publish", "evidence", "a.xml"),
        ("inspect", "shard", "a"),
        ("collect", "key", "a"),
        ("ci", "badge", "a.svg"),
        ("audit", "gate", "ci"),
        ("audit", "evidence", "a.xml"),
        ("audit", "stage", "live"),
        ("audit", "sha", SHA),
        ("audit", "wait", "5m"),
        ("audit", "run-id", "1"),
        ("audit", "shard", "a"),
        ("audit", "badge", "a.svg"),
        ("audit", "key", "a"),
        ("none", "environment", "live"),
    ] {
        let job = Job::ready().input("command", command).input(input, value);
        refused(job, &[&format!("input `{input}`"), "belongs to"]);
    }
    let gate = || Job::ready().input("command", "gate");
    refused(gate(), &["input `evidence`", "stage"]);
    for (input, value) in [("sha", SHA), ("wait", "5m"), ("answer", "rule"), ("environment", "live"), ("run-id", "1")] {
        refused(gate().input("evidence", "a.xml").input(input, value), &[&format!("input `{input}`"), "stage"]);
    }
    for (input, value) in [("evidence", "a.xml"), ("gate", "ci"), ("shard", "a"), ("key", "a"), ("badge", "a.svg")] {
        refused(gate().input("stage", "live").input("sha", SHA).input(input, value), &[&format!("input `{input}`")]);
    }
}

#[test]
fn checks_are_not_run_with_a_repositorys_secrets_for_a_stranger() {
    for command in ["full-check", "validate", "phase-check", "ml-models", "data-check"] {
        let job = Job::ready().input("command", command).event("pull_request_target", "refs/heads/main");
        refused(job, &["pull_request_target", "workflow_run"]);
    }
}

#[test]
fn the_version_may_be_asked_for() {
    assert_eq!(Job::ready().input("version", env!("CARGO_PKG_VERSION")).run().ended(), Some(0));
}
