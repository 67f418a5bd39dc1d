//! What a job printed: the end of it.

use super::client::Client;
use super::error::Error;
use super::receive::Tail;
use super::words::Slug;

/// The largest log whose end is read.
const MAX_LOG: u64 = 1 << 30;

/// The end of a job's log. It is text from outside, and may begin in the middle of a character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTail {
    /// The last bytes.
    pub bytes: Vec<u8>,
    /// Bytes of the whole log.
    pub total: u64,
}

impl LogTail {
    /// The lines that are whole, without what is no text.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let is_cut = self.total > self.bytes.len() as u64;
        let text = String::from_utf8_lossy(&self.bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        text.lines().skip(usize::from(is_cut)).map(str::to_owned).collect()
    }
}

impl Client {
    /// The last `keep` bytes of what a job printed. The log lies in a storage, which does not see the token.
    ///
    /// # Errors
    /// A log that is gone or not there yet, which [`Error::is_missing`]; one larger than 1 GiB; whatever else keeps it
    /// away.
    pub fn job_log(&self, repository: &Slug, job: u64, keep: usize) -> Result<LogTail, Error> {
        let mut tail = Tail::of(keep, MAX_LOG);
        let path = format!("{}/actions/jobs/{job}/logs", repository.path());
        self.receive(&format!("read the log of job {job}"), &path, &mut tail)?;
        Ok(LogTail { bytes: tail.bytes.into(), total: tail.total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_shown() {
        let lines = |bytes: &[u8], total: u64| LogTail { bytes: bytes.to_vec(), total }.lines();
        assert_eq!(lines(b"\xef\xbb\xbfone\r\ntwo\n", 11), ["one", "two"]);
        assert_eq!(lines(b"\xa9 cut\nwhole\nlast", 999), ["whole", "last"]);
        assert_eq!(lines(b"no end of a line", 999), Vec::<String>::new());
        assert_eq!(lines(b"", 0), Vec::<String>::new());
    }
}
