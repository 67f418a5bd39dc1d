//! The workflow files that a policy names, held against those in the checkout.
//!
//! A policy is valid without them: it may be older than they are, or be read where they are not. So what is wrong here
//! is said, and decides nothing. Deliberately absent: workflows of other repositories, which `audit retrain` looks at.

use std::collections::BTreeSet;

use super::audit::sources;
use super::check::Failure;
use crate::config::Config;
use crate::retrain::audit::Sources;
use crate::retrain::wiring::{self, Finding};
use crate::retrain::workflow::FOLDER;
use crate::sys::text;

/// What is wrong with the workflow files that the policy names.
#[must_use]
pub fn look(config: &Config) -> Vec<Failure> {
    let audited = config.retrain.as_ref().filter(|settings| settings.repository.is_none());
    if config.stages.is_empty() && audited.is_none() {
        return Vec::new();
    }
    let sources = sources::here(&config.root, audited.map_or("", |settings| &settings.workflow));
    let waiting = |stage: &str| format!("stage `{stage}` waits for");
    let waits = config.stages.iter().flat_map(|stage| stage.workflows.iter().map(|file| (waiting(&stage.name), file)));
    let audits = audited.map(|settings| ("`retrain:` audits".to_owned(), &settings.workflow));
    let mut out = Vec::new();
    let mut named = BTreeSet::new();
    for (who, file) in waits.chain(audits) {
        out.extend(absent(&sources, &who, file));
        named.insert(format!("{FOLDER}/{file}"));
    }
    let unreadable = sources.unreadable.iter().filter(|(path, ..)| named.contains(path));
    out.extend(unreadable.map(|(path, why, line)| failure(Some(path), *line, why, Some(wiring::UNREADABLE.hint))));
    if let (Some(settings), Some(file)) = (audited, &sources.audited) {
        let dispatches = settings.remediate.as_ref().is_some_and(|may| may.dispatch_missed.is_some());
        let undispatched = dispatches.then(|| wiring::undispatched(Some(file), &settings.workflow)).flatten();
        let told = |found: Finding| {
            failure(found.file.as_deref(), found.line.unwrap_or_default(), &found.message, found.hint.as_deref())
        };
        out.extend(wiring::schedules(file).1.into_iter().chain(undispatched).map(told));
    }
    out
}

/// A file that is named and not there; `who` names it.
fn absent(sources: &Sources, who: &str, name: &str) -> Option<Failure> {
    let files = sources.files.iter().map(|file| &file.path);
    let names =
        files.chain(sources.unreadable.iter().map(|(path, ..)| path)).filter_map(|path| path.rsplit('/').next());
    let names: Vec<_> = names.collect();
    if names.contains(&name) {
        return None;
    }
    let hint = match text::closest(name, names) {
        Some(near) => format!("did you mean `{}`?", text::one_line(near)),
        None => "correct the name, or add the file".to_owned(),
    };
    Some(Failure { message: format!("{who} {}, which is not in {FOLDER}", text::one_line(name)), hint: Some(hint) })
}

fn failure(path: Option<&str>, line: u64, message: &str, hint: Option<&str>) -> Failure {
    let place = match path {
        Some(path) if line > 0 => format!("{}:{line}: ", text::one_line(path)),
        Some(path) => format!("{}: ", text::one_line(path)),
        None => String::new(),
    };
    Failure { message: format!("{place}{message}"), hint: hint.map(str::to_owned) }
}
