//! Arguments as clap reads them.

use super::args_github::CollectArgs;
#[cfg(feature = "net")]
use super::args_github::{AuditArgs, CiArgs, PublishArgs, StageArgs};
use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// One policy file, one verdict: is this good enough to ship?
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = false,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command, before or after its name.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// The policy file [default: mgmt.yml or .github/mgmt.yml, here or above, up to the repository's root]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(super) config: Option<Utf8PathBuf>,
    /// Form of the output; a command refuses a form it does not have
    #[arg(long, global = true, value_enum, default_value_t = Format::Human, hide_default_value = true, help_heading = "Global options")]
    pub(super) format: Format,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, hide_default_value = true, value_name = "WHEN", help_heading = "Global options")]
    pub(super) color: Color,
    /// Say only what was asked for, and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub(super) quiet: bool,
    /// Say more: notes, rules that were not asked
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(super) verbose: bool,
    /// Folder for reports, instead of the policy's
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(super) report_dir: Option<Utf8PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a terminal
    Human,
    /// For programs
    Json,
    /// For pull requests and language models
    Markdown,
    /// For a browser: one file that needs no network
    Html,
    /// For tables
    Csv,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Csv => "csv",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run every check, judge every rule
    FullCheck(RunArgs),
    /// Run the groups lint, format and test
    Validate(ValidateArgs),
    /// Run the group structure: is everything there that should be?
    PhaseCheck(RunArgs),
    /// Run the group model
    MlModels(RunArgs),
    /// Run the group data
    DataCheck(RunArgs),
    /// Judge report files that are already there, or a commit before a deploy; run nothing
    Gate(GateArgs),
    /// Pack what the checks left behind, for those who judge it elsewhere
    Collect(CollectArgs),
    /// What ran on GitHub, and the evidence it left behind
    #[cfg(feature = "net")]
    Ci(CiArgs),
    /// Did a scheduled workflow really do its work, and was it worth it?
    #[cfg(feature = "net")]
    Audit(AuditArgs),
    /// Judge evidence anew, and show the result on GitHub
    #[cfg(feature = "net")]
    Publish(PublishArgs),
    /// Try the receivers of notices
    #[cfg(feature = "net")]
    Notify(NotifyArgs),
    /// Show what a gate would see in report files
    Inspect(InspectArgs),
    /// Write report files, added up, in a form that other tools read
    Convert(ConvertArgs),
    /// The last runs, their numbers, and what changed
    Status,
    /// One number over the stored runs
    Trend(TrendArgs),
    /// The stored records: list, show, move, prune, protect
    History(HistoryArgs),
    /// List, show and protect earlier reports
    Report(ReportArgs),
    /// Write a mgmt.yml from what is found in this project, or GitHub workflows for it
    Init(InitArgs),
    /// Check, show or describe the policy file
    Config(ConfigArgs),
    /// What a check does, a metric counts, a problem's code means; why a rule or a run failed
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

#[derive(Args, Clone, Debug)]
pub(super) struct RunArgs {
    /// Judge by this gate instead of the one under `gate:`
    #[arg(long, value_name = "NAME")]
    pub(super) gate: Option<String>,
    /// Only these checks and what they need
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Not these checks, nor what needs them
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(super) skip: Vec<String>,
    /// Only checks of these groups
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(super) group: Vec<String>,
    /// Checks at once [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// Start nothing more after the first failure
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Run the checks' repair commands first
    #[arg(long)]
    pub(super) fix: bool,
    /// Print what would run and why; run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Write every event as a JSON line
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub(super) against: AgainstArgs,
}

/// What a run is compared with.
#[derive(Args, Clone, Debug)]
pub(super) struct AgainstArgs {
    /// Compare with this branch, tag or commit, with a record in a file, or with `none` [default: the nearest
    /// earlier commit of the default branch that has a full, clean run in history]
    #[arg(long, value_name = "REF|FILE")]
    pub(super) base: Option<String>,
    /// Take what changed from this unified diff instead of asking git
    #[arg(long, value_name = "FILE")]
    pub(super) diff: Option<Utf8PathBuf>,
}

impl AgainstArgs {
    pub(super) fn wanted(&self) -> crate::app::compare::Wanted {
        crate::app::compare::Wanted { base: self.base.clone(), diff: self.diff.clone() }
    }
}

