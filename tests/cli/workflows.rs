//! The workflow files that a policy names, as `config check` sees them.

use super::support::Project;

#[test]
fn workflows_that_the_policy_names_and_that_are_not_there_are_told_and_decide_nothing() {
    let project = Project::with(
        "version: 1\nchecks: { a: { group: lint, run: [\"true\"] } }\ngate: [{ metric: tests.failed, max: 0 }]\n\
         stages:\n  staging: { workflows: [ci.yml, e2e.yml] }\n  live: { after: staging, workflows: nightly.yml }\n\
         retrain: { workflow: train.yml, remediate: { dispatch-missed: true } }\n",
    );
    project.write(".github/workflows/ci.yaml", "on: push\njobs: {}\n");
    project.write(".github/workflows/e2e.yml", "on: push\njobs: {}\n");
    project.write(".github/workflows/nightly.yml", "on: [\n");
    project.write(".github/workflows/train.yml", "on:\n  schedule:\n    - cron: '0 18 * *'\njobs: {}\n");
    let ran = project.run(&["config", "check"]);
    assert_eq!((ran.code, &*ran.stdout), (0, "mgmt.yml is valid: 1 check, 1 rule\n"));
    insta::assert_snapshot!(project.redact(&ran.stderr), @r"
    warning: stage `staging` waits for ci.yml, which is not in .github/workflows
    help: did you mean `ci.yaml`?
    warning: .github/workflows/nightly.yml:2: not valid YAML: while parsing a node, did not find expected node content
    help: correct the file; GitHub shows the same error under Actions
    warning: .github/workflows/train.yml:3: `0 18 * *` has 4 fields
    help: write five fields with spaces between them: minute, hour, day of the month, month, day of the week
    warning: .github/workflows/train.yml: train.yml does not listen to `workflow_dispatch`
    help: add `workflow_dispatch:` under `on:` of the workflow, on the default branch
    ");
}

#[test]
fn workflows_of_another_repository_are_not_looked_for_here() {
    let elsewhere = "version: 1\nchecks: {}\nretrain: { workflow: { repo: org/ml, workflow: train.yml } }\n";
    let ran = Project::with(elsewhere).run(&["config", "check"]);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
}
