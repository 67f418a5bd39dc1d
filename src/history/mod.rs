//! Floor 5: the records of earlier executions, in `.mgmt/history.db` (SQLite).
//!
//! Each call opens the file, does its work in one transaction and closes it: a kill at any moment leaves the store as
//! it was before or after a whole record, and any number of processes may use it at once (readers never wait, writers
//! take turns). A record is stored once, in full, and reads back equal; what lists, baselines, trends and flaky tests
//! need of it stands in rows beside it.
//!
//! Deliberately absent: repair. A damaged file is set aside untouched ([`Store::replace_damaged`]); what is put into
//! the new one is the caller's to find. Also absent: another process's data in memory. Nothing is cached between calls.

mod codec;
mod database;
mod lines;
mod query;
mod rows;
mod schema;
mod settings;
mod takeover;
#[cfg(test)]
mod tests;
mod transfer;

pub use database::Error;
pub use lines::{MAX_LINE_BYTES, read_record};
pub use query::{Entry, Filter, Point, TestPoint};
pub use settings::{KEYS, Settings};
pub use transfer::{Exported, Imported};

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::evidence::Problem;
use crate::evidence::problem::{Code, Level};
use crate::gate::Verdict;
use crate::record::Record;
use crate::sys::{clock, fs as files};
use database::{Database, Replacing};
use rows::{Fault, Names, Origin};

/// The tool's own folder in a project. It ignores itself.
pub const FOLDER: &str = ".mgmt";

/// The database in that folder.
const FILE: &str = "history.db";

/// Numbers that are tried for a record whose id is taken.
const NUMBERS: std::ops::Range<u32> = 2..1000;

