//! What slots mean together: what may still come, what covers, what was before, what is new.

use super::*;
use crate::retrain::incident::{Incident, Step, step};

#[test]
fn what_may_still_come_is_not_judged_and_the_slot_before_decides() {
    let early = |minutes: i64, change: fn(&mut Facts)| {
        let mut facts = facts();
        facts.as_of = after(0, minutes);
        change(&mut facts);
        audit(&settings(), facts, &sources()).audit
    };
    let last = |audit: &Audit| audit.slots.last().unwrap().clone();
    for (minutes, state) in [(0, S::Pending), (4, S::Pending), (5, S::Running), (44, S::Running), (50, S::Running)] {
        let audit = early(minutes, |_| {});
        let slot = last(&audit);
        assert_eq!((slot.state, audit.verdict), (state, V::Pass), "{minutes}: {:?}", slot.detail);
        assert_eq!(audit.decided_by, Some(slot_at(1)));
        assert_eq!(audit.slots.iter().rev().nth(1).map(|slot| slot.depth), Some(Depth::Model));
    }
    assert_eq!((last(&early(60, |_| {})).state, last(&early(59, |_| {})).state), (S::OnTime, S::Running));
    assert_eq!(last(&early(720, no_run)).state, S::Pending);
    assert_eq!(last(&early(721, no_run)).state, S::Missed);
    let bad = early(10, |facts| facts.runs.items_mut()[1].conclusion = Some("failure".into()));
    assert_eq!((last(&bad).state, bad.verdict), (S::Running, V::Fail), "the newest that can be judged failed");
}

#[test]
fn a_run_by_hand_covers_a_slot_and_is_no_success_of_the_schedule() {
    let mut covered = facts();
    no_run(&mut covered);
    with_product(&mut covered, by_hand(16 * 60));
    let audit = audit(&settings(), covered.clone(), &sources()).audit;
    let slot = audit.slots.last().unwrap();
    assert_eq!((slot.state, slot.covered_by, slot.run_id, audit.verdict), (S::Missed, Some(150), None, V::Pass));
    assert_eq!(audit.problems[0].code, "audit.covered");
    assert_eq!((audit.summary.kept, audit.summary.judged, audit.summary.covered), (3, 4, 1));
    let newest = covered.runs.items_mut().last_mut().unwrap();
    newest.conclusion = Some("failure".into());
    let failed = super::audit(&settings(), covered, &sources()).audit;
    assert_eq!((failed.slots.last().unwrap().covered_by, failed.verdict), (None, V::Fail));
}

#[test]
fn what_was_before_warns_and_the_newest_decides() {
    let mut facts = facts();
    facts.runs.retain(|run| run.id != 102);
    facts.runs.items_mut()[2].conclusion = Some("failure".into());
    let audit = audit(&settings(), facts, &sources()).audit;
    assert_eq!(audit.verdict, V::Pass);
    let told: Vec<_> = audit.problems.iter().map(|one| (one.level, one.message.as_str())).collect();
    assert_eq!(
        told,
        [(RuleVerdict::Warn, "2 of 3 slots before it did not do what is expected: 1 missed and 1 failed")]
    );
    let Summary { judged, kept, streak, longest_gap, .. } = audit.summary;
    assert_eq!((judged, kept, streak, longest_gap), (4, 2, 2, 2));
    assert_eq!(audit.champion[0].champion_run, Some(101));
}

#[test]
fn nothing_is_expected_before_there_was_a_schedule() {
    let slots = |change: fn(&mut Facts)| {
        let mut facts = facts();
        change(&mut facts);
        let audit = audit(&settings(), facts, &sources()).audit;
        (audit.slots.iter().map(|slot| slot.state).collect::<Vec<_>>(), audit.verdict)
    };
    let young = slots(|facts| facts.workflow.created = Some(after(1, -60)));
    assert_eq!(young, (vec![S::OnTime, S::OnTime], V::Pass));
    let changed = slots(|facts| facts.workflow.scheduled_since = Some(after(0, -60)));
    assert_eq!(changed.0, [S::OnTime]);
    let unborn = slots(|facts| facts.workflow.created = Some(after(0, 60)));
    assert_eq!(unborn, (vec![], V::Inconclusive), "no slot is no pass");
    let unknown = slots(|facts| {
        facts.workflow.created = None;
        facts.runs.retain(|run| run.id < 102);
    });
    assert_eq!(unknown.0, [S::Unknown, S::Unknown, S::OnTime, S::OnTime]);
}

