//! A record as rows, and rows as the record again: equal in every part.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::codec::{self, BLOCK, Broken, Entry};
use crate::evidence::coverage::FileLines;
use crate::evidence::tests::Identity;
use crate::record::{Record, TestRecord};

/// Why rows did not become a record, or a record not rows.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite's answer.
    Sql(rusqlite::Error),
    /// What the rows hold makes no sense.
    Broken(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::Broken("a part of it is not there".into()),
            other => Self::Sql(other),
        }
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken.to_string())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// What a run is, beside its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// All of it is there.
    Complete,
    /// Made again from a report, which holds only a part.
    Report,
}

/// Writes a record whose id nobody has.
pub(super) fn put(to: &Connection, record: &mut Record, origin: Origin) -> Result<(), Fault> {
    let tests = std::mem::take(&mut record.tests);
    let files = std::mem::take(&mut record.lines);
    // Tests that are not in their order could not be put back into it: they stay where they are.
    let ordered = tests.windows(2).all(|pair| pair[0].identity < pair[1].identity);
    let json = if ordered {
        serde_json::to_vec(record)
    } else {
        record.tests.clone_from(&tests);
        serde_json::to_vec(record)
    };
    (record.tests, record.lines) = (tests, files);
    let json = json?;

    let project = &record.project;
    let partial = origin == Origin::Report;
    let run = params![
        record.id,
        record.started_at.as_millisecond(),
        record.command,
        record.verdict.word(),
        project.commit,
        project.branch,
        project.tree,
        project.dirty,
        record.is_full(),
        record.is_interrupted(),
        record.is_fit_as_baseline() && !partial,
        partial,
        i64::try_from(record.tests.len()).unwrap_or(i64::MAX),
        i64::try_from(record.lines.len()).unwrap_or(i64::MAX),
    ];
    to.prepare_cached(
        "INSERT INTO run (id, started, command, verdict, \"commit\", branch, tree, dirty, whole, interrupted, fit,
            partial, tests, files)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(run)?;
    let key = to.last_insert_rowid();
    let messages = put_tests(to, key, &record.tests, ordered)?;
    let files = put_files(to, &record.lines)?;
    to.prepare_cached("INSERT INTO record (run, data, messages, files) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        key,
        codec::deflate(&json),
        messages,
        files
    ])?;
    put_measurements(to, key, record)
}

fn put_measurements(to: &Connection, run: i64, record: &Record) -> Result<(), Fault> {
    let mut values: BTreeMap<(&str, &str), Option<f64>> = BTreeMap::new();
    for one in record.measurements.iter() {
        let stated = values.entry((&one.name, one.scope.as_deref().unwrap_or_default()));
        // Files that state different values give no value.
        let same = |known: Option<f64>| known.filter(|known| known.to_bits() == one.value.to_bits());
        stated.and_modify(|known| *known = same(*known)).or_insert(Some(one.value));
    }
    let mut find = to.prepare_cached("SELECT key FROM series WHERE name = ?1 AND scope = ?2")?;
    let mut name = to.prepare_cached("INSERT INTO series (name, scope) VALUES (?1, ?2)")?;
    let mut insert = to.prepare_cached("INSERT INTO measurement (series, run, value) VALUES (?1, ?2, ?3)")?;
    for (series, value) in values {
        let key = match find.query_row(series, |row| row.get(0)).optional()? {
            Some(key) => key,
            None => name.insert(series)?,
        };
        insert.execute(params![key, run, value.filter(|value| !value.is_nan())])?;
    }
    Ok(())
}

