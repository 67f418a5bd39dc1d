//! Reports that checks leave behind: missing, old, empty, odd, and read from what is printed.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{check, full_check, measured, problems, project, statuses, text};
use crate::support::Project;

const PASSES: &str = "<testsuite name='s'><testcase name='a'/><testcase name='b'/></testsuite>";
const FAILS: &str = "<testsuite name='s'><testcase name='a'><failure/></testcase></testsuite>";

/// A project whose one check runs `script` and declares `report.xml`; a rule looks at what is in it.
fn tests(script: &str) -> Project {
    let project = project(
        "  tests: { group: test, run: [sh, script.sh], evidence: { tests: report.xml } }
gate:
  - { metric: tests.failed, max: 0 }
",
    );
    project.write("script.sh", script).write("passes.xml", PASSES).write("fails.xml", FAILS);
    project
}

/// Every `tests.*` name in the report.
fn test_numbers(report: &Value) -> Vec<&String> {
    report["measurements"].as_object().unwrap().keys().filter(|name| name.starts_with("tests.")).collect()
}

/// Dates a file back, so that the next write is sure to change its time.
fn date_back(project: &Project, path: &str) {
    let file = std::fs::File::options().write(true).open(project.path(path)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
}

/// Nothing was read, and nobody can say.
fn assert_nothing_is_known(report: &Value, code: &str) {
    assert_eq!((text(&report["verdict"]), problems(report)), ("inconclusive", vec![code]), "{report:#}");
    assert_eq!(test_numbers(report), [""; 0]);
    assert_eq!((&report["rules"][0]["verdict"], &report["rules"][0]["value"]), (&"inconclusive".into(), &Value::Null));
}

#[test]
fn a_report_that_was_not_written_leaves_the_verdict_open() {
    let project = tests("true");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, statuses(&report).join("")), (4, "tests passed".to_owned()));
    assert_nothing_is_known(&report, "evidence.missing");
    let problem = report["problems"].as_array().unwrap().iter().find(|problem| problem["level"] == "loss").unwrap();
    assert_eq!(
        (&problem["file"], &problem["message"]),
        (&"report.xml".into(), &"the tests report of `tests` was not written".into())
    );

    // The same without any rule: the loss alone is enough.
    project.write("mgmt.yml", project.read("mgmt.yml").split("gate:").next().unwrap());
    assert_eq!(full_check(&project, &[]).0, 4);
}

#[test]
fn a_report_of_an_earlier_run_is_not_read_again() {
    let project = tests("cp passes.xml report.xml");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, measured(&report, "tests.total"), problems(&report)), (0, Some(2.0), vec![]));

    // The next run of the tool ends well and writes nothing.
    project.write("script.sh", "cat report.xml > /dev/null");
    let (code, report) = full_check(&project, &[]);
    assert_eq!(code, 4);
    assert_nothing_is_known(&report, "evidence.stale");

    // An old report of failures is no failure either.
    project.write("report.xml", FAILS);
    let (code, report) = full_check(&project, &[]);
    assert_eq!(code, 4);
    assert_nothing_is_known(&report, "evidence.stale");
}

#[test]
fn a_report_that_is_written_again_is_fresh_whatever_is_in_it() {
    for script in [
        "cat passes.xml > report.xml",
        "cp passes.xml new.xml && mv new.xml report.xml",
        // Same content, same size, same modification time: the change time or the inode tells.
        "cat passes.xml > report.xml && touch -r old.xml report.xml",
        "cp -p report.xml new.xml && mv new.xml report.xml",
        "rm report.xml && cp passes.xml report.xml && touch -r old.xml report.xml",
    ] {
        let project = tests(script);
        project.write("report.xml", PASSES).write("old.xml", PASSES);
        date_back(&project, "report.xml");
        date_back(&project, "old.xml");
        let (code, report) = full_check(&project, &[]);
        assert_eq!((code, measured(&report, "tests.passed")), (0, Some(2.0)), "{script}: {report:#}");
    }
}

#[test]
fn each_run_reads_what_this_run_wrote() {
    let project = tests("cp $(cat which) report.xml");
    for (which, want) in [("passes.xml", (0, Some(0.0))), ("fails.xml", (1, Some(1.0))), ("passes.xml", (0, Some(0.0)))]
    {
        project.write("which", which);
        let (code, report) = full_check(&project, &[]);
        assert_eq!((code, measured(&report, "tests.failed")), want);
    }
}

#[test]
fn a_failed_check_is_a_failure_and_its_report_is_read_all_the_same() {
    let project = tests("cp fails.xml report.xml; exit 1");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, measured(&report, "tests.failed"), problems(&report)), (1, Some(1.0), vec![]));
    assert_eq!(report["rules"][0]["verdict"], "fail");
}

