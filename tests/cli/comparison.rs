//! A run against an earlier one: the baseline, the change, and what each rule says of them.

use super::support::Project;

pub(super) const CONFIG: &str = r"version: 1
project: { name: shop }
checks:
  tests:
    group: test
    shell: 'mkdir -p r && cp junit.in r/junit.xml && cp lcov.in r/lcov.info'
    evidence: { tests: r/junit.xml, coverage: r/lcov.info }
gate:
  - { metric: tests.failed, max: 0 }
  - { metric: coverage.lines.percent, max-drop: 0.5 }
  - { metric: coverage.patch.percent, min: 80, min-lines: 1 }
  - { metric: coverage.lost.lines, max: 0 }
";
pub(super) const JUNIT: &str =
    r#"<testsuite name="s"><testcase classname="c" name="a"/><testcase classname="c" name="b"/></testsuite>"#;

/// Coverage of files: `+` ran, `-` did not, any other line cannot run.
pub(super) fn lcov(files: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (path, lines) in files {
        out.push_str(&format!("SF:{path}\n"));
        for (line, at) in lines.chars().zip(1..) {
            match line {
                '+' => out.push_str(&format!("DA:{at},1\n")),
                '-' => out.push_str(&format!("DA:{at},0\n")),
                _ => {}
            }
        }
        out.push_str("end_of_record\n");
    }
    out
}

/// A project with one commit on main and a full run of it.
pub(super) fn shop(config: &str) -> Project {
    let project = Project::with(config);
    project
        .write("src/cart.py", "one\ntwo\nthree\nfour\nfive\n")
        .write("junit.in", JUNIT)
        .write("lcov.in", lcov(&[("src/cart.py", "++++-")]))
        .write(".gitignore", "r/\n.mgmt/\n*.in\n");
    project.commit();
    project
}

pub(super) fn rule<'a>(report: &'a serde_json::Value, metric: &str) -> &'a serde_json::Value {
    let rules = report["rules"].as_array().unwrap();
    rules.iter().find(|rule| rule["metric"] == metric).unwrap_or_else(|| panic!("{metric}: {report:#}"))
}

pub(super) fn verdict_of(report: &serde_json::Value, metric: &str) -> String {
    rule(report, metric)["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn the_first_run_has_nothing_to_compare_with_and_says_so() {
    let project = shop(CONFIG);
    let (code, report) = project.json(&["full-check"]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("pass")), "{report:#}");
    assert!(report["baseline"].is_null());
    assert_eq!(verdict_of(&report, "coverage.lines.percent"), "warn");
    assert_eq!(verdict_of(&report, "coverage.lost.lines"), "warn");
    let told = report["problems"].to_string();
    assert!(told.contains("no baseline: this is the first commit"), "{told}");

    let strict = CONFIG.replace("max-drop: 0.5", "max-drop: 0.5, require-base: true");
    let (code, report) = shop(&strict).json(&["full-check"]);
    assert_eq!((code, verdict_of(&report, "coverage.lines.percent").as_str()), (4, "inconclusive"));
}

#[test]
fn a_change_is_held_against_the_run_of_the_commit_it_starts_from() {
    let project = shop(CONFIG);
    assert_eq!(project.run(&["full-check"]).code, 0);
    project.git(&["checkout", "-q", "-b", "feature"]);
    // Line 1 is changed and no longer runs, line 2 no longer runs either, and two new lines are added, one of which runs.
    project.write("src/cart.py", "ONE\ntwo\nthree\nfour\nfive\nsix\nseven\n");
    project.write("lcov.in", lcov(&[("src/cart.py", "--++-+-")]));
    let (code, report) = project.json(&["full-check"]);
    assert_eq!(code, 1);
    let baseline = &report["baseline"];
    assert_eq!(baseline["commit"].as_str(), Some(project.git(&["rev-parse", "HEAD"]).as_str()));
    assert_eq!((baseline["source"].as_str(), baseline["distance"].as_u64()), (Some("history"), Some(0)));
    let percent = rule(&report, "coverage.lines.percent");
    assert_eq!(percent["base"].as_f64(), Some(80.0));
    assert!(percent["message"].as_str().unwrap().contains("less than 80 % of the baseline; 0.5 points is allowed"));
    let patch = rule(&report, "coverage.patch.percent");
    assert_eq!(patch["verdict"], "fail");
    assert_eq!(patch["advice"], "cover these 2 lines: src/cart.py:1,7");
    let lost = rule(&report, "coverage.lost.lines");
    assert_eq!(
        (lost["value"].as_u64(), lost["advice"].as_str()),
        (Some(2), Some("cover these 2 lines: src/cart.py:1-2"))
    );
    let file = &report["patch"]["files"][0];
    assert_eq!((file["covered"].as_str(), file["uncovered"].as_str()), (Some("6"), Some("1,7")));
    assert_eq!((file["touched"].as_str(), file["lost"].as_str()), (Some(""), Some("1-2")));
    let shown = project.run(&["full-check"]).stdout;
    assert!(shown.contains("src/cart.py: 1,7 (changed); 1-2 (ran in the baseline)"), "{shown}");
    assert!(shown.contains("compared with "), "{shown}");
}

