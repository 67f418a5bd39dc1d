//! The names of what can be measured: one table for rules, reports, `explain` and the schema.

use super::Kind;
use crate::sys::text;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Whole things.
    Count,
    /// 0 to 100.
    Percent,
    /// Seconds.
    Seconds,
    /// Whatever the project measures.
    Number,
}

impl Unit {
    /// Decimals that a value is shown with, unless more are needed to tell it from a limit.
    #[must_use]
    pub fn decimals(self) -> usize {
        match self {
            Self::Count => 0,
            Self::Percent | Self::Seconds => 2,
            Self::Number => 4,
        }
    }

    /// A value beside another one, with enough decimals to tell them apart, in this unit.
    #[must_use]
    pub fn beside(self, value: f64, other: f64) -> String {
        self.show(&text::number_pair(value, other, self.decimals()).0)
    }

    /// A value on its own: `91.11 %`. One that is not 0 does not look like it.
    #[must_use]
    pub fn alone(self, value: f64) -> String {
        self.beside(value, 0.0)
    }

    /// A change by this much: `0.25 points`, `3`, `1.5 s`.
    #[must_use]
    pub fn change(self, by: f64) -> String {
        self.change_beside(by, 0.0)
    }

    /// A change beside another one, with enough decimals to tell them apart, and two digits that are not 0.
    #[must_use]
    pub fn change_beside(self, by: f64, other: f64) -> String {
        // What subtraction adds in far decimals is not a change.
        let [by, other] = [by, other].map(|value| (value * 1e9).round() / 1e9);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 17 for what is left above"
        )]
        let small = if by == 0.0 { 0 } else { (1.0 - by.abs().log10().floor()).max(0.0) as usize };
        let small = if by.fract() == 0.0 { 0 } else { small };
        let shown = text::number_pair(by, other, self.decimals().max(small)).0;
        if self == Self::Percent { format!("{shown} points") } else { self.show(&shown) }
    }

    /// A value in this unit: `12`, `59.24 %`, `1.5 s`.
    #[must_use]
    pub fn show(self, value: &str) -> String {
        match self {
            Self::Percent => format!("{value} %"),
            Self::Seconds => format!("{value} s"),
            Self::Count | Self::Number => value.to_owned(),
        }
    }
}

/// Which way a metric gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

impl Better {
    /// Every value with its word.
    pub const WORDS: &'static [(&'static str, Self)] = &[("higher", Self::Higher), ("lower", Self::Lower)];
}

/// Names of which less is better.
const LOWER: &[&str] = &[
    "tests.failed",
    "tests.errors",
    "tests.skipped",
    "tests.flaky",
    "tests.attempts",
    "tests.disappeared",
    "tests.newly_skipped",
    "tests.newly_failing",
    "tests.newly_slow",
    "tests.slowest_seconds",
    "tests.quarantined",
    "tests.duration_seconds",
    "tests.wall_seconds",
    "coverage.files.unmatched",
    TOUCHED,
    LOST,
];

/// Names that only a baseline can give a value.
const FROM_BASE: &[&str] = &[TOUCHED, LOST, "tests.disappeared", "tests.newly_skipped", "tests.newly_failing"];

/// Percentage of the changed lines that ran.
pub const PATCH_PERCENT: &str = "coverage.patch.percent";
/// Changed lines that did not run before either.
pub const TOUCHED: &str = "coverage.patch.touched_uncovered";
/// Lines that ran in the baseline and do not now.
pub const LOST: &str = "coverage.lost.lines";

/// One row: a name that rules may use.
pub struct Name {
    /// The dotted name.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// One sentence.
    pub doc: &'static str,
}

const fn row(name: &'static str, unit: Unit, doc: &'static str) -> Name {
    Name { name, unit, doc }
}

