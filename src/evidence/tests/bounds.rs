//! Names and messages within their bounds, for every reader of tests.

use super::super::sink::Sink;
use super::super::{Bound, Level, Limits, Problem};
use crate::sys::text;

/// A name within the bound. A longer one is cut and keeps a hash of the whole, so that two never meet.
pub(super) fn name(sink: &mut dyn Sink, limits: &Limits, name: String, line: u64) -> String {
    if name.len() <= limits.name_bytes {
        return name;
    }
    let size = text::bytes(name.len() as u64);
    let told = format!("a name of {size} was cut to the limit of {}", limits.show(Bound::Name));
    sink.problem(Problem { level: Level::Note, ..Bound::Name.problem(told) }.at_line(line));
    limits.name(&name).into_owned()
}

/// FNV-1a: the same on every machine and in every version.
pub(in crate::evidence) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The start of a text, at most `max` bytes of it.
pub(in crate::evidence) fn cut(mut text: String, max: usize) -> String {
    text.truncate(floor(&text, max));
    text
}

/// The last place at or before `at` where a character begins or the text ends.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The first such place at or after `at`.
fn ceil(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// What is kept of a test's output: its start and its end, because a failure may stand at either.
#[derive(Default)]
pub(in crate::evidence) struct Excerpt {
    start: String,
    end: String,
    left_out: bool,
}

impl Excerpt {
    /// Adds a piece; of all pieces together at most about `max` bytes are kept. Returns by how much it grew.
    pub(in crate::evidence) fn add(&mut self, piece: &str, max: usize) -> usize {
        let before = self.bytes();
        let half = max / 2;
        let mut rest = piece;
        if self.end.is_empty() && self.start.len() < half {
            let take = floor(piece, half - self.start.len());
            self.start.push_str(&piece[..take]);
            rest = &piece[take..];
        }
        if rest.len() > half {
            self.end.clear();
            self.left_out = true;
            rest = &rest[ceil(rest, rest.len() - half)..];
        }
        self.end.push_str(rest);
        // Twice the bound before it is cut back: not once for each piece.
        if self.end.len() > 2 * half {
            let from = ceil(&self.end, self.end.len() - half);
            self.end.drain(..from);
            self.left_out = true;
        }
        self.bytes().saturating_sub(before)
    }

    /// How much is held.
    pub(in crate::evidence) fn bytes(&self) -> usize {
        self.start.len() + self.end.len()
    }

    /// Whether nothing was added.
    pub(in crate::evidence) fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// The text, with a mark where something was left out.
    pub(in crate::evidence) fn text(&self) -> String {
        let gap = if self.left_out { "\n… (cut here)\n" } else { "" };
        format!("{}{gap}{}", self.start, self.end).trim_matches(['\n', '\r']).to_owned()
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn an_excerpt_keeps_both_ends() {
        let mut short = Excerpt::default();
        assert!(short.is_empty());
        for piece in ["é one\n", "two", " three\n"] {
            short.add(piece, 64);
        }
        assert_eq!(short.text(), "é one\ntwo three");
        let mut long = Excerpt::default();
        let mut held = 0;
        for number in 0..1_000 {
            held += long.add(&format!("é{number}\n"), 64);
            assert!(long.bytes() <= 96);
        }
        assert!(held < 9_000);
        let text = long.text();
        assert!(
            text.starts_with("é0\né1\n") && text.ends_with("é998\né999") && text.contains("… (cut here)"),
            "{text}"
        );
        let mut piece = Excerpt::default();
        piece.add(&"é".repeat(1_000), 9);
        assert_eq!(piece.text(), "éé\n… (cut here)\néé");
    }
}
