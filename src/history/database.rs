//! Opening the file: what it is, what it lacks, and whether it is whole.
//!
//! Deliberately absent: repair. A file that SQLite calls damaged is set aside as it is; what goes into the next one
//! comes from elsewhere.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::schema;
use crate::sys::{fs as files, text};

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time between two tries where SQLite itself does not wait.
const PAUSE: Duration = Duration::from_millis(2);

/// What a database begins with (sqlite.org/fileformat2.html, 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// What is known of a file without that: whether it ever was a database nobody can say.
const NO_DATABASE: &str =
    "the file does not begin as an SQLite database does: it is another file, or its beginning was overwritten";

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file beside the database.
    #[error(transparent)]
    File(#[from] files::Error),
    /// SQLite's own answer.
    #[error("cannot {action} {path}: {source}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// The database.
        path: Utf8PathBuf,
        /// The answer.
        source: rusqlite::Error,
    },
    /// The file is no database, ends too early, or contradicts itself.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The database.
        path: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file has tables that this version does not know.
    #[error(
        "{path} was written by a newer version of this program: its schema is {found}, the newest known here is {known}"
    )]
    Newer {
        /// The database.
        path: Utf8PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema this program knows.
        known: usize,
    },
    /// The file belongs to another program.
    #[error("{path} is a database of another program")]
    Foreign {
        /// The database.
        path: Utf8PathBuf,
    },
    /// One record cannot be read; the others can.
    #[error("cannot understand the record {id} in {path}: {reason}")]
    Record {
        /// The record.
        id: String,
        /// The database.
        path: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A part of the store makes no sense, although the file as such is whole.
    #[error("cannot {action} {path}: {reason}")]
    Broken {
        /// What was tried.
        action: &'static str,
        /// The database.
        path: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no such record.
    #[error("there is no record {id}")]
    Missing {
        /// The id asked for.
        id: String,
    },
}

impl Error {
    /// Whether another process was using the store for longer than one waits.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Database { source, .. } if is_busy(source))
    }

    fn is_about_access(&self) -> bool {
        let code = match self {
            Self::Database { source, .. } => source.sqlite_error_code(),
            _ => None,
        };
        matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied))
    }

    /// The next step, where the cause tells.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::File(error) => error.hint(),
            Self::Database { source, .. } => match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
                    Some("make room on that disk, and look at the owner and the permissions of the folder .mgmt")
                }
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    Some("another program holds the database: wait for it to end, or end it")
                }
                _ => Some("look at the owner, the permissions and the free space of the folder .mgmt"),
            },
            Self::Damaged { .. } => Some("`mgmt history check` sets it aside and makes a new one"),
            Self::Newer { .. } => Some("update this program; or move the file away to begin a new history"),
            Self::Foreign { .. } => Some("move that file away: this program keeps its history there"),
            Self::Record { .. } | Self::Broken { .. } => Some("`mgmt history check` looks at the whole store"),
            Self::Missing { .. } => Some("`mgmt history list` shows what is stored"),
        }
    }
}

/// How the file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// To read and write, beside others that do.
    Shared,
    /// Only to read, where nobody writes.
    Immutable,
}

/// The database with the path that its errors name.
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) path: Utf8PathBuf,
}

impl Database {
    /// Opens the file, and makes it or brings it up to date where that is needed.
    pub(super) fn open(path: &Utf8Path) -> Result<Self, Error> {
        Self::open_with(path, schema::STEPS)
    }

    fn open_with(path: &Utf8Path, steps: &[&str]) -> Result<Self, Error> {
        // SQLite would begin anew in what is left of a file that is shorter than any page.
        if let Some(length) = fs::metadata(path).ok().map(|file| file.len()).filter(|length| (1..512).contains(length))
        {
            let reason = match fs::read(path) {
                Ok(bytes) if bytes.starts_with(MAGIC) => {
                    format!("the file ends after {}, in the middle of its first page", text::bytes(length))
                }
                _ => NO_DATABASE.to_owned(),
            };
            return Err(Error::Damaged { path: path.to_owned(), reason });
        }
        match Self::open_as(Access::Shared, path, steps) {
            // Where nothing may be written beside the file it can still be read, as long as no other process left
            // something there that belongs to it.
            Err(error) if error.is_about_access() && path.exists() && !has_content(&format!("{path}-wal")) => {
                Self::open_as(Access::Immutable, path, steps).map_err(|_| error)
            }
            other => other,
        }
    }

