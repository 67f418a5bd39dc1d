//! Other programs that read the same reports, and how to have them.
//!
//! They are looked for on `PATH` and never installed from here. One that is missing is named in the table:
//!
//! - `grcov`: `cargo install grcov --locked`. It has no command that only reads; writing lcov without branches costs
//!   it least, so that is the bound. With `--branch` it reads what `mgmt` reads.
//! - `xmllint`: Debian's `libxml2-utils`. It streams over the tags and keeps nothing: a floor, not a rival.
//! - `test_results_parser`: `pip install test-results-parser` for the `python3` on `PATH`. Its time includes the
//!   interpreter's start, about 20 ms.
//! - `diff-cover`: `pip install diff_cover`. Its time includes the interpreter's start, about 200 ms.

use std::path::Path;
use std::process::{Command, Stdio};

/// Another program and one way to call it.
pub(super) struct Peer {
    /// What stands in the table.
    pub(super) name: &'static str,
    /// What prints its version; it is missing if this fails.
    version: &'static [&'static str],
    /// Program and arguments; `FILE` stands for the input.
    command: &'static [&'static str],
}

/// grcov at its cheapest.
pub(super) const GRCOV: Peer = Peer {
    name: "grcov -t lcov",
    version: &["grcov", "--version"],
    command: &["grcov", "FILE", "-t", "lcov", "-o", "/dev/null"],
};
/// grcov with branches.
pub(super) const GRCOV_BRANCH: Peer = Peer {
    name: "grcov --branch -t lcov",
    version: &["grcov", "--version"],
    command: &["grcov", "FILE", "--branch", "-t", "lcov", "-o", "/dev/null"],
};
/// grcov's sums by folder, which is nearest to what is compared.
pub(super) const GRCOV_COVDIR: Peer = Peer {
    name: "grcov -t covdir",
    version: &["grcov", "--version"],
    command: &["grcov", "FILE", "-t", "covdir", "-o", "/dev/null"],
};
/// The C library's own stream over an XML file.
pub(super) const XMLLINT: Peer = Peer {
    name: "xmllint --stream",
    version: &["xmllint", "--version"],
    command: &["xmllint", "--stream", "--nonet", "FILE"],
};
/// Coverage of changed lines, in Python; run in the repository that was changed.
pub(super) const DIFF_COVER: Peer = Peer {
    name: "diff-cover",
    version: &["diff-cover", "--version"],
    command: &["diff-cover", "FILE", "--compare-branch", "main"],
};
/// The parser behind a hosted service's test reports; Rust inside, called from Python.
pub(super) const TEST_RESULTS_PARSER: Peer = Peer {
    name: "test_results_parser",
    version: &["python3", "-c", "import importlib.metadata as m; print(m.version('test-results-parser'))"],
    command: &[
        "python3",
        "-c",
        "import sys, test_results_parser as t; t.parse_junit_xml(open(sys.argv[1], 'rb').read())",
        "FILE",
    ],
};

impl Peer {
    /// Its version; `None` if it is not there.
    pub(super) fn version(&self) -> Option<String> {
        let output = Command::new(self.version[0]).args(&self.version[1..]).stdin(Stdio::null()).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).lines().next()?.trim().to_owned();
        output.status.success().then(|| text.rsplit(' ').next().unwrap_or_default().to_owned())
    }

    /// The command for an input.
    pub(super) fn on(&self, input: &Path) -> Command {
        let mut command = Command::new(self.command[0]);
        for arg in &self.command[1..] {
            if *arg == "FILE" {
                command.arg(input)
            } else {
                command.arg(arg)
            };
        }
        command
    }
}
