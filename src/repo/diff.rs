//! Unified diffs: which lines of which files a change replaces, adds and removes.
//!
//! Reads what `git diff` prints and what other tools and services write in the same form, with or without
//! context lines. Deliberately absent: the text of the lines; who shows it reads the file.

use std::collections::BTreeMap;

/// A change of several files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The files in the order of the diff.
    pub files: Vec<FileDiff>,
}

/// A change of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileDiff {
    /// Its path before; `None` for a new file.
    pub old: Option<String>,
    /// Its path now; `None` for a removed file.
    pub new: Option<String>,
    /// What changed in it, ascending; empty for a mere rename.
    pub hunks: Vec<Hunk>,
    /// Whether lines cannot be told apart in it.
    pub binary: bool,
}

/// Lines `old_start..old_start + old_len` became `new_start..new_start + new_len`; from 1. No context lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// The first replaced line; where nothing is replaced, the line that follows the place.
    pub old_start: u32,
    /// How many lines are replaced.
    pub old_len: u32,
    /// The first new line; where nothing is new, the line that follows the place.
    pub new_start: u32,
    /// How many lines are new.
    pub new_len: u32,
}

/// Where a line of a file was before the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// The same line under this number.
    Same(u32),
    /// It stands in the place of this line.
    Instead(u32),
    /// It was added.
    New,
}

/// A text that is no diff.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the diff: {what}")]
pub struct NoDiff {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

impl FileDiff {
    /// Where a line of the new file was before. The n-th new line of a hunk stands in the place of its n-th old one.
    #[must_use]
    pub fn before(&self, line: u32) -> Before {
        let at = self.hunks.partition_point(|hunk| hunk.new_start <= line);
        let Some(hunk) = at.checked_sub(1).map(|at| &self.hunks[at]) else { return Before::Same(line) };
        let offset = line - hunk.new_start;
        if offset >= hunk.new_len {
            return Before::Same(hunk.old_start.saturating_add(hunk.old_len).saturating_add(offset - hunk.new_len));
        }
        if offset < hunk.old_len { Before::Instead(hunk.old_start.saturating_add(offset)) } else { Before::New }
    }

    /// Where a line of the old file is now: the same line, or the one in its place; `None` if it was removed.
    #[must_use]
    pub fn after(&self, line: u32) -> Option<u32> {
        let at = self.hunks.partition_point(|hunk| hunk.old_start <= line);
        // A hunk without old lines stands before the line it names.
        let Some(hunk) = at.checked_sub(1).map(|at| &self.hunks[at]) else { return Some(line) };
        let offset = line - hunk.old_start;
        if offset >= hunk.old_len {
            return Some(hunk.new_start.saturating_add(hunk.new_len).saturating_add(offset - hunk.old_len));
        }
        (offset < hunk.new_len).then(|| hunk.new_start.saturating_add(offset))
    }
}

impl Diff {
    /// Changed files by the path they have now.
    #[must_use]
    pub fn by_new(&self) -> BTreeMap<&str, &FileDiff> {
        self.files.iter().filter_map(|file| Some((file.new.as_deref()?, file))).collect()
    }

    /// Changed files by the path they had before.
    #[must_use]
    pub fn by_old(&self) -> BTreeMap<&str, &FileDiff> {
        self.files.iter().filter_map(|file| Some((file.old.as_deref()?, file))).collect()
    }

    /// Reads a unified diff.
    ///
    /// # Errors
    /// The first line that cannot be understood. A text without any change is a diff without files.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoDiff> {
        let mut reader = Reader::default();
        let mut count = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            count += 1;
            reader.line(line).map_err(|what| NoDiff { line: count, what })?;
        }
        if reader.left() {
            return Err(NoDiff { line: count, what: "the diff ends in the middle of a hunk" });
        }
        reader.end_file();
        if reader.diff.files.is_empty() && bytes.iter().any(|byte| !byte.is_ascii_whitespace()) {
            return Err(NoDiff { line: 1, what: "this is not a unified diff" });
        }
        Ok(reader.diff)
    }
}

/// State between two lines.
#[derive(Default)]
struct Reader {
    diff: Diff,
    file: Option<FileDiff>,
    /// Whether paths have come as `---` and `+++`, which say more than `diff --git`.
    named: bool,
    /// Lines that the hunk still has: old, new.
    rest: (u32, u32),
    /// The next line: old, new.
    at: (u32, u32),
    run: Option<Hunk>,
}

