//! The audit of a scheduled retraining: asks GitHub what it knows of the workflow, and lets `retrain` judge.
//!
//! Nothing is written anywhere unless somebody asks for it ([`Publish`]).

mod ask;
mod model;
mod publish;
pub(super) mod sources;

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::{Context, Stop, remote};
use crate::config::Config;
use crate::github::Client;
use crate::retrain::audit::{Outcome, Sources};
use crate::retrain::want::Want;
use crate::retrain::{self, Audit, Facts, Settings};

pub use publish::Published;

/// The command's name.
pub const COMMAND: &str = "audit retrain";
/// Looks that may follow from what the one before found.
const ROUNDS: usize = 4;
/// Models that are read, the newest: those that the verdict turns on, and enough for a trend.
const MODELS: usize = 10;
/// Runs from which on half as many have to do.
const MANY: usize = 1_000;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The moment; now if none is given.
    pub as_of: Option<Timestamp>,
    /// The repository on GitHub; that of the settings, of the job or of the remote `origin` if none is named.
    pub repo: Option<String>,
    /// Whether and how what was found is published.
    pub publish: Option<Publish>,
    /// Whether something is done about it.
    pub remediate: Option<Remediate>,
}

/// What is done about what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remediate {
    /// What the policy declares. It is told of, so it goes with publishing.
    Act,
    /// Nothing: it is said what would be done.
    Plan,
}

/// How it is published.
#[derive(Clone, Debug, Default)]
pub struct Publish {
    /// Who writes the issue, where the token does not tell.
    pub author: Option<String>,
    /// Whether the job's summary is left alone.
    pub without_summary: bool,
}

/// An audit, and what became of publishing it.
#[derive(Clone, Debug)]
pub struct Audited {
    /// The audit.
    pub audit: Audit,
    /// What became of publishing it, if that was asked for. It changes nothing about the audit.
    pub published: Option<Published>,
}

/// Audits the workflow of `retrain:`, and publishes what was found if that is asked for.
///
/// # Errors
/// No settings for it, a moment in the future, or a GitHub that does not know the repository. Whatever else is not
/// known, also because GitHub does not answer, is part of the audit.
pub fn audit(context: &Context, request: &Request, tell: impl Fn(&str) + 'static) -> anyhow::Result<Audited> {
    let config = context.load()?;
    remediable(&config, request)?;
    let tell: Rc<dyn Fn(&str)> = Rc::new(tell);
    let say = Rc::clone(&tell);
    let client = remote::connect(context, move |line| say(line))?;
    let (mut audit, facts, sources) = judged(context, &client, &config, request)?;
    let subject = publish::Subject {
        context,
        config: &config,
        client: &client,
        facts: &facts,
        sources: &sources,
        author: request.publish.as_ref().and_then(|how| how.author.as_deref()),
        repo: request.repo.as_deref(),
        acts: request.remediate.is_some(),
        without_summary: request.publish.as_ref().is_some_and(|how| how.without_summary),
        tell,
    };
    let published = match (&request.publish, request.remediate) {
        (_, Some(Remediate::Plan)) => Some(publish::preview(&subject, &mut audit)),
        (Some(_), _) => Some(publish::publish(&subject, &mut audit)),
        (None, _) => None,
    };
    Ok(Audited { audit, published })
}

/// Whether what is asked for can be done at all.
fn remediable(config: &Config, request: &Request) -> anyhow::Result<()> {
    let Some(how) = request.remediate else { return Ok(()) };
    let declared = config.retrain.as_ref().is_none_or(|retrain| retrain.remediate.is_some());
    let stop = |message: String, hint: &str| Err(Stop::usage(message, Some(hint.to_owned())).into());
    if !declared {
        let hint = "add `remediate: { rerun-failed: true }` to its `retrain:`; `mgmt config schema` prints what else \
                    it takes";
        return stop(format!("{} declares nothing that may be done", config.path), hint);
    }
    match (how, &request.publish, request.as_of) {
        (Remediate::Act, None, _) => {
            let hint = "add --publish; --dry-run instead says what would be done, and does nothing";
            stop("--remediate acts, and whoever acts tells of it".to_owned(), hint)
        }
        (_, _, Some(_)) => {
            let message = "--remediate looks at GitHub as it is now, and --as-of is about a moment of the past";
            stop(message.to_owned(), "leave --as-of out")
        }
        _ => Ok(()),
    }
}

/// The same with a client and a policy that are there.
///
/// # Errors
/// As [`audit`].
pub fn of(context: &Context, client: &Client, config: &Config, request: &Request) -> anyhow::Result<Audit> {
    Ok(judged(context, client, config, request)?.0)
}

