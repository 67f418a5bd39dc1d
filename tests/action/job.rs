//! A job with one step, `uses: ./`: enough of a runner for `action.yml`.
//!
//! The machine is made of links to a few system tools and of stubs; every folder has a space and a quote in its name.
//! Actions that are used are noted, not run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_yaml::Value;

use crate::expression::{Context, filled, holds};
use crate::read;

/// The system's programs that the script may use.
const TOOLS: &[&str] = &[
    "bash",
    "cat",
    "chmod",
    "env",
    "find",
    "mkdir",
    "mv",
    "rm",
    "sha256sum",
    "shasum",
    "sort",
    "tar",
    "gzip",
    "uname",
    "touch",
    "cp",
    "dirname",
    "perl",
];
/// The token that no check may see.
pub(crate) const TOKEN: &str = "ghs_canary0123456789";
/// A commit.
pub(crate) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// A program cannot be started while somebody has it open for writing, as a process that another test is just about to
/// start may: programs are written, and processes started, one after the other.
static STARTING: Mutex<()> = Mutex::new(());

/// A job before it is run.
pub(crate) struct Job {
    folder: tempfile::TempDir,
    inputs: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    failing: Vec<&'static str>,
    restored: bool,
}

/// What a job left.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The exit code of each step of the action that was run, by its subcommand.
    pub(crate) codes: BTreeMap<String, i32>,
    /// Everything that was printed.
    pub(crate) log: String,
    /// The action's outputs.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The actions that were used, with what was given to them.
    pub(crate) used: Vec<(String, BTreeMap<String, String>)>,
    steps: BTreeMap<String, Step>,
    failed: bool,
}

#[derive(Debug, Default)]
struct Step {
    outputs: BTreeMap<String, String>,
    outcome: &'static str,
}

struct Scope<'a> {
    job: &'a Job,
    done: &'a Done,
}

impl Context for Scope<'_> {
    fn path(&self, path: &str) -> String {
        let parts: Vec<&str> = path.split('.').collect();
        match parts[..] {
            ["inputs", input] => {
                self.job.inputs.get(input).unwrap_or_else(|| panic!("there is no input {input}")).clone()
            }
            ["github", "event", "repository", "default_branch"] => "main".into(),
            ["steps", step, "outputs", name] => {
                self.done.steps.get(step).and_then(|step| step.outputs.get(name)).cloned().unwrap_or_default()
            }
            ["steps", step, "outcome"] => self.done.steps.get(step).map_or("", |step| step.outcome).into(),
            _ => panic!("`{path}` is not known here"),
        }
    }

    fn status(&self, function: &str) -> bool {
        match function {
            "success" => !self.done.failed,
            "failure" => self.done.failed,
            "always" => true,
            "cancelled" => false,
            _ => panic!("{function}() is not known here"),
        }
    }
}

