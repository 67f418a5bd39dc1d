//! `full-check`, `validate`, `phase-check`, `ml-models`, `data-check`: one use case, different groups.

use std::io;

use super::args::{Format, Mode, RunArgs};
use super::plan;
use super::screen::Screen;
use crate::app::check::{self, Checked, Request};
use crate::app::{Context, Stop};
use crate::check::Selection;
use crate::progress::{Actions, EventFile, Fan, Live, Plain};
use crate::report::{self, Options};
use crate::run::{FailFast, Fix};
use crate::sys::env;

/// A command and the groups it runs; `None` is every group.
pub(super) struct CheckCommand {
    name: &'static str,
    groups: Option<&'static [&'static str]>,
}

pub(super) const FULL_CHECK: CheckCommand = CheckCommand { name: check::FULL, groups: None };
pub(super) const PHASE_CHECK: CheckCommand = CheckCommand { name: "phase-check", groups: Some(&["structure"]) };
pub(super) const ML_MODELS: CheckCommand = CheckCommand { name: "ml-models", groups: Some(&["model"]) };
pub(super) const DATA_CHECK: CheckCommand = CheckCommand { name: "data-check", groups: Some(&["data"]) };
const VALIDATE: CheckCommand = CheckCommand { name: "validate", groups: Some(&["lint", "format", "test"]) };
const VALIDATE_LIGHT: CheckCommand = CheckCommand { name: "validate", groups: Some(&["lint", "format"]) };

/// `validate` in a mode.
pub(super) fn validate(mode: Mode) -> &'static CheckCommand {
    match mode {
        Mode::Full => &VALIDATE,
        Mode::Light => &VALIDATE_LIGHT,
    }
}

pub(super) fn run(
    context: &Context,
    command: &CheckCommand,
    args: &RunArgs,
    screen: &mut Screen,
) -> anyhow::Result<u8> {
    let request = request(command, args);
    if args.dry_run {
        return plan::run(context, &request, screen);
    }
    screen.require(command.name, FORMS)?;
    let mut fan = subscribers(context, args, screen)?;
    let checked = check::check(context, &request, &mut |event| fan.tell(&event))?;

    for failure in fan.failures() {
        screen.warning(&failure, None);
    }
    show(context, &checked, screen);
    let code = checked.record.verdict.exit_code();
    std::mem::forget(checked.read);
    Ok(code)
}

/// The forms that a record is shown in.
pub(super) const FORMS: &[Format] = &[Format::Human, Format::Json, Format::Markdown, Format::Html];

/// Shows what came of a run: the report, where it was written, and what could not be.
pub(super) fn show(context: &Context, checked: &Checked, screen: &mut Screen) {
    if let Some(renderer) = report::renderer(screen.format.name()) {
        let options = Options { colour: screen.colour_on_out(), verbose: screen.verbose };
        screen.report(&(renderer.render)(&checked.record, options));
    }
    if let Some(path) = checked.written.first() {
        let shown = path.strip_prefix(&context.cwd).unwrap_or(path);
        screen.remark(&format!("report: {shown}"));
    }
    for failure in &checked.failures {
        screen.warning(&format!("not written: {}", failure.message), failure.hint.as_deref());
    }
    for notice in &checked.notices {
        screen.warning(&notice.message, notice.hint.as_deref());
    }
}

fn request(command: &CheckCommand, args: &RunArgs) -> Request {
    Request {
        command: command.name.to_owned(),
        selection: Selection {
            command_groups: command.groups.map(|groups| groups.iter().map(|group| (*group).to_owned()).collect()),
            groups: args.group.clone(),
            only: args.only.clone(),
            skip: args.skip.clone(),
        },
        gate: args.gate.clone(),
        jobs: args.jobs.map(usize::from),
        fail_fast: if args.fail_fast { FailFast::Yes } else { FailFast::No },
        fix: if args.fix { Fix::Yes } else { Fix::No },
        wanted: args.against.wanted(),
    }
}

fn subscribers(context: &Context, args: &RunArgs, screen: &Screen) -> anyhow::Result<Fan> {
    let mut fan = Fan::default();
    if let Some(path) = &args.events {
        let path = context.cwd.join(path);
        let file = EventFile::create(&path, context.clock);
        let hint = || Some("the file after --events must be in a folder that exists and can be written".to_owned());
        fan.add(file.map_err(|error| Stop::usage(error.to_string(), hint()))?);
    }
    if !screen.quiet {
        if screen.is_interactive() {
            fan.add(Live::new(screen.palette()));
        } else {
            fan.add(Plain::new(io::stderr(), screen.palette()));
        }
    }
    if context.env.is_on(env::GITHUB_ACTIONS) {
        fan.add(Actions::new(io::stderr()));
    }
    Ok(fan)
}
