//! Runs checks, reads what they leave behind, judges it, stores the record and writes the reports.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use camino::Utf8PathBuf;

use super::compare::{self, Wanted};
use super::history::Place;
use super::job::Job;
use super::judge::{Material, judge, note_state};
use super::policy::Judging;
use super::{Context, Stop};
use crate::check::{Event, Plan, Selection, plan};
use crate::config::Config;
use crate::evidence::{Evidence, Level, Problem, Repeats};
use crate::gate::judge::Asked;
use crate::history;
use crate::record::Record;
use crate::repo;
use crate::report;
use crate::run::{self, FailFast, Fix, Run, Settings};
use crate::sys::text;

/// The command that runs every group and judges every rule.
pub const FULL: &str = crate::record::FULL_CHECK;

/// Time between asking a check to end and killing it.
pub const GRACE: Duration = Duration::from_secs(5);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The command's name.
    pub command: String,
    /// Which checks.
    pub selection: Selection,
    /// Which gate; the default one if none is named.
    pub gate: Option<String>,
    /// Checks at once; the number of cores if not given.
    pub jobs: Option<usize>,
    /// What a failure means for checks that have not begun.
    pub fail_fast: FailFast,
    /// Whether repairs run first.
    pub fix: Fix,
    /// What to compare with.
    pub wanted: Wanted,
}

/// What came of it.
#[derive(Debug)]
pub struct Checked {
    /// The record; its verdict is the exit code.
    pub record: Record,
    /// The report files.
    pub written: Vec<Utf8PathBuf>,
    /// What could not be stored or written, in words. Never changes the verdict.
    pub failures: Vec<Failure>,
    /// What was read. Whoever ends the process next need not free it: that takes longer than to print the result.
    pub read: Evidence,
    /// What was noticed about the store: it was damaged, or holds a record that cannot be read.
    pub notices: Vec<Problem>,
}

/// Something that was to be written and was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

