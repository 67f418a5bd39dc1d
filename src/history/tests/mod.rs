//! The store against records that are made up, and against what the same records say by brute force.

mod damage;
mod moving;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::check::CheckOutcome;
use crate::check::outcome::{Output, Status};
use crate::evidence::coverage::FileLines;
use crate::evidence::metric::Better;
use crate::evidence::sink::{Ratio, Totals};
use crate::evidence::tests::{Identity, Test};
use crate::evidence::{Measurements, Outcome};
use crate::gate::facts::Best;
use crate::gate::samples::{PastRun, Sample, Samples};
use crate::gate::{RuleResult, RuleVerdict};
use crate::record::{Policy, Project, SCHEMA, TestRecord};

/// A store in a folder of its own.
fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::of(Utf8Path::from_path(folder.path()).unwrap());
    (folder, store)
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
}

/// A full, clean run of `main` at this minute, on a commit named after it.
fn record(minute: i64) -> Record {
    let project = Project {
        name: "p".into(),
        commit: Some(format!("c{minute}")),
        branch: Some("main".into()),
        dirty: Some(false),
        tree: Some(format!("t{minute}")),
        merge_commit: None,
    };
    Record {
        schema: SCHEMA.into(),
        id: Record::id_of(at(minute), "full-check", Verdict::Pass),
        version: "1".into(),
        command: "full-check".into(),
        started_at: at(minute),
        finished_at: at(minute + 1),
        duration_ms: 60_000,
        project,
        left_out: BTreeMap::new(),
        policy: Policy { path: "mgmt.yml".into(), commit: None, changed: false },
        gate: None,
        verdict: Verdict::Pass,
        interrupted: None,
        checks: Vec::new(),
        rules: Vec::new(),
        measurements: Measurements::default(),
        reports: Vec::new(),
        problems: Vec::new(),
        tests: Vec::new(),
        lines: BTreeMap::new(),
        baseline: None,
        patch: None,
        test_changes: crate::gate::TestChanges::default(),
        quarantine: crate::gate::Quarantine::default(),
        score: None,
        trends: Vec::new(),
    }
}

fn identity(check: &str, name: &str) -> Identity {
    Identity { check: check.into(), suite: "s > t".into(), class: "k".into(), name: name.into(), file: "".into() }
}

fn test(outcome: Outcome, seconds: f64) -> Test {
    let message = outcome.is_failure().then(|| "it did not hold\n  \u{202e}at 3".into());
    Test { outcome, flaky: false, attempts: 1, seconds, line: Some(7), message }
}

fn json(record: &Record) -> String {
    serde_json::to_string(record).unwrap()
}

const OUTCOMES: [Outcome; 4] = [Outcome::Skipped, Outcome::Passed, Outcome::Failed, Outcome::Errored];

