//! Changed lines: a row for each file, then its source with what became of each line.
//!
//! What became of a line is a word beside it; its colour only repeats that.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::escape::{anchor, source, text};
use super::{Section, Tone, put, scrolling};
use crate::evidence::coverage::{FileLines, LineSet};
use crate::gate::patch::{Patch, PatchFile};
use crate::record::Record;
use crate::sys::text as words;

/// Files listed.
const FILES: usize = 1_000;
/// Line ranges listed of one kind of one file.
const RANGES: usize = 30;
/// Lines of source in the whole page.
const LINES: usize = 20_000;

/// The section; nothing where nothing was compared.
pub(super) fn section(record: &Record) -> Option<Section> {
    let patch = record.patch.as_ref()?;
    let sum = |of: fn(&PatchFile) -> &LineSet| patch.files.iter().map(|file| of(file).len()).sum::<u64>();
    let (covered, uncovered) = (sum(|file| &file.covered), sum(|file| &file.uncovered));
    let touched = sum(|file| &file.touched);
    let lost: u64 = patch.files.iter().map(|file| file.lost.len() + file.vanished).sum();
    let mut out = format!("<p class=\"quiet\">Changed since {}</p>\n", text(&patch.between));
    if !patch.has_base {
        put!(out, "<p class=\"quiet\">Without a baseline nothing is known of what ran before.</p>\n");
    }
    unmeasured(&mut out, patch);
    if patch.files.is_empty() {
        put!(out, "<p>No changed line is one that coverage can tell anything about.</p>\n");
    } else {
        put!(out, "{}", table(patch));
        put!(out, "{LEGEND}");
        let mut left = LINES;
        for file in patch.files.iter().take(FILES) {
            annotated(&mut out, file, record.lines.get(&file.path), &mut left);
        }
    }
    let tone = if !patch.unmeasured.is_empty() {
        Tone::Doubt
    } else if uncovered > 0 || lost > 0 {
        Tone::Warn
    } else {
        Tone::Quiet
    };
    let note = match touched {
        0 => format!("{covered} of {} ran", covered + uncovered),
        _ => format!("{covered} of {} ran, {touched} still not run", covered + uncovered),
    };
    Some(Section { id: "changed", title: "Changed lines", note, tone, body: out })
}

/// Changed files that no report mentions: nobody knows what became of their lines.
fn unmeasured(out: &mut String, patch: &Patch) {
    if patch.unmeasured.is_empty() {
        return;
    }
    let count = words::plural(patch.unmeasured.len() as u64, "changed file", "changed files");
    put!(out, "<p>{count} that no coverage report mentions:</p>\n<ul class=\"plain\">\n");
    for path in patch.unmeasured.iter().take(FILES) {
        put!(out, "<li><code>{}</code></li>\n", text(path));
    }
    put!(out, "</ul>\n");
    if patch.unmeasured.len() > FILES {
        let rest = patch.unmeasured.len() - FILES;
        put!(out, "<p class=\"quiet\">… and {rest} more in the record of this run.</p>\n");
    }
}

const LEGEND: &str = "<dl class=\"legend\">\n\
    <div class=\"good\"><dt>ran</dt><dd>the line ran</dd></div>\n\
    <div class=\"bad\"><dt>not run</dt><dd>a changed line that no test runs</dd></div>\n\
    <div class=\"warn\"><dt>still not run</dt><dd>changed, and not run before either</dd></div>\n\
    <div class=\"doubt\"><dt>lost</dt><dd>ran in the baseline and no more</dd></div>\n\
    </dl>\n";

fn table(patch: &Patch) -> String {
    let mut out = String::from(
        "<table><thead><tr><th scope=\"col\">File</th><th scope=\"col\" class=\"n\">Ran</th><th scope=\"col\">Not run</th><th scope=\"col\">Still not run</th><th scope=\"col\">Lost</th></tr></thead><tbody>\n",
    );
    for file in patch.files.iter().take(FILES) {
        let shown: HashSet<u32> = file.source.iter().map(|line| line.number).collect();
        put!(out, "<tr><th scope=\"row\"><a href=\"#P-{}\"><code>{}</code></a>", anchor(&file.path), text(&file.path));
        if let Some(old) = &file.old_path {
            put!(out, "<p class=\"quiet\">was <code>{}</code></p>", text(old));
        }
        put!(out, "</th><td class=\"n\">{}</td>", file.covered.len());
        for lines in [&file.uncovered, &file.touched] {
            put!(out, "<td>{}</td>", ranges(&file.path, lines, &shown));
        }
        let lost = ranges(&file.path, &file.lost, &shown);
        match file.vanished {
            0 => put!(out, "<td>{lost}</td>"),
            vanished => {
                let lines = words::plural(vanished, "line", "lines");
                let also = if file.lost.is_empty() { String::new() } else { format!("{lost}, ") };
                put!(out, "<td>{also}{lines} that no report mentions now</td>");
            }
        }
        put!(out, "</tr>\n");
    }
    put!(out, "</tbody></table>\n");
    let mut out = scrolling("Changed files", &out);
    if patch.files.len() > FILES {
        put!(out, "<p class=\"quiet\">… and {} more files in the record of this run.</p>\n", patch.files.len() - FILES);
    }
    out
}

