//! Records on the move: JSON lines, one whole `mgmt.record/1` each.

use std::io::{self, BufRead, Read as _, Write};

use rusqlite::Connection;

use super::rows::{self, Fault, Names, Origin};
use super::{Error, Filter, LINE, NUMBERS, RENAMED, Store, UNREADABLE, key, parse_id};
use crate::evidence::Problem;
use crate::record::{Record, SCHEMA};
use crate::sys::text;

/// The longest line that is read.
pub const MAX_LINE_BYTES: u64 = 512 << 20;

/// Records that are stored together: one wait for the disk for all of them.
const BATCH: usize = 128;

/// Bytes of records that are held at once, beside the last of them.
const BATCH_BYTES: u64 = 64 << 20;

/// What an export wrote.
#[derive(Debug, Default)]
pub struct Exported {
    /// Records.
    pub records: u64,
    /// Records that could not be read.
    pub problems: Vec<Problem>,
}

/// What became of the lines of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Records that were stored.
    pub added: u64,
    /// Records that were there already, with the same content.
    pub known: u64,
    /// Records that took the place of what a report had said of the run.
    pub completed: u64,
    /// Lines that hold no record, and records that had to be renamed.
    pub problems: Vec<Problem>,
}

/// What became of one record.
enum Fate {
    Added,
    Renamed(String),
    Known,
    Completed,
}

impl Store {
    /// Writes every record of a kind, oldest first.
    ///
    /// # Errors
    /// The store cannot be read; or the outer error, of the writer.
    pub fn export(&self, filter: &Filter, out: &mut dyn Write) -> io::Result<Result<Exported, Error>> {
        let mut ids: Vec<_> = match self.list(filter, usize::MAX) {
            Ok(entries) => entries.into_iter().map(|entry| entry.id).collect(),
            Err(error) => return Ok(Err(error)),
        };
        ids.reverse();
        let mut written = Ok(());
        let exported = self.read(|connection| {
            let (mut exported, mut names) = (Exported::default(), Names::default());
            for id in &ids {
                // Removed since the list was made: it is no longer a part of the history.
                let Some(key) = key(connection, id)? else { continue };
                match rows::take_with(connection, key, &mut names) {
                    Ok(record) => {
                        written = line(&record, out);
                        exported.records += 1;
                    }
                    Err(Fault::Broken(reason)) => {
                        let error = Error::Record { id: id.clone(), path: self.path(), reason };
                        exported.problems.push(Problem::new(&UNREADABLE, error.to_string()));
                    }
                    Err(fault) => return Err(fault),
                }
                if written.is_err() {
                    break;
                }
            }
            Ok(exported)
        });
        written?;
        out.flush()?;
        Ok(exported.map(Option::unwrap_or_default))
    }

    /// Stores the records in these lines. One whose id is there with the same content is passed over; one whose id is
    /// there with another content gets a number behind its name, unless that is there too. A whole record takes the
    /// place of one that was made again from a report, and never the reverse. Lines that hold no record are told.
    ///
    /// # Errors
    /// The store cannot be written; or the outer error, of the reader. What was stored until then stays.
    pub fn import(&self, input: &mut dyn BufRead) -> io::Result<Result<Imported, Error>> {
        let mut imported = Imported::default();
        let mut lines = Lines { input, number: 0, bytes: Vec::new() };
        loop {
            let mut batch = Vec::new();
            let mut size = 0;
            let mut last = true;
            while let Some(found) = lines.next()? {
                size += lines.bytes.len() as u64;
                match found {
                    Ok(record) => batch.push((lines.number, record)),
                    Err(why) => imported.problems.push(Problem::new(&LINE, why).at_line(lines.number)),
                }
                if batch.len() == BATCH || size > BATCH_BYTES {
                    last = false;
                    break;
                }
            }
            if let Err(error) = self.take_in(&mut batch, &mut imported) {
                return Ok(Err(error));
            }
            if last {
                return Ok(Ok(imported));
            }
        }
    }

    fn take_in(&self, batch: &mut [(u64, Record)], imported: &mut Imported) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        // Counted only once it is sure that they are stored.
        let fates = self.write(|connection| {
            batch
                .iter_mut()
                .map(|(line, record)| Ok((*line, take_one(connection, record)?)))
                .collect::<Result<Vec<_>, _>>()
        })?;
        for ((line, fate), (_, record)) in fates.into_iter().zip(batch) {
            match fate {
                Fate::Added => imported.added += 1,
                Fate::Known => imported.known += 1,
                Fate::Completed => imported.completed += 1,
                Fate::Renamed(from) => {
                    imported.added += 1;
                    let told = format!("{from} is another record here, so this one is now {}", record.id);
                    imported.problems.push(Problem::new(&RENAMED, told).at_line(line));
                }
            }
        }
        Ok(())
    }
}

