//! What keeps an action of `--remediate` back right before it would be done.

use jiff::SignedDuration;
use mgmt_action::retrain::remedy::Outcome;

use super::github::{Fault, TokenKind};
use super::incident::{At, BOT, Scene};
use super::remedy::{ALL, ISSUES, RUNS, act, acts, done, failed, newest, scene, titles};
use super::scene::TOKEN;

#[test]
fn the_moment_is_looked_at_right_before() {
    type World = (&'static str, fn(&Scene), &'static str, fn(&mut serde_json::Value), &'static str);
    let run = format!("{RUNS}/*");
    let workflow = "/repos/org/app/actions/workflows/train.yml";
    let worlds: [World; 3] = [
        (
            "again",
            failed,
            &run.clone().leak()[..],
            |answer| answer["run_attempt"] = 2.into(),
            "it is at attempt 2 by now",
        ),
        (
            "start",
            Scene::miss,
            workflow,
            |answer| answer["state"] = "disabled_manually".into(),
            "somebody disabled the workflow",
        ),
        (
            "enable",
            |scene| scene.repo().edit(|repo| repo.workflows[0].state = "disabled_inactivity".to_owned()),
            workflow,
            |answer| answer["state"] = "active".into(),
            "it is enabled by now",
        ),
    ];
    for (name, change, path, edit, told) in worlds {
        let scene = scene(ALL);
        change(&scene);
        // Of the looks the last one before the action: the audit asks for the workflow once, and for no single run.
        let before = if path == workflow { 2 } else { 1 };
        scene.training.fake.fault(Fault::on("GET", path).after(before).edit(edit));
        let first = act(&scene, At::Job, 0);
        assert_eq!((newest(&first), acts(&scene)), ((Outcome::Withheld, told.to_owned()), 0), "{name}: {first:?}");
        assert!(!scene.body(1).contains("begun\"") && titles(&scene).len() == 1, "{name}: {}", scene.body(1));
        // Nothing was done, so nothing keeps the next audit from it.
        assert_eq!((newest(&act(&scene, At::Job, 1)).0, acts(&scene)), (Outcome::Verified, 1), "{name}");
    }
}

#[test]
fn who_cannot_write_it_down_does_not_act() {
    let scene = scene(ALL);
    failed(&scene);
    scene.training.fake.token(TOKEN, TokenKind::Actions, BOT, &["issues: write"]);
    let first = act(&scene, At::Job, 0);
    let withheld = "it could not be written down before it is done".to_owned();
    assert_eq!((newest(&first), acts(&scene)), ((Outcome::Withheld, withheld), 0), "{first:?}");
    // An issue that cannot even be looked for: at home neither, since a job may have acted.
    scene.training.fake.token(TOKEN, TokenKind::Actions, BOT, &[]);
    scene.training.fake.fault(Fault::on("GET", ISSUES).status(403).times(2));
    for (hours, at) in [(1, At::Job), (2, At::Home)] {
        let blind = "what was done before is not known: the issue cannot be looked for".to_owned();
        assert_eq!((newest(&act(&scene, at, hours)), acts(&scene)), ((Outcome::Withheld, blind), 0));
    }
    assert_eq!((newest(&act(&scene, At::Home, 3)).0, acts(&scene)), (Outcome::Verified, 1));
}

#[test]
fn a_memory_that_was_lost_is_no_budget() {
    for (wanted, spoil) in [
        (
            "the issue's hidden line",
            (|scene| {
                scene.repo().edit(|repo| {
                    let body = repo.issues[0].body.clone().unwrap();
                    repo.issues[0].body = Some(body.replace("mgmt-action:data:", "mgmt-action:"));
                });
            }) as fn(&Scene),
        ),
        ("the same of an issue that is closed", |scene| {
            scene.repo().edit(|repo| {
                repo.issues[0].state = "closed".to_owned();
                let body = repo.issues[0].body.clone().unwrap();
                repo.issues[0].body = Some(body.replace("\"outcome\":\"verified\"", "\"outcome\":\"odd\""));
            });
        }),
    ] {
        let scene = scene("rerun-failed: true, dispatch-missed: true, budget: { actions: 1, within: 30d }");
        failed(&scene);
        assert_eq!((newest(&act(&scene, At::Job, 0)).0, acts(&scene)), (Outcome::Verified, 1));
        scene.miss();
        spoil(&scene);
        for hours in [24, 48] {
            let (outcome, detail) = newest(&act(&scene, At::Job, hours));
            let told = "what was done before 2024-06-26 18:00 UTC is not known, and each action counts for 30d";
            assert_eq!((outcome, detail.as_str(), acts(&scene)), (Outcome::Withheld, told, 1), "{wanted}, {hours}");
        }
    }
}

#[test]
fn of_two_audits_at_once_only_one_acts() {
    // The other one writes after this one has looked for the issue, and again after this one has written.
    for looks in [0, 1] {
        let scene = scene(ALL);
        failed(&scene);
        let other = |answer: &mut serde_json::Value| {
            let body = answer["body"].as_str().unwrap().replace("\"content\":\"", "\"content\":\"0");
            answer["body"] = body.into();
        };
        scene.training.fake.fault(Fault::on("GET", &format!("{ISSUES}/1")).after(looks).edit(other));
        let first = act(&scene, At::Job, 0);
        assert_eq!(acts(&scene), 0, "{first:?}");
        assert!(done(&first).contains("another audit is at work"), "{first:?}");
    }
}

#[test]
fn what_somebody_cancelled_stays_so() {
    let scene = scene(ALL);
    scene.training.edit_run(|run| {
        run.conclusion = Some("cancelled".to_owned());
        run.updated_at = run.started_at + SignedDuration::from_hours(3);
    });
    let first = act(&scene, At::Job, 0);
    assert_eq!(first.audit.slots.last().unwrap().state.word(), "timed-out");
    let told = "it ended as `cancelled`, which running it again does not mend".to_owned();
    assert_eq!((newest(&first), acts(&scene)), ((Outcome::Withheld, told), 0), "{first:?}");
}

#[test]
fn a_look_that_fails_withholds_it_in_the_same_words_each_time() {
    let scene = scene(ALL);
    failed(&scene);
    scene.training.fake.fault(Fault::on("GET", &format!("{RUNS}/*")).status(403).always());
    let first = act(&scene, At::Job, 0);
    let told = (Outcome::Withheld, "GitHub answers 403 to the look before it".to_owned());
    assert_eq!((newest(&first), acts(&scene)), (told.clone(), 0), "{first:?}");
    let second = act(&scene, At::Job, 1);
    assert_eq!(newest(&second), told);
    assert!(done(&second).contains("says the same already"), "{second:?}");
}
