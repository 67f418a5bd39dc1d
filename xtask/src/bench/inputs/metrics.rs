//! Metrics: a table, a run's steps, and a document, which readers bound to a few megabytes.

use std::io::{self, Write as _};

use super::{Input, Out, Random};

const STEPS: u64 = 3_000_000;
pub(super) const MLFLOW: Input =
    Input { file: "metrics/f1", format: "mlflow", is_small: false, write: mlflow, expect: ("metrics.f1", || 1) };

const ROWS: u64 = 2_500_000;
pub(super) const CSV: Input =
    Input { file: "metrics.csv", format: "csv", is_small: false, write: csv, expect: ("metrics.epoch", || ROWS - 1) };

const NUMBERS: u64 = 200_000;
pub(super) const DOCUMENT: Input = Input {
    file: "metrics.json",
    format: "document",
    is_small: true,
    write: document,
    expect: ("metrics.samples", || NUMBERS),
};

fn mlflow(out: &mut Out) -> io::Result<()> {
    let mut random = Random(1);
    for step in 0..STEPS - 1 {
        writeln!(out, "{} 0.{:06} {step}", 1_700_000_000_000 + step, random.below(1_000_000))?;
    }
    writeln!(out, "{} 1.0 {}", 1_700_000_000_000 + STEPS, STEPS - 1)
}

fn csv(out: &mut Out) -> io::Result<()> {
    let mut random = Random(2);
    writeln!(out, "epoch,train_loss,\"val, f1\",model")?;
    for row in 0..ROWS {
        writeln!(
            out,
            "{row},0.{:06},0.{:06},\"ensemble, {}\"",
            random.below(1_000_000),
            random.below(1_000_000),
            row % 7
        )?;
    }
    Ok(())
}

fn document(out: &mut Out) -> io::Result<()> {
    let mut random = Random(3);
    write!(out, "{{ \"samples\": {NUMBERS}")?;
    for at in 0..NUMBERS {
        write!(out, ",\n  \"group_{}\": {{ \"f1\": 0.{:06}, \"recall\": 0.5 }}", at, random.below(1_000_000))?;
    }
    out.write_all(b" }\n")
}
