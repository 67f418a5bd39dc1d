//! The answer: the worst of what is known of workflows, of the stage before, of evidence and of its rules.

use super::facts::Facts;
use super::reason::Reason;
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
