//! A baseline and a change that are given as files.

use camino::Utf8Path;
use serde::Deserialize;

use crate::app::Stop;
use crate::history;
use crate::record::Record;
use crate::repo::Diff;
use crate::report::json;
use crate::sys::fs;

/// Bytes read of a file.
const MAX_FILE: u64 = 1 << 30;

/// What any of the documents that this program writes says of itself.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: String,
    #[serde(default)]
    id: String,
}

/// Reads one record, or the last of several in JSON lines.
pub(super) fn record(path: &Utf8Path, name: &str) -> anyhow::Result<Record> {
    let bytes = fs::read(path, MAX_FILE).map_err(|error| unreadable(&error, "give the path of a record"))?;
    let head = |document: &[u8]| serde_json::from_slice::<Head>(document).ok();
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let (first, last) = (lines.next().unwrap_or_default(), lines.next_back());
    // A document over several lines has none that is one by itself.
    let document = last.filter(|last| head(first).is_some() || head(last).is_some()).unwrap_or(&bytes);
    let export = "`mgmt history export -o FILE` writes records";
    if let Some(report) = head(document).filter(|head| head.schema == json::SCHEMA) {
        let hint = match history::parse_id(&report.id) {
            Some(_) => format!("`mgmt history show {} --format json` writes the record of that run", report.id),
            None => export.to_owned(),
        };
        let message = format!("`--base {name}` is a report ({}), not a record", json::SCHEMA);
        return Err(Stop::usage(message, Some(hint)).into());
    }
    history::read_record(document)
        .map_err(|why| Stop::usage(format!("`--base {name}`: {why}"), Some(export.to_owned())).into())
}

/// Reads a unified diff.
pub(super) fn diff(path: &Utf8Path, name: &Utf8Path) -> anyhow::Result<Diff> {
    let instead = "give the path of a unified diff, as `git diff MERGE-BASE > FILE` writes it";
    let bytes = fs::read(path, MAX_FILE).map_err(|error| unreadable(&error, instead))?;
    Diff::parse(&bytes).map_err(|error| {
        let hint = "write it with `git diff MERGE-BASE > FILE`".to_owned();
        Stop::usage(format!("{name}: {error}"), Some(hint)).into()
    })
}

/// A file that was named and cannot be read is a wrong argument.
fn unreadable(error: &fs::Error, instead: &str) -> Stop {
    Stop::usage(error.to_string(), Some(instead.to_owned()))
}
