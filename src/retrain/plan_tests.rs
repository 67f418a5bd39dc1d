//! Which action is called for, and what keeps it back.

use std::time::Duration;

use super::*;
use crate::retrain::audit::{self, tests as world};
use crate::retrain::facts::{Facts, Job};

/// Every action is declared.
const ALL: &str = "remediate: { rerun-failed: true, dispatch-missed: true, enable-disabled: true }\n";

fn settings(more: &str) -> Settings {
    world::read(&format!("workflow: train.yml\nhistory: 4w\ntolerance: 12h\ntimeout: 90m\n{more}"))
}

/// What is planned in a world with some change; `kept` was done before.
fn planned(more: &str, change: impl FnOnce(&mut Facts), kept: &[Remedy]) -> Option<Remedy> {
    let settings = settings(more);
    let mut facts = world::facts();
    change(&mut facts);
    let mut sources = world::sources();
    let text = "on:\n  schedule:\n    - cron: '0 18 * * 0'\n  workflow_dispatch:\njobs: {}\n";
    sources.audited = Some(crate::retrain::workflow::read(".github/workflows/train.yml", text).unwrap());
    plan(&audit::audit(&settings, facts, &sources).audit, &settings, kept, None)
}

fn failed(facts: &mut Facts) {
    world::newest(facts).conclusion = Some("failure".into());
}

fn inactive(facts: &mut Facts) {
    world::no_run(facts);
    facts.workflow.state = Some(INACTIVE.into());
}

/// A job that failed in a step.
fn job(step: &str) -> Listing<Job> {
    Listing::whole(vec![Job {
        name: "train".into(),
        conclusion: Some("failure".into()),
        step: Some(step.into()),
        tail: None,
    }])
}

/// The run of the week before failed as well, at this attempt.
fn before(facts: &mut Facts, attempt: u32, step: &str) {
    let run = &mut facts.runs.items_mut()[1];
    (run.conclusion, run.attempt) = (Some("failure".into()), Some(attempt));
    let id = run.id;
    facts.jobs.insert(id, job(step));
}

