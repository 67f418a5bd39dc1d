//! `ci baseline`: takes the record of an earlier run on the default branch into history, so that a job on a fresh
//! machine has something to compare with.
//!
//! Pushes to the default branch leave their record behind as an artifact. The nearest one by first parent is taken:
//! one listing, one download. Only artifacts of the repository's own default branch count; a fork's branch may have
//! any name.

use std::collections::HashMap;

use camino::Utf8Path;
use serde::Serialize;

use super::history::Place;
use super::job::Job;
use super::{Context, Stop, remote};
use crate::github::{Artifact, Client, Download, Slug, ZipLimits, unpack};
use crate::history;
use crate::record::bundle::RECORD;
use crate::repo::{self, ancestry};
use crate::sys::{fs, text};

/// The artifact's name.
pub const ARTIFACT: &str = "mgmt-record";

/// The largest archive that is downloaded, and what may come out of it.
const MAX: (u64, u64) = (256 << 20, 1 << 30);
/// First parents that are looked at.
const FAR: usize = 1_000;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The record's id.
    pub record: String,
    /// Its commit.
    pub commit: String,
    /// First-parent steps from where the change starts.
    pub distance: usize,
    /// The run that left it.
    pub run: Option<u64>,
}

/// Finds the record and takes it in.
///
/// # Errors
/// Outside a job, no record within reach, or a GitHub that does not answer: each with the next step.
pub fn import(context: &Context, named: Option<&str>, tell: impl Fn(&str) + 'static) -> anyhow::Result<Found> {
    let config = context.load()?;
    let job = Job::of(context).ok_or_else(|| {
        let hint = "outside a job, `mgmt history import` takes records in".to_owned();
        Stop::usage("this is no job of GitHub Actions", Some(hint))
    })?;
    let slug = remote::slug(context, named)?;
    let client = remote::connect(context, tell)?;
    let start = match &job.pull {
        Some(pull) => pull.base_sha.clone(),
        None => job.commit.clone().unwrap_or_default(),
    };
    let branch = match (&job.pull, &job.default_branch) {
        (Some(pull), _) => pull.base_branch.clone(),
        (None, Some(branch)) => branch.clone(),
        (None, None) => client.repository(&slug).map_err(Stop::from)?.default_branch,
    };
    let listed = client.artifacts_named(&slug, ARTIFACT).map_err(Stop::from)?;
    let mut by_commit: HashMap<String, Artifact> = HashMap::new();
    for artifact in listed.items {
        // The newest comes first.
        if let Some(commit) = usable(&artifact, &branch) {
            by_commit.entry(commit).or_insert(artifact);
        }
    }
    let none = |why: &str| {
        let hint = format!("pushes to {} leave their record as the artifact {ARTIFACT}", text::one_line(&branch));
        Stop::nothing(format!("no earlier record was found: {why}"), Some(hint))
    };
    if by_commit.is_empty() {
        return Err(none("the repository has none that has not expired").into());
    }
    // A push is compared with what was before it.
    let own = if job.pull.is_none() { job.commit.clone() } else { None };
    let chain = first_parents(&client, &slug, &config.root, &start)?;
    let nearest = chain.iter().enumerate().filter(|(_, commit)| Some(*commit) != own.as_ref());
    let found = nearest.filter_map(|(distance, commit)| Some((distance, by_commit.get(commit)?))).next();
    let (distance, artifact) = found.ok_or_else(|| none("none of them is of an earlier commit within reach"))?;
    let record = take_in(context, &config, &client, &slug, artifact, &chain[distance])?;
    Ok(Found {
        record,
        commit: chain[distance].clone(),
        distance,
        run: artifact.workflow_run.as_ref().and_then(|run| run.id),
    })
}

/// The commit of a record that may serve; `None` for one that is gone, of another branch, or a stranger's.
fn usable(artifact: &Artifact, branch: &str) -> Option<String> {
    let run = artifact.workflow_run.as_ref().filter(|_| !artifact.expired && artifact.name == ARTIFACT)?;
    let is_own = run.repository_id.is_some() && run.repository_id == run.head_repository_id;
    run.head_sha.clone().filter(|_| is_own && run.head_branch.as_deref() == Some(branch))
}

/// A commit with those before it by first parent: from git where it has them, else from GitHub.
fn first_parents(client: &Client, slug: &Slug, root: &Utf8Path, start: &str) -> anyhow::Result<Vec<String>> {
    let is_known = ancestry::resolve(root, start).is_ok_and(|known| known.as_deref() == Some(start));
    if is_known && !ancestry::is_shallow(root) {
        return Ok(ancestry::first_parents(root, start, FAR).map_err(|error| git(&error))?);
    }
    let listed = client.commits(slug, start).map_err(Stop::from)?;
    let first: HashMap<_, _> = listed
        .items
        .into_iter()
        .map(|commit| (commit.sha, commit.parents.into_iter().next().map(|parent| parent.sha)))
        .collect();
    let mut chain = vec![start.to_owned()];
    while let Some(Some(parent)) = chain.last().and_then(|last| first.get(last))
        && chain.len() < FAR
    {
        chain.push(parent.clone());
    }
    Ok(chain)
}

fn git(error: &repo::Error) -> Stop {
    Stop::undecided(error.to_string(), Some("run `git status` in the project and look at what it says".to_owned()))
}

fn take_in(
    context: &Context,
    config: &crate::config::Config,
    client: &Client,
    slug: &Slug,
    artifact: &Artifact,
    commit: &str,
) -> anyhow::Result<String> {
    let bad = |why: String| {
        let hint = "the next push to the default branch leaves a new one".to_owned();
        Stop::undecided(format!("the record of {commit} cannot be used: {why}"), Some(hint))
    };
    let mut file = tempfile::tempfile().map_err(|error| bad(error.to_string()))?;
    match client.artifact(slug, artifact, &mut file, MAX.0).map_err(Stop::from)? {
        Download::Whole(_) => {}
        Download::Expired => return Err(bad("it has expired".to_owned()).into()),
    }
    let scratch = tempfile::tempdir().map_err(|error| bad(error.to_string()))?;
    let folder = Utf8Path::from_path(scratch.path()).unwrap_or(Utf8Path::new(".")).join("record");
    let limits = ZipLimits { entries: 10, bytes: MAX.1 };
    unpack(file, &folder, limits).map_err(|error| bad(error.to_string()))?;
    let bytes = fs::read(&folder.join(RECORD), MAX.1).map_err(|_| bad(format!("it holds no {RECORD}")))?;
    let record = history::read_record(&bytes).map_err(bad)?;
    if record.project.commit.as_deref() != Some(commit) {
        return Err(bad("it is of another commit".to_owned()).into());
    }
    let place = Place::of(context, config);
    let imported = place.ask(|store| match store.import(&mut bytes.as_slice()) {
        Ok(imported) => imported,
        Err(error) => Err(history::Error::File(fs::Error::new("read", RECORD, error))),
    });
    imported.map_err(Stop::from)?;
    Ok(record.id)
}
