//! One request as the routes see it, and what they answer.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::Caller;
use super::state::{Repository, State};

/// A request after its path was found in the description.
#[derive(Debug)]
pub struct Call {
    /// The operation's id, such as `actions/get-workflow-run`.
    pub operation: &'static str,
    /// `GET`, `POST` …
    pub method: String,
    /// The path without the base path, with owner and name of the repository.
    pub path: String,
    /// What stands for the `{words}` of the operation's path, decoded.
    pub params: BTreeMap<String, String>,
    /// Decoded, in the order of the request.
    pub query: Vec<(String, String)>,
    /// Lower-case names.
    pub headers: BTreeMap<String, String>,
    /// JSON, if there was any.
    pub body: Value,
    /// Who asks.
    pub caller: Caller,
    /// Where the API is: scheme, host and base path.
    pub api: String,
    /// Where signed links lead: another origin.
    pub storage: String,
}

/// What goes back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Beside those that every answer has.
    pub headers: Vec<(String, String)>,
    /// What follows the headers.
    pub body: Body,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub enum Body {
    /// None at all.
    Empty,
    /// Validated against the description.
    Json(Value),
    /// Diffs, files, archives and logs with their content type: not validated.
    Raw(&'static str, Vec<u8>),
}

/// A route's result; both are answers, the second one ends a route early.
pub type Answered = Result<Answer, Box<Answer>>;

impl Answer {
    /// JSON with a status.
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(body) }
    }

    /// `204` and the like.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    /// Bytes as they are.
    pub fn raw(kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::Raw(kind, bytes.into()) }
    }

    /// A redirect.
    pub fn found(location: String) -> Self {
        Self { status: 302, headers: vec![("location".to_owned(), location)], body: Body::Empty }
    }

    /// An error in GitHub's shape.
    pub fn error(status: u16, message: &str) -> Self {
        Self::json(
            status,
            json!({
                "message": message,
                "documentation_url": "https://docs.github.com/rest",
                "status": status.to_string(),
            }),
        )
    }

    /// `404`.
    pub fn not_found() -> Self {
        Self::error(404, "Not Found")
    }

    /// `422` about one field.
    pub fn invalid(resource: &str, field: &str, code: &str, message: &str) -> Self {
        let detail = json!({ "resource": resource, "field": field, "code": code, "message": message });
        let mut answer = Self::error(422, "Validation Failed");
        if let Body::Json(body) = &mut answer.body {
            body["errors"] = json!([detail]);
        }
        answer
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Call {
    /// A parameter of the path; the operation has it.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A numeric parameter of the path.
    pub fn id(&self, name: &str) -> u64 {
        self.param(name).parse().unwrap_or(u64::MAX)
    }

    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the `Accept` header asks for one of GitHub's media types, such as `diff` or `raw`.
    pub fn accepts(&self, kind: &str) -> bool {
        let accept = self.headers.get("accept").map(String::as_str).unwrap_or_default();
        accept.split(',').any(|one| {
            let one = one.split(';').next().unwrap_or_default().trim();
            one.strip_prefix("application/vnd.github")
                .is_some_and(|rest| rest.split(['.', '+']).any(|part| part == kind))
        })
    }

    /// A string field of the body.
    pub fn text(&self, name: &str) -> Option<String> {
        self.body.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// The full name of the repository of the path.
    pub fn repo_name(&self) -> String {
        format!("{}/{}", self.param("owner"), self.param("repo"))
    }

    /// The repository of the path, if it is there.
    ///
    /// # Errors
    /// `404` otherwise.
    pub fn repo<'s>(&self, state: &'s State) -> Result<&'s Repository, Box<Answer>> {
        state.find(&self.repo_name()).ok_or_else(|| Box::new(Answer::not_found()))
    }

    /// The same, to change it.
    ///
    /// # Errors
    /// `404` if it is not there.
    pub fn repo_mut<'s>(&self, state: &'s mut State) -> Result<&'s mut Repository, Box<Answer>> {
        state.find_mut(&self.repo_name()).ok_or_else(|| Box::new(Answer::not_found()))
    }
}

/// `404` in place of what is not there.
///
/// # Errors
/// When it is not there.
pub fn found<T>(item: Option<T>) -> Result<T, Box<Answer>> {
    item.ok_or_else(|| Box::new(Answer::not_found()))
}
