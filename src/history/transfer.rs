//! Records on the move: JSON lines, one whole `mgmt.record/1` each; one that was laid out over several lines is read too.

use std::io::{self, BufRead, Write};

use rusqlite::Connection;

use super::lines::{Lines, NoRecord};
use super::rows::{self, Fault, Names, Origin};
use super::{Error, Filter, LINE, NUMBERS, RENAMED, Store, UNREADABLE, key};
use crate::evidence::Problem;
use crate::record::Record;
use crate::sys::text;

/// Problems of one code that an import tells one by one; further ones are counted.
const TOLD: u64 = 5;

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

/// The first problems of a kind, and how many more there were.
#[derive(Default)]
struct Told {
    first: Vec<Problem>,
    more: u64,
    last_line: u64,
}

impl Told {
    fn tell(&mut self, problem: Problem) {
        self.last_line = problem.line.unwrap_or(self.last_line);
        if (self.first.len() as u64) < TOLD {
            self.first.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// All of them; `rest` says how many are left out and which line had the last.
    fn problems(mut self, rest: impl FnOnce(u64, u64) -> Problem) -> Vec<Problem> {
        if self.more > 0 {
            self.first.push(rest(self.more, self.last_line));
        }
        self.first
    }
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
        let mut lines = Lines::of(input);
        let (mut passed_over, mut renamed) = (Told::default(), Told::default());
        loop {
            let mut batch = Vec::new();
            let mut size = 0;
            let mut last = true;
            while let Some((found, bytes)) = lines.next()? {
                size += bytes;
                match found {
                    Ok(record) => batch.push((lines.number(), record)),
                    Err(NoRecord { why, help }) => {
                        let problem = Problem::new(&LINE, why).at_line(lines.number());
                        passed_over.tell(Problem { hint: help.map(str::to_owned).or(problem.hint.clone()), ..problem });
                    }
                }
                if batch.len() == BATCH || size > BATCH_BYTES {
                    last = false;
                    break;
                }
            }
            if let Err(error) = self.take_in(&mut batch, &mut imported, &mut renamed) {
                return Ok(Err(error));
            }
            if last {
                imported.problems = passed_over.problems(|more, line| {
                    let places = text::plural(more, "more place holds", "more places hold");
                    let told = format!("and {places} no record, the last in line {line}");
                    Problem { hint: None, ..Problem::new(&LINE, told) }
                });
                imported.problems.extend(renamed.problems(|more, line| {
                    let records = text::plural(more, "more record has", "more records have");
                    Problem::new(&RENAMED, format!("and {records} a new name, the last in line {line}"))
                }));
                return Ok(Ok(imported));
            }
        }
    }

    fn take_in(&self, batch: &mut [(u64, Record)], imported: &mut Imported, renamed: &mut Told) -> Result<(), Error> {
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
                    renamed.tell(Problem::new(&RENAMED, told).at_line(line));
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
