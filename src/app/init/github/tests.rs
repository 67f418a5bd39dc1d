//! The texts from policies and projects in memory.

use super::super::project::Fake;
use super::*;
use crate::retrain::cron::{Cron, Schedule};

const STAGES: &str = "\
version: 1
checks: { t: { group: test, run: [make, test] } }
gate: [{ metric: tests.failed, max: 0 }]
stages:
  eu.1: { workflows: [mgmt-gate.yml, e2e.yml, slow.yml] }
  EU-1: { after: eu.1, environment: 'Production: EU' }
  2nd: { after: EU-1, workflows: mgmt-deploy.yml, gate: false }
";

fn config(text: &str, path: &str) -> Config {
    config::read(text.as_bytes(), Utf8Path::new("/w/bot"), Utf8Path::new(path)).unwrap()
}

fn composed(text: &str, path: &str, tree: &Fake, branch: &str) -> Workflows {
    compose(&config(text, path), tree, branch, None).unwrap()
}

fn text<'w>(workflows: &'w Workflows, file: &str) -> &'w str {
    &workflows.files.iter().find(|written| written.path.file_name() == Some(file)).unwrap().text
}

#[test]
fn stages_become_jobs_whatever_they_are_called() {
    let tree = Fake::default().files(&[".github/workflows/e2e.yml"]);
    let workflows = composed(STAGES, "mgmt.yml", &tree, "main");
    let jobs = text(&workflows, "mgmt-deploy.yml");
    let lines: Vec<_> = jobs
        .lines()
        .filter(|line| {
            let told = ["name:", "needs:", "stage:", "environment:", "- run:"];
            line.ends_with(':') && line.starts_with("  ") && !line.starts_with("    ")
                || told.iter().any(|key| line.trim_start().starts_with(key))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    name: mgmt deploy
      push:
      gate-eu-1:
        name: gate eu.1
          stage: eu.1
      deploy-eu-1:
        name: deploy eu.1
        needs: gate-eu-1
        environment: eu.1 # GitHub records the deployment and its status
          - run: ./deploy eu.1 # your own
      gate-EU-1-2:
        name: gate EU-1
        needs: deploy-eu-1
          stage: EU-1
      deploy-EU-1-2:
        name: deploy EU-1
        needs: gate-EU-1-2
        environment: "Production: EU" # GitHub records the deployment and its status
          - run: ./deploy EU-1 # your own
      gate-2nd:
        name: gate 2nd
        needs: deploy-EU-1-2
          stage: "2nd"
      deploy-2nd:
        name: deploy 2nd
        needs: gate-2nd
        environment: "2nd" # GitHub records the deployment and its status
          - run: ./deploy 2nd # your own
    "#);
    insta::assert_snapshot!(workflows.open.join("\n"), @r"
    mgmt-deploy.yml: put your own deploy in place of `./deploy STAGE`; until then its jobs fail
    stage `eu.1` waits for slow.yml, which is not in .github/workflows
    stage `2nd` waits for mgmt-deploy.yml, which waits for the stage: name another
    ");
}

#[test]
fn without_stages_and_a_training_there_is_nothing_to_deploy_and_to_audit() {
    let workflows = composed("version: 1\nchecks: {}\n", "mgmt.yml", &Fake::default(), "main");
    assert_eq!(workflows.files.len(), 2);
    insta::assert_snapshot!(workflows.left_out.join("\n"), @r"
    mgmt-deploy.yml: the policy has no `stages:`; add them and run this again, for example
      stages:
        staging: { workflows: mgmt-gate.yml }
        production: { after: staging }
    mgmt-retrain-audit.yml: the policy has no `retrain:`; add it and run this again, for example
      retrain: { workflow: model-training.yml }
    ");
    assert!(workflows.open.is_empty());
}

#[test]
fn what_would_be_an_expression_is_not_written() {
    let stages = STAGES.replace("Production: EU", "${{ secrets.X }}");
    let workflows = composed(&stages, "mgmt.yml", &Fake::default(), "main");
    assert_eq!(workflows.left_out[0], "mgmt-deploy.yml: stage `EU-1`: its environment would be an expression there");
    let policy = config(STAGES, "policies/${{ x }}.yml");
    assert_eq!(compose(&policy, &Fake::default(), "main", None).unwrap_err().downcast::<Stop>().unwrap().exit as u8, 2);
    assert!(compose(&config(STAGES, "/elsewhere/mgmt.yml"), &Fake::default(), "main", None).is_err());
}

#[test]
fn a_policy_elsewhere_is_named_in_each_workflow() {
    let workflows = composed(STAGES, "services/api/mgmt.yml", &Fake::default(), "main");
    for (file, times) in [("mgmt-gate.yml", 1), ("mgmt-publish.yml", 1), ("mgmt-deploy.yml", 3)] {
        let found = text(&workflows, file).matches("config: services/api/mgmt.yml\n").count();
        assert_eq!(found, times, "{file}");
    }
    let workflows = composed(STAGES, ".github/mgmt.yml", &Fake::default(), "main");
    assert!(workflows.files.iter().all(|file| !file.text.contains("config:")));
}

#[test]
fn a_branch_is_a_filter_that_matches_it_alone() {
    assert_eq!(filter("main"), "main");
    assert_eq!(filter("release/1.x"), "release/1.x");
    assert_eq!(filter("1.10"), "\"1.10\"");
    assert_eq!(filter("c++"), r"'c\+\+'");
    assert!(
        text(&composed(STAGES, "mgmt.yml", &Fake::default(), "trunk"), "mgmt-deploy.yml").contains("branches: [trunk]")
    );
}

#[test]
fn rows_are_documented_and_named_for_what_they_are() {
    for row in WORKFLOWS {
        assert!(row.doc.ends_with('.') && row.file.starts_with("mgmt-") && row.file.ends_with(".yml"), "{}", row.file);
    }
}

#[test]
fn what_the_checks_need_is_installed_where_it_is_known() {
    let setup = |files: &[&str]| {
        let workflows = composed(STAGES, "mgmt.yml", &Fake::default().files(files), "main");
        let text = text(&workflows, "mgmt-gate.yml").to_owned();
        text.split("persist-credentials: false\n").nth(1).unwrap().to_owned()
    };
    insta::assert_snapshot!(setup(&[]), @r"
    # Whatever else the checks need is installed here.
    - uses: org/mgmt-action@v1 # zizmor: ignore[unpinned-uses] moves with each release; a full commit does not
    ");
    insta::assert_snapshot!(setup(&["package.json", "Cargo.toml"]), @r"
    - run: npm install
    - run: rustup toolchain install stable --profile minimal --component clippy,rustfmt
    - uses: org/mgmt-action@v1 # zizmor: ignore[unpinned-uses] moves with each release; a full commit does not
    ");
}

/// A policy that audits `train.yml`, with more under `retrain:` and at its end.
fn audited(retrain: &str, more: &str) -> String {
    format!("version: 1\nretrain:\n  workflow: train.yml\n{retrain}{more}")
}

/// The moments of the audit that is written for this policy and this `train.yml`.
fn looks(policy: &str, train: &str) -> Schedule {
    let tree = Fake::default().file(".github/workflows/train.yml", train);
    let workflows = composed(policy, "mgmt.yml", &tree, "main");
    let read: serde_yaml::Value = serde_yaml::from_str(text(&workflows, "mgmt-retrain-audit.yml")).unwrap();
    let schedule = read["on"]["schedule"].as_sequence().unwrap();
    assert_eq!(schedule.len(), 1);
    Schedule::utc(Cron::parse(schedule[0]["cron"].as_str().unwrap()).unwrap())
}

#[test]
fn an_audit_looks_soon_after_a_slot_can_be_judged() {
    let weekly = "on: { schedule: [{ cron: '0 18 * * 0' }] }\njobs: {}\n";
    for (retrain, train, cron) in [
        ("  tolerance: 12h\n", weekly, "17 7 * * *"),
        // What is awaited after a run that began in time is more than the tolerance.
        (
            "  tolerance: 1h\n  timeout: 2h\n  expect: { deploy: { within: 6h, environment: live } }\n",
            weekly,
            "17 3 * * *",
        ),
        // By the summer's clock an hour earlier: the later one counts.
        ("  cron: { cron: '0 18 * * 0', timezone: Europe/Berlin }\n  tolerance: 12h\n", "", "17 6 * * *"),
        ("  cron: [{ cron: '0 6 * * *' }, { cron: '0 8 * * *' }]\n  tolerance: 6h\n", "", "17 15 * * *"),
        // Never at the full hour.
        ("  cron: { cron: '43 0 1 * *' }\n  tolerance: 6h\n", "", "17 8 * * *"),
        ("  cron: { cron: '*/5 * * * *' }\n  tolerance: 6h\n", "", "57 23 * * *"),
        // Where nothing is known of the schedule.
        ("", "", "17 7 * * *"),
        ("", "on: push\njobs: {}\n", "17 7 * * *"),
        ("", "on: [\n", "17 7 * * *"),
        ("  cron: { cron: '0 0 31 2 *' }\n", "", "17 7 * * *"),
    ] {
        assert_eq!(looks(&audited(retrain, ""), train).cron.text(), cron, "{retrain}{train}");
    }
}

#[test]
fn an_audit_is_told_what_the_policy_names_and_no_more() {
    let notify = "notify:\n  discord: { url-env: DISCORD_WEBHOOK_URL }\n  ops: { kind: slack, url-env: \
                  github_ops }\n  again: { kind: discord, url-env: DISCORD_WEBHOOK_URL, levels: [critical] }\n  pager: { \
                  kind: webhook, url-env: PAGER, secret-env: PAGER_KEY }\n";
    let tree = Fake::default().files(&[".github/workflows/train.yml"]);
    let workflows = composed(&audited("", notify), "mgmt.yml", &tree, "main");
    let written = text(&workflows, "mgmt-retrain-audit.yml");
    assert!(!written.contains("deployments:"), "no environment is looked at");
    assert!(written.contains("      actions: read #") && !written.contains("--remediate"), "nothing may be done");
    let acting = composed(&audited("  remediate: { rerun-failed: true }\n", ""), "mgmt.yml", &tree, "main");
    let acting = text(&acting, "mgmt-retrain-audit.yml");
    assert!(
        acting.contains("      actions: write #")
            && acting.ends_with("            --publish\n            --remediate\n")
    );
    let env = written.split("        env:").nth(1).unwrap();
    insta::assert_snapshot!(env, @r"
    # of this step alone
             DISCORD_WEBHOOK_URL: ${{ secrets.DISCORD_WEBHOOK_URL }}
             PAGER: ${{ secrets.PAGER }}
             PAGER_KEY: ${{ secrets.PAGER_KEY }}
    ");
    insta::assert_snapshot!(workflows.open.join("\n"), @r"
    mgmt-retrain-audit.yml: notices need the secrets DISCORD_WEBHOOK_URL, PAGER and PAGER_KEY in the repository's settings
    `notify:` needs another variable than github_ops: no secret can be called that
    ");

    let elsewhere = "version: 1\nretrain: { workflow: { repo: o/other, workflow: train.yml } }\n";
    let workflows = composed(elsewhere, "policies/mgmt.yml", &Fake::default(), "main");
    let written = text(&workflows, "mgmt-retrain-audit.yml");
    assert!(written.ends_with("            --publish\n          config: policies/mgmt.yml\n"), "{written}");
    insta::assert_snapshot!(workflows.open.join("\n"), @r"
    mgmt-retrain-audit.yml: the job's own token reads o/other only if that is public; else give one that does as the input `token`
    ");
    let acting = "version: 1\nretrain: { workflow: { repo: o/other, workflow: train.yml }, remediate: { rerun-failed: true } }\n";
    let workflows = composed(acting, "mgmt.yml", &Fake::default(), "main");
    assert!(workflows.open[0].contains("`actions: write` there"), "{:?}", workflows.open);
}
