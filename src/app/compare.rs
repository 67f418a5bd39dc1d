//! What a run is compared with: the baseline, the change since, and the best there was.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::history::Place;
use super::{BASELINE, Context, Stop};
use crate::config::Config;
use crate::evidence::Problem;
use crate::evidence::coverage::FileLines;
use crate::gate::Gate;
use crate::gate::flaky::LAST_RUNS;
use crate::gate::judge::{self, Best};
use crate::gate::patch::{self, Against, Patch, SourceLine};
use crate::gate::rule::LimitKind;
use crate::gate::samples::Samples;
use crate::history;
use crate::history::Filter;
use crate::record::{Baseline, FOLLOWED, Record, Trend, TrendPoint};
use crate::repo::{self, Diff, State, ancestry};
use crate::sys::text;

/// Commits looked at, by first parent, for one with a record.
const MAX_DISTANCE: usize = 10_000;
/// Earlier runs that a trend shows.
const TREND: usize = 29;
/// Source lines around a changed one that reports show.
const AROUND: u32 = 3;
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
        Some(state) => {
            ancestry::anchor(root, state, config.project.default_branch.as_deref()).unwrap_or_else(|error| {
                out.problems.push(Problem::new(&BASELINE, error.to_string()));
                None
            })
        }
        None => None,
    };
    let mut start = anchor.as_ref().map(|anchor| (anchor.commit.clone(), anchor.what.clone()));
    match wanted.base.as_deref() {
        Some("none") => out.problems.push(Problem::new(&BASELINE, "no baseline: `--base none`")),
        Some(name) if context.cwd.join(name).is_file() => {
            let record = file::record(&context.cwd.join(name), name)?;
            start = match &record.project.commit {
                Some(commit) if ancestry::resolve(root, commit).is_ok_and(|found| found.is_some()) => {
                    Some((commit.clone(), format!("the commit of {name}")))
                }
                _ => start,
            };
            out.take(record, name.to_owned(), None, now);
        }
        Some(name) => {
            let refused = |error: repo::Error| Stop::usage(format!("`--base {name}`: {error}"), None);
            let Some(commit) = ancestry::resolve(root, name).map_err(refused)? else {
                let message = format!("`--base {}` is neither a file nor a commit", text::one_line(name));
                let hint = "give a branch, a tag, a commit, the path of a record, or `none`".to_owned();
                return Err(Stop::usage(message, Some(hint)).into());
            };
            start = Some((commit.clone(), format!("`{name}`")));
            out.search(place, root, &commit, name, now);
        }
        None => match &anchor {
            Some(anchor) => out.search(place, root, &anchor.commit, &anchor.what, now),
            None => {
                let why = match state {
                    None => "there is no git history",
                    Some(State { commit: None, .. }) => "there is no commit yet",
                    Some(State { commit: Some(head), .. }) => {
                        out.is_first = ancestry::is_first(root, head);
                        match (out.is_first, ancestry::is_shallow(root)) {
                            (true, _) => "this is the first commit",
                            (_, true) => {
                                "the shallow clone does not reach back to where the change starts (fetch more history)"
                            }
                            _ => {
                                "the default branch is not known (name it under `project:` as `default-branch`), or has nothing in common with this one"
                            }
                        }
                    }
                };
                out.problems.push(Problem::new(&BASELINE, format!("no baseline: {why}")));
            }
        },
    }
    if let Some(gate) = gate.filter(|_| wanted.base.as_deref() != Some("none")) {
        let branch = ancestry::default_branch(root, config.project.default_branch.as_deref());
        match best(place, gate, &branch) {
            Ok(best) => out.best = best,
            Err(error) => out.problems.push(Problem::new(&BASELINE, format!("no best values: {error}"))),
        }
    }
    out.changes(context, root, start, wanted)?;
    out.past(place, now);
    Ok(out)
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
    fn search(&mut self, place: &Place, root: &Utf8Path, start: &str, what: &str, now: Timestamp) {
        let commits = match ancestry::first_parents(root, start, MAX_DISTANCE) {
            Ok(commits) => commits,
            Err(error) => {
                self.problems.push(Problem::new(&BASELINE, format!("no baseline: {error}")));
                return;
            }
        };
        match place.ask(|store| store.nearest(&commits)) {
            Ok(Some((distance, record))) => self.take(record, "history".to_owned(), Some(distance as u64), now),
            Ok(None) => {
                let shallow = if ancestry::is_shallow(root) { " of this shallow clone" } else { "" };
                let looked = text::plural(commits.len() as u64, "commit", "commits");
                let message = format!(
                    "no baseline: history has no full, clean run of {what} or of those before it ({looked}{shallow})"
                );
                self.problems.push(Problem::new(&BASELINE, message));
            }
            Err(error) => self.problems.push(Problem::new(&BASELINE, format!("no baseline: {error}"))),
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
        start: Option<(String, String)>,
        wanted: &Wanted,
    ) -> anyhow::Result<()> {
        let base_commit = self.record.as_ref().and_then(|record| record.project.commit.clone());
        if let Some(path) = &wanted.diff {
            let diff = file::diff(&context.cwd.join(path), path)?;
            self.between = format!("the diff {path}");
            self.diff = Some(diff);
        } else if let Some((commit, what)) = &start {
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
        if let Some(commit) = base_commit.filter(|base| start.as_ref().is_none_or(|(commit, _)| commit != base)) {
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
