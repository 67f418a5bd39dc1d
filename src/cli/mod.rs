//! Floor 9: the command line. Arguments in, a use case called, its value printed, the exit code.
//!
//! Nothing else in this crate prints or exits. Data goes to standard output, talk to standard error. One file
//! for each command; the commands that run checks share one, because only the groups they select differ.

mod args;
mod args_github;
#[cfg(feature = "net")]
mod audit;
mod check;
#[cfg(feature = "net")]
mod ci;
mod collect;
mod completions;
mod config;
mod convert;
mod explain;
mod gate;
mod history;
mod init;
mod inspect;
#[cfg(feature = "net")]
mod notify;
mod plan;
#[cfg(feature = "net")]
mod publish;
mod report;
mod screen;
mod status;
mod trend;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::app::{Context, Stop};
use crate::config::{LoadError, render};
use crate::sys::clock::Clock;
use crate::sys::env::Env;
use args::{Cli, Command};
use screen::Screen;

/// A bug in this program.
const BUG: u8 = 70;

/// How the program is called, for its help texts.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What a person types: `mgmt`, `cargo xtask`.
    pub name: &'static str,
    /// What stands under the help text.
    pub after_help: &'static str,
}

/// The program as its own binary.
pub const MGMT: Program = Program { name: "mgmt", after_help: EXIT_CODES };

/// The exit codes, for help texts.
pub const EXIT_CODES: &str = "\
Exit codes:
  0 pass (warnings included)     1 the gate said no
  2 wrong usage or configuration 3 nothing to check
  4 could not decide             70 a bug of this program
  130 interrupted";

/// The whole program: reads arguments, does what they say, returns the exit code.
///
/// A project's own `cargo xtask` is this function behind three lines of `main`.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    main_as(MGMT, args)
}

/// [`main`] under another name.
#[must_use]
pub fn main_as(program: Program, args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.into_iter().collect();
    // The panic's own message has been printed by then; what is missing is the exit code and what it means.
    match catch_unwind(AssertUnwindSafe(|| run(program, args))) {
        Ok(code) => ExitCode::from(code),
        Err(_) => {
            let mut screen = Screen::plain();
            screen.talk("error: this is a bug in mgmt; its verdict would mean nothing");
            screen.talk("help: please report it with the lines above and the command you ran");
            ExitCode::from(BUG)
        }
    }
}

fn run(program: Program, args: Vec<OsString>) -> u8 {
    let env = Env::from_process();
    let command = Cli::command().name(program.name).bin_name(program.name).after_help(program.after_help);
    let parsed = command.try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // clap's help goes to standard output with 0, its errors to standard error with 2.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let mut screen = Screen::new(&cli.global, &env);
    match dispatch(program, cli, env, &mut screen) {
        Ok(code) => code,
        Err(error) => refuse(&error, &mut screen),
    }
}

fn dispatch(program: Program, cli: Cli, env: Env, screen: &mut Screen) -> anyhow::Result<u8> {
    let context = context(&cli, env)?;
    match cli.command {
        Command::FullCheck(args) => check::run(&context, &check::FULL_CHECK, &args, screen),
        Command::Validate(args) => check::run(&context, check::validate(args.mode), &args.run, screen),
        Command::PhaseCheck(args) => check::run(&context, &check::PHASE_CHECK, &args, screen),
        Command::MlModels(args) => check::run(&context, &check::ML_MODELS, &args, screen),
        Command::DataCheck(args) => check::run(&context, &check::DATA_CHECK, &args, screen),
        Command::Status => status::run(&context, screen),
        Command::Trend(args) => trend::run(&context, &args, screen),
        Command::History(args) => history::run(&context, &args, screen),
        Command::Report(args) => report::run(&context, &args, screen),
        Command::Gate(args) => gate::run(&context, &args, screen),
        Command::Collect(args) => collect::run(&context, &args, screen),
        #[cfg(feature = "net")]
        Command::Ci(args) => ci::run(&context, &args, screen),
        #[cfg(feature = "net")]
        Command::Audit(args) => audit::run(&context, &args, screen),
        #[cfg(feature = "net")]
        Command::Publish(args) => publish::run(&context, &args, screen),
        #[cfg(feature = "net")]
        Command::Notify(args) => notify::run(&context, &args, screen),
        Command::Inspect(args) => inspect::run(&context, &args, screen),
        Command::Convert(args) => convert::run(&context, &args, screen),
        Command::Init(args) => init::run(&context, &args, screen),
        Command::Config(args) => config::run(&context, &args, screen),
        Command::Explain(args) => explain::run(&context, &args, screen),
        Command::Completions(args) => Ok(completions::run(program, &args, screen)),
    }
}

fn context(cli: &Cli, env: Env) -> anyhow::Result<Context> {
    let cwd = std::env::current_dir()
        .map_err(|error| Stop::undecided(format!("the current folder cannot be found: {error}"), None))?;
    let cwd = Utf8PathBuf::from_path_buf(cwd)
        .map_err(|path| Stop::usage(format!("the path {} is not UTF-8", path.display()), None))?;
    let Cli { global, .. } = cli;
    Ok(Context { cwd, env, clock: Clock::System, config: global.config.clone(), report_dir: global.report_dir.clone() })
}

/// The one place that prints errors.
fn refuse(error: &anyhow::Error, screen: &mut Screen) -> u8 {
    if let Some(invalid @ LoadError::Invalid { path, text, problems }) = error.downcast_ref() {
        let rendered = render(text, path, problems, screen.colour_on_err());
        screen.talk(&rendered);
        screen.talk("");
        screen.error(&invalid.to_string(), Some("`mgmt config schema` prints what the file may hold"));
        return 2;
    }
    if let Some(stop) = error.downcast_ref::<Stop>() {
        screen.error(&stop.message, stop.hint.as_deref());
        return stop.exit as u8;
    }
    screen.error(&format!("{error:#}"), None);
    crate::app::Exit::Undecided as u8
}
