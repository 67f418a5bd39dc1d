//! How checks begin: programs, folders, arguments, environment; and what an end means.

use super::{check, full_check, project, statuses, text};
use crate::support::Project;

#[test]
fn what_cannot_be_started_is_an_error_and_not_a_failure() {
    let project = project(
        "  absent: { group: lint, run: [no-such-program-here, --check] }
  absent-path: { group: lint, run: [./tools/absent] }
  not-executable: { group: lint, run: [./notes.txt] }
  folder: { group: lint, run: [./tools] }
  no-folder: { group: lint, run: ['true'], cwd: nowhere }
  fine: { group: lint, run: ['true'] }
",
    );
    project.write("notes.txt", "x").write("tools/x", "x");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, text(&report["verdict"])), (4, "inconclusive"));
    let told: Vec<_> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| format!("{} {}", text(&check["status"]), check["reason"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            "error the program `no-such-program-here` was not found",
            "error the program `./tools/absent` was not found",
            "error `./notes.txt` may not be started: it is not executable",
            "error `./tools` may not be started: it is not executable",
            "error its folder `nowhere` does not exist",
            "passed ",
        ]
    );
    assert_eq!(check(&report, "absent")["exit_code"], serde_json::Value::Null);
}

#[test]
fn a_script_without_its_interpreter_is_not_said_to_be_missing() {
    let project = project(
        "  make: { group: build, shell: 'printf \"#!/no/such/python\\n\" > tool && chmod +x tool && mkdir sub && mv tool sub' }
  run: { group: lint, run: [./tool], cwd: sub, needs: [make] }
",
    );
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, text(&check(&report, "run")["status"])), (4, "error"));
    let reason = text(&check(&report, "run")["reason"]);
    assert_eq!(
        reason,
        "`./tool` could not be started: it is there, but the interpreter in its first line was not found"
    );
}

#[test]
fn a_failure_weighs_more_than_what_could_not_start() {
    let project = project("  a: { group: g, run: [./absent] }\n  b: { group: g, run: ['false'] }\n");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, text(&report["verdict"])), (1, "fail"));
}

#[test]
fn a_missing_tool_that_is_declared_skips_with_a_warning() {
    let project = project(
        "  optional: { group: lint, run: [no-such-program-here], requires: [sh, no-such-program-here] }
  fine: { group: lint, run: ['true'], requires: [sh] }
",
    );
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, statuses(&report).join(", ")), (0, "optional skipped, fine passed".to_owned()));
    assert_eq!(check(&report, "optional")["reason"], "the program `no-such-program-here` is not installed");
    assert!(project.read(".mgmt/reports/latest.md").contains("1 of 2 checks passed, 1 warning."));
}

#[test]
fn only_skipped_checks_are_no_pass() {
    let project = project("  optional: { group: lint, run: ['true'], requires: [no-such-program-here] }\n");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, text(&report["verdict"])), (4, "inconclusive"));
    assert_eq!(statuses(&report), ["optional skipped"]);
}

#[test]
fn an_excused_failure_of_any_kind_is_a_warning() {
    let project = project(
        "  fails: { group: lint, run: ['false'], allow-failure: true }
  hangs: { group: lint, run: [sleep, '20'], timeout: 200ms, allow-failure: true }
  absent: { group: lint, run: [no-such-program-here], allow-failure: true }
  silent: { group: test, run: ['false'], allow-failure: true, evidence: { tests: report.xml } }
  fine: { group: lint, run: ['true'] }
",
    );
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, text(&report["verdict"])), (0, "pass"));
    assert_eq!(statuses(&report), ["fails failed", "hangs timed-out", "absent error", "silent failed", "fine passed"]);
    // Four checks, and the report that one of them did not write.
    assert!(project.read(".mgmt/reports/latest.md").contains(", 5 warnings."));
}

#[test]
fn a_check_that_is_excused_but_passes_must_still_bring_its_evidence() {
    let project =
        project("  a: { group: test, run: ['true'], allow-failure: true, evidence: { tests: report.xml } }\n");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, super::problems(&report)), (4, vec!["evidence.missing"]));
}

