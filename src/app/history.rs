//! The store as a whole: list, show, move, prune, protect, look after.
//!
//! [`Place`] is how every use case asks the store: a damaged one is replaced on the way, and said to be.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::{Context, Stop};
use crate::check::CheckOutcome;
use crate::check::outcome::Output;
use crate::config::Config;
use crate::evidence::{Level, Measurements, Problem};
use crate::gate::RuleResult;
use crate::history::{self, Checkup, Entry, Error, Exported, Filter, Imported, Store};
use crate::record::{Policy, Project, Record};
use crate::report::json::{self, Report};
use crate::report::{self, files};
use crate::sys::{fs, text};

/// The largest report that is read.
const MAX_BYTES: u64 = 64 << 20;

/// The ending of exported records in the tool's own folder, from which a lost store is made again.
const EXPORTED: &str = "jsonl";

/// A project's store, and what it is made again from if it is damaged.
pub struct Place {
    /// The store.
    pub store: Store,
    own: Utf8PathBuf,
    reports: Utf8PathBuf,
    now: Timestamp,
    told: RefCell<Vec<Problem>>,
}

impl Place {
    /// The store of a project.
    #[must_use]
    pub fn of(context: &Context, config: &Config) -> Self {
        Self::at(context, &config.root, context.report_dir(config))
    }

    /// The store of the project at `root`, whose reports are in this folder.
    #[must_use]
    pub fn at(context: &Context, root: &Utf8Path, reports: Utf8PathBuf) -> Self {
        let own = root.join(history::FOLDER);
        Self { store: Store::of(root), own, reports, now: context.clock.now(), told: RefCell::default() }
    }

    /// Asks the store. If it turns out to be damaged, it is replaced and asked once more.
    ///
    /// # Errors
    /// What the store says.
    pub fn ask<T>(&self, mut question: impl FnMut(&Store) -> Result<T, Error>) -> Result<T, Error> {
        match question(&self.store) {
            Err(Error::Damaged { .. }) => {
                self.replace(&[])?;
                question(&self.store)
            }
            other => other,
        }
    }

    /// What was noticed beside what was asked for.
    pub fn take_problems(&self) -> Vec<Problem> {
        let mut told = self.told.take();
        told.extend(self.store.take_problems());
        told
    }

    /// Sets a damaged file aside and fills a new one: from exported records, then from reports.
    fn replace(&self, from: &[Utf8PathBuf]) -> Result<Replaced, Error> {
        let replaced = self.store.replace_damaged(self.now, |store, reason| {
            let mut back = Back { reason: reason.to_owned(), ..Back::default() };
            for path in from.iter().cloned().chain(exported(&self.own)) {
                let imported = import_file(store, &path)?;
                back.whole += imported.added + imported.completed;
                back.files.push(path.to_string());
                back.problems.extend(imported.problems);
            }
            for mut record in partial_records(&self.reports) {
                back.partly += u64::from(store.add_partial(&mut record)?);
            }
            Ok(back)
        })?;
        let Some((aside, back)) = replaced else { return Ok(Replaced::No) };
        let mut told = self.told.borrow_mut();
        told.push(Problem::new(&history::DAMAGED, back.told(&self.store.path(), &aside)));
        told.extend(back.problems);
        Ok(Replaced::Yes)
    }
}

/// Whether there is a new store. There is none where the old one is whole, or another process was faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replaced {
    Yes,
    No,
}

/// What a new store was made from.
#[derive(Default)]
struct Back {
    reason: String,
    files: Vec<String>,
    whole: u64,
    partly: u64,
    problems: Vec<Problem>,
}

impl Back {
    fn told(&self, path: &Utf8Path, aside: &Utf8Path) -> String {
        let from = match self.files.as_slice() {
            [] => "no exported records were found".to_owned(),
            files => {
                format!("{} came back whole from {}", text::plural(self.whole, "record", "records"), text::list(files))
            }
        };
        let partly = match self.partly {
            0 => "none could be made from reports".to_owned(),
            some => format!(
                "{} came back from reports: without tests, covered lines and scoped measurements, and not fit for a baseline",
                text::plural(some, "record", "records")
            ),
        };
        format!("{path} was damaged ({}) and is set aside as {aside}: {from}; {partly}", self.reason)
    }
}

