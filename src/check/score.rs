//! One number over all groups, for those who want one: shown with its parts, and never more than one part of a verdict.
//!
//! A group's share is the checks that passed out of all that were planned in it: a check that was skipped, could not
//! start or was stopped did not pass. The score is the mean of the shares by weight, in percent:
//!
//! ```text
//! score = 100 · Σ (weight · passed / total) / Σ weight        over the weighted groups
//! ```
//!
//! A weighted group of which no check was executed has the share 0 and is called missing: what nobody looked at is
//! worth nothing, and whatever the others are worth, the score does not pass without a warning. An excused failure
//! (`allow-failure`, quarantine) takes its share off the number like any other, but cannot turn the score's verdict
//! into a failure: then the score warns.
//!
//! Three limits make four words: from `pass` a score is healthy and passes; from `warn` it is a warning; below that it
//! fails, and is unhealthy from `critical` and critical below. Deliberately absent: a score of a part of the project.
//! Where checks were left out there is none, because the groups that nobody asked for would count as missing.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::outcome::{CheckOutcome, Status};
use crate::decode::tree::Node;
use crate::decode::{Decoder, Key, schema};
use crate::gate::RuleVerdict;
use crate::sys::text;

/// Scores this near are equal: sums of floats must not decide.
const TOLERANCE: f64 = 1e-9;

/// The greatest weight: sums of weights stay exact enough.
const MAX_WEIGHT: f64 = 1e6;

/// `score:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// A score from here passes.
    pub pass: f64,
    /// A score from here, and below `pass`, passes with a warning. Below it a score fails.
    pub warn: f64,
    /// A score from here, and below `warn`, is only unhealthy; below it is critical.
    pub critical: f64,
    /// Groups with their weights, in written order; every group of the project with the weight 1 if not given. Groups
    /// without a weight do not count.
    pub weights: Vec<(String, f64)>,
}

const PASS: f64 = 95.0;
const WARN: f64 = 85.0;
const CRITICAL: f64 = 70.0;

/// The keys of `score:`.
pub const KEYS: &[Key] = &[
    Key::optional("pass", "The least score that passes, above 0 and up to 100 (default 95).", percent_schema),
    Key::optional("warn", "The least score that passes with a warning, 0 to 100 (default 85).", percent_schema),
    Key::optional(
        "critical",
        "The least score that is called unhealthy and not critical, 0 to 100 (default 70); both fail.",
        percent_schema,
    ),
    Key::optional(
        "weights",
        "How much each group counts (default: every group alike); a group that is not named does not count.",
        || json!({ "type": "object", "additionalProperties": { "type": "number", "exclusiveMinimum": 0, "maximum": MAX_WEIGHT }, "minProperties": 1 }),
    ),
];

fn percent_schema() -> Value {
    json!({ "type": "number", "minimum": 0, "maximum": 100 })
}

/// The schema of `score:`.
#[must_use]
pub fn settings_schema() -> Value {
    schema::object(KEYS)
}

