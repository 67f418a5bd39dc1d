//! What a result is about: which commit, which pull request, whose evidence.
//!
//! The pull request of a finished run is taken from what GitHub says of the run, never from what its artifacts say.

use jiff::Timestamp;

use super::Link;
use crate::app::Stop;
use crate::app::job::Job;
use crate::github::{PullRequest, PullSide, Run};
use crate::record::bundle::Source;

/// What a result is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// The commit: of a pull request its head.
    pub(super) commit: Option<String>,
    /// The merge that was tested.
    pub(super) merge_commit: Option<String>,
    /// The branch.
    pub(super) branch: Option<String>,
    /// The pull request.
    pub(super) pull: Option<Pull>,
    /// Why there is none, where one was looked for.
    pub(super) no_pull: Option<String>,
    /// Where people look at the run.
    pub(super) run_url: Option<String>,
    /// When the run began, where GitHub says so.
    pub(super) started_at: Option<Timestamp>,
    /// The run's attempt.
    pub(super) attempt: u32,
    /// The workflow's file.
    pub(super) workflow: Option<String>,
    /// The job that made the evidence.
    pub(super) job: Option<String>,
    /// Whether the project that it is about is checked out here.
    pub(super) is_here: bool,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pull {
    /// Its number.
    pub(super) number: u64,
    /// The commit whose policy judges.
    pub(super) base_sha: String,
    /// The branch that it is to go to.
    pub(super) base_branch: String,
    /// The merge that is tested now, where GitHub says so.
    pub(super) merge: Option<String>,
    /// The fork that it comes from, if it does.
    pub(super) fork: Option<String>,
}

impl Subject {
    /// Whether a stranger made the evidence.
    pub(super) fn is_fork(&self) -> bool {
        self.pull.as_ref().is_some_and(|pull| pull.fork.is_some())
    }

    /// Of the job that made the evidence itself.
    pub(super) fn of_job(job: Option<&Job>, source: &Source) -> Self {
        let Some(job) = job else {
            return Self {
                commit: source.commit.clone(),
                branch: source.branch.clone(),
                attempt: 1,
                is_here: true,
                ..Self::default()
            };
        };
        let pull = job.pull.as_ref().map(|pull| Pull {
            number: pull.number,
            base_sha: pull.base_sha.clone(),
            base_branch: pull.base_branch.clone(),
            merge: job.merge_commit.clone(),
            fork: pull.fork.clone(),
        });
        // Without a pull request nobody is told but whoever looks at the commit that was checked out.
        let is_about = pull.is_some() || source.commit.is_none() || source.commit == job.commit;
        Self {
            commit: if is_about { job.commit.clone() } else { source.commit.clone() },
            merge_commit: job.merge_commit.clone().filter(|_| source.merge_commit == job.merge_commit),
            branch: job.branch.clone().filter(|_| is_about),
            pull,
            no_pull: None,
            run_url: job.run_url(),
            started_at: None,
            attempt: job.attempt,
            workflow: job.workflow.clone(),
            job: job.name.clone(),
            is_here: true,
        }
    }

    /// Of a finished run.
    pub(super) fn of_run(link: &Link, run: &Run) -> anyhow::Result<Self> {
        let from = run.head_repository.as_ref().and_then(|repo| repo.full_name.clone());
        let is_own = from.as_deref().is_some_and(|from| from.eq_ignore_ascii_case(&link.slug.to_string()));
        let mut subject = Self {
            commit: run.head_sha.clone(),
            branch: run.head_branch.clone(),
            run_url: run.html_url.clone(),
            started_at: run.run_started_at.or(run.created_at),
            attempt: run.attempt(),
            workflow: run.path.as_ref().map(|path| path.split('@').next().unwrap_or(path).to_owned()),
            ..Self::default()
        };
        if !run.event.as_deref().is_some_and(|event| event.starts_with("pull_request")) {
            return Ok(subject);
        }
        let found = match run.pull_requests.as_slice() {
            // GitHub leaves the list empty for forks.
            [only] => vec![link.client.pull_request(&link.slug, only.number).map_err(Stop::from)?],
            _ => from_branch(link, run, from.as_deref())?,
        };
        let mut fitting = found.into_iter().filter(|pull| Some(&pull.head.sha) == run.head_sha.as_ref());
        match (fitting.next(), fitting.next()) {
            (Some(pull), None) => {
                let fork = (!is_own).then(|| from.unwrap_or_else(|| "a fork that is gone".to_owned()));
                let PullSide { sha, branch, .. } = pull.base;
                let (number, merge) = (pull.number, pull.merge_commit_sha);
                subject.pull = Some(Pull { number, base_sha: sha, base_branch: branch, merge, fork });
            }
            (None, _) => {
                subject.no_pull = Some("no open pull request has the commit of the run as its newest one".to_owned());
            }
            (Some(one), Some(other)) => {
                let told = format!("the pull requests {} and {} have the same commit", one.number, other.number);
                subject.no_pull = Some(told);
            }
        }
        if subject.pull.is_none() && !is_own {
            // Nothing says whose policy is to judge, and what was made is a stranger's.
            let why = subject.no_pull.clone().unwrap_or_default();
            let hint = "the pull request was closed or has newer commits; its newest run will be published".to_owned();
            return Err(
                Stop::undecided(format!("the run of a fork belongs to no pull request: {why}"), Some(hint)).into()
            );
        }
        Ok(subject)
    }
}

fn from_branch(link: &Link, run: &Run, from: Option<&str>) -> anyhow::Result<Vec<PullRequest>> {
    let (Some((owner, _)), Some(branch)) = (from.and_then(|from| from.split_once('/')), run.head_branch.as_deref())
    else {
        return Ok(Vec::new());
    };
    let list = link.client.pull_requests_from(&link.slug, owner, branch).map_err(Stop::from)?;
    let is_from = |pull: &PullRequest| {
        let repo = pull.head.repo.as_ref().and_then(|repo| repo.full_name.as_deref());
        repo.zip(from).is_some_and(|(repo, from)| repo.eq_ignore_ascii_case(from))
    };
    Ok(list.items.into_iter().filter(is_from).collect())
}