#[derive(Args, Debug)]
pub(super) struct ValidateArgs {
    /// `light` leaves out the group test
    #[arg(long, value_enum, default_value_t = Mode::Full)]
    pub(super) mode: Mode,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// lint, format and test
    Full,
    /// lint and format
    Light,
}

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    #[command(subcommand)]
    pub(super) command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// All reports, newest first
    List,
    /// Show one report
    Show {
        /// Its id, the beginning of its id, or `latest`
        #[arg(default_value = "latest")]
        id: String,
    },
    /// Protect a report from expiring
    Keep {
        /// Its id, the beginning of its id, or `latest`
        id: String,
    },
}

#[derive(Args, Clone, Debug)]
pub(super) struct FilterArgs {
    /// Only runs of this branch
    #[arg(long, value_name = "BRANCH")]
    pub(super) branch: Option<String>,
    /// Only runs of this command
    #[arg(long, value_name = "COMMAND")]
    pub(super) command: Option<String>,
    /// Only runs in which every check was selected
    #[arg(long)]
    pub(super) full: bool,
}

impl From<&FilterArgs> for crate::history::Filter {
    fn from(args: &FilterArgs) -> Self {
        Self { branch: args.branch.clone(), command: args.command.clone(), full_only: args.full }
    }
}

#[derive(Args, Debug)]
pub(super) struct TrendArgs {
    /// The metric's name: `mgmt explain metrics` lists them
    pub(super) metric: String,
    /// The part of the project, as rules name it [default: all of it]
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Option<String>,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
    /// The newest values, at most so many
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = at_least_one)]
    pub(super) limit: usize,
}

#[derive(Args, Debug)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    pub(super) command: HistoryCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum HistoryCommand {
    /// The stored runs, newest first
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// The newest runs, at most so many
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = at_least_one)]
        limit: usize,
    },
    /// Show one record: its report, or with --format json all of it
    Show {
        /// Its id, the beginning of its id, or `latest`
        #[arg(default_value = "latest")]
        id: String,
    },
    /// Write records as JSON lines, oldest first
    Export {
        #[command(flatten)]
        filter: FilterArgs,
        /// Write to this file instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<Utf8PathBuf>,
    },
    /// Take in records that were exported, here or elsewhere
    Import {
        /// Files of JSON lines; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<Utf8PathBuf>,
    },
    /// Remove old records now, and give their space back to the disk
    Prune {
        /// How long records are kept, instead of the policy's `history.keep`: 90d
        #[arg(long, value_name = "DURATION", value_parser = crate::sys::text::parse_duration)]
        keep: Option<std::time::Duration>,
        /// How many are kept, instead of the policy's `history.max-runs`
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        max_runs: Option<u64>,
    },
    /// Protect a record from being removed
    Keep {
        /// Its id, the beginning of its id, or `latest`
        id: String,
    },
    /// Let a protected record, and its report, expire again
    Unkeep {
        /// Its id, the beginning of its id, or `latest`
        id: String,
    },
    /// Look whether the store is whole; set a damaged one aside and make a new one
    Check {
        /// Exported records that a new store is made from, before what reports still say
        #[arg(long, value_name = "FILE")]
        from: Vec<Utf8PathBuf>,
    },
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "write a whole number from 1".to_owned())
}

#[derive(Args, Debug)]
pub(super) struct GateArgs {
    /// Judge by this gate instead of the one under `gate:`
    #[arg(long, value_name = "NAME")]
    pub(super) gate: Option<String>,
    /// Report files, each alone or after its check: `tests=reports/junit.xml`
    #[cfg_attr(feature = "net", arg(long, required_unless_present = "stage", num_args = 1.., value_name = "[CHECK=]FILE"))]
    #[cfg_attr(not(feature = "net"), arg(long, required = true, num_args = 1.., value_name = "[CHECK=]FILE"))]
    pub(super) evidence: Vec<String>,
    #[command(flatten)]
    pub(super) against: AgainstArgs,
    #[cfg(feature = "net")]
    #[command(flatten)]
    pub(super) stage: StageArgs,
}