/// Decodes `score:`. `groups` are those of the project's checks, each once.
pub fn decode(decoder: &mut Decoder, node: &Node, groups: &[&str]) -> Option<Settings> {
    let fields = decoder.fields(node, "score", &[KEYS])?;
    let mut percent = |key: &str, default| match fields.get(key) {
        None => Some(default),
        Some(node) => percent(decoder, node),
    };
    // Who lowers only `pass` means a score below it to fail; and so on downwards.
    let pass = percent("pass", PASS);
    let warn = percent("warn", pass.map_or(WARN, |pass| WARN.min(pass)));
    let critical = percent("critical", warn.map_or(CRITICAL, |warn| CRITICAL.min(warn)));
    if let (Some(0.0), Some(node)) = (pass, fields.get("pass")) {
        let help = "give it the least score that is good enough".to_owned();
        decoder.error("config.score", &node.place, "a score of 0 would pass although nothing does", Some(help));
    }
    let weights = match fields.get("weights") {
        None => Some(groups.iter().map(|group| ((*group).to_owned(), 1.0)).collect()),
        Some(node) => weights(decoder, node, groups),
    };
    let mut in_order = |(lower, less): (&str, Option<f64>), (upper, more): (&str, Option<f64>), help: &str| {
        if let (Some(less), Some(more)) = (less, more)
            && less > more
        {
            let place = fields.get(lower).map_or(fields.place, |node| &node.place);
            let message = format!("`{lower}` is greater than `{upper}`, which is {}", text::number(more));
            decoder.error("config.score", place, message, Some(help.to_owned()));
        }
    };
    let help = "a score below `pass` warns down to `warn`, and fails below that";
    in_order(("warn", warn), ("pass", pass), help);
    let help = "a score below `warn` fails; down to `critical` it is called unhealthy, and critical below that";
    in_order(("critical", critical), ("warn", warn), help);
    Some(Settings { pass: pass?, warn: warn?, critical: critical?, weights: weights? })
}

fn percent(decoder: &mut Decoder, node: &Node) -> Option<f64> {
    let value = decoder.number(node)?;
    if (0.0..=100.0).contains(&value) {
        return Some(value);
    }
    decoder.error("config.score", &node.place, format!("a score is from 0 to 100, found {}", node.describe()), None);
    None
}

fn weights(decoder: &mut Decoder, node: &Node, groups: &[&str]) -> Option<Vec<(String, f64)>> {
    let pairs = decoder.map(node, "weights")?;
    if pairs.is_empty() {
        let help = "name at least one group, or remove `weights`: then every group counts alike".to_owned();
        decoder.error("config.score", &node.place, "no group has a weight", Some(help));
        return None;
    }
    let mut out = Vec::with_capacity(pairs.len());
    for (group, key, value) in pairs {
        if !groups.contains(&group) {
            let help = match text::closest(group, groups.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if groups.is_empty() => "no check of this project has a group".to_owned(),
                None => format!("groups of the checks: {}", groups.join(", ")),
            };
            decoder.error(
                "config.unknown-group",
                &key.place,
                format!("no check is in the group {}", key.describe()),
                Some(help),
            );
        }
        let Some(weight) = decoder.number(value) else { continue };
        if weight > 0.0 && weight <= MAX_WEIGHT {
            out.push((group.to_owned(), weight));
        } else {
            let help = match weight > 0.0 {
                true => format!("weights go up to {}", text::number(MAX_WEIGHT)),
                false => "remove the group: without a weight it does not count".to_owned(),
            };
            let message = format!("a weight is a number above 0, found {}", value.describe());
            decoder.error("config.score", &value.place, message, Some(help));
        }
    }
    Some(out)
}

/// The score of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// 0 to 100.
    pub value: f64,
    /// A score from here passes.
    pub pass: f64,
    /// A score from here, and below `pass`, passes with a warning. Below it a score fails.
    pub warn: f64,
    /// A score from here, and below `warn`, is only unhealthy; below it is critical.
    #[serde(default = "default_critical")]
    pub critical: f64,
    /// The groups that count, in the order of the settings. Their points add up to the value.
    pub parts: Vec<Part>,
    /// What the value would be if excused failures had passed: they may warn, never fail.
    pub excused_value: f64,
}

/// What records say that do not name it.
fn default_critical() -> f64 {
    CRITICAL
}

/// A group's part of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The group.
    pub group: String,
    /// Its weight.
    pub weight: f64,
    /// Checks that passed.
    pub passed: u64,
    /// Checks that did not, and are excused.
    pub excused: u64,
    /// Checks that were planned.
    pub total: u64,
    /// Whether none of its checks was executed: it has no points for want of evidence.
    pub missing: bool,
    /// What it adds to the value.
    pub points: f64,
    /// What it could add.
    pub full_points: f64,
}

