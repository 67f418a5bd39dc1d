//! Floor 1: git. The only place that runs it.
//!
//! Deliberately absent: a git library. Shallow clones, credentials and `safe.directory` just work with the
//! user's own git, and a handful of short queries need no more.

pub mod ancestry;
mod change;
pub mod diff;
mod excerpt;

pub use ancestry::Anchor;
pub use change::{change, generated};
pub use diff::Diff;
pub use excerpt::{Excerpt, excerpt};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use xshell::{Shell, cmd};

use crate::sys::env;

/// The folder that holds `.git`, at `start` or above it. Looks at names only; git is not started.
#[must_use]
pub fn find_root(start: &Utf8Path) -> Option<Utf8PathBuf> {
    start.ancestors().find(|folder| folder.join(".git").exists()).map(Utf8Path::to_owned)
}

/// What git says about the work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The commit that is checked out; `None` in a repository without commits.
    pub commit: Option<String>,
    /// The branch; `None` if HEAD is detached.
    pub branch: Option<String>,
    /// The tree of that commit.
    pub tree: Option<String>,
    /// Whether tracked files differ from HEAD.
    pub dirty: bool,
}

/// Why git said nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No `.git` here or above.
    #[error("{0} is not in a git repository")]
    NoRepository(Utf8PathBuf),
    /// git could not be run, or refused.
    #[error("git does not answer: {0}")]
    Git(String),
}

/// Asks git about the work tree at `root`: commit, tree, branch and whether it is dirty.
///
/// # Errors
/// No repository, no git, or git's own refusal.
pub fn state(root: &Utf8Path) -> Result<State, Error> {
    let status = git(root, &["status", "--porcelain=v2", "--branch", "--untracked-files=no"])?;
    let mut state = parse_status(&String::from_utf8_lossy(&status));
    if state.commit.is_some() {
        let tree = git(root, &["rev-parse", "--verify", "--quiet", "HEAD^{tree}"])?;
        state.tree = Some(String::from_utf8_lossy(&tree).trim().to_owned());
    }
    Ok(state)
}

/// The files git tracks below `root`, as paths from it.
///
/// # Errors
/// No repository, no git, or git's own refusal.
pub fn tracked(root: &Utf8Path) -> Result<Vec<String>, Error> {
    let listed = git(root, &["ls-files", "-z"])?;
    let names = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// A file as it was at a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAt {
    /// Its content.
    Content(Vec<u8>),
    /// The commit is there and has nothing of that name.
    Absent,
    /// Something else is there under that name, such as a link.
    Odd,
    /// The commit is not in this clone.
    NoCommit,
}

/// A file at a commit; `path` counts from the root of the repository.
///
/// # Errors
/// No repository, or no git.
pub fn file_at(root: &Utf8Path, commit: &str, path: &Utf8Path) -> Result<FileAt, Error> {
    let is_hash = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash || ancestry::resolve(root, commit)?.as_deref() != Some(commit) {
        return Ok(FileAt::NoCommit);
    }
    let listed = git(root, &["ls-tree", "-z", "--full-tree", commit, "--", path.as_str()])?;
    // mode SP type SP object TAB name (git-ls-tree(1)).
    let listed = String::from_utf8_lossy(&listed);
    let entry = listed.split('\0').find_map(|line| {
        let (head, name) = line.split_once('\t')?;
        let mut words = head.split(' ');
        let (mode, _, object) = (words.next()?, words.next()?, words.next()?);
        (name == path.as_str()).then_some((mode, object))
    });
    match entry {
        Some(("100644" | "100755", object)) => Ok(FileAt::Content(git(root, &["cat-file", "blob", object])?)),
        Some(_) => Ok(FileAt::Odd),
        None => Ok(FileAt::Absent),
    }
}

