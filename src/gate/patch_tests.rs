//! Tests of [`super`]: by example, and against a slow reference on random changes.

use proptest::prelude::*;

use super::*;
use crate::evidence::sink::Totals;
use crate::repo::diff::Hunk;

/// Coverage of one line: `None` cannot run.
type Line = Option<bool>;

fn file_of(lines: &[Line]) -> FileLines {
    let of = |ran: bool| {
        let lines = lines.iter().zip(1_u32..).filter(|(line, _)| **line == Some(ran)).map(|(_, number)| number);
        LineSet::ascending(lines)
    };
    let (covered, missed) = (of(true), of(false));
    let lines = Ratio { covered: covered.len(), total: covered.len() + missed.len() };
    FileLines { covered, missed, totals: Totals { lines, ..Totals::default() } }
}

fn text(set: &LineSet) -> String {
    set.to_string()
}

fn hold(head: &[(&str, FileLines)], diff: Vec<FileDiff>, base: Option<&[(&str, FileLines)]>, ignored: &str) -> Patch {
    let map = |files: &[(&str, FileLines)]| -> BTreeMap<String, FileLines> {
        files.iter().map(|(path, file)| ((*path).to_owned(), file.clone())).collect()
    };
    let (diff, base) = (Diff { files: diff }, base.map(map));
    let ignored = globset::GlobSetBuilder::new().add(globset::Glob::new(ignored).unwrap()).build().unwrap();
    let against = Against {
        between: "x",
        diff: &diff,
        base: base.as_ref().map(|base| (base, &diff)),
        ignored: &ignored,
        generated: &BTreeSet::from(["src/generated.py".to_owned()]),
    };
    patch(&map(head), &against)
}

fn change(old: Option<&str>, new: Option<&str>, hunks: &[(u32, u32, u32, u32)]) -> FileDiff {
    let hunks = hunks
        .iter()
        .map(|&(old_start, old_len, new_start, new_len)| Hunk { old_start, old_len, new_start, new_len })
        .collect();
    FileDiff { old: old.map(str::to_owned), new: new.map(str::to_owned), hunks, binary: false }
}

const RAN: Line = Some(true);
const NOT: Line = Some(false);

#[test]
fn three_kinds_of_line_are_kept_apart() {
    // Before: 1 ran, 2 did not, 3 ran, 4 ran. Lines 1 and 2 are replaced by three, line 4 is left alone.
    let base = [("src/a.py", file_of(&[RAN, NOT, RAN, RAN]))];
    let head = [("src/a.py", file_of(&[NOT, NOT, NOT, RAN, NOT]))];
    let diff = || vec![change(Some("src/a.py"), Some("src/a.py"), &[(1, 2, 1, 3)])];
    let held = hold(&head, diff(), Some(&base), "none");
    let file = &held.files[0];
    assert_eq!((text(&file.uncovered), text(&file.touched)), ("1,3".into(), "2".into()));
    assert_eq!(text(&file.lost), "1,5");
    let sums = held.sums(|_| true);
    assert_eq!((sums.lines, sums.touched, sums.lost), (Ratio { covered: 0, total: 2 }, 1, 2));
    // Without a baseline every open line is new, and nothing can be said to be lost.
    let held = hold(&head, diff(), None, "none");
    assert_eq!(text(&held.files[0].uncovered), "1-3");
    let names: Vec<_> = held.measures().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["coverage.patch.covered", "coverage.patch.total", "coverage.patch.percent"]);
}

#[test]
fn renamed_files_keep_their_past_and_removed_ones_lose_nothing() {
    let base = [("old.py", file_of(&[RAN, RAN])), ("gone.py", file_of(&[RAN])), ("quiet.py", file_of(&[RAN, NOT]))];
    let head = [("new.py", file_of(&[RAN, NOT]))];
    let diff = vec![change(Some("old.py"), Some("new.py"), &[]), change(Some("gone.py"), None, &[(1, 1, 1, 0)])];
    let held = hold(&head, diff, Some(&base), "none");
    let told: Vec<_> = held.files.iter().map(|file| (file.path.as_str(), text(&file.lost), file.vanished)).collect();
    // A file that is still there and that no report mentions any more has lost what ran in it.
    assert_eq!(told, [("new.py", "2".to_owned(), 0), ("quiet.py", String::new(), 1)]);
    assert_eq!(held.files[0].old_path.as_deref(), Some("old.py"));
}

