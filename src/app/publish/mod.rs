//! `publish`: what a run found, judged anew and shown on GitHub.
//!
//! Evidence comes from a bundle: the one of this job, or those that a finished run left behind. On a pull request the
//! rules are the base branch's, and where the evidence was made by a fork, that is said. A target that cannot be
//! written is said too; it never changes the verdict, and never keeps the next one from being written.

mod policy;
mod subject;
mod targets;

use camino::{Utf8Path, Utf8PathBuf};

use super::bundle;
use super::check::Failure;
use super::ci::{self, Expect, Fetched};
use super::compare::{self, Comparison, Wanted};
use super::history::Place;
use super::job::Job;
use super::judge::{Material, judge};
use super::policy::Judging;
use super::{Context, Stop, baseline, remote, told};
use crate::config::Config;
use crate::evidence::{Level, Limits, Problem};
use crate::gate::judge::Asked;
use crate::github::{Client, Conclusion, Slug};
use crate::history;
use crate::publish::comment::When;
use crate::publish::{Key, TARGETS, Target};
use crate::record::bundle::Source;
use crate::record::{FULL_CHECK, Record};
use crate::repo;
use crate::sys::text;
use subject::Subject;

/// What is to be published.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The repository.
    pub repo: Option<String>,
    /// The folder of a bundle; `.mgmt/bundle` if neither this nor a run is named.
    pub bundle: Option<Utf8PathBuf>,
    /// A finished run, whose bundles are fetched.
    pub run: Option<u64>,
    /// Which parts of that run must be there.
    pub expect: Expect,
    /// The gate that judges.
    pub gate: Option<String>,
    /// Where to; the usual targets if none is named.
    pub to: Vec<Target>,
    /// When a comment is wanted.
    pub when: When,
    /// The badge's file.
    pub badge: Option<Utf8PathBuf>,
    /// What tells this report from others on the same pull request.
    pub key: Option<String>,
    /// Who writes the comments, where the token does not tell.
    pub author: Option<String>,
}

/// What became of it.
#[derive(Debug)]
pub struct Published {
    /// The record that was shown.
    pub record: Record,
    /// What was done, a line for each target.
    pub done: Vec<String>,
    /// What could not be shown.
    pub failures: Vec<Failure>,
}

/// Judges the evidence anew and shows the result.
///
/// # Errors
/// No evidence, no policy, or a GitHub that does not answer what has to be known before anything can be judged.
pub fn publish(context: &Context, request: &Request, tell: impl Fn(&str) + 'static) -> anyhow::Result<Published> {
    let job = Job::of(context);
    let targets = wanted(request);
    let needs_github = request.run.is_some()
        || job.as_ref().is_some_and(|job| job.pull.is_some() || job.finished.is_some())
        || targets.iter().any(|(target, is_named)| *is_named && matches!(target, Target::Comment | Target::Check));
    let link = needs_github.then(|| link(context, request, tell)).transpose()?;
    let link = link.as_ref();

    let scratch =
        tempfile::tempdir().map_err(|error| Stop::undecided(format!("no folder to work in: {error}"), None))?;
    let scratch = Utf8Path::from_path(scratch.path()).unwrap_or(Utf8Path::new("."));
    let (mut fetched, subject) = gather(context, request, job.as_ref(), link, scratch)?;
    let afar = afar(link, &subject, fetched.source.as_ref(), &request.expect);
    let policy = policy::of(context, link, &subject, afar.as_ref().and_then(|(change, _)| change.diff.as_ref()))?;
    let config = &policy.config;
    let record = decide(context, request, link, &policy, &subject, &mut fetched, afar)?;

    let mut published = Published { record, done: Vec::new(), failures: Vec::new() };
    let (written, failed) = crate::report::files::write(&reports(context, config, &subject), &published.record);
    published.failures.extend(failed.into_iter().map(Failure::from));
    let shown = crate::publish::Context {
        run: subject.run_url.clone(),
        attempt: u64::from(subject.attempt),
        artifacts: subject.run_url.as_ref().map(|url| format!("{url}#artifacts")),
        pull_request: subject.pull.as_ref().map(|pull| pull.number),
        head_sha: subject.commit.clone(),
        fork: subject.pull.as_ref().and_then(|pull| pull.fork.clone()),
        policy_changes: policy.changes().to_vec(),
        ..crate::publish::Context::new(key(request, job.as_ref(), &subject))
    };
    let place = targets::Where { context, request, link, subject: &subject, shown: &shown, written: &written };
    targets::write(&place, &targets, &mut published);
    Ok(published)
}

/// The way to the repository.
struct Link {
    client: Client,
    slug: Slug,
    /// Whether the token is one that GitHub gives to a job or an app, which cannot ask who it is.
    is_installation: bool,
    has_token: bool,
}

