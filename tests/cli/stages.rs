//! `stages:` of the policy: defaults written out, and every mistake with its place.

use super::support::Project;

const CONFIG: &str = "\
version: 1
checks: { t: { group: test, run: [pytest] } }
gate: [{ metric: tests.failed, max: 0 }]
gates: { deploy: [{ metric: tests.total, min: 1 }] }
stages:
  staging: { workflows: .github/workflows/ci.yml }
  canary: { after: staging, environment: Canary EU }
  production: { after: canary, workflows: [ci.yml, e2e.yml], max-age: 12h, artifacts: 'e2e-*', expect: [a, b], gate: deploy }
  docs: { workflows: docs.yml, gate: false }
";

#[test]
fn stages_are_shown_with_their_defaults_and_read_back() {
    let project = Project::with(CONFIG);
    let shown = project.run(&["config", "show"]).stdout;
    let stages = shown.split("stages:\n").nth(1).unwrap().split("limits:\n").next().unwrap();
    insta::assert_snapshot!(stages, @r"
    staging:
      environment: staging
      workflows:
      - ci.yml
      max-age: 30d
      artifacts:
      - mgmt-evidence*
      gate: default
    canary:
      after: staging
      environment: Canary EU
    production:
      after: canary
      environment: production
      workflows:
      - ci.yml
      - e2e.yml
      max-age: 12h
      artifacts:
      - e2e-*
      expect:
      - a
      - b
      gate: deploy
    docs:
      environment: docs
      workflows:
      - docs.yml
      max-age: 30d
      gate: false
    ");
    project.write("again.yml", &shown);
    assert_eq!(project.run(&["config", "show", "--config", "again.yml"]).stdout, shown);
}

#[test]
fn mistakes_in_stages_are_told_with_their_places() {
    let config = "\
version: 1
gates: { deploy: [{ metric: tests.total, min: 1 }] }
stages:
  staging: { workflows: ci.yml, after: production, gate: deplyo }
  production: { after: staging, max-age: 5m }
  review: { after: stagin, environment: Staging }
  canary: { workflows: [ci], max-age: soon, expect: none }
";
    let project = Project::with(config);
    let ran = project.run(&["config", "check"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    insta::assert_snapshot!(project.redact(&ran.stderr), @r"
    error[config.unknown-gate]: there is no gate `deplyo`
     --> mgmt.yml:4:58
      |
    4 |   staging: { workflows: ci.yml, after: production, gate: deplyo }
      |                                                          ^^^^^^
      |
      = help: did you mean `deploy`?

    error[config.cycle]: stages come after each other in a circle: `staging` → `production` → `staging`
     --> mgmt.yml:5:24
      |
    5 |   production: { after: staging, max-age: 5m }
      |                        ^^^^^^^
      |
      = help: remove one of these `after`

    error[config.stage]: `max-age` is about the runs of `workflows`, and `production` names none
     --> mgmt.yml:5:33
      |
    5 |   production: { after: staging, max-age: 5m }
      |                                 ^^^^^^^
      |
      = help: add `workflows:`, or remove it

    error[config.unknown-stage]: there is no stage `stagin`
     --> mgmt.yml:6:20
      |
    6 |   review: { after: stagin, environment: Staging }
      |                    ^^^^^^
      |
      = help: did you mean `staging`?

    error[config.stage]: `ci` is not the name of a workflow file
     --> mgmt.yml:7:25
      |
    7 |   canary: { workflows: [ci], max-age: soon, expect: none }
      |                         ^^
      |
      = help: write the name of its file below .github/workflows, such as ci.yml

    error[config.duration]: `soon`: not a duration; write a number and a unit: 90s, 5m, 1h 30m, 30d, 12w
     --> mgmt.yml:7:39
      |
    7 |   canary: { workflows: [ci], max-age: soon, expect: none }
      |                                       ^^^^

    error[config.stage]: `expect` is about evidence, and `canary` reads none without a gate
     --> mgmt.yml:7:45
      |
    7 |   canary: { workflows: [ci], max-age: soon, expect: none }
      |                                             ^^^^^^
      |
      = help: name the gate that judges it, or remove it

    error[config.type]: expected how many shards there are, or a list of their names, found `none`
     --> mgmt.yml:7:53
      |
    7 |   canary: { workflows: [ci], max-age: soon, expect: none }
      |                                                     ^^^^

    error: 8 problems in mgmt.yml
    help: `mgmt config schema` prints what the file may hold
    ");
}
