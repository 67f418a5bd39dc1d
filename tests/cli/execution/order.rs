//! Which check starts when.

use super::{check, full_check, make_pipe, project, statuses, text};
use crate::support::Project;

/// Two checks that can only end together: each waits for the other.
fn meeting(timeout: &str, more: &str) -> Project {
    let project = project(&format!(
        "  one: {{ group: test, shell: 'echo > to && cat back', timeout: {timeout}{more} }}
  two: {{ group: test, shell: 'cat to && echo > back', timeout: {timeout}{more} }}
"
    ));
    make_pipe(&project, "to");
    make_pipe(&project, "back");
    project
}

#[test]
fn every_independent_check_runs_exactly_once_also_after_one_failed() {
    let project = project(
        "  zeta: { group: lint, shell: 'echo zeta >> ran; exit 3' }
  alpha: { group: lint, shell: 'echo alpha >> ran' }
  broken: { group: lint, run: [./not-there] }
  mid: { group: test, shell: 'echo mid >> ran; exit 1' }
  last: { group: docs, shell: 'echo last >> ran' }
",
    );
    for jobs in ["1", "4"] {
        let (code, report) = full_check(&project, &["--jobs", jobs]);
        assert_eq!((code, text(&report["verdict"])), (1, "fail"));
        assert_eq!(statuses(&report), ["zeta failed", "alpha passed", "broken error", "mid failed", "last passed"]);
        assert_eq!(check(&report, "zeta")["exit_code"], 3);
        let ran = project.read("ran");
        let mut ran: Vec<_> = ran.lines().collect();
        ran.sort_unstable();
        assert_eq!(ran, ["alpha", "last", "mid", "zeta"]);
        std::fs::remove_file(project.path("ran")).unwrap();
    }
}

#[test]
fn rows_stand_in_the_order_of_the_policy_whoever_ended_first() {
    let project = project(
        "  slow: { group: test, shell: 'cat go; echo slow >> ended', timeout: 20s }
  quick: { group: test, shell: 'echo quick >> ended; echo > go', timeout: 20s }
",
    );
    make_pipe(&project, "go");
    let (code, report) = full_check(&project, &["--jobs", "2"]);
    assert_eq!((code, statuses(&report)), (0, vec!["slow passed".to_owned(), "quick passed".to_owned()]));
    assert_eq!(project.read("ended"), "quick\nslow\n");
}

#[test]
fn a_check_uses_what_its_need_has_written() {
    // Written against the order, so that only `needs` can put them right.
    let project = project(
        "  use: { group: test, shell: 'cat middle', needs: [middle] }
  middle: { group: test, shell: 'cat made > middle', needs: [make] }
  make: { group: test, shell: 'echo made > made' }
",
    );
    let (code, report) = full_check(&project, &["--jobs", "4"]);
    assert_eq!((code, statuses(&report).join(", ")), (0, "use passed, middle passed, make passed".to_owned()));
}

#[test]
fn what_needs_a_failed_check_is_skipped_and_says_why() {
    let project = project(
        "  make: { group: build, run: ['false'] }
  use: { group: test, shell: 'echo use >> ran', needs: [make] }
  after: { group: test, shell: 'echo after >> ran', needs: [use] }
  other: { group: test, shell: 'echo other >> ran' }
",
    );
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, text(&report["verdict"])), (1, "fail"));
    assert_eq!(statuses(&report), ["make failed", "use skipped", "after skipped", "other passed"]);
    assert_eq!(check(&report, "use")["reason"], "needs `make`, which did not pass");
    assert_eq!(check(&report, "after")["reason"], "needs `use`, which did not pass");
    assert_eq!(project.read("ran"), "other\n");
}

#[test]
fn what_needs_a_check_that_could_not_start_is_skipped_and_the_verdict_stays_open() {
    let project = project(
        "  make: { group: build, run: [./not-there] }
  use: { group: test, shell: 'echo use >> ran', needs: [make] }
",
    );
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, text(&report["verdict"])), (4, "inconclusive"));
    assert_eq!(statuses(&report), ["make error", "use skipped"]);
    assert_eq!(project.list("ran"), [""; 0]);
    assert!(!project.path("ran").exists());
}

