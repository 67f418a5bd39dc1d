//! What one thing says that was looked at, and how the doubts about it become that.

use crate::gate::{RuleVerdict, Verdict};

/// What one thing says that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// What was looked at: `workflow ci.yml`, `stage staging`, `evidence`.
    pub subject: String,
    /// What is wanted of it.
    pub wanted: String,
    /// What was found, in a word or two.
    pub found: String,
    /// What that means.
    pub verdict: RuleVerdict,
    /// The same in a sentence fragment.
    pub message: String,
    /// What to do next.
    pub next: Option<String>,
    /// Where people look at it.
    pub source: Option<String>,
    /// Whether waiting may change it.
    pub goes_on: bool,
}

/// What is held against one thing: the worst decides, and of equals the first that was said.
pub(super) struct Doubts(Vec<Doubt>);

/// One thing that is held against it.
pub(super) struct Doubt {
    pub(super) verdict: RuleVerdict,
    pub(super) found: String,
    pub(super) message: String,
    pub(super) next: Option<String>,
    pub(super) goes_on: bool,
}

impl Doubts {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Nobody can say.
    pub(super) fn open(&mut self, found: impl Into<String>, message: impl Into<String>, next: impl Into<String>) {
        self.add(RuleVerdict::Inconclusive, found, message, next);
    }

    /// It will be known later.
    pub(super) fn running(&mut self, found: impl Into<String>, message: impl Into<String>, next: impl Into<String>) {
        self.open(found, message, next);
        self.0.iter_mut().rev().take(1).for_each(|doubt| doubt.goes_on = true);
    }

    pub(super) fn add(
        &mut self,
        verdict: RuleVerdict,
        found: impl Into<String>,
        message: impl Into<String>,
        next: impl Into<String>,
    ) {
        let (found, message, next) = (found.into(), message.into(), Some(next.into()));
        self.0.push(Doubt { verdict, found, message, next, goes_on: false });
    }

    /// The reason: what the doubts say, or that it holds.
    pub(super) fn reason(
        self,
        subject: String,
        wanted: String,
        source: Option<String>,
        holds: impl FnOnce() -> (String, String),
    ) -> Reason {
        let rank = |doubt: &Doubt| Verdict::from(doubt.verdict);
        let goes_on = self.0.iter().any(|doubt| doubt.goes_on);
        let worst = self.0.into_iter().reduce(|worst, next| if rank(&next) > rank(&worst) { next } else { worst });
        match worst {
            Some(Doubt { verdict, found, message, next, .. }) => {
                Reason { subject, wanted, found, verdict, message, next, source, goes_on }
            }
            None => {
                let (found, message) = holds();
                let verdict = RuleVerdict::Pass;
                Reason { subject, wanted, found, verdict, message, next: None, source, goes_on }
            }
        }
    }
}
