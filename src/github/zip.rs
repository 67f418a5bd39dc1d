//! Zip files from outside, unpacked within bounds.
//!
//! What a run of a fork uploads is written by a stranger: names that climb out of the folder, links, a gigabyte of
//! zeros in a kilobyte, two entries of one name. Each of these is an error, and nothing of the archive is used.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use zip::ZipArchive;
use zip::result::ZipError as Broken;

use crate::sys::fs;
use crate::sys::text;

/// What an archive may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZipLimits {
    /// Entries.
    pub entries: usize,
    /// Bytes of all files, unpacked.
    pub bytes: u64,
}

impl Default for ZipLimits {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 2 << 30 }
    }
}

/// The files that came out, as paths below the folder, ascending.
pub type Unpacked = Vec<Utf8PathBuf>;

/// Why an archive is not used.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// It is none, or is cut or damaged.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// An entry that would be written outside the folder, or is not a plain file.
    #[error("the archive holds `{name}`, which {why}")]
    Hostile {
        /// The entry, harmless to print.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// More than is allowed.
    #[error("the archive holds more than {0}")]
    TooLarge(String),
    /// The folder cannot be written.
    #[error(transparent)]
    Folder(#[from] fs::Error),
}

/// Unpacks an archive into a folder that does not hold anything yet.
///
/// # Errors
/// Anything odd about the archive, before or while it is written; the folder may hold some of it then.
pub fn unpack(archive: File, folder: &Utf8Path, limits: ZipLimits) -> Result<Unpacked, ZipError> {
    let damaged = |error: Broken| ZipError::Damaged(text::shorten(&text::one_line(&error.to_string()), 200));
    let mut archive = ZipArchive::new(archive).map_err(damaged)?;
    if archive.len() > limits.entries {
        return Err(ZipError::TooLarge(text::plural(limits.entries as u64, "entry", "entries")));
    }
    // All names are judged before the first byte is written.
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(damaged)?;
        let hostile = |why| ZipError::Hostile { name: text::shorten(&text::one_line(entry.name()), 120), why };
        if entry.is_symlink()
            || entry.unix_mode().is_some_and(|mode| !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000))
        {
            return Err(hostile("is a link or a device"));
        }
        let path = fs::plain_path(entry.name().trim_end_matches('/'))
            .ok_or_else(|| hostile("does not stay inside the folder"))?;
        if entry.is_dir() {
            continue;
        }
        // Systems that do not tell letters' case apart would write both into one file.
        if !seen.insert(path.as_str().to_lowercase()) {
            return Err(hostile("is there twice"));
        }
        files.push((at, path));
    }
    let mut left = limits.bytes;
    let mut written = Vec::with_capacity(files.len());
    for (at, path) in files {
        let mut entry = archive.by_index(at).map_err(damaged)?;
        let target = folder.join(&path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        let unwritable = |error| ZipError::Folder(fs::Error::new("write", &target, error));
        let mut file = File::options().write(true).create_new(true).open(&target).map_err(unwritable)?;
        let mut buffer = [0; 64 << 10];
        loop {
            let read =
                entry.read(&mut buffer).map_err(|error| ZipError::Damaged(text::one_line(&error.to_string())))?;
            if read == 0 {
                break;
            }
            left = left.checked_sub(read as u64).ok_or_else(|| ZipError::TooLarge(text::bytes(limits.bytes)))?;
            file.write_all(&buffer[..read]).map_err(unwritable)?;
        }
        written.push(path);
    }
    written.sort_unstable();
    Ok(written)
}

#[cfg(test)]
mod tests {
    use std::io::Seek as _;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn archive(fill: impl FnOnce(&mut ZipWriter<File>)) -> File {
        let mut writer = ZipWriter::new(tempfile::tempfile().unwrap());
        fill(&mut writer);
        let mut file = writer.finish().unwrap();
        file.rewind().unwrap();
        file
    }

    fn add(writer: &mut ZipWriter<File>, name: &str, content: &[u8]) {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }

    fn unpacked(archive: File, limits: ZipLimits) -> Result<Vec<(String, Vec<u8>)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().join("in");
        let files = unpack(archive, &root, limits).map_err(|error| error.to_string());
        let beside = std::fs::read_dir(folder.path()).unwrap().count();
        assert!(beside <= 1, "something was written beside the folder");
        Ok(files?.into_iter().map(|path| (path.to_string(), std::fs::read(root.join(&path)).unwrap())).collect())
    }

    #[test]
    fn plain_files_come_out_as_they_went_in() {
        let zip = archive(|zip| {
            zip.add_directory("evidence/", SimpleFileOptions::default()).unwrap();
            add(zip, "evidence/b.xml", b"<testsuite/>");
            add(zip, "bundle.json", b"{}");
        });
        let files = unpacked(zip, ZipLimits::default()).unwrap();
        assert_eq!(
            files,
            [("bundle.json".into(), b"{}".to_vec()), ("evidence/b.xml".into(), b"<testsuite/>".to_vec())]
        );
    }

    #[test]
    fn names_that_climb_are_refused_before_anything_is_written() {
        for name in
            ["../x", "a/../../x", "/etc/x", "a//b", "C:/x", "a\\..\\x", "..", "a/./b", "nul\0l", "a\nb", "x.", "a?"]
        {
            let zip = archive(|zip| {
                add(zip, "good", b"1");
                add(zip, name, b"2");
            });
            let said = unpacked(zip, ZipLimits::default()).unwrap_err();
            assert!(said.contains("does not stay inside the folder"), "{name}: {said}");
        }
        for (first, second) in [("a", "A"), ("x/é", "x/É")] {
            let zip = archive(|zip| {
                add(zip, first, b"1");
                add(zip, second, b"2");
            });
            assert!(unpacked(zip, ZipLimits::default()).unwrap_err().contains("is there twice"), "{first} {second}");
        }
        let link = archive(|zip| zip.add_symlink("a", "/etc/passwd", SimpleFileOptions::default()).unwrap());
        assert!(unpacked(link, ZipLimits::default()).unwrap_err().contains("is a link"));
    }

    #[test]
    fn bombs_and_damage_are_errors() {
        let small = ZipLimits { entries: 2, bytes: 1_000 };
        let bomb = archive(|zip| add(zip, "zeros", &vec![0; 100_000]));
        assert_eq!(unpacked(bomb, small).unwrap_err(), "the archive holds more than 1000 B");
        let halves = archive(|zip| ["a", "b"].iter().for_each(|name| add(zip, name, &[0; 600])));
        assert_eq!(unpacked(halves, small).unwrap_err(), "the archive holds more than 1000 B");
        let many = archive(|zip| ["a", "b", "c"].iter().for_each(|name| add(zip, name, b"")));
        assert_eq!(unpacked(many, small).unwrap_err(), "the archive holds more than 2 entries");

        let mut whole = Vec::new();
        archive(|zip| add(zip, "a", &(0..250_u8).collect::<Vec<_>>())).read_to_end(&mut whole).unwrap();
        for cut in 0..whole.len() {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&whole[..cut]).unwrap();
            file.rewind().unwrap();
            assert!(unpacked(file, ZipLimits::default()).is_err(), "cut at {cut}");
        }
    }
}
