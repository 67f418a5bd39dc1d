//! What a run is compared with: the baseline, the change since, and the best there was.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::history::Place;
use super::{Context, Stop};
use crate::config::Config;
use crate::evidence::coverage::FileLines;
use crate::evidence::{Level, Problem};
use crate::gate::Gate;
use crate::gate::flaky::LAST_RUNS;
use crate::gate::judge::{self, Best};
use crate::gate::patch::{self, Against, Patch, SourceLine};
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
/// Source lines around a changed one that reports show.
const AROUND: u32 = 3;
/// What `--base` says where there is to be no baseline.
const NONE: &str = "none";
/// Source lines kept of one file, and of all files.
const MAX_SOURCE: (usize, usize) = (400, 4000);

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
    /// Where the change starts, in words.
    pub between: String,
    /// The change; `None` if nobody knows what changed.
    pub diff: Option<Diff>,
    /// The change since the baseline's commit, where that is another one.
    pub since_base: Option<Diff>,
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
    no_base: Option<String>,
    /// Why nobody looked for the best values.
    no_best: Option<String>,
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
    match wanted.base.as_deref() {
        Some(NONE) => out.has_none("`--base none` was given", None),
        Some(name) if context.cwd.join(name).is_file() => {
            let record = file::record(&context.cwd.join(name), name)?;
            if let Some(commit) = &record.project.commit
                && ancestry::resolve(root, commit).is_ok_and(|found| found.is_some())
            {
                start = Some(Anchor { commit: commit.clone(), what: format!("the commit of {name}") });
            }
            out.take(record, name.to_owned(), None, now);
        }
        Some(name) => {
            let from = named(root, name)?;
            out.search(place, root, &from, now);
            start = Some(from);
        }
        None => match &anchor {
            Ok(Ok(from)) => out.search(place, root, from, now),
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
    } else if let Some(gate) = gate {
        let branch = ancestry::default_branch(root, config.project.default_branch.as_deref());
        match best(place, gate, &branch) {
            Ok(best) => out.best = best,
            Err(error) => {
                out.problems.push(Problem::new(&BASELINE, format!("no best values: {error}")));
                out.no_best = Some(error.to_string());
            }
        }
    }
    out.changes(context, root, start, wanted)?;
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

/// The commit of a name that git knows.
fn named(root: &Utf8Path, name: &str) -> anyhow::Result<Anchor> {
    let shown = text::one_line(name);
    let refused = |error: repo::Error| {
        let hint = "give the path of a record, or `none`".to_owned();
        Stop::usage(format!("`--base {shown}`: {error}"), Some(hint))
    };
    match ancestry::resolve(root, name).map_err(refused)? {
        Some(commit) => Ok(Anchor { commit, what: shown }),
        None => {
            let hint = "give a branch, a tag, a commit, the path of a record, or `none`".to_owned();
            Err(Stop::usage(format!("`--base {shown}` is neither a file nor a commit"), Some(hint)).into())
        }
    }
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
        let commits = match ancestry::first_parents(root, &from.commit, MAX_DISTANCE) {
            Ok(commits) => commits,
            Err(error) => return self.has_none(&error.to_string(), Some(super::GIT.hint)),
        };
        match place.ask(|store| store.nearest(&commits)) {
            Ok(Some((distance, record))) => {
                self.take(record, "history".to_owned(), Some(distance as u64), now);
            }
            Ok(None) => {
                let is_shallow = ancestry::is_shallow(root);
                let shallow = if is_shallow { " of this shallow clone" } else { "" };
                let looked = text::plural(commits.len() as u64, "commit", "commits");
                let what = &from.what;
                let why = format!("history has no full, clean run of {what} or of those before it ({looked}{shallow})");
                let bring = "run `mgmt full-check` there, or bring its record here with `mgmt history import`";
                let cure = if is_shallow { format!("{}; or {bring}", ancestry::DEEPEN) } else { bring.to_owned() };
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

    fn take(&mut self, record: Record, source: String, distance: Option<u64>, now: Timestamp) {
        let age = now.duration_since(record.started_at);
        self.baseline = Some(Baseline {
            run: record.id.clone(),
            commit: record.project.commit.clone(),
            branch: record.project.branch.clone(),
            verdict: record.verdict,
            source,
            distance,
            age_ms: u64::try_from(age.as_millis()).unwrap_or(0),
        });
        self.record = Some(record);
    }

    /// The change since the start, and since the baseline's own commit.
    fn changes(
        &mut self,
        context: &Context,
        root: &Utf8Path,
        start: Option<Anchor>,
        wanted: &Wanted,
    ) -> anyhow::Result<()> {
        if let Some(path) = &wanted.diff {
            let diff = file::diff(&context.cwd.join(path), path)?;
            self.between = format!("the diff {path}");
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
        }
        let base_commit = self.record.as_ref().and_then(|record| record.project.commit.clone());
        if let Some(commit) = base_commit.filter(|base| start.as_ref().is_none_or(|start| start.commit != *base)) {
            // Where git does not have the baseline's commit, lines are told by the given diff, or by their numbers.
            self.since_base = repo::change(root, &commit).ok();
        }
        let changed: Vec<&str> =
            self.diff.iter().flat_map(|diff| &diff.files).filter_map(|file| file.new.as_deref()).collect();
        self.generated = repo::generated(root, &changed).unwrap_or_default();
        if let Some(record) = &self.record {
            let renames: BTreeMap<&str, &str> = self
                .base_diff()
                .map(|diff| {
                    let pairs = diff.files.iter().filter_map(|file| Some((file.old.as_deref()?, file.new.as_deref()?)));
                    pairs.collect()
                })
                .unwrap_or_default();
            let now = |path: &str| (*renames.get(path).unwrap_or(&path)).to_owned();
            self.files = record.lines.iter().map(|(path, file)| (now(path), file.clone())).collect();
        }
        Ok(())
    }

    /// The change since the baseline's commit.
    fn base_diff(&self) -> Option<&Diff> {
        self.since_base.as_ref().or(self.diff.as_ref())
    }

    /// Why there is nothing to compare with, for the facts.
    #[must_use]
    pub fn unknown(&self) -> judge::Unknown<'_> {
        judge::Unknown { base: self.no_base.as_deref(), best: self.no_best.as_deref() }
    }

    /// The baseline's side of the facts.
    #[must_use]
    pub fn base(&self) -> Option<judge::Base<'_>> {
        self.record.as_ref().map(|record| judge::Base { measurements: &record.measurements, files: &self.files })
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
        self.quote(&config.root, &mut patch);
        Some(patch)
    }

    /// Adds the source around changed and lost lines.
    fn quote(&self, root: &Utf8Path, patch: &mut Patch) {
        let changed = self.diff.as_ref().map(Diff::by_new).unwrap_or_default();
        let mut left = MAX_SOURCE.1;
        for file in &mut patch.files {
            let hunks = changed.get(file.path.as_str()).map(|changed| changed.hunks.as_slice()).unwrap_or_default();
            let is_changed = |line: u32| {
                let at = hunks.partition_point(|hunk| hunk.new_start <= line);
                at.checked_sub(1).is_some_and(|at| line - hunks[at].new_start < hunks[at].new_len)
            };
            let wanted = |line: u32| {
                (line.saturating_sub(AROUND)..=line.saturating_add(AROUND))
                    .any(|near| is_changed(near) || file.lost.contains(near))
            };
            let excerpt = repo::excerpt(&root.join(&file.path), wanted, left.min(MAX_SOURCE.0));
            left = left.saturating_sub(excerpt.lines.len());
            file.source = excerpt
                .lines
                .into_iter()
                .map(|(number, text)| SourceLine { number, changed: is_changed(number), text })
                .collect();
            file.source_left_out = excerpt.left_out;
        }
    }
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