/// How good a score is, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// At least `pass`.
    Healthy,
    /// At least `warn`.
    Warning,
    /// Below that, and at least `critical`.
    Unhealthy,
    /// Below that.
    Critical,
}

impl Health {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Unhealthy => "unhealthy",
            Self::Critical => "critical",
        }
    }
}

/// The score of a run's checks; `None` unless every check of the project was selected (`is_full`).
/// `is_explained` says whether quarantine explains a check's failure.
#[must_use]
pub fn score(
    settings: &Settings,
    checks: &[CheckOutcome],
    is_full: bool,
    is_explained: impl Fn(&CheckOutcome) -> bool,
) -> Option<Score> {
    let sum: f64 = settings.weights.iter().map(|(_, weight)| weight).sum();
    let Settings { pass, warn, critical, .. } = *settings;
    let mut score = Score { value: 0.0, pass, warn, critical, parts: Vec::new(), excused_value: 0.0 };
    for (group, weight) in &settings.weights {
        let own: Vec<_> = checks.iter().filter(|check| check.group == *group).collect();
        let count = |wanted: &dyn Fn(&CheckOutcome) -> bool| own.iter().filter(|check| wanted(check)).count() as u64;
        let passed = count(&|check| check.status == Status::Passed);
        let excused = count(&|check| {
            matches!(check.status, Status::Failed | Status::TimedOut | Status::Error)
                && (check.allow_failure || is_explained(check))
        });
        let missing = count(&is_executed) == 0;
        let total = own.len() as u64;
        let full_points = 100.0 * weight / sum;
        let points = full_points * share(passed, total);
        score.value += points;
        score.excused_value += full_points * share(passed + excused, total);
        score.parts.push(Part {
            group: group.clone(),
            weight: *weight,
            passed,
            excused,
            total,
            missing,
            points,
            full_points,
        });
    }
    is_full.then_some(score)
}

