//! What a detector may know of a project: its files by path, the programs on PATH, what an interpreter can
//! import.
//!
//! Everything here comes from outside and is read with bounds. Deliberately absent: a way to run the project's
//! own code, and absolute paths.

use crate::sys::text;

/// Folders between the root and a file that is looked for.
const DEPTH: usize = 8;
/// Names looked at before a search for a file gives up.
const NAMES: usize = 20_000;

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name alone.
    pub(super) name: String,
    /// Whether it is a folder itself; a link to one is not, so that no search goes round in a circle.
    pub(super) is_folder: bool,
}

/// A project as detectors see it. Paths are relative to its root, with `/`.
pub(super) trait Project {
    /// The text of a file, `None` if there is no such file.
    ///
    /// # Errors
    /// Why it could not be read: too large, not text, no permission.
    fn read(&self, path: &str) -> Result<Option<String>, String>;

    /// Whether there is a file with this path.
    fn is_file(&self, path: &str) -> bool;

    /// Whether there is a folder with this path.
    fn is_folder(&self, path: &str) -> bool;

    /// The names in a folder, sorted; the root is the empty path. Empty if it cannot be read.
    fn list(&self, folder: &str) -> Vec<Entry>;

    /// Whether a check could start this program; a name with `/` is a path in the project.
    fn has_program(&self, program: &str) -> bool;

    /// Which of these modules the interpreter finds; `None` if the interpreter does not run.
    fn importable(&self, interpreter: &str, modules: &[&str]) -> Option<Vec<String>>;

    /// The text of a file; why it cannot be read is added to `left_out`.
    fn text(&self, path: &str, left_out: &mut Vec<String>) -> Option<String> {
        match self.read(path) {
            Ok(text) => text,
            Err(why) => {
                left_out.push(format!("{path}: {why}"));
                None
            }
        }
    }

    /// The first of these paths that is a file.
    fn first_file<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.is_file(name))
    }

    /// Whether a folder holds a file with this ending, at any depth that sources have.
    fn holds(&self, folder: &str, ending: &str) -> bool {
        let mut open = vec![(folder.to_owned(), 0)];
        let mut budget = NAMES;
        while let Some((folder, depth)) = open.pop() {
            for entry in self.list(&folder) {
                budget = budget.saturating_sub(1);
                if budget == 0 {
                    return false;
                }
                if !entry.is_folder && entry.name.ends_with(ending) {
                    return true;
                }
                if entry.is_folder && depth < DEPTH && !is_generated(&entry.name) {
                    let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
                    open.push((path, depth + 1));
                }
            }
        }
        false
    }
}

/// Whether a folder of this name is a tool's own and no source of the project.
#[must_use]
pub(super) fn is_generated(name: &str) -> bool {
    name.starts_with('.')
        || matches!(name, "node_modules" | "__pycache__" | "vendor" | "target" | "build" | "dist" | "venv" | "env")
}

/// A name from the project if a person can read it: no control characters, nothing that turns or hides text.
#[must_use]
pub(super) fn readable_name(name: &str) -> Option<String> {
    let name = name.trim();
    let is_readable = !name.is_empty() && name.chars().count() <= 100 && !name.chars().any(text::is_unprintable);
    is_readable.then(|| name.to_owned())
}

/// A tree in memory for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub(super) struct Fake {
    files: std::collections::BTreeMap<String, String>,
    programs: Vec<String>,
    interpreters: Vec<(String, Vec<String>)>,
}

#[cfg(test)]
impl Fake {
    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    pub(super) fn files(self, paths: &[&str]) -> Self {
        paths.iter().fold(self, |tree, path| tree.file(path, ""))
    }

    pub(super) fn programs(mut self, names: &[&str]) -> Self {
        self.programs.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// An interpreter that runs and finds these modules.
    pub(super) fn python(mut self, interpreter: &str, modules: &[&str]) -> Self {
        self.interpreters.push((interpreter.to_owned(), modules.iter().map(|name| (*name).to_owned()).collect()));
        self.programs(&[interpreter])
    }
}

#[cfg(test)]
impl Project for Fake {
    fn read(&self, path: &str) -> Result<Option<String>, String> {
        match self.files.get(path) {
            Some(text) if text == "(unreadable)" => Err("it is larger than 4.0 MiB".to_owned()),
            other => Ok(other.cloned()),
        }
    }

    fn is_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn is_folder(&self, path: &str) -> bool {
        self.files.keys().any(|file| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    }

    fn list(&self, folder: &str) -> Vec<Entry> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries: Vec<Entry> = Vec::new();
        for rest in self.files.keys().filter_map(|path| path.strip_prefix(&prefix)) {
            let (name, is_folder) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            if entries.iter().all(|entry| entry.name != name) {
                entries.push(Entry { name: name.to_owned(), is_folder });
            }
        }
        entries
    }

    fn has_program(&self, program: &str) -> bool {
        self.programs.iter().any(|name| name == program) || (program.contains('/') && self.is_file(program))
    }

    fn importable(&self, interpreter: &str, modules: &[&str]) -> Option<Vec<String>> {
        let (_, found) = self.interpreters.iter().find(|(name, _)| name == interpreter)?;
        Some(found.iter().filter(|name| modules.contains(&name.as_str())).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_below_folders_but_not_in_what_tools_made() {
        let tree = Fake::default().files(&["a/b/c.py", "d/node_modules/e.py", "d/.venv/f.py", "g/h.txt"]);
        assert!(tree.holds("a", ".py"));
        assert!(!tree.holds("d", ".py"));
        assert!(!tree.holds("g", ".py"));
        assert!(!tree.holds("none", ".py"));
        assert!(tree.holds("", ".py"));
        assert!(!tree.holds("", ".rs"));
    }

    #[test]
    fn names_that_deceive_are_not_used() {
        assert_eq!(readable_name(" crypto bot ").as_deref(), Some("crypto bot"));
        for name in ["", "  ", "a\u{202e}b", "a\nb", &"x".repeat(101)] {
            assert_eq!(readable_name(name), None, "{name:?}");
        }
    }
}
