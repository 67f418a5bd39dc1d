//! `init`: writes a mgmt.yml from what is found.

use super::args::{Format, InitArgs};
use super::screen::Screen;
use crate::app::Context;
use crate::app::init::{self, Overwrite};

pub(super) fn run(context: &Context, args: &InitArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("init", &[Format::Human])?;
    let proposed = init::propose(context)?;
    for found in &proposed.found {
        screen.remark(&format!("found: {found}"));
    }
    for left in &proposed.left_out {
        screen.remark(&format!("left out: {left}"));
    }
    if args.stdout {
        screen.data(&proposed.text);
        return Ok(0);
    }
    let path = init::write(&proposed, if args.force { Overwrite::Yes } else { Overwrite::No })?;
    let shown = path.strip_prefix(&context.cwd).unwrap_or(&path);
    screen.data(&format!("wrote {shown}\n"));
    screen.remark("next: mgmt full-check");
    Ok(0)
}
