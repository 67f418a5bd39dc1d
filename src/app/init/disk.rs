//! The project on the disk.
//!
//! Runs one thing only: a Python interpreter with a few lines of ours that look modules up. They are not
//! imported, and the project's own folder is taken off the search path before anything is.

use std::io::Read as _;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use super::project::{Entry, Project};
use crate::run::which;
use crate::sys::env::Env;
use crate::sys::{fs, text};

/// The largest file that is read.
const MAX_BYTES: u64 = 4 << 20;
/// The most names taken from one folder.
const MAX_NAMES: usize = 10_000;
/// The most that an interpreter may answer.
const MAX_ANSWER: u64 = 64 << 10;

/// Prints each module that is found, then a dot. `-c` puts the current folder first on the search path; it is
/// taken off before anything is looked up, so that no file of the project is taken for a module. The rest of the
/// path stays (`-I` would hide what users installed for themselves): the answer is that of the interpreter as
/// checks will start it. A folder without code, a namespace, has no origin and does not count.
const LOOK_UP: &str = "\
import sys
sys.path[:] = [path for path in sys.path if path]
from importlib.util import find_spec
for name in sys.argv[1:]:
    try:
        spec = find_spec(name)
    except Exception:
        spec = None
    if spec is not None and spec.origin:
        print(name)
print('.')
";

/// A folder on the disk.
pub(super) struct Disk<'a> {
    /// The project's root.
    pub(super) root: Utf8PathBuf,
    /// Where programs are looked for.
    pub(super) env: &'a Env,
}

impl Project for Disk<'_> {
    fn read(&self, path: &str) -> Result<Option<String>, String> {
        // A pipe or a device would be read forever.
        if !self.is_file(path) {
            return Ok(None);
        }
        let bytes = fs::read(&self.root.join(path), MAX_BYTES)
            .map_err(|error| format!("it cannot be read ({})", text::one_line(&error.source.to_string())))?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let told = std::str::from_utf8(bytes).map_err(|_| "it cannot be read (it is not UTF-8 text)".to_owned())?;
        Ok(Some(told.to_owned()))
    }

    fn is_file(&self, path: &str) -> bool {
        self.root.join(path).is_file()
    }

    fn is_folder(&self, path: &str) -> bool {
        self.root.join(path).is_dir()
    }

    fn list(&self, folder: &str) -> Vec<Entry> {
        let Ok(found) = self.root.join(folder).read_dir_utf8() else { return Vec::new() };
        let entry = |entry: camino::Utf8DirEntry| {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            Entry { name: entry.file_name().to_owned(), is_folder }
        };
        let mut entries: Vec<_> = found.filter_map(Result::ok).map(entry).take(MAX_NAMES).collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries
    }

    fn has_program(&self, program: &str) -> bool {
        which(program, &self.root, self.env).is_some()
    }

    fn importable(&self, interpreter: &str, modules: &[&str]) -> Option<Vec<String>> {
        let program = which(interpreter, &self.root, self.env)?;
        let answer = ask(&program, modules, &self.root, self.env)?;
        let mut lines: Vec<_> = answer.lines().map(str::trim_end).collect();
        // Without the dot it ended before it had looked for all of them.
        if lines.pop() != Some(".") {
            return None;
        }
        Some(modules.iter().filter(|name| lines.contains(name)).map(|name| (*name).to_owned()).collect())
    }
}

fn ask(program: &Utf8Path, modules: &[&str], root: &Utf8Path, env: &Env) -> Option<String> {
    let mut child = Command::new(program)
        .args(["-c", LOOK_UP])
        .args(modules)
        .current_dir(root)
        .env_clear()
        .envs(env.for_children())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut answer = String::new();
    let read = child.stdout.take()?.take(MAX_ANSWER).read_to_string(&mut answer);
    if answer.len() as u64 >= MAX_ANSWER {
        // It fails only if the child is gone already.
        let _ = child.kill();
    }
    let ended = child.wait().ok()?;
    (read.is_ok() && ended.success()).then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on<'a>(folder: &tempfile::TempDir, env: &'a Env) -> Disk<'a> {
        Disk { root: Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap(), env }
    }

    #[test]
    fn files_are_read_with_a_bound_and_only_if_they_are_text() {
        let folder = tempfile::tempdir().unwrap();
        let env = Env::default();
        let disk = on(&folder, &env);
        std::fs::write(disk.root.join("bom"), b"\xef\xbb\xbfhello").unwrap();
        std::fs::write(disk.root.join("binary"), b"\xff\xfe").unwrap();
        std::fs::File::create(disk.root.join("large")).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(disk.read("bom"), Ok(Some("hello".to_owned())));
        assert_eq!(disk.read("none"), Ok(None));
        assert_eq!(disk.read("."), Ok(None));
        assert_eq!(disk.read("binary"), Err("it cannot be read (it is not UTF-8 text)".to_owned()));
        assert_eq!(disk.read("large"), Err("it cannot be read (it is larger than 4.0 MiB)".to_owned()));
    }

    /// Stands for an interpreter: what is asked is not what matters here, but which answers count.
    #[cfg(unix)]
    fn answering(script: &str) -> Option<Vec<String>> {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let env: Env = [("PATH", "/usr/bin:/bin")].into_iter().collect();
        let disk = on(&folder, &env);
        std::fs::create_dir_all(disk.root.join(".venv/bin")).unwrap();
        let python = disk.root.join(".venv/bin/python");
        std::fs::write(&python, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
        disk.importable(".venv/bin/python", &["black", "pytest"])
    }

    /// Needs Python: an interpreter that ran the project's own `importlib` would give no answer.
    #[cfg(feature = "e2e")]
    #[test]
    fn a_real_interpreter_finds_modules_and_runs_none_of_the_projects_files() {
        let folder = tempfile::tempdir().unwrap();
        let env = Env::from_process();
        let disk = on(&folder, &env);
        for name in ["importlib.py", "json.py", "sitecustomize.py", "own.py"] {
            std::fs::write(disk.root.join(name), "raise SystemExit(3)\n").unwrap();
        }
        std::fs::create_dir(disk.root.join("space")).unwrap();
        let found = disk.importable("python3", &["json", "no_such_module", "own", "space"]);
        assert_eq!(found, Some(vec!["json".to_owned()]));
    }

    #[cfg(unix)]
    #[test]
    fn only_a_whole_answer_counts() {
        assert_eq!(answering("echo pytest; echo ."), Some(vec!["pytest".to_owned()]));
        assert_eq!(answering("echo other; echo ."), Some(vec![]));
        assert_eq!(answering("echo pytest"), None);
        assert_eq!(answering("echo pytest; echo .; exit 1"), None);
        assert_eq!(answering("yes pytest"), None);
    }
}
