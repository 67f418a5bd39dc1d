//! A project in a temporary folder, and the binary run in it with a scrubbed environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use camino::Utf8Path;
use mgmt_action::history::Store;

/// Variables that change what the program does or prints; a test that wants one sets it.
const SCRUBBED: &[&str] = &["CI", "NO_COLOR", "TERM", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR"];
const SCRUBBED_PREFIXES: &[&str] = &["GITHUB_", "GH_", "RUNNER_", "ACTIONS_", "GIT_", "CARGO_"];

/// A project.
pub struct Project {
    folder: tempfile::TempDir,
}

/// What a run of the binary left.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Project {
    /// An empty folder that is not a git repository.
    #[expect(
        clippy::new_without_default,
        reason = "a project that is made by default would leave a folder behind unseen"
    )]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with this mgmt.yml.
    pub fn with(config: &str) -> Self {
        let project = Self::new();
        project.write("mgmt.yml", config);
        project
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path in it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file and the folders that it needs.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Names in a folder, sorted.
    pub fn list(&self, path: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(path)) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The store of its records.
    pub fn store(&self) -> Store {
        Store::of(Utf8Path::from_path(self.root()).unwrap())
    }

    /// The ids of its records, oldest first.
    pub fn records(&self) -> Vec<String> {
        let mut ids = self.store().ids().unwrap();
        ids.reverse();
        ids
    }

    /// One record as JSON.
    pub fn record(&self, id: &str) -> serde_json::Value {
        serde_json::to_value(self.store().get(id).unwrap()).unwrap()
    }

    /// Makes it a repository with one commit of everything in it.
    pub fn commit(&self) -> &Self {
        for args in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "one"]] {
            self.git(args);
        }
        self
    }

    /// Runs git with a fixed author and date.
    pub fn git(&self, args: &[&str]) -> String {
        let mut git = scrubbed("git");
        git.args(args)
            .current_dir(self.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "t").env(format!("GIT_{role}_EMAIL"), "t@example.com");
            git.env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
        }
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The binary, ready to be given arguments.
    pub fn command(&self) -> Command {
        let mut command = scrubbed(env!("CARGO_BIN_EXE_mgmt"));
        command.current_dir(self.root());
        command
    }

    /// Runs the binary.
    pub fn run(&self, args: &[&str]) -> Ran {
        ran(self.command().args(args).output().unwrap())
    }

    /// Runs the binary and reads its JSON.
    pub fn json(&self, args: &[&str]) -> (i32, serde_json::Value) {
        let ran = self.run(&[args, &["--format", "json", "-q"]].concat());
        let value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        (ran.code, value)
    }

    /// Text with everything that differs from run to run replaced.
    pub fn redact(&self, text: &str) -> String {
        let root = self.root().canonicalize().unwrap();
        let mut text = text.replace(root.to_str().unwrap(), "[root]").replace(self.root().to_str().unwrap(), "[root]");
        for (pattern, with) in [
            (r"\d{8}T\d{9}Z", "[stamp]"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[minute]"),
            (r" *\b\d+ ms\b| *\b\d+\.\d s\b", " [time]"),
            (r"\.tmp[A-Za-z0-9]{6}", "[folder]"),
            (r"\b[0-9a-f]{40}\b", "[commit]"),
            (r"@ [0-9a-f]{10}\b", "@ [commit]"),
        ] {
            text = regex(pattern, &text, with);
        }
        text
    }
}

/// Collects a finished run.
pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A command that does not see what would change the program's behaviour.
#[expect(clippy::disallowed_methods, reason = "a test's environment is the machine's, and has to be scrubbed of it")]
pub fn scrubbed(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        if SCRUBBED.contains(&name) || SCRUBBED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

fn regex(pattern: &str, text: &str, with: &str) -> String {
    regex::Regex::new(pattern).unwrap().replace_all(text, with).into_owned()
}
