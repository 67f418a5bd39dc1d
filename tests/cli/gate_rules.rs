//! Each kind of rule through the binary: what it says of runs that differ in one thing.

use serde_json::Value;

use super::support::Project;

const CHECKS: &str = "version: 1
components: { core: 'src/core/**', shell: 'src/shell/**' }
checks:
  tests:
    group: test
    shell: 'mkdir -p r && cp junit.in r/j.xml && cp lcov.in r/l.info && cp metrics.in r/m.json'
    evidence: { tests: r/j.xml, coverage: r/l.info, metrics: r/m.json }
history: { keep: 36500d }
";
const CORE: &str = "src/core/a.py";
const DEEP: &str = "src/core/deep/b.py";
const SHELL: &str = "src/shell/c.py";

/// What became of a test, and how long it took.
type Case<'a> = (&'a str, &'a str, f64);
const TWO: &[Case<'_>] = &[("a", "", 0.1), ("b", "", 0.1)];
const FAILED: &str = "<failure message=\"no\"/>";
const SKIPPED: &str = "<skipped/>";

/// A repository with one commit on main and these rules, whose reports the tests write: they belong to no commit.
fn project(rules: &str) -> Project {
    let project = Project::with(&format!("{CHECKS}{rules}"));
    let lines = "one\ntwo\nthree\nfour\n";
    project.write(CORE, lines).write(DEEP, lines).write(SHELL, lines);
    project.write(".gitignore", "r/\n.mgmt/\n*.in\n*.jsonl\n").commit();
    tests(&project, TWO);
    lines_of(&project, &[(CORE, "++++"), (DEEP, "++++"), (SHELL, "++++")]);
    metrics(&project, r#"{"size": 1}"#);
    project
}

fn tests(project: &Project, cases: &[Case<'_>]) {
    let case = |(name, what, seconds): &Case<'_>| {
        format!(r#"<testcase classname="c" name="{name}" time="{seconds}">{what}</testcase>"#)
    };
    let cases: String = cases.iter().map(case).collect();
    project.write("junit.in", format!(r#"<testsuite name="s">{cases}</testsuite>"#));
}

/// Coverage of files: `+` ran, `-` did not, any other line cannot run.
fn lines_of(project: &Project, files: &[(&str, &str)]) {
    let mut out = String::new();
    for (path, lines) in files {
        out.push_str(&format!("SF:{path}\n"));
        for (line, at) in lines.chars().zip(1..).filter(|(line, _)| matches!(line, '+' | '-')) {
            out.push_str(&format!("DA:{at},{}\n", u8::from(line == '+')));
        }
        out.push_str("end_of_record\n");
    }
    project.write("lcov.in", out);
}

fn metrics(project: &Project, json: &str) {
    project.write("metrics.in", json);
}

/// Goes on to another commit with the same files: what it is compared with is the run of the one before.
fn next(project: &Project) {
    project.git(&["commit", "-q", "--allow-empty", "-m", "next"]);
}

fn check(project: &Project) -> (i32, Value) {
    project.json(&["full-check"])
}

/// The only rule on a metric, of one part of the project or all of it.
fn row<'a>(report: &'a Value, metric: &str, scope: Option<&str>) -> &'a Value {
    let rules = report["rules"].as_array().unwrap();
    let mut found = rules.iter().filter(|rule| rule["metric"] == metric && rule["scope"].as_str() == scope);
    let one = found.next().unwrap_or_else(|| panic!("{metric} {scope:?}: {report:#}"));
    assert!(found.next().is_none(), "several rows of {metric} {scope:?}: {report:#}");
    one
}

/// The verdict and the reason of that rule.
fn said<'a>(report: &'a Value, metric: &str, scope: Option<&str>) -> (&'a str, &'a str) {
    let row = row(report, metric, scope);
    (row["verdict"].as_str().unwrap(), row["message"].as_str().unwrap())
}

#[test]
fn max_rise_holds_a_value_to_the_baselines() {
    let project = project(
        "gate:
  - { metric: metrics.size, max-rise: 10% }
  - { metric: tests.duration_seconds, max-rise: 1 }
",
    );
    let run = |size: &str, seconds: f64| {
        metrics(&project, &format!("{{\"size\": {size}}}"));
        tests(&project, &[("a", "", seconds)]);
        let (code, report) = check(&project);
        next(&project);
        let told = |metric| {
            let (verdict, message) = said(&report, metric, None);
            format!("{verdict}: {message}")
        };
        (code, told("metrics.size"), told("tests.duration_seconds"))
    };
    let none = "warn: there is no baseline to compare with: this is the first commit".to_owned();
    assert_eq!(run("100", 1.0), (0, none.clone(), none));
    let (code, size, time) = run("110", 2.0);
    assert_eq!((code, &size[..5], &time[..5]), (0, "pass:", "pass:"), "{size}; {time}");
    let (code, size, time) = run("121.5", 3.5);
    assert_eq!(code, 1);
    assert_eq!(size, "fail: 121.5, 11.5 more than 110 of the baseline; 10% (11) is allowed");
    assert_eq!(time, "fail: 3.5 s, 1.5 s more than 2 s of the baseline; 1 s is allowed");
    // A fall is no rise; a tenth of a negative number is no negative allowance.
    assert_eq!(run("-100", 0.1).0, 0);
    assert_eq!(run("-90", 0.1).0, 0);
    assert_eq!(run("-80", 0.1).0, 1);
}

#[test]
fn components_and_folders_have_limits_of_their_own() {
    let rules = "gate:
  - { metric: coverage.lines.percent, component: core, min: 75 }
  - { metric: coverage.lines.percent, paths: 'src/shell/*', min: 0 }
gates:
  folders: [{ metric: coverage.lines.percent, each: folder, min: 50 }]
  components: [{ metric: coverage.lines.percent, each: component, min: 50, max-drop: 1 }]
";
    let project = project(rules);
    lines_of(&project, &[(CORE, "++++"), (DEEP, "+---"), (SHELL, "--")]);
    let (code, report) = check(&project);
    assert_eq!(code, 1);
    let core = row(&report, "coverage.lines.percent", Some("core"));
    assert_eq!((core["value"].as_f64(), core["verdict"].as_str()), (Some(62.5), Some("fail")));
    assert_eq!(core["advice"], "cover 1 of these 3 lines: src/core/deep/b.py:2-4");
    assert_eq!(said(&report, "coverage.lines.percent", Some("src/shell/*")).0, "pass");

    let parts = |gate: &str| {
        let (code, report) = project.json(&["full-check", "--gate", gate]);
        let rules = report["rules"].as_array().unwrap().iter();
        let told = rules.map(|rule| format!("{} {} {}", rule["scope"], rule["limit"], rule["verdict"]));
        (code, told.map(|row| row.replace('"', "")).collect::<Vec<_>>())
    };
    let folders = ["src/core min 50 pass", "src/core/deep min 50 fail", "src/shell min 50 fail"];
    assert_eq!(parts("folders"), (1, folders.map(str::to_owned).to_vec()));
    // The runs so far are of this commit: the next one is compared with them, part by part.
    next(&project);
    lines_of(&project, &[(CORE, "++++"), (DEEP, "----"), (SHELL, "++")]);
    let want = ["core min 50 pass", "shell min 50 pass", "core max-drop 1 fail", "shell max-drop 1 pass"];
    assert_eq!(parts("components"), (1, want.map(str::to_owned).to_vec()));
    // A component of which no report mentions a file is not known to be any good.
    lines_of(&project, &[(CORE, "++++")]);
    let (code, shown) = parts("components");
    assert_eq!((code, shown[1].as_str()), (4, "shell min 50 inconclusive"), "{shown:?}");
}

#[test]
fn a_ratchet_holds_to_the_best_of_all_runs_on_the_default_branch() {
    let project = project(
        "gate:
  - { metric: coverage.lines.percent, ratchet: 5 }
  - { metric: coverage.lines.percent, component: core, ratchet: true }
  - { metric: metrics.loss, ratchet: true, direction: lower }
",
    );
    let run = |core: &str, shell: &str, loss: &str| {
        lines_of(&project, &[(CORE, core), (SHELL, shell)]);
        metrics(&project, &format!("{{\"loss\": {loss}}}"));
        let (_, report) = check(&project);
        next(&project);
        let of = |metric, scope| said(&report, metric, scope).0.to_owned();
        let all = "coverage.lines.percent";
        ([of(all, None), of(all, Some("core")), of("metrics.loss", None)].join(" "), report)
    };
    assert_eq!(run("+++--", "+++++", "0.5").0, "warn warn warn");
    assert_eq!(run("++++-", "+++++", "0.3").0, "pass pass pass");
    // Better than the run before in two of them and worse than the best in all; within what is allowed in one.
    assert_eq!(run("+++--", "+++++", "0.6").0, "fail fail fail");
    let (told, report) = run("+++--", "+++++++++++++++", "0.4");
    assert_eq!(told, "pass fail fail");
    let core = said(&report, "coverage.lines.percent", Some("core")).1;
    assert!(core.starts_with("60 %, 20 points less than 80 % of the best so far ("), "{core}");
    let loss = said(&report, "metrics.loss", None).1;
    assert!(loss.starts_with("0.4, 0.1 more than 0.3 of the best so far ("), "{loss}");
    // What another branch reached is no measure for this one.
    project.git(&["checkout", "-q", "-b", "feature"]);
    assert_eq!(run("+++++", "+++++", "0.1").0, "pass pass pass");
    project.git(&["checkout", "-q", "main"]);
    assert_eq!(run("++++-", "+++++", "0.3").0, "pass pass pass");
}

#[test]
fn tests_that_are_gone_or_skipped_since_the_baseline_are_counted_by_name() {
    let rules = "gate:
  - { metric: tests.disappeared, max: 0 }
  - { metric: tests.newly_skipped, max: 0 }
";
    let project = project(rules);
    tests(&project, &[("a", "", 0.1), ("b", "", 0.1), ("gone", "", 0.1), ("d", SKIPPED, 0.0)]);
    let (code, report) = check(&project);
    assert_eq!(code, 0);
    for metric in ["tests.disappeared", "tests.newly_skipped"] {
        assert_eq!(
            said(&report, metric, None),
            ("warn", "there is no baseline to compare with: this is the first commit")
        );
    }
    next(&project);
    // As many tests as before, none of which failed.
    tests(&project, &[("a", "", 0.1), ("b", SKIPPED, 0.0), ("d", SKIPPED, 0.0), ("e", "", 0.1)]);
    let (code, report) = check(&project);
    assert_eq!(code, 1);
    for (metric, name) in [("tests.disappeared", "`c::gone`"), ("tests.newly_skipped", "`c::b`")] {
        let row = row(&report, metric, None);
        assert_eq!((row["value"].as_u64(), row["verdict"].as_str()), (Some(1), Some("fail")), "{row}");
        assert!(row["advice"].as_str().is_some_and(|advice| advice.contains(name)), "{row}");
    }
    next(&project);
    assert_eq!(check(&project).0, 0, "what was so in the baseline is not new");
    // Of a report without tests it is known that they are all gone, and nothing else.
    next(&project);
    project.write("junit.in", "<testsuite name=\"s\"/>");
    let (code, report) = check(&project);
    assert_eq!((code, row(&report, "tests.disappeared", None)["value"].as_u64()), (1, Some(4)));
    assert_eq!(said(&report, "tests.newly_skipped", None), ("inconclusive", "not measured"));

    let strict = self::project(&rules.replace("max: 0", "max: 0, require-base: true"));
    assert_eq!(check(&strict).0, 4);
}

/// Stores copies of a run as if it had been made in these years, by an import.
fn import_years(project: &Project, id: &str, years: std::ops::Range<u32>) -> Vec<String> {
    let record = project.record(id);
    let mut lines = String::new();
    let mut ids = Vec::new();
    for year in years {
        let mut earlier = record.clone();
        let (_, rest) = id.split_once('-').unwrap();
        ids.push(format!("{year}0101T000000000Z-{rest}"));
        earlier["id"] = ids[ids.len() - 1].as_str().into();
        earlier["started_at"] = format!("{year}-01-01T00:00:00Z").into();
        earlier["finished_at"] = format!("{year}-01-01T00:00:01Z").into();
        lines.push_str(&format!("{earlier}\n"));
    }
    project.write("earlier.jsonl", lines);
    let ran = project.run(&["history", "import", "earlier.jsonl"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stdout, format!("{} records added, 0 known already, 0 completed\n", ids.len()));
    ids
}

const NO_USUAL_TIME: &str = "no test that passed has the 5 earlier times that make a usual one";

#[test]
fn a_test_is_newly_slow_against_its_own_imported_history() {
    let project = project("gate: [{ metric: tests.newly_slow, max: 0 }]\n");
    let slow: &[Case<'_>] = &[("a", "", 5.0), ("b", "", 0.1)];
    let (code, report) = check(&project);
    assert_eq!((code, said(&report, "tests.newly_slow", None)), (0, ("warn", NO_USUAL_TIME)));
    let id = report["id"].as_str().unwrap().to_owned();
    import_years(&project, &id, 2001..2004);
    tests(&project, slow);
    let (code, report) = check(&project);
    assert_eq!((code, said(&report, "tests.newly_slow", None)), (0, ("warn", NO_USUAL_TIME)));

    // With the slow run there are more of the usual ones: five that were imported, and the first.
    import_years(&project, &id, 2011..2013);
    tests(&project, TWO);
    assert_eq!(check(&project).0, 0);
    tests(&project, slow);
    let (code, report) = check(&project);
    let row = row(&report, "tests.newly_slow", None);
    assert_eq!((code, row["value"].as_u64(), row["verdict"].as_str()), (1, Some(1), Some("fail")));
    assert!(row["advice"].as_str().is_some_and(|advice| advice.contains("`c::a`")), "{row}");
    let shown = project.run(&["history", "show", "--format", "markdown"]).stdout;
    assert!(shown.contains("`c::a`: 5.00 s, usually 0.10 s in 8 runs"), "{shown}");
}

#[test]
fn a_test_with_both_outcomes_on_one_tree_is_flaky_over_runs() {
    let project = project("gate: [{ metric: tests.flaky, max: 0 }]\n");
    let flaky = |cases: &[Case<'_>]| {
        tests(&project, cases);
        let (code, report) = check(&project);
        (code, row(&report, "tests.flaky", None)["value"].as_u64().unwrap())
    };
    assert_eq!(flaky(TWO), (0, 0));
    assert_eq!(flaky(&[("a", "", 0.1), ("b", FAILED, 0.1)]), (1, 1));
    // It is flaky as well when it holds again: the tree is the same, also in another commit.
    next(&project);
    assert_eq!(flaky(TWO), (1, 1));
    // On another tree the code may be what changed.
    project.write(CORE, "changed\n");
    project.git(&["commit", "-qam", "another"]);
    assert_eq!(flaky(TWO), (0, 0));
    // Files that differ from the commit make a tree that no other run was on.
    project.write(CORE, "changed again\n");
    assert_eq!(flaky(&[("a", "", 0.1), ("b", FAILED, 0.1)]), (0, 0));
}

#[test]
fn what_patch_ignore_names_is_no_part_of_a_patch() {
    let rule = "gate: [{ metric: coverage.patch.percent, min: 80, min-lines: 1 }]\n";
    let of = |ignore: &str| {
        let project = project(&format!("{ignore}{rule}"));
        check(&project);
        project.git(&["checkout", "-q", "-b", "feature"]);
        project.write(CORE, "ONE\ntwo\nthree\nfour\n").write("src/gen/made.py", "one\ntwo\n");
        project.write("src/gen/forgotten.py", "one\n");
        lines_of(&project, &[(CORE, "++++"), (DEEP, "++++"), (SHELL, "++++"), ("src/gen/made.py", "--")]);
        let (code, report) = check(&project);
        let files = report["patch"]["files"].as_array().unwrap().iter().map(|file| file["path"].to_string());
        (code, said(&report, "coverage.patch.percent", None).0.to_owned(), files.collect::<Vec<_>>().join(" "))
    };
    let (made, core) = ("\"src/gen/made.py\"", format!("{CORE:?}"));
    assert_eq!(of(""), (1, "fail".into(), format!("{core} {made}")));
    assert_eq!(of("patch: { ignore: src/gen/made.py }\n"), (4, "inconclusive".into(), core.clone()));
    assert_eq!(of("patch: { ignore: ['src/gen/**'] }\n"), (0, "pass".into(), core));
}

#[test]
fn below_twenty_changed_lines_a_patch_only_warns() {
    let project = project("gate: [{ metric: coverage.patch.percent, min: 80 }]\n");
    check(&project);
    project.git(&["checkout", "-q", "-b", "feature"]);
    next(&project);
    let told = |lines: usize| {
        project.write("src/core/new.py", "line\n".repeat(lines));
        lines_of(&project, &[(CORE, "++++"), ("src/core/new.py", &"-".repeat(lines))]);
        let (code, report) = check(&project);
        let (verdict, message) = said(&report, "coverage.patch.percent", None);
        (code, format!("{verdict}: {message}"))
    };
    let small = "warn: 0 % is below 80 %; with 19 changed lines, under 20, it does not decide";
    assert_eq!(told(19), (0, small.to_owned()));
    assert_eq!(told(20), (1, "fail: 0 % is below 80 %".to_owned()));
}

#[test]
fn a_run_lets_records_go_that_are_older_than_the_policy_keeps() {
    let project = project("");
    let (_, report) = check(&project);
    let first = report["id"].as_str().unwrap().to_owned();
    let old = import_years(&project, &first, 2001..2004);
    assert_eq!(project.run(&["history", "keep", &old[1]]).code, 0);
    check(&project);
    assert_eq!(project.records().len(), 5, "the policy keeps them for a hundred years");
    project.write("mgmt.yml", CHECKS.replace("36500d", "30d"));
    let (_, report) = check(&project);
    let records = project.records();
    assert_eq!((records.len(), &records[0], &records[1]), (4, &old[1], &first));
    assert_eq!(records[3], report["id"].as_str().unwrap());
}
