//! Floor 5: the records of earlier executions, under `.mgmt/` in the project.
//!
//! One file a record, written atomically under a name nobody else has, so that two runs at once both succeed
//! and a killed one leaves nothing half written. Deliberately absent: an index. Names carry what is sorted by.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::evidence::metric::Better;
use crate::evidence::problem::{Code, Level};
use crate::gate::Verdict;
use crate::gate::judge::Best;
use crate::record::Record;
use crate::sys::{clock, fs as files};

/// The tool's own folder in a project. It ignores itself.
pub const FOLDER: &str = ".mgmt";

/// The largest record that is read back.
const MAX_BYTES: u64 = 1 << 30;

/// The store's problem codes.
pub const CODES: &[&Code] = &[&UNWRITABLE, &UNREADABLE];

/// The record could not be stored.
pub const UNWRITABLE: Code = Code {
    id: "history.unwritable",
    level: Level::Warning,
    doc: "The record of this run could not be stored, so later runs and `mgmt status` will not know of it. The verdict stands.",
    hint: "look at the owner, the permissions and the free space of the folder .mgmt",
};

/// A stored record could not be read.
pub const UNREADABLE: Code = Code {
    id: "history.unreadable",
    level: Level::Warning,
    doc: "A stored record is damaged or of a newer version, and is passed over.",
    hint: "remove the file, or update this program",
};

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
#[derive(Clone, Debug)]
pub struct Store {
    folder: Utf8PathBuf,
}

impl Store {
    /// The store of the project at `root`. Nothing is created before the first record.
    #[must_use]
    pub fn of(root: &Utf8Path) -> Self {
        Self { folder: root.join(FOLDER).join("records") }
    }

    /// Stores a record. Its id is changed if another run has taken it.
    ///
    /// # Errors
    /// The system's error, with the path.
    pub fn add(&self, record: &mut Record) -> Result<(), files::Error> {
        prepare(self.folder.parent().unwrap_or(&self.folder))?;
        files::create_dir_all(&self.folder)?;
        let wanted = record.id.clone();
        for number in 2..1000_u32 {
            let path = self.path(&record.id);
            match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => record.id = format!("{wanted}~{number}"),
                Err(error) => return Err(files::Error::new("write", path, error)),
            }
        }
        let json = serde_json::to_vec(record)
            .map_err(|error| files::Error::new("write", self.path(&record.id), error.into()))?;
        let path = self.path(&record.id);
        files::write_durable(&path, &json).inspect_err(|_| {
            // The name was only reserved: an empty file is no record.
            let _ = fs::remove_file(&path);
        })
    }

    /// The ids of all records, newest first.
    ///
    /// # Errors
    /// The system's error, with the path. A store without a record is empty, not an error.
    pub fn ids(&self) -> Result<Vec<String>, files::Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(files::Error::new("read the folder", &self.folder, error)),
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut ids: Vec<_> = names
            .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
            .filter(|id| parse_id(id).is_some())
            .collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids)
    }

    /// Reads one record.
    ///
    /// # Errors
    /// The system's error, or that the file is no record this version can read.
    pub fn get(&self, id: &str) -> Result<Record, files::Error> {
        let path = self.path(id);
        let bytes = files::read(&path, MAX_BYTES)?;
        serde_json::from_slice(&bytes).map_err(|error| files::Error::new("understand", path, error.into()))
    }

    /// The newest record fit as a baseline of the first of some commits that has one, with that commit's index.
    ///
    /// # Errors
    /// The system's error, with the path.
    pub fn nearest(&self, commits: &[String]) -> Result<Option<(usize, Record)>, files::Error> {
        let mut found: Option<(usize, Record)> = None;
        for id in self.ids()? {
            let Ok(record) = self.get(&id) else { continue };
            let at = record.project.commit.as_ref().and_then(|commit| commits.iter().position(|other| other == commit));
            if let Some(at) = at.filter(|_| record.is_fit_as_baseline())
                && found.as_ref().is_none_or(|(best, _)| at < *best)
            {
                found = Some((at, record));
            }
        }
        Ok(found)
    }

    /// Whether there is no record. A store that cannot be read is not empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids().is_ok_and(|ids| ids.is_empty())
    }

    /// The best finite value of a metric, for the whole project and for each part it is stored for, over the runs of
    /// a branch that are fit as baselines.
    ///
    /// # Errors
    /// The system's error, with the path.
    pub fn best(&self, metric: &str, branch: &str, better: Better) -> Result<Vec<Best>, files::Error> {
        let mut best: BTreeMap<Option<String>, Best> = BTreeMap::new();
        for id in self.ids()? {
            let Ok(record) = self.get(&id) else { continue };
            if !record.is_fit_as_baseline() || record.project.branch.as_deref() != Some(branch) {
                continue;
            }
            for stated in record.measurements.iter().filter(|stated| stated.name == metric && stated.value.is_finite())
            {
                let known = best.get(&stated.scope).map(|best| best.value);
                let is_better = known.is_none_or(|known| match better {
                    Better::Higher => stated.value > known,
                    Better::Lower => stated.value < known,
                });
                if is_better {
                    let from = record.project.commit.clone().unwrap_or_default();
                    let from = from.get(..10).unwrap_or(&from).to_owned();
                    let scope = stated.scope.clone();
                    best.insert(scope.clone(), Best { metric: metric.to_owned(), scope, value: stated.value, from });
                }
            }
        }
        Ok(best.into_values().collect())
    }

    /// Removes records older than `keep`, except those that `is_kept` names. Returns how many.
    ///
    /// # Errors
    /// The system's error, with the path.
    pub fn prune(&self, now: Timestamp, keep: Duration, is_kept: impl Fn(&str) -> bool) -> Result<u64, files::Error> {
        let mut removed = 0;
        for id in self.ids()?.into_iter().filter(|id| is_older(id, now, keep) && !is_kept(id)) {
            let path = self.path(&id);
            fs::remove_file(&path).map_err(|error| files::Error::new("remove", path, error))?;
            removed += 1;
        }
        Ok(removed)
    }

    fn path(&self, id: &str) -> Utf8PathBuf {
        self.folder.join(format!("{id}.json"))
    }
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
mod tests {
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
