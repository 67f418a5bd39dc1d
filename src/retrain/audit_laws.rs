//! What holds in every world.

use proptest::prelude::*;

use super::*;
use crate::retrain::slot::Class;

/// From best to worst; what is not judged yet may become anything.
fn rank(class: Class) -> u8 {
    match class {
        Class::Kept => 0,
        Class::Late => 1,
        Class::Open => 2,
        Class::Unknown => 3,
        Class::Faded | Class::Bad => 4,
    }
}

/// Everything that tells less of a world.
const LESS: &[fn(&mut Facts)] = &[
    |facts| newest(facts).status = None,
    |facts| newest(facts).conclusion = None,
    |facts| newest(facts).branch = None,
    |facts| newest(facts).event = None,
    |facts| newest(facts).created = None,
    |facts| newest(facts).updated = None,
    |facts| newest(facts).sha = None,
    |facts| facts.repository.default_branch = None,
    |facts| facts.runs = Listing::Absent,
    |facts| facts.artifacts = Listing::Absent,
    |facts| facts.artifacts.items_mut()[0].run = None,
    |facts| facts.artifacts.items_mut()[0].digest = None,
    |facts| drop(facts.models.remove(&100)),
    |facts| drop(facts.models.insert(100, Model::Unknown("gone".into()))),
    |facts| facts.deployments = Listing::Absent,
    |facts| facts.deployments.items_mut()[0].created = None,
    |facts| facts.deployments.items_mut()[0].statuses = Listing::Absent,
    |facts| facts.deployments.items_mut()[0].statuses.items_mut()[0].created = None,
];

/// Everything that makes one worse.
const WORSE: &[fn(&mut Facts)] = &[
    |facts| newest(facts).conclusion = Some("failure".into()),
    |facts| newest(facts).branch = Some("dev".into()),
    |facts| newest(facts).created = Some(after(0, 700)),
    |facts| newest(facts).created = Some(after(0, 900)),
    |facts| facts.artifacts.items_mut()[0].expires = Some(after(0, 100)),
    |facts| facts.artifacts.items_mut()[0].digest = Some("sha256:0".into()),
    |facts| with_metrics(facts, Metrics::Absent),
    |facts| with_metrics(facts, Metrics::Read([("f1".to_owned(), 0.1)].into())),
    |facts| facts.deployments.items_mut()[0].statuses.items_mut()[0].state = Some("failure".into()),
];

fn class(facts: Facts) -> Class {
    audit(&settings(), facts, &sources()).audit.slots.last().unwrap().state.class()
}

#[test]
fn with_anything_missing_the_newest_slot_is_never_on_time() {
    for (at, less) in LESS.iter().enumerate() {
        let mut facts = facts();
        less(&mut facts);
        let audit = audit(&settings(), facts, &sources()).audit;
        let state = audit.slots.last().unwrap().state;
        assert!(rank(state.class()) >= 3 && audit.verdict != V::Pass, "{at}: {state:?}");
    }
}

#[test]
fn with_anything_missing_a_fault_stays_a_fault_or_is_not_known() {
    for (worse, spoil) in WORSE.iter().enumerate() {
        for (less, hide) in LESS.iter().enumerate() {
            let mut facts = facts();
            spoil(&mut facts);
            let before = class(facts.clone());
            hide(&mut facts);
            let after = class(facts);
            assert!(rank(after) >= rank(before).min(3), "{worse} and {less}: {before:?}, then {after:?}");
        }
    }
}

#[test]
fn nothing_that_gets_worse_makes_a_slot_better() {
    for first in WORSE {
        for second in WORSE {
            let mut facts = facts();
            first(&mut facts);
            let before = class(facts.clone());
            second(&mut facts);
            // A second time for the run takes the place of the first.
            if before != Class::Bad || class(facts.clone()) != Class::Late {
                assert!(rank(class(facts)) >= rank(before));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_time_goes_by_nothing_good_turns_bad_and_nothing_judged_comes_open(
        times in proptest::collection::vec(-200..3000_i64, 2..6), which in 0..CHANGES.len(),
    ) {
        let mut times = times;
        times.sort_unstable();
        let (.., change) = CHANGES[which];
        let mut before: Vec<Slot> = Vec::new();
        for minutes in times {
            let mut facts = facts();
            change(&mut facts);
            facts.as_of = after(0, minutes);
            let slots = audit(&settings(), facts, &sources()).audit.slots;
            for old in &before {
                let Some(new) = slots.iter().find(|slot| slot.expected_at == old.expected_at) else { continue };
                let (was, is) = (old.state.class(), new.state.class());
                let context = format!("{} at {minutes}: {:?}, then {:?}", CHANGES[which].0, old.state, new.state);
                // Judged as a run only it may look better than as a model.
                if matches!(was, Class::Kept | Class::Late) && old.depth >= new.depth {
                    prop_assert!(matches!(is, Class::Kept | Class::Late | Class::Faded), "{context}");
                }
                if was == Class::Bad {
                    prop_assert_ne!(is, Class::Open, "{}", context);
                }
                if old.state == S::Missed {
                    prop_assert_eq!(new.state, S::Missed, "{}", context);
                }
            }
            before = slots;
        }
    }

    #[test]
    fn the_same_facts_in_another_order_are_the_same_audit(turn in 0..4_usize, which in 0..CHANGES.len()) {
        let (.., change) = CHANGES[which];
        let mut facts = facts();
        change(&mut facts);
        let one = audit(&settings(), facts.clone(), &sources()).audit;
        for list in [&mut facts.runs, &mut facts.deploying] {
            let items = list.items_mut();
            items.rotate_left(turn.min(items.len()));
        }
        facts.artifacts.items_mut().reverse();
        facts.deployments.items_mut().reverse();
        prop_assert_eq!(one, audit(&settings(), facts, &sources()).audit);
    }
}
