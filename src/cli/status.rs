//! `status`: always exits with 0; it tells, it does not judge.

use super::args::Format;
use super::screen::Screen;
use crate::app::Context;
use crate::app::status::{self, FOLLOWED, Status, Trend};
use crate::evidence::metric;
use crate::report::Palette;
use crate::report::sparkline::sparkline;
use crate::sys::{clock, text};

pub(super) fn run(context: &Context, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("status", &[Format::Human, Format::Json])?;
    let status = status::status(context)?;
    if screen.format == Format::Json {
        screen.json(&status)?;
        return Ok(0);
    }
    let palette = Palette::new(screen.colour_on_out());
    screen.data(&human(&status, palette));
    for problem in &status.unreadable {
        screen.warning(problem, None);
    }
    Ok(0)
}

fn human(status: &Status, palette: Palette) -> String {
    let strong = palette.strong;
    let mut out = format!("{strong}{}{strong:#}\n", text::one_line(&status.project));
    if status.runs.is_empty() {
        out.push_str("no runs yet: `mgmt full-check` makes the first\n");
        return out;
    }
    out.push_str(&format!("\n  {:<20}  {:<12}  {:<13}  {:<14}", "when", "command", "verdict", "commit"));
    for name in FOLLOWED {
        out.push_str(&format!("  {:>13}", short(name)));
    }
    out.push('\n');
    for run in &status.runs {
        let pad = " ".repeat(13_usize.saturating_sub(run.verdict.word().len()));
        let commit = run.commit.as_deref().map_or_else(|| "-".to_owned(), |commit| text::shorten_plain(commit, 10));
        let dirty = if run.dirty == Some(true) { "+" } else { "" };
        let verdict = palette.verdict(run.verdict);
        out.push_str(&format!(
            "  {:<20}  {:<12}  {verdict}{pad}  {:<14}",
            clock::minute(run.started_at),
            run.command,
            format!("{commit}{dirty}")
        ));
        for (name, value) in &run.numbers {
            let shown = value.map_or_else(|| "-".to_owned(), |value| metric::unit(name).alone(value));
            out.push_str(&format!("  {shown:>13}"));
        }
        out.push('\n');
    }
    if !status.trends.is_empty() {
        out.push_str(&format!("\n{strong}trend{strong:#} (runs of the last one's kind, oldest first)\n"));
    }
    for trend in &status.trends {
        out.push_str(&trend_line(trend));
    }
    out.push_str(&format!("\n{strong}since the run before{strong:#}\n"));
    if status.changes.is_empty() {
        out.push_str("  nothing changed, or there is no run to compare with\n");
    }
    for change in &status.changes {
        out.push_str(&format!("  {change}\n"));
    }
    out
}

fn trend_line(trend: &Trend) -> String {
    let unit = metric::unit(&trend.metric);
    let values: Vec<_> = trend.values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let shown = |value: Option<&f64>| value.map_or_else(String::new, |value| unit.alone(*value));
    let (first, last) = (shown(values.first()), shown(values.last()));
    format!("  {:<13}  {}  {first} → {last}\n", short(&trend.metric), sparkline(&values, values.len()))
}

fn short(name: &str) -> &str {
    match name {
        "tests.total" => "tests",
        "tests.failed" => "failed",
        "tests.skipped" => "skipped",
        "coverage.lines.percent" => "line coverage",
        other => other,
    }
}