fn link(context: &Context, request: &Request, tell: impl Fn(&str) + 'static) -> anyhow::Result<Link> {
    let token = remote::token(context)?;
    Ok(Link {
        slug: remote::slug(context, request.repo.as_deref())?,
        client: remote::connect(context, tell)?,
        is_installation: token.as_ref().is_some_and(remote::is_installation),
        has_token: token.is_some(),
    })
}

/// The targets in the order in which they are written, each with whether it was named.
fn wanted(request: &Request) -> Vec<(Target, bool)> {
    let is_named = |target: Target| request.to.contains(&target);
    let has_badge = |target: Target| target == Target::Badge && request.badge.is_some();
    let rows = TARGETS.iter().filter(|row| match request.to.is_empty() {
        true => row.default || has_badge(row.target),
        false => is_named(row.target) || has_badge(row.target),
    });
    rows.map(|row| (row.target, is_named(row.target))).collect()
}

/// The evidence, and what it is about.
fn gather(
    context: &Context,
    request: &Request,
    job: Option<&Job>,
    link: Option<&Link>,
    scratch: &Utf8Path,
) -> anyhow::Result<(Fetched, Subject)> {
    let limits = || context.load().map_or_else(|_| Limits::default(), |config| config.limits);
    let finished = request.run.or_else(|| job.and_then(|job| job.finished.as_ref()).map(|run| run.id));
    if let (Some(id), None, Some(link)) = (finished, &request.bundle, link) {
        let run = link.client.run(&link.slug, id).map_err(Stop::from)?;
        let mut fetched = ci::fetch(&link.client, &link.slug, &run, &request.expect, &limits(), scratch)?;
        // A part whose job ended before it could upload anything is missed only by who knows its name.
        let ended = run.conclusion.as_ref().map_or("without a conclusion", |end| end.word());
        if request.expect == Expect::Any && run.is_completed() && run.conclusion != Some(Conclusion::Success) {
            let told =
                format!("the run ended as {ended}, so a part of its evidence may be missing: --expect names the parts");
            fetched.evidence.problems.push(Problem::new(&ci::SHARD, told));
        }
        let subject = Subject::of_run(link, &run)?;
        return Ok((fetched, subject));
    }
    if request.expect != Expect::Any {
        let hint = "name the run with --run, or leave --shard and --expect out".to_owned();
        return Err(Stop::usage("parts are those of a finished run, and none is meant here", Some(hint)).into());
    }
    let folder = match &request.bundle {
        Some(folder) => context.cwd.join(folder),
        None => {
            repo::find_root(&context.cwd).unwrap_or_else(|| context.cwd.clone()).join(history::FOLDER).join("bundle")
        }
    };
    if let Some(job) = job.filter(|job| job.event.starts_with("pull_request") && job.pull.is_none()) {
        // Else it would be judged by its own policy, as a push is.
        let hint = "GITHUB_EVENT_PATH has to name the file that the runner writes".to_owned();
        return Err(Stop::undecided(
            format!("the event `{}` does not say which pull request it is", text::one_line(&job.event)),
            Some(hint),
        )
        .into());
    }
    let opened = bundle::open(&folder, &limits()).map_err(Stop::from)?;
    let subject = Subject::of_job(job, &opened.bundle.source);
    let mut fetched = Fetched::default();
    let tested = opened.bundle.source.commit.clone();
    fetched.add(opened);
    if let (Some(tested), Some(_)) = (tested.filter(|tested| subject.commit.as_ref() != Some(tested)), &subject.pull) {
        let told = format!("the evidence is of {}, which is not what the pull request brings", text::one_line(&tested));
        fetched.evidence.problems.push(Problem::new(&ci::SHARD, told));
    }
    fetched.evidence.note_disputes();
    Ok((fetched, subject))
}

