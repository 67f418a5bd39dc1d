//! Report files on disk: `<id>.md`, `<id>.json`, `<id>.html`, and the same as `latest`.
//!
//! Only names that this program gives are ever removed; a file `<id>.keep` protects a report for good.

use std::fs;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::{Options, RENDERERS};
use crate::record::Record;
use crate::retrain::Audit;
use crate::sys::fs as files;

/// The ending of the file that protects a report.
pub const KEEP: &str = "keep";

/// Writes the record in every form that has files, first under its id, then as `latest`.
///
/// A form that cannot be written does not keep the next from being written.
#[must_use]
pub fn write(folder: &Utf8Path, record: &Record) -> (Vec<Utf8PathBuf>, Vec<files::Error>) {
    let (mut written, mut failed) = (Vec::new(), Vec::new());
    if let Err(error) = files::create_dir_all(folder) {
        return (written, vec![error]);
    }
    for renderer in RENDERERS {
        let Some(extension) = renderer.extension else { continue };
        let text = (renderer.render)(record, Options::default());
        let path = folder.join(format!("{}.{extension}", record.id));
        match files::write_atomic(&path, text.as_bytes()) {
            Ok(()) => written.push(path),
            Err(error) => failed.push(error),
        }
        if let Err(error) = files::write_atomic(&folder.join(format!("latest.{extension}")), text.as_bytes()) {
            failed.push(error);
        }
    }
    (written, failed)
}

/// Writes an audit as Markdown and as JSON under its id. `latest` goes on naming the report of a run.
#[must_use]
pub fn write_audit(folder: &Utf8Path, id: &str, audit: &Audit) -> (Vec<Utf8PathBuf>, Vec<files::Error>) {
    let (mut written, mut failed) = (Vec::new(), Vec::new());
    if let Err(error) = files::create_dir_all(folder) {
        return (written, vec![error]);
    }
    for (name, extension) in [("markdown", "md"), ("json", "json")] {
        let Some(form) = super::audit::renderer(name) else { continue };
        let path = folder.join(format!("{id}.{extension}"));
        match files::write_atomic(&path, (form.render)(audit, Options::default()).as_bytes()) {
            Ok(()) => written.push(path),
            Err(error) => failed.push(error),
        }
    }
    (written, failed)
}

/// The ids that have a report in the folder, newest first, each with whether it is protected.
///
/// # Errors
/// The system's error, with the path. A folder that does not exist holds no reports.
pub fn list(folder: &Utf8Path, is_id: impl Fn(&str) -> bool) -> Result<Vec<(String, bool)>, files::Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(files::Error::new("read the folder", folder, error)),
    };
    let names: Vec<_> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let mut ids: Vec<_> = names
        .iter()
        .filter_map(|name| name.rsplit_once('.'))
        .filter(|(id, extension)| is_own(extension) && *extension != KEEP && is_id(id))
        .map(|(id, _)| id.to_owned())
        .collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    let is_kept = |id: &String| names.contains(&format!("{id}.{KEEP}"));
    Ok(ids.into_iter().map(|id| (id.clone(), is_kept(&id))).collect())
}

fn is_own(extension: &str) -> bool {
    extension == KEEP || RENDERERS.iter().any(|row| row.extension == Some(extension))
}

/// Protects a report for good.
///
/// # Errors
/// The system's error, with the path.
pub fn keep(folder: &Utf8Path, id: &str) -> Result<(), files::Error> {
    files::write_atomic(
        &folder.join(format!("{id}.{KEEP}")),
        b"This report is kept; remove this file to let it expire.\n",
    )
}

/// The reverse of [`keep`]. A report that nobody protects stays as it is.
///
/// # Errors
/// The system's error, with the path.
pub fn release(folder: &Utf8Path, id: &str) -> Result<(), files::Error> {
    let path = folder.join(format!("{id}.{KEEP}"));
    match fs::remove_file(&path) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(files::Error::new("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Removes reports that `is_expired` names and nobody protects. Returns how many reports.
///
/// # Errors
/// The system's error, with the path.
pub fn prune(
    folder: &Utf8Path,
    now: Timestamp,
    keep: Duration,
    is_expired: impl Fn(&str, Timestamp, Duration) -> bool,
) -> Result<u64, files::Error> {
    let mut removed = 0;
    for (id, kept) in list(folder, |id| is_expired(id, now, keep))? {
        if kept {
            continue;
        }
        for extension in RENDERERS.iter().filter_map(|row| row.extension) {
            let path = folder.join(format!("{id}.{extension}"));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(files::Error::new("remove", path, error));
                }
                _ => {}
            }
        }
        removed += 1;
    }
    Ok(removed)
}
