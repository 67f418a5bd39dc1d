//! What is known when a stage is decided: what GitHub answered, and what it left open.

use jiff::Timestamp;

pub use crate::sys::listing::Listing;

/// Everything that a stage is decided by, beside its settings and the judged rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The commit, all forty digits.
    pub sha: String,
    /// The moment of the last look.
    pub now: Timestamp,
    /// The workflow run that asks, if one does.
    pub own_run: Option<u64>,
    /// The required workflows, in the order of the settings.
    pub workflows: Vec<Workflow>,
    /// The stage before, if there is one.
    pub before: Option<Before>,
    /// The evidence of the deciding runs, if any is wanted.
    pub evidence: Vec<Evidence>,
}

/// A required workflow and its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// Its file.
    pub file: String,
    /// Its runs on the commit.
    pub runs: Listing<Run>,
}

/// One run, as its newest attempt stands. Words are GitHub's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its number in all of GitHub.
    pub id: u64,
    /// Its number among the runs of its workflow.
    pub number: u64,
    /// The newest attempt, from 1.
    pub attempt: Option<u32>,
    /// What started it.
    pub event: Option<String>,
    /// How far it is.
    pub status: Option<String>,
    /// How it ended.
    pub conclusion: Option<String>,
    /// The commit.
    pub head_sha: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// Where the commit comes from.
    pub origin: Origin,
    /// When the newest attempt began.
    pub started: Option<Timestamp>,
    /// Where people look at it.
    pub url: Option<String>,
}

/// Where a run's commit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The repository itself.
    Own,
    /// Another one: a fork.
    Fork,
    /// Nobody says.
    Unknown,
}

/// The stage before.
#[derive(Clone, Debug, PartialEq)]
pub struct Before {
    /// Its name.
    pub stage: String,
    /// Its environment.
    pub environment: String,
    /// The deployments of the commit to it.
    pub deployments: Listing<Deployment>,
    /// The statuses of the newest of them.
    pub statuses: Listing<Status>,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Its number in all of GitHub.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// Where it goes.
    pub environment: Option<String>,
    /// When it was asked for.
    pub created: Option<Timestamp>,
}

/// What became of a deployment, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Its number in all of GitHub.
    pub id: u64,
    /// GitHub's word.
    pub state: Option<String>,
    /// When it was set.
    pub created: Option<Timestamp>,
}

/// The evidence of one workflow's deciding run.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The workflow's file.
    pub workflow: String,
    /// The run's newest attempt.
    pub attempt: Option<u32>,
    /// Its artifacts that hold evidence.
    pub artifacts: Listing<Artifact>,
}

/// An artifact that holds the evidence of a shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// Its number in all of GitHub.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// What became of reading it.
    pub content: Content,
}

/// What became of reading an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nobody has tried.
    Unread,
    /// It is of this commit and this run, and nothing of it was lost.
    Whole,
    /// GitHub has removed it.
    Expired,
    /// It cannot be used, and why: damaged, or another commit's.
    Useless(String),
}
