//! What a run is compared with: which baseline, from where, and why there is none.

use super::comparison::{CONFIG, JUNIT, lcov, rule, shop, verdict_of};
use super::support::Project;

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
fn why_there_is_no_baseline_and_what_helps_is_said_where_one_looks() {
    let strict = CONFIG.replace("max-drop: 0.5", "max-drop: 0.5, require-base: true");
    for (config, verdict) in [(CONFIG, "warn"), (&strict, "inconclusive")] {
        let project = shop(config);
        project.git(&["branch", "-m", "trunk"]);
        project.git(&["commit", "-q", "--allow-empty", "-m", "two"]);
        let (_, report) = project.json(&["full-check"]);
        let percent = rule(&report, "coverage.lines.percent");
        assert_eq!(percent["verdict"], verdict);
        assert_eq!(percent["message"], "there is no baseline to compare with: the default branch is not known");
        let shown = project.run(&["full-check"]).stdout;
        let next = "next: no baseline: the default branch is not known; name it under `project:` as `default-branch`";
        assert!(shown.contains(next), "{shown}");
        let problem = "warn   no baseline: the default branch is not known  [baseline.none]";
        assert_eq!(shown.contains(problem), verdict == "inconclusive", "{shown}");
        // The cure helps, and then the next one is named.
        std::fs::remove_dir_all(project.path(".mgmt")).unwrap();
        project.write("mgmt.yml", config.replace("{ name: shop }", "{ name: shop, default-branch: trunk }"));
        let shown = project.run(&["full-check"]).stdout;
        let next = "next: no baseline: history has no full, clean run of the commit that is checked out or of those \
                    before it (2 commits); run `mgmt full-check` there, or bring its record here with `mgmt history import`";
        assert!(shown.contains(next), "{shown}");
        project.write("mgmt.yml", config.replace("{ name: shop }", "{ name: shop, default-branch: main }"));
        let shown = project.run(&["full-check"]).stdout;
        let next = "next: no baseline: the default branch `main` is not in this repository; fetch it, or correct \
                    `default-branch` under `project:`";
        assert!(shown.contains(next), "{shown}");
    }
}

#[test]
fn a_shallow_clone_says_what_to_fetch() {
    let project = shop(CONFIG);
    project.git(&["commit", "-q", "--allow-empty", "-m", "two"]);
    project.git(&["checkout", "-q", "-b", "feature"]);
    project.git(&["commit", "-q", "--allow-empty", "-m", "three"]);
    project.git(&["checkout", "-q", "main"]);
    let clone = Project::new();
    clone.git(&[
        "clone",
        "-q",
        "--depth",
        "1",
        "--branch",
        "feature",
        &format!("file://{}", project.root().display()),
        ".",
    ]);
    clone.write("junit.in", JUNIT).write("lcov.in", lcov(&[("src/cart.py", "++++-")]));
    let shown = clone.run(&["full-check"]).stdout;
    let next =
        "next: no baseline: the shallow clone does not reach back to where the change starts; fetch all branches";
    assert!(shown.contains(next), "{shown}");
    assert_eq!(clone.run(&["full-check", "--base", "HEAD~1"]).code, 2);
    clone.git(&["fetch", "-q", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
    let shown = clone.run(&["full-check"]).stdout;
    assert!(shown.contains("no full, clean run of the merge base with origin/main or of those before it"), "{shown}");
}

#[test]
fn a_ratchet_without_a_baseline_by_request_says_so() {
    let project = shop(&CONFIG.replace("max-drop: 0.5", "ratchet: true"));
    project.run(&["full-check"]);
    project.git(&["commit", "-q", "--allow-empty", "-m", "two"]);
    let (_, report) = project.json(&["full-check", "--base", "none"]);
    let percent = rule(&report, "coverage.lines.percent");
    assert_eq!(percent["verdict"], "warn");
    assert_eq!(percent["message"], "no earlier value was looked for: `--base none` was given");
    let lost = rule(&report, "coverage.lost.lines")["message"].as_str().unwrap().to_owned();
    assert_eq!(lost, "there is no baseline to compare with: `--base none` was given");
    let (_, report) = project.json(&["full-check"]);
    assert_eq!(verdict_of(&report, "coverage.lines.percent"), "pass");
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
