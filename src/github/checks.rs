//! Check runs: a verdict beside a commit, with annotations on its lines.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{Client, read_json};
use super::error::{Cause, Error};
use super::list::{List, Query};
use super::runs::encode;
use super::words::Slug;

/// A check run that is there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CheckRun {
    /// Its number in all of GitHub.
    pub id: u64,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The commit.
    #[serde(default)]
    pub head_sha: Option<String>,
    /// What its maker calls it.
    #[serde(default)]
    pub external_id: Option<String>,
    /// How it ended.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// Where people look at it.
    #[serde(default)]
    pub html_url: Option<String>,
}

/// A check run to be made, ended at once.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCheckRun {
    /// Its name.
    pub name: String,
    /// The commit it is about.
    pub head_sha: String,
    /// `success`, `failure`, `neutral` …
    pub conclusion: String,
    /// What finds it again: one run of one attempt has one.
    pub external_id: String,
    /// Where the whole report is.
    pub details_url: Option<String>,
    /// What it says.
    pub output: CheckOutput,
}

/// What a check run says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CheckOutput {
    /// In one line.
    pub title: String,
    /// Markdown, at most 65,535 characters.
    pub summary: String,
    /// More Markdown, as much again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// As GitHub takes them; at most 50 at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Value>,
}

impl Client {
    /// Makes a check run. `more` are further outputs, each with the annotations of one request.
    ///
    /// # Errors
    /// Whatever keeps it away, or a part of its annotations.
    pub fn make_check_run(
        &self,
        repository: &Slug,
        new: &NewCheckRun,
        more: &[CheckOutput],
    ) -> Result<CheckRun, Error> {
        let what = "make the check run";
        let mut body = json!({
            "name": new.name,
            "head_sha": new.head_sha,
            "status": "completed",
            "conclusion": new.conclusion,
            "external_id": new.external_id,
            "output": new.output,
        });
        if let Some(url) = &new.details_url {
            body["details_url"] = json!(url);
        }
        let path = format!("{}/check-runs", repository.path());
        let made = match self.write(what, &Method::POST, &path, Some(&body)) {
            Ok(answer) => read_json(what, &answer.body)?,
            Err(error) if error.is_unclear() => self.made_all_the_same(repository, new)?.ok_or(error)?,
            Err(error) => return Err(error),
        };
        let CheckRun { id, .. } = made;
        for output in more {
            // Annotations of later requests are added to those of earlier ones.
            let path = format!("{}/check-runs/{id}", repository.path());
            self.write("annotate the check run", &Method::PATCH, &path, Some(&json!({ "output": output })))?;
        }
        Ok(made)
    }

    /// After a write that nobody knows the end of: the check run if it was made.
    fn made_all_the_same(&self, repository: &Slug, new: &NewCheckRun) -> Result<Option<CheckRun>, Error> {
        let name = encode(&new.name);
        let list: List<CheckRun> = self.list(&Query {
            what: "look for the check run",
            path: &format!("{}/commits/{}/check-runs?check_name={name}", repository.path(), encode(&new.head_sha)),
            field: Some("check_runs"),
            pages: 1,
            last: &|_: &CheckRun| false,
        })?;
        if list.is_partial() {
            let cause = Cause::Unreadable("there are too many of its name".to_owned());
            return Err(Error::new("look for the check run", cause));
        }
        Ok(list.items.into_iter().find(|run| run.external_id.as_deref() == Some(new.external_id.as_str())))
    }
}
