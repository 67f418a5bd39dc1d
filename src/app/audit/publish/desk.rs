//! The one issue of a schedule: found by its author and its first line, and brought to where the incident is.

use super::memory::Kept;
use super::{Published, Subject, failure};
use crate::app::check::Failure;
use crate::app::remote;
use crate::github::{Client, Error, Issue, IssueChange, IssueFilter, LabelState, NewIssue, Slug};
use crate::publish::{Key, issue};
use crate::retrain::{Audit, Incident};

/// What is there.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The issue: the oldest open one of ours, else the newest that was closed.
    pub(super) number: Option<u64>,
    /// What it keeps.
    pub(super) kept: Option<Kept>,
    is_open: bool,
    /// Whether a reader sees what was written.
    is_whole: bool,
    /// Whether what it kept cannot be read any more.
    pub(super) is_lost: bool,
    /// Whether it could not be written this time.
    is_refused: bool,
    title: String,
    url: Option<String>,
    /// Other open ones of ours.
    extras: Vec<Issue>,
}

/// Who writes issues, and where.
pub(super) struct Desk<'a> {
    client: &'a Client,
    home: Slug,
    key: Key,
    marker: String,
    author: String,
}

impl<'a> Desk<'a> {
    pub(super) fn open(subject: &Subject<'a>, home: Slug, key: Key) -> Result<Self, Failure> {
        let token = remote::token(subject.context)
            .map_err(|error| failure(format!("no issue is kept: {error}"), None))?
            .ok_or_else(|| {
                let hint = "set GITHUB_TOKEN to one with the permission `issues: write`".to_owned();
                failure("no issue is kept: there is no token", Some(hint))
            })?;
        let author = remote::author(subject.client, remote::is_installation(&token), subject.author)
            .map_err(|stop| failure(format!("no issue is kept: {stop}"), stop.hint))?;
        let marker = issue::marker(&key);
        Ok(Self { client: subject.client, home, key, marker, author })
    }

    /// Looks for the issue.
    pub(super) fn look(&self, audit: &Audit) -> Result<Found, Failure> {
        let (mut open, is_whole) = self.ours("open")?;
        if open.is_empty() {
            if !is_whole {
                let message = format!("no issue is kept: there are too many open ones by {} to find it", self.author);
                return Err(failure(message, Some("close some of them".to_owned())));
            }
            let (mut closed, is_whole) = self.ours("closed")?;
            let newest = closed.pop().map(|closed| found(audit, closed)).unwrap_or_default();
            return Ok(Found { is_lost: newest.is_lost || (newest.number.is_none() && !is_whole), ..newest });
        }
        let oldest = open.remove(0);
        Ok(Found { extras: open, ..found(audit, oldest) })
    }

    /// Ours, the oldest first, and whether these are all of them.
    fn ours(&self, state: &str) -> Result<(Vec<Issue>, bool), Failure> {
        let filter =
            IssueFilter { creator: Some(self.author.clone()), state: Some(state.to_owned()), ..IssueFilter::default() };
        let listed = self.client.issues_with(&self.home, &filter, &self.marker);
        let mut list = listed.map_err(|error| failed("no issue is kept", &error))?;
        let is_whole = !list.is_partial();
        list.items.retain(|one| {
            let author = one.user.as_ref().map_or("", |user| user.login.as_str());
            issue::is_ours(author, one.body.as_deref().unwrap_or_default(), &self.author, &self.marker)
        });
        list.items.dedup_by_key(|one| one.number);
        Ok((list.items, is_whole))
    }

