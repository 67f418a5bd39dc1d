//! Workflows run by `act` on this machine, with this repository as `org/mgmt-action@v1`, stand-ins for the actions
//! that it uses, and a GitHub on loopback. `MGMT_E2E_ACT` names the program.
//!
//! act passes over jobs whose runner it does not know, and ends with 0: a test counts the jobs that succeeded. It hides
//! secrets in what it prints; here it is told not to, so that a leak is seen.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use memchr::memmem;
use serde_json::{Map, Value, json};

use super::discord;
use super::github::{Fake, Repo, TokenKind, zip_folder};
use super::support::{Project, Ran, ran, scrubbed};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The secrets that nothing may show: the token, and an address that is as good as one.
const SECRETS: [&str; 2] = ["ghs_canary0123456789abcdef", "https://discord.com/api/webhooks/1/canary-of-a-webhook"];
/// What each of them is found by, also where a part of it was cut off.
const CANARIES: [&str; 2] = ["canary0123456789", "canary-of-a-webhook"];
/// The repository that the workflows run in.
pub(super) const REPOSITORY: &str = "org/project";
/// Who writes with the token of a job.
pub(super) const BOT: &str = "github-actions[bot]";

/// The last step of a job: keeps the outputs of its step `mgmt`, and everything that the job leaves.
pub(super) const KEEP: &str = "
      - if: ${{ always() }}
        run: |
          printf '%s' \"${OUTPUTS}\" > \"${MGMT_E2E_STORE}/outputs.json\"
          mkdir -p \"${MGMT_E2E_STORE}/left/${GITHUB_RUN_ID}\"
          cp -R . \"${RUNNER_TEMP}\" \"${MGMT_E2E_STORE}/left/${GITHUB_RUN_ID}\"
        env:
          OUTPUTS: ${{ toJSON(steps.mgmt.outputs) }}
";

/// A project, its repository on GitHub, and the machine its workflows run on.
pub(super) struct Bench {
    pub(super) project: Project,
    pub(super) fake: Fake,
    machine: tempfile::TempDir,
    path: String,
    /// The secret `DISCORD_WEBHOOK_URL`.
    webhook: String,
}

/// What starts workflows: the event as GitHub tells it, and the run that it makes.
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) payload: Value,
    /// The run's number.
    pub(super) run: u64,
    /// The workflow's file.
    pub(super) workflow: &'static str,
}

/// A pull request as it is checked out: a merge that nobody pushed, and no local branch.
pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) head: String,
    base: String,
    head_repo: &'static str,
}

/// What a workflow run left.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) code: i32,
    pub(super) succeeded: usize,
    pub(super) failed: usize,
    /// What was printed, without marks of colour or place.
    pub(super) log: String,
    /// Job summaries.
    pub(super) summary: String,
    /// The outputs of the action, where the workflow kept them in `$MGMT_E2E_STORE/outputs.json`.
    pub(super) outputs: Map<String, Value>,
    /// Requests to GitHub.
    pub(super) requests: usize,
}

impl Bench {
    /// A project with this policy, and the binary on PATH.
    pub(super) fn new(policy: &str) -> Self {
        Self::of(Project::with(policy))
    }

    pub(super) fn of(project: Project) -> Self {
        let (fake, machine) = (Fake::start(), tempfile::tempdir().unwrap());
        let bench = Self { project, fake, path: String::new(), machine, webhook: SECRETS[1].to_owned() };
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
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mgmt"), bench.place("bin/mgmt")).unwrap();
        bench.allow(&[]);
        bench.repo().workflow("ci.yml");
        bench
    }

    /// Looks for programs in this folder first.
    pub(super) fn with_path(mut self, folder: &str) -> Self {
        self.path = format!("{folder}:");
        self
    }

    /// Lets the secret `DISCORD_WEBHOOK_URL` lead to this Discord.
    pub(super) fn with_discord(mut self, discord: &discord::Fake) -> Self {
        self.webhook = discord.webhook();
        self
    }

    pub(super) fn place(&self, path: &str) -> PathBuf {
        self.machine.path().join(path)
    }

