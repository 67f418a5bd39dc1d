//! Bundles of evidence: packing one where the checks ran, reading them where they are judged.
//!
//! Packing needs no token. Reading believes nothing: sizes, paths and hashes are checked, reports are read anew, and
//! what is not there is said, so that it cannot be missed silently.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::check::output_folder;
use super::history::Place;
use super::job::Job;
use super::{Context, Stop, gate};
use crate::check::evidence as declared;
use crate::config::Config;
use crate::evidence::findings::Report;
use crate::evidence::problem::Code;
use crate::evidence::{Evidence, Kind, Level, Limits, Problem, format};
use crate::history::Filter;
use crate::record::Record;
use crate::record::bundle::{self, Bundle, EVIDENCE, INDEX, Missing, RECORD, SCHEMA, Source};
use crate::repo;
use crate::run::evidence::{Wanted, project, read_all_about};
use crate::run::{kept_output, output_label};
use crate::sys::{fs, text};

/// The largest `bundle.json` and record that are read.
const MAX_INDEX: u64 = 256 << 20;

/// A report that the job had and the bundle has not.
pub const INCOMPLETE: Code = Code {
    id: "bundle.incomplete",
    level: Level::Loss,
    doc: "A bundle of evidence lacks a report that its job had read, or holds one that is not the one it names.",
    hint: "look at the job that made the bundle; let checks write their reports to files",
};

/// What is to be packed.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The folder; `.mgmt/bundle` of the project if none is named. What is in it goes.
    pub out: Option<Utf8PathBuf>,
    /// Which of several parts of one run this is.
    pub shard: Option<String>,
    /// Report files, each alone or after the name of its check; those of the newest run if none are named.
    pub evidence: Vec<String>,
    /// Report files beside those that the newest run has read.
    pub added: Vec<String>,
    /// Runs that began before it do not count: the history may have come from an earlier job.
    pub since: Option<Timestamp>,
}

/// What was packed.
#[derive(Debug)]
pub struct Packed {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// What stands in its `bundle.json`.
    pub bundle: Bundle,
    /// The run whose record is in it.
    pub run: Option<String>,
}

/// Packs what the checks left behind.
///
/// # Errors
/// No configuration, nothing to pack, a report that cannot be read, or a folder that cannot be written.
pub fn collect(context: &Context, request: &Request) -> anyhow::Result<Packed> {
    let config = context.load()?;
    let job = Job::of(context);
    let state = repo::state(&config.root).ok();
    let commit = state.as_ref().and_then(|state| state.commit.clone());
    let place = Place::of(context, &config);
    let mut source = job.as_ref().map(|job| job.source(commit.as_deref())).unwrap_or_default();
    source.commit = source.commit.or(commit.clone());
    source.branch = source.branch.or(state.and_then(|state| state.branch));
    source.shard = request.shard.clone();
    // A run outside a repository names no commit.
    let of_run = commit.and(source.commit.as_deref());
    let record = newest(&place, of_run, request.since)?;

    let own = config.root.join(crate::history::FOLDER);
    let folder = request.out.as_ref().map_or_else(|| own.join("bundle"), |out| context.cwd.join(out));
    if request.out.is_none() {
        crate::history::prepare(&own).map_err(Stop::from)?;
    }
    empty(&folder)?;
    let mut bundle = Bundle {
        schema: SCHEMA.to_owned(),
        version: crate::sys::VERSION.to_owned(),
        source,
        project: project(&config.root),
        ..Bundle::default()
    };
    for wanted in wanted(context, &config, record.as_ref(), request)? {
        pack(&mut bundle, &wanted, &config, &folder)?;
    }
    if bundle.files.is_empty() && record.is_none() {
        let hint = "run the checks first, or name the report files with --evidence".to_owned();
        let since = request.since.map(|since| format!(" since {since}")).unwrap_or_default();
        let told = format!("there is nothing to pack: no run of this commit{since} and no report file");
        return Err(Stop::nothing(told, Some(hint)).into());
    }
    if let Some(record) = &record {
        let json = serde_json::to_vec(record)?;
        fs::write_atomic(&folder.join(RECORD), &json).map_err(Stop::from)?;
    }
    let json = serde_json::to_vec_pretty(&bundle)?;
    fs::write_atomic(&folder.join(INDEX), &json).map_err(Stop::from)?;
    Ok(Packed { folder, bundle, run: record.map(|record| record.id) })
}