/// The audit, and what it was judged by.
fn judged(
    context: &Context,
    client: &Client,
    config: &Config,
    request: &Request,
) -> anyhow::Result<(Audit, Facts, Sources)> {
    let Some(settings) = &config.retrain else {
        let hint =
            "add `retrain: { workflow: model-training.yml }` to it; `mgmt config schema` prints what else it takes";
        return Err(Stop::usage(format!("{} audits no schedule", config.path), Some(hint.to_owned())).into());
    };
    let now = context.clock.now();
    let as_of = request.as_of.unwrap_or(now);
    if as_of > now {
        let hint = "leave it out for now, or name a moment of the past".to_owned();
        return Err(Stop::usage(format!("--as-of {as_of} lies in the future"), Some(hint)).into());
    }
    let slug = remote::slug(context, request.repo.as_deref().or(settings.repository.as_deref()))?;
    let from = history(settings, as_of);
    let ask = ask::Ask { client, slug: &slug, settings, from, as_of };
    let (mut facts, branch) = ask.facts()?;
    let is_here = settings.repository.is_none() && request.repo.is_none();
    let sources = match (is_here, &branch) {
        (true, _) => sources::here(&config.root, &settings.workflow),
        (false, Some(branch)) => sources::there(client, &slug, branch, &settings.workflow),
        (false, None) => Sources::default(),
    };
    // Who does not answer once is not asked again and again.
    let Some(branch) = branch else { return Ok(last(settings, facts, sources)) };
    ask.since(&mut facts, &branch, &sources);
    let mut artifacts = ask.artifacts(&mut facts);
    let mut asked = BTreeSet::new();
    for _ in 0..ROUNDS {
        let Outcome { audit, wants } = retrain::audit(settings, facts.clone(), &sources);
        let fresh: Vec<_> = wants.into_iter().filter(|want| asked.insert(want.clone())).collect();
        if fresh.is_empty() {
            let more = for_trends(&audit, &facts, &artifacts);
            if more.is_empty() {
                return Ok((audit, facts, sources));
            }
            for want in more {
                look(&ask, config, &mut facts, &mut artifacts, &want);
            }
            break;
        }
        for want in fresh {
            look(&ask, config, &mut facts, &mut artifacts, &want);
        }
    }
    Ok(last(settings, facts, sources))
}

/// Judges when nothing more is asked.
fn last(settings: &Settings, facts: Facts, sources: Sources) -> (Audit, Facts, Sources) {
    (retrain::audit(settings, facts.clone(), &sources).audit, facts, sources)
}

/// Since when runs matter: a slot before the history may have had a run just before its beginning.
fn history(settings: &Settings, as_of: Timestamp) -> Timestamp {
    let back = SignedDuration::try_from(settings.history).unwrap_or_default();
    as_of.checked_sub(back).unwrap_or(Timestamp::MIN)
}

fn look(ask: &ask::Ask<'_>, config: &Config, facts: &mut Facts, artifacts: &mut ask::Artifacts, want: &Want) {
    match want {
        Want::Model { run, artifact } => {
            if let Some(artifact) = artifacts.get(artifact) {
                facts.models.insert(*run, model::read(ask.client, ask.slug, artifact, ask.settings, &config.limits));
            }
        }
        Want::Jobs { run } => drop(facts.jobs.insert(*run, ask.jobs(*run))),
        Want::Statuses { deployment } => {
            let found = facts.deployments.items_mut().iter_mut().find(|one| one.id == *deployment);
            if let Some(found) = found {
                found.statuses = ask.statuses(*deployment);
            }
        }
    }
}

/// Models that the verdict does not turn on: of the newest runs that are still there.
fn for_trends(audit: &Audit, facts: &Facts, artifacts: &ask::Artifacts) -> Vec<Want> {
    if audit.trends.metrics.is_empty() {
        return Vec::new();
    }
    // Each takes a request, and so does each hundred of runs and of artifacts.
    let most = if facts.runs.items().len() > MANY { MODELS / 2 } else { MODELS };
    let left = most.saturating_sub(facts.models.len());
    let runs: BTreeSet<u64> = audit.slots.iter().filter_map(|slot| slot.run_id).collect();
    let known = |artifact: &crate::github::Artifact| {
        let run = artifact.workflow_run.as_ref().and_then(|run| run.id)?;
        let wanted = !artifact.expired && runs.contains(&run) && !facts.models.contains_key(&run);
        wanted.then_some(Want::Model { run, artifact: artifact.id })
    };
    artifacts.values().rev().filter_map(known).take(left).collect()
}
