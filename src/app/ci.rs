//! What ran on GitHub: runs, and the evidence that they left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::bundle::{self, INCOMPLETE, Opened};
use super::{Context, Stop, policy, remote};
use crate::check::CheckOutcome;
use crate::config;
use crate::evidence::problem::Code;
use crate::evidence::{Evidence, Level, Limits, Problem, Repeats};
use crate::github::{Artifact, Client, Download, List, Run, RunFilter, Slug, ZipLimits, unpack};
use crate::record::bundle::Source;
use crate::record::{FULL_CHECK, Record};
use crate::sys::{fs, text};

/// What every artifact of evidence is called, before its shard and attempt.
pub const ARTIFACT: &str = "mgmt-evidence";

/// The largest artifact that is downloaded.
const MAX_ARTIFACT: u64 = 1 << 30;
/// Runs of a workflow on one commit that are looked at.
const MAX_RUNS: usize = 100;
/// Between two looks at a run that goes on: at first, and at most.
const LOOK: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

/// A part of the evidence of a run is not there.
pub const SHARD: Code = Code {
    id: "shard.missing",
    level: Level::Loss,
    doc: "A part of the evidence of a run on GitHub is not there, has expired, or belongs to something else.",
    hint: "look at the run: did each job that should upload evidence do so? a new attempt of it uploads anew",
};

/// The run is not over.
pub const RUNNING: Code = Code {
    id: "run.in-progress",
    level: Level::Loss,
    doc: "The run on GitHub has not ended: what its jobs left behind so far is not all.",
    hint: "wait for it: --wait 30m",
};

/// Which parts must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// At least one.
    #[default]
    Any,
    /// So many.
    Count(usize),
    /// These.
    Names(Vec<String>),
    /// This one, whatever else there is: a part that is judged by itself.
    Only(String),
}

/// Which run is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with this number.
    Run(u64),
    /// The newest one of a workflow on a commit.
    Newest {
        /// The workflow's file.
        workflow: String,
        /// The commit.
        sha: String,
    },
}

/// Evidence that is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The repository.
    pub repo: Option<String>,
    /// The run.
    pub which: Which,
    /// Its parts.
    pub expect: Expect,
    /// Where the bundles go; nowhere if `None`.
    pub out: Option<Utf8PathBuf>,
    /// How long to wait for the run's end.
    pub wait: Duration,
}

/// One part of a run's evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shard {
    /// Its name; empty where there is only one.
    pub name: String,
    /// The attempt that left it.
    pub attempt: u32,
    /// The artifact's name.
    pub artifact: String,
    /// Report files in it.
    pub files: usize,
}

/// The evidence of a run, all parts together.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The parts, by name.
    pub shards: Vec<Shard>,
    /// What their reports say. What is missing is among its problems.
    pub evidence: Evidence,
    /// What became of the checks, as the jobs tell it: the worst of all parts.
    pub checks: Vec<CheckOutcome>,
    /// Checks that a part did not select, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// The signal that ended a part of it.
    pub interrupted: Option<String>,
    /// Where the first part says that it comes from.
    pub source: Option<Source>,
    /// The record of the first part: of what it says only times may be used.
    pub record: Option<Record>,
    /// The policy files of those parts that were to run every check.
    pub full: BTreeSet<String>,
}

/// Lists runs, newest first.
///
/// # Errors
/// An unknown repository or workflow, and whatever keeps an answer away.
pub fn runs(
    client: &Client,
    slug: &Slug,
    filter: &RunFilter,
    limit: usize,
    all: Attempts,
) -> anyhow::Result<List<Run>> {
    let mut list = client.runs(slug, filter, limit).map_err(Stop::from)?;
    if all == Attempts::All {
        let mut items = Vec::new();
        for run in std::mem::take(&mut list.items) {
            let earlier = (1..run.attempt()).rev().map(|attempt| client.attempt(slug, run.id, attempt));
            let earlier: Result<Vec<_>, _> = earlier.collect();
            items.push(run);
            items.extend(earlier.map_err(Stop::from)?);
        }
        list.items = items;
    }
    Ok(list)
}

/// Which attempts of a run are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// The newest.
    Newest,
    /// Each.
    All,
}

