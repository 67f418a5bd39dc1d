//! What is followed over runs, as every form of report tells it: tests that changed, quarantine, the score, trends.

use serde_json::{Value, json};

use super::support::Project;

const CONFIG: &str = "version: 1
project: { name: net }
checks:
  lint: { group: lint, run: ['true'] }
  unit: { group: test, shell: 'cp saved.xml r.xml; exit 1', evidence: { tests: r.xml } }
gate: [{ metric: tests.failed, max: 0 }]
score: { pass: 60, warn: 40 }
quarantine:
  - { tests: 'Net::known', reason: the server sleeps, until: 9999-12-31 }
  - { tests: 'Net::calm', reason: it was wild, until: 9999-12-31 }
  - { tests: 'Net::late', reason: nobody had time, until: 2001-01-01 }
";

/// A report of these tests: name, seconds, what stands in the case.
fn report(cases: &[(&str, &str, &str)]) -> String {
    let case = |(name, time, inner): &(&str, &str, &str)| {
        format!("<testcase classname=\"Net\" name=\"{name}\" time=\"{time}\">{inner}</testcase>\n")
    };
    format!("<testsuite>\n{}</testsuite>\n", cases.iter().map(case).collect::<String>())
}

const FAILED: &str = "<failure message=\"timed out\"/>";
const FLAKY: &str = "<flakyFailure message=\"timed out\"/>";

/// A project after nine runs on one commit, with another commit on it in which much is different.
fn net() -> Project {
    let project = Project::with(CONFIG);
    let held = |name| (name, "0.01", "");
    let names = ["breaks", "calm", "gone", "late", "later", "known", "wavers", "slow"];
    let mut cases = names.map(held).to_vec();
    cases.push(("mends", "0.01", FAILED));
    project.write("saved.xml", report(&cases)).write(".gitignore", "r.xml\n.mgmt/\n").commit();
    for _ in 0..9 {
        project.json(&["full-check"]);
    }
    let cases = [
        ("breaks", "0.01", FAILED),
        ("calm", "0.01", ""),
        ("late", "0.01", FAILED),
        ("later", "0", "<skipped/>"),
        ("known", "0.01", FAILED),
        ("wavers", "0.01", FLAKY),
        ("slow", "2.5", ""),
        ("mends", "0.01", ""),
        ("fresh", "0.01", ""),
    ];
    project.write("saved.xml", report(&cases));
    project.git(&["commit", "-qam", "two"]);
    project
}

fn names(tests: &Value) -> Vec<&str> {
    tests.as_array().unwrap().iter().map(|test| test["name"].as_str().unwrap()).collect()
}

#[test]
fn the_json_report_tells_what_is_followed_over_runs() {
    let (code, report) = net().json(&["full-check"]);
    assert_eq!(code, 1);
    let base = &report["test_changes"]["base"];
    assert_eq!(base["compared"], 9);
    assert_eq!(
        base["disappeared"],
        json!([{ "check": "unit", "suite": null, "class": "Net", "name": "gone", "file": null, "moved_to": null }])
    );
    assert_eq!(names(&base["appeared"]), ["fresh"]);
    assert_eq!(names(&base["newly_failing"]), ["breaks", "known", "late"]);
    assert_eq!(names(&base["newly_skipped"]), ["later"]);
    assert_eq!(names(&base["fixed"]), ["mends"]);
    assert_eq!(
        base["newly_failing"][0],
        json!({ "check": "unit", "suite": null, "class": "Net", "name": "breaks", "file": null })
    );
    let slow = &report["test_changes"]["pace"]["slow"];
    assert_eq!(names(slow), ["slow"]);
    assert_eq!(
        (&slow[0]["duration_ms"], &slow[0]["usual_ms"], &slow[0]["samples"]),
        (&json!(2500), &json!(10), &json!(9))
    );
    let flaky = &report["test_changes"]["flaky"];
    assert_eq!(
        (names(flaky), &flaky[0]["reason"]),
        (vec!["wavers"], &json!("held and failed within this run; held in 1 and failed in 1 run on this very tree"))
    );
    assert_eq!(report["test_changes"]["slowest"][0]["name"], "slow");

    let quarantine = &report["quarantine"];
    assert_eq!(names(&quarantine["tests"]), ["calm", "known"]);
    let releasable: Vec<_> = [0, 1].map(|at| quarantine["tests"][at]["releasable"].as_bool().unwrap()).into();
    assert_eq!(releasable, [true, false]);
    assert_eq!(
        quarantine["entries"][2],
        json!({
            "tests": "Net::late", "check": null, "reason": "nobody had time", "until": "2001-01-01", "line": 11,
            "expired": true, "matched": 1, "failed": 1, "stable": 0, "unmatched": false, "suggestion": null
        })
    );
    assert_eq!(quarantine["explained"], json!([]), "other tests of the check failed, too");

    let score = &report["score"];
    assert_eq!((&score["value"], &score["health"]), (&json!(50), &json!("warning")));
    assert_eq!(
        score["parts"][1],
        json!({
            "group": "test", "weight": 1, "passed": 0, "excused": 0, "total": 1, "missing": false,
            "points": 0, "full_points": 50
        })
    );
    let trend = report["trends"].as_array().unwrap().iter().find(|trend| trend["metric"] == "tests.failed").unwrap();
    let points = trend["points"].as_array().unwrap();
    assert_eq!((points.len(), &points[0]["value"], &points[9]["value"]), (10, &json!(1), &json!(3)));
    assert_eq!(points[9]["run"], report["id"]);
    assert_eq!(points[9]["started_at"], report["started_at"]);
}

