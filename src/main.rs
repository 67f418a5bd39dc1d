//! The `mgmt` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    mgmt_action::cli::main(std::env::args_os())
}
