//! What surrounds the work of a check: size, start, scheduling, each beside a floor that everybody has.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;
use xshell::{Shell, cmd};

use super::meter::{mib, peak_of_children};
use crate::chore::{root, say};

/// Counted runs of each command.
const RUNS: usize = 15;
/// Checks in the scheduling benchmark.
const CHECKS: usize = 200;

/// The size of the binary.
pub(super) fn size(mgmt: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::metadata(mgmt)?.len();
    say(&format!("size       {:.2} MiB  (below 12)", mib(bytes)));
    Ok(())
}

/// `mgmt --version` beside `true`.
pub(super) fn start(mgmt: &Path) -> anyhow::Result<()> {
    let folder = std::env::temp_dir();
    let ((ours, _), (floor, _)) =
        pair(|| time(Command::new(mgmt).arg("--version"), &folder), || time(&mut Command::new("true"), &folder))?;
    say(&format!(
        "start      mgmt --version {}, true {}: {} apart  (below 3 ms)",
        ms(ours),
        ms(floor),
        ms(ours.saturating_sub(floor))
    ));
    Ok(())
}

/// 200 checks that do nothing, beside `make -j2` on the same commands.
pub(super) fn schedule(mgmt: &Path) -> anyhow::Result<()> {
    let folder = scratch("schedule")?;
    let mut config = String::from("version: 1\nchecks:\n");
    let mut makefile = format!("all: {}\n", (0..CHECKS).map(|at| format!("c{at}")).collect::<Vec<_>>().join(" "));
    for at in 0..CHECKS {
        config.push_str(&format!("  c{at}: {{ group: noop, run: [/bin/true] }}\n"));
        makefile.push_str(&format!(".PHONY: c{at}\nc{at}:\n\t@/bin/true\n"));
    }
    std::fs::write(folder.join("mgmt.yml"), config)?;
    std::fs::write(folder.join("Makefile"), makefile)?;
    let ours = || time(Command::new(mgmt).args(["full-check", "-q", "--jobs", "2"]), &folder);
    let peer = || time(Command::new("make").arg("-j2"), &folder);
    let first = ours()?;
    let peak = peak_of_children();
    let ((ours, _), (peer, _)) = pair(ours, peer)?;
    say(&format!(
        "schedule   {CHECKS} no-op checks: mgmt {}, make -j2 {}: ratio {:.2}  (below 1.3); first run {}",
        ms(ours),
        ms(peer),
        ratio(ours, peer),
        ms(first)
    ));
    if let Some(peak) = peak {
        say(&format!("memory     {:.1} MiB at the most with {CHECKS} checks  (below 30)", mib(peak)));
    }
    Ok(())
}

/// What a full check adds to its one check: the same sleep with and without.
pub(super) fn overhead(mgmt: &Path) -> anyhow::Result<()> {
    let folder = scratch("overhead")?;
    std::fs::write(folder.join("mgmt.yml"), "version: 1\nchecks:\n  nap: { group: noop, run: [sleep, \"0.2\"] }\n")?;
    let shell = Shell::new()?;
    shell.change_dir(&folder);
    cmd!(shell, "git init -q").run()?;
    let ((ours, _), (floor, _)) = pair(
        || time(Command::new(mgmt).args(["full-check", "-q"]), &folder),
        || time(Command::new("sleep").arg("0.2"), &folder),
    )?;
    say(&format!(
        "overhead   full-check {}, its check alone {}: {} added  (below 30 ms)",
        ms(ours),
        ms(floor),
        ms(ours.saturating_sub(floor))
    ));
    Ok(())
}

/// An empty folder.
pub(super) fn scratch(name: &str) -> anyhow::Result<PathBuf> {
    let folder = root().join("target/bench").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// One run; its output is thrown away.
fn time(command: &mut Command, folder: &Path) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let status =
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let elapsed = started.elapsed();
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(elapsed)
}

/// A warm-up of each, then both in turn. Returns (median, least) of each.
fn pair(
    mut a: impl FnMut() -> anyhow::Result<Duration>,
    mut b: impl FnMut() -> anyhow::Result<Duration>,
) -> anyhow::Result<((Duration, Duration), (Duration, Duration))> {
    a()?;
    b()?;
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        of_a.push(a()?);
        of_b.push(b()?);
    }
    Ok((middle(of_a), middle(of_b)))
}

fn middle(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[0])
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
