//! What a run is compared with: which baseline, from where, and why there is none.

use super::comparison::{CONFIG, JUNIT, lcov, rule, shop, verdict_of};
use super::support::Project;

/// A branch with a change, the commit it left main at, and a main with a run of what it has become since.
fn shop_with_a_main_that_moved_on() -> (Project, String) {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    let fork = project.git(&["rev-parse", "HEAD"]);
    project.git(&["checkout", "-q", "-b", "feature"]);
    project.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
    project.git(&["checkout", "-q", "main"]);
    // What main removes and adds is no change of the branch.
    project.write("src/cart.py", "two\nthree\nfour\nfive\n").write("src/other.py", "one\n");
    project.git(&["add", "-A"]);
    project.git(&["commit", "-q", "-m", "main moves on"]);
    project.write("lcov.in", lcov(&[("src/cart.py", "++++"), ("src/other.py", "+")]));
    assert_eq!(project.run(&["full-check"]).code, 0);
    project.git(&["checkout", "-q", "feature"]);
    project.write("src/cart.py", "one\ntwo\nthree\nfour\nFIVE\n");
    project.write("lcov.in", lcov(&[("src/cart.py", "+++++")]));
    (project, fork)
}

#[test]
fn a_named_base_means_the_commit_where_the_branch_left_it() {
    let (project, fork) = shop_with_a_main_that_moved_on();
    let (_, report) = project.json(&["full-check", "--base", "main"]);
    // Main's own record is nearer to main, and not what this branch started from.
    assert_eq!(report["baseline"]["commit"].as_str(), Some(fork.as_str()), "{report:#}");
    assert_eq!(report["baseline"]["distance"].as_u64(), Some(0));
    let files = report["patch"]["files"].as_array().unwrap();
    assert_eq!((files.len(), files[0]["covered"].as_str()), (1, Some("5")), "{files:?}");
    let between = report["patch"]["between"].as_str().unwrap();
    assert_eq!(between, format!("the merge base with main, {}", &fork[..10]));
    let shown = project.run(&["full-check", "--base", "main"]).stdout;
    assert!(shown.contains("(pass), at the merge base with main, "), "{shown}");
    // An ancestor is its own merge base.
    let (_, report) = project.json(&["full-check", "--base", &fork]);
    assert_eq!(report["patch"]["between"].as_str().unwrap(), format!("{fork}, {}", &fork[..10]));
    // A record of main as it is now: the change still starts where the branch left, and what ran is told by its commit.
    let main = project.git(&["rev-parse", "main"]);
    let ids = project.records();
    let id = ids.iter().find(|id| project.record(id)["project"]["commit"] == main.as_str()).unwrap();
    let record = project.run(&["history", "show", id, "--format", "json"]).stdout;
    project.write("main.json", record);
    let (_, report) = project.json(&["full-check", "--base", "main.json"]);
    assert_eq!(report["baseline"]["commit"].as_str(), Some(main.as_str()));
    let files = report["patch"]["files"].as_array().unwrap();
    assert_eq!((files.len(), files[0]["covered"].as_str()), (1, Some("5")), "{files:?}");
    let between = report["patch"]["between"].as_str().unwrap();
    assert!(between.starts_with("the merge base with the commit of main.json, "), "{between}");
}

#[test]
fn a_named_base_with_nothing_in_common_is_a_wrong_argument() {
    let project = shop(CONFIG);
    project.git(&["checkout", "-q", "--orphan", "elsewhere"]);
    project.git(&["commit", "-q", "-m", "one of its own"]);
    let ran = project.run(&["full-check", "--base", "main"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("`--base main` has no commit in common with what is checked out"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("help: name a branch, a tag or a commit that this branch comes from"),
        "{}",
        ran.stderr
    );
}

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
    let newer = ["a record of another version: mgmt.record/2, and this program reads mgmt.record/1"]
        .map(|words| (words, newer.to_string()));
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
fn lines_of_a_baseline_whose_commit_is_not_here_are_not_known() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    let mut record: serde_json::Value =
        serde_json::from_str(&project.run(&["history", "show", "latest", "--format", "json"]).stdout).unwrap();
    let elsewhere = "0123456789abcdef0123456789abcdef01234567";
    project.git(&["checkout", "-q", "-b", "feature"]);
    project.write("src/cart.py", "zero\none\ntwo\nthree\nfour\nfive\n");
    project.write("lcov.in", lcov(&[("src/cart.py", "+-++--")]));
    // A name that git could make something of is no commit either.
    for commit in [elsewhere.into(), "HEAD".into(), serde_json::Value::Null] {
        record["project"]["commit"] = commit.clone();
        project.write("base.json", record.to_string());
        let (code, report) = project.json(&["full-check", "--base", "base.json"]);
        assert_eq!(verdict_of(&report, "coverage.lines.percent"), "fail", "values are still compared");
        assert_eq!(rule(&report, "coverage.lines.percent")["base"].as_f64(), Some(80.0));
        assert_eq!((code, verdict_of(&report, "coverage.lost.lines").as_str()), (1, "inconclusive"), "{report:#}");
        let file = &report["patch"]["files"][0];
        assert_eq!((file["lost"].as_str(), file["touched"].as_str()), (Some(""), Some("")));
        assert_eq!(file["covered"].as_str(), Some("1"));
        let problems = report["problems"].as_array().unwrap();
        let told = problems.iter().find(|problem| problem["code"] == "baseline.none").unwrap();
        let why = if commit == elsewhere { "git does not have its commit 0123456789" } else { "it names no commit" };
        assert!(told["message"].as_str().unwrap().ends_with(why), "{told:#}");
        assert!(told["hint"].as_str().unwrap().ends_with("give the change since the baseline with --diff"), "{told:#}");
        assert_eq!(
            told["hint"].as_str().unwrap().contains(&format!("git fetch origin {elsewhere}")),
            commit == elsewhere
        );
    }
    // Whoever gives both says that the diff is the change since the baseline.
    project.write("change.diff", "--- a/src/cart.py\n+++ b/src/cart.py\n@@ -0,0 +1 @@\n+zero\n");
    let (_, report) = project.json(&["full-check", "--base", "base.json", "--diff", "change.diff"]);
    assert_eq!(report["patch"]["files"][0]["lost"], "2,5", "{report:#}");
    assert_eq!(report["patch"]["between"], "the state before change.diff");
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
