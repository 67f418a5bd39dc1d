//! What other programs rely on: the JSON report, the record, the Markdown, the exit codes.

use super::support::Project;

const JUNIT: &str = r#"<testsuites><testsuite name="s" tests="3"><testcase classname="shop.cart" name="adds" time="0.25"/>
<testcase classname="shop.cart" name="total" time="0.5"><failure message="expected &lt;3&gt; | got `4`">Trace
  line two @someone</failure></testcase><testcase classname="shop.cart" name="later"><skipped/></testcase></testsuite></testsuites>"#;
const LCOV: &str = "SF:src/cart.py\nDA:1,1\nDA:2,0\nDA:3,4\nend_of_record\n";

/// A project with a failing test, a warning, a stale report and a rule of each verdict.
fn shop() -> Project {
    let project = Project::with(
        r"version: 1
project: { name: shop }
checks:
  style: { group: lint, run: ['true'] }
  tests:
    group: test
    shell: 'mkdir -p r && cp junit.in r/junit.xml && cp lcov.in r/lcov.info && echo output && exit 1'
    fix: [repair, tests]
    evidence: { tests: r/junit.xml, coverage: r/lcov.info }
  model: { group: model, run: ['true'], evidence: { metrics: metrics.json } }
  docs: { group: docs, run: ['false'], allow-failure: true }
  tool: { group: lint, run: [x], requires: [no-such-tool] }
gate:
  - { metric: tests.failed, max: 0 }
  - { metric: tests.total, min: 3 }
  - { metric: coverage.lines.percent, min: 50, warn-below: 70 }
  - { metric: metrics.f1, min: 0.6 }
",
    );
    project
        .write("junit.in", JUNIT)
        .write("lcov.in", LCOV)
        .write("metrics.json", "{\"f1\": 0.7}")
        .write(".gitignore", "r/\n.mgmt/\n");
    project.commit();
    project
}

#[test]
fn the_json_report_is_mgmt_report_1() {
    let project = shop();
    let (code, mut report) = project.json(&["full-check"]);
    assert_eq!(code, 1);
    for check in report["checks"].as_array_mut().unwrap() {
        assert!(check["duration_ms"].is_u64());
        check["duration_ms"] = 0.into();
    }
    for field in ["started_at", "finished_at", "duration_ms"] {
        assert!(!report[field].is_null());
        report[field] = "[time]".into();
    }
    let text = project.redact(&serde_json::to_string_pretty(&report).unwrap());
    insta::assert_snapshot!(text, @"");
}

#[test]
fn the_written_json_is_what_was_printed_and_latest_is_the_same() {
    let project = shop();
    let ran = project.run(&["full-check", "--format", "json", "-q"]);
    let names = project.list(".mgmt/reports");
    let own = names.iter().find(|name| name.ends_with("-full-check-fail.json")).unwrap();
    assert_eq!(project.read(&format!(".mgmt/reports/{own}")), ran.stdout);
    assert_eq!(project.read(".mgmt/reports/latest.json"), ran.stdout);
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(project.git(&["status", "--porcelain"]), "", ".mgmt does not ignore itself");
}

#[test]
fn the_markdown_opens_with_the_verdict_and_what_to_do() {
    let project = shop();
    let ran = project.run(&["full-check", "--format", "markdown", "-q"]);
    insta::assert_snapshot!(project.redact(&ran.stdout), @"");
}

#[test]
fn the_terminal_report_shows_what_failed_and_what_to_do() {
    let project = shop();
    let ran = project.run(&["full-check"]);
    insta::assert_snapshot!(project.redact(&ran.stdout), @"");
}

#[test]
fn every_form_can_be_rendered_again_from_the_record_with_the_same_bytes() {
    let project = shop();
    let printed = project.run(&["full-check", "--format", "markdown", "-q"]).stdout;
    assert_eq!(project.run(&["report", "show", "--format", "markdown"]).stdout, printed);
    let json = project.run(&["report", "show", "latest", "--format", "json"]).stdout;
    assert_eq!(project.read(".mgmt/reports/latest.json"), json);
}

#[test]
fn the_record_holds_tests_and_lines_and_reads_back_as_it_was() {
    let project = shop();
    project.run(&["full-check", "-q"]);
    let name = project.list(".mgmt/records").pop().unwrap();
    let text = project.read(&format!(".mgmt/records/{name}"));
    let record: mgmt_action::record::Record = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&record).unwrap(), text);
    assert_eq!(record.schema, "mgmt.record/1");
    assert_eq!(
        record.tests.iter().map(|test| test.identity.display()).collect::<Vec<_>>(),
        ["shop.cart::adds", "shop.cart::later", "shop.cart::total"]
    );
    let lines = &record.lines["src/cart.py"];
    assert_eq!((lines.covered.as_str(), lines.missed.as_str()), ("1,3", "2"));
}

#[test]
fn a_gate_decides_only_what_it_is_asked() {
    let project = shop();
    // `validate` runs lint, format and test: the model's metric is not asked, the rest is judged.
    let (code, report) = project.json(&["validate"]);
    let verdicts: Vec<_> =
        report["rules"].as_array().unwrap().iter().map(|rule| rule["verdict"].as_str().unwrap()).collect();
    assert_eq!((code, verdicts), (1, vec!["fail", "pass", "pass", "warn", "not-asked"]));
    let (code, report) = project.json(&["validate", "--mode", "light"]);
    assert_eq!((code, report["verdict"].as_str().unwrap()), (0, "pass"));
    assert_eq!(project.run(&["phase-check"]).code, 3);
    assert_eq!(project.run(&["data-check"]).code, 3);
}
