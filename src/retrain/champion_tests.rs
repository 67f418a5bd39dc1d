//! Signs, zero, what is no number, and what nobody can say.

use proptest::prelude::*;

use super::*;

fn challenge() -> Challenge {
    Challenge {
        metric: "f1".into(),
        min: None,
        max: None,
        drop: Some(Drop::By(0.01)),
        better: Better::Higher,
        size: None,
    }
}

fn values(pairs: &[(&str, f64)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

fn verdict(challenge: &Challenge, new: &[(&str, f64)], old: &[(&str, f64)]) -> RuleVerdict {
    let old = values(old);
    compare(std::slice::from_ref(challenge), &values(new), &Champion::Of { run: 1, values: &old })[0].verdict
}

use RuleVerdict::{Fail, Inconclusive, Pass, Warn};

#[test]
fn signs_and_zero_do_not_turn_the_comparison_around() {
    for (drop, better, new, old, wanted) in [
        (Drop::By(0.01), Better::Higher, 0.60, 0.61, Pass),
        (Drop::By(0.01), Better::Higher, 0.5999, 0.61, Fail),
        (Drop::By(0.01), Better::Higher, 0.9, 0.61, Pass),
        (Drop::By(0.01), Better::Lower, 0.62, 0.61, Pass),
        (Drop::By(0.01), Better::Lower, 0.63, 0.61, Fail),
        (Drop::Percent(10.0), Better::Higher, -0.9, -0.5, Fail),
        (Drop::Percent(10.0), Better::Higher, -0.54, -0.5, Pass),
        (Drop::Percent(10.0), Better::Higher, -0.3, -0.5, Pass),
        (Drop::Percent(10.0), Better::Lower, -0.3, -0.5, Fail),
        (Drop::Percent(10.0), Better::Lower, -0.9, -0.5, Pass),
        (Drop::Percent(10.0), Better::Higher, -0.001, 0.0, Fail),
        (Drop::Percent(10.0), Better::Higher, 0.0, 0.0, Pass),
        (Drop::Percent(10.0), Better::Higher, 0.001, 0.0, Pass),
        (Drop::By(0.0), Better::Higher, 0.1 + 0.2, 0.3, Pass),
        (Drop::By(0.0), Better::Higher, 0.3, 0.1 + 0.2, Pass),
        (Drop::By(0.01), Better::Higher, f64::NAN, 0.6, Inconclusive),
        (Drop::By(0.01), Better::Higher, 0.6, f64::NAN, Inconclusive),
        (Drop::By(0.01), Better::Higher, f64::INFINITY, 0.6, Inconclusive),
        (Drop::By(0.01), Better::Higher, 0.6, f64::NEG_INFINITY, Inconclusive),
    ] {
        let challenge = Challenge { drop: Some(drop), better, ..challenge() };
        assert_eq!(verdict(&challenge, &[("f1", new)], &[("f1", old)]), wanted, "{drop:?} {better:?} {new} {old}");
    }
}

#[test]
fn a_limit_on_the_value_holds_beside_the_comparison() {
    let limits = Challenge { min: Some(0.6), max: Some(0.99), ..challenge() };
    for (new, old, wanted) in [(0.59, 0.2, Fail), (0.6, 0.2, Pass), (0.995, 0.2, Fail), (0.7, 0.8, Fail)] {
        assert_eq!(verdict(&limits, &[("f1", new)], &[("f1", old)]), wanted, "{new} {old}");
    }
}

#[test]
fn without_a_champion_it_is_the_first_model_and_never_a_win() {
    let new = values(&[("f1", 0.7)]);
    let only = |champion| compare(&[challenge()], &new, &champion).remove(0);
    let first = only(Champion::None);
    assert_eq!((first.verdict, first.message.contains("first model")), (Warn, true));
    assert_eq!(only(Champion::Unknown("its artifact has expired".into())).verdict, Inconclusive);
    assert_eq!(verdict(&challenge(), &[("f1", 0.7)], &[("loss", 0.7)]), Inconclusive);
    assert_eq!(verdict(&challenge(), &[("loss", 0.7)], &[("f1", 0.7)]), Inconclusive);
    let below = Challenge { min: Some(0.8), ..challenge() };
    assert_eq!(compare(&[below], &new, &Champion::None)[0].verdict, Fail, "a limit needs no champion");
}

#[test]
fn a_share_of_few_samples_does_not_win() {
    let sized = |size| Challenge { size: Some(size), ..challenge() };
    let by = |count| sized(Size::Fixed(count));
    assert_eq!(verdict(&by(100), &[("f1", 0.80)], &[("f1", 0.80)]), Inconclusive);
    assert_eq!(verdict(&by(100_000), &[("f1", 0.80)], &[("f1", 0.80)]), Pass);
    assert_eq!(verdict(&by(100_000), &[("f1", 0.75)], &[("f1", 0.80)]), Fail);
    assert_eq!(verdict(&by(100), &[("f1", 0.75)], &[("f1", 0.80)]), Inconclusive);
    assert_eq!(verdict(&by(100), &[("f1", 0.2)], &[("f1", 0.80)]), Fail);
    let lower = Challenge { better: Better::Lower, ..by(100_000) };
    assert_eq!(verdict(&lower, &[("f1", 0.05)], &[("f1", 0.10)]), Pass);
    assert_eq!(verdict(&lower, &[("f1", 0.10)], &[("f1", 0.05)]), Fail);
    let named = sized(Size::Metric("n".into()));
    let (new, old) = ([("f1", 0.8), ("n", 1e6)], [("f1", 0.8), ("n", 1e6)]);
    assert_eq!(verdict(&named, &new, &old), Pass);
    assert_eq!(verdict(&named, &new, &[("f1", 0.8)]), Inconclusive, "a size that is not there");
    assert_eq!(verdict(&named, &new, &[("f1", 0.8), ("n", f64::NAN)]), Inconclusive);
    assert_eq!(verdict(&by(100), &[("f1", 1.2)], &[("f1", 0.8)]), Inconclusive, "no share");
}

#[test]
fn several_seeds_are_ranked() {
    let seeds = |from: f64| -> Vec<(String, f64)> {
        (0..5).map(|seed| (format!("f1.{seed}"), from + f64::from(seed) / 1000.0)).collect()
    };
    let of = |new: f64, old: f64| {
        let (new, old) = (seeds(new), seeds(old));
        let pairs = |all: &[(String, f64)]| all.iter().cloned().collect::<Values>();
        let old = pairs(&old);
        compare(&[challenge()], &pairs(&new), &Champion::Of { run: 1, values: &old }).remove(0)
    };
    assert_eq!(of(0.80, 0.80).verdict, Pass, "all of them above what is allowed");
    assert_eq!(of(0.78, 0.80).verdict, Fail);
    assert_eq!(of(0.79, 0.80).verdict, Inconclusive, "right at what is allowed");
    assert_eq!(of(0.80, 0.80).value, Some(0.802));
    let few = verdict(&challenge(), &[("f1.0", 0.9), ("f1.1", 0.9)], &[("f1.0", 0.5), ("f1.1", 0.5)]);
    assert_eq!(few, Inconclusive, "two seeds can tell nothing at 5 %");
    assert_eq!(verdict(&challenge(), &[("f1", 0.9)], &[("f1.0", 0.5), ("f1.1", 0.5)]), Inconclusive);
    let hidden = [("f1.0", 0.9), ("f1.1", f64::NAN), ("f1.2", 0.9)];
    assert_eq!(verdict(&challenge(), &hidden, &[("f1", 0.5)]), Inconclusive);
}

proptest! {
    #[test]
    fn a_better_value_never_makes_it_worse(
        new in -2.0_f64..2.0, more in 0.0_f64..1.0, old in -2.0_f64..2.0, by in 0.0_f64..0.5,
        percent: bool, lower: bool, size in proptest::option::of(1..5000_u64),
    ) {
        let better = if lower { Better::Lower } else { Better::Higher };
        let drop = Some(if percent { Drop::Percent(by * 100.0) } else { Drop::By(by) });
        let sized = size.filter(|_| (0.0..=1.0).contains(&new) && (0.0..=1.0).contains(&old));
        let challenge = Challenge { drop, better, size: sized.map(Size::Fixed), ..challenge() };
        let step = if lower { -more } else { more };
        let improved = if sized.is_some() { (new + step).clamp(0.0, 1.0) } else { new + step };
        let before = verdict(&challenge, &[("f1", new)], &[("f1", old)]);
        let after = verdict(&challenge, &[("f1", improved)], &[("f1", old)]);
        prop_assert!(rank_of(after) <= rank_of(before), "{new} {improved} {old}: {before:?} {after:?}");
    }
}
