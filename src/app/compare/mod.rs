//! What a run is compared with: the baseline, the change since, and the best there was.

mod file;
mod source;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::history::Place;
use super::told::{Change, Told};
use super::{Context, Stop};
use crate::config::Config;
use crate::evidence::coverage::FileLines;
use crate::evidence::{Level, Problem};
use crate::gate::Gate;
use crate::gate::changes;
use crate::gate::facts::{self, Best};
use crate::gate::flaky::LAST_RUNS;
use crate::gate::patch::{self, Against, Patch};
use crate::gate::rule::LimitKind;
use crate::gate::samples::Samples;
use crate::history;
use crate::history::Filter;
use crate::record::{BASELINE, Baseline, FOLLOWED, Record, Trend, TrendPoint};
use crate::repo::ancestry::Nowhere;
use crate::repo::{self, Anchor, Diff, State, ancestry};
use crate::sys::text;

/// Commits looked at, by first parent, for one with a record.
const MAX_DISTANCE: usize = 10_000;
/// Earlier runs that a trend shows.
const TREND: usize = 29;
/// What `--base` says where there is to be no baseline.
const NONE: &str = "none";

/// What to compare with.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// `--base`: a name that git knows, the path of a record, or `none`.
    pub base: Option<String>,
    /// `--diff`: a unified diff instead of git's own.
    pub diff: Option<Utf8PathBuf>,
}

/// What there is to compare with.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The baseline as the record tells of it.
    pub baseline: Option<Baseline>,
    /// The baseline itself.
    pub record: Option<Record>,
    /// Its files under the paths that they have now.
    pub files: BTreeMap<String, FileLines>,
    /// How much of its numbers was excused.
    pub excused: BTreeMap<String, f64>,
    /// Where the change starts, in words.
    pub between: String,
    /// The change; `None` if nobody knows what changed.
    pub diff: Option<Diff>,
    /// The change since the baseline's commit.
    pub since_base: Since,
    /// Whether the commit is the first, so that nothing can have changed since.
    pub is_first: bool,
    /// Changed files that no person wrote.
    pub generated: BTreeSet<String>,
    /// The best values so far, for ratchets.
    pub best: Vec<Best>,
    /// The tree that is checked out, where no file differs from it.
    pub tree: Option<String>,
    /// What earlier runs said of each test.
    pub samples: Samples,
    /// The main numbers over earlier runs.
    pub trends: Vec<Trend>,
    /// What could not be found out, and why there is no baseline.
    pub problems: Vec<Problem>,
    /// Why there is no baseline.
    pub no_base: Option<String>,
    /// Why nobody looked for the best values.
    pub no_best: Option<String>,
}

/// How far back the commits are known that were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// As far as wanted.
    Whole,
    /// As far as GitHub told.
    Told,
    /// As far as a shallow clone goes.
    Shallow,
}

/// The change since the baseline's commit.
#[derive(Debug, Default)]
pub enum Since {
    /// Nobody knows it, so nothing is known of what ran before line by line.
    #[default]
    Unknown,
    /// It is the change that is judged.
    Change,
    /// It is another one.
    Other(Diff),
}

