//! Issues and their labels. Pull requests, which to GitHub are issues as well, are left out of lists.

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::client::{Client, read_json};
use super::comments::{Author, Comment};
use super::error::{Cause, Error};
use super::list::{List, Query};
use super::runs::{encode, or_default};
use super::words::Slug;

/// Pages of issues that are read.
const PAGES: usize = 10;

/// An issue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Issue {
    /// What people call it by.
    pub number: u64,
    /// Its title.
    #[serde(default, deserialize_with = "or_default")]
    pub title: String,
    /// Its Markdown.
    #[serde(default)]
    pub body: Option<String>,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: Option<String>,
    /// Why it has that state: `completed`, `not_planned`, `duplicate`, `reopened`.
    #[serde(default)]
    pub state_reason: Option<String>,
    /// Who opened it; `None` for an account that is gone.
    #[serde(default)]
    pub user: Option<Author>,
    /// Names of its labels.
    #[serde(default, deserialize_with = "names")]
    pub labels: Vec<String>,
    /// Set for a pull request.
    #[serde(default)]
    pull_request: Option<Value>,
    /// Where people look at it.
    #[serde(default)]
    pub html_url: Option<String>,
    /// When it was opened.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// When something about it changed last.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// When it was closed.
    #[serde(default)]
    pub closed_at: Option<Timestamp>,
}

impl Issue {
    /// Whether it is open; one whose state is not known is not.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.as_deref() == Some("open")
    }

    /// Whether this text stands in it.
    #[must_use]
    pub fn holds(&self, marker: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.contains(marker))
    }
}

/// Labels are written as objects or as mere names.
fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Label {
        Name(String),
        Object { name: Option<String> },
        Other(serde::de::IgnoredAny),
    }
    let labels: Vec<Label> = or_default(from)?;
    let name = |label| match label {
        Label::Name(name) => Some(name),
        Label::Object { name } => name,
        Label::Other(_) => None,
    };
    Ok(labels.into_iter().filter_map(name).collect())
}

/// Which issues are wanted. Nothing set is every open one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueFilter {
    /// Those with all of these labels.
    pub labels: Vec<String>,
    /// Those that this login opened.
    pub creator: Option<String>,
    /// `open`, `closed` or `all`.
    pub state: Option<String>,
}

impl IssueFilter {
    fn path(&self, repository: &Slug) -> String {
        let labels = Some(self.labels.join(",")).filter(|labels| !labels.is_empty());
        let pairs = [("labels", &labels), ("creator", &self.creator), ("state", &self.state)];
        let given = pairs.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let query: String = given.map(|(name, value)| format!("&{name}={}", encode(value))).collect();
        format!("{}/issues?sort=created&direction=desc{query}", repository.path())
    }
}

/// What an issue is opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewIssue {
    /// Its title.
    pub title: String,
    /// Its Markdown, at most 65,536 characters.
    pub body: String,
    /// Its labels; those that the token may not set are left out by GitHub.
    pub labels: Vec<String>,
}

/// What becomes different about an issue; nothing set stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueChange {
    /// A new title.
    pub title: Option<String>,
    /// A new text.
    pub body: Option<String>,
    /// `open` or `closed`, and why: `completed`, `not_planned`, `reopened`.
    pub state: Option<(&'static str, &'static str)>,
}

impl IssueChange {
    fn request(&self) -> Value {
        let mut body = json!({});
        if let Some(title) = &self.title {
            body["title"] = json!(title);
        }
        if let Some(text) = &self.body {
            body["body"] = json!(text);
        }
        if let Some((state, reason)) = self.state {
            (body["state"], body["state_reason"]) = (json!(state), json!(reason));
        }
        body
    }

    /// Whether an issue is as this would make it.
    fn is_done(&self, issue: &Issue) -> bool {
        self.title.as_deref().is_none_or(|title| issue.title == title)
            && self.body.as_deref().is_none_or(|body| is_same(issue.body.as_deref(), body))
            && self.state.is_none_or(|(state, _)| issue.state.as_deref() == Some(state))
    }
}

/// GitHub may give back other line ends, and no empty lines at the end.
fn is_same(stored: Option<&str>, written: &str) -> bool {
    let lines = |text: &str| text.trim_end().replace("\r\n", "\n");
    lines(stored.unwrap_or_default()) == lines(written)
}

/// What became of a label that an issue is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelState {
    /// It was there.
    There,
    /// It was made.
    Made,
    /// It is not there, and the token may not make it.
    Refused(Error),
}

impl Client {
    /// Issues, the newest first, without pull requests.
    ///
    /// # Errors
    /// A repository without issues, which [`Error::is_missing`], and whatever else keeps an answer away.
    pub fn issues(&self, repository: &Slug, filter: &IssueFilter) -> Result<List<Issue>, Error> {
        self.issue_pages(repository, filter, PAGES)
    }

    fn issue_pages(&self, repository: &Slug, filter: &IssueFilter, pages: usize) -> Result<List<Issue>, Error> {
        let mut list = self.list(&Query {
            what: "list the issues",
            path: &filter.path(repository),
            field: None,
            pages,
            last: &|_: &Issue| false,
        })?;
        list.items.retain(|issue| issue.pull_request.is_none());
        Ok(list)
    }

    /// The issues whose text holds a marker, the oldest first: that is the one to keep.
    ///
    /// # Errors
    /// Those of [`Client::issues`].
    pub fn issues_with(&self, repository: &Slug, filter: &IssueFilter, marker: &str) -> Result<List<Issue>, Error> {
        let mut list = self.issues(repository, filter)?;
        list.items.retain(|issue| issue.holds(marker));
        list.items.sort_by_key(|issue| issue.number);
        Ok(list)
    }