impl Reader {
    fn left(&self) -> bool {
        self.rest != (0, 0)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if self.left() {
            return self.body(line);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(names) = line.strip_prefix(b"diff --git ") {
            self.end_file();
            let (old, new) = both_names(names).unzip();
            self.file = Some(FileDiff { old, new, ..FileDiff::default() });
        } else if line.starts_with(b"diff --cc ") || line.starts_with(b"diff --combined ") || line.starts_with(b"@@@") {
            return Err("a combined diff of a merge does not tell what was changed against one side");
        } else if let Some(name) = line.strip_prefix(b"--- ") {
            if self.named {
                // Without `diff --git` lines this is how the next file begins.
                self.end_file();
            }
            self.file.get_or_insert_default().old = side(name, b"aciwo");
            self.named = true;
        } else if let Some(name) = line.strip_prefix(b"+++ ") {
            self.file.get_or_insert_default().new = side(name, b"bciwo");
            self.named = true;
        } else if let Some(header) = line.strip_prefix(b"@@ -") {
            self.end_run();
            self.hunk(header).ok_or("a hunk must begin with @@ -LINE,COUNT +LINE,COUNT @@")?;
        } else if let Some(file) = &mut self.file {
            let path = |name: &[u8]| Some(unquote(name));
            if let Some(name) = line.strip_prefix(b"rename from ") {
                file.old = path(name);
            } else if let Some(name) = line.strip_prefix(b"rename to ") {
                file.new = path(name);
            } else if let Some(name) = line.strip_prefix(b"copy to ") {
                (file.old, file.new) = (None, path(name));
            } else if line.starts_with(b"new file mode ") {
                file.old = None;
            } else if line.starts_with(b"deleted file mode ") {
                file.new = None;
            } else if line.starts_with(b"Binary files ") || line.starts_with(b"GIT binary patch") {
                file.binary = true;
            }
        }
        Ok(())
    }

    fn hunk(&mut self, header: &[u8]) -> Option<()> {
        self.file.as_ref()?;
        let text = std::str::from_utf8(header.split(|byte| *byte == b'@').next()?).ok()?;
        let (old, new) = text.trim_end().split_once(" +")?;
        let range = |text: &str| {
            let (start, len) = text.split_once(',').unwrap_or((text, "1"));
            let (start, len) = (start.parse::<u32>().ok()?, len.parse::<u32>().ok()?);
            // Of nothing, the line before the place is named.
            Some((if len == 0 { start.checked_add(1)? } else { start }, len))
        };
        let ((old_start, old_len), (new_start, new_len)) = (range(old)?, range(new)?);
        self.at = (old_start, new_start);
        self.rest = (old_len, new_len);
        Some(())
    }

    fn body(&mut self, line: &[u8]) -> Result<(), &'static str> {
        const TOO_MANY: &str = "the hunk holds more lines than its header says";
        match line.first() {
            Some(b'-') => {
                self.rest.0 = self.rest.0.checked_sub(1).ok_or(TOO_MANY)?;
                self.run_here().old_len += 1;
                self.at.0 = self.at.0.saturating_add(1);
            }
            Some(b'+') => {
                self.rest.1 = self.rest.1.checked_sub(1).ok_or(TOO_MANY)?;
                self.run_here().new_len += 1;
                self.at.1 = self.at.1.saturating_add(1);
            }
            // An empty line is a context line whose blank an editor removed.
            Some(b' ' | b'\r') | None => {
                self.end_run();
                self.rest.0 = self.rest.0.checked_sub(1).ok_or(TOO_MANY)?;
                self.rest.1 = self.rest.1.checked_sub(1).ok_or(TOO_MANY)?;
                self.at = (self.at.0.saturating_add(1), self.at.1.saturating_add(1));
            }
            // "\ No newline at end of file"
            Some(b'\\') => {}
            Some(_) => return Err("a line of a hunk must begin with a blank, + or -"),
        }
        if !self.left() {
            self.end_run();
        }
        Ok(())
    }

    fn run_here(&mut self) -> &mut Hunk {
        let (old_start, new_start) = self.at;
        self.run.get_or_insert(Hunk { old_start, old_len: 0, new_start, new_len: 0 })
    }