impl Job {
    /// A job on a pull request with every input at its default and no `mgmt` anywhere.
    pub(crate) fn new() -> Self {
        let action = metadata();
        let inputs = action["inputs"].as_mapping().unwrap().iter().map(|(name, input)| {
            let default = input["default"].as_str().unwrap().to_owned();
            (name.as_str().unwrap().to_owned(), if default.contains("github.token") { TOKEN.into() } else { default })
        });
        let job = Self {
            folder: tempfile::Builder::new().prefix("a job's ").tempdir().unwrap(),
            inputs: inputs.collect(),
            environment: BTreeMap::new(),
            failing: Vec::new(),
            restored: false,
        };
        for folder in ["tools", "stubs", "temp", "cache", "checkout", "home", "calls", "codes", "the action/src"] {
            fs::create_dir_all(job.path(folder)).unwrap();
        }
        for tool in TOOLS {
            let found =
                ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(tool)).find(|tool| tool.exists());
            if let Some(found) = found {
                symlink(found, job.path("tools").join(tool)).unwrap();
            }
        }
        fs::create_dir_all(job.path("the action/.github/action")).unwrap();
        for file in [".github/action/main.sh", ".github/action/manifest.json", "Cargo.toml", "Cargo.lock"] {
            fs::write(job.path("the action").join(file), read(file)).unwrap();
        }
        fs::write(job.path("the action/src/main.rs"), "fn main() {}\n").unwrap();
        job.stub("curl", "echo 'the stub has no network' >&2; exit 6");
        job.stub("cargo", "exit 101");
        job.stub("date", "[ \"$*\" = '-u +%Y-%m-%dT%H:%M:%SZ' ] && echo 2026-01-31T12:00:00Z");
        job.event("pull_request", "refs/pull/7/merge")
    }

    /// A job with a stub `mgmt` of the right version on PATH.
    pub(crate) fn ready() -> Self {
        let job = Self::new();
        job.put_mgmt("stubs/mgmt", &version());
        job.published("told")
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn input(mut self, name: &str, value: &str) -> Self {
        assert!(self.inputs.contains_key(name), "there is no input {name}");
        self.inputs.insert(name.into(), value.into());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    pub(crate) fn event(self, name: &str, reference: &str) -> Self {
        self.variable("GITHUB_EVENT_NAME", name).variable("GITHUB_REF", reference)
    }

    /// Lets an action that is used fail.
    pub(crate) fn failing(mut self, action: &'static str) -> Self {
        self.failing.push(action);
        self
    }

    /// Lets `actions/cache/restore` bring a binary that was built from this source.
    pub(crate) fn restored(mut self) -> Self {
        self.restored = true;
        self
    }

    /// Lets a command of the stub `mgmt` end with this code.
    pub(crate) fn code(self, command: &str, code: i32) -> Self {
        fs::write(self.path("codes").join(command), code.to_string()).unwrap();
        self
    }

    /// Lets the stub `mgmt` say this verdict when it publishes or audits.
    pub(crate) fn published(self, verdict: &str) -> Self {
        fs::write(self.path("codes/verdict"), verdict).unwrap();
        self
    }

    /// Lets the stub `mgmt` say no verdict when it publishes.
    pub(crate) fn silent(self) -> Self {
        fs::remove_file(self.path("codes/verdict")).unwrap();
        self
    }

    /// A program of this name that runs these lines of `sh` after noting its arguments.
    pub(crate) fn stub(&self, name: &str, lines: &str) {
        let note = format!("{}\n{lines}\n", noting(&self.path("calls").join(name)));
        write_program(&self.path("stubs").join(name), &note);
    }

    /// A stub `mgmt`: notes its arguments and its environment, and ends with what `code` says.
    pub(crate) fn put_mgmt(&self, path: &str, version: &str) {
        write_program(&self.path(path), &self.mgmt_lines(version));
    }

    /// The lines of that stub.
    pub(crate) fn mgmt_lines(&self, version: &str) -> String {
        let calls = self.path("calls");
        format!(
            "if [ \"$1\" = --version ]; then echo \"mgmt {version}\"; exit 0; fi\n{note}\n\
             env > {environment}\"$1\"\npwd > {pwd}\"$1\"\n\
             for argument; do case $argument in --out=*) mkdir -p \"${{argument#--out=}}\"; \
             echo '{{}}' > \"${{argument#--out=}}/record.json\";; esac; done\n\
             case $1 in publish|audit) [ -z \"$GITHUB_OUTPUT\" ] || [ ! -f {codes}verdict ] || echo \"verdict=$(cat {codes}verdict)\" >> \"$GITHUB_OUTPUT\";; esac\n\
             if [ -f {codes}\"$1\" ]; then exit \"$(cat {codes}\"$1\")\"; fi\n",
            note = noting(&calls.join("mgmt")),
            environment = quoted(&calls.join("environment.")),
            pwd = quoted(&calls.join("folder.")),
            codes = quoted(&self.path("codes/")),
        )
    }

    /// How a stub was called: its arguments in angle brackets, a call a line.
    pub(crate) fn calls(&self, program: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path("calls").join(program)).unwrap_or_default();
        let path = self.folder.path().to_str().unwrap();
        text.split_terminator("\u{1}\n").map(|call| call.replace(path, "[job]")).collect()
    }

    /// The environment that a command of the stub `mgmt` saw.
    pub(crate) fn seen(&self, command: &str) -> String {
        fs::read_to_string(self.path("calls").join(format!("environment.{command}"))).unwrap()
    }

    /// Runs the job.
    pub(crate) fn run(&self) -> Done {
        let action = metadata();
        let mut done = Done::default();
        let mut search = format!("{}:{}", self.path("stubs").display(), self.path("tools").display());
        for step in action["runs"]["steps"].as_sequence().unwrap() {
            let id = step["id"].as_str().unwrap_or_default().to_owned();
            if !holds(step["if"].as_str(), &Scope { job: self, done: &done }) {
                done.steps.insert(id, Step { outcome: "skipped", ..Step::default() });
                continue;
            }
            let ran = match step["uses"].as_str() {
                Some(uses) => self.note(uses, step, &mut done),
                None => self.run_script(step, &mut search, &mut done),
            };
            done.failed |= ran.outcome == "failure" && step["continue-on-error"].as_bool() != Some(true);
            done.steps.insert(id, ran);
        }
        let scope = Scope { job: self, done: &done };
        let outputs = action["outputs"].as_mapping().unwrap().iter().map(|(name, output)| {
            (name.as_str().unwrap().to_owned(), filled(output["value"].as_str().unwrap(), &scope))
        });
        let outputs = outputs.collect();
        Done { outputs, ..done }
    }

    fn note(&self, uses: &str, step: &Value, done: &mut Done) -> Step {
        let scope = Scope { job: self, done };
        let with = step["with"].as_mapping().unwrap().iter().map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.as_bool().unwrap().to_string(), str::to_owned);
            (name.as_str().unwrap().to_owned(), filled(&value, &scope))
        });
        let with: BTreeMap<_, _> = with.collect();
        let name = uses.split('@').next().unwrap().to_owned();
        if name == "actions/cache/restore" && self.restored {
            let folder = PathBuf::from(&with["path"]);
            fs::create_dir_all(&folder).unwrap();
            write_program(&folder.join("mgmt"), &self.mgmt_lines(&version()));
            let origin = &done.steps["prepare"].outputs["build-source"];
            fs::write(folder.join(".complete"), format!("source {origin}\n")).unwrap();
        }
        let outcome = if self.failing.contains(&name.as_str()) { "failure" } else { "success" };
        done.used.push((name, with));
        Step { outcome, ..Step::default() }
    }

    fn run_script(&self, step: &Value, search: &mut String, done: &mut Done) -> Step {
        let (output, path) = (self.path("temp/output"), self.path("temp/path"));
        fs::write(&output, "").unwrap();
        fs::write(&path, "").unwrap();
        let lines = step["run"].as_str().unwrap();
        assert_eq!(step["shell"], "bash");
        fs::write(self.path("temp/step.sh"), lines).unwrap();
        let mut bash = Command::new(self.path("tools/bash"));
        bash.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(self.path("temp/step.sh"));
        bash.current_dir(self.path("checkout")).env_clear().env("PATH", &*search).env("HOME", self.path("home"));
        bash.envs([("GITHUB_SHA", SHA), ("GITHUB_RUN_ATTEMPT", "2"), ("RUNNER_OS", "Linux"), ("RUNNER_ARCH", "X64")]);
        for (name, place) in [
            ("GITHUB_ACTION_PATH", "the action"),
            ("GITHUB_OUTPUT", "temp/output"),
            ("GITHUB_PATH", "temp/path"),
            ("GITHUB_ENV", "temp/env"),
            ("RUNNER_TEMP", "temp"),
            ("RUNNER_TOOL_CACHE", "cache"),
        ] {
            bash.env(name, self.path(place));
        }
        bash.envs(&self.environment);
        if let Some(environment) = step["env"].as_mapping() {
            let scope = Scope { job: self, done };
            for (name, value) in environment {
                bash.env(name.as_str().unwrap(), filled(value.as_str().unwrap(), &scope));
            }
        }
        let ran = started(bash);
        done.log.push_str(&String::from_utf8_lossy(&ran.stdout));
        done.log.push_str(&String::from_utf8_lossy(&ran.stderr));
        let code = ran.status.code().unwrap();
        let name = lines.rsplit(' ').next().unwrap().trim().to_owned();
        let added = fs::read_to_string(&path).unwrap();
        fs::write(self.path(&format!("temp/path.{name}")), &added).unwrap();
        done.codes.insert(name, code);
        for added in added.lines() {
            *search = format!("{added}:{search}");
        }
        let outputs = outputs(&fs::read_to_string(&output).unwrap());
        Step { outputs, outcome: if code == 0 { "success" } else { "failure" } }
    }
}

