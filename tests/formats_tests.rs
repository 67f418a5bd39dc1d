//! Reports that real tools wrote, with the exact numbers that are in them. Tools and versions stand in
//! `tests/fixtures/reports/README.md`.

use mgmt_action::evidence::tests::Summary;
use mgmt_action::evidence::{Evidence, Kind, Level, Limits, Origin, Outcome, Repeats, collect};

fn read(kind: Kind, path: &str) -> Evidence {
    let full = format!("{}/tests/fixtures/reports/{path}", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::File::open(&full).unwrap_or_else(|error| panic!("{full}: {error}"));
    let origin = Origin { check: "unit", path, repeats: Repeats::Worst };
    collect::read(file, Some(kind), None, &origin, &Limits::default())
}

/// A report, its format, its counts and the codes of its problems.
struct Row {
    file: &'static str,
    format: &'static str,
    /// total, passed, failed, errors, skipped, flaky, attempts.
    counts: [u64; 7],
    problems: &'static [&'static str],
}

const fn row(file: &'static str, format: &'static str, counts: [u64; 7], problems: &'static [&'static str]) -> Row {
    Row { file, format, counts, problems }
}

const CHANGED: &str = "evidence.changed";
const EMPTY: &str = "evidence.empty";
const FOREIGN: &str = "evidence.foreign";
const INCOMPLETE: &str = "evidence.incomplete";
const REPAIRED: &str = "evidence.repaired";

const TESTS: &[Row] = &[
    row("bats.tap", "tap", [3, 1, 1, 0, 1, 0, 3], &[]),
    row("bats.xml", "junit", [3, 1, 1, 0, 1, 0, 3], &[]),
    // A test whose program is missing is an error, although ctest writes it as skipped.
    row("ctest.xml", "junit", [6, 1, 3, 1, 2, 0, 6], &[]),
    // A package that does not build, one whose `TestMain` fails, one that panics with two tests still open.
    row("go-1.19.json", "go-json", [15, 6, 8, 4, 1, 0, 15], &[REPAIRED]),
    row("go-1.19-both-streams.json", "go-json", [15, 6, 8, 4, 1, 0, 15], &[REPAIRED, FOREIGN]),
    row("go-1.19-count.json", "go-json", [2, 1, 1, 1, 0, 0, 3], &[]),
    row("go-1.24-build-failure.json", "go-json", [2, 1, 1, 1, 0, 0, 2], &[]),
    // Without `repeats: last` a retry that held does not hide the failure before it.
    row("gradle.xml", "junit", [4, 1, 2, 0, 1, 1, 5], &[]),
    row("gtest.xml", "junit", [6, 3, 1, 0, 2, 0, 6], &[]),
    row("gtest-none.xml", "junit", [0, 0, 0, 0, 0, 0, 0], &[EMPTY]),
    row("jest-ctrf.json", "ctrf", [4, 1, 1, 0, 2, 0, 4], &[]),
    // jest-junit writes `test.todo` as a case like one that passed.
    row("jest-junit.xml", "junit", [4, 2, 1, 0, 1, 0, 4], &[CHANGED]),
    row("jest-junit-suite-errors.xml", "junit", [5, 2, 2, 1, 1, 0, 6], &[CHANGED, CHANGED]),
    row("libtest.txt", "libtest", [4, 1, 2, 0, 1, 0, 4], &[]),
    // mocha-junit-reporter leaves out what is pending.
    row("mocha-junit-reporter.xml", "junit", [3, 1, 2, 0, 0, 0, 3], &[CHANGED]),
    row("mocha-xunit.xml", "junit", [5, 1, 2, 0, 2, 0, 5], &[CHANGED]),
    row("mocha.tap", "tap", [5, 1, 2, 0, 2, 0, 5], &[]),
    row("mstest.trx", "trx", [6, 2, 3, 1, 1, 0, 6], &[]),
    row("nextest.xml", "junit", [3, 2, 1, 0, 0, 1, 5], &[]),
    row("node.tap", "tap", [7, 4, 1, 0, 2, 0, 7], &[]),
    // Two tests of one name are one test in JUnit, where a repeat may be a rerun.
    row("node.xml", "junit", [6, 3, 1, 0, 2, 0, 7], &[]),
    row("perl.tap", "tap", [11, 5, 2, 0, 4, 0, 11], &[INCOMPLETE]),
    row("perl-both-streams.tap", "tap", [11, 5, 2, 0, 4, 0, 11], &[INCOMPLETE]),
    row("phpunit.xml", "junit", [6, 1, 3, 2, 2, 0, 6], &[]),
    row("pytest-ctrf.json", "ctrf", [7, 2, 3, 0, 2, 0, 7], &[]),
    row("pytest-rerunfailures.xml", "junit", [1, 1, 0, 0, 0, 0, 2], &[CHANGED]),
    row("pytest-xunit1.xml", "junit", [7, 2, 3, 2, 2, 0, 8], &[]),
    row("pytest-xunit2.xml", "junit", [7, 2, 3, 2, 2, 0, 8], &[]),
    // Its `tests` counts attempts.
    row("surefire-rerun.xml", "junit", [5, 2, 2, 1, 1, 1, 10], &[]),
    row("surefire-broken-class.xml", "junit", [1, 0, 1, 1, 0, 0, 1], &[]),
    row("tape.tap", "tap", [3, 1, 1, 0, 1, 0, 3], &[]),
    row("vitest.tap", "tap", [4, 2, 1, 0, 1, 0, 4], &[]),
    row("vitest-flat.tap", "tap", [4, 2, 1, 0, 1, 0, 4], &[]),
    row("vitest.xml", "junit", [4, 2, 1, 0, 1, 0, 4], &[]),
];

