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
        .write("src/cart.py", "a\nb\nc\n")
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
    insta::assert_snapshot!(text, @r#"
    {
      "schema": "mgmt.report/1",
      "id": "[stamp]-full-check-fail",
      "command": "full-check",
      "started_at": "[time]",
      "finished_at": "[time]",
      "duration_ms": "[time]",
      "project": {
        "name": "shop",
        "commit": "[commit]",
        "branch": "main",
        "dirty": false,
        "merge_commit": null
      },
      "verdict": "fail",
      "exit_code": 1,
      "counts": {
        "checks": 5,
        "failed_checks": 1,
        "broken_checks": 0,
        "rules": 5,
        "held_rules": 3,
        "failed_rules": 1,
        "open_rules": 1,
        "not_applicable_rules": 0,
        "losses": 1,
        "warnings": 3
      },
      "baseline": null,
      "checks": [
        {
          "id": "style",
          "group": "lint",
          "status": "passed",
          "reason": null,
          "duration_ms": 0,
          "command": "true",
          "exit_code": 0,
          "output_tail": null,
          "fix": null
        },
        {
          "id": "tests",
          "group": "test",
          "status": "failed",
          "reason": "exit code 1",
          "duration_ms": 0,
          "command": "sh -c 'mkdir -p r && cp junit.in r/junit.xml && cp lcov.in r/lcov.info && echo output && exit 1'",
          "exit_code": 1,
          "output_tail": "output",
          "fix": "repair tests"
        },
        {
          "id": "model",
          "group": "model",
          "status": "passed",
          "reason": null,
          "duration_ms": 0,
          "command": "true",
          "exit_code": 0,
          "output_tail": null,
          "fix": null
        },
        {
          "id": "docs",
          "group": "docs",
          "status": "failed",
          "reason": "exit code 1",
          "duration_ms": 0,
          "command": "false",
          "exit_code": 1,
          "output_tail": null,
          "fix": null
        },
        {
          "id": "tool",
          "group": "lint",
          "status": "skipped",
          "reason": "the program `no-such-tool` is not installed",
          "duration_ms": 0,
          "command": "x",
          "exit_code": null,
          "output_tail": null,
          "fix": null
        }
      ],
      "measurements": {
        "coverage.files.total": 1,
        "coverage.files.unmatched": 0,
        "coverage.lines.covered": 2,
        "coverage.lines.percent": 66.66666666666666,
        "coverage.lines.total": 3,
        "tests.attempts": 3,
        "tests.duration_seconds": 0.75,
        "tests.errors": 0,
        "tests.failed": 1,
        "tests.flaky": 0,
        "tests.passed": 1,
        "tests.quarantined": 0,
        "tests.skipped": 1,
        "tests.slowest_seconds": 0.5,
        "tests.total": 3
      },
      "rules": [
        {
          "gate": "default",
          "metric": "tests.failed",
          "scope": null,
          "limit": "max 0",
          "value": 1,
          "base": null,
          "source": "r/junit.xml",
          "verdict": "fail",
          "message": "1 is above 0",
          "advice": "mend `shop.cart::total`"
        },
        {
          "gate": "default",
          "metric": "tests.total",
          "scope": null,
          "limit": "min 3",
          "value": 3,
          "base": null,
          "source": "r/junit.xml",
          "verdict": "pass",
          "message": "3 is at least 3",
          "advice": null
        },
        {
          "gate": "default",
          "metric": "coverage.lines.percent",
          "scope": null,
          "limit": "min 50",
          "value": 66.66666666666666,
          "base": null,
          "source": "r/lcov.info",
          "verdict": "pass",
          "message": "66.67 % is at least 50 %",
          "advice": null
        },
        {
          "gate": "default",
          "metric": "coverage.lines.percent",
          "scope": null,
          "limit": "warn-below 70",
          "value": 66.66666666666666,
          "base": null,
          "source": "r/lcov.info",
          "verdict": "warn",
          "message": "66.67 % is below 70 %",
          "advice": "cover line src/cart.py:2"
        },
        {
          "gate": "default",
          "metric": "metrics.f1",
          "scope": null,
          "limit": "min 0.6",
          "value": null,
          "base": null,
          "source": null,
          "verdict": "inconclusive",
          "message": "not measured",
          "advice": null
        }
      ],
      "patch": null,
      "test_changes": {
        "base": null,
        "pace": null,
        "slowest": [
          {
            "check": "tests",
            "suite": "s",
            "class": "shop.cart",
            "name": "total",
            "file": null,
            "duration_ms": 500
          },
          {
            "check": "tests",
            "suite": "s",
            "class": "shop.cart",
            "name": "adds",
            "file": null,
            "duration_ms": 250
          }
        ],
        "flaky": []
      },
      "quarantine": {
        "entries": [],
        "tests": [],
        "explained": []
      },
      "score": null,
      "trends": [],
      "problems": [
        {
          "level": "loss",
          "code": "evidence.stale",
          "message": "`model` left its metrics report untouched: it belongs to an earlier run",
          "hint": "make the check write the report anew each time, or correct the path under `evidence:`",
          "file": "metrics.json",
          "line": null
        }
      ],
      "policy": {
        "path": "mgmt.yml",
        "commit": "[commit]",
        "changed": false
      }
    }
    "#);
}

