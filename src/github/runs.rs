//! Workflow runs, their attempts and jobs.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer};

use super::client::Client;
use super::error::Error;
use super::list::{List, PER_PAGE, Query};
use super::words::{Conclusion, Slug, Status};

/// Runs that GitHub tells of with a filter.
pub(super) const CAP: usize = 1_000;

/// What stands in a path or a query as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Text as a part of a path or as a value of a query.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// One run of a workflow, as it is now. Nearly everything may be missing: GitHub leaves out more than it documents.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Run {
    /// Its number in all of GitHub.
    pub id: u64,
    /// The workflow's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The workflow's file, from the root of the repository; may end with `@REF`.
    #[serde(default)]
    pub path: Option<String>,
    /// What it is called in lists.
    #[serde(default)]
    pub display_title: Option<String>,
    /// Its number among the runs of its workflow.
    #[serde(default)]
    pub run_number: u64,
    /// The newest attempt, from 1.
    #[serde(default)]
    pub run_attempt: Option<u32>,
    /// What started it: `push`, `pull_request`, `schedule`.
    #[serde(default)]
    pub event: Option<String>,
    /// How far it is.
    #[serde(default)]
    pub status: Option<Status>,
    /// How it ended.
    #[serde(default)]
    pub conclusion: Option<Conclusion>,
    /// The branch; `None` for a tag or one that is gone.
    #[serde(default)]
    pub head_branch: Option<String>,
    /// The commit.
    #[serde(default)]
    pub head_sha: Option<String>,
    /// Where the commit comes from: a fork, or this repository.
    #[serde(default)]
    pub head_repository: Option<RunRepository>,
    /// Open pull requests of this repository with that commit; always empty for forks.
    #[serde(default, deserialize_with = "or_default")]
    pub pull_requests: Vec<RunPull>,
    /// When it was asked for.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When its newest attempt began.
    #[serde(default)]
    pub run_started_at: Option<Timestamp>,
    /// When something about it changed last.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Where people look at it.
    #[serde(default)]
    pub html_url: Option<String>,
}

/// A repository as a run names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RunRepository {
    /// Its number in all of GitHub.
    pub id: u64,
    /// `owner/name`.
    #[serde(default)]
    pub full_name: Option<String>,
}

/// A pull request as a run names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RunPull {
    /// Its number.
    pub number: u64,
}

impl Run {
    /// Whether it has come to its end.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.status == Some(Status::Completed)
    }

    /// The newest attempt.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.run_attempt.unwrap_or(1)
    }
}

/// One job of a run.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Job {
    /// Its number in all of GitHub.
    pub id: u64,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The attempt it belongs to.
    #[serde(default)]
    pub run_attempt: Option<u32>,
    /// How far it is.
    #[serde(default)]
    pub status: Option<Status>,
    /// How it ended.
    #[serde(default)]
    pub conclusion: Option<Conclusion>,
    /// When it began.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    /// Its steps.
    #[serde(default, deserialize_with = "or_default")]
    pub steps: Vec<Step>,
    /// Where people look at it.
    #[serde(default)]
    pub html_url: Option<String>,
}

/// One step of a job.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Step {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its place, from 1.
    #[serde(default)]
    pub number: u64,
    /// How it ended.
    #[serde(default)]
    pub conclusion: Option<Conclusion>,
    /// When it began.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
}

/// A null where a list is described.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Which runs are wanted. Nothing set is every run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// A workflow's file name or number.
    pub workflow: Option<String>,
    /// A branch.
    pub branch: Option<String>,
    /// A commit, all forty digits.
    pub sha: Option<String>,
    /// What started it.
    pub event: Option<String>,
    /// A status or a conclusion.
    pub status: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// When: a date, a range or an inequality as GitHub's search writes them.
    pub created: Option<String>,
}

impl RunFilter {
    fn path(&self, repository: &Slug) -> String {
        let of = match &self.workflow {
            Some(workflow) => format!("/workflows/{}", encode(workflow)),
            None => String::new(),
        };
        let pairs = [
            ("branch", &self.branch),
            ("head_sha", &self.sha),
            ("event", &self.event),
            ("status", &self.status),
            ("actor", &self.actor),
            ("created", &self.created),
        ];
        // An empty value would be no filter at all.
        let given = pairs.iter().filter_map(|(name, value)| Some((name, value.as_deref().filter(|v| !v.is_empty())?)));
        let query: String = given.map(|(name, value)| format!("&{name}={}", encode(value))).collect();
        format!("{}/actions{of}/runs?{}", repository.path(), query.trim_start_matches('&'))
            .trim_end_matches('?')
            .to_owned()
    }

