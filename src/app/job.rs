//! The GitHub Actions job that this process runs in, from its environment and the event that started it.
//!
//! A pull request is tested as a merge that nobody pushed; what is said about it is said about its head. The event's
//! file is written by GitHub, yet its branch names and titles come from whoever opened the pull request.

use camino::Utf8Path;
use serde::Deserialize;

use super::Context;
use crate::record::Project;
use crate::record::bundle::Source;
use crate::sys::env::{self, Env};
use crate::sys::fs;

/// The largest event that is read.
const MAX_EVENT: u64 = 32 << 20;

/// What is known of the job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// `owner/name`.
    pub repository: String,
    /// What started it.
    pub event: String,
    /// The commit that it is about: of a pull request its head.
    pub commit: Option<String>,
    /// The merge that is tested, where it is not that commit.
    pub merge_commit: Option<String>,
    /// The branch; of a pull request the one that it comes from.
    pub branch: Option<String>,
    /// The pull request.
    pub pull: Option<Pull>,
    /// The finished run that a `workflow_run` job is about.
    pub finished: Option<Finished>,
    /// The run.
    pub run_id: Option<u64>,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// The job's name.
    pub name: Option<String>,
    /// The workflow's file, from the root of the repository.
    pub workflow: Option<String>,
    /// The branch that counts.
    pub default_branch: Option<String>,
    /// The address people see.
    pub server: String,
}

/// A pull request, as its event tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// The branch that it is to go to.
    pub base_branch: String,
    /// The newest commit of that branch when the event happened.
    pub base_sha: String,
    /// The other repository that it comes from, `owner/name`; a fork that is gone has no name.
    pub fork: Option<String>,
}