/// Finds a run, waits for it, and reads the evidence that it left behind.
///
/// # Errors
/// No such run, and whatever keeps an answer away. What the run should have left and did not is a problem in the
/// evidence.
pub fn evidence(context: &Context, wanted: &Wanted, tell: impl Fn(&str) + 'static) -> anyhow::Result<(Run, Fetched)> {
    let limits = config::load(&context.cwd, context.config.as_deref()).map(|config| config.limits).unwrap_or_default();
    let slug = remote::slug(context, wanted.repo.as_deref())?;
    let client = remote::connect(context, tell)?;
    let run = await_end(&client, wanted.wait, || find(&client, &slug, &wanted.which))?;
    let scratch =
        tempfile::tempdir().map_err(|error| Stop::undecided(format!("no folder to work in: {error}"), None))?;
    let folder = match &wanted.out {
        Some(out) => {
            let out = context.cwd.join(out);
            fs::create_dir_all(&out).map_err(Stop::from)?;
            out
        }
        None => Utf8Path::from_path(scratch.path()).unwrap_or(Utf8Path::new(".")).to_owned(),
    };
    let mut fetched = fetch(&client, &slug, &run, &wanted.expect, &limits, &folder)?;
    if matches!(wanted.which, Which::Newest { .. }) && foreignness(&run, &slug) >= FORK {
        let told = format!("only a fork has run on this commit: what run {} says is the fork's word", run.id);
        fetched.evidence.problems.push(Problem::new(&SHARD, told));
    }
    Ok((run, fetched))
}

fn find(client: &Client, slug: &Slug, which: &Which) -> anyhow::Result<Run> {
    match which {
        Which::Run(id) => Ok(client.run(slug, *id).map_err(Stop::from)?),
        Which::Newest { workflow, sha } => {
            let filter = RunFilter { workflow: Some(workflow.clone()), sha: Some(sha.clone()), ..RunFilter::default() };
            let list = client.runs(slug, &filter, MAX_RUNS).map_err(Stop::from)?;
            // A filter that is not understood gives every run.
            let of_commit = list.items.into_iter().filter(|run| run.head_sha.as_deref() == Some(sha));
            Ok(of_commit.min_by_key(|run| foreignness(run, slug)).ok_or_else(|| {
                let hint = "look at `mgmt ci runs`; a run needs the whole hash of its commit".to_owned();
                Stop::undecided(format!("{} has not run on {sha}", text::one_line(workflow)), Some(hint))
            })?)
        }
    }
}

/// From which on a run is a fork's.
const FORK: u8 = 2;

/// How much less a run says of its commit than one of the repository's own: a pull request's tests a merge, and a fork's
/// says what it likes. Of equal ones the newest comes first.
fn foreignness(run: &Run, slug: &Slug) -> u8 {
    let from = run.head_repository.as_ref().and_then(|from| from.full_name.as_deref());
    let is_own = from.is_some_and(|from| from.eq_ignore_ascii_case(&slug.to_string()));
    let is_pull = run.event.as_deref().is_none_or(|event| event.starts_with("pull_request"));
    u8::from(!is_own) * FORK + u8::from(is_pull)
}

/// Looks again until the run is over or the time is up.
pub(super) fn await_end(
    client: &Client,
    wait: Duration,
    look: impl Fn() -> anyhow::Result<Run>,
) -> anyhow::Result<Run> {
    let (mut waited, mut pause) = (Duration::ZERO, LOOK.0);
    loop {
        let run = look()?;
        if run.is_completed() || waited >= wait {
            return Ok(run);
        }
        pause = pause.min(wait - waited);
        client.pause(&format!("run {} goes on", run.id), pause);
        waited += pause;
        pause = (pause * 2).min(LOOK.1);
    }
}