/// Files of exported records in the tool's own folder, by name.
fn exported(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.into_path()).collect();
    paths.retain(|path| path.extension() == Some(EXPORTED));
    paths.sort_unstable();
    paths
}

fn import_file(store: &Store, path: &Utf8Path) -> Result<Imported, Error> {
    let failed = |error| Error::File(fs::Error::new("read", path, error));
    let file = File::open(path).map_err(failed)?;
    let mut imported = store.import(&mut BufReader::with_capacity(1 << 20, file)).map_err(failed)??;
    for problem in &mut imported.problems {
        problem.file = Some(path.to_string());
    }
    Ok(imported)
}

/// What the reports in a folder still say of their runs. One that cannot be read says nothing.
fn partial_records(folder: &Utf8Path) -> impl Iterator<Item = Record> {
    let ids = files::list(folder, |id| history::parse_id(id).is_some()).unwrap_or_default();
    let folder = folder.to_owned();
    ids.into_iter().rev().filter_map(move |(id, _)| {
        let path = folder.join(format!("{id}.json"));
        let report: Report = serde_json::from_slice(&fs::read(&path, MAX_BYTES).ok()?).ok()?;
        (report.schema == json::SCHEMA && report.id == id).then(|| partial_record(report, &path)).flatten()
    })
}

/// A record of which a report is all that is left.
fn partial_record(report: Report, path: &Utf8Path) -> Option<Record> {
    let mut measurements = Measurements::default();
    for (name, value) in report.measurements {
        let value = value.as_ref().and_then(serde_json::Number::as_f64).unwrap_or(f64::NAN);
        measurements.add(name, None, &[path.as_str()], value);
    }
    let number = |value: Option<serde_json::Number>| value.as_ref().and_then(serde_json::Number::as_f64);
    let rules: Vec<_> = report
        .rules
        .into_iter()
        .map(|rule| RuleResult {
            gate: rule.gate,
            metric: rule.metric,
            scope: rule.scope,
            limit: rule.limit,
            value: number(rule.value),
            shown: None,
            base: number(rule.base),
            source: rule.source,
            verdict: rule.verdict,
            message: rule.message,
            advice: rule.advice,
        })
        .collect();
    let checks = report.checks.into_iter().map(|check| CheckOutcome {
        id: check.id,
        group: check.group,
        status: check.status,
        skip: None,
        reason: check.reason,
        allow_failure: false,
        quarantined: false,
        duration_ms: check.duration_ms,
        command: check.command,
        exit_code: check.exit_code,
        output: Output { text: check.output_tail.unwrap_or_default(), dropped_bytes: 0 },
        fix: check.fix,
    });
    let problems = report.problems.into_iter().map(|problem| Problem {
        level: problem.level,
        code: problem.code,
        message: problem.message,
        hint: problem.hint,
        file: problem.file,
        line: problem.line,
    });
    let lost = Problem::new(&history::PARTIAL, format!("made again from {path}"));
    Some(Record {
        schema: crate::record::SCHEMA.to_owned(),
        id: report.id,
        version: "unknown".to_owned(),
        command: report.command,
        started_at: report.started_at.parse().ok()?,
        finished_at: report.finished_at.parse().ok()?,
        duration_ms: report.duration_ms,
        project: Project {
            name: report.project.name,
            commit: report.project.commit,
            branch: report.project.branch,
            dirty: report.project.dirty,
            tree: None,
            merge_commit: report.project.merge_commit,
        },
        // A report does not say which checks it left out.
        left_out: [("unknown".to_owned(), "a report does not name them".to_owned())].into(),
        policy: Policy { path: report.policy.path, commit: report.policy.commit, changed: report.policy.changed },
        gate: rules.first().map(|rule| rule.gate.clone()),
        verdict: report.verdict,
        interrupted: None,
        checks: checks.collect(),
        rules,
        measurements,
        reports: Vec::new(),
        problems: problems.chain([lost]).collect(),
        tests: Vec::new(),
        lines: Default::default(),
        baseline: None,
        patch: None,
        test_changes: crate::gate::TestChanges::default(),
        quarantine: crate::gate::Quarantine::default(),
        score: None,
        trends: Vec::new(),
    })
}

