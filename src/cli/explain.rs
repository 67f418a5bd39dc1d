//! `explain CHECK|METRIC|CODE`.

use super::args::{ExplainArgs, Format};
use super::history::told;
use super::screen::Screen;
use crate::app::{Context, explain};

pub(super) fn run(context: &Context, args: &ExplainArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("explain", &[Format::Human])?;
    let text = told(explain::explain(context, &args.topic)?, screen);
    screen.data(&text);
    Ok(0)
}
