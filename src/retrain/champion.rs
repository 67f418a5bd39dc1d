//! A new model against the one before it, for each metric that the policy names.
//!
//! A limit on the value itself (`min`, `max`) is held against the value, as every rule is. The comparison with the
//! champion asks whether the new model is worse by more than is allowed, and says so only where the numbers do:
//!
//! - one number each: the difference decides;
//! - a share with the size of its test set: the 95 % interval of the difference (Newcombe) must lie on one side of what
//!   is allowed, else nobody can say;
//! - one number for each seed: an exact rank test must set the new model apart from what is allowed, in either
//!   direction at 5 %, else nobody can say. Three seeds on each side are the fewest that can.
//!
//! A relative allowance is of the champion's absolute value, so that it has the same sense for losses below 0; at 0 it
//! allows nothing. What is NaN, infinite or missing never holds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::settings::{Challenge, Drop, Size};
use crate::evidence::metric::Better;
use crate::gate::proportion::Proportion;
use crate::gate::{RuleVerdict, rank, statistics};
use crate::sys::text;

/// Values this near are equal: sums of floats must not decide.
const TOLERANCE: f64 = 1e-9;
/// The probability of an error that a rank test may make.
const ALPHA: f64 = 0.05;

/// The values of a file by their names.
pub type Values = BTreeMap<String, f64>;

/// A champion that an earlier audit found, kept while a worse model is in its place: its artifact may be gone by now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reign {
    /// The run that left it.
    pub run: u64,
    /// When that run was asked for.
    pub since: Timestamp,
    /// Its values, those that anything is asked of.
    pub values: Values,
}

/// Values that are kept at most: they travel in an issue's hidden line.
const KEPT: usize = 200;

impl Reign {
    /// Of all values those that the challenges are about; `None` where these are too many to be kept.
    #[must_use]
    pub fn of(run: u64, since: Timestamp, values: &Values, challenges: &[Challenge]) -> Option<Self> {
        let is_of = |name: &str, own: &str| {
            let seed = |rest: &str| rest.strip_prefix('.').is_some_and(|seed| seed.parse::<usize>().is_ok());
            name.strip_prefix(own).is_some_and(|rest| rest.is_empty() || seed(rest))
        };
        let is_asked = |name: &str| {
            challenges.iter().any(|one| {
                is_of(name, &one.metric) || matches!(&one.size, Some(Size::Metric(size)) if is_of(name, size))
            })
        };
        let kept = values.iter().filter(|(name, value)| value.is_finite() && is_asked(name));
        let values: Values = kept.map(|(name, value)| (name.clone(), *value)).collect();
        (values.len() <= KEPT).then_some(Self { run, since, values })
    }
}

/// What a new model is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Champion<'a> {
    /// There is none: this is the first model.
    None,
    /// There is one, and its values could not be read.
    Unknown(String),
    /// The model of this run.
    Of {
        /// The run.
        run: u64,
        /// Its values.
        values: &'a Values,
    },
}

/// What one metric says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Its name.
    pub metric: String,
    /// What is asked of it: `min 0.6, max-drop 0.01`.
    pub limit: String,
    /// The new model's value; for several seeds their median.
    pub value: Option<f64>,
    /// The champion's value.
    pub champion: Option<f64>,
    /// The run that the champion is of.
    pub champion_run: Option<u64>,
    /// What that means.
    pub verdict: RuleVerdict,
    /// The same in a sentence fragment.
    pub message: String,
}

/// The numbers of one metric.
#[derive(Clone, Debug, PartialEq)]
struct Numbers {
    value: f64,
    seeds: Vec<f64>,
}

impl Numbers {
    /// The number of that name, or the list.
    fn of(values: &Values, metric: &str) -> Option<Self> {
        if let Some(value) = values.get(metric) {
            return Some(Self { value: *value, seeds: Vec::new() });
        }
        let within = format!("{metric}.");
        let parts =
            values.range(within.clone()..).map_while(|(name, value)| Some((name.strip_prefix(&within)?, *value)));
        // Other names may begin alike: `f1.macro` is no seed of `f1`.
        let parts: Vec<_> = parts.filter(|(part, _)| part.starts_with(|ch: char| ch.is_ascii_digit())).collect();
        let seeds: Vec<_> = (0..).map_while(|seed| values.get(&format!("{within}{seed}")).copied()).collect();
        // A median passes over what is not finite, and would hide it; so would the end of the list what comes after a
        // seed that is no number.
        let is_whole = seeds.len() == parts.len() && seeds.iter().all(|seed| seed.is_finite());
        let value = statistics::median(seeds.iter().copied()).filter(|_| is_whole);
        (!parts.is_empty()).then(|| Self { value: value.unwrap_or(f64::NAN), seeds })
    }
}

