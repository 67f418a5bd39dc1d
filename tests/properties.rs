//! Laws of adding reports up, over generated reports of several formats: the order and the grouping of files do not
//! matter, totals are the sums of their files, counts saturate, and what is written reads back. Those of judging them
//! stand in `properties/gate.rs`.

#[path = "properties/gate.rs"]
mod gate;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mgmt_action::evidence::coverage::File;
use mgmt_action::evidence::sink::{Ratio, Totals};
use mgmt_action::evidence::tests::Identity;
use mgmt_action::evidence::{self, Evidence, Level, Limits, Measurements, Origin, Outcome, Repeats, collect};
use mgmt_action::report::convert::WRITERS;
use proptest::prelude::*;

/// One source file: hits by line, how often each branch of a line was taken, hits by function.
#[derive(Clone, Debug)]
struct Source {
    lines: BTreeMap<u32, u64>,
    branches: BTreeMap<u32, Vec<u64>>,
    functions: BTreeMap<&'static str, (u32, u64)>,
}

type Model = BTreeMap<&'static str, Source>;

const PATHS: [&str; 3] = ["src/a.py", "src/b & c.py", "lib/d.py"];

fn hits() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0_u64..4, 1 => Just(u64::MAX), 1 => Just(u64::MAX / 2 + 1)]
}

fn source() -> impl Strategy<Value = Source> {
    let lines = prop::collection::btree_map(1_u32..40, hits(), 1..12);
    let branches = prop::collection::btree_map(1_u32..40, prop::collection::vec(0_u64..3, 1..4), 0..4);
    let names = prop::sample::select(vec!["f", "operator, <T>", "g::h"]);
    let functions = prop::collection::btree_map(names, (1_u32..40, hits()), 0..3);
    (lines, branches, functions).prop_map(|(lines, mut branches, functions)| {
        // A branch stands on a line that runs.
        branches.retain(|line, _| lines.contains_key(line));
        Source { lines, branches, functions }
    })
}

fn model() -> impl Strategy<Value = Model> {
    prop::collection::btree_map(prop::sample::select(PATHS.to_vec()), source(), 1..3)
}

fn lcov(model: &Model) -> String {
    let mut out = String::new();
    for (path, source) in model {
        let _ = writeln!(out, "SF:{path}");
        for (name, (line, hits)) in &source.functions {
            let _ = writeln!(out, "FN:{line},{name}\nFNDA:{hits},{name}");
        }
        for (line, arms) in &source.branches {
            for (arm, taken) in arms.iter().enumerate() {
                let _ = writeln!(out, "BRDA:{line},0,{arm},{taken}");
            }
        }
        for (line, hits) in &source.lines {
            let _ = writeln!(out, "DA:{line},{hits}");
        }
        out.push_str("end_of_record\n");
    }
    out
}

fn cobertura(model: &Model) -> String {
    let mut out = "<coverage><packages><package><classes>".to_owned();
    for (path, source) in model {
        let _ = write!(out, "<class filename=\"{}\"><lines>", path.replace('&', "&amp;"));
        for (line, hits) in &source.lines {
            let branch = source.branches.get(line).map_or_else(String::new, |arms| {
                let taken = arms.iter().filter(|taken| **taken > 0).count();
                format!(" branch=\"true\" condition-coverage=\"0% ({taken}/{})\"", arms.len())
            });
            let _ = write!(out, "<line number=\"{line}\" hits=\"{hits}\"{branch}/>");
        }
        out.push_str("</lines></class>");
    }
    out + "</classes></package></packages></coverage>"
}

fn gocover(model: &Model) -> String {
    let mut out = "mode: count\n".to_owned();
    for (path, source) in model {
        for (line, hits) in &source.lines {
            let _ = writeln!(out, "{path}:{line}.1,{line}.9 1 {hits}");
        }
    }
    out
}