fn place(context: &Context) -> anyhow::Result<(Config, Place)> {
    let config = context.load()?;
    let place = Place::of(context, &config);
    Ok((config, place))
}

/// Something asked of the store, with what was noticed on the way.
#[derive(Debug)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// What was noticed.
    pub problems: Vec<Problem>,
}

impl Place {
    fn answer<T>(&self, value: T) -> Answer<T> {
        Answer { value, problems: self.take_problems() }
    }
}

/// The newest stored runs of a kind.
///
/// # Errors
/// No configuration, or a store that cannot be read.
pub fn list(context: &Context, filter: &Filter, limit: usize) -> anyhow::Result<Answer<Vec<Entry>>> {
    let (_, place) = place(context)?;
    let entries = place.ask(|store| store.list(filter, limit)).map_err(Stop::from)?;
    Ok(place.answer(entries))
}

/// Reads a record: `latest`, an id, or the beginning of one.
///
/// # Errors
/// No such record, or several; or it cannot be read.
pub fn show(context: &Context, id: &str) -> anyhow::Result<Answer<Record>> {
    let (_, place) = place(context)?;
    let id = find(&place, id)?;
    let record = place.ask(|store| store.get(&id)).map_err(Stop::from)?;
    Ok(place.answer(record))
}

/// Writes records as JSON lines, into a file or to `out`.
///
/// # Errors
/// The store cannot be read, or the file cannot be written.
pub fn export(
    context: &Context,
    filter: &Filter,
    file: Option<&Utf8Path>,
    out: &mut dyn Write,
) -> anyhow::Result<Answer<Exported>> {
    let (_, place) = place(context)?;
    let mut answer = match file {
        None => {
            let mut out = BufWriter::new(out);
            let written =
                place.ask(|store| flatten(store.export(filter, &mut out), "write", Utf8Path::new("standard output")));
            place.answer(written.map_err(Stop::from)?)
        }
        Some(file) => {
            let path = context.cwd.join(file);
            let written = place.ask(|store| fs::write_from(&path, |out| store.export(filter, out)));
            place.answer(written.map_err(Stop::from)?)
        }
    };
    answer.problems.append(&mut answer.value.problems);
    Ok(answer)
}

/// An error of the stream is the file's; a reader that has gone away has seen enough.
fn flatten<T: Default>(
    result: io::Result<Result<T, Error>>,
    action: &'static str,
    path: &Utf8Path,
) -> Result<T, Error> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(T::default()),
        other => other.map_err(|error| fs::Error::new(action, path, error))?,
    }
}

/// Takes records in, from files or, for `-`, from `input`.
///
/// # Errors
/// A file cannot be read, or the store cannot be written. What was taken in until then stays.
pub fn import(
    context: &Context,
    files: &[Utf8PathBuf],
    input: &mut dyn io::BufRead,
) -> anyhow::Result<Answer<Imported>> {
    let (_, place) = place(context)?;
    // Looked at first: a stream cannot be read twice.
    place.ask(|store| store.list(&Filter::default(), 1)).map_err(Stop::from)?;
    let mut sum = Imported::default();
    let mut problems = Vec::new();
    for file in files {
        let imported = if file == "-" {
            flatten(place.store.import(input), "read", Utf8Path::new("standard input"))
        } else {
            import_file(&place.store, &context.cwd.join(file))
        };
        let mut one = imported.map_err(Stop::from)?;
        sum.added += one.added;
        sum.known += one.known;
        sum.completed += one.completed;
        problems.append(&mut one.problems);
    }
    let mut answer = place.answer(sum);
    answer.problems.append(&mut problems);
    Ok(answer)
}

/// Removes what is too old or too many, and gives the space back. Returns how many records went.
///
/// # Errors
/// The store cannot be written.
pub fn prune(context: &Context, keep: Option<Duration>, max_runs: Option<u64>) -> anyhow::Result<Answer<u64>> {
    let (config, place) = place(context)?;
    let keep = keep.unwrap_or(config.history.keep);
    let max_runs = max_runs.unwrap_or(config.history.max_runs);
    let kept = kept_reports(&place.reports).map_err(Stop::from)?;
    let now = context.clock.now();
    let removed =
        place.ask(|store| store.prune(now, keep, Some(max_runs), |id| kept.contains(id))).map_err(Stop::from)?;
    match place.ask(Store::compact) {
        // The space is used again by what comes next.
        Err(error) if error.is_busy() => {}
        other => other.map_err(Stop::from)?,
    }
    Ok(place.answer(removed))
}

