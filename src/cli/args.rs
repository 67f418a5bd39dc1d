//! Arguments as clap reads them.

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
    // Nothing has this one yet; asking for it is refused by name, as for any form a command lacks.
    #[value(hide = true)]
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
    /// Show what a gate would see in report files
    Inspect(InspectArgs),
    /// Write report files, added up, in a form that other tools read
    Convert(ConvertArgs),
    /// The last runs, their numbers, and what changed
    Status,
    /// List, show and protect earlier reports
    Report(ReportArgs),
    /// Write a mgmt.yml from what is found in this project
    Init(InitArgs),
    /// Check, show or describe the policy file
    Config(ConfigArgs),
    /// What a check does, a metric counts, a problem's code means
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

#[derive(Args, Debug)]
pub(super) struct InspectArgs {
    /// Report files
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<Utf8PathBuf>,
    /// Read all of them as this format [default: found by their content]
    #[arg(long = "as", value_name = "FORMAT")]
    pub(super) format_of_files: Option<String>,
    /// List covered source files
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
    /// Replace a mgmt.yml that is there
    #[arg(long, conflicts_with = "stdout")]
    pub(super) force: bool,
    /// Print the file instead of writing it
    #[arg(long)]
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
    /// A check's name, a metric's name, a problem's code, `metrics` or `codes`
    #[arg(value_name = "CHECK|METRIC|CODE")]
    pub(super) topic: String,
}

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}
