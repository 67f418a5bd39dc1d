//! Environment variables: each name stands here once, and is read through a map that tests can fill.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// What git sets for its hooks: which repository, work tree and index a git command is about.
pub const GIT_PLACE: &[&str] = &["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"];
/// Set by most CI systems.
pub const CI: &str = "CI";
/// Any value but the empty one turns colour off (<https://no-color.org>).
pub const NO_COLOR: &str = "NO_COLOR";
/// `true` inside a GitHub Actions job.
pub const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
/// A token for GitHub; `gh` and many tools read the second name.
pub const GITHUB_TOKENS: [&str; 2] = ["GITHUB_TOKEN", "GH_TOKEN"];
/// The address of GitHub's API.
pub const GITHUB_API_URL: &str = "GITHUB_API_URL";
/// The address people see: `https://github.com`.
pub const GITHUB_SERVER_URL: &str = "GITHUB_SERVER_URL";
/// `owner/name` of the repository whose workflow runs.
pub const GITHUB_REPOSITORY: &str = "GITHUB_REPOSITORY";
/// What started the workflow.
pub const GITHUB_EVENT_NAME: &str = "GITHUB_EVENT_NAME";
/// The file with what GitHub knows of that.
pub const GITHUB_EVENT_PATH: &str = "GITHUB_EVENT_PATH";
/// The commit that is checked out: of a pull request the merge that is tested.
pub const GITHUB_SHA: &str = "GITHUB_SHA";
/// The branch or tag: `refs/heads/main`.
pub const GITHUB_REF: &str = "GITHUB_REF";
/// The number of the workflow's run in all of GitHub.
pub const GITHUB_RUN_ID: &str = "GITHUB_RUN_ID";
/// Its attempt, from 1.
pub const GITHUB_RUN_ATTEMPT: &str = "GITHUB_RUN_ATTEMPT";
/// The name of the job.
pub const GITHUB_JOB: &str = "GITHUB_JOB";
/// The workflow's file at its commit: `o/r/.github/workflows/ci.yml@refs/heads/main`.
pub const GITHUB_WORKFLOW_REF: &str = "GITHUB_WORKFLOW_REF";
/// The file that takes a step's outputs.
pub const GITHUB_OUTPUT: &str = "GITHUB_OUTPUT";
/// The file that takes a step's part of the job summary.
pub const GITHUB_STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// A folder that is empty when a job begins and removed when it ends.
pub const RUNNER_TEMP: &str = "RUNNER_TEMP";
/// Where programs are looked for.
pub const PATH: &str = "PATH";
/// Windows: the endings that make a file a program.
pub const PATHEXT: &str = "PATHEXT";
/// `dumb` is a terminal without cursor movement.
pub const TERM: &str = "TERM";

/// Names that `cargo run` and `cargo xtask` set for their child. A check must not inherit them:
/// build scripts watch some of them, so a nested `cargo test` would rebuild what it just built.
const CARGO_RUN_NAMES: &[&str] = &["CARGO", "OUT_DIR"];
/// Prefixes of the same.
const CARGO_RUN_PREFIXES: &[&str] = &["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];

/// A snapshot of the environment.
#[derive(Clone, Debug, Default)]
pub struct Env(BTreeMap<OsString, OsString>);

impl Env {
    /// The process's own environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn from_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The value, if it is set, not empty and UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str().filter(|value| !value.is_empty())
    }

    /// The raw value.
    #[must_use]
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Whether the variable is set to something that does not mean "no".
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !matches!(value, "0" | "false" | "no"))
    }

    /// What a check's process inherits: everything but what `cargo run` added.
    pub fn for_children(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0
            .iter()
            .filter(|(name, _)| !is_from_cargo_run(name))
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

fn is_from_cargo_run(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        CARGO_RUN_NAMES.contains(&name) || CARGO_RUN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_do_not_see_what_cargo_run_set() {
        let env: Env = [
            ("CARGO", "/usr/bin/cargo"),
            ("CARGO_PKG_NAME", "xtask"),
            ("CARGO_MANIFEST_DIR", "/x"),
            ("CARGO_BIN_EXE_mgmt", "/x"),
            ("OUT_DIR", "/x"),
            ("CARGO_HOME", "/home/me/.cargo"),
            ("CARGO_TARGET_DIR", "/t"),
            ("PATH", "/usr/bin"),
        ]
        .into_iter()
        .collect();
        let seen: Vec<_> = env.for_children().map(|(name, _)| name.to_str().unwrap()).collect();
        assert_eq!(seen, ["CARGO_HOME", "CARGO_TARGET_DIR", "PATH"]);
    }

    #[test]
    fn empty_counts_as_unset() {
        let env: Env = [("NO_COLOR", ""), ("CI", "false"), ("GITHUB_ACTIONS", "true")].into_iter().collect();
        assert_eq!(env.get(NO_COLOR), None);
        assert!(!env.is_on(CI));
        assert!(env.is_on(GITHUB_ACTIONS));
    }
}
