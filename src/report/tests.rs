//! What became of the tests since the baseline and over earlier runs: the same lists and words in every form of report.
//!
//! Deliberately absent: what failed. That is a part of every report on its own.

use crate::evidence::Outcome;
use crate::evidence::tests::Identity;
use crate::gate::quarantine::{Held, Quarantined};
use crate::record::{Record, TestRecord};
use crate::sys::text;

/// Tests of which the same can be said.
#[derive(Clone, Debug, PartialEq)]
pub struct List<'a> {
    /// Their name: `Newly skipped`.
    pub title: &'static str,
    /// What it means, as a sentence without its full stop.
    pub doc: &'static str,
    /// Who should look.
    pub weight: Weight,
    /// The tests; at least one.
    pub rows: Vec<Row<'a>>,
}

/// Who should look at a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Somebody, now.
    Urgent,
    /// Nobody must, and nobody should forget it.
    Known,
    /// Whoever is curious.
    News,
}

/// A test of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// What it is about.
    pub subject: Subject<'a>,
    /// What is to be said of this one, if anything; text from outside may be in it.
    pub note: String,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject<'a> {
    /// A test.
    Test(&'a Identity),
    /// The tests that an entry of `quarantine:` names.
    Entry(&'a Held),
}

impl Row<'_> {
    /// The name for people; from outside.
    #[must_use]
    pub fn name(&self) -> String {
        match self.subject {
            Subject::Test(identity) => identity.display(),
            Subject::Entry(entry) => entry.tests.clone(),
        }
    }

    /// The file it is in, if one is known; from outside.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match self.subject {
            Subject::Test(identity) => Some(&*identity.file).filter(|file| !file.is_empty()),
            Subject::Entry(_) => None,
        }
    }
}

/// The lists that have a test, most urgent first.
#[must_use]
pub fn lists(record: &Record) -> Vec<List<'_>> {
    let changes = &record.test_changes;
    let base = changes.base.as_ref();
    let mut lists = vec![
        List {
            title: "Newly failing",
            doc: "Passed in the baseline, failed now",
            weight: Weight::Urgent,
            rows: plain(base.map(|base| &base.newly_failing)),
        },
        List {
            title: "Disappeared",
            doc: "In the baseline, and not in this run",
            weight: Weight::Urgent,
            rows: base.map(|base| base.disappeared.iter().map(disappeared).collect()).unwrap_or_default(),
        },
        List {
            title: "Newly skipped",
            doc: "Ran in the baseline, skipped now",
            weight: Weight::Urgent,
            rows: plain(base.map(|base| &base.newly_skipped)),
        },
        List {
            title: "Newly slow",
            doc: "Slower than their own history allows",
            weight: Weight::Urgent,
            rows: changes.pace.iter().flat_map(|pace| &pace.slow).map(slow).collect(),
        },
        List {
            title: "Out of quarantine",
            doc: "Their last day is past, so their failures count again",
            weight: Weight::Urgent,
            rows: record.quarantine.entries.iter().filter(|entry| entry.expired).map(expired).collect(),
        },
        List {
            title: "Flaky",
            doc: "Seen both to hold and not to hold with the same code under them",
            weight: Weight::Known,
            rows: flaky(record),
        },
        List {
            title: "In quarantine",
            doc: "Their failures are excused for a time",
            weight: Weight::Known,
            rows: record.quarantine.tests.iter().map(quarantined).collect(),
        },
        List {
            title: "Mended",
            doc: "Failed in the baseline, passed now",
            weight: Weight::News,
            rows: plain(base.map(|base| &base.fixed)),
        },
        List {
            title: "New",
            doc: "Not in the baseline",
            weight: Weight::News,
            rows: plain(base.map(|base| &base.appeared)),
        },
    ];
    lists.retain(|list| !list.rows.is_empty());
    lists
}

fn plain(identities: Option<&Vec<Identity>>) -> Vec<Row<'_>> {
    identities
        .into_iter()
        .flatten()
        .map(|identity| Row { subject: Subject::Test(identity), note: String::new() })
        .collect()
}

/// The entry that excuses the failures of a test, if one does.
#[must_use]
pub fn excused<'a>(record: &'a Record, identity: &Identity) -> Option<&'a Quarantined> {
    let tests = &record.quarantine.tests;
    tests.binary_search_by(|test| test.identity.cmp(identity)).ok().map(|at| &tests[at])
}

/// What is to be said of a failed test beside its name: `, in quarantine until 2026-04-30`, or nothing.
#[must_use]
pub fn aside(record: &Record, test: &TestRecord) -> String {
    let flaky = if test.test.flaky { ", which also passed" } else { "" };
    let excused = excused(record, &test.identity);
    let excused = excused.map(|excused| format!(", in quarantine until {}", excused.until)).unwrap_or_default();
    format!("{flaky}{excused}")
}

fn disappeared(gone: &crate::gate::changes::Disappeared) -> Row<'_> {
    let to = gone.moved_to.as_ref();
    let note = to.map(|to| {
        let file = if to.file.is_empty() { String::new() } else { format!(" in {}", to.file) };
        format!("perhaps {}{file} now", to.display())
    });
    Row { subject: Subject::Test(&gone.identity), note: note.unwrap_or_default() }
}

