//! Check runs: a verdict beside a commit, with annotations on its lines.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

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

impl Client {
    /// Makes a check run from the body of its request. It has to hold `name`, `head_sha` and an `external_id` of its
    /// own, by which it is found again if the answer is lost. Then come the bodies of requests that add annotations.
    ///
    /// # Errors
    /// Whatever keeps it away, or a part of its annotations.
    pub fn make_check_run(&self, repository: &Slug, create: &Value, updates: &[Value]) -> Result<CheckRun, Error> {
        let what = "make the check run";
        let path = format!("{}/check-runs", repository.path());
        let made: CheckRun = match self.write(what, &Method::POST, &path, Some(create)) {
            Ok(answer) => read_json(what, &answer.body)?,
            Err(error) if error.is_unclear() => self.made_all_the_same(repository, create)?.ok_or(error)?,
            Err(error) => return Err(error),
        };
        for update in updates {
            // Annotations of later requests are added to those of earlier ones, so none of these goes out twice.
            let path = format!("{}/check-runs/{}", repository.path(), made.id);
            self.write("annotate the check run", &Method::PATCH, &path, Some(update))?;
        }
        Ok(made)
    }

    /// After a write that nobody knows the end of: the check run if it was made.
    fn made_all_the_same(&self, repository: &Slug, create: &Value) -> Result<Option<CheckRun>, Error> {
        let told = |name: &str| create[name].as_str().unwrap_or_default();
        let (name, sha) = (encode(told("name")), encode(told("head_sha")));
        let list: List<CheckRun> = self.list(&Query {
            what: "look for the check run",
            path: &format!("{}/commits/{sha}/check-runs?check_name={name}", repository.path()),
            field: Some("check_runs"),
            pages: 1,
            last: &|_: &CheckRun| false,
        })?;
        let id = told("external_id");
        if list.is_partial() {
            let cause = Cause::Unreadable("there are too many of its name".to_owned());
            return Err(Error::new("look for the check run", cause));
        }
        Ok(list.items.into_iter().find(|run| !id.is_empty() && run.external_id.as_deref() == Some(id)))
    }
}
