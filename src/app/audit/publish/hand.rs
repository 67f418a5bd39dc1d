//! Doing one action: looked at once more right before, and looked for afterwards.
//!
//! Deliberately absent: whether it is called for ([`crate::retrain::plan`]), and writing down that it was done.

use super::Subject;
use crate::app::audit::ask;
use crate::app::remote::listing;
use crate::github::{Client, Dispatched, Error, Run, RunFilter, Slug, WorkflowState};
use crate::retrain::plan::{self, Seen};
use crate::retrain::remedy::{Action, Outcome};
use crate::retrain::{Audit, Remedy, Settings};
use crate::sys::text;

/// Runs since a slot that are looked at: more than that, and nobody knows which of them matters.
const RUNS: usize = 100;

/// Who acts.
pub(super) struct Hand<'a> {
    client: &'a Client,
    /// The repository of the training.
    slug: Slug,
    settings: &'a Settings,
}

/// What came of it.
pub(super) struct Done {
    pub(super) remedy: Remedy,
    /// A page that shows it.
    pub(super) link: Option<String>,
    /// The next step, where it did not go well.
    pub(super) hint: Option<String>,
}

impl From<Remedy> for Done {
    fn from(remedy: Remedy) -> Self {
        Self { remedy, link: None, hint: None }
    }
}

impl<'a> Hand<'a> {
    /// One for the audited repository, if its policy says what may be done.
    pub(super) fn of(subject: &Subject<'a>, audit: &Audit) -> Option<Self> {
        let settings = subject.config.retrain.as_ref()?;
        Some(Self { client: subject.client, slug: audit.repository.parse().ok()?, settings })
    }

    /// The action as it is planned, or withheld because the moment is not the one it was planned for.
    pub(super) fn check(&self, one: &Remedy) -> Remedy {
        match self.look(one).map(|(seen, _)| plan::holds(one, &seen)) {
            Ok(Ok(())) => one.clone(),
            Ok(Err(why)) => one.ended(Outcome::Withheld, why),
            Err(error) => one.ended(Outcome::Withheld, brief(&error)),
        }
    }

    /// Does it, if the moment is still the one it was planned for.
    pub(super) fn act(&self, one: &Remedy) -> Done {
        let (seen, run) = match self.look(one) {
            Ok(looked) => looked,
            Err(error) => return one.ended(Outcome::Withheld, brief(&error)).into(),
        };
        match (plan::holds(one, &seen), one.action, run) {
            (Err(why), ..) => one.ended(Outcome::Withheld, why).into(),
            (Ok(()), Action::RerunFailed, Some(run)) => self.rerun(one, &run),
            (Ok(()), Action::RerunFailed, None) => one.ended(Outcome::Withheld, "there is no run").into(),
            (Ok(()), Action::DispatchMissed, _) => self.dispatch(one),
            (Ok(()), Action::EnableDisabled, _) => self.enable(one),
        }
    }

    fn look(&self, one: &Remedy) -> Result<(Seen, Option<Run>), Error> {
        let workflow = self.client.workflow(&self.slug, &self.settings.workflow)?;
        let state = workflow.state.map(|state| state.word().to_owned());
        let run = match (one.action, one.run_id) {
            (Action::RerunFailed, Some(run)) => Some(self.client.run(&self.slug, run)?),
            _ => None,
        };
        let since = listing(self.client.runs(&self.slug, &self.since(one, None), RUNS), ask::run);
        Ok((Seen { state, run: run.clone().map(ask::run), since }, run))
    }

    /// Runs of the workflow since the slot.
    fn since(&self, one: &Remedy, event: Option<&str>) -> RunFilter {
        RunFilter {
            workflow: Some(self.settings.workflow.clone()),
            event: event.map(str::to_owned),
            created: one.slot.map(|slot| format!(">={slot}")),
            ..RunFilter::default()
        }
    }

    fn rerun(&self, one: &Remedy, run: &Run) -> Done {
        let after = match self.client.rerun_failed_jobs(&self.slug, run) {
            Ok(_) => {
                self.client.seen("the new attempt does not show yet", || self.client.attempt_after(&self.slug, run))
            }
            Err(error) => return failed(one, &error),
        };
        let told = |now: &Run| format!("attempt {} is {}", now.attempt(), word(now));
        seen(one, after, "no new attempt of the run shows", told)
    }

    fn dispatch(&self, one: &Remedy) -> Done {
        let on = match &self.settings.expect.branch {
            Some(branch) => Ok(branch.clone()),
            None => self.client.repository(&self.slug).map(|repository| repository.default_branch),
        };
        let nothing = Default::default();
        let inputs = self.settings.remediate.as_ref().and_then(|remedies| remedies.dispatch_missed.as_ref());
        let inputs = inputs.unwrap_or(&nothing);
        let sent = on.and_then(|on| self.client.dispatch(&self.slug, &self.settings.workflow, &on, inputs));
        let id = match sent {
            Ok(Dispatched::Taken(id)) => id,
            Ok(Dispatched::Seen(id)) => Some(id),
            Err(error) => return failed(one, &error),
        };
        let found = self.client.seen("the run does not show yet", || match id {
            Some(id) => match self.client.run(&self.slug, id) {
                Err(error) if error.is_missing() => Ok(None),
                other => other.map(Some),
            },
            // No other one has begun since the slot: that was looked at right before.
            None => {
                let filter = self.since(one, Some("workflow_dispatch"));
                Ok(self.client.runs(&self.slug, &filter, RUNS)?.items.into_iter().max_by_key(|run| run.id))
            }
        });
        let one =
            Remedy { run_id: found.as_ref().ok().and_then(Option::as_ref).map(|run| run.id).or(id), ..one.clone() };
        seen(&one, found, "no run of it shows", |run| format!("run {} is {}", run.id, word(run)))
    }

    fn enable(&self, one: &Remedy) -> Done {
        if let Err(error) = self.client.enable_workflow(&self.slug, &self.settings.workflow) {
            return failed(one, &error);
        }
        let found = self.client.seen("the workflow does not show as enabled yet", || {
            let workflow = self.client.workflow(&self.slug, &self.settings.workflow)?;
            Ok(Some(workflow).filter(|workflow| workflow.state == Some(WorkflowState::Active)))
        });
        match found {
            Ok(Some(workflow)) => {
                Done { link: workflow.html_url, ..one.ended(Outcome::Verified, "GitHub shows it as active").into() }
            }
            Ok(None) => one.ended(Outcome::Unverified, "GitHub does not show it as active").into(),
            Err(error) => unseen(one, &error),
        }
    }
}

fn word(run: &Run) -> &str {
    run.status.as_ref().map_or("there", |status| status.word())
}

/// What a look afterwards found.
fn seen(one: &Remedy, found: Result<Option<Run>, Error>, otherwise: &str, told: impl Fn(&Run) -> String) -> Done {
    match found {
        Ok(Some(run)) => Done { link: run.html_url.clone(), ..one.ended(Outcome::Verified, told(&run)).into() },
        Ok(None) => one.ended(Outcome::Unverified, otherwise).into(),
        Err(error) => unseen(one, &error),
    }
}

fn unseen(one: &Remedy, error: &Error) -> Done {
    let remedy = one.ended(Outcome::Unverified, brief(error));
    Done { hint: error.hint(), ..remedy.into() }
}

fn failed(one: &Remedy, error: &Error) -> Done {
    let remedy = one.ended(Outcome::Failed, brief(error));
    Done { hint: error.hint(), ..remedy.into() }
}

/// An error as part of a row that is kept.
fn brief(error: &Error) -> String {
    text::shorten(&text::one_line(&error.to_string()), 300)
}
