//! Failures that are known: what excuses them, what does not, and that nobody can miss them. And the score beside it.

use super::support::Project;

const REPORT: &str = r#"<testsuite>
<testcase classname="Net" name="slow"><failure message="timed out"/></testcase>
<testcase classname="Net" name="fast"/>
</testsuite>
"#;

/// A project whose tests end as `end` says, after they wrote a report.
fn project(report: &str, end: &str, settings: &str) -> Project {
    let project = Project::with(&format!(
        "version: 1
checks:
  lint: {{ group: lint, run: ['true'] }}
  unit: {{ group: test, shell: 'cp saved.xml r.xml; {end}', evidence: {{ tests: r.xml }} }}
gate: [{{ metric: tests.failed, max: 0 }}]
{settings}"
    ));
    project.write("saved.xml", report).commit();
    project
}

/// Its verdict in a full run, and the codes of its problems.
fn told(project: &Project) -> (i32, serde_json::Value, Vec<String>) {
    let (code, report) = project.json(&["full-check"]);
    let problems = report["problems"].as_array().unwrap().iter();
    let codes = problems.map(|problem| problem["code"].as_str().unwrap().to_owned()).collect();
    (code, report, codes)
}

const KNOWN: &str = "quarantine: [{ tests: 'Net::slow', reason: the server sleeps, until: 9999-12-31 }]\n";

#[test]
fn a_failure_in_quarantine_does_not_fail_the_run_and_is_listed() {
    let (code, report, codes) = told(&project(REPORT, "exit 1", ""));
    assert_eq!((code, codes), (1, vec![]), "without quarantine it fails");
    assert_eq!(report["measurements"]["tests.quarantined"], 0);

    let known = project(REPORT, "exit 1", KNOWN);
    let (code, report, codes) = told(&known);
    assert_eq!((code, codes), (0, vec![]), "{report:#}");
    let measured = |name: &str| &report["measurements"][name];
    assert_eq!(measured("tests.failed"), 1, "it is measured as it is");
    assert_eq!(measured("tests.quarantined"), 1);
    assert_eq!(report["checks"][1]["status"], "failed");
    let record = known.record(&known.records()[0]);
    let test = &record["quarantine"]["tests"][0];
    assert_eq!(
        (&test["name"], &test["reason"], &test["until"]),
        (&"slow".into(), &"the server sleeps".into(), &"9999-12-31".into())
    );
}

#[test]
fn quarantine_excuses_its_own_failures_and_nothing_else() {
    let more = REPORT.replace(r#"name="fast"/>"#, r#"name="fast"><failure/></testcase>"#);
    let passed = REPORT.replace(r#"<failure message="timed out"/>"#, "");
    let cut = &REPORT[..REPORT.len() - 20];
    let expired = KNOWN.replace("9999-12-31", "2001-01-01");
    for (what, report, end, settings, wanted) in [
        ("another test fails", more.as_str(), "exit 1", KNOWN, 1),
        ("the program fails although its tests hold", &passed, "exit 1", KNOWN, 1),
        ("the program is killed after a known failure", REPORT, "kill -9 $$", KNOWN, 1),
        ("the report is cut", cut, "exit 1", KNOWN, 1),
        ("its last day is past", REPORT, "exit 1", &expired, 1),
        ("its name is another", REPORT, "exit 1", &KNOWN.replace("Net::slow", "Net::slower"), 1),
        ("only the report tells of it", REPORT, "exit 0", KNOWN, 0),
    ] {
        let (code, report, _) = told(&project(report, end, settings));
        assert_eq!(code, wanted, "{what}: {report:#}");
    }
}

#[test]
fn what_is_expired_or_names_nothing_is_told_with_its_line() {
    let settings = "quarantine:
  - { tests: 'Net::slow', reason: r, until: 2001-01-01 }
  - { tests: fast, reason: r, until: 9999-12-31 }
";
    let (code, report, codes) = told(&project(REPORT, "exit 1", settings));
    assert_eq!((code, codes), (1, vec!["quarantine.expired".to_owned(), "quarantine.unmatched".to_owned()]));
    let problem = |at: usize| {
        let problem = &report["problems"][at];
        format!("{}:{} {}: {}", problem["file"], problem["line"], problem["message"], problem["hint"])
    };
    assert_eq!(
        problem(0),
        r#""mgmt.yml":7 "the quarantine of `Net::slow` ended on 2001-01-01; 1 of 1 test failed": "repair the tests and remove the entry, or give it a later `until`""#
    );
    assert_eq!(problem(1), r#""mgmt.yml":8 "the quarantine of `fast` names no test": "did you mean `Net::fast`?""#);
}

#[test]
fn a_test_that_held_ten_times_in_a_row_is_reported_for_release() {
    let passed = REPORT.replace(r#"<failure message="timed out"/>"#, "");
    let known = project(&passed, "exit 0", KNOWN);
    for _ in 0..9 {
        let (code, _, codes) = told(&known);
        assert_eq!((code, codes), (0, vec![]));
    }
    assert_eq!(told(&known).2, ["quarantine.stable"]);
}

#[test]
fn a_score_is_one_more_part_of_a_full_run_and_outweighs_nothing() {
    let passed = REPORT.replace(r#"<failure message="timed out"/>"#, "");
    let of = |report: &str, end: &str, settings: &str| {
        let project = project(report, end, settings);
        let (code, report, _) = told(&project);
        let rules = report["rules"].as_array().unwrap();
        let score = rules.iter().find(|rule| rule["metric"] == "score").map(|rule| rule["message"].clone());
        (code, score.and_then(|message| message.as_str().map(str::to_owned)).unwrap_or_default())
    };
    assert_eq!(of(&passed, "exit 0", "score: {}\n"), (0, "100 of 100 is healthy: at least 95".into()));
    // Ninety points for lint do not make up for one failed rule.
    let mostly_lint = "score: { pass: 80, weights: { lint: 9, test: 1 } }\n";
    assert_eq!(of(REPORT, "exit 1", mostly_lint), (1, "90 of 100 is healthy: at least 80".into()));
    let excused = format!("{KNOWN}score: {{}}\n");
    let told = "50 of 100 is critical: below 70; only for failures that are excused";
    assert_eq!(of(REPORT, "exit 1", &excused), (0, told.into()));
    let part = project(&passed, "exit 0", "score: {}\n");
    let (_, report) = part.json(&["validate"]);
    assert!(report["rules"].as_array().unwrap().iter().all(|rule| rule["metric"] != "score"), "{report:#}");
}
