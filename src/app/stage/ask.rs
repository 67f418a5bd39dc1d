//! What GitHub is asked about a commit, and its answers as `deploy` takes them.

use crate::app::remote::listing;
use crate::deploy::facts::{Before, Deployment, Facts, Listing, Origin, Run, Status, Workflow};
use crate::deploy::{Stage, newest_deployment};
use crate::github::{self, Client, RunFilter, Slug};
use crate::sys::clock::Clock;

/// Runs of one workflow on one commit that are looked at: one page.
const MAX_RUNS: usize = 100;

/// What is asked about.
pub(super) struct Subject<'a> {
    /// The way to GitHub.
    pub(super) client: &'a Client,
    /// The repository.
    pub(super) slug: &'a Slug,
    /// GitHub's number of it.
    pub(super) repository: u64,
    /// The default branch.
    pub(super) branch: &'a str,
    /// The stage.
    pub(super) stage: &'a Stage,
    /// The one before it.
    pub(super) before: Option<&'a Stage>,
    /// The commit.
    pub(super) sha: &'a str,
    /// The run that this process is part of.
    pub(super) own_run: Option<u64>,
    /// The clock.
    pub(super) clock: Clock,
}

impl Subject<'_> {
    /// Everything but the evidence, as it is now.
    pub(super) fn look(&self) -> Facts {
        let workflows = self.stage.workflows.iter().map(|file| Workflow { file: file.clone(), runs: self.runs(file) });
        Facts {
            sha: self.sha.to_owned(),
            workflows: workflows.collect(),
            before: self.before.map(|stage| self.live(stage)),
            evidence: Vec::new(),
            own_run: self.own_run,
            now: self.clock.now(),
        }
    }

    fn runs(&self, file: &str) -> Listing<Run> {
        let filter =
            RunFilter { workflow: Some(file.to_owned()), sha: Some(self.sha.to_owned()), ..RunFilter::default() };
        listing(self.client.runs(self.slug, &filter, MAX_RUNS), |run| self.run(run))
    }

    fn run(&self, run: github::Run) -> Run {
        let origin = match &run.head_repository {
            Some(head) if head.id == self.repository => Origin::Own,
            Some(_) => Origin::Fork,
            None => Origin::Unknown,
        };
        Run {
            id: run.id,
            number: run.run_number,
            attempt: run.run_attempt,
            event: run.event,
            status: run.status.map(String::from),
            conclusion: run.conclusion.map(String::from),
            head_sha: run.head_sha,
            branch: run.head_branch,
            origin,
            started: run.run_started_at,
            url: run.html_url,
        }
    }

    /// What is live where a stage deploys to.
    fn live(&self, stage: &Stage) -> Before {
        let deployments = self.deployments(&stage.environment);
        let newest = newest_deployment(deployments.items(), self.sha, &stage.environment);
        let statuses = match newest {
            Some(deployment) => {
                let list = self.client.deployment_statuses(self.slug, deployment.id);
                listing(list, |status| Status { id: status.id, state: status.state, created: status.created_at })
            }
            None => Listing::whole(Vec::new()),
        };
        Before { stage: stage.name.clone(), environment: stage.environment.clone(), deployments, statuses }
    }

    /// The deployments of the commit to an environment.
    pub(super) fn deployments(&self, environment: &str) -> Listing<Deployment> {
        let list = self.client.deployments(self.slug, self.sha, environment);
        listing(list, |one| Deployment {
            id: one.id,
            sha: one.sha,
            environment: one.environment,
            created: one.created_at,
        })
    }
}
