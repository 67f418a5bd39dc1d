//! What a run is compared with: which baseline, from where, and why there is none.

use super::comparison::{CONFIG, JUNIT, rule, shop};

#[test]
fn reports_from_elsewhere_say_nothing_of_the_tree_that_is_checked_out() {
    let project = shop(&CONFIG.replace("gate:", "gate:\n  - { metric: tests.flaky, max: 0 }"));
    project.run(&["full-check"]);
    project.write("other/junit.xml", JUNIT.replace("name=\"b\"/>", "name=\"b\"><failure/></testcase>"));
    // The failure is of another tree, so the test is not flaky on this one: neither now nor for later runs.
    let (_, report) = project.json(&["gate", "--evidence", "tests=other/junit.xml", "r/lcov.info"]);
    assert_eq!(rule(&report, "tests.flaky")["value"].as_f64(), Some(0.0), "{report:#}");
    let (code, report) = project.json(&["full-check"]);
    assert_eq!((code, rule(&report, "tests.flaky")["value"].as_f64()), (0, Some(0.0)), "{report:#}");
    let trees: Vec<_> = project.records().iter().map(|id| project.record(id)["project"]["tree"].is_string()).collect();
    assert_eq!(trees, [true, false, true]);
}

#[test]
fn what_is_no_record_of_this_version_is_no_baseline() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    let record = project.run(&["history", "show", "latest", "--format", "json"]).stdout;
    let mut newer: serde_json::Value = serde_json::from_str(&record).unwrap();
    newer["schema"] = "mgmt.record/2".into();
    let report = project.read(".mgmt/reports/latest.json");
    assert!(report.lines().count() > 1, "a document over several lines");
    let refused = |content: String, wanted: &[&str]| {
        project.write("base.json", &content);
        for args in [&["full-check"][..], &["gate", "--evidence", "r/junit.xml"]] {
            let ran = project.run(&[&["--report-dir", "elsewhere"], args, &["--base", "base.json"]].concat());
            assert_eq!(ran.code, 2, "{ran:?}");
            for wanted in wanted.iter().chain(&["help: "]) {
                assert!(ran.stderr.contains(wanted), "{wanted}: {}", ran.stderr);
            }
        }
    };
    let newer = ["`mgmt.record/2` is not mgmt.record/1"].map(|words| (words, newer.to_string()));
    for (words, newer) in &newer {
        refused(newer.clone(), &[words]);
        refused(format!("{}\n{newer}\n", record.trim()), &[words]);
        project.write("newer.jsonl", newer);
        assert!(project.run(&["history", "import", "newer.jsonl"]).stderr.contains(words));
    }
    let id = &project.records()[0];
    let shown = format!("help: `mgmt history show {id} --format json` writes the record of that run");
    refused(report.clone(), &["`--base base.json` is a report (mgmt.report/1), not a record", &shown]);
    let one_line: serde_json::Value = serde_json::from_str(&report).unwrap();
    refused(one_line.to_string(), &["is a report (mgmt.report/1), not a record"]);
    refused("{ \"schema\": 1 }".to_owned(), &["this is no whole record: "]);
    refused(String::new(), &["this is no whole record: EOF while parsing"]);
    // A record over several lines is one, and so is the last of several in a line each.
    let value: serde_json::Value = serde_json::from_str(&record).unwrap();
    for content in [serde_json::to_string_pretty(&value).unwrap(), format!("{value}\n\n{value}\n\n")] {
        project.write("base.json", content);
        let (code, report) = project.json(&["full-check", "--base", "base.json"]);
        assert_eq!((code, report["baseline"]["run"].as_str()), (0, Some(id.as_str())));
    }
}

#[test]
fn a_diff_that_cannot_be_read_is_a_wrong_argument() {
    let project = shop(CONFIG);
    for diff in ["nope", "src", "mgmt.yml/x"] {
        let ran = project.run(&["full-check", "--diff", diff]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(diff), "{}", ran.stderr);
        assert!(ran.stderr.contains("help: give the path of a unified diff"), "{}", ran.stderr);
    }
}
