//! `inspect FILE…`: exits with 0 if all was read, 4 if something was lost, 3 if there is nothing in it.

use super::args::{Format, InspectArgs};
use super::screen::Screen;
use crate::app::inspect::{self, Request};
use crate::app::{Context, Exit};
use crate::evidence::{Evidence, Level, problem};
use crate::report::evidence::{self as report, Parts, Tests};

pub(super) fn run(context: &Context, args: &InspectArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("inspect", &[Format::Human, Format::Json, Format::Markdown])?;
    let request = Request {
        files: args.files.clone(),
        format: args.format_of_files.clone(),
        repeats: args.repeats.into(),
        limits: args.limits.clone(),
    };
    let evidence = inspect::inspect(context, &request)?;
    let tests = match (args.tests, args.failed, args.slowest) {
        (true, ..) => Tests::All,
        (_, true, _) => Tests::Failed,
        (_, _, Some(count)) => Tests::Slowest(count),
        _ => Tests::None,
    };
    let parts = Parts { files: args.sources, tests };
    match screen.format {
        Format::Json => screen.json(&report::inspection(&evidence, parts))?,
        Format::Markdown => screen.data(&report::markdown(&evidence, parts)),
        _ => screen.data(&report::human(&evidence, parts)),
    }
    let code = exit_code(&evidence);
    // The process ends here: freeing millions of names one by one takes longer than it does to print them.
    std::mem::forget(evidence);
    Ok(code)
}

pub(super) fn exit_code(evidence: &Evidence) -> u8 {
    let empty = problem::EMPTY.id;
    let lost = evidence.problems.iter().any(|problem| problem.level == Level::Loss && problem.code != empty);
    let nothing = evidence.problems.iter().any(|problem| problem.code == empty);
    match (lost, nothing) {
        (true, _) => Exit::Undecided as u8,
        (false, true) => Exit::Nothing as u8,
        (false, false) => 0,
    }
}
