//! The gate before a stage of a deploy: asks GitHub what it knows of a commit, and lets `deploy` decide.
//!
//! The policy is the default branch's, whatever is checked out. Deliberately absent: deploying.

mod answer;
mod ask;
mod evidence;
mod policy;

use std::time::{Duration, Instant};

use super::check::{Checked, keep};
use super::compare::{self, Comparison, Wanted};
use super::history::Place;
use super::job::Job;
use super::judge::{Material, judge};
use super::policy::Judging;
use super::{Context, Stop, gate, remote, step};
use crate::config::Config;
use crate::deploy::{self, Decision, Facts, Stage};
use crate::gate::judge::Asked;
use crate::github::{Client, Slug};
use crate::publish::{Key, Target};
use crate::record::{self, Project, Record};
use crate::repo;
use crate::sys::text;

/// Between two looks at what goes on: at first, and at most.
const LOOK: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The stage.
    pub stage: String,
    /// The commit: all its digits.
    pub sha: String,
    /// The repository.
    pub repo: Option<String>,
    /// How long to wait for runs that go on.
    pub wait: Duration,
    /// Who on GitHub is told.
    pub answer: Option<Answer>,
    /// What the step of a workflow shows: [`SHOWS`].
    pub to: Vec<Target>,
}

/// Where a gate before a stage can be shown: within its own step. A deploy has no pull request.
pub const SHOWS: [Target; 2] = [Target::Summary, Target::Outputs];

/// Who on GitHub is told what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The newest deployment of the commit, as a status.
    Status {
        /// The environment it goes to; the stage's own if none is named.
        environment: Option<String>,
    },
    /// The custom protection rule that holds a run back.
    Rule {
        /// The run that waits.
        run: u64,
        /// The environment it waits for; the stage's own if none is named.
        environment: Option<String>,
    },
}

/// Decides whether a commit may take a stage.
///
/// # Errors
/// No policy or no such stage on the default branch, or a GitHub that cannot be asked for them. Whatever else is not
/// known is a reason in the record.
pub fn stage(context: &Context, request: &Request, tell: impl Fn(&str) + 'static) -> anyhow::Result<Checked> {
    let client = remote::connect(context, tell)?;
    decide(context, &client, request)
}

/// The same with a client that is there.
///
/// # Errors
/// As [`stage`].
pub fn decide(context: &Context, client: &Client, request: &Request) -> anyhow::Result<Checked> {
    let slug = remote::slug(context, request.repo.as_deref())?;
    let started_at = context.clock.now();
    let clock = Instant::now();
    let policy = policy::of_default_branch(context, client, &slug)?;
    let config = &policy.config;
    let wanted = config.stage(&request.stage).map_err(|error| {
        let hint = format!("{}; the stages of {} decide, not those that are checked out", error.hint, policy.place);
        Stop::usage(error.to_string(), Some(hint))
    })?;
    let subject = ask::Subject {
        client,
        slug: &slug,
        repository: policy.repository,
        branch: &policy.branch,
        stage: wanted,
        before: wanted.after.as_deref().and_then(|after| config.stage(after).ok()),
        sha: &request.sha,
        own_run: Job::of(context).and_then(|job| job.run_id),
        clock: context.clock,
    };
    let mut facts = await_end(&subject, request.wait);
    let place = Place::of(context, config);
    let mut material = Material::default();
    if wanted.reads_evidence() {
        material = evidence::read(&subject, &mut facts, &Judging::own(config.clone()))?;
    }
    let mut record = judged(context, config, wanted, &place, request, &mut material, started_at)?;
    let decision = deploy::decide(wanted, &facts, &record.rules);
    conclude(&mut record, &decision, wanted, &policy, &slug, request);
    record.finished_at = context.clock.now();
    record.duration_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (written, mut failures) = keep(&place, context, config, &mut record);
    if let Some(answer) = &request.answer {
        failures.extend(answer::send(&subject, answer, &record, Job::of(context).as_ref()).err());
    }
    let shown = shown(context, request);
    for target in &request.to {
        let done = match target {
            Target::Summary => step::summary(context, &record, &shown),
            Target::Outputs => step::outputs(context, &record, &written, None),
            _ => None,
        };
        failures.extend(done.and_then(Result::err));
    }
    Ok(Checked { record, written, failures, read: material.evidence, notices: place.take_problems() })
}

/// What stands around the report in the job summary.
fn shown(context: &Context, request: &Request) -> crate::publish::Context {
    let job = Job::of(context);
    crate::publish::Context {
        run: job.as_ref().and_then(Job::run_url),
        attempt: job.as_ref().map_or(1, |job| u64::from(job.attempt)),
        head_sha: Some(request.sha.clone()),
        ..crate::publish::Context::new(Key::given(&request.stage))
    }
}

/// Looks until nothing goes on that could end well, or the time is up.
fn await_end(subject: &ask::Subject<'_>, wait: Duration) -> Facts {
    let (mut waited, mut pause) = (Duration::ZERO, LOOK.0);
    loop {
        let facts = subject.look();
        let decision = deploy::decide(subject.stage, &facts, &[]);
        let goes_on = decision.waits_for();
        if goes_on.is_empty() || waited >= wait {
            return facts;
        }
        pause = pause.min(wait - waited);
        subject.client.pause(&text::list(&goes_on), pause);
        waited += pause;
        pause = (pause * 2).min(LOOK.1);
    }
}

/// The record of the evidence under the stage's gate.
fn judged(
    context: &Context,
    config: &Config,
    stage: &Stage,
    place: &Place,
    request: &Request,
    material: &mut Material,
    started_at: jiff::Timestamp,
) -> anyhow::Result<Record> {
    let gate = config
        .gate(stage.gate())
        .map_err(|error| Stop::usage(error.to_string(), Some(error.hint.clone())))?
        .filter(|_| stage.reads_evidence());
    // What is checked out tells of what came before the commit only if it is that commit.
    let state = repo::state(&config.root).ok();
    let state = state.filter(|state| state.commit.as_deref() == Some(request.sha.as_str()));
    let mut comparison = match &state {
        Some(state) => compare::find(context, config, place, Some(state), gate, &Wanted::default(), started_at)?,
        None => Comparison {
            no_base: Some("another commit is checked out".to_owned()),
            no_best: Some("another commit is checked out".to_owned()),
            ..Comparison::default()
        },
    };
    comparison.tree = None;
    Ok(judge(config, gate::COMMAND, started_at, material, gate, &Asked::Everything, comparison))
}

/// Puts the decision into the record: the reasons are its first rules, and its verdict is the worst of both.
fn conclude(
    record: &mut Record,
    decision: &Decision,
    stage: &Stage,
    policy: &policy::Policy,
    slug: &Slug,
    request: &Request,
) {
    record.rules.splice(0..0, decision.rules(stage));
    let all = record::verdict(&record.checks, &record.rules, &record.problems, false);
    record.verdict = all.max(decision.verdict);
    record.id = Record::id_of(record.started_at, &record.command, record.verdict);
    record.gate = Some(deploy::gate_name(stage));
    record.policy =
        record::Policy { path: policy.config.path.to_string(), commit: Some(policy.commit.clone()), changed: false };
    record.project = Project {
        name: policy.config.project.name.clone().unwrap_or_else(|| slug.name().to_owned()),
        commit: Some(request.sha.clone()),
        ..Project::default()
    };
}