    fn open_as(access: Access, path: &Utf8Path, steps: &[&str]) -> Result<Self, Error> {
        let opened = match access {
            Access::Shared => Connection::open_with_flags(
                path,
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            ),
            Access::Immutable => Connection::open_with_flags(
                format!("file:{}?immutable=1", percent(path)),
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            ),
        };
        let connection = opened.map_err(|error| Self::error(path, "open", error))?;
        let mut database = Self { connection, path: path.to_owned() };
        database.prepare(access, steps)?;
        Ok(database)
    }

    /// An error of SQLite's, with what was tried; one that means damage says so.
    pub(super) fn error(path: &Utf8Path, action: &'static str, source: rusqlite::Error) -> Error {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt) => Error::Damaged { path, reason: source.to_string() },
            Some(ErrorCode::NotADatabase) => Error::Damaged { path, reason: NO_DATABASE.to_owned() },
            // Its tables are gone although its header names the schema: somebody else wrote into it.
            _ if source.to_string().contains("no such table") => Error::Damaged { path, reason: source.to_string() },
            _ => Error::Database { action, path, source },
        }
    }

    /// Ties SQLite's errors to this file.
    pub(super) fn failed(&self, action: &'static str) -> impl Fn(rusqlite::Error) -> Error + use<> {
        let path = self.path.clone();
        move |source| Self::error(&path, action, source)
    }

    /// A transaction that no other writer can come between.
    pub(super) fn writing(&mut self) -> Result<Transaction<'_>, Error> {
        let path = self.path.clone();
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| Self::error(&path, "write", error))
    }

    /// Several reads of one moment.
    pub(super) fn reading(&mut self) -> Result<Transaction<'_>, Error> {
        let path = self.path.clone();
        self.connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(|error| Self::error(&path, "read", error))
    }

    fn prepare(&mut self, access: Access, steps: &[&str]) -> Result<(), Error> {
        let failed = self.failed("open");
        self.connection.busy_timeout(PATIENCE).map_err(&failed)?;
        let (application, version, tables) = self.header()?;
        let is_new = application == 0 && version == 0 && tables == 0;
        if !is_new && application != i64::from(schema::APPLICATION) {
            return Err(Error::Foreign { path: self.path.clone() });
        }
        if usize::try_from(version).map_or(true, |version| version > steps.len()) {
            return Err(Error::Newer { path: self.path.clone(), found: version, known: steps.len() });
        }
        if access == Access::Shared {
            self.use_wal()?;
        }
        // A commit is on the disk when it returns; a few megabytes of pages stay in memory; a foreign schema runs no code.
        self.connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA trusted_schema = OFF;")
            .map_err(&failed)?;
        if usize::try_from(version) != Ok(steps.len()) {
            self.migrate(steps)?;
        }
        Ok(())
    }

    /// The application, the schema and the number of tables, as one moment saw them: another process may be making
    /// the file just now.
    fn header(&mut self) -> Result<(i64, i64, i64), Error> {
        let failed = self.failed("read");
        let moment = self.reading()?;
        let pragma = |name: &str| moment.pragma_query_value(None, name, |row| row.get(0));
        let tables = || moment.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
        let header = || Ok((pragma("application_id")?, pragma("user_version")?, tables()?));
        header().map_err(failed)
    }

    /// Readers and a writer do not wait for each other. SQLite answers at once, without its usual patience, where two
    /// processes ask for this in one moment. On a file system without shared memory the old journal has to do.
    fn use_wal(&self) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            let mode =
                self.connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
            match mode {
                Err(error) if is_busy(&error) && started.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                // A file or folder that cannot be written can still be read.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => return Ok(()),
                other => return other.map(drop).map_err(self.failed("open")),
            }
        }
    }

    /// Goes through the steps that are missing, all of them or none.
    fn migrate(&mut self, steps: &[&str]) -> Result<(), Error> {
        let failed = self.failed("write");
        let transaction = self.writing()?;
        // Another process may have been faster.
        let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(&failed)?;
        for step in steps.iter().skip(usize::try_from(version).unwrap_or(steps.len())) {
            transaction.execute_batch(step).map_err(&failed)?;
        }
        transaction.pragma_update(None, "application_id", schema::APPLICATION).map_err(&failed)?;
        let version = i64::try_from(steps.len()).unwrap_or(i64::MAX);
        transaction.pragma_update(None, "user_version", version).map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// What SQLite finds wrong with the file; nothing if it is whole.
    pub(super) fn quick_check(&self) -> Result<Vec<String>, Error> {
        let failed = self.failed("read");
        let mut query = self.connection.prepare("PRAGMA quick_check(20)").map_err(&failed)?;
        let found = query.query_map([], |row| row.get::<_, String>(0)).map_err(&failed)?;
        let found: Vec<_> = found.collect::<Result<_, _>>().map_err(&failed)?;
        Ok(if found == ["ok"] { Vec::new() } else { found })
    }
}

