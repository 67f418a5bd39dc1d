//! A project beside its repository on the fake, and a job of GitHub Actions in it.

use std::process::Command;

use serde_json::json;

use super::github::{Fake, TokenKind, zip_folder};
use super::support::{Project, Ran, ran};

/// What must never be seen.
pub(crate) const TOKEN: &str = "ghs_canary0000000000000000000000000000";

/// Two tests, a covered line and one that is not.
pub(crate) const JUNIT: &str = "<testsuite name='s'><testcase name='a'/><testcase name='b'/></testsuite>";
pub(crate) const LCOV: &str = "SF:src/a.py\nDA:1,1\nDA:2,0\nend_of_record\n";

pub(crate) const POLICY: &str = "version: 1
checks:
  tests: { group: test, run: [cp, made/junit.xml, made/lcov.info, .], evidence: { tests: junit.xml, coverage: lcov.info } }
gate:
  - { metric: tests.failed, max: 0 }
  - { metric: coverage.lines.percent, min: 50 }
";

/// The project, its commit, and the fake that knows both.
pub(crate) struct Scene {
    pub(crate) fake: Fake,
    pub(crate) project: Project,
    pub(crate) commit: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::under("")
    }

    /// With the API below a base path.
    pub(crate) fn under(base: &str) -> Self {
        Self::of(base, Some(POLICY))
    }

    /// With this policy on the default branch, or without one.
    pub(crate) fn of(base: &str, policy: Option<&str>) -> Self {
        let project = Project::with(policy.unwrap_or(POLICY));
        if policy.is_none() {
            std::fs::remove_file(project.path("mgmt.yml")).unwrap();
        }
        project.write("src/a.py", "a = 1\nb = 2\n").write(".gitignore", "junit.xml\nlcov.info\n");
        project.write("made/junit.xml", JUNIT).write("made/lcov.info", LCOV).commit();
        let commit = project.git(&["rev-parse", "HEAD"]);
        let fake = if base.is_empty() { Fake::start() } else { Fake::start_under(base) };
        fake.token(TOKEN, TokenKind::Actions, "github-actions[bot]", &[]);
        fake.repo("org/app").commit_with(|made| {
            made.sha.clone_from(&commit);
            made.message = "one".to_owned();
        });
        fake.repo("org/app").branch("main", &commit);
        Self { fake, project, commit }
    }

    /// A completed run of `ci.yml` on the project's commit.
    pub(crate) fn run(&self) -> u64 {
        self.fake.repo("org/app").run(|run| {
            run.sha.clone_from(&self.commit);
            run.branch = Some("main".to_owned());
        })
    }

    /// The binary, as a person calls it: with the token and the API's address alone.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.project.command();
        command.env("GITHUB_API_URL", self.fake.url()).env("GITHUB_TOKEN", TOKEN);
        command
    }

    /// Runs the binary; the token must not be in anything it says.
    pub(crate) fn mgmt(&self, args: &[&str]) -> Ran {
        let ran = ran(self.command().args(args).output().unwrap());
        assert!(!format!("{ran:?}").contains("canary"), "the token was printed: {ran:?}");
        ran
    }

    /// Runs the binary in a job of this run.
    pub(crate) fn in_job(&self, run: u64, attempt: u64, args: &[&str]) -> Ran {
        let event = self.project.path(".git/event.json");
        std::fs::write(&event, json!({ "repository": { "id": 1, "default_branch": "main" } }).to_string()).unwrap();
        let mut command = self.command();
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "org/app")
            .env("GITHUB_EVENT_NAME", "push")
            .env("GITHUB_EVENT_PATH", event)
            .env("GITHUB_SHA", &self.commit)
            .env("GITHUB_REF", "refs/heads/main")
            .env("GITHUB_RUN_ID", run.to_string())
            .env("GITHUB_RUN_ATTEMPT", attempt.to_string())
            .env("GITHUB_JOB", "gate");
        ran(command.args(args).output().unwrap())
    }

    /// Packs what lies in the project as a job of this run would.
    pub(crate) fn pack(&self, run: u64, attempt: u64, shard: &str) {
        let mut args = vec!["collect", "--evidence", "tests=made/junit.xml", "made/lcov.info"];
        if !shard.is_empty() {
            args.extend(["--shard", shard]);
        }
        let packed = self.in_job(run, attempt, &args);
        assert_eq!(packed.code, 0, "{packed:?}");
    }

    /// Packs it and uploads it.
    pub(crate) fn upload(&self, run: u64, attempt: u64, shard: &str) -> u64 {
        self.pack(run, attempt, shard);
        let name = if shard.is_empty() { String::new() } else { format!("-{shard}") };
        let name = format!("mgmt-evidence{name}-attempt{attempt}");
        self.fake.repo("org/app").artifact(run, &name, zip_folder(&self.project.path(".mgmt/bundle")))
    }

    /// The objects that `ci evidence --format json` prints, with its exit code.
    pub(crate) fn evidence(&self, args: &[&str]) -> (i32, serde_json::Value, String) {
        let ran = self.mgmt(&[&["ci", "evidence", "--repo", "org/app", "--format", "json"], args].concat());
        let value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        (ran.code, value, ran.stderr)
    }
}
