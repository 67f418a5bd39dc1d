//! `notify`: sends a notice on trial; exits with 0 only if every receiver took it.

use clap::{Args, Subcommand};

use super::args::Format;
use super::screen::Screen;
use crate::app::Context;
use crate::app::notify::{self, Request, Row, Status};
use crate::notify::Level;
use crate::sys::text;

#[derive(Args, Debug)]
pub(super) struct NotifyArgs {
    #[command(subcommand)]
    pub(super) command: NotifyCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Send a notice on trial to the receivers under `notify:`
    Test(TestArgs),
}

#[derive(Args, Debug)]
pub(super) struct TestArgs {
    /// Only these receivers [default: all]
    #[arg(value_name = "RECEIVER")]
    pub(super) receivers: Vec<String>,
    /// A notice of this level, to those that are told of it: critical, error, warning, audit [default: a quiet one, to
    /// everybody]
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(super) level: Option<Level>,
    /// Print what would be sent; send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

fn level(name: &str) -> Result<Level, String> {
    let words = Level::WORDS;
    let found = words.iter().find(|(word, _)| *word == name).map(|(_, level)| *level);
    found.ok_or_else(|| format!("there are: {}", words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")))
}

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