/// A change to a world in which all is well, and what it calls for.
type Change = (&'static str, fn(&mut Facts), Option<Action>);

fn done(action: Action, hours_ago: i64, outcome: Outcome) -> Remedy {
    let at = world::now() - SignedDuration::from_hours(hours_ago);
    Remedy { action, at, slot: None, run_id: Some(7), outcome, detail: String::new() }
}

#[test]
fn each_action_has_its_moment_and_must_be_declared() {
    let table: [Change; 11] = [
        ("all is well", |_| {}, None),
        ("failed", failed, Some(Action::RerunFailed)),
        ("timed out", |facts| world::newest(facts).conclusion = Some("timed_out".into()), Some(Action::RerunFailed)),
        ("cancelled", |facts| world::newest(facts).conclusion = Some("cancelled".into()), None),
        ("missed", world::no_run, Some(Action::DispatchMissed)),
        ("inactive", inactive, Some(Action::EnableDisabled)),
        // It would be disabled at the next slot.
        ("inactive since", |facts| facts.workflow.state = Some(INACTIVE.into()), Some(Action::EnableDisabled)),
        ("by hand", |facts| facts.workflow.state = Some("disabled_manually".into()), None),
        (
            "failed and by hand",
            |facts| {
                failed(facts);
                facts.workflow.state = Some("disabled_manually".into());
            },
            None,
        ),
        (
            "failed, state unknown",
            |facts| {
                failed(facts);
                facts.workflow.state = None;
            },
            None,
        ),
        // Its run came, but too late: it did the work.
        (
            "too late",
            |facts| {
                let late = world::slot_at(0) + SignedDuration::from_hours(13);
                let run = world::newest(facts);
                (run.created, run.started, run.updated) = (Some(late), Some(late), Some(late));
            },
            None,
        ),
    ];
    for (name, change, want) in table {
        let one = planned(ALL, change, &[]);
        assert_eq!(
            one.as_ref().map(|one| (one.action, one.outcome)),
            want.map(|want| (want, Outcome::Planned)),
            "{name}"
        );
        assert_eq!(planned("", change, &[]), None, "{name}: nothing is declared");
        let Some(one) = one else { continue };
        let others =
            ["rerun-failed", "dispatch-missed", "enable-disabled"].into_iter().filter(|key| *key != one.action.word());
        let others: Vec<_> = others.map(|key| format!("{key}: true")).collect();
        let others = format!("remediate: {{ {} }}\n", others.join(", "));
        assert_eq!(planned(&others, change, &[]), None, "{name}: not declared");
        assert_eq!(one.at, world::now());
    }
    let one = planned(ALL, failed, &[]).unwrap();
    assert_eq!((one.run_id, one.slot), (Some(100), Some(world::slot_at(0))));
    assert_eq!(one.told(), "run the failed jobs of run 100 again");
    let one = planned(ALL, world::no_run, &[]).unwrap();
    assert_eq!(one.told(), "start the workflow for the slot of 2026-06-21 18:00 UTC");
}

#[test]
fn what_was_tried_is_left_to_people() {
    let again = |change: fn(&mut Facts), kept: &[Remedy]| {
        let one = planned(ALL, change, kept).unwrap();
        (one.outcome, one.detail)
    };
    let withheld = |detail: &str| (Outcome::Withheld, detail.to_owned());
    let twice = |facts: &mut Facts| {
        failed(facts);
        world::newest(facts).attempt = Some(2);
    };
    assert_eq!(again(twice, &[]), withheld("attempt 2 failed as well; somebody has to look"));
    let unknown = |facts: &mut Facts| {
        failed(facts);
        world::newest(facts).attempt = None;
    };
    assert_eq!(again(unknown, &[]), withheld("GitHub does not say which attempt it was"));
    // What was begun counts, also if nobody wrote down how it ended.
    for outcome in [Outcome::Begun, Outcome::Verified, Outcome::Unverified] {
        let run = Remedy { run_id: Some(100), ..done(Action::RerunFailed, 400, outcome) };
        let already = "that was done 2026-06-07 02:00 UTC already; somebody has to look";
        assert_eq!(again(failed, std::slice::from_ref(&run)), withheld(already), "{outcome:?}");
        let slot = Some(world::slot_at(0));
        let start = Remedy { slot, run_id: None, ..done(Action::DispatchMissed, 400, outcome) };
        let started = "it was started for it 2026-06-07 02:00 UTC already";
        assert_eq!(again(world::no_run, std::slice::from_ref(&start)), withheld(started), "{outcome:?}");
        let named = Remedy { run_id: Some(9), ..start.clone() };
        assert!(again(world::no_run, &[named]).1.starts_with("run 9 was started for it"), "{outcome:?}");
        // Of another run, another slot and another kind it says nothing.
        assert_eq!(again(failed, &[start.clone(), done(Action::RerunFailed, 400, outcome)]).0, Outcome::Planned);
        assert_eq!(again(world::no_run, &[run, Remedy { slot: None, ..start }]).0, Outcome::Planned);
    }
    for outcome in [Outcome::Withheld, Outcome::Planned, Outcome::Failed] {
        let run = Remedy { run_id: Some(100), ..done(Action::RerunFailed, 400, outcome) };
        assert_eq!(again(failed, &[run]).0, Outcome::Planned, "{outcome:?} is nothing done");
    }
}

#[test]
fn what_failed_in_the_same_place_after_it_was_run_again_is_no_accident() {
    let after = |attempt: u32, step: &'static str, between: bool| {
        let one = planned(
            ALL,
            |facts| {
                failed(facts);
                facts.jobs.insert(100, job("Fit"));
                if between {
                    // Two weeks before; the slot between them was fine.
                    let run = &mut facts.runs.items_mut()[2];
                    (run.conclusion, run.attempt) = (Some("failure".into()), Some(attempt));
                    let id = run.id;
                    facts.jobs.insert(id, job(step));
                } else {
                    before(facts, attempt, step);
                }
            },
            &[],
        );
        one.unwrap()
    };
    let same = after(2, "Fit", false);
    let told =
        "step `Fit` failed in the slot of 2026-06-14 18:00 UTC also after it was run again; somebody has to look";
    assert_eq!((same.outcome, same.detail.as_str()), (Outcome::Withheld, told));
    assert_eq!(after(1, "Fit", false).outcome, Outcome::Planned, "it was not run again then");
    assert_eq!(after(2, "Load", false).outcome, Outcome::Planned, "another place");
    assert_eq!(after(2, "Fit", true).outcome, Outcome::Planned, "it was mended meanwhile");
    // Where the place is not known, nobody can say that it was an accident.
    let unknown = planned(
        ALL,
        |facts| {
            failed(facts);
            before(facts, 2, "Fit");
        },
        &[],
    );
    let (outcome, detail) = unknown.map(|one| (one.outcome, one.detail)).unwrap();
    assert_eq!(outcome, Outcome::Withheld);
    assert!(detail.starts_with("whether it failed where the slot of 2026-06-14 18:00 UTC did"), "{detail}");
}