/// The address of the remote `origin`, if there is one.
///
/// # Errors
/// No repository, no git, or git's own refusal.
pub fn origin(root: &Utf8Path) -> Result<Option<String>, Error> {
    let listed = git(root, &["config", "--default", "", "--get", "remote.origin.url"])?;
    Ok(Some(String::from_utf8_lossy(&listed).trim().to_owned()).filter(|url| !url.is_empty()))
}

/// Runs a git query in the repository that `root` lies in, and returns what it prints.
fn git(root: &Utf8Path, args: &[&str]) -> Result<Vec<u8>, Error> {
    git_with(root, args, &[])
}

/// [`git`] with something to read.
fn git_with(root: &Utf8Path, args: &[&str], input: &[u8]) -> Result<Vec<u8>, Error> {
    if find_root(root).is_none() {
        return Err(Error::NoRepository(root.to_owned()));
    }
    let refused = |error: xshell::Error| Error::Git(crate::sys::text::one_line(&error.to_string()));
    let shell = Shell::new().map_err(refused)?;
    shell.change_dir(root);
    let query = cmd!(shell, "git -c core.fsmonitor=false -c core.quotePath=false --no-optional-locks {args...}");
    // In a hook these name the repository that the hook belongs to, which may be another one.
    let query = env::GIT_PLACE.iter().fold(query, |query, name| query.env_remove(name));
    let output = query.stdin(input).quiet().ignore_status().output().map_err(refused)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Git(crate::sys::text::one_line(said.lines().next().unwrap_or("no reason given"))));
    }
    Ok(output.stdout)
}

/// Reads `git status --porcelain=v2 --branch` (format: git-status(1)).
fn parse_status(text: &str) -> State {
    let mut state = State::default();
    for line in text.lines() {
        if let Some(oid) = line.strip_prefix("# branch.oid ") {
            state.commit = (oid != "(initial)").then(|| oid.to_owned());
        } else if let Some(head) = line.strip_prefix("# branch.head ") {
            state.branch = (head != "(detached)").then(|| head.to_owned());
        } else if !line.starts_with('#') && !line.is_empty() {
            state.dirty = true;
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_for_what_it_says() {
        let state = |commit: Option<&str>, branch: Option<&str>, dirty| State {
            commit: commit.map(Into::into),
            branch: branch.map(Into::into),
            tree: None,
            dirty,
        };
        assert_eq!(parse_status("# branch.oid (initial)\n# branch.head main\n"), state(None, Some("main"), false));
        assert_eq!(parse_status("# branch.oid abc\n# branch.head (detached)\n"), state(Some("abc"), None, false));
        let dirty =
            "# branch.oid abc\n# branch.head main\n# branch.ab +1 -0\n1 .M N... 100644 100644 100644 a a x.rs\n";
        assert_eq!(parse_status(dirty), state(Some("abc"), Some("main"), true));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_taken_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/strict.yml"), "strict").unwrap();
        std::os::unix::fs::symlink("sub/strict.yml", root.join("mgmt.yml")).unwrap();
        let author = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        std::process::Command::new("git").args(["init", "-q"]).current_dir(root).status().unwrap();
        git(root, &["add", "-A"]).unwrap();
        git(root, &[author.as_slice(), &["commit", "-q", "-m", "one"]].concat()).unwrap();
        let head = state(root).unwrap().commit.unwrap();
        let at = |path: &str| file_at(root, &head, Utf8Path::new(path)).unwrap();
        assert_eq!(at("sub/strict.yml"), FileAt::Content(b"strict".to_vec()));
        assert_eq!((at("mgmt.yml"), at("sub"), at("none")), (FileAt::Odd, FileAt::Odd, FileAt::Absent));
        let elsewhere = file_at(root, &"0".repeat(40), Utf8Path::new("mgmt.yml")).unwrap();
        assert_eq!(elsewhere, FileAt::NoCommit);
    }

    #[test]
    fn outside_a_repository_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        assert!(matches!(state(root), Err(Error::NoRepository(_))));
    }
}
