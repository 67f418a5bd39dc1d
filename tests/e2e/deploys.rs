//! A staged deploy: the README's workflow, two gates with the project's own deploy between them.

use super::act::{Bench, Jobs, REPOSITORY};

/// Runs are told by the fake's clock, which stands still in the past: their age is no matter here.
const POLICY: &str = "\
version: 1
project: { name: project, default-branch: main }
checks:
  tests:
    group: test
    run: [cp, made/junit.xml, made/lcov.info, .]
    evidence: { tests: junit.xml, coverage: lcov.info }
gate: [{ metric: tests.failed, max: 0 }]
gates:
  deploy: [{ metric: tests.failed, max: 0 }, { metric: coverage.lines.percent, min: 75 }]
stages:
  staging: { workflows: ci.yml, max-age: 5000w, gate: deploy }
  production: { after: staging, workflows: ci.yml, max-age: 5000w, gate: deploy }
";
const JUNIT: &str = "<testsuite name='s'><testcase name='a'/><testcase name='b'/></testsuite>";
const HALF: &str = "SF:src/a.py\nDA:1,1\nDA:2,1\nDA:3,0\nDA:4,0\nend_of_record\n";
const WORKFLOW: &str = "\
on: push
jobs:
  gate:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v1
      - uses: org/mgmt-action@v1
";
/// The project's own deploy. It also does what GitHub does for a job with an `environment`: records the deployment.
const DEPLOY: &str = "\
#!/usr/bin/env node
const fs = require('fs');
const { GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_SHA, MGMT_E2E_STORE } = process.env;
const environment = process.argv[2];
async function post(path, body) {
  const headers = { authorization: 'Bearer recorder', 'content-type': 'application/json', 'user-agent': 'recorder' };
  const at = `${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/deployments${path}`;
  const answer = await fetch(at, { method: 'POST', headers, body: JSON.stringify(body) });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}
async function main() {
  const made = await post('', { ref: GITHUB_SHA, environment, required_contexts: [], auto_merge: false });
  const state = fs.existsSync(`broken-${environment}`) ? 'failure' : 'success';
  await post(`/${made.id}/statuses`, { state });
  fs.appendFileSync(`${MGMT_E2E_STORE}/deployed`, `${environment} ${state}\\n`);
}
main();
";

/// The project with the README's workflow for deploys.
fn bench() -> Bench {
    let bench = Bench::new(POLICY);
    bench.fake.token("recorder", super::github::TokenKind::App, "recorder[bot]", &[]);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/workflows/deploy.yml");
    let project = &bench.project;
    project.write(".github/workflows/ci.yml", WORKFLOW);
    project.write(".github/workflows/deploy.yml", std::fs::read_to_string(example).unwrap());
    project.write("src/a.py", "a = 1\nb = 2\nc = 3\nd = 4\n").write(".gitignore", "/junit.xml\n/lcov.info\n");
    project.write("made/junit.xml", JUNIT).write("made/lcov.info", HALF).write("deploy", DEPLOY);
    std::fs::set_permissions(project.path("deploy"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    bench
}

/// Pushes the project to the default branch, lets its workflow run and leaves on GitHub what it left.
fn push(bench: &Bench) {
    bench.commit(REPOSITORY, "main");
    let event = bench.event("push");
    let jobs = bench.start(&event);
    assert_eq!((jobs.code, jobs.succeeded), (0, 1), "{}", jobs.log);
    bench.upload(event.run);
}

/// Starts the deploy of the commit that is checked out.
fn deploy(bench: &Bench) -> Jobs {
    bench.start(&bench.event_of("deploy.yml", "push"))
}

/// What was deployed so far.
fn deployed(bench: &Bench) -> Vec<String> {
    let text = std::fs::read_to_string(bench.place("store/deployed")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_red_gate_blocks_a_deploy_and_a_green_one_releases_it_stage_by_stage() {
    let bench = bench();
    push(&bench);
    // The workflow is green; what its tests cover is not enough to deploy.
    let jobs = deploy(&bench);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (1, 0, 1), "{}", jobs.log);
    assert!(jobs.log.contains("coverage.lines.percent") && jobs.log.contains("50 % is below 75"), "{}", jobs.log);
    assert_eq!(deployed(&bench), [""; 0]);

    bench.project.write("made/lcov.info", HALF.replace("DA:3,0", "DA:3,1"));
    push(&bench);
    let jobs = deploy(&bench);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (0, 4, 0), "{}", jobs.log);
    assert_eq!(deployed(&bench), ["staging success", "production success"]);
    assert!(jobs.log.contains("stage staging                         live"), "{}", jobs.log);
    assert!(jobs.requests <= 2 * 8 + 4, "{} requests", jobs.requests);
}

#[test]
fn a_stage_that_is_not_live_keeps_the_next_one_shut() {
    let bench = bench();
    bench.project.write("made/lcov.info", HALF.replace("DA:3,0", "DA:3,1")).write("broken-staging", "");
    push(&bench);
    let jobs = deploy(&bench);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (1, 2, 1), "{}", jobs.log);
    assert_eq!(deployed(&bench), ["staging failure"]);
    assert!(jobs.log.contains("ended as failure"), "{}", jobs.log);
}

#[test]
fn a_commit_that_no_workflow_ran_on_is_not_deployed() {
    let bench = bench();
    let path = ".github/workflows/deploy.yml";
    // Else it would wait for one that has not begun.
    let impatient = bench.project.read(path).replace("stage: staging\n", "stage: staging\n      wait: 0s\n");
    bench.project.write(path, impatient);
    push(&bench);
    bench.commit(REPOSITORY, "main");
    let jobs = deploy(&bench);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (1, 0, 1), "{}", jobs.log);
    assert!(jobs.log.contains("has not run on this commit"), "{}", jobs.log);
    assert_eq!(deployed(&bench), [""; 0]);
}