/// Tests with an outcome each; the times are exact in binary, so that their sum does not depend on the order.
fn junit(cases: &[(usize, usize)]) -> String {
    let mut out = "<testsuite name='s'>".to_owned();
    for (name, outcome) in cases {
        let inside = ["", "<skipped/>", "<failure message='m'/>", "<error/>", "<flakyFailure/>"][*outcome];
        let _ = write!(out, "<testcase name='t{name}' time='0.25'>{inside}</testcase>");
    }
    out + "</testsuite>"
}

fn tap(cases: &[(usize, usize)]) -> String {
    let mut out = format!("1..{}\n", cases.len());
    for (number, (name, outcome)) in cases.iter().enumerate() {
        let not = if *outcome >= 2 { "not " } else { "" };
        let _ = writeln!(out, "{not}ok {} - t{name}", number + 1);
    }
    out
}

fn read(format: &str, text: &str, path: &str) -> Evidence {
    let origin = Origin { check: "c", path, repeats: Repeats::Worst };
    collect::read(text.as_bytes(), None, evidence::format(format), &origin, &Limits::default())
}

/// A report of any of these formats, read.
fn report() -> impl Strategy<Value = Evidence> {
    let coverage = (model(), 0..3_usize).prop_map(|(model, form)| match form {
        0 => read("lcov", &lcov(&model), "a.info"),
        1 => read("cobertura", &cobertura(&model), "b.xml"),
        _ => read("gocover", &gocover(&model), "c.out"),
    });
    let cases = prop::collection::vec((0..4_usize, 0..5_usize), 1..6);
    let tests = (cases, any::<bool>()).prop_map(|(cases, is_tap)| match is_tap {
        true => read("tap", &tap(&cases), "d.tap"),
        false => read("junit", &junit(&cases), "e.xml"),
    });
    let metrics = (0..9_u8).prop_map(|value| read("document", &format!("{{ \"f1\": 0.{value} }}"), "f.json"));
    prop_oneof![6 => coverage, 3 => tests, 1 => metrics]
}

fn merged(all: impl IntoIterator<Item = Evidence>) -> Evidence {
    let mut sum = Evidence::default();
    for one in all {
        sum.merge(one, Repeats::Worst);
    }
    sum
}

/// What must not depend on the order of files: all but the order itself, and which of two equal failures speaks.
fn facts(of: &Evidence) -> impl PartialEq + std::fmt::Debug + use<> {
    let tests: BTreeMap<Identity, (Outcome, bool, u32, u64)> = of
        .tests
        .iter()
        .map(|(id, test)| (id.clone(), (test.outcome, test.flaky, test.attempts, test.seconds.to_bits())))
        .collect();
    let mut metrics: Vec<_> = of.metrics.iter().map(|one| (one.name.clone(), one.value.to_bits())).collect();
    let mut problems: Vec<_> = of.problems.iter().map(|one| format!("{one:?}")).collect();
    let mut reports: Vec<_> = of.reports.iter().map(|one| format!("{one:?}")).collect();
    metrics.sort();
    problems.sort();
    reports.sort();
    (tests, of.coverage.clone(), metrics, problems, reports)
}

