//! The notices about an incident and about what was done: what they say, and who hears them.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use super::memory::Kept;
use super::{Published, Subject, failure};
use crate::gate::{RuleVerdict, Verdict};
use crate::notify::{self, Deliveries, Delivery, Field, Hooks, Level, Notice, Receiver, State};
use crate::report::audit::{headline, sentence};
use crate::retrain::incident::{Severity, Step, severity};
use crate::retrain::remedy::Outcome;
use crate::retrain::{Audit, Remedy, plan};
use crate::sys::{clock, text};

/// Problems that a notice names, and actions.
const PROBLEMS: usize = 8;
const REMEDIES: usize = 3;

/// Tells those who are to hear of a step, and returns what all have been told by now.
pub(super) fn tell(
    subject: &Subject<'_>,
    audit: &Audit,
    step: &Step,
    kept: &Kept,
    is_new: bool,
    link: Option<String>,
    published: &mut Published,
) -> (Deliveries, BTreeSet<String>) {
    let is_over = !kept.incident.is_open();
    let state = match step {
        Step::Open(_) => State::Opened,
        Step::Stay(_) => State::Ongoing,
        Step::Recover(_) => State::Recovered,
        // Somebody's message still says that it is not.
        Step::Rest if is_over && !kept.unheard.is_empty() => State::Recovered,
        Step::Rest | Step::Stale | Step::Wait => return (kept.deliveries.clone(), kept.unheard.clone()),
    };
    let notice = notice(audit, kept, state, link);
    // Who has heard it is not told the same again; who could not be told before is.
    let is_to_hear = |receiver: &&Receiver| {
        let has_heard =
            matches!(kept.deliveries.of(&receiver.name), Some(Delivery::Told { .. } | Delivery::Gone { .. }));
        match step {
            Step::Rest => kept.unheard.contains(&receiver.name),
            Step::Recover(_) => true,
            _ => is_new || !has_heard || kept.unheard.contains(&receiver.name),
        }
    };
    let receivers: Vec<_> = subject.config.notify.iter().filter(is_to_hear).cloned().collect();
    let (deliveries, failed) = deliver(subject, &receivers, &notice, &kept.deliveries, published);
    let is_told = |name: &String| matches!(deliveries.of(name), Some(Delivery::Told { .. }));
    let unheard = failed.into_iter().filter(is_told).collect();
    (deliveries, unheard)
}

/// Tells those who are to hear of it that something was done.
pub(super) fn done(
    subject: &Subject<'_>,
    audit: &Audit,
    kept: &Kept,
    remedy: &Remedy,
    link: Option<String>,
    published: &mut Published,
) {
    let name = name(audit);
    let mut lines = vec![format!("{}.", text::capitalised(&sentence(remedy)))];
    let budget = subject.config.retrain.as_ref().and_then(|retrain| retrain.remediate.as_ref()).map(|one| one.budget);
    lines.extend(budget.map(|budget| {
        let left = plan::left(&kept.remedies, budget, audit.as_of);
        let (all, within) = (text::plural(budget.actions, "action", "actions"), text::duration_setting(budget.within));
        format!("{left} of {all} within {within} are left.")
    }));
    let mut fields = vec![field("Repository", audit.repository.clone()), field("Workflow", audit.workflow.clone())];
    fields.extend(remedy.slot.map(|slot| field("Slot", clock::minute(slot))));
    fields.push(field("Incident", kept.incident.id.clone()));
    let notice = Notice {
        level: Level::Audit,
        incident: format!("{}-{}-{}", kept.incident.id, remedy.action.word(), clock::stamp(remedy.at)),
        state: State::Opened,
        title: match remedy.outcome {
            Outcome::Failed => format!("{name}: could not {}", remedy.told()),
            Outcome::Unverified => format!("{name}: asked GitHub to {}", remedy.told()),
            _ => format!("{name}: {}", remedy.did()),
        },
        body: lines.join("\n"),
        fields,
        link,
        time: audit.as_of,
    };
    deliver(subject, &subject.config.notify, &notice, &Deliveries::default(), published);
}

fn deliver(
    subject: &Subject<'_>,
    receivers: &[Receiver],
    notice: &Notice,
    before: &Deliveries,
    published: &mut Published,
) -> (Deliveries, Vec<String>) {
    let say = Rc::clone(&subject.tell);
    let hooks = Hooks {
        env: subject.context.env.clone(),
        sleep: Box::new(|time: Duration| std::thread::sleep(time)),
        tell: Box::new(move |line| say(line)),
    };
    let round = notify::deliver(receivers, notice, before, &hooks);
    for (receiver, why) in round.failures() {
        let message = format!("{receiver} was not told: {}", text::one_line(&why.message));
        published.failures.push(failure(message, why.hint.clone()));
    }
    for receipt in &round.receipts {
        if matches!(receipt.end, notify::End::Posted { .. } | notify::End::Edited) {
            published.done.push(format!("{}: told", receipt.receiver));
        }
    }
    let failed = round.failures().map(|(receiver, _)| receiver.to_owned()).collect();
    (round.deliveries, failed)
}

/// The notice.
fn notice(audit: &Audit, kept: &Kept, state: State, link: Option<String>) -> Notice {
    let level = match severity(audit) {
        Some(Severity::Critical) => Level::Critical,
        Some(Severity::Error) => Level::Error,
        Some(Severity::Warning) => Level::Warning,
        // Those who heard of the incident hear of its end at any level; nobody else has to be woken.
        None => Level::Audit,
    };
    let name = name(audit);
    let title = match (state, audit.verdict) {
        (State::Recovered, _) => format!("the retraining {name} does what is expected again"),
        (_, Verdict::Inconclusive | Verdict::Interrupted) => {
            format!("nobody can say whether the retraining {name} did what is expected")
        }
        _ => format!("the retraining {name} did not do what is expected"),
    };
    let mut lines = vec![format!("{}.", text::capitalised(&headline(audit)))];
    lines.extend(audit.problems.iter().take(PROBLEMS).map(|problem| {
        let word = match problem.level {
            RuleVerdict::Fail => "Fails",
            RuleVerdict::Inconclusive => "Not known",
            _ => "Warns",
        };
        format!("{word}: {}", problem.message)
    }));
    let left = audit.problems.len().saturating_sub(PROBLEMS);
    if left > 0 {
        lines.push(format!("… and {left} more, all of them in the report."));
    }
    let acts = audit.remedies.iter().rev().take(REMEDIES);
    lines.extend(acts.map(|one| format!("{}.", text::capitalised(&sentence(one)))));
    let left = audit.remedies.len().saturating_sub(REMEDIES);
    if left > 0 {
        let left = text::plural(left as u64, "earlier action", "earlier actions");
        lines.push(format!("… and {left}, all of them in the report."));
    }
    let mut fields = vec![
        field("Repository", audit.repository.clone()),
        field("Workflow", audit.workflow.clone()),
        field("Since", clock::minute(kept.incident.opened_at)),
    ];
    fields.extend(audit.next.first().map(|next| field("Next slot", clock::minute(*next))));
    Notice {
        level,
        incident: kept.incident.id.clone(),
        state,
        title: text::capitalised(&title),
        body: lines.join("\n"),
        fields,
        link,
        time: audit.as_of,
    }
}

fn name(audit: &Audit) -> String {
    text::shorten(&text::one_line(&audit.workflow), 100)
}

fn field(name: &str, value: String) -> Field {
    Field { name: name.to_owned(), value }
}
