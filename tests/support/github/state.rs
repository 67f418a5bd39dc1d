//! What the fake knows: plain data that tests set up and read back.
//!
//! Nothing here answers requests; the routes render it, and `build` fills it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

/// Everything behind one server.
#[derive(Debug)]
pub struct State {
    /// The clock: it moves only when a test moves it.
    pub now: Timestamp,
    /// In the order in which they were made.
    pub repos: Vec<Repository>,
    /// Known tokens. While there is none, every token may do everything.
    pub tokens: BTreeMap<String, Token>,
    /// The primary limit.
    pub rate: Rate,
    /// The last id that was given away; ids rise over all kinds of things.
    pub last_id: u64,
}

/// The primary rate limit, counted down by every request except `GET /rate_limit`.
#[derive(Debug, Clone)]
pub struct Rate {
    /// Requests an hour.
    pub limit: u64,
    /// Requests so far.
    pub used: u64,
    /// When the count starts anew, in seconds since 1970.
    pub reset: i64,
}

/// What a token is and may do.
#[derive(Debug, Clone)]
pub struct Token {
    /// Whose it is.
    pub kind: TokenKind,
    /// Login of its user; bots end in `[bot]`.
    pub login: String,
    /// What it lacks, such as `issues: write` or `actions: read` (which is then missing for writing, too).
    pub lacking: BTreeSet<String>,
}

/// Kinds of tokens that GitHub tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `GITHUB_TOKEN` of a job: an app's token that cannot answer protection rules.
    Actions,
    /// An installation of another app.
    App,
    /// A person's: cannot write check runs.
    User,
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its number.
    pub id: u64,
    /// `owner/name`.
    pub full_name: String,
    /// Names it had before; they lead here.
    pub former_names: Vec<String>,
    /// Whether only tokens see it.
    pub private: bool,
    /// Whether nothing in it changes any more.
    pub archived: bool,
    /// The last push; `None` for an empty one.
    pub pushed_at: Option<Timestamp>,
    /// `main` unless a test says otherwise.
    pub default_branch: String,
    /// The full name of the repository it was forked from.
    pub fork_of: Option<String>,
    /// Workflow files.
    pub workflows: Vec<Workflow>,
    /// Runs by id, oldest first.
    pub runs: Vec<Run>,
    /// Jobs of all runs.
    pub jobs: Vec<Job>,
    /// Artifacts of all runs.
    pub artifacts: Vec<Artifact>,
    /// Commits by SHA, also those of forks' pull requests.
    pub commits: BTreeMap<String, Commit>,
    /// `heads/main`, `tags/v1` … and the SHA each is at.
    pub refs: BTreeMap<String, String>,
    /// Issues; a pull request is one, too.
    pub issues: Vec<Issue>,
    /// What makes some issues pull requests.
    pub pulls: Vec<Pull>,
    /// Comments on issues and pull requests.
    pub comments: Vec<Comment>,
    /// Labels by name.
    pub labels: BTreeMap<String, Label>,
    /// Check runs.
    pub check_runs: Vec<CheckRun>,
    /// Deployments with their statuses.
    pub deployments: Vec<Deployment>,
    /// Environments.
    pub environments: Vec<Environment>,
    /// Workflows that were dispatched through the API.
    pub dispatches: Vec<Dispatch>,
}

