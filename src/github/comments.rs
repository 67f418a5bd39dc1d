//! Comments of pull requests. To GitHub a pull request is an issue.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, read_json};
use super::error::Error;
use super::list::{List, Query};
use super::words::Slug;

/// Pages of comments that are read.
const PAGES: usize = 30;

/// A comment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Comment {
    /// Its number in all of GitHub; older ones have smaller numbers.
    pub id: u64,
    /// Its Markdown.
    #[serde(default)]
    pub body: Option<String>,
    /// Who wrote it; `None` for an account that is gone.
    #[serde(default)]
    pub user: Option<Author>,
    /// Where people look at it.
    #[serde(default)]
    pub html_url: Option<String>,
    /// When it was written.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

/// Who wrote a comment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Author {
    /// The name.
    pub login: String,
    /// `Bot` or `User`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

impl Client {
    /// Who the token belongs to. Tokens of apps, which jobs have, cannot ask.
    ///
    /// # Errors
    /// Whatever keeps an answer away.
    pub fn login(&self) -> Result<String, Error> {
        self.get_json::<Author>("look whose token this is", "/user").map(|author| author.login)
    }

    /// All comments, oldest first.
    ///
    /// # Errors
    /// No such pull request, and whatever else keeps an answer away.
    pub fn comments(&self, repository: &Slug, number: u64) -> Result<List<Comment>, Error> {
        self.list(&Query {
            what: &format!("list the comments of pull request {number}"),
            path: &format!("{}/issues/{number}/comments", repository.path()),
            field: None,
            pages: PAGES,
            last: &|_: &Comment| false,
        })
    }

    /// Writes a comment.
    ///
    /// # Errors
    /// Whatever keeps it away; it may be there all the same after one that [`Error::is_unclear`].
    pub fn comment(&self, repository: &Slug, number: u64, body: &str) -> Result<Comment, Error> {
        let what = format!("comment on pull request {number}");
        let path = format!("{}/issues/{number}/comments", repository.path());
        let answer = self.write(&what, &Method::POST, &path, Some(&json!({ "body": body })))?;
        read_json(&what, &answer.body)
    }

    /// Rewrites a comment.
    ///
    /// # Errors
    /// Whatever keeps that away.
    pub fn rewrite_comment(&self, repository: &Slug, id: u64, body: &str) -> Result<Comment, Error> {
        let what = "rewrite the comment";
        let path = format!("{}/issues/comments/{id}", repository.path());
        let answer = self.write(what, &Method::PATCH, &path, Some(&json!({ "body": body })))?;
        read_json(what, &answer.body)
    }

    /// Removes a comment.
    ///
    /// # Errors
    /// Whatever keeps that away.
    pub fn remove_comment(&self, repository: &Slug, id: u64) -> Result<(), Error> {
        let path = format!("{}/issues/comments/{id}", repository.path());
        self.write("remove a comment", &Method::DELETE, &path, None).map(|_| ())
    }
}
