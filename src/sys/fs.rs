//! Files, with the path in every error.
//!
//! There is no function here that reads a file of any size into memory: a bound is always given.

use std::fs;
use std::io::{self, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};

/// A failed file operation: what was tried, on which path, and why it failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {source}")]
pub struct Error {
    /// What was tried, as a verb: `read`, `write`, `create`.
    pub action: &'static str,
    /// The path it was tried on.
    pub path: Utf8PathBuf,
    /// The system's answer.
    pub source: io::Error,
}

impl Error {
    /// Ties an I/O error to its path.
    pub fn new(action: &'static str, path: impl Into<Utf8PathBuf>, source: io::Error) -> Self {
        Self { action, path: path.into(), source }
    }

    /// What the user can do about it, where the cause tells.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => Some("check the owner and the permissions of that path"),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Some("make room on that disk, or choose another folder with --report-dir")
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                Some("a file stands where a folder is needed: move it, or choose another folder with --report-dir")
            }
            _ => None,
        }
    }
}

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// The system's error, or `FileTooLarge` past the bound.
pub fn read(path: &Utf8Path, max: u64) -> Result<Vec<u8>, Error> {
    let fail = |source| Error::new("read", path, source);
    let file = fs::File::open(path).map_err(fail)?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > max {
        let told = format!("it is larger than {}", super::text::bytes(max));
        return Err(fail(io::Error::new(io::ErrorKind::FileTooLarge, told)));
    }
    Ok(bytes)
}

/// Creates a folder and its parents.
///
/// # Errors
/// The system's error, with the path.
pub fn create_dir_all(path: &Utf8Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|source| Error::new("create the folder", path, source))
}

/// Writes a file so that a reader sees either the old content or all of the new one, also if this program is killed.
///
/// # Errors
/// The system's error, with the path; the old content then still stands.
pub fn write_atomic(path: &Utf8Path, content: &[u8]) -> Result<(), Error> {
    replace(path, content, |_| Ok(()))
}

/// [`write_atomic`] for what cannot be made again: the content is on the disk when this returns, also if the machine
/// stops. It costs the wait for the disk.
///
/// # Errors
/// The same.
pub fn write_durable(path: &Utf8Path, content: &[u8]) -> Result<(), Error> {
    replace(path, content, fs::File::sync_data)
}

/// [`write_durable`] for content that is made while it is written. The outer error of `make` is the writer's.
///
/// # Errors
/// The same, or what `make` says; the old content then still stands.
pub fn write_from<T, E: From<Error>>(
    path: &Utf8Path,
    make: impl FnOnce(&mut dyn Write) -> io::Result<Result<T, E>>,
) -> Result<T, E> {
    let fail = |source| Error::new("write", path, source);
    let mut file = beside(path).map_err(fail)?;
    let made = {
        let mut out = io::BufWriter::with_capacity(1 << 20, file.as_file_mut());
        let made = make(&mut out).map_err(fail)??;
        out.flush().map_err(fail)?;
        made
    };
    file.as_file().sync_data().map_err(fail)?;
    set_shared_mode(file.as_file()).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(made)
}

/// A temporary file in the folder of `path`.
fn beside(path: &Utf8Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    tempfile::Builder::new().prefix(".mgmt-").suffix(".tmp").tempfile_in(folder)
}

fn replace(path: &Utf8Path, content: &[u8], settle: fn(&fs::File) -> io::Result<()>) -> Result<(), Error> {
    let fail = |source| Error::new("write", path, source);
    let mut file = beside(path).map_err(fail)?;
    file.write_all(content).and_then(|()| settle(file.as_file())).map_err(fail)?;
    set_shared_mode(file.as_file()).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// Temporary files are private; a report is meant to be read by others, as a plainly created file is.
#[cfg(unix)]
fn set_shared_mode(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_shared_mode(_file: &fs::File) -> io::Result<()> {
    Ok(())
}

/// A path from outside, if it is a relative one of plain names: the same on every system, and below whatever it is
/// joined to.
#[must_use]
pub fn plain_path(name: &str) -> Option<Utf8PathBuf> {
    let is_plain = |part: &str| {
        let odd = |ch: char| ch.is_control() || "\\:<>|?*\"".contains(ch);
        !part.is_empty() && part != "." && part != ".." && !part.contains(odd) && !part.ends_with(['.', ' '])
    };
    (name.len() <= 1_000 && name.split('/').all(is_plain)).then(|| Utf8PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_keeps_the_old_content_and_leaves_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let target = root.join("report.md");
        write_atomic(&target, b"one").unwrap();
        write_atomic(&target, b"two").unwrap();
        assert_eq!(read(&target, 10).unwrap(), b"two");
        fs::create_dir(root.join("folder")).unwrap();
        assert!(write_atomic(&root.join("folder"), b"x").is_err());
        let names: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn a_bound_is_a_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap().join("big");
        fs::write(&path, [b'x'; 100]).unwrap();
        assert_eq!(read(&path, 100).unwrap().len(), 100);
        let error = read(&path, 99).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read {path}: it is larger than 99 B"));
    }
}
