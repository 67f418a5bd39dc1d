//! One number over the last runs, as a line drawn in SVG.
//!
//! Deliberately absent: dates on an axis. Runs stand side by side in their order, each with its own label.

use std::fmt::Write as _;

use super::escape::text;
use crate::evidence::metric;
use crate::record::TrendPoint;
use crate::sys::clock;

/// Runs that are drawn; of more, the newest.
const RUNS: usize = 200;
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 96.0;
const EDGE: f64 = 6.0;

/// The line: gaps where a run has no value, a dot with its label and value for each that has one.
#[must_use]
pub fn trend_svg(metric: &str, points: &[TrendPoint]) -> String {
    let points = &points[points.len().saturating_sub(RUNS)..];
    let values: Vec<_> = points.iter().map(|point| point.value.filter(|value| value.is_finite())).collect();
    let least = values.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let unit = metric::unit(metric);
    let mut out = String::new();
    let told = match values.iter().flatten().next_back() {
        Some(last) => format!(
            "{metric} over {} runs: {} to {}, last {}",
            points.len(),
            unit.alone(least),
            unit.alone(greatest),
            unit.alone(*last)
        ),
        None => format!("{metric} was not measured in {} runs", points.len()),
    };
    let _ = write!(
        out,
        "<svg class=\"trend\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        text(&told)
    );
    let place = |at: usize, value: f64| (across(at, points.len()), up(value, least, greatest));
    let mut pen_is_down = false;
    let mut path = String::new();
    for (at, value) in values.iter().enumerate() {
        if let Some(value) = value {
            let (x, y) = place(at, *value);
            let _ = write!(path, "{}{x:.1} {y:.1}", if pen_is_down { "L" } else { "M" });
        }
        pen_is_down = value.is_some();
    }
    let _ = write!(out, "<path d=\"{path}\"/>");
    for (at, (point, value)) in points.iter().zip(&values).enumerate() {
        let Some(value) = value else { continue };
        let (x, y) = place(at, *value);
        let _ = write!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"><title>{}: {}</title></circle>",
            text(&clock::minute(point.started_at)),
            unit.alone(*value)
        );
    }
    out.push_str("</svg>");
    out
}

/// Where a run stands from left to right.
#[expect(clippy::cast_precision_loss, reason = "a few hundred runs")]
fn across(at: usize, runs: usize) -> f64 {
    if runs < 2 {
        return WIDTH / 2.0;
    }
    EDGE + at as f64 / (runs - 1) as f64 * (WIDTH - 2.0 * EDGE)
}

/// Where a value stands from top to bottom; equal values stand in the middle.
fn up(value: f64, least: f64, greatest: f64) -> f64 {
    // Halved first: the difference of two finite numbers may not be finite.
    let (value, least, greatest) = (value / 2.0, least / 2.0, greatest / 2.0);
    let share = if greatest > least { (value - least) / (greatest - least) } else { 0.5 };
    HEIGHT - EDGE - share * (HEIGHT - 2.0 * EDGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(values: &[Option<f64>]) -> String {
        let points: Vec<_> = values
            .iter()
            .map(|value| TrendPoint { run: String::new(), started_at: jiff::Timestamp::UNIX_EPOCH, value: *value })
            .collect();
        trend_svg("coverage.lines.percent", &points)
    }

    #[test]
    fn a_line_has_gaps_where_nothing_was_measured() {
        let drawn = svg(&[Some(50.0), Some(60.0), None, Some(55.0), Some(f64::NAN)]);
        assert!(drawn.contains("d=\"M6.0 90.0L163.0 6.0M477.0 48.0\""), "{drawn}");
        assert_eq!(drawn.matches("<circle").count(), 3);
        assert!(drawn.contains("1970-01-01 00:00 UTC: 60 %") && drawn.contains("50 % to 60 %, last 55 %"), "{drawn}");
    }

    #[test]
    fn any_values_are_drawn_within_the_picture() {
        assert!(svg(&[]).contains("was not measured in 0 runs"));
        assert!(svg(&[Some(7.0)]).contains("M320.0 48.0"));
        let drawn = svg(&[Some(f64::MAX), Some(f64::MIN), Some(0.0)]);
        assert!(drawn.contains("M6.0 6.0L320.0 90.0L634.0 48.0"), "{drawn}");
        assert_eq!(svg(&vec![Some(1.0); 500]).matches("<circle").count(), RUNS);
    }
}
