//! What is asked of many records at once: lists, baselines, trends, the past of tests.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use super::codec::{self, BLOCK, Broken};
use super::rows::{self, Fault, Names};
use super::{Error, Store, UNREADABLE};
use crate::evidence::metric::Better;
use crate::evidence::tests::Identity;
use crate::evidence::{Outcome, Problem};
use crate::gate::Verdict;
use crate::gate::facts::Best;
use crate::gate::samples::{PastRun, Sample, Samples};
use crate::record::Record;

/// Which runs are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only runs of this branch.
    pub branch: Option<String>,
    /// Only runs of this command.
    pub command: Option<String>,
    /// Only runs in which every check of the project was selected.
    pub full_only: bool,
}

/// A stored run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The record's id.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The command.
    pub command: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The commit.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// Whether tracked files differed from the commit.
    pub dirty: Option<bool>,
    /// Whether every check of the project was selected.
    pub full: bool,
    /// Whether only what its report says is left of it.
    pub partial: bool,
    /// Whether it may serve as a baseline.
    pub baseline: bool,
    /// Whether it is protected.
    pub kept: bool,
    /// Tests in it.
    pub tests: u64,
    /// Files with lines in it.
    pub files: u64,
}

/// A value in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The record's id.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The command.
    pub command: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The commit.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The value; NaN where it was, or where several files stated different ones.
    pub value: f64,
}

/// One test in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct TestPoint {
    /// The record's id.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The commit.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// How the test ended.
    pub outcome: Outcome,
    /// Whether that run saw it both to hold and not to hold.
    pub flaky: bool,
    /// Seconds over all attempts.
    pub seconds: f64,
}

/// `?1` is a branch, `?2` a command, `?3` whether only full runs are meant.
const CHOSEN: &str =
    "(?1 IS NULL OR run.branch = ?1) AND (?2 IS NULL OR run.command = ?2) AND (?3 = 0 OR run.whole = 1)";