#[test]
fn a_schedule_whose_first_slot_lies_ahead_opens_nothing() {
    let mut young = facts();
    young.workflow.created = Some(after(0, 60));
    let nothing = audit(&settings(), young.clone(), &sources()).audit;
    assert_eq!((nothing.verdict, step(None, &nothing)), (V::Inconclusive, Step::Rest));
    let open = Incident::begin("train.yml", after(0, 0));
    assert_eq!(step(Some(&open), &nothing), Step::Wait);
    // What cannot be seen is another matter.
    young.runs = Listing::Absent;
    let unseen = audit(&settings(), young, &sources()).audit;
    assert!(matches!(step(None, &unseen), Step::Open(_)), "{unseen:?}");
}

#[test]
fn the_first_model_is_told_and_never_silently_good() {
    let mut facts = facts();
    facts.workflow.created = Some(after(0, -60));
    facts.runs.retain(|run| run.id == 100);
    let audit = audit(&settings(), facts, &sources()).audit;
    assert_eq!((audit.verdict, audit.problems[0].code), (V::Pass, "audit.first-model"));
    assert_eq!(audit.champion[0].verdict, RuleVerdict::Warn);
}

#[test]
fn a_champion_is_the_newest_model_that_was_good_enough() {
    let mut facts = facts();
    facts.models.insert(101, model(101, 0.5));
    facts.models.insert(100, model(100, 0.695));
    let audit = audit(&settings(), facts, &sources()).audit;
    let states: Vec<_> = audit.slots.iter().map(|slot| slot.state).collect();
    assert_eq!(states, [S::OnTime, S::OnTime, S::WorseThanChampion, S::OnTime]);
    assert_eq!(audit.champion[0].champion_run, Some(102));
}

#[test]
fn a_champion_outlives_its_artifact_while_a_worse_model_is_in_its_place() {
    // Of the good model nothing is left but what an earlier audit kept.
    let mut lasting = facts();
    let newest = |facts: Facts| audit(&settings(), facts, &sources()).audit;
    assert_eq!(newest(lasting.clone()).verdict, V::Pass);
    let values = [("f1".to_owned(), 0.9), ("loss".to_owned(), 0.1)].into();
    let reign = champion::Reign::of(50, after(3, 30), &values, &settings().champion).unwrap();
    assert_eq!(reign.values.len(), 1, "what nothing is asked of is not kept");
    let seeds = (0..4_000).map(|seed| (format!("f1.{seed}"), 0.9)).collect();
    assert_eq!(champion::Reign::of(50, after(3, 30), &seeds, &settings().champion), None, "an issue has a limit");
    lasting.reign = Some(reign.clone());
    for unread in [&[][..], &[101, 102]] {
        let mut facts = lasting.clone();
        facts.models.retain(|run, _| !unread.contains(run));
        let audit = newest(facts);
        let told = (audit.verdict, audit.champion[0].champion_run, audit.champion[0].champion);
        assert_eq!(told, (V::Fail, Some(50), Some(0.9)), "{audit:?}");
        assert_eq!(audit.reign, Some(reign.clone()));
    }
    lasting.models.insert(100, model(100, 0.895));
    assert_eq!(newest(lasting).verdict, V::Pass, "one that is good enough ends it");
    // Where the trouble begins the champion is kept.
    let mut worse = facts();
    worse.models.insert(100, model(100, 0.5));
    let kept = newest(worse).reign.unwrap();
    assert_eq!((kept.run, kept.since, kept.values), (101, after(1, 5), [("f1".to_owned(), 0.7)].into()));
}

