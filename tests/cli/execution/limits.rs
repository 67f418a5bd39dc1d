//! Bounds on report files: each is told with its value and the setting that moves it, and the setting moves it.

use serde_json::Value;

use super::{full_check, problems, project};
use crate::support::Project;

/// A check that writes three reports of one test each.
fn three_reports(limits: &str) -> Project {
    let project = project(&format!(
        "  tests: {{ group: test, run: [sh, write.sh], evidence: {{ tests: 'out/*.xml' }} }}
gate:
  - {{ metric: tests.failed, max: 0 }}
{limits}"
    ));
    let write =
        "for i in 1 2 3; do echo \"<testsuite name='s$i'><testcase name='t'/></testsuite>\" > out/$i.xml; done\n";
    project.write("out/.keep", "").write("write.sh", write);
    project
}

/// The one problem of a run whose verdict is left open by it: message, hint and file.
#[track_caller]
fn one_limit(project: &Project) -> [String; 3] {
    let (code, report) = full_check(project, &[]);
    assert_eq!((code, problems(&report)), (4, vec!["evidence.limit"]), "{report:#}");
    let problem = report["problems"].as_array().unwrap().iter().find(|one| one["code"] == "evidence.limit").unwrap();
    ["message", "hint", "file"].map(|key| problem[key].as_str().unwrap_or_default().to_owned())
}

#[test]
fn too_many_report_files_are_named_and_the_first_ones_count() {
    let project = three_reports("limits: { reports: 2 }\n");
    let [message, hint, file] = one_limit(&project);
    assert_eq!(
        (message.as_str(), file.as_str()),
        (
            "the number of the report files of `tests` is larger than the limit of 2; 1 file is not read, this one first",
            "out/3.xml"
        )
    );
    assert!(hint.contains("`limits: { reports: … }` in mgmt.yml"), "{hint}");
    let (code, report) = full_check(&three_reports("limits: { reports: 3 }\n"), &[]);
    assert_eq!((code, &report["measurements"]["tests.total"]), (0, &Value::from(3)));
}

#[test]
fn report_files_that_are_too_large_together_are_named() {
    // Each has 50 bytes.
    let [message, hint, file] = one_limit(&three_reports("limits: { all-reports: 110 }\n"));
    assert!(message.contains("the size of the report files of `tests` is larger than the limit of 110 B"), "{message}");
    assert!(message.ends_with("1 file is not read, this one first") && file == "out/3.xml", "{message} {file}");
    assert!(hint.contains("limits: { all-reports: … }"), "{hint}");
    assert_eq!(full_check(&three_reports("limits: { all-reports: 1KiB }\n"), &[]).0, 0);
}

#[test]
fn bounds_inside_a_report_come_from_the_policy() {
    for (limits, told) in [
        ("{ depth: 1 }", "the nesting of elements is larger than the limit of 1 level"),
        ("{ report: 40B }", "the report is larger than the limit of 40 B"),
        ("{ all-names: 1 }", "the size of all names is larger than the limit of 1 B"),
    ] {
        let project = project(&format!(
            "  tests: {{ group: test, run: [sh, write.sh], evidence: {{ tests: r.xml }} }}\nlimits: {limits}\n"
        ));
        let report =
            "<testsuites><testsuite name='s'><testcase name='one'/><testcase name='two'/></testsuite></testsuites>";
        project.write("write.sh", format!("echo \"{report}\" > r.xml\n"));
        let (code, report) = full_check(&project, &[]);
        let problems = report["problems"].as_array().unwrap();
        let limit = problems.iter().find(|one| one["code"] == "evidence.limit").unwrap_or_else(|| panic!("{report:#}"));
        let hint = limit["hint"].as_str().unwrap();
        let key = limits.trim_start_matches("{ ").split(':').next().unwrap();
        assert!(limit["message"].as_str().unwrap().starts_with(told) && code == 4, "{limit:#}");
        assert!(hint.contains(&format!("`limits: {{ {key}: … }}`")), "{hint}");
    }
}
