//! `convert FILE… --to FORM`: exits like `inspect`, so that a loss on the way is not overlooked.

use super::args::{ConvertArgs, Format};
use super::inspect::exit_code;
use super::screen::Screen;
use crate::app::inspect::{self, Request};
use crate::app::{Context, Exit, Stop};
use crate::evidence::Level;
use crate::report::convert::{LeftOut, WRITERS, Wants, left_out};
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
    let left = match writer.wants {
        Wants::Coverage => left_out(&evidence.coverage),
        Wants::Tests | Wants::Anything => LeftOut::default(),
    };
    if left.files > 0 {
        let told = format!(
            "{} left out: only sums are known of them",
            text::plural(left.files, "source file is", "source files are")
        );
        screen.warning(&told, Some("convert the tool's report with lines, or use `--to json`"));
    }
    if left.lines > 0 && writer.name == "cobertura" {
        let told = format!(
            "{} left out: Cobertura has no place for branches where no line is executable",
            text::plural(left.lines, "line with branches is", "lines with branches are")
        );
        screen.warning(&told, None);
    }
    let has = match writer.wants {
        Wants::Tests => !evidence.tests.is_empty(),
        Wants::Coverage => evidence.coverage.files().count() as u64 > left.files,
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
    Ok(if left.files > 0 { Exit::Undecided as u8 } else { exit_code(&evidence) })
}
