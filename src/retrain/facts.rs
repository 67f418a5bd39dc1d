//! What is known when a schedule is audited: what GitHub answered, and what it left open.
//!
//! Words are GitHub's own and stay text: one that is new must be one that is not known. [`Facts::at`] turns what is
//! known now into what was known at an earlier moment, so that an audit can be repeated.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::champion::Reign;
pub use crate::sys::listing::Listing;

/// GitHub's word for a workflow whose triggers are heard.
pub const ACTIVE: &str = "active";
/// GitHub's word for a run that has ended.
pub const COMPLETED: &str = "completed";
/// The event of a run that a schedule started.
pub const SCHEDULE: &str = "schedule";

/// Everything that a schedule is audited by, beside its settings and texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The moment of the audit.
    pub as_of: Timestamp,
    /// The repository.
    pub repository: Repository,
    /// What GitHub says of the workflow.
    pub workflow: Workflow,
    /// The workflow's runs, by a schedule or otherwise, at least since the history begins.
    pub runs: Listing<Run>,
    /// The jobs of runs that did not succeed, where they were asked for.
    pub jobs: BTreeMap<u64, Listing<Job>>,
    /// The artifacts with the model's name, of any run.
    pub artifacts: Listing<Artifact>,
    /// What the artifact of a run holds, where it was looked into.
    pub models: BTreeMap<u64, Model>,
    /// Commits on the branch that touch the model's paths.
    pub commits: Listing<Commit>,
    /// Deployments to the environment.
    pub deployments: Listing<Deployment>,
    /// Runs of the workflow that deploys.
    pub deploying: Listing<Run>,
    /// The champion that an earlier audit kept.
    pub reign: Option<Reign>,
    /// Look-ups that came to nothing and that nothing depends on.
    pub notes: Vec<String>,
}

/// The repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repository {
    /// `owner/name`.
    pub name: String,
    /// The branch whose schedules run.
    pub default_branch: Option<String>,
    /// Whether it is a fork.
    pub is_fork: Option<bool>,
    /// Whether only some see it; GitHub disables schedules for inactivity in public repositories alone.
    pub is_private: Option<bool>,
    /// When something was pushed last.
    pub last_activity: Option<Timestamp>,
}

/// What GitHub says of the workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workflow {
    /// Whether GitHub knows it: `Some(false)` is a clear no.
    pub is_known: Option<bool>,
    /// `active`, `disabled_inactivity`, `disabled_manually`, `disabled_fork`, `deleted`.
    pub state: Option<String>,
    /// When GitHub first saw it.
    pub created: Option<Timestamp>,
    /// When something about it changed last, its state for one.
    pub changed: Option<Timestamp>,
    /// Since when its schedule is what it is now, where that is known: no earlier slot can be expected.
    pub scheduled_since: Option<Timestamp>,
    /// Before which moment nobody can say whether its schedule was what it is now.
    pub unsure_before: Option<Timestamp>,
}

/// One run, as its newest attempt stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Its number in all of GitHub.
    pub id: u64,
    /// The newest attempt, from 1.
    pub attempt: Option<u32>,
    /// What started it.
    pub event: Option<String>,
    /// How far it is.
    pub status: Option<String>,
    /// How it ended.
    pub conclusion: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The commit.
    pub sha: Option<String>,
    /// When it was asked for; the same for every attempt.
    pub created: Option<Timestamp>,
    /// When the newest attempt began.
    pub started: Option<Timestamp>,
    /// When something about it changed last: its end, once it has ended.
    pub updated: Option<Timestamp>,
    /// Where people look at it.
    pub url: Option<String>,
}

impl Run {
    /// Whether it has come to its end.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.status.as_deref() == Some(COMPLETED)
    }

    /// Whether a schedule started it.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        self.event.as_deref() == Some(SCHEDULE)
    }

    /// When it ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<Timestamp> {
        self.updated.filter(|_| self.is_completed())
    }

    /// When the run was asked for: what an earlier attempt left behind is the run's as well.
    #[must_use]
    pub fn asked(&self) -> Option<Timestamp> {
        self.created.or(self.started)
    }

    /// When its newest attempt began, or the run was asked for.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        self.started.or(self.created)
    }
}

