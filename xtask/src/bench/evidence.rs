//! `cargo xtask bench evidence [FORMAT…]`: how much work reading large reports is, beside the programs in
//! [`peers`](super::peers).
//!
//! Each command is run [`RUNS`] times, all commands for one input in turn. Figures are medians of whole processes:
//! processor time over all threads, and the greatest peak memory. Before it is timed, `mgmt` must arrive at the sum
//! that was written into the input: a reader that loses half of a report is fast for nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::floors::scratch;
use super::inputs::{INPUTS, Input, SHARDS};
use super::meter::{self, Cost, mib};
use super::peers::{GRCOV, GRCOV_BRANCH, GRCOV_COVDIR, Peer, TEST_RESULTS_PARSER, XMLLINT};
use crate::chore::{root, say};

/// Counted runs of each command.
const RUNS: usize = 7;
/// How much faster two files must be read at once than one after the other.
const PARALLEL: f64 = 1.8;

/// What is asked of a figure.
enum Bound {
    /// Processor time, at most so many times a peer's.
    Ratio(&'static Peer, f64),
    /// Processor time in seconds, at most.
    Seconds(f64),
    /// Peak memory in MiB, at most.
    Peak(f64),
    /// Megabytes for each second of processor time, at least.
    Rate(f64),
}

/// What is asked of one format.
struct Target {
    format: &'static str,
    peers: &'static [&'static Peer],
    must: &'static [Bound],
    should: &'static [Bound],
}

const TARGETS: &[Target] = &[
    Target {
        format: "lcov",
        peers: &[&GRCOV, &GRCOV_BRANCH, &GRCOV_COVDIR],
        must: &[Bound::Ratio(&GRCOV, 0.5), Bound::Peak(100.0)],
        should: &[Bound::Rate(500.0)],
    },
    Target {
        format: "junit",
        peers: &[&TEST_RESULTS_PARSER, &XMLLINT],
        must: &[Bound::Ratio(&TEST_RESULTS_PARSER, 1.0), Bound::Peak(64.0)],
        should: &[Bound::Ratio(&XMLLINT, 1.0)],
    },
    Target {
        format: "cobertura",
        peers: &[&XMLLINT],
        must: &[Bound::Ratio(&XMLLINT, 1.5), Bound::Peak(100.0)],
        should: &[Bound::Ratio(&XMLLINT, 1.0)],
    },
];

/// What is asked of every other format: XML beside xmllint for comparison only.
const XML: Target = Target { format: "xml", peers: &[&XMLLINT], must: &[Bound::Seconds(1.5)], should: &[] };
const OTHER: Target = Target { format: "", peers: &[], must: &[Bound::Seconds(1.5)], should: &[] };

fn target(input: &Input) -> &'static Target {
    let is_xml = input.file.ends_with("xml") || input.format == "trx";
    let other = if is_xml { &XML } else { &OTHER };
    TARGETS.iter().find(|target| target.format == input.format).unwrap_or(other)
}

/// The benchmark; `args` are the formats asked for, all if there are none.
pub(super) fn run(mgmt: &Path, args: &[String]) -> anyhow::Result<()> {
    let is_asked = |input: &Input| args.is_empty() || args.iter().any(|arg| arg == input.format);
    if let Some(unknown) = args.iter().find(|arg| !INPUTS.iter().any(|input| input.format == arg.as_str())) {
        let names: Vec<_> = INPUTS.iter().map(|input| input.format).collect();
        anyhow::bail!("there is no input of the format `{unknown}`; there are: {}", names.join(", "));
    }
    for row in mgmt_action::evidence::FORMATS {
        ensure!(INPUTS.iter().any(|input| input.format == row.name), "there is no input of the format `{}`", row.name);
    }
    let bench = Bench { mgmt, folder: root().join("target/bench") };
    for input in INPUTS.iter().filter(|input| is_asked(input)) {
        bench.one(input)?;
    }
    for (first, second) in SHARDS.iter().filter(|(first, _)| is_asked(first)) {
        bench.two(first, second)?;
    }
    if let Some(input) = INPUTS.first().filter(|input| is_asked(input)) {
        bench.pipe(input)?;
    }
    Ok(())
}

struct Bench<'a> {
    mgmt: &'a Path,
    folder: PathBuf,
}

