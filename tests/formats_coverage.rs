//! Real coverage reports of each tool, read as the gate reads them: format by content, sums as the tool states them.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixture has failed")]

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use mgmt_action::evidence::collect;
use mgmt_action::evidence::coverage::Coverage;
use mgmt_action::evidence::coverage::paths::Match;
use mgmt_action::evidence::findings::{Origin, Repeats};
use mgmt_action::evidence::sink::{Ratio, Totals};
use mgmt_action::evidence::{Evidence, Kind, Limits};

/// A fixture, the format it is in, and its sums: covered and total of lines, branches, functions, statements.
type Row = (&'static str, &'static str, [(u64, u64); 4]);

/// The sums are the tools' own where `tests/fixtures/reports/README.md` quotes them.
const FIXTURES: &[Row] = &[
    ("gocover/coverpkg-count.out", "gocover", [(16, 21), (0, 0), (0, 0), (11, 14)]),
    ("gocover/coverpkg-set.out", "gocover", [(16, 21), (0, 0), (0, 0), (11, 14)]),
    ("istanbul/nyc.json", "istanbul", [(9, 14), (6, 13), (5, 7), (11, 17)]),
    ("istanbul/jest.json", "istanbul", [(9, 14), (6, 13), (5, 7), (11, 17)]),
    ("istanbul/c8.json", "istanbul", [(22, 31), (9, 11), (4, 7), (22, 31)]),
    ("istanbul-summary/jest.json", "istanbul-summary", [(9, 14), (6, 13), (5, 7), (11, 17)]),
    ("coverage-py/branch.json", "coverage-py", [(15, 20), (4, 6), (3, 6), (0, 0)]),
    ("coverage-py/lines.json", "coverage-py", [(15, 20), (0, 0), (3, 6), (0, 0)]),
    ("jacoco/group.xml", "jacoco", [(10, 19), (4, 8), (6, 12), (0, 0)]),
    ("clover/phpunit.xml", "clover", [(6, 9), (0, 0), (2, 3), (0, 0)]),
    ("clover/jest.xml", "clover", [(9, 14), (5, 12), (0, 0), (0, 0)]),
    ("llvm/lines.json", "llvm", [(27, 34), (0, 0), (5, 8), (0, 0)]),
    ("llvm/branches.json", "llvm", [(27, 34), (4, 10), (5, 8), (0, 0)]),
    ("llvm/summary-only.json", "llvm", [(28, 35), (0, 0), (5, 8), (0, 0)]),
    ("llvm/generics.json", "llvm", [(16, 19), (0, 0), (3, 6), (0, 0)]),
    ("istanbul/nyc-price.json", "istanbul", [(5, 9), (4, 8), (4, 5), (10, 14)]),
    ("istanbul/c8-price.json", "istanbul", [(11, 19), (5, 7), (3, 4), (11, 19)]),
    ("istanbul-summary/nyc.json", "istanbul-summary", [(5, 9), (4, 8), (4, 5), (10, 14)]),
    ("coverage-py/price.json", "coverage-py", [(11, 14), (4, 6), (2, 3), (0, 0)]),
    // A generic function is one function, two closures on its line are two.
    ("lcov/cargo-llvm-cov.info", "lcov", [(16, 19), (0, 0), (3, 6), (0, 0)]),
    ("lcov/lcov-1.16.info", "lcov", [(12, 17), (7, 16), (7, 9), (0, 0)]),
    ("lcov/lcov-2.info", "lcov", [(5, 7), (3, 4), (2, 3), (0, 0)]),
    ("lcov/gcovr.info", "lcov", [(12, 17), (7, 16), (7, 9), (0, 0)]),
    ("lcov/nyc.info", "lcov", [(5, 9), (4, 8), (4, 5), (0, 0)]),
    ("lcov/c8.info", "lcov", [(11, 19), (5, 7), (3, 4), (0, 0)]),
    ("lcov/coverage-py.info", "lcov", [(11, 14), (4, 6), (2, 3), (0, 0)]),
    ("cobertura/cargo-llvm-cov.xml", "cobertura", [(16, 19), (0, 0), (0, 0), (0, 0)]),
    ("cobertura/gcovr.xml", "cobertura", [(12, 17), (7, 16), (0, 0), (0, 0)]),
    ("cobertura/nyc.xml", "cobertura", [(5, 9), (4, 8), (0, 0), (0, 0)]),
    ("cobertura/c8.xml", "cobertura", [(11, 19), (5, 7), (0, 0), (0, 0)]),
    ("cobertura/coverage-py.xml", "cobertura", [(11, 14), (4, 6), (0, 0), (0, 0)]),
    ("clover/gcovr.xml", "clover", [(12, 17), (0, 0), (0, 0), (0, 0)]),
    ("clover/nyc.xml", "clover", [(5, 9), (4, 8), (0, 0), (0, 0)]),
    ("clover/c8.xml", "clover", [(11, 19), (5, 7), (0, 0), (0, 0)]),
    ("opencover/coverlet.xml", "opencover", [(3, 4), (1, 2), (1, 2), (3, 4)]),
    ("simplecov/resultset-branches.json", "simplecov", [(12, 16), (2, 5), (0, 0), (0, 0)]),
];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reports/coverage")
}

