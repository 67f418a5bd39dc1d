//! `cargo xtask schema`: the JSON Schema of mgmt.yml, from the tables the program itself reads by.

use crate::chore::{put, root};

pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    put(&root().join("schema/mgmt.schema.json"), &text()?, args)
}

fn text() -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&mgmt_action::config::schema())? + "\n")
}
