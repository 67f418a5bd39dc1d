//! Which checks are asked for.

use super::{full_check, project, statuses, text};
use crate::support::Project;

fn chain() -> Project {
    let project = project(
        "  build: { group: build, shell: 'echo build >> ran' }
  unit: { group: test, shell: 'echo unit >> ran', needs: [build] }
  docs: { group: docs, shell: 'echo docs >> ran', needs: [unit] }
  style: { group: lint, shell: 'echo style >> ran' }
",
    );
    project.write("ran", "");
    project
}

/// What ran, in the order in which it ran.
fn ran(project: &Project, args: &[&str]) -> String {
    project.write("ran", "");
    let (code, report) = full_check(project, &[&["--jobs", "1"], args].concat());
    assert_eq!(code, 0, "{report:#}");
    let told: Vec<_> = statuses(&report).iter().map(|row| row.replace(" passed", "")).collect();
    let ran = project.read("ran").lines().collect::<Vec<_>>().join(" ");
    assert_eq!(told.join(" "), ran);
    ran
}

#[test]
fn what_is_selected_brings_its_needs_along() {
    let project = chain();
    for (args, want) in [
        (&["--only", "docs"][..], "build unit docs"),
        (&["--only", "style,build"], "build style"),
        (&["--only", "style", "--only", "build"], "build style"),
        (&["--group", "test"], "build unit"),
        (&["--group", "lint,build"], "build style"),
        (&["--skip", "docs"], "build unit style"),
        (&["--skip", "unit"], "build style"),
        (&["--only", "docs,style", "--skip", "build"], "style"),
        (&[], "build unit docs style"),
    ] {
        assert_eq!(ran(&project, args), want, "{args:?}");
    }
}

#[test]
fn an_unknown_name_is_an_error_with_the_nearest_known_one_and_nothing_runs() {
    let project = chain();
    for (args, message, help) in [
        (&["--only", "untt"][..], "there is no check `untt`", "did you mean `unit`?"),
        (&["--skip", "sytle"], "there is no check `sytle`", "did you mean `style`?"),
        (&["--group", "tset"], "there is no group `tset`", "did you mean `test`?"),
        (&["--only", "style,nonsense"], "there is no check `nonsense`", "there are: build, unit, docs, style"),
    ] {
        let ran = project.run(&[&["full-check"], args].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        assert_eq!(ran.stderr, format!("error: {message}\nhelp: {help}\n"));
    }
    assert_eq!(project.read("ran"), "");
    assert!(!project.path(".mgmt").exists(), "a run that did not begin leaves no record");
}

#[test]
fn a_selection_of_nothing_is_not_a_pass() {
    let project = chain();
    for args in [
        &["full-check", "--only", "style", "--skip", "style"][..],
        &["full-check", "--group", "build", "--skip", "build"],
        &["phase-check"],
        &["ml-models"],
        &["data-check"],
        &["validate", "--mode", "light", "--skip", "style"],
    ] {
        let ran = project.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{args:?}");
        assert!(ran.stderr.contains("help: groups in mgmt.yml: build, docs, lint, test\n"), "{}", ran.stderr);
    }
    assert_eq!(project.read("ran"), "");
}

#[test]
fn a_partial_run_says_what_it_left_out() {
    let project = chain();
    let (_, report) = project.json(&["validate", "--mode", "light"]);
    assert_eq!(statuses(&report), ["style passed"]);
    let record = project.record(text(&report["id"]));
    assert_eq!(
        record["left_out"],
        serde_json::json!({
            "build": "its group is `build`; the command runs lint and format",
            "docs": "its group is `docs`; the command runs lint and format",
            "unit": "its group is `test`; the command runs lint and format",
        })
    );
}