    /// Brings the issue to where the incident is. Returns its address, if it is there.
    pub(super) fn bring(
        &self,
        audit: &Audit,
        found: &mut Found,
        told: Option<&Kept>,
        published: &mut Published,
    ) -> Option<String> {
        let kept = told?;
        let is_other = found.kept.as_ref().is_none_or(|old| old.incident.id != kept.incident.id);
        let result = match (kept.incident.is_open(), found.number) {
            (true, Some(number)) if found.is_open || !is_other => self.keep_open(audit, found, number, kept),
            (true, _) => self.create(audit, found, kept, published),
            (false, Some(number)) if found.is_open => self.close(audit, found, number, kept, published),
            (false, Some(number)) if !is_other && found.kept.as_ref() != Some(kept) => self
                .write(audit, found, number, kept, None)
                .map(|()| format!("issue #{number}: over, and closed by somebody")),
            (false, _) => return None,
        };
        match result {
            Ok(done) => published.done.push(done),
            Err(error) => {
                found.is_refused = true;
                published.failures.push(failed("the issue was not written", &error));
            }
        }
        if let Some(number) = found.number {
            self.merge(number, &found.extras, published);
        }
        found.url.clone()
    }

    fn keep_open(&self, audit: &Audit, found: &mut Found, number: u64, kept: &Kept) -> Result<String, Error> {
        let is_same = found.kept.as_ref() == Some(kept) && found.is_whole && found.title == issue::title(audit);
        if !found.is_open {
            self.write(audit, found, number, kept, Some(("open", "reopened")))?;
            return Ok(format!("issue #{number}: opened again, since the trouble goes on"));
        }
        if is_same {
            return Ok(format!("issue #{number}: says the same already"));
        }
        self.write(audit, found, number, kept, None).map(|()| format!("issue #{number}: rewritten"))
    }

    fn create(
        &self,
        audit: &Audit,
        found: &mut Found,
        kept: &Kept,
        published: &mut Published,
    ) -> Result<String, Error> {
        let (name, colour, doc) = issue::LABEL;
        let mut labels = Vec::new();
        match self.client.ensure_label(&self.home, name, colour, doc) {
            Ok(LabelState::There | LabelState::Made) => labels.push(name.to_owned()),
            // The issue matters more than its label.
            Ok(LabelState::Refused(error)) | Err(error) => {
                published.failures.push(failed("the issue has no label", &error));
            }
        }
        let title = issue::title(audit);
        let body = issue::body(&self.key, audit, &kept.incident, kept);
        let made = self.client.open_issue(&self.home, &NewIssue { title: title.clone(), body, labels });
        // The one that was found stands for an earlier incident.
        *found = Found::default();
        let made = made?;
        let writer = made.user.as_ref().map_or(self.author.as_str(), |user| user.login.as_str());
        if !writer.eq_ignore_ascii_case(&self.author) {
            let message = format!("the issue was written by {writer}: the next audit looks for one by {}", self.author);
            published.failures.push(failure(message, Some(format!("add --author {writer} to the arguments"))));
        }
        *found = Found {
            number: Some(made.number),
            kept: Some(kept.clone()),
            is_open: true,
            is_whole: true,
            title,
            url: made.html_url,
            ..Found::default()
        };
        Ok(format!("issue #{}: opened", made.number))
    }

    fn close(
        &self,
        audit: &Audit,
        found: &mut Found,
        number: u64,
        kept: &Kept,
        published: &mut Published,
    ) -> Result<String, Error> {
        self.write(audit, found, number, kept, Some(("closed", "completed")))?;
        let over = crate::sys::clock::minute(audit.as_of);
        let note = format!("The schedule does its work again, as of {over}. `{}` is over.", kept.incident.id);
        // Its text says the same.
        if let Err(error) = self.client.comment_on_issue(&self.home, number, &note) {
            published.failures.push(failed("the issue was closed without a note", &error));
        }
        Ok(format!("issue #{number}: closed"))
    }

    /// Writes all of it.
    fn write(
        &self,
        audit: &Audit,
        found: &mut Found,
        number: u64,
        kept: &Kept,
        state: Option<(&'static str, &'static str)>,
    ) -> Result<(), Error> {
        let title = (kept.incident.is_open()).then(|| issue::title(audit)).filter(|title| *title != found.title);
        let body = issue::body(&self.key, audit, &kept.incident, kept);
        let change = IssueChange { title, body: Some(body), state };
        let changed = self.client.change_issue(&self.home, number, &change)?;
        found.title = changed.title;
        (found.kept, found.is_open, found.is_whole) = (Some(kept.clone()), kept.incident.is_open(), true);
        found.url = changed.html_url.or(found.url.take());
        Ok(())
    }

