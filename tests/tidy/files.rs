//! The repository as the rules see it: names relative to its root, with `/` on every system, sorted.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use walkdir::{DirEntry, WalkDir};

/// Folders that a checkout holds beside the files that belong to it.
const NOT_OURS: [&str; 3] = [".git", ".mgmt", "target"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file that has to be there.
pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("cannot read {file}: {error}"))
}

/// The text of a file; nothing if it is not there or not text (a NUL byte tells, as it does for git).
pub(crate) fn read_text(file: &str) -> Option<String> {
    let bytes = std::fs::read(root().join(file)).ok()?;
    (!bytes.contains(&0)).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The `.rs` files below these folders, without test fixtures: those are data.
pub(crate) fn rust_files(folders: &[&str]) -> Vec<String> {
    let below = |folder: &&str| walk(root().join(folder), |_| true);
    let mut files: Vec<String> = folders.iter().flat_map(below).collect();
    files.retain(|file| file.ends_with(".rs") && !file.starts_with("tests/fixtures/"));
    files.sort();
    files
}

/// The files git knows and that still exist. Without git, or in a tree that git does not track: all files.
pub(crate) fn tracked() -> Vec<String> {
    let mut files = listed_by_git().unwrap_or_else(|| walk(root().to_owned(), is_ours));
    files.retain(|file| root().join(file).symlink_metadata().is_ok());
    files.sort();
    files
}

/// The rooms: the folders directly under `src/`, and files there that are modules of their own.
pub(crate) fn rooms() -> Vec<String> {
    let mut rooms: Vec<String> = WalkDir::new(root().join("src"))
        .min_depth(1)
        .max_depth(1)
        .into_iter()
        .map(|entry| entry.expect("src/ can be listed"))
        .filter_map(|entry| room(&entry))
        .collect();
    rooms.sort();
    rooms
}

/// Every folder a reader of the code map can mean: those at the top, and those under `src/` from any level on
/// (`evidence/coverage` and `coverage`). A room that is one file is mentioned like a folder.
pub(crate) fn folders() -> BTreeSet<String> {
    let mut folders = BTreeSet::from_iter(rooms());
    for file in tracked().iter().chain(&rust_files(&["src"])) {
        let Some((folder, _)) = file.rsplit_once('/') else { continue };
        let parts: Vec<&str> = folder.split('/').collect();
        let starts = if parts[0] == "src" { parts.len() } else { 1 };
        for start in 0..starts {
            folders.extend((start + 1..=parts.len()).map(|end| parts[start..end].join("/")));
        }
    }
    folders
}

fn room(entry: &DirEntry) -> Option<String> {
    let name = entry.file_name().to_str().expect("names under src/ are UTF-8");
    if entry.file_type().is_dir() {
        return Some(name.to_owned());
    }
    name.strip_suffix(".rs").filter(|module| !matches!(*module, "lib" | "main")).map(str::to_owned)
}

fn listed_by_git() -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root()).args(["ls-files", "-z"]);
    // A hook runs with these set, and they would name another tree.
    git.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
    let output = git.output().ok().filter(|output| output.status.success())?;
    let list = String::from_utf8(output.stdout).ok()?;
    let files: Vec<String> = list.split_terminator('\0').map(str::to_owned).collect();
    files.iter().any(|file| file == "Cargo.toml").then_some(files)
}

fn walk(folder: PathBuf, keep: fn(&DirEntry) -> bool) -> Vec<String> {
    if !folder.exists() {
        return Vec::new();
    }
    WalkDir::new(folder)
        .into_iter()
        .filter_entry(keep)
        .filter_map(present)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| relative(entry.path()))
        .collect()
}

/// An entry, unless it went away while the list was made: editors and other tests come and go.
fn present(entry: walkdir::Result<DirEntry>) -> Option<DirEntry> {
    match entry {
        Ok(entry) => Some(entry),
        Err(error) if error.io_error().is_some_and(|cause| cause.kind() == ErrorKind::NotFound) => None,
        Err(error) => panic!("cannot list the repository: {error}"),
    }
}

fn is_ours(entry: &DirEntry) -> bool {
    !NOT_OURS.iter().any(|name| entry.file_name() == *name)
}

fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("walked from the root");
    let parts: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.join("/")
}

#[test]
fn the_tree_is_the_same_with_and_without_git() {
    let walked = walk(root().to_owned(), is_ours);
    assert!(walked.contains(&"Cargo.toml".to_owned()), "{walked:#?}");
    assert!(walked.contains(&"src/lib.rs".to_owned()), "{walked:#?}");
    assert!(!walked.iter().any(|file| file.starts_with("target/") || file.starts_with(".git/")), "{walked:#?}");
    let lost: Vec<String> = tracked().into_iter().filter(|file| !walked.contains(file)).collect();
    assert!(lost.is_empty(), "git tracks what a walk leaves out: {lost:#?}");
}