macro_rules! codes {
    ($($name:ident = $id:literal, $level:ident, $doc:literal, $hint:literal;)*) => {
        $(#[doc = $doc] pub const $name: Code = Code { id: $id, level: Level::$level, doc: $doc, hint: $hint };)*
        /// The store's problem codes.
        pub const CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    UNWRITABLE = "history.unwritable", Warning,
        "The record of this run could not be stored, so later runs and `mgmt status` will not know of it. The verdict stands.",
        "look at the owner, the permissions and the free space of the folder .mgmt";
    UNREADABLE = "history.unreadable", Warning,
        "A stored record is damaged or of a newer version, and is passed over.",
        "`mgmt history check` looks at the whole store; or update this program";
    DAMAGED = "history.damaged", Warning,
        "The store was damaged. It was set aside as it was, and a new one was made from exported records and from the reports that are still there.",
        "`mgmt history import FILE` adds records that were exported, also from another machine";
    PARTIAL = "history.partial", Loss,
        "The record was made again from its JSON report after the store was lost: it has no tests, no covered lines and no scoped measurements, and is never a baseline.",
        "`mgmt history import FILE` replaces it with the whole record, if that was exported";
    LINE = "history.line", Warning,
        "A place in an import holds no record, and was passed over. The records before and after it are taken.",
        "export the records once more where they come from";
    RENAMED = "history.renamed", Note,
        "Another record of the same name was there already, so the one that came later has a number behind its name.",
        "";
}

/// What a name of the form `<UTC stamp>-<command>-<verdict>` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// When the run began.
    pub started_at: Timestamp,
    /// The command.
    pub command: String,
    /// The verdict.
    pub verdict: Verdict,
}

/// Reads a record's id; `None` for any other text.
#[must_use]
pub fn parse_id(id: &str) -> Option<Name> {
    let (stamp, rest) = id.split_once('-')?;
    let started_at = clock::parse_stamp(stamp)?;
    // Two runs in one millisecond: the later one is numbered.
    let rest = rest.rsplit_once('~').filter(|(_, number)| number.parse::<u32>().is_ok()).map_or(rest, |(rest, _)| rest);
    let (command, verdict) = rest.rsplit_once('-')?;
    let verdict = *Verdict::ALL.iter().find(|known| known.word() == verdict)?;
    crate::check::is_name(command).then(|| Name { started_at, command: command.to_owned(), verdict })
}

/// The records of one project.
#[derive(Debug)]
pub struct Store {
    folder: Utf8PathBuf,
    told: Mutex<Vec<Problem>>,
}

/// What a look at the whole store found.
#[derive(Debug, Default)]
pub struct Checkup {
    /// Records that read back whole.
    pub records: u64,
    /// What is wrong; nothing if all is well.
    pub problems: Vec<Problem>,
}

impl Store {
    /// The store of the project at `root`. Nothing is created before the first record.
    #[must_use]
    pub fn of(root: &Utf8Path) -> Self {
        Self { folder: root.join(FOLDER), told: Mutex::default() }
    }

    /// Where the database is.
    #[must_use]
    pub fn path(&self) -> Utf8PathBuf {
        self.folder.join(FILE)
    }

    /// What was noticed beside what was asked for, since the last call of this.
    pub fn take_problems(&self) -> Vec<Problem> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, problem: Problem) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// Stores a record. Its id is changed if another run has taken it.
    ///
    /// # Errors
    /// What kept it from being stored; nothing of it is stored then.
    pub fn add(&self, record: &mut Record) -> Result<(), Error> {
        let wanted = record.id.clone();
        let stored = self.write(|connection| {
            record.id = free_id(connection, &wanted)?;
            rows::put(connection, record, Origin::Complete)
        });
        if stored.is_err() {
            record.id = wanted;
        }
        stored
    }

    /// The ids of all records, newest first.
    ///
    /// # Errors
    /// The store cannot be read. One without a record is empty, not an error.
    pub fn ids(&self) -> Result<Vec<String>, Error> {
        let ids = self.read(|connection| {
            let mut query = connection.prepare("SELECT id FROM run ORDER BY id DESC")?;
            Ok(query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })?;
        Ok(ids.unwrap_or_default())
    }

    /// Reads one record.
    ///
    /// # Errors
    /// There is none of that id, or it cannot be read.
    pub fn get(&self, id: &str) -> Result<Record, Error> {
        let missing = || Error::Missing { id: id.to_owned() };
        let found = self.read(|connection| match key(connection, id)? {
            Some(key) => Ok(Some(rows::take(connection, key))),
            None => Ok(None),
        })?;
        found.flatten().ok_or_else(missing)?.map_err(|fault| self.record_fault(id, fault))
    }

    /// Removes records that began longer than `keep` before `now`, and the oldest of those that are more than
    /// `max_runs`. Protected ones stay and do not count: those in the store, and those that `is_kept` names. Returns
    /// how many were removed.
    ///
    /// # Errors
    /// The store cannot be written; nothing is removed then.
    pub fn prune(
        &self,
        now: Timestamp,
        keep: Duration,
        max_runs: Option<u64>,
        is_kept: impl Fn(&str) -> bool,
    ) -> Result<u64, Error> {
        let oldest = now.as_millisecond().saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        let found = self.read(|connection| expired(connection, oldest, max_runs, &is_kept))?;
        if found.is_none_or(|found| found.is_empty()) {
            return Ok(0);
        }
        // Looked up once more: between the two another process may have removed or protected some.
        self.write(|connection| {
            let found = expired(connection, oldest, max_runs, &is_kept)?;
            for key in &found {
                rows::remove(connection, *key)?;
            }
            rows::forget_series(connection)?;
            Ok(found.len() as u64)
        })
    }

    /// Protects a record from being removed by age or number.
    ///
    /// # Errors
    /// There is none of that id, or the store cannot be written.
    pub fn protect(&self, id: &str) -> Result<(), Error> {
        self.set_kept(id, true)
    }

    /// The reverse of [`Store::protect`].
    ///
    /// # Errors
    /// The same.
    pub fn unprotect(&self, id: &str) -> Result<(), Error> {
        self.set_kept(id, false)
    }

    fn set_kept(&self, id: &str, kept: bool) -> Result<(), Error> {
        let missing = Error::Missing { id: id.to_owned() };
        if self.existing()?.is_none() {
            return Err(missing);
        }
        let changed = self
            .write(|connection| Ok(connection.execute("UPDATE run SET kept = ?2 WHERE id = ?1", params![id, kept])?))?;
        if changed == 0 { Err(missing) } else { Ok(()) }
    }

    /// Gives the space of removed records back to the disk.
    ///
    /// # Errors
    /// The store cannot be written, or another process is using it.
    pub fn compact(&self) -> Result<(), Error> {
        match self.existing()? {
            Some(database) => database.connection.execute_batch("VACUUM").map_err(database.failed("write")),
            None => Ok(()),
        }
    }

    /// The document that was kept under a key.
    ///
    /// # Errors
    /// The store cannot be read. One that is not there has kept nothing.
    pub fn kept(&self, key: &str) -> Result<Option<String>, Error> {
        let found = self.read(|connection| {
            let mut query = connection.prepare("SELECT data FROM kept WHERE key = ?1")?;
            Ok(query.query_row([key], |row| row.get(0)).optional()?)
        })?;
        Ok(found.flatten())
    }

    /// Keeps a document under a key, instead of the one before. A store that is lost and made again has none.
    ///
    /// # Errors
    /// What kept it from being stored.
    pub fn keep(&self, key: &str, data: &str) -> Result<(), Error> {
        let put = "INSERT INTO kept (key, data) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET data = excluded.data";
        self.write(|connection| Ok(connection.execute(put, params![key, data])?)).map(drop)
    }

    /// Looks at the whole file and reads every record.
    ///
    /// # Errors
    /// The store cannot be opened; [`Error::Damaged`] if the file contradicts itself.
    pub fn check(&self) -> Result<Checkup, Error> {
        let Some(mut database) = self.existing()? else { return Ok(Checkup::default()) };
        if let [first, ..] = database.quick_check()?.as_slice() {
            return Err(Error::Damaged { path: self.path(), reason: first.clone() });
        }
        let failed = database.failed("read");
        let connection = database.reading()?;
        let (mut checkup, mut names) = (Checkup::default(), Names::default());
        let all: Vec<(i64, String)> = {
            let mut query = connection.prepare("SELECT key, id FROM run ORDER BY started, id").map_err(&failed)?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(&failed)?;
            rows.collect::<Result<_, _>>().map_err(&failed)?
        };
        for (key, id) in all {
            match rows::take_with(&connection, key, &mut names) {
                Ok(_) => checkup.records += 1,
                Err(fault) => match self.record_fault(&id, fault) {
                    error @ Error::Record { .. } => {
                        checkup.problems.push(Problem::new(&UNREADABLE, error.to_string()));
                    }
                    error => return Err(error),
                },
            }
        }
        Ok(checkup)
    }

    /// If the file is damaged: sets it aside, and lets `rebuild` fill a new one. `None` if it is whole, as it is when
    /// another process has just done the same.
    ///
    /// # Errors
    /// The file cannot be moved, or what `rebuild` says.
    pub fn replace_damaged<T>(
        &self,
        now: Timestamp,
        rebuild: impl FnOnce(&Self, &str) -> Result<T, Error>,
    ) -> Result<Option<(Utf8PathBuf, T)>, Error> {
        let path = self.path();
        let _turn = Replacing::wait(&path)?;
        let reason = match self.existing().and_then(|database| database.map_or(Ok(Vec::new()), |one| one.quick_check()))
        {
            Ok(found) => match found.into_iter().next() {
                Some(reason) => reason,
                None => return Ok(None),
            },
            Err(Error::Damaged { reason, .. }) => reason,
            Err(error) => return Err(error),
        };
        let aside = database::set_aside(&path, &clock::stamp(now))?;
        rebuild(self, &reason).map(|made| Some((aside, made)))
    }

    /// Stores what a report still says of a run, unless its record is there. Returns whether it was stored.
    ///
    /// # Errors
    /// What kept it from being stored.
    pub fn add_partial(&self, record: &mut Record) -> Result<bool, Error> {
        self.write(|connection| {
            let new = key(connection, &record.id)?.is_none();
            if new {
                rows::put(connection, record, Origin::Report)?;
            }
            Ok(new)
        })
    }

    /// The database, if there is one, or records of the form before it to begin one with.
    fn existing(&self) -> Result<Option<Database>, Error> {
        let path = self.path();
        let found = path.try_exists().map_err(|error| files::Error::new("read", &path, error))?;
        let old = takeover::found(&self.folder)?;
        if !found && old.is_empty() {
            return Ok(None);
        }
        self.open(&old).map(Some)
    }

    fn open(&self, old: &[String]) -> Result<Database, Error> {
        let mut database = Database::open(&self.path())?;
        if !old.is_empty() {
            for problem in takeover::take_over(&mut database, &self.folder, old)? {
                self.tell(problem);
            }
        }
        Ok(database)
    }

    /// Reads of one moment; `None` where there is no store.
    fn read<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<Option<T>, Error> {
        let Some(mut database) = self.existing()? else { return Ok(None) };
        let transaction = database.reading()?;
        ask(&transaction).map(Some).map_err(|fault| self.fault("read", fault))
    }

    /// Writes that happen together or not at all.
    fn write<T>(&self, change: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Error> {
        prepare(&self.folder)?;
        let mut database = self.open(&takeover::found(&self.folder)?)?;
        let failed = database.failed("write");
        let transaction = database.writing()?;
        let changed = change(&transaction).map_err(|fault| self.fault("write", fault))?;
        transaction.commit().map_err(failed)?;
        Ok(changed)
    }

    fn fault(&self, action: &'static str, fault: Fault) -> Error {
        match fault {
            Fault::Sql(error) => Database::error(&self.path(), action, error),
            Fault::Broken(reason) => Error::Broken { action, path: self.path(), reason },
        }
    }

    /// A record that makes no sense is one record's trouble; anything else is the store's.
    fn record_fault(&self, id: &str, fault: Fault) -> Error {
        match fault {
            Fault::Broken(reason) => Error::Record { id: id.to_owned(), path: self.path(), reason },
            sql => self.fault("read", sql),
        }
    }
}

/// The row of a run.
fn key(connection: &Connection, id: &str) -> Result<Option<i64>, Fault> {
    Ok(connection.prepare_cached("SELECT key FROM run WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?)
}

/// The wanted id, or the first one with a number that is free.
fn free_id(connection: &Connection, wanted: &str) -> Result<String, Fault> {
    if key(connection, wanted)?.is_none() {
        return Ok(wanted.to_owned());
    }
    for number in NUMBERS {
        let id = format!("{wanted}~{number}");
        if key(connection, &id)?.is_none() {
            return Ok(id);
        }
    }
    Err(Fault::Broken(format!("there are a thousand records {wanted}")))
}

/// The rows of runs that are too old or too many.
fn expired(
    connection: &Connection,
    oldest: i64,
    max_runs: Option<u64>,
    is_kept: &impl Fn(&str) -> bool,
) -> Result<Vec<i64>, Fault> {
    let max = max_runs.and_then(|max| i64::try_from(max).ok()).unwrap_or(i64::MAX);
    let (count, first): (i64, Option<i64>) =
        connection.query_row("SELECT count(*), min(started) FROM run", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if count <= max && first.is_none_or(|first| first >= oldest) {
        return Ok(Vec::new());
    }
    let mut query =
        connection.prepare("SELECT key, id, started FROM run WHERE kept = 0 ORDER BY started DESC, id DESC")?;
    let mut rows = query.query([])?;
    let (mut seen, mut out) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        if is_kept(row.get_ref(1)?.as_str().map_err(|_| Fault::Broken("an id is no text".into()))?) {
            continue;
        }
        seen += 1;
        if seen > max || row.get::<_, i64>(2)? < oldest {
            out.push(row.get(0)?);
        }
    }
    Ok(out)
}

/// Whether an id names a run that began longer than `keep` before `now`.
#[must_use]
pub fn is_older(id: &str, now: Timestamp, keep: Duration) -> bool {
    let keep = jiff::SignedDuration::try_from(keep).unwrap_or(jiff::SignedDuration::MAX);
    parse_id(id).is_some_and(|name| now.duration_since(name.started_at) > keep)
}

/// Makes the tool's own folder, with the file by which it ignores itself.
///
/// # Errors
/// The system's error, with the path.
pub fn prepare(folder: &Utf8Path) -> Result<(), files::Error> {
    files::create_dir_all(folder)?;
    let ignore = folder.join(".gitignore");
    if folder.file_name() == Some(FOLDER) && !ignore.exists() {
        files::write_atomic(&ignore, b"# Written by mgmt: what it keeps here belongs to this work tree alone.\n*\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod id_tests {
    use super::*;

    #[test]
    fn ids_say_what_they_name_and_other_names_say_nothing() {
        let name = parse_id("20261122T171304123Z-full-check-pass").unwrap();
        assert_eq!((name.command.as_str(), name.verdict), ("full-check", Verdict::Pass));
        assert_eq!(parse_id("20261122T171304123Z-gate-fail~2").unwrap().command, "gate");
        for other in [
            "latest",
            "notes",
            "20261122T171304123Z-full-check",
            "20261122T171304123Z-full-check-maybe",
            "2026-full-check-pass",
            "20261122T171304123Z--pass",
        ] {
            assert_eq!(parse_id(other), None, "{other}");
        }
    }

    #[test]
    fn age_is_counted_from_the_name() {
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let keep = Duration::from_secs(30 * 86_400);
        assert!(is_older("20261001T000000000Z-full-check-pass", now, keep));
        assert!(!is_older("20261101T000000000Z-full-check-pass", now, keep));
        assert!(!is_older("my-own-notes", now, keep));
    }
}