fn line(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    // The same value in other characters: on GitHub's runner `##[` would be a command wherever it is printed, and it
    // stands only inside strings.
    let mut line = serde_json::to_string(record)?.replace("##[", "#\\u0023[");
    line.push('\n');
    out.write_all(line.as_bytes())
}

/// Whether the record was made again from a report.
fn is_partial(record: &Record) -> bool {
    record.problems.iter().any(|problem| problem.code == super::PARTIAL.id)
}

fn origin(record: &Record) -> Origin {
    if is_partial(record) { Origin::Report } else { Origin::Complete }
}

fn take_one(to: &Connection, record: &mut Record) -> Result<Fate, Fault> {
    let wanted = record.id.clone();
    for number in 1..NUMBERS.end {
        if number > 1 {
            record.id = format!("{wanted}~{number}");
        }
        let Some(stored) = key(to, &record.id)? else {
            rows::put(to, record, origin(record))?;
            return Ok(if number == 1 { Fate::Added } else { Fate::Renamed(wanted) });
        };
        match rows::take(to, stored) {
            Ok(stored) if is_same(&stored, record) => return Ok(Fate::Known),
            // Less than what is there adds nothing to it.
            Ok(stored) if is_partial(record) && is_same_run(&stored, record) => return Ok(Fate::Known),
            Ok(old) if is_partial(&old) && is_same_run(&old, record) => {
                replace(to, stored, record)?;
                return Ok(Fate::Completed);
            }
            Ok(_) => {}
            // What cannot be read any more is no loss.
            Err(Fault::Broken(_)) => {
                replace(to, stored, record)?;
                return Ok(Fate::Completed);
            }
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::Broken(format!("there are a thousand records {wanted}")))
}

/// Puts a record in the place of another; who protected that one meant the run.
fn replace(to: &Connection, old: i64, record: &mut Record) -> Result<(), Fault> {
    let kept: bool = to.query_row("SELECT kept FROM run WHERE key = ?1", [old], |row| row.get(0))?;
    rows::remove(to, old)?;
    rows::put(to, record, origin(record))?;
    to.execute("UPDATE run SET kept = ?2 WHERE id = ?1", (&record.id, kept))?;
    Ok(())
}

/// Equal as they are written: NaN is the same as NaN.
fn is_same(a: &Record, b: &Record) -> bool {
    match (serde_json::to_vec(a), serde_json::to_vec(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

fn is_same_run(a: &Record, b: &Record) -> bool {
    (a.started_at, &a.command, a.verdict, &a.project.commit) == (b.started_at, &b.command, b.verdict, &b.project.commit)
}

/// Lines of bounded length with their numbers, each read as a record.
struct Lines<'a> {
    input: &'a mut dyn BufRead,
    number: u64,
    bytes: Vec<u8>,
}

impl Lines<'_> {
    /// The next line that is not empty: its record, or why it is none.
    fn next(&mut self) -> io::Result<Option<Result<Record, String>>> {
        loop {
            self.number += 1;
            self.bytes.clear();
            let mut bounded = (&mut *self.input).take(MAX_LINE_BYTES + 1);
            if bounded.read_until(b'\n', &mut self.bytes)? == 0 {
                return Ok(None);
            }
            if self.bytes.last() != Some(&b'\n') && self.bytes.len() as u64 > MAX_LINE_BYTES {
                self.bytes = Vec::new();
                self.input.skip_until(b'\n')?;
                return Ok(Some(Err(format!("the line is longer than {}", text::bytes(MAX_LINE_BYTES)))));
            }
            if !self.bytes.trim_ascii().is_empty() {
                return Ok(Some(read(&self.bytes)));
            }
        }
    }
}

/// Reads one record.
///
/// # Errors
/// Why it is none.
pub fn read(bytes: &[u8]) -> Result<Record, String> {
    let record: Record = serde_json::from_slice(bytes).map_err(|error| {
        // serde_json counts lines from the start of what it is given: here that is always the first.
        let told = error.to_string();
        format!("this is no whole record: {}", told.replace(" at line 1 column", " at column"))
    })?;
    if record.schema != SCHEMA {
        return Err(format!("`{}` is not {SCHEMA}", text::one_line(&text::shorten(&record.schema, 40))));
    }
    let name = parse_id(&record.id);
    if name.is_none_or(|name| name.command != record.command || name.verdict != record.verdict) {
        let told = text::one_line(&text::shorten(&record.id, 80));
        return Err(format!("`{told}` is no id of a record of this command and verdict"));
    }
    Ok(record)
}
