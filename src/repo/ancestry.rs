//! Where a change starts: the default branch, the merge base with it, and the commits before.

use camino::Utf8Path;

use super::{Error, State, git};
use crate::sys::text;

/// The commit that a change is measured from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The commit.
    pub commit: String,
    /// What it is, in words: `the merge base with origin/main`.
    pub what: String,
}

/// Branch names that are tried where nobody says which is the default.
const USUAL: [&str; 2] = ["main", "master"];

/// Why there is no commit that a change could start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nowhere {
    /// Nothing was committed yet.
    NoCommit,
    /// The commit is the first.
    First,
    /// The clone is shallow and ends before that commit.
    Shallow,
    /// Nobody says which branch is the default, and none has a usual name.
    Unknown,
    /// The branch that the configuration names is not in the repository.
    Absent(String),
    /// What is checked out has nothing in common with the default branch.
    Unrelated(String),
}

impl Nowhere {
    /// The reason as a fragment.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::NoCommit => "there is no commit yet".to_owned(),
            Self::First => "this is the first commit".to_owned(),
            Self::Shallow => "the shallow clone does not reach back to where the change starts".to_owned(),
            Self::Unknown => "the default branch is not known".to_owned(),
            Self::Absent(name) => format!("the default branch `{}` is not in this repository", text::one_line(name)),
            Self::Unrelated(name) => {
                format!("the default branch `{}` has nothing in common with what is checked out", text::one_line(name))
            }
        }
    }

    /// What helps against it, where something does.
    #[must_use]
    pub fn cure(&self) -> Option<&'static str> {
        match self {
            Self::NoCommit | Self::First => None,
            Self::Shallow => Some(DEEPEN),
            Self::Unknown => Some("name it under `project:` as `default-branch`"),
            Self::Absent(_) => Some("fetch it, or correct `default-branch` under `project:`"),
            Self::Unrelated(_) => Some("name the branch that this one comes from with --base"),
        }
    }
}

/// What helps where a shallow clone ends too early.
pub const DEEPEN: &str = "fetch all branches with their history (`fetch-depth: 0` of actions/checkout, or \
     `git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'`)";

/// The commit that the work tree's change starts from: the merge base with the default branch; on that branch itself,
/// and on a commit that it has already, the parent, or the commit itself while files differ from it.
///
/// # Errors
/// No repository, no git, or git's own refusal.
pub fn anchor(root: &Utf8Path, state: &State, default_branch: Option<&str>) -> Result<Result<Anchor, Nowhere>, Error> {
    let Some(head) = &state.commit else { return Ok(Err(Nowhere::NoCommit)) };
    // What a shallow clone does not have may be there for all one knows.
    let nowhere = |why: Nowhere| {
        Ok(Err(match why {
            _ if is_shallow(root) => Nowhere::Shallow,
            _ if is_first(root, head) => Nowhere::First,
            why => why,
        }))
    };
    let Some(default) = find_default(root, default_branch)? else {
        return nowhere(default_branch.map_or(Nowhere::Unknown, |name| Nowhere::Absent(name.to_owned())));
    };
    if state.branch.as_deref() != Some(&default.name) {
        match merge_base(root, head, &default.refs)? {
            Some(commit) if commit != *head => {
                let what = format!("the merge base with {}", default.shown());
                return Ok(Ok(Anchor { commit, what }));
            }
            Some(_) => {}
            None => return nowhere(Nowhere::Unrelated(default.name)),
        }
    }
    if state.dirty {
        return Ok(Ok(Anchor { commit: head.clone(), what: "the commit that is checked out".to_owned() }));
    }
    match ask(root, &["rev-parse", "--verify", "--quiet", &format!("{head}^1")])? {
        Some(commit) => Ok(Ok(Anchor { commit, what: "the parent commit".to_owned() })),
        None => nowhere(Nowhere::First),
    }
}

/// The best common ancestor of a commit and some others; `None` if they have none, or a shallow clone hides it.
///
/// # Errors
/// No repository, or no git.
pub fn merge_base(root: &Utf8Path, commit: &str, others: &[String]) -> Result<Option<String>, Error> {
    let mut args = vec!["merge-base", commit];
    args.extend(others.iter().map(String::as_str));
    ask(root, &args)
}

/// A commit with those before it by first parent, newest first, at most `max`. Where a shallow clone ends, so does
/// the list.
///
/// # Errors
/// No repository, no git, or git's own refusal.
pub fn first_parents(root: &Utf8Path, start: &str, max: usize) -> Result<Vec<String>, Error> {
    let listed = git(root, &["rev-list", "--first-parent", &format!("--max-count={max}"), start, "--"])?;
    Ok(String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect())
}

