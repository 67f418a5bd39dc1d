//! Deployments, their statuses, and what protects environments.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::client::Client;
use super::error::Error;
use super::list::{List, PER_PAGE, Query};
use super::runs::{encode, or_default};
use super::words::Slug;

/// Pages of environments that are read.
const PAGES: usize = 10;

/// A deployment of a commit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Deployment {
    /// Its number in all of GitHub.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// Where it goes.
    #[serde(default)]
    pub environment: Option<String>,
    /// When it was asked for.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

/// What became of a deployment, at one moment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DeploymentStatus {
    /// Its number in all of GitHub.
    pub id: u64,
    /// `success`, `failure`, `error`, `inactive`, `in_progress`, `queued`, `pending`.
    #[serde(default)]
    pub state: Option<String>,
    /// In one line.
    #[serde(default)]
    pub description: Option<String>,
    /// When it was set.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

/// A status to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStatus {
    /// `success`, `failure`, `error` …
    pub state: &'static str,
    /// In one line, at most 140 characters.
    pub description: String,
    /// Where the whole report is.
    pub log_url: Option<String>,
}

/// An environment that a run waits for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PendingDeployment {
    /// Which one.
    pub environment: PendingEnvironment,
}

/// An environment as a waiting run names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PendingEnvironment {
    /// Its number in all of GitHub.
    #[serde(default)]
    pub id: Option<u64>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
}

/// A place that is deployed to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Environment {
    /// Its number in all of GitHub.
    pub id: u64,
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Where people look at it.
    #[serde(default)]
    pub html_url: Option<String>,
}

impl Client {
    /// The environments of a repository.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn environments(&self, repository: &Slug) -> Result<List<Environment>, Error> {
        self.list(&Query {
            what: "list the environments",
            path: &format!("{}/environments", repository.path()),
            field: Some("environments"),
            pages: PAGES,
            last: &|_: &Environment| false,
        })
    }

    /// The deployments to an environment that were asked for since `since`, the newest first, of at most `limit` that
    /// are looked at. One whose time is not told counts as one of them.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn deployments_since(
        &self,
        repository: &Slug,
        environment: &str,
        since: Timestamp,
        limit: usize,
    ) -> Result<List<Deployment>, Error> {
        let is_older = |deployment: &Deployment| deployment.created_at.is_some_and(|made| made < since);
        let mut list = self.list(&Query {
            what: &format!("list the deployments to {environment}"),
            path: &format!("{}/deployments?environment={}", repository.path(), encode(environment)),
            field: None,
            pages: limit.div_ceil(PER_PAGE).max(1),
            last: &is_older,
        })?;
        list.items.retain(|deployment| !is_older(deployment));
        Ok(list)
    }

    /// The deployments of a commit to an environment, newest first: one page of them.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn deployments(&self, repository: &Slug, sha: &str, environment: &str) -> Result<List<Deployment>, Error> {
        let (sha, environment) = (encode(sha), encode(environment));
        self.list(&Query {
            what: "list the deployments",
            path: &format!("{}/deployments?sha={sha}&environment={environment}", repository.path()),
            field: None,
            pages: 1,
            last: &|_: &Deployment| false,
        })
    }

    /// The statuses of a deployment, newest first: one page of them.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn deployment_statuses(&self, repository: &Slug, id: u64) -> Result<List<DeploymentStatus>, Error> {
        self.list(&Query {
            what: "list the statuses of the deployment",
            path: &format!("{}/deployments/{id}/statuses", repository.path()),
            field: None,
            pages: 1,
            last: &|_: &DeploymentStatus| false,
        })
    }

    /// Sets the status of a deployment, once: after an answer that was lost it is looked up.
    ///
    /// # Errors
    /// Whatever keeps that away.
    pub fn set_deployment_status(&self, repository: &Slug, id: u64, new: &NewStatus) -> Result<(), Error> {
        let mut body = json!({ "state": new.state, "description": new.description });
        if let Some(url) = &new.log_url {
            body["log_url"] = json!(url);
        }
        let path = format!("{}/deployments/{id}/statuses", repository.path());
        match self.write("set the deployment's status", &Method::POST, &path, Some(&body)) {
            // Nobody knows whether it was set: the newest one tells.
            Err(error) if error.is_unclear() => {
                let list = self.deployment_statuses(repository, id)?;
                let is_set = |status: &DeploymentStatus| {
                    status.state.as_deref() == Some(new.state)
                        && status.description.as_deref() == Some(new.description.as_str())
                };
                if list.items.first().is_some_and(is_set) { Ok(()) } else { Err(error) }
            }
            other => other.map(|_| ()),
        }
    }

    /// The environments that a run waits for.
    ///
    /// # Errors
    /// No such run, and whatever else keeps an answer away.
    pub fn pending_deployments(&self, repository: &Slug, run: u64) -> Result<Vec<PendingDeployment>, Error> {
        let path = format!("{}/actions/runs/{run}/pending_deployments", repository.path());
        self.get_json(&format!("look what run {run} waits for"), &path)
    }

    /// Answers the custom protection rule that holds a run back from an environment. Only the GitHub App of the rule
    /// may. Without a state it only tells, and the run goes on waiting.
    ///
    /// # Errors
    /// A token that is not the App's, a run that does not wait, and whatever else keeps that away.
    pub fn answer_rule(
        &self,
        repository: &Slug,
        run: u64,
        environment: &str,
        state: Option<&str>,
        comment: &str,
    ) -> Result<(), Error> {
        let mut body = json!({ "environment_name": environment, "comment": comment });
        if let Some(state) = state {
            body["state"] = json!(state);
        }
        let path = format!("{}/actions/runs/{run}/deployment_protection_rule", repository.path());
        self.write("answer the protection rule", &Method::POST, &path, Some(&body)).map(|_| ())
    }
}
