//! What must hold for any bytes at all, as plain functions: the fuzzer calls them on what it invents,
//! `tests/hostile.rs` on real reports and seeded mutations of them.
//!
//! A body fails by panicking. Each asserts more than that nothing panics: the same bytes give the same evidence
//! however they arrive, sums are those of their parts, nothing is lost without a word, and what is written reads back.

mod policy;
mod sound;
mod written;

use std::io::Read;

use mgmt_action::evidence::problem::LIMIT;
use mgmt_action::evidence::{self, Evidence, FORMATS, Format, Kind, Level, Limits, Measurements, Origin, Repeats};
use mgmt_action::evidence::{Outcome, collect};

/// Targets beside the formats: reports whose format is not given, and `mgmt.yml`.
pub(crate) const OTHERS: &[&str] = &["any", "policy"];

/// Bounds that no seed comes near, and small enough that a report cannot claim a million lines in a few bytes.
const WIDE: Limits = Limits {
    item_bytes: 1 << 20,
    depth: 200,
    name_bytes: 4 << 10,
    message_bytes: 4 << 10,
    entries: 2_000,
    total_bytes: 1 << 30,
    all_names_bytes: 1 << 24,
    reports: 1,
    reports_bytes: 1 << 30,
};

/// Bounds that most reports pass.
const TIGHT: Limits = Limits {
    item_bytes: 400,
    depth: 6,
    name_bytes: 24,
    message_bytes: 40,
    entries: 4,
    total_bytes: 6_000,
    all_names_bytes: 300,
    reports: 1,
    reports_bytes: 6_000,
};

/// Runs the target of that name.
pub(crate) fn target(name: &str, bytes: &[u8]) {
    match name {
        "any" => any(bytes),
        "policy" => policy::check(bytes),
        _ => match evidence::format(name) {
            Some(format) => report(format, bytes),
            None => panic!("there is no format `{name}`"),
        },
    }
}

/// How the end of a report tells whether all of it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// One JSON value: any cut is told.
    Value,
    /// Elements that end; after the last of them there may be another, or none.
    Element,
    /// Records or lines: a cut between two of them is told only where something announces more.
    Record,
}

/// The end of each format; a new row of `FORMATS` needs an arm here.
pub(crate) fn end_of(format: &Format) -> End {
    match format.name {
        "ctrf" | "istanbul" | "istanbul-summary" | "coverage-py" | "llvm" | "simplecov" => End::Value,
        "trx" | "junit" | "cobertura" | "clover" | "jacoco" | "opencover" => End::Element,
        "go-json" | "lcov" | "gocover" | "libtest" | "tap" | "mlflow" | "csv" | "document" => End::Record,
        other => panic!("say in `end_of` what tells a cut report of the format `{other}` from a whole one"),
    }
}

