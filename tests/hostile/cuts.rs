//! A report that was cut never reads as a whole one, wherever the cut is.

use mgmt_action::evidence::{self, Evidence, FORMATS, Format, Level, Measurements};
use rayon::prelude::*;

use super::bodies::{self, End, end_of};
use super::seeds;

/// Cuts of one report; a longer report is cut at evenly spread places, and at each of the last bytes.
const CUTS: usize = 100;

fn places(length: usize) -> impl Iterator<Item = usize> {
    let step = length / CUTS + 1;
    (0..length).filter(move |at| at % step == length % step || length - at < 80)
}

#[test]
fn a_cut_report_is_a_loss_unless_nothing_is_missing() {
    let found: Vec<String> = FORMATS
        .par_iter()
        .filter_map(|format| seeds::of(format.name).iter().find_map(|seed| silent(format, seed)))
        .collect();
    assert!(found.is_empty(), "\n\n{}\n", found.join("\n"));
}

/// The first cut of a report that loses something and says nothing.
fn silent(format: &'static Format, seed: &seeds::Seed) -> Option<String> {
    let whole = bodies::read_wide(Some(format), &*seed.bytes);
    let sums = numbers(&whole);
    if !bodies::is_lossless(&whole) {
        return None;
    }
    let at = places(seed.bytes.len()).find(|at| {
        let (cut, dropped) = seed.bytes.split_at(*at);
        bodies::cut(format, &whole, &seed.bytes, *at);
        let told = bodies::read_wide(Some(format), cut);
        let is_whole = match end_of(format) {
            End::Value => dropped.iter().all(u8::is_ascii_whitespace),
            End::Element | End::Record => numbers(&told) == sums || is_between(format, cut, &told),
        };
        bodies::is_lossless(&told) && !is_whole
    })?;
    Some(format!("{}: {} cut at {at} of {} says nothing", format.name, seed.name, seed.bytes.len()))
}

fn numbers(evidence: &Evidence) -> Vec<(String, u64)> {
    Measurements::of(evidence).iter().map(|one| (one.name.clone(), one.value.to_bits())).collect()
}

/// Whether the cut is between two records of a format in which nothing announces the next one.
fn is_between(format: &Format, cut: &[u8], told: &Evidence) -> bool {
    let text = String::from_utf8_lossy(cut);
    let is_line = text.ends_with('\n');
    match format.name {
        "lcov" => {
            text.rsplit("end_of_record").next().is_some_and(|rest| rest.len() < text.len() && !rest.contains("SF:"))
        }
        "gocover" | "mlflow" => is_line,
        // A document in YAML or TOML, or a table: its last line is whole, or it is said to have no end.
        "document" | "csv" => is_line || has_note(told),
        // Between two packages of Go, and two programs of libtest.
        "go-json" => {
            let last = text.lines().rfind(|line| line.ends_with('}') || !line.starts_with('{')).unwrap_or_default();
            !last.contains("\"Test\":")
        }
        "libtest" => text.rfind("test result: ").is_some_and(|at| !text[at..].contains("\nrunning ")),
        _ => false,
    }
}

fn has_note(told: &Evidence) -> bool {
    told.problems.iter().any(|problem| problem.level == Level::Note && problem.code == evidence::problem::REPAIRED.id)
}
