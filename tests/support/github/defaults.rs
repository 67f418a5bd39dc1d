//! What new things are before a test or a request says more.

use jiff::Timestamp;

use super::build::sha;
use super::state::{Attempt, CheckRun, Issue, Repository, Run};

impl Repository {
    /// Empty and public.
    pub fn new(id: u64, full_name: &str) -> Self {
        Self {
            id,
            full_name: full_name.to_owned(),
            former_names: Vec::new(),
            private: false,
            archived: false,
            pushed_at: Some(Timestamp::UNIX_EPOCH),
            default_branch: "main".to_owned(),
            fork_of: None,
            workflows: Vec::new(),
            runs: Vec::new(),
            jobs: Vec::new(),
            artifacts: Vec::new(),
            commits: Default::default(),
            refs: Default::default(),
            issues: Vec::new(),
            pulls: Vec::new(),
            comments: Vec::new(),
            labels: Default::default(),
            check_runs: Vec::new(),
            deployments: Vec::new(),
            environments: Vec::new(),
            dispatches: Vec::new(),
        }
    }

    /// The next number of an issue or pull request.
    pub fn next_number(&self) -> u64 {
        self.issues.iter().map(|issue| issue.number).max().unwrap_or_default() + 1
    }
}

impl Run {
    /// Completed and successful, on a push to the default branch's newest commit.
    pub fn new(repo: &Repository, workflow_id: u64, id: u64, now: Timestamp) -> Self {
        let workflow = repo.workflows.iter().find(|workflow| workflow.id == workflow_id);
        let branch = repo.default_branch.clone();
        let head = repo.refs.get(&format!("heads/{branch}")).cloned();
        let number = repo.runs.last().filter(|run| run.workflow_id == workflow_id).map_or_else(
            || repo.runs.iter().filter(|run| run.workflow_id == workflow_id).map(|run| run.number).max().unwrap_or(0),
            |run| run.number,
        ) + 1;
        Self {
            id,
            name: workflow.map(|workflow| workflow.name.clone()),
            display_title: "Change something".to_owned(),
            workflow_id,
            path: workflow.map(|workflow| workflow.path.clone()).unwrap_or_default(),
            branch: Some(branch),
            sha: head.unwrap_or_else(|| sha("head")),
            head_repo: repo.full_name.clone(),
            event: "push".to_owned(),
            status: Some("completed".to_owned()),
            conclusion: Some("success".to_owned()),
            actor: "octocat".to_owned(),
            number,
            attempt: 1,
            created_at: now,
            started_at: now,
            updated_at: now,
            pulls: Vec::new(),
            check_suite_id: id + 1_000_000,
            earlier: Vec::new(),
            pending: Vec::new(),
            approvals: Vec::new(),
            rule_answers: Vec::new(),
        }
    }

    /// Remembers what it was as an attempt and queues the next one.
    pub fn start_again(&mut self, now: Timestamp) {
        let (started_at, updated_at) = (self.started_at, self.updated_at);
        self.earlier.push(Attempt { conclusion: self.conclusion.take(), started_at, updated_at });
        self.attempt += 1;
        self.status = Some("queued".to_owned());
        (self.started_at, self.updated_at) = (now, now);
    }
}

impl Issue {
    /// Open, without a text.
    pub fn new(id: u64, number: u64, title: &str, author: &str, now: Timestamp) -> Self {
        Self {
            id,
            number,
            title: title.to_owned(),
            body: None,
            state: "open".to_owned(),
            state_reason: None,
            author: author.to_owned(),
            labels: Vec::new(),
            created_at: now,
            updated_at: now,
            closed_at: None,
        }
    }
}

impl CheckRun {
    /// Queued, without an output.
    pub fn new(id: u64, name: &str, head_sha: &str, app: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            head_sha: head_sha.to_owned(),
            app: app.to_owned(),
            status: "queued".to_owned(),
            conclusion: None,
            details_url: None,
            external_id: None,
            started_at: None,
            completed_at: None,
            title: None,
            summary: None,
            text: None,
            annotations: Vec::new(),
        }
    }
}
