//! `cargo xtask bench history`: the store with 10,000 runs of 1,000 tests, each of its reads, and what a run costs.
//!
//! It calls the library itself, so it starts itself anew as a release build where it is none.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use camino::Utf8Path;
use mgmt_action::evidence::metric::Better;
use mgmt_action::evidence::tests::Identity;
use mgmt_action::history::{Filter, Store};
use mgmt_action::record::Record;
use serde_json::{Value, json};

use crate::chore::{root, say};

/// Stored runs.
const RUNS: usize = 10_000;
/// Tests in each run.
const TESTS: usize = 1_000;
/// Files with coverage in each run, and lines in each file.
const FILES: (usize, u32) = (100, 200);
/// Records in one import.
const BATCH: usize = 500;
/// Runs that are added one by one at the end, as a check does it.
const SINGLE: usize = 50;
/// Counted calls of each read.
const CALLS: usize = 11;
/// What each read may take.
const LIMIT: Duration = Duration::from_millis(50);

pub(super) fn run() -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        let mut again = Command::new("cargo");
        again.args(["run", "--release", "--locked", "--quiet", "--package", "xtask", "--", "bench", "history"]);
        let status = again.current_dir(root()).status()?;
        ensure!(status.success(), "the release build of this benchmark failed");
        return Ok(());
    }
    let folder = root().join("target/bench/history");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let store = Store::of(Utf8Path::from_path(&folder).context("the folder's path is not UTF-8")?);
    fill(&store)?;
    let measured = reads(&store);
    // Hundreds of megabytes, which nobody looks at.
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn fill(store: &Store) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut at = 0;
    while at < RUNS - SINGLE {
        let end = (at + BATCH).min(RUNS - SINGLE);
        let mut lines = Vec::new();
        for run in at..end {
            serde_json::to_writer(&mut lines, &record(run))?;
            lines.push(b'\n');
        }
        let imported = store.import(&mut lines.as_slice())??;
        ensure!(imported.added == (end - at) as u64, "{imported:?}");
        at = end;
    }
    let imported = started.elapsed();
    let mut records = Vec::new();
    for run in at..RUNS {
        records.push(serde_json::from_value::<Record>(record(run))?);
    }
    let mut times: Vec<_> = Vec::new();
    for record in &mut records {
        let started = Instant::now();
        store.add(record)?;
        times.push(started.elapsed());
    }
    let size = std::fs::metadata(store.path())?.len();
    say(&format!(
        "history    {RUNS} runs of {TESTS} tests and {} files: {:.1} MiB, {:.1} KiB a run",
        FILES.0,
        kib(size) / 1024.0,
        kib(size) / count(RUNS)
    ));
    say(&format!(
        "           import {:.1} ms a run (made and read as JSON), one run stored alone {}",
        imported.as_secs_f64() * 1000.0 / count(RUNS - SINGLE),
        ms(median(&mut times))
    ));
    Ok(())
}

fn reads(store: &Store) -> anyhow::Result<()> {
    let last: Record = serde_json::from_value(record(RUNS - 1))?;
    let commits: Vec<_> = (0..10_000).map(|at| format!("{at:040x}")).collect();
    let far: Vec<_> = (0..9_999).map(|at| format!("{at:040x}")).chain([commit(0)]).collect();
    let name = "coverage.lines.percent";
    let every = Filter::default();
    let main = Filter { branch: Some("main".into()), command: Some("full-check".into()), full_only: true };
    let identity = |at: usize| Identity {
        check: "tests".into(),
        suite: "".into(),
        class: "package.module".into(),
        name: format!("test_{at:04}").into(),
        file: "".into(),
    };
    type Read<'a> = (&'a str, Box<dyn Fn() -> anyhow::Result<usize> + 'a>, usize);
    let reads: Vec<Read<'_>> = vec![
        ("ids", Box::new(|| Ok(store.ids()?.len())), RUNS),
        ("list, the newest 30", Box::new(|| Ok(store.list(&every, 30)?.len())), 30),
        ("one record", Box::new(|| Ok(store.get(&last.id)?.tests.len())), TESTS),
        ("the last 10 records", Box::new(|| Ok(store.last(&every, 10)?.len())), 10),
        ("nearest, the last of 10,000 commits", Box::new(|| Ok(usize::from(store.nearest(&far)?.is_some()))), 1),
        ("nearest, none of 10,000 commits", Box::new(|| Ok(usize::from(store.nearest(&commits)?.is_some()))), 0),
        ("best of a metric", Box::new(|| Ok(store.best(name, "main", Better::Higher)?.len())), 1),
        ("samples of 30 runs", Box::new(|| Ok(store.samples(30, last.started_at, |_| true)?.tests.len())), TESTS),
        ("points, the newest 30", Box::new(|| Ok(store.points(name, None, &every, 30)?.len())), 30),
        ("points, all of a branch", Box::new(|| Ok(store.points(name, None, &main, RUNS)?.len())), RUNS),
        ("one test, its last 1,000 runs", Box::new(|| Ok(store.test(&identity(500), 1_000)?.len())), 1_000),
        ("one test, all runs", Box::new(|| Ok(store.test(&identity(999), RUNS)?.len())), RUNS),
    ];
    let mut slow = Vec::new();
    for (what, read, want) in &reads {
        let mut times = Vec::new();
        for _ in 0..CALLS {
            let started = Instant::now();
            let found = read()?;
            times.push(started.elapsed());
            ensure!(found == *want, "{what}: {found} instead of {want}");
        }
        let middle = median(&mut times);
        say(&format!("           {what:<36} {:>9}  (below {})", ms(middle), ms(LIMIT)));
        if middle >= LIMIT {
            slow.push(*what);
        }
    }
    ensure!(slow.is_empty(), "too slow: {}", slow.join(", "));
    Ok(())
}

