//! Changed lines, one row for each file, with the ranges to look at.

use super::escape::{cell_code, code, text};
use super::{fold, line};
use crate::evidence::coverage::LineSet;
use crate::gate::patch::PatchFile;
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
    let lost: u64 = patch.files.iter().map(|file| file.lost.len() + file.vanished).sum();
    let mut title = format!("Changed lines: {ran} of {} ran", ran + not_run);
    if lost > 0 {
        title.push_str(&format!(", {} lost", words::plural(lost, "line", "lines")));
    }
    let unmeasured = patch.unmeasured.len();
    if unmeasured > 0 {
        title.push_str(&format!(", {} not measured", words::plural(unmeasured as u64, "file", "files")));
    }
    fold(out, &title, not_run + lost > 0 || unmeasured > 0, |out| {
        let base = if patch.has_base { "" } else { " Without a baseline nothing is known of what ran before." };
        line(out, &format!("Changed since {}.{base}", text(&patch.between)));
        line(out, "");
        if unmeasured > 0 {
            let names: Vec<_> = patch.unmeasured.iter().take(FILES).map(|path| code(path)).collect();
            let more = if unmeasured > FILES { format!(" and {} more", unmeasured - FILES) } else { String::new() };
            line(out, &format!("Changed, and no coverage report mentions them: {}{more}.", names.join(", ")));
            line(out, "");
        }
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
                    lost_lines(file)
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
