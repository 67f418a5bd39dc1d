//! The one issue of a schedule: found by its author and its first line, and brought to where the incident is.

use super::{Kept, Published, Subject, failure};
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
    title: String,
    url: Option<String>,
    /// Other open ones of ours.
    extras: Vec<Issue>,
}

/// Who writes issues, and where.
pub(super) struct Desk<'a> {
    client: &'a Client,
    audit: &'a Audit,
    home: Slug,
    key: &'a Key,
    marker: String,
    author: String,
}

impl<'a> Desk<'a> {
    pub(super) fn open(subject: &Subject<'a>, home: Slug, key: &'a Key) -> Result<Self, Failure> {
        let token = remote::token(subject.context)
            .map_err(|error| failure(format!("no issue is kept: {error}"), None))?
            .ok_or_else(|| {
                let hint = "set GITHUB_TOKEN to one with the permission `issues: write`".to_owned();
                failure("no issue is kept: there is no token", Some(hint))
            })?;
        let author = remote::author(subject.client, remote::is_installation(&token), subject.author)
            .map_err(|error| failed("no issue is kept", &error))?;
        let marker = issue::marker(key);
        Ok(Self { client: subject.client, audit: subject.audit, home, key, marker, author })
    }

    /// Looks for the issue.
    pub(super) fn look(&self) -> Result<Found, Failure> {
        let (mut open, is_whole) = self.ours("open")?;
        if open.is_empty() {
            if !is_whole {
                let message = format!("no issue is kept: there are too many open ones by {} to find it", self.author);
                return Err(failure(message, Some("close some of them".to_owned())));
            }
            return Ok(self.ours("closed")?.0.pop().map(|closed| self.found(closed)).unwrap_or_default());
        }
        let oldest = open.remove(0);
        Ok(Found { extras: open, ..self.found(oldest) })
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

    fn found(&self, one: Issue) -> Found {
        let read = issue::read::<Kept>(one.body.as_deref().unwrap_or_default());
        let is_open = one.is_open();
        let (kept, is_whole) = match read {
            Some((kept, is_whole)) => (Some(kept), is_whole),
            // Somebody removed what it knew: it still stands for trouble that goes on.
            None if is_open => {
                let at = one.created_at.unwrap_or(self.audit.as_of).min(self.audit.as_of);
                let incident = Incident::begin(&self.audit.workflow, at);
                (Some(Kept { incident, content: String::new(), deliveries: Default::default() }), false)
            }
            None => (None, false),
        };
        let (number, url) = (Some(one.number), one.html_url);
        Found { number, kept, is_open, is_whole, title: one.title, url, extras: Vec::new() }
    }

    /// Brings the issue to where the incident is. Returns its address, if it is there.
    pub(super) fn bring(&self, found: &mut Found, told: Option<&Kept>, published: &mut Published) -> Option<String> {
        let kept = told?;
        let is_other = found.kept.as_ref().is_none_or(|old| old.incident.id != kept.incident.id);
        let result = match (kept.incident.is_open(), found.number) {
            (true, Some(number)) if found.is_open || !is_other => self.keep_open(found, number, kept),
            (true, _) => self.create(found, kept, published),
            (false, Some(number)) if found.is_open => self.close(found, number, kept),
            (false, Some(number)) if !is_other && found.kept.as_ref() != Some(kept) => {
                self.write(found, number, kept, None).map(|()| format!("issue #{number}: over, and closed by somebody"))
            }
            (false, _) => return None,
        };
        match result {
            Ok(done) => published.done.push(done),
            Err(error) => published.failures.push(failed("the issue was not written", &error)),
        }
        if let Some(number) = found.number {
            self.merge(number, &found.extras, published);
        }
        found.url.clone()
    }

    fn keep_open(&self, found: &mut Found, number: u64, kept: &Kept) -> Result<String, Error> {
        let is_same = found.kept.as_ref() == Some(kept) && found.is_whole && found.title == issue::title(self.audit);
        if !found.is_open {
            self.write(found, number, kept, Some(("open", "reopened")))?;
            return Ok(format!("issue #{number}: opened again, since the trouble goes on"));
        }
        if is_same {
            return Ok(format!("issue #{number}: says the same already"));
        }
        self.write(found, number, kept, None).map(|()| format!("issue #{number}: rewritten"))
    }

    fn create(&self, found: &mut Found, kept: &Kept, published: &mut Published) -> Result<String, Error> {
        let (name, colour, doc) = issue::LABEL;
        let mut labels = Vec::new();
        match self.client.ensure_label(&self.home, name, colour, doc) {
            Ok(LabelState::There | LabelState::Made) => labels.push(name.to_owned()),
            // The issue matters more than its label.
            Ok(LabelState::Refused(error)) | Err(error) => {
                published.failures.push(failed("the issue has no label", &error));
            }
        }
        let title = issue::title(self.audit);
        let body = issue::body(self.key, self.audit, &kept.incident, kept);
        let made = self.client.open_issue(&self.home, &NewIssue { title: title.clone(), body, labels });
        // The one that was found stands for an earlier incident.
        *found = Found::default();
        let made = made?;
        *found = Found {
            number: Some(made.number),
            kept: Some(kept.clone()),
            is_open: true,
            is_whole: true,
            title,
            url: made.html_url,
            extras: Vec::new(),
        };
        Ok(format!("issue #{}: opened", made.number))
    }

    fn close(&self, found: &mut Found, number: u64, kept: &Kept) -> Result<String, Error> {
        self.write(found, number, kept, Some(("closed", "completed")))?;
        let over = crate::sys::clock::minute(self.audit.as_of);
        let note = format!("The schedule does its work again, as of {over}. `{}` is over.", kept.incident.id);
        self.client.comment_on_issue(&self.home, number, &note)?;
        Ok(format!("issue #{number}: closed"))
    }

    /// Writes all of it.
    fn write(
        &self,
        found: &mut Found,
        number: u64,
        kept: &Kept,
        state: Option<(&'static str, &'static str)>,
    ) -> Result<(), Error> {
        let title = (kept.incident.is_open()).then(|| issue::title(self.audit)).filter(|title| *title != found.title);
        let body = issue::body(self.key, self.audit, &kept.incident, kept);
        let change = IssueChange { title, body: Some(body), state };
        let changed = self.client.change_issue(&self.home, number, &change)?;
        (found.kept, found.is_open, found.is_whole) = (Some(kept.clone()), kept.incident.is_open(), true);
        found.url = changed.html_url.or(found.url.take());
        Ok(())
    }

    /// Writes who was told into the issue.
    pub(super) fn note(&self, found: &mut Found, kept: &Kept, published: &mut Published) {
        let Some(number) = found.number.filter(|_| found.is_open) else { return };
        if let Err(error) = self.write(found, number, kept, None) {
            published.failures.push(failed("who was told was not written into the issue", &error));
        }
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