#[test]
fn budget_and_cooldown_hold() {
    let policy = |budget: &str| format!("remediate: {{ rerun-failed: true, {budget} }}\n");
    let at = |budget: &str, kept: &[Remedy]| {
        let one = planned(&policy(budget), failed, kept).unwrap();
        (one.outcome == Outcome::Planned, one.detail)
    };
    let two = "budget: { actions: 2, within: 2d }, cooldown: 6h";
    let one_of = |hours| done(Action::EnableDisabled, hours, Outcome::Verified);
    assert!(at(two, &[]).0);
    assert!(at(two, &[one_of(7)]).0);
    assert_eq!(at(two, &[one_of(5)]), (false, "the last action was 2026-06-23 13:00 UTC, and `cooldown` is 6h".into()));
    let spent = "the budget of 2 actions within 2d is spent; somebody has to look";
    assert_eq!(at(two, &[one_of(40), one_of(7)]), (false, spent.to_owned()));
    assert_eq!(at(two, &[one_of(7), one_of(40)]), (false, spent.to_owned()), "in any order");
    assert!(at(two, &[one_of(48), one_of(7)]).0, "after so long it counts no more");
    assert!(at(two, &[done(Action::RerunFailed, 1, Outcome::Withheld), one_of(7)]).0, "nothing was done");
    assert!(!at("budget: { actions: 1 }, cooldown: 1s", &[one_of(167)]).0);
    // A clock that was put back hides nothing.
    assert!(!at(two, &[one_of(-5)]).0);
    let budget = settings(&policy(two)).remediate.unwrap().budget;
    assert_eq!(budget.within, Duration::from_secs(2 * 86_400));
    let kept = [one_of(7), done(Action::RerunFailed, 1, Outcome::Planned), one_of(47), one_of(48)];
    assert_eq!((left(&kept, budget, world::now()), left(&kept[..2], budget, world::now())), (0, 1));
}

#[test]
fn memories_are_joined_and_none_grows_for_ever() {
    let one_of = |hours, outcome| done(Action::RerunFailed, hours, outcome);
    let (begun, seen) = (one_of(2, Outcome::Begun), one_of(2, Outcome::Verified));
    let other = one_of(9, Outcome::Failed);
    let withheld = one_of(1, Outcome::Withheld);
    let both = joined(&[&[begun.clone(), withheld], &[seen.clone(), other.clone()]]);
    assert_eq!(both, [other.clone(), seen.clone()]);
    assert_eq!(joined(&[std::slice::from_ref(&seen), &[begun]]), std::slice::from_ref(&seen));
    let many: Vec<_> = (0..50).map(|hours| one_of(hours, Outcome::Verified)).collect();
    let kept = joined(&[&many]);
    assert_eq!((kept.len() as u64, kept.first(), kept.last()), (MOST_ACTIONS, many.get(19), many.first()));
}

#[test]
fn nothing_is_started_that_would_meet_the_next_slot_or_that_nobody_hears() {
    let daily = |timeout: &str, text: &str| {
        let settings = world::read(&format!(
            "workflow: train.yml\ncron: {{ cron: '0 20 * * *' }}\nhistory: 4w\ntolerance: 1h\ntimeout: {timeout}\n{ALL}"
        ));
        let mut sources = world::sources();
        sources.audited = Some(crate::retrain::workflow::read(".github/workflows/train.yml", text).unwrap());
        let mut facts = world::facts();
        facts.runs = Listing::whole(Vec::new());
        plan(&audit::audit(&settings, facts, &sources).audit, &settings, &[], None).unwrap()
    };
    // It is six, and the next slot is at eight.
    let heard = "on:\n  workflow_dispatch:\n  schedule: [{ cron: '0 20 * * *' }]\njobs: {}\n";
    assert_eq!(daily("90m", heard).outcome, Outcome::Planned);
    let soon = daily("2h", heard);
    let told = "the next slot comes 2026-06-23 20:00 UTC, and a run may take that long";
    assert_eq!((soon.outcome, soon.detail.as_str()), (Outcome::Withheld, told));
    let deaf = daily("90m", "on:\n  schedule: [{ cron: '0 20 * * *' }]\njobs: {}\n");
    let told = "train.yml does not listen to `workflow_dispatch`";
    assert_eq!((deaf.outcome, deaf.detail.as_str()), (Outcome::Withheld, told));
}

