//! What running checks does: order, time, signals, evidence, files, and what is told about it.
//!
//! Nothing here waits for a fixed time. A test and the processes it starts meet at named pipes, and the end of a
//! process is seen by the end of a pipe that it held open. Every check that is to be ended ends by itself, too,
//! and says `survived` then, so that a fault is a failed test and not one that never ends.

#![cfg(unix)]

mod evidence;
mod limits;
mod order;
mod output;
mod place;
mod selection;
mod starting;
mod stopping;
mod storing;
mod telling;

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::support::{Project, Ran, ran};

/// A project with these checks.
fn project(checks: &str) -> Project {
    Project::with(&format!("version: 1\nchecks:\n{checks}"))
}

/// Runs `full-check` and reads its JSON.
fn full_check(project: &Project, args: &[&str]) -> (i32, Value) {
    project.json(&[&["full-check"], args].concat())
}

/// One check of a report.
fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id} in {report:#}"))
}

/// `id status` of every check, in the order of the report.
fn statuses(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().map(|check| format!("{} {}", text(&check["id"]), text(&check["status"]))).collect()
}

/// The codes of a report's problems, notes left out.
fn problems(report: &Value) -> Vec<&str> {
    let problems = report["problems"].as_array().unwrap();
    problems.iter().filter(|problem| problem["level"] != "note").map(|problem| text(&problem["code"])).collect()
}

/// A measurement; `None` if there is none of this name.
fn measured(report: &Value, name: &str) -> Option<f64> {
    report["measurements"].get(name)?.as_f64()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}"))
}

/// A named pipe in a project, read by the test.
struct Pipe {
    /// Open for writing, so that a reader waits for the first writer and no writer waits for a reader.
    keep: Option<File>,
    reader: BufReader<File>,
}

impl Pipe {
    fn new(project: &Project, name: &str) -> Self {
        make_pipe(project, name);
        let path = project.path(name);
        let keep = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        Self { keep: Some(keep), reader: BufReader::new(File::open(&path).unwrap()) }
    }

    /// The next line; empty if the program ended without one.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Everything up to the end of the last process that holds the pipe.
    fn rest(mut self) -> String {
        drop(self.keep.take());
        let mut rest = String::new();
        self.reader.read_to_string(&mut rest).unwrap();
        rest
    }
}

fn make_pipe(project: &Project, name: &str) {
    let status = Command::new("mkfifo").arg(project.path(name)).status().unwrap();
    assert!(status.success());
}

/// The binary while it runs. A test that fails in the middle still ends it.
struct Running {
    pid: u32,
    ended: Option<JoinHandle<Ran>>,
}

impl Running {
    /// Starts `full-check`. The pipe ends at the latest when the binary does.
    fn start(project: &Project, args: &[&str], pipe: &mut Pipe) -> Self {
        let mut command = project.command();
        command.arg("full-check").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let (pid, keep) = (child.id(), pipe.keep.take());
        let ended = std::thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            drop(keep);
            ran(output)
        });
        Self { pid, ended: Some(ended) }
    }

    fn signal(&self, name: &str) {
        signal(name, &self.pid.to_string());
    }

    fn finish(mut self) -> Ran {
        self.ended.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            self.signal("INT");
            self.signal("TERM");
            let _ = ended.join();
        }
    }
}

/// Sends a signal to a process; one that is gone is no error.
fn signal(name: &str, pid: &str) -> bool {
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -$0 $1 2>/dev/null", name, pid]).status().unwrap().success()
}

/// Ends, in any case, the processes whose ids stand in a file of the project.
struct Reaper<'a>(&'a Project, &'static str);

impl Drop for Reaper<'_> {
    fn drop(&mut self) {
        let pids = std::fs::read_to_string(self.0.path(self.1)).unwrap_or_default();
        pids.lines().for_each(|pid| {
            signal("KILL", pid);
        });
    }
}
