//! What travels from the job that ran the checks to whoever judges them: `mgmt.bundle/1`.
//!
//! A folder: `bundle.json`, the report files under `evidence/`, and the run's record. Nothing in it is believed but
//! what the reports themselves say: verdicts, rules and sums are made anew by the reader, under the reader's policy.

use serde::{Deserialize, Serialize};

use crate::evidence::coverage::paths::{Project, Rule};
use crate::evidence::{Kind, Repeats};

/// The schema of `bundle.json`.
pub const SCHEMA: &str = "mgmt.bundle/1";
/// The file that says what else is there.
pub const INDEX: &str = "bundle.json";
/// The record of the run.
pub const RECORD: &str = "record.json";
/// The folder of the report files.
pub const EVIDENCE: &str = "evidence";

/// `bundle.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// `mgmt.bundle/1`.
    pub schema: String,
    /// The version of the program that made it.
    pub version: String,
    /// Where it comes from.
    pub source: Source,
    /// The report files.
    pub files: Vec<File>,
    /// Reports that were read and are not here, each with the reason: what is judged without them is undecided.
    pub missing: Vec<Missing>,
    /// The files of the project: paths in reports are matched with them.
    pub project: Project,
}

/// Where evidence comes from, as the job itself saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `owner/name`; `None` outside GitHub Actions.
    pub repository: Option<String>,
    /// The commit that the evidence is about: of a pull request its head.
    pub commit: Option<String>,
    /// The merge that was tested, where it is not that commit.
    pub merge_commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// What started the run.
    pub event: Option<String>,
    /// The pull request.
    pub pull_request: Option<u64>,
    /// The run.
    pub run_id: Option<u64>,
    /// Its attempt.
    pub attempt: u32,
    /// The job.
    pub job: Option<String>,
    /// Which of several parts of one run this is.
    pub shard: Option<String>,
}

/// A report file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Its path in the project, or absolute.
    pub path: String,
    /// Its path below `evidence/`.
    pub stored: String,
    /// The check that it belongs to.
    pub check: String,
    /// What it is about, where that is known.
    pub kind: Option<Kind>,
    /// Its format, where that is known.
    pub format: Option<String>,
    /// How repeated tests in it count.
    #[serde(default)]
    pub repeats: Repeats,
    /// Where its paths begin in the project.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<Rule>,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// A report that is not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its path, or what stands in for one.
    pub path: String,
    /// The check that it belongs to.
    pub check: String,
    /// Why it is not here.
    pub reason: String,
}
