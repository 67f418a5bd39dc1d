//! Each fault with its file and line, and what only looks like one.

use super::*;
use crate::retrain::workflow;

fn file(path: &str, text: &str) -> File {
    workflow::read(&format!(".github/workflows/{path}"), text).unwrap()
}

fn training(steps: &str) -> File {
    file("train.yml", &format!("on:\n  schedule:\n    - cron: '0 18 * * 0'\njobs:\n  train:\n    steps:\n{steps}"))
}

fn told(findings: &[Finding]) -> Vec<String> {
    let one = |one: &Finding| {
        let line = one.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line} {} {}", one.file.as_deref().unwrap_or_default(), one.level.word(), one.code)
    };
    findings.iter().map(one).collect()
}

#[test]
fn a_schedule_that_github_refuses_is_told_with_its_line() {
    let text = "name: train\non:\n  push:\n  schedule:\n    - cron: '0 18 * * 0'\n      timezone: Europe/Berlin\n    # weekly\n    - cron: '@weekly'\n    - cron: '0 0 * * *'\n      timezone: Berlin\n    - timezone: UTC\n    - cron: '0 0 */2 * 1'\n";
    let (schedules, faults) = schedules(&file("train.yml", text));
    assert_eq!(schedules.iter().map(|one| one.cron.text()).collect::<Vec<_>>(), ["0 18 * * 0", "0 0 */2 * 1"]);
    assert_eq!(schedules[0].zone_name(), "Europe/Berlin");
    assert_eq!(
        told(&faults),
        [
            ".github/workflows/train.yml:8 fail schedule.cron",
            ".github/workflows/train.yml:9 fail schedule.cron",
            ".github/workflows/train.yml:11 fail schedule.cron",
            ".github/workflows/train.yml:12 warn schedule.ambiguous",
        ]
    );
    for (text, code) in [
        ("on: push\n", " fail schedule.none"),
        ("on: [push, schedule]\n", ":1 fail schedule.cron"),
        ("on:\n  schedule:\n", ":2 fail schedule.cron"),
        ("jobs: {}\n", " fail schedule.none"),
    ] {
        assert_eq!(
            told(&super::schedules(&file("t.yml", text)).1),
            [format!(".github/workflows/t.yml{code}")],
            "{text}"
        );
    }
    assert!(workflow::read("t.yml", "- a list\n").is_err() && workflow::read("t.yml", "").is_err());
    assert_eq!(workflow::read("t.yml", "on: [\n").unwrap_err().1, 2);
}