    /// Whether GitHub tells of a thousand runs only. The workflow is a part of the path and no filter.
    fn is_set(&self) -> bool {
        *self != Self { workflow: self.workflow.clone(), ..Self::default() }
    }

    fn told(&self) -> String {
        match &self.workflow {
            Some(workflow) => format!("list the runs of {workflow}"),
            None => "list the runs".to_owned(),
        }
    }
}

impl Client {
    /// The newest runs first, at most `limit` of them. With any filter GitHub itself tells no more than a thousand.
    ///
    /// # Errors
    /// An unknown repository or workflow, and whatever else keeps an answer away.
    pub fn runs(&self, repository: &Slug, filter: &RunFilter, limit: usize) -> Result<List<Run>, Error> {
        let mut list = self.list(&Query {
            what: &filter.told(),
            path: &filter.path(repository),
            field: Some("workflow_runs"),
            pages: limit.div_ceil(PER_PAGE).max(1),
            last: &|_: &Run| false,
        })?;
        list.truncated |= list.items.len() > limit;
        // Where a filter ends the list after so many, nobody says whether there are more.
        list.truncated |= filter.is_set() && list.items.len() + list.unreadable.len() >= CAP;
        list.items.truncate(limit);
        Ok(list)
    }

    /// One run.
    ///
    /// # Errors
    /// No such run, and whatever else keeps an answer away.
    pub fn run(&self, repository: &Slug, id: u64) -> Result<Run, Error> {
        self.get_json(&format!("look at run {id}"), &format!("{}/actions/runs/{id}", repository.path()))
    }

    /// An earlier attempt of a run.
    ///
    /// # Errors
    /// No such attempt, and whatever else keeps an answer away.
    pub fn attempt(&self, repository: &Slug, id: u64, attempt: u32) -> Result<Run, Error> {
        let path = format!("{}/actions/runs/{id}/attempts/{attempt}", repository.path());
        self.get_json(&format!("look at attempt {attempt} of run {id}"), &path)
    }

    /// The jobs of a run's newest attempt.
    ///
    /// # Errors
    /// No such run, and whatever else keeps an answer away.
    pub fn jobs(&self, repository: &Slug, id: u64) -> Result<List<Job>, Error> {
        let path = format!("{}/actions/runs/{id}/jobs?filter=latest", repository.path());
        self.job_pages(&format!("list the jobs of run {id}"), &path)
    }

    /// The jobs of one attempt of a run.
    ///
    /// # Errors
    /// No such attempt, and whatever else keeps an answer away.
    pub fn jobs_of_attempt(&self, repository: &Slug, id: u64, attempt: u32) -> Result<List<Job>, Error> {
        let path = format!("{}/actions/runs/{id}/attempts/{attempt}/jobs", repository.path());
        self.job_pages(&format!("list the jobs of attempt {attempt} of run {id}"), &path)
    }

    fn job_pages(&self, what: &str, path: &str) -> Result<List<Job>, Error> {
        self.list(&Query { what, path, field: Some("jobs"), pages: 10, last: &|_: &Job| false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_nothing_but_nulls_is_a_run() {
        let run: Run = serde_json::from_str(
            r#"{"id":1,"name":null,"head_branch":null,"status":null,"conclusion":"brand_new","pull_requests":null,"run_attempt":null}"#,
        )
        .unwrap();
        assert_eq!((run.id, run.attempt(), run.is_completed()), (1, 1, false));
        assert_eq!(run.conclusion.unwrap().word(), "brand_new");
        assert!(serde_json::from_str::<Run>(r#"{"name":"x"}"#).is_err(), "a run without a number is none");
    }

    #[test]
    fn filters_are_encoded_and_empty_ones_left_out() {
        let slug: Slug = "o/r".parse().unwrap();
        let filter = RunFilter {
            workflow: Some("ci.yml".into()),
            branch: Some("feature/a&b=c".into()),
            sha: Some(String::new()),
            created: Some(">=2026-11-22".into()),
            ..RunFilter::default()
        };
        let path = "/repos/o/r/actions/workflows/ci.yml/runs?branch=feature%2Fa%26b%3Dc&created=%3E%3D2026-11-22";
        assert_eq!(filter.path(&slug), path);
        assert_eq!(RunFilter::default().path(&slug), "/repos/o/r/actions/runs");
        let climbing = RunFilter { workflow: Some("../../x".into()), ..RunFilter::default() };
        assert_eq!(climbing.path(&slug), "/repos/o/r/actions/workflows/..%2F..%2Fx/runs");
    }
}