impl Store {
    /// The newest runs of a kind, newest first, at most `limit`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<Entry>, Error> {
        let found = self.read(|connection| {
            let mut query = connection.prepare(&format!(
                "SELECT id, started, command, verdict, \"commit\", branch, dirty, whole, partial, fit, kept, tests, files
                 FROM run WHERE {CHOSEN} ORDER BY started DESC, id DESC LIMIT ?4"
            ))?;
            let mut rows = query.query(params![filter.branch, filter.command, filter.full_only, most(limit)])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                out.push(Entry {
                    id: row.get(0)?,
                    started_at: moment(row, 1)?,
                    command: row.get(2)?,
                    verdict: verdict(row, 3)?,
                    commit: row.get(4)?,
                    branch: row.get(5)?,
                    dirty: row.get(6)?,
                    full: row.get(7)?,
                    partial: row.get(8)?,
                    baseline: row.get(9)?,
                    kept: row.get(10)?,
                    tests: row.get::<_, i64>(11)?.unsigned_abs(),
                    files: row.get::<_, i64>(12)?.unsigned_abs(),
                });
            }
            Ok(out)
        })?;
        Ok(found.unwrap_or_default())
    }

    /// The newest records, newest first, at most `limit`; those that cannot be read are told and passed over.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn last(&self, filter: &Filter, limit: usize) -> Result<Vec<Record>, Error> {
        let found = self.read(|connection| {
            let mut query = connection
                .prepare(&format!("SELECT key, id FROM run WHERE {CHOSEN} ORDER BY started DESC, id DESC"))?;
            let mut rows = query.query(params![filter.branch, filter.command, filter.full_only])?;
            let (mut names, mut out) = (Names::default(), Vec::new());
            while out.len() < limit
                && let Some(row) = rows.next()?
            {
                out.extend(self.passing_over(connection, row.get(0)?, row.get(1)?, &mut names)?);
            }
            Ok(out)
        })?;
        Ok(found.unwrap_or_default())
    }

    /// A record; one that makes no sense is told, and is none.
    fn passing_over(
        &self,
        connection: &Connection,
        key: i64,
        id: String,
        names: &mut Names,
    ) -> Result<Option<Record>, Fault> {
        match rows::take_with(connection, key, names) {
            Ok(record) => Ok(Some(record)),
            Err(Fault::Broken(reason)) => {
                let error = Error::Record { id, path: self.path(), reason };
                self.tell(Problem::new(&UNREADABLE, error.to_string()));
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// The first of these commits that has a record fit to be a baseline, as its place among them, and that record;
    /// of several records the newest.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn nearest(&self, commits: &[String]) -> Result<Option<(usize, Record)>, Error> {
        let found = self.read(|connection| {
            let mut places: HashMap<&str, usize> = HashMap::with_capacity(commits.len());
            for (at, commit) in commits.iter().enumerate() {
                places.entry(commit).or_insert(at);
            }
            // An index that holds nothing but these, read once: as quick for ten thousand commits as for one.
            let mut query = connection.prepare("SELECT \"commit\" FROM run INDEXED BY run_fit WHERE fit = 1")?;
            let mut rows = query.query([])?;
            let mut fit = BTreeSet::new();
            while let Some(row) = rows.next()? {
                let commit = row.get_ref(0)?.as_str().map_err(|_| Broken("a commit is no text"))?;
                fit.extend(places.get(commit));
            }
            let mut of = connection.prepare(
                "SELECT key, id FROM run INDEXED BY run_fit WHERE fit = 1 AND \"commit\" = ?1
                 ORDER BY started DESC, id DESC",
            )?;
            for at in fit {
                let mut rows = of.query([&commits[at]])?;
                while let Some(row) = rows.next()? {
                    let (key, id) = (row.get(0)?, row.get(1)?);
                    if let Some(record) = self.passing_over(connection, key, id, &mut Names::default())? {
                        return Ok(Some((at, record)));
                    }
                }
            }
            Ok(None)
        })?;
        Ok(found.flatten())
    }

    /// Whether there is no record.
    ///
    /// # Errors
    /// The store cannot be read: nobody knows.
    pub fn is_empty(&self) -> Result<bool, Error> {
        let found = self.read(|connection| {
            Ok(connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM run)", [], |row| row.get(0))?)
        })?;
        Ok(found.unwrap_or(true))
    }

    /// The best finite value of a metric, for the whole project and for each part it is stored for, over the runs of
    /// a branch that are fit as baselines; of equal ones the newest. Ascending by part.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn best(&self, metric: &str, branch: &str, better: Better) -> Result<Vec<Best>, Error> {
        let outermost = match better {
            Better::Higher => "max",
            Better::Lower => "min",
        };
        let found = self.read(|connection| {
            let mut parts = connection.prepare("SELECT key, scope FROM series WHERE name = ?1 ORDER BY scope")?;
            // The value first, by itself: to sort all runs for the one at the top takes several times as long.
            let mut value = connection.prepare(&format!(
                "SELECT {outermost}(value) FROM measurement JOIN run ON run.key = measurement.run
                 WHERE series = ?1 AND fit = 1 AND branch = ?2 AND value BETWEEN ?3 AND ?4"
            ))?;
            let mut query = connection.prepare(
                "SELECT \"commit\" FROM measurement JOIN run ON run.key = measurement.run
                 WHERE series = ?1 AND fit = 1 AND branch = ?2 AND value = ?3
                 ORDER BY started DESC, id DESC LIMIT 1",
            )?;
            let mut rows = parts.query([metric])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                let series: i64 = row.get(0)?;
                let found: Option<f64> =
                    value.query_row(params![series, branch, f64::MIN, f64::MAX], |row| row.get(0))?;
                let Some(value) = found else { continue };
                let from: String = query.query_row(params![series, branch, value], |row| row.get(0))?;
                let from = from.get(..10).unwrap_or(&from).to_owned();
                let scope = Some(row.get(1)?).filter(|scope: &String| !scope.is_empty());
                out.push(Best { metric: metric.to_owned(), scope, value, from });
            }
            Ok(out)
        })?;
        Ok(found.unwrap_or_default())
    }

    /// The values of a metric in the newest runs that have one, oldest first, at most `limit`. Runs that were
    /// interrupted measured only a part and are left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn points(
        &self,
        metric: &str,
        scope: Option<&str>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Point>, Error> {
        let found = self.read(|connection| {
            let Some(series) = series(connection, metric, scope)? else { return Ok(Vec::new()) };
            let mut query = connection.prepare(&format!(
                "SELECT id, started, command, verdict, \"commit\", branch, value
                 FROM run INDEXED BY run_started CROSS JOIN measurement
                 WHERE measurement.series = ?4 AND measurement.run = run.key AND interrupted = 0 AND {CHOSEN}
                 ORDER BY started DESC, id DESC LIMIT ?5"
            ))?;
            let wanted = params![filter.branch, filter.command, filter.full_only, series, most(limit)];
            let mut rows = query.query(wanted)?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                out.push(Point {
                    id: row.get(0)?,
                    started_at: moment(row, 1)?,
                    command: row.get(2)?,
                    verdict: verdict(row, 3)?,
                    commit: row.get(4)?,
                    branch: row.get(5)?,
                    value: row.get::<_, Option<f64>>(6)?.unwrap_or(f64::NAN),
                });
            }
            out.reverse();
            Ok(out)
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Every metric that some run measured, with its scopes; ascending.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn series(&self) -> Result<Vec<(String, Option<String>)>, Error> {
        let found = self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT name, scope FROM series
                 WHERE EXISTS (SELECT 1 FROM measurement WHERE measurement.series = series.key) ORDER BY name, scope",
            )?;
            let pair = |row: &Row<'_>| Ok((row.get(0)?, Some(row.get(1)?).filter(|scope: &String| !scope.is_empty())));
            Ok(query.query_map([], pair)?.collect::<Result<_, _>>()?)
        })?;
        Ok(found.unwrap_or_default())
    }

    /// What the newest runs that began before a moment said of the tests of these checks: at most `last_runs` runs, of
    /// any branch and command, that were not interrupted and saw at least one such test.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn samples(
        &self,
        last_runs: usize,
        before: Timestamp,
        checks: impl Fn(&str) -> bool,
    ) -> Result<Samples, Error> {
        let found = self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT key, id, started, tree FROM run WHERE tests > 0 AND interrupted = 0 AND started < ?1
                 ORDER BY started DESC, id DESC",
            )?;
            let mut rows = query.query([before.as_millisecond()])?;
            let mut names = Names::default();
            let mut tests: HashMap<i64, Block> = HashMap::new();
            let mut runs = Vec::new();
            while runs.len() < last_runs
                && let Some(row) = rows.next()?
            {
                let mut seen = false;
                for (block, entries) in rows::blocks(connection, row.get(0)?)? {
                    let block = match tests.entry(block) {
                        std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                        std::collections::hash_map::Entry::Vacant(new) => {
                            new.insert(Block::of(&names.block(connection, block)?, &checks))
                        }
                    };
                    for entry in entries {
                        let sample = Sample {
                            run: runs.len(),
                            outcome: entry.outcome,
                            flaky: entry.flaky,
                            seconds: entry.seconds,
                        };
                        seen |= block.add(entry.place, sample);
                    }
                }
                if seen {
                    runs.push(PastRun { id: row.get(1)?, started_at: moment(row, 2)?, tree: row.get(3)? });
                }
            }
            let tests = tests.into_values().flat_map(Block::into_samples).collect();
            Ok(Samples { runs, tests })
        })?;
        Ok(found.unwrap_or_default())
    }

    /// The past of one test, newest first, at most `limit` runs.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn test(&self, identity: &Identity, limit: usize) -> Result<Vec<TestPoint>, Error> {
        let found = self.read(|connection| {
            let Identity { check, suite, class, name, file } = identity;
            let mut find = connection.prepare(
                "SELECT key FROM test WHERE \"check\" = ?1 AND suite = ?2 AND class = ?3 AND name = ?4 AND file = ?5",
            )?;
            let test: Option<i64> =
                find.query_row((&**check, &**suite, &**class, &**name, &**file), |row| row.get(0)).optional()?;
            let Some(test) = test else { return Ok(Vec::new()) };
            let place = u8::try_from(test.rem_euclid(BLOCK)).unwrap_or_default();
            let mut query = connection.prepare(
                "SELECT outcome.data, id, started, \"commit\", branch
                 FROM run INDEXED BY run_started CROSS JOIN outcome
                 WHERE outcome.block = ?1 AND outcome.run = run.key AND run.tests > 0
                 ORDER BY started DESC, id DESC",
            )?;
            let mut rows = query.query([test.div_euclid(BLOCK)])?;
            let mut out = Vec::new();
            while out.len() < limit
                && let Some(row) = rows.next()?
            {
                let data = row.get_ref(0)?.as_blob().map_err(|_| Broken("outcomes are no bytes"))?;
                let Some(entry) = codec::entry(data, place)? else { continue };
                out.push(TestPoint {
                    id: row.get(1)?,
                    started_at: moment(row, 2)?,
                    commit: row.get(3)?,
                    branch: row.get(4)?,
                    outcome: entry.outcome,
                    flaky: entry.flaky,
                    seconds: entry.seconds,
                });
            }
            Ok(out)
        })?;
        Ok(found.unwrap_or_default())
    }
}

