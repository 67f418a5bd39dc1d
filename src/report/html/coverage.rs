//! Coverage as a tree: folders with the sums of what is below them, files with the lines that did not run.
//!
//! It is plain markup, most missed lines first, so that it also works without the script, in a search and in print.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::escape::{anchor, text};
use super::{Section, Tone, put};
use crate::evidence::coverage::FileLines;
use crate::evidence::metric::Unit;
use crate::evidence::sink::{Ratio, Totals};
use crate::record::Record;
use crate::sys::text as words;

/// Files listed, those with most missed lines; all count in the sums.
const FILES: usize = 10_000;
/// Folders inside folders; what is deeper stands with its whole path.
const DEPTH: usize = 24;
/// Line ranges listed of a file.
const RANGES: usize = 12;

#[derive(Default)]
struct Folder<'a> {
    totals: Totals,
    folders: BTreeMap<&'a str, Folder<'a>>,
    files: Vec<(&'a str, &'a str, &'a FileLines)>,
    left_out: u64,
}

impl<'a> Folder<'a> {
    fn add(&mut self, rest: &'a str, path: &'a str, lines: &'a FileLines, depth: usize, listed: bool) {
        self.totals = self.totals + lines.totals;
        // A path from the root begins with its slash: that is a part of the first folder's name.
        let at = rest.char_indices().skip(1).find(|(_, ch)| *ch == '/').map(|(at, _)| at);
        match at.filter(|_| depth < DEPTH) {
            Some(at) => {
                self.folders.entry(&rest[..at]).or_default().add(&rest[at + 1..], path, lines, depth + 1, listed)
            }
            None if listed => self.files.push((rest, path, lines)),
            None => self.left_out += 1,
        }
    }
}

fn missed(ratio: Ratio) -> u64 {
    ratio.total.saturating_sub(ratio.covered)
}

/// The section; nothing where no coverage was read.
pub(super) fn section(record: &Record) -> Option<Section> {
    if record.lines.is_empty() {
        return None;
    }
    let mut most: Vec<_> = record.lines.iter().collect();
    if most.len() > FILES {
        most.sort_by_key(|(_, lines)| std::cmp::Reverse(missed(lines.totals.lines)));
    }
    let mut root = Folder::default();
    for (at, (path, lines)) in most.iter().enumerate() {
        root.add(path, path, lines, 0, at < FILES);
    }
    let changed = record.patch.iter().flat_map(|patch| &patch.files).map(|file| file.path.as_str()).collect();
    let tree = Tree { branches: root.totals.branches.total > 0, changed };
    let mut out =
        String::from("<div class=\"filter js\" role=\"search\">\n<label for=\"file-filter\">Filter files</label> ");
    put!(
        out,
        "<input type=\"search\" id=\"file-filter\" placeholder=\"words of a path\" autocomplete=\"off\" spellcheck=\"false\">\n"
    );
    put!(out, "<div role=\"group\" aria-label=\"Order\">");
    for (key, title) in [("missed", "Most missed"), ("percent", "Least covered"), ("name", "By name")] {
        put!(out, "<button type=\"button\" data-order=\"{key}\" aria-pressed=\"{}\">{title}</button>", key == "missed");
    }
    put!(out, "</div>\n</div>\n<p id=\"file-count\" class=\"quiet js\" role=\"status\"></p>\n");
    put!(out, "<div class=\"tree{}\" id=\"file-tree\">\n", if tree.branches { " branches" } else { "" });
    put!(
        out,
        "<div class=\"row head\" aria-hidden=\"true\"><span>File</span><span></span><span>Lines</span><span>Covered</span><span>Missed</span>"
    );
    if tree.branches {
        put!(out, "<span>Branches</span>");
    }
    put!(out, "</div>\n");
    inside(&mut out, &root, &tree, 0);
    put!(out, "</div>\n");
    if record.lines.len() > FILES {
        let rest = record.lines.len() - FILES;
        put!(
            out,
            "<p class=\"quiet\">The {FILES} files with most missed lines are listed; {rest} more count in the sums, and the record of this run has them.</p>\n"
        );
    }
    let note = percent(root.totals.lines).unwrap_or_else(|| "no executable line".to_owned());
    Some(Section { id: "coverage", title: "Coverage", note, tone: Tone::Quiet, body: out })
}

