//! Earlier reports: list, show, protect.

use camino::Utf8PathBuf;

use super::{Context, Stop};
use crate::config::{self, Config};
use crate::history::{self, Store};
use crate::record::Record;
use crate::report::files;
use crate::sys::{fs, text};

/// The largest report file that is shown.
const MAX_BYTES: u64 = 64 << 20;

/// A stored report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The command.
    pub command: String,
    /// The verdict.
    pub verdict: crate::gate::Verdict,
    /// When its run began.
    pub started_at: jiff::Timestamp,
    /// Whether it never expires.
    pub kept: bool,
}

/// Reports need no valid configuration: only the folder they are in.
fn place(context: &Context) -> anyhow::Result<(Store, Utf8PathBuf)> {
    let config: Config = match config::load(&context.cwd, context.config.as_deref()) {
        Ok(config) => config,
        Err(_) if context.report_dir.is_some() => {
            let root = crate::repo::find_root(&context.cwd).unwrap_or_else(|| context.cwd.clone());
            let folder = context.report_dir.as_ref().map_or_else(Utf8PathBuf::new, |folder| context.cwd.join(folder));
            return Ok((Store::of(&root), folder));
        }
        Err(_) => context.load()?,
    };
    Ok((Store::of(&config.root), context.report_dir(&config)))
}

/// All reports, newest first.
///
/// # Errors
/// The folder cannot be read.
pub fn list(context: &Context) -> anyhow::Result<Vec<Entry>> {
    let (_, folder) = place(context)?;
    let reports = files::list(&folder, |id| history::parse_id(id).is_some()).map_err(Stop::from)?;
    Ok(reports
        .into_iter()
        .filter_map(|(id, kept)| {
            let name = history::parse_id(&id)?;
            Some(Entry { id, command: name.command, verdict: name.verdict, started_at: name.started_at, kept })
        })
        .collect())
}

/// A report to be shown: its record where that is still stored, else the file as it was written.
#[derive(Debug)]
pub enum Shown {
    /// The record, to be rendered in any form.
    Record(Box<Record>),
    /// The file.
    File(String),
}

/// Finds a report: `latest`, an id, or the beginning of one.
///
/// # Errors
/// No such report, or several.
pub fn show(context: &Context, id: &str, extension: Option<&str>) -> anyhow::Result<Shown> {
    let (store, folder) = place(context)?;
    let id = find(context, id)?;
    if let Ok(record) = store.get(&id) {
        return Ok(Shown::Record(Box::new(record)));
    }
    let path = folder.join(format!("{id}.{}", extension.unwrap_or("md")));
    let bytes = fs::read(&path, MAX_BYTES).map_err(Stop::from)?;
    Ok(Shown::File(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Protects a report for good. Returns its id.
///
/// # Errors
/// No such report, or the folder cannot be written.
pub fn keep(context: &Context, id: &str) -> anyhow::Result<String> {
    let (_, folder) = place(context)?;
    let id = find(context, id)?;
    files::keep(&folder, &id).map_err(Stop::from)?;
    Ok(id)
}

fn find(context: &Context, wanted: &str) -> anyhow::Result<String> {
    let entries = list(context)?;
    if entries.is_empty() {
        return Err(Stop::nothing("there are no reports yet", Some("`mgmt full-check` writes one".into())).into());
    }
    if wanted == "latest" {
        return Ok(entries[0].id.clone());
    }
    let matching: Vec<_> = entries.iter().filter(|entry| entry.id == wanted || entry.id.starts_with(wanted)).collect();
    match matching.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(Stop::usage(
            format!("there is no report `{}`", text::one_line(wanted)),
            Some("`mgmt report list` shows their ids".into()),
        )
        .into()),
        [first, ..] if first.id == wanted => Ok(first.id.clone()),
        several => {
            let message = format!(
                "{} begin with `{}`",
                text::plural(several.len() as u64, "report", "reports"),
                text::one_line(wanted)
            );
            Err(Stop::usage(message, Some("write more of the id".into())).into())
        }
    }
}