/// A workflow file.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// Its number.
    pub id: u64,
    /// What it calls itself.
    pub name: String,
    /// `.github/workflows/ci.yml`.
    pub path: String,
    /// `active`, `disabled_inactivity` …
    pub state: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A workflow run, as its newest attempt left it.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its number, over all repositories.
    pub id: u64,
    /// The workflow's name; null in some answers.
    pub name: Option<String>,
    /// What the list on the web shows.
    pub display_title: String,
    /// The workflow's number.
    pub workflow_id: u64,
    /// The workflow's file.
    pub path: String,
    /// The branch; null when it is gone.
    pub branch: Option<String>,
    /// The commit; on a pull request the head, not the merge.
    pub sha: String,
    /// The full name of the repository that has the commit: a fork's for pull requests from forks.
    pub head_repo: String,
    /// `push`, `pull_request` …
    pub event: String,
    /// `completed`, `in_progress` …
    pub status: Option<String>,
    /// `success` … once it is completed.
    pub conclusion: Option<String>,
    /// Who caused it.
    pub actor: String,
    /// Counts runs of the workflow.
    pub number: u64,
    /// Counts its attempts, from 1.
    pub attempt: u64,
    /// The first attempt's start.
    pub created_at: Timestamp,
    /// This attempt's start.
    pub started_at: Timestamp,
    /// The last change.
    pub updated_at: Timestamp,
    /// Numbers of open pull requests from the same repository with this head; empty for forks.
    pub pulls: Vec<u64>,
    /// Its check suite.
    pub check_suite_id: u64,
    /// What earlier attempts were, oldest first.
    pub earlier: Vec<Attempt>,
    /// Environments it waits for.
    pub pending: Vec<String>,
    /// Reviews of those.
    pub approvals: Vec<Approval>,
    /// What apps answered to protection rules.
    pub rule_answers: Vec<RuleAnswer>,
}

/// What a run was before it was re-run.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// How that attempt ended.
    pub conclusion: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub updated_at: Timestamp,
}

/// A job of one attempt.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// The run it belongs to.
    pub run: u64,
    /// The attempt it ran in.
    pub attempt: u64,
    /// Its name with the matrix.
    pub name: String,
    /// `completed` …
    pub status: String,
    /// `success` …
    pub conclusion: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Names and conclusions of its steps.
    pub steps: Vec<(String, String)>,
    /// What it printed.
    pub log: String,
}

/// An uploaded artifact.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Its number.
    pub id: u64,
    /// The run that made it.
    pub run: u64,
    /// Its name; re-runs may upload it again.
    pub name: String,
    /// The archive.
    pub bytes: Vec<u8>,
    /// `sha256:…`; old uploads have none.
    pub digest: Option<String>,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// When it goes.
    pub expires_at: Timestamp,
}

/// A commit. Its tree is that of its first parent with `files` applied.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Its name.
    pub sha: String,
    /// Parents, first parent first.
    pub parents: Vec<String>,
    /// What it says.
    pub message: String,
    /// Login of its author.
    pub author: String,
    /// When it was made.
    pub at: Timestamp,
    /// Files it writes, and those it removes (`None`).
    pub files: BTreeMap<String, Option<Vec<u8>>>,
}

/// An issue or the issue half of a pull request.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its id.
    pub id: u64,
    /// What people call it by.
    pub number: u64,
    /// The title.
    pub title: String,
    /// The text.
    pub body: Option<String>,
    /// `open` or `closed`.
    pub state: String,
    /// Why it was closed.
    pub state_reason: Option<String>,
    /// Login of its author.
    pub author: String,
    /// Names of labels.
    pub labels: Vec<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// The last change.
    pub updated_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// What a pull request has beside its issue.
#[derive(Debug, Clone)]
pub struct Pull {
    /// The issue's number.
    pub number: u64,
    /// The full name of the head's repository; `None` when the fork was deleted.
    pub head_repo: Option<String>,
    /// The head's branch.
    pub head_ref: String,
    /// The head's commit.
    pub head_sha: String,
    /// The branch it goes to.
    pub base_ref: String,
    /// That branch's commit.
    pub base_sha: String,
    /// The test merge.
    pub merge_sha: Option<String>,
    /// Not ready yet.
    pub draft: bool,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
    /// Stands in for the difference that the commits' files make.
    pub diff: Option<String>,
}

