//! Workflow files as GitHub knows them: their state, and starting them.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::client::Client;
use super::error::Error;
use super::list::{List, Query};
use super::runs::{Run, RunFilter, encode};
use super::words::{Slug, WorkflowState};

/// Pages of workflows that are read: no repository has a thousand of them.
const PAGES: usize = 10;
/// How often something is looked for that may take a moment to show, and how long between two looks.
const LOOKS: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(2);

/// A workflow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Workflow {
    /// Its number in all of GitHub.
    pub id: u64,
    /// What it calls itself.
    #[serde(default)]
    pub name: Option<String>,
    /// Its file, from the root of the repository.
    #[serde(default)]
    pub path: Option<String>,
    /// Whether its triggers are heard.
    #[serde(default)]
    pub state: Option<WorkflowState>,
    /// When it was added.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When something about it changed last, its state for one.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Where people look at it.
    #[serde(default)]
    pub html_url: Option<String>,
}

/// What is known of the run that a dispatch began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatched {
    /// GitHub has taken it, and names the run if it knows it already.
    Taken(Option<u64>),
    /// No answer came, but a run began that was not there before: this one.
    Seen(u64),
}

impl Client {
    /// A workflow by the name of its file or by its number.
    ///
    /// # Errors
    /// No such workflow, which [`Error::is_missing`], and whatever else keeps an answer away.
    pub fn workflow(&self, repository: &Slug, workflow: &str) -> Result<Workflow, Error> {
        let path = format!("{}/actions/workflows/{}", repository.path(), encode(workflow));
        self.get_json(&format!("look at the workflow {workflow}"), &path)
    }

    /// All workflows, those that are disabled or gone among them.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn workflows(&self, repository: &Slug) -> Result<List<Workflow>, Error> {
        self.list(&Query {
            what: "list the workflows",
            path: &format!("{}/actions/workflows", repository.path()),
            field: Some("workflows"),
            pages: PAGES,
            last: &|_: &Workflow| false,
        })
    }

    /// Lets a workflow's triggers be heard again, once: after an answer that was lost it is looked up.
    ///
    /// # Errors
    /// Whatever keeps that away.
    pub fn enable_workflow(&self, repository: &Slug, workflow: &str) -> Result<(), Error> {
        let path = format!("{}/actions/workflows/{}/enable", repository.path(), encode(workflow));
        match self.write(&format!("enable the workflow {workflow}"), &Method::PUT, &path, None) {
            Err(error) if error.is_unclear() => {
                let is_active = self.workflow(repository, workflow)?.state == Some(WorkflowState::Active);
                if is_active { Ok(()) } else { Err(error) }
            }
            other => other.map(|_| ()),
        }
    }

    /// Starts a workflow on a branch or tag, once. Which runs there were is looked up before, so that after an answer
    /// that was lost a new one is known to be new; somebody else's that began meanwhile is taken for it.
    ///
    /// # Errors
    /// A workflow that is disabled, does not exist there or takes no dispatch, and whatever else keeps that away.
    pub fn dispatch(
        &self,
        repository: &Slug,
        workflow: &str,
        on: &str,
        inputs: &BTreeMap<String, String>,
    ) -> Result<Dispatched, Error> {
        let what = format!("start the workflow {workflow}");
        let known = self.newest_dispatched(repository, workflow)?.map(|run| run.id);
        let path = format!("{}/actions/workflows/{}/dispatches", repository.path(), encode(workflow));
        let mut body = json!({ "ref": on, "return_run_details": true });
        if !inputs.is_empty() {
            body["inputs"] = json!(inputs);
        }
        let error = match self.write(&what, &Method::POST, &path, Some(&body)) {
            Ok(answer) => {
                // Older installations answer without a body.
                let told = serde_json::from_slice::<Told>(&answer.body).ok();
                return Ok(Dispatched::Taken(told.map(|told| told.workflow_run_id)));
            }
            Err(error) if error.is_unclear() => error,
            Err(error) => return Err(error),
        };
        let seen = self.seen(&format!("{what}: no good answer"), || {
            let newest = self.newest_dispatched(repository, workflow)?;
            Ok(newest.filter(|run| known.is_none_or(|known| run.id > known)))
        })?;
        seen.map(|run| Dispatched::Seen(run.id)).ok_or(error)
    }

    /// The run, if a newer attempt of it has begun.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn attempt_after(&self, repository: &Slug, run: &Run) -> Result<Option<Run>, Error> {
        Ok(Some(self.run(repository, run.id)?).filter(|now| now.attempt() > run.attempt()))
    }

    /// Looks a few times for something that may take a moment to show; `what` says why somebody waits.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn seen<T>(&self, what: &str, look: impl Fn() -> Result<Option<T>, Error>) -> Result<Option<T>, Error> {
        for turn in 0..LOOKS {
            if turn > 0 {
                self.pause(what, BETWEEN);
            }
            if let Some(found) = look()? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The newest run that somebody asked for.
    fn newest_dispatched(&self, repository: &Slug, workflow: &str) -> Result<Option<Run>, Error> {
        let filter = RunFilter {
            workflow: Some(workflow.to_owned()),
            event: Some("workflow_dispatch".to_owned()),
            ..RunFilter::default()
        };
        Ok(self.runs(repository, &filter, 1)?.items.into_iter().max_by_key(|run| run.id))
    }

    /// Runs the failed jobs of a completed run again, and those after them, once: after an answer that was lost the
    /// run's attempt tells. Returns the number of the new attempt.
    ///
    /// # Errors
    /// A run that goes on, failed in nothing or is too old, and whatever else keeps that away.
    pub fn rerun_failed_jobs(&self, repository: &Slug, run: &Run) -> Result<u32, Error> {
        let what = format!("run the failed jobs of run {} again", run.id);
        let path = format!("{}/actions/runs/{}/rerun-failed-jobs", repository.path(), run.id);
        match self.write(&what, &Method::POST, &path, None) {
            Err(error) if error.is_unclear() => {
                let seen = self.seen(&format!("{what}: no good answer"), || self.attempt_after(repository, run))?;
                seen.map(|now| now.attempt()).ok_or(error)
            }
            other => other.map(|_| run.attempt() + 1),
        }
    }
}

/// What a dispatch is answered with.
#[derive(Deserialize)]
struct Told {
    workflow_run_id: u64,
}
