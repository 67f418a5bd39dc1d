//! What GitHub is asked, in few requests: lists over the whole history, and no look at a single run but those that the
//! audit turns on.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::app::Stop;
use crate::app::remote::listing;
use crate::github::{self, Client, RunFilter, Slug};
use crate::retrain::audit::Sources;
use crate::retrain::facts::{Artifact, Commit, Deployment, Facts, Job, Listing, Run, Status};
use crate::retrain::settings::{Settings, Target, Trace, When};
use crate::retrain::workflow;

/// Runs, artifacts, deployments and commits that are looked at, at most.
const MOST: usize = 3_000;
/// Deployments that are looked at also where there are very many runs: the verdict turns on the newest.
const DEPLOYED: usize = 400;
/// Commits of the workflow file that are looked at to learn since when its schedule is what it is.
const CHANGES: usize = 3;
/// Bytes of a log that are kept, and lines.
const LOG: (usize, usize) = (64 << 10, 60);

/// Artifacts as GitHub tells them, by their number.
pub(super) type Artifacts = BTreeMap<u64, github::Artifact>;

/// Who is asked, and about what.
pub(super) struct Ask<'a> {
    pub(super) client: &'a Client,
    pub(super) slug: &'a Slug,
    pub(super) settings: &'a Settings,
    pub(super) from: Timestamp,
    pub(super) as_of: Timestamp,
}