/// A finished run, as the event of a `workflow_run` job tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// The run.
    pub id: u64,
    /// Its attempt.
    pub attempt: u32,
    /// The commit: of a pull request its head.
    pub commit: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    repository: Repository,
    pull_request: Option<EventPull>,
    workflow_run: Option<EventRun>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    id: Option<u64>,
    full_name: Option<String>,
    default_branch: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EventPull {
    number: u64,
    head: Side,
    base: Side,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Side {
    sha: String,
    #[serde(rename = "ref")]
    branch: String,
    repo: Option<Repository>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EventRun {
    id: u64,
    run_attempt: Option<u32>,
    head_sha: String,
}

impl Job {
    /// The job; `None` outside GitHub Actions.
    #[must_use]
    pub fn of(context: &Context) -> Option<Self> {
        let event = context.env.get(env::GITHUB_EVENT_PATH);
        let event = event.and_then(|path| fs::read(Utf8Path::new(path), MAX_EVENT).ok());
        Self::from_parts(&context.env, event.as_deref().unwrap_or_default())
    }

    fn from_parts(env: &Env, event: &[u8]) -> Option<Self> {
        if !env.is_on(env::GITHUB_ACTIONS) {
            return None;
        }
        let text = |name: &str| env.get(name).map(str::to_owned);
        let number = |name: &str| env.get(name)?.parse().ok();
        let repository = text(env::GITHUB_REPOSITORY)?;
        let told: Event = serde_json::from_slice(event).unwrap_or_default();
        let tested = text(env::GITHUB_SHA);
        let reference = text(env::GITHUB_REF);
        let mut job = Self {
            event: text(env::GITHUB_EVENT_NAME).unwrap_or_default(),
            commit: tested.clone(),
            branch: reference.and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned)),
            run_id: number(env::GITHUB_RUN_ID),
            attempt: env.get(env::GITHUB_RUN_ATTEMPT).and_then(|attempt| attempt.parse().ok()).unwrap_or(1),
            name: text(env::GITHUB_JOB),
            workflow: text(env::GITHUB_WORKFLOW_REF).and_then(|path| workflow_file(&path, &repository)),
            default_branch: told.repository.default_branch,
            server: text(env::GITHUB_SERVER_URL).unwrap_or_else(|| "https://github.com".to_owned()),
            repository,
            ..Self::default()
        };
        if let Some(pull) = told.pull_request.filter(|pull| pull.number > 0) {
            let of = |side: &Side| side.repo.as_ref().and_then(|repo| repo.id);
            // A fork that is gone has no repository.
            let is_fork = of(&pull.head).is_none() || of(&pull.head) != of(&pull.base);
            let from = pull.head.repo.and_then(|repo| repo.full_name);
            // For pull_request_target it is the base.
            let is_merge = job.event != "pull_request_target";
            job.merge_commit = tested.filter(|tested| is_merge && *tested != pull.head.sha);
            job.commit = Some(pull.head.sha.clone());
            job.branch = Some(pull.head.branch.clone());
            job.pull = Some(Pull {
                number: pull.number,
                fork: is_fork.then(|| from.unwrap_or_else(|| "a fork that is gone".to_owned())),
                base_branch: pull.base.branch,
                base_sha: pull.base.sha,
            });
        }
        job.finished = told.workflow_run.filter(|run| run.id > 0).map(|run| Finished {
            id: run.id,
            attempt: run.run_attempt.unwrap_or(1),
            commit: run.head_sha,
        });
        Some(job)
    }

    /// Where a bundle made here comes from. It is about what is checked out, whatever the event is about.
    #[must_use]
    pub fn source(&self, checked_out: Option<&str>) -> Source {
        let is_out = |commit: &Option<String>| checked_out.is_none() || commit.as_deref() == checked_out;
        let is_about = is_out(&self.merge_commit) || is_out(&self.commit);
        Source {
            repository: Some(self.repository.clone()),
            commit: if is_about { self.commit.clone() } else { checked_out.map(str::to_owned) },
            merge_commit: self.merge_commit.clone().filter(|_| is_out(&self.merge_commit)),
            branch: self.branch.clone().filter(|_| is_about),
            event: Some(self.event.clone()),
            pull_request: self.pull.as_ref().map(|pull| pull.number),
            run_id: self.run_id,
            attempt: self.attempt,
            job: self.name.clone(),
            shard: None,
        }
    }

    /// Puts a run on the commit that it is about: the checked out one is a merge that only the runner has.
    pub fn name_commit(&self, project: &mut Project) {
        let is_checked_out = |commit: &Option<String>| commit.is_some() && *commit == project.commit;
        if is_checked_out(&self.merge_commit) {
            project.merge_commit = project.commit.take();
            project.commit.clone_from(&self.commit);
            project.branch = None;
        }
        if project.branch.is_none() && project.commit.is_some() && project.commit == self.commit {
            project.branch.clone_from(&self.branch);
        }
    }

    /// Whether this is a push to the branch that counts.
    #[must_use]
    pub fn is_default_push(&self) -> bool {
        self.event == "push" && self.branch.is_some() && self.branch == self.default_branch
    }

    /// Where people look at the run.
    #[must_use]
    pub fn run_url(&self) -> Option<String> {
        Some(format!("{}/{}/actions/runs/{}", self.server, self.repository, self.run_id?))
    }
}

