//! The smallest thing that would make a rule hold, in words.

use std::collections::BTreeMap;

use super::judge::Facts;
use super::parts::Part;
use super::rule::{Limit, LimitKind, Rule};
use crate::evidence::coverage::LineSet;
use crate::evidence::metric::{self, Better};
use crate::evidence::sink::{Ratio, Totals};
use crate::sys::text;

/// Line ranges shown before the rest is counted.
const RANGES: usize = 12;
/// Names shown before the rest is counted.
const NAMES: usize = 3;

/// What would lift or lower a part's value to `needed`; `None` where nothing better than the limit itself can be said.
pub(super) fn smallest(rule: &Rule, limit: &Limit, part: &Part<'_>, needed: f64, facts: &Facts<'_>) -> Option<String> {
    let value = part.value.number()?;
    match rule.metric.as_str() {
        metric::PATCH_PERCENT | "coverage.patch.covered" => {
            let patch = facts.patch?;
            let wanted = |path: &str| part.files.as_ref().is_none_or(|files| files.contains(path));
            let ratio = patch.sums(wanted).lines;
            let files = patch.files.iter().filter(|file| wanted(&file.path));
            let open: Vec<_> = files.map(|file| (file.path.as_str(), &file.uncovered)).collect();
            cover(lines_needed(rule, ratio, needed), &open)
        }
        metric::LOST => {
            let patch = facts.patch?;
            let open: Vec<_> = patch.files.iter().map(|file| (file.path.as_str(), &file.lost)).collect();
            cover(whole(value - needed), &open)
        }
        "coverage.lines.percent" | "coverage.lines.covered" => {
            let chosen = facts
                .files
                .iter()
                .filter(|(path, _)| part.files.as_ref().is_none_or(|files| files.contains(path.as_str())));
            let sum = chosen.clone().fold(Totals::default(), |sum, (_, file)| sum + file.totals);
            let changed: BTreeMap<&str, &LineSet> = facts
                .patch
                .map(|patch| patch.files.iter().map(|file| (file.path.as_str(), &file.uncovered)).collect())
                .unwrap_or_default();
            // What the change itself left open comes first, then the files with most to win.
            let mut files: Vec<_> = chosen.map(|(path, file)| (path.as_str(), &file.missed)).collect();
            files.sort_by_key(|(path, missed)| (std::cmp::Reverse(missed.len()), *path));
            let first = files.iter().filter_map(|(path, _)| changed.get(path).map(|lines| (*path, *lines)));
            let rest = files.iter().filter(|(path, _)| changed.get(path).is_none_or(|lines| lines.is_empty()));
            let open: Vec<_> = first.chain(rest.copied()).collect();
            cover(lines_needed(rule, sum.lines, needed), &open)
        }
        name => {
            let falls = value > needed;
            let names = facts.names.get(name).filter(|names| falls && !names.is_empty());
            if let Some(names) = names {
                let count = whole(value - needed);
                let shown: Vec<_> =
                    names.iter().take(NAMES).map(|name| format!("`{}`", text::one_line(name))).collect();
                let more = names.len() - shown.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let of =
                    if count < names.len() as u64 { format!("{count} of {}: ", names.len()) } else { String::new() };
                return Some(format!("mend {of}{}{more}", shown.join(", ")));
            }
            if limit.kind == LimitKind::Equals || value == needed {
                return None;
            }
            let by = metric::unit(name).change((value - needed).abs());
            Some(format!("{} it by {by}", if falls { "lower" } else { "raise" }))
        }
    }
}

/// How many more lines must run.
fn lines_needed(rule: &Rule, ratio: Ratio, needed: f64) -> u64 {
    debug_assert_eq!(metric::better(&rule.metric), Better::Higher);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let (covered, total) = (ratio.covered as f64, ratio.total as f64);
    if rule.metric.ends_with(".percent") { whole(needed / 100.0 * total - covered) } else { whole(needed - covered) }
}

/// The least whole number that is not less; what rounding put a hair above one is that one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a count can be")]
fn whole(value: f64) -> u64 {
    (value - 1e-6).ceil().clamp(0.0, 1e15) as u64
}

/// `cover 7 of these 12 lines: src/a.py:10-14,31`.
fn cover(count: u64, open: &[(&str, &LineSet)]) -> Option<String> {
    let available: u64 = open.iter().map(|(_, lines)| lines.len()).sum();
    if count == 0 || count > available {
        return None;
    }
    let (mut shown, mut places, mut ranges) = (0, Vec::new(), 0);
    for (path, lines) in open.iter().filter(|(_, lines)| !lines.is_empty()) {
        if shown >= count || ranges >= RANGES {
            break;
        }
        let mut part = LineSet::default();
        for (first, last) in lines.ranges() {
            if shown >= count || ranges >= RANGES {
                break;
            }
            ranges += 1;
            shown += u64::from(last - first) + 1;
            part.extend(&LineSet::ascending(first..=last));
        }
        places.push(format!("{}:{part}", text::one_line(path)));
    }
    let places = places.join(", ");
    Some(match (shown, count) {
        (1, 1) => format!("cover line {places}"),
        (shown, count) if shown == count => format!("cover these {count} lines: {places}"),
        (shown, count) if shown > count => format!("cover {count} of these {shown} lines: {places}"),
        (shown, count) => format!("cover {count} lines; the first {shown}: {places}"),
    })
}
