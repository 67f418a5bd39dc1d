//! The smallest thing that would make a rule hold, in words.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::parts::Part;
use super::patch::PatchFile;
use super::rule::{Limit, LimitKind, Rule};
use crate::evidence::coverage::LineSet;
use crate::evidence::metric::{self, Better, Unit};
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
            let ratio = in_part(part, facts).map(|file| file.sums().lines).fold(Ratio::default(), |sum, one| sum + one);
            let open: Vec<_> = in_part(part, facts).map(|file| (file.path.as_str(), &file.uncovered)).collect();
            cover(lines_needed(rule, ratio, needed), &open)
        }
        metric::LOST => {
            let files = || in_part(part, facts);
            let open: Vec<_> = files().map(|file| (file.path.as_str(), &file.lost)).collect();
            cover(whole(value - needed), &open).or_else(|| {
                let gone =
                    files().filter(|file| file.vanished > 0).map(|file| format!("`{}`", text::one_line(&file.path)));
                first_of(gone.collect(), NAMES).map(|gone| format!("measure {gone} again: no report mentions it"))
            })
        }
        metric::TOUCHED => {
            let open: Vec<_> = in_part(part, facts).map(|file| (file.path.as_str(), &file.touched)).collect();
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
            let count = lines_needed(rule, sum.lines, needed);
            let new: Vec<_> = files
                .iter()
                .filter_map(|(path, missed)| Some((*path, missed.and(changed.get(path)?))))
                .filter(|(_, lines)| !lines.is_empty())
                .collect();
            if new.iter().map(|(_, lines)| lines.len()).sum::<u64>() >= count {
                return cover(count, &new.iter().map(|(path, lines)| (*path, lines)).collect::<Vec<_>>());
            }
            // Stable: among changed and unchanged ones the order stays.
            files.sort_by_key(|(path, _)| !new.iter().any(|(changed, _)| changed == path));
            cover(count, &files)
        }
        name => {
            let falls = value > needed;
            let names = facts.names.get(name).filter(|names| falls && !names.is_empty());
            if let Some(names) = names {
                let count = whole(value - needed);
                let of =
                    if count < names.len() as u64 { format!("{count} of {}: ", names.len()) } else { String::new() };
                let quoted = names.iter().map(|name| format!("`{}`", text::one_line(name))).collect();
                return first_of(quoted, NAMES).map(|names| format!("{} {of}{names}", remedy(name)));
            }
            if limit.kind == LimitKind::Equals || value == needed {
                return None;
            }
            let unit = metric::unit(name);
            let by = (value - needed).abs();
            // Half a test is none.
            let by = unit.change(if unit == Unit::Count { (by - 1e-6).ceil() } else { by });
            Some(format!("{} it by {by}", if falls { "lower" } else { "raise" }))
        }
    }
}

/// The changed files of a part.
fn in_part<'f>(part: &Part<'_>, facts: &Facts<'f>) -> impl Iterator<Item = &'f PatchFile> {
    let wanted = |path: &str| part.files.as_ref().is_none_or(|files| files.contains(path));
    facts.patch.into_iter().flat_map(|patch| &patch.files).filter(move |file| wanted(&file.path))
}

/// What to do with the tests that a metric counts.
fn remedy(name: &str) -> &'static str {
    match name {
        "tests.disappeared" => "bring back",
        "tests.newly_skipped" | "tests.skipped" => "run again",
        "tests.newly_slow" => "speed up",
        _ => "mend",
    }
}

/// The first names, and how many more there are; `None` of nothing.
fn first_of(names: Vec<String>, most: usize) -> Option<String> {
    let more = names.len().saturating_sub(most);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("{}{more}", names[..names.len().min(most)].join(", ")))
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

#[cfg(test)]
mod tests {
    use super::super::facts::Unknown;
    use super::super::patch::Patch;
    use super::super::rule::{MIN_LINES, NoBase, WhenMissing};
    use super::super::scope::{Components, Scope};
    use super::*;
    use crate::evidence::coverage::FileLines;
    use crate::evidence::measure::Measurements;

