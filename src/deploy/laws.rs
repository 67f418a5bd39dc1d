//! What holds in every world: a pass has its reasons, and nothing that gets worse makes the answer better.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::decide;
use super::facts::{Before, Content, Evidence, Facts, Listing, Origin, Run, Workflow};
use super::tests::{OTHER, SHA, at, facts, rule, run, runs, spoil, stage, truncate};
use crate::gate::{RuleVerdict, Verdict};

/// Everything that makes a world worse, or tells less of it.
fn worse(facts: &mut Facts, which: usize, at_entry: usize) {
    let nth = |len: usize| at_entry % len.max(1);
    let runs_of = |facts: &mut Facts, change: fn(&mut Run)| {
        if let Some(Workflow { runs: Listing::Known { items, .. }, .. }) = facts.workflows.first_mut() {
            let at = nth(items.len());
            items.get_mut(at).into_iter().for_each(change);
        }
    };
    match which {
        0 => runs_of(facts, |run| run.conclusion = Some("failure".into())),
        1 => runs_of(facts, |run| {
            if run.conclusion.as_deref() == Some("success") {
                run.conclusion = Some("cancelled".into());
            }
        }),
        2 => runs_of(facts, |run| run.head_sha = None),
        3 => runs_of(facts, |run| run.event = None),
        4 => runs_of(facts, |run| run.attempt = None),
        5 => runs_of(facts, |run| {
            if run.origin == Origin::Own {
                run.origin = Origin::Unknown;
            }
        }),
        6 => facts.workflows.first_mut().into_iter().for_each(|workflow| truncate(&mut workflow.runs)),
        7 => facts.workflows.first_mut().into_iter().for_each(|workflow| spoil(&mut workflow.runs)),
        8 => {
            if let Some(before) = &mut facts.before {
                truncate(&mut before.deployments);
            }
        }
        9 => {
            if let Some(before) = &mut facts.before {
                spoil(&mut before.statuses);
            }
        }
        10 => facts.evidence.first_mut().into_iter().for_each(|evidence| truncate(&mut evidence.artifacts)),
        11 => {
            if let Some(Evidence { artifacts: Listing::Known { items, .. }, .. }) = facts.evidence.first_mut() {
                let at = nth(items.len());
                items.get_mut(at).into_iter().for_each(|artifact| artifact.content = Content::Expired);
            }
        }
        12 => facts.evidence.clear(),
        13 => facts.now = facts.now.checked_add(SignedDuration::from_hours(200)).unwrap(),
        14 => runs_of(facts, |run| {
            if run.conclusion.as_deref() == Some("success") {
                run.status = Some("in_progress".into());
            }
        }),
        _ => {
            if let Some(Before { statuses: Listing::Known { items, .. }, .. }) = &mut facts.before {
                let newest =
                    items.iter_mut().max_by_key(|status| (status.created.is_none(), status.created, status.id));
                newest.into_iter().for_each(|status| status.state = Some("inactive".into()));
            }
        }
    }
}

fn maybe<T: Clone + std::fmt::Debug + 'static>(words: &'static [T]) -> impl Strategy<Value = Option<T>> {
    proptest::option::weighted(0.9, proptest::sample::select(words))
}

fn a_run() -> impl Strategy<Value = Run> {
    let words = |words: &'static [&'static str]| maybe(words).prop_map(|word| word.map(str::to_owned));
    let times = maybe(&[-2_i64, 0, 1, 3, 30]).prop_map(|hours| hours.and_then(at));
    let origin = proptest::sample::select(&[Origin::Own, Origin::Own, Origin::Own, Origin::Fork, Origin::Unknown][..]);
    (
        1..40_u64,
        maybe(&[1_u32, 2, 3]),
        words(&["push", "push", "schedule", "pull_request", "new"]),
        words(&["completed", "completed", "completed", "in_progress", "new"]),
        words(&["success", "success", "success", "failure", "cancelled", "new"]),
        words(&[SHA, SHA, SHA, SHA, OTHER]),
        origin,
        times,
    )
        .prop_map(|(id, attempt, event, status, conclusion, head_sha, origin, started)| Run {
            id,
            attempt,
            event,
            status,
            conclusion,
            head_sha,
            origin,
            started,
            ..run()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pass_has_a_whole_fresh_success_and_nothing_under_way(
        given in proptest::collection::vec(a_run(), 0..4), truncated: bool, unreadable in 0..2_usize,
    ) {
        let mut facts = facts();
        facts.workflows[0].runs = Listing::Known { items: given.clone(), truncated, unreadable };
        let decision = decide(&stage(), &facts, &[rule(RuleVerdict::Pass)]);
        if decision.verdict == Verdict::Pass {
            prop_assert!(!truncated && unreadable == 0);
            let counts = |run: &&Run| run.origin != Origin::Fork && matches!(run.event.as_deref(), Some("push" | "schedule"));
            let counting: Vec<_> = given.iter().filter(counts).collect();
            prop_assert!(counting.iter().all(|run| run.started.is_some() && run.status.as_deref() == Some("completed")));
            let last = counting.iter().max_by_key(|run| (run.started, run.id)).unwrap();
            prop_assert_eq!(last.conclusion.as_deref(), Some("success"));
            prop_assert_eq!(last.head_sha.as_deref(), Some(SHA));
            prop_assert!(last.origin == Origin::Own && last.attempt.is_some() && last.event.is_some());
            prop_assert!(last.started > at(24) && last.started <= at(0));
        }
    }

    #[test]
    fn nothing_that_gets_worse_makes_the_answer_better(
        given in proptest::collection::vec(a_run(), 1..4),
        steps in proptest::collection::vec((0..16_usize, 0..4_usize), 1..4),
    ) {
        let mut facts = facts();
        *runs(&mut facts) = given;
        // Time that goes by makes the future the present, which is no worsening.
        runs(&mut facts).iter_mut().for_each(|run| run.started = run.started.min(at(0)));
        let rules = [rule(RuleVerdict::Pass)];
        let mut verdict = decide(&stage(), &facts, &rules).verdict;
        for (which, entry) in steps {
            worse(&mut facts, which, entry);
            let now = decide(&stage(), &facts, &rules).verdict;
            prop_assert!(now >= verdict, "step {}: {:?} after {:?}", which, now, verdict);
            verdict = now;
        }
    }

    #[test]
    fn a_world_with_one_thing_missing_never_passes(which in 0..16_usize, entry in 1..3_usize) {
        let mut facts = facts();
        worse(&mut facts, which, entry);
        prop_assert_ne!(decide(&stage(), &facts, &[rule(RuleVerdict::Pass)]).verdict, Verdict::Pass);
    }
}
