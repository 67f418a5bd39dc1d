//! `cargo xtask bench gate`: what judging a change adds to reading its coverage, beside diff-cover on the same files.
//!
//! Two thousand source files and six million lines of coverage; a hundred of the files were changed, sixty lines each.
//! `mgmt gate` finds the baseline in history, tells changed lines apart, judges every file by itself, prints the
//! result, writes it as Markdown, JSON and HTML, and stores it. What it adds is its processor time less that of
//! `mgmt inspect`, which only reads. The peer prints one percentage and the lines of each changed file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use xshell::{Shell, cmd};

use super::evidence::{in_turn, ratio, shown};
use super::floors::scratch;
use super::inputs::INPUTS;
use super::peers::DIFF_COVER;
use crate::chore::{root, say};

/// Source files that the coverage report names, and those of them that were changed.
const FILES: (u64, u64) = (2_000, 100);
/// Lines of each changed file, as many as the report names, and how many of them were changed.
const LINES: (u64, u64) = (4_000, 60);
/// What judging may add to reading.
const ADDED: Duration = Duration::from_millis(300);
/// How many times the processor time the peer takes, at least.
const PEER: f64 = 10.0;

const POLICY: &str = "version: 1
checks:
  coverage: { group: test, run: [cp, REPORT, coverage.info], evidence: { coverage: coverage.info } }
gate:
  - { metric: coverage.lines.percent, min: 50, max-drop: 1 }
  - { metric: coverage.lines.percent, each: file, min: 50 }
  - { metric: coverage.patch.percent, min: 80 }
  - { metric: coverage.lost.lines, max: 0 }
";

/// The benchmark.
pub(super) fn run(mgmt: &Path) -> anyhow::Result<()> {
    let input = INPUTS.iter().find(|input| input.format == "lcov").context("no lcov input")?;
    let report = input.make(&root().join("target/bench"))?;
    let folder = scratch("gate")?;
    write_sources(&folder, false)?;
    fs::write(folder.join("mgmt.yml"), POLICY.replace("REPORT", &report.to_string_lossy()))?;
    fs::write(folder.join(".gitignore"), "coverage.info\n")?;
    let shell = Shell::new()?;
    shell.change_dir(&folder);
    let commit = |what: &str| -> anyhow::Result<()> {
        cmd!(shell, "git add --all").run()?;
        cmd!(shell, "git -c user.name=bench -c user.email=bench@localhost commit --quiet -m {what}").run()?;
        Ok(())
    };
    cmd!(shell, "git init --quiet --initial-branch main").run()?;
    commit("base")?;
    cmd!(shell, "{mgmt} full-check --quiet").run()?;
    cmd!(shell, "git checkout --quiet -b change").run()?;
    write_sources(&folder, true)?;
    commit("change")?;

    let command = |program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(&folder);
        command
    };
    let gate = ["gate", "--evidence", "coverage.info"];
    let said = command(mgmt, &gate).args(["--format", "json"]).output()?;
    let said: serde_json::Value = serde_json::from_slice(&said.stdout)?;
    let changed = said["patch"]["files"].as_array().map_or(0, Vec::len);
    ensure!(said["baseline"]["commit"].is_string(), "no baseline was found: {}", said["problems"]);
    ensure!(changed as u64 == FILES.1, "{changed} changed files were found, {} were made", FILES.1);

    let mut commands = vec![command(mgmt, &["inspect", "coverage.info"]), command(mgmt, &gate)];
    let version = DIFF_COVER.version();
    if version.is_some() {
        let mut peer = DIFF_COVER.on(Path::new("coverage.info"));
        peer.current_dir(&folder);
        commands.push(peer);
    }
    let costs = in_turn(&commands)?;
    let [inspect, judged, ..] = costs[..] else { anyhow::bail!("no run") };
    let added = judged.cpu.saturating_sub(inspect.cpu);
    let verdict = |met: bool| if met { "met" } else { "MISSED" };
    say(&format!("gate       mgmt inspect {}, mgmt gate {}", shown(inspect), shown(judged)));
    say(&format!(
        "           must add ≤ {:.1} s CPU to reading: {:.2} s {}",
        ADDED.as_secs_f64(),
        added.as_secs_f64(),
        verdict(added <= ADDED)
    ));
    match (version, costs.get(2)) {
        (Some(version), Some(peer)) => {
            let times = ratio(peer.cpu, judged.cpu);
            say(&format!("           {} {version} {}", DIFF_COVER.name, shown(*peer)));
            say(&format!("           must take ≥ {PEER} times less CPU: {times:.1} {}", verdict(times >= PEER)));
        }
        _ => say(&format!("           {} is not on PATH: not compared", DIFF_COVER.name)),
    }
    Ok(())
}

/// The sources; only the files that change are as long as the report says.
fn write_sources(folder: &Path, after: bool) -> anyhow::Result<()> {
    let every = FILES.0 / FILES.1;
    for file in 0..FILES.0 {
        let path = folder.join(super::inputs::source(file, "rs"));
        let is_changed = file % every == 0;
        if after && !is_changed {
            continue;
        }
        let mut text = String::new();
        for line in 1..=if is_changed { LINES.0 } else { 1 } {
            // Six changes of ten lines each, all over the file.
            let is_new = after && line % (LINES.0 / 6) < LINES.1 / 6;
            writeln!(text, "    step({file}, {line}, {});", if is_new { "after" } else { "before" })?;
        }
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}
