//! `cargo xtask bench [NAME]`: the release binary against floors that everybody has, and against other programs for
//! the same work, run in turn in one sitting.
//!
//! Ratios and differences of medians are what counts; single times on a shared machine are not. `evidence`,
//! `gate` and `history` take minutes, and up to two gigabytes under `target/bench`, so they run only when they are
//! named.

mod audit;
mod evidence;
mod floors;
mod gate;
mod history;
mod inputs;
mod meter;
mod peers;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use xshell::{Shell, cmd};

use crate::chore::root;

/// A benchmark, given the release binary and the arguments after its name.
type Bench = fn(&Path, &[String]) -> anyhow::Result<()>;

/// Those that run when none is named.
const FLOORS: &[(&str, Bench)] = &[
    ("size", |mgmt, _| floors::size(mgmt)),
    ("start", |mgmt, _| floors::start(mgmt)),
    ("schedule", |mgmt, _| floors::schedule(mgmt)),
    ("overhead", |mgmt, _| floors::overhead(mgmt)),
    ("audit", |mgmt, _| audit::run(mgmt)),
];
const NAMED: &[(&str, Bench)] =
    &[("evidence", evidence::run), ("gate", |mgmt, _| gate::run(mgmt)), ("history", |_, _| history::run())];

pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    if let [name, rest @ ..] = args
        && name == meter::NAME
    {
        return meter::run(rest);
    }
    let shell = Shell::new()?;
    shell.change_dir(root());
    cmd!(shell, "cargo build --quiet --release --locked --bin mgmt").run()?;
    let mgmt = root().join("target/release").join(format!("mgmt{}", std::env::consts::EXE_SUFFIX));
    if let [name, rest @ ..] = args {
        let (_, bench) = FLOORS.iter().chain(NAMED).find(|(known, _)| known == name).with_context(|| {
            let names: Vec<_> = FLOORS.iter().chain(NAMED).map(|(name, _)| *name).collect();
            format!("there is no benchmark `{name}`; there are: {}", names.join(", "))
        })?;
        return bench(&mgmt, rest);
    }
    // Peak memory is the greatest of all children of a process so far: each benchmark gets its own process.
    let me = std::env::current_exe()?;
    for (name, _) in FLOORS {
        let status = Command::new(&me).args(["bench", name]).status()?;
        ensure!(status.success(), "the benchmark `{name}` failed");
    }
    Ok(())
}