/// The newest run of checks on this commit.
fn newest(place: &Place, commit: Option<&str>, since: Option<Timestamp>) -> anyhow::Result<Option<Record>> {
    let entries = place.ask(|store| store.list(&Filter::default(), 20)).map_err(Stop::from)?;
    let is_recent = |began: Timestamp| since.is_none_or(|since| began >= since);
    let mut ours = entries.iter().filter(|entry| entry.commit.as_deref() == commit && is_recent(entry.started_at));
    let found = ours.find(|entry| entry.command != gate::COMMAND && !entry.partial);
    let Some(entry) = found else { return Ok(None) };
    Ok(Some(place.ask(|store| store.get(&entry.id)).map_err(Stop::from)?))
}

/// The report files to pack: those that were named, else those that the run has read and what is to be added to them.
fn wanted(
    context: &Context,
    config: &Config,
    record: Option<&Record>,
    request: &Request,
) -> anyhow::Result<Vec<Wanted>> {
    if !request.evidence.is_empty() {
        return gate::wanted(context, config, &request.evidence);
    }
    // Files that no run has read may be of any day: who wants those judged names them.
    let mut wanted = record.map(|record| read_by(record, config)).unwrap_or_default();
    for added in gate::wanted(context, config, &request.added)? {
        if !wanted.iter().any(|known| known.path == added.path) {
            wanted.push(added);
        }
    }
    Ok(wanted)
}

/// The reports that a run has read.
fn read_by(record: &Record, config: &Config) -> Vec<Wanted> {
    let mut seen = BTreeSet::new();
    // Of one output several reports may be read.
    let is_output = |report: &Report| report.path == output_label(&report.check);
    let reports = record
        .reports
        .iter()
        .filter(|report| seen.insert((&report.check, &report.path, is_output(report).then_some(report.kind))));
    let wanted = reports.map(|report| {
        let wanted = gate::one(config, Some(&report.check), Utf8Path::new(&report.path));
        let spec = config.checks.iter().filter(|check| check.id == report.check).flat_map(|check| &check.evidence);
        let mut spec = spec.filter(|spec| matches!(spec.from, declared::From::Output) && spec.kind == report.kind);
        match spec.next().filter(|_| is_output(report)) {
            Some(spec) => Wanted {
                kind: Some(spec.kind),
                format: spec.format,
                repeats: spec.repeats,
                paths: spec.paths.clone(),
                ..wanted
            },
            None => wanted,
        }
    });
    wanted.collect()
}

/// Takes what an earlier packing left in the folder; refuses one that holds anything else.
pub(super) fn empty(folder: &Utf8Path) -> anyhow::Result<()> {
    let is_bundle = folder.join(INDEX).is_file();
    let is_used = folder.read_dir_utf8().is_ok_and(|mut entries| entries.next().is_some());
    if is_used && !is_bundle {
        let hint = "name a folder that is empty, or does not exist yet".to_owned();
        return Err(Stop::usage(format!("{folder} holds something that is no bundle"), Some(hint)).into());
    }
    if is_bundle {
        let failed = |error| Stop::from(fs::Error::new("empty", folder, error));
        std::fs::remove_dir_all(folder).map_err(failed)?;
    }
    Ok(fs::create_dir_all(folder).map_err(Stop::from)?)
}

