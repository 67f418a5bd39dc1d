//! `gate`: the verdict over reports that are already there.

use super::args::GateArgs;
use super::check::show;
use super::screen::Screen;
use crate::app::Context;
use crate::app::gate::{self, Request};

pub(super) fn run(context: &Context, args: &GateArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require(gate::COMMAND, super::check::FORMS)?;
    let request = Request { gate: args.gate.clone(), evidence: args.evidence.clone(), against: args.against.wanted() };
    let checked = gate::gate(context, &request)?;
    show(context, &checked, screen);
    let code = checked.record.verdict.exit_code();
    std::mem::forget(checked.read);
    Ok(code)
}
