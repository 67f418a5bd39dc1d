//! `collect`: packs what the checks left behind for those who judge it elsewhere.

use serde_json::json;

use super::args::Format;
use super::args_github::CollectArgs;
use super::screen::Screen;
use crate::app::Context;
use crate::app::bundle::{self, Request};
use crate::sys::text;

pub(super) fn run(context: &Context, args: &CollectArgs, screen: &mut Screen) -> anyhow::Result<u8> {
    screen.require("collect", &[Format::Human, Format::Json])?;
    let request = Request {
        out: args.out.clone(),
        shard: args.shard.clone(),
        evidence: args.evidence.clone(),
        added: args.add_evidence.clone(),
        since: args.since,
    };
    let packed = bundle::collect(context, &request)?;
    let bundle = &packed.bundle;
    for missing in &bundle.missing {
        let told = format!("{} is not in the bundle: {}", text::one_line(&missing.path), missing.reason);
        screen.warning(&told, Some("let the check write its report to a file"));
    }
    if screen.format == Format::Json {
        let shown = json!({
            "schema": "mgmt.collected/1",
            "folder": packed.folder,
            "run": packed.run,
            "source": bundle.source,
            "files": bundle.files.iter().map(|file| &file.path).collect::<Vec<_>>(),
            "missing": bundle.missing,
        });
        screen.json(&shown)?;
        return Ok(0);
    }
    let files = text::plural(bundle.files.len() as u64, "report file", "report files");
    let kinds = if bundle.files.is_empty() { String::new() } else { format!(" ({})", bundle::kinds(bundle)) };
    let run = packed.run.map(|run| format!(", the record of {run}")).unwrap_or_default();
    let commit = bundle.source.commit.as_deref().map_or("no commit", |commit| commit.get(..10).unwrap_or(commit));
    screen.data(&format!("{}: {files}{kinds}{run}; commit {commit}\n", packed.folder));
    Ok(0)
}