#[test]
fn the_baseline_is_the_nearest_ancestor_with_a_full_clean_run() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    let first = project.git(&["rev-parse", "HEAD"]);
    // A dirty run, a partial one and one that lost evidence are no baselines.
    project.write("src/cart.py", "changed\n");
    project.run(&["full-check"]);
    project.git(&["commit", "-qam", "two"]);
    project.run(&["validate"]);
    project.write("lcov.in", "SF:src/cart.py\nDA:1,1\n");
    assert_eq!(project.run(&["full-check"]).code, 4);
    project.write("lcov.in", lcov(&[("src/cart.py", "+")]));
    project.git(&["checkout", "-q", "-b", "feature"]);
    project.git(&["commit", "-q", "--allow-empty", "-m", "three"]);
    let (_, report) = project.json(&["full-check"]);
    assert_eq!(report["baseline"]["commit"].as_str(), Some(first.as_str()), "{:#}", report["baseline"]);
    assert_eq!(report["baseline"]["distance"].as_u64(), Some(1));
    // On main itself the parent is compared with, also by a red run of it.
    project.git(&["checkout", "-q", "main"]);
    project.write("junit.in", JUNIT.replace("name=\"b\"/>", "name=\"b\"><failure/></testcase>"));
    project.git(&["commit", "-q", "--allow-empty", "-m", "red"]);
    assert_eq!(project.run(&["full-check"]).code, 1);
    let red = project.git(&["rev-parse", "HEAD"]);
    project.git(&["commit", "-q", "--allow-empty", "-m", "next"]);
    let (_, report) = project.json(&["full-check"]);
    assert_eq!(report["baseline"]["commit"].as_str(), Some(red.as_str()));
}

#[test]
fn what_to_compare_with_can_be_named() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    project.git(&["tag", "v1"]);
    project.git(&["commit", "-q", "--allow-empty", "-m", "two"]);
    for (base, commit) in [("v1", true), ("none", false)] {
        let (_, report) = project.json(&["full-check", "--base", base]);
        assert_eq!(report["baseline"]["commit"].is_string(), commit, "{base}");
    }
    let ran = project.run(&["full-check", "--base", "nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`--base nowhere` is neither a file nor a commit"), "{}", ran.stderr);
    assert!(ran.stderr.contains("help: "), "{}", ran.stderr);
    let ran = project.run(&["full-check", "--diff", "mgmt.yml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("mgmt.yml: line 1 of the diff: this is not a unified diff"), "{}", ran.stderr);
    // A diff from elsewhere, with context lines.
    project.write("change.diff", "--- a/src/cart.py\n+++ b/src/cart.py\n@@ -4,2 +4,2 @@\n four\n-5\n+five\n");
    let (code, report) = project.json(&["full-check", "--diff", "change.diff"]);
    assert_eq!((code, verdict_of(&report, "coverage.patch.percent").as_str()), (0, "not-applicable"), "{report:#}");
    assert_eq!(report["patch"]["files"][0]["touched"], "5");
    let (_, report) = project.json(&["full-check", "--diff", "change.diff", "--base", "none"]);
    assert_eq!(verdict_of(&report, "coverage.patch.percent"), "fail");
}

#[test]
fn renames_new_files_and_files_nobody_measured() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    project.git(&["checkout", "-q", "-b", "feature"]);
    project.git(&["mv", "src/cart.py", "src/basket.py"]);
    project.write("src/new.py", "a\nb\n").write("src/test_new.py", "t\n").write("docs/conf.py", "x\n");
    project.write("lcov.in", lcov(&[("src/basket.py", "+++--"), ("src/new.py", "++")]));
    let (_, report) = project.json(&["full-check"]);
    let files = report["patch"]["files"].as_array().unwrap();
    assert_eq!(
        (files[0]["path"].as_str(), files[0]["old_path"].as_str()),
        (Some("src/basket.py"), Some("src/cart.py"))
    );
    assert_eq!(files[0]["lost"], "4");
    assert_eq!((files[1]["path"].as_str(), files[1]["covered"].as_str()), (Some("src/new.py"), Some("1-2")));
    assert_eq!(verdict_of(&report, "coverage.patch.percent"), "pass");
    project.write("src/forgotten.py", "a\n");
    let (code, report) = project.json(&["full-check"]);
    assert_eq!((code, verdict_of(&report, "coverage.patch.percent").as_str()), (1, "inconclusive"));
    assert_eq!(report["patch"]["unmeasured"].to_string(), r#"["src/forgotten.py"]"#);
    project.write(".gitattributes", "src/forgotten.py linguist-generated\n");
    let (_, report) = project.json(&["full-check"]);
    assert_eq!(verdict_of(&report, "coverage.patch.percent"), "pass");
}

#[test]
fn reports_are_judged_without_running_anything() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    let record = "base.jsonl".to_owned();
    assert_eq!(project.run(&["history", "export", "-o", &record]).code, 0);
    project.write("other/junit.xml", JUNIT.replace("name=\"b\"/>", "name=\"b\"><failure/></testcase>"));
    project.write("empty.diff", "");
    let gate = |evidence: &[&str]| {
        project.json(&[&["gate", "--base", &record, "--diff", "empty.diff", "--evidence"], evidence].concat())
    };
    let (code, report) = gate(&["r/junit.xml", "r/lcov.info"]);
    assert_eq!((code, report["command"].as_str()), (0, Some("gate")), "{report:#}");
    assert_eq!(report["baseline"]["source"].as_str(), Some(record.as_str()));
    assert_eq!(report["checks"].as_array().map(Vec::len), Some(0));
    let (code, _) = gate(&["other/junit.xml", "r/lcov.info"]);
    assert_eq!(code, 1);
    // What is not given is missing, never good.
    let (code, report) = gate(&["tests=r/junit.xml"]);
    assert_eq!((code, verdict_of(&report, "coverage.lines.percent").as_str()), (4, "inconclusive"));
    let (code, _) = gate(&["r/none.xml", "r/lcov.info"]);
    assert_eq!(code, 4);
    let ran = project.run(&["gate", "--evidence", "test=r/junit.xml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean `tests`?"), "{}", ran.stderr);
    let shown = project.run(&["gate", "--evidence", "r/junit.xml", "r/lcov.info"]);
    assert!(shown.stdout.contains("PASS  3 rules held (1 not applicable)"), "{}", shown.stdout);
    // A gate's run says nothing of what is checked out, so it is no baseline.
    project.git(&["commit", "-q", "--allow-empty", "-m", "two"]);
    project.run(&["gate", "--evidence", "r/junit.xml", "r/lcov.info"]);
    project.git(&["commit", "-q", "--allow-empty", "-m", "three"]);
    let (_, report) = project.json(&["full-check"]);
    assert_eq!(report["baseline"]["distance"].as_u64(), Some(1));
}

