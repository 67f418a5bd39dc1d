//! The summary of a job: the report, added to the file at `GITHUB_STEP_SUMMARY`.

use camino::Utf8Path;

use super::append::append;
use super::{Context, Error};
use crate::record::Record;
use crate::report;
use crate::retrain::Audit;

/// Bytes that a step's summary may have. The runner looks at the file's size when the step ends, and uploads nothing
/// of a larger one (`CreateStepSummaryCommand` in actions/runner); what other commands wrote counts too.
pub const LIMIT: u64 = 1 << 20;

/// Bytes without which there is no use in beginning: the verdict always has room in them.
const LEAST: u64 = 16 << 10;

/// The report, at most `budget` bytes.
#[must_use]
pub fn text(record: &Record, context: &Context, budget: usize) -> String {
    report::fitted(record, &context.around(record), budget)
}

/// Adds the report to a summary.
///
/// # Errors
/// The system's error; or what is in the file leaves no room.
pub fn write(path: &Utf8Path, record: &Record, context: &Context) -> Result<(), Error> {
    add(path, |budget| text(record, context, budget))
}

/// Adds an audit to a summary.
///
/// # Errors
/// As [`write`].
pub fn write_audit(path: &Utf8Path, audit: &Audit) -> Result<(), Error> {
    add(path, |budget| super::issue::fitted(audit, budget))
}

/// Adds what `make` returns for the room there is.
fn add(path: &Utf8Path, make: impl FnOnce(usize) -> String) -> Result<(), Error> {
    append(path, |held| {
        // A blank line ends whatever paragraph or table stands there.
        let gap = if held > 0 { "\n" } else { "" };
        let room = LIMIT.saturating_sub(held + gap.len() as u64);
        if room < LEAST {
            return Err(Error::Full { path: path.to_owned(), held });
        }
        let budget = usize::try_from(room).unwrap_or(usize::MAX);
        Ok(format!("{gap}{}", make(budget)))
    })
}

#[cfg(test)]
mod unit_tests {
    use super::super::Key;
    use super::*;

    #[test]
    fn what_others_wrote_stays_and_counts() {
        let record: Record = serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap();
        let context = Context::new(Key::given("k"));
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("summary");
        write(&path, &record, &context).unwrap();
        let alone = std::fs::read_to_string(&path).unwrap();
        assert!(alone.starts_with("## ❌ fail"));
        for held in [1, 1 << 10, LIMIT - LEAST - 2] {
            let before = "x".repeat(usize::try_from(held).unwrap());
            std::fs::write(&path, &before).unwrap();
            write(&path, &record, &context).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&format!("{before}\n\n## ❌ fail")), "{held}");
            assert!(text.len() as u64 <= LIMIT);
        }
        let full = "x".repeat(usize::try_from(LIMIT - LEAST).unwrap());
        std::fs::write(&path, &full).unwrap();
        let error = write(&path, &record, &context).unwrap_err();
        assert!(error.to_string().contains("holds 1008.0 KiB already, and GitHub takes 1.0 MiB"), "{error}");
        assert!(error.hint().contains("a step of its own"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), full);
        let error = write(&path.join("no/such"), &record, &context).unwrap_err();
        assert!(error.to_string().starts_with("cannot add to ") && !error.hint().is_empty(), "{error}");
    }
}
