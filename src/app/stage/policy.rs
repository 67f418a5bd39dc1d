//! The policy of the default branch: what decides over a deploy, whatever is checked out.

use serde::Deserialize;

use crate::app::policy::wanted_name;
use crate::app::{Context, Stop, remote};
use crate::config::Config;
use crate::github::{Client, Slug};
use crate::sys::text;

/// The policy and where it was found.
pub(super) struct Policy {
    /// The policy.
    pub(super) config: Config,
    /// The commit that it was read at.
    pub(super) commit: String,
    /// Where it is, for people: `mgmt.yml on main of o/r`.
    pub(super) place: String,
    /// The branch.
    pub(super) branch: String,
    /// GitHub's number of the repository.
    pub(super) repository: u64,
}

#[derive(Deserialize)]
struct Reference {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    sha: String,
}

/// Reads it.
pub(super) fn of_default_branch(context: &Context, client: &Client, slug: &Slug) -> anyhow::Result<Policy> {
    let repository = client.repository(slug).map_err(Stop::from)?;
    let branch = repository.default_branch;
    let what = format!("look where {} is", text::one_line(&branch));
    // A branch's name is a path of its own.
    let parts: Vec<_> = branch.split('/').map(crate::github::encode).collect();
    let path = format!("{}/git/ref/heads/{}", slug.path(), parts.join("/"));
    let Reference { object: Object { sha } } = client.get_json(&what, &path).map_err(Stop::from)?;
    let on = format!(" on {} of {slug}", text::one_line(&branch));
    let found = remote::policy(context, client, slug, &sha, &on)?.ok_or_else(|| {
        let hint = "the default branch's policy decides over deploys: commit one there".to_owned();
        Stop::usage(format!("there is no {}{on}", wanted_name(context)), Some(hint))
    })?;
    let place = format!("{}{on}", found.config.path);
    Ok(Policy { config: found.config, commit: sha, place, branch, repository: repository.id })
}
