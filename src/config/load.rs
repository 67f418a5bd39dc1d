//! Finds the file and reads it.

use std::fs;
use std::io;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::{Config, FILE_NAMES, decode};
use crate::decode::Diagnostic;
use crate::notify::settings::SECRET;
use crate::repo;
use crate::sys::{fs as files, text};

/// The largest configuration that is read.
pub const MAX_BYTES: u64 = 1 << 20;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No file with one of the names, from here up to the root.
    #[error("no {} in {from} or above it, up to {root}", FILE_NAMES[0])]
    NotFound {
        /// Where the search began.
        from: Utf8PathBuf,
        /// Where it ended.
        root: Utf8PathBuf,
    },
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(#[from] files::Error),
    /// The file is not text.
    #[error("{path} is not a text file (byte {at} is not UTF-8)")]
    NotText {
        /// The file.
        path: Utf8PathBuf,
        /// The first byte that is not text.
        at: usize,
    },
    /// The text is not a valid configuration.
    #[error("{} in {path}", text::plural(problems.len() as u64, "problem", "problems"))]
    Invalid {
        /// The file, as reports name it.
        path: Utf8PathBuf,
        /// Its text.
        text: String,
        /// What is wrong with it.
        problems: Vec<Diagnostic>,
    },
}

impl LoadError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => {
                Some("`mgmt init` writes one from what it finds; --config FILE names one elsewhere".into())
            }
            Self::Unreadable(error) => match error.source.kind() {
                io::ErrorKind::NotFound => Some("look at the path after --config".into()),
                io::ErrorKind::FileTooLarge => Some(format!("a configuration has at most {}", text::bytes(MAX_BYTES))),
                io::ErrorKind::IsADirectory => Some("it is a folder; name the file in it".into()),
                _ => None,
            },
            Self::NotText { .. } => Some("it is probably the wrong file; a configuration is YAML in UTF-8".into()),
            Self::Invalid { .. } => None,
        }
    }
}

/// Finds and reads the configuration: `file` if given, else the first of [`FILE_NAMES`] from `start` up to the
/// repository's root.
///
/// # Errors
/// See [`LoadError`].
pub fn load(start: &Utf8Path, file: Option<&Utf8Path>) -> Result<Config, LoadError> {
    let (path, root) = locate(start, file)?;
    let shown = path.strip_prefix(&root).unwrap_or(&path).to_owned();
    if fs::metadata(&path).is_ok_and(|meta| meta.is_dir()) {
        let source = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder");
        return Err(files::Error::new("read", &shown, source).into());
    }
    let bytes = files::read(&path, MAX_BYTES).map_err(|mut error| {
        error.path.clone_from(&shown);
        error
    })?;
    read(&bytes, &root, &shown)
}

/// Reads a configuration that lies elsewhere: at another commit, in another repository. `root` is where its paths
/// begin, `shown` what it is called.
///
/// # Errors
/// See [`LoadError`].
pub fn read(bytes: &[u8], root: &Utf8Path, shown: &Utf8Path) -> Result<Config, LoadError> {
    let shown = shown.to_owned();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text,
        Ok(text) => return Err(LoadError::NotText { path: shown, at: text.find('\0').unwrap_or(0) }),
        Err(error) => return Err(LoadError::NotText { path: shown, at: error.valid_up_to() }),
    };
    decode(text, root, &shown).map_err(|problems| LoadError::Invalid {
        path: shown,
        text: hidden(text, &problems),
        problems,
    })
}

/// The text that problems are shown in, without the secrets that some of them are about. Every place stays where it is.
fn hidden(text: &str, problems: &[Diagnostic]) -> String {
    let mut out = text.to_owned();
    for problem in problems.iter().filter(|problem| problem.code == SECRET) {
        let place = problem.place.bytes.clone();
        if out.is_char_boundary(place.start) && out.is_char_boundary(place.end) && place.start <= place.end {
            let stars =
                out[place.clone()].chars().map(|ch| if ch == '\n' { "\n".into() } else { "*".repeat(ch.len_utf8()) });
            let stars: String = stars.collect();
            out.replace_range(place, &stars);
        }
    }
    out
}

/// Where the configuration may lie in the repository at `root`, in the order of the search: what [`load`] looks at,
/// as paths from the root. `None` if `file` names a place outside.
#[must_use]
pub fn candidates(start: &Utf8Path, root: &Utf8Path, file: Option<&Utf8Path>) -> Option<Vec<Utf8PathBuf>> {
    if let Some(file) = file {
        let mut path = Utf8PathBuf::new();
        for part in start.join(file).components() {
            match part {
                Utf8Component::CurDir => {}
                Utf8Component::ParentDir => drop(path.pop()),
                part => path.push(part),
            }
        }
        let inside = path.strip_prefix(root).ok().and_then(|path| files::plain_path(path.as_str()))?;
        return Some(vec![inside]);
    }
    let inside = start.strip_prefix(root).unwrap_or(Utf8Path::new(""));
    Some(inside.ancestors().flat_map(|folder| FILE_NAMES.iter().map(|name| folder.join(name))).collect())
}

fn locate(start: &Utf8Path, file: Option<&Utf8Path>) -> Result<(Utf8PathBuf, Utf8PathBuf), LoadError> {
    if let Some(file) = file {
        let path = start.join(file);
        let folder = path.parent().unwrap_or(start);
        let root = repo::find_root(folder).unwrap_or_else(|| match folder.file_name() {
            Some(".github") => folder.parent().unwrap_or(folder).to_owned(),
            _ => folder.to_owned(),
        });
        return Ok((path, root));
    }
    let repository = repo::find_root(start);
    let top = repository.clone().unwrap_or_else(|| start.to_owned());
    for folder in start.ancestors() {
        for name in FILE_NAMES {
            let path = folder.join(name);
            if path.exists() {
                return Ok((path, repository.unwrap_or_else(|| folder.to_owned())));
            }
        }
        // Outside a repository the search does not leave the folder: what lies above belongs to somebody else.
        if folder == top {
            break;
        }
    }
    Err(LoadError::NotFound { from: start.to_owned(), root: top })
}
