//! Where a change starts: the default branch, the merge base with it, and the commits before.

use camino::Utf8Path;

use super::{Error, State, git};

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

/// The commit that the work tree's change starts from: the merge base with the default branch; on that branch itself
/// the parent, or the commit itself while files differ from it. `None` where there is none: no default branch is
/// known, the histories have nothing in common, or the commit is the first.
///
/// # Errors
/// No repository, no git, or git's own refusal.
pub fn anchor(root: &Utf8Path, state: &State, default_branch: Option<&str>) -> Result<Option<Anchor>, Error> {
    let Some(head) = &state.commit else { return Ok(None) };
    let heads = default_heads(root, default_branch)?;
    let short = |name: &String| name.trim_start_matches("refs/heads/").trim_start_matches("refs/remotes/").to_owned();
    let on_it = heads.iter().map(short).any(|name| {
        state.branch.as_deref().is_some_and(|branch| name == branch || name.ends_with(&format!("/{branch}")))
    });
    if !on_it && !heads.is_empty() {
        let mut args = vec!["merge-base", head.as_str()];
        args.extend(heads.iter().map(String::as_str));
        match ask(root, &args)? {
            Some(base) if base != *head => {
                let names: Vec<_> = heads.iter().map(short).collect();
                return Ok(Some(Anchor { commit: base, what: format!("the merge base with {}", names.join(" and ")) }));
            }
            Some(_) => {}
            None => return Ok(None),
        }
    } else if heads.is_empty() {
        return Ok(None);
    }
    if state.dirty {
        return Ok(Some(Anchor { commit: head.clone(), what: "the commit that is checked out".to_owned() }));
    }
    let parent = ask(root, &["rev-parse", "--verify", "--quiet", &format!("{head}^1")])?;
    Ok(parent.map(|commit| Anchor { commit, what: "the parent commit".to_owned() }))
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
    let heads = default_heads(root, configured).unwrap_or_default();
    let name =
        heads.first().and_then(|head| head.rsplit_once("refs/remotes/origin/").or(head.rsplit_once("refs/heads/")));
    configured.or(name.map(|(_, name)| name)).unwrap_or(USUAL[0]).to_owned()
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

/// The refs of the default branch: the remote's and the local one, as far as they exist.
fn default_heads(root: &Utf8Path, configured: Option<&str>) -> Result<Vec<String>, Error> {
    const REMOTE: &str = "refs/remotes/origin/";
    let of = |name: &str| [format!("{REMOTE}{name}"), format!("refs/heads/{name}")];
    let head = format!("{REMOTE}HEAD");
    let mut names: Vec<String> =
        configured.map_or_else(|| USUAL.iter().map(|name| (*name).to_owned()).collect(), |name| vec![name.to_owned()]);
    let mut patterns = vec![head.clone()];
    patterns.extend(names.iter().flat_map(|name| of(name)));
    let mut args = vec!["for-each-ref", "--format=%(refname) %(symref)"];
    args.extend(patterns.iter().map(String::as_str));
    let answer = git(root, &args)?;
    let answer = String::from_utf8_lossy(&answer);
    let mut there: Vec<String> = Vec::new();
    for line in answer.lines() {
        let (name, target) = line.split_once(' ').unwrap_or((line, ""));
        match target.strip_prefix(REMOTE).filter(|_| name == head) {
            Some(default) if configured.is_none() => {
                // What the remote itself says goes before the usual names; the local branch of that name may differ.
                names.insert(0, default.to_owned());
                there.push(target.to_owned());
                if ask(root, &["rev-parse", "--verify", "--quiet", &format!("refs/heads/{default}")])?.is_some() {
                    there.push(format!("refs/heads/{default}"));
                }
            }
            Some(_) => {}
            None => there.push(name.to_owned()),
        }
    }
    for name in names {
        let pair = of(&name);
        let found: Vec<_> = pair.into_iter().filter(|name| there.contains(name)).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
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
