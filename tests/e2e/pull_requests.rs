//! What the action leaves on GitHub for each event: comment, check run, summary, outputs, artifacts.

use serde_json::Value;

use super::act::{BOT, Bench, Jobs, KEEP, REPOSITORY};

/// Two rules that a run answers by itself, and one that takes a baseline.
const POLICY: &str = "\
version: 1
project: { name: project, default-branch: main }
checks:
  tests:
    group: test
    run: [cp, made/junit.xml, made/lcov.info, .]
    evidence: { tests: junit.xml, coverage: lcov.info }
gate:
  - { metric: tests.failed, max: 0 }
  - { metric: tests.total, max-drop: 0 }
  - { metric: coverage.lines.percent, min: 60 }
";
const JUNIT: &str = "<testsuite name='s'><testcase name='a'/><testcase name='b'/></testsuite>";
const RED: &str = "<testsuite name='s'><testcase name='a' file='src/a.py' line='2'>\
                   <failure message='a is no b'/></testcase><testcase name='b'/></testsuite>";
const LCOV: &str = "SF:src/a.py\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,0\nend_of_record\n";
const WORKFLOW: &str = "\
on: [push, pull_request, schedule, workflow_dispatch]
jobs:
  gate:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v1
      - id: mgmt
        uses: org/mgmt-action@v1
";

/// The project, before its first commit.
fn bench() -> Bench {
    let bench = Bench::new(POLICY);
    let project = &bench.project;
    project.write("src/a.py", "a = 1\nb = 2\nc = 3\nd = 4\n").write(".gitignore", "/junit.xml\n/lcov.info\n");
    project.write("made/junit.xml", JUNIT).write("made/lcov.info", LCOV);
    project.write(".github/workflows/ci.yml", format!("{}{KEEP}", WORKFLOW.trim_end()));
    bench
}

/// A bench whose default branch has left its record.
fn pushed() -> Bench {
    let bench = bench();
    bench.commit(REPOSITORY, "main");
    let event = bench.event("push");
    ended(&bench.start(&event), 0);
    bench.upload(event.run);
    bench
}

/// The one job ended with this code, and its outputs say so.
fn ended(jobs: &Jobs, code: i32) {
    let want = if code == 0 { (0, 1, 0) } else { (1, 0, 1) };
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), want, "{}", jobs.log);
    told(
        jobs,
        &[("exit-code", &code.to_string()), ("verdict", ["pass", "fail", "", "", "inconclusive"][code as usize])],
    );
}

/// The outputs have these values.
fn told(jobs: &Jobs, values: &[(&str, &str)]) {
    for (name, value) in values {
        assert_eq!(jobs.outputs.get(*name), Some(&Value::from(*value)), "{name} in {:?}\n{}", jobs.outputs, jobs.log);
    }
}

/// Neither the action nor the binary warns of anything.
fn complains_of_nothing(jobs: &Jobs) {
    let warned = |line: &&str| line.contains("::warning") || line.contains("warning\u{1b}[0m: ");
    assert_eq!(jobs.log.lines().find(warned), None, "{}", jobs.log);
}

/// Check runs: the commit and the conclusion of each.
fn check_runs(bench: &Bench) -> Vec<(String, String)> {
    let shown = |repo: &super::github::state::Repository| {
        let of = |check: &super::github::state::CheckRun| (check.head_sha.clone(), check.conclusion.clone().unwrap());
        repo.check_runs.iter().map(of).collect()
    };
    bench.repo().read(shown)
}

#[test]
fn a_push_leaves_its_evidence_and_its_record() {
    let bench = bench();
    let commit = bench.commit(REPOSITORY, "main");
    let event = bench.event("push");
    let jobs = bench.start(&event);
    ended(&jobs, 0);
    complains_of_nothing(&jobs);
    told(&jobs, &[("tests-total", "2"), ("tests-failed", "0"), ("tests-skipped", "0"), ("tests-flaky", "0")]);
    told(&jobs, &[("coverage-lines", "75"), ("coverage-branches", ""), ("coverage-patch", ""), ("comment-url", "")]);
    assert!(jobs.summary.contains("## ✅ pass") && jobs.summary.contains(&commit), "{}", jobs.summary);
    assert_eq!(check_runs(&bench), [(commit, "success".to_owned())]);
    assert_eq!(jobs.requests, 1, "only the check run has to be told of");
    for (output, want) in [("report-json", "\"mgmt.report/1\""), ("report-markdown", "## ✅ pass")] {
        let path = jobs.outputs[output].as_str().unwrap();
        let (_, path) = path.rsplit_once(".mgmt/").unwrap();
        let kept = bench.place(&format!("store/left/{}/.mgmt/{path}", event.run));
        assert!(std::fs::read_to_string(&kept).unwrap().contains(want), "{output}: {path}");
    }

    // The same name once more is an error of the upload, and none of the job; a record takes the place of the older.
    let again = bench.start(&bench.event("push"));
    ended(&again, 0);
    assert!(again.log.contains("::warning title=not uploaded"), "{}", again.log);
    assert_eq!(bench.upload(event.run), ["mgmt-evidence-attempt1", "mgmt-record"]);
    let files = bench.repo().read(|repo| repo.artifacts.iter().map(|made| made.bytes.clone()).collect::<Vec<_>>());
    let holds = |bytes: &[u8], name: &str| bytes.windows(name.len()).any(|window| window == name.as_bytes());
    assert!(["bundle.json", "record.json", "evidence/", "junit.xml"].iter().all(|name| holds(&files[0], name)));
    assert!(holds(&files[1], "record.json") && !holds(&files[1], "bundle.json"));
}