/// Writes the outcomes. Returns the messages, which are only read with the whole record.
fn put_tests(to: &Connection, run: i64, tests: &[TestRecord], ordered: bool) -> Result<Option<Vec<u8>>, Fault> {
    let mut find = to.prepare_cached(
        "SELECT key FROM test WHERE \"check\" = ?1 AND suite = ?2 AND class = ?3 AND name = ?4 AND file = ?5",
    )?;
    let mut name =
        to.prepare_cached("INSERT INTO test (\"check\", suite, class, name, file) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut numbered = BTreeMap::new();
    for test in tests {
        let Identity { check, suite, class, name: own, file } = &test.identity;
        let identity = (&**check, &**suite, &**class, &**own, &**file);
        let key: i64 = match find.query_row(identity, |row| row.get(0)).optional()? {
            Some(key) => key,
            None => name.insert(identity)?,
        };
        numbered.entry(key).or_insert(&test.test);
    }
    let mut blocks: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
    let mut messages = Vec::new();
    for (key, test) in numbered {
        let place = u8::try_from(key.rem_euclid(BLOCK)).unwrap_or_default();
        codec::put_entry(blocks.entry(key.div_euclid(BLOCK)).or_default(), &Entry::of(place, test));
        if let Some(message) = test.message.as_deref().filter(|_| ordered) {
            codec::put_bytes(&mut messages, message.as_bytes());
        }
    }
    let mut insert = to.prepare_cached("INSERT INTO outcome (block, run, data) VALUES (?1, ?2, ?3)")?;
    for (block, bytes) in blocks {
        insert.execute(params![block, run, codec::seal(bytes)])?;
    }
    Ok((!messages.is_empty()).then(|| codec::deflate(&messages)))
}

/// Writes the lines of files that no earlier run has seen alike. Returns which file has which.
fn put_files(to: &Connection, files: &BTreeMap<String, FileLines>) -> Result<Option<Vec<u8>>, Fault> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut find = to.prepare_cached("SELECT key FROM lines WHERE sum = ?1 AND data = ?2")?;
    let mut again = to.prepare_cached("UPDATE lines SET uses = uses + 1 WHERE key = ?1")?;
    let mut insert = to.prepare_cached("INSERT INTO lines (sum, uses, data) VALUES (?1, 1, ?2)")?;
    let mut list = Vec::new();
    for (path, lines) in files {
        let bytes = codec::put_lines(lines);
        let sum = codec::sum(&bytes);
        let data = codec::seal(bytes);
        let key: i64 = match find.query_row(params![sum, data], |row| row.get(0)).optional()? {
            Some(key) => {
                again.execute([key])?;
                key
            }
            None => insert.insert(params![sum, data])?,
        };
        codec::put_bytes(&mut list, path.as_bytes());
        codec::put_number(&mut list, key.unsigned_abs());
    }
    Ok(Some(codec::deflate(&list)))
}

/// Reads a record back.
pub(super) fn take(from: &Connection, key: i64) -> Result<Record, Fault> {
    take_with(from, key, &mut Names::default())
}

/// Reads one of several records back, whose tests have mostly the same names.
pub(super) fn take_with(from: &Connection, key: i64, names: &mut Names) -> Result<Record, Fault> {
    let mut query = from.prepare_cached("SELECT data, messages, files FROM record WHERE run = ?1")?;
    let (data, messages, files): (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>) =
        query.query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut record: Record = serde_json::from_slice(&codec::inflate(&data)?)?;
    if record.tests.is_empty() {
        record.tests = take_tests(from, key, messages.as_deref(), names)?;
    }
    for (path, key) in list(files.as_deref())? {
        let mut query = from.prepare_cached("SELECT data FROM lines WHERE key = ?1")?;
        let data: Vec<u8> = query.query_row([key], |row| row.get(0))?;
        record.lines.insert(path, codec::take_lines(codec::unseal(&data)?)?);
    }
    Ok(record)
}

fn list(files: Option<&[u8]>) -> Result<Vec<(String, i64)>, Fault> {
    let Some(files) = files else { return Ok(Vec::new()) };
    let list = codec::inflate(files)?;
    let mut rest = list.as_slice();
    let mut out = Vec::new();
    while !rest.is_empty() {
        let path = text(codec::take_bytes(&mut rest)?)?;
        let key = i64::try_from(codec::take_number(&mut rest)?);
        out.push((path, key.map_err(|_| Broken("a number is too large"))?));
    }
    Ok(out)
}

fn text(bytes: &[u8]) -> Result<String, Broken> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Broken("a text is not UTF-8"))
}

fn take_tests(
    from: &Connection,
    run: i64,
    messages: Option<&[u8]>,
    names: &mut Names,
) -> Result<Vec<TestRecord>, Fault> {
    let messages = messages.map(codec::inflate).transpose()?.unwrap_or_default();
    let mut messages = messages.as_slice();
    let mut tests = Vec::new();
    for (block, entries) in blocks(from, run)? {
        let identities = names.block(from, block)?;
        for entry in entries {
            let message = if entry.has_message { Some(text(codec::take_bytes(&mut messages)?)?.into()) } else { None };
            let identity = identities[usize::from(entry.place)].clone().ok_or(Broken("a test has no name"))?;
            tests.push(TestRecord { identity, test: entry.test(message) });
        }
    }
    tests.sort_by(|a, b| a.identity.cmp(&b.identity));
    Ok(tests)
}