impl Done {
    /// The code that the job's step ends with: the first step of the action that failed.
    pub(crate) fn ended(&self) -> Option<i32> {
        assert_eq!(self.failed, self.codes.values().any(|code| *code != 0), "{self:#?}");
        self.codes.get("finish").copied().filter(|_| self.codes.get("prepare") == Some(&0))
    }

    /// Whether the annotations name all of this.
    pub(crate) fn tells(&self, level: &str, words: &[&str]) -> bool {
        let begin = format!("::{level} title=");
        self.log.lines().any(|line| line.starts_with(&begin) && words.iter().all(|word| line.contains(word)))
    }

    /// An action that was used, by the beginning of its name, and what was given to it.
    pub(crate) fn used(&self, name: &str) -> Vec<&BTreeMap<String, String>> {
        self.used.iter().filter(|(used, _)| used == name).map(|(_, with)| with).collect()
    }
}

/// The version that the action carries.
pub(crate) fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

fn metadata() -> &'static Value {
    static METADATA: LazyLock<Value> = LazyLock::new(|| serde_yaml::from_str(&read("action.yml")).unwrap());
    &METADATA
}

/// What a step wrote for others, as the runner reads it.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((name, delimiter)) = line.split_once("<<") {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            outputs.insert(name.to_owned(), value.join("\n"));
        } else {
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("no output: {line}"));
            outputs.insert(name.to_owned(), value.to_owned());
        }
    }
    outputs
}

/// A line of `sh` that notes the arguments of a call.
fn noting(file: &Path) -> String {
    format!("{{ for argument; do printf '<%s>' \"$argument\"; done; printf '\\001\\n'; }} >> {}", quoted(file))
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_str().unwrap().replace('\'', r"'\''"))
}

/// Runs a command to its end.
pub(crate) fn started(mut command: Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = {
        let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        command.spawn().unwrap()
    };
    child.wait_with_output().unwrap()
}

/// Writes a program of `sh`.
pub(crate) fn write_program(path: &Path, lines: &str) {
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    fs::write(path, format!("#!/bin/sh\n{lines}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
