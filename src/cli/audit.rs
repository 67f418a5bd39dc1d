//! `audit retrain`.

use super::args::Format;
use super::args_github::{AuditArgs, AuditCommand};
use super::screen::Screen;
use crate::app::Context;
use crate::app::audit::{self, COMMAND, Request};
use crate::report::{Options, audit as forms};

pub(super) fn run(context: &Context, args: &AuditArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    let AuditCommand::Retrain(args) = &args.command;
    screen.require(COMMAND, &[Format::Human, Format::Json, Format::Markdown])?;
    let request = Request { as_of: args.as_of, repo: args.repo.repo.clone() };
    let audit = audit::audit(context, &request, screen.teller())?;
    let name = match screen.format {
        Format::Json => "json",
        Format::Markdown => "markdown",
        _ => "human",
    };
    if let Some(form) = forms::renderer(name) {
        let options = Options { colour: screen.colour_on_out(), verbose: screen.verbose };
        screen.report(&(form.render)(&audit, options));
    }
    Ok(audit.verdict.exit_code())
}