#[test]
fn a_red_push_leaves_them_as_well() {
    let bench = bench();
    bench.project.write("made/junit.xml", RED);
    let commit = bench.commit(REPOSITORY, "main");
    let event = bench.event("push");
    let jobs = bench.start(&event);
    ended(&jobs, 1);
    told(&jobs, &[("tests-total", "2"), ("tests-failed", "1")]);
    assert!(jobs.summary.contains("## ❌ fail"), "{}", jobs.summary);
    assert_eq!(check_runs(&bench), [(commit, "failure".to_owned())]);
    assert_eq!(bench.upload(event.run), ["mgmt-evidence-attempt1", "mgmt-record"]);
}

#[test]
fn a_pull_request_is_compared_and_its_comment_is_kept_up_to_date() {
    let bench = pushed();
    bench.project.write("src/a.py", "a = 1\nb = 2\nc = 4\nd = 4\n");
    let mut pull = bench.open(REPOSITORY);
    for number in 0..299 {
        bench.repo().comment(pull.number, "octocat", &format!("remark {number}"));
    }
    let event = bench.pull_request(&pull);
    let jobs = bench.start(&event);
    ended(&jobs, 0);
    assert!(jobs.log.contains("-full-check-pass of "), "the baseline is told: {}", jobs.log);
    complains_of_nothing(&jobs);
    assert!(jobs.requests <= 12, "{} requests", jobs.requests);
    told(&jobs, &[("tests-total", "2"), ("coverage-lines", "75"), ("coverage-patch", "100")]);
    assert!(jobs.outputs["comment-url"].as_str().unwrap().contains("issuecomment-"), "{:?}", jobs.outputs);
    // Evidence for others to judge, and no record: only pushes to the default branch leave one.
    assert_eq!(bench.upload(event.run), ["mgmt-evidence-attempt1"]);
    let comment = |at: usize| bench.repo().comments(pull.number).remove(at);
    let (author, body) = comment(299);
    assert_eq!(author, BOT);
    assert!(body.starts_with("<!-- mgmt-action:report:ci/gate -->\n"), "{body}");
    for want in ["## ✅ pass: project `full-check`", "| `tests.total` | 2 |", &pull.head, "Compared with "] {
        assert!(body.contains(want), "{want} in {body}");
    }
    assert!(jobs.summary.contains("## ✅ pass: project `full-check`"), "{}", jobs.summary);

    // The next commit breaks a test and drops another: the same comment says so.
    bench.project.write("made/junit.xml", RED.replace("<testcase name='b'/>", ""));
    let green = pull.head.clone();
    bench.push_to(&mut pull);
    let jobs = bench.start(&bench.pull_request(&pull));
    ended(&jobs, 1);
    assert!(jobs.requests <= 12, "{} requests", jobs.requests);
    told(&jobs, &[("tests-total", "1"), ("tests-failed", "1")]);
    let (_, body) = bench.repo().comments(pull.number).remove(299);
    assert_eq!(bench.repo().comments(pull.number).len(), 300, "it is written once");
    for want in ["## ❌ fail", "| ❌ fail | `tests.total` | 1 |", "`s::b`", "a is no b", &pull.head] {
        assert!(body.contains(want), "{want} in {body}");
    }
    assert!(!body.contains(&green), "{body}");
    let sorted = [(green, "success".to_owned()), (pull.head.clone(), "failure".to_owned())];
    assert_eq!(check_runs(&bench)[1..], sorted);
    let marks = bench.repo().read(|repo| repo.check_runs[2].annotations.clone());
    assert!(marks.iter().any(|mark| mark["path"] == "src/a.py" && mark["start_line"] == 2), "{marks:?}");
    bench.upload(0);

    // A run on the same commit says the same, and nothing is written.
    let before = bench.fake.count("PATCH", "/repos/*/*/issues/comments/*");
    ended(&bench.start(&bench.pull_request(&pull)), 1);
    assert_eq!(bench.fake.count("PATCH", "/repos/*/*/issues/comments/*"), before);
}