/// The value of a metric: its number, or the median of its list; NaN where one of them is no finite number.
#[must_use]
pub fn value(values: &Values, metric: &str) -> Option<f64> {
    Numbers::of(values, metric).map(|numbers| numbers.value)
}

/// Compares each metric.
#[must_use]
pub fn compare(challenges: &[Challenge], values: &Values, champion: &Champion<'_>) -> Vec<Comparison> {
    challenges.iter().map(|challenge| one(challenge, values, champion)).collect()
}

fn one(challenge: &Challenge, values: &Values, champion: &Champion<'_>) -> Comparison {
    let numbers = Numbers::of(values, &challenge.metric);
    let (before, run) = match champion {
        Champion::Of { run, values } => (Numbers::of(values, &challenge.metric).map(|n| (n, *values)), Some(*run)),
        Champion::None | Champion::Unknown(_) => (None, None),
    };
    let said = |verdict, message: String| (verdict, message);
    let (verdict, message) = match &numbers {
        None => said(RuleVerdict::Inconclusive, "the metrics file does not have it".to_owned()),
        Some(new) if !new.value.is_finite() => {
            said(RuleVerdict::Inconclusive, format!("its value is {}", text::number(new.value)))
        }
        Some(new) => {
            let own = bounds(challenge, new.value);
            let against = challenge.drop.map(|drop| match (champion, &before) {
                (Champion::None, _) => {
                    said(RuleVerdict::Warn, "the first model: there is none to compare it with".to_owned())
                }
                (Champion::Unknown(why), _) => {
                    said(RuleVerdict::Inconclusive, format!("the champion's value is not known: {why}"))
                }
                (Champion::Of { .. }, None) => {
                    said(RuleVerdict::Inconclusive, "the champion's metrics file does not have it".to_owned())
                }
                (Champion::Of { .. }, Some((old, _))) if !old.value.is_finite() => {
                    said(RuleVerdict::Inconclusive, format!("the champion's value is {}", text::number(old.value)))
                }
                (Champion::Of { .. }, Some((old, theirs))) => against(challenge, drop, (new, values), (old, theirs)),
            });
            // A limit that does not hold says more than the comparison; the comparison more than one that does.
            let (failed, held) = match own {
                Some((RuleVerdict::Fail, _)) => (own, None),
                _ => (None, own),
            };
            let worst = held.into_iter().chain(against).chain(failed).max_by_key(|(verdict, _)| rank_of(*verdict));
            worst.unwrap_or_else(|| (RuleVerdict::Inconclusive, "nothing is asked of it".to_owned()))
        }
    };
    let finite = |value: f64| value.is_finite().then_some(value);
    Comparison {
        metric: challenge.metric.clone(),
        limit: limit(challenge),
        value: numbers.and_then(|numbers| finite(numbers.value)),
        champion: before.and_then(|(numbers, _)| finite(numbers.value)),
        champion_run: run,
        verdict,
        message,
    }
}

/// From best to worst.
pub(super) fn rank_of(verdict: RuleVerdict) -> u8 {
    match verdict {
        RuleVerdict::NotAsked | RuleVerdict::NotApplicable => 0,
        RuleVerdict::Pass => 1,
        RuleVerdict::Warn => 2,
        RuleVerdict::Inconclusive => 3,
        RuleVerdict::Fail => 4,
    }
}

/// What the limits on the value itself say.
fn bounds(challenge: &Challenge, value: f64) -> Option<(RuleVerdict, String)> {
    let say = |bound: f64, word: &str| {
        let (value, bound) = text::number_pair(value, bound, 4);
        format!("{value} is {word} {bound}")
    };
    match (challenge.min, challenge.max) {
        (Some(min), _) if value < min - TOLERANCE => Some((RuleVerdict::Fail, say(min, "below the least value,"))),
        (_, Some(max)) if value > max + TOLERANCE => Some((RuleVerdict::Fail, say(max, "above the greatest value,"))),
        (None, None) => None,
        _ => Some((RuleVerdict::Pass, "within its limits".to_owned())),
    }
}