#[test]
fn an_end_by_a_signal_is_a_failure_that_names_it() {
    let project = project(
        "  crash: { group: test, shell: 'kill -SEGV $$' }
  killed: { group: test, shell: 'kill -KILL $$' }
  code: { group: test, shell: 'exit 137' }
",
    );
    let (code, report) = full_check(&project, &[]);
    assert_eq!(code, 1);
    let reason = |id| (text(&check(&report, id)["status"]), text(&check(&report, id)["reason"]));
    assert_eq!(reason("crash"), ("failed", "ended by signal 11 (segmentation fault)"));
    assert_eq!(reason("killed"), ("failed", "ended by signal 9 (kill: perhaps out of memory)"));
    assert_eq!(reason("code"), ("failed", "exit code 137"));
}

#[test]
fn arguments_reach_the_program_as_they_are_written() {
    let project = project(
        "  plain: { group: g, run: [sh, args.sh, $HOME, ~, '*', a  b, 1.10, 0x10, 1e3, true, yes, null, '', 2026-01-01, --x=$(id), 'a;b', \"tab\\tend\", '`id`', ü] }\n",
    );
    project.write("args.sh", "for arg; do printf '<%s>\\n' \"$arg\"; done > seen\n");
    let (code, report) = full_check(&project, &[]);
    assert_eq!(code, 0, "{report:#}");
    let want = [
        "$HOME",
        "~",
        "*",
        "a  b",
        "1.10",
        "0x10",
        "1e3",
        "true",
        "yes",
        "null",
        "",
        "2026-01-01",
        "--x=$(id)",
        "a;b",
        "tab\tend",
        "`id`",
        "ü",
    ];
    assert_eq!(project.read("seen"), want.map(|arg| format!("<{arg}>\n")).concat());
}

#[test]
fn a_shell_is_used_where_it_is_asked_for() {
    let project = project(
        "  pipe: { group: g, shell: 'printf \"b\\na\\n\" | sort > sorted && echo $((40 + 2)) >> sorted' }
  fails: { group: g, shell: 'true; exit 7' }
",
    );
    let (_, report) = full_check(&project, &[]);
    assert_eq!(statuses(&report), ["pipe passed", "fails failed"]);
    assert_eq!(check(&report, "fails")["exit_code"], 7);
    assert_eq!(project.read("sorted"), "a\nb\n42\n");
}

/// Runs one check that writes its environment down.
fn environment(project: &Project, set: &[(&str, &str)]) -> Vec<String> {
    let mut command = project.command();
    command.args(["full-check", "-q"]).envs(set.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    project.read("seen").lines().map(str::to_owned).collect()
}

#[test]
fn children_do_not_inherit_what_cargo_sets_for_a_program_it_runs() {
    let project = project("  env: { group: g, shell: 'env > seen' }\n");
    let of_cargo_run = [
        "CARGO",
        "CARGO_BIN_EXE_mgmt",
        "CARGO_BIN_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PKG_NAME",
        "CARGO_PKG_VERSION",
        "OUT_DIR",
    ];
    let of_the_user = ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_TERM_COLOR", "HOME", "OTHER"];
    let set: Vec<_> = of_cargo_run.iter().chain(&of_the_user).map(|name| (*name, "/somewhere")).collect();
    let seen = environment(&project, &set);
    let has = |name: &&&str| seen.iter().any(|line| line.starts_with(&format!("{name}=")));
    assert_eq!(of_cargo_run.iter().filter(has).collect::<Vec<_>>(), [&""; 0]);
    for name in of_the_user {
        assert!(seen.contains(&format!("{name}=/somewhere")), "{name}");
    }
    assert!(has(&&"PATH"));
}

#[test]
fn a_check_adds_to_its_environment_and_chooses_its_folder() {
    let project = project(
        "  env: { group: g, shell: 'env > ../seen; pwd > ../place', cwd: sub, env: { ADDED: 1.10, HOME: /elsewhere, EMPTY: '', CARGO: mine } }
  other: { group: g, shell: 'test -z \"$ADDED\" && test -f mgmt.yml' }
",
    );
    project.write("sub/x", "");
    let seen = environment(&project, &[("HOME", "/home"), ("CARGO", "/cargo")]);
    for want in ["ADDED=1.10", "HOME=/elsewhere", "EMPTY=", "CARGO=mine"] {
        assert!(seen.iter().any(|line| line == want), "{want}: {seen:?}");
    }
    let place = std::path::PathBuf::from(project.read("place").trim());
    assert_eq!(place.canonicalize().unwrap(), project.path("sub").canonicalize().unwrap());
}