/// Records with all their parts, of a few commits, branches and commands, so that they meet each other.
fn any_record() -> impl Strategy<Value = Record> {
    let number =
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(0.1 + 0.2), any::<f64>(), (0_i8..9).prop_map(f64::from)];
    let measurements = prop::collection::vec((0..4_usize, prop::option::of(0..2_usize), number), 0..6);
    let tests = prop::collection::btree_map((0..3_usize, 0..90_usize), (0..4_usize, any::<bool>(), 0.0..9.0), 0..100);
    let lines = prop::collection::btree_map(0..4_usize, prop::collection::vec(1_u32..90, 0..30), 0..4);
    let run = (0_i64..40, 0..3_usize, prop::option::of(0..2_usize), prop::option::of(any::<bool>()), 0..4_usize);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (run, flags, measurements, tests, lines).prop_map(|(run, flags, measurements, tests, lines)| {
        let ((minute, commit, branch, dirty, verdict), (partial, lost, other)) = (run, flags);
        let mut record = record(minute);
        record.verdict = Verdict::ALL[verdict];
        record.interrupted = (record.verdict == Verdict::Interrupted).then(|| "SIGINT".into());
        record.command = if other { "validate" } else { "full-check" }.into();
        record.id = Record::id_of(record.started_at, &record.command, record.verdict);
        record.project.commit = Some(format!("commit{commit}{commit}{commit}{commit} and more"));
        record.project.branch = branch.map(|at| ["main", "side"][at].into());
        record.project.dirty = dirty;
        if partial && minute % 3 == 0 {
            record.left_out.insert("docs".into(), "not selected".into());
        }
        if lost && minute % 3 == 1 {
            record.problems.push(Problem::new(&crate::evidence::problem::STALE, "old \u{0}"));
        }
        for (name, scope, value) in measurements {
            // The database keeps one zero: a negative one comes back without its sign.
            let value = value + 0.0;
            let scope = scope.map(|at| ["src", "lib/a b"][at]);
            record.measurements.add(format!("metrics.m{name}"), scope, &["a.json", "b"], value);
        }
        for ((check, name), (outcome, flaky, seconds)) in tests {
            let identity = identity(["unit", "e2e", "x"][check], &format!("n{name}"));
            let test = Test { flaky, attempts: 1 + u32::from(flaky), ..test(OUTCOMES[outcome], seconds) };
            record.tests.push(TestRecord { identity, test });
        }
        record.tests.sort_by(|a, b| a.identity.cmp(&b.identity));
        for (file, numbers) in lines {
            let totals = Totals { lines: Ratio { covered: 1, total: numbers.len() as u64 }, ..Totals::default() };
            let of = |covered: bool| numbers.iter().copied().filter(|line| (line % 3 > 0) == covered).collect();
            let (covered, missed) = (of(true), of(false));
            record.lines.insert(format!("src/{file} ü.rs"), FileLines { covered, missed, totals });
        }
        record.rules.push(RuleResult {
            gate: "default".into(),
            metric: "metrics.m0".into(),
            scope: None,
            limit: "max 1".into(),
            value: Some(f64::NAN),
            shown: None,
            base: Some(0.1),
            source: None,
            verdict: RuleVerdict::Inconclusive,
            message: "NaN".into(),
            advice: None,
        });
        record.checks.push(CheckOutcome {
            id: "unit".into(),
            group: "test".into(),
            status: Status::Failed,
            skip: None,
            reason: Some("exit code 1".into()),
            allow_failure: false,
            quarantined: false,
            duration_ms: 5,
            command: None,
            exit_code: Some(1),
            output: Output { text: "\u{1b}[31mred\u{1b}[0m\r\n".into(), dropped_bytes: 1 },
            fix: None,
        });
        record
    })
}

/// Adds them; their ids may change on the way.
fn add_all(store: &Store, records: &mut [Record]) {
    for record in records {
        store.add(record).unwrap();
    }
}

