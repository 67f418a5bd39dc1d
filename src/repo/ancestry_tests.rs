//! Where a change starts, in real repositories.

use camino::Utf8PathBuf;

use super::*;
use crate::repo::state;

/// A repository in a folder of its own.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// One whose first branch has this name and a first commit.
    fn on(branch: &str) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "-q", "-b", branch]);
        repository.commit("one");
        repository
    }

    /// A copy of another one, made with these options.
    fn clone_of(other: &Self, options: &[&str]) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        let url = format!("file://{}", other.root());
        repository.git(&[&["clone", "-q"], options, &[&url, "."]].concat());
        repository
    }

    fn root(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().to_owned()).unwrap()
    }

    fn git(&self, args: &[&str]) {
        let author = ["user.name=t", "user.email=t@example.com", "commit.gpgsign=false"];
        let settings = author.iter().flat_map(|setting| ["-c", *setting]).collect::<Vec<_>>();
        git_in(&self.root(), &[settings.as_slice(), args].concat());
    }

    fn commit(&self, message: &str) -> String {
        std::fs::write(self.root().join("file"), message).unwrap();
        self.git(&["add", "file"]);
        self.git(&["commit", "-q", "-m", message]);
        self.at("HEAD")
    }

    fn at(&self, name: &str) -> String {
        resolve(&self.root(), name).unwrap().unwrap()
    }

    fn anchor(&self, configured: Option<&str>) -> Result<Anchor, Nowhere> {
        anchor(&self.root(), &state(&self.root()).unwrap(), configured).unwrap()
    }

    fn what(&self, configured: Option<&str>) -> String {
        self.anchor(configured).unwrap().what
    }
}

/// A folder that is to become a repository has no `.git` yet, which `git` insists on.
fn git_in(root: &Utf8Path, args: &[&str]) {
    let shell = xshell::Shell::new().unwrap();
    shell.change_dir(root);
    let query =
        xshell::cmd!(shell, "git {args...}").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let query = crate::sys::env::GIT_PLACE.iter().fold(query, |query, name| query.env_remove(name));
    query.quiet().run().unwrap();
}

#[test]
fn the_default_branch_is_the_configured_one_then_the_remotes_then_main_then_master() {
    let origin = Repository::on("trunk");
    for branch in ["main", "master", "release"] {
        origin.git(&["branch", branch]);
    }
    let clone = Repository::clone_of(&origin, &[]);
    clone.git(&["checkout", "-q", "-b", "feature"]);
    clone.commit("two");
    let root = clone.root();
    assert_eq!(clone.what(Some("release")), "the merge base with origin/release");
    assert_eq!(default_branch(&root, Some("release")), "release");
    assert_eq!(clone.what(None), "the merge base with origin/trunk and trunk");
    assert_eq!(default_branch(&root, None), "trunk");
    clone.git(&["remote", "set-head", "origin", "--delete"]);
    assert_eq!(clone.what(None), "the merge base with origin/main");
    assert_eq!(default_branch(&root, None), "main");
    clone.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    assert_eq!(clone.what(None), "the merge base with origin/master");
    assert_eq!(default_branch(&root, None), "master");
    clone.git(&["branch", "main", "origin/master"]);
    assert_eq!(clone.what(None), "the merge base with main");
    // What is named is meant, also where it is not there.
    assert_eq!(clone.anchor(Some("gone")), Err(Nowhere::Absent("gone".to_owned())));
    let (why, cure) = (Nowhere::Absent("gone".to_owned()).reason(), Nowhere::Absent("gone".to_owned()).cure());
    assert_eq!(why, "the default branch `gone` is not in this repository");
    assert_eq!(cure, Some("fetch it, or correct `default-branch` under `project:`"));
}

#[test]
fn a_remote_that_points_to_a_branch_that_is_gone_says_nothing() {
    let origin = Repository::on("main");
    let clone = Repository::clone_of(&origin, &[]);
    clone.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone"]);
    clone.git(&["checkout", "-q", "-b", "feature"]);
    clone.commit("two");
    assert_eq!(clone.what(None), "the merge base with origin/main and main");
}

#[test]
fn without_a_usual_name_the_default_branch_is_not_known() {
    let repository = Repository::on("trunk");
    assert_eq!(repository.anchor(None), Err(Nowhere::First));
    repository.commit("two");
    assert_eq!(repository.anchor(None), Err(Nowhere::Unknown));
    assert_eq!(Nowhere::Unknown.cure(), Some("name it under `project:` as `default-branch`"));
    assert_eq!(default_branch(&repository.root(), None), "main");
    assert_eq!(repository.what(Some("trunk")), "the parent commit");
    let empty = Repository { folder: tempfile::tempdir().unwrap() };
    empty.git(&["init", "-q", "-b", "main"]);
    assert_eq!(empty.anchor(None), Err(Nowhere::NoCommit));
}

