//! `init --github`: the workflows that put a policy to work on GitHub, next to what is in `.github/workflows` already.
//!
//! A workflow is a text with gaps beside this file and one row in [`WORKFLOWS`]; one that the policy gives no reason
//! for is left out, and told. The same texts are the README's examples. What is written is read back before anyone
//! sees it. Deliberately absent: a workflow that could not work today, and changes to what somebody else wrote.

mod audit;
mod deploy;
mod fill;

use camino::{Utf8Path, Utf8PathBuf};

use super::disk::Disk;
use super::project::Project;
use super::scalar::scalar;
use super::{DETECTORS, Overwrite, Proposed};
use crate::app::{Context, Stop};
use crate::check::Action;
use crate::config::{self, Config, FILE_NAMES, LoadError};
use crate::repo::ancestry;
use crate::retrain::workflow::FOLDER;
use crate::sys::fs;
use crate::sys::text;
use fill::fill;

/// The largest workflow that is compared with what would be written.
const MAX_BYTES: u64 = 1 << 20;

/// Why `@v1` stands where a commit would be safer: for a linter, and for whoever reads it there.
const PIN: &str = "moves with each release; a full commit does not";

/// One row: a workflow that can be written.
pub struct Workflow {
    /// Its file's name.
    pub file: &'static str,
    /// One line about it.
    pub doc: &'static str,
    /// Its text, or why there is none.
    text: fn(&Basis<'_>) -> Result<String, String>,
}

/// Every workflow, in the order in which they are written.
pub const WORKFLOWS: &[Workflow] = &[
    Workflow {
        file: "mgmt-gate.yml",
        doc: "Runs the policy's checks on pull requests and the default branch, and reports.",
        text: gate,
    },
    Workflow {
        file: "mgmt-publish.yml",
        doc: "Reports on pull requests from forks, whose own runs may only read.",
        text: publish,
    },
    deploy::ROW,
    audit::ROW,
];

/// What the workflows are written from.
struct Basis<'a> {
    config: &'a Config,
    project: &'a dyn Project,
    /// Names of files that will be in the folder.
    present: Vec<String>,
    /// The default branch, as a filter for it.
    branch: String,
    /// The policy's file as a value, where the action would not find it by itself.
    policy: Option<String>,
    /// Steps that install what the checks need; whole lines.
    setup: String,
}

impl Basis<'_> {
    /// The input that names the policy's file, if one has to: a whole line.
    fn policy(&self, columns: usize) -> String {
        let line = |path: &String| format!("{:columns$}config: {path}\n", "");
        self.policy.as_ref().map(line).unwrap_or_default()
    }
}

/// What `init --github` would write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflows {
    /// The policy, where there is none yet.
    pub policy: Option<Proposed>,
    /// The workflows.
    pub files: Vec<File>,
    /// Workflows that are not written, each with the reason.
    pub left_out: Vec<String>,
    /// What is left to do by hand.
    pub open: Vec<String>,
    /// The repository's root.
    pub root: Utf8PathBuf,
}

/// A workflow to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path from the root.
    pub path: Utf8PathBuf,
    /// Its text.
    pub text: String,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there, or said something else.
    Written,
    /// It was there, word for word.
    Unchanged,
    /// It says something else, and stays.
    Different,
}

/// Looks at the policy and the project and says what would be written; writes nothing. Where there is no policy yet,
/// one is proposed as `init` alone does.
///
/// # Errors
/// A policy that is not valid or lies outside the repository; [`Stop`] with exit code 3 where there is none and nothing
/// to propose one from.
pub fn propose(context: &Context) -> anyhow::Result<Workflows> {
    let (config, policy) = match config::load(&context.cwd, context.config.as_deref()) {
        Ok(config) => (config, None),
        Err(LoadError::NotFound { .. }) => {
            let proposed = super::propose(context)?;
            let file = Utf8Path::new(FILE_NAMES[0]);
            let read = config::read(proposed.text.as_bytes(), &proposed.root, file);
            (read.map_err(Context::stopped)?, Some(proposed))
        }
        Err(error) => return Err(Context::stopped(error)),
    };
    let disk = Disk { root: config.root.clone(), env: &context.env };
    let branch = ancestry::default_branch(&config.root, config.project.default_branch.as_deref());
    compose(&config, &disk, &branch, policy)
}

/// The texts, from a policy and a project that a test may replace.
fn compose(
    config: &Config,
    project: &dyn Project,
    branch: &str,
    policy: Option<Proposed>,
) -> anyhow::Result<Workflows> {
    let mut present: Vec<_> =
        project.list(FOLDER).into_iter().filter(|entry| !entry.is_folder).map(|entry| entry.name).collect();
    present.extend(WORKFLOWS.iter().map(|row| row.file.to_owned()));
    let (policy_file, setup) = (named(config)?, setup(project, config));
    let basis = Basis { config, project, present, branch: filter(branch), policy: policy_file, setup };
    let mut out =
        Workflows { policy, files: Vec::new(), left_out: Vec::new(), open: Vec::new(), root: config.root.clone() };
    for row in WORKFLOWS {
        match (row.text)(&basis) {
            Ok(text) => {
                verify(row.file, &text)?;
                out.files.push(File { path: Utf8Path::new(FOLDER).join(row.file), text });
            }
            Err(why) => out.left_out.push(format!("{}: {why}", row.file)),
        }
    }
    out.open = deploy::open(&basis, &out.files);
    out.open.extend(audit::open(&basis, &out.files));
    Ok(out)
}

