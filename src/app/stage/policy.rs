//! The policy of the default branch: what decides over a deploy, whatever is checked out.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::app::{Context, Stop};
use crate::config::{self, Config, FILE_NAMES, LoadError, load};
use crate::github::{Client, Slug};
use crate::repo;
use crate::sys::text;

/// The policy and where it was found.
pub(super) struct Policy {
    /// The policy.
    pub(super) config: Config,
    /// The commit that it was read at.
    pub(super) commit: String,
    /// Where it is, for people: `mgmt.yml on main of o/r`.
    pub(super) place: String,
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
    let root = repo::find_root(&context.cwd).unwrap_or_else(|| context.cwd.clone());
    let repository = client.repository(slug).map_err(Stop::from)?;
    let branch = repository.default_branch;
    let what = format!("look where {} is", text::one_line(&branch));
    // A branch's name is a path of its own.
    let parts: Vec<_> = branch.split('/').map(crate::github::encode).collect();
    let path = format!("{}/git/ref/heads/{}", slug.path(), parts.join("/"));
    let Reference { object: Object { sha } } = client.get_json(&what, &path).map_err(Stop::from)?;
    let on = format!("{} of {slug}", text::one_line(&branch));
    for name in names(context, &root)? {
        let Some(bytes) = client.file(slug, name.as_str(), &sha).map_err(Stop::from)? else { continue };
        let place = format!("{name} on {on}");
        let config = read(&bytes, &root, &name, &place)?;
        return Ok(Policy { config, commit: sha, place, repository: repository.id });
    }
    let hint = "the default branch's policy decides over deploys: commit one there".to_owned();
    let missing = match &context.config {
        Some(file) => file.as_str(),
        None => FILE_NAMES[0],
    };
    Err(Stop::usage(format!("there is no {} on {on}", text::one_line(missing)), Some(hint)).into())
}

/// Where the policy may lie in the repository.
fn names(context: &Context, root: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let Some(file) = &context.config else { return Ok(FILE_NAMES.iter().map(Utf8PathBuf::from).collect()) };
    let path = context.cwd.join(file);
    let inside = path.strip_prefix(root).ok().and_then(|path| crate::sys::fs::plain_path(path.as_str()));
    let hint = || Some("name the policy's path in the repository: --config mgmt.yml".to_owned());
    Ok(vec![inside.ok_or_else(|| Stop::usage(format!("{file} is no path in the repository"), hint()))?])
}

fn read(bytes: &[u8], root: &Utf8Path, name: &Utf8Path, place: &str) -> anyhow::Result<Config> {
    if bytes.len() as u64 > load::MAX_BYTES {
        let hint = format!("a configuration has at most {}", text::bytes(load::MAX_BYTES));
        return Err(Stop::usage(format!("{place} is too large"), Some(hint)).into());
    }
    config::read(bytes, root, name).map_err(|error| match error {
        LoadError::Invalid { text, problems, .. } => {
            LoadError::Invalid { path: Utf8PathBuf::from(place), text, problems }.into()
        }
        other => Stop::usage(other.to_string(), other.hint()).into(),
    })
}
