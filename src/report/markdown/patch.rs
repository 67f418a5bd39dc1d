//! Changed lines, one row for each file, with the ranges to look at.

use super::escape::{cell_code, text};
use super::{fold, line};
use crate::evidence::coverage::LineSet;
use crate::record::Record;
use crate::sys::text as words;

/// Files listed.
const FILES: usize = 50;
/// Ranges listed of one kind of one file.
const RANGES: usize = 12;

/// The section; nothing where nothing was compared.
pub(super) fn section(out: &mut String, record: &Record) {
    let Some(patch) = &record.patch else { return };
    let ran: u64 = patch.files.iter().map(|file| file.covered.len()).sum();
    let not_run: u64 = patch.files.iter().map(|file| file.uncovered.len() + file.touched.len()).sum();
    let lost: u64 = patch.files.iter().map(|file| file.lost.len()).sum();
    let mut title = format!("Changed lines: {ran} of {} ran", ran + not_run);
    if lost > 0 {
        title.push_str(&format!(", {} lost", words::plural(lost, "line", "lines")));
    }
    fold(out, &title, not_run + lost > 0, |out| {
        line(out, &format!("{}.", words::capitalised(&text(&patch.between))));
        line(out, "");
        if patch.files.is_empty() {
            line(out, "No changed line is one that coverage can tell anything about.");
            return;
        }
        line(out, "| file | ran | not run | still not run | lost |");
        line(out, "|---|---:|---|---|---|");
        // Those with something to do first.
        let mut files: Vec<_> = patch.files.iter().collect();
        files.sort_by_key(|file| std::cmp::Reverse((file.uncovered.len(), file.lost.len(), file.touched.len())));
        for file in files.iter().take(FILES) {
            let old = file.old_path.as_deref().map(|old| format!(" (was {})", cell_code(old))).unwrap_or_default();
            line(
                out,
                &format!(
                    "| {}{old} | {} | {} | {} | {} |",
                    cell_code(&file.path),
                    file.covered.len(),
                    ranges(&file.uncovered),
                    ranges(&file.touched),
                    ranges(&file.lost)
                ),
            );
        }
        line(out, "");
        if files.len() > FILES {
            line(out, &format!("… and {} more files; the record of this run has them all.", files.len() - FILES));
            line(out, "");
        }
        line(
            out,
            "*Not run*: changed lines that no test runs. *Still not run*: changed, and not run before either. \
             *Lost*: ran in the baseline and no more.",
        );
    });
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
