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
use super::told::{self, Told};
use super::{Context, Stop, policy, remote};
use crate::github::{Artifact, Client, Commit, Download, Run, RunFilter, Slug, ZipLimits, unpack};
use crate::history;
use crate::record::Record;
use crate::record::bundle::RECORD;
use crate::repo::{self, ancestry};
use crate::sys::{fs, text};

/// The artifact's name; that of one part of several has the part's name after it.
pub const ARTIFACT: &str = "mgmt-record";

/// The largest archive that is downloaded, and what may come out of it.
const MAX: (u64, u64) = (256 << 20, 1 << 30);
/// First parents that are looked at.
const FAR: usize = 1_000;
/// Those of them whose runs are looked at, where the list of records is not whole, and runs of each.
const NEAR: usize = 2;
const RUNS: usize = 2;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The base branch's policy, what changed, and the record.
    Everything,
    /// All but the record.
    Change,
}

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

/// Finds the record and takes it in. What the commands after it have to know and cannot ask for is left for them, with
/// or without a record: see [`Told`].
///
/// # Errors
/// Outside a job, no record within reach, or a GitHub that does not answer: each with the next step.
pub fn import(
    context: &Context,
    named: Option<&str>,
    shard: Option<&str>,
    which: Which,
    tell: impl Fn(&str) + 'static,
) -> anyhow::Result<Option<Found>> {
    let config = context.load()?;
    let job = Job::of(context).ok_or_else(|| {
        let hint = "outside a job, `mgmt history import` takes records in".to_owned();
        Stop::usage("this is no job of GitHub Actions", Some(hint))
    })?;
    let slug = remote::slug(context, named)?;
    let client = remote::connect(context, tell)?;
    let ask = Ask { context, client: &client, slug: &slug, job: &job, root: &config.root };
    let mut told = Told::default();
    let policy = ask.policy(&mut told);
    let start = ask.start(&mut told);
    told.write(context).map_err(Stop::from)?;
    policy?;
    let start = start?;
    if which == Which::Change {
        return Ok(None);
    }

    let branch = match (&job.pull, &job.default_branch) {
        (Some(pull), _) => pull.base_branch.clone(),
        (None, Some(branch)) => branch.clone(),
        (None, None) => client.repository(&slug).map_err(Stop::from)?.default_branch,
    };
    let name = artifact(shard);
    let records =
        Records { client: &client, slug: &slug, branch: &branch, name: &name, workflow: job.workflow.as_deref() };
    let left = records.left()?;
    let none = |why: &str| {
        let hint = format!("pushes to {} leave their record as the artifact {name}", text::one_line(&branch));
        Stop::nothing(format!("no earlier record was found: {why}"), Some(hint))
    };
    if left.is_empty() {
        return Err(none("the repository has none that has not expired").into());
    }
    // A push is compared with what was before it.
    let own = if job.pull.is_none() { job.commit.clone() } else { None };
    let chain = match left.by_commit.contains_key(&start) && own.as_ref() != Some(&start) {
        true => vec![start],
        false => ask.first_parents(&start)?,
    };
    let found = records.nearest(&chain, own.as_ref(), &left)?;
    let (distance, artifact) = found.ok_or_else(|| none("none of them is of an earlier commit within reach"))?;
    let commit = &chain[distance];
    let (bytes, record) = fetch(&client, &slug, &artifact, commit)?;
    let place = Place::of(context, &config);
    let imported = place.ask(|store| match store.import(&mut bytes.as_slice()) {
        Ok(imported) => imported,
        Err(error) => Err(history::Error::File(fs::Error::new("read", RECORD, error))),
    });
    imported.map_err(Stop::from)?;
    if let Some(change) = &mut told.change {
        change.before = chain[..=distance].iter().filter(|commit| Some(*commit) != own.as_ref()).cloned().collect();
        if change.before.len() > 1 {
            let since = diff(&client, &slug, commit, &change.tested);
            change.since = Some((commit.clone(), since));
        }
        told.write(context).map_err(Stop::from)?;
    }
    Ok(Some(Found {
        record: record.id,
        commit: commit.clone(),
        distance,
        run: artifact.workflow_run.as_ref().and_then(|run| run.id),
    }))
}