#[test]
fn a_schedule_that_is_younger_than_its_models_has_a_champion() {
    let mut facts = facts();
    facts.models.insert(100, model(100, 0.2));
    facts.workflow.scheduled_since = Some(after(0, -60));
    let audited = |facts| audit(&settings(), facts, &sources());
    let young = audited(facts.clone()).audit;
    assert_eq!((young.slots.len(), young.verdict, young.champion[0].champion_run), (1, V::Fail, Some(101)));
    let mut elsewhere = facts.clone();
    elsewhere.runs.items_mut()[1].branch = Some("dev".to_owned());
    assert_eq!(audited(elsewhere).audit.champion[0].champion_run, Some(102), "of another branch it is none");
    facts.models.remove(&101);
    let wanted = audited(facts.clone()).wants;
    assert!(wanted.contains(&Want::Model { run: 101, artifact: 201 }), "{wanted:?}");
    facts.models.insert(100, model(100, 0.7));
    facts.artifacts.items_mut()[1].expired = true;
    assert_eq!(audited(facts).audit.verdict, V::Inconclusive, "there was one, and nobody can say how good it was");
}

#[test]
fn commits_and_other_workflows_stand_in_for_artifacts_and_environments() {
    let settings = read(
        "workflow: train.yml\nhistory: 4w\nexpect:\n  artifact: { commit: 'models/**' }\n  deploy: { within: 6h, workflow: deploy.yml }\n",
    );
    let state = |change: fn(&mut Facts)| {
        let mut facts = facts();
        facts.commits = Listing::whole(vec![Commit { sha: "c".repeat(40), at: Some(after(0, 40)) }]);
        facts.deploying =
            Listing::whole(vec![Run { id: 400, event: Some("push".into()), created: Some(after(0, 41)), ..run(0) }]);
        change(&mut facts);
        let slot = audit(&settings, facts, &sources()).audit.slots.pop().unwrap();
        (slot.state, slot.detail.unwrap_or_default())
    };
    assert_eq!(state(|_| {}).0, S::OnTime);
    let again = |facts: &mut Facts| {
        let run = newest(facts);
        (run.attempt, run.started, run.updated) = (Some(2), Some(after(0, 90)), Some(after(0, 100)));
    };
    assert_eq!(state(again).0, S::OnTime, "what the first attempt committed and deployed counts");
    assert_eq!(state(|facts| facts.commits.retain(|_| false)).0, S::NoArtifact);
    assert_eq!(state(|facts| facts.commits.items_mut()[0].at = Some(after(0, -5))).0, S::NoArtifact);
    assert_eq!(state(|facts| facts.commits.items_mut()[0].at = None).0, S::Unknown);
    assert_eq!(state(|facts| facts.commits = Listing::Absent).0, S::Unknown);
    assert_eq!(state(|facts| facts.deploying.retain(|_| false)).0, S::NotDeployed);
    assert_eq!(state(|facts| facts.deploying.items_mut()[0].event = Some("pull_request".into())).0, S::NotDeployed);
    assert_eq!(state(|facts| facts.deploying.items_mut()[0].conclusion = Some("failure".into())).0, S::NotDeployed);
    assert_eq!(state(|facts| facts.deploying.items_mut()[0].created = None).0, S::Unknown);
}

#[test]
fn what_the_files_say_reaches_the_verdict() {
    let with = |text: &str| {
        let mut sources = sources();
        let file = workflow::read(".github/workflows/train.yml", text).unwrap();
        (sources.audited, sources.files) = (Some(file.clone()), vec![file]);
        let audit = audit(&settings(), facts(), &sources).audit;
        (audit.verdict, audit.problems.iter().map(|one| one.code).collect::<Vec<_>>())
    };
    assert_eq!(with("on: workflow_dispatch\n"), (V::Fail, vec!["schedule.none", "audit.nothing"]));
    let never = with("on:\n  schedule:\n    - cron: '0 0 30 2 *'\n");
    assert_eq!(never, (V::Fail, vec!["schedule.never", "audit.nothing"]));
    let sends = "on:\n  schedule:\n    - cron: '0 18 * * 0'\njobs:\n  a:\n    steps:\n      - run: gh api repos/o/r/dispatches -f event_type=x\n";
    assert_eq!(with(sends), (V::Fail, vec!["dispatch.unheard"]));
    let unread = Sources { audited: None, files: Vec::new(), ..Sources::default() };
    let unknown = audit(&settings(), facts(), &unread).audit;
    assert_eq!((unknown.verdict, unknown.slots.len()), (V::Inconclusive, 0));
    // A file that is no workflow hides a fault, also where the policy states the schedule; another's only may.
    let mut given = settings();
    given.when = When::Given(schedules(&settings(), &sources()).0);
    for (path, verdict) in [("train.yml", V::Inconclusive), ("retrain.yml", V::Pass)] {
        let broken = (format!("{}/{path}", workflow::FOLDER), "not valid YAML".to_owned(), 3);
        let audit = audit(&given, facts(), &Sources { unreadable: vec![broken], ..Sources::default() }).audit;
        assert_eq!((audit.verdict, audit.problems[0].code), (verdict, "workflow.unreadable"), "{path}");
    }
    let dev = Settings { expect: settings::Expect { branch: Some("dev".into()), ..settings().expect }, ..settings() };
    let audit = audit(&dev, facts(), &sources()).audit;
    assert!(audit.problems.iter().any(|one| one.code == "schedule.branch"), "{:?}", audit.problems);
}

