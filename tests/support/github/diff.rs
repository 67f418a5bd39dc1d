//! Trees of commits, ways between commits, and the difference of two trees as text.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::state::{Commit, Repository, State};

/// A tree: paths and contents.
pub type Tree<'s> = BTreeMap<&'s str, &'s [u8]>;

/// One file in which two trees differ.
#[derive(Debug)]
pub struct Change {
    /// Its path.
    pub path: String,
    /// `added`, `removed`, `modified`.
    pub status: &'static str,
    /// Lines that came.
    pub additions: usize,
    /// Lines that went.
    pub deletions: usize,
    /// Hunks without file headers; nothing for binary files.
    pub patch: Option<String>,
}

impl State {
    /// The repository and those it shares objects with: what it was forked from and forks of either.
    pub fn network<'s>(&'s self, repo: &'s Repository) -> impl Iterator<Item = &'s Repository> {
        let root = |repo: &'s Repository| repo.fork_of.as_deref().unwrap_or(&repo.full_name);
        let others = self.repos.iter().filter(move |other| root(other) == root(repo) && other.id != repo.id);
        std::iter::once(repo).chain(others)
    }

    /// A commit by its SHA, also when only a fork has it.
    pub fn commit<'s>(&'s self, repo: &'s Repository, sha: &str) -> Option<&'s Commit> {
        self.network(repo).find_map(|repo| repo.commits.get(sha))
    }

    /// The commit that a branch, tag, `refs/…`, `owner:branch`, SHA or start of a SHA stands for.
    pub fn resolve<'s>(&'s self, repo: &'s Repository, reference: &str) -> Option<&'s Commit> {
        if let Some((owner, branch)) = reference.split_once(':') {
            let fork = self.network(repo).find(|repo| repo.full_name.split('/').next() == Some(owner))?;
            return self.resolve(fork, branch);
        }
        let name = reference.strip_prefix("refs/").unwrap_or(reference);
        let names = [name.to_owned(), format!("heads/{name}"), format!("tags/{name}")];
        let named = names.iter().find_map(|name| repo.refs.get(name));
        if let Some(sha) = named {
            return self.commit(repo, sha);
        }
        let is_start = reference.len() >= 7 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
        let all = || self.network(repo).flat_map(|repo| repo.commits.values());
        self.commit(repo, reference).or_else(|| all().find(|commit| is_start && commit.sha.starts_with(reference)))
    }

    /// The commit and all before it, newest first.
    pub fn history<'s>(&'s self, repo: &'s Repository, from: &str) -> Vec<&'s Commit> {
        let mut queue: BinaryHeap<(jiff::Timestamp, usize, &str)> = BinaryHeap::new();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut turn = usize::MAX;
        let start = self.commit(repo, from);
        queue.extend(start.map(|commit| (commit.at, turn, commit.sha.as_str())));
        seen.extend(start.map(|commit| commit.sha.as_str()));
        while let Some(commit) = queue.pop().and_then(|(_, _, sha)| self.commit(repo, sha)) {
            found.push(commit);
            for parent in commit.parents.iter().filter_map(|sha| self.commit(repo, sha)) {
                if seen.insert(&parent.sha) {
                    turn -= 1;
                    queue.push((parent.at, turn, &parent.sha));
                }
            }
        }
        found
    }

    /// The files of a commit: its own over those of its first parents.
    pub fn tree<'s>(&'s self, repo: &'s Repository, sha: &str) -> Tree<'s> {
        let mut seen = BTreeSet::new();
        let mut tree = Tree::new();
        let mut at = self.commit(repo, sha);
        while let Some(commit) = at {
            for (path, content) in &commit.files {
                if seen.insert(path.as_str())
                    && let Some(content) = content
                {
                    tree.insert(path, content);
                }
            }
            at = commit.parents.first().and_then(|parent| self.commit(repo, parent));
        }
        tree
    }

    /// The newest commit that both have.
    pub fn merge_base<'s>(&'s self, repo: &'s Repository, one: &str, other: &str) -> Option<&'s Commit> {
        let known: BTreeSet<&str> = self.history(repo, one).iter().map(|commit| commit.sha.as_str()).collect();
        self.history(repo, other).into_iter().find(|commit| known.contains(commit.sha.as_str()))
    }

    /// In which files two commits differ.
    pub fn changes(&self, repo: &Repository, from: &str, to: &str) -> Vec<Change> {
        let (old, new) = (self.tree(repo, from), self.tree(repo, to));
        let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        paths.into_iter().filter_map(|path| change(path, old.get(path).copied(), new.get(path).copied())).collect()
    }
}

fn change(path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Option<Change> {
    if old == new {
        return None;
    }
    let status = match (old, new) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "modified",
    };
    let texts = [old, new].map(|bytes| std::str::from_utf8(bytes.unwrap_or_default()).ok());
    let [Some(old), Some(new)] = texts else {
        return Some(Change { path: path.to_owned(), status, additions: 0, deletions: 0, patch: None });
    };
    let (patch, additions, deletions) = hunk(old, new);
    Some(Change { path: path.to_owned(), status, additions, deletions, patch: Some(patch) })
}

/// One hunk from the first line that differs to the last one, with three lines around it.
fn hunk(old: &str, new: &str) -> (String, usize, usize) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let most = old.len().min(new.len()) - same;
    let same_after = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
    let start = same.saturating_sub(3);
    let after = same_after.min(3);
    let (gone, come) = (&old[same..old.len() - same_after], &new[same..new.len() - same_after]);
    let context = same - start + after;
    let range = |changed: usize| match changed + context {
        0 => "0,0".to_owned(),
        lines => format!("{},{lines}", start + 1),
    };
    let mut text = format!("@@ -{} +{} @@", range(gone.len()), range(come.len()));
    let mut add = |sign: char, lines: &[&str]| lines.iter().for_each(|line| text.push_str(&format!("\n{sign}{line}")));
    add(' ', &old[start..same]);
    add('-', gone);
    add('+', come);
    add(' ', &old[old.len() - same_after..old.len() - same_after + after]);
    (text, come.len(), gone.len())
}

/// All changes as git writes them.
pub fn text(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let path = &change.path;
        text.push_str(&format!("diff --git a/{path} b/{path}\n"));
        let (old, new) = match change.status {
            "added" => ("/dev/null".to_owned(), format!("b/{path}")),
            "removed" => (format!("a/{path}"), "/dev/null".to_owned()),
            _ => (format!("a/{path}"), format!("b/{path}")),
        };
        match change.status {
            "added" => text.push_str("new file mode 100644\n"),
            "removed" => text.push_str("deleted file mode 100644\n"),
            _ => {}
        }
        text.push_str("index 0000001..0000002 100644\n");
        match &change.patch {
            Some(patch) => text.push_str(&format!("--- {old}\n+++ {new}\n{patch}\n")),
            None => text.push_str(&format!("Binary files {old} and {new} differ\n")),
        }
    }
    text
}
