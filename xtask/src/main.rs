//! `cargo xtask`: the product's own commands, and this repository's chores beside them.
//!
//! A command that is not a chore goes to the library unchanged, so `cargo xtask full-check` is `mgmt full-check`.

mod bench;
mod chore;
mod dist;
mod docs;
mod schema;

use std::process::ExitCode;

use chore::Chore;

/// Every chore.
const CHORES: &[Chore] = &[
    Chore { name: "docs", doc: "Write the generated parts of README.md (--check: only compare)", run: docs::run },
    Chore { name: "schema", doc: "Write schema/mgmt.schema.json (--check: only compare)", run: schema::run },
    Chore { name: "bench", doc: "Measure the release binary against its floors, in one sitting", run: bench::run },
    Chore { name: "dist", doc: "Build a release archive and its checksum under target/dist", run: dist::run },
];

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let name = args.get(1).and_then(|arg| arg.to_str());
    if let Some(chore) = CHORES.iter().find(|chore| Some(chore.name) == name) {
        return chore::run(chore, &args[2..]);
    }
    let after_help: &'static str = Box::leak(chore::help(CHORES).into_boxed_str());
    mgmt_action::cli::main_as(mgmt_action::cli::Program { name: "cargo xtask", after_help }, args)
}