#[test]
fn what_no_report_mentions_is_told_where_it_should_have_been_measured() {
    let head = [("src/a.py", file_of(&[RAN])), ("root.py", file_of(&[RAN]))];
    let new = |path: &str| change(None, Some(path), &[(1, 0, 1, 3)]);
    let paths = [
        "src/b.py",
        "src/deep/c.py",
        "setup.py",
        "src/tests/helper.py",
        "src/test_d.py",
        "app/new.py",
        "docs/conf.py",
        "web/page.ts",
        "src/style.css",
        "src/generated.py",
        "src/vendor/x.py",
        "README",
    ];
    let held = hold(&head, paths.iter().map(|path| new(path)).collect(), None, "src/vendor/**");
    assert_eq!(held.unmeasured, ["app/new.py", "src/b.py", "src/deep/c.py"]);
    // What reports do mention of these is expected of their like.
    let beside = [("docs/a.tsx", file_of(&[RAN])), ("e2e/b.js", file_of(&[RAN]))];
    let paths = ["docs/conf.ts", "e2e/c.mjs", "other/e2e/c.js", "src/a.ts", "src/a.d.ts", "vite.config.js"];
    let held = hold(&beside, paths.iter().map(|path| new(path)).collect(), None, "none");
    assert_eq!(held.unmeasured, ["docs/conf.ts", "e2e/c.mjs"]);
    // What the baseline measured is expected again, wherever it is, and under its new name.
    let base = [("lib/only.py", file_of(&[RAN])), ("tests/old.js", file_of(&[RAN]))];
    let changed = vec![
        change(Some("lib/only.py"), Some("lib/only.py"), &[(1, 1, 1, 1)]),
        change(Some("tests/old.js"), Some("tests/new.js"), &[(1, 1, 1, 1)]),
        change(Some("tests/same.js"), Some("tests/same.js"), &[(1, 1, 1, 1)]),
    ];
    let held = hold(&[("src/a.rs", file_of(&[RAN]))], changed, Some(&base), "none");
    assert_eq!(held.unmeasured, ["lib/only.py", "tests/new.js"]);
    // Only lines that were added can be uncovered.
    let removed = vec![change(Some("src/b.py"), Some("src/b.py"), &[(1, 2, 1, 0)])];
    assert_eq!(hold(&head, removed, None, "none").unmeasured, [""; 0]);
}

/// Steps of an edit: keep a line, drop one, add one; each with the coverage that its line has before and after.
fn script() -> impl Strategy<Value = Vec<(u8, Line, Line)>> {
    let line = prop::sample::select(vec![None, RAN, NOT]);
    prop::collection::vec((0_u8..3, line.clone(), line), 0..60)
}

proptest! {
    #[test]
    fn lines_are_sorted_as_by_hand(script in script()) {
        let (mut before, mut after): (Vec<Line>, Vec<Line>) = (Vec::new(), Vec::new());
        let mut hunks: Vec<(u32, u32, u32, u32)> = Vec::new();
        // By hand: each run of dropped and added lines is paired off in order.
        let (mut dropped, mut added): (Vec<Line>, Vec<(u32, Line)>) = (Vec::new(), Vec::new());
        let (mut covered, mut uncovered, mut touched, mut lost) = (vec![], vec![], vec![], vec![]);
        let mut settle = |dropped: &mut Vec<Line>, added: &mut Vec<(u32, Line)>| {
            for (at, (number, now)) in added.drain(..).enumerate() {
                let was = dropped.get(at).copied().flatten();
                match now {
                    RAN => covered.push(number),
                    NOT if was == NOT => touched.push(number),
                    NOT => uncovered.push(number),
                    _ => {}
                }
                if was == RAN && now == NOT {
                    lost.push(number);
                }
            }
            dropped.clear();
        };
        let mut kept_lost = Vec::new();
        for (step, was, now) in script {
            let (old, new) = (u32::try_from(before.len()).unwrap() + 1, u32::try_from(after.len()).unwrap() + 1);
            if step == 0 {
                settle(&mut dropped, &mut added);
                if was == RAN && now == NOT {
                    kept_lost.push(new);
                }
                before.push(was);
                after.push(now);
                continue;
            }
            if dropped.is_empty() && added.is_empty() {
                hunks.push((old, 0, new, 0));
            }
            let hunk = hunks.last_mut().unwrap();
            if step == 1 {
                hunk.1 += 1;
                dropped.push(was);
                before.push(was);
            } else {
                hunk.3 += 1;
                added.push((new, now));
                after.push(now);
            }
        }
        settle(&mut dropped, &mut added);
        lost.extend(kept_lost);
        lost.sort_unstable();
        let head = [("a.py", file_of(&after))];
        let held = hold(&head, vec![change(Some("a.py"), Some("a.py"), &hunks)], Some(&[("a.py", file_of(&before))]), "none");
        let file = held.files.first().cloned().unwrap_or_default();
        let set = |lines: Vec<u32>| text(&LineSet::ascending(lines));
        prop_assert_eq!(text(&file.covered), set(covered));
        prop_assert_eq!(text(&file.uncovered), set(uncovered));
        prop_assert_eq!(text(&file.touched), set(touched));
        prop_assert_eq!(text(&file.lost), set(lost));
    }
}
