//! `completions SHELL`.

use clap::CommandFactory as _;

use super::Program;
use super::args::{Cli, CompletionsArgs};
use super::screen::Screen;

pub(super) fn run(program: Program, args: &CompletionsArgs, screen: &mut Screen) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), program.name, &mut script);
    screen.data(&String::from_utf8_lossy(&script));
    0
}
