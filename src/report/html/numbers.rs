//! Every measurement with where it was read from, and how the main ones went over the last runs.

use std::fmt::Write as _;

use super::escape::text;
use super::trend::trend_svg;
use super::{Section, Tone, folded, put, scrolling};
use crate::evidence::metric;
use crate::record::Record;
use crate::record::Trend;

/// Rows listed.
const ROWS: usize = 5_000;
/// Rows in the open.
const OPEN: usize = 16;

/// All numbers; nothing where nothing was measured.
pub(super) fn section(record: &Record) -> Option<Section> {
    if record.measurements.is_empty() {
        return None;
    }
    let mut out = String::from(
        "<table><thead><tr><th scope=\"col\">Metric</th><th scope=\"col\" class=\"n\">Value</th><th scope=\"col\">Read from</th></tr></thead><tbody>\n",
    );
    let count = record.measurements.iter().count();
    for one in record.measurements.iter().take(ROWS) {
        put!(out, "<tr><th scope=\"row\"><code>{}</code>", text(&one.name));
        if let Some(scope) = &one.scope {
            put!(out, " <span class=\"scope\">{}</span>", text(scope));
        }
        let value = metric::unit(&one.name).alone(one.value);
        put!(out, "</th><td class=\"n\">{value}</td><td class=\"quiet\">{}</td></tr>\n", text(&one.sources.join(", ")));
    }
    put!(out, "</tbody></table>\n");
    let mut out = scrolling("Measurements", &out);
    if count > ROWS {
        put!(out, "<p class=\"quiet\">… and {} more in the record of this run.</p>\n", count - ROWS);
    }
    let body = folded(count, OPEN, &format!("{count} measurements"), &out);
    Some(Section { id: "measurements", title: "Measurements", note: count.to_string(), tone: Tone::Quiet, body })
}

/// The lines; nothing where there is no earlier run.
pub(super) fn trends(trends: &[Trend]) -> Option<Section> {
    if trends.is_empty() {
        return None;
    }
    let mut out = String::from("<div class=\"trends\">\n");
    for trend in trends {
        let unit = metric::unit(&trend.metric);
        let last = trend.points.iter().rev().find_map(|point| point.value).map(|value| unit.alone(value));
        put!(
            out,
            "<figure><figcaption><code>{}</code> <strong>{}</strong></figcaption>",
            text(&trend.metric),
            last.unwrap_or_default()
        );
        put!(out, "{}</figure>\n", trend_svg(&trend.metric, &trend.points));
    }
    put!(out, "</div>\n");
    let runs = trends.iter().map(|trend| trend.points.len()).max().unwrap_or(0);
    let note = format!("last {runs} runs");
    Some(Section { id: "trends", title: "Trends", note, tone: Tone::Quiet, body: out })
}
