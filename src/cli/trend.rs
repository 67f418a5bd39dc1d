//! `trend METRIC`.

use super::args::{Format, TrendArgs};
use super::history::told;
use super::screen::Screen;
use crate::app::Context;
use crate::app::trend::{self, Request, Trend};
use crate::evidence::metric;
use crate::report::Palette;
use crate::report::sparkline::sparkline;
use crate::sys::{clock, text};

/// Marks in a line.
const WIDTH: usize = 60;

pub(super) fn run(context: &Context, args: &TrendArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("trend", &[Format::Human, Format::Json, Format::Csv])?;
    let request = Request {
        metric: args.metric.clone(),
        scope: args.scope.clone(),
        filter: (&args.filter).into(),
        limit: args.limit,
    };
    let trend = told(trend::trend(context, &request)?, screen);
    match screen.format {
        Format::Json => screen.json(&trend)?,
        Format::Csv => screen.data(&csv(&trend)?),
        _ => screen.data(&human(&trend, Palette::new(screen.colour_on_out()))),
    }
    Ok(0)
}

fn human(trend: &Trend, palette: Palette) -> String {
    let strong = palette.strong;
    let unit = metric::unit(&trend.metric);
    let values: Vec<_> = trend.points.iter().map(|point| point.exact).collect();
    let scope = trend.scope.as_deref().map(|scope| format!(" of {}", text::one_line(scope))).unwrap_or_default();
    let mut out =
        format!("{strong}{}{strong:#}{scope}\n\n  {}\n", text::one_line(&trend.metric), sparkline(&values, WIDTH));
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    if let (Some(least), Some(greatest)) = (finite().reduce(f64::min), finite().reduce(f64::max)) {
        let runs = text::plural(values.len() as u64, "run", "runs");
        let more = if values.len() > WIDTH { "; marks are means of neighbours" } else { "" };
        out.push_str(&format!("  {} to {} in {runs}{more}\n", unit.alone(least), unit.alone(greatest)));
    }
    let (when, what) = ("when", "command");
    out.push_str(&format!(
        "\n  {when:<20}  {:<10}  {what:<12}  {:<13}  {:>12}  {:>10}  branch\n",
        "commit", "verdict", "value", "change"
    ));
    let mut before = f64::NAN;
    for point in &trend.points {
        let dash = || "-".to_owned();
        let commit = point.commit.as_deref().map_or_else(dash, |commit| text::shorten_plain(commit, 10));
        let branch = point.branch.as_deref().map_or_else(dash, |branch| text::one_line(&text::shorten(branch, 30)));
        let pad = " ".repeat(13_usize.saturating_sub(point.verdict.word().len()));
        let value = unit.alone(point.exact);
        let line = format!(
            "  {}  {commit:<10}  {:<12}  {}{pad}  {value:>12}  {:>10}  {branch}",
            clock::minute(point.started_at),
            point.command,
            palette.verdict(point.verdict),
            change(before, point.exact),
        );
        out.push_str(line.trim_end());
        out.push('\n');
        before = point.exact;
    }
    out
}

/// The step from one value to the next, with its sign; nothing where there is no step.
fn change(before: f64, now: f64) -> String {
    let step = ((now - before) * 1e4).round() / 1e4;
    if !step.is_finite() || step == 0.0 {
        return String::new();
    }
    let sign = if step > 0.0 { "+" } else { "-" };
    format!("{sign}{}", text::number(step.abs()))
}

fn csv(trend: &Trend) -> anyhow::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["started_at", "id", "command", "verdict", "commit", "branch", "value"])?;
    for point in &trend.points {
        out.write_record([
            &point.started_at.to_string(),
            &point.id,
            &point.command,
            point.verdict.word(),
            point.commit.as_deref().unwrap_or_default(),
            point.branch.as_deref().unwrap_or_default(),
            &point.value.as_ref().map_or_else(|| text::number(point.exact), ToString::to_string),
        ])?;
    }
    Ok(String::from_utf8(out.into_inner()?)?)
}
