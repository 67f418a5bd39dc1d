//! `report list`, `report show`, `report keep`.

use super::args::{Format, ReportArgs, ReportCommand};
use super::screen::Screen;
use crate::app::Context;
use crate::app::reports::{self, Shown};
use crate::report::{self, Options, Palette};
use crate::sys::clock;

pub(super) fn run(context: &Context, args: &ReportArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    match &args.command {
        ReportCommand::List => list(context, screen)?,
        ReportCommand::Show { id } => show(context, id, screen)?,
        ReportCommand::Keep { id } => {
            screen.require("report keep", &[Format::Human])?;
            let id = reports::keep(context, id)?;
            screen.data(&format!("{id} is kept\n"));
        }
    }
    Ok(0)
}

fn list(context: &Context, screen: &mut Screen) -> anyhow::Result<()> {
    screen.require("report list", &[Format::Human, Format::Json])?;
    let entries = reports::list(context)?;
    if screen.format == Format::Json {
        return screen.json(&entries);
    }
    if entries.is_empty() {
        screen.remark("no reports yet: `mgmt full-check` writes the first");
    }
    let palette = Palette::new(screen.colour_on_out());
    let width = entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    for entry in entries {
        let kept = if entry.kept { "  kept" } else { "" };
        let verdict = palette.verdict(entry.verdict);
        screen.data(&format!("{:<width$}  {}  {verdict}{kept}\n", entry.id, clock::minute(entry.started_at)));
    }
    Ok(())
}

fn show(context: &Context, id: &str, screen: &mut Screen) -> anyhow::Result<()> {
    screen.require("report show", &[Format::Human, Format::Json, Format::Markdown, Format::Html])?;
    let renderer = report::renderer(screen.format.name());
    let shown = reports::show(context, id, renderer.and_then(|renderer| renderer.extension))?;
    match (shown, renderer) {
        (Shown::Record(record), Some(renderer)) => {
            let options = Options { colour: screen.colour_on_out(), verbose: screen.verbose };
            screen.report(&(renderer.render)(&record, options));
        }
        (Shown::File(text), _) => screen.report(&text),
        (Shown::Record(_), None) => {}
    }
    Ok(())
}
