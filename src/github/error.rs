//! What can go wrong between here and GitHub, in one sentence with the next step.

use jiff::Timestamp;

use crate::sys::clock;
use crate::sys::text;

/// The most that is repeated of what a server says.
const MESSAGE: usize = 300;

/// A request that did not bring what it was sent for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {cause}{}", request_id.as_deref().map(|id| format!(" (request {id})")).unwrap_or_default())]
pub struct Error {
    /// What was asked, for people: `list the runs of ci.yml`.
    pub what: String,
    /// What came instead.
    pub cause: Cause,
    /// GitHub's own number of the request, for its support.
    pub request_id: Option<String>,
    /// The permission that was missing, where GitHub names it: `issues=write`.
    pub permission: Option<String>,
    /// Whether it was asked without a token.
    pub is_anonymous: bool,
}

/// What came instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// GitHub refused.
    #[error("{status} {message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// What GitHub says, bounded, on one line.
        message: String,
    },
    /// The limit on requests is used up, and the wait would be longer than is allowed here.
    #[error("the limit on requests is reached{}", until.map(|at| format!("; it ends at {}", clock::minute(at))).unwrap_or_default())]
    Limit {
        /// When it ends, if GitHub says.
        until: Option<Timestamp>,
    },
    /// No connection, or none that lasted.
    #[error("no answer: {0}")]
    Transport(String),
    /// An answer that is not what the API describes.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// An answer that is larger than anything that is wanted.
    #[error("the answer is larger than {}", text::bytes(*limit))]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// A redirect to where the question must not go.
    #[error("the answer is a redirect to another place: {0}")]
    Elsewhere(String),
}

impl Error {
    /// From an HTTP status and the body that came with it.
    #[must_use]
    pub fn status(what: &str, status: u16, body: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Body {
            message: Option<String>,
        }
        // Some answers come from a proxy, as HTML.
        let said = serde_json::from_slice::<Body>(body).ok().and_then(|body| body.message);
        let message = match said {
            Some(message) => text::shorten(&text::one_line(&message), MESSAGE),
            None if body.is_empty() => "without a reason".to_owned(),
            None => "with a page that is not GitHub's API".to_owned(),
        };
        Self::new(what, Cause::Status { status, message })
    }

    /// With nothing but a cause.
    #[must_use]
    pub fn new(what: &str, cause: Cause) -> Self {
        Self { what: what.to_owned(), cause, request_id: None, permission: None, is_anonymous: false }
    }

    /// The HTTP status, if GitHub answered with one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        match self.cause {
            Cause::Status { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Whether what was asked for does not exist, or is hidden.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.http_status(), Some(404 | 410))
    }

    /// Whether the token may not do this.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self.http_status(), Some(401 | 403))
    }

    /// Whether a write may have happened all the same: nobody knows before looking.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        match &self.cause {
            Cause::Status { status, .. } => *status >= 500,
            Cause::Transport(_) | Cause::Unreadable(_) | Cause::TooLarge { .. } => true,
            Cause::Limit { .. } | Cause::Elsewhere(_) => false,
        }
    }

    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        const TOKEN: &str = "no token was given: set GITHUB_TOKEN to one that may see the repository";
        Some(match &self.cause {
            Cause::Status { status: 401 | 403, .. } if self.is_anonymous => TOKEN.to_owned(),
            Cause::Status { status: 404, .. } if self.is_anonymous => format!("check the name; {TOKEN}"),
            Cause::Status { status: 401, .. } => {
                "the token is not valid (any more); give another one in GITHUB_TOKEN".to_owned()
            }
            Cause::Status { status: 403, .. } => match &self.permission {
                Some(permission) => format!("grant the job the permission `{}`", permission.replace('=', ": ")),
                None => "the token lacks a permission for this; see the table of permissions in the README".to_owned(),
            },
            Cause::Status { status: 404, .. } => {
                "check the name; for private repositories the token has to be able to see it".to_owned()
            }
            Cause::Status { status: 410, .. } => "it was there and is gone".to_owned(),
            Cause::Status { status, .. } if *status >= 500 => "GitHub is in trouble; try again later".to_owned(),
            Cause::Limit { .. } => "try again then, or use a token with a higher limit".to_owned(),
            Cause::Transport(_) => {
                "check the network, the proxy (HTTPS_PROXY) and GITHUB_API_URL; certificates come from the system"
                    .to_owned()
            }
            Cause::Unreadable(_) => {
                "GITHUB_API_URL has to name the API itself, such as https://api.github.com".to_owned()
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_was_asked_what_came_and_what_to_do() {
        let said = Error::status("comment", 403, br#"{"message":"Resource not accessible\nby integration"}"#);
        assert_eq!(said.to_string(), "comment: 403 Resource not accessible\\nby integration");
        let named = Error { permission: Some("issues=write".into()), request_id: Some("A:1".into()), ..said };
        assert_eq!(named.hint().unwrap(), "grant the job the permission `issues: write`");
        assert!(named.to_string().ends_with("(request A:1)"), "{named}");
        let nobody = |status| Error { is_anonymous: true, ..Error::status("look", status, b"") }.hint().unwrap();
        assert!(
            nobody(403).starts_with("no token was given: set GITHUB_TOKEN")
                && nobody(404).starts_with("check the name")
        );
        let page = Error::status("list", 502, b"<html>Bad Gateway</html>");
        assert_eq!(page.to_string(), "list: 502 with a page that is not GitHub's API");
        let long = Error::status("list", 422, format!(r#"{{"message":"{}"}}"#, "x".repeat(9_000)).as_bytes());
        assert!(long.to_string().len() < 400);
        let limit = Cause::Limit { until: Some("2026-11-22T17:13:04Z".parse().unwrap()) };
        assert_eq!(
            Error::new("list", limit).to_string(),
            "list: the limit on requests is reached; it ends at 2026-11-22 17:13 UTC"
        );
    }
}