/// Newest first, as the store orders them.
fn newest(records: &[Record]) -> Vec<&Record> {
    let mut out: Vec<_> = records.iter().collect();
    out.sort_by_key(|record| std::cmp::Reverse((record.started_at, record.id.clone())));
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn every_record_reads_back_equal_whatever_others_are_added_and_removed(
        mut records in prop::collection::vec(any_record(), 1..12),
        max in 0_u64..12,
        minute in 0_i64..60,
        kept in prop::collection::btree_set(0_usize..12, 0..4),
    ) {
        let (_folder, store) = store();
        add_all(&store, &mut records);
        for record in &records {
            prop_assert_eq!(json(&store.get(&record.id).unwrap()), json(record));
        }
        let ids: BTreeSet<_> = records.iter().map(|record| record.id.clone()).collect();
        prop_assert_eq!(store.ids().unwrap(), ids.iter().rev().cloned().collect::<Vec<_>>());

        // Half of the protected ones are protected in the store, the others from outside.
        let kept: BTreeSet<_> = kept.into_iter().filter_map(|at| Some((at, records.get(at)?.id.clone()))).collect();
        for (_, id) in kept.iter().filter(|(at, _)| at % 2 == 0) {
            store.protect(id).unwrap();
        }
        let outside: BTreeSet<_> = kept.iter().filter(|(at, _)| at % 2 == 1).map(|(_, id)| id.clone()).collect();
        let keep = Duration::from_secs(20 * 60);
        let removed = store.prune(at(minute), keep, Some(max), |id| outside.contains(id)).unwrap();
        let is_kept = |id: &String| kept.iter().any(|(_, other)| other == id);
        let expiring = newest(&records).into_iter().filter(|record| !is_kept(&record.id));
        let want: BTreeSet<_> = expiring
            .enumerate()
            .filter(|(at_place, record)| *at_place as u64 >= max || record.started_at < at(minute - 20))
            .map(|(_, record)| record.id.clone())
            .collect();
        let left: BTreeSet<_> = store.ids().unwrap().into_iter().collect();
        prop_assert_eq!(&left, &ids.difference(&want).cloned().collect::<BTreeSet<_>>());
        prop_assert_eq!(removed, want.len() as u64);
        for record in records.iter().filter(|record| left.contains(&record.id)) {
            prop_assert_eq!(json(&store.get(&record.id).unwrap()), json(record));
        }
        let checkup = store.check().unwrap();
        prop_assert_eq!((checkup.records, checkup.problems), (left.len() as u64, Vec::new()));
        assert_no_litter(&store, left.is_empty())?;
    }

    #[test]
    fn questions_over_many_records_have_the_answers_of_a_search_through_all(
        mut records in prop::collection::vec(any_record(), 1..14),
        commits in prop::collection::vec(0..4_usize, 0..6),
        last_runs in 0_usize..6,
        before in 0_i64..45,
    ) {
        let (_folder, store) = store();
        add_all(&store, &mut records);
        let records = newest(&records);

        let commits: Vec<_> = commits.into_iter().map(|at| format!("commit{at}{at}{at}{at} and more")).collect();
        let want = commits.iter().enumerate().find_map(|(at, commit)| {
            let fit = |record: &&&Record| record.is_fit_as_baseline() && record.project.commit.as_ref() == Some(commit);
            records.iter().find(fit).map(|record| (at, record.id.clone()))
        });
        let found = store.nearest(&commits).unwrap();
        prop_assert_eq!(found.map(|(at, record)| (at, record.id)), want);

        for (name, scope) in [("metrics.m0", None), ("metrics.m1", Some("src"))] {
            // None where the files differ.
            let value = |record: &Record| {
                let all: Vec<_> =
                    record.measurements.iter().filter(|one| one.name == name && one.scope.as_deref() == scope).collect();
                let first = all.first()?.value;
                Some(all.iter().all(|one| one.value.to_bits() == first.to_bits()).then_some(first))
            };
            let filter = Filter { branch: Some("main".into()), command: None, full_only: false };
            let mut want: Vec<_> = records
                .iter()
                .filter(|record| record.project.branch.as_deref() == Some("main") && !record.is_interrupted())
                .filter_map(|record| Some((record.id.clone(), value(record)?.unwrap_or(f64::NAN).to_string())))
                .take(3)
                .collect();
            want.reverse();
            let found = store.points(name, scope, &filter, 3).unwrap();
            let found: Vec<_> = found.into_iter().map(|point| (point.id, point.value.to_string())).collect();
            prop_assert_eq!(found, want);

            for (higher, better) in [(false, Better::Lower), (true, Better::Higher)] {
                let fit = records
                    .iter()
                    .filter(|record| record.is_fit_as_baseline() && record.project.branch.as_deref() == Some("main"));
                let values = fit.filter_map(|record| Some((value(record)??, record))).filter(|(value, _)| value.is_finite());
                let want = values.reduce(|best, next| {
                    let better = if higher { next.0 > best.0 } else { next.0 < best.0 };
                    if better { next } else { best }
                });
                let found = store.best(name, "main", better).unwrap();
                prop_assert!(found.is_sorted_by_key(|best| best.scope.clone()));
                let found = found.into_iter().find(|best| best.scope.as_deref() == scope);
                let want = want.map(|(value, record)| Best {
                    metric: name.to_owned(),
                    scope: scope.map(str::to_owned),
                    value,
                    from: record.project.commit.clone().unwrap()[..10].into(),
                });
                prop_assert_eq!(found, want);
            }
        }

        let checks = ["unit", "x"];
        let told = |record: &&&Record| {
            let wanted = record.tests.iter().any(|test| checks.contains(&&*test.identity.check));
            wanted && !record.is_interrupted() && record.started_at < at(before)
        };
        let runs: Vec<_> = records.iter().filter(told).take(last_runs).collect();
        let mut want = Samples::default();
        for (run, record) in runs.into_iter().enumerate() {
            let (id, tree) = (record.id.clone(), record.project.tree.clone());
            want.runs.push(PastRun { id, started_at: record.started_at, tree });
            for TestRecord { identity, test } in record.tests.iter().filter(|one| checks.contains(&&*one.identity.check)) {
                let Test { outcome, flaky, seconds, .. } = *test;
                want.tests.entry(identity.clone()).or_default().push(Sample { run, outcome, flaky, seconds });
            }
        }
        prop_assert_eq!(store.samples(last_runs, at(before), |check| checks.contains(&check)).unwrap(), want);

        let one = identity("unit", "n5");
        let seen = |record: &&Record| {
            let test = record.tests.iter().find(|test| test.identity == one)?;
            Some((record.id.clone(), test.test.outcome, test.test.flaky))
        };
        let want: Vec<_> = records.iter().filter_map(seen).take(4).collect();
        let found = store.test(&one, 4).unwrap();
        prop_assert_eq!(found.into_iter().map(|one| (one.id, one.outcome, one.flaky)).collect::<Vec<_>>(), want);
    }
}

