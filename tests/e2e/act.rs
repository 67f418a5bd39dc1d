//! Workflows run by `act` on this machine, with this repository as `org/mgmt-action@v1` and stand-ins for the actions
//! that it uses. `MGMT_E2E_ACT` names the program.
//!
//! act passes over jobs whose runner it does not know, and ends with 0: a test counts the jobs that succeeded.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::{Project, ran, scrubbed};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The secret that nothing may show.
pub(super) const CANARY: &str = "ghs_canary0123456789abcdef";

/// A project and the machine its workflows run on.
pub(super) struct Bench {
    pub(super) project: Project,
    machine: tempfile::TempDir,
}

/// What a workflow run left.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) code: i32,
    pub(super) succeeded: usize,
    pub(super) failed: usize,
    pub(super) log: String,
}

impl Bench {
    /// A project with this policy, and the binary on PATH.
    pub(super) fn new(policy: &str) -> Self {
        let bench = Self { project: Project::with(policy), machine: tempfile::tempdir().unwrap() };
        for folder in ["bin", "home", "store", "export/.github"] {
            std::fs::create_dir_all(bench.place(folder)).unwrap();
        }
        // A clean export: act copies whatever is in the folder.
        for file in ["action.yml", "Cargo.toml", "Cargo.lock", "src/main.rs"] {
            let to = bench.place("export").join(file);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(Path::new(ROOT).join(file), to).unwrap();
        }
        for folder in ["action", "workflows"] {
            let (from, to) = (format!("{ROOT}/.github/{folder}"), bench.place("export/.github").join(folder));
            std::fs::create_dir_all(&to).unwrap();
            for entry in std::fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        std::fs::copy(env!("CARGO_BIN_EXE_mgmt"), bench.place("bin/mgmt")).unwrap();
        bench
    }

    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.machine.path().join(path)
    }

    /// Puts lines of `sh` before the binary: what they do not answer, it does.
    pub(super) fn before_the_binary(&self, lines: &str) {
        let (binary, wrapper) = (self.place("mgmt"), self.place("bin/mgmt"));
        std::fs::rename(&wrapper, &binary).unwrap();
        self.program("mgmt", &format!("{lines}\nexec '{}' \"$@\"\n", binary.display()));
    }

    /// A program of `sh` on PATH.
    pub(super) fn program(&self, name: &str, lines: &str) {
        let path = self.place("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{lines}")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The names of a kind of things that were kept: `cache`, `artifacts`.
    pub(super) fn kept(&self, kind: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.place("store").join(kind)) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Commits the project and runs its workflows for an event.
    pub(super) fn run(&self, event: &str, payload: &str) -> Jobs {
        self.project.commit();
        self.project.git(&["remote", "add", "origin", "https://github.com/org/project.git"]);
        self.again(event, payload)
    }

    /// Runs the workflows of the project as it is committed.
    pub(super) fn again(&self, event: &str, payload: &str) -> Jobs {
        std::fs::write(self.place("event.json"), payload).unwrap();
        let ran = ran(self.act(event).output().unwrap());
        let log = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!log.contains(CANARY), "the token is in the log:\n{log}");
        let count = |words: &str| log.lines().filter(|line| line.ends_with(words)).count();
        Jobs { code: ran.code, succeeded: count("Job succeeded"), failed: count("Job failed"), log }
    }

    /// Forgets what runs left on the machine, its tool cache too.
    pub(super) fn renew(&self) {
        std::fs::remove_dir_all(self.place("act")).unwrap();
    }

    fn act(&self, event: &str) -> Command {
        let mut act = Command::new(variable("MGMT_E2E_ACT"));
        act.current_dir(self.project.root()).env_clear();
        act.env("PATH", format!("{}:{}", self.place("bin").display(), system_path()));
        act.env("HOME", self.place("home"));
        act.arg(event).arg("-e").arg(self.place("event.json")).arg("--no-cache-server");
        act.arg("--action-cache-path").arg(self.place("act"));
        for label in ["ubuntu-latest", "ubuntu-24.04"] {
            act.arg("-P").arg(format!("{label}=-self-hosted"));
        }
        act.arg("-s").arg(format!("GITHUB_TOKEN={CANARY}"));
        // A port that nobody listens on: without a stand-in for GitHub nothing is reached, least of all the real one.
        act.args(["--env", "GITHUB_API_URL=http://127.0.0.1:1"]);
        act.arg("--env").arg(format!("MGMT_E2E_STORE={}", self.place("store").display()));
        act.arg("--local-repository").arg(format!("org/mgmt-action@v1={}", self.place("export").display()));
        for name in ["cache", "upload-artifact", "setup-python"] {
            let place = format!("actions/{name}@{}={ROOT}/tests/fixtures/actions/{name}", pinned(name));
            act.arg("--local-repository").arg(place);
        }
        act
    }
}

/// The commit at which action.yml or its workflows use an action of GitHub's own.
fn pinned(name: &str) -> String {
    let files = ["action.yml", ".github/workflows/gate.yml"];
    let text: String = files.iter().map(|file| std::fs::read_to_string(format!("{ROOT}/{file}")).unwrap()).collect();
    let uses = text.lines().find(|line| line.contains(&format!("uses: actions/{name}"))).unwrap();
    uses.split_once('@').unwrap().1.split(' ').next().unwrap().to_owned()
}

/// Where the system's own programs are: nothing of this machine's toolchains.
fn system_path() -> String {
    let node = scrubbed("node").args(["-p", "process.execPath"]).output().unwrap();
    let node = PathBuf::from(String::from_utf8(node.stdout).unwrap().trim());
    format!("{}:/usr/bin:/bin", node.parent().unwrap().display())
}

#[expect(clippy::disallowed_methods, reason = "where the program is, only the machine knows")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} names the program act"))
}