#[test]
fn an_earlier_moment_is_judged_by_the_workflow_as_it_was() {
    let mut facts = facts();
    facts.workflow.state = Some("disabled_manually".to_owned());
    assert_eq!(audit(&settings(), facts.clone(), &sources()).audit.verdict, V::Fail);
    facts.workflow.changed = Some(facts.as_of + SignedDuration::from_hours(1));
    let audit = audit(&settings(), facts, &sources()).audit;
    assert_eq!((audit.verdict, audit.notes.len()), (V::Pass, 1), "{audit:?}");
}

#[test]
fn what_is_wanted_is_what_the_newest_slot_turns_on() {
    let mut bare = facts();
    bare.models.clear();
    bare.deployments.items_mut()[0].statuses = Listing::Unknown { why: "not asked".into(), next: String::new() };
    let wants = audit(&settings(), bare, &sources()).wants;
    let wanted = [
        Want::Model { run: 100, artifact: 200 },
        Want::Model { run: 101, artifact: 201 },
        Want::Statuses { deployment: 300 },
    ];
    assert_eq!(wants, wanted);
    assert_eq!(audit(&settings(), facts(), &sources()).wants, []);
    let mut failed = facts();
    newest(&mut failed).conclusion = Some("failure".into());
    assert_eq!(audit(&settings(), failed, &sources()).wants, [Want::Jobs { run: 100 }]);
    // A run by hand is looked into where it could have done the work.
    let mut missed = facts();
    no_run(&mut missed);
    with_product(&mut missed, by_hand(60));
    missed.models.remove(&150);
    let Outcome { audit: before, wants } = audit(&settings(), missed.clone(), &sources());
    assert_eq!((before.verdict, wants), (Verdict::Fail, vec![Want::Model { run: 150, artifact: 250 }]));
    missed.models.insert(150, model(150, 0.71));
    let Outcome { audit: after, wants } = audit(&settings(), missed, &sources());
    assert_eq!((after.verdict, wants), (Verdict::Pass, vec![]));
    assert_eq!(after.slots.last().unwrap().covered_by, Some(150));
}

#[test]
fn hours_of_twelve_weeks_are_judged_in_no_time() {
    let hour = |at: i64| now() - SignedDuration::from_hours(at);
    let mut facts = facts();
    let run = |at: i64| Run {
        id: u64::try_from(at).unwrap(),
        created: Some(hour(at)),
        started: Some(hour(at)),
        updated: Some(hour(at) + SignedDuration::from_mins(9)),
        ..run(0)
    };
    facts.runs = Listing::whole((1..2000).map(run).collect());
    let settings = read("workflow: train.yml\nhistory: 12w\ntolerance: 50m\ncron: { cron: '0 * * * *' }\n");
    let audit = audit(&settings, facts, &sources()).audit;
    let count = |state| audit.slots.iter().filter(|slot| slot.state == state).count();
    assert_eq!((count(S::OnTime), count(S::Missed), count(S::Pending)), (1999, 17, 1));
    assert_eq!((audit.verdict, audit.summary.streak), (V::Pass, 1999));
}

