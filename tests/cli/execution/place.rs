//! Where a run takes place: in git and out of it.

use serde_json::{Value, json};

use super::{full_check, project, statuses};
use crate::support::Project;

const ONE: &str = "  one: { group: test, run: ['true'] }\n";

/// Commit, branch and dirt as the report states them.
fn state(report: &Value) -> Value {
    json!([report["project"]["commit"], report["project"]["branch"], report["project"]["dirty"]])
}

fn codes(report: &Value) -> Vec<&str> {
    report["problems"].as_array().unwrap().iter().map(|problem| super::text(&problem["code"])).collect()
}

#[test]
fn outside_a_repository_the_checks_decide_and_a_note_says_so() {
    let project = project(ONE);
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, state(&report)), (0, json!([null, null, null])));
    assert_eq!((codes(&report), &report["problems"][0]["level"]), (vec!["repo.none"], &json!("note")));
    project.write("mgmt.yml", "version: 1\nchecks:\n  one: { group: test, run: ['false'] }\n");
    assert_eq!(full_check(&project, &[]).0, 1);
}

#[test]
fn a_repository_without_commits_has_a_branch_and_no_commit() {
    let project = project(ONE);
    project.git(&["init", "-q", "-b", "trunk"]);
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, state(&report), codes(&report)), (0, json!([null, "trunk", false]), vec![]));
    let human = project.run(&["full-check"]);
    assert!(human.stdout.contains("trunk, no commit yet"), "{}", human.stdout);
}

#[test]
fn a_commit_a_branch_and_a_detached_head_are_named() {
    let project = project(ONE);
    project.commit();
    let commit = project.git(&["rev-parse", "HEAD"]);
    let (_, report) = full_check(&project, &[]);
    assert_eq!((state(&report), &report["policy"]["commit"]), (json!([commit, "main", false]), &json!(commit)));
    project.git(&["checkout", "-q", "--detach"]);
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, state(&report)), (0, json!([commit, null, false])));
}

#[test]
fn only_tracked_files_make_a_tree_dirty() {
    let project = project(ONE);
    project.write("src/a.txt", "one\n").commit();
    let commit = project.git(&["rev-parse", "HEAD"]);
    // The tool's own folder, and files that git does not know.
    project.write("new.txt", "x");
    for _ in 0..2 {
        assert_eq!(state(&full_check(&project, &[]).1), json!([commit, "main", false]));
    }
    project.write("src/a.txt", "two\n");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, state(&report), &report["policy"]["commit"]), (0, json!([commit, "main", true]), &Value::Null));
    project.git(&["add", "src/a.txt"]);
    assert_eq!(full_check(&project, &[]).1["project"]["dirty"], true);
    assert_eq!(
        project.git(&["status", "--porcelain"]),
        "M  src/a.txt\n?? new.txt",
        "the tool's folder shows up in git"
    );
}

#[test]
fn the_policy_at_the_root_rules_in_every_folder_of_the_repository() {
    let project = project(
        "  here: { group: test, shell: 'test -f mgmt.yml && pwd > place' }
  there: { group: test, shell: 'test -f inner.txt', cwd: a/b }
  paths: { group: structure, paths: [a/b/inner.txt] }
",
    );
    project.write("a/b/inner.txt", "x").commit();
    let mut command = project.command();
    command.current_dir(project.path("a/b")).args(["full-check", "--format", "json", "-q"]);
    let ran = crate::support::ran(command.output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(statuses(&report), ["here passed", "there passed", "paths passed"]);
    assert_eq!(report["policy"]["path"], "mgmt.yml");
    assert!(project.path(".mgmt/reports/latest.md").exists() && !project.path("a/b/.mgmt").exists());
}

#[test]
fn a_repository_that_git_refuses_is_a_warning() {
    let project = project(ONE);
    project.write(".git/HEAD", "nonsense");
    let (code, report) = full_check(&project, &[]);
    assert_eq!((code, state(&report), codes(&report)), (0, json!([null, null, null]), vec!["repo.git"]));
}

#[test]
fn a_run_inside_a_hook_reports_on_its_own_project() {
    // git sets these for its hooks; the repository that the hook belongs to must not answer for this one.
    let (ours, theirs) = (project(ONE), Project::new());
    ours.commit();
    theirs.write("x", "x").commit();
    let mut command = ours.command();
    command.args(["full-check", "--format", "json", "-q"]).env("GIT_DIR", theirs.path(".git"));
    command.env("GIT_WORK_TREE", theirs.root()).env("GIT_INDEX_FILE", theirs.path(".git/index"));
    let report: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(state(&report), json!([ours.git(&["rev-parse", "HEAD"]), "main", false]));
}
