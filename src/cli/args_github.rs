//! Arguments of the commands that are about GitHub, and of `collect`, which packs what goes there.

#[cfg(feature = "net")]
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::Args;
#[cfg(feature = "net")]
use clap::{Subcommand, ValueEnum};

#[derive(Args, Debug)]
pub(super) struct CollectArgs {
    /// The folder that is written, and emptied first [default: .mgmt/bundle]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<Utf8PathBuf>,
    /// Which of several parts of one run this is: the name of a matrix job
    #[arg(long, value_name = "NAME")]
    pub(super) shard: Option<String>,
    /// Report files, each alone or after its check: `tests=reports/junit.xml` [default: those that the newest run on
    /// this commit has read]
    #[arg(long, num_args = 1.., value_name = "[CHECK=]FILE")]
    pub(super) evidence: Vec<String>,
    /// Report files beside those that the newest run has read
    #[arg(long, num_args = 1.., value_name = "[CHECK=]FILE", conflicts_with = "evidence")]
    pub(super) add_evidence: Vec<String>,
    /// Leave runs that began before this moment, such as 2030-01-31T12:00:00Z: a job packs what it ran itself
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) since: Option<jiff::Timestamp>,
}

/// A moment, or what one looks like.
fn moment(text: &str) -> Result<jiff::Timestamp, &'static str> {
    text.parse().map_err(|_| "a moment has a day, a time and a zone, such as 2030-01-31T12:00:00Z")
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct CiArgs {
    #[command(subcommand)]
    pub(super) command: CiCommand,
}

#[cfg(feature = "net")]
#[derive(Debug, Subcommand)]
pub(super) enum CiCommand {
    /// List workflow runs, newest first
    Runs(RunsArgs),
    /// Fetch the evidence that a run left behind, all its parts together, and show what a gate would see
    Evidence(EvidenceArgs),
    /// Take the record of the nearest earlier run on the default branch into history; and on a pull request learn the
    /// base branch's policy, which judges, and in a shallow clone what changed
    Baseline(BaselineArgs),
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    pub(super) command: AuditCommand,
}