#[test]
fn a_report_without_tests_measures_nothing() {
    for content in ["", "\n  \n", "<testsuites/>", "<testsuites><testsuite name='s' tests='0'/></testsuites>"] {
        let project = tests("cp given.xml report.xml");
        project.write("given.xml", content);
        let (code, report) = full_check(&project, &[]);
        assert_eq!(code, 4, "{content:?}");
        assert_nothing_is_known(&report, "evidence.empty");
    }
}

#[test]
fn what_is_no_report_cannot_be_read_and_holds_nothing_up() {
    for script in [
        "mkdir report.xml",
        "mkfifo report.xml",
        "ln -s /dev/zero report.xml",
        "head -c 100000 /dev/zero > report.xml",
        "echo all tests passed, believe me > report.xml",
    ] {
        let project = tests(script);
        let (code, report) = full_check(&project, &[]);
        assert_eq!(code, 4, "{script}");
        assert_nothing_is_known(&report, "evidence.unreadable");
    }
    let project = tests("ln -s report.xml report.xml");
    assert_nothing_is_known(&full_check(&project, &[]).1, "evidence.missing");
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_the_system_refuses_to_read_cannot_be_read() {
    // A plain file whose first byte cannot be read, whoever asks.
    let project = tests("ln -s /proc/self/mem report.xml");
    let (code, report) = full_check(&project, &[]);
    assert_eq!(code, 4);
    assert_nothing_is_known(&report, "evidence.unreadable");
}

#[test]
fn shards_add_up_and_a_glob_finds_them_all() {
    let shard =
        |name: &str| format!("<testsuite name='s'><testcase name='{name}'/><testcase name='shared'/></testsuite>");
    let project = project(
        "  tests: { group: test, run: [sh, script.sh], evidence: { tests: ['reports/shard-*.xml', extra.xml] } }\n",
    );
    project.write("given/shard-1.xml", shard("one")).write("given/shard-2.xml", shard("two"));
    project.write("given/deep/shard-3.xml", shard("three")).write("extra.in", shard("four"));
    project.write("script.sh", "cp -R given reports; cp extra.in extra.xml");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, problems(&report)), (0, vec![]));
    // `*` stays in its folder; a test that several shards ran counts once.
    assert_eq!((measured(&report, "tests.total"), measured(&report, "tests.attempts")), (Some(4.0), Some(6.0)));

    // Another shard that this run did not write.
    project
        .write("script.sh", "rm -r reports/shard-1.xml extra.xml; cp given/shard-1.xml reports; cp extra.in extra.xml");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, problems(&report)), (4, vec!["evidence.stale"]));
    assert_eq!(measured(&report, "tests.total"), Some(3.0), "only what this run wrote");
    let problem = report["problems"].as_array().unwrap().iter().find(|problem| problem["level"] == "loss").unwrap();
    assert_eq!(problem["file"], "reports/shard-2.xml");

    project.write("script.sh", "rm -r reports extra.xml");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, problems(&report)), (4, vec!["evidence.missing", "evidence.missing"]));
    assert_eq!(test_numbers(&report), [""; 0]);
}

#[test]
fn checks_do_not_share_their_tests() {
    let project = project(
        "  unit: { group: test, shell: 'cp given.xml unit.xml', evidence: { tests: unit.xml } }
  integration: { group: test, shell: 'cp given.xml integration.xml', evidence: { tests: integration.xml } }
",
    );
    project.write("given.xml", PASSES);
    assert_eq!(measured(&full_check(&project, &[]).1, "tests.total"), Some(4.0));
}

/// What `cargo test` prints for two binaries of `count` tests each: names on standard output, binaries on
/// standard error. One test of the second fails.
fn cargo_test(count: usize) -> String {
    let mut script = String::new();
    for (binary, failed) in [
        ("unittests src/lib.rs (target/debug/deps/price-0123456789abcdef)", 0),
        ("tests/api.rs (target/debug/deps/api-0123456789abcdef)", 1),
    ] {
        let passed = count - failed;
        script += &format!(
            "echo '     Running {binary}' >&2
echo
echo 'running {count} tests'
seq {passed} | sed 's/.*/test module::a_test_with_a_long_name_number_& ... ok/'
test {failed} = 0 || printf 'test module::broken ... FAILED\\n\\nfailures:\\n\\n---- module::broken stdout ----\\nit broke\\n\\nfailures:\\n    module::broken\\n'
echo
echo 'test result: ok. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s'
echo
"
        );
    }
    script
}