fn slow(slow: &crate::gate::pace::Slow) -> Row<'_> {
    let note = format!(
        "{:.2} s, usually {:.2} s in {}; up to {:.2} s would not have stood out",
        slow.seconds,
        slow.usual,
        text::plural(slow.samples, "run", "runs"),
        slow.limit
    );
    Row { subject: Subject::Test(&slow.identity), note }
}

fn flaky(record: &Record) -> Vec<Row<'_>> {
    let known = &record.test_changes.flaky;
    if known.is_empty() {
        // A record of before flaky tests were followed over runs has only what attempts tell.
        let flaky = record.tests.iter().filter(|test| test.test.flaky);
        let note = |attempts: u32| text::plural(u64::from(attempts), "attempt", "attempts");
        return flaky
            .map(|test| Row { subject: Subject::Test(&test.identity), note: note(test.test.attempts) })
            .collect();
    }
    let note = |flaky: &crate::gate::flaky::Flaky| {
        format!(
            "{}; failed in {} of its last {}",
            flaky.reason(),
            flaky.failed_runs,
            text::plural(flaky.runs, "run", "runs")
        )
    };
    known.iter().map(|flaky| Row { subject: Subject::Test(&flaky.identity), note: note(flaky) }).collect()
}

fn quarantined(test: &Quarantined) -> Row<'_> {
    let outcome = match test.outcome {
        Outcome::Skipped => "skipped",
        Outcome::Passed => "passed",
        Outcome::Failed | Outcome::Errored => "failed",
    };
    let stable = match test.is_stable() {
        true => format!("; it held in its last {}, and may be released", text::plural(test.stable_runs, "run", "runs")),
        false => String::new(),
    };
    let note = format!("{outcome}; until {}: {}{stable}", test.until, test.reason);
    Row { subject: Subject::Test(&test.identity), note }
}

fn expired(entry: &Held) -> Row<'_> {
    Row { subject: Subject::Entry(entry), note: format!("{}: {}", entry.ending(), entry.reason) }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn small() -> Record {
        serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap()
    }

    #[test]
    fn what_is_out_of_quarantine_is_urgent_and_stands_for_its_entry() {
        let mut record = small();
        let entry = |tests: &str, expired| Held {
            tests: tests.into(),
            check: None,
            reason: "see #41".into(),
            until: "2026-02-28".parse().unwrap(),
            line: 9,
            expired,
            matched: 2,
            failed: u64::from(expired),
            stable: 0,
            unmatched: false,
            suggestion: None,
        };
        record.quarantine.entries = vec![entry("a::*", false), entry("b::*", true)];
        let lists = lists(&record);
        let list = lists.iter().find(|list| list.title == "Out of quarantine").unwrap();
        assert_eq!((list.weight, list.rows.len(), list.rows[0].name().as_str()), (Weight::Urgent, 1, "b::*"));
        assert_eq!(list.rows[0].note, "ended on 2026-02-28; 1 of 2 tests failed: see #41");
    }

    #[test]
    fn lists_say_what_became_of_the_tests() {
        let record = small();
        let told: Vec<_> = lists(&record)
            .into_iter()
            .flat_map(|list| {
                list.rows
                    .into_iter()
                    .map(move |row| text::one_line(&format!("{}: {} ({})", list.title, row.name(), row.note)))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        Newly failing: tests.test_limits::test_frozen[<EUR>] ()
        Disappeared: tests.test_limits::test_unfrozen ()
        Disappeared: tests.test_limits::test_sum (perhaps tests.test_spent::test_sum\u{202e} in tests/test_spent.py now)
        Newly skipped: tests.test_limits::test_later ()
        Newly slow: tests.test_spent::test_retry (1.50 s, usually 0.25 s in 12 runs; up to 0.90 s would not have stood out)
        Flaky: tests.test_spent::test_retry (held and failed within this run; held in 2 and failed in 1 run on this very tree; failed in 4 of its last 50 runs)
        In quarantine: tests.test_limits::test_frozen[<EUR>] (failed; until 2026-04-30: race in the mock, see #41)
        New: tests.test_spent::test_sum\u{202e} ()
        ");
    }

    #[test]
    fn only_tests_in_quarantine_are_excused() {
        let record = small();
        let excused: Vec<_> =
            record.tests.iter().map(|test| excused(&record, &test.identity).map(|test| test.reason.as_str())).collect();
        assert_eq!(excused, [Some("race in the mock, see #41"), None, None, None]);
    }

    #[test]
    fn a_record_without_history_still_tells_what_attempts_told() {
        let mut record = small();
        record.test_changes = crate::gate::TestChanges::default();
        record.quarantine = crate::gate::Quarantine::default();
        let lists = lists(&record);
        assert_eq!(lists.len(), 1);
        assert_eq!((lists[0].title, lists[0].rows[0].note.as_str()), ("Flaky", "2 attempts"));
    }
}