#[test]
fn a_branch_starts_where_it_left_the_default_branch_however_that_moved_on() {
    let repository = Repository::on("main");
    let first = repository.at("HEAD");
    repository.git(&["checkout", "-q", "-b", "feature"]);
    repository.git(&["checkout", "-q", "main"]);
    repository.commit("main moves on");
    repository.git(&["checkout", "-q", "feature"]);
    // Nothing of its own yet, and behind: as on the default branch itself.
    assert_eq!(repository.anchor(None), Err(Nowhere::First));
    repository.commit("two");
    repository.commit("three");
    let start = Anchor { commit: first.clone(), what: "the merge base with main".to_owned() };
    assert_eq!(repository.anchor(None), Ok(start.clone()));
    repository.git(&["checkout", "-q", "--detach"]);
    assert_eq!(repository.anchor(None), Ok(start.clone()));
    std::fs::write(repository.root().join("file"), "changed").unwrap();
    assert_eq!(repository.anchor(None), Ok(start));
    assert_eq!(merge_base(&repository.root(), "feature", &["main".to_owned()]).unwrap(), Some(first.clone()));
    let walked = first_parents(&repository.root(), "feature", 10).unwrap();
    assert_eq!((walked.len(), walked.last()), (3, Some(&first)));
    assert_eq!(first_parents(&repository.root(), "feature", 2).unwrap(), walked[..2]);
}

#[test]
fn on_the_default_branch_it_is_the_parent_or_the_commit_while_files_differ() {
    let repository = Repository::on("main");
    let first = repository.at("HEAD");
    let second = repository.commit("two");
    assert_eq!(
        repository.anchor(None).unwrap(),
        Anchor { commit: first.clone(), what: "the parent commit".to_owned() }
    );
    // A detached head on a commit that the default branch has, as after a push.
    repository.git(&["checkout", "-q", "--detach"]);
    assert_eq!(repository.anchor(None).unwrap().commit, first);
    repository.git(&["checkout", "-q", "main"]);
    std::fs::write(repository.root().join("file"), "changed").unwrap();
    let start = Anchor { commit: second, what: "the commit that is checked out".to_owned() };
    assert_eq!(repository.anchor(None), Ok(start));
}

#[test]
fn a_branch_whose_name_only_ends_like_the_default_one_is_another() {
    let repository = Repository::on("release/main");
    let first = repository.at("HEAD");
    repository.git(&["checkout", "-q", "-b", "main"]);
    repository.commit("two");
    repository.commit("three");
    let start = Anchor { commit: first, what: "the merge base with release/main".to_owned() };
    assert_eq!(repository.anchor(Some("release/main")), Ok(start));
}

#[test]
fn a_shallow_clone_says_that_it_is_one() {
    let origin = Repository::on("main");
    origin.commit("two");
    origin.git(&["checkout", "-q", "-b", "feature"]);
    let tip = origin.commit("three");
    origin.git(&["checkout", "-q", "main"]);
    let clone = Repository::clone_of(&origin, &["--depth", "1", "--branch", "feature"]);
    assert!(is_shallow(&clone.root()) && !is_shallow(&origin.root()));
    assert!(!is_first(&clone.root(), &tip), "its parent is only not here");
    assert_eq!(clone.anchor(None), Err(Nowhere::Shallow));
    assert_eq!(first_parents(&clone.root(), "HEAD", 10).unwrap(), [tip]);
    // The default branch itself, also with both branches there and nothing that they have in common.
    let main = Repository::clone_of(&origin, &["--depth", "1", "--branch", "main"]);
    assert_eq!(main.anchor(None), Err(Nowhere::Shallow));
    let both = Repository::clone_of(&origin, &["--depth", "1", "--no-single-branch", "--branch", "feature"]);
    assert_eq!(both.anchor(None), Err(Nowhere::Shallow));
    assert!(Nowhere::Shallow.cure().unwrap().contains("git fetch --unshallow"));
    both.git(&["fetch", "-q", "--unshallow", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
    assert_eq!(both.what(None), "the merge base with origin/main");
}

#[test]
fn histories_with_nothing_in_common_have_no_start() {
    let repository = Repository::on("main");
    repository.git(&["checkout", "-q", "--orphan", "other"]);
    repository.commit("one of its own");
    repository.commit("two");
    assert_eq!(repository.anchor(None), Err(Nowhere::Unrelated("main".to_owned())));
    assert_eq!(merge_base(&repository.root(), "HEAD", &["main".to_owned()]).unwrap(), None);
}

#[test]
fn a_name_that_is_no_commit_stands_for_none() {
    let repository = Repository::on("main");
    for name in ["nowhere", "--all", "HEAD:file", "", "HEAD~1"] {
        assert_eq!(resolve(&repository.root(), name).unwrap(), None, "{name}");
    }
    assert_eq!(repository.at("main"), repository.at("HEAD"));
}