/// A comment on an issue.
#[derive(Debug, Clone)]
pub struct Comment {
    /// Its number.
    pub id: u64,
    /// The issue's number.
    pub issue: u64,
    /// Login of its author.
    pub author: String,
    /// Markdown.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A label.
#[derive(Debug, Clone)]
pub struct Label {
    /// Its number.
    pub id: u64,
    /// Six hexadecimal digits.
    pub color: String,
    /// What it is for.
    pub description: Option<String>,
}

/// A check run.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The commit.
    pub head_sha: String,
    /// The app that made it.
    pub app: String,
    /// `queued`, `in_progress`, `completed`.
    pub status: String,
    /// Once it is completed.
    pub conclusion: Option<String>,
    /// Where to read more.
    pub details_url: Option<String>,
    /// The maker's own id.
    pub external_id: Option<String>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The heading.
    pub title: Option<String>,
    /// Markdown.
    pub summary: Option<String>,
    /// More Markdown.
    pub text: Option<String>,
    /// All annotations of all requests.
    pub annotations: Vec<Value>,
}

/// A deployment.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Its number.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// The branch, tag or commit that was asked for.
    pub reference: String,
    /// `deploy` unless something else was asked for.
    pub task: String,
    /// Where to.
    pub environment: String,
    /// What it says.
    pub description: Option<String>,
    /// Login of its creator.
    pub creator: String,
    /// Whatever the creator wants to remember.
    pub payload: Value,
    /// An environment that goes away.
    pub transient: bool,
    /// An environment that users see.
    pub production: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Oldest first.
    pub statuses: Vec<DeploymentStatus>,
}

/// What became of a deployment.
#[derive(Debug, Clone)]
pub struct DeploymentStatus {
    /// Its number.
    pub id: u64,
    /// `success`, `inactive` …
    pub state: String,
    /// What it says.
    pub description: String,
    /// Where to.
    pub environment: String,
    /// The log.
    pub log_url: String,
    /// The thing itself.
    pub environment_url: String,
    /// Login of its creator.
    pub creator: String,
    /// When it was set.
    pub created_at: Timestamp,
}

/// An environment.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Minutes to wait.
    pub wait_timer: u64,
    /// Logins of those who must look at it.
    pub reviewers: Vec<String>,
    /// Slugs of apps with a custom protection rule.
    pub rules: Vec<String>,
    /// Whether only protected branches may go there.
    pub protected_branches: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A review of pending deployments.
#[derive(Debug, Clone)]
pub struct Approval {
    /// Names of environments.
    pub environments: Vec<String>,
    /// `approved` or `rejected`.
    pub state: String,
    /// What the reviewer says.
    pub comment: String,
    /// Login of the reviewer.
    pub login: String,
}

/// An app's answer to its protection rule; without a state it only reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAnswer {
    /// The environment's name.
    pub environment: String,
    /// `approved` or `rejected`.
    pub state: Option<String>,
    /// What the app says.
    pub comment: String,
}

/// A workflow dispatched through the API.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// The workflow's number.
    pub workflow_id: u64,
    /// The branch or tag.
    pub reference: String,
    /// Its inputs.
    pub inputs: Value,
}

impl State {
    /// Empty, on the first day of 2026.
    pub fn new() -> Self {
        let now = Timestamp::from_second(1_767_225_600).unwrap_or_default();
        let rate = Rate { limit: 1000, used: 0, reset: now.as_second() + 3600 };
        Self { now, repos: Vec::new(), tokens: BTreeMap::new(), rate, last_id: 1000 }
    }

    /// A new id.
    pub fn id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A repository by its full name; case does not matter.
    pub fn find(&self, name: &str) -> Option<&Repository> {
        self.repos.iter().find(|repo| repo.full_name.eq_ignore_ascii_case(name))
    }

    /// The same, to change it.
    pub fn find_mut(&mut self, name: &str) -> Option<&mut Repository> {
        self.repos.iter_mut().find(|repo| repo.full_name.eq_ignore_ascii_case(name))
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
