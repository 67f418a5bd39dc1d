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

use super::inputs::{INPUTS, Input, SHARDS};
use super::meter::{self, Cost, mib};
use super::peers::{GRCOV, GRCOV_BRANCH, GRCOV_COVDIR, Peer, TEST_RESULTS_PARSER, XMLLINT};
use crate::chore::{root, say};

/// Counted runs of each command.
const RUNS: usize = 7;

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
    fn two(&self, first: &Input, second: &Input) -> anyhow::Result<()> {
        let paths = [first.make(&self.folder)?, second.make(&self.folder)?];
        let costs =
            in_turn(&[self.inspect(&[&paths[0]]), self.inspect(&[&paths[1]]), self.inspect(&[&paths[0], &paths[1]])])?;
        let [one, other, both] = costs[..] else { anyhow::bail!("no run") };
        let gain = (one.wall + other.wall).as_secs_f64() / both.wall.as_secs_f64();
        say(&format!(
            "{:<18} two files: {} + {} alone, {} at once ({:.2} s CPU, {:.0} MiB): {gain:.2} times as fast",
            first.format,
            seconds(one.wall),
            seconds(other.wall),
            seconds(both.wall),
            both.cpu.as_secs_f64(),
            mib(both.peak)
        ));
        say(&format!("{:<18} must at least 1.8 times: {}", "", if gain >= 1.8 { "met" } else { "MISSED" }));
        Ok(())
    }

    /// Through a pipe, which can be neither mapped nor measured beforehand.
    fn pipe(&self, input: &Input) -> anyhow::Result<()> {
        let path = input.make(&self.folder)?;
        let command = self.inspect(&[Path::new("/dev/stdin")]);
        let mut costs = Vec::new();
        for _ in 0..RUNS {
            let mut cat = Command::new("cat").arg(&path).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
            let stdin = cat.stdout.take().context("no pipe")?;
            let cost = meter::cost(&command, stdin.into());
            cat.wait()?;
            costs.push(cost?);
        }
        say(&format!("{:<18} through a pipe: mgmt {}", input.format, shown(middle(costs))));
        Ok(())
    }
}

impl Bound {
    /// What is wanted, what was found, and whether it is met; `None` if the peer is missing.
    fn judge(
        &self,
        ours: Cost,
        bytes: u64,
        peers: &[(&Peer, Option<(String, Cost)>)],
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
fn in_turn(commands: &[Command]) -> anyhow::Result<Vec<Cost>> {
    let mut costs = vec![Vec::new(); commands.len()];
    for run in 0..=RUNS {
        for (command, costs) in commands.iter().zip(&mut costs) {
            let cost = meter::cost(command, Stdio::null())?;
            if run > 0 {
                costs.push(cost);
            }
        }
    }
    Ok(costs.into_iter().map(middle).collect())
}

/// Medians of the times, the greatest peak.
fn middle(costs: Vec<Cost>) -> Cost {
    let median = |of: fn(&Cost) -> Duration| {
        let mut times: Vec<_> = costs.iter().map(of).collect();
        times.sort_unstable();
        times[times.len() / 2]
    };
    Cost {
        cpu: median(|cost| cost.cpu),
        wall: median(|cost| cost.wall),
        peak: costs.iter().map(|cost| cost.peak).max().unwrap_or(0),
    }
}

fn shown(cost: Cost) -> String {
    format!("{:.2} s CPU, {:.0} MiB", cost.cpu.as_secs_f64(), mib(cost.peak))
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn rate(bytes: u64, cost: Cost) -> f64 {
    mb(bytes) / cost.cpu.as_secs_f64()
}