    /// What is said where `value` has to come to `needed`; the part is `files`, or everything.
    fn advice(metric: &str, (value, needed): (f64, f64), files: Option<&[&'static str]>) -> Option<String> {
        let lines = |lines: &str| lines.parse::<LineSet>().unwrap();
        let file = |path: &str, uncovered: &str, touched: &str, lost: &str, vanished: u64| PatchFile {
            path: path.into(),
            covered: lines("1-2"),
            uncovered: lines(uncovered),
            touched: lines(touched),
            lost: lines(lost),
            vanished,
            ..PatchFile::default()
        };
        let patch = Patch {
            files: vec![file("a.py", "5", "6", "7", 0), file("b.py", "", "", "3-4", 0), file("c.py", "", "", "", 9)],
            ..Patch::default()
        };
        let missed = |missed: &str, covered| FileLines {
            missed: lines(missed),
            totals: Totals { lines: Ratio { covered, total: 10 }, ..Totals::default() },
            ..FileLines::default()
        };
        let known = BTreeMap::from([("a.py".into(), missed("5-8", 6)), ("b.py".into(), missed("3-4", 8))]);
        let names = ["tests.failed", "tests.disappeared", "tests.newly_skipped", "tests.newly_slow"];
        let tests = || ["t::a", "t::b", "t::c", "t::d"].map(str::to_owned).to_vec();
        let limit = Limit { kind: LimitKind::Min, bound: needed, relative: false, text: text::number(needed) };
        let rule = Rule {
            metric: metric.into(),
            limits: vec![limit],
            when_missing: WhenMissing::Inconclusive,
            scope: Scope::Project,
            no_base: NoBase::Warn,
            better: metric::better(metric),
            min_lines: MIN_LINES,
        };
        let part = Part {
            name: None,
            files: files.map(|files| files.iter().copied().collect()),
            value: super::super::parts::Value::Number(value),
            missing: None,
            note: None,
            source: None,
            base: None,
            is_new: false,
            lines: 0,
            unmeasured: Vec::new(),
        };
        let facts = Facts {
            measurements: &Measurements::default(),
            files: &known,
            patch: Some(&patch),
            is_first: false,
            base: None,
            unknown: Unknown::default(),
            best: &[],
            components: &Components::default(),
            excused: &BTreeMap::new(),
            names: &names.into_iter().map(|name| (name.to_owned(), tests())).collect(),
        };
        smallest(&rule, &rule.limits[0], &part, needed, &facts)
    }

    #[test]
    fn lines_of_other_parts_are_not_named() {
        let of = |metric, pair, files| advice(metric, pair, files).unwrap();
        assert_eq!(of(metric::LOST, (3.0, 0.0), None), "cover these 3 lines: a.py:7, b.py:3-4");
        assert_eq!(of(metric::LOST, (1.0, 0.0), Some(&["a.py"])), "cover line a.py:7");
        assert_eq!(of(metric::LOST, (9.0, 0.0), Some(&["c.py"])), "measure `c.py` again: no report mentions it");
        assert_eq!(of(metric::TOUCHED, (1.0, 0.0), None), "cover line a.py:6");
        assert_eq!(of(metric::PATCH_PERCENT, (66.0, 100.0), Some(&["a.py"])), "cover line a.py:5");
        assert_eq!(of("coverage.lines.percent", (80.0, 90.0), Some(&["b.py"])), "cover 1 of these 2 lines: b.py:3-4");
    }

    #[test]
    fn new_lines_come_first_and_old_ones_where_they_do_not_suffice() {
        let of = |needed| advice("coverage.lines.percent", (70.0, needed), None).unwrap();
        assert_eq!(of(75.0), "cover line a.py:5");
        assert_eq!(of(85.0), "cover 3 of these 4 lines: a.py:5-8");
        assert_eq!(of(100.0), "cover these 6 lines: a.py:5-8, b.py:3-4");
    }

    #[test]
    fn tests_are_mended_brought_back_run_or_sped_up() {
        let of = |metric, needed| advice(metric, (4.0, needed), None).unwrap();
        assert_eq!(of("tests.failed", 0.0), "mend `t::a`, `t::b`, `t::c` and 1 more");
        assert_eq!(of("tests.disappeared", 2.0), "bring back 2 of 4: `t::a`, `t::b`, `t::c` and 1 more");
        assert_eq!(of("tests.newly_skipped", 3.0), "run again 1 of 4: `t::a`, `t::b`, `t::c` and 1 more");
        assert_eq!(of("tests.newly_slow", 3.0), "speed up 1 of 4: `t::a`, `t::b`, `t::c` and 1 more");
        assert_eq!(of("tests.passed", 4.94), "raise it by 1");
        assert_eq!(of("metrics.f1", 4.5), "raise it by 0.5");
    }
}
