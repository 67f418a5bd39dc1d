//! Records of the form before the database, one JSON file each in `.mgmt/records/`: taken over once.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::database::{Database, Error};
use super::rows::{self, Fault, Origin};
use super::{UNREADABLE, key, parse_id};
use crate::evidence::Problem;
use crate::record::Record;
use crate::sys::fs as files;

/// The folder, in the tool's own one.
const FOLDER: &str = "records";

/// The largest record that is read.
const MAX_BYTES: u64 = 1 << 30;

/// The ids of records that wait there, oldest first.
pub(super) fn found(folder: &Utf8Path) -> Result<Vec<String>, files::Error> {
    let folder = folder.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(files::Error::new("read the folder", folder, error)),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let ids = names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned));
    let mut ids: Vec<_> = ids.filter(|id| parse_id(id).is_some()).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Stores them, and only then removes their files: a kill in between makes the next one find them stored already.
/// A file that holds no record is set aside under another name, and said to be.
pub(super) fn take_over(database: &mut Database, folder: &Utf8Path, ids: &[String]) -> Result<Vec<Problem>, Error> {
    let folder = folder.join(FOLDER);
    let path = |id: &String| folder.join(format!("{id}.json"));
    let (mut read, mut problems) = (Vec::new(), Vec::new());
    let failed = database.failed("write");
    let transaction = database.writing()?;
    for id in ids {
        match record(&path(id)) {
            Ok(Some(mut record)) => {
                record.id.clone_from(id);
                let new = match key(&transaction, id) {
                    Ok(found) => found.is_none(),
                    Err(fault) => return Err(tie(database_path(&folder), fault)),
                };
                if new {
                    rows::put(&transaction, &mut record, Origin::Complete)
                        .map_err(|fault| tie(database_path(&folder), fault))?;
                }
                read.push(path(id));
            }
            // Another process has just taken it over.
            Ok(None) => {}
            Err(error) => {
                let aside = folder.join(format!("{id}.json.damaged"));
                if fs::rename(path(id), &aside).is_ok() {
                    let told = format!("{error}; the file is now {aside}");
                    problems.push(Problem::new(&UNREADABLE, told));
                }
            }
        }
    }
    transaction.commit().map_err(failed)?;
    for path in read {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(files::Error::new("remove", path, error).into());
            }
            _ => {}
        }
    }
    // What somebody else put there keeps the folder.
    let _ = fs::remove_dir(&folder);
    Ok(problems)
}

fn record(path: &Utf8Path) -> Result<Option<Record>, files::Error> {
    let bytes = match files::read(path, MAX_BYTES) {
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| files::Error::new("understand", path, error.into()))
}

fn database_path(records: &Utf8Path) -> Utf8PathBuf {
    records.with_file_name(super::FILE)
}

fn tie(path: Utf8PathBuf, fault: Fault) -> Error {
    match fault {
        Fault::Sql(error) => Database::error(&path, "write", error),
        Fault::Broken(reason) => Error::Broken { action: "write", path, reason },
    }
}
