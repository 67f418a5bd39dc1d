//! `history list`, `show`, `export`, `import`, `prune`, `keep`, `unkeep`, `check`.

use std::io;

use super::args::{Format, HistoryArgs, HistoryCommand};
use super::screen::Screen;
use crate::app::history::{self, Answer};
use crate::app::{Context, Exit};
use crate::evidence::{Level, Problem};
use crate::history::Entry;
use crate::report::{self, Options, Palette};
use crate::sys::{clock, text};

pub(super) fn run(context: &Context, args: &HistoryArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    match &args.command {
        HistoryCommand::List { filter, limit } => {
            screen.require("history list", &[Format::Human, Format::Json])?;
            let entries = told(history::list(context, &filter.into(), *limit)?, screen);
            list(&entries, *limit, screen)?;
        }
        HistoryCommand::Show { id } => show(context, id, screen)?,
        HistoryCommand::Export { filter, output } => {
            screen.require("history export", &[Format::Human])?;
            let exported = history::export(context, &filter.into(), output.as_deref(), &mut io::stdout().lock())?;
            let exported = told(exported, screen);
            let place = output.as_ref().map(|file| format!(" to {file}")).unwrap_or_default();
            screen.remark(&format!("wrote {}{place}", text::plural(exported.records, "record", "records")));
        }
        HistoryCommand::Import { files } => {
            screen.require("history import", &[Format::Human])?;
            let answer = history::import(context, files, &mut io::stdin().lock())?;
            let lost = answer.problems.iter().any(|problem| problem.code == crate::history::LINE.id);
            let imported = told(answer, screen);
            let added = text::plural(imported.added, "record", "records");
            let (known, completed) = (imported.known, imported.completed);
            screen.data(&format!("{added} added, {known} known already, {completed} completed\n"));
            if lost {
                return Ok(Exit::Undecided as u8);
            }
        }
        HistoryCommand::Prune { keep, max_runs } => {
            screen.require("history prune", &[Format::Human])?;
            let removed = told(history::prune(context, *keep, *max_runs)?, screen);
            screen.data(&format!("removed {}\n", text::plural(removed, "record", "records")));
        }
        HistoryCommand::Keep { id } => {
            screen.require("history keep", &[Format::Human])?;
            let id = told(history::protect(context, id, true)?, screen);
            screen.data(&format!("{id} is kept\n"));
        }
        HistoryCommand::Unkeep { id } => {
            screen.require("history unkeep", &[Format::Human])?;
            let id = told(history::protect(context, id, false)?, screen);
            screen.data(&format!("{id} may expire\n"));
        }
        HistoryCommand::Check { from } => {
            screen.require("history check", &[Format::Human])?;
            let answer = history::check(context, from)?;
            let well = answer.problems.iter().all(|problem| problem.level == Level::Note);
            let checkup = told(answer, screen);
            let records = text::plural(checkup.records, "record", "records");
            screen.data(&format!("{records} read back whole\n"));
            if !well {
                return Ok(Exit::Undecided as u8);
            }
        }
    }
    Ok(0)
}

/// Says what was noticed, and passes on what was asked for.
pub(super) fn told<T>(answer: Answer<T>, screen: &mut Screen) -> T {
    for problem in &answer.problems {
        let message = format!("{}{}", place(problem), problem.message);
        match problem.level {
            Level::Note => screen.remark(&format!("note: {message}")),
            Level::Warning | Level::Loss => screen.warning(&message, problem.hint.as_deref()),
        }
    }
    answer.value
}

fn place(problem: &Problem) -> String {
    match (&problem.file, problem.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        (None, Some(line)) => format!("line {line}: "),
        (Some(file), None) => format!("{file}: "),
        (None, None) => String::new(),
    }
}

fn list(entries: &[Entry], limit: usize, screen: &mut Screen) -> anyhow::Result<()> {
    if screen.format == Format::Json {
        return screen.json(&entries);
    }
    if entries.is_empty() {
        screen.remark("no stored runs of this kind; `mgmt full-check` stores one");
        return Ok(());
    }
    let palette = Palette::new(screen.colour_on_out());
    let width = entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for entry in entries {
        let dash = || "-".to_owned();
        let dirty = if entry.dirty == Some(true) { "+" } else { "" };
        let commit = entry.commit.as_deref().map_or_else(dash, |commit| text::shorten_plain(commit, 10));
        let branch = entry.branch.as_deref().map_or_else(dash, |branch| text::one_line(&text::shorten(branch, 30)));
        let pad = " ".repeat(13_usize.saturating_sub(entry.verdict.word().len()));
        let mut marks = Vec::new();
        for (is, word) in [
            (entry.baseline, "baseline"),
            (!entry.full, "part"),
            (entry.partial, "from its report"),
            (entry.kept, "kept"),
        ] {
            marks.extend(is.then_some(word));
        }
        let line = format!(
            "{:<width$}  {}  {}{pad}  {:<11}  {branch}  {}",
            entry.id,
            clock::minute(entry.started_at),
            palette.verdict(entry.verdict),
            format!("{commit}{dirty}"),
            marks.join(", ")
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    screen.data(&out);
    if entries.len() == limit {
        screen.remark(&format!("the newest {limit}; --limit N shows more"));
    }
    Ok(())
}

fn show(context: &Context, id: &str, screen: &mut Screen) -> anyhow::Result<()> {
    screen.require("history show", &[Format::Human, Format::Json, Format::Markdown])?;
    let record = told(history::show(context, id)?, screen);
    if screen.format == Format::Json {
        screen.report(&(serde_json::to_string_pretty(&record)? + "\n"));
        return Ok(());
    }
    if let Some(renderer) = report::renderer(screen.format.name()) {
        let options = Options { colour: screen.colour_on_out(), verbose: screen.verbose };
        screen.report(&(renderer.render)(&record, options));
    }
    Ok(())
}