fn pack(bundle: &mut Bundle, wanted: &Wanted, config: &Config, folder: &Utf8Path) -> anyhow::Result<()> {
    let (from, name) = match wanted.path == output_label(&wanted.check) {
        true => (kept_output(&output_folder(config), &wanted.check), Some(format!("{}.out", wanted.check))),
        false => (config.root.join(&wanted.path), None),
    };
    if !from.is_file() {
        let reason = "it is gone".to_owned();
        let missing = Missing { path: wanted.path.clone(), check: wanted.check.clone(), reason };
        bundle.missing.push(missing);
        return Ok(());
    }
    // A number before it keeps apart what lies outside the project, and names that differ in letters' case.
    let name = fs::plain_path(name.as_deref().unwrap_or(&wanted.path)).unwrap_or_else(|| "outside".into());
    let stored = format!("{}/{name}", bundle.files.len() + 1);
    let to = folder.join(EVIDENCE).join(&stored);
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(Stop::from)?;
    }
    std::fs::copy(&from, &to).map_err(|error| Stop::from(fs::Error::new("copy", &from, error)))?;
    let (bytes, sha256) = hash(&to).map_err(Stop::from)?;
    bundle.files.push(bundle::File {
        path: wanted.path.clone(),
        stored,
        check: wanted.check.clone(),
        kind: wanted.kind,
        format: wanted.format.map(|format| format.name.to_owned()),
        repeats: wanted.repeats,
        paths: wanted.paths.clone(),
        bytes,
        sha256,
    });
    Ok(())
}

