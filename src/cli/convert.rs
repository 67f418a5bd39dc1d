//! `convert FILE… --to FORM`: exits like `inspect`, so that a loss on the way is not overlooked.

use super::args::{ConvertArgs, Format};
use super::inspect::exit_code;
use super::screen::Screen;
use crate::app::inspect::{self, Request};
use crate::app::{Context, Stop};
use crate::evidence::Level;
use crate::report::convert::{WRITERS, Wants};
use crate::sys::{fs, text};

pub(super) fn run(context: &Context, args: &ConvertArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("convert", &[Format::Human])?;
    let request = Request {
        files: args.files.clone(),
        format: args.format_of_files.clone(),
        repeats: args.repeats.into(),
        limits: args.limits.clone(),
    };
    let evidence = inspect::inspect(context, &request)?;
    for problem in evidence.problems.iter().filter(|problem| problem.level != Level::Note) {
        let place = problem.file.as_deref().map(|file| format!("{}: ", text::one_line(file))).unwrap_or_default();
        screen.warning(&format!("{place}{}", text::one_line(&problem.message)), problem.hint.as_deref());
    }
    let Some(writer) = WRITERS.iter().find(|writer| writer.name == args.to) else { return Ok(exit_code(&evidence)) };
    let has = match writer.wants {
        Wants::Tests => !evidence.tests.is_empty(),
        Wants::Coverage => !evidence.coverage.is_empty(),
        Wants::Anything => true,
    };
    if !has {
        let hint = format!("{} holds {}", writer.name, writer.doc);
        return Err(
            Stop::nothing(format!("nothing in these files can be written as {}", writer.name), Some(hint)).into()
        );
    }
    let written = (writer.write)(&evidence);
    match &args.output {
        Some(path) => fs::write_atomic(&context.cwd.join(path), written.as_bytes()).map_err(Stop::from)?,
        None => screen.data(&written),
    }
    Ok(exit_code(&evidence))
}
