//! What a step of a workflow shows by itself: its part of the job summary, and its outputs. Both are files that the
//! runner names.

use camino::{Utf8Path, Utf8PathBuf};

use super::Context;
use super::check::Failure;
use crate::publish::outputs::{self, Places};
use crate::publish::{self, summary};
use crate::record::Record;
use crate::sys::{env, text};

/// Adds the report to the job summary; `None` where there is none to add to.
#[must_use]
pub fn summary(context: &Context, record: &Record, shown: &publish::Context) -> Option<Result<(), Failure>> {
    let path = context.env.get(env::GITHUB_STEP_SUMMARY)?;
    Some(summary::write(Utf8Path::new(path), record, shown).map_err(|error| unwritten(&error)))
}

/// Writes the step's outputs; `written` are the report's files. `None` where there are no outputs to write.
#[must_use]
pub fn outputs(
    context: &Context,
    record: &Record,
    written: &[Utf8PathBuf],
    comment_url: Option<&str>,
) -> Option<Result<(), Failure>> {
    let path = context.env.get(env::GITHUB_OUTPUT)?;
    let report = |ending: &str| written.iter().find(|path| path.extension() == Some(ending)).map(Utf8PathBuf::as_path);
    let places = Places { report_json: report("json"), report_markdown: report("md"), comment_url };
    Some(outputs::write(Utf8Path::new(path), record, &places).map_err(|error| unwritten(&error)))
}

/// A file that could not be written.
pub(super) fn unwritten(error: &publish::Error) -> Failure {
    Failure { message: text::one_line(&error.to_string()), hint: Some(error.hint().to_owned()) }
}
