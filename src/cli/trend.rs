//! `trend METRIC`.

use super::args::{Format, TrendArgs};
use super::history::told;
use super::screen::Screen;
use crate::app::Context;
use crate::app::trend::{self, Request, Trend};
use crate::evidence::metric;
use crate::report::sparkline::sparkline;
use crate::report::{Palette, compare};
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
    if let Some(told) = course(&trend.metric, &values) {
        let more = if values.len() > WIDTH { "; marks are means of neighbours" } else { "" };
        out.push_str(&format!("  {told}{more}\n"));
    }
    let (when, what) = ("when", "command");
    out.push_str(&format!(
        "\n  {when:<20}  {:<10}  {what:<12}  {:<13}  {:>12}  {:>13}  branch\n",
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
            "  {}  {commit:<10}  {:<12}  {}{pad}  {value:>12}  {:>13}  {branch}",
            clock::minute(point.started_at),
            point.command,
            palette.verdict(point.verdict),
            step(&trend.metric, before, point.exact),
        );
        out.push_str(line.trim_end());
        out.push('\n');
        before = point.exact;
    }
    out
}

/// From the first value to the last, and between which they were if that is more; nothing where none is a number.
fn course(metric: &str, values: &[f64]) -> Option<String> {
    let unit = metric::unit(metric);
    let finite: Vec<_> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let (first, last) = (*finite.first()?, *finite.last()?);
    let runs = text::plural(values.len() as u64, "run", "runs");
    if finite.len() == 1 {
        return Some(format!("{} in {runs}", unit.alone(first)));
    }
    let change = compare::change(metric, first, last).unwrap_or_default();
    let mut told = format!("{} → {} ({change}) in {runs}", unit.beside(first, last), unit.beside(last, first));
    let (least, greatest) =
        (finite.iter().copied().fold(first, f64::min), finite.iter().copied().fold(first, f64::max));
    if least < first.min(last) || greatest > first.max(last) {
        told.push_str(&format!("; lowest {}, highest {}", unit.alone(least), unit.alone(greatest)));
    }
    Some(told)
}

/// The step from one value to the next, with its sign and unit; nothing where there is no step.
fn step(metric: &str, before: f64, now: f64) -> String {
    let step = if now.is_finite() && before.is_finite() { compare::change(metric, before, now) } else { None };
    step.filter(|step| step != compare::NO_CHANGE).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_goes_from_the_first_value_to_the_last() {
        let told = |values: &[f64]| course("coverage.lines.percent", values).unwrap_or_default();
        assert_eq!(told(&[88.0, 81.481_481]), "88 % → 81.48 % (-6.52 points) in 2 runs");
        assert_eq!(told(&[80.0, 91.0, 85.0]), "80 % → 85 % (+5 points) in 3 runs; lowest 80 %, highest 91 %");
        assert_eq!(told(&[80.0, 80.0]), "80 % → 80 % (no change) in 2 runs");
        assert_eq!(told(&[f64::NAN, 80.0, f64::INFINITY]), "80 % in 3 runs");
        assert_eq!(told(&[f64::NAN]), "");
        assert_eq!(course("metrics.f1", &[0.1 + 0.2, 0.300_01]).unwrap(), "0.3 → 0.30001 (+0.00001) in 2 runs");
        assert_eq!(step("coverage.lines.percent", 88.0, 81.481_481), "-6.52 points");
        assert_eq!(step("tests.duration_seconds", 1.0, 2.5), "+1.5 s");
        assert_eq!([step("metrics.x", f64::NAN, 1.0), step("metrics.x", 1.0, 1.0)], ["", ""]);
    }
}
