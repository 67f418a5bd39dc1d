//! The report as one HTML file: no network, works from disk, light and dark, keyboard, print.
//!
//! Everything that decides stands in the page itself; the script only filters, sorts and opens what is folded, and
//! builds the table of all tests from a data island. The content security policy names the script and the style by
//! their hashes, so nothing else in the file can ever run. Deliberately absent: style attributes, event attributes and
//! addresses of any kind, which that policy would refuse; a page for each file, because one file is easier to keep.

mod checks;
mod coverage;
mod escape;
mod head;
mod numbers;
mod patch;
mod rules;
mod tests;
mod trend;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

pub use trend::trend_svg;

use self::escape::text;
use crate::check::CheckOutcome;
use crate::check::outcome::Status;
use crate::check::score::{Health, Score};
use crate::gate::{RuleVerdict, Verdict};
use crate::record::Record;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes into a string, which cannot fail.
macro_rules! put {
    ($out:expr, $($part:tt)*) => {{ let _ = write!($out, $($part)*); }};
}
use put;

/// A part of the page with a heading and an entry in the navigation.
struct Section {
    /// Its anchor.
    id: &'static str,
    /// Its heading.
    title: &'static str,
    /// A number or a few words beside the heading.
    note: String,
    /// How it went, where that can be said.
    tone: Tone,
    /// Its markup.
    body: String,
}

/// How something went. Shown by a colour, and always by a word or a sign too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Good,
    Bad,
    Warn,
    Doubt,
    Quiet,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Doubt => "doubt",
            Self::Quiet => "quiet",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✕",
            Self::Warn => "!",
            Self::Doubt => "?",
            Self::Quiet => "–",
        }
    }

    fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Good,
            Verdict::Fail => Self::Bad,
            Verdict::Inconclusive => Self::Doubt,
            Verdict::Interrupted => Self::Warn,
        }
    }

    fn of_rule(verdict: RuleVerdict) -> Self {
        match verdict {
            RuleVerdict::Pass => Self::Good,
            RuleVerdict::Warn => Self::Warn,
            RuleVerdict::Fail => Self::Bad,
            RuleVerdict::Inconclusive => Self::Doubt,
            RuleVerdict::NotApplicable | RuleVerdict::NotAsked => Self::Quiet,
        }
    }

    fn of_score(score: &Score) -> Self {
        match score.health() {
            Health::Healthy => Self::Good,
            Health::Warning => Self::Warn,
            Health::Unhealthy | Health::Critical => Self::Bad,
        }
    }

    fn of_check(check: &CheckOutcome) -> Self {
        match check.status {
            Status::Passed => Self::Good,
            Status::Failed | Status::TimedOut | Status::Error if check.is_excused() => Self::Warn,
            Status::Failed | Status::TimedOut => Self::Bad,
            Status::Error => Self::Doubt,
            Status::Skipped => Self::Quiet,
            Status::Interrupted => Self::Warn,
        }
    }
}

/// A sign and a word in a colour.
fn badge(tone: Tone, word: &str) -> String {
    format!(
        "<span class=\"badge {}\"><span aria-hidden=\"true\">{}</span> {}</span>",
        tone.class(),
        tone.sign(),
        text(word)
    )
}

/// Renders a record.
pub(super) fn render(record: &Record) -> String {
    page(record)
}

/// The page of a record.
#[must_use]
pub fn page(record: &Record) -> String {
    // A checkout may have turned line ends; the browser turns them back before it takes the hash.
    let (style, script) = (STYLE.replace("\r\n", "\n"), SCRIPT.replace("\r\n", "\n"));
    let sections: Vec<Section> = [
        rules::section(record),
        checks::section(record),
        checks::problems(record),
        tests::failed(record),
        tests::changes(record),
        patch::section(record),
        tests::all(record),
        coverage::section(record),
        numbers::trends(&record.trends),
        numbers::score(record),
        numbers::section(record),
        head::about(record),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut out = String::new();
    put!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n", policy(&style, &script));
    put!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    put!(
        out,
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
    );
    let name = text(&record.project.name);
    put!(
        out,
        "<title>{} {} {}: {name}</title>\n",
        Tone::of_verdict(record.verdict).sign(),
        record.verdict.word(),
        text(&record.command)
    );
    put!(out, "<link rel=\"icon\" href=\"data:,\">\n<style>{style}</style>\n</head>\n<body>\n");
    put!(out, "<a class=\"skip\" href=\"#main\">Skip to the report</a>\n");
    put!(out, "{}", head::header(record));
    put!(out, "<nav aria-label=\"Sections\"><ul>\n");
    for section in &sections {
        let note = if section.note.is_empty() { String::new() } else { format!(" <span>{}</span>", section.note) };
        put!(
            out,
            "<li class=\"{}\"><a href=\"#{}\">{}{note}</a></li>\n",
            section.tone.class(),
            section.id,
            section.title
        );
    }
    put!(out, "</ul></nav>\n<main id=\"main\" tabindex=\"-1\">\n{}", head::next(record));
    for section in &sections {
        let note = if section.note.is_empty() { String::new() } else { format!(" <small>{}</small>", section.note) };
        put!(out, "<section aria-labelledby=\"{}\">\n", section.id);
        put!(out, "<h2 id=\"{}\">{}{note}</h2>\n{}</section>\n", section.id, section.title, section.body);
    }
    put!(out, "</main>\n<script>{script}</script>\n</body>\n</html>\n");
    out
}

/// What the page may load and run: its own style and script, nothing else.
fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'",
        hash(style),
        hash(script)
    )
}

/// Rows behind a line that tells how many there are, if they are many; otherwise the rows themselves.
fn folded(rows: usize, few: usize, title: &str, body: &str) -> String {
    if rows <= few {
        return body.to_owned();
    }
    format!("<details class=\"fold\"><summary>{title}</summary>\n{body}</details>\n")
}

/// A table that scrolls sideways on its own where the window is narrow.
fn scrolling(label: &str, body: &str) -> String {
    format!("<div class=\"wide\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n{body}</div>\n")
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn small() -> Record {
        serde_json::from_str(include_str!("../../../tests/fixtures/records/small.json")).unwrap()
    }

    /// The page without its style and script, which are files of their own.
    fn markup(page: &str) -> String {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
        page.replace(STYLE, "[style]")
            .replace(SCRIPT, "[script]")
            .replace(&hash(STYLE), "[style]")
            .replace(&hash(SCRIPT), "[script]")
    }

    #[test]
    fn a_small_record_as_a_page() {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../../tests/fixtures/records");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("small.html", markup(&render(&small()))));
    }
}