/// What the comparison says.
fn against(
    challenge: &Challenge,
    drop: Drop,
    new: (&Numbers, &Values),
    old: (&Numbers, &Values),
) -> (RuleVerdict, String) {
    let allowed = match drop {
        Drop::By(by) => by,
        Drop::Percent(share) => share / 100.0 * old.0.value.abs(),
    };
    // From here on, more is better.
    let sign = if challenge.better == Better::Higher { 1.0 } else { -1.0 };
    let gain = sign * (new.0.value - old.0.value);
    let (value, before) = text::number_pair(new.0.value, old.0.value, 4);
    let beside = format!("{value}, and the champion has {before}");
    if !new.0.seeds.is_empty() || !old.0.seeds.is_empty() {
        return by_seeds(&new.0.seeds, &old.0.seeds, sign, allowed, &beside);
    }
    let Some(size) = &challenge.size else {
        return match gain < -allowed - TOLERANCE {
            true => (RuleVerdict::Fail, format!("{beside}: worse by more than {drop}")),
            false => (RuleVerdict::Pass, beside),
        };
    };
    let share = |numbers: &Numbers, values: &Values| Proportion::new(numbers.value, samples(size, values)?);
    let (Some(new), Some(old)) = (share(new.0, new.1), share(old.0, old.1)) else {
        let why = "no share from 0 to 1 of a known number of samples";
        return (RuleVerdict::Inconclusive, format!("{beside}: {why}"));
    };
    let (least, most) = if sign > 0.0 { new.difference(old) } else { old.difference(new) };
    let between = format!("the difference is from {} to {}", text::number(round(least)), text::number(round(most)));
    if most < -allowed - TOLERANCE {
        (RuleVerdict::Fail, format!("{beside}: worse by more than {drop}, as {between}"))
    } else if least >= -allowed - TOLERANCE {
        (RuleVerdict::Pass, format!("{beside}: {between}"))
    } else {
        (
            RuleVerdict::Inconclusive,
            format!("{beside}: too few samples to say whether it is worse by more than {drop}, as {between}"),
        )
    }
}

fn samples(size: &Size, values: &Values) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "no test set has 2^53 samples")]
    match size {
        Size::Fixed(count) => Some(*count as f64),
        Size::Metric(name) => values.get(name).copied(),
    }
}

/// Four decimals are enough for a reader, and the same on every machine.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn by_seeds(new: &[f64], old: &[f64], sign: f64, allowed: f64, beside: &str) -> (RuleVerdict, String) {
    let toward = |values: &[f64], by: f64| values.iter().map(|value| sign * value + by).collect::<Vec<_>>();
    let (raised, old) = (toward(new, allowed), toward(old, 0.0));
    let seeds = format!("{} against {}", text::plural(raised.len() as u64, "seed", "seeds"), old.len());
    match (rank::p_above(&raised, &old), rank::p_above(&old, &raised)) {
        (_, Some(worse)) if worse <= ALPHA => {
            (RuleVerdict::Fail, format!("{beside}: worse by more than is allowed ({seeds}, p = {})", round(worse)))
        }
        (Some(holds), _) if holds <= ALPHA => {
            (RuleVerdict::Pass, format!("{beside} (medians of {seeds}, p = {})", round(holds)))
        }
        (Some(_), Some(_)) => (RuleVerdict::Inconclusive, format!("{beside}: {seeds} do not tell whether it is worse")),
        _ => {
            let why = format!("a rank test needs finite numbers on both sides, at most {} in all", rank::MOST);
            (RuleVerdict::Inconclusive, format!("{beside}: {seeds} cannot be compared: {why}"))
        }
    }
}

fn limit(challenge: &Challenge) -> String {
    let number = |word: &str, value: Option<f64>| value.map(|value| format!("{word} {}", text::number(value)));
    let drop = challenge.drop.map(|drop| format!("max-drop {drop}"));
    [number("min", challenge.min), number("max", challenge.max), drop]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
#[path = "champion_tests.rs"]
mod tests;
