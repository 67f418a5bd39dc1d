//! The numbers: the score with its parts, how the main ones went over the last runs, and all that was measured.

use super::document::{Block, Document, Kind, Piece, Rest};
use super::escape::Pen;
use super::fold;
use crate::check::score::Health;
use crate::evidence::metric::{self, Unit};
use crate::record::Record;
use crate::report::score;
use crate::report::sparkline::sparkline;
use crate::sys::text as words;

/// Marks of a trend.
const TREND: usize = 30;

/// The score, if one is wanted.
pub(super) fn score_parts(document: &mut Document, record: &Record, pen: &Pen) {
    let Some(score) = &record.score else { return };
    let (open, close) = fold(pen, &format!("Score: {} of 100", score::value(score)), score.health() != Health::Healthy);
    let told = words::capitalised(&pen.text(&score.message()));
    let columns = "| group | checks passed | weight | points |\n|---|---|---:|---:|\n";
    let mut block = Block::new(format!("{open}{told}.\n\n{columns}"), Rest::Paragraph, close);
    for part in score::parts(score) {
        let row = format!("| {} | {} | {} | {} |\n", pen.text(part.group), part.passed, part.weight, part.points);
        block.row(Piece::new(Kind::Score, row));
    }
    document.push(block);
}

/// How the main numbers went over the last runs, one line each.
pub(super) fn trends(document: &mut Document, record: &Record, pen: &Pen) {
    let drawn: Vec<_> = record.trends.iter().filter(|trend| trend.points.len() > 1).collect();
    if drawn.is_empty() {
        return;
    }
    let (open, close) = fold(pen, "Trends", false);
    let columns = "| metric | last runs | from | to |\n|---|---|---:|---:|\n";
    let mut block = Block::new(format!("{open}{columns}"), Rest::Paragraph, close);
    for trend in drawn {
        let unit = metric::unit(&trend.metric);
        let values: Vec<_> = trend.points.iter().map(|point| point.value.unwrap_or(f64::NAN)).collect();
        let shown = |value: Option<&f64>| value.map(|value| unit.alone(*value)).unwrap_or_default();
        let (name, line) = (pen.cell_code(&trend.metric), sparkline(&values, TREND));
        let row = format!("| {name} | {line} | {} | {} |\n", shown(values.first()), shown(values.last()));
        block.row(Piece::new(Kind::Trend, row));
    }
    document.push(block);
}

/// All that was measured.
pub(super) fn measurements(document: &mut Document, record: &Record, pen: &Pen) {
    if record.measurements.is_empty() {
        return;
    }
    let (open, close) = fold(pen, "Measurements", false);
    let columns = "| metric | value | read from |\n|---|---:|---|\n";
    let mut block = Block::new(format!("{open}{columns}"), Rest::Paragraph, close);
    for measurement in record.measurements.iter() {
        let unit = metric::unit(&measurement.name);
        let value = if pen.is_steady && unit == Unit::Seconds { String::new() } else { unit.alone(measurement.value) };
        let scope = measurement.scope.as_deref().map(|scope| format!(" in {}", pen.cell_code(scope)));
        let (name, scope) = (pen.cell_code(&measurement.name), scope.unwrap_or_default());
        let sources = pen.cell_code(&measurement.sources.join(", "));
        block.row(Piece::new(Kind::Measurement, format!("| {name}{scope} | {value} | {sources} |\n")));
    }
    document.push(block);
}
