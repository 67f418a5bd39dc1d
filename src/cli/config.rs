//! `config check`, `config show`, `config schema`.

use super::args::{ConfigArgs, ConfigCommand, Format};
use super::screen::Screen;
use crate::app::Context;
use crate::config;
use crate::sys::text;

pub(super) fn run(context: &Context, args: &ConfigArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    match args.command {
        ConfigCommand::Check => {
            screen.require("config check", &[Format::Human])?;
            let config = context.load()?;
            let checks = text::plural(config.checks.len() as u64, "check", "checks");
            let rules = config.gate.iter().chain(&config.gates).map(|gate| gate.rules.len() as u64).sum();
            #[cfg(feature = "net")]
            for trouble in crate::app::wired::look(&config) {
                screen.warning(&trouble.message, trouble.hint.as_deref());
            }
            screen.data(&format!("{} is valid: {checks}, {}\n", config.path, text::plural(rules, "rule", "rules")));
        }
        ConfigCommand::Show => {
            screen.require("config show", &[Format::Human, Format::Json])?;
            let shown = config::show(&context.load()?);
            match screen.format {
                Format::Json => screen.json(&shown)?,
                _ => screen.data(&serde_yaml::to_string(&shown)?),
            }
        }
        ConfigCommand::Schema => {
            screen.require("config schema", &[Format::Human, Format::Json])?;
            screen.json(&config::schema())?;
        }
    }
    Ok(0)
}
