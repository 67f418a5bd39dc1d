//! What `ci baseline` learnt from GitHub, for the commands after it in the same job: they run the project's own code
//! and therefore hold no token.
//!
//! A clone of one commit knows neither the base branch's policy nor what a pull request changes. Both are written
//! into the runner's own folder, which is empty when a job begins.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::Context;
use crate::sys::env::{self, Env};
use crate::sys::fs;

/// The form of the file.
const SCHEMA: &str = "mgmt.told/1";
/// The largest one that is read: GitHub's diffs are far below it.
const MAX: u64 = 256 << 20;

/// What is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The form.
    pub schema: String,
    /// The commit whose policy judges.
    pub base: Option<String>,
    /// Where it was looked for, in this order.
    pub looked: Vec<Utf8PathBuf>,
    /// That policy; `None` if that commit has none.
    pub policy: Option<Policy>,
    /// The change; `None` where git itself knows it.
    pub change: Option<Change>,
}

/// A policy's text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Where it lies in the repository.
    pub path: Utf8PathBuf,
    /// It.
    pub text: String,
}

/// What a commit changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// The commit.
    pub tested: String,
    /// The commit that the change starts from, and those before it by first parent as far as they were needed.
    pub before: Vec<String>,
    /// The change between the two as a unified diff; else why nobody knows it.
    pub diff: Option<Diff>,
    /// The change since the baseline's commit, where that lies further back.
    pub since: Option<(String, Diff)>,
}

/// A change's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Diff {
    /// A unified diff.
    Text(String),
    /// None, for this reason.
    Unknown(String),
}

impl Told {
    /// What this job was told.
    #[must_use]
    pub fn read(context: &Context) -> Option<Self> {
        let bytes = fs::read(&path(&context.env)?, MAX).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|told: &Self| told.schema == SCHEMA)
    }

    /// Tells the commands after this one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, context: &Context) -> Result<(), fs::Error> {
        let Some(path) = path(&context.env) else { return Ok(()) };
        let told = Self { schema: SCHEMA.to_owned(), ..self.clone() };
        fs::write_atomic(&path, &serde_json::to_vec(&told).unwrap_or_default())
    }
}

/// Of one attempt of one run: a folder that somebody forgot to empty tells nothing.
fn path(env: &Env) -> Option<Utf8PathBuf> {
    let word = |name: &str| env.get(name).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let (run, attempt) = (word(env::GITHUB_RUN_ID)?, word(env::GITHUB_RUN_ATTEMPT)?);
    Some(Utf8Path::new(env.get(env::RUNNER_TEMP)?).join(format!("mgmt-told-{run}-{attempt}.json")))
}
