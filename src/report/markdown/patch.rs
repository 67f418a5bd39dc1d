//! Changed lines, one row for each file, with the ranges to look at.

use super::document::{Block, Document, Kind, Piece, Rest};
use super::escape::Pen;
use super::fold;
use crate::evidence::coverage::LineSet;
use crate::gate::patch::PatchFile;
use crate::record::Record;
use crate::sys::text as words;

/// Files listed.
const FILES: usize = 50;
/// Ranges listed of one kind of one file.
const RANGES: usize = 12;

/// The section; nothing where nothing was compared.
pub(super) fn section(document: &mut Document, record: &Record, pen: &Pen) {
    let Some(patch) = &record.patch else { return };
    let ran: u64 = patch.files.iter().map(|file| file.covered.len()).sum();
    let not_run: u64 = patch.files.iter().map(|file| file.uncovered.len()).sum();
    let touched: u64 = patch.files.iter().map(|file| file.touched.len()).sum();
    let lost: u64 = patch.files.iter().map(|file| file.lost.len() + file.vanished).sum();
    let unmeasured = patch.unmeasured.len();
    // The first two are what the percentage is made of.
    let ran_of = (ran + not_run > 0 || touched + lost + unmeasured as u64 == 0)
        .then(|| format!("{ran} of {} ran", ran + not_run));
    let lines =
        |count: u64, what: &str| (count > 0).then(|| format!("{} {what}", words::plural(count, "line", "lines")));
    let files = (unmeasured > 0).then(|| format!("{} not measured", words::plural(unmeasured as u64, "file", "files")));
    let told = [ran_of, lines(touched, "still not run"), lines(lost, "lost"), files];
    let title = format!("Changed lines: {}", told.into_iter().flatten().collect::<Vec<_>>().join(", "));
    let (head, foot) = fold(pen, &title, not_run + touched + lost > 0 || unmeasured > 0);
    let base = if patch.has_base { "" } else { " Without a baseline nothing is known of what ran before." };
    let mut open = format!("{head}Changed since {}.{base}\n\n", pen.text(&patch.between));
    if unmeasured > 0 {
        let most = Pen { names: pen.names.min(FILES), ..*pen };
        let names = most.enumeration(patch.unmeasured.iter().map(String::as_str));
        open.push_str(&format!("Changed, and no coverage report mentions them: {names}.\n\n"));
    }
    if patch.files.is_empty() {
        let told = "No changed line is one that coverage can tell anything about.\n";
        let kind = if unmeasured > 0 { Kind::OpenFile } else { Kind::CoveredFile };
        document.push(Block::single(kind, format!("{open}{told}{foot}")));
        return;
    }
    open.push_str("| file | ran | not run | still not run | lost |\n|---|---:|---|---|---|\n");
    let legend = "\n*Not run*: changed lines that no test runs. *Still not run*: changed, and not run before either. \
                  *Lost*: ran in the baseline and no more.\n";
    let mut block = Block::new(open, Rest::Paragraph, format!("{legend}{foot}"));
    // Those with something to do first.
    let mut files: Vec<_> = patch.files.iter().collect();
    files.sort_by_key(|file| std::cmp::Reverse((file.uncovered.len(), file.lost.len(), file.touched.len())));
    for (at, file) in files.into_iter().enumerate() {
        let is_covered = file.uncovered.is_empty() && file.sums().lost == 0 && file.touched.is_empty();
        let kind = if is_covered { Kind::CoveredFile } else { Kind::OpenFile };
        match at < FILES {
            true => block.row(Piece::new(kind, row(file, pen))),
            false => block.more(kind, 1),
        }
    }
    document.push(block);
}

fn row(file: &PatchFile, pen: &Pen) -> String {
    let old = file.old_path.as_deref().map(|old| format!(" (was {})", pen.cell_code(old))).unwrap_or_default();
    format!(
        "| {}{old} | {} | {} | {} | {} |\n",
        pen.cell_code(&file.path),
        file.covered.len(),
        ranges(&file.uncovered),
        ranges(&file.touched),
        lost_lines(file)
    )
}

fn lost_lines(file: &PatchFile) -> String {
    let lost = ranges(&file.lost);
    if file.vanished == 0 {
        return lost;
    }
    let vanished = format!("{} that no report mentions now", words::plural(file.vanished, "line", "lines"));
    if lost.is_empty() { vanished } else { format!("{lost}, {vanished}") }
}

fn ranges(lines: &LineSet) -> String {
    let all = lines.ranges();
    let mut told: Vec<_> = all
        .iter()
        .take(RANGES)
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    if all.len() > RANGES {
        told.push(format!("and {} more", words::plural((all.len() - RANGES) as u64, "range", "ranges")));
    }
    told.join(", ")
}