fn commit(run: usize) -> String {
    format!("c{run:039x}")
}

/// A run like those of a project that grows slowly: most outcomes and lines stay, times and a file change each time.
fn record(run: usize) -> Value {
    let (started_at, stamp) = moment(run);
    let tests: Vec<_> = (0..TESTS)
        .map(|test| {
            let fails = (run * 31 + test * 17).is_multiple_of(5_003);
            json!({
                "check": "tests", "suite": "", "class": "package.module", "name": format!("test_{test:04}"), "file": "",
                "outcome": if fails { "failed" } else { "passed" }, "flaky": false, "attempts": 1,
                "seconds": f64::from(u32::try_from((run * 7 + test * 13) % 900).unwrap_or(0)) / 1000.0,
                "line": 10 + test, "message": fails.then_some("assert 3 == 4\n  at package/module.py:10"),
            })
        })
        .collect();
    let lines: serde_json::Map<_, _> = (0..FILES.0)
        .map(|file| {
            let turn = if run % FILES.0 == file { run } else { run / FILES.0 };
            let changed = u32::try_from(turn % 50).unwrap_or_default();
            let end = FILES.1 - 50 + changed;
            let file_lines =
                json!({ "covered": format!("1-40,45-{end}"), "missed": format!("41-44,{}-{}", end + 1, FILES.1) });
            (format!("src/package/module_{file:03}.py"), file_lines)
        })
        .collect();
    let measurements: Vec<_> = ["tests.total", "tests.passed", "tests.failed", "coverage.lines.percent", "metrics.f1"]
        .iter()
        .enumerate()
        .map(|(at, name)| json!({ "name": name, "scope": null, "sources": ["reports/a.xml"], "value": count(at) + count(run) / 7.0 }))
        .collect();
    json!({
        "schema": "mgmt.record/1",
        "id": format!("{stamp}-full-check-pass"), "version": "0.1.0", "command": "full-check",
        "started_at": started_at, "finished_at": started_at, "duration_ms": 60_000,
        "project": { "name": "p", "commit": commit(run), "branch": "main", "dirty": false, "tree": commit(run), "merge_commit": null },
        "left_out": {}, "policy": { "path": "mgmt.yml", "commit": null, "changed": false }, "gate": "default",
        "verdict": "pass", "interrupted": null,
        "checks": [{
            "id": "tests", "group": "test", "status": "passed", "skip": null, "reason": null, "allow_failure": false,
            "duration_ms": 59_000, "command": "pytest", "exit_code": 0,
            "output": { "text": format!("{TESTS} passed in {run} s\n").repeat(20), "dropped_bytes": 0 }, "fix": null,
        }],
        "rules": [], "measurements": measurements, "reports": [], "problems": [], "tests": tests, "lines": lines,
    })
}

/// The moment of a run, a minute apart, as RFC 3339 and as in names. January has room for all of them.
fn moment(run: usize) -> (String, String) {
    let (minute, hour, day) = (run % 60, run / 60 % 24, run / 1440 + 1);
    (format!("2026-01-{day:02}T{hour:02}:{minute:02}:00Z"), format!("202601{day:02}T{hour:02}{minute:02}00000Z"))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn kib(size: u64) -> f64 {
    size as f64 / 1024.0
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn count(number: usize) -> f64 {
    number as f64
}