fn sums(files: &[&File]) -> Totals {
    files.iter().map(|file| file.summary()).fold(Totals::default(), |sum, one| sum + one)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_add_up_to_the_same_in_any_order_and_grouping(
        (reports, shuffled) in prop::collection::vec(report(), 0..7)
            .prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle())),
        split in 0..7_usize,
    ) {
        let straight = merged(reports.clone());
        prop_assert_eq!(facts(&straight), facts(&merged(shuffled.clone())));
        let split = split.min(shuffled.len());
        let grouped = merged([merged(shuffled[..split].to_vec()), merged(shuffled[split..].to_vec())]);
        prop_assert_eq!(facts(&straight), facts(&grouped));
    }

    #[test]
    fn totals_are_the_sums_of_the_files(reports in prop::collection::vec(report(), 1..6)) {
        let all = merged(reports);
        let files: Vec<_> = all.coverage.files().map(|(_, file)| file).collect();
        prop_assert_eq!(all.coverage.summary(), sums(&files));
        let numbers = Measurements::of(&all);
        for (name, ratio) in [("lines", sums(&files).lines), ("branches", sums(&files).branches)] {
            #[expect(clippy::cast_precision_loss, reason = "a few hundred lines")]
            let known = (ratio.total > 0).then_some((ratio.covered as f64, ratio.total as f64));
            let value = |part: &str| numbers.value(&format!("coverage.{name}.{part}"));
            prop_assert_eq!(value("covered").zip(value("total")), known);
        }
    }

    #[test]
    fn hits_add_with_saturation(a in source(), b in source()) {
        let of = |source: &Source| read("lcov", &lcov(&BTreeMap::from([(PATHS[0], source.clone())])), "x");
        let both = merged([of(&a), of(&b)]);
        let (_, file) = both.coverage.files().next().expect("a file");
        for (line, hits) in file.lines() {
            let want = a.lines.get(&line).unwrap_or(&0).saturating_add(*b.lines.get(&line).unwrap_or(&0));
            prop_assert_eq!(hits, want);
        }
        let lines: std::collections::BTreeSet<_> = a.lines.keys().chain(b.lines.keys()).collect();
        prop_assert_eq!(file.summary().lines.total, lines.len() as u64);
    }

    #[test]
    fn what_a_report_says_is_what_was_generated(model in model()) {
        for (format, text) in [("lcov", lcov(&model)), ("cobertura", cobertura(&model)), ("gocover", gocover(&model))] {
            let told = read(format, &text, "x");
            prop_assert!(told.problems.iter().all(|one| one.level == Level::Note), "{:?}", told.problems);
            let found: BTreeMap<_, BTreeMap<_, _>> =
                told.coverage.files().map(|(path, file)| (path.to_owned(), file.lines().collect())).collect();
            let want: BTreeMap<_, _> =
                model.iter().map(|(path, source)| ((*path).to_owned(), source.lines.clone())).collect();
            prop_assert_eq!(found, want, "{}", format);
            let arms: Vec<u64> = model.values().flat_map(|source| source.branches.values().flatten().copied()).collect();
            let taken = arms.iter().filter(|taken| **taken > 0).count() as u64;
            let branches = Ratio { covered: taken, total: arms.len() as u64 };
            let want = if format == "gocover" { Ratio::default() } else { branches };
            prop_assert_eq!(told.coverage.summary().branches, want, "{}", format);
        }
    }

    #[test]
    fn written_coverage_reads_back_equal(reports in prop::collection::vec(report(), 1..5)) {
        let all = merged(reports);
        prop_assume!(!all.coverage.is_empty());
        for writer in WRITERS.iter().filter(|writer| matches!(writer.name, "lcov" | "cobertura")) {
            let again = read(writer.name, &(writer.write)(&all), "x");
            prop_assert!(again.problems.iter().all(|one| one.level == Level::Note), "{:?}", again.problems);
            let lines = |of: &Evidence| -> Vec<_> {
                of.coverage.files().map(|(path, file)| (path.to_owned(), file.lines().collect::<Vec<_>>())).collect()
            };
            prop_assert_eq!(lines(&again), lines(&all), "{}", writer.name);
            let (found, want) = (again.coverage.summary(), all.coverage.summary());
            prop_assert_eq!((found.lines, found.branches), (want.lines, want.branches), "{}", writer.name);
            // Cobertura has no hits of functions.
            let keeps_functions = writer.name == "lcov";
            prop_assert!(!keeps_functions || found.functions == want.functions, "{found:?} {want:?}");
        }
    }

    #[test]
    fn written_tests_read_back_equal(reports in prop::collection::vec(report(), 1..5)) {
        let all = merged(reports);
        prop_assume!(!all.tests.is_empty());
        let junit = WRITERS.iter().find(|writer| writer.name == "junit").expect("a row");
        let again = read("junit", &(junit.write)(&all), "x");
        prop_assert!(again.problems.is_empty(), "{:?}", again.problems);
        let facts = |of: &Evidence| -> BTreeMap<Identity, _> {
            of.tests.iter().map(|(id, test)| (id.clone(), (test.outcome, test.flaky, test.seconds.to_bits()))).collect()
        };
        prop_assert_eq!(facts(&again), facts(&all));
    }
}