/// The commit that a name stands for; `None` if git knows no such commit.
///
/// # Errors
/// No repository, or no git.
pub fn resolve(root: &Utf8Path, name: &str) -> Result<Option<String>, Error> {
    if name.starts_with('-') {
        return Ok(None);
    }
    ask(root, &["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")])
}

/// The name of the default branch: as configured, as the remote says, else the usual one that exists, else `main`.
#[must_use]
pub fn default_branch(root: &Utf8Path, configured: Option<&str>) -> String {
    if let Some(configured) = configured {
        return configured.to_owned();
    }
    let found = find_default(root, None).ok().flatten();
    found.map_or_else(|| USUAL[0].to_owned(), |default| default.name)
}

/// The first parent that a commit itself names, whether or not a shallow clone has it.
///
/// # Errors
/// No repository, or no git.
pub fn named_parent(root: &Utf8Path, commit: &str) -> Result<Option<String>, Error> {
    let Some(known) = resolve(root, commit)? else { return Ok(None) };
    let object = git(root, &["cat-file", "commit", &known])?;
    let object = String::from_utf8_lossy(&object);
    let head = object.lines().take_while(|line| !line.is_empty());
    Ok(head.filter_map(|line| line.strip_prefix("parent ")).map(str::to_owned).next())
}

/// Whether a commit has no parent, and not only none in a shallow clone.
#[must_use]
pub fn is_first(root: &Utf8Path, commit: &str) -> bool {
    let parent = ask(root, &["rev-parse", "--verify", "--quiet", &format!("{commit}^1")]);
    parent.is_ok_and(|parent| parent.is_none()) && !is_shallow(root)
}

/// Whether the history ends early because the clone is shallow.
#[must_use]
pub fn is_shallow(root: &Utf8Path) -> bool {
    ask(root, &["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer.as_deref() == Some("true"))
}

/// Where the remote's branches are.
const REMOTE: &str = "refs/remotes/origin/";
/// Where the local branches are.
const LOCAL: &str = "refs/heads/";

/// The default branch.
struct DefaultBranch {
    name: String,
    /// The remote's and the local one, as far as they exist; at least one.
    refs: Vec<String>,
}

impl DefaultBranch {
    /// Its refs as people write them: `origin/main and main`.
    fn shown(&self) -> String {
        let short = |name: &String| name.trim_start_matches(LOCAL).trim_start_matches("refs/remotes/").to_owned();
        self.refs.iter().map(short).collect::<Vec<_>>().join(" and ")
    }
}

/// The default branch: the configured one and no other, else the first that exists of what the remote says and the
/// usual names.
fn find_default(root: &Utf8Path, configured: Option<&str>) -> Result<Option<DefaultBranch>, Error> {
    let names: Vec<String> = match configured {
        Some(name) => vec![name.to_owned()],
        None => {
            let target = ask(root, &["symbolic-ref", "--quiet", &format!("{REMOTE}HEAD")])?;
            let remote = target.as_deref().and_then(|target| target.strip_prefix(REMOTE)).map(str::to_owned);
            remote.into_iter().chain(USUAL.map(str::to_owned)).collect()
        }
    };
    let of = |name: &str| [format!("{REMOTE}{name}"), format!("{LOCAL}{name}")];
    let patterns: Vec<_> = names.iter().flat_map(|name| of(name)).collect();
    let mut args = vec!["for-each-ref", "--format=%(refname)"];
    args.extend(patterns.iter().map(String::as_str));
    let answer = git(root, &args)?;
    let answer = String::from_utf8_lossy(&answer);
    let there: Vec<&str> = answer.lines().collect();
    Ok(names.into_iter().find_map(|name| {
        let refs: Vec<_> = of(&name).into_iter().filter(|name| there.contains(&name.as_str())).collect();
        (!refs.is_empty()).then_some(DefaultBranch { name, refs })
    }))
}

/// A query that git answers with one line, or refuses because the thing is not there.
fn ask(root: &Utf8Path, args: &[&str]) -> Result<Option<String>, Error> {
    match git(root, args) {
        Ok(answer) => {
            let answer = String::from_utf8_lossy(&answer);
            Ok(answer.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()))
        }
        Err(Error::Git(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "ancestry_tests.rs"]
mod tests;