/// Reads the evidence that a run left behind into folders below `folder`: of each part the newest attempt.
///
/// # Errors
/// Whatever keeps an answer away. A part that is missing, expired, hostile or another run's is a problem.
pub fn fetch(
    client: &Client,
    slug: &Slug,
    run: &Run,
    expect: &Expect,
    limits: &Limits,
    folder: &Utf8Path,
) -> anyhow::Result<Fetched> {
    let listed = client.artifacts_of_run(slug, run.id).map_err(Stop::from)?;
    let mut problems = Vec::new();
    let mut lost = |told: String| problems.push(Problem::new(&SHARD, told));
    if listed.is_partial() {
        lost(format!("run {} has more artifacts than could be listed", run.id));
    }
    let mut newest: BTreeMap<String, (u32, Artifact)> = BTreeMap::new();
    for artifact in listed.items {
        let Some((name, attempt)) = shard_of(&artifact.name) else { continue };
        if matches!(expect, Expect::Only(part) if part != name) {
            continue;
        }
        // An attempt that the run does not know of yet was not made by it.
        if attempt == 0 || attempt > run.attempt() {
            lost(format!("`{}` is of an attempt that the run has not had", text::one_line(&artifact.name)));
            continue;
        }
        let known = newest.entry(name.to_owned()).or_insert_with(|| (attempt, artifact.clone()));
        if attempt > known.0 {
            *known = (attempt, artifact);
        }
    }
    absent(expect, &newest).into_iter().for_each(&mut lost);
    let mut fetched = Fetched::default();
    for (name, (attempt, artifact)) in newest {
        let at = folder.join(&artifact.name);
        // What an earlier look left there goes.
        bundle::empty(&at)?;
        let opened = match download(client, slug, &artifact, &at, limits) {
            Ok(opened) => opened,
            Err(Trouble::Expired) => {
                lost(format!("`{}`: it has expired", artifact.name));
                continue;
            }
            Err(Trouble::Missing(why)) => {
                lost(format!("`{}`: {why}", artifact.name));
                // What is no bundle would be somebody's own to the next look.
                drop(std::fs::remove_dir_all(&at));
                continue;
            }
            Err(Trouble::Fatal(error)) => return Err(error),
        };
        if let Some(why) = foreign(&opened, slug, run.id, run.head_sha.as_deref(), attempt) {
            lost(format!("`{}` {why}", artifact.name));
            continue;
        }
        fetched.shards.push(Shard { name, attempt, artifact: artifact.name, files: opened.bundle.files.len() });
        fetched.add(opened);
    }
    if !run.is_completed() {
        let told = format!("run {} is {}", run.id, run.status.as_ref().map_or("not over", |status| status.word()));
        problems.push(Problem::new(&RUNNING, told));
    }
    fetched.evidence.problems.splice(0..0, problems);
    fetched.evidence.note_disputes();
    Ok(fetched)
}

/// `mgmt-evidence-linux-attempt2` → (`linux`, 2); the shard's name may be empty.
fn shard_of(name: &str) -> Option<(&str, u32)> {
    let (rest, attempt) = name.strip_prefix(ARTIFACT)?.rsplit_once("-attempt")?;
    let shard = if rest.is_empty() { "" } else { rest.strip_prefix('-').filter(|shard| !shard.is_empty())? };
    // The name becomes a folder's.
    fs::plain_path(name).filter(|path| path.components().count() == 1)?;
    Some((shard, attempt.parse().ok()?))
}

/// What is expected and not there, in words.
fn absent(expect: &Expect, found: &BTreeMap<String, (u32, Artifact)>) -> Vec<String> {
    let lacks = |name: &String| format!("the part `{}` is not there", text::one_line(name));
    match expect {
        Expect::Any if found.is_empty() => vec![format!("the run left no artifact called {ARTIFACT}…")],
        Expect::Any => Vec::new(),
        Expect::Count(count) if found.len() == *count => Vec::new(),
        Expect::Count(count) => vec![format!("{count} parts are expected, {} are there", found.len())],
        Expect::Only(name) => (!found.contains_key(name)).then(|| lacks(name)).into_iter().collect(),
        Expect::Names(names) => {
            let missing = names.iter().filter(|name| !found.contains_key(*name));
            let more = found.keys().filter(|name| !names.contains(name));
            missing.map(lacks).chain(more.map(|name| format!("the part `{name}` is not expected"))).collect()
        }
    }
}

/// Why a part of the evidence is not there.
pub(super) enum Trouble {
    /// It has expired.
    Expired,
    /// This part is not there; the others may be.
    Missing(String),
    /// Nobody can say what is there.
    Fatal(anyhow::Error),
}

/// Reads one part into a folder.
pub(super) fn download(
    client: &Client,
    slug: &Slug,
    artifact: &Artifact,
    folder: &Utf8Path,
    limits: &Limits,
) -> Result<Opened, Trouble> {
    let fatal =
        |error: std::io::Error| Trouble::Fatal(Stop::undecided(format!("no file to work with: {error}"), None).into());
    let mut file = tempfile::tempfile().map_err(fatal)?;
    match client.artifact(slug, artifact, &mut file, MAX_ARTIFACT) {
        Ok(Download::Whole(_)) => {}
        Ok(Download::Expired) => return Err(Trouble::Expired),
        Err(error) if error.is_missing() => return Err(Trouble::Missing(error.to_string())),
        Err(error) if error.is_forbidden() || matches!(error.cause, crate::github::Cause::Limit { .. }) => {
            return Err(Trouble::Fatal(Stop::from(error).into()));
        }
        Err(error) => return Err(Trouble::Missing(error.to_string())),
    }
    let within = ZipLimits { bytes: limits.reports_bytes.max(ZipLimits::default().bytes), ..ZipLimits::default() };
    unpack(file, folder, within).map_err(|error| Trouble::Missing(error.to_string()))?;
    bundle::open(folder, limits)
        .map_err(|error| Trouble::Missing(format!("it is no bundle of evidence: {}", error.why)))
}