/// Every fixed name.
pub const NAMES: &[Name] = &[
    row(
        "tests.total",
        Unit::Count,
        "Tests, each counted once however often it was attempted: passed + failed + skipped.",
    ),
    row("tests.passed", Unit::Count, "Tests that held."),
    row(
        "tests.failed",
        Unit::Count,
        "Tests that did not hold or could not run: every outcome that is neither passed nor skipped, errors included.",
    ),
    row("tests.errors", Unit::Count, "The part of `tests.failed` that could not run to its end."),
    row("tests.skipped", Unit::Count, "Tests that did not run on purpose."),
    row(
        "tests.flaky",
        Unit::Count,
        "Tests that were seen both to hold and not to hold: among the attempts of this run, or in runs on the same tree.",
    ),
    row(
        "tests.quarantined",
        Unit::Count,
        "Tests under an entry of `quarantine:` whose last day is not past, whatever became of them.",
    ),
    row("tests.disappeared", Unit::Count, "Tests of the baseline that are not in this run; moved ones included."),
    row("tests.newly_skipped", Unit::Count, "Tests that passed or failed in the baseline and are skipped now."),
    row("tests.newly_failing", Unit::Count, "Tests that passed in the baseline and fail now."),
    row(
        "tests.newly_slow",
        Unit::Count,
        "Tests that took longer than their own history allows: more than 5 deviations, half as much again and half a second above the median of at least 5 earlier runs.",
    ),
    row("tests.slowest_seconds", Unit::Seconds, "Time of the test that took longest, over all its attempts."),
    row("tests.attempts", Unit::Count, "Runs of tests, repeats included."),
    row(
        "tests.duration_seconds",
        Unit::Seconds,
        "Sum of the times of all attempts; not the wall time of a parallel run.",
    ),
    row(
        "tests.wall_seconds",
        Unit::Seconds,
        "Sum of the times that the outermost suites state, from their start to their end; missing where one states none. Shards that ran at the same time add as well.",
    ),
    row("coverage.lines.covered", Unit::Count, "Executable lines with at least one hit."),
    row("coverage.lines.total", Unit::Count, "Executable lines."),
    row("coverage.lines.percent", Unit::Percent, "Covered lines out of all executable lines."),
    row("coverage.branches.covered", Unit::Count, "Branches that were taken."),
    row("coverage.branches.total", Unit::Count, "Branches."),
    row("coverage.branches.percent", Unit::Percent, "Taken branches out of all."),
    row("coverage.functions.covered", Unit::Count, "Functions that were entered."),
    row("coverage.functions.total", Unit::Count, "Functions."),
    row("coverage.functions.percent", Unit::Percent, "Entered functions out of all."),
    row("coverage.statements.covered", Unit::Count, "Statements that ran; only some formats tell."),
    row("coverage.statements.total", Unit::Count, "Statements."),
    row("coverage.statements.percent", Unit::Percent, "Statements that ran out of all."),
    row("coverage.patch.covered", Unit::Count, "Changed lines that ran."),
    row("coverage.patch.total", Unit::Count, "Changed lines that can run, without those that were merely touched."),
    row(
        PATCH_PERCENT,
        Unit::Percent,
        "Changed lines that ran out of all changed lines that can run; lines that were merely touched and did not run before either are left out.",
    ),
    row(
        TOUCHED,
        Unit::Count,
        "Changed lines that did not run, as the lines in whose place they stand did not in the baseline.",
    ),
    row(LOST, Unit::Count, "Lines, changed or not, that ran in the baseline and do not now."),
    row("coverage.files.total", Unit::Count, "Source files that coverage reports name."),
    row(
        "coverage.files.unmatched",
        Unit::Count,
        "Source files in coverage reports that are no file of the project, or could be several: their lines count, but belong to no path.",
    ),
];

/// Prefixes under which a project names its own numbers, and what fills them.
pub const NAMESPACES: &[(&str, &str)] =
    &[("metrics.", "A number from a metrics file; the dotted path inside the file follows the prefix.")];

/// Which way a name gets better: what its row says, else higher.
#[must_use]
pub fn better(name: &str) -> Better {
    if LOWER.contains(&name) { Better::Lower } else { Better::Higher }
}

/// Whether only a baseline can give it a value.
#[must_use]
pub fn is_from_base(name: &str) -> bool {
    FROM_BASE.contains(&name)
}

/// Whether it is known for parts of a project: for each source file.
#[must_use]
pub fn has_parts(name: &str) -> bool {
    name.starts_with("coverage.") && name != "coverage.files.unmatched"
}

/// The row of a fixed name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Name> {
    NAMES.iter().find(|row| row.name == name)
}

/// The unit of any name.
#[must_use]
pub fn unit(name: &str) -> Unit {
    find(name).map_or(Unit::Number, |row| row.unit)
}

/// Checks that a rule may use the name.
///
/// # Errors
/// The next step: the nearest known name, or where to find the list.
pub fn check(name: &str) -> Result<(), String> {
    let is_open = NAMESPACES.iter().any(|(prefix, _)| name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()));
    if is_open || find(name).is_some() {
        return Ok(());
    }
    let known = NAMES.iter().map(|row| row.name);
    Err(match text::closest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`mgmt explain metrics` lists the names; a metrics file's own numbers are `metrics.NAME`".to_owned(),
    })
}

/// The kind of evidence that yields a name.
#[must_use]
pub fn kind(name: &str) -> Option<Kind> {
    Kind::ALL
        .iter()
        .find(|(prefix, _)| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
        .map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_kind_and_a_sentence() {
        for row in NAMES {
            assert!(kind(row.name).is_some(), "{}", row.name);
            assert!(row.doc.ends_with('.'), "{}", row.name);
        }
    }

    #[test]
    fn a_small_value_does_not_look_like_none() {
        assert_eq!([0.0, 0.004, 91.111_11].map(|value| Unit::Seconds.alone(value)), ["0 s", "0.004 s", "91.11 s"]);
        assert_eq!(Unit::Percent.alone(f64::NAN), "NaN %");
    }

    #[test]
    fn a_change_is_told_from_what_is_allowed() {
        assert_eq!([0.252_525, 0.25].map(|by| Unit::Percent.change_beside(by, 0.25)), ["0.253 points", "0.25 points"]);
        assert_eq!(Unit::Percent.change_beside(0.25, 0.252_525), "0.25 points");
        assert_eq!([0.06, 0.94, 3.0, 12.4].map(|by| Unit::Count.change(by)), ["0.06", "0.94", "3", "12"]);
        assert_eq!([0.1 + 0.2, 0.0].map(|by| Unit::Percent.change(by)), ["0.3 points", "0 points"]);
    }

    #[test]
    fn unknown_names_get_a_next_step() {
        assert_eq!(check("tests.faild"), Err("did you mean `tests.failed`?".into()));
        assert!(check("metrics.").is_err());
        assert!(check("accuracy").unwrap_err().contains("metrics.NAME"));
        assert_eq!(check("metrics.holdout.f1"), Ok(()));
    }
}
