//! Files that the runner gives a step, to which several programs add.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use camino::Utf8Path;

use super::Error;
use crate::sys::fs;

/// Adds what `make` returns for the number of bytes that are in the file already, from the beginning of a line.
pub(super) fn append(path: &Utf8Path, make: impl FnOnce(u64) -> Result<String, Error>) -> Result<(), Error> {
    let fail = |source| fs::Error::new("add to", path, source);
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(fail)?;
    let held = file.metadata().map_err(fail)?.len();
    let mut last = [b'\n'];
    if held > 0 {
        file.seek(SeekFrom::Start(held - 1)).and_then(|_| file.read_exact(&mut last)).map_err(fail)?;
    }
    let gap = if last == [b'\n'] { "" } else { "\n" };
    let text = format!("{gap}{}", make(held + gap.len() as u64)?);
    file.write_all(text.as_bytes()).map_err(fail)?;
    Ok(())
}