#[test]
fn the_schema_is_frozen() {
    let mut facts = facts();
    newest(&mut facts).conclusion = Some("failure".into());
    facts.runs.retain(|run| run.id != 102);
    let job = Job {
        name: "train".into(),
        conclusion: Some("failure".into()),
        step: Some("fit".into()),
        tail: Some("boom".into()),
    };
    facts.jobs.insert(100, Listing::whole(vec![job]));
    let audit = audit(&settings(), facts, &sources()).audit;
    insta::assert_snapshot!(serde_json::to_string_pretty(&audit).unwrap(), @r#"
    {
      "schema": "mgmt.audit/1",
      "as_of": "2026-06-23T18:00:00Z",
      "repository": "o/r",
      "workflow": "train.yml",
      "workflow_state": "active",
      "verdict": "fail",
      "exit_code": 1,
      "schedule": [
        {
          "cron": "0 18 * * 0",
          "timezone": "UTC"
        }
      ],
      "since": "2026-05-26T18:00:00Z",
      "slots": [
        {
          "expected_at": "2026-05-31T18:00:00Z",
          "state": "on-time",
          "run_id": 103,
          "attempt": 1,
          "started_at": "2026-05-31T18:05:00Z",
          "finished_at": "2026-05-31T18:45:00Z",
          "late_seconds": 300,
          "depth": "run",
          "detail": null,
          "covered_by": null,
          "commit": "0000000000000000000000000000000000000003",
          "url": "https://github.com/o/r/actions/runs/103",
          "failure": null
        },
        {
          "expected_at": "2026-06-07T18:00:00Z",
          "state": "missed",
          "run_id": null,
          "attempt": null,
          "started_at": null,
          "finished_at": null,
          "late_seconds": null,
          "depth": "run",
          "detail": "no run within 12h",
          "covered_by": null,
          "commit": null,
          "url": null,
          "failure": null
        },
        {
          "expected_at": "2026-06-14T18:00:00Z",
          "state": "on-time",
          "run_id": 101,
          "attempt": 1,
          "started_at": "2026-06-14T18:05:00Z",
          "finished_at": "2026-06-14T18:45:00Z",
          "late_seconds": 300,
          "depth": "run",
          "detail": null,
          "covered_by": null,
          "commit": "0000000000000000000000000000000000000001",
          "url": "https://github.com/o/r/actions/runs/101",
          "failure": null
        },
        {
          "expected_at": "2026-06-21T18:00:00Z",
          "state": "failed",
          "run_id": 100,
          "attempt": 1,
          "started_at": "2026-06-21T18:05:00Z",
          "finished_at": "2026-06-21T18:45:00Z",
          "late_seconds": 300,
          "depth": "model",
          "detail": "its run failed: job `train`, step `fit`",
          "covered_by": null,
          "commit": "0000000000000000000000000000000000000000",
          "url": "https://github.com/o/r/actions/runs/100",
          "failure": {
            "job": "train",
            "step": "fit",
            "tail": "boom"
          }
        }
      ],
      "decided_by": "2026-06-21T18:00:00Z",
      "next": [
        "2026-06-28T18:00:00Z",
        "2026-07-05T18:00:00Z",
        "2026-07-12T18:00:00Z"
      ],
      "champion": [],
      "summary": {
        "judged": 4,
        "kept": 2,
        "late": 0,
        "covered": 0,
        "unknown": 0,
        "success_rate": 0.5,
        "streak": 1,
        "streak_kept": false,
        "longest_gap": 1
      },
      "trends": {
        "duration_seconds": {
          "samples": 2,
          "median": 2400.0,
          "last": 2400.0,
          "per_week": null,
          "direction": "unknown"
        },
        "late_seconds": {
          "samples": 3,
          "median": 300.0,
          "last": 300.0,
          "per_week": null,
          "direction": "unknown"
        },
        "metrics": {
          "f1": {
            "samples": 2,
            "median": 0.7,
            "last": 0.7,
            "per_week": null,
            "direction": "unknown"
          }
        }
      },
      "inactivity": {
        "last_activity": "2026-06-21T18:00:00Z",
        "days_left": 58
      },
      "problems": [
        {
          "level": "fail",
          "code": "audit.slot",
          "message": "the slot of 2026-06-21 18:00 UTC is failed (its run failed: job `train`, step `fit`)",
          "hint": "look at the step that failed: its log tells more",
          "file": null,
          "line": null
        },
        {
          "level": "warn",
          "code": "audit.earlier",
          "message": "1 of 3 slots before it did not do what is expected: 1 missed",
          "hint": "look at the slots: what happens again and again will be the newest one day",
          "file": null,
          "line": null
        }
      ],
      "notes": [],
      "remedies": []
    }
    "#);
}
