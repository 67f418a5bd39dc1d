//! Floor 5: GitHub's REST API.
//!
//! octocrab signs and sends; everything else about a request stands here: which are repeated (reads only), how long
//! that may take, how many pages a list may have, how large an answer. Answers are read into own types that survive
//! nulls and words that were not known when this was written: one run of an odd kind must not hide a hundred others.
//! Deliberately absent: any judgement. What a run's conclusion means for a deploy is `deploy`'s to say.

mod artifacts;
mod changes;
mod checks;
mod client;
mod comments;
mod deployments;
mod error;
mod issues;
mod list;
mod logs;
mod receive;
mod runs;
mod span;
mod wait;
mod words;
mod workflows;
mod zip;

pub use artifacts::{Artifact, ArtifactRun, Download};
pub use changes::{Commit, CommitBody, Committer, Parent, PullRequest, PullSide, Repository, SideRepository};
pub use checks::CheckRun;
pub use client::{ACCEPT_DIFF, Answer, Client, Hooks, JSON};
pub use comments::{Author, Comment};
pub use deployments::{Deployment, DeploymentStatus, Environment, NewStatus, PendingDeployment, PendingEnvironment};
pub use error::{Cause, Error};
pub use issues::{Issue, IssueChange, IssueFilter, LabelState, NewIssue};
pub use list::List;
pub use logs::LogTail;
pub use runs::{Job, Run, RunFilter, RunPull, RunRepository, Step, encode};
pub use words::{Conclusion, Slug, Status, WorkflowState};
pub use workflows::{Dispatched, Workflow};
pub use zip::{Unpacked, ZipError, ZipLimits, unpack};