/// The ids whose reports somebody protects: their records stay as well.
fn kept_reports(folder: &Utf8Path) -> Result<BTreeSet<String>, fs::Error> {
    let reports = files::list(folder, |id| history::parse_id(id).is_some())?;
    Ok(reports.into_iter().filter(|(_, kept)| *kept).map(|(id, _)| id).collect())
}

/// Protects a record, or no longer; then its report may expire as well. Returns its id.
///
/// # Errors
/// No such record, or the store cannot be written.
pub fn protect(context: &Context, id: &str, protect: bool) -> anyhow::Result<Answer<String>> {
    let (_, place) = place(context)?;
    let id = find(&place, id)?;
    if protect {
        place.ask(|store| store.protect(&id)).map_err(Stop::from)?;
    } else {
        place.ask(|store| store.unprotect(&id)).map_err(Stop::from)?;
        report::files::release(&place.reports, &id).map_err(Stop::from)?;
    }
    Ok(place.answer(id))
}

/// Looks at the whole store; a damaged one is replaced, from these files of exported records first.
///
/// # Errors
/// The store cannot be read, or not be replaced.
pub fn check(context: &Context, from: &[Utf8PathBuf]) -> anyhow::Result<Answer<Checkup>> {
    let (_, place) = place(context)?;
    let mut replaced = Replaced::No;
    let checkup = match place.store.check() {
        Err(Error::Damaged { .. }) => {
            let from: Vec<_> = from.iter().map(|file| context.cwd.join(file)).collect();
            place.replace(&from).and_then(|what| {
                replaced = what;
                place.store.check()
            })
        }
        other => other,
    };
    let mut checkup = checkup.map_err(Stop::from)?;
    if replaced == Replaced::No && !from.is_empty() {
        let names: Vec<_> = from.iter().map(|file| file.as_str()).collect();
        let told = format!("the store is whole, so nothing was taken from {}", text::list(&names));
        let note = Problem { hint: None, level: Level::Note, ..Problem::new(&history::DAMAGED, told) };
        place.told.borrow_mut().push(note);
    }
    let mut problems = std::mem::take(&mut checkup.problems);
    let mut answer = place.answer(checkup);
    answer.problems.append(&mut problems);
    Ok(answer)
}

fn find(place: &Place, wanted: &str) -> anyhow::Result<String> {
    let entries = place.ask(|store| store.list(&Filter::default(), usize::MAX)).map_err(Stop::from)?;
    choose(entries.iter().map(|entry| entry.id.as_str()), wanted, ("record", "records"), "history list")
}

/// One of these ids, newest first: `latest`, an id, or the beginning of one.
pub(super) fn choose<'a>(
    ids: impl IntoIterator<Item = &'a str>,
    wanted: &str,
    (one, many): (&str, &str),
    list: &str,
) -> anyhow::Result<String> {
    let ids: Vec<_> = ids.into_iter().collect();
    let Some(latest) = ids.first() else {
        let hint = Some("`mgmt full-check` writes one".to_owned());
        return Err(Stop::nothing(format!("there are no {many} yet"), hint).into());
    };
    if wanted == "latest" {
        return Ok((*latest).to_owned());
    }
    if ids.contains(&wanted) {
        return Ok(wanted.to_owned());
    }
    let matching: Vec<_> = ids.into_iter().filter(|id| id.starts_with(wanted)).collect();
    let shown = text::one_line(wanted);
    match matching.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => {
            Err(Stop::usage(format!("there is no {one} `{shown}`"), Some(format!("`mgmt {list}` shows their ids")))
                .into())
        }
        several => {
            let message = format!("{} begin with `{shown}`", text::plural(several.len() as u64, one, many));
            Err(Stop::usage(message, Some("write more of the id".into())).into())
        }
    }
}