    pub(super) fn repo(&self) -> Repo<'_> {
        self.fake.repo(REPOSITORY)
    }

    /// Gives the job's token all permissions but these.
    pub(super) fn allow(&self, lacking: &[&str]) {
        self.fake.token(SECRETS[0], TokenKind::Actions, BOT, lacking);
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

    /// Takes what a run uploaded to GitHub, and returns the names.
    pub(super) fn upload(&self, run: u64) -> Vec<String> {
        let names = self.kept("artifacts");
        for name in &names {
            let folder = self.place("store/artifacts").join(name);
            self.repo().artifact(run, name, zip_folder(&folder));
            std::fs::remove_dir_all(folder).unwrap();
        }
        names
    }

    /// Commits the project as it lies there, and pushes the commit to a branch of this repository.
    pub(super) fn commit(&self, repo: &str, branch: &str) -> String {
        let git = |args: &[&str]| self.project.git(args);
        let first = !self.project.path(".git").exists();
        if first {
            git(&["init", "-q", "-b", "main"]);
            git(&["remote", "add", "origin", &format!("https://github.com/{REPOSITORY}.git")]);
        }
        git(&["add", "-A"]);
        git(&["commit", "-q", "--allow-empty", "-m", branch]);
        let sha = git(&["rev-parse", "HEAD"]);
        let parents = git(&["rev-list", "--parents", "-n1", "HEAD"]);
        let files = git(&["ls-files"]);
        let repo = self.fake.repo(repo);
        repo.commit_with(|commit| {
            commit.sha.clone_from(&sha);
            commit.parents = parents.split(' ').skip(1).map(str::to_owned).collect();
            commit.message = branch.to_owned();
            let file = |name: &str| (name.to_owned(), Some(std::fs::read(self.project.path(name)).unwrap()));
            commit.files = files.lines().map(file).collect();
        });
        repo.branch(branch, &sha);
        if repo.name() == REPOSITORY {
            git(&["update-ref", &format!("refs/remotes/origin/{branch}"), &sha]);
        }
        sha
    }

    /// A run of `ci.yml` on the commit that is checked out, which is the default branch's newest.
    pub(super) fn event(&self, name: &'static str) -> Event {
        self.event_of("ci.yml", name)
    }

    /// The same of another workflow.
    pub(super) fn event_of(&self, workflow: &'static str, name: &'static str) -> Event {
        let sha = self.project.git(&["rev-parse", "HEAD"]);
        let id = self.repo().workflow(workflow);
        let run = self.repo().run(|run| {
            run.workflow_id = id;
            run.path = format!(".github/workflows/{workflow}");
            run.sha = sha;
            run.branch = Some("main".to_owned());
            run.event = name.to_owned();
        });
        let payload = json!({ "ref": "refs/heads/main", "repository": self.described(REPOSITORY) });
        Event { name, payload, run, workflow }
    }

    /// Opens a pull request from branch `change` of this repository with what lies in the project.
    pub(super) fn open(&self, head_repo: &'static str) -> Pull {
        let base = self.project.git(&["rev-parse", "main"]);
        self.project.git(&["checkout", "-q", "-b", "change"]);
        if head_repo != REPOSITORY {
            self.repo().fork(head_repo);
        }
        let head = self.commit(head_repo, "change");
        let number = self.repo().pull(head_repo, "change", |_| {});
        let pull = Pull { number, head, base, head_repo };
        self.merge(&pull);
        pull
    }

    /// Pushes what lies in the project to the branch of a pull request.
    pub(super) fn push_to(&self, pull: &mut Pull) {
        self.project.git(&["checkout", "-q", "-b", "change", &pull.head]);
        pull.head = self.commit(pull.head_repo, "change");
        self.repo().edit(|repo| {
            let known = repo.pulls.iter_mut().find(|known| known.number == pull.number).unwrap();
            known.head_sha.clone_from(&pull.head);
        });
        self.merge(pull);
    }

    /// Checks out what GitHub would: the merge of a pull request.
    fn merge(&self, pull: &Pull) {
        let git = |args: &[&str]| self.project.git(args);
        git(&["checkout", "-q", "--detach", &pull.base]);
        git(&["merge", "-q", "--no-ff", "-m", "merge", &pull.head]);
        git(&["for-each-ref", "--format=%(refname:short)", "refs/heads"])
            .lines()
            .for_each(|branch| _ = git(&["branch", "-q", "-D", branch]));
    }

    /// A run of `ci.yml` for a pull request.
    pub(super) fn pull_request(&self, pull: &Pull) -> Event {
        let is_own = pull.head_repo == REPOSITORY;
        let run = self.repo().run(|run| {
            run.sha.clone_from(&pull.head);
            run.branch = Some("change".to_owned());
            run.event = "pull_request".to_owned();
            run.head_repo = pull.head_repo.to_owned();
            run.pulls = if is_own { vec![pull.number] } else { Vec::new() };
        });
        let payload = json!({
            "number": pull.number,
            "repository": self.described(REPOSITORY),
            "pull_request": {
                "number": pull.number,
                "head": { "ref": "change", "sha": pull.head, "repo": self.described(pull.head_repo) },
                "base": { "ref": "main", "sha": pull.base, "repo": self.described(REPOSITORY) },
            },
        });
        Event { name: "pull_request", payload, run, workflow: "ci.yml" }
    }

    /// The end of a pull request's run, as the `workflow_run` job of `publish.yml` hears of it.
    pub(super) fn finished(&self, pull: &Pull, run: u64) -> Event {
        let payload = json!({
            "action": "completed",
            "repository": self.described(REPOSITORY),
            "workflow_run": {
                "id": run,
                "run_attempt": 1,
                "event": "pull_request",
                "head_sha": pull.head,
                "head_repository": self.described(pull.head_repo),
            },
        });
        Event { payload, ..self.event_of("publish.yml", "workflow_run") }
    }

    fn described(&self, repo: &str) -> Value {
        let id = self.fake.repo(repo).read(|repo| repo.id);
        json!({ "id": id, "full_name": repo, "default_branch": "main" })
    }

    /// Commits the project to the default branch and runs its workflow for an event.
    pub(super) fn run(&self, name: &'static str) -> Jobs {
        self.commit(REPOSITORY, "main");
        self.start(&self.event(name))
    }

    /// Runs a workflow; no secret may be in anything that it leaves.
    pub(super) fn start(&self, event: &Event) -> Jobs {
        let jobs = self.start_unseen(event);
        let shown = self.shown(&jobs);
        assert!(shown.is_empty(), "a secret is shown by {shown:?}");
        jobs
    }

    /// Runs a workflow, whatever it shows.
    pub(super) fn start_unseen(&self, event: &Event) -> Jobs {
        std::fs::write(self.place("event.json"), event.payload.to_string()).unwrap();
        let before = self.fake.requests().len();
        let ran = ran(self.act(event).output().unwrap());
        self.read(&ran, before)
    }

    fn read(&self, ran: &Ran, before: usize) -> Jobs {
        let (mut log, mut summary) = (String::new(), String::new());
        let (mut succeeded, mut failed) = (0, 0);
        for line in ran.stdout.lines().chain(ran.stderr.lines()) {
            let Ok(told) = serde_json::from_str::<Value>(line) else {
                log.push_str(&format!("{line}\n"));
                continue;
            };
            let said = told["msg"].as_str().unwrap_or_default().trim();
            log.push_str(&format!("{said}\n"));
            succeeded += usize::from(said.ends_with("Job succeeded"));
            failed += usize::from(said.ends_with("Job failed"));
            if told["command"] == "summary" {
                summary.push_str(told["content"].as_str().unwrap());
            }
        }
        let outputs = self.place("store/outputs.json");
        let text = std::fs::read_to_string(&outputs).unwrap_or("{}".to_owned());
        let outputs = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let requests = self.fake.requests().len() - before;
        Jobs { code: ran.code, succeeded, failed, log, summary, outputs, requests }
    }

    /// Where a secret is shown: in what was printed, in what GitHub was told, in files of the project and the machine.
    pub(super) fn shown(&self, jobs: &Jobs) -> Vec<String> {
        // The last one is that of a webhook on loopback, if there is one.
        let canaries = [CANARIES[0], CANARIES[1], &discord::TOKEN[..20]];
        let holds = |bytes: &[u8]| canaries.iter().any(|canary| memmem::find(bytes, canary.as_bytes()).is_some());
        let told = self
            .repo()
            .read(|repo| format!("{:?}{:?}{:?}{:?}", repo.comments, repo.check_runs, repo.deployments, repo.issues));
        let mut shown: Vec<String> = [("the log", format!("{jobs:?}")), ("GitHub", told)]
            .into_iter()
            .filter(|(_, text)| holds(text.as_bytes()))
            .map(|(name, _)| name.to_owned())
            .collect();
        let places = ["home", "store", "act"].map(|place| self.place(place)).into_iter();
        let mut folders: Vec<_> =
            places.chain([self.project.root().to_owned()]).filter(|place| place.exists()).collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else if path.is_file() && holds(&std::fs::read(&path).unwrap()) {
                    shown.push(path.display().to_string());
                }
            }
        }
        shown
    }

    /// Forgets what runs left on the machine, its tool cache too.
    pub(super) fn renew(&self) {
        std::fs::remove_dir_all(self.place("act")).unwrap();
    }

    fn act(&self, event: &Event) -> Command {
        let mut act = Command::new(variable("MGMT_E2E_ACT"));
        act.current_dir(self.project.root()).env_clear();
        act.env("PATH", format!("{}:{}{}", self.place("bin").display(), self.path, system_path()));
        act.env("HOME", self.place("home"));
        act.arg(event.name).arg("-e").arg(self.place("event.json"));
        act.arg("-W").arg(format!(".github/workflows/{}", event.workflow));
        act.args(["--json", "--insecure-secrets", "--no-cache-server"]);
        act.arg("--action-cache-path").arg(self.place("act"));
        for label in ["ubuntu-latest", "ubuntu-24.04"] {
            act.arg("-P").arg(format!("{label}=-self-hosted"));
        }
        for (name, secret) in [("GITHUB_TOKEN", SECRETS[0]), ("DISCORD_WEBHOOK_URL", &self.webhook)] {
            act.arg("-s").arg(format!("{name}={secret}"));
        }
        let reference = format!("{REPOSITORY}/.github/workflows/{}@refs/heads/main", event.workflow);
        for (name, value) in [
            ("GITHUB_API_URL", self.fake.url()),
            ("GITHUB_RUN_ID", &event.run.to_string()),
            ("GITHUB_WORKFLOW_REF", &reference),
            ("DISCORD_WEBHOOK_URL", SECRETS[1]),
            ("MGMT_E2E_STORE", self.place("store").to_str().unwrap()),
            ("MGMT_E2E_PROJECT", self.project.root().to_str().unwrap()),
        ] {
            act.arg("--env").arg(format!("{name}={value}"));
        }
        act.arg("--local-repository").arg(format!("org/mgmt-action@v1={}", self.place("export").display()));
        for name in ["cache", "checkout", "upload-artifact", "setup-python"] {
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
