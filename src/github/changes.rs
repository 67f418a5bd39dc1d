//! Repositories, commits, files at a commit, and pull requests with their change.

use jiff::Timestamp;
use serde::Deserialize;

use super::client::{ACCEPT_DIFF, Client};
use super::error::{Cause, Error};
use super::list::{List, PER_PAGE, Query};
use super::runs::{encode, or_default};
use super::words::Slug;

/// Ask for a file as it is.
const RAW: &str = "application/vnd.github.raw+json";

/// What is known of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Repository {
    /// Its number in all of GitHub.
    pub id: u64,
    /// `owner/name`.
    #[serde(default)]
    pub full_name: Option<String>,
    /// The branch that counts.
    pub default_branch: String,
    /// Whether it is a fork: schedules of forks are off until somebody turns them on.
    #[serde(default)]
    pub fork: Option<bool>,
    /// Whether nothing in it changes or runs any more.
    #[serde(default)]
    pub archived: Option<bool>,
    /// Whether only tokens see it.
    #[serde(default)]
    pub private: Option<bool>,
    /// When something was last pushed to it, to any branch; `None` for one that is empty.
    #[serde(default)]
    pub pushed_at: Option<Timestamp>,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Commit {
    /// Its forty digits.
    pub sha: String,
    /// Its parents, first parent first.
    #[serde(default, deserialize_with = "or_default")]
    pub parents: Vec<Parent>,
    /// What git itself knows of it.
    #[serde(default)]
    pub commit: Option<CommitBody>,
}

/// What git itself knows of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CommitBody {
    /// What it says.
    #[serde(default)]
    pub message: Option<String>,
    /// Who put it there, and when.
    #[serde(default)]
    pub committer: Option<Committer>,
}

/// Who put a commit there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Committer {
    /// The name, as the commit claims it.
    #[serde(default)]
    pub name: Option<String>,
    /// When, as the commit claims it.
    #[serde(default)]
    pub date: Option<Timestamp>,
}

impl Commit {
    /// When it was committed, as it claims itself.
    #[must_use]
    pub fn committed_at(&self) -> Option<Timestamp> {
        self.commit.as_ref()?.committer.as_ref()?.date
    }
}

/// A parent of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Parent {
    /// Its forty digits.
    pub sha: String,
}

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: Option<String>,
    /// What is to be merged.
    pub head: PullSide,
    /// Where it is to go.
    pub base: PullSide,
    /// The merge of the two that is tested now.
    #[serde(default)]
    pub merge_commit_sha: Option<String>,
    /// When it was merged, if it was.
    #[serde(default)]
    pub merged_at: Option<Timestamp>,
}

/// One side of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PullSide {
    /// The branch.
    #[serde(rename = "ref")]
    pub branch: String,
    /// Its newest commit.
    pub sha: String,
    /// Its repository; `None` for a fork that is gone.
    #[serde(default)]
    pub repo: Option<SideRepository>,
}

/// A repository as a pull request names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SideRepository {
    /// Its number in all of GitHub.
    pub id: u64,
    /// `owner/name`.
    #[serde(default)]
    pub full_name: Option<String>,
}

impl Client {
    /// The repository.
    ///
    /// # Errors
    /// No such repository, and whatever else keeps an answer away.
    pub fn repository(&self, repository: &Slug) -> Result<Repository, Error> {
        self.get_json(&format!("look at {repository}"), &repository.path())
    }

    /// A file at a commit, a branch or a tag; `None` if there is none.
    ///
    /// # Errors
    /// Whatever else keeps an answer away.
    pub fn file(&self, repository: &Slug, path: &str, at: &str) -> Result<Option<Vec<u8>>, Error> {
        let parts: Vec<_> = path.split('/').map(encode).collect();
        let address = format!("{}/contents/{}?ref={}", repository.path(), parts.join("/"), encode(at));
        match self.get(&format!("read {path}"), &address, RAW) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) if error.http_status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The commits that lead to one, newest first: one page of them. Those of merged branches are among them.
    ///
    /// # Errors
    /// No such commit, and whatever else keeps an answer away.
    pub fn commits(&self, repository: &Slug, from: &str) -> Result<List<Commit>, Error> {
        self.list(&Query {
            what: "list the commits",
            path: &format!("{}/commits?sha={}", repository.path(), encode(from)),
            field: None,
            pages: 1,
            last: &|_: &Commit| false,
        })
    }

