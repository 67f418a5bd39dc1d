//! `notify`: sends a notice on trial; exits with 0 only if every receiver took it.

use super::args::{Format, NotifyArgs, NotifyCommand};
use super::screen::Screen;
use crate::app::Context;
use crate::app::notify::{self, Request, Row, Status};
use crate::sys::text;

pub(super) fn run(context: &Context, args: &NotifyArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("notify", &[Format::Human, Format::Json])?;
    let NotifyCommand::Test(args) = &args.command;
    let request = Request { receivers: args.receivers.clone(), level: args.level, dry_run: args.dry_run };
    let tested = notify::test(context, &request, screen.teller())?;
    let code = tested.exit_code();
    if screen.format == Format::Json {
        screen.json(&tested)?;
        return Ok(code);
    }
    for row in &tested.receivers {
        let told = match (row.status, &row.message) {
            (Status::Sent, Some(id)) => format!("told (message {id})"),
            (Status::Sent, None) => "told".to_owned(),
            (Status::Unwanted, _) => "is not told of this level".to_owned(),
            (Status::Ready | Status::Setup | Status::Failed | Status::Unclear, _) => String::new(),
        };
        if !told.is_empty() {
            screen.data(&format!("{} ({}): {told}\n", row.name, row.kind));
        }
        if let Some(payload) = &row.payload {
            let to = row.address.as_deref().unwrap_or("an address that is not there yet");
            let payload = serde_json::to_string_pretty(payload)?;
            screen.report(&format!("{} ({}): POST {to}\n{payload}\n", row.name, row.kind));
        }
        complain(row, screen);
    }
    Ok(code)
}

fn complain(row: &Row, screen: &mut Screen) {
    if let Some(error) = &row.error {
        screen.error(&format!("{}: {}", row.name, text::one_line(error)), row.help.as_deref());
    }
}
