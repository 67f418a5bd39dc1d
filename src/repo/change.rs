//! What the work tree changes against a commit.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};

use camino::Utf8Path;

use super::diff::{FileDiff, Hunk};
use super::{Diff, Error, git, git_with};

/// Untracked files larger than this have no lines to speak of.
const MAX_UNTRACKED: u64 = 32 << 20;

/// What the work tree at `root` changes against a commit: committed or not, renames followed. Files that git neither
/// tracks nor ignores are new files. Paths are relative to `root`, and only files below it are told.
///
/// # Errors
/// No repository, no git, git's own refusal, or a diff that cannot be understood.
pub fn change(root: &Utf8Path, commit: &str) -> Result<Diff, Error> {
    let text = git(
        root,
        &[
            "diff",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--find-renames",
            "--unified=0",
            "--inter-hunk-context=0",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "--submodule=short",
            "--relative",
            commit,
            "--",
            ".",
        ],
    )?;
    let mut diff = Diff::parse(&text).map_err(|error| Error::Git(error.to_string()))?;
    let others = git(root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    for name in others.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let path = String::from_utf8_lossy(name).into_owned();
        // A file that is gone or cannot be read by now has no lines.
        let Some(lines) = count_lines(&root.join(&path)) else { continue };
        let hunks =
            if lines == 0 { Vec::new() } else { vec![Hunk { old_start: 1, old_len: 0, new_start: 1, new_len: lines }] };
        diff.files.push(FileDiff { old: None, new: Some(path), hunks, binary: false });
    }
    Ok(diff)
}

/// Those of some paths that `.gitattributes` marks as `linguist-generated`.
///
/// # Errors
/// No repository, no git, or git's own refusal.
pub fn generated(root: &Utf8Path, paths: &[&str]) -> Result<BTreeSet<String>, Error> {
    if paths.is_empty() {
        return Ok(BTreeSet::new());
    }
    let answer = git_with(root, &["check-attr", "-z", "--stdin", "linguist-generated"], paths.join("\0").as_bytes())?;
    let words: Vec<_> = answer.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let marked = words.chunks_exact(3).filter(|row| matches!(&*row[2], "set" | "true"));
    Ok(marked.map(|row| row[0].clone().into_owned()).collect())
}

fn count_lines(path: &Utf8Path) -> Option<u32> {
    let file = std::fs::File::open(path).ok()?;
    let known = file.metadata().ok().filter(|known| known.is_file() && known.len() <= MAX_UNTRACKED)?;
    let mut reader = BufReader::new(file.take(known.len()));
    let (mut lines, mut ends) = (0_u32, true);
    loop {
        let chunk = reader.fill_buf().ok()?;
        if chunk.is_empty() {
            break;
        }
        if chunk.contains(&0) {
            return None;
        }
        lines = lines.saturating_add(u32::try_from(memchr::memchr_iter(b'\n', chunk).count()).ok()?);
        ends = chunk.last() == Some(&b'\n');
        let length = chunk.len();
        reader.consume(length);
    }
    Some(lines + u32::from(!ends))
}
