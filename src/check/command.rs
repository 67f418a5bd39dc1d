//! Checks that start a program.
//!
//! A command is a list of arguments and goes to the system as it is. A shell reads a command only where the
//! configuration says `shell:`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Action, Kind};
use crate::decode::tree::Node;
use crate::decode::{Decoder, Fields, Key, schema};

/// A program to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments, at least one.
    pub argv: Vec<String>,
    /// Folder to start it in, relative to the project's root; empty is the root.
    pub cwd: String,
    /// Variables added to the environment.
    pub env: BTreeMap<String, String>,
}

impl Command {
    /// The command as a person would type it.
    #[must_use]
    pub fn display(&self) -> String {
        self.argv.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" ")
    }
}

fn quoted(argument: &str) -> String {
    let is_plain = |ch: char| ch.is_ascii_alphanumeric() || "-_=+./:,@%^".contains(ch);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', "'\\''"))
}

const KEYS: &[Key] = &[
    Key::optional("cwd", "Folder to start it in, relative to the project's root.", schema::string),
    Key::optional("env", "Variables added to the environment.", env_schema),
    Key::optional(
        "requires",
        "Programs without which the check is skipped with a warning; without this list a missing program is an error.",
        schema::strings,
    ),
    Key::optional(
        "fix",
        "The command that repairs what the check finds; run by `--fix`, shown as the next step when the check fails.",
        schema::scalars,
    ),
    Key::optional("evidence", "The reports it leaves behind: tests, coverage, metrics.", super::evidence::spec_schema),
];

/// `run: [program, argument, …]`.
pub const RUN: Kind = Kind {
    key: Key::optional("run", "The program and its arguments, started without a shell.", schema::scalars),
    keys: KEYS,
    decode: |decoder, node, fields| arguments(decoder, node, fields).map(Action::Run),
};

/// `shell: text`.
pub const SHELL: Kind = Kind {
    key: Key::optional("shell", "A line for the system's shell (`sh -c`, on Windows `cmd /C`).", schema::string),
    keys: KEYS,
    decode: |decoder, node, fields| {
        let line = decoder.text(node, "a line for the shell")?;
        if line.trim().is_empty() {
            decoder.error("config.empty-command", &node.place, "an empty command", None);
            return None;
        }
        let shell = if cfg!(windows) { ["cmd", "/C"] } else { ["sh", "-c"] };
        with_place(decoder, shell.iter().map(|part| (*part).to_owned()).chain([line]).collect(), fields)
            .map(Action::Run)
    },
};

fn env_schema() -> Value {
    json!({ "type": "object", "additionalProperties": schema::scalar() })
}

/// Decodes an argument list, with the `cwd` and `env` beside it.
pub fn arguments(decoder: &mut Decoder, node: &Node, fields: &Fields<'_>) -> Option<Command> {
    let items = decoder.list(node, "arguments")?;
    let argv: Vec<_> = items.iter().map(|item| decoder.argument(item)).collect::<Option<_>>()?;
    if argv.first().is_none_or(String::is_empty) {
        let help = "write the program and its arguments as a list: [cargo, test]".to_owned();
        decoder.error("config.empty-command", &node.place, "an empty command", Some(help));
        return None;
    }
    with_place(decoder, argv, fields)
}

fn with_place(decoder: &mut Decoder, argv: Vec<String>, fields: &Fields<'_>) -> Option<Command> {
    let cwd = match fields.get("cwd") {
        Some(node) if node.text() == Some(".") => String::new(),
        Some(node) => decoder.path(node)?,
        None => String::new(),
    };
    let mut env = BTreeMap::new();
    if let Some(node) = fields.get("env") {
        for (name, key, value) in decoder.map(node, "variables")? {
            if name.is_empty() || name.contains(['=', '\0']) {
                decoder.error("config.value", &key.place, format!("{} cannot name a variable", key.describe()), None);
                continue;
            }
            env.insert(name.to_owned(), decoder.argument(value)?);
        }
    }
    Some(Command { argv, cwd, env })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_a_person_would_type_them() {
        let argv = ["python3", "-c", "print('a b')", "", "--x=$HOME"].map(str::to_owned).to_vec();
        let command = Command { argv, cwd: String::new(), env: BTreeMap::new() };
        assert_eq!(command.display(), "python3 -c 'print('\\''a b'\\'')' '' '--x=$HOME'");
    }
}
