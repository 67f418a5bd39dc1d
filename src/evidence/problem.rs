//! What was lost, guessed or noticed, as a value that reaches every report.

use serde::{Deserialize, Serialize};

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing; nothing is missing.
    Note,
    /// Something did not work, but no number depends on it.
    Warning,
    /// Evidence is missing or doubtful: the verdict cannot be a pass.
    Loss,
}

/// A kind of problem: a stable name, what it means and what to do. Rows of the `CODES` tables.
#[derive(Debug)]
pub struct Code {
    /// `room.what-happened`.
    pub id: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What it means for the verdict, in a sentence or two.
    pub doc: &'static str,
    /// The usual next step.
    pub hint: &'static str,
}

/// One occurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How much it matters.
    pub level: Level,
    /// The [`Code`]'s name.
    pub code: String,
    /// What happened, as a fragment.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
    /// The file it is about, relative to the project's root.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<u64>,
}

impl Problem {
    /// A problem with its code's usual hint.
    #[must_use]
    pub fn new(code: &Code, message: impl Into<String>) -> Self {
        let hint = (!code.hint.is_empty()).then(|| code.hint.to_owned());
        Self { level: code.level, code: code.id.to_owned(), message: message.into(), hint, file: None, line: None }
    }

    /// The same, with the file it is about.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// The same, with the line it is about; 0 is none.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = (line > 0).then_some(line);
        self
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal, $level:ident, $doc:literal, $hint:literal;)*) => {
        $(#[doc = $doc] pub const $name: Code = Code { id: $id, level: Level::$level, doc: $doc, hint: $hint };)*
        /// Every code of this room.
        pub const CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    MISSING = "evidence.missing", Loss,
        "A check declares a report that was not there when the check had ended. Its numbers are missing.",
        "look at the check's own output, and compare the path under `evidence:` with what the tool writes";
    STALE = "evidence.stale", Loss,
        "The report was there before the check started and the check did not touch it: it belongs to an earlier run and is not read.",
        "make the check write the report anew each time, or correct the path under `evidence:`";
    EMPTY = "evidence.empty", Loss,
        "The report holds no test case, no coverable line or no number, so it measures nothing.",
        "make sure that the tool found something to run: an empty selection is not a success";
    UNREADABLE = "evidence.unreadable", Loss,
        "The report could not be read as any known format, or not at all.",
        "name its format with `format:` in the evidence entry; `mgmt config schema` lists them";
    TRUNCATED = "evidence.truncated", Loss,
        "The report ends in the middle. What stands before the cut is counted; what came after is unknown.",
        "let the check finish writing: a killed process or a full disk cuts reports";
    SYNTAX = "evidence.syntax", Loss,
        "A part of the report is not valid in its format and was not counted.",
        "look at that line of the report; the tool that wrote it may need an update";
    LIMIT = "evidence.limit", Loss,
        "The report passes a bound that protects this program from hostile input; the rest of it was not read.",
        "look at the report: a bound is far above what tools write; `limits:` in mgmt.yml raises it";
    INCOMPLETE = "evidence.incomplete", Loss,
        "The report announces more results than it holds.",
        "a test process probably ended before its summary: look at the check's output";
    TOTALS_ONLY = "evidence.totals-only", Loss,
        "A suite states totals but lists no test case, so its tests cannot be counted by name.",
        "make the tool write test cases, not only totals";
    CHANGED = "evidence.changed", Note,
        "The report's own totals differ from what it lists. The listed entries count.",
        "";
    REPAIRED = "evidence.repaired", Note,
        "A value was written in an unusual way and was read as the nearest valid one.",
        "";
    ENCODING = "evidence.encoding", Note,
        "The report was compressed or not in plain UTF-8; it was converted before reading.",
        "";
    MERGED = "evidence.merged", Note,
        "Several entries of the report name the same thing and were counted as one.",
        "";
    UNMATCHED = "evidence.unmatched", Note,
        "A coverage report names source files that are no file of the project, or that could be several. They are counted under the name the report gives; `coverage.files.unmatched` counts them.",
        "";
    DUPLICATE = "evidence.duplicate", Note,
        "Two coverage reports are the same to the byte: one of them is counted, because hits would add up twice.",
        "";
    DISPUTED = "evidence.disputed", Note,
        "Coverage reports in different formats, or by different tools, tell a different number of branches for the same lines. On each such line the greatest number counts.",
        "";
    FOREIGN = "evidence.foreign", Note,
        "Lines that are not of the report's format stand among those that are. They are no results.",
        "";
    CONFLICT = "evidence.conflict", Loss,
        "Two reports give different values for one metric, so the metric has no single value.",
        "write the metric into one file only, or under different names";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_says_what_to_do_and_names_are_unique() {
        let mut ids: Vec<_> = CODES.iter().map(|code| code.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CODES.len());
        for code in CODES {
            assert!(code.doc.ends_with('.'), "{}", code.id);
            assert_eq!(code.hint.is_empty(), code.level == Level::Note, "{}", code.id);
        }
    }
}