/// What is asked with.
struct Ask<'a> {
    context: &'a Context,
    client: &'a Client,
    slug: &'a Slug,
    job: &'a Job,
    root: &'a Utf8Path,
}

impl Ask<'_> {
    /// The base branch's policy, unless git has it.
    fn policy(&self, told: &mut Told) -> anyhow::Result<()> {
        let Some(pull) = &self.job.pull else { return Ok(()) };
        // An invalid one is known as well; whoever judges by it will say so.
        if !matches!(policy::at_hand(self.context, &pull.base_sha, None), Ok(None)) {
            return Ok(());
        }
        let found = policy::first(self.context, |name| {
            Ok(self.client.file(self.slug, name.as_str(), &pull.base_sha).map_err(Stop::from)?)
        })?;
        told.base = Some(pull.base_sha.clone());
        told.looked = policy::candidates(self.context)?;
        told.policy =
            found.map(|(path, bytes)| told::Policy { path, text: String::from_utf8_lossy(&bytes).into_owned() });
        Ok(())
    }

    /// The commit from which earlier ones are counted, and the change since, unless git knows it: of a pull request
    /// where its change starts, of a push the commit itself.
    fn start(&self, told: &mut Told) -> anyhow::Result<String> {
        let pull = self.job.pull.as_ref();
        let usual = pull.map(|pull| &pull.base_sha).or(self.job.commit.as_ref()).cloned().unwrap_or_default();
        let tested = repo::state(self.root).ok().and_then(|state| state.commit);
        let Some(tested) = tested.filter(|_| ancestry::is_shallow(self.root)) else { return Ok(usual) };
        let is_merge = pull.is_some() && self.job.merge_commit.as_ref() == Some(&tested);
        let start = if pull.is_none() || is_merge {
            ancestry::named_parent(self.root, &tested).map_err(|error| git(&error))?
        } else {
            // The head itself is checked out: its change starts at the base only if it has all of it.
            let listed = self.client.commits(self.slug, &tested).map_err(Stop::from)?;
            listed.items.iter().any(|commit| commit.sha == usual).then(|| usual.clone())
        };
        let Some(start) = start else { return Ok(usual) };
        let diff = diff(self.client, self.slug, &start, &tested);
        let counted = if pull.is_some() { start.clone() } else { usual };
        told.change = Some(told::Change { tested, before: vec![start], diff: Some(diff), since: None });
        Ok(counted)
    }

    /// A commit with those before it by first parent: from git where it has them, else from GitHub.
    fn first_parents(&self, start: &str) -> anyhow::Result<Vec<String>> {
        let is_known = ancestry::resolve(self.root, start).is_ok_and(|known| known.as_deref() == Some(start));
        if is_known && !ancestry::is_shallow(self.root) {
            return Ok(ancestry::first_parents(self.root, start, FAR).map_err(|error| git(&error))?);
        }
        let listed = self.client.commits(self.slug, start).map_err(Stop::from)?;
        Ok(chain(start, listed.items))
    }
}

/// A commit with those before it by first parent, as far as they are listed.
fn chain(start: &str, listed: Vec<Commit>) -> Vec<String> {
    let first: HashMap<_, _> = listed
        .into_iter()
        .map(|commit| (commit.sha, commit.parents.into_iter().next().map(|parent| parent.sha)))
        .collect();
    let mut chain = vec![start.to_owned()];
    while let Some(Some(parent)) = chain.last().and_then(|last| first.get(last))
        && chain.len() < FAR
    {
        chain.push(parent.clone());
    }
    chain
}

/// The name of the artifact that a record travels in: of the whole project, or of one part of several.
pub(super) fn artifact(shard: Option<&str>) -> String {
    shard.map_or_else(|| ARTIFACT.to_owned(), |shard| format!("{ARTIFACT}-{shard}"))
}

