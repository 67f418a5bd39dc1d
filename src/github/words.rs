//! Names and states as GitHub writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A repository: `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Slug {
    owner: String,
    name: String,
}

/// A text that names no repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a repository is written as owner/name")]
pub struct NotASlug;

impl Slug {
    /// Who owns it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The start of every path about it: `/repos/owner/name`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/repos/{self}")
    }
}

impl FromStr for Slug {
    type Err = NotASlug;

    fn from_str(text: &str) -> Result<Self, NotASlug> {
        let is_name = |name: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !name.is_empty() && name.len() <= 100 && !name.bytes().all(|byte| byte == b'.') && name.bytes().all(fits)
        };
        let (owner, name) = text.split_once('/').ok_or(NotASlug)?;
        if !is_name(owner) || !is_name(name) {
            return Err(NotASlug);
        }
        Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.owner, self.name)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.to_string()
    }
}

impl TryFrom<String> for Slug {
    type Error = NotASlug;

    fn try_from(text: String) -> Result<Self, NotASlug> {
        text.parse()
    }
}

/// A word of a fixed set that may grow: unknown ones are kept, never an error.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(into = "String", from = "String")]
        pub enum $name {
            $($(#[$each])* $variant,)*
            /// A word that was not known when this was written.
            Other(String),
        }

        impl $name {
            /// The word as GitHub writes it.
            #[must_use]
            pub fn word(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(crate::sys::text::shorten(&crate::sys::text::one_line(&word), 60)),
                }
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.word().to_owned()
            }
        }
    };
}

words! {
    /// How far a run or a job is.
    Status {
        /// Asked for, not accepted yet.
        Requested = "requested",
        /// Waits for a runner.
        Queued = "queued",
        /// Waits for another run of its concurrency group.
        Pending = "pending",
        /// Held by a protection rule of an environment.
        Waiting = "waiting",
        /// Runs.
        InProgress = "in_progress",
        /// Has ended; the conclusion tells how.
        Completed = "completed",
    }
}

words! {
    /// How a run, a job or a step ended.
    Conclusion {
        /// It did what it should.
        Success = "success",
        /// It did not.
        Failure = "failure",
        /// It says neither.
        Neutral = "neutral",
        /// Someone stopped it, or a newer run took its place.
        Cancelled = "cancelled",
        /// It was left out.
        Skipped = "skipped",
        /// It took too long.
        TimedOut = "timed_out",
        /// Somebody has to do something.
        ActionRequired = "action_required",
        /// GitHub gave it up after two weeks.
        Stale = "stale",
        /// The workflow file could not be used.
        StartupFailure = "startup_failure",
    }
}

words! {
    /// Whether a workflow's triggers are heard.
    WorkflowState {
        /// They are.
        Active = "active",
        /// Its file is gone from the default branch.
        Deleted = "deleted",
        /// Off, as in every new fork.
        DisabledFork = "disabled_fork",
        /// Off: nothing happened in the repository for 60 days.
        DisabledInactivity = "disabled_inactivity",
        /// Off: somebody turned it off.
        DisabledManually = "disabled_manually",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_repositories_are_taken() {
        let slug: Slug = "my-org/app.rs_2".parse().unwrap();
        assert_eq!((slug.owner(), slug.name(), slug.path().as_str()), ("my-org", "app.rs_2", "/repos/my-org/app.rs_2"));
        let long = format!("a/{}", "x".repeat(101));
        for wrong in ["", "a", "a/", "/b", "a/b/c", "../b", "a/..", "a b/c", "a/b?c", "a/b#c", "a/b%2f", &long] {
            assert_eq!(wrong.parse::<Slug>(), Err(NotASlug), "{wrong}");
        }
    }

    #[test]
    fn unknown_words_are_kept() {
        let read = |word: &str| serde_json::from_str::<Conclusion>(&format!("{word:?}")).unwrap();
        assert_eq!(read("startup_failure"), Conclusion::StartupFailure);
        assert_eq!(read("brand_new").word(), "brand_new");
        assert_eq!(serde_json::to_string(&Status::InProgress).unwrap(), "\"in_progress\"");
    }
}
