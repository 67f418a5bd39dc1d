//! `tests/fixtures/ml-service`, a small Python service with a trained model: green as it stands, and not green for
//! each way in which it can stop being good enough.
//!
//! `MGMT_E2E_PYTHON` names the folder of a Python that has the service's requirements.

use std::path::Path;

use serde_json::Value;

use super::act::{Bench, KEEP, REPOSITORY};
use super::support::{Project, ran};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ml-service");

/// A copy of the service in a repository of its own.
fn service() -> Project {
    let project = files();
    project.commit();
    project
}

fn files() -> Project {
    let project = Project::new();
    copy(Path::new(FIXTURE), project.root());
    project
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if from.is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "where the service's Python is, only the machine knows")]
fn python() -> String {
    std::env::var("MGMT_E2E_PYTHON").expect("MGMT_E2E_PYTHON names the bin folder of the service's Python")
}

#[expect(clippy::disallowed_methods, reason = "what else is on PATH, only the machine knows")]
fn path_with_python() -> String {
    format!("{}:{}", python(), std::env::var("PATH").unwrap())
}

fn full_check(project: &Project) -> (i32, Value) {
    let mut command = project.command();
    command.env("PATH", path_with_python()).args(["full-check", "--format", "json", "-q"]);
    let ran = ran(command.output().unwrap());
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (ran.code, report)
}

fn status(report: &Value, check: &str) -> String {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|found| found["id"] == check).unwrap();
    found["status"].as_str().unwrap().to_owned()
}

fn rule<'a>(report: &'a Value, metric: &str) -> &'a Value {
    report["rules"].as_array().unwrap().iter().find(|rule| rule["metric"] == metric).unwrap()
}

fn edit(project: &Project, path: &str, from: &str, to: &str) {
    let text = project.read(path);
    assert!(text.contains(from), "{path} does not hold `{from}`");
    project.write(path, text.replacen(from, to, 1));
}

#[test]
fn it_is_green_as_it_stands_and_every_number_is_measured() {
    let project = service();
    let (code, report) = full_check(&project);
    assert_eq!((code, report["verdict"].as_str().unwrap()), (0, "pass"), "{report:#}");
    assert_eq!(report["problems"], Value::Array(vec![]));
    assert_eq!(rule(&report, "tests.total")["value"], 65);
    assert_eq!(rule(&report, "tests.failed")["value"], 0);
    assert!(report["measurements"]["coverage.lines.percent"].as_f64().unwrap() > 90.0);
    assert!(report["measurements"]["metrics.holdout.f1"].as_f64().unwrap() > 0.9);
    assert_eq!(project.git(&["status", "--porcelain"]), "", "a check left something that git sees");
}

#[test]
fn it_is_red_when_a_test_breaks_and_the_test_is_named() {
    let project = service();
    edit(&project, "src/signal_service/strategies/threshold_strategy.py", "return", "return None and");
    let (code, report) = full_check(&project);
    assert_eq!((code, status(&report, "tests")), (1, "failed".into()));
    assert!(rule(&report, "tests.failed")["value"].as_u64().unwrap() > 0);
    let markdown = project.read("reports/mgmt/latest.md");
    assert!(markdown.contains("Failed tests") && markdown.contains("test_"), "{markdown}");
}

#[test]
fn it_is_red_when_formatting_breaks_and_fix_repairs_it() {
    let project = service();
    edit(&project, "src/signal_service/service.py", "import", "import  ");
    let (code, report) = full_check(&project);
    assert_eq!((code, status(&report, "black"), status(&report, "tests")), (1, "failed".into(), "passed".into()));
    let mut command = project.command();
    let fixed =
        ran(command.env("PATH", path_with_python()).args(["validate", "--mode", "light", "--fix"]).output().unwrap());
    assert_eq!(fixed.code, 0, "{fixed:?}");
}