/// Judges it by the policy.
fn decide(
    context: &Context,
    request: &Request,
    link: Option<&Link>,
    policy: &Judging,
    subject: &Subject,
    fetched: &mut Fetched,
    afar: Option<Afar>,
) -> anyhow::Result<Record> {
    let config = &policy.config;
    // A gate that only the change has may judge it, unless a stranger brings it.
    let own = if subject.is_here && !subject.is_fork() { context.load().ok() } else { None };
    let (gate, no_gate) = policy.gate(own.as_ref(), request.gate.as_deref())?;
    let told = fetched.record.take();
    // When a run elsewhere began is GitHub's to say: by an earlier time what has expired would hold again.
    let started_at = match subject.is_here {
        true => told.as_ref().map(|told| told.started_at),
        false => subject.started_at,
    };
    let started_at = started_at.unwrap_or_else(|| context.clock.now());
    // The name of a command goes into names of files, so only known ones are taken over.
    let known = |name: &&str| [FULL_CHECK, "validate", "phase-check", "ml-models", "data-check"].contains(name);
    let command = told.as_ref().map(|told| told.command.as_str()).filter(known).unwrap_or(super::gate::COMMAND);
    let asked = match command {
        // Whoever could leave rules unasked by naming another command could pass by it.
        _ if subject.is_fork() => Asked::Everything,
        // What the job's own arguments left out was not asked for there either.
        FULL_CHECK | super::gate::COMMAND if !subject.is_here || fetched.left_out.is_empty() => Asked::Everything,
        _ => Asked::Yielded(fetched.evidence.reports.iter().map(|report| report.kind).collect()),
    };
    policy.adjust(&mut fetched.checks);
    let mut problems: Vec<_> = policy.problems().into_iter().chain(no_gate).collect();
    if command == FULL_CHECK || subject.is_fork() {
        let is_own = subject.is_here && !subject.is_fork();
        problems.extend(policy.unrun(&fetched.checks, |id| is_own && fetched.left_out.contains_key(id)));
    }
    let comparison = comparison(context, config, gate, subject, afar, started_at)?;
    let is_lossy = fetched.evidence.problems.iter().any(|problem| problem.level == Level::Loss);
    let mut material = Material {
        lossy: if is_lossy {
            fetched.checks.iter().map(|check| check.id.clone()).collect()
        } else {
            Default::default()
        },
        checks: std::mem::take(&mut fetched.checks),
        evidence: std::mem::take(&mut fetched.evidence),
        problems,
        left_out: std::mem::take(&mut fetched.left_out),
        interrupted: fetched.interrupted.take(),
    };
    let mut record = judge(config, command, started_at, &mut material, gate, &asked, comparison);
    if let Some(told) = &told {
        record.finished_at = told.finished_at.max(started_at);
        record.duration_ms = told.duration_ms;
        record.project.dirty = told.project.dirty;
    }
    if let (None, false, Some(link)) = (&config.project.name, subject.is_here, link) {
        // Without a checkout the folder's name is nobody's.
        link.slug.name().clone_into(&mut record.project.name);
    }
    record.project.commit.clone_from(&subject.commit);
    record.project.merge_commit.clone_from(&subject.merge_commit);
    record.project.branch.clone_from(&subject.branch);
    policy.sign(&mut record);
    Ok(record)
}

/// What to compare with: history and git where the project is checked out, else what GitHub tells of the change.
fn comparison(
    context: &Context,
    config: &Config,
    gate: Option<&crate::gate::Gate>,
    subject: &Subject,
    afar: Option<Afar>,
    started_at: jiff::Timestamp,
) -> anyhow::Result<Comparison> {
    if subject.is_here {
        let state = repo::state(&config.root).ok();
        let place = Place::of(context, config);
        return compare::find(context, config, &place, state.as_ref(), gate, &Wanted::default(), started_at);
    }
    let told = afar.map(|(change, record)| Comparison::told(&change, record, started_at));
    Ok(told.unwrap_or_default())
}

/// What a pull request changes whose project is not checked out, and the record before it with its distance, or why
/// nobody knows that.
type Afar = (told::Change, Result<Option<(Record, usize)>, String>);

/// Asks GitHub for it.
fn afar(link: Option<&Link>, subject: &Subject, source: Option<&Source>, expect: &Expect) -> Option<Afar> {
    let (Some(link), Some(pull), false) = (link, &subject.pull, subject.is_here) else { return None };
    // A part is compared with what the same part left behind.
    let records = match expect {
        Expect::Only(part) => baseline::artifact(Some(part)),
        _ => baseline::artifact(None),
    };
    let records = baseline::Records {
        client: &link.client,
        slug: &link.slug,
        branch: &pull.base_branch,
        name: &records,
        workflow: subject.workflow.as_deref(),
    };
    // Which merge was tested only the evidence itself tells: it is believed where it is the one that GitHub names.
    let merge = source.and_then(|source| source.merge_commit.as_deref());
    if let Some(merge) = merge.filter(|merge| pull.merge.as_deref() == Some(*merge))
        && let Ok((change, record)) = baseline::of_merge(&records, merge, subject.commit.as_deref())
    {
        return Some((change, Ok(record)));
    }
    Some(baseline::of_base(&records, pull.number, &pull.base_sha))
}

/// Where the published report's files go.
fn reports(context: &Context, config: &Config, subject: &Subject) -> Utf8PathBuf {
    match subject.is_here {
        true => context.report_dir(config),
        false => context.cwd.join(context.report_dir.clone().unwrap_or_else(|| config.reports.dir.clone())),
    }
}

/// What tells this report from others: what was named, or where in its workflow the evidence was made.
fn key(request: &Request, job: Option<&Job>, subject: &Subject) -> Key {
    if let Some(key) = &request.key {
        return Key::given(key);
    }
    let stem = |path: &str| Utf8Path::new(path).file_stem().unwrap_or("workflow").to_owned();
    let workflow = subject.workflow.as_deref().or_else(|| job.and_then(|job| job.workflow.as_deref()));
    Key::of_job(&workflow.map_or_else(|| "local".to_owned(), stem), subject.job.as_deref().unwrap_or("mgmt"))
}