#[derive(Args, Debug)]
pub(super) struct InspectArgs {
    /// Report files
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<Utf8PathBuf>,
    /// Read all of them as this format [default: found by their content]
    #[arg(long = "as", value_name = "FORMAT")]
    pub(super) format_of_files: Option<String>,
    /// List covered source files and the folders they are in
    #[arg(long = "files")]
    pub(super) sources: bool,
    /// List all tests
    #[arg(long, conflicts_with_all = ["failed", "slowest"])]
    pub(super) tests: bool,
    /// List the slowest tests
    #[arg(long, value_name = "N", conflicts_with = "failed")]
    pub(super) slowest: Option<usize>,
    /// List the tests that failed
    #[arg(long)]
    pub(super) failed: bool,
    /// What counts when a test appears several times without a declared rerun
    #[arg(long, value_enum, default_value_t = Repeats::Worst)]
    pub(super) repeats: Repeats,
    /// Move a bound on report files: a key under `limits:` of mgmt.yml; may be repeated
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = crate::check::limits::parse_pair)]
    pub(super) limits: Vec<(crate::evidence::Bound, u64)>,
}

#[derive(Args, Debug)]
pub(super) struct ConvertArgs {
    /// Report files
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<Utf8PathBuf>,
    /// The form to write
    #[arg(long, value_name = "FORM", value_parser = clap::builder::PossibleValuesParser::new(crate::report::convert::WRITERS.iter().map(|writer| writer.name)))]
    pub(super) to: String,
    /// Read all of them as this format [default: found by their content]
    #[arg(long = "as", value_name = "FORMAT")]
    pub(super) format_of_files: Option<String>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<Utf8PathBuf>,
    /// What counts when a test appears several times without a declared rerun
    #[arg(long, value_enum, default_value_t = Repeats::Worst)]
    pub(super) repeats: Repeats,
    /// Move a bound on report files: a key under `limits:` of mgmt.yml; may be repeated
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = crate::check::limits::parse_pair)]
    pub(super) limits: Vec<(crate::evidence::Bound, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Repeats {
    /// The worst outcome
    Worst,
    /// The last outcome
    Last,
}

impl From<Repeats> for crate::evidence::Repeats {
    fn from(repeats: Repeats) -> Self {
        match repeats {
            Repeats::Worst => Self::Worst,
            Repeats::Last => Self::Last,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// Write GitHub workflows for the policy: a gate for pull requests, reports for forks, a staged deploy, the audit of
    /// a training; a mgmt.yml only if there is none
    #[arg(long)]
    pub(super) github: bool,
    /// Replace a mgmt.yml that is there; with --github the workflows instead
    #[arg(long, conflicts_with = "stdout")]
    pub(super) force: bool,
    /// Print instead of writing
    #[arg(long, visible_alias = "dry-run")]
    pub(super) stdout: bool,
}

#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    pub(super) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say what is wrong with the policy file, all of it at once
    Check,
    /// The policy with every default written out
    Show,
    /// The JSON Schema of the policy file, for editors
    Schema,
}

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// A check's name, a metric's name, a problem's code, the state of a slot of a retraining, a run's id, `latest`,
    /// `score`, `metrics`, `codes` or `slots`
    #[arg(value_name = "CHECK|METRIC|CODE|STATE|RUN")]
    pub(super) topic: String,
}

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct NotifyArgs {
    #[command(subcommand)]
    pub(super) command: NotifyCommand,
}

#[cfg(feature = "net")]
#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Send a notice on trial to the receivers under `notify:`
    Test(TestArgs),
}

#[cfg(feature = "net")]
#[derive(Args, Debug)]
pub(super) struct TestArgs {
    /// Only these receivers [default: all]
    #[arg(value_name = "RECEIVER")]
    pub(super) receivers: Vec<String>,
    /// A notice of this level, to those that are told of it: critical, error, warning, audit [default: a quiet one, to
    /// everybody]
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(super) level: Option<crate::notify::Level>,
    /// Print what would be sent; send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[cfg(feature = "net")]
fn level(name: &str) -> Result<crate::notify::Level, String> {
    let words = crate::notify::Level::WORDS;
    let found = words.iter().find(|(word, _)| *word == name).map(|(_, level)| *level);
    found.ok_or_else(|| format!("there are: {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")))
}