/// The records that pushes to a branch leave behind.
#[derive(Clone, Copy)]
pub(super) struct Records<'a> {
    pub(super) client: &'a Client,
    pub(super) slug: &'a Slug,
    pub(super) branch: &'a str,
    /// The [`artifact`]'s name.
    pub(super) name: &'a str,
    /// The workflow that leaves them, from the root of the repository, where it is known.
    pub(super) workflow: Option<&'a str>,
}

/// What a merge that was tested elsewhere changes, and the nearest record before it with its distance, if there is one.
///
/// # Errors
/// GitHub does not know the merge, or does not answer.
pub(super) fn of_merge(
    records: &Records<'_>,
    merge: &str,
    head: Option<&str>,
) -> anyhow::Result<(told::Change, Option<(Record, usize)>)> {
    let &Records { client, slug, .. } = records;
    let listed = client.commits(slug, merge).map_err(Stop::from)?;
    // The merge is the evidence's word: it counts only if it merges the head that GitHub names.
    let is_of_head = |one: &&Commit| one.sha == merge && one.parents.iter().skip(1).any(|of| Some(&*of.sha) == head);
    if listed.items.iter().find(is_of_head).is_none() {
        let told = format!("{merge} is no merge of what the pull request brings");
        return Err(Stop::undecided(told, None).into());
    }
    let mut before = chain(merge, listed.items);
    before.remove(0);
    let start = before.first().cloned().unwrap_or_default();
    let mut change = told::Change {
        tested: merge.to_owned(),
        diff: Some(diff(client, slug, &start, merge)),
        ..told::Change::default()
    };
    let record = records.read(&before, &records.left()?)?;
    if let Some((_, distance)) = record.as_ref().filter(|(_, distance)| *distance > 0) {
        change.since = Some((before[*distance].clone(), diff(client, slug, &before[*distance], merge)));
    }
    change.before = before;
    Ok((change, record))
}