#[test]
fn fail_fast_starts_nothing_after_the_first_failure() {
    let project = project(
        "  first: { group: test, shell: 'echo first >> ran' }
  excused: { group: test, run: ['false'], allow-failure: true }
  second: { group: test, shell: 'echo second >> ran; exit 1' }
  third: { group: test, shell: 'echo third >> ran' }
  fourth: { group: test, shell: 'echo fourth >> ran', needs: [third] }
",
    );
    let (code, report) = full_check(&project, &["--fail-fast", "--jobs", "1"]);
    assert_eq!((code, text(&report["verdict"])), (1, "fail"));
    assert_eq!(
        statuses(&report),
        ["first passed", "excused failed", "second failed", "third skipped", "fourth skipped"]
    );
    assert_eq!(project.read("ran"), "first\nsecond\n");
    for skipped in ["third", "fourth"] {
        assert_eq!(check(&report, skipped)["reason"], "--fail-fast, after `second` failed");
    }
}

#[test]
fn checks_run_at_the_same_time() {
    let (code, report) = full_check(&meeting("20s", ""), &["--jobs", "2"]);
    assert_eq!((code, statuses(&report).join(", ")), (0, "one passed, two passed".to_owned()));
}

#[test]
fn one_job_is_one_check_at_a_time() {
    let (code, report) = full_check(&meeting("500ms", ""), &["--jobs", "1"]);
    assert_eq!((code, statuses(&report).join(", ")), (1, "one timed-out, two timed-out".to_owned()));
}

#[test]
fn checks_that_share_a_resource_never_overlap() {
    let (code, report) = full_check(&meeting("500ms", ", exclusive: target"), &["--jobs", "4"]);
    assert_eq!((code, statuses(&report).join(", ")), (1, "one timed-out, two timed-out".to_owned()));

    // Many of them, each of which would find another one's folder; and all get their turn.
    let checks: String = (0..12)
        .map(|at| {
            let script = "mkdir lock && ls / > /dev/null && rmdir lock && echo x >> ran";
            format!("  c{at}: {{ group: test, shell: '{script}', exclusive: lock }}\n")
        })
        .collect();
    let project = project(&checks);
    let (code, report) = full_check(&project, &["--jobs", "4"]);
    assert_eq!(code, 0, "{:?}", statuses(&report));
    assert_eq!(project.read("ran").lines().count(), 12);
}

#[test]
fn a_resource_is_free_again_after_a_timeout_and_a_failed_start() {
    let project = project(
        "  lost: { group: test, run: [./not-there], exclusive: port }
  late: { group: test, run: [sleep, '20'], timeout: 300ms, exclusive: port }
  next: { group: test, run: ['true'], exclusive: port }
",
    );
    let (_, report) = full_check(&project, &["--jobs", "3"]);
    assert_eq!(statuses(&report), ["lost error", "late timed-out", "next passed"]);
}

#[test]
fn waiting_for_a_turn_does_not_count_as_running() {
    let project = project(
        "  holder: { group: test, run: [sleep, '1'], exclusive: database }
  waiter: { group: test, run: ['true'], timeout: 500ms, exclusive: database }
  needer: { group: test, run: ['true'], timeout: 500ms, needs: [holder] }
",
    );
    for jobs in ["3", "1"] {
        let (code, report) = full_check(&project, &["--jobs", jobs]);
        assert_eq!((code, statuses(&report).join(", ")), (0, "holder passed, waiter passed, needer passed".to_owned()));
        assert!(check(&report, "waiter")["duration_ms"].as_u64().unwrap() < 500);
        assert!(check(&report, "holder")["duration_ms"].as_u64().unwrap() >= 1000);
    }
}

#[test]
fn an_excused_failure_does_not_answer_for_what_needs_it_and_a_missing_tool_only_warns() {
    let project = Project::with(
        "version: 1\nchecks:\n  build: { group: g, run: ['false'], allow-failure: true }\n  use: { group: g, run: ['true'], needs: [build] }\n",
    );
    let (code, report) = project.json(&["full-check"]);
    assert_eq!((code, report["verdict"].as_str().unwrap()), (4, "inconclusive"));
    let project = Project::with(
        "version: 1\nchecks:\n  tool: { group: g, run: [x], requires: [no-such-tool] }\n  use: { group: g, run: ['true'], needs: [tool] }\n  other: { group: g, run: ['true'] }\n",
    );
    let (code, report) = project.json(&["full-check"]);
    assert_eq!((code, report["checks"][1]["status"].as_str().unwrap()), (0, "skipped"));
}
