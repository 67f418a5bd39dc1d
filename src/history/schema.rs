//! The tables, as the steps that lead to them.
//!
//! A step is never edited once it has been released: a store of any earlier version goes through the steps it
//! lacks. The number of steps a store has been through is its `user_version`.

/// Stands in the file's header (`application_id`), so that no other program's database is taken for a store: "mgmt".
pub(super) const APPLICATION: i32 = 0x6d67_6d74;

/// Every step.
pub(super) const STEPS: &[&str] = &[RUNS, KEPT];

/// Runs with their measurements, outcomes and lines.
const RUNS: &str = r#"
-- One row a run; small, because lists and baselines read many of them.
CREATE TABLE run (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    -- Milliseconds since 1970, UTC.
    started INTEGER NOT NULL,
    command TEXT NOT NULL,
    verdict TEXT NOT NULL,
    "commit" TEXT,
    branch TEXT,
    tree TEXT,
    dirty INTEGER,
    -- Whether every check of the project was selected.
    whole INTEGER NOT NULL,
    interrupted INTEGER NOT NULL,
    -- Whether it may serve as a baseline.
    fit INTEGER NOT NULL,
    -- Whether it was made again from a report, which holds only a part of a record.
    partial INTEGER NOT NULL,
    tests INTEGER NOT NULL,
    files INTEGER NOT NULL,
    kept INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX run_started ON run (started, id);
CREATE INDEX run_fit ON run ("commit", started, id) WHERE fit = 1;

-- The record as compressed JSON, without what stands in other tables; null where a run has none of it.
CREATE TABLE record (
    run INTEGER PRIMARY KEY,
    data BLOB NOT NULL,
    messages BLOB,
    files BLOB
) STRICT;

-- A measurement's name and scope ('' is the whole project), and its value in each run; null is NaN, or no one value.
CREATE TABLE series (key INTEGER PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL, UNIQUE (name, scope)) STRICT;
CREATE TABLE measurement (
    series INTEGER NOT NULL,
    run INTEGER NOT NULL,
    value REAL,
    PRIMARY KEY (series, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX measurement_run ON measurement (run);

-- A test, and the outcomes of 64 neighbouring tests in each run: by test through the key, by run through the index.
CREATE TABLE test (
    key INTEGER PRIMARY KEY,
    "check" TEXT NOT NULL,
    suite TEXT NOT NULL,
    class TEXT NOT NULL,
    name TEXT NOT NULL,
    file TEXT NOT NULL,
    UNIQUE ("check", suite, class, name, file)
) STRICT;
CREATE TABLE outcome (
    block INTEGER NOT NULL,
    run INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (block, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcome_run ON outcome (run);

-- Lines of a file, once for all runs that saw the same; `uses` counts them.
CREATE TABLE lines (
    key INTEGER PRIMARY KEY,
    sum INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX lines_sum ON lines (sum);
"#;

/// Small documents that a use case keeps between its calls, each under a key.
const KEPT: &str = r#"
CREATE TABLE kept (key TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT, WITHOUT ROWID;
"#;
