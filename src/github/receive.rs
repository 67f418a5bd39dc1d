//! Where the bytes of a download go: a file, or a bounded end of them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Seek as _, Write as _};

use sha2::{Digest as _, Sha256};

use super::error::Cause;

/// Takes bytes as they come. A download may begin anew.
pub(super) trait Receive {
    /// Takes away what an earlier try left.
    fn start(&mut self) -> Result<(), Cause>;

    /// The next bytes.
    fn add(&mut self, bytes: &[u8]) -> Result<(), Cause>;
}

/// Into a file, with its hash.
pub(super) struct Copy<'a> {
    out: &'a mut File,
    limit: u64,
    written: u64,
    hash: Sha256,
}

impl<'a> Copy<'a> {
    /// At most `limit` bytes.
    pub(super) fn to(out: &'a mut File, limit: u64) -> Self {
        Self { out, limit, written: 0, hash: Sha256::new() }
    }

    /// SHA-256 of what was written, in hexadecimal.
    pub(super) fn hash(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Receive for Copy<'_> {
    fn start(&mut self) -> Result<(), Cause> {
        (self.written, self.hash) = (0, Sha256::new());
        self.out.set_len(0).and_then(|()| self.out.rewind()).map_err(unwritable)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        self.written += bytes.len() as u64;
        if self.written > self.limit {
            return Err(Cause::TooLarge { limit: self.limit });
        }
        self.hash.update(bytes);
        self.out.write_all(bytes).map_err(unwritable)
    }
}

fn unwritable(error: std::io::Error) -> Cause {
    Cause::Unreadable(format!("it cannot be stored: {error}"))
}

/// The last bytes alone; the others are only counted.
pub(super) struct Tail {
    keep: usize,
    limit: u64,
    /// The last bytes so far, at most `keep`.
    pub(super) bytes: VecDeque<u8>,
    /// All bytes so far.
    pub(super) total: u64,
}

impl Tail {
    /// The last `keep` of at most `limit` bytes.
    pub(super) fn of(keep: usize, limit: u64) -> Self {
        Self { keep, limit, bytes: VecDeque::new(), total: 0 }
    }
}

impl Receive for Tail {
    fn start(&mut self) -> Result<(), Cause> {
        self.bytes.clear();
        self.total = 0;
        Ok(())
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        self.total += bytes.len() as u64;
        if self.total > self.limit {
            return Err(Cause::TooLarge { limit: self.limit });
        }
        let bytes = &bytes[bytes.len().saturating_sub(self.keep)..];
        let surplus = (self.bytes.len() + bytes.len()).saturating_sub(self.keep);
        self.bytes.drain(..surplus);
        self.bytes.extend(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_the_end_however_the_bytes_come() {
        for parts in [&["abcdef"][..], &["a", "b", "c", "d", "e", "f"], &["abcd", "", "ef"], &["", "a", "bcdef"]] {
            for keep in 0..8 {
                let mut tail = Tail::of(keep, 100);
                tail.add(b"an earlier try").unwrap();
                tail.start().unwrap();
                parts.iter().for_each(|part| tail.add(part.as_bytes()).unwrap());
                let kept: Vec<u8> = tail.bytes.iter().copied().collect();
                assert_eq!((kept.as_slice(), tail.total), (&b"abcdef"[6 - keep.min(6)..], 6), "{parts:?} {keep}");
            }
        }
        assert!(matches!(Tail::of(2, 3).add(b"abcd"), Err(Cause::TooLarge { limit: 3 })));
    }
}