impl Bench<'_> {
    fn inspect(&self, files: &[&Path]) -> Command {
        let mut command = Command::new(self.mgmt);
        command.arg("inspect").args(files).current_dir(&self.folder);
        command
    }

    /// Holds what is read against what was written.
    fn verify(&self, input: &Input, path: &Path) -> anyhow::Result<()> {
        let output = self.inspect(&[path]).args(["--format", "json"]).stdin(Stdio::null()).output()?;
        let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let format = &said["files"][0]["format"];
        ensure!(format.as_str().is_none_or(|format| format == input.format), "{} was read as {format}", input.file);
        let (name, expected) = input.expect;
        let found = said["measurements"][name]
            .as_f64()
            .with_context(|| format!("{}: no {name} in {}; {}", input.file, said["measurements"], said["problems"]))?;
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let expected = expected() as f64;
        ensure!((found - expected).abs() < 0.5, "{}: {name} is {found}, {expected} was written", input.file);
        ensure!(output.status.success(), "{}: {}", input.file, said["problems"]);
        Ok(())
    }

    fn one(&self, input: &Input) -> anyhow::Result<()> {
        let path = input.make(&self.folder)?;
        self.verify(input, &path)?;
        let target = target(input);
        let peers: Vec<_> = target.peers.iter().map(|peer| (*peer, peer.version())).collect();
        let mut commands = vec![self.inspect(&[&path])];
        commands.extend(peers.iter().filter(|(_, version)| version.is_some()).map(|(peer, _)| peer.on(&path)));
        let mut costs = in_turn(&commands)?.into_iter();
        let ours = costs.next().context("no run")?;
        let peers: Vec<_> = peers
            .into_iter()
            .map(|(peer, version)| (peer, version.and_then(|found| Some((found, costs.next()?)))))
            .collect();

        let bytes = fs::metadata(&path)?.len();
        let note = if input.is_small { "  (small on purpose)" } else { "" };
        say(&format!(
            "{:<18} {:>6.1} MB  mgmt {}, {:.0} MB/s{note}",
            input.format,
            mb(bytes),
            shown(ours),
            rate(bytes, ours)
        ));
        for (peer, found) in &peers {
            say(&match found {
                Some((version, cost)) => format!(
                    "{:<18} {:>9}  {} {version} {}: mgmt takes {:.2} of its time",
                    "",
                    "",
                    peer.name,
                    shown(*cost),
                    ratio(ours.cpu, cost.cpu)
                ),
                None => format!("{:<18} {:>9}  {} is not on PATH: not compared", "", "", peer.name),
            });
        }
        for (word, bounds) in [("must", target.must), ("should", target.should)] {
            for bound in bounds {
                let (wanted, found, is_met) = bound.judge(ours, bytes, &peers);
                let verdict = is_met.map_or("UNKNOWN", |met| if met { "met" } else { "MISSED" });
                say(&format!("{:<18} {:>9}  {word} {wanted}: {found} {verdict}", "", ""));
            }
        }
        Ok(())
    }

    /// Two shards at once beside the two one after the other.
    ///
    /// Wall time on a machine that others use says little, so the least of the runs counts, and beside it stands what
    /// processor time alone would allow: the longer of the two, and whatever both together take more than each alone.
    fn two(&self, first: &Input, second: &Input) -> anyhow::Result<()> {
        let paths = [first.make(&self.folder)?, second.make(&self.folder)?];
        let costs =
            in_turn(&[self.inspect(&[&paths[0]]), self.inspect(&[&paths[1]]), self.inspect(&[&paths[0], &paths[1]])])?;
        let [one, other, both] = costs[..] else { anyhow::bail!("no run") };
        let gain = ratio(one.least + other.least, both.least);
        let sum = one.cpu + other.cpu;
        let bound = ratio(sum, one.cpu.max(other.cpu) + both.cpu.saturating_sub(sum));
        say(&format!(
            "{:<18} two files: {} + {} alone, {} at once, {}",
            first.format,
            seconds(one.least),
            seconds(other.least),
            seconds(both.least),
            shown(both)
        ));
        let verdict = if gain >= PARALLEL { "met" } else { "MISSED" };
        say(&format!(
            "{:<18} {:>9}  must ≥ {PARALLEL} times as fast: {gain:.2} {verdict}; {bound:.2} by processor time",
            "", ""
        ));
        Ok(())
    }

    /// A report that a check prints, read through the pipe of `from: output`, beside one that it copies to a file.
    /// Both are judged and stored, which is part of both times.
    fn pipe(&self, input: &Input) -> anyhow::Result<()> {
        let path = input.make(&self.folder)?;
        let check = |name: &str, run: serde_json::Value, evidence: serde_json::Value| -> anyhow::Result<Command> {
            let folder = scratch(name)?;
            // A repository of its own: the root of another one is where checks would run.
            let made = Command::new("git").args(["init", "--quiet"]).current_dir(&folder).status()?;
            ensure!(made.success(), "no repository could be made for `{name}`");
            let policy = serde_json::json!({
                "version": 1,
                "checks": { "report": { "group": "test", "run": run, "evidence": { "coverage": evidence } } },
            });
            fs::write(folder.join("mgmt.yml"), policy.to_string())?;
            let mut command = Command::new(self.mgmt);
            command.args(["full-check", "--quiet"]).current_dir(folder);
            Ok(command)
        };
        let format = input.format;
        let printed = serde_json::json!({ "from": "output", "format": format });
        let costs = in_turn(&[
            check("pipe", serde_json::json!(["cat", path]), printed)?,
            check(
                "file",
                serde_json::json!(["cp", path, "report"]),
                serde_json::json!({ "path": "report", "format": format }),
            )?,
        ])?;
        let [pipe, file] = costs[..] else { anyhow::bail!("no run") };
        say(&format!(
            "{format:<18} full-check: printed by a check {}, copied to a file {}: {:.2} times",
            shown(pipe),
            shown(file),
            ratio(pipe.cpu, file.cpu)
        ));
        Ok(())
    }
}