    fn end_run(&mut self) {
        if let (Some(run), Some(file)) = (self.run.take(), &mut self.file) {
            file.hunks.push(run);
        }
    }

    fn end_file(&mut self) {
        self.end_run();
        self.named = false;
        if let Some(mut file) = self.file.take() {
            file.hunks.sort_by_key(|hunk| (hunk.new_start, hunk.old_start));
            self.diff.files.push(file);
        }
    }
}

/// The path after `---` or `+++`; `None` for `/dev/null`. A tab ends it where a time stamp follows.
fn side(name: &[u8], prefixes: &[u8]) -> Option<String> {
    let name = if name.starts_with(b"\"") { name } else { name.split(|byte| *byte == b'\t').next().unwrap_or(name) };
    let path = unquote(name);
    if path == "/dev/null" {
        return None;
    }
    let prefixed = path.as_bytes().get(1) == Some(&b'/') && prefixes.contains(&path.as_bytes()[0]);
    Some(if prefixed { path[2..].to_owned() } else { path })
}

/// The two paths of `diff --git a/x b/x`, if they can be told apart: blanks in unquoted names are not escaped, so only
/// two equal names are sure. Others follow as `---`, `+++` or `rename` lines.
fn both_names(names: &[u8]) -> Option<(String, String)> {
    if names.starts_with(b"\"") {
        let end = names[1..].windows(2).position(|pair| pair[0] != b'\\' && pair[1] == b'"')? + 3;
        return Some((side(&names[..end], b"aciwo")?, side(names.get(end + 1..)?, b"bciwo")?));
    }
    let middle = names.len() / 2;
    if names.len().is_multiple_of(2) || names.get(middle) != Some(&b' ') {
        return None;
    }
    let (old, new) = (side(&names[..middle], b"aciwo")?, side(&names[middle + 1..], b"bciwo")?);
    (old == new).then_some((old, new))
}