/// `o/r/.github/workflows/ci.yml@refs/heads/main` → `.github/workflows/ci.yml`.
fn workflow_file(path: &str, repository: &str) -> Option<String> {
    let path = path.strip_prefix(repository)?.strip_prefix('/')?;
    Some(path.split('@').next().unwrap_or(path).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "1111111111111111111111111111111111111111";
    const MERGE: &str = "2222222222222222222222222222222222222222";

    fn env(event: &str) -> Env {
        [
            (env::GITHUB_ACTIONS, "true"),
            (env::GITHUB_REPOSITORY, "o/r"),
            (env::GITHUB_EVENT_NAME, event),
            (env::GITHUB_SHA, MERGE),
            (env::GITHUB_REF, if event == "push" { "refs/heads/main" } else { "refs/pull/7/merge" }),
            (env::GITHUB_RUN_ID, "42"),
            (env::GITHUB_RUN_ATTEMPT, "2"),
            (env::GITHUB_JOB, "gate"),
            (env::GITHUB_WORKFLOW_REF, "o/r/.github/workflows/ci.yml@refs/pull/7/merge"),
        ]
        .into_iter()
        .collect()
    }

    fn pull(head_repo: &str) -> String {
        format!(
            r#"{{"repository":{{"id":1,"default_branch":"main"}},"pull_request":{{"number":7,
            "head":{{"sha":"{HEAD}","ref":"change","repo":{head_repo}}},"base":{{"sha":"b","ref":"main","repo":{{"id":1}}}}}}}}"#
        )
    }

    #[test]
    fn a_pull_request_is_about_its_head() {
        let job = Job::from_parts(&env("pull_request"), pull(r#"{"id":1}"#).as_bytes()).unwrap();
        assert_eq!((job.commit.as_deref(), job.merge_commit.as_deref()), (Some(HEAD), Some(MERGE)));
        assert_eq!(
            (job.branch.as_deref(), job.workflow.as_deref()),
            (Some("change"), Some(".github/workflows/ci.yml"))
        );
        assert_eq!(job.pull.as_ref().map(|pull| (pull.number, pull.fork.is_some())), Some((7, false)));
        assert_eq!(job.run_url().as_deref(), Some("https://github.com/o/r/actions/runs/42"));
        let named = Job::from_parts(&env("pull_request"), pull(r#"{"id":2,"full_name":"m/w"}"#).as_bytes()).unwrap();
        assert_eq!(named.pull.unwrap().fork.as_deref(), Some("m/w"));
        for other in [r#"{"id":2}"#, "null"] {
            let job = Job::from_parts(&env("pull_request"), pull(other).as_bytes()).unwrap();
            assert!(job.pull.unwrap().fork.is_some(), "{other}");
        }
        let mut project = Project { commit: Some(MERGE.into()), ..Project::default() };
        job.name_commit(&mut project);
        assert_eq!((project.commit.as_deref(), project.merge_commit.as_deref()), (Some(HEAD), Some(MERGE)));
        assert_eq!(project.branch.as_deref(), Some("change"));
        let of = |out: Option<&str>| job.source(out);
        assert_eq!(of(Some(MERGE)).merge_commit.as_deref(), Some(MERGE));
        assert_eq!((of(Some(HEAD)).commit.as_deref(), of(Some(HEAD)).merge_commit), (Some(HEAD), None));
        assert_eq!((of(Some("3")).commit.as_deref(), of(Some("3")).branch), (Some("3"), None));
        assert_eq!((of(None).commit.as_deref(), of(None).merge_commit.as_deref()), (Some(HEAD), Some(MERGE)));
        let target = Job::from_parts(&env("pull_request_target"), pull(r#"{"id":2}"#).as_bytes()).unwrap();
        assert_eq!((target.merge_commit, target.commit.as_deref()), (None, Some(HEAD)), "the base is no merge of it");
        // Somebody checked out something else: then the run is about that.
        let mut other = Project { commit: Some("3".into()), ..Project::default() };
        job.name_commit(&mut other);
        assert_eq!((other.commit.as_deref(), other.merge_commit, other.branch), (Some("3"), None, None));
    }

    #[test]
    fn pushes_and_finished_runs_are_told_apart_and_nothing_is_made_up() {
        let push = Job::from_parts(&env("push"), br#"{"repository":{"default_branch":"main"}}"#).unwrap();
        assert!(push.is_default_push() && push.pull.is_none());
        let unread = Job::from_parts(&env("push"), b"no json").unwrap();
        assert!(!unread.is_default_push());
        let event = format!(r#"{{"workflow_run":{{"id":9,"run_attempt":3,"head_sha":"{HEAD}"}}}}"#);
        let run = Job::from_parts(&env("workflow_run"), event.as_bytes()).unwrap().finished.unwrap();
        assert_eq!((run.id, run.attempt, run.commit.as_str()), (9, 3, HEAD));
        assert_eq!(Job::from_parts(&Env::default(), b"{}"), None);
    }
}