#[test]
fn tests_are_read_from_all_that_is_printed_and_not_from_what_is_kept() {
    let project = project(
        "  tests: { group: test, run: [sh, script.sh], evidence: { tests: { from: output, format: libtest } } }
gate:
  - { metric: tests.total, equals: 6000 }
  - { metric: tests.failed, equals: 1 }
",
    );
    project.write("script.sh", cargo_test(3000));
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, problems(&report)), (0, vec![]), "{report:#}");
    assert_eq!(report["rules"][0]["source"], "output of `tests`");
    let record = project.record(text(&report["id"]));
    assert!(record["checks"][0]["output"]["dropped_bytes"].as_u64().unwrap() > 100_000);
    // The binary stands on the other stream: only both in order tell which test is whose.
    let suite = |name: &str| record["tests"].as_array().unwrap().iter().filter(|test| test["suite"] == name).count();
    assert_eq!((suite("price (src/lib.rs)"), suite("api (tests/api.rs)")), (3000, 3000));
    let broken = record["tests"].as_array().unwrap().iter().find(|test| test["outcome"] == "failed").unwrap();
    assert_eq!((&broken["suite"], &broken["message"]), (&"api (tests/api.rs)".into(), &"it broke".into()));
}

#[test]
fn an_output_without_its_end_is_incomplete() {
    let evidence = "evidence: { tests: { from: output, format: libtest } }";
    let script = "printf \"running 2 tests\\ntest a ... ok\\n\"";
    for (end, want) in [("", (4, "passed")), ("; exit 101", (1, "failed")), ("; exec sleep 20", (1, "timed-out"))] {
        let project =
            project(&format!("  tests: {{ group: test, shell: '{script}{end}', timeout: 1s, {evidence} }}\n"));
        let (code, report) = full_check(&project, &[]);
        assert_eq!((code, text(&check(&report, "tests")["status"])), want);
        assert_eq!(problems(&report), ["evidence.incomplete"]);
        assert_eq!(measured(&report, "tests.total"), Some(1.0));
    }
    let project = project(&format!("  tests: {{ group: test, run: ['true'], {evidence} }}\n"));
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, problems(&report)), (4, vec!["evidence.empty"]));
}

/// A project whose one check writes these metrics files, judged by one rule.
fn metrics(files: &[(&str, &str)], rule: &str) -> (i32, Value) {
    let names = files.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let project = project(&format!(
        "  model: {{ group: model, run: [cp, -R, given/., .], evidence: {{ metrics: [{names}] }} }}
gate:
  - {{ {rule} }}
"
    ));
    files.iter().for_each(|(name, content)| {
        project.write(&format!("given/{name}"), content);
    });
    full_check(&project, &[])
}

#[test]
fn a_metric_that_is_no_number_satisfies_no_rule() {
    for (value, rule, want) in [
        ("NaN", "min: 0.9", (4, "inconclusive")),
        ("NaN", "max: 0.9", (4, "inconclusive")),
        ("Infinity", "min: 0.9", (4, "inconclusive")),
        ("-Infinity", "max: 0.9", (4, "inconclusive")),
        ("-Infinity", "min: 0.9", (1, "fail")),
        ("null", "min: 0.9", (4, "inconclusive")),
        ("\"0.95\"", "min: 0.9", (4, "inconclusive")),
        ("0.95", "min: 0.9", (0, "pass")),
        ("0.85", "min: 0.9", (1, "fail")),
    ] {
        let content = format!("{{ \"holdout\": {{ \"f1\": {value} }}, \"rows\": 10 }}");
        let (code, report) = metrics(&[("m.json", &content)], &format!("metric: metrics.holdout.f1, {rule}"));
        assert_eq!((code, text(&report["rules"][0]["verdict"])), want, "{value} {rule}");
        assert_eq!(measured(&report, "metrics.rows"), Some(10.0));
    }
}

#[test]
fn two_files_that_disagree_about_a_metric_have_no_value() {
    let files = [("a.json", "{ \"f1\": 0.95, \"rows\": 10 }"), ("b.json", "{ \"f1\": 0.96, \"rows\": 10 }")];
    let (code, report) = metrics(&files, "metric: metrics.f1, min: 0.9");
    assert_eq!((code, problems(&report)), (4, vec!["evidence.conflict"]));
    assert_eq!((measured(&report, "metrics.f1"), measured(&report, "metrics.rows")), (None, Some(10.0)));
    let problem = report["problems"].as_array().unwrap().iter().find(|problem| problem["level"] == "loss").unwrap();
    assert_eq!(problem["message"], "`metrics.f1` is 0.95 in a.json and 0.96 in b.json");
    let rows: Vec<_> = report["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (text(&rule["verdict"]), text(&rule["source"])))
        .collect();
    assert_eq!(rows, [("pass", "a.json"), ("pass", "b.json")]);

    // The worse statement decides.
    assert_eq!(metrics(&files, "metric: metrics.f1, min: 0.955").0, 1);
}

#[test]
fn a_broken_metrics_file_is_said_to_be_broken() {
    for content in ["{ \"f1\": 0.9", "{ \"f1\": 0.9, \"f1\": 0.1 }", "{ \"f1\": 1e999 }", "f1: [0.9", "0.9"] {
        let (code, report) = metrics(&[("m.json", content)], "metric: metrics.f1, min: 0.5");
        assert_eq!((code, problems(&report).first()), (4, Some(&"evidence.syntax")), "{content}");
        assert_eq!(measured(&report, "metrics.f1"), None);
    }
}