impl From<history::Error> for Failure {
    fn from(error: history::Error) -> Self {
        Self { message: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

impl From<crate::sys::fs::Error> for Failure {
    fn from(error: crate::sys::fs::Error) -> Self {
        Self { message: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

/// The checks that a request selects.
///
/// # Errors
/// A name that does not exist; nothing selected.
pub fn select(config: &Config, request: &Request) -> anyhow::Result<Plan> {
    if config.checks.is_empty() {
        let hint = "add `checks:`, or let `mgmt init --stdout` propose some".to_owned();
        return Err(Stop::nothing(format!("{} has no checks", config.path), Some(hint)).into());
    }
    let plan = plan::plan(&config.checks, &request.selection)
        .map_err(|error| Stop::usage(error.to_string(), Some(error.hint.clone())))?;
    if plan.checks.is_empty() {
        let message = match &request.selection.command_groups {
            Some(groups) => {
                format!("`{}` runs {}, and no check of that kind is selected", request.command, groups_in_words(groups))
            }
            None => "no check is selected".to_owned(),
        };
        let groups: BTreeSet<_> = config.checks.iter().map(|check| check.group.clone()).collect();
        let hint = format!("groups in {}: {}", config.path, groups.into_iter().collect::<Vec<_>>().join(", "));
        return Err(Stop::nothing(message, Some(hint)).into());
    }
    Ok(plan)
}

fn groups_in_words(groups: &[String]) -> String {
    match groups {
        [one] => format!("the group {one}"),
        many => format!("the groups {}", text::list(many)),
    }
}

/// Runs the checks and judges them.
///
/// # Errors
/// What keeps a run from beginning: no configuration, an unknown name, nothing to check. Once checks run, there
/// is a record.
pub fn check(context: &Context, request: &Request, tell: &mut dyn FnMut(Event)) -> anyhow::Result<Checked> {
    let config = context.load()?;
    let plan = select(&config, request)?;
    let job = Job::of(context);
    // What runs is what is checked out; what judges it may be the base branch's.
    let judging = Judging::of_job(context, job.as_ref(), &config)?;
    let (gate, no_gate) = judging.gate(Some(&config), request.gate.as_deref())?;

    let started_at = context.clock.now();
    let clock = Instant::now();
    let mut state = repo::state(&config.root);
    let place = Place::of(context, &config);
    if request.wanted.is_explicit() {
        // A name that cannot be had is told before minutes of checks, not after.
        compare::find(context, &judging.config, &place, state.as_ref().ok(), gate, &request.wanted, started_at)?;
    }
    let settings = Settings {
        command: request.command.clone(),
        root: config.root.clone(),
        env: context.env.clone(),
        jobs: request.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        fail_fast: request.fail_fast,
        fix: request.fix,
        grace: GRACE,
        limits: config.limits,
        keep_output: output_folder(&config),
    };
    let run = run::execute(&plan, &settings, tell).context("the checks could not be started")?;
    if request.fix == Fix::Yes {
        // What was checked is what the repairs left.
        state = repo::state(&config.root);
    }

    let asked = asked(&plan, request);
    let mut material = material(&plan, run);
    judging.adjust(&mut material.checks);
    if request.command == FULL {
        material.problems.extend(judging.unrun(&material.checks, |id| material.left_out.contains_key(id)));
    }
    material.problems.extend(judging.problems().into_iter().chain(no_gate));
    let comparison =
        compare::find(context, &judging.config, &place, state.as_ref().ok(), gate, &request.wanted, started_at)?;
    let mut record = judge(&judging.config, &request.command, started_at, &mut material, gate, &asked, comparison);
    note_state(&mut record, state);
    judging.sign(&mut record);
    if let Some(job) = job {
        job.name_commit(&mut record.project);
    }
    record.finished_at = context.clock.now();
    record.duration_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (written, failures) = keep(&place, context, &config, &mut record);
    Ok(Checked { record, written, failures, read: material.evidence, notices: place.take_problems() })
}

/// Where outputs are kept of which reports are read.
pub(super) fn output_folder(config: &Config) -> Utf8PathBuf {
    config.root.join(history::FOLDER).join("output")
}

/// A full run judges every rule; a partial one those that its checks' evidence can yield.
fn asked(plan: &Plan, request: &Request) -> Asked {
    if request.command == FULL && plan.is_full() {
        return Asked::Everything;
    }
    Asked::Yielded(plan.checks.iter().flat_map(|planned| planned.check.evidence.iter().map(|spec| spec.kind)).collect())
}

/// What ran, in the order of the plan.
fn material(plan: &Plan, run: Run) -> Material {
    let mut evidence = Evidence::default();
    let mut checks = Vec::with_capacity(run.checks.len());
    let mut lossy = BTreeSet::new();
    for executed in run.checks {
        if executed.evidence.problems.iter().any(|problem| problem.level == Level::Loss) {
            lossy.insert(executed.outcome.id.clone());
        }
        checks.push(executed.outcome);
        // Tests of different checks never meet, so the choice has no effect here.
        evidence.merge(executed.evidence, Repeats::Worst);
    }
    let left_out = plan.left_out.iter().map(|left| (left.id.clone(), left.why.clone())).collect();
    Material { checks, evidence, lossy, problems: run.problems, left_out, interrupted: run.interrupted }
}

/// Stores the record, writes the reports, removes what is too old. Failures are told, and change nothing else.
pub(super) fn keep(
    place: &Place,
    context: &Context,
    config: &Config,
    record: &mut Record,
) -> (Vec<Utf8PathBuf>, Vec<Failure>) {
    let mut failures = Vec::new();
    let folder = context.report_dir(config);
    if let Err(error) = place.ask(|store| store.add(record)) {
        failures.push(Failure::from(error));
    }
    if folder.starts_with(config.root.join(history::FOLDER))
        && let Err(error) = history::prepare(&config.root.join(history::FOLDER))
    {
        failures.push(Failure::from(error));
    }
    let (written, failed) = report::files::write(&folder, record);
    failures.extend(failed.into_iter().map(Failure::from));
    // Ages count from the run's beginning: then no run, however long, is older than it may be.
    let now = record.started_at;
    let kept: BTreeSet<_> = match report::files::list(&folder, |id| history::parse_id(id).is_some()) {
        Ok(reports) => reports.into_iter().filter(|(_, kept)| *kept).map(|(id, _)| id).collect(),
        Err(error) => {
            // Without knowing what is protected nothing may be removed. Where the folder could not even be
            // written, that has been said.
            if failures.is_empty() {
                failures.push(Failure::from(error));
            }
            return (written, dedup(failures));
        }
    };
    let pruned = report::files::prune(&folder, now, config.reports.keep, history::is_older);
    failures.extend(pruned.err().map(Failure::from));
    let history::Settings { keep, max_runs } = config.history;
    let forgotten = place.ask(|store| store.prune(now, keep, Some(max_runs), |id| kept.contains(id)));
    failures.extend(forgotten.err().map(Failure::from));
    (written, dedup(failures))
}

/// One folder that cannot be written fails several times in the same words.
fn dedup(mut failures: Vec<Failure>) -> Vec<Failure> {
    let mut seen = BTreeSet::new();
    failures.retain(|failure| seen.insert(failure.message.clone()));
    failures
}
