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
      "folders": [
        {
          "path": ".",
          "lines_covered": 1,
          "lines_total": 2,
          "branches_covered": 0,
          "branches_total": 0,
          "functions_covered": 0,
          "functions_total": 0
        },
        {
          "path": "src",
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
fn a_loss_comes_with_its_place_and_the_next_step() {
    let project = project();
    project.write("cut.xml", "<testsuite><testcase name='a'/>\n<testcase name='b'>");
    insta::assert_snapshot!(project.run(&["inspect", "nope.xml"]).stdout, @r"
    problems
      loss  nope.xml: the report cannot be read: No such file or directory (os error 2)  [evidence.unreadable]
      help: look whether the path is right, and whether the file may be read
    ");
    insta::assert_snapshot!(project.run(&["inspect", "cut.xml"]).stdout, @r"
    cut.xml  junit tests, 1 test case

      tests.total             1
      tests.passed            1
      tests.failed            0
      tests.errors            0
      tests.skipped           0
      tests.flaky             0
      tests.attempts          1
      tests.duration_seconds  0 s

    problems
      loss  cut.xml:2: the test case `b` has no end and no outcome; it is not counted  [evidence.truncated]
      loss  cut.xml:2: the report ends inside an element; what came after is unknown  [evidence.truncated]
      help: let the check finish writing: a killed process or a full disk cuts reports
    ");
    insta::assert_snapshot!(project.run(&["inspect", "cut.xml", "--format", "markdown"]).stdout, @r"
    | report | format | about | entries |
    |---|---|---|---:|
    | `cut.xml` | junit | tests | 1 |

    | metric | value |
    |---|---:|
    | `tests.total` | 1 |
    | `tests.passed` | 1 |
    | `tests.failed` | 0 |
    | `tests.errors` | 0 |
    | `tests.skipped` | 0 |
    | `tests.flaky` | 0 |
    | `tests.attempts` | 1 |
    | `tests.duration_seconds` | 0 s |

    - **loss** `cut.xml:2`: the test case `b` has no end and no outcome; it is not counted (`evidence.truncated`)
    - **loss** `cut.xml:2`: the report ends inside an element; what came after is unknown (`evidence.truncated`)
    ");
}

#[test]
fn sums_of_files_and_folders_are_shown() {
    let project = project();
    project.write("src/deep/b.c", "x\n").write(
        "two.info",
        "SF:src/deep/b.c\nFN:1,f\nFNDA:1,f\nBRDA:1,0,0,1\nBRDA:1,0,1,0\nDA:1,1\nend_of_record\nSF:/usr/include/vector\nDA:1,1\nend_of_record\n",
    );
    project.commit();
    insta::assert_snapshot!(project.run(&["inspect", "lcov.info", "two.info", "--files"]).stdout, @r"
    lcov.info  lcov coverage, 1 source file
    two.info  lcov coverage, 2 source files

      coverage.lines.covered      3
      coverage.lines.total        4
      coverage.lines.percent      75 %
      coverage.branches.covered   1
      coverage.branches.total     2
      coverage.branches.percent   50 %
      coverage.functions.covered  1
      coverage.functions.total    1
      coverage.functions.percent  100 %
      coverage.files.total        3
      coverage.files.unmatched    1

    source files
      /usr/include/vector  lines 1/1 (100 %)  branches 0/0         functions 0/0
      src/a.c              lines 1/2 (50 %)   branches 0/0         functions 0/0
      src/deep/b.c         lines 1/1 (100 %)  branches 1/2 (50 %)  functions 1/1 (100 %)

    folders
      .         lines 2/3 (66.67 %)  branches 1/2 (50 %)  functions 1/1 (100 %)
      src       lines 2/3 (66.67 %)  branches 1/2 (50 %)  functions 1/1 (100 %)
      src/deep  lines 1/1 (100 %)    branches 1/2 (50 %)  functions 1/1 (100 %)

    problems
      note  two.info: 1 source file is no file of the project: `/usr/include/vector`  [evidence.unmatched]
    ");
    insta::assert_snapshot!(project.run(&["inspect", "two.info", "--files", "--format", "markdown"]).stdout, @r"
    | report | format | about | entries |
    |---|---|---|---:|
    | `two.info` | lcov | coverage | 2 |

    | metric | value |
    |---|---:|
    | `coverage.lines.covered` | 2 |
    | `coverage.lines.total` | 2 |
    | `coverage.lines.percent` | 100 % |
    | `coverage.branches.covered` | 1 |
    | `coverage.branches.total` | 2 |
    | `coverage.branches.percent` | 50 % |
    | `coverage.functions.covered` | 1 |
    | `coverage.functions.total` | 1 |
    | `coverage.functions.percent` | 100 % |
    | `coverage.files.total` | 2 |
    | `coverage.files.unmatched` | 1 |

    | source file | lines | branches | functions |
    |---|---:|---:|---:|
    | `/usr/include/vector` | 1/1 (100 %) | 0/0 | 0/0 |
    | `src/deep/b.c` | 1/1 (100 %) | 1/2 (50 %) | 1/1 (100 %) |

    | folder | lines | branches | functions |
    |---|---:|---:|---:|
    | `.` | 1/1 (100 %) | 1/2 (50 %) | 1/1 (100 %) |
    | `src` | 1/1 (100 %) | 1/2 (50 %) | 1/1 (100 %) |
    | `src/deep` | 1/1 (100 %) | 1/2 (50 %) | 1/1 (100 %) |

    - **note** `two.info`: 1 source file is no file of the project: `/usr/include/vector` (`evidence.unmatched`)
    ");
}

#[test]
fn what_a_form_has_no_place_for_is_said() {
    let project = project();
    let sums = |file: &str| {
        let ratio = r#"{"total": 2, "covered": 1, "skipped": 0, "pct": 50}"#;
        let each = format!(r#"{{"lines": {ratio}, "statements": {ratio}, "functions": {ratio}, "branches": {ratio}}}"#);
        format!(r#"{{"total": {each}, "{file}": {each}}}"#)
    };
    project.write("sums.json", sums("src/a.c"));
    let ran = project.run(&["convert", "sums.json", "--to", "lcov"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("warning: 1 source file is left out: only sums are known of them\n"), "{ran:?}");
    project.write("sums.json", sums("src/b.c"));
    let ran = project.run(&["convert", "sums.json", "lcov.info", "--to", "lcov", "--output", "out"]);
    assert_eq!(ran.code, 4);
    assert!(project.read("out").contains("SF:src/a.c"));
    project.write("loose.info", "SF:src/a.c\nDA:1,1\nBRDA:2,0,0,1\nend_of_record\n");
    let ran = project.run(&["convert", "loose.info", "--to", "cobertura", "--output", "out"]);
    assert_eq!((ran.code, ran.stderr.starts_with("warning: 1 line with branches is left out")), (0, true), "{ran:?}");
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
    let passed = "the number of test cases is larger than the limit of 1; the rest of the report was not read | if the report is what it should be, raise `limits: { entries: … }` in mgmt.yml (`--limit entries=…` for `inspect` and `convert`)";
    assert_eq!(told(&[]), (0, None));
    assert_eq!(told(&["--limit", "entries=1"]), (4, Some(passed.to_owned())));
    project.write("mgmt.yml", "version: 1\nlimits: { entries: 1 }\n");
    assert_eq!(told(&[]), (4, Some(passed.to_owned())));
    assert_eq!(told(&["--limit", "depth=9", "--limit", "entries=2"]), (0, None));
    let refused = project.run(&["inspect", "junit.xml", "--limit", "entrie=1"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("did you mean `entries`?"), "{}", refused.stderr);
}