fn read(fixture: &str) -> Evidence {
    let origin = Origin { check: "tests", path: fixture, repeats: Repeats::Worst };
    let file = File::open(folder().join(fixture)).unwrap();
    collect::read(file, Some(Kind::Coverage), None, &origin, &Limits::default())
}

#[test]
fn each_fixture_adds_up_to_what_its_tool_says() {
    for (fixture, format, sums) in FIXTURES {
        let told = read(fixture);
        assert_eq!(told.problems, [], "{fixture}");
        assert_eq!(told.reports[0].format, *format, "{fixture}");
        let ratio = |(covered, total)| Ratio { covered, total };
        let [lines, branches, functions, statements] = sums.map(ratio);
        assert_eq!(told.coverage.summary(), Totals { lines, branches, functions, statements }, "{fixture}");
    }
}

/// Reports of one run in several formats, or by two tools: together they add up to what the first of them does.
const SAME_RUN: &[&[&str]] = &[
    &["lcov/lcov-1.16.info", "lcov/gcovr.info", "cobertura/gcovr.xml", "clover/gcovr.xml"],
    &["lcov/cargo-llvm-cov.info", "llvm/generics.json", "cobertura/cargo-llvm-cov.xml"],
    &["istanbul/nyc-price.json", "lcov/nyc.info", "cobertura/nyc.xml", "clover/nyc.xml", "istanbul-summary/nyc.json"],
    &["istanbul/c8-price.json", "lcov/c8.info", "cobertura/c8.xml", "clover/c8.xml"],
    &["coverage-py/price.json", "lcov/coverage-py.info", "cobertura/coverage-py.xml"],
];

#[test]
fn one_run_in_several_formats_counts_once_in_whatever_order() {
    for run in SAME_RUN {
        let told = |fixture: &str| {
            let read = read(fixture).coverage;
            read.matched(|path| Match::File(path.rsplit('/').next().unwrap_or(path).to_owned()))
        };
        let (mut there, mut back) = (Coverage::default(), Coverage::default());
        run.iter().for_each(|fixture| there.merge(told(fixture)));
        run.iter().rev().for_each(|fixture| back.merge(told(fixture)));
        assert_eq!(there, back, "{run:?}");
        assert_eq!(there.summary(), told(run[0]).summary(), "{run:?}");
        let disputed: u64 = there.files().map(|(_, file)| file.disputed_lines()).sum();
        assert_eq!(disputed, 0, "{run:?}");
    }
}

#[test]
fn every_fixture_is_in_the_table() {
    let mut found = BTreeSet::new();
    for tool in folder().read_dir().unwrap() {
        let tool = tool.unwrap();
        for file in tool.path().read_dir().unwrap() {
            let file = file.unwrap();
            assert!(file.metadata().unwrap().len() < 20_000, "{file:?} is too large for a fixture");
            found.insert(format!("{}/{}", tool.file_name().to_str().unwrap(), file.file_name().to_str().unwrap()));
        }
    }
    assert_eq!(found, FIXTURES.iter().map(|(fixture, ..)| (*fixture).to_owned()).collect());
}