/// Writes the policy, if there is none, and the workflows. A file that says something else stays, unless it may be
/// replaced; a policy that is there stays in any case.
///
/// # Errors
/// A failed write, with what was written before it.
pub fn write(workflows: &Workflows, overwrite: Overwrite) -> anyhow::Result<Vec<(Utf8PathBuf, Outcome)>> {
    let mut done = Vec::new();
    if let Some(policy) = &workflows.policy {
        done.push((super::write(policy, Overwrite::No)?, Outcome::Written));
    }
    for file in &workflows.files {
        let path = workflows.root.join(&file.path);
        let is_same = fs::read(&path, MAX_BYTES).ok().as_deref() == Some(file.text.as_bytes());
        // A link that leads nowhere is a file too: somebody put it there.
        let outcome = match (is_same, path.symlink_metadata().is_ok(), overwrite) {
            (true, ..) => Outcome::Unchanged,
            (false, true, Overwrite::No) => Outcome::Different,
            _ => Outcome::Written,
        };
        if outcome == Outcome::Written {
            let folder = path.parent().unwrap_or(&workflows.root);
            let result = fs::create_dir_all(folder).and_then(|()| fs::write_atomic(&path, file.text.as_bytes()));
            result.map_err(|error| unfinished(&error, &done))?;
        }
        done.push((path, outcome));
    }
    Ok(done)
}

fn unfinished(error: &fs::Error, done: &[(Utf8PathBuf, Outcome)]) -> Stop {
    let written: Vec<_> =
        done.iter().filter(|(_, outcome)| *outcome == Outcome::Written).map(|(path, _)| path.as_str()).collect();
    let before = match written.as_slice() {
        [] => "nothing was".to_owned(),
        [one] => format!("{one} was"),
        several => format!("{} were", text::list(several)),
    };
    let hint = format!("{before} written before; run it again afterwards, or print the rest with --stdout");
    Stop::undecided(error.to_string(), Some(hint))
}

/// The pull-request gate.
fn gate(basis: &Basis<'_>) -> Result<String, String> {
    let with = if basis.policy.is_some() { format!("        with:\n{}", basis.policy(10)) } else { String::new() };
    let values = [("branch", &*basis.branch), ("setup", &basis.setup), ("pin", PIN), ("with", &with)];
    Ok(fill(include_str!("gate.yml"), &values))
}

/// Reports for forks.
fn publish(basis: &Basis<'_>) -> Result<String, String> {
    Ok(fill(include_str!("publish.yml"), &[("pin", PIN), ("policy", &basis.policy(10))]))
}

/// The branch as a filter that matches it and nothing else.
fn filter(branch: &str) -> String {
    let mut pattern = String::new();
    for ch in branch.chars() {
        if "*?+[]!\\".contains(ch) {
            pattern.push('\\');
        }
        pattern.push(ch);
    }
    scalar(&pattern)
}

/// The policy's file as a value of the input `config`, where it is not where the action looks by itself.
fn named(config: &Config) -> Result<Option<String>, Stop> {
    let path = config.path.as_str();
    if FILE_NAMES.contains(&path) {
        return Ok(None);
    }
    let value = fs::plain_path(path).and_then(|path| literal(path.as_str()));
    value.map(Some).ok_or_else(|| {
        let hint = format!("commit the policy under a plain name, best as {}", FILE_NAMES[0]);
        Stop::usage(format!("a workflow cannot name the policy {}", text::one_line(path)), Some(hint))
    })
}

/// Text as a value in a workflow, if the runner would take it as it stands.
fn literal(text: &str) -> Option<String> {
    (!text.contains("${{")).then(|| scalar(text))
}

/// Steps that install what the checks need, for each ecosystem that is there.
fn setup(project: &dyn Project, config: &Config) -> String {
    let programs: Vec<_> = config
        .checks
        .iter()
        .filter_map(|check| match &check.action {
            Action::Run(command) => command.argv.first().map(String::as_str),
            Action::Paths(_) => None,
        })
        .collect();
    let lines: Vec<_> = DETECTORS.iter().flat_map(|row| (row.setup)(project, &programs)).collect();
    let comment = || vec!["# Whatever else the checks need is installed here.".to_owned()];
    let lines = if lines.is_empty() { comment() } else { lines };
    lines.iter().map(|line| format!("      {line}\n")).collect()
}

/// What this program writes, GitHub must be able to read.
fn verify(file: &str, text: &str) -> anyhow::Result<()> {
    let read = serde_yaml::from_str::<serde_yaml::Value>(text);
    let is_workflow = read.as_ref().is_ok_and(|value| value["jobs"].as_mapping().is_some_and(|jobs| !jobs.is_empty()));
    debug_assert!(is_workflow, "{read:?} in\n{text}");
    anyhow::ensure!(is_workflow, "the proposed {file} is not a workflow, which is a bug of this program");
    Ok(())
}

#[cfg(test)]
mod tests;