/// Looks for the baseline and the change.
///
/// # Errors
/// A name, record or diff that was asked for and cannot be had.
pub fn find(
    context: &Context,
    config: &Config,
    place: &Place,
    state: Option<&State>,
    gate: Option<&Gate>,
    wanted: &Wanted,
    now: Timestamp,
) -> anyhow::Result<Comparison> {
    let mut out = Comparison {
        tree: state.filter(|state| !state.dirty).and_then(|state| state.tree.clone()),
        ..Comparison::default()
    };
    if !wanted.is_explicit()
        && !gate.is_some_and(Gate::compares)
        && place.ask(|store| store.is_empty()).is_ok_and(|empty| empty)
    {
        // Nothing to compare with, and nobody asks.
        return Ok(out);
    }
    let root = config.root.as_path();
    let anchor = match state {
        Some(state) => ancestry::anchor(root, state, config.project.default_branch.as_deref()),
        None => Err(repo::Error::NoRepository(root.to_owned())),
    };
    let mut start = anchor.as_ref().ok().and_then(|found| found.clone().ok());
    let head = state.and_then(|state| state.commit.as_deref());
    // Only where git itself cannot know.
    let told = match &anchor {
        Ok(Err(Nowhere::Shallow)) if wanted.base.is_none() => Told::read(context).and_then(|told| told.change),
        _ => None,
    };
    let told = told.filter(|told| Some(told.tested.as_str()) == head);
    match wanted.base.as_deref() {
        Some(NONE) => out.has_none("`--base none` was given", None),
        Some(name) if context.cwd.join(name).is_file() => {
            let record = file::record(&context.cwd.join(name), name)?;
            match start_of(root, &record, head) {
                Some((commit, true)) => {
                    start = Some(Anchor { commit, what: format!("the commit of {name}") });
                }
                Some((commit, false)) => {
                    start = Some(Anchor { commit, what: format!("the merge base with the commit of {name}") });
                }
                None => {}
            }
            out.take(record, name.to_owned(), None, now);
        }
        Some(name) => {
            let from = named(root, name, head)?;
            out.search(place, root, &from, now);
            start = Some(from);
        }
        None => match &anchor {
            Ok(Ok(from)) => out.search(place, root, from, now),
            Ok(Err(Nowhere::Shallow)) if told.is_some() => {
                let before = told.iter().flat_map(|told| told.before.iter().cloned()).collect::<Vec<_>>();
                out.search_among(place, &before, told::START, Reach::Told, now);
            }
            Ok(Err(why)) => {
                out.is_first = *why == Nowhere::First;
                out.has_none(&why.reason(), why.cure());
            }
            Err(repo::Error::NoRepository(_)) => out.has_none("there is no git history", None),
            Err(error) => out.has_none(&error.to_string(), Some(super::GIT.hint)),
        },
    }
    if wanted.base.as_deref() == Some(NONE) {
        out.no_best = Some("`--base none` was given".to_owned());
    } else if let Some(gate) = gate.filter(|gate| gate.has_ratchet()) {
        let branch = ancestry::default_branch(root, config.project.default_branch.as_deref());
        match best(place, gate, &branch) {
            Ok(best) => out.best = best,
            Err(error) => {
                out.problems.push(Problem::new(&BASELINE, format!("no best values: {error}")));
                out.no_best = Some(error.to_string());
            }
        }
    }
    out.changes(context, root, start, wanted, told.as_ref())?;
    out.past(place, now);
    if !wanted.is_explicit() && !gate.is_some_and(Gate::compares) {
        // Nobody asks.
        out.problems.clear();
    } else if out.record.is_none() && gate.is_some_and(Gate::requires_base) {
        for problem in out.problems.iter_mut().filter(|problem| problem.code == BASELINE.id) {
            problem.level = Level::Warning;
        }
    }
    Ok(out)
}

/// The start of a change against a name that git knows: the commit that both have.
fn named(root: &Utf8Path, name: &str, head: Option<&str>) -> anyhow::Result<Anchor> {
    let shown = text::one_line(name);
    let refused = |error: repo::Error| {
        let hint = "give the path of a record, or `none`".to_owned();
        Stop::usage(format!("`--base {shown}`: {error}"), Some(hint))
    };
    let Some(commit) = ancestry::resolve(root, name).map_err(refused)? else {
        let hint = "give a branch, a tag, a commit, the path of a record, or `none`".to_owned();
        return Err(Stop::usage(format!("`--base {shown}` is neither a file nor a commit"), Some(hint)).into());
    };
    let shared = match head {
        Some(head) => ancestry::merge_base(root, head, std::slice::from_ref(&commit)).map_err(refused)?,
        None => None,
    };
    match shared {
        Some(shared) if shared == commit => Ok(Anchor { commit, what: shown }),
        Some(shared) => Ok(Anchor { commit: shared, what: format!("the merge base with {shown}") }),
        None => {
            let hint = match ancestry::is_shallow(root) {
                true => ancestry::DEEPEN,
                false => "name a branch, a tag or a commit that this branch comes from",
            };
            let message = format!("`--base {shown}` has no commit in common with what is checked out");
            Err(Stop::usage(message, Some(hint.to_owned())).into())
        }
    }
}

/// The start of a change against a record from elsewhere: the commit that its commit and the one checked out both
/// have, and whether that is its own; `None` where git does not have it.
fn start_of(root: &Utf8Path, record: &Record, head: Option<&str>) -> Option<(String, bool)> {
    let commit = known_commit(root, record)?;
    let shared = ancestry::merge_base(root, head?, &[commit.to_owned()]).ok().flatten()?;
    let is_own = shared == commit;
    Some((shared, is_own))
}

/// A record's commit, if git has it. Another name that git could make something of is none.
fn known_commit<'a>(root: &Utf8Path, record: &'a Record) -> Option<&'a str> {
    let commit = record.project.commit.as_deref()?;
    let found = ancestry::resolve(root, commit).ok().flatten();
    (found.as_deref() == Some(commit)).then_some(commit)
}