/// A job of a run that did not succeed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// The first of its steps that did not succeed.
    pub step: Option<String>,
    /// The end of its log, where it was read.
    pub tail: Option<String>,
}

/// An artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifact {
    /// Its number in all of GitHub.
    pub id: u64,
    /// The run that left it.
    pub run: Option<u64>,
    /// `sha256:…` as GitHub gives it.
    pub digest: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Whether its content is gone.
    pub expired: bool,
    /// When its content goes.
    pub expires: Option<Timestamp>,
}

/// What the artifact of a run holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// It was read.
    Read {
        /// `sha256:…` of the bytes that came.
        digest: String,
        /// The same of what is in it, without the metrics: the same for the same model.
        content: Option<String>,
        /// The metrics file.
        metrics: Metrics,
    },
    /// It could not be read, and why.
    Unknown(String),
}

/// The metrics of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Metrics {
    /// Name and value; of a list of numbers each has its index behind its name.
    Read(BTreeMap<String, f64>),
    /// There is no such file in the artifact.
    Absent,
    /// The file is none that could be read, and why.
    Broken(String),
}

/// A commit that touches the model's paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// All forty digits.
    pub sha: String,
    /// When it was committed.
    pub at: Option<Timestamp>,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its number in all of GitHub.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// When it was asked for.
    pub created: Option<Timestamp>,
    /// What became of it.
    pub statuses: Listing<Status>,
}

/// What became of a deployment, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// GitHub's word.
    pub state: Option<String>,
    /// When it was set.
    pub created: Option<Timestamp>,
}

impl Facts {
    /// Nothing but a moment and names: every list is unknown.
    #[must_use]
    pub fn unknown(as_of: Timestamp, repository: &str) -> Self {
        let name = repository.to_owned();
        Self {
            as_of,
            repository: Repository { name, ..Repository::default() },
            workflow: Workflow::default(),
            runs: not_asked(),
            jobs: BTreeMap::new(),
            artifacts: not_asked(),
            models: BTreeMap::new(),
            commits: not_asked(),
            deployments: not_asked(),
            deploying: not_asked(),
            reign: None,
            notes: Vec::new(),
        }
    }

    /// What was known at the moment of the audit: whatever came later is left out, and what ended later has not ended.
    #[must_use]
    pub fn at(mut self) -> Self {
        let now = self.as_of;
        let is_past = move |time: &Option<Timestamp>| time.is_none_or(|time| time <= now);
        for runs in [&mut self.runs, &mut self.deploying] {
            runs.retain(|run| is_past(&run.created));
            runs.items_mut().iter_mut().for_each(|run| run.go_back(now));
        }
        self.artifacts.retain(|artifact| is_past(&artifact.created));
        for artifact in self.artifacts.items_mut() {
            artifact.expired = artifact.expires.map_or(artifact.expired, |expires| expires <= now);
        }
        self.commits.retain(|commit| is_past(&commit.at));
        self.deployments.retain(|deployment| is_past(&deployment.created));
        for deployment in self.deployments.items_mut() {
            deployment.statuses.retain(|status| is_past(&status.created));
        }
        self.repository.last_activity = self.repository.last_activity.filter(|time| *time <= now);
        let workflow = &mut self.workflow;
        let is_later = workflow.changed.is_some_and(|changed| changed > now);
        if let Some(state) = workflow.state.as_deref().filter(|state| is_later && *state != ACTIVE) {
            self.notes.push(format!("the workflow is `{state}` by now, and it is not known since when"));
            workflow.state = Some(ACTIVE.to_owned());
        }
        self
    }
}

impl Run {
    fn go_back(&mut self, now: Timestamp) {
        if self.attempt.is_some_and(|attempt| attempt > 1) && self.started.is_some_and(|started| started > now) {
            // An earlier attempt stood there then, and how it ended is not told any more.
            (self.status, self.conclusion, self.attempt, self.started) = (None, None, None, None);
        } else if self.is_completed() && self.updated.is_some_and(|updated| updated > now) {
            (self.status, self.conclusion) = (Some("in_progress".to_owned()), None);
        }
    }
}

fn not_asked<T>() -> Listing<T> {
    Listing::Unknown { why: "nobody asked GitHub for it".to_owned(), next: "ask again".to_owned() }
}
