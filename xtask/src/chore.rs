//! What a chore is, how one is run, and what they share.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A chore of this repository.
pub(crate) struct Chore {
    /// What is typed after `cargo xtask`.
    pub(crate) name: &'static str,
    /// One line for the help text.
    pub(crate) doc: &'static str,
    /// Does it; the arguments after its name are passed.
    pub(crate) run: fn(&[String]) -> anyhow::Result<()>,
}

/// What stands under the product's help text.
pub(crate) fn help(chores: &[Chore]) -> String {
    let chores: String = chores.iter().map(|chore| format!("  {:<8} {}\n", chore.name, chore.doc)).collect();
    format!("Chores of this repository:\n{chores}\n{}", mgmt_action::cli::EXIT_CODES)
}

/// Runs a chore; an error is printed with its causes.
pub(crate) fn run(chore: &Chore, args: &[OsString]) -> ExitCode {
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    match (chore.run)(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Says a line on standard error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Writes a generated file, or with `--check` only says whether it is current.
pub(crate) fn put(path: &Path, content: &str, args: &[String]) -> anyhow::Result<()> {
    let shown = path.strip_prefix(root()).unwrap_or(path).display();
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        other => anyhow::bail!("unknown arguments {other:?}; there is --check"),
    };
    let current = std::fs::read_to_string(path).unwrap_or_default();
    if current == content {
        say(&format!("{shown} is current"));
    } else if check {
        anyhow::bail!("{shown} is not current: run `cargo xtask docs` and `cargo xtask schema`");
    } else {
        std::fs::write(path, content)?;
        say(&format!("wrote {shown}"));
    }
    Ok(())
}