#[test]
fn an_event_that_nobody_hears_is_told_where_it_is_sent() {
    let deploy = file("deploy.yml", "on:\n  repository_dispatch:\n    types: [model-ready]\njobs: {}\n");
    for (steps, wanted) in [
        (
            "      - uses: peter-evans/repository-dispatch@v3\n        with:\n          event-type: model-updated\n",
            Some(9),
        ),
        ("      - uses: peter-evans/repository-dispatch@v3\n        with:\n          event-type: model-ready\n", None),
        (
            "      - uses: peter-evans/repository-dispatch@v3\n        with: { event-type: x, repository: other/repo }\n",
            None,
        ),
        (
            "      - uses: peter-evans/repository-dispatch@v3\n        with: { event-type: x, repository: '${{ github.repository }}' }\n",
            Some(8),
        ),
        ("      - uses: peter-evans/repository-dispatch@v3\n        with: { event-type: '${{ env.EVENT }}' }\n", None),
        ("      - run: gh api repos/$GITHUB_REPOSITORY/dispatches -f event_type=model-updated\n", Some(7)),
        (
            "      - run: |\n          set -e\n          gh api repos/o/r/dispatches \\\n            -f event_type='model-updated'\n",
            Some(10),
        ),
        ("      - run: |\n          gh api repos/o/other/dispatches -f event_type=model-updated\n", None),
        ("      - run: gh api repos/o/r/dispatches -f event_type=model-ready\n", None),
        ("      - run: gh api repos/{owner}/{repo}/dispatches -f event_type=model-updated\n", Some(7)),
        ("      - run: gh api repos/$SERVING/dispatches -f event_type=model-updated\n", None),
        ("      - run: gh api 'repos/${{ vars.SERVING }}/dispatches' -f event_type=model-updated\n", None),
        (
            "      - run: |\n          gh api repos/o/r/dispatches -f event_type=a\n          gh api repos/o/b/dispatches -f event_type=b\n",
            None,
        ),
        (
            "      - uses: actions/github-script@v7\n        with:\n          script: |\n            await github.rest.repos.createDispatchEvent({\n              owner: 'acme', repo: 'serving', event_type: 'model-updated' })\n",
            None,
        ),
        (
            "      - uses: actions/github-script@v7\n        with:\n          script: |\n            await github.rest.repos.createDispatchEvent({\n              owner: context.repo.owner, repo: context.repo.repo, event_type: 'model-updated' })\n",
            Some(11),
        ),
        ("      - run: gh api repos/o/r/dispatches -f event_type=$EVENT\n", None),
        ("      - run: |\n          # gh api repos/o/r/dispatches -f event_type=model-updated\n          true\n", None),
        ("      - run: gh api repos/o/r/actions/workflows/deploy.yml/dispatches -f ref=main\n", None),
        (
            "      - run: >-\n          curl -X POST https://api.github.com/repos/${{ github.repository }}/dispatches\n          -d '{\"event_type\": \"model-updated\"}'\n",
            Some(8),
        ),
        (
            "      - uses: actions/github-script@v7\n        with:\n          script: |\n            await github.rest.repos.createDispatchEvent({\n              ...context.repo, event_type: 'model-updated' })\n",
            Some(11),
        ),
    ] {
        let found = unheard(&training(steps), &[training(steps), deploy.clone()], "o/r", true);
        let lines: Vec<_> = found.iter().map(|one| (one.code, one.level, one.line)).collect();
        let wanted: Vec<_> = wanted.into_iter().map(|line| (UNHEARD.id, RuleVerdict::Fail, Some(line))).collect();
        assert_eq!(lines, wanted, "{steps}");
    }
    let any = file("any.yml", "on: repository_dispatch\njobs: {}\n");
    let sends = training("      - run: gh api repos/o/r/dispatches -f event_type=model-raedy\n");
    assert_eq!(unheard(&sends, &[any], "o/r", true), []);
    let near = unheard(&sends, std::slice::from_ref(&deploy), "o/r", true);
    assert_eq!(near[0].hint.as_deref(), Some("did you mean `model-ready`?"));
    assert_eq!(unheard(&sends, &[deploy], "o/r", false)[0].level, RuleVerdict::Inconclusive, "a file was not read");
}

#[test]
fn a_push_that_wakes_nobody_is_told() {
    let listener = file("deploy.yml", "on:\n  push:\n    branches: [main]\njobs: {}\n");
    let tags = file("deploy.yml", "on:\n  push:\n    tags: ['v*']\njobs: {}\n");
    let checkout = |with: &str| {
        format!(
            "      - uses: actions/checkout@v4\n{with}      - run: |\n          git commit -am model\n          git push\n"
        )
    };
    let own = checkout("");
    let found = unheard(&training(&own), &[training(&own), listener.clone()], "o/r", true);
    assert_eq!(told(&found), [".github/workflows/train.yml:10 warn push.silent"]);
    let token = "        with: { token: '${{ github.token }}' }\n";
    let secret = "        with: { token: '${{ secrets.GITHUB_TOKEN }}' }\n";
    for with in [token, secret] {
        assert_eq!(
            unheard(&training(&checkout(with)), std::slice::from_ref(&listener), "o/r", true).len(),
            1,
            "{with}"
        );
    }
    for with in [
        "token: '${{ secrets.PAT }}'",
        "ssh-key: '${{ secrets.KEY }}'",
        "persist-credentials: false",
        "token: '${{ steps.app.outputs.token }}'",
    ] {
        let steps = checkout(&format!("        with: {{ {with} }}\n"));
        assert_eq!(unheard(&training(&steps), std::slice::from_ref(&listener), "o/r", true), [], "{with}");
    }
    assert_eq!(unheard(&training(&own), &[tags], "o/r", true), []);
    assert_eq!(unheard(&training(&own), &[], "o/r", true), []);
    let action = "      - uses: actions/checkout@v4\n      - uses: stefanzweifel/git-auto-commit-action@v5\n";
    assert_eq!(unheard(&training(action), std::slice::from_ref(&listener), "o/r", true)[0].line, Some(8));
    let elsewhere =
        "      - uses: actions/checkout@v4\n      - run: git push https://x:${{ secrets.PAT }}@github.com/o/r\n";
    assert_eq!(unheard(&training(elsewhere), &[listener], "o/r", true), []);
}
