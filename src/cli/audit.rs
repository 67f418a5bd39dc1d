//! `audit retrain`: exits with the verdict; what could not be published is said beside it.

use super::args::Format;
use super::args_github::{AuditArgs, AuditCommand};
use super::screen::Screen;
use crate::app::Context;
use crate::app::audit::{self, Audited, COMMAND, Publish, Remediate, Request};
use crate::report::{Options, audit as forms};
use crate::sys::text;

pub(super) fn run(context: &Context, args: &AuditArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    let AuditCommand::Retrain(args) = &args.command;
    screen.require(COMMAND, &[Format::Human, Format::Json, Format::Markdown])?;
    let publish = args.publish.then(|| Publish { author: args.author.clone(), without_summary: args.without_summary });
    let remediate = args.remediate.then_some(if args.dry_run { Remediate::Plan } else { Remediate::Act });
    let request = Request { as_of: args.as_of, repo: args.repo.repo.clone(), publish, remediate };
    let Audited { audit, published } = audit::audit(context, &request, screen.teller())?;
    let name = match screen.format {
        Format::Json => "json",
        Format::Markdown => "markdown",
        _ => "human",
    };
    if let Some(form) = forms::renderer(name) {
        let options = Options { colour: screen.colour_on_out(), verbose: screen.verbose };
        screen.report(&(form.render)(&audit, options));
    }
    if let Some(published) = published {
        for line in &published.done {
            screen.remark(&text::one_line(line));
        }
        for failure in &published.failures {
            screen.warning(&text::one_line(&failure.message), failure.hint.as_deref());
        }
    }
    Ok(audit.verdict.exit_code())
}