/// One report read as a known format.
fn report(format: &'static Format, bytes: &[u8]) {
    let whole = read(Some(format), bytes, &WIDE);
    sound::check(&whole, &WIDE);
    same(&whole, &read(Some(format), bytes, &WIDE), "the second reading");
    let seed = bytes.iter().fold(bytes.len() as u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let most = [1, 2, 3, 7, 64][usize::try_from(seed % 5).unwrap_or(0)];
    same(&whole, &read(Some(format), Pieces { rest: bytes, most, seed }, &WIDE), "reading in pieces");
    let tight = read(Some(format), bytes, &TIGHT);
    sound::check(&tight, &TIGHT);
    if is_lossless(&tight) {
        assert_eq!(tight.tests.summary(), whole.tests.summary(), "bounds dropped tests and nothing was said");
        assert_eq!(tight.metrics.len(), whole.metrics.len(), "bounds dropped numbers and nothing was said");
        let (mut kept, mut all) = (tight.coverage.summary(), whole.coverage.summary());
        if tight.problems.iter().any(|problem| problem.code == LIMIT.id) {
            // Of names that were cut nothing tells which are instantiations of one function.
            (kept.functions, all.functions) = Default::default();
        }
        assert_eq!(kept, all, "bounds dropped coverage and nothing was said");
    }
    if !bytes.is_empty() {
        cut(format, &whole, bytes, usize::try_from(seed / 5 % bytes.len() as u64).unwrap_or(0));
    }
    written::check(&whole);
}

/// Reports whose format their content tells, as every kind.
fn any(bytes: &[u8]) {
    for kind in Kind::ALL.iter().map(|(_, kind)| Some(*kind)).chain([None]) {
        let told = collect::read(bytes, kind, None, &origin(), &WIDE);
        sound::check(&told, &WIDE);
        for report in &told.reports {
            assert!(kind.is_none_or(|kind| kind == report.kind), "asked for {kind:?}, read {}", report.format);
            assert!(FORMATS.iter().any(|row| row.name == report.format && row.kind == report.kind));
        }
    }
}

/// A report cut at a place: what is left is no more than the whole said, and a loss unless nothing is missing.
pub(crate) fn cut(format: &'static Format, whole: &Evidence, bytes: &[u8], at: usize) {
    let part = read(Some(format), &bytes[..at], &WIDE);
    sound::check(&part, &WIDE);
    if !is_lossless(&part) || !is_lossless(whole) {
        return;
    }
    let dropped = &bytes[at..];
    if end_of(format) == End::Value {
        let is_blank = dropped.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0);
        assert!(is_blank, "a document cut at {at} was read without loss");
    }
    // TAP may name a subtest by the point that follows it.
    for (identity, _) in part.tests.iter().filter(|_| format.name != "tap") {
        assert!(
            whole.tests.iter().any(|(other, _)| other == identity),
            "cut at {at}: {identity:?} is in no whole report"
        );
    }
    let (less, more) = (part.coverage.summary(), whole.coverage.summary());
    assert!(less.lines.total <= more.lines.total, "cut at {at}: {less:?} of {more:?}");
}

/// Whether nothing of a report was lost or guessed.
pub(crate) fn is_lossless(evidence: &Evidence) -> bool {
    evidence.problems.iter().all(|problem| problem.level != Level::Loss)
}

/// Reads without any limit that a seed would reach.
pub(crate) fn read_wide(format: Option<&'static Format>, input: impl Read) -> Evidence {
    read(format, input, &WIDE)
}

fn read(format: Option<&'static Format>, input: impl Read, limits: &Limits) -> Evidence {
    collect::read(input, format.map(|format| format.kind), format, &origin(), limits)
}

fn origin() -> Origin<'static> {
    Origin { check: "check", path: "metrics/report", repeats: Repeats::Worst }
}

/// Asserts that two readings tell the same. NaN is itself here.
pub(crate) fn same(a: &Evidence, b: &Evidence, what: &str) {
    assert!(a.tests.iter().eq(b.tests.iter()), "{what}: other tests");
    assert!(a.coverage == b.coverage, "{what}: other coverage");
    let metrics = |evidence: &Evidence| -> Vec<_> {
        evidence.metrics.iter().map(|one| (one.name.clone(), one.value.to_bits(), one.source.clone())).collect()
    };
    assert_eq!(metrics(a), metrics(b), "{what}: other metrics");
    assert_eq!(a.source_roots, b.source_roots, "{what}: other source roots");
    assert_eq!(a.reports, b.reports, "{what}: other reports");
    assert_eq!(a.problems, b.problems, "{what}: other problems");
}

/// Hands out a few bytes at a time, never more than `most`.
struct Pieces<'a> {
    rest: &'a [u8],
    most: usize,
    seed: u64,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wanted = 1 + usize::try_from(self.seed >> 33).unwrap_or(0) % self.most;
        let count = wanted.min(self.rest.len()).min(out.len());
        out[..count].copy_from_slice(&self.rest[..count]);
        self.rest = &self.rest[count..];
        Ok(count)
    }
}