fn has_content(path: &str) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

/// A path as SQLite takes it in a URI (sqlite.org/uri.html).
fn percent(path: &Utf8Path) -> String {
    path.as_str().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Held while a damaged file is replaced: only one process does that at a time. A process that is killed lets it go.
pub(super) struct Replacing {
    _lock: Connection,
}

impl Replacing {
    /// Waits for the turn.
    pub(super) fn wait(database: &Utf8Path) -> Result<Self, Error> {
        let path = Utf8PathBuf::from(format!("{database}.lock"));
        let failed = |error| Database::error(&path, "lock", error);
        let lock = Connection::open(&path).map_err(failed)?;
        lock.busy_timeout(PATIENCE).map_err(failed)?;
        lock.execute_batch("BEGIN EXCLUSIVE").map_err(failed)?;
        Ok(Self { _lock: lock })
    }
}

/// Moves the file away, with the files SQLite keeps beside it. Returns its new place.
pub(super) fn set_aside(database: &Utf8Path, stamp: &str) -> Result<Utf8PathBuf, files::Error> {
    let mut aside = Utf8PathBuf::from(format!("{database}.damaged-{stamp}"));
    for number in 2_u32.. {
        if !aside.exists() {
            break;
        }
        aside = Utf8PathBuf::from(format!("{database}.damaged-{stamp}~{number}"));
    }
    // The database goes last: while it stands, the next process that looks sees what this one saw.
    for ending in ["-wal", "-shm", ""] {
        let from = format!("{database}{ending}");
        match fs::rename(&from, format!("{aside}{ending}")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(|error| files::Error::new("set aside", from, error))?,
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "CREATE TABLE next (a INTEGER NOT NULL) STRICT; INSERT INTO next SELECT key FROM run;";

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("history.db");
        (folder, path)
    }

    /// Everything that makes up the schema.
    fn schema_of(database: &Database) -> Vec<String> {
        let mut query = database
            .connection
            .prepare("SELECT type || name || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")
            .unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    const RUN: &str = "INSERT INTO run (id, started, command, verdict, whole, interrupted, fit, partial, tests, files)
        VALUES ('old', 0, 'c', 'pass', 1, 0, 1, 0, 0, 0)";

    #[test]
    fn a_store_of_any_earlier_version_becomes_the_newest_with_what_is_in_it() {
        let (_folder, fresh) = folder();
        let steps: Vec<_> = schema::STEPS.iter().copied().chain([NEXT]).collect();
        let want = schema_of(&Database::open_with(&fresh, &steps).unwrap());
        for version in 1..steps.len() {
            let (_folder, path) = folder();
            let old = Database::open_with(&path, &steps[..version]).unwrap();
            old.connection.execute(RUN, []).unwrap();
            drop(old);
            for _ in 0..2 {
                let database = Database::open_with(&path, &steps).unwrap();
                assert_eq!(schema_of(&database), want, "from version {version}");
                let moved = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
                assert_eq!(database.connection.query_row("SELECT count(*) FROM next", [], moved), Ok(1));
                assert_eq!(database.quick_check().unwrap(), [] as [String; 0]);
            }
        }
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let (_folder, path) = folder();
        let old = schema_of(&Database::open(&path).unwrap());
        let steps: Vec<_> = schema::STEPS.iter().copied().chain([NEXT, "INSERT INTO nowhere VALUES (1)"]).collect();
        assert!(Database::open_with(&path, &steps).is_err());
        assert_eq!(schema_of(&Database::open(&path).unwrap()), old);
    }

    #[test]
    fn newer_and_foreign_files_are_refused_and_stay_as_they_are() {
        let (_folder, path) = folder();
        let steps: Vec<_> = schema::STEPS.iter().copied().chain([NEXT]).collect();
        drop(Database::open_with(&path, &steps).unwrap());
        let before = fs::read(&path).unwrap();
        let error = Database::open(&path).err().unwrap();
        assert!(matches!(error, Error::Newer { found, known, .. } if found == known as i64 + 1), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.starts_with("update this program")));
        assert_eq!(fs::read(&path).unwrap(), before);

        let (_folder, path) = folder();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
        let before = fs::read(&path).unwrap();
        assert!(matches!(Database::open(&path), Err(Error::Foreign { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_is_no_database_or_lost_its_tables_is_damaged() {
        let (_folder, path) = folder();
        drop(Database::open(&path).unwrap());
        let whole = fs::read(&path).unwrap();
        for cut in [1, 15, 16, 20, 50, 99, 100, 101, 4095, 4096, 4097, whole.len() / 2, whole.len() - 4096] {
            fs::write(&path, &whole[..cut]).unwrap();
            let opened = Database::open(&path).and_then(|database| database.quick_check());
            assert!(matches!(opened, Err(Error::Damaged { .. })), "cut at {cut}: {opened:?}");
        }
        let told = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            match Database::open(&path) {
                Err(Error::Damaged { reason, .. }) => reason,
                other => panic!("{:?}", other.map(|_| ())),
            }
        };
        assert_eq!(told(b"mine\n"), NO_DATABASE);
        assert_eq!(told(&b"mine\n".repeat(4000)), NO_DATABASE);
        assert_eq!(told(&[b"overwritten     ", &whole[16..]].concat()), NO_DATABASE);
        assert_eq!(told(&[0; 100]), NO_DATABASE);
        assert_eq!(told(&whole[..100]), "the file ends after 100 B, in the middle of its first page");

        fs::write(&path, &whole).unwrap();
        let database = Database::open(&path).unwrap();
        database.connection.execute_batch("DROP TABLE record").unwrap();
        let error = database.connection.prepare("SELECT data FROM record").map(drop).unwrap_err();
        assert!(matches!(Database::error(&path, "read", error), Error::Damaged { .. }));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_read_as_it_is() {
        let (_folder, path) = folder();
        let path = path.with_file_name("a % b#c?d.db");
        Database::open(&path).unwrap().connection.execute(RUN, []).unwrap();
        let before = fs::read(&path).unwrap();
        let read = Database::open_as(Access::Immutable, &path, schema::STEPS).unwrap();
        assert_eq!(
            read.connection.query_row("SELECT id FROM run", [], |row| row.get::<_, String>(0)),
            Ok("old".into())
        );
        assert!(read.connection.execute(RUN, []).is_err());
        // A step that is missing cannot be taken.
        let steps: Vec<_> = schema::STEPS.iter().copied().chain([NEXT]).collect();
        assert!(Database::open_as(Access::Immutable, &path, &steps).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn only_one_process_replaces_at_a_time_and_each_finds_a_place_of_its_own() {
        let (_folder, path) = folder();
        let turn = Replacing::wait(&path).unwrap();
        let other = Connection::open(format!("{path}.lock")).unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        assert!(is_busy(&other.execute_batch("BEGIN EXCLUSIVE").unwrap_err()));
        drop(turn);
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();

        let mut places = Vec::new();
        for content in ["one", "two"] {
            fs::write(&path, content).unwrap();
            fs::write(format!("{path}-wal"), content).unwrap();
            let place = set_aside(&path, "now").unwrap();
            assert_eq!(fs::read_to_string(&place).unwrap(), content);
            assert_eq!(fs::read_to_string(format!("{place}-wal")).unwrap(), content);
            places.push(place);
        }
        assert!(!path.exists() && places[0] != places[1], "{places:?}");
    }
}
