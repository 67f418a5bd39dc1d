//! The words in which the answer is given.

use serde::{Deserialize, Serialize};

/// What one rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleVerdict {
    /// Not asked: no selected check can yield its metric.
    NotAsked,
    /// There is nothing it could be about: no changed line that can run, a file that the baseline does not have.
    NotApplicable,
    /// Holds.
    Pass,
    /// Holds, or is excused, and somebody should look.
    Warn,
    /// Cannot be judged.
    Inconclusive,
    /// Does not hold.
    Fail,
}

impl RuleVerdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotAsked => "not asked",
            Self::NotApplicable => "not applicable",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }
}

/// What a whole run says, from best to worst: the worst part decides.
///
/// A warning is a pass that says more; it has no verdict of its own (the report counts warnings).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Good enough by the policy.
    Pass,
    /// Evidence is missing or doubtful: nobody can say.
    Inconclusive,
    /// Not good enough.
    Fail,
    /// Stopped by a signal before it was done.
    Interrupted,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: &'static [Self] = &[Self::Pass, Self::Inconclusive, Self::Fail, Self::Interrupted];

    /// The word for it, as in file names.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code that says the same: the only source of a run's exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Inconclusive => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<RuleVerdict> for Verdict {
    fn from(rule: RuleVerdict) -> Self {
        match rule {
            RuleVerdict::NotAsked | RuleVerdict::NotApplicable | RuleVerdict::Pass | RuleVerdict::Warn => Self::Pass,
            RuleVerdict::Inconclusive => Self::Inconclusive,
            RuleVerdict::Fail => Self::Fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pass_exits_with_0_and_order_is_precedence() {
        assert_eq!(Verdict::ALL.iter().map(|verdict| verdict.exit_code()).collect::<Vec<_>>(), [0, 4, 1, 130]);
        assert!(Verdict::ALL.is_sorted());
    }
}