#[cfg(feature = "net")]
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Hold the schedule of the training workflow against what really ran, and its models against each other
    Retrain(RetrainArgs),
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct RetrainArgs {
    #[command(flatten)]
    pub(super) repo: RepoArgs,
    /// Audit as of this moment, such as 2030-01-31T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) as_of: Option<jiff::Timestamp>,
    /// Keep one issue and one notice for as long as the schedule does not do its work, and write reports, job summary
    /// and outputs; nothing is written without it
    #[arg(long)]
    pub(super) publish: bool,
    /// Write no job summary
    #[arg(long, requires = "publish")]
    pub(super) without_summary: bool,
    /// Do what `remediate:` declares about the newest slot: at most one action, written down before, looked for after
    /// and told of; with `--publish`
    #[arg(long)]
    pub(super) remediate: bool,
    /// Only say what `--remediate` would do: nothing is done, told or written, with `--publish` neither
    #[arg(long, requires = "remediate")]
    pub(super) dry_run: bool,
    /// Who writes the issue [default: github-actions[bot], or whose token it is]
    #[arg(long, value_name = "LOGIN", requires = "publish")]
    pub(super) author: Option<String>,
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct RepoArgs {
    /// The repository [default: that of the job, or of the remote `origin`]
    #[arg(long, value_name = "OWNER/NAME")]
    pub(super) repo: Option<String>,
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct BaselineArgs {
    #[command(flatten)]
    pub(super) repo: RepoArgs,
    /// The record of this part of a job matrix
    #[arg(long, value_name = "NAME", conflicts_with = "without_record")]
    pub(super) shard: Option<String>,
    /// Leave the record, and learn only the policy and the change
    #[arg(long)]
    pub(super) without_record: bool,
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct RunsArgs {
    #[command(flatten)]
    pub(super) repo: RepoArgs,
    /// Only of this workflow: its file's name
    #[arg(long, value_name = "FILE")]
    pub(super) workflow: Option<String>,
    /// Only of this branch
    #[arg(long, value_name = "BRANCH")]
    pub(super) branch: Option<String>,
    /// Only of this commit: all its digits
    #[arg(long, value_name = "SHA", value_parser = whole_sha)]
    pub(super) sha: Option<String>,
    /// Only those started by this event: `push`, `schedule`
    #[arg(long, value_name = "EVENT")]
    pub(super) event: Option<String>,
    /// Only those with this status or conclusion: `in_progress`, `failure`
    #[arg(long, value_name = "STATUS")]
    pub(super) status: Option<String>,
    /// Only those of a date or a range: `2026-11-22`, `>=2026-11-01`, `2026-11-01..2026-11-08`
    #[arg(long, value_name = "RANGE")]
    pub(super) created: Option<String>,
    /// The newest runs, at most so many
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) limit: u32,
    /// Each attempt by itself; costs one request for every earlier one
    #[arg(long)]
    pub(super) attempts: bool,
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
#[group(id = "which", required = true, multiple = true, args = ["workflow", "run"])]
pub(super) struct EvidenceArgs {
    #[command(flatten)]
    pub(super) repo: RepoArgs,
    /// The workflow whose newest run on the commit is meant: its file's name
    #[arg(long, value_name = "FILE", requires = "sha", conflicts_with = "run")]
    pub(super) workflow: Option<String>,
    /// The commit: all its digits
    #[arg(long, value_name = "SHA", value_parser = whole_sha, requires = "workflow")]
    pub(super) sha: Option<String>,
    /// The run by its number
    #[arg(long, value_name = "ID")]
    pub(super) run: Option<u64>,
    /// How many parts must be there, or their names
    #[arg(long, value_name = "N|NAME,NAME", value_parser = expect)]
    pub(super) expect: Option<crate::app::ci::Expect>,
    /// Keep the parts in this folder
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<Utf8PathBuf>,
    /// Wait so long for a run that goes on: 30m
    #[arg(long, value_name = "DURATION", value_parser = crate::sys::text::parse_duration)]
    pub(super) wait: Option<Duration>,
}

/// The gate before a stage of a deploy.
#[cfg(feature = "net")]
#[derive(Args, Debug)]
#[command(next_help_heading = "Before a stage of a deploy")]
pub(super) struct StageArgs {
    /// Decide whether the commit may take this stage: one under `stages:` of the default branch's policy
    #[arg(long, value_name = "NAME", requires = "sha", conflicts_with_all = ["gate", "evidence", "base", "diff"])]
    pub(super) stage: Option<String>,
    /// The commit: all its digits
    #[arg(long, value_name = "SHA", value_parser = whole_sha, requires = "stage")]
    pub(super) sha: Option<String>,
    /// The repository [default: that of the job, or of the remote `origin`]
    #[arg(long, value_name = "OWNER/NAME", requires = "stage")]
    pub(super) repo: Option<String>,
    /// Wait so long for a required run that goes on, or has not begun: 30m
    #[arg(long, value_name = "DURATION", value_parser = crate::sys::text::parse_duration, requires = "stage")]
    pub(super) wait: Option<Duration>,
    /// Tell GitHub what came of it; what cannot be told is a warning and changes no exit code
    #[arg(long, value_enum, value_name = "WHOM", requires = "stage")]
    pub(super) answer: Option<AnswerTo>,
    /// The run that the protection rule holds back
    #[arg(long, value_name = "ID", requires = "stage", required_if_eq("answer", "rule"))]
    pub(super) run: Option<u64>,
    /// The environment whose deployment, or whose waiting run, is answered [default: the stage's own]
    #[arg(long, value_name = "NAME", requires = "answer")]
    pub(super) environment: Option<String>,
    /// What the step of a workflow shows: summary, outputs [default: nothing]
    #[arg(long, value_name = "TARGET", value_delimiter = ',', value_parser = shown, requires = "stage")]
    pub(super) to: Vec<crate::publish::Target>,
}

/// A target within the step.
#[cfg(feature = "net")]
fn shown(text: &str) -> Result<crate::publish::Target, String> {
    target(text)
        .ok()
        .filter(|target| crate::app::stage::SHOWS.contains(target))
        .ok_or_else(|| "a stage is shown by its step alone: summary, outputs".to_owned())
}

/// Who is told.
#[cfg(feature = "net")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AnswerTo {
    /// The newest deployment of the commit to the stage's environment: `in_progress` for a pass, `failure`, or `error`
    /// where nobody can say. `success` is left to the deploy
    Status,
    /// The custom protection rule that holds a run back: approved or rejected; where nobody can say it goes on waiting.
    /// Needs the token of the rule's own GitHub App
    Rule,
}

/// All digits of a commit: an abbreviated one finds no run.
#[cfg(feature = "net")]
fn whole_sha(text: &str) -> Result<String, String> {
    let is_whole = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_whole {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("write all forty digits of the commit: `git rev-parse HEAD`".to_owned())
    }
}

#[cfg(feature = "net")]
fn expect(text: &str) -> Result<crate::app::ci::Expect, String> {
    use crate::app::ci::Expect;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let count = text.parse().ok().filter(|count| *count > 0);
        return count.map(Expect::Count).ok_or_else(|| "write a whole number from 1, or names".to_owned());
    }
    let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) { Err("a name is empty".to_owned()) } else { Ok(Expect::Names(names)) }
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct PublishArgs {
    #[command(flatten)]
    pub(super) repo: RepoArgs,
    /// The folder of a bundle [default: .mgmt/bundle; in a job that a finished run has started, that run's bundles]
    #[arg(long, value_name = "DIR", conflicts_with = "run")]
    pub(super) bundle: Option<Utf8PathBuf>,
    /// A finished run, whose bundles are fetched
    #[arg(long, value_name = "ID")]
    pub(super) run: Option<u64>,
    /// How many parts of that run must be there, or their names
    #[arg(long, value_name = "N|NAME,NAME", value_parser = expect)]
    pub(super) expect: Option<crate::app::ci::Expect>,
    /// Judge this part of that run alone: one with a policy of its own
    #[arg(long, value_name = "NAME", conflicts_with_all = ["expect", "bundle"])]
    pub(super) shard: Option<String>,
    /// Judge by this gate instead of the one under `gate:`
    #[arg(long, value_name = "NAME")]
    pub(super) gate: Option<String>,
    /// Where to: comment, check, summary, outputs, badge [default: comment, summary, outputs]
    #[arg(long, value_name = "TARGET", value_delimiter = ',', value_parser = target)]
    pub(super) to: Vec<crate::publish::Target>,
    /// When a comment is wanted: always, changes, failure
    #[arg(long, value_name = "WHEN", default_value = "always", value_parser = when)]
    pub(super) when: crate::publish::comment::When,
    /// Write a badge to this file: .svg, or .json for an endpoint of shields.io
    #[arg(long, value_name = "FILE")]
    pub(super) badge: Option<Utf8PathBuf>,
    /// What tells this report from others on the same pull request [default: the workflow and the job]
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<String>,
    /// Who writes the comments [default: github-actions[bot], or whose token it is]
    #[arg(long, value_name = "LOGIN")]
    pub(super) author: Option<String>,
}

#[cfg(feature = "net")]
fn target(name: &str) -> Result<crate::publish::Target, String> {
    let rows = crate::publish::TARGETS;
    let names = || rows.iter().map(|row| row.name).collect::<Vec<_>>();
    crate::publish::target(name).map(|row| row.target).ok_or_else(|| format!("there are: {}", names().join(", ")))
}

#[cfg(feature = "net")]
fn when(name: &str) -> Result<crate::publish::comment::When, String> {
    let rows = crate::publish::comment::WHEN;
    let found = rows.iter().find(|(word, ..)| *word == name).map(|(_, when, _)| *when);
    found.ok_or_else(|| format!("there are: {}", rows.iter().map(|(word, ..)| *word).collect::<Vec<_>>().join(", ")))
}
