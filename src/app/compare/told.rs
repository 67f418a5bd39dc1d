//! A change that git does not have: what GitHub told of it, in this job or just now.

use jiff::Timestamp;

use super::{Comparison, Since, short};
use crate::app::told::{Change, Diff as Text};
use crate::evidence::Problem;
use crate::record::{BASELINE, Record};
use crate::repo::{Diff, ancestry};

/// Where a change starts, where GitHub told it.
pub(super) const START: &str = "the base branch";

impl Comparison {
    /// For a change that is not checked out: what GitHub told of it, and the record before it with its distance, or why
    /// nobody knows that.
    #[must_use]
    pub fn told(change: &Change, record: Result<Option<(Record, usize)>, String>, now: Timestamp) -> Self {
        let mut out = Self::default();
        match record {
            Ok(Some((record, distance))) => {
                out.take(record, "artifact".to_owned(), Some((distance as u64, START.to_owned())), now);
            }
            Ok(None) => out.has_none("no push to the base branch left a record within reach", None),
            Err(why) => out.has_none(&format!("the base branch's record cannot be had: {why}"), None),
        }
        out.take_change(change);
        if let Some(record) = &out.record {
            match out.since_told(record, change) {
                Ok(since) => out.since_base = since,
                Err(problem) if record.lines.is_empty() => drop(problem),
                Err(problem) => out.problems.push(problem),
            }
        }
        out.follow();
        out
    }

    /// Takes over a change that GitHub told.
    pub(super) fn take_change(&mut self, told: &Change) {
        let from = told.before.first().map_or("", String::as_str);
        match told.diff.as_ref().map(parsed) {
            Some(Ok(diff)) => {
                self.between = format!("{START}, {}", short(from));
                self.diff = Some(diff);
            }
            Some(Err(why)) => {
                let problem = Problem::new(&BASELINE, format!("what changed is not known: {why}"));
                self.problems.push(Problem { hint: Some(ancestry::DEEPEN.to_owned()), ..problem });
            }
            None => {}
        }
    }

    /// The change since the commit of the baseline, or why nobody knows it.
    pub(super) fn since_told(&self, record: &Record, told: &Change) -> Result<Since, Problem> {
        let commit = record.project.commit.as_ref();
        if self.diff.is_some() && commit.is_some() && commit == told.before.first() {
            return Ok(Since::Change);
        }
        let why = match told.since.as_ref().filter(|(since, _)| Some(since) == commit).map(|(_, diff)| parsed(diff)) {
            Some(Ok(diff)) => return Ok(Since::Other(diff)),
            Some(Err(why)) => why,
            None => "this shallow clone does not reach back to it".to_owned(),
        };
        let message = format!("which of the present lines ran in the baseline is not known: {why}");
        Err(Problem { hint: Some(ancestry::DEEPEN.to_owned()), ..Problem::new(&BASELINE, message) })
    }
}

/// A change that GitHub told, or why nobody knows it.
fn parsed(diff: &Text) -> Result<Diff, String> {
    match diff {
        Text::Text(text) => Diff::parse(text.as_bytes()).map_err(|error| error.to_string()),
        Text::Unknown(why) => Err(why.clone()),
    }
}
