//! What may stand under `retrain:`.

use super::*;
use crate::decode::tree;
use crate::evidence::metric::Better;

fn read(text: &str) -> Result<Settings, Vec<String>> {
    let node = tree::parse(text).unwrap().unwrap();
    let mut decoder = Decoder::default();
    let settings = decode(&mut decoder, &node);
    let problems = decoder.finish();
    if problems.is_empty() {
        return Ok(settings.unwrap());
    }
    Err(problems.iter().map(|one| format!("{}:{} {}", one.place.line, one.place.column, one.message)).collect())
}

#[test]
fn what_is_not_written_has_a_default() {
    let settings = read("workflow: .github/workflows/train.yml").unwrap();
    assert_eq!((settings.repository, settings.workflow.as_str()), (None, "train.yml"));
    assert!(matches!(settings.when, When::FromWorkflow));
    assert_eq!((settings.late_after, settings.tolerance, settings.history), (LATE_AFTER, TOLERANCE, HISTORY));
    assert!(settings.champion.is_empty() && settings.expect.model.is_none());
    assert_eq!(settings.remediate, None, "nothing is done unless it is declared");
    let remedies = read("{ workflow: t.yml, remediate: { enable-disabled: true } }").unwrap().remediate.unwrap();
    assert!(remedies.enable_disabled && !remedies.rerun_failed && remedies.dispatch_missed.is_none());
    let (week, hour) = (Duration::from_secs(7 * 86_400), Duration::from_secs(3600));
    assert_eq!((remedies.budget.actions, remedies.budget.within, remedies.cooldown), (2, week, hour));
}

#[test]
fn what_is_written_is_taken() {
    let settings = read(
        "workflow: { repo: owner/name, workflow: train.yaml }\n\
         cron: { cron: '0 18 * * 0', timezone: Europe/Berlin }\n\
         late-after: 10m\ntolerance: 2h\ntimeout: 90m\nhistory: 4w\n\
         expect:\n  branch: main\n  artifact: model\n  metrics: { file: metrics.json, must: [f1, a.b] }\n  \
         deploy: { within: 6h, environment: production }\n\
         champion:\n  - { metric: f1, min: 0.6, max-drop: 2 %, size: n }\n  \
         - { metric: loss, max-drop: 0.01, direction: lower, size: 500 }\n",
    )
    .unwrap();
    assert_eq!(settings.repository.as_deref(), Some("owner/name"));
    let When::Given(schedules) = &settings.when else { panic!() };
    assert_eq!((schedules[0].cron.text(), schedules[0].zone_name()), ("0 18 * * 0", "Europe/Berlin"));
    assert!(matches!(&settings.expect.model, Some(Trace::Artifact { name, digest: true }) if name == "model"));
    assert_eq!(settings.expect.deploy.unwrap().to, Target::Environment("production".into()));
    let [f1, loss] = settings.champion.try_into().unwrap();
    assert_eq!(
        (f1.drop, f1.size, f1.better),
        (Some(Drop::Percent(2.0)), Some(Size::Metric("n".into())), Better::Higher)
    );
    assert_eq!((loss.drop, loss.size, loss.better), (Some(Drop::By(0.01)), Some(Size::Fixed(500)), Better::Lower));
    let remedies = read(
        "workflow: t.yml\nremediate:\n  rerun-failed: true\n  dispatch-missed: { inputs: { full: true, seeds: 1.10 } }\n  \
         budget: { actions: 5, within: 2d }\n  cooldown: 30m\n",
    )
    .unwrap()
    .remediate
    .unwrap();
    let inputs = [("full".to_owned(), "true".to_owned()), ("seeds".to_owned(), "1.10".to_owned())];
    assert_eq!(remedies.dispatch_missed, Some(inputs.into()));
    assert!(remedies.rerun_failed && !remedies.enable_disabled);
    let (days, minutes) = (Duration::from_secs(2 * 86_400), Duration::from_secs(1800));
    assert_eq!((remedies.budget.actions, remedies.budget.within, remedies.cooldown), (5, days, minutes));
    let commit = read("{ workflow: t.yml, expect: { artifact: { commit: models/** } } }").unwrap();
    assert!(matches!(commit.expect.model, Some(Trace::Commit(_))));
}