/// The outcomes of a run, block by block in ascending order.
pub(super) fn blocks(from: &Connection, run: i64) -> Result<Vec<(i64, Vec<Entry>)>, Fault> {
    let mut query = from.prepare_cached(
        "SELECT outcome.block, outcome.data FROM outcome INDEXED BY outcome_run WHERE run = ?1 ORDER BY block",
    )?;
    let mut rows = query.query([run])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let data = row.get_ref(1)?.as_blob().map_err(|_| Broken("outcomes are no bytes"))?;
        out.push((row.get(0)?, codec::entries(data)?));
    }
    Ok(out)
}

/// Names of tests by their numbers, as one transaction sees them; one copy of each part that many share.
#[derive(Default)]
pub(super) struct Names {
    shared: HashSet<Arc<str>>,
    blocks: HashMap<i64, Arc<[Option<Identity>]>>,
}

impl Names {
    /// The identities of a block, by place.
    pub(super) fn block(&mut self, from: &Connection, block: i64) -> Result<Arc<[Option<Identity>]>, Fault> {
        if let Some(known) = self.blocks.get(&block) {
            return Ok(Arc::clone(known));
        }
        let mut query = from
            .prepare_cached("SELECT key, \"check\", suite, class, name, file FROM test WHERE key BETWEEN ?1 AND ?2")?;
        let first = block.saturating_mul(BLOCK);
        let mut rows = query.query([first, first.saturating_add(BLOCK - 1)])?;
        let mut out = vec![None; usize::try_from(BLOCK).unwrap_or_default()];
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(0)?;
            let place = usize::try_from(key - first).ok().and_then(|place| out.get_mut(place));
            let identity = self.identity(row)?;
            *place.ok_or(Broken("a test stands outside its block"))? = Some(identity);
        }
        let out: Arc<[_]> = out.into();
        self.blocks.insert(block, Arc::clone(&out));
        Ok(out)
    }

    fn identity(&mut self, row: &Row<'_>) -> Result<Identity, Fault> {
        let mut shared = |at: usize| -> Result<Arc<str>, Fault> {
            let text = row.get_ref(at)?.as_str().map_err(|_| Broken("a name is no text"))?;
            if let Some(known) = self.shared.get(text) {
                return Ok(Arc::clone(known));
            }
            let new: Arc<str> = text.into();
            self.shared.insert(Arc::clone(&new));
            Ok(new)
        };
        let (check, suite, class, file) = (shared(1)?, shared(2)?, shared(3)?, shared(5)?);
        Ok(Identity { check, suite, class, name: row.get::<_, String>(4)?.into(), file })
    }
}

/// Removes the names of measurements that no run has any more.
pub(super) fn forget_series(from: &Connection) -> Result<(), Fault> {
    from.execute(
        "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM measurement WHERE measurement.series = series.key)",
        [],
    )?;
    Ok(())
}

/// Removes a run with everything that only it needs.
pub(super) fn remove(from: &Connection, run: i64) -> Result<(), Fault> {
    let files: Option<Option<Vec<u8>>> = from
        .prepare_cached("SELECT files FROM record WHERE run = ?1")?
        .query_row([run], |row| row.get(0))
        .optional()?;
    let mut unuse = from.prepare_cached("UPDATE lines SET uses = uses - 1 WHERE key = ?1")?;
    let mut drop = from.prepare_cached("DELETE FROM lines WHERE key = ?1 AND uses < 1")?;
    // A damaged list must not keep its run from being removed; `check` finds lines that nobody uses.
    for (_, key) in list(files.flatten().as_deref()).unwrap_or_default() {
        unuse.execute([key])?;
        drop.execute([key])?;
    }
    let mut query = from.prepare_cached("SELECT block FROM outcome INDEXED BY outcome_run WHERE run = ?1")?;
    let blocks: Vec<i64> = query.query_map([run], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut outcome = from.prepare_cached("DELETE FROM outcome WHERE block = ?1 AND run = ?2")?;
    let mut names = from.prepare_cached(
        "DELETE FROM test WHERE key BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM outcome WHERE block = ?3)",
    )?;
    for block in blocks {
        outcome.execute([block, run])?;
        let first = block.saturating_mul(BLOCK);
        names.execute([first, first.saturating_add(BLOCK - 1), block])?;
    }
    for table in ["measurement", "record"] {
        from.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?.execute([run])?;
    }
    from.prepare_cached("DELETE FROM run WHERE key = ?1")?.execute([run])?;
    Ok(())
}
