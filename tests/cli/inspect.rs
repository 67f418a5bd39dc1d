//! `inspect` and `convert`: report files without a policy.

use super::support::Project;

const JUNIT: &str = "<testsuite name='s'><testcase name='a' time='0.5'/><testcase name='b' time='2'><failure message='no'/></testcase></testsuite>";
const LCOV: &str = "SF:/build/src/a.c\nDA:1,1\nDA:2,0\nend_of_record\n";

fn project() -> Project {
    let project = Project::new();
    project.write("src/a.c", "x\n").write("junit.xml", JUNIT).write("lcov.info", LCOV).commit();
    project
}

#[test]
fn the_json_is_mgmt_evidence_1() {
    let project = project();
    let (code, json) = project.json(&["inspect", "junit.xml", "lcov.info", "--files", "--slowest", "1"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "schema": "mgmt.evidence/1",
      "measurements": {
        "coverage.files.total": 1,
        "coverage.files.unmatched": 0,
        "coverage.lines.covered": 1,
        "coverage.lines.percent": 50,
        "coverage.lines.total": 2,
        "tests.attempts": 2,
        "tests.duration_seconds": 2.5,
        "tests.errors": 0,
        "tests.failed": 1,
        "tests.flaky": 0,
        "tests.passed": 1,
        "tests.skipped": 0,
        "tests.total": 2
      },
      "files": [
        {
          "path": "junit.xml",
          "kind": "tests",
          "format": "junit",
          "entries": 2
        },
        {
          "path": "lcov.info",
          "kind": "coverage",
          "format": "lcov",
          "entries": 1
        }
      ],
      "sources": [
        {
          "path": "src/a.c",
          "lines_covered": 1,
          "lines_total": 2,
          "branches_covered": 0,
          "branches_total": 0,
          "functions_covered": 0,
          "functions_total": 0
        }
      ],
      "tests": [
        {
          "suite": "s",
          "class": "",
          "name": "b",
          "file": null,
          "outcome": "failed",
          "flaky": false,
          "attempts": 1,
          "seconds": 2.0,
          "message": "no"
        }
      ],
      "problems": []
    }
    "#);
    let (_, json) = project.json(&["inspect", "junit.xml"]);
    assert!(json.get("tests").is_none() && json.get("sources").is_none());
    let (_, json) = project.json(&["inspect", "junit.xml", "--failed"]);
    assert_eq!(json["tests"].as_array().unwrap().len(), 1);
}

#[test]
fn the_exit_code_tells_a_loss_from_nothing_from_all() {
    let project = project();
    project.write("cut.xml", "<testsuite><testcase name='a'/><testcase name='b'>").write("empty.xml", "<testsuites/>");
    for (file, code) in [("junit.xml", 0), ("cut.xml", 4), ("empty.xml", 3), ("nope.xml", 4), ("src/a.c", 4)] {
        assert_eq!(project.run(&["inspect", file]).code, code, "{file}");
    }
    assert_eq!(project.run(&["inspect", "junit.xml", "cut.xml"]).code, 4);
    assert_eq!(project.run(&["inspect", "junit.xml", "--as", "junti"]).code, 2);
}

#[test]
fn a_report_twice_counts_once_as_coverage_and_as_a_repeat_of_tests() {
    let project = project();
    project.write("copy.info", LCOV).write("copy.xml", JUNIT);
    let (_, json) = project.json(&["inspect", "lcov.info", "copy.info", "junit.xml", "copy.xml"]);
    assert_eq!(json["measurements"]["coverage.lines.covered"], 1);
    assert_eq!(json["problems"][0]["code"], "evidence.duplicate");
    assert_eq!((&json["measurements"]["tests.total"], &json["measurements"]["tests.attempts"]), (&2.into(), &4.into()));
}

#[test]
fn converted_reports_read_back_the_same() {
    let project = project();
    for (file, form) in [("lcov.info", "cobertura"), ("lcov.info", "lcov"), ("junit.xml", "junit")] {
        let ran = project.run(&["convert", file, "--to", form, "--output", "out"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
        let (_, before) = project.json(&["inspect", file]);
        let (code, after) = project.json(&["inspect", "out"]);
        assert_eq!((code, &after["measurements"]), (0, &before["measurements"]), "{form}");
    }
    let ran = project.run(&["convert", "junit.xml", "--to", "lcov"]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (3, "error: nothing in these files can be written as lcov\nhelp: lcov holds coverage\n")
    );
}

#[test]
fn several_files_add_up_the_same_in_any_order() {
    let project = project();
    project.write("two.info", "SF:src/a.c\nDA:2,3\nDA:9,0\nend_of_record\n");
    let numbers = |files: &[&str]| project.json(&[&["inspect"], files].concat()).1["measurements"].clone();
    let there = numbers(&["lcov.info", "two.info"]);
    assert_eq!(there, numbers(&["two.info", "lcov.info"]));
    assert_eq!(
        (&there["coverage.lines.covered"], &there["coverage.lines.total"], &there["coverage.files.unmatched"]),
        (&2.into(), &3.into(), &0.into())
    );
}

#[test]
fn a_bound_is_the_projects_own_and_the_command_line_moves_it() {
    let project = project();
    let told = |args: &[&str]| {
        let (code, json) = project.json(&[&["inspect", "junit.xml"], args].concat());
        let problem = json["problems"].as_array().unwrap().iter().find(|one| one["code"] == "evidence.limit").cloned();
        (code, problem.map(|one| format!("{} | {}", one["message"].as_str().unwrap(), one["hint"].as_str().unwrap())))
    };
    let passed = "the number of test cases is larger than the limit of 1 cases; the rest of the report was not read | if the report is what it should be, raise `limits: { entries: … }` in mgmt.yml (`--limit entries=…` for `inspect` and `convert`)";
    assert_eq!(told(&[]), (0, None));
    assert_eq!(told(&["--limit", "entries=1"]), (4, Some(passed.to_owned())));
    project.write("mgmt.yml", "version: 1\nlimits: { entries: 1 }\n");
    assert_eq!(told(&[]), (4, Some(passed.to_owned())));
    assert_eq!(told(&["--limit", "depth=9", "--limit", "entries=2"]), (0, None));
    let refused = project.run(&["inspect", "junit.xml", "--limit", "entrie=1"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("did you mean `entries`?"), "{}", refused.stderr);
}
