//! `--publish`: one issue and one notice for a stretch of trouble, the reports, and what a job shows of them.
//!
//! What the next audit has to know stands in the issue; outside a job, and where no issue could be written, it is kept
//! in history. Of both the later one counts. Whatever cannot be written is told, keeps nothing else from being written,
//! and changes no verdict.

mod desk;
mod tell;

use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::app::check::Failure;
use crate::app::history::Place;
use crate::app::job::Job;
use crate::app::{Context, remote, step as job_step};
use crate::config::Config;
use crate::github::Client;
use crate::notify::Deliveries;
use crate::publish::outputs::{self, Places};
use crate::publish::{self, Key, issue, summary};
use crate::report::files;
use crate::retrain::incident::{Step, step};
use crate::retrain::{Audit, Incident};
use crate::sys::{clock, env};
use desk::{Desk, Found};

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

/// What the next audit has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The stretch of trouble.
    #[serde(flatten)]
    incident: Incident,
    /// The hash of what was told last.
    content: String,
    /// Who was told.
    #[serde(default)]
    deliveries: Deliveries,
}

/// What is published, and with what.
pub(super) struct Subject<'a> {
    pub(super) context: &'a Context,
    pub(super) config: &'a Config,
    pub(super) client: &'a Client,
    pub(super) audit: &'a Audit,
    /// Who writes, where somebody says.
    pub(super) author: Option<&'a str>,
    /// The repository that was named.
    pub(super) repo: Option<&'a str>,
    pub(super) tell: Rc<dyn Fn(&str)>,
}

/// Publishes.
pub(super) fn publish(subject: &Subject<'_>) -> Published {
    let mut published = Published::default();
    let job = Job::of(subject.context);
    incident(subject, job.as_ref(), &mut published);
    let written = reports(subject, &mut published);
    shown(subject, &written, &mut published);
    published
}

/// Brings the issue and the notices to where the audit is.
fn incident(subject: &Subject<'_>, job: Option<&Job>, published: &mut Published) {
    let audit = subject.audit;
    let audited = &audit.repository;
    // The issue stands where the token of a job can write, which need not be where the training is.
    let home = remote::slug(subject.context, subject.repo).ok().or_else(|| audited.parse().ok());
    let key = match &home {
        Some(home) if !home.to_string().eq_ignore_ascii_case(audited) => {
            Key::given(&format!("{audited}/{}", audit.workflow))
        }
        _ => Key::given(&audit.workflow),
    };
    let memory = Memory {
        place: Place::of(subject.context, subject.config),
        key: format!("retrain:{}/{}", audited.to_ascii_lowercase(), audit.workflow),
    };
    let mut desk = None;
    let mut found = Found::default();
    let looked = home.ok_or_else(|| failure("no issue is kept: its repository is not known", None)).and_then(|home| {
        let opened = Desk::open(subject, home, &key)?;
        found = opened.look()?;
        desk = Some(opened);
        Ok(())
    });
    published.failures.extend(looked.err());
    let local = memory.recall(published);
    let known = match (&found.kept, &local) {
        (Some(issue), Some(local)) if local.incident.told_at > issue.incident.told_at => Some(local),
        (Some(issue), _) => Some(issue),
        (None, local) => local.as_ref(),
    };
    let next = step(known.map(|kept| &kept.incident), audit.verdict, &audit.workflow, audit.as_of);
    let content = issue::content(audit);
    let is_new = known.is_none_or(|kept| kept.content != content);
    let mut told = match &next {
        Step::Stale => {
            published.done.push("nothing: an audit of a later moment was published already".to_owned());
            return;
        }
        Step::Rest => known.cloned(),
        Step::Open(incident) => Some(Kept { incident: incident.clone(), content, deliveries: Deliveries::default() }),
        Step::Stay(_) if !is_new => known.cloned(),
        Step::Stay(incident) | Step::Recover(incident) => {
            let deliveries = known.map(|kept| kept.deliveries.clone()).unwrap_or_default();
            Some(Kept { incident: incident.clone(), content, deliveries })
        }
    };
    let mut url = None;
    if let Some(desk) = &mut desk {
        url = desk.bring(&mut found, told.as_ref(), published);
    }
    if let Some(kept) = &mut told {
        let link = url.or_else(|| job.and_then(Job::run_url));
        let deliveries = tell::tell(subject, &next, kept, is_new, link, published);
        if deliveries != kept.deliveries {
            kept.deliveries = deliveries;
            if let Some(desk) = &mut desk
                && kept.incident.is_open()
            {
                desk.note(&mut found, kept, published);
            }
        }
        let is_in_issue = found.number.is_some() && found.kept.as_ref() == Some(kept);
        if (job.is_none() || !is_in_issue) && local.as_ref() != Some(kept) {
            memory.keep(kept, published);
        }
    }
}

/// History, as far as it knows of the schedule.
struct Memory {
    place: Place,
    key: String,
}

impl Memory {
    fn recall(&self, published: &mut Published) -> Option<Kept> {
        match self.place.ask(|store| store.kept(&self.key)) {
            // What cannot be read is of no use: it is written anew.
            Ok(found) => found.and_then(|text| serde_json::from_str(&text).ok()),
            Err(error) => {
                published.failures.push(error.into());
                None
            }
        }
    }

    fn keep(&self, kept: &Kept, published: &mut Published) {
        let text = serde_json::to_string(kept).unwrap_or_default();
        if let Err(error) = self.place.ask(|store| store.keep(&self.key, &text)) {
            published.failures.push(error.into());
        }
    }
}

/// Writes the report files.
fn reports(subject: &Subject<'_>, published: &mut Published) -> Vec<Utf8PathBuf> {
    let audit = subject.audit;
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
fn shown(subject: &Subject<'_>, written: &[Utf8PathBuf], published: &mut Published) {
    let env = &subject.context.env;
    let mut note = |what: &str, result: Result<(), publish::Error>| match result {
        Ok(()) => published.done.push(format!("{what}: written")),
        Err(error) => published.failures.push(job_step::unwritten(&error)),
    };
    if let Some(path) = env.get(env::GITHUB_STEP_SUMMARY) {
        note("job summary", summary::write_audit(Utf8Path::new(path), subject.audit));
    }
    if let Some(path) = env.get(env::GITHUB_OUTPUT) {
        let report = |ending: &str| written.iter().find(|path| path.extension() == Some(ending));
        let places = Places {
            report_json: report("json").map(Utf8PathBuf::as_path),
            report_markdown: report("md").map(Utf8PathBuf::as_path),
            comment_url: None,
        };
        note("outputs", outputs::write_audit(Utf8Path::new(path), subject.audit, &places));
    }
}

fn failure(message: impl Into<String>, hint: Option<String>) -> Failure {
    Failure { message: message.into(), hint }
}
