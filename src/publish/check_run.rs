//! The check run on a commit: its conclusion, a report, and marks at lines.
//!
//! Limits: <https://docs.github.com/en/rest/checks/runs>. Marks past the first fifty go into a second request, and each
//! request adds to what is there: one that is sent twice shows its marks twice. Deliberately absent: times, which
//! GitHub sets itself, and buttons.

use serde::Serialize;

use super::Context;
use super::annotation::{self, Annotation, Counts, Marks};
use crate::gate::Verdict;
use crate::record::Record;
use crate::report::{self, advice};
use crate::sys::text;

/// Bytes of a summary, and of a text. GitHub counts characters, which are never more.
pub const LIMIT: usize = 65_535;
/// Marks of one request.
pub const BATCH: usize = 50;
/// Characters of a title. GitHub names no limit for it; a reader sees less.
const TITLE: usize = 200;

/// What a run says, in GitHub's words.
///
/// A required check lets a branch be changed if it is `success`, `skipped` or `neutral`
/// (<https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches>,
/// "Require status checks before merging"). What could not be decided must not, so it is a failure, as it is for the
/// job, whose exit code is not 0 either; the title tells the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// Pass.
    Success,
    /// Fail, or could not be decided.
    Failure,
    /// Stopped before it was done.
    Cancelled,
}

impl From<Verdict> for Conclusion {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Success,
            Verdict::Fail | Verdict::Inconclusive => Self::Failure,
            Verdict::Interrupted => Self::Cancelled,
        }
    }
}

/// The body of the request that creates a check run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Create {
    /// The name by which a branch's protection knows it.
    pub name: String,
    /// The commit.
    pub head_sha: String,
    /// `completed`.
    pub status: &'static str,
    /// What it says.
    pub conclusion: Conclusion,
    /// Where the run is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details_url: Option<String>,
    /// By which it is found again if the answer to the request is lost.
    pub external_id: String,
    /// What it shows.
    pub output: Output,
}

/// The body of a request that adds marks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Update {
    /// What it shows.
    pub output: Output,
}

/// What a check run shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// The verdict in a line.
    pub title: String,
    /// What is marked and what is not.
    pub summary: String,
    /// The report. An update leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Marks.
    pub annotations: Vec<Annotation>,
}

/// The requests for a check run: one, and others with the marks for which it has no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// The first.
    pub create: Create,
    /// The others, in order. None of them may be sent twice.
    pub updates: Vec<Update>,
}

/// The name of the check run: `mgmt`, or `mgmt (KEY)` where somebody chose a key.
#[must_use]
pub fn name(context: &Context) -> String {
    if context.key.is_given() { format!("mgmt ({})", context.key.as_str()) } else { "mgmt".to_owned() }
}

/// The requests for a check run on this commit.
#[must_use]
pub fn requests(record: &Record, context: &Context, head_sha: &str) -> Requests {
    let around = context.around(record);
    let marks = annotation::marks(record, annotation::LIMIT);
    let title = format!("{}: {}", record.verdict.word(), text::one_line(&advice::summary(record)));
    let title = text::shorten(&title, TITLE);
    let summary = summary(&marks);
    let output = |text: Option<String>, annotations: &[Annotation]| Output {
        title: title.clone(),
        summary: summary.clone(),
        text,
        annotations: annotations.to_vec(),
    };
    let mut batches = marks.annotations.chunks(BATCH);
    let first = batches.next().unwrap_or_default();
    let id = text::shorten_plain(&text::one_line(&record.id), 100);
    Requests {
        create: Create {
            name: name(context),
            head_sha: head_sha.to_owned(),
            status: "completed",
            conclusion: record.verdict.into(),
            details_url: around.links.last().map(|run| run.address().to_owned()),
            external_id: format!("{id}/{}/{}", context.key.as_str(), context.attempt),
            output: output(Some(report::fitted(record, &around, LIMIT)), first),
        },
        updates: batches.map(|batch| Update { output: output(None, batch) }).collect(),
    }
}

/// What is marked, and what is not and why.
fn summary(marks: &Marks) -> String {
    let told = |counts: &Counts| {
        let parts: Vec<_> = counts.iter().map(|(topic, count)| topic.counted(*count)).collect();
        text::list(&parts)
    };
    let mut parts = Vec::new();
    if !marks.shown.is_empty() {
        parts.push(format!("Marked in the files: {}.", told(&marks.shown)));
    }
    if !marks.left.is_empty() {
        parts.push(format!("Not marked for want of room: {}.", told(&marks.left)));
    }
    if !marks.unplaced.is_empty() {
        let why = "their reports name no line in this repository";
        parts.push(format!("Not marked, because {why}: {}.", told(&marks.unplaced)));
    }
    if parts.is_empty() {
        parts.push("Nothing to mark in the files.".to_owned());
    }
    parts.join("\n")
}

#[cfg(test)]
mod unit_tests {
    use super::super::Key;
    use super::*;

    fn small() -> Record {
        serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap()
    }

    #[test]
    fn only_a_pass_lets_a_protected_branch_be_changed() {
        for verdict in Verdict::ALL {
            let word = serde_json::to_value(Conclusion::from(*verdict)).unwrap();
            let passes = ["success", "skipped", "neutral"].contains(&word.as_str().unwrap());
            assert_eq!(passes, verdict.exit_code() == 0, "{verdict:?}");
        }
    }

    #[test]
    fn the_first_request_says_all_but_the_marks_past_fifty() {
        let mut context = Context::new(Key::of_job("ci", "gate"));
        assert_eq!(name(&context), "mgmt");
        context.key = Key::given("nightly");
        context.run = Some("https://github.com/o/r/actions/runs/7".into());
        let mut record = small();
        let failed = record.tests[0].clone();
        record.tests = (0..60)
            .map(|test| {
                let mut failed = failed.clone();
                failed.identity.name = format!("t{test:06}").into();
                failed
            })
            .collect();
        let mut requests = requests(&record, &context, &"a".repeat(40));
        assert_eq!((requests.create.output.annotations.len(), requests.updates.len()), (50, 1));
        assert!(requests.updates[0].output.annotations.len() > 10 && requests.updates[0].output.text.is_none());
        requests.create.output.annotations.truncate(2);
        requests.create.output.text = None;
        insta::assert_snapshot!(serde_json::to_string_pretty(&requests.create).unwrap(), @r#"
        {
          "name": "mgmt (nightly)",
          "head_sha": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "status": "completed",
          "conclusion": "failure",
          "details_url": "https://github.com/o/r/actions/runs/7",
          "external_id": "20260312T091530250Z-full-check-fail/nightly/1",
          "output": {
            "title": "fail: 2 of 4 checks failed, 2 of 5 rules failed (1 not applicable), 1 rule could not be judged, 1 loss of evidence, 2 warnings",
            "summary": "Marked in the files: 1 range of changed lines not run, 2 ranges of lines no longer run, 60 failed tests and 1 problem.",
            "annotations": [
              {
                "path": "src/wallet/limits.py",
                "start_line": 10,
                "end_line": 11,
                "annotation_level": "warning",
                "message": "Lines 10 to 11 are changed, and no test runs them.",
                "title": "Not run by any test"
              },
              {
                "path": "src/app/main é.py",
                "start_line": 3,
                "end_line": 3,
                "annotation_level": "warning",
                "message": "Line 3 ran in the baseline, and no test runs it now.",
                "title": "No longer run by any test"
              }
            ]
          }
        }
        "#);
    }
}