impl Wanted {
    /// Whether anything was asked for by hand.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        self.base.is_some() || self.diff.is_some()
    }
}

/// The best values so far of the metrics that a gate has a ratchet for.
fn best(place: &Place, gate: &Gate, branch: &str) -> Result<Vec<Best>, history::Error> {
    let mut out = Vec::new();
    for rule in gate.rules.iter().filter(|rule| rule.limits.iter().any(|limit| limit.kind == LimitKind::Ratchet)) {
        out.extend(place.ask(|store| store.best(&rule.metric, branch, rule.better))?);
    }
    Ok(out)
}

impl Comparison {
    /// Notes that there is no baseline, and what helps.
    fn has_none(&mut self, why: &str, cure: Option<&str>) {
        let problem = Problem::new(&BASELINE, format!("no baseline: {why}"));
        self.problems.push(Problem { hint: cure.map(str::to_owned), ..problem });
        self.no_base = Some(why.to_owned());
    }

    /// Looks for the nearest commit with a record, from the start on.
    fn search(&mut self, place: &Place, root: &Utf8Path, from: &Anchor, now: Timestamp) {
        let reach = if ancestry::is_shallow(root) { Reach::Shallow } else { Reach::Whole };
        match ancestry::first_parents(root, &from.commit, MAX_DISTANCE) {
            Ok(commits) => self.search_among(place, &commits, &from.what, reach, now),
            Err(error) => self.has_none(&error.to_string(), Some(super::GIT.hint)),
        }
    }

    /// Looks for the first of some commits that has a record; `what` is the first commit in words.
    fn search_among(&mut self, place: &Place, commits: &[String], what: &str, reach: Reach, now: Timestamp) {
        match place.ask(|store| store.nearest(commits)) {
            Ok(Some((distance, record))) => {
                self.take(record, "history".to_owned(), Some((distance as u64, what.to_owned())), now);
            }
            Ok(None) => {
                let shallow = if reach == Reach::Shallow { " of this shallow clone" } else { "" };
                let looked = text::plural(commits.len() as u64, "commit", "commits");
                let why = format!("history has no full, clean run of {what} or of those before it ({looked}{shallow})");
                let bring = "run `mgmt full-check` there, or bring its record here with `mgmt history import`";
                let cure = match reach {
                    Reach::Shallow => format!("{}; or {bring}", ancestry::DEEPEN),
                    Reach::Whole | Reach::Told => bring.to_owned(),
                };
                self.has_none(&why, Some(&cure));
            }
            Err(error) => self.has_none(&error.to_string(), error.hint()),
        }
    }

    /// What only many runs can tell.
    fn past(&mut self, place: &Place, now: Timestamp) {
        match place.ask(|store| store.samples(LAST_RUNS, now, |_| true)) {
            Ok(samples) => self.samples = samples,
            Err(error) => self.problems.push(Problem::new(&BASELINE, format!("no earlier runs of tests: {error}"))),
        }
        let filter = Filter { full_only: true, ..Filter::default() };
        for metric in FOLLOWED {
            // A trend decides nothing: where it cannot be read, the reports go without.
            let points = place.ask(|store| store.points(metric, None, &filter, TREND)).unwrap_or_default();
            let points: Vec<_> = points
                .into_iter()
                .map(|point| TrendPoint {
                    run: point.id,
                    started_at: point.started_at,
                    value: Some(point.value).filter(|value| value.is_finite()),
                })
                .collect();
            self.trends.push(Trend { metric: (*metric).to_owned(), points });
        }
    }

    fn take(&mut self, record: Record, source: String, distance: Option<(u64, String)>, now: Timestamp) {
        let (distance, start) = distance.unzip();
        let age = now.duration_since(record.started_at);
        self.baseline = Some(Baseline {
            run: record.id.clone(),
            commit: record.project.commit.clone(),
            branch: record.project.branch.clone(),
            verdict: record.verdict,
            source,
            distance,
            start,
            age_ms: u64::try_from(age.as_millis()).unwrap_or(0),
        });
        self.excused = changes::excused(&record.test_changes, &record.quarantine);
        self.record = Some(record);
    }