/// `56-60, 71`, each a link to its first line where the page has it.
fn ranges(path: &str, lines: &LineSet, shown: &HashSet<u32>) -> String {
    if lines.is_empty() {
        return "–".to_owned();
    }
    let all = lines.ranges();
    let mut out: Vec<_> = all
        .iter()
        .take(RANGES)
        .map(|(first, last)| {
            let words = if first == last { first.to_string() } else { format!("{first}-{last}") };
            match shown.contains(first) {
                true => format!("<a href=\"#L-{}-{first}\">{words}</a>", anchor(path)),
                false => words,
            }
        })
        .collect();
    if all.len() > RANGES {
        out.push(format!("{} more", words::plural((all.len() - RANGES) as u64, "range", "ranges")));
    }
    out.join(", ")
}

fn annotated(out: &mut String, file: &PatchFile, lines: Option<&FileLines>, left: &mut usize) {
    let path = anchor(&file.path);
    put!(out, "<details id=\"P-{path}\" class=\"source\"><summary><code class=\"name\">{}</code>", text(&file.path));
    let parts =
        [(&file.covered, "ran"), (&file.uncovered, "not run"), (&file.touched, "still not run"), (&file.lost, "lost")];
    let told: Vec<_> =
        parts.iter().filter(|(set, _)| !set.is_empty()).map(|(set, word)| format!("{} {word}", set.len())).collect();
    put!(out, " <span class=\"quiet\">{}</span></summary>\n", told.join(", "));
    if file.source.is_empty() {
        put!(out, "<p class=\"quiet\">Its source is not in the record of this run.</p>\n</details>\n");
        return;
    }
    let shown = &file.source[..file.source.len().min(*left)];
    *left -= shown.len();
    put!(
        out,
        "<div class=\"code\" role=\"region\" aria-label=\"Source of {}\" tabindex=\"0\"><table><tbody>\n",
        text(&file.path)
    );
    let mut before = None;
    for line in shown {
        if before.is_some_and(|before: u32| before.checked_add(1) != Some(line.number)) {
            put!(out, "<tr class=\"gap\"><td colspan=\"4\">⋯</td></tr>\n");
        }
        before = Some(line.number);
        let (tone, word) = state(file, lines, line.number);
        let (mark, what) = if line.changed { ("+", " changed") } else { ("", "") };
        put!(
            out,
            "<tr id=\"L-{path}-{}\" class=\"{}{what}\"><td class=\"n\">{}</td>",
            line.number,
            tone.class(),
            line.number
        );
        put!(out, "<td>{mark}</td><td>{word}</td><td><code>{}</code></td></tr>\n", source(&line.text));
    }
    put!(out, "</tbody></table></div>\n");
    if file.source_left_out > 0 {
        let lines = words::plural(file.source_left_out, "line", "lines");
        put!(out, "<p class=\"quiet\">… and {lines} more, in the file itself.</p>\n");
    }
    if shown.len() < file.source.len() {
        put!(
            out,
            "<p class=\"quiet\">… and {} more lines in the record of this run: this page is full.</p>\n",
            file.source.len() - shown.len()
        );
    }
    put!(out, "</details>\n");
}

/// What became of a line. The patch tells of changed lines, coverage of those around them.
fn state(file: &PatchFile, lines: Option<&FileLines>, number: u32) -> (Tone, &'static str) {
    if file.lost.contains(number) {
        (Tone::Doubt, "lost")
    } else if file.uncovered.contains(number) {
        (Tone::Bad, "not run")
    } else if file.touched.contains(number) {
        (Tone::Warn, "still not run")
    } else if file.covered.contains(number) || lines.is_some_and(|lines| lines.covered.contains(number)) {
        (Tone::Good, "ran")
    } else if lines.is_some_and(|lines| lines.missed.contains(number)) {
        (Tone::Warn, "not run")
    } else {
        (Tone::Quiet, "")
    }
}