/// Undoes git's C-style quoting: `"caf\303\251"`.
fn unquote(name: &[u8]) -> String {
    let Some(inner) = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")) else {
        return String::from_utf8_lossy(name).into_owned();
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let octal = rest.get(..3).filter(|digits| digits.iter().all(|digit| (b'0'..b'8').contains(digit)));
        if let Some(digits) = octal {
            out.push(digits.iter().fold(0_u8, |sum, digit| sum.wrapping_mul(8).wrapping_add(digit - b'0')));
            rest = &rest[3..];
        } else if let Some((&escaped, after)) = rest.split_first() {
            rest = after;
            out.push(match escaped {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'a' => 7,
                b'b' => 8,
                b'f' => 12,
                b'v' => 11,
                other => other,
            });
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hunk(old_start: u32, old_len: u32, new_start: u32, new_len: u32) -> Hunk {
        Hunk { old_start, old_len, new_start, new_len }
    }

    #[test]
    fn lines_are_told_apart_with_and_without_context() {
        let bare = "diff --git a/x.py b/x.py\nindex 1..2 100644\n--- a/x.py\n+++ b/x.py\n@@ -2 +2,2 @@ def f():\n-b\n+B\n+C\n@@ -5,0 +7 @@\n+f\n";
        let with = "--- a/x.py\t2026-01-01\n+++ b/x.py\n@@ -1,5 +1,7 @@\n a\n-b\n+B\n+C\n c\n d\n\n+f\n\\ No newline at end of file\n";
        let want = FileDiff {
            old: Some("x.py".into()),
            new: Some("x.py".into()),
            hunks: vec![hunk(2, 1, 2, 2), hunk(6, 0, 7, 1)],
            binary: false,
        };
        assert_eq!(Diff::parse(bare.as_bytes()).unwrap().files, std::slice::from_ref(&want));
        assert_eq!(Diff::parse(with.as_bytes()).unwrap().files, std::slice::from_ref(&want));
        assert_eq!(want.before(1), Before::Same(1));
        assert_eq!(want.before(2), Before::Instead(2));
        assert_eq!(want.before(3), Before::New);
        assert_eq!(want.before(4), Before::Same(3));
        assert_eq!(want.before(7), Before::New);
        assert_eq!(want.before(8), Before::Same(6));
        assert_eq!([1, 2, 3, 5, 6].map(|line| want.after(line)), [1, 2, 4, 6, 8].map(Some));
    }

    #[test]
    fn names_survive_renames_quotes_blanks_and_hunks_that_look_like_headers() {
        let text = concat!(
            "diff --git a/old name.py b/new name.py\nsimilarity index 100%\nrename from old name.py\nrename to new name.py\n",
            "diff --git \"a/caf\\303\\251.py\" \"b/caf\\303\\251.py\"\n--- \"a/caf\\303\\251.py\"\n+++ \"b/caf\\303\\251.py\"\n@@ -1 +1 @@\n--- a/evil\n+++ b/evil\n",
            "diff --git a/gone.py b/gone.py\ndeleted file mode 100644\n--- a/gone.py\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n",
            "diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1,2 @@\n+a\n+b\n",
            "diff --git a/pic.png b/pic.png\nBinary files a/pic.png and b/pic.png differ\n",
        );
        let diff = Diff::parse(text.as_bytes()).unwrap();
        let names: Vec<_> = diff.files.iter().map(|file| (file.old.as_deref(), file.new.as_deref())).collect();
        assert_eq!(
            names,
            [
                (Some("old name.py"), Some("new name.py")),
                (Some("café.py"), Some("café.py")),
                (Some("gone.py"), None),
                (None, Some("new.py")),
                (Some("pic.png"), Some("pic.png")),
            ]
        );
        assert_eq!(diff.files[1].hunks, [hunk(1, 1, 1, 1)]);
        assert_eq!(diff.files[2].hunks, [hunk(1, 2, 1, 0)]);
        assert_eq!(diff.files[3].hunks, [hunk(1, 0, 1, 2)]);
        assert!(diff.files[4].binary);
    }

    #[test]
    fn what_is_no_diff_is_refused_with_its_line() {
        for (text, line) in [
            ("hello\n", 1),
            ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n", 4),
            ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n?\n", 5),
            ("--- a/x\n+++ b/x\n@@ -1 +x @@\n", 3),
            ("--- a/x\n+++ b/x\n@@ -1,1 +1,2 @@\n-a\n-b\n", 5),
            ("diff --cc x\n", 1),
        ] {
            assert_eq!(Diff::parse(text.as_bytes()).unwrap_err().line, line, "{text}");
        }
        assert_eq!(Diff::parse(b"").unwrap(), Diff::default());
        assert_eq!(Diff::parse(b"\n").unwrap(), Diff::default());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "(diff --git |--- |\\+\\+\\+ |@@ -|@@|a/x|b/y|\"|\\\\|[0-9]{1,10}|,| |\\+|-|\n|rename to ){0,40}") {
            let _ = Diff::parse(text.as_bytes());
        }

        /// A script of kept, removed and added lines is the reference: the diff written from it maps the same way.
        #[test]
        fn lines_map_as_the_edit_script_says(script in prop::collection::vec(0_u8..3, 0..40)) {
            let mut hunks: Vec<Hunk> = Vec::new();
            let (mut old, mut new, mut open) = (1, 1, false);
            let (mut kept, mut removed, mut added) = (Vec::new(), Vec::new(), Vec::new());
            for step in script {
                if step == 0 {
                    kept.push((old, new));
                    (old, new, open) = (old + 1, new + 1, false);
                    continue;
                }
                if !open {
                    hunks.push(Hunk { old_start: old, new_start: new, ..Hunk::default() });
                    open = true;
                }
                let last = hunks.last_mut().unwrap();
                if step == 1 {
                    last.old_len += 1;
                    removed.push(old);
                    old += 1;
                } else {
                    last.new_len += 1;
                    added.push(new);
                    new += 1;
                }
            }
            let file = FileDiff { hunks, ..FileDiff::default() };
            for (old, new) in kept {
                prop_assert_eq!(file.before(new), Before::Same(old));
                prop_assert_eq!(file.after(old), Some(new));
            }
            for new in added {
                match file.before(new) {
                    Before::Instead(old) => prop_assert_eq!(file.after(old), Some(new)),
                    before => prop_assert_eq!(before, Before::New),
                }
            }
            for old in removed {
                if let Some(new) = file.after(old) {
                    prop_assert_eq!(file.before(new), Before::Instead(old));
                }
            }
        }
    }
}
