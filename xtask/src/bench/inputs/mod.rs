//! Large reports, the same bytes on every machine: made once under `target/bench/`, then reused.
//!
//! Coverage inputs describe the same two thousand source files, test inputs the same two hundred thousand cases,
//! so that what is read can be held against what was written. About 100 MB each, except where a format's readers
//! are bounded to less or real reports never come near: those are marked [`Input::is_small`].

mod coverage;
mod metrics;
mod tests;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::chore::say;

/// Raised when a generator changes: older files are then made anew.
const VERSION: u32 = 1;

pub(super) use coverage::path as source;

/// Where inputs are written.
pub(super) type Out = BufWriter<File>;

/// One input.
pub(super) struct Input {
    /// Name of the file; the format's own endings.
    pub(super) file: &'static str,
    /// The format it is in, by its name in the table of formats.
    pub(super) format: &'static str,
    /// Whether it is far below 100 MB on purpose.
    pub(super) is_small: bool,
    /// Writes it.
    write: fn(&mut Out) -> io::Result<()>,
    /// A measurement that a reader must arrive at.
    pub(super) expect: (&'static str, fn() -> u64),
}

/// Every input: one a format, in the order of the table of formats. Two more are second shards.
pub(super) const INPUTS: &[Input] = &[
    coverage::LCOV,
    tests::JUNIT,
    coverage::COBERTURA,
    coverage::JACOCO,
    coverage::CLOVER,
    coverage::OPENCOVER,
    coverage::GOCOVER,
    coverage::ISTANBUL,
    coverage::ISTANBUL_SUMMARY,
    coverage::COVERAGE_PY,
    coverage::LLVM,
    coverage::SIMPLECOV,
    tests::TRX,
    tests::GO_JSON,
    tests::CTRF,
    tests::LIBTEST,
    tests::TAP,
    metrics::MLFLOW,
    metrics::CSV,
    metrics::DOCUMENT,
];

/// Second shards of the two largest kinds, for reading two files at once.
pub(super) const SHARDS: &[(&Input, &Input)] =
    &[(&coverage::LCOV, &coverage::LCOV_2), (&tests::JUNIT, &tests::JUNIT_2)];

impl Input {
    /// Its path under `folder`; the file is made if it is not there yet.
    pub(super) fn make(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = folder.join(format!("evidence-{VERSION}")).join(self.file);
        if !path.exists() {
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            let part = folder.join("unfinished");
            let mut out = BufWriter::with_capacity(1 << 20, File::create(&part)?);
            (self.write)(&mut out)?;
            out.flush()?;
            fs::rename(&part, &path)?;
            say(&format!("made {} ({} MB)", self.file, fs::metadata(&path)?.len() / 1_000_000));
        }
        Ok(path)
    }
}

/// splitmix64: small, fast, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True `percent` times in a hundred.
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