#[test]
fn the_terminal_report_tells_it_in_short_and_in_the_words_of_the_others() {
    let project = net();
    let ran = project.run(&["full-check"]);
    assert_eq!(ran.code, 1);
    let commit = project.git(&["rev-parse", "HEAD~"]);
    let told = project.redact(&ran.stdout.replace(&commit[..10], "[before]"));
    insta::assert_snapshot!(told, @r"
    full-check net  main @ [commit]

    checks
      pass   lint  lint [time]
      FAIL   unit  test [time]  exit code 1

    failed tests (3)
      Net::breaks
          timed out
      Net::known, in quarantine until 9999-12-31
          timed out
      Net::late
          timed out

    test changes
      Newly failing: 3  Passed in the baseline, failed now
        Net::breaks
        Net::known
        Net::late
      Disappeared: 1  In the baseline, and not in this run
        Net::gone
      Newly skipped: 1  Ran in the baseline, skipped now
        Net::later
      Newly slow: 1  Slower than their own history allows
        Net::slow: 2.50 s, usually 0.01 s in 9 runs; up to 0.51 s would not have stood out
      Out of quarantine: 1  Their last day is past, so their failures count again
        Net::late: ended on 2001-01-01; 1 of 1 test failed: nobody had time
      Flaky: 1  Seen both to hold and not to hold with the same code under them
        Net::wavers: held and failed within this run; held in 1 and failed in 1 run on this very tree; failed in 1 of its last 10 runs
      In quarantine: 2  Their failures are excused for a time
        Net::calm: passed; until 9999-12-31: it was wild; it held in its last 10 runs, and may be released
        Net::known: failed; until 9999-12-31: the server sleeps
      Mended: 1
      New: 1

    rules (gate default)
      compared with [before] on main (fail), at the parent commit, [time] old, from history
      FAIL   tests.failed   2  +1  max 0   r.xml
      warn   score         50      min 40  50 of 100 is warning: below 60

    problems
      warn   mgmt.yml:11: the quarantine of `Net::late` ended on 2001-01-01; 1 of 1 test failed  [quarantine.expired]
             help: repair the tests and remove the entry, or give it a later `until`

    score
      warn   50 of 100 is warning: below 60
             lint  passed 1 of 1  weight 1  points 50 of 50
             test  passed 0 of 1  weight 1  points  0 of 50

    FAIL  1 of 2 checks failed, 1 of 2 rules failed, 2 warnings ( [time])
    next: check unit failed: exit code 1  →  sh -c 'cp saved.xml r.xml; exit 1'
    next: tests.failed must satisfy max 0: 2 is above 0; 1 in quarantine left out → mend `Net::breaks`, `Net::late`
    ");
    let markdown = project.run(&["report", "show", "latest", "--format", "markdown"]).stdout;
    let page = project.run(&["report", "show", "latest", "--format", "html"]).stdout;
    let titles =
        ["Newly failing", "Disappeared", "Newly skipped", "Newly slow", "Out of quarantine", "Flaky", "In quarantine"];
    for title in titles {
        assert!(ran.stdout.contains(&format!("  {title}: ")), "{title}: {}", ran.stdout);
        assert!(markdown.contains(&format!("<summary>{title}: ")), "{title}: {markdown}");
        assert!(page.contains(&format!("<summary>{title} <small>")), "{title}: {page}");
    }
}

#[test]
fn long_lists_are_counted_and_shown_on_demand() {
    let many: Vec<_> = (10..27).map(|at| format!("t{at}")).collect();
    let of = |inner: &'static str| report(&many.iter().map(|name| (&**name, "0", inner)).collect::<Vec<_>>());
    let project = Project::with(
        "version: 1\nchecks:\n  unit: { group: test, shell: 'cp saved.xml r.xml', evidence: { tests: r.xml } }\n",
    );
    project.write("saved.xml", of("")).write(".gitignore", "r.xml\n.mgmt/\n").commit();
    project.json(&["full-check"]);
    project.write("saved.xml", of("<skipped/>")).git(&["commit", "-qam", "two"]);
    let brief = project.run(&["full-check"]).stdout;
    assert!(brief.contains("Newly skipped: 17  Ran in the baseline, skipped now\n    Net::t10\n"), "{brief}");
    assert!(brief.contains("    Net::t14\n    … and 12 more, all of them in the report\n"), "{brief}");
    let verbose = project.run(&["full-check", "-v"]).stdout;
    assert!(verbose.contains("    Net::t26\n") && !verbose.contains("more, all of them"), "{verbose}");
    let (_, all) = project.json(&["full-check"]);
    assert_eq!(names(&all["test_changes"]["base"]["newly_skipped"]).len(), 17);
}
