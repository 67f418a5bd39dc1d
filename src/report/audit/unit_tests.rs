//! What readers see, and what hostile text cannot do.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::gate::Verdict;
use crate::retrain::audit::{Inactivity, Moment, SCHEMA, Summary, Trends};
use crate::retrain::champion::Comparison;
use crate::retrain::remedy::Action;
use crate::retrain::slot::{Depth, Failure, STATES};
use crate::retrain::trend::trend;
use crate::retrain::wiring::UNHEARD;

fn at(hours: i64) -> Timestamp {
    "2026-06-01T18:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

fn slot(hours: i64, state: State) -> Slot {
    Slot {
        expected_at: at(hours),
        state,
        run_id: Some(17),
        attempt: Some(1),
        started_at: Some(at(hours)),
        finished_at: Some(at(hours + 1)),
        late_seconds: Some(2400),
        depth: Depth::Run,
        detail: None,
        covered_by: None,
        commit: None,
        url: Some("https://github.com/o/r/actions/runs/17".into()),
        failure: None,
    }
}

fn audit(slots: Vec<Slot>) -> Audit {
    let points: Vec<_> = (0..12).map(|week| (at(week * 168), f64::from(i32::try_from(week).unwrap()) * 60.0)).collect();
    let trends =
        Trends { duration_seconds: trend(&points), late_seconds: trend(&points[..3]), metrics: Default::default() };
    Audit {
        schema: SCHEMA,
        as_of: at(24 * 80),
        repository: "o/r".into(),
        workflow: "train.yml".into(),
        workflow_state: Some("active".into()),
        verdict: Verdict::Fail,
        exit_code: 1,
        schedule: vec![Moment { cron: "0 18 * * 0".into(), timezone: "UTC".into() }],
        since: at(0),
        unsure_before: None,
        reign: None,
        decided_by: slots.last().map(|slot| slot.expected_at),
        slots,
        next: vec![at(24 * 84)],
        champion: vec![Comparison {
            metric: "f1".into(),
            limit: "min 0.6, max-drop 0.01".into(),
            value: Some(0.68),
            champion: Some(0.7),
            champion_run: Some(16),
            verdict: RuleVerdict::Fail,
            message: "0.68, and the champion has 0.7: worse by more than 0.01".into(),
        }],
        summary: Summary {
            judged: 12,
            kept: 9,
            late: 1,
            covered: 1,
            success_rate: Some(0.75),
            streak: 1,
            streak_kept: Some(false),
            longest_gap: 2,
            ..Summary::default()
        },
        trends,
        inactivity: Some(Inactivity { last_activity: at(0), days_left: 9 }),
        problems: vec![
            Finding::new(RuleVerdict::Fail, &UNHEARD, "no workflow listens to the event `x` that is sent here")
                .at(".github/workflows/train.yml", 12),
        ],
        notes: vec!["there are no environments".into()],
        remedies: Vec::new(),
    }
}

fn weekly() -> Audit {
    let states = [State::OnTime, State::Late, State::Missed, State::ArtifactExpired, State::OnTime, State::Failed];
    let mut slots: Vec<_> = states.iter().enumerate().map(|(week, state)| slot(week as i64 * 168, *state)).collect();
    slots[2].covered_by = Some(23);
    let last = slots.last_mut().unwrap();
    last.detail = Some("its run failed: job `train`, step `fit`".into());
    last.failure = Some(Failure { job: "train".into(), step: Some("fit".into()), tail: Some("one\ntwo\n".into()) });
    audit(slots)
}

#[test]
fn a_terminal_shows_the_calendar_and_what_is_wrong() {
    insta::assert_snapshot!(human::render(&weekly(), Options::default()), @r"
    audit retrain train.yml in o/r  as of 2026-08-20 18:00 UTC
      `0 18 * * 0` (UTC)

      2026        olMEoF
      o on-time  l late  E artifact-expired  F failed  M missed

    slots
      2026-07-06 18:00 UTC  failed               run 17           its run failed: job `train`, step `fit`
      2026-06-15 18:00 UTC  missed               run 17           run 23 was started by hand instead
      2026-06-08 18:00 UTC  late                 run 17           by 40 min

    log of train
      | one
      | two

    new model
      FAIL   f1  0.68, and the champion has 0.7: worse by more than 0.01  (min 0.6, max-drop 0.01)

    history
      75 % of 12 slots kept, 1 late, 1 covered by hand
      1 in a row not kept; the longest gap was 2
      duration: 11 min now, 5 min 30 s usually in 12 runs, rising by 1 min a week
      lateness: 2 min now, 1 min usually in 3 runs, too few for a trend
      next slot 2026-08-24 18:00 UTC
      GitHub disables the schedule in 9 days, unless something happens in the repository

    problems
      FAIL   .github/workflows/train.yml:12: no workflow listens to the event `x` that is sent here  [dispatch.unheard]
             help: add the type under `on: repository_dispatch: types:` of the workflow that should run, on the default branch
      note   there are no environments

    FAIL  the slot of 2026-07-06 18:00 UTC is failed; 9 of 12 slots did what is expected
    ");
}

#[test]
fn markdown_shows_the_same() {
    insta::assert_snapshot!(markdown::render(&weekly()), @r"
    ## ❌ `train.yml`: fail

    The slot of 2026-07-06 18:00 UTC is failed; 9 of 12 slots did what is expected.

    ### What is wrong

    - ❌ `.github/workflows/train.yml:12`: no workflow listens to the event `x` that is sent here → add the type under `on: repository_dispatch: types:` of the workflow that should run, on the default branch

    ### Slots

    ```text
    2026        olMEoF
    ```

    `o` on-time · `l` late · `E` artifact-expired · `F` failed · `M` missed

    | slot | state | run | |
    |---|---|---|---|
    | 2026-07-06 18:00 UTC | failed | [17](https://github.com/o/r/actions/runs/17) | its run failed: job `train`, step `fit` |
    | 2026-06-15 18:00 UTC | missed | [17](https://github.com/o/r/actions/runs/17) | run 23 was started by hand instead |
    | 2026-06-08 18:00 UTC | late | [17](https://github.com/o/r/actions/runs/17) | by 40 min |

    <details><summary>The end of the log of train</summary>

    ```text
    one
    two
    ```

    </details>

    ### The new model

    | metric | limit | value | champion | |
    |---|---|---:|---:|---|
    | `f1` | min 0.6, max-drop 0.01 | 0.68 | 0.7 | fail: 0.68, and the champion has 0.7: worse by more than 0.01 |

    ### History

    - 75 % of 12 slots kept, 1 late, 1 covered by hand
    - 1 in a row not kept; the longest gap was 2
    - duration: 11 min now, 5 min 30 s usually in 12 runs, rising by 1 min a week
    - lateness: 2 min now, 1 min usually in 3 runs, too few for a trend
    - next slot 2026-08-24 18:00 UTC
    - GitHub disables the schedule in 9 days, unless something happens in the repository
    - Note: there are no environments

    <sub>`o/r`, schedule `0 18 * * 0` (UTC), as of 2026-08-20 18:00 UTC.</sub>
    ");
}

#[test]
fn json_is_the_audit() {
    let told: serde_json::Value = serde_json::from_str(&json(&weekly())).unwrap();
    assert_eq!(told["schema"], "mgmt.audit/1");
    assert_eq!(told["slots"].as_array().unwrap().len(), 6);
    assert_eq!(told["slots"][0]["state"], "on-time");
    assert!(RENDERERS.iter().all(|row| (row.render)(&weekly(), Options::default()).ends_with('\n')));
}

#[test]
fn every_state_has_a_sign_in_the_strip_and_the_worst_stands_for_several() {
    let all: Vec<_> = STATES.iter().enumerate().map(|(week, row)| slot(week as i64 * 168, row.state)).collect();
    let (lines, left) = strip(&all);
    assert_eq!((lines.len(), left, lines[0].signs().chars().count()), (1, 0, 19));
    assert_eq!(legend(&all).len(), 19);
    let hourly: Vec<_> = (0..2016).map(|hour| slot(hour, State::OnTime)).collect();
    let (lines, left) = strip(&hourly);
    assert_eq!((lines.len(), left, lines[1].signs().as_str()), (85, 0, "oooooooooooooooooooooooo"));
    let daily: Vec<_> = (0..28).map(|day| slot(day * 24, State::OnTime)).collect();
    assert_eq!(strip(&daily).0[1].signs(), "ooooooo");
    let mut often: Vec<_> = (0..288 * 120)
        .map(|five| Slot { expected_at: at(0) + SignedDuration::from_mins(five * 5), ..slot(0, State::OnTime) })
        .collect();
    often[34_000].state = State::Missed;
    let (lines, left) = strip(&often);
    assert_eq!((lines.len(), lines[50].states.len(), lines[50].share), (100, 58, 5));
    assert_eq!(left, 72 + 20 * 288);
    assert_eq!(lines.iter().flat_map(|line| &line.states).filter(|state| **state == State::Missed).count(), 1);
    assert_eq!(strip(&[]), (vec![], 0));
}

#[test]
fn text_from_outside_stays_text() {
    let evil = "\u{1b}[31m\u{202e}<script>|@me #1\n# x";
    let mut audit = weekly();
    (audit.workflow, audit.repository) = (evil.into(), evil.into());
    let last = audit.slots.last_mut().unwrap();
    last.detail = Some(evil.into());
    last.url = Some("https://x/)](javascript:alert(1)".into());
    last.failure = Some(Failure { job: evil.into(), step: None, tail: Some(format!("```\n{evil}")) });
    audit.champion[0].metric = evil.into();
    audit.problems[0].message = evil.into();
    audit.problems[0].file = Some(evil.into());
    audit.notes = vec![evil.into()];
    audit.schedule[0].cron = evil.into();
    audit.remedies = vec![remedy(Outcome::Failed, evil)];
    let human = human::render(&audit, Options::default());
    assert!(!human.contains('\u{1b}') && !human.contains('\u{202e}') && !human.contains("\n# x"), "{human}");
    let markdown = markdown::render(&audit);
    let outside: String = markdown.split("````").step_by(2).collect();
    assert!(!outside.contains('\u{202e}') && !outside.contains("javascript"), "{outside}");
    // What stands in code is shown as it is; elsewhere nothing is markup.
    let bare: String = outside.split('`').step_by(2).collect();
    assert!(!bare.contains("<script") && !bare.contains("@me") && !outside.contains("\n# x"), "{bare}");
}

fn remedy(outcome: Outcome, detail: &str) -> Remedy {
    let (slot, run_id) = (Some(at(1848)), Some(17));
    Remedy { action: Action::RerunFailed, at: at(24 * 80), slot, run_id, outcome, detail: detail.to_owned() }
}

#[test]
fn what_was_done_is_told_in_words_for_each_end() {
    use Outcome::{Begun, Failed, Planned, Unverified, Verified, Withheld};
    let mut audit = weekly();
    audit.remedies = [Planned, Withheld, Begun, Verified, Unverified, Failed].map(|end| remedy(end, "why")).to_vec();
    let human = human::render(&audit, Options::default());
    let told: String =
        human.lines().skip_while(|line| *line != "done about it").skip(1).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(told, @r"
      2026-08-20 18:00 UTC  failed      rerun-failed     could not run the failed jobs of run 17 again: why
      2026-08-20 18:00 UTC  unverified  rerun-failed     asked GitHub to run the failed jobs of run 17 again, and why
      2026-08-20 18:00 UTC  verified    rerun-failed     ran the failed jobs of run 17 again: why
      2026-08-20 18:00 UTC  begun       rerun-failed     was about to run the failed jobs of run 17 again; how that ended is not known
      2026-08-20 18:00 UTC  withheld    rerun-failed     did not run the failed jobs of run 17 again: why
      2026-08-20 18:00 UTC  planned     rerun-failed     would run the failed jobs of run 17 again

    FAIL  the slot of 2026-07-06 18:00 UTC is failed; 9 of 12 slots did what is expected
    ");
    let markdown = markdown::render(&audit);
    let told = markdown.split("### What was done about it\n\n").nth(1).unwrap();
    assert_eq!(told.lines().take_while(|line| line.starts_with("- ")).count(), 6, "{told}");
    let json: serde_json::Value = serde_json::from_str(&json(&audit)).unwrap();
    assert_eq!(json["remedies"][3]["outcome"], "verified");
}

#[test]
fn a_receiver_with_little_room_gets_the_verdict_and_how_much_more_there_is() {
    let mut audit = audit((0..2016).map(|hour| slot(hour, State::Missed)).collect());
    audit.slots.iter_mut().for_each(|slot| slot.detail = Some("x".repeat(400)));
    audit.problems = vec![audit.problems[0].clone(); 500];
    for budget in [65_000, 20_000, 8 * 1024] {
        let text = fitted(&audit, budget);
        assert!(text.len() <= budget, "{} of {budget}", text.len());
        assert!(text.starts_with("## ❌") && text.contains("more, all of them in the JSON"), "{text}");
    }
}
