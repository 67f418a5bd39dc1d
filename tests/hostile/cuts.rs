//! A report that was cut never reads as a whole one, wherever the cut is.

use mgmt_action::evidence::{self, Evidence, FORMATS, Format, Level, Measurements};
use rayon::prelude::*;

use super::bodies::{self, End, end_of};
use super::seeds;

/// Cuts of one report; a longer report is cut at evenly spread places, and at each of the last bytes.
const CUTS: usize = 150;

fn places(length: usize) -> impl Iterator<Item = usize> {
    let step = length / CUTS + 1;
    (0..length).filter(move |at| at % step == 0 || length - at < 80)
}

#[test]
fn a_cut_report_is_a_loss_unless_nothing_is_missing() {
    FORMATS.par_iter().for_each(|format| {
        for seed in seeds::of(format.name) {
            let whole = bodies::read_wide(Some(format), &*seed.bytes);
            if !bodies::is_lossless(&whole) {
                continue;
            }
            let sums = numbers(&whole);
            for at in places(seed.bytes.len()) {
                let cut = &seed.bytes[..at];
                let told = bodies::read_wide(Some(format), cut);
                let is_told = !bodies::is_lossless(&told);
                let what = format!("{} cut at {at} of {}", seed.name, seed.bytes.len());
                let is_same = numbers(&told) == sums;
                assert!(is_told || is_same || is_between(format, cut, &told), "{what} loses numbers and says nothing");
                if end_of(format) == End::Value {
                    let is_blank = seed.bytes[at..].iter().all(u8::is_ascii_whitespace);
                    assert!(is_told || is_blank, "{what} was read without loss");
                }
                bodies::cut(format, &whole, &seed.bytes, at);
            }
        }
    });
}

fn numbers(evidence: &Evidence) -> Vec<(String, u64)> {
    Measurements::of(evidence).iter().map(|one| (one.name.clone(), one.value.to_bits())).collect()
}

/// Whether the cut is between two records of a format in which nothing announces the next one.
fn is_between(format: &Format, cut: &[u8], told: &Evidence) -> bool {
    let text = String::from_utf8_lossy(cut);
    let is_line = text.ends_with('\n');
    match format.name {
        "lcov" => text.trim_end().ends_with("end_of_record"),
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