/// The same where GitHub names another merge than the evidence, or none: what the pull request itself changes, and the
/// nearest record from the base branch's commit on. What cannot be had is said in its place.
pub(super) fn of_base(
    records: &Records<'_>,
    number: u64,
    base: &str,
) -> (told::Change, Result<Option<(Record, usize)>, String>) {
    // Very large changes are refused; rules on them then say that nobody knows.
    let diff = match records.client.pull_request_diff(records.slug, number) {
        Ok(bytes) => told::Diff::Text(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => told::Diff::Unknown(error.to_string()),
    };
    let mut change = told::Change { before: vec![base.to_owned()], diff: Some(diff), ..told::Change::default() };
    let record = records.before(base, &mut change.before).map_err(|error| error.to_string());
    if let Ok(Some((_, distance))) = &record
        && *distance > 0
    {
        let why = "it is older than what the pull request starts from".to_owned();
        change.since = Some((change.before[*distance].clone(), told::Diff::Unknown(why)));
    }
    (change, record)
}

/// What a listing of them tells.
struct Left {
    by_commit: HashMap<String, Artifact>,
    /// Whether there are more of that name than were listed: anybody's run may leave artifacts of any name.
    is_cut: bool,
}

impl Left {
    /// Whether nobody left one.
    fn is_empty(&self) -> bool {
        self.by_commit.is_empty() && !self.is_cut
    }
}

impl Records<'_> {
    /// The nearest one from a commit of the branch on. `before` is that commit, and those before it if they had to be
    /// known.
    fn before(&self, base: &str, before: &mut Vec<String>) -> anyhow::Result<Option<(Record, usize)>> {
        let left = self.left()?;
        // Mostly the newest commit of the branch has left one, and nobody has to be asked for the others.
        if !left.is_empty() && !left.by_commit.contains_key(base) {
            *before = chain(base, self.client.commits(self.slug, base).map_err(Stop::from)?.items);
        }
        self.read(before, &left)
    }

    fn read(&self, before: &[String], left: &Left) -> anyhow::Result<Option<(Record, usize)>> {
        let Some((distance, artifact)) = self.nearest(before, None, left)? else { return Ok(None) };
        Ok(Some((fetch(self.client, self.slug, &artifact, &before[distance])?.1, distance)))
    }

    /// That of the first of some commits that left one, with its place; `own` is none of them.
    fn nearest(
        &self,
        before: &[String],
        own: Option<&String>,
        left: &Left,
    ) -> anyhow::Result<Option<(usize, Artifact)>> {
        let mut others = before.iter().enumerate().filter(|(_, commit)| Some(*commit) != own);
        if let Some(found) = others.clone().find_map(|(at, commit)| Some((at, left.by_commit.get(commit)?.clone()))) {
            return Ok(Some(found));
        }
        // So many of a stranger's that the branch's own are out of sight: those are asked for by their commits.
        for (at, commit) in others.by_ref().take(if left.is_cut { NEAR } else { 0 }) {
            if let Some(artifact) = self.of_commit(commit)? {
                return Ok(Some((at, artifact)));
            }
        }
        Ok(None)
    }

    /// That of one commit, by the runs that pushing it began.
    fn of_commit(&self, commit: &str) -> anyhow::Result<Option<Artifact>> {
        let filter = RunFilter {
            sha: Some(commit.to_owned()),
            event: Some("push".to_owned()),
            branch: Some(self.branch.to_owned()),
            workflow: self.workflow.and_then(|path| path.rsplit('/').next()).map(str::to_owned),
            ..RunFilter::default()
        };
        let runs = self.client.runs(self.slug, &filter, RUNS).map_err(Stop::from)?;
        // A filter that is not understood gives every run.
        let is_own = |run: &Run| {
            let from = run.head_repository.as_ref().and_then(|from| from.full_name.as_deref());
            run.head_sha.as_deref() == Some(commit)
                && run.event.as_deref() == Some("push")
                && run.head_branch.as_deref() == Some(self.branch)
                && from.is_some_and(|from| from.eq_ignore_ascii_case(&self.slug.to_string()))
        };
        for run in runs.items.into_iter().filter(is_own).take(RUNS) {
            let listed = self.client.artifacts_of_run(self.slug, run.id).map_err(Stop::from)?;
            let mut fitting = listed.items.into_iter().filter(|one| !one.expired && one.name == self.name);
            if let Some(found) = fitting.next() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// All of them, as far as one listing tells.
    fn left(&self) -> anyhow::Result<Left> {
        let listed = self.client.artifacts_named(self.slug, self.name).map_err(Stop::from)?;
        let is_cut = listed.is_partial();
        let mut by_commit: HashMap<String, Artifact> = HashMap::new();
        for artifact in listed.items {
            // The newest comes first.
            if let Some(commit) = usable(&artifact, self.branch, self.name) {
                by_commit.entry(commit).or_insert(artifact);
            }
        }
        Ok(Left { by_commit, is_cut })
    }
}

/// What changed between two commits; what keeps it away is told to whoever needs it.
fn diff(client: &Client, slug: &Slug, from: &str, to: &str) -> told::Diff {
    match client.diff_between(slug, from, to) {
        Ok(bytes) => told::Diff::Text(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => told::Diff::Unknown(error.to_string()),
    }
}

/// The commit of a record that may serve; `None` for one that is gone, of another branch, or a stranger's.
fn usable(artifact: &Artifact, branch: &str, name: &str) -> Option<String> {
    let run = artifact.workflow_run.as_ref().filter(|_| !artifact.expired && artifact.name == name)?;
    let is_own = run.repository_id.is_some() && run.repository_id == run.head_repository_id;
    run.head_sha.clone().filter(|_| is_own && run.head_branch.as_deref() == Some(branch))
}

fn git(error: &repo::Error) -> Stop {
    Stop::undecided(error.to_string(), Some("run `git status` in the project and look at what it says".to_owned()))
}

/// Downloads a record: as it was stored, and read.
fn fetch(client: &Client, slug: &Slug, artifact: &Artifact, commit: &str) -> anyhow::Result<(Vec<u8>, Record)> {
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
    Ok((bytes, record))
}