#[test]
fn test_reports_of_real_tools_have_exact_counts() {
    for row in TESTS {
        let told = read(Kind::Tests, &format!("tests/{}", row.file));
        let sum = told.tests.summary();
        let counts = [sum.total, sum.passed, sum.failed, sum.errors, sum.skipped, sum.flaky, sum.attempts];
        let problems: Vec<_> = told.problems.iter().map(|problem| problem.code.as_str()).collect();
        assert_eq!((counts, problems), (row.counts, row.problems.to_vec()), "{}", row.file);
        assert_eq!(told.reports[0].format, row.format, "{}", row.file);
    }
}

#[test]
fn the_last_of_repeated_tests_holds_where_that_is_asked_for() {
    let path = format!("{}/tests/fixtures/reports/tests/gradle.xml", env!("CARGO_MANIFEST_DIR"));
    let origin = Origin { check: "unit", path: "gradle.xml", repeats: Repeats::Last };
    let told = collect::read(std::fs::File::open(path).unwrap(), Some(Kind::Tests), None, &origin, &Limits::default());
    let sum = told.tests.summary();
    assert_eq!((sum.total, sum.passed, sum.failed, sum.skipped, sum.flaky, sum.attempts), (4, 2, 1, 1, 1, 5));
}

#[test]
fn the_wall_time_is_the_one_that_the_tool_states() {
    for (file, want) in [
        ("bats.xml", Some(0.051)),
        ("ctest.xml", Some(1.0)),
        // The packages' own times.
        ("go-1.19.json", Some(0.027)),
        ("jest-ctrf.json", Some(1.081)),
        ("jest-junit.xml", Some(1.075)),
        ("libtest.txt", Some(0.21)),
        ("mstest.trx", Some(5.0)),
        ("nextest.xml", Some(0.413)),
        // Cases outside any suite are among them.
        ("node.xml", Some(0.004_004)),
        ("phpunit.xml", Some(0.014_066)),
        ("pytest-xunit2.xml", Some(0.051)),
        ("surefire-rerun.xml", Some(0.024)),
        ("tape.tap", None),
    ] {
        let wall = read(Kind::Tests, &format!("tests/{file}")).tests.summary().wall_seconds;
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(wall == want || wall.zip(want).is_some_and(|(a, b)| close(a, b)), "{file}: {wall:?}");
    }
}

