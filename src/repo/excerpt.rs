//! Lines of a source file in the work tree, for reports that show them.

use std::io::{BufRead as _, BufReader, Read as _};

use camino::Utf8Path;

/// Bytes read of one file.
const MAX_BYTES: u64 = 16 << 20;
/// Bytes kept of one line.
const MAX_LINE: usize = 400;

/// Chosen lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// Number, from 1, and text; a longer line is cut and ends with `…`.
    pub lines: Vec<(u32, String)>,
    /// How many chosen lines were left out because of `max`.
    pub left_out: u64,
}

/// The lines that `wanted` names, at most `max` of them. A file that cannot be read has none.
pub fn excerpt(path: &Utf8Path, wanted: impl Fn(u32) -> bool, max: usize) -> Excerpt {
    let mut out = Excerpt::default();
    let Ok(file) = std::fs::File::open(path) else { return out };
    let mut reader = BufReader::new(file.take(MAX_BYTES));
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if !reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            break;
        }
        if !wanted(number) {
            continue;
        }
        if out.lines.len() == max {
            out.left_out += 1;
            continue;
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        let text = String::from_utf8_lossy(&line);
        let mut kept: String = text.chars().take(MAX_LINE).collect();
        if kept.len() < text.len() {
            kept.push('…');
        }
        out.lines.push((number, kept));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_chosen_bounded_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("a.txt");
        std::fs::write(&path, format!("one\r\ntwo\n{}\nfour", "x".repeat(500))).unwrap();
        let read = excerpt(&path, |line| line != 2, 2);
        assert_eq!(read.lines[0], (1, "one".to_owned()));
        assert_eq!((read.lines[1].0, read.lines[1].1.chars().count()), (3, 401));
        assert_eq!(read.left_out, 1);
        assert_eq!(excerpt(&path.join("none"), |_| true, 9), Excerpt::default());
    }
}