/// Why a bundle is not one of this run.
pub(super) fn foreign(opened: &Opened, slug: &Slug, run: u64, sha: Option<&str>, attempt: u32) -> Option<String> {
    let source = &opened.bundle.source;
    let is_other = |told: Option<&str>, known: Option<&str>| match (told, known) {
        (Some(told), Some(known)) => !told.eq_ignore_ascii_case(known),
        _ => true,
    };
    if is_other(source.repository.as_deref(), Some(&slug.to_string())) {
        return Some("belongs to another repository".to_owned());
    }
    if source.run_id != Some(run) {
        return Some("belongs to another run".to_owned());
    }
    if source.attempt != attempt {
        return Some("belongs to another attempt".to_owned());
    }
    // The event's word and the checkout's: a job may test something else than what started it.
    let ran = opened.record.as_ref().and_then(|record| record.project.commit.as_deref());
    if is_other(source.commit.as_deref(), sha) || (ran.is_some() && is_other(ran, sha)) {
        return Some("belongs to another commit".to_owned());
    }
    None
}

impl Fetched {
    /// Adds one part.
    pub fn add(&mut self, part: Opened) {
        let Opened { bundle, evidence, record } = part;
        self.evidence.merge(evidence, Repeats::Worst);
        self.source.get_or_insert(bundle.source);
        let Some(mut record) = record else { return };
        // What the job could not read is not among the files: without this a report that was never written would be
        // missed by nobody.
        for problem in std::mem::take(&mut record.problems) {
            let is_known = |known: &Problem| known.code == problem.code && known.file == problem.file;
            // Whose rules judge, and what they miss, is found out anew by whoever judges.
            if [policy::UNKNOWN.id, policy::UNRUN.id].contains(&problem.code.as_str()) {
                continue;
            }
            if problem.level == Level::Loss && !self.evidence.problems.iter().any(is_known) {
                self.evidence.problems.push(problem);
            }
        }
        self.interrupted = self.interrupted.take().or(record.interrupted.take());
        if record.command == FULL_CHECK {
            self.full.insert(record.policy.path.clone());
        }
        self.left_out.append(&mut record.left_out);
        for outcome in std::mem::take(&mut record.checks) {
            match self.checks.iter_mut().find(|known| known.id == outcome.id) {
                Some(known) if is_worse(&outcome, known) => *known = outcome,
                Some(_) => {}
                None => self.checks.push(outcome),
            }
        }
        let ran = |check: &String| self.checks.iter().any(|outcome| outcome.id == *check);
        self.left_out.retain(|check, _| !ran(check));
        self.record.get_or_insert(record);
    }

    /// Whether some part of it is missing or was not read whole.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let codes = [SHARD.id, RUNNING.id, INCOMPLETE.id];
        self.evidence.problems.iter().any(|problem| codes.contains(&problem.code.as_str()))
    }
}

/// Of two outcomes of one check the one that says less good of it.
fn is_worse(one: &CheckOutcome, other: &CheckOutcome) -> bool {
    use crate::check::outcome::Status;
    let rank = |outcome: &CheckOutcome| match outcome.status {
        Status::Passed => 0,
        Status::Skipped => 1,
        Status::Error => 2,
        Status::Failed | Status::TimedOut => 3,
        Status::Interrupted => 4,
    };
    rank(one) > rank(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_artifacts_tell_shard_and_attempt() {
        for (name, want) in [
            ("mgmt-evidence-attempt1", Some(("", 1))),
            ("mgmt-evidence-linux-attempt12", Some(("linux", 12))),
            ("mgmt-evidence-a-attempt1-attempt2", Some(("a-attempt1", 2))),
            ("mgmt-evidence", None),
            ("mgmt-evidence--attempt1", None),
            ("mgmt-evidencelinux-attempt1", None),
            ("mgmt-evidence-a/b-attempt1", None),
            ("mgmt-evidence-attemptx", None),
            ("mgmt-record", None),
        ] {
            assert_eq!(shard_of(name), want, "{name}");
        }
    }
}
