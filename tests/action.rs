//! The action: `action.yml` and its script, without GitHub.
//!
//! `metadata` holds the files against each other. `job` is as much of a runner as `action.yml` needs: it evaluates the
//! conditions and the environment of each step and runs the script with stubs for `mgmt`, `cargo` and `curl`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "action/metadata.rs"]
mod metadata;

#[cfg(unix)]
#[path = "action/binary.rs"]
mod binary;
#[cfg(unix)]
#[path = "action/expression.rs"]
mod expression;
#[cfg(unix)]
#[path = "action/hostile.rs"]
mod hostile;
#[cfg(unix)]
#[path = "action/inputs.rs"]
mod inputs;
#[cfg(unix)]
#[path = "action/job.rs"]
mod job;
#[cfg(unix)]
#[path = "action/steps.rs"]
mod steps;

/// A file of this repository.
fn read(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
