//! `init --github`: what it writes, what it leaves alone, and that the README shows the same.

use super::support::Project;

const POLICY: &str = "\
version: 1
checks: { tests: { group: test, run: [python3, -m, pytest] } }
stages:
  staging: { workflows: mgmt-gate.yml, gate: false }
  production: { after: staging }
retrain:
  workflow: model-training.yml
  cron: { cron: '0 18 * * 0' }
  tolerance: 12h
  expect: { deploy: { within: 6h, environment: production } }
notify: { discord: { url-env: DISCORD_WEBHOOK_URL } }
";
const FOLDER: &str = ".github/workflows";
const FILES: [(&str, &str); 4] = [
    ("mgmt-gate.yml", include_str!("../fixtures/workflows/pull-request.yml")),
    ("mgmt-publish.yml", include_str!("../fixtures/workflows/forks.yml")),
    ("mgmt-deploy.yml", include_str!("../fixtures/workflows/deploy.yml")),
    ("mgmt-retrain-audit.yml", include_str!("../fixtures/workflows/retrain-audit.yml")),
];

fn python() -> Project {
    let project = Project::with(POLICY);
    project.write("requirements-dev.txt", "pytest\n").commit();
    project
}

#[test]
fn the_workflows_are_those_that_the_readme_shows_and_the_linters_read() {
    let project = python();
    let ran = project.run(&["init", "--github"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r"
    wrote .github/workflows/mgmt-gate.yml
    wrote .github/workflows/mgmt-publish.yml
    wrote .github/workflows/mgmt-deploy.yml
    wrote .github/workflows/mgmt-retrain-audit.yml
    ");
    insta::assert_snapshot!(ran.stderr, @r"
    to do: mgmt-deploy.yml: put your own deploy in place of `./deploy STAGE`; until then its jobs fail
    to do: `retrain:` audits model-training.yml, which is not in .github/workflows
    to do: mgmt-retrain-audit.yml: notices need the secret DISCORD_WEBHOOK_URL in the repository's settings
    next: commit these files and open a pull request
    ");
    for (file, example) in FILES {
        assert_eq!(project.read(&format!("{FOLDER}/{file}")), example, "{file}");
    }
    assert_eq!(project.list(FOLDER).len(), FILES.len());
    assert_eq!(project.read("mgmt.yml"), POLICY);
}

#[test]
fn printing_writes_nothing() {
    let project = python();
    for flag in ["--stdout", "--dry-run"] {
        let ran = project.run(&["init", "--github", flag]);
        assert_eq!((ran.code, ran.stdout), (0, FILES.map(|(_, text)| text).join("\n")));
    }
    assert!(!project.path(".github").exists());
}

#[test]
fn nothing_that_says_something_else_is_replaced_unasked() {
    let project = python();
    project.write(".github/workflows/mgmt-publish.yml", "on: push\n");
    let ran = project.run(&["init", "--github"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.stdout, @r"
    wrote .github/workflows/mgmt-gate.yml
    left .github/workflows/mgmt-publish.yml
    wrote .github/workflows/mgmt-deploy.yml
    wrote .github/workflows/mgmt-retrain-audit.yml
    ");
    let warning = ran.stderr.split("to do: ").next().unwrap();
    insta::assert_snapshot!(warning, @r"
    warning: .github/workflows/mgmt-publish.yml says something else
    help: `mgmt init --github --stdout` prints what would stand there, and `--force` puts it there
    ");
    assert_eq!(project.read(".github/workflows/mgmt-publish.yml"), "on: push\n", "it is somebody's");
    let ran = project.run(&["init", "--github", "--force", "-q"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let again = project.run(&["init", "--github", "-q"]);
    insta::assert_snapshot!(again.stdout, @r"
    kept .github/workflows/mgmt-gate.yml
    kept .github/workflows/mgmt-publish.yml
    kept .github/workflows/mgmt-deploy.yml
    kept .github/workflows/mgmt-retrain-audit.yml
    ");
    assert_eq!(project.read("mgmt.yml"), POLICY, "--force is not about the policy");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_somebodys_file() {
    let project = python();
    std::fs::create_dir_all(project.path(FOLDER)).unwrap();
    std::os::unix::fs::symlink("nowhere", project.path(".github/workflows/mgmt-gate.yml")).unwrap();
    let ran = project.run(&["init", "--github"]);
    assert!(ran.code == 0 && ran.stdout.starts_with("left .github/workflows/mgmt-gate.yml\n"), "{ran:?}");
    assert!(project.path(".github/workflows/mgmt-gate.yml").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_write_that_fails_says_what_was_written_before() {
    let project = python();
    project.write(".github/workflows/mgmt-deploy.yml/x", "");
    let ran = project.run(&["init", "--github", "--force"]);
    assert_eq!(ran.code, 4);
    let told = project.redact(&ran.stderr);
    assert!(told.contains("mgmt-gate.yml and ") && told.contains("mgmt-publish.yml were written before"), "{told}");
}

#[test]
fn without_a_policy_one_is_written_as_well() {
    let project = Project::new();
    project.write("go.mod", "module example.com/bot\n").write("bin/go", "").commit();
    let command = |args: &[&str]| {
        let mut command = project.command();
        super::support::ran(command.env("PATH", project.path("bin")).args(args).output().unwrap())
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(project.path("bin/go"), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let printed = command(&["init", "--github", "--stdout"]);
    assert!(printed.stdout.starts_with("# mgmt.yml\n# yaml-language-server"), "{printed:?}");
    let ran = command(&["init", "--github"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        ran.stdout,
        "wrote mgmt.yml\nwrote .github/workflows/mgmt-gate.yml\nwrote .github/workflows/mgmt-publish.yml\n"
    );
    assert!(ran.stderr.contains("left out: mgmt-deploy.yml: the policy has no `stages:`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("left out: mgmt-retrain-audit.yml: the policy has no `retrain:`"), "{}", ran.stderr);
    assert_eq!(project.run(&["config", "check"]).code, 0);
}

#[test]
fn a_policy_that_is_wrong_or_missing_where_nothing_is_found_writes_nothing() {
    let project = Project::with("version: 1\nchekcs: {}\n");
    assert_eq!(project.run(&["init", "--github"]).code, 2);
    assert_eq!(Project::new().run(&["init", "--github"]).code, 3);
    assert_eq!(project.run(&["init", "--github", "--config", "none.yml"]).code, 2);
    assert!(!project.path(".github").exists());
}

#[test]
fn branch_and_policy_are_the_projects_own() {
    let project = Project::with("version: 1\n");
    project.write("services/api/mgmt.yml", "version: 1\nproject: { default-branch: trunk }\n").commit();
    let text = project.run(&["init", "--github", "--stdout", "--config", "services/api/mgmt.yml"]).stdout;
    assert!(
        text.contains("    branches: [trunk]\n") && text.contains("          config: services/api/mgmt.yml\n"),
        "{text}"
    );
    assert!(project.run(&["init", "--github", "--stdout"]).stdout.contains("branches: [main]"));
}