impl Ask<'_> {
    /// What lists tell, and the default branch; of a GitHub that does not answer only that it does not.
    pub(super) fn facts(&self) -> anyhow::Result<(Facts, Option<String>)> {
        let mut facts = Facts::unknown(self.as_of, &self.slug.to_string());
        let repository = match self.client.repository(self.slug) {
            Ok(repository) => repository,
            Err(error) if error.is_missing() => return Err(Stop::from(error).into()),
            Err(error) => {
                facts.notes.extend(error.hint());
                facts.runs = listing(Err::<github::List<github::Run>, _>(error), run);
                return Ok((facts, None));
            }
        };
        facts.repository.default_branch = Some(repository.default_branch.clone());
        facts.repository.is_fork = repository.fork;
        facts.repository.is_private = repository.private;
        facts.repository.last_activity = repository.pushed_at;
        match self.client.workflow(self.slug, &self.settings.workflow) {
            Ok(found) => {
                facts.workflow.is_known = Some(true);
                facts.workflow.state = found.state.map(|state| state.word().to_owned());
                facts.workflow.created = found.created_at;
                facts.workflow.changed = found.updated_at;
            }
            Err(error) if error.is_missing() => facts.workflow.is_known = Some(false),
            Err(error) => facts.notes.push(error.to_string()),
        }
        facts.runs = self.runs(&self.settings.workflow, MOST);
        // Runs and their artifacts take as many requests each.
        let left = MOST.saturating_sub(2 * facts.runs.items().len()).max(DEPLOYED);
        match &self.settings.expect.deploy.as_ref().map(|deploy| &deploy.to) {
            Some(Target::Environment(name)) => {
                let unasked = || Listing::Unknown { why: "nobody asked for it".to_owned(), next: String::new() };
                let found = self.client.deployments_since(self.slug, name, self.from, left);
                facts.deployments = listing(found, |one| Deployment {
                    id: one.id,
                    sha: one.sha,
                    created: one.created_at,
                    statuses: unasked(),
                });
            }
            Some(Target::Workflow(file)) => facts.deploying = self.runs(file, left),
            None => {}
        }
        if let Some(Trace::Commit(globs)) = &self.settings.expect.model {
            facts.commits = self.commits(&repository.default_branch, &globs.patterns);
        }
        Ok((facts, Some(repository.default_branch)))
    }

    fn runs(&self, workflow: &str, limit: usize) -> Listing<Run> {
        let filter = RunFilter { workflow: Some(workflow.to_owned()), ..RunFilter::default() };
        let found = self.client.runs_between(self.slug, &filter, (self.from, self.as_of), limit);
        listing(found, run)
    }

    /// GitHub takes files and folders, and the settings nothing else.
    fn commits(&self, branch: &str, patterns: &[String]) -> Listing<Commit> {
        let branch = self.settings.expect.branch.as_deref().unwrap_or(branch);
        let mut all = Vec::new();
        for pattern in patterns {
            let path = pattern.strip_suffix("/**").unwrap_or(pattern);
            let found = self.client.commits_touching(self.slug, branch, path, Some(self.from), MOST);
            match listing(found, |one| Commit { at: one.committed_at(), sha: one.sha }) {
                Listing::Known { items, truncated: false, unreadable: 0 } => all.extend(items),
                other => return other,
            }
        }
        Listing::whole(all)
    }

    /// The model's artifacts of all runs.
    pub(super) fn artifacts(&self, facts: &mut Facts) -> Artifacts {
        let Some(Trace::Artifact { name, .. }) = &self.settings.expect.model else { return Artifacts::new() };
        let mut known = Artifacts::new();
        facts.artifacts = listing(self.client.artifacts_since(self.slug, name, self.from, MOST), |artifact| {
            let one = Artifact {
                id: artifact.id,
                run: artifact.workflow_run.as_ref().and_then(|run| run.id),
                digest: artifact.digest.clone(),
                created: artifact.created_at,
                expired: artifact.expired,
                expires: artifact.expires_at,
            };
            known.insert(artifact.id, artifact);
            one
        });
        known
    }

    /// Learns since when the schedule is what it is: from the commits that touch the workflow's file.
    pub(super) fn since(&self, facts: &mut Facts, branch: &str, sources: &Sources) {
        let Some(now) = sources.audited.as_ref().filter(|_| matches!(self.settings.when, When::FromWorkflow)) else {
            return;
        };
        // Also those from before the history: what was committed then may have been merged within it.
        let found = self.client.commits_touching(self.slug, branch, &now.path, None, CHANGES + 1);
        let commits = match found {
            Ok(list) => list.items,
            Err(error) => {
                facts.workflow.unsure_before = Some(self.as_of);
                return facts.notes.push(format!("since when the schedule is what it is: {error}"));
            }
        };
        let is_same = |at: &str| -> Option<bool> {
            let bytes = self.client.file(self.slug, &now.path, at).ok()?;
            let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let then = text.and_then(|text| workflow::read(&now.path, &text).ok());
            let plain = |file: &workflow::File| {
                file.schedules.iter().map(|entry| (entry.cron.clone(), entry.zone.clone())).collect::<Vec<_>>()
            };
            Some(then.is_some_and(|then| plain(&then) == plain(now)))
        };
        for commit in commits.iter().take(CHANGES) {
            if commit.committed_at().is_some_and(|at| at < self.from) {
                // The newest that is so old: only if it came to the branch within the history it changes anything.
                self.merged(facts, &commit.sha, branch);
                if facts.workflow.scheduled_since.is_some()
                    && commit.parents.first().and_then(|parent| is_same(&parent.sha)) == Some(true)
                {
                    facts.workflow.scheduled_since = None;
                }
                return;
            }
            // What stood there before the commit: nothing, if it is the first.
            let before = commit.parents.first().map(|parent| is_same(&parent.sha));
            match before {
                Some(Some(true)) => {}
                Some(None) => {
                    facts.workflow.unsure_before = commit.committed_at().or(Some(self.as_of));
                    return facts.notes.push("how the schedule was before its newest change is not known".to_owned());
                }
                Some(Some(false)) | None => {
                    facts.workflow.scheduled_since = commit.committed_at();
                    self.merged(facts, &commit.sha, branch);
                    return;
                }
            }
        }
        if commits.len() > CHANGES {
            let oldest = commits.get(CHANGES - 1).and_then(github::Commit::committed_at);
            facts.workflow.unsure_before = oldest.or(Some(self.as_of));
            facts
                .notes
                .push(format!("whether the schedule was another one before its last {CHANGES} changes is not known"));
        }
    }

    /// A schedule holds once it is on the branch, and its commit may be much older than that.
    fn merged(&self, facts: &mut Facts, commit: &str, branch: &str) {
        match self.client.pull_requests_of(self.slug, commit) {
            Ok(list) => {
                let merged = list.items.into_iter().filter(|pull| pull.base.branch == branch);
                let merged = merged.filter_map(|pull| pull.merged_at).filter(|at| *at >= self.from).max();
                facts.workflow.scheduled_since = facts.workflow.scheduled_since.max(merged);
            }
            Err(error) => {
                facts.workflow.unsure_before = Some(self.as_of);
                let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                facts.notes.push(format!("when the newest schedule was merged: {error}{hint}"));
            }
        }
    }

    pub(super) fn statuses(&self, deployment: u64) -> Listing<Status> {
        let found = self.client.deployment_statuses(self.slug, deployment);
        listing(found, |status| Status { state: status.state, created: status.created_at })
    }

    /// The jobs of a run, with the end of the log of the first that failed.
    pub(super) fn jobs(&self, run: u64) -> Listing<Job> {
        let is_bad = |word: Option<&str>| !matches!(word, Some("success" | "skipped" | "neutral"));
        let mut ids = Vec::new();
        let mut jobs = listing(self.client.jobs(self.slug, run), |job| {
            let step =
                job.steps.into_iter().find(|step| is_bad(step.conclusion.as_ref().map(github::Conclusion::word)));
            ids.push(job.id);
            Job {
                name: job.name.unwrap_or_default(),
                conclusion: job.conclusion.map(|conclusion| conclusion.word().to_owned()),
                step: step.and_then(|step| step.name),
                tail: None,
            }
        });
        let items = jobs.items_mut();
        let failed = items.iter().position(|job| job.conclusion.as_deref() == Some("failure"));
        let failed = failed.or_else(|| items.iter().position(|job| is_bad(job.conclusion.as_deref())));
        if let Some((job, id)) = failed.and_then(|at| Some((items.get_mut(at)?, *ids.get(at)?)))
            && let Ok(log) = self.client.job_log(self.slug, id, LOG.0)
        {
            let lines = log.lines();
            job.tail = Some(lines[lines.len().saturating_sub(LOG.1)..].join("\n"));
        }
        jobs
    }
}

/// A run as GitHub tells it.
pub(super) fn run(run: github::Run) -> Run {
    Run {
        id: run.id,
        attempt: run.run_attempt,
        event: run.event,
        status: run.status.map(|status| status.word().to_owned()),
        conclusion: run.conclusion.map(|conclusion| conclusion.word().to_owned()),
        branch: run.head_branch,
        sha: run.head_sha,
        created: run.created_at,
        started: run.run_started_at,
        updated: run.updated_at,
        url: run.html_url,
    }
}
