//! The action as a step of real workflows: run by act, judged by the real binary.

use super::act::{Bench, Event, Jobs, Pull, REPOSITORY};
use super::github::state::CheckRun;

const POLICY: &str = "\
version: 1
checks:
  hello: { group: lint, shell: \"echo hello-from-a-check\" }
  secret: { group: lint, shell: \"! env | grep -q ghs_\" }
  no-way-out: { group: lint, shell: \"test -z \\\"$GITHUB_ENV$GITHUB_PATH$GITHUB_OUTPUT$GITHUB_STATE\\\"\" }
  green: { group: structure, paths: [green] }
";

const WORKFLOW: &str = "\
on: [push, pull_request, schedule, workflow_dispatch]
jobs:
  gate:
    runs-on: ubuntu-24.04
    outputs:
      verdict: ${{ steps.mgmt.outputs.verdict }}
      code: ${{ steps.mgmt.outputs.exit-code }}
    steps:
      - uses: actions/checkout@v1
      - id: mgmt
        uses: org/mgmt-action@v1
        with: { command: COMMAND }
      - run: mgmt --version
  after:
    needs: gate
    if: ${{ always() }}
    runs-on: ubuntu-24.04
    steps:
      - run: echo \"told <${VERDICT}> <${CODE}> <${RESULT}>\"
        env:
          VERDICT: ${{ needs.gate.outputs.verdict }}
          CODE: ${{ needs.gate.outputs.code }}
          RESULT: ${{ needs.gate.result }}
";

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn bench(command: &str) -> Bench {
    let bench = Bench::new(POLICY);
    bench.project.write("green", "").write(".github/workflows/ci.yml", WORKFLOW.replace("COMMAND", command));
    bench
}

#[test]
fn a_red_check_fails_the_job_with_the_commands_own_code() {
    let bench = bench("full-check");
    std::fs::remove_file(bench.project.path("green")).unwrap();
    let jobs = bench.run("push");
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (1, 1, 1), "{}", jobs.log);
    assert!(jobs.log.contains("told <fail> <1> <failure>"), "{}", jobs.log);
}

#[test]
fn a_part_of_the_checks_is_judged_for_itself() {
    let bench = bench("validate");
    std::fs::remove_file(bench.project.path("green")).unwrap();
    let jobs = bench.run("push");
    assert_eq!((jobs.code, jobs.succeeded), (0, 2), "{}", jobs.log);
    let bench = self::bench("ml-models");
    let jobs = bench.run("push");
    assert!(jobs.log.contains("told <> <3> <failure>"), "nothing to check is no pass: {}", jobs.log);
}

#[test]
fn a_broken_policy_and_a_wrong_input_fail_the_job() {
    let bench = bench("full-check");
    bench.project.write("mgmt.yml", "version: 1\nchekcs: {}\n");
    let jobs = bench.run("push");
    assert!(jobs.log.contains("told <> <2> <failure>"), "{}", jobs.log);
    let bench = self::bench("fullcheck");
    let jobs = bench.run("push");
    assert!(jobs.log.contains("told <> <> <failure>") && jobs.log.contains("input `command`"), "{}", jobs.log);
}

/// A workflow that the README shows.
fn example(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/fixtures/workflows/{name}.yml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The README's three services, each with a policy of its own.
fn monorepo() -> Bench {
    let bench = Bench::new(POLICY);
    bench.project.write(".github/workflows/ci.yml", example("monorepo"));
    std::fs::remove_file(bench.project.path("mgmt.yml")).unwrap();
    for service in SERVICES {
        let policy = POLICY.replace("[green]", &format!("[services/{service}/green]"));
        bench.project.write(&format!("services/{service}/mgmt.yml"), policy);
        bench.project.write(&format!("services/{service}/green"), "");
    }
    bench
}

const SERVICES: [&str; 3] = ["api", "trainer", "web"];

/// What act says of each step that ran the action: of a whole job it cannot be counted, since once one of a matrix has
/// failed, it says so of all.
fn steps(jobs: &Jobs) -> (usize, usize) {
    let ended = |how: &str| jobs.log.matches(&format!("{how} - Main org/mgmt-action@v1")).count();
    (ended("Success"), ended("Failure"))
}

#[test]
fn the_readmes_monorepo_is_a_job_a_service() {
    let bench = monorepo();
    std::fs::remove_file(bench.project.path("services/web/green")).unwrap();
    bench.commit(REPOSITORY, "main");
    let pull = bench.open(REPOSITORY);
    let jobs = bench.start(&bench.pull_request(&pull));
    assert_eq!((jobs.code, steps(&jobs)), (1, (2, 1)), "{}", jobs.log);
    // A comment and a check run for each service, and evidence of each under its own name.
    let keys: Vec<_> = bench.repo().comments(pull.number).iter().map(|(_, body)| first_line(body)).collect();
    for service in SERVICES {
        assert!(keys.contains(&format!("<!-- mgmt-action:report:{service} -->")), "{keys:?}");
    }
    assert_eq!((keys.len(), bench.repo().read(|repo| repo.check_runs.len())), (3, 3));
    let names = SERVICES.map(|service| format!("mgmt-evidence-{service}-attempt1"));
    assert_eq!(bench.kept("artifacts"), names);
}

#[test]
fn a_fork_of_the_readmes_monorepo_is_told_of_each_service_by_its_own_policy() {
    let bench = monorepo();
    bench.project.write(".github/workflows/publish.yml", example("monorepo-forks"));
    bench.commit(REPOSITORY, "main");
    let pushed = bench.event("push");
    assert_eq!(bench.start(&pushed).code, 0);
    bench.upload(pushed.run);
    // The fork breaks one service, and says in its policy that it does not matter.
    std::fs::remove_file(bench.project.path("services/web/green")).unwrap();
    bench.project.write("services/web/mgmt.yml", POLICY.replace("  green: { group: structure, paths: [green] }\n", ""));
    let pull = bench.open("stranger/project");
    let event = bench.pull_request(&pull);
    bench.allow(&["issues: write", "pull-requests: write", "checks: write"]);
    bench.start(&event);
    let mut uploaded = bench.upload(event.run);
    uploaded.sort_unstable();
    assert_eq!(uploaded, SERVICES.map(|service| format!("mgmt-evidence-{service}-attempt1")));
    bench.repo().edit_run(event.run, |run| run.conclusion = Some("failure".to_owned()));

    bench.allow(&[]);
    let jobs = bench.start(&bench.finished(&pull, event.run));
    assert_eq!((jobs.code, steps(&jobs)), (1, (2, 1)), "{}", jobs.log);
    // Nothing has changed for two of them: they have a check run alone.
    let comments = bench.repo().comments(pull.number);
    let body = &comments[0].1;
    assert_eq!((comments.len(), &*first_line(body)), (1, "<!-- mgmt-action:report:web -->"), "{comments:?}");
    for want in ["## ❔ inconclusive", "Compared with ", "Reported by the fork.", "The policy was changed.", "`green`"]
    {
        assert!(body.contains(want), "{want} in {body}");
    }
    let of_pull = |run: &&CheckRun| run.head_sha == pull.head;
    let shown = |run: &CheckRun| (run.name.clone(), run.conclusion.clone().unwrap());
    let mut checks: Vec<_> = bench.repo().read(|repo| repo.check_runs.iter().filter(of_pull).map(shown).collect());
    checks.sort_unstable();
    let want = [("mgmt (api)", "success"), ("mgmt (trainer)", "success"), ("mgmt (web)", "failure")];
    assert_eq!(checks, want.map(|(name, conclusion)| (name.to_owned(), conclusion.to_owned())));
}

#[test]
fn the_reusable_gate_is_a_job_of_its_own() {
    let bench = Bench::new(POLICY);
    bench.project.write("green", "").write(
        ".github/workflows/ci.yml",
        "on: pull_request\njobs:\n  gate:\n    uses: org/mgmt-action/.github/workflows/gate.yml@v1\n    with:\n      \
         command: validate\n      python-version: \"3.13\"\n  after:\n    needs: gate\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo \"told \
         <${VERDICT}>\"\n        env: { VERDICT: \"${{ needs.gate.outputs.verdict }}\" }\n",
    );
    bench.commit(REPOSITORY, "main");
    let pull = bench.open(REPOSITORY);
    let jobs = bench.start(&bench.pull_request(&pull));
    assert_eq!((jobs.code, jobs.failed), (0, 0), "{}", jobs.log);
    assert!(
        jobs.log.contains("told <pass>") && jobs.log.contains("python 3.13 asked for") && jobs.log.contains(" hello "),
        "{}",
        jobs.log
    );
}

#[test]
fn what_init_writes_gates_a_pull_request() {
    let bench = Bench::new(POLICY);
    bench.project.write("green", "");
    let ran = bench.project.run(&["init", "--github"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    bench.commit(REPOSITORY, "main");
    bench.project.write("green", "still");
    let mut pull = bench.open(REPOSITORY);
    let start = |pull: &Pull| bench.start(&Event { workflow: "mgmt-gate.yml", ..bench.pull_request(pull) });
    let jobs = start(&pull);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (0, 1, 0), "{}", jobs.log);
    assert!(jobs.log.contains(" hello "), "{}", jobs.log);
    std::fs::remove_file(bench.project.path("green")).unwrap();
    bench.push_to(&mut pull);
    let jobs = start(&pull);
    assert_eq!((jobs.code, jobs.succeeded, jobs.failed), (1, 0, 1), "{}", jobs.log);
}

#[test]
fn a_binary_is_built_once_and_then_comes_from_the_cache() {
    let bench = bench("full-check");
    let (built, calls) = (bench.place("built"), bench.place("calls"));
    std::fs::rename(bench.place("bin/mgmt"), &built).unwrap();
    let lines = format!(
        "echo \"$@\" >> '{}'\nwhile [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\n\
         cp '{}' \"$2/bin/mgmt\"\n",
        calls.display(),
        built.display()
    );
    bench.program("cargo", &lines);
    let jobs = bench.run("push");
    assert_eq!((jobs.code, jobs.succeeded), (0, 2), "{}", jobs.log);
    assert!(jobs.log.contains("cache miss") && jobs.log.contains("cache saved"), "{}", jobs.log);
    assert!(jobs.log.contains("built from source"), "{}", jobs.log);
    // A fresh machine: only the cache is left.
    bench.renew();
    let jobs = bench.start(&bench.event("push"));
    assert_eq!((jobs.code, jobs.succeeded), (0, 2), "{}", jobs.log);
    assert!(jobs.log.contains("cache hit") && !jobs.log.contains("cache saved"), "{}", jobs.log);
    assert_eq!(std::fs::read_to_string(calls).unwrap().lines().count(), 1);
}
