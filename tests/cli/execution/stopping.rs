//! How checks are ended: by their timeout, by a signal to the program.

use super::{Pipe, Running, check, full_check, problems, project, statuses, text};
use crate::support::{Project, Ran};

/// A check that holds the pipe `held` with all its processes, says `ready`, and does not end when asked to.
const STUBBORN: &str = "exec 9> held
trap 'echo asked >&9' TERM
(trap '' TERM; sleep 20; echo survived >&9) &
echo something printed
echo ready >&9
wait
wait
echo survived >&9
";

/// The report of a run whose output was collected.
fn report(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn latest(project: &Project) -> serde_json::Value {
    serde_json::from_str(&project.read(".mgmt/reports/latest.json")).unwrap()
}

#[test]
fn a_timeout_ends_the_whole_process_group_and_keeps_what_was_printed() {
    // What the shell started ignores the request to end, and holds no output by which it could be noticed.
    let project = project(
        "  late:
    group: test
    shell: |
      exec 9> held
      (trap '' TERM; sleep 20; echo survived >&9) > /dev/null 2>&1 &
      echo begun
      wait
    timeout: 1s
  next: { group: test, run: ['true'] }
",
    );
    let pipe = Pipe::new(&project, "held");
    let (code, report) = full_check(&project, &[]);
    assert_eq!(pipe.rest(), "");
    assert_eq!((code, text(&report["verdict"])), (1, "fail"));
    let late = check(&report, "late");
    assert_eq!(late["status"], "timed-out");
    assert_eq!(late["reason"], "ended after its timeout of 1.0 s");
    assert!(text(&late["output_tail"]).starts_with("begun"), "{late:#}");
    assert_eq!(late["exit_code"], serde_json::Value::Null);
    assert_eq!(check(&report, "next")["status"], "passed");
}

#[test]
fn a_check_that_ignores_the_request_to_end_is_killed_after_the_grace() {
    let project = project("  stubborn: { group: test, run: [sh, stubborn.sh], timeout: 1s }\n");
    project.write("stubborn.sh", STUBBORN);
    let pipe = Pipe::new(&project, "held");
    let (code, report) = full_check(&project, &[]);
    let told = pipe.rest();
    assert_eq!(told.lines().collect::<Vec<_>>(), ["ready", "asked"]);
    let stubborn = check(&report, "stubborn");
    assert_eq!((code, text(&stubborn["status"])), (1, "timed-out"));
    assert_eq!(stubborn["reason"], "ended after its timeout of 1.0 s, and killed because it did not end when asked");
    assert!(stubborn["duration_ms"].as_u64().unwrap() >= 6000, "the grace is 5 s: {stubborn:#}");
    assert_eq!(stubborn["output_tail"], "something printed");
}

#[test]
fn the_rest_of_the_group_has_its_grace_when_the_leader_is_gone() {
    // `sh` itself dies of the signal at once; what it started wants to clean up first.
    let project = project(
        "  service:
    group: test
    shell: |
      (trap 'cat go; echo cleaned >&9; exit' TERM; echo ready >&9; sleep 20) 9> held &
      wait
    timeout: 700ms
  helper: { group: test, shell: 'sleep 2; echo > go', timeout: 20s }
",
    );
    super::make_pipe(&project, "go");
    let pipe = Pipe::new(&project, "held");
    let (_, report) = full_check(&project, &["--jobs", "2"]);
    assert_eq!(pipe.rest(), "ready\ncleaned\n", "{report:#}");
    assert_eq!(check(&report, "service")["status"], "timed-out");
}

#[test]
fn a_check_that_never_stops_printing_is_still_ended() {
    for evidence in ["", ", evidence: { tests: { from: output, format: libtest } }"] {
        let script = "echo running 1 test; yes test a ... ok";
        let project = project(&format!("  loud: {{ group: test, shell: '{script}', timeout: 500ms{evidence} }}\n"));
        let (code, report) = full_check(&project, &[]);
        let loud = check(&report, "loud");
        assert_eq!((code, text(&loud["status"])), (1, "timed-out"));
        // Reading what was printed until then takes its time; running on for twenty seconds would be the fault.
        assert!(loud["duration_ms"].as_u64().unwrap() < 10_000, "{evidence}: {}", loud["duration_ms"]);
    }
}

#[test]
fn a_signal_ends_what_runs_and_leaves_a_partial_report() {
    for signal in ["INT", "TERM"] {
        let project = project(
            "  done: { group: test, run: ['true'] }
  busy:
    group: test
    shell: |
      exec 9> held
      (sleep 20; echo survived >&9) > /dev/null 2>&1 &
      echo so far
      echo ready >&9
      wait
    needs: [done]
  later: { group: test, shell: 'echo x > ran', needs: [busy] }
  queued: { group: test, shell: 'echo x > ran', exclusive: turn }
",
        );
        let mut pipe = Pipe::new(&project, "held");
        let running = Running::start(&project, &["--jobs", "1", "--format", "json"], &mut pipe);
        assert_eq!(pipe.line(), "ready");
        running.signal(signal);
        let ran = running.finish();
        assert_eq!(pipe.rest(), "", "a child outlived the run");
        assert_eq!(ran.code, 130, "{ran:?}");
        let report = report(&ran);
        assert_eq!((text(&report["verdict"]), &report["exit_code"]), ("interrupted", &130.into()));
        assert_eq!(statuses(&report), ["done passed", "busy interrupted", "later interrupted", "queued interrupted"]);
        assert!(text(&check(&report, "busy")["output_tail"]).starts_with("so far"));
        assert_eq!(check(&report, "queued")["reason"], "never started: the run was interrupted");
        assert!(!project.path("ran").exists());
        assert!(ran.stderr.contains(&format!("SIG{signal}: ending what runs")), "{}", ran.stderr);

        assert_eq!(latest(&project), report);
        let id = text(&report["id"]);
        assert!(id.ends_with("-full-check-interrupted"), "{id}");
        assert!(project.read(".mgmt/reports/latest.md").contains(&format!("Stopped by SIG{signal}")));
        assert_eq!(project.records(), [id]);
    }
}

#[test]
fn a_second_signal_ends_at_once_what_ignores_the_first() {
    let project = project("  stubborn: { group: test, run: [sh, stubborn.sh] }\n");
    project.write("stubborn.sh", STUBBORN);
    let mut pipe = Pipe::new(&project, "held");
    let running = Running::start(&project, &["--format", "json"], &mut pipe);
    assert_eq!(pipe.line(), "ready");
    running.signal("INT");
    // The first signal has reached the check, and it goes on.
    assert_eq!(pipe.line(), "asked");
    running.signal("INT");
    let ran = running.finish();
    assert_eq!(pipe.rest(), "");
    let report = report(&ran);
    assert_eq!((ran.code, statuses(&report).join(", ")), (130, "stubborn interrupted".to_owned()));
    let duration = check(&report, "stubborn")["duration_ms"].as_u64().unwrap();
    assert!(duration < 4_500, "it was killed after the grace, not at once: {duration} ms");
}

#[test]
fn a_signal_during_a_repair_ends_it_and_starts_no_check() {
    let project = project("  style: { group: format, shell: 'echo x > ran', fix: [sh, fix.sh] }\n");
    project.write("fix.sh", "exec 9> held\necho ready >&9\nsleep 20\necho survived >&9\n");
    let mut pipe = Pipe::new(&project, "held");
    let running = Running::start(&project, &["--fix", "--format", "json"], &mut pipe);
    assert_eq!(pipe.line(), "ready");
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(pipe.rest(), "");
    let report = report(&ran);
    assert_eq!((ran.code, statuses(&report).join(", ")), (130, "style interrupted".to_owned()));
    assert_eq!(problems(&report), ["run.fix-failed"]);
    assert!(!project.path("ran").exists());
}

#[test]
fn a_second_signal_ends_the_reading_of_a_large_report() {
    // Reading forty megabytes of cases takes seconds; the check has ended when nobody holds the pipe `gone`.
    let project = project(
        "  huge:
    group: test
    shell: |
      (echo '<testsuites>'; yes '<testsuite><testcase name=\"a\"/></testsuite>' | head -c 40000000) > report.xml
      exec 8> gone
      echo written > held
    evidence: { tests: report.xml }
",
    );
    let (mut pipe, gone) = (Pipe::new(&project, "held"), Pipe::new(&project, "gone"));
    let running = Running::start(&project, &["--format", "json"], &mut pipe);
    assert_eq!(pipe.line(), "written");
    assert_eq!(gone.rest(), "");
    running.signal("INT");
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!((ran.code, statuses(&report(&ran)).join("")), (130, "huge interrupted".to_owned()));
}
