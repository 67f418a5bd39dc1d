//! Judges reports that are already there, without running anything.

use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::check::{Checked, keep};
use super::compare::{self, Wanted as Against};
use super::history::Place;
use super::job::Job;
use super::judge::{Material, judge, note_state};
use super::policy::Judging;
use super::{Context, Stop};
use crate::check::evidence::{From, Spec, is_glob};
use crate::config::Config;
use crate::decode::parse_glob;
use crate::evidence::{Kind, Repeats};
use crate::gate::judge::Asked;
use crate::repo;
use crate::run::evidence::{Wanted, read_all};
use crate::sys::text;

/// The command's name.
pub const COMMAND: &str = "gate";

/// The check that reports belong to which no check declares.
const NOBODY: &str = "evidence";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which gate; the default one if none is named.
    pub gate: Option<String>,
    /// Report files, each alone or after the name of the check it belongs to: `tests=reports/junit.xml`.
    pub evidence: Vec<String>,
    /// What to compare with.
    pub against: Against,
}

/// Reads the reports and judges them by every rule of the gate.
///
/// # Errors
/// No configuration, no gate, a check that does not exist, or something to compare with that cannot be had. A report
/// that cannot be read is a problem in the record.
pub fn gate(context: &Context, request: &Request) -> anyhow::Result<Checked> {
    let config = context.load()?;
    let job = Job::of(context);
    let judging = Judging::of_job(context, job.as_ref(), &config)?;
    let (gate, no_gate) = judging.gate(Some(&config), request.gate.as_deref())?;
    let Some(gate) = gate else {
        let hint = "add `gate:` with the rules that decide, or name one of `gates:` with --gate".to_owned();
        return Err(Stop::usage(format!("{} has no gate to judge by", config.path), Some(hint)).into());
    };
    let started_at = context.clock.now();
    let clock = Instant::now();
    let state = repo::state(&config.root);
    let wanted = wanted(context, &config, &request.evidence)?;
    let place = Place::of(context, &config);
    let judge_by = &judging.config;
    let mut comparison =
        compare::find(context, judge_by, &place, state.as_ref().ok(), Some(gate), &request.against, started_at)?;
    // Reports may be from anywhere: they say nothing of the tree that is checked out.
    comparison.tree = None;
    let evidence = read_all(&wanted, &config.root, &config.limits);
    let problems = judging.problems().into_iter().chain(no_gate).collect();
    let mut material = Material { evidence, problems, ..Material::default() };
    let mut record = judge(judge_by, COMMAND, started_at, &mut material, Some(gate), &Asked::Everything, comparison);
    note_state(&mut record, state);
    judging.sign(&mut record);
    if let Some(job) = job {
        job.name_commit(&mut record.project);
    }
    record.project.tree = None;
    record.finished_at = context.clock.now();
    record.duration_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (written, failures) = keep(&place, context, &config, &mut record);
    Ok(Checked { record, written, failures, read: material.evidence, notices: place.take_problems() })
}

/// The files with what the policy says of them: whose they are, their format, how repeats count.
pub(super) fn wanted(context: &Context, config: &Config, files: &[String]) -> anyhow::Result<Vec<Wanted>> {
    let mut out = Vec::with_capacity(files.len());
    for file in files {
        let (check, file) = match file.split_once('=') {
            Some((check, path)) if !context.cwd.join(file).exists() => (Some(check), path),
            _ => (None, file.as_str()),
        };
        if let Some(check) = check
            && !config.checks.iter().any(|known| known.id == check)
        {
            let known = config.checks.iter().map(|known| known.id.as_str());
            let hint = match text::closest(check, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write CHECK=FILE with the name of a check, or only FILE".to_owned(),
            };
            return Err(Stop::usage(format!("there is no check `{}`", text::one_line(check)), Some(hint)).into());
        }
        let path = context.cwd.join(Utf8PathBuf::from(file));
        let path = path.strip_prefix(&config.root).map_or(path.as_path(), |path| path).to_owned();
        out.push(one(config, check, &path));
    }
    Ok(out)
}

pub(super) fn one(config: &Config, check: Option<&str>, path: &Utf8Path) -> Wanted {
    let specs = || {
        let checks = config.checks.iter().filter(|known| check.is_none_or(|check| known.id == check));
        checks.flat_map(|check| check.evidence.iter().map(move |spec| (check.id.as_str(), spec)))
    };
    let declared = specs().find(|(_, spec)| declares(spec, path));
    // A report from elsewhere belongs to the one check that has reports of its kind; the reader tells the kind, so
    // here only a single one is sure.
    let mut testing = specs().filter(|(_, spec)| spec.kind == Kind::Tests).map(|(id, _)| id);
    let only = testing.next().filter(|_| testing.next().is_none());
    let owner = declared.map(|(id, _)| id).or(check).or(only).unwrap_or(NOBODY);
    let spec = declared.map(|(_, spec)| spec);
    Wanted {
        path: path.to_string(),
        check: owner.to_owned(),
        kind: spec.map(|spec| spec.kind),
        format: spec.and_then(|spec| spec.format),
        repeats: spec.map_or(Repeats::default(), |spec| spec.repeats),
        paths: spec.map(|spec| spec.paths.clone()).unwrap_or_default(),
    }
}

fn declares(spec: &Spec, path: &Utf8Path) -> bool {
    let From::Files(files) = &spec.from else { return false };
    files.iter().any(|pattern| {
        pattern.as_str() == path.as_str()
            || is_glob(pattern) && parse_glob(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(path))
    })
}