impl Bound {
    /// What is wanted, what was found, and whether it is met; `None` if the peer is missing.
    fn judge(
        &self,
        ours: Costs,
        bytes: u64,
        peers: &[(&Peer, Option<(String, Costs)>)],
    ) -> (String, String, Option<bool>) {
        match self {
            Self::Ratio(peer, most) => {
                let theirs =
                    peers.iter().find(|(other, _)| other.name == peer.name).and_then(|(_, found)| found.as_ref());
                let found = theirs.map(|(_, cost)| ratio(ours.cpu, cost.cpu));
                let shown = found.map_or_else(|| "?".to_owned(), |found| format!("{found:.2}"));
                (format!("≤ {most} × {}", peer.name), shown, found.map(|found| found <= *most))
            }
            Self::Seconds(most) => {
                let found = ours.cpu.as_secs_f64();
                (format!("≤ {most} s CPU"), format!("{found:.2} s"), Some(found <= *most))
            }
            Self::Peak(most) => {
                let found = mib(ours.peak);
                (format!("≤ {most} MiB"), format!("{found:.0} MiB"), Some(found <= *most))
            }
            Self::Rate(least) => {
                let found = rate(bytes, ours);
                (format!("≥ {least} MB/s"), format!("{found:.0} MB/s"), Some(found >= *least))
            }
        }
    }
}

/// A warm-up of each, then all in turn; the middle of each.
pub(super) fn in_turn(commands: &[Command]) -> anyhow::Result<Vec<Costs>> {
    let mut costs = vec![Vec::new(); commands.len()];
    for run in 0..=RUNS {
        for (command, costs) in commands.iter().zip(&mut costs) {
            let cost = meter::cost(command)?;
            if run > 0 {
                costs.push(cost);
            }
        }
    }
    Ok(costs.into_iter().map(middle).collect())
}

/// The cost of several runs.
#[derive(Clone, Copy)]
pub(super) struct Costs {
    /// The median of processor time.
    pub(super) cpu: Duration,
    /// The least wall time.
    least: Duration,
    /// The greatest peak, in bytes.
    peak: u64,
}

/// What several runs come to.
fn middle(costs: Vec<Cost>) -> Costs {
    let mut times: Vec<_> = costs.iter().map(|cost| cost.cpu).collect();
    times.sort_unstable();
    Costs {
        cpu: times[times.len() / 2],
        least: costs.iter().map(|cost| cost.wall).min().unwrap_or_default(),
        peak: costs.iter().map(|cost| cost.peak).max().unwrap_or(0),
    }
}

pub(super) fn shown(cost: Costs) -> String {
    format!("{:.2} s CPU, {:.0} MiB", cost.cpu.as_secs_f64(), mib(cost.peak))
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

pub(super) fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn rate(bytes: u64, cost: Costs) -> f64 {
    mb(bytes) / cost.cpu.as_secs_f64()
}
