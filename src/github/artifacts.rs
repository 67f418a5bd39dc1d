//! Artifacts of workflow runs.

use std::fs::File;

use jiff::Timestamp;
use serde::Deserialize;

use super::client::Client;
use super::error::{Cause, Error};
use super::list::{List, PER_PAGE, Query};
use super::runs::encode;
use super::words::Slug;

/// Pages of artifacts that are read of one run: a matrix of a thousand jobs.
const PAGES: usize = 10;

/// A zip file that a run left behind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Artifact {
    /// Its number in all of GitHub.
    pub id: u64,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Bytes of the zip file.
    #[serde(default)]
    pub size_in_bytes: u64,
    /// Whether its content is gone.
    #[serde(default)]
    pub expired: bool,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When it goes.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// `sha256:…` of the zip file; older ones have none.
    #[serde(default)]
    pub digest: Option<String>,
    /// The run that left it.
    #[serde(default)]
    pub workflow_run: Option<ArtifactRun>,
}

/// What an artifact tells of its run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ArtifactRun {
    /// Its number.
    #[serde(default)]
    pub id: Option<u64>,
    /// The repository it ran in.
    #[serde(default)]
    pub repository_id: Option<u64>,
    /// The repository its commit comes from: another one for a fork.
    #[serde(default)]
    pub head_repository_id: Option<u64>,
    /// The branch.
    #[serde(default)]
    pub head_branch: Option<String>,
    /// The commit.
    #[serde(default)]
    pub head_sha: Option<String>,
}

/// What became of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Download {
    /// It is there; its SHA-256 in hexadecimal, which is the one that GitHub names if it names one.
    Whole(String),
    /// It has expired.
    Expired,
}

impl Client {
    /// The artifacts of a run, of all its attempts.
    ///
    /// # Errors
    /// No such run, and whatever else keeps an answer away.
    pub fn artifacts_of_run(&self, repository: &Slug, run: u64) -> Result<List<Artifact>, Error> {
        self.list(&Query {
            what: &format!("list the artifacts of run {run}"),
            path: &format!("{}/actions/runs/{run}/artifacts", repository.path()),
            field: Some("artifacts"),
            pages: PAGES,
            last: &|_: &Artifact| false,
        })
    }

    /// The newest artifacts of this name in the repository, whichever run left them; one page of them.
    ///
    /// # Errors
    /// No such repository, and whatever else keeps an answer away.
    pub fn artifacts_named(&self, repository: &Slug, name: &str) -> Result<List<Artifact>, Error> {
        self.list(&Query {
            what: &format!("list the artifacts named {name}"),
            path: &format!("{}/actions/artifacts?name={}", repository.path(), encode(name)),
            field: Some("artifacts"),
            pages: 1,
            last: &|_: &Artifact| false,
        })
    }

    /// The artifacts of this name in the repository that were made since `since`, the newest first, of at most `limit`
    /// that are looked at. One whose time is not told counts as one of them.
    ///
    /// # Errors
    /// No such repository, and whatever else keeps an answer away.
    pub fn artifacts_since(
        &self,
        repository: &Slug,
        name: &str,
        since: Timestamp,
        limit: usize,
    ) -> Result<List<Artifact>, Error> {
        let is_older = |artifact: &Artifact| artifact.created_at.is_some_and(|made| made < since);
        let mut list = self.list(&Query {
            what: &format!("list the artifacts named {name}"),
            path: &format!("{}/actions/artifacts?name={}", repository.path(), encode(name)),
            field: Some("artifacts"),
            pages: limit.div_ceil(PER_PAGE).max(1),
            last: &is_older,
        })?;
        list.items.retain(|artifact| !is_older(artifact));
        Ok(list)
    }

    /// Reads an artifact's zip file into `out`, at most `limit` bytes.
    ///
    /// # Errors
    /// A file that is larger, or is not the one that GitHub names, and whatever else keeps an answer away.
    pub fn artifact(
        &self,
        repository: &Slug,
        artifact: &Artifact,
        out: &mut File,
        limit: u64,
    ) -> Result<Download, Error> {
        let what = format!("download the artifact {}", crate::sys::text::one_line(&artifact.name));
        if artifact.expired {
            return Ok(Download::Expired);
        }
        if artifact.size_in_bytes > limit {
            return Err(Error::new(&what, Cause::TooLarge { limit }));
        }
        let path = format!("{}/actions/artifacts/{}/zip", repository.path(), artifact.id);
        let hash = match self.download(&what, &path, out, limit) {
            Ok(hash) => hash,
            Err(error) if error.http_status() == Some(410) => return Ok(Download::Expired),
            Err(error) => return Err(error),
        };
        match artifact.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:")) {
            Some(told) if !told.eq_ignore_ascii_case(&hash) => {
                let why = format!("its SHA-256 is {hash}, GitHub names {}", crate::sys::text::shorten(told, 80));
                Err(Error::new(&what, Cause::Unreadable(why)))
            }
            _ => Ok(Download::Whole(hash)),
        }
    }
}