/// What only removed runs needed is gone; what the others need is counted right.
fn assert_no_litter(store: &Store, empty: bool) -> Result<(), TestCaseError> {
    let Some(database) = store.existing().unwrap() else { return Ok(()) };
    let count = |query: &str| database.connection.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    for table in ["measurement", "outcome", "record"] {
        prop_assert_eq!(count(&format!("SELECT count(*) FROM {table} WHERE run NOT IN (SELECT key FROM run)")), 0);
    }
    prop_assert_eq!(count("SELECT count(*) FROM lines WHERE uses < 1"), 0);
    if empty {
        prop_assert_eq!(count("SELECT count(*) FROM lines"), 0);
        prop_assert_eq!(count("SELECT count(*) FROM series"), 0);
        prop_assert_eq!(count("SELECT count(*) FROM test"), 0);
    }
    Ok(())
}

#[test]
fn nothing_is_made_before_the_first_record() {
    let (folder, store) = store();
    assert_eq!(store.ids().unwrap(), [] as [String; 0]);
    assert!(matches!(store.get("x"), Err(Error::Missing { .. })));
    assert!(matches!(store.protect("x"), Err(Error::Missing { .. })));
    assert_eq!(store.nearest(&["c1".into()]).unwrap(), None);
    assert!(store.is_empty().unwrap() && store.best("tests.total", "main", Better::Higher).unwrap().is_empty());
    assert_eq!(store.samples(9, at(0), |_| true).unwrap(), Samples { runs: Vec::new(), tests: HashMap::new() });
    assert_eq!(store.prune(at(0), Duration::ZERO, Some(1), |_| false).unwrap(), 0);
    store.compact().unwrap();
    assert_eq!(store.check().unwrap().records, 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    store.add(&mut record(1)).unwrap();
    let own = std::fs::read_dir(folder.path().join(FOLDER)).unwrap();
    let mut names: Vec<_> = own.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [".gitignore", "history.db"], "a closed store is one file");
}

#[test]
fn the_same_lines_are_kept_once_and_tests_out_of_order_stay_so() {
    let (_folder, store) = store();
    let lines = FileLines { covered: (1..500).collect(), ..FileLines::default() };
    let mut records: Vec<_> = (0..20).map(record).collect();
    for record in &mut records {
        record.lines = (0..50).map(|file| (format!("{file}.rs"), lines.clone())).collect();
        record.tests = ["b", "a", "b"]
            .map(|name| TestRecord { identity: identity("unit", name), test: test(Outcome::Failed, 1.0) })
            .into();
    }
    add_all(&store, &mut records);
    for record in &records {
        assert_eq!(store.get(&record.id).unwrap(), *record);
    }
    let database = store.existing().unwrap().unwrap();
    let rows: (i64, i64) = database
        .connection
        .query_row("SELECT count(*), sum(uses) FROM lines", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(rows, (1, 20 * 50));
}

#[test]
fn a_baseline_that_cannot_be_read_is_told_and_the_next_one_serves() {
    let (_folder, store) = store();
    let mut records: Vec<_> = (1..4).map(record).collect();
    add_all(&store, &mut records);
    let database = store.existing().unwrap().unwrap();
    database.connection.execute("UPDATE record SET data = x'00' WHERE run = 3", []).unwrap();
    drop(database);
    let (at, found) = store.nearest(&["c9".into(), "c3".into(), "c2".into()]).unwrap().unwrap();
    assert_eq!((at, found), (2, records[1].clone()));
    let told = store.take_problems();
    assert!(told.len() == 1 && told[0].message.contains(&records[2].id), "{told:?}");
    assert!(matches!(store.get(&records[2].id), Err(Error::Record { .. })));
    let checkup = store.check().unwrap();
    assert_eq!((checkup.records, checkup.problems.len()), (2, 1));
    assert_eq!(store.last(&Filter::default(), 9).unwrap().len(), 2);
    // It can still be removed.
    assert_eq!(store.prune(self::at(99), Duration::ZERO, None, |_| false).unwrap(), 3);
}

#[test]
fn a_small_document_is_kept_under_its_key_and_nothing_is_made_by_asking() {
    let (folder, store) = store();
    assert_eq!(store.kept("a").unwrap(), None);
    assert!(!store.path().exists(), "{folder:?}");
    for (key, data) in [("a", "1"), ("b", "2"), ("a", "3")] {
        store.keep(key, data).unwrap();
    }
    let kept: Vec<_> = ["a", "b", "c"].iter().map(|key| store.kept(key).unwrap()).collect();
    assert_eq!(kept, [Some("3".to_owned()), Some("2".to_owned()), None]);
    assert!(store.ids().unwrap().is_empty());
}
