//! `--publish`: one issue and one notice for a stretch of trouble, the reports, and what a job shows of them; and with
//! `--remediate` one action about it.
//!
//! What the next audit has to know stands in the issue; outside a job, and where no issue could be written, it is kept
//! in history. Of both the later one counts. Whatever cannot be written is told, keeps nothing else from being written,
//! and changes no verdict.

mod desk;
mod hand;
mod incident;
mod memory;
mod tell;

use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::app::check::Failure;
use crate::app::job::Job;
use crate::app::{Context, step as job_step};
use crate::config::Config;
use crate::github::Client;
use crate::publish::outputs::{self, Places};
use crate::publish::{self, summary};
use crate::report::files;
use crate::retrain::audit::Sources;
use crate::retrain::{Audit, Facts};
use crate::sys::{clock, env};

/// The command in the name of a report.
const NAME: &str = "audit-retrain";

/// What became of publishing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// What was done, a line each.
    pub done: Vec<String>,
    /// What could not be done.
    pub failures: Vec<Failure>,
}

/// What is published, and with what.
pub(super) struct Subject<'a> {
    pub(super) context: &'a Context,
    pub(super) config: &'a Config,
    pub(super) client: &'a Client,
    /// What the audit was judged by.
    pub(super) facts: &'a Facts,
    pub(super) sources: &'a Sources,
    /// Who writes, where somebody says.
    pub(super) author: Option<&'a str>,
    /// The repository that was named.
    pub(super) repo: Option<&'a str>,
    /// Whether something is done about what was found.
    pub(super) acts: bool,
    /// Whether the job's summary is left alone.
    pub(super) without_summary: bool,
    pub(super) tell: Rc<dyn Fn(&str)>,
}

/// Publishes, and acts if that is asked for. What was done becomes part of the audit.
pub(super) fn publish(subject: &Subject<'_>, audit: &mut Audit) -> Published {
    let mut published = Published::default();
    let job = Job::of(subject.context);
    incident::bring(subject, audit, job.as_ref(), &mut published);
    let written = reports(subject, audit, &mut published);
    shown(subject, audit, &written, &mut published);
    published
}

/// Finds out what would be done. Nothing is written, told or done.
pub(super) fn preview(subject: &Subject<'_>, audit: &mut Audit) -> Published {
    let mut published = Published::default();
    incident::preview(subject, audit, &mut published);
    published
}

/// Writes the report files.
fn reports(subject: &Subject<'_>, audit: &Audit, published: &mut Published) -> Vec<Utf8PathBuf> {
    let id = format!("{}-{NAME}-{}", clock::stamp(audit.as_of), audit.verdict.word());
    let folder = subject.context.report_dir(subject.config);
    let (written, failed) = files::write_audit(&folder, &id, audit);
    published.failures.extend(failed.into_iter().map(Failure::from));
    if !written.is_empty() {
        published.done.push(format!("report: {id}"));
    }
    written
}

/// Shows the audit in the job.
fn shown(subject: &Subject<'_>, audit: &Audit, written: &[Utf8PathBuf], published: &mut Published) {
    let env = &subject.context.env;
    let mut note = |what: &str, result: Result<(), publish::Error>| match result {
        Ok(()) => published.done.push(format!("{what}: written")),
        Err(error) => published.failures.push(job_step::unwritten(&error)),
    };
    if let Some(path) = env.get(env::GITHUB_STEP_SUMMARY).filter(|_| !subject.without_summary) {
        note("job summary", summary::write_audit(Utf8Path::new(path), audit));
    }
    if let Some(path) = env.get(env::GITHUB_OUTPUT) {
        let report = |ending: &str| written.iter().find(|path| path.extension() == Some(ending));
        let places = Places {
            report_json: report("json").map(Utf8PathBuf::as_path),
            report_markdown: report("md").map(Utf8PathBuf::as_path),
            comment_url: None,
        };
        note("outputs", outputs::write_audit(Utf8Path::new(path), audit, &places));
    }
}

fn failure(message: impl Into<String>, hint: Option<String>) -> Failure {
    Failure { message: message.into(), hint }
}