#[test]
fn it_is_red_when_coverage_falls_below_the_rule() {
    let project = service();
    let dead: String = (0..120).map(|line| format!("    value_{line} = {line}\n")).collect();
    project.write("src/signal_service/unused.py", format!("def unused() -> None:\n{dead}"));
    project.write(
        "src/signal_service/unused.py",
        format!("# flake8: noqa\n{}", project.read("src/signal_service/unused.py")),
    );
    let (code, report) = full_check(&project);
    let coverage = rule(&report, "coverage.lines.percent");
    assert_eq!((code, coverage["verdict"].as_str().unwrap()), (1, "fail"), "{coverage}");
    assert_eq!(status(&report, "tests"), "passed");
}

#[test]
fn it_is_inconclusive_when_the_report_is_not_produced_or_is_last_runs() {
    let project = service();
    edit(&project, "mgmt.yml", "--junitxml=reports/junit.xml", "--junitxml=reports/other.xml");
    let (code, report) = full_check(&project);
    assert_eq!((code, report["verdict"].as_str().unwrap()), (4, "inconclusive"));
    assert_eq!(report["problems"][0]["code"], "evidence.missing");
    assert_eq!(rule(&report, "tests.failed")["verdict"], "inconclusive");
    // Now the report of an earlier run lies where the new one should: still no answer, and not the old numbers.
    std::fs::rename(project.path("reports/other.xml"), project.path("reports/junit.xml")).unwrap();
    let (code, report) = full_check(&project);
    assert_eq!((code, report["problems"][0]["code"].as_str().unwrap()), (4, "evidence.stale"));
    assert_eq!(rule(&report, "tests.total")["value"], Value::Null);
}

#[test]
fn an_empty_model_is_no_model() {
    let project = service();
    project.write("models/production/model.pkl", "");
    let (code, report) = full_check(&project);
    assert_eq!(
        (code, status(&report, "layout"), status(&report, "model-metrics")),
        (1, "failed".into(), "failed".into())
    );
}

#[test]
fn init_writes_a_policy_that_works() {
    let project = service();
    std::fs::remove_file(project.path("mgmt.yml")).unwrap();
    let mut init = project.command();
    let ran = ran(init.env("PATH", path_with_python()).arg("init").output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    let (code, report) = full_check(&project);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(rule(&report, "tests.total")["value"], 65);
}

#[test]
fn its_own_tests_and_coverage_reach_the_pull_request_through_the_action() {
    let bench = Bench::of(files()).with_path(&python());
    let job =
        "on: pull_request\njobs:\n  gate:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v1\n";
    let step = "      - id: mgmt\n        uses: org/mgmt-action@v1";
    bench.project.write(".github/workflows/ci.yml", format!("{job}{step}{KEEP}"));
    bench.commit(REPOSITORY, "main");
    // Of the new lines that count, one runs and one does not.
    let path = "src/signal_service/features/indicators.py";
    let text = bench.project.read(path);
    bench.project.write(path, text + "\n\ndef unused(value: float) -> float:\n    return value\n");
    let pull = bench.open(REPOSITORY);
    let event = bench.pull_request(&pull);
    let jobs = bench.start(&event);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (0, 1, 0), "{}", jobs.log);
    assert_eq!(
        (&jobs.outputs["verdict"], &jobs.outputs["tests-total"]),
        (&"pass".into(), &"65".into()),
        "{}",
        jobs.log
    );
    let coverage: f64 = jobs.outputs["coverage-lines"].as_str().unwrap().parse().unwrap();
    assert!(coverage > 90.0 && coverage < 100.0, "{coverage}");
    assert_eq!(jobs.outputs["coverage-patch"], "50", "{}", jobs.log);
    let (_, body) = bench.repo().comments(pull.number).remove(0);
    for want in
        ["## ✅ pass: signal-service `full-check`", "| `tests.total` | 65 |", "`metrics.holdout.f1`", "`model-metrics`"]
    {
        assert!(body.contains(want), "{want} in {body}");
    }
    assert_eq!(bench.upload(event.run), ["mgmt-evidence-attempt1"]);
}