enum Entry<'a, 'f> {
    Folder(String, &'f Folder<'a>),
    File(&'a str, &'a str, &'a FileLines),
}

/// What all rows of the tree need to know.
struct Tree<'a> {
    /// Whether there is a column for branches.
    branches: bool,
    /// The files whose source is in the page.
    changed: HashSet<&'a str>,
}

fn inside(out: &mut String, folder: &Folder<'_>, tree: &Tree<'_>, depth: usize) {
    let folders = folder.folders.iter().map(|(name, inner)| {
        // A folder that holds one folder and nothing else stands on one line with it.
        let (mut name, mut inner) = ((*name).to_owned(), inner);
        while let (true, 1, 0, Some((next, only))) =
            (inner.files.is_empty(), inner.folders.len(), inner.left_out, inner.folders.first_key_value())
        {
            name = format!("{name}/{next}");
            inner = only;
        }
        Entry::Folder(name, inner)
    });
    let files = folder.files.iter().map(|(name, path, lines)| Entry::File(name, path, lines));
    let mut entries: Vec<_> = folders.chain(files).collect();
    let key = |entry: &Entry<'_, '_>| match entry {
        Entry::Folder(name, inner) => (std::cmp::Reverse(missed(inner.totals.lines)), name.clone()),
        Entry::File(name, _, lines) => (std::cmp::Reverse(missed(lines.totals.lines)), (*name).to_owned()),
    };
    entries.sort_by_cached_key(key);
    put!(out, "<ul>\n");
    for entry in entries {
        match entry {
            Entry::Folder(name, inner) => {
                let open = if depth == 0 && folder.folders.len() == 1 { " open" } else { "" };
                put!(out, "<li data-missed=\"{}\"><details{open}><summary class=\"row\">", missed(inner.totals.lines));
                put!(out, "<span class=\"name\">{}/</span>", text(&name));
                cells(out, inner.totals, tree.branches);
                put!(out, "</summary>\n");
                inside(out, inner, tree, depth + 1);
                put!(out, "</details></li>\n");
            }
            Entry::File(name, path, lines) => file(out, name, path, lines, tree),
        }
    }
    if folder.left_out > 0 {
        let told = words::plural(folder.left_out, "file", "files");
        put!(out, "<li class=\"quiet\">… {told} more that are not listed</li>\n");
    }
    put!(out, "</ul>\n");
}

fn file(out: &mut String, name: &str, path: &str, lines: &FileLines, tree: &Tree<'_>) {
    put!(out, "<li data-missed=\"{}\"><div class=\"row\" id=\"F-{}\">", missed(lines.totals.lines), anchor(path));
    match tree.changed.contains(path) {
        true => put!(out, "<span class=\"name\"><a href=\"#P-{}\">{}</a></span>", anchor(path), text(name)),
        false => put!(out, "<span class=\"name\">{}</span>", text(name)),
    }
    cells(out, lines.totals, tree.branches);
    if !lines.missed.is_empty() {
        let all = lines.missed.ranges();
        let mut told: Vec<_> = all
            .iter()
            .take(RANGES)
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        if all.len() > RANGES {
            told.push(format!("and {} more", words::plural((all.len() - RANGES) as u64, "range", "ranges")));
        }
        put!(out, "<span class=\"lines\">{}</span>", told.join(", "));
    }
    put!(out, "</div></li>\n");
}

fn cells(out: &mut String, totals: Totals, with_branches: bool) {
    let lines = totals.lines;
    match percent(lines) {
        None => put!(out, "<span></span><span>–</span><span>–</span><span>–</span>"),
        Some(percent) => {
            // Drawn, so that no style stands in the markup; rounded down, so that only what is whole looks whole.
            let width = lines.covered.min(lines.total) * 100 / lines.total.max(1);
            put!(
                out,
                "<svg viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path d=\"M0 0h{width}v1H0\"/></svg>"
            );
            put!(
                out,
                "<span>{percent}</span><span>{} / {}</span><span>{}</span>",
                lines.covered,
                lines.total,
                missed(lines)
            );
        }
    }
    if with_branches {
        put!(out, "<span>{}</span>", percent(totals.branches).unwrap_or_else(|| "–".to_owned()));
    }
}

/// A share with enough decimals to tell it from all; `None` where there is nothing to cover.
fn percent(ratio: Ratio) -> Option<String> {
    Some(Unit::Percent.beside(ratio.percent()?, 100.0))
}
