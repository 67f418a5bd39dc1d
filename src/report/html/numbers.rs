//! Every measurement with where it was read from, and how the main ones went over the last runs.

use std::fmt::Write as _;

use super::escape::text;
use super::trend::trend_svg;
use super::{Section, Tone, folded, put, scrolling};
use crate::evidence::metric;
use crate::record::Record;
use crate::record::Trend;
use crate::report::score as shown;
use crate::sys::text as words;

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

/// The score with its parts; nothing where none is wanted.
pub(super) fn score(record: &Record) -> Option<Section> {
    let score = record.score.as_ref()?;
    let mut out = format!("<p>{}.</p>\n", text(&words::capitalised(&score.message())));
    put!(
        out,
        "<table><thead><tr><th scope=\"col\">Group</th><th scope=\"col\">Checks passed</th>\
         <th scope=\"col\" class=\"n\">Weight</th><th scope=\"col\" class=\"n\">Points</th></tr></thead><tbody>\n"
    );
    for part in shown::parts(score) {
        put!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
            text(part.group),
            part.passed,
            part.weight,
            part.points
        );
    }
    put!(out, "</tbody></table>\n");
    let note = shown::value(score);
    let body = scrolling("Parts of the score", &out);
    Some(Section { id: "score", title: "Score", note, tone: Tone::of_score(score), body })
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