#[test]
fn the_written_json_is_what_was_printed_and_latest_is_the_same() {
    let project = shop();
    let ran = project.run(&["full-check", "--format", "json", "-q"]);
    let names = project.list(".mgmt/reports");
    let own = names.iter().find(|name| name.ends_with("-full-check-fail.json")).unwrap();
    assert_eq!(project.read(&format!(".mgmt/reports/{own}")), ran.stdout);
    assert_eq!(project.read(".mgmt/reports/latest.json"), ran.stdout);
    assert_eq!(names.len(), 6, "{names:?}");
    assert_eq!(project.git(&["status", "--porcelain"]), "", ".mgmt does not ignore itself");
}

#[test]
fn the_markdown_opens_with_the_verdict_and_what_to_do() {
    let project = shop();
    let ran = project.run(&["full-check", "--format", "markdown", "-q"]);
    insta::assert_snapshot!(project.redact(&ran.stdout), @r"
    ## ❌ fail: shop `full-check`

    1 of 5 checks failed, 1 of 5 rules failed, 1 rule could not be judged, 1 loss of evidence, 3 warnings.

    **What to do next**

    1. check tests failed: exit code 1 → `repair tests`
    1. tests.failed must satisfy max 0: 1 is above 0 → mend `shop.cart::total`
    1. metrics.json: `model` left its metrics report untouched: it belongs to an earlier run; make the check write the report anew each time, or correct the path under `evidence:`
    1. metrics.f1 (min 0.6) could not be judged: not measured

    ### Rules (gate `default`)

    | | metric | value | limit | read from |
    |---|---|---:|---|---|
    | ❌ fail | `tests.failed` | 1 | max 0 | `r/junit.xml` |
    | ✅ pass | `tests.total` | 3 | min 3 | `r/junit.xml` |
    | ✅ pass | `coverage.lines.percent` | 66.67 % | min 50 | `r/lcov.info` |
    | ⚠️ warn | `coverage.lines.percent` | 66.67 % | warn-below 70 | `r/lcov.info` |
    | ❔ inconclusive | `metrics.f1` | not measured | min 0.6 |  |

    <details open><summary>Checks: 2 of 5 passed</summary>

    | | check | group | time | |
    |---|---|---|---:|---|
    | ✅ passed | `style` | lint | [time] |  |
    | ❌ failed | `tests` | test | [time] | exit code 1 |
    | ✅ passed | `model` | model | [time] |  |
    | ⚠️ failed | `docs` | docs | [time] | exit code 1 |
    | ⏭️ skipped | `tool` | lint | [time] | the program `no-such-tool` is not installed |

    </details>

    <details open><summary>Failed tests: 1</summary>

    - `shop.cart::total`

      ```
      expected <3> | got `4`
      Trace
        line two @someone
      ```

    </details>

    <details><summary>Output of tests</summary>

    Command: `sh -c 'mkdir -p r && cp junit.in r/junit.xml && cp lcov.in r/lcov.info && echo output && exit 1'`

    Repair: `repair tests`

    ```text
    output
    ```

    </details>

    <details><summary>Output of docs</summary>

    Command: `false`

    It printed nothing.

    </details>

    <details open><summary>Problems: 1</summary>

    - **loss** `metrics.json`: `model` left its metrics report untouched: it belongs to an earlier run — make the check write the report anew each time, or correct the path under `evidence:` (`evidence.stale`)

    </details>

    <details><summary>Slowest tests</summary>

    | test | time |
    |---|---:|
    | `shop.cart::total` | [time] |
    | `shop.cart::adds` | [time] |

    </details>

    <details><summary>Measurements</summary>

    | metric | value | read from |
    |---|---:|---|
    | `tests.total` | 3 | `r/junit.xml` |
    | `tests.passed` | 1 | `r/junit.xml` |
    | `tests.failed` | 1 | `r/junit.xml` |
    | `tests.errors` | 0 | `r/junit.xml` |
    | `tests.skipped` | 1 | `r/junit.xml` |
    | `tests.flaky` | 0 | `r/junit.xml` |
    | `tests.attempts` | 3 | `r/junit.xml` |
    | `tests.duration_seconds` | 0.75 s | `r/junit.xml` |
    | `coverage.lines.covered` | 2 | `r/lcov.info` |
    | `coverage.lines.total` | 3 | `r/lcov.info` |
    | `coverage.lines.percent` | 66.67 % | `r/lcov.info` |
    | `coverage.files.total` | 1 | `r/lcov.info` |
    | `coverage.files.unmatched` | 0 | `r/lcov.info` |
    | `tests.slowest_seconds` | [time] | `r/junit.xml` |
    | `tests.quarantined` | 0 | `r/junit.xml` |

    </details>

    Commit `[commit]` on `main`. Policy `mgmt.yml`. Began [minute], took [time]. Record `[stamp]-full-check-fail`.
    ");
}

#[test]
fn the_terminal_report_shows_what_failed_and_what_to_do() {
    let project = shop();
    let ran = project.run(&["full-check"]);
    insta::assert_snapshot!(project.redact(&ran.stdout), @r"
    full-check shop  main @ [commit]

    checks
      pass   style  lint [time]
      FAIL   tests  test [time]  exit code 1
      pass   model  model [time]
      warn   docs   docs [time]  exit code 1
      warn   tool   lint               the program `no-such-tool` is not installed

    output of tests
      | output

    failed tests (1)
      shop.cart::total
          expected <3> | got `4`

    rules (gate default)
      FAIL   tests.failed                       1  max 0          r/junit.xml
      pass   tests.total                        3  min 3          r/junit.xml
      pass   coverage.lines.percent       66.67 %  min 50         r/lcov.info
      warn   coverage.lines.percent       66.67 %  warn-below 70  66.67 % is below 70 %
      ?      metrics.f1              not measured  min 0.6

    problems
      loss   metrics.json: `model` left its metrics report untouched: it belongs to an earlier run  [evidence.stale]
             help: make the check write the report anew each time, or correct the path under `evidence:`

    FAIL  1 of 5 checks failed, 1 of 5 rules failed, 1 rule could not be judged, 1 loss of evidence, 3 warnings ( [time])
    next: check tests failed: exit code 1  →  repair tests
    next: tests.failed must satisfy max 0: 1 is above 0 → mend `shop.cart::total`
    next: metrics.json: `model` left its metrics report untouched: it belongs to an earlier run; make the check write the report anew each time, or correct the path under `evidence:`
          … and 1 more, all of them in the report
    ");
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
    let shown = project.run(&["history", "show", "--format", "json"]).stdout;
    let record: mgmt_action::record::Record = serde_json::from_str(&shown).unwrap();
    assert_eq!(project.store().get(&record.id).unwrap(), record);
    let line = project.run(&["history", "export"]).stdout;
    assert_eq!(serde_json::to_string(&record).unwrap() + "\n", line);
    assert_eq!(record.schema, "mgmt.record/1");
    assert_eq!(
        record.tests.iter().map(|test| test.identity.display()).collect::<Vec<_>>(),
        ["shop.cart::adds", "shop.cart::later", "shop.cart::total"]
    );
    let lines = &record.lines["src/cart.py"];
    assert_eq!((lines.covered.to_string(), lines.missed.to_string()), ("1,3".into(), "2".into()));
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

#[test]
fn nothing_that_is_said_of_a_training_is_left_out() {
    let project = Project::with(
        "version: 1\nretrain:\n  workflow: train.yml\n  cron: { cron: '0 18 * * 0', timezone: UTC }\n  late-after: 10m\n  \
         tolerance: 6h\n  timeout: 90m\n  history: 8w\n  expect: { branch: main, artifact: model, metrics: { file: m.json, \
         must: [f1] }, deploy: { within: 6h, environment: live } }\n  champion: [{ metric: f1, min: 0.6 }]\n  remediate: { \
         rerun-failed: true, dispatch-missed: { inputs: { full: true } }, budget: { actions: 3 } }\n",
    );
    let shown = project.run(&["config", "show", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&project.run(&["config", "schema"]).stdout).unwrap();
    let keys = schema["properties"]["retrain"]["properties"].as_object().unwrap().keys();
    let missing: Vec<_> = keys.filter(|key| value["retrain"].get(key).is_none()).collect();
    assert_eq!(missing, [""; 0], "{value:#}");
    let remediate = serde_json::json!({
        "rerun-failed": true, "dispatch-missed": { "inputs": { "full": "true" } }, "enable-disabled": false,
        "budget": { "actions": 3, "within": "7d" }, "cooldown": "1h",
    });
    assert_eq!(value["retrain"]["remediate"], remediate);
    let yaml = project.run(&["config", "show"]).stdout;
    project.write("again.yml", &yaml);
    assert_eq!(project.run(&["config", "show", "--config", "again.yml"]).stdout, yaml);
}
