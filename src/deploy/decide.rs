//! The answer: the worst of what is known of workflows, of the stage before, of evidence and of its rules.

use super::facts::Facts;
use super::settings::Stage;
use super::{before, shards, workflow};
use crate::gate::{RuleResult, RuleVerdict, Verdict};

/// The answer with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The answer.
    pub verdict: Verdict,
    /// One for each thing that was looked at, in the order in which it is asked.
    pub reasons: Vec<Reason>,
}

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

impl Decision {
    /// What is still going on, if waiting for it can change the answer: where something has failed it cannot.
    #[must_use]
    pub fn waits_for(&self) -> Vec<&str> {
        if self.reasons.iter().any(|reason| reason.verdict == RuleVerdict::Fail) {
            return Vec::new();
        }
        self.reasons.iter().filter(|reason| reason.goes_on).map(|reason| reason.message.as_str()).collect()
    }

    /// The reasons as a report shows rules.
    #[must_use]
    pub fn rules(&self, stage: &Stage) -> Vec<RuleResult> {
        let row = |reason: &Reason| RuleResult {
            gate: gate_name(stage),
            metric: reason.subject.clone(),
            scope: None,
            limit: reason.wanted.clone(),
            value: None,
            shown: Some(reason.found.clone()),
            base: None,
            source: reason.source.clone(),
            verdict: reason.verdict,
            message: reason.message.clone(),
            advice: reason.next.clone().filter(|_| reason.verdict != RuleVerdict::Pass),
        };
        self.reasons.iter().map(row).collect()
    }
}

/// What a stage is called where reports name a gate.
#[must_use]
pub fn gate_name(stage: &Stage) -> String {
    format!("stage {}", stage.name)
}

/// Decides. `rules` are those of the stage's gate over the evidence, none if it has no gate.
#[must_use]
pub fn decide(stage: &Stage, facts: &Facts, rules: &[RuleResult]) -> Decision {
    let mut reasons: Vec<_> = stage.workflows.iter().map(|file| workflow::reason(stage, facts, file)).collect();
    if let Some(after) = &stage.after {
        reasons.push(before::reason(after, facts));
    }
    if stage.reads_evidence() {
        reasons.push(shards::reason(stage, facts));
    }
    if let Some(gate) = stage.gate()
        && rules.is_empty()
    {
        reasons.push(Reason {
            subject: "rules".to_owned(),
            wanted: format!("those of gate {gate}"),
            found: "none judged".to_owned(),
            verdict: RuleVerdict::Inconclusive,
            message: format!("no rule of the gate {gate} was judged"),
            next: Some("give the gate a rule, or write `gate: false`".to_owned()),
            source: None,
            goes_on: false,
        });
    }
    let verdicts = reasons.iter().map(|reason| reason.verdict).chain(rules.iter().map(|rule| rule.verdict));
    // A stage that asks nothing has no reasons, and lets nothing through.
    let nothing = reasons.is_empty().then_some(Verdict::Inconclusive);
    let verdict = verdicts.map(Verdict::from).chain(nothing).max().unwrap_or(Verdict::Inconclusive);
    Decision { verdict, reasons }
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