    /// One issue.
    ///
    /// # Errors
    /// No such issue, and whatever else keeps an answer away.
    pub fn issue(&self, repository: &Slug, number: u64) -> Result<Issue, Error> {
        self.get_json(&format!("look at issue {number}"), &format!("{}/issues/{number}", repository.path()))
    }

    /// Opens an issue, once: after an answer that was lost it is looked for among the newest, by its title and text,
    /// which therefore should hold something of their own.
    ///
    /// # Errors
    /// Whatever keeps it away.
    pub fn open_issue(&self, repository: &Slug, new: &NewIssue) -> Result<Issue, Error> {
        let what = "open an issue";
        let path = format!("{}/issues", repository.path());
        let mut body = json!({ "title": new.title, "body": new.body });
        if !new.labels.is_empty() {
            body["labels"] = json!(new.labels);
        }
        match self.write(what, &Method::POST, &path, Some(&body)) {
            Ok(answer) => read_json(what, &answer.body),
            Err(error) if error.is_unclear() => {
                let newest = self.issue_pages(repository, &IssueFilter::default(), 1)?;
                let is_it = |issue: &Issue| issue.title == new.title && is_same(issue.body.as_deref(), &new.body);
                newest.items.into_iter().find(is_it).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Changes an issue, once: after an answer that was lost it is looked up.
    ///
    /// # Errors
    /// No such issue, and whatever else keeps that away.
    pub fn change_issue(&self, repository: &Slug, number: u64, change: &IssueChange) -> Result<Issue, Error> {
        let what = format!("change issue {number}");
        let path = format!("{}/issues/{number}", repository.path());
        match self.write(&what, &Method::PATCH, &path, Some(&change.request())) {
            Ok(answer) => read_json(&what, &answer.body),
            Err(error) if error.is_unclear() => {
                let issue = self.issue(repository, number)?;
                if change.is_done(&issue) { Ok(issue) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    /// Comments on an issue, once: after an answer that was lost it is there if the newest comment says the same.
    ///
    /// # Errors
    /// Whatever keeps it away.
    pub fn comment_on_issue(&self, repository: &Slug, number: u64, body: &str) -> Result<Comment, Error> {
        let what = format!("comment on issue {number}");
        let path = format!("{}/issues/{number}/comments", repository.path());
        match self.write(&what, &Method::POST, &path, Some(&json!({ "body": body }))) {
            Ok(answer) => read_json(&what, &answer.body),
            Err(error) if error.is_unclear() => {
                let list = self.comments(repository, number)?;
                if list.is_partial() {
                    let cause = Cause::Unreadable("there are too many comments to look for it".to_owned());
                    return Err(Error::new(&what, cause));
                }
                let newest = list.items.into_iter().max_by_key(|comment| comment.id);
                newest.filter(|comment| is_same(comment.body.as_deref(), body)).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a label unless it is there. A token that may not is no error: an issue is worth more than its label.
    ///
    /// # Errors
    /// Whatever else keeps an answer away.
    pub fn ensure_label(
        &self,
        repository: &Slug,
        name: &str,
        color: &str,
        description: &str,
    ) -> Result<LabelState, Error> {
        let what = format!("make the label {name}");
        let path = format!("{}/labels/{}", repository.path(), encode(name));
        let look = || match self.get_json::<serde::de::IgnoredAny>(&format!("look for the label {name}"), &path) {
            Ok(_) => Ok(true),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        };
        match look() {
            Ok(true) => return Ok(LabelState::There),
            Ok(false) => {}
            Err(error) if error.is_forbidden() => return Ok(LabelState::Refused(error)),
            Err(error) => return Err(error),
        }
        let body = json!({ "name": name, "color": color, "description": description });
        match self.write(&what, &Method::POST, &format!("{}/labels", repository.path()), Some(&body)) {
            Ok(_) => Ok(LabelState::Made),
            Err(error) if error.is_forbidden() || error.is_missing() => Ok(LabelState::Refused(error)),
            // Somebody else was faster, or nobody knows.
            Err(error) if error.http_status() == Some(422) || error.is_unclear() => {
                if look()? {
                    Ok(LabelState::There)
                } else {
                    Err(error)
                }
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_of_nothing_but_nulls_is_an_issue() {
        let issue: Issue = serde_json::from_str(
            r#"{"number":1,"title":null,"body":null,"state":"locked_away","user":null,"labels":["a",{"name":"b"},{"name":null},7],
                "pull_request":null,"closed_at":null}"#,
        )
        .unwrap();
        assert_eq!(
            (issue.is_open(), issue.holds(""), issue.labels),
            (false, false, vec!["a".to_owned(), "b".to_owned()])
        );
        assert!(serde_json::from_str::<Issue>(r#"{"number":1,"labels":null}"#).unwrap().labels.is_empty());
    }

    #[test]
    fn filters_are_encoded() {
        let filter = IssueFilter {
            labels: vec!["ml ops".into(), "a&b".into()],
            creator: Some("github-actions[bot]".into()),
            state: Some("all".into()),
        };
        let query = "&labels=ml%20ops%2Ca%26b&creator=github-actions%5Bbot%5D&state=all";
        let slug = "o/r".parse().unwrap();
        assert_eq!(filter.path(&slug), format!("/repos/o/r/issues?sort=created&direction=desc{query}"));
    }

    #[test]
    fn a_text_is_the_same_with_other_line_ends() {
        assert!(is_same(Some("a\r\nb"), "a\nb\n"));
        assert!(!is_same(Some("a\nb"), "a\nc"));
        assert!(!is_same(None, "a"));
    }
}
