//! The outputs of a step, added to the file at `GITHUB_OUTPUT`.
//!
//! Each value stands between two lines with the same word, which no value holds: a value can neither end early nor
//! begin another output.

use camino::Utf8Path;

use super::Error;
use super::append::append;
use super::context::hash;
use crate::record::Record;
use crate::retrain::Audit;
use crate::sys::text;

/// What outputs tell that is not in the record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places<'a> {
    /// The report as JSON.
    pub report_json: Option<&'a Utf8Path>,
    /// The report as Markdown.
    pub report_markdown: Option<&'a Utf8Path>,
    /// The comment.
    pub comment_url: Option<&'a str>,
}

/// One row: an output.
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// One line for help texts.
    pub doc: &'static str,
    value: fn(&Record, &Places<'_>) -> String,
}

/// Every output. One without a value is empty, never 0.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "verdict",
        doc: "`pass`, `fail`, `inconclusive` or `interrupted`.",
        value: |record, _| record.verdict.word().to_owned(),
    },
    Output {
        name: "exit-code",
        doc: "The same as a number: 0, 1, 4 or 130.",
        value: |record, _| record.verdict.exit_code().to_string(),
    },
    Output {
        name: "report-json",
        doc: "The path of the report as JSON.",
        value: |_, places| places.report_json.map(ToString::to_string).unwrap_or_default(),
    },
    Output {
        name: "report-markdown",
        doc: "The path of the report as Markdown.",
        value: |_, places| places.report_markdown.map(ToString::to_string).unwrap_or_default(),
    },
    Output { name: "tests-total", doc: "Tests.", value: |record, _| measured(record, "tests.total") },
    Output { name: "tests-failed", doc: "Tests that failed.", value: |record, _| measured(record, "tests.failed") },
    Output {
        name: "tests-skipped",
        doc: "Tests that were skipped.",
        value: |record, _| measured(record, "tests.skipped"),
    },
    Output {
        name: "tests-flaky",
        doc: "Tests seen both to hold and not to hold.",
        value: |record, _| measured(record, "tests.flaky"),
    },
    Output {
        name: "coverage-lines",
        doc: "Lines that ran, in percent.",
        value: |record, _| measured(record, "coverage.lines.percent"),
    },
    Output {
        name: "coverage-branches",
        doc: "Branches that ran, in percent.",
        value: |record, _| measured(record, "coverage.branches.percent"),
    },
    Output {
        name: "coverage-patch",
        doc: "Changed lines that ran, in percent.",
        value: |record, _| measured(record, "coverage.patch.percent"),
    },
    Output {
        name: "comment-url",
        doc: "The address of the comment.",
        value: |_, places| places.comment_url.unwrap_or_default().to_owned(),
    },
];

fn measured(record: &Record, name: &str) -> String {
    record.measurements.value(name).filter(|value| value.is_finite()).map(text::number).unwrap_or_default()
}

/// The outputs as the runner reads them.
#[must_use]
pub fn text(record: &Record, places: &Places<'_>) -> String {
    let values: Vec<_> = OUTPUTS.iter().map(|row| (row.name, (row.value)(record, places))).collect();
    lines(&values)
}

fn lines(values: &[(&str, String)]) -> String {
    let all: String = values.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("\n");
    let end = end(&all, &hash(&all)[..32]);
    values.iter().map(|(name, value)| format!("{name}<<{end}\n{value}\n{end}\n")).collect()
}

/// A word that none of the values holds: one of so many more than they have room for.
fn end(values: &str, seed: &str) -> String {
    let word = |count: usize| format!("mgmt_{seed}_{count}");
    (0..values.len()).map(word).find(|word| !values.contains(word.as_str())).unwrap_or_else(|| word(values.len()))
}

/// Adds the outputs to the step's.
///
/// # Errors
/// The system's error.
pub fn write(path: &Utf8Path, record: &Record, places: &Places<'_>) -> Result<(), Error> {
    append(path, |_| Ok(text(record, places)))
}

/// Adds what an audit tells to the step's outputs: those of the same name and meaning, and nothing of the others.
///
/// # Errors
/// The system's error.
pub fn write_audit(path: &Utf8Path, audit: &Audit, places: &Places<'_>) -> Result<(), Error> {
    let place = |path: Option<&Utf8Path>| path.map(ToString::to_string).unwrap_or_default();
    let values = [
        ("verdict", audit.verdict.word().to_owned()),
        ("exit-code", audit.exit_code.to_string()),
        ("report-json", place(places.report_json)),
        ("report-markdown", place(places.report_markdown)),
    ];
    append(path, |_| Ok(lines(&values)))
}

#[cfg(test)]
mod unit_tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// As the runner reads them (`FileCommandManager` in actions/runner).
    fn read(text: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut rest = text.split('\n');
        while let Some(line) = rest.next() {
            let Some((name, end)) = line.split_once("<<") else {
                assert_eq!(line, "");
                continue;
            };
            let value: Vec<_> = rest.by_ref().take_while(|line| *line != end).collect();
            found.insert(name.to_owned(), value.join("\n"));
        }
        found
    }

    #[test]
    fn every_name_has_a_value_and_what_was_not_measured_is_empty() {
        let record: Record = serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap();
        let places = Places { report_json: Some(Utf8Path::new("a b.json")), ..Places::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("output");
        std::fs::write(&path, "before=1").unwrap();
        write(&path, &record, &places).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let told = read(text.strip_prefix("before=1\n").unwrap());
        let told: Vec<_> = OUTPUTS.iter().map(|row| format!("{}={}", row.name, told[row.name])).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        verdict=fail
        exit-code=1
        report-json=a b.json
        report-markdown=
        tests-total=4
        tests-failed=1
        tests-skipped=1
        tests-flaky=
        coverage-lines=76.923077
        coverage-branches=
        coverage-patch=
        comment-url=
        ");
    }

    #[test]
    fn a_word_that_a_value_holds_is_not_taken() {
        assert_eq!(end("", "s"), "mgmt_s_0");
        assert_eq!(end("a mgmt_s_0", "s"), "mgmt_s_1");
        assert_eq!(end("mgmt_s_10\nmgmt_s_0", "s"), "mgmt_s_2");
    }

    proptest! {
        #[test]
        fn no_value_ends_early_or_begins_another(
            values in prop::collection::vec("(mgmt_[0-9a-f]{0,3}|<<|\n|a|=|verdict|_0|\r){0,12}", 1..5),
        ) {
            let names = ["a", "b", "c", "d"];
            let values: Vec<_> = names.into_iter().zip(values).collect();
            // The word for these values is known to whoever knows them; it must still be another one inside of them.
            let end = lines(&values).lines().next().unwrap().split_once("<<").unwrap().1.to_owned();
            let mut hostile = values.clone();
            hostile[0].1 = format!("{}\n{end}\nx<<y", hostile[0].1);
            for values in [values, hostile] {
                let found = read(&lines(&values));
                prop_assert_eq!(found.len(), values.len());
                for (name, value) in &values {
                    prop_assert_eq!(&found[*name], value);
                }
            }
        }
    }
}
