//! The project's files on disk.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::WalkDir;

use crate::check::evidence::is_glob;
use crate::check::paths::Tree;
use crate::decode::parse_glob;
use crate::sys::fs as files;

/// Entries looked at for one glob before it is called too wide.
const MAX_ENTRIES: usize = 1_000_000;

/// A folder on disk.
pub struct DiskTree<'a> {
    /// The folder that paths are relative to.
    pub root: &'a Utf8Path,
}

impl Tree for DiskTree<'_> {
    fn find(&self, pattern: &str) -> Result<Vec<(String, u64)>, String> {
        if !is_glob(pattern) {
            let meta = fs::metadata(self.root.join(pattern));
            // A folder is there, too: it has no size of its own, so it never counts as empty.
            return Ok(meta
                .ok()
                .map(|meta| (pattern.to_owned(), if meta.is_file() { meta.len() } else { 1 }))
                .into_iter()
                .collect());
        }
        let matcher = parse_glob(pattern)?.compile_matcher();
        let mut found = Vec::new();
        let start = self.root.join(fixed_part(pattern));
        if !start.exists() {
            return Ok(found);
        }
        let walk = WalkDir::new(&start).follow_links(false).sort_by_file_name().into_iter();
        for (count, entry) in walk.filter_entry(|entry| entry.file_name() != ".git").enumerate() {
            if count > MAX_ENTRIES {
                return Err(format!(
                    "the glob `{pattern}` looks at more than {MAX_ENTRIES} entries; begin it with a folder"
                ));
            }
            // What cannot be looked at does not exist for a check.
            let Some(path) = entry.ok().and_then(|entry| Utf8PathBuf::from_path_buf(entry.into_path()).ok()) else {
                continue;
            };
            let Ok(relative) = path.strip_prefix(self.root) else { continue };
            let relative = relative.as_str().replace('\\', "/");
            if matcher.is_match(&relative)
                && let Ok(meta) = fs::metadata(&path)
                && meta.is_file()
            {
                found.push((relative, meta.len()));
            }
        }
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, String> {
        files::read(&self.root.join(path), max).map_err(|error| error.source.to_string())
    }
}

/// The folders of a glob before its first special character: `reports/**/*.xml` → `reports`.
fn fixed_part(pattern: &str) -> String {
    let parts: Vec<_> = pattern.split('/').collect();
    let fixed = parts.iter().take(parts.len() - 1).take_while(|part| !is_glob(part)).copied().collect::<Vec<_>>();
    fixed.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_stay_in_their_folder_unless_told_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for path in ["a.xml", "r/b.xml", "r/s/c.xml", ".git/d.xml", "r/e.txt"] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "x").unwrap();
        }
        let tree = DiskTree { root };
        let find = |pattern| tree.find(pattern).unwrap().into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert_eq!(find("*.xml"), ["a.xml"]);
        assert_eq!(find("r/*.xml"), ["r/b.xml"]);
        assert_eq!(find("**/*.xml"), ["a.xml", "r/b.xml", "r/s/c.xml"]);
        assert_eq!(find("r/**"), ["r/b.xml", "r/e.txt", "r/s/c.xml"]);
        assert_eq!(find("nope/*.xml"), [""; 0]);
        assert_eq!(find("r"), ["r"]);
    }
}