    /// Writes what the next audit has to know into the issue, if it is there and does not know it. Of one that is over
    /// that is only who has not heard of it.
    pub(super) fn note(&self, audit: &Audit, found: &mut Found, kept: &Kept) -> Result<(), Failure> {
        let known = found.kept.as_ref().filter(|known| known.incident.id == kept.incident.id);
        let is_due = match (found.is_open, kept.incident.is_open()) {
            (true, true) => found.kept.as_ref() != Some(kept),
            (false, false) => known.is_some_and(|known| known.unheard != kept.unheard),
            _ => false,
        };
        let Some(number) = found.number.filter(|_| is_due && !found.is_refused) else { return Ok(()) };
        self.write(audit, found, number, kept, None).map_err(|error| {
            found.is_refused = true;
            failed("what the next audit has to know was not written into the issue", &error)
        })
    }

    /// Whether the issue still keeps what was found in it or written last; otherwise why it does not, in words.
    pub(super) fn stands(&self, found: &Found) -> Result<(), &'static str> {
        let Some(number) = found.number else { return Ok(()) };
        let now = self.client.issue(&self.home, number).map_err(|_| "the issue cannot be looked at")?;
        let kept = issue::read::<Kept>(now.body.as_deref().unwrap_or_default());
        let is_same = kept.is_some_and(|(kept, _)| Some(&kept) == found.kept.as_ref());
        if is_same { Ok(()) } else { Err("another audit is at work") }
    }

    /// Closes the others, with a pointer to the one that stays.
    fn merge(&self, stays: u64, extras: &[Issue], published: &mut Published) {
        for extra in extras {
            let body = issue::left(extra.body.as_deref().unwrap_or_default(), stays);
            let change = IssueChange { title: None, body: Some(body), state: Some(("closed", "not_planned")) };
            let note = format!("Continued in #{stays}: one issue stands for one schedule.");
            let closed = self
                .client
                .change_issue(&self.home, extra.number, &change)
                .and_then(|_| self.client.comment_on_issue(&self.home, extra.number, &note));
            match closed {
                Ok(_) => published.done.push(format!("issue #{}: closed, continued in #{stays}", extra.number)),
                Err(error) => published.failures.push(failed("another issue was not closed", &error)),
            }
        }
    }
}

fn found(audit: &Audit, one: Issue) -> Found {
    let read = issue::read::<Kept>(one.body.as_deref().unwrap_or_default());
    let is_open = one.is_open();
    let (kept, is_whole) = match read {
        Some((kept, is_whole)) => (Some(kept), is_whole),
        // Somebody removed what it knew: it still stands for trouble that goes on.
        None if is_open => {
            let at = one.created_at.unwrap_or(audit.as_of).min(audit.as_of);
            (Some(Kept::forgotten(Incident::begin(&audit.workflow, at), audit.as_of)), false)
        }
        None => (None, false),
    };
    let is_lost = kept.is_none();
    let (number, url) = (Some(one.number), one.html_url);
    Found { number, kept, is_open, is_whole, is_lost, title: one.title, url, ..Found::default() }
}

/// A refusal names the permission, also where GitHub does not.
fn failed(what: &str, error: &Error) -> Failure {
    let hint = match error.http_status() {
        Some(403) => error
            .hint()
            .filter(|hint| hint.contains("issues"))
            .or_else(|| Some("grant the job the permission `issues: write`".to_owned())),
        Some(410) => Some("turn issues on in the settings of the repository".to_owned()),
        _ => error.hint(),
    };
    failure(format!("{what}: {error}"), hint)
}
