//! What a run is compared with: which baseline, from where, and why there is none.

use super::comparison::{CONFIG, JUNIT, rule, shop};

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
