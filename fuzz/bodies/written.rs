//! What `convert` writes says the same when it is read again.

use std::collections::BTreeMap;

use mgmt_action::evidence::coverage::File;
use mgmt_action::evidence::sink::Ratio;
use mgmt_action::evidence::tests::{Identity, Test};
use mgmt_action::evidence::{self, Evidence};
use mgmt_action::report::convert::WRITERS;

use super::{Limits, WIDE, is_lossless, read};

/// A name that was cut is a little longer than the bound, and must not be cut again.
const WIDER: Limits = Limits { name_bytes: 2 * WIDE.name_bytes, entries: 2 * WIDE.entries, ..WIDE };

pub(super) fn check(told: &Evidence) {
    for writer in WRITERS {
        let text = (writer.write)(told);
        match writer.name {
            "lcov" | "cobertura" => coverage(told, writer.name, &text),
            "junit" => tests(told, &text),
            "json" => assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok()),
            other => panic!("say in `written` what the form `{other}` keeps"),
        }
    }
}

fn coverage(told: &Evidence, form: &str, text: &str) {
    // A form may have no way to write a control character in a path; then the name differs, or two become one.
    let can_hold = |path: &str| !path.contains(|ch: char| ch.is_control() || ch == '\u{fffd}') && path.trim() == path;
    let files: BTreeMap<&str, &File> = told.coverage.files().filter(|(_, file)| !file.is_totals_only()).collect();
    if files.values().all(|file| file.lines().next().is_none())
        || !files.keys().all(|path| can_hold(path) && !path.is_empty())
    {
        return;
    }
    let again = read(evidence::format(form), text.as_bytes(), &WIDER);
    assert!(is_lossless(&again), "{form}: {:?}", again.problems);
    for (path, file) in files {
        let Some((_, other)) = again.coverage.files().find(|(name, _)| *name == path) else {
            // Cobertura has no place for a file without lines.
            assert_eq!(file.lines().count(), 0, "{form} lost {path}");
            continue;
        };
        assert!(file.lines().eq(other.lines()), "{form}: the lines of {path}");
        if form == "lcov" {
            let sums = |file: &File| (file.summary().branches, file.summary().functions);
            assert_eq!(sums(file), sums(other), "{form}: the sums of {path}");
            assert_eq!(branches(file), branches(other), "{form}: the branches of {path}");
        } else {
            let lines: Vec<u32> = file.lines().map(|(line, _)| line).collect();
            let mut known = branches(file);
            known.retain(|line, _| lines.binary_search(line).is_ok());
            assert_eq!(known, branches(other), "{form}: the branches of {path}");
        }
    }
}

/// Taken and all branches of each line.
fn branches(file: &File) -> BTreeMap<u32, Ratio> {
    let ratio = |arms: &Vec<Option<u64>>| Ratio {
        covered: arms.iter().filter(|taken| taken.is_some_and(|taken| taken > 0)).count() as u64,
        total: arms.len() as u64,
    };
    file.branches_by_line()
        .iter()
        .map(|(line, arms)| (*line, ratio(arms)))
        .filter(|(_, ratio)| ratio.total > 0)
        .collect()
}

fn tests(told: &Evidence, text: &str) {
    let can_hold = |(id, _): (&Identity, &Test)| {
        [&*id.suite, &id.class, &id.name, &id.file].iter().all(|part| !part.contains(|ch: char| ch.is_control()))
    };
    if told.tests.is_empty() || !told.tests.iter().all(can_hold) {
        return;
    }
    let again = read(evidence::format("junit"), text.as_bytes(), &WIDER);
    assert!(is_lossless(&again), "{:?}", again.problems);
    let facts = |evidence: &Evidence| -> BTreeMap<Identity, _> {
        evidence.tests.iter().map(|(id, test)| (id.clone(), (test.outcome, test.flaky))).collect()
    };
    assert_eq!(facts(told), facts(&again));
}
