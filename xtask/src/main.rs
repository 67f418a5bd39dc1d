//! `cargo xtask`: the product's own commands, and this repository's chores beside them.
//!
//! A command that is not a chore goes to the library unchanged, so `cargo xtask full-check` is `mgmt full-check`.

mod bench;
mod chore;
mod dist;
mod docs;
mod schema;

use std::process::ExitCode;

use chore::CHORES;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let name = args.get(1).and_then(|arg| arg.to_str());
    if let Some(chore) = CHORES.iter().find(|chore| Some(chore.name) == name) {
        return chore::run(chore, &args[2..]);
    }
    let after_help: &'static str = Box::leak(chore::help().into_boxed_str());
    mgmt_action::cli::main_as(mgmt_action::cli::Program { name: "cargo xtask", after_help }, args)
}