#[test]
fn nothing_is_done_beside_a_slot_that_may_still_run() {
    let at = |hours: i64, tolerance: &str| {
        let settings = world::read(&format!(
            "workflow: train.yml\ncron: {{ cron: '0 12 * * *' }}\nhistory: 4w\ntolerance: {tolerance}\n{ALL}"
        ));
        let mut sources = world::sources();
        let text = "on:\n  workflow_dispatch:\n  schedule: [{ cron: '0 12 * * *' }]\njobs: {}\n";
        sources.audited = Some(crate::retrain::workflow::read(".github/workflows/train.yml", text).unwrap());
        let mut facts = world::facts();
        facts.as_of = world::now() + SignedDuration::from_hours(hours);
        facts.runs = Listing::whole(Vec::new());
        plan(&audit::audit(&settings, facts, &sources).audit, &settings, &[], None).unwrap()
    };
    // It is six, and the slot of noon may still come.
    let open = at(0, "12h");
    assert_eq!(
        (open.outcome, open.detail.as_str()),
        (Outcome::Withheld, "the slot of 2026-06-23 12:00 UTC may still run")
    );
    assert_eq!(at(0, "2h").outcome, Outcome::Planned, "it does not come any more");
}

#[test]
fn what_is_not_known_withholds_it() {
    let facts = |unsure: Option<Timestamp>| {
        let mut facts = world::facts();
        world::no_run(&mut facts);
        facts.workflow.unsure_before = unsure;
        facts
    };
    let settings = settings(ALL);
    let mut sources = world::sources();
    let text = "on:\n  schedule:\n    - cron: '0 18 * * 0'\n  workflow_dispatch:\njobs: {}\n";
    sources.audited = Some(crate::retrain::workflow::read(".github/workflows/train.yml", text).unwrap());
    let planned = |facts, sources: &audit::Sources, forgotten| {
        let one = plan(&audit::audit(&settings, facts, sources).audit, &settings, &[], forgotten).unwrap();
        (one.outcome == Outcome::Planned, one.detail)
    };
    let hour = SignedDuration::from_hours(1);
    let slot = world::slot_at(0);
    assert!(planned(facts(None), &sources, None).0 && planned(facts(Some(slot)), &sources, None).0);
    let unsure = "whether the schedule had that slot then is not known";
    assert_eq!(planned(facts(Some(slot + hour)), &sources, None), (false, unsure.to_owned()));
    // What was done is forgotten for as long as it would count.
    let ago = |hours: i64| Some(world::now() - SignedDuration::from_hours(hours));
    assert!(planned(facts(None), &sources, ago(168)).0);
    let lost = "what was done before 2026-06-16 19:00 UTC is not known, and each action counts for 7d";
    assert_eq!(planned(facts(None), &sources, ago(167)), (false, lost.to_owned()));
    // A workflow whose file nobody has read.
    let given = world::read(&format!("workflow: train.yml\ncron: {{ cron: '0 18 * * 0' }}\nhistory: 4w\n{ALL}"));
    let blind = audit::audit(&given, facts(None), &audit::Sources::default()).audit;
    let one = plan(&blind, &given, &[], None).unwrap();
    let told = "whether train.yml listens to `workflow_dispatch` is not known";
    assert_eq!((one.outcome, one.detail.as_str()), (Outcome::Withheld, told));
}

#[test]
fn a_disabled_workflow_is_told_and_enabled_also_where_a_run_by_hand_did_the_work() {
    let one = planned(
        ALL,
        |facts| {
            inactive(facts);
            let run = Run { event: Some("workflow_dispatch".into()), ..world::facts().runs.items()[0].clone() };
            facts.runs = Listing::whole([facts.runs.items(), &[run]].concat());
        },
        &[],
    );
    assert_eq!(one.map(|one| (one.action, one.outcome)), Some((Action::EnableDisabled, Outcome::Planned)));
}

/// A run of the workflow as it may be seen right before the action.
fn run(id: u64, status: &str, conclusion: Option<&str>) -> Run {
    Run {
        id,
        attempt: Some(1),
        event: Some("workflow_dispatch".into()),
        status: Some(status.into()),
        conclusion: conclusion.map(str::to_owned),
        created: Some(world::slot_at(0)),
        ..Run::default()
    }
}

