//! What a command costs: processor time, wall time and peak memory of its whole process.
//!
//! The system keeps these sums for all finished children of a process together. So each command is run by a process
//! of its own, `cargo xtask bench meter COMMAND…`, which prints its children's sums and ends.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// What stands for this module after `bench`.
pub(super) const NAME: &str = "meter";

/// The cost of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// User and system time over all threads.
    pub(super) cpu: Duration,
    /// From start to end.
    pub(super) wall: Duration,
    /// The greatest resident size, in bytes.
    pub(super) peak: u64,
}

/// Runs `command` in a process of its own, its output thrown away.
pub(super) fn cost(command: &Command) -> anyhow::Result<Cost> {
    let mut meter = Command::new(std::env::current_exe()?);
    meter.args(["bench", NAME]).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        meter.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => meter.env(name, value),
            None => meter.env_remove(name),
        };
    }
    let output = meter.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?} failed: its meter ended with {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    let numbers: Vec<u64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [cpu, wall, peak] = numbers[..] else { bail!("the meter said `{text}`") };
    Ok(Cost { cpu: Duration::from_micros(cpu), wall: Duration::from_micros(wall), peak })
}

/// The process that [`cost`] starts.
pub(super) fn run(args: &[String]) -> anyhow::Result<()> {
    let [program, args @ ..] = args else { bail!("which command?") };
    let started = Instant::now();
    let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let wall = started.elapsed();
    ensure!(status.success(), "`{program}` ended with {status}");
    let cpu = cpu_of_children().context("processor time is measured on Unix only")?;
    let peak = peak_of_children().context("memory is measured on Unix only")?;
    writeln!(std::io::stdout(), "{} {} {peak}", cpu.as_micros(), wall.as_micros())?;
    Ok(())
}

/// User and system time of all finished children so far.
#[cfg(unix)]
fn cpu_of_children() -> Option<Duration> {
    use nix::sys::time::TimeValLike as _;
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).ok()?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    u64::try_from(micros).ok().map(Duration::from_micros)
}

#[cfg(not(unix))]
fn cpu_of_children() -> Option<Duration> {
    None
}

/// The greatest resident size of any finished child so far, in bytes.
#[cfg(unix)]
pub(super) fn peak_of_children() -> Option<u64> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).ok()?;
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    u64::try_from(usage.max_rss()).ok().map(|size| size * unit)
}

#[cfg(not(unix))]
pub(super) fn peak_of_children() -> Option<u64> {
    None
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
pub(super) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
