//! Earlier reports: list, show, protect.

use camino::Utf8PathBuf;

use super::history::{Place, choose};
use super::{Context, Stop};
use crate::config::{self, Config};
use crate::history::{self, Error};
use crate::record::Record;
use crate::report::files;
use crate::sys::fs;

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
fn place(context: &Context) -> anyhow::Result<(Place, Utf8PathBuf)> {
    let config: Config = match config::load(&context.cwd, context.config.as_deref()) {
        Ok(config) => config,
        Err(_) if context.report_dir.is_some() => {
            let root = crate::repo::find_root(&context.cwd).unwrap_or_else(|| context.cwd.clone());
            let folder = context.report_dir.as_ref().map_or_else(Utf8PathBuf::new, |folder| context.cwd.join(folder));
            return Ok((Place::at(context, &root, folder.clone()), folder));
        }
        Err(_) => context.load()?,
    };
    Ok((Place::of(context, &config), context.report_dir(&config)))
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
    let (place, folder) = place(context)?;
    let id = find(context, id)?;
    // Of a record that was made again from its report the report itself says more.
    if let Ok(record) = place.ask(|store| store.get(&id))
        && record.problems.iter().all(|problem| problem.code != history::PARTIAL.id)
    {
        return Ok(Shown::Record(Box::new(record)));
    }
    let path = folder.join(format!("{id}.{}", extension.unwrap_or("md")));
    let bytes = fs::read(&path, MAX_BYTES).map_err(Stop::from)?;
    Ok(Shown::File(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Protects a report for good, and the record it was made from. Returns its id.
///
/// # Errors
/// No such report, or the folder cannot be written.
pub fn keep(context: &Context, id: &str) -> anyhow::Result<String> {
    let (place, folder) = place(context)?;
    let id = find(context, id)?;
    files::keep(&folder, &id).map_err(Stop::from)?;
    match place.ask(|store| store.protect(&id)) {
        // The report is all that is left of the run.
        Ok(()) | Err(Error::Missing { .. }) => Ok(id),
        Err(error) => Err(Stop::from(error).into()),
    }
}

fn find(context: &Context, wanted: &str) -> anyhow::Result<String> {
    let entries = list(context)?;
    choose(entries.iter().map(|entry| entry.id.as_str()), wanted, ("report", "reports"), "report list")
}
