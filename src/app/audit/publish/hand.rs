//! Doing one action: looked at once more right before, and looked for afterwards.
//!
//! Deliberately absent: whether it is called for ([`crate::retrain::plan`]), and writing down that it was done.

use super::Subject;
use crate::app::audit::ask;
use crate::app::remote::listing;
use crate::github::{Client, Dispatched, Error, Run, RunFilter, Slug, WorkflowState};
use crate::retrain::facts::Listing;
use crate::retrain::plan::{self, Seen};
use crate::retrain::remedy::{Action, Outcome};
use crate::retrain::{Audit, Remedy, Settings};
use crate::sys::text;

/// Runs that are looked at, the newest.
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
        match self.looked(one) {
            Ok(_) => one.clone(),
            Err(why) => one.ended(Outcome::Withheld, why),
        }
    }

    /// Does it, if the moment is still the one it was planned for.
    pub(super) fn act(&self, one: &Remedy) -> Done {
        match (self.looked(one), one.action) {
            (Err(why), _) => one.ended(Outcome::Withheld, why).into(),
            (Ok(Some(run)), Action::RerunFailed) => self.rerun(one, &run),
            (Ok(None), Action::RerunFailed) => one.ended(Outcome::Withheld, "there is no run").into(),
            (Ok(_), Action::DispatchMissed) => self.dispatch(one),
            (Ok(_), Action::EnableDisabled) => self.enable(one),
        }
    }

    /// Looks whether the moment is still the one it was planned for, and returns the run it is about.
    fn looked(&self, one: &Remedy) -> Result<Option<Run>, String> {
        let (seen, run) = self.look(one).map_err(|error| match error.http_status() {
            // Nothing that differs from one time to the next, such as the number of a request.
            Some(status) => format!("GitHub answers {status} to the look before it"),
            None => "GitHub does not answer the look before it".to_owned(),
        })?;
        plan::holds(one, &seen).map(|()| run)
    }

    fn look(&self, one: &Remedy) -> Result<(Seen, Option<Run>), Error> {
        let workflow = self.client.workflow(&self.slug, &self.settings.workflow)?;
        let state = workflow.state.map(|state| state.word().to_owned());
        if one.action == Action::EnableDisabled {
            return Ok((Seen { state, run: None, runs: Listing::whole(Vec::new()) }, None));
        }
        let run = match (one.action, one.run_id) {
            (Action::RerunFailed, Some(run)) => Some(self.client.run(&self.slug, run)?),
            _ => None,
        };
        let runs = listing(self.client.runs(&self.slug, &self.newest(None), RUNS), ask::run);
        Ok((Seen { state, run: run.clone().map(ask::run), runs }, run))
    }

    /// The newest runs of the workflow.
    fn newest(&self, event: Option<&str>) -> RunFilter {
        let workflow = Some(self.settings.workflow.clone());
        RunFilter { workflow, event: event.map(str::to_owned), ..RunFilter::default() }
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
            Some(branch) => branch.clone(),
            None => match self.client.repository(&self.slug) {
                Ok(repository) => repository.default_branch,
                Err(error) => return ended(one, Outcome::Failed, &error),
            },
        };
        let nothing = Default::default();
        let inputs = self.settings.remediate.as_ref().and_then(|remedies| remedies.dispatch_missed.as_ref());
        let inputs = inputs.unwrap_or(&nothing);
        let id = match self.client.dispatch(&self.slug, &self.settings.workflow, &on, inputs) {
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
                let runs = self.client.runs(&self.slug, &self.newest(Some("workflow_dispatch")), 1)?.items;
                Ok(runs.into_iter().find(|run| run.created_at.is_some_and(|at| Some(at) >= one.slot)))
            }
        });
        let one =
            Remedy { run_id: found.as_ref().ok().and_then(Option::as_ref).map(|run| run.id).or(id), ..one.clone() };
        let otherwise = id.map_or("no run of it shows".to_owned(), |id| format!("its run {id} does not show"));
        seen(&one, found, &otherwise, |run| format!("run {} is {}", run.id, word(run)))
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

/// A look afterwards that came to nothing.
fn unseen(one: &Remedy, error: &Error) -> Done {
    let mut done = ended(one, Outcome::Unverified, error);
    done.remedy.detail = format!("the look afterwards failed: {}", done.remedy.detail);
    done
}

/// GitHub did not take it; or nobody knows.
fn failed(one: &Remedy, error: &Error) -> Done {
    match error.is_unclear() {
        true => {
            let mut done = ended(one, Outcome::Unverified, error);
            done.remedy.detail = format!("no good answer came: {}", done.remedy.detail);
            done
        }
        false => ended(one, Outcome::Failed, error),
    }
}

fn ended(one: &Remedy, outcome: Outcome, error: &Error) -> Done {
    let detail = text::shorten(&text::one_line(&error.cause.to_string()), 300);
    // GitHub also refuses what cannot be done with these words.
    let is_refusal = ["already running", "cannot be retried"].iter().any(|words| detail.contains(words));
    Done { hint: error.hint().filter(|_| !is_refusal), ..one.ended(outcome, detail).into() }
}