    /// The change since the start, and since the baseline's own commit.
    fn changes(
        &mut self,
        context: &Context,
        root: &Utf8Path,
        start: Option<Anchor>,
        wanted: &Wanted,
        told: Option<&Change>,
    ) -> anyhow::Result<()> {
        if let Some(path) = &wanted.diff {
            let diff = file::diff(&context.cwd.join(path), path)?;
            self.between = format!("the state before {path}");
            self.diff = Some(diff);
        } else if let Some(Anchor { commit, what }) = &start {
            match repo::change(root, commit) {
                Ok(diff) => {
                    self.between = format!("{what}, {}", short(commit));
                    self.diff = Some(diff);
                }
                Err(error) => {
                    self.problems.push(Problem::new(&BASELINE, format!("what changed is not known: {error}")));
                }
            }
        } else if let Some(told) = told {
            self.take_change(told);
        }
        // A baseline and a diff that are both given belong together.
        let is_pair = wanted.diff.is_some() && self.baseline.as_ref().is_some_and(|base| base.distance.is_none());
        if let Some(record) = &self.record {
            let since = match told {
                Some(told) if wanted.diff.is_none() => self.since_told(record, told),
                _ => self.since(root, record, start.as_ref(), is_pair),
            };
            match since {
                Ok(since) => self.since_base = since,
                Err(problem) if record.lines.is_empty() => drop(problem),
                Err(problem) => self.problems.push(problem),
            }
        }
        let changed: Vec<&str> =
            self.diff.iter().flat_map(|diff| &diff.files).filter_map(|file| file.new.as_deref()).collect();
        self.generated = repo::generated(root, &changed).unwrap_or_default();
        self.follow();
        Ok(())
    }

    /// Puts the baseline's files under the paths that they have now.
    fn follow(&mut self) {
        let Some(record) = &self.record else { return };
        // Where lines cannot be followed, files still can as far as this change renames them.
        let renames: BTreeMap<&str, &str> = self
            .base_diff()
            .or(self.diff.as_ref())
            .map(|diff| {
                let pairs = diff.files.iter().filter_map(|file| Some((file.old.as_deref()?, file.new.as_deref()?)));
                pairs.collect()
            })
            .unwrap_or_default();
        let now = |path: &str| (*renames.get(path).unwrap_or(&path)).to_owned();
        self.files = record.lines.iter().map(|(path, file)| (now(path), file.clone())).collect();
    }

    /// The change since the commit of the baseline, or why nobody knows it.
    fn since(&self, root: &Utf8Path, record: &Record, start: Option<&Anchor>, is_pair: bool) -> Result<Since, Problem> {
        let commit = record.project.commit.as_deref();
        if self.diff.is_some() && (is_pair || commit.is_some_and(|own| start.is_some_and(|start| start.commit == own)))
        {
            return Ok(Since::Change);
        }
        let is_hash = |commit: &&str| commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut hint = "give the change since the baseline with --diff".to_owned();
        let why = match (commit.filter(is_hash), known_commit(root, record)) {
            (_, Some(known)) => match repo::change(root, known) {
                Ok(diff) => return Ok(Since::Other(diff)),
                Err(error) => error.to_string(),
            },
            (Some(commit), None) => {
                hint = format!("fetch it (`git fetch origin {commit}`), or {hint}");
                format!("git does not have its commit {}", short(commit))
            }
            (None, None) => "it names no commit".to_owned(),
        };
        let message = format!("which of the present lines ran in the baseline is not known: {why}");
        Err(Problem { hint: Some(hint), ..Problem::new(&BASELINE, message) })
    }

    /// The change since the baseline's commit.
    fn base_diff(&self) -> Option<&Diff> {
        match &self.since_base {
            Since::Unknown => None,
            Since::Change => self.diff.as_ref(),
            Since::Other(diff) => Some(diff),
        }
    }

    /// Why there is nothing to compare with, for the facts.
    #[must_use]
    pub fn unknown(&self) -> facts::Unknown<'_> {
        facts::Unknown { base: self.no_base.as_deref(), best: self.no_best.as_deref() }
    }

    /// The baseline's side of the facts.
    #[must_use]
    pub fn base(&self) -> Option<facts::Base<'_>> {
        let (files, excused) = (&self.files, &self.excused);
        self.record.as_ref().map(|record| facts::Base { measurements: &record.measurements, files, excused })
    }

    /// What became of the changed lines; `None` if nobody knows what changed, or nothing was covered.
    #[must_use]
    pub fn patch(&self, config: &Config, head: &BTreeMap<String, FileLines>) -> Option<Patch> {
        let diff = self.diff.as_ref().filter(|_| !head.is_empty())?;
        let record = self.record.as_ref().filter(|record| !record.lines.is_empty());
        let against = Against {
            between: &self.between,
            diff,
            base: record.zip(self.base_diff()).map(|(record, diff)| (&record.lines, diff)),
            ignored: config.patch_ignore.set(),
            generated: &self.generated,
        };
        let mut patch = patch::patch(head, &against);
        source::quote(self.diff.as_ref(), &config.root, &mut patch);
        Some(patch)
    }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