/// Whether it ran far enough to say something about the project.
fn is_executed(check: &CheckOutcome) -> bool {
    matches!(check.status, Status::Passed | Status::Failed | Status::TimedOut)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn share(part: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { part as f64 / total as f64 }
}

impl Score {
    /// How good the value is.
    #[must_use]
    pub fn health(&self) -> Health {
        if self.value >= self.pass - TOLERANCE {
            Health::Healthy
        } else if self.value >= self.warn - TOLERANCE {
            Health::Warning
        } else if self.value >= self.critical - TOLERANCE {
            Health::Unhealthy
        } else {
            Health::Critical
        }
    }

    /// What it says as one part of a run: the worst part decides, so a good score never outweighs anything.
    #[must_use]
    pub fn verdict(&self) -> RuleVerdict {
        match self.health() {
            Health::Healthy if self.parts.iter().all(|part| !part.missing) => RuleVerdict::Pass,
            Health::Healthy | Health::Warning => RuleVerdict::Warn,
            Health::Unhealthy | Health::Critical if self.excused_value >= self.warn - TOLERANCE => RuleVerdict::Warn,
            Health::Unhealthy | Health::Critical => RuleVerdict::Fail,
        }
    }

    /// The same in a sentence fragment with the numbers.
    #[must_use]
    pub fn message(&self) -> String {
        let (bound, relation) = match self.health() {
            Health::Healthy => (self.pass, "at least"),
            Health::Warning => (self.pass, "below"),
            Health::Unhealthy => (self.warn, "below"),
            Health::Critical => (self.critical, "below"),
        };
        let equal = (self.value - bound).abs() <= TOLERANCE;
        let shown = if equal { text::number(bound) } else { text::number_pair(self.value, bound, 1).0 };
        let mut told = format!("{shown} of 100 is {}: {relation} {}", self.health().word(), text::number(bound));
        let missing: Vec<_> = self.parts.iter().filter(|part| part.missing).map(|part| part.group.as_str()).collect();
        if !missing.is_empty() {
            told.push_str(&format!("; no check was executed of {}", text::list(&missing)));
        }
        if self.health() >= Health::Unhealthy && self.verdict() == RuleVerdict::Warn {
            told.push_str("; only for failures that are excused");
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use Status::{Error, Failed, Interrupted, Passed, Skipped, TimedOut};
    use proptest::prelude::*;

    use super::*;
    use crate::check::outcome::{Output, Skip};
    use crate::decode::tree;

    fn check(group: &str, status: Status) -> CheckOutcome {
        CheckOutcome {
            id: "c".into(),
            group: group.into(),
            status,
            skip: (status == Status::Skipped).then_some(Skip::MissingTool),
            reason: None,
            allow_failure: false,
            quarantined: false,
            duration_ms: 0,
            command: None,
            exit_code: None,
            output: Output::default(),
            fix: None,
        }
    }

    fn settings(weights: &[(&str, f64)]) -> Settings {
        let weights = weights.iter().map(|(group, weight)| ((*group).to_owned(), *weight)).collect();
        Settings { pass: PASS, warn: WARN, critical: CRITICAL, weights }
    }

    fn of(weights: &[(&str, f64)], checks: &[CheckOutcome]) -> Score {
        score(&settings(weights), checks, true, |_| false).unwrap()
    }

    #[test]
    fn groups_count_by_weight_and_parts_add_up() {
        let checks = [check("lint", Passed), check("lint", Failed), check("test", Passed), check("docs", Failed)];
        let score = of(&[("lint", 1.0), ("test", 3.0)], &checks);
        assert_eq!(score.value, 87.5);
        assert_eq!(score.parts.iter().map(|part| part.points).collect::<Vec<_>>(), [12.5, 75.0]);
        assert_eq!(score.verdict(), RuleVerdict::Warn);
        assert_eq!(score.message(), "87.5 of 100 is warning: below 95");
        assert_eq!(of(&[("test", 0.3)], &checks).message(), "100 of 100 is healthy: at least 95");
        assert_eq!(of(&[("lint", 1.0)], &checks).message(), "50 of 100 is critical: below 70");
    }

    #[test]
    fn four_words_stand_for_what_a_score_is_worth() {
        let told = |passed: usize| {
            let checks: Vec<_> = (0..20).map(|at| check("g", if at < passed { Passed } else { Failed })).collect();
            let score = of(&[("g", 1.0)], &checks);
            (score.verdict(), score.message())
        };
        let says = |verdict, message: &str| (verdict, message.to_owned());
        assert_eq!(told(19), says(RuleVerdict::Pass, "95 of 100 is healthy: at least 95"));
        assert_eq!(told(18), says(RuleVerdict::Warn, "90 of 100 is warning: below 95"));
        assert_eq!(told(17), says(RuleVerdict::Warn, "85 of 100 is warning: below 95"));
        assert_eq!(told(16), says(RuleVerdict::Fail, "80 of 100 is unhealthy: below 85"));
        assert_eq!(told(14), says(RuleVerdict::Fail, "70 of 100 is unhealthy: below 85"));
        assert_eq!(told(13), says(RuleVerdict::Fail, "65 of 100 is critical: below 70"));
    }

    #[test]
    fn what_nobody_looked_at_is_worth_nothing_and_says_so() {
        let checks = [check("lint", Passed), check("test", Skipped), check("test", Error)];
        let score = of(&[("lint", 1.0), ("test", 1.0), ("model", 2.0)], &checks);
        assert_eq!(score.value, 25.0);
        assert_eq!(score.verdict(), RuleVerdict::Fail);
        assert_eq!(score.message(), "25 of 100 is critical: below 70; no check was executed of test and model");
        for status in [Skipped, Error, Interrupted, TimedOut, Failed] {
            assert_eq!(of(&[("g", 1.0)], &[check("g", status)]).verdict(), RuleVerdict::Fail, "{status:?}");
        }
        let lenient = Settings { pass: 50.0, warn: 40.0, critical: 30.0, ..settings(&[("lint", 3.0), ("model", 1.0)]) };
        let most = super::score(&lenient, &checks, true, |_| false).unwrap();
        assert_eq!((most.health(), most.verdict()), (Health::Healthy, RuleVerdict::Warn), "{}", most.message());
        let half = of(&[("g", 1.0)], &[check("g", Passed), check("g", Skipped)]);
        assert_eq!((half.value, half.parts[0].missing), (50.0, false));
    }

    #[test]
    fn excused_failures_lower_the_number_and_can_only_warn() {
        let excused = CheckOutcome { allow_failure: true, ..check("g", Failed) };
        let score = of(&[("g", 1.0)], &[check("g", Passed), excused.clone()]);
        assert_eq!((score.value, score.health(), score.verdict()), (50.0, Health::Critical, RuleVerdict::Warn));
        assert_eq!(score.message(), "50 of 100 is critical: below 70; only for failures that are excused");
        let both = of(&[("g", 1.0)], &[check("g", Failed), excused]);
        assert_eq!(both.verdict(), RuleVerdict::Fail);
        let failed = [check("g", Failed)];
        let explained = super::score(&settings(&[("g", 1.0)]), &failed, true, |_| true).unwrap();
        assert_eq!(explained.verdict(), RuleVerdict::Warn);
        let skipped = CheckOutcome { allow_failure: true, ..check("g", Skipped) };
        assert_eq!(of(&[("g", 1.0)], &[skipped]).verdict(), RuleVerdict::Fail, "nothing is excused that did not run");
    }

    #[test]
    fn a_part_of_the_project_has_no_score() {
        assert_eq!(score(&settings(&[("g", 1.0)]), &[check("g", Passed)], false, |_| false), None);
    }

    #[test]
    fn sums_of_floats_do_not_decide() {
        let weights: Vec<_> = (0..10).map(|at| (format!("g{at}"), 0.1)).collect();
        let checks: Vec<_> = weights.iter().map(|(group, _)| check(group, Passed)).collect();
        let all = Settings { pass: 100.0, warn: 100.0, critical: 100.0, weights };
        let score = score(&all, &checks, true, |_| false).unwrap();
        assert_eq!(score.verdict(), RuleVerdict::Pass);
        assert_eq!(score.message(), "100 of 100 is healthy: at least 100");
    }

    fn decoded(text: &str) -> Result<Settings, Vec<String>> {
        let node = tree::parse(text).unwrap().unwrap();
        let mut decoder = Decoder::default();
        let settings = decode(&mut decoder, &node, &["lint", "test"]);
        let problems = decoder.finish();
        let told = problems.iter().map(|problem| {
            let help = problem.help.as_deref().unwrap_or("-");
            format!("{}:{} {}: {} | {help}", problem.place.line, problem.place.column, problem.code, problem.message)
        });
        if problems.is_empty() { Ok(settings.unwrap()) } else { Err(told.collect()) }
    }

    #[test]
    fn settings_have_defaults_and_mistakes_are_told() {
        let all = vec![("lint".to_owned(), 1.0), ("test".to_owned(), 1.0)];
        assert_eq!(decoded("{}").unwrap(), Settings { pass: 95.0, warn: 85.0, critical: 70.0, weights: all.clone() });
        assert_eq!(
            decoded("{ pass: 75 }").unwrap(),
            Settings { pass: 75.0, warn: 75.0, critical: 70.0, weights: all.clone() }
        );
        assert_eq!(decoded("{ warn: 60 }").unwrap(), Settings { pass: 95.0, warn: 60.0, critical: 60.0, weights: all });
        assert_eq!(decoded("{ critical: 0 }").unwrap().critical, 0.0);
        assert_eq!(decoded("{ weights: { test: 2.5 } }").unwrap().weights, [("test".to_owned(), 2.5)]);
        let told: Vec<_> = [
            "{ pass: 101 }",
            "{ pass: 0 }",
            "{ pass: 80, warn: 90 }",
            "{ warn: 96 }",
            "{ critical: 90 }",
            "{ pass: 60, warn: 50, critical: 55 }",
            "{ critical: -1 }",
            "{ weights: {} }",
            "{ weights: { lnt: 1 } }",
            "{ weights: { zebra: 1 } }",
            "{ weights: { lint: 0, test: -1 } }",
            "{ weights: { lint: 1e300 } }",
            "{ weights: { lint: heavy } }",
            "{ weight: { lint: 1 } }",
        ]
        .into_iter()
        .flat_map(|text| decoded(text).unwrap_err())
        .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        1:9 config.score: a score is from 0 to 100, found `101` | -
        1:9 config.score: a score of 0 would pass although nothing does | give it the least score that is good enough
        1:19 config.score: `warn` is greater than `pass`, which is 80 | a score below `pass` warns down to `warn`, and fails below that
        1:9 config.score: `warn` is greater than `pass`, which is 95 | a score below `pass` warns down to `warn`, and fails below that
        1:13 config.score: `critical` is greater than `warn`, which is 85 | a score below `warn` fails; down to `critical` it is called unhealthy, and critical below that
        1:33 config.score: `critical` is greater than `warn`, which is 50 | a score below `warn` fails; down to `critical` it is called unhealthy, and critical below that
        1:13 config.score: a score is from 0 to 100, found `-1` | -
        1:12 config.score: no group has a weight | name at least one group, or remove `weights`: then every group counts alike
        1:14 config.unknown-group: no check is in the group `lnt` | did you mean `lint`?
        1:14 config.unknown-group: no check is in the group `zebra` | groups of the checks: lint, test
        1:20 config.score: a weight is a number above 0, found `0` | remove the group: without a weight it does not count
        1:29 config.score: a weight is a number above 0, found `-1` | remove the group: without a weight it does not count
        1:20 config.score: a weight is a number above 0, found `1e300` | weights go up to 1000000
        1:20 config.type: expected a number, found `heavy` | -
        1:3 config.unknown-key: unknown key `weight` in score | did you mean `weights`?
        ");
    }

    fn some_checks() -> impl Strategy<Value = Vec<CheckOutcome>> {
        let status = prop::sample::select(vec![Passed, Failed, TimedOut, Error, Skipped, Interrupted]);
        let one = ("[a-c]", status, prop::bool::ANY)
            .prop_map(|(group, status, allow_failure)| CheckOutcome { allow_failure, ..check(&group, status) });
        prop::collection::vec(one, 0..10)
    }

    proptest! {
        #[test]
        fn the_score_is_bounded_adds_up_and_grows_with_each_check_that_passes(
            checks in some_checks(), weights in prop::collection::vec(0.001_f64..1e6, 3), at in 0_usize..10,
        ) {
            let weights: Vec<_> = ["a", "b", "c"].into_iter().zip(weights).collect();
            let before = of(&weights, &checks);
            prop_assert!((0.0..=100.0 + TOLERANCE).contains(&before.value));
            prop_assert!(before.excused_value >= before.value - TOLERANCE);
            let points: f64 = before.parts.iter().map(|part| part.points).sum();
            prop_assert!((points - before.value).abs() < TOLERANCE);
            let mut better = checks.clone();
            if let Some(check) = better.get_mut(at) {
                check.status = Passed;
                let after = of(&weights, &better);
                prop_assert!(after.value >= before.value - TOLERANCE);
                let rank = |verdict| match verdict { RuleVerdict::Pass => 0, RuleVerdict::Warn => 1, _ => 2 };
                prop_assert!(rank(after.verdict()) <= rank(before.verdict()));
            }
            let nothing_passed = checks.iter().all(|check| check.status != Passed && !check.allow_failure);
            prop_assert!(!nothing_passed || before.verdict() == RuleVerdict::Fail);
        }
    }
}