#[test]
fn the_moment_is_looked_at_once_more() {
    let act = |action| Remedy {
        slot: Some(world::slot_at(0)),
        run_id: (action == Action::RerunFailed).then_some(100),
        ..done(action, 0, Outcome::Planned)
    };
    let seen = |state: Option<&str>, target: Option<Run>, more: Vec<Run>| Seen {
        state: state.map(str::to_owned),
        runs: Listing::whole(target.iter().cloned().chain(more).collect()),
        run: target,
    };
    let active = Some(ACTIVE);
    let failed = || Some(run(100, "completed", Some("failure")));
    let old = || Run { created: Some(world::now() - SignedDuration::from_hours(720)), ..failed().unwrap() };
    let change = Run { event: Some("pull_request".into()), ..run(9, "in_progress", None) };
    let early = |status| Run { created: Some(world::slot_at(1)), ..run(8, status, Some("failure")) };
    let cut = |mut seen: Seen| {
        if let Listing::Known { truncated, .. } = &mut seen.runs {
            *truncated = true;
        }
        seen
    };
    use Action::{DispatchMissed, EnableDisabled, RerunFailed};
    let table = [
        (EnableDisabled, seen(Some(INACTIVE), None, vec![]), ""),
        (EnableDisabled, seen(active, None, vec![]), "it is enabled by now"),
        (EnableDisabled, seen(Some("disabled_manually"), None, vec![]), "somebody disabled the workflow"),
        (EnableDisabled, seen(None, None, vec![]), "GitHub does not say"),
        (DispatchMissed, seen(active, None, vec![change.clone()]), ""),
        (DispatchMissed, seen(active, None, vec![run(9, "queued", None)]), "run 9 is going on"),
        (DispatchMissed, seen(active, None, vec![run(9, "completed", Some("failure"))]), "run 9 has begun since"),
        (DispatchMissed, seen(Some(INACTIVE), None, vec![]), "GitHub disabled the workflow"),
        (DispatchMissed, seen(None, None, vec![]), "GitHub does not say"),
        (
            DispatchMissed,
            Seen { runs: Listing::Absent, ..seen(active, None, vec![]) },
            "the list of runs since the slot",
        ),
        (DispatchMissed, seen(active, None, vec![early("completed")]), ""),
        // It was run again: it keeps its time.
        (DispatchMissed, seen(active, None, vec![early("in_progress")]), "run 8 is going on"),
        (DispatchMissed, cut(seen(active, None, vec![early("completed")])), ""),
        (DispatchMissed, cut(seen(active, None, vec![])), "the list of runs since the slot"),
        (RerunFailed, seen(active, failed(), vec![change]), ""),
        (RerunFailed, seen(active, Some(run(100, "completed", Some("timed_out"))), vec![]), ""),
        (RerunFailed, seen(active, failed(), vec![run(9, "completed", Some("failure"))]), ""),
        (RerunFailed, seen(active, failed(), vec![run(9, "completed", Some("success"))]), "run 9 has succeeded since"),
        (RerunFailed, seen(active, failed(), vec![run(9, "waiting", None)]), "run 9 is going on"),
        (RerunFailed, seen(active, None, vec![]), "GitHub does not show the run"),
        (
            RerunFailed,
            seen(active, Some(run(101, "completed", Some("failure"))), vec![]),
            "GitHub does not show the run",
        ),
        (RerunFailed, seen(active, Some(run(100, "in_progress", None)), vec![]), "it is going on"),
        (RerunFailed, seen(active, Some(run(100, "completed", Some("success"))), vec![]), "it ended as `success`"),
        (
            RerunFailed,
            seen(active, Some(run(100, "completed", Some("startup_failure"))), vec![]),
            "it ended as `startup_failure`",
        ),
        (RerunFailed, seen(active, Some(run(100, "completed", None)), vec![]), "it ended as `nothing`"),
        (RerunFailed, seen(active, Some(run(100, "completed", Some("cancelled"))), vec![]), "it ended as `cancelled`"),
        (
            RerunFailed,
            seen(active, Some(Run { created: None, ..failed().unwrap() }), vec![]),
            "GitHub does not say how old",
        ),
        (RerunFailed, seen(active, Some(Run { attempt: Some(2), ..failed().unwrap() }), vec![]), "it is at attempt 2"),
        (
            RerunFailed,
            seen(active, Some(Run { attempt: None, ..failed().unwrap() }), vec![]),
            "GitHub does not say which",
        ),
        (RerunFailed, seen(active, Some(old()), vec![]), "it is older than 30 days"),
        (RerunFailed, seen(Some("disabled_manually"), failed(), vec![]), "somebody disabled the workflow"),
    ];
    for (action, seen, want) in table {
        let said = holds(&act(action), &seen);
        match want {
            "" => assert_eq!(said, Ok(()), "{seen:?}"),
            want => assert!(said.as_ref().is_err_and(|said| said.starts_with(want)), "{want}: {said:?}"),
        }
    }
}