#[test]
fn every_fixture_is_listed_and_small() {
    let folder = format!("{}/tests/fixtures/reports/tests", env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        assert!(entry.metadata().unwrap().len() < 20_000, "{:?}", entry.path());
        found.push(entry.file_name().into_string().unwrap());
    }
    found.sort();
    let mut listed: Vec<&str> = TESTS.iter().map(|row| row.file).collect();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

/// The tests of a report that did not hold, with the first line of what they said.
fn failures(path: &str) -> Vec<(String, Outcome, String)> {
    let told = read(Kind::Tests, path);
    let failed = told.tests.iter().filter(|(_, test)| test.outcome.is_failure());
    failed
        .map(|(id, test)| {
            let message = test.message.as_deref().unwrap_or_default();
            (id.display(), test.outcome, message.lines().next().unwrap_or_default().to_owned())
        })
        .collect()
}

#[track_caller]
fn expect_failures(path: &str, want: &[(&str, Outcome, &str)]) {
    let found = failures(path);
    let found: Vec<_> =
        found.iter().map(|(name, outcome, message)| (name.as_str(), *outcome, message.as_str())).collect();
    assert_eq!(found, want);
}

#[test]
fn failures_in_go_say_why() {
    expect_failures(
        "tests/go-1.19-both-streams.json",
        &[
            ("example.com/shop/broken", Outcome::Errored, "broken/b_test.go:3:28: undefined: undefined"),
            (
                "example.com/shop/panics::TestBoom/sub",
                Outcome::Failed,
                "panic: assignment to entry in nil map [recovered]",
            ),
            ("example.com/shop/panics::TestBoom", Outcome::Failed, ""),
            ("example.com/shop/panics::TestOther", Outcome::Errored, "no test result found"),
            ("example.com/shop/panics::TestWait", Outcome::Errored, "no test result found"),
            ("example.com/shop/fatal", Outcome::Errored, "the package failed without a failed test"),
            (
                "example.com/shop/price::TestMean/odd/even",
                Outcome::Failed,
                "    price_test.go:15: Mean(1, 2) = 1, want 2",
            ),
            ("example.com/shop/price::TestMean", Outcome::Failed, ""),
        ],
    );
    // Without standard error the reason is missing, the failure is not.
    assert_eq!(failures("tests/go-1.19.json")[0].2, "build failed");
}

#[test]
fn failures_in_the_other_formats_say_why() {
    expect_failures("tests/node.tap", &[("price::mean of # none", Outcome::Failed, "NaN == 0")]);
    expect_failures("tests/bats.tap", &[("mean of none", Outcome::Failed, "(in test file price.bats, line 2)")]);
    expect_failures(
        "tests/vitest.tap",
        &[("price.spec.ts > price::mean of none", Outcome::Failed, "expected NaN to be +0 // Object.is equality")],
    );
    expect_failures(
        "tests/jest-ctrf.json",
        &[(
            "price.test.js > price > mean::price mean of none",
            Outcome::Failed,
            "Error: expect(received).toBe(expected) // Object.is equality",
        )],
    );
    expect_failures(
        "tests/mstest.trx",
        &[
            (
                "Shop.Tests.PriceTest::Median",
                Outcome::Failed,
                "Assert.AreEqual failed. Expected:<2>. Actual:<1>. \u{1b}[31mred",
            ),
            ("Shop.Tests.PriceTest::Mode (Data Row 1)", Outcome::Failed, "row 1"),
            ("Shop.Tests.StockTest::Mean", Outcome::Errored, ""),
        ],
    );
    expect_failures(
        "tests/ctest.xml",
        &[
            ("failing", Outcome::Failed, ""),
            ("missing", Outcome::Errored, "Unable to find executable"),
            ("slow", Outcome::Failed, ""),
        ],
    );
}

/// Format, metrics and problem codes of a metrics file.
fn metrics(path: &str) -> (String, Vec<(String, String)>, Vec<String>) {
    let told = read(Kind::Metrics, path);
    let metrics = told.metrics.iter().map(|metric| (metric.name.clone(), metric.value.to_string())).collect();
    let problems = told.problems.iter().map(|problem| problem.code.clone()).collect();
    (told.reports[0].format.clone(), metrics, problems)
}

#[track_caller]
fn expect_metrics(path: &str, format: &str, want: &[(&str, &str)], problems: &[&str]) {
    let want: Vec<_> = want.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let problems: Vec<_> = problems.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(metrics(path), (format.to_owned(), want, problems));
}

#[test]
fn metrics_of_real_tools_are_exact() {
    let run = "metrics/mlruns/0/7bccffae5de44d5494a4a5deb6879405/metrics";
    expect_metrics(&format!("{run}/val/f1"), "mlflow", &[("val.f1", "0.9376")], &[]);
    expect_metrics(&format!("{run}/loss"), "mlflow", &[("loss", "NaN")], &[]);
    let log = [("epoch", "1"), ("train_loss", "0.44"), ("val_f1", "0.9376")];
    expect_metrics("metrics/training-log.csv", "csv", &log, &["evidence.merged"]);
    let toml = [("holdout.f1", "0.9376"), ("holdout.samples", "442")];
    expect_metrics("metrics/metrics.toml", "document", &toml, &[]);
    // The same report as a table and as DVC's document: the same names, but for the one that is no row there.
    let (format, table, problems) = metrics("metrics/classification-report.csv");
    assert_eq!((format.as_str(), table.len(), problems.len()), ("csv", 20, 0));
    let (format, document, problems) = metrics("metrics/dvc-metrics.json");
    assert_eq!((format.as_str(), document.len(), problems.len()), ("document", 17, 0));
    let in_both = document.iter().filter(|metric| table.contains(metric)).count();
    assert_eq!(in_both, 16);
}

#[test]
fn a_cut_report_says_so_or_says_the_same_and_gains_no_pass() {
    for row in TESTS.iter().filter(|row| row.counts[0] > 0) {
        let path = format!("{}/tests/fixtures/reports/tests/{}", env!("CARGO_MANIFEST_DIR"), row.file);
        let bytes = std::fs::read(path).unwrap();
        let format = mgmt_action::evidence::format(row.format);
        let origin = Origin { check: "unit", path: row.file, repeats: Repeats::Worst };
        let read = |bytes: &[u8]| collect::read(bytes, Some(Kind::Tests), format, &origin, &Limits::default());
        let whole = read(&bytes).tests.summary();
        let losses = |told: &Evidence| told.problems.iter().filter(|problem| problem.level == Level::Loss).count();
        // Every place in the last part, where the result is nearly whole; some before it.
        let all = bytes.len();
        for cut in (0..all).filter(|cut| cut % 29 == 0 || all - cut < 300) {
            let told = read(&bytes[..cut]);
            let sum = told.tests.summary();
            assert!(sum.passed <= whole.passed, "{} cut at {cut}: {} passed", row.file, sum.passed);
            // A time that is cut is no time, and a rule on one that is missing decides nothing.
            let wall_seconds = sum.wall_seconds.or(whole.wall_seconds);
            let is_same = Summary { wall_seconds, ..sum } == whole;
            // Between two packages nothing tells that Go's stream goes on.
            let is_between = row.format == "go-json" && is_between_packages(&bytes[..cut]);
            assert!(losses(&told) > 0 || is_same || is_between, "{} cut at {cut}: {sum:?}", row.file);
        }
    }
}

/// Whether the last whole event is one of a package, not of a test in it.
fn is_between_packages(stream: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stream);
    let last = text.lines().rfind(|line| line.ends_with('}') || !line.starts_with('{')).unwrap_or_default();
    !last.contains("\"Test\":")
}