/// Size and SHA-256 of a file.
fn hash(path: &Utf8Path) -> Result<(u64, String), fs::Error> {
    let failed = |error| fs::Error::new("read", path, error);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let (mut sum, mut size) = (Sha256::new(), 0);
    let mut buffer = [0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        sum.update(&buffer[..read]);
    }
    Ok((size, sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// A bundle that was read.
#[derive(Debug)]
pub struct Opened {
    /// What its `bundle.json` says.
    pub bundle: Bundle,
    /// What its reports say.
    pub evidence: Evidence,
    /// Its record, of which only what became of the checks may be used.
    pub record: Option<Record>,
}

/// A folder that is no bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{folder} is no bundle of evidence: {why}")]
pub struct NoBundle {
    /// The folder.
    pub folder: Utf8PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl From<NoBundle> for Stop {
    fn from(error: NoBundle) -> Self {
        let hint = "`mgmt collect` makes one; give the folder that it wrote".to_owned();
        Self::usage(error.to_string(), Some(hint))
    }
}

/// Reads a bundle. What is wrong with a report is a problem in the evidence.
///
/// # Errors
/// A folder that is no bundle.
pub fn open(folder: &Utf8Path, limits: &Limits) -> Result<Opened, NoBundle> {
    let no_bundle = |why: &str| NoBundle { folder: folder.to_owned(), why: why.to_owned() };
    let read = |name: &str| fs::read(&folder.join(name), MAX_INDEX);
    let index = read(INDEX).map_err(|error| no_bundle(&error.to_string()))?;
    let bundle: Bundle = serde_json::from_slice(&index).map_err(|error| no_bundle(&error.to_string()))?;
    if bundle.schema != SCHEMA {
        return Err(no_bundle(&format!("its schema is `{}`", text::shorten(&text::one_line(&bundle.schema), 40))));
    }
    let mut record = None;
    if folder.join(RECORD).exists() {
        let bytes = read(RECORD).map_err(|error| no_bundle(&error.to_string()))?;
        record =
            Some(crate::history::read_record(&bytes).map_err(|why| no_bundle(&format!("its record is none: {why}")))?);
    }
    let evidence = evidence(&bundle, folder, limits);
    Ok(Opened { bundle, evidence, record })
}

fn evidence(bundle: &Bundle, folder: &Utf8Path, limits: &Limits) -> Evidence {
    let lost = |path: &str, why: &str| {
        let told = format!("a report is not in the bundle: {why}");
        Problem::new(&INCOMPLETE, told).in_file(text::shorten(&text::one_line(path), 200))
    };
    let missing = bundle.missing.iter().map(|missing| lost(&missing.path, &text::one_line(&missing.reason)));
    let mut problems: Vec<Problem> = missing.collect();
    let mut wanted = Vec::new();
    let mut bytes = 0_u64;
    for (at, file) in bundle.files.iter().enumerate() {
        bytes = bytes.saturating_add(file.bytes);
        if at >= limits.reports || bytes > limits.reports_bytes {
            problems.push(lost(&file.path, "there are more, or larger ones, than `limits:` allow"));
            break;
        }
        match stored(file, folder) {
            Ok(one) => wanted.push(one),
            Err(why) => problems.push(lost(&file.path, &why)),
        }
    }
    let mut evidence = read_all_about(&wanted, folder, &bundle.project, limits);
    rename(&mut evidence, bundle);
    evidence.problems.splice(0..0, problems);
    evidence
}

/// A file of the bundle, if it is the one that the index names.
fn stored(file: &bundle::File, folder: &Utf8Path) -> Result<Wanted, String> {
    let place = fs::plain_path(&file.stored).ok_or("its place is outside the bundle")?;
    let path = Utf8Path::new(EVIDENCE).join(place);
    let full = folder.join(&path);
    let meta = std::fs::symlink_metadata(&full).map_err(|error| error.to_string())?;
    if !meta.is_file() || meta.len() != file.bytes {
        return Err("its size is another one".to_owned());
    }
    let (_, sum) = hash(&full).map_err(|error| error.to_string())?;
    if sum != file.sha256 {
        return Err("its SHA-256 is another one".to_owned());
    }
    let known = file.format.as_deref().map(|name| format(name).ok_or("its format is not known here")).transpose()?;
    Ok(Wanted {
        path: path.to_string(),
        check: file.check.clone(),
        kind: file.kind,
        format: known,
        repeats: file.repeats,
        paths: file.paths.clone(),
    })
}

/// Reports are told by the paths they had in the project.
fn rename(evidence: &mut Evidence, bundle: &Bundle) {
    let by_place = |path: &str| {
        let stored = path.strip_prefix(EVIDENCE)?.strip_prefix('/')?;
        let file = bundle.files.iter().find(|file| file.stored == stored)?;
        Some(text::shorten(&text::one_line(&file.path), 500))
    };
    for report in &mut evidence.reports {
        report.path = by_place(&report.path).unwrap_or_else(|| std::mem::take(&mut report.path));
    }
    for problem in &mut evidence.problems {
        problem.file = problem.file.take().map(|path| by_place(&path).unwrap_or(path));
    }
    for metric in &mut evidence.metrics {
        metric.source = by_place(&metric.source).unwrap_or_else(|| std::mem::take(&mut metric.source));
    }
}

/// Says of what is read from a bundle where it comes from: `o/r, run 5, attempt 2, shard a`.
#[must_use]
pub fn origin(source: &Source) -> String {
    let parts = [
        source.repository.clone(),
        source.run_id.map(|run| format!("run {run}")),
        (source.attempt > 1).then(|| format!("attempt {}", source.attempt)),
        source.shard.as_ref().map(|shard| format!("shard {shard}")),
    ];
    let told: Vec<_> = parts.into_iter().flatten().map(|part| text::one_line(&part)).collect();
    if told.is_empty() { "a bundle".to_owned() } else { told.join(", ") }
}

/// The kinds of evidence a bundle holds, for people.
#[must_use]
pub fn kinds(bundle: &Bundle) -> String {
    let kinds: BTreeSet<&str> = bundle.files.iter().filter_map(|file| file.kind.map(Kind::name)).collect();
    text::list(&kinds.into_iter().collect::<Vec<_>>())
}