#[test]
fn a_rule_and_a_run_are_explained() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    project.git(&["checkout", "-q", "-b", "feature"]);
    project.write("src/cart.py", "one\ntwo\nthree\nfour\nfive\nsix\n");
    project.write("lcov.in", lcov(&[("src/cart.py", "+++---")]));
    project.run(&["full-check"]);
    let rule = project.run(&["explain", "coverage.patch.percent"]).stdout;
    for wanted in
        ["min 80: fail", "because       0 % is below 80 %", "smallest fix  cover line src/cart.py:6", "compared with "]
    {
        assert!(rule.contains(wanted), "{wanted}: {rule}");
    }
    let run = project.run(&["explain", "latest"]).stdout;
    for wanted in
        ["full-check-fail: fail", "as baseline not fit", "what would make it pass:", "difference    -30 points"]
    {
        assert!(run.contains(wanted), "{wanted}: {run}");
    }
    let ran = project.run(&["explain", "2"]);
    assert!(ran.code == 2 && ran.stderr.contains("several runs begin with `2`"), "{ran:?}");
}

#[test]
fn the_age_of_a_baseline_changes_no_rule() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    let record = project.run(&["history", "show", "--format", "json"]).stdout;
    project.write("lcov.in", lcov(&[("src/cart.py", "+-++-")]));
    project.run(&["full-check"]);
    let gate = |started_at: &str| {
        let mut base: serde_json::Value = serde_json::from_str(&record).unwrap();
        base["started_at"] = started_at.into();
        project.write("base.json", base.to_string());
        let (code, report) = project.json(&["gate", "--base", "base.json", "--evidence", "r/junit.xml", "r/lcov.info"]);
        (code, report["rules"].clone(), report["verdict"].clone(), report["baseline"]["age_ms"].as_u64().unwrap())
    };
    let (young, old) = (gate("2026-11-01T00:00:00Z"), gate("2001-01-01T00:00:00Z"));
    assert_eq!((young.0, &young.1, &young.2), (old.0, &old.1, &old.2));
    assert_eq!(young.0, 1);
    assert!(old.3 > young.3);
}

#[test]
fn shards_are_judged_as_what_they_merge_to() {
    let project = shop(CONFIG);
    project.run(&["full-check"]);
    project.git(&["checkout", "-q", "-b", "feature"]);
    project.write("src/cart.py", "one\ntwo\nTHREE\nfour\nfive\nsix\n");
    project.write("a.info", lcov(&[("src/cart.py", "+--+--")])).write("b.info", lcov(&[("src/cart.py", "-++---")]));
    assert_eq!(project.run(&["convert", "a.info", "b.info", "--to", "lcov", "-o", "both.info"]).code, 0);
    let gate = |files: &[&str]| {
        let (code, mut report) = project.json(&[&["gate", "--evidence", "r/junit.xml"], files].concat());
        for rule in report["rules"].as_array_mut().unwrap() {
            rule["source"].take();
        }
        (code, report["rules"].clone(), report["patch"].clone(), report["measurements"].clone())
    };
    let (shards, reversed, merged) = (gate(&["a.info", "b.info"]), gate(&["b.info", "a.info"]), gate(&["both.info"]));
    assert_eq!(shards, merged);
    assert_eq!(reversed, merged);
    assert_eq!((merged.0, &merged.2["files"][0]["uncovered"]), (1, &"6".into()));
}
