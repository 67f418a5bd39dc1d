//! What is told while checks run: plans, events, repairs, workflow commands.

use serde_json::Value;

use super::{Pipe, check, full_check, problems, project, statuses, text};
use crate::support::{Project, Ran, ran};

fn events(project: &Project, path: &str) -> Vec<Value> {
    project.read(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `event` or `event id` of each line.
fn names(events: &[Value]) -> Vec<String> {
    let id = |event: &Value| event["id"].as_str().or(event["outcome"]["id"].as_str()).map(str::to_owned);
    events
        .iter()
        .map(|event| {
            [Some(text(&event["event"]).to_owned()), id(event)].into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn a_dry_run_tells_the_plan_and_does_nothing() {
    let project = project(
        "  build: { group: build, shell: 'echo x > ran' }
  unit: { group: test, run: [pytest, -k, not slow], needs: [build], fix: [sh, -c, 'echo x > ran'] }
  layout: { group: structure, paths: [src] }
",
    );
    let args = ["full-check", "--dry-run", "--fix", "--only", "unit", "--events", "events.jsonl"];
    let ran = project.run(&args);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(ran.stdout, @r"
    full-check would run 2 of 3 checks

      build   sh -c 'echo x > ran'
              why: needed by `unit`
      unit    pytest -k 'not slow'
              why: named by --only
              after: build

    not run
      layout  not named by --only

    no gate: the checks alone decide
    ");
    let (code, plan) = project.json(&args);
    assert_eq!((code, &plan["schema"]), (0, &"mgmt.plan/1".into()));
    assert_eq!(plan["checks"][1]["command"], "pytest -k 'not slow'");
    assert_eq!(project.list(""), ["mgmt.yml"]);
}

#[test]
fn events_are_one_object_a_line_from_the_first_to_the_last() {
    let project = project(
        "  one: { group: test, run: ['true'] }
  two: { group: test, shell: 'echo words; exit 1' }
  three: { group: test, run: ['true'], needs: [two] }
  four: { group: structure, paths: [mgmt.yml] }
",
    );
    let (code, report) = full_check(&project, &["--jobs", "1", "--events", "events.jsonl"]);
    assert_eq!(code, 1);
    let events = events(&project, "events.jsonl");
    assert_eq!(
        names(&events),
        [
            "run-started",
            "check-started one",
            "check-finished one",
            "check-started two",
            "check-finished two",
            "check-finished three",
            "check-started four",
            "check-finished four",
            "run-finished",
        ]
    );
    for event in &events {
        assert_eq!(event["schema"], "mgmt.event/1");
        assert!(text(&event["time"]).ends_with('Z'), "{event}");
    }
    assert_eq!(
        (&events[0]["command"], &events[0]["checks"], &events[0]["jobs"]),
        (&"full-check".into(), &4.into(), &1.into())
    );
    assert_eq!(events[4]["outcome"]["output"]["text"], "words\n");
    assert_eq!(events[4]["outcome"]["status"], check(&report, "two")["status"]);
    assert_eq!(events[8]["statuses"], serde_json::json!([["passed", 2], ["failed", 1], ["skipped", 1]]));
}

#[test]
fn events_can_be_followed_while_the_run_goes_on() {
    let project = project("  one: { group: test, shell: 'cat go', timeout: 20s }\n");
    super::make_pipe(&project, "go");
    let mut live = Pipe::new(&project, "events");
    let running = super::Running::start(&project, &["--events", "events"], &mut live);
    let next = |live: &mut Pipe| serde_json::from_str::<Value>(&live.line()).unwrap();
    assert_eq!(next(&mut live)["event"], "run-started");
    assert_eq!(next(&mut live)["event"], "check-started");
    std::fs::write(project.path("go"), "go").unwrap();
    assert_eq!(next(&mut live)["event"], "check-finished");
    assert_eq!(next(&mut live)["event"], "run-finished");
    assert_eq!(running.finish().code, 0);
}

#[test]
fn an_event_file_that_cannot_be_made_stops_the_run_before_it_begins() {
    let project = project("  one: { group: test, shell: 'echo x > ran' }\n");
    for path in ["nowhere/events.jsonl", "."] {
        let ran = project.run(&["full-check", "--events", path]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{path}");
        assert!(ran.stderr.contains("help: the file after --events must be in a folder that exists"), "{}", ran.stderr);
    }
    assert_eq!(project.list(""), ["mgmt.yml"]);
}

#[test]
#[cfg(target_os = "linux")]
fn an_event_file_that_fills_up_is_a_warning_and_silences_nobody() {
    let project = project("  one: { group: test, run: ['true'] }\n");
    let ran = project.run(&["full-check", "--events", "/dev/full"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("warning: the event file stopped: No space left on device"), "{}", ran.stderr);
    assert!(ran.stderr.contains("[1/1] pass   one"), "{}", ran.stderr);
    assert!(ran.stdout.contains("PASS  1 check passed"));
}

#[test]
fn repairs_run_before_the_checks_one_at_a_time() {
    let project = project(
        "  one: { group: format, shell: 'echo check >> ran; test -f fixed', fix: [sh, fix.sh, one] }
  two: { group: format, shell: 'echo check >> ran', fix: [sh, fix.sh, two] }
  three: { group: format, shell: 'echo check >> ran' }
",
    );
    project.write("fix.sh", "mkdir lock || exit 1\ntouch fixed\necho fix $1 >> ran\nls / > /dev/null\nrmdir lock\n");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, project.read("ran").as_str()), (1, "check\ncheck\ncheck\n"), "without --fix nothing is repaired");
    assert_eq!(check(&report, "one")["fix"], "sh fix.sh one");
    std::fs::remove_file(project.path("ran")).unwrap();

    let (code, report) = full_check(&project, &["--fix", "--jobs", "4", "--events", "events.jsonl"]);
    assert_eq!((code, problems(&report)), (0, vec![]));
    assert_eq!(project.read("ran"), "fix one\nfix two\ncheck\ncheck\ncheck\n");
    assert_eq!(
        names(&events(&project, "events.jsonl"))[..5],
        ["run-started", "fix-started one", "fix-finished one", "fix-started two", "fix-finished two"]
    );
}

#[test]
fn a_repair_that_fails_is_a_warning_and_the_checks_decide() {
    let project = project(
        "  one: { group: format, run: ['true'], fix: [sh, -c, 'exit 9'] }
  two: { group: format, run: ['true'], fix: [./absent] }
  three: { group: format, run: ['true'], fix: [sleep, '20'], timeout: 300ms }
",
    );
    let (code, report) = full_check(&project, &["--fix"]);
    assert_eq!((code, statuses(&report).join(", ")), (0, "one passed, two passed, three passed".to_owned()));
    let told: Vec<_> =
        report["problems"].as_array().unwrap().iter().take(3).map(|problem| text(&problem["message"])).collect();
    assert_eq!(
        told,
        [
            "`sh -c 'exit 9'` of `one`: exit code 9",
            "`./absent` of `two`: the program `./absent` was not found",
            "`sleep 20` of `three`: ended after its timeout of 300 ms",
        ]
    );
    assert_eq!(problems(&report), ["run.fix-failed"; 3]);
    project.write("mgmt.yml", "version: 1\nchecks:\n  one: { group: format, run: ['false'], fix: ['true'] }\n");
    assert_eq!(full_check(&project, &["--fix"]).0, 1);
}

/// Runs in what looks like a job of GitHub Actions.
fn in_actions(project: &Project, args: &[&str]) -> Ran {
    let mut command = project.command();
    command.arg("full-check").args(args).env("GITHUB_ACTIONS", "true").env("CI", "true");
    ran(command.output().unwrap())
}

const HOSTILE: &str = "::set-output name=a::b
  ::error file=x::y
plain words
a ##[set-output name=a;]b
##[endgroup]
::endgroup::
";

/// What the runner would take for a command, besides those that are expected: `::` first in a line
/// (`ActionCommand.TryParseV2`), `##[` anywhere (`ActionCommand.TryParse`).
fn commands(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.trim_start().starts_with("::") || line.contains("##[")).collect()
}

#[test]
fn under_github_actions_what_fails_is_annotated_and_its_output_gives_no_commands() {
    let project = project(
        "  fine: { group: test, run: [cat, hostile.txt] }
  bad: { group: test, shell: 'cat hostile.txt; exit 3' }
  excused: { group: lint, run: ['false'], allow-failure: true }
  absent: { group: lint, run: [./absent] }
  skipped: { group: lint, run: ['true'], requires: [no-such-program-here] }
",
    );
    project.write("hostile.txt", HOSTILE);
    let ran = in_actions(&project, &["--jobs", "1"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        commands(&ran.stderr),
        [
            "::error title=check bad::failed: exit code 3",
            "::group::output of bad",
            "::endgroup::",
            "::warning title=check excused::failed: exit code 1",
            "::error title=check absent::error: the program `./absent` was not found",
        ]
    );
    assert!(ran.stderr.contains("\n| plain words\n"), "{}", ran.stderr);
    assert_eq!(commands(&ran.stdout), [""; 0], "{}", ran.stdout);
    assert!(ran.stdout.contains("| plain words"));

    for (quiet, shown) in [(&[][..], true), (&["-q"], false)] {
        let ran = project.run(&[&["full-check"], quiet].concat());
        assert!(!ran.stderr.contains("::"), "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("[1/5]"), shown);
    }
}

#[test]
fn under_github_actions_no_text_of_a_test_report_gives_commands() {
    let project = project(
        "  tests: { group: test, shell: 'cp given.xml report.xml; exit 1', evidence: { tests: report.xml } }\n",
    );
    let message = HOSTILE.replace('\n', "&#10;");
    project.write(
        "given.xml",
        format!(
            "<testsuite><testcase name='::error::n' classname='##[error]c'><failure message='{message}'/></testcase>\
             <testcase name='other'><failure>   ::add-mask::x</failure></testcase></testsuite>"
        ),
    );
    let ran = in_actions(&project, &[]);
    assert_eq!(ran.code, 1);
    assert_eq!(commands(&ran.stdout), [""; 0], "{}", ran.stdout);
    assert_eq!(commands(&ran.stderr), ["::error title=check tests::failed: exit code 1"], "{}", ran.stderr);

    // JSON says the same with other characters.
    let json = in_actions(&project, &["--format", "json", "-q"]);
    assert_eq!(commands(&json.stdout), [""; 0], "{}", json.stdout);
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(text(&report["verdict"]), "fail");
    let mut shown = project.command();
    shown.args(["report", "show"]).env("GITHUB_ACTIONS", "true");
    assert_eq!(commands(&ran_text(shown)), [""; 0]);
}

fn ran_text(mut command: std::process::Command) -> String {
    ran(command.output().unwrap()).stdout
}