#[test]
fn every_mistake_has_its_place() {
    for (text, told) in [
        ("{ cron: from-workflow }", "1:1 retrain needs `workflow`"),
        ("{ workflow: train }", "1:13 `train` is not the name of a workflow file"),
        ("{ workflow: { repo: o, workflow: t.yml } }", "1:21 `o` is not a repository"),
        ("{ workflow: { repo: o/.., workflow: t.yml } }", "1:21 `o/..` is not a repository"),
        ("{ workflow: t.yml, cron: '0 18 * * 0' }", "1:26 expected `from-workflow`"),
        ("{ workflow: t.yml, cron: { cron: '@weekly' } }", "1:34 GitHub does not know `@weekly`"),
        ("{ workflow: t.yml, cron: { cron: '0 0 * * 0', timezone: Mars } }", "1:57 there is no time zone `Mars`"),
        ("{ workflow: t.yml, late-after: 1d }", "1:20 no run could be late"),
        ("{ workflow: t.yml, history: 400d }", "1:20 a history of more than 366 days"),
        ("{ workflow: t.yml, expect: { metrics: { file: m.json } } }", "1:30 metrics are read from an artifact"),
        ("{ workflow: t.yml, expect: { artifact: { name: a, commit: b } } }", "1:40 a model is left as"),
        ("{ workflow: t.yml, expect: { artifact: { commit: 'm/*.onnx' } } }", "1:50 `m/*.onnx`: GitHub tells which"),
        ("{ workflow: t.yml, expect: { artifact: { commit: '**' } } }", "1:50 `**`: GitHub tells which"),
        ("{ workflow: t.yml, expect: { deploy: { within: 1h } } }", "1:38 a deployment shows in"),
        ("{ workflow: t.yml, champion: [{ metric: f1, min: 1 }] }", "1:20 a new model has no metrics"),
        ("{ workflow: t.yml, remediate: }", "1:20 `remediate` declares no action"),
        ("{ workflow: t.yml, remediate: {} }", "1:31 `remediate` declares no action"),
        (
            "{ workflow: t.yml, remediate: { rerun-failed: false, cooldown: 2h } }",
            "1:31 `remediate` declares no action",
        ),
        ("{ workflow: t.yml, remediate: { rerun-failed: maybe } }", "1:47 expected `true` or `false`"),
        ("{ workflow: t.yml, remediate: { restart: true } }", "1:33 unknown key `restart`"),
        ("{ workflow: t.yml, remediate: { dispatch-missed: {} } }", "1:50 dispatch-missed needs `inputs`"),
        (
            "{ workflow: t.yml, remediate: { dispatch-missed: { inputs: { a: } } } }",
            "1:63 expected the value of an input",
        ),
        (
            "{ workflow: t.yml, remediate: { rerun-failed: true, budget: { actions: 0 } } }",
            "1:72 a budget of 0 actions",
        ),
        (
            "{ workflow: t.yml, remediate: { rerun-failed: true, budget: { actions: 21 } } }",
            "1:72 a budget of 21 actions",
        ),
        (
            "{ workflow: t.yml, remediate: { rerun-failed: true, budget: { within: 400d } } }",
            "1:71 a budget for more than 366 days",
        ),
        (&with("{ metric: f1 }"), "1:83 this holds a new model to nothing"),
        (&with("{ metric: f1, min: 2, max: 1 }"), "1:83 no value is both"),
        (&with("{ metric: f1, max-drop: -1 }"), "1:107 expected how much worse"),
        (&with("{ metric: f1, min: 1, size: 9 }"), "1:105 `size` is about the comparison"),
        (&with("{ metric: f1, max-drop: 1, size: 0 }"), "1:116 a test with no samples"),
        (&with("{ metric: f1, min: .nan }"), "1:102 expected a number"),
    ] {
        let problems = read(text).unwrap_err();
        assert!(problems.len() == 1 && problems[0].starts_with(told), "{text}: {problems:?}");
    }
}

fn with(challenge: &str) -> String {
    format!("{{ workflow: t.yml, expect: {{ artifact: a, metrics: {{ file: m.json }} }}, champion: [{challenge}] }}")
}