    /// The commits of a branch, committed since `since`, that touch a file or something below a folder; the newest
    /// first, at most `limit` of them. GitHub takes a plain path here and no pattern.
    ///
    /// # Errors
    /// No such branch, and whatever else keeps an answer away.
    pub fn commits_touching(
        &self,
        repository: &Slug,
        branch: &str,
        path: &str,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<List<Commit>, Error> {
        let branch = encode(branch);
        let since = since.map(|since| format!("&since={}", encode(&since.to_string()))).unwrap_or_default();
        let mut list = self.list(&Query {
            what: &format!("list the commits that touch {path}"),
            path: &format!("{}/commits?sha={branch}&path={}{since}", repository.path(), encode(path)),
            field: None,
            pages: limit.div_ceil(PER_PAGE).max(1),
            last: &|_: &Commit| false,
        })?;
        list.truncated |= list.items.len() > limit;
        list.items.truncate(limit);
        Ok(list)
    }

    /// A pull request.
    ///
    /// # Errors
    /// No such pull request, and whatever else keeps an answer away.
    pub fn pull_request(&self, repository: &Slug, number: u64) -> Result<PullRequest, Error> {
        let path = format!("{}/pulls/{number}", repository.path());
        self.get_json(&format!("look at pull request {number}"), &path)
    }

    /// The open pull requests from a branch of `owner`.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn pull_requests_from(&self, repository: &Slug, owner: &str, branch: &str) -> Result<List<PullRequest>, Error> {
        let head = encode(&format!("{owner}:{branch}"));
        self.list(&Query {
            what: "list the pull requests of the branch",
            path: &format!("{}/pulls?state=open&head={head}", repository.path()),
            field: None,
            pages: 3,
            last: &|_: &PullRequest| false,
        })
    }

    /// The pull requests that brought a commit, or are to.
    ///
    /// # Errors
    /// No such commit, a token that may not see pull requests, and whatever else keeps an answer away.
    pub fn pull_requests_of(&self, repository: &Slug, commit: &str) -> Result<List<PullRequest>, Error> {
        self.list(&Query {
            what: &format!("list the pull requests of {}", commit.get(..10).unwrap_or(commit)),
            path: &format!("{}/commits/{}/pulls", repository.path(), encode(commit)),
            field: None,
            pages: 1,
            last: &|_: &PullRequest| false,
        })
    }

    /// What a commit changes against one that it comes from, as a unified diff: what is between the commit that both
    /// have and the second. GitHub refuses very large ones.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn diff_between(&self, repository: &Slug, from: &str, to: &str) -> Result<Vec<u8>, Error> {
        let path = format!("{}/compare/{}...{}", repository.path(), encode(from), encode(to));
        self.diff("read what changed", &path)
    }

    /// Whether a branch has all of a commit.
    ///
    /// # Errors
    /// Nothing in common, and whatever else keeps an answer away.
    pub fn is_on(&self, repository: &Slug, branch: &str, commit: &str) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Compared {
            behind_by: u64,
        }
        let path = format!("{}/compare/{}...{}?per_page=1", repository.path(), encode(commit), encode(branch));
        let Compared { behind_by } = self.get_json(&format!("look whether {branch} has the commit"), &path)?;
        Ok(behind_by == 0)
    }

    /// What a pull request changes, as a unified diff. GitHub refuses very large ones.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn pull_request_diff(&self, repository: &Slug, number: u64) -> Result<Vec<u8>, Error> {
        let path = format!("{}/pulls/{number}", repository.path());
        self.diff(&format!("read the change of pull request {number}"), &path)
    }

    fn diff(&self, what: &str, path: &str) -> Result<Vec<u8>, Error> {
        let answer = self.get(what, path, ACCEPT_DIFF)?;
        if answer.body.starts_with(b"{") {
            return Err(Error::new(what, Cause::Unreadable("it is JSON and no diff".to_owned())));
        }
        Ok(answer.body)
    }
}