/// The wanted tests of a block, each with its samples.
struct Block(Vec<Option<(Identity, Vec<Sample>)>>);

impl Block {
    fn of(names: &[Option<Identity>], checks: &impl Fn(&str) -> bool) -> Self {
        let wanted = |identity: &&Identity| checks(&identity.check);
        Self(names.iter().map(|name| Some((name.as_ref().filter(wanted)?.clone(), Vec::new()))).collect())
    }

    /// Returns whether the test is wanted.
    fn add(&mut self, place: u8, sample: Sample) -> bool {
        match self.0.get_mut(usize::from(place)) {
            Some(Some((_, samples))) => {
                samples.push(sample);
                true
            }
            _ => false,
        }
    }

    fn into_samples(self) -> impl Iterator<Item = (Identity, Vec<Sample>)> {
        self.0.into_iter().flatten().filter(|(_, samples)| !samples.is_empty())
    }
}

fn series(connection: &Connection, metric: &str, scope: Option<&str>) -> Result<Option<i64>, Fault> {
    let mut query = connection.prepare("SELECT key FROM series WHERE name = ?1 AND scope = ?2")?;
    Ok(query.query_row((metric, scope.unwrap_or_default()), |row| row.get(0)).optional()?)
}

/// SQLite counts with a sign.
fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn moment(row: &Row<'_>, at: usize) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(row.get(at)?).map_err(|_| Fault::Broken("a time is out of range".into()))
}

fn verdict(row: &Row<'_>, at: usize) -> Result<Verdict, Fault> {
    let word: String = row.get(at)?;
    let known = Verdict::ALL.iter().find(|verdict| verdict.word() == word);
    known.copied().ok_or_else(|| Fault::Broken(format!("`{word}` is no verdict")))
}