#[test]
fn a_pull_request_from_a_fork_is_told_by_the_job_that_its_end_starts() {
    let bench = pushed();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/workflows/forks.yml");
    bench.project.write(".github/workflows/publish.yml", std::fs::read_to_string(example).unwrap());
    bench.commit(REPOSITORY, "main");
    // The fork lowers the limit, breaks a test, and says in its own policy that nothing of that matters.
    bench.project.write("src/a.py", "a = 1\nb = 5\nc = 3\nd = 4\n").write("made/junit.xml", RED);
    bench.project.write("mgmt.yml", POLICY.replace("max: 0 }", "max: 9 }"));
    let pull = bench.open("stranger/project");
    let event = bench.pull_request(&pull);
    bench.allow(&["issues: write", "pull-requests: write", "checks: write"]);
    let jobs = bench.start(&event);
    // Its own job is judged by its own command, and its token can write nothing.
    assert!(jobs.log.contains(": write`"), "the permission is named: {}", jobs.log);
    assert!(jobs.summary.contains("## ❌ fail"), "{}", jobs.summary);
    assert!(bench.repo().comments(pull.number).is_empty());
    assert_eq!(bench.upload(event.run), ["mgmt-evidence-attempt1"]);
    bench.repo().edit_run(event.run, |run| run.conclusion = Some("failure".to_owned()));

    bench.allow(&[]);
    // That job begins on the default branch, with nothing of the pull request checked out.
    let jobs = bench.start(&bench.finished(&pull, event.run));
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (1, 0, 1), "{}", jobs.log);
    assert!(jobs.requests <= 12, "{} requests", jobs.requests);
    let (author, body) = bench.repo().comments(pull.number).remove(0);
    assert_eq!(author, BOT);
    for want in ["## ❌ fail", "Reported by the fork.", "stranger/project", "The policy was changed.", "`s::a`"] {
        assert!(body.contains(want), "{want} in {body}");
    }
    let (sha, conclusion) = check_runs(&bench).pop().unwrap();
    assert_eq!((sha, conclusion.as_str()), (pull.head.clone(), "failure"));
    assert!(jobs.summary.contains("Reported by the fork."), "{}", jobs.summary);
}

#[test]
fn the_end_of_ones_own_run_starts_nothing() {
    let bench = pushed();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/workflows/forks.yml");
    bench.project.write(".github/workflows/publish.yml", std::fs::read_to_string(example).unwrap());
    bench.commit(REPOSITORY, "main");
    let pull = bench.open(REPOSITORY);
    let run = bench.pull_request(&pull).run;
    let jobs = bench.start(&bench.finished(&pull, run));
    assert_eq!((jobs.succeeded, jobs.failed, jobs.requests), (0, 0, 0), "{}", jobs.log);
}

#[test]
fn a_run_without_a_push_leaves_evidence_and_no_record() {
    let bench = pushed();
    for name in ["schedule", "workflow_dispatch"] {
        let event = bench.event(name);
        let jobs = bench.start(&event);
        ended(&jobs, 0);
        told(&jobs, &[("tests-total", "2"), ("comment-url", "")]);
        assert!(jobs.summary.contains("## ✅ pass"), "{name}: {}", jobs.summary);
        assert_eq!(bench.upload(event.run), ["mgmt-evidence-attempt1"], "{name}");
    }
    bench.project.write("made/lcov.info", LCOV.replace("DA:3,1", "DA:3,0"));
    let jobs = bench.run("schedule");
    ended(&jobs, 1);
    assert!(jobs.summary.contains("coverage.lines.percent"), "{}", jobs.summary);
}

#[test]
fn a_secret_that_is_shown_is_found() {
    for leak in [
        "echo \"${TOKEN}\"",
        "echo \"${TOKEN}\" >> \"${GITHUB_STEP_SUMMARY}\"",
        "echo \"${TOKEN}\" > left; cp left \"${MGMT_E2E_STORE}/left\"",
        "echo \"${DISCORD_WEBHOOK_URL}\"",
    ] {
        let bench = Bench::new(POLICY);
        let step = format!("      - run: '{leak}'\n        env: {{ TOKEN: \"${{{{ github.token }}}}\" }}\n");
        let job = "on: push\njobs:\n  leak:\n    runs-on: ubuntu-24.04\n    steps:\n";
        bench.project.write(".github/workflows/ci.yml", format!("{job}{step}"));
        bench.commit(REPOSITORY, "main");
        let event = bench.event("push");
        let jobs = bench.start_unseen(&event);
        assert_eq!((jobs.code, jobs.succeeded), (0, 1), "{}", jobs.log);
        assert_ne!(bench.shown(&jobs), [""; 0], "{leak}");
    }
}
