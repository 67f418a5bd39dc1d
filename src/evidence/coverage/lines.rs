//! The executable lines of one source file and how often each of them ran.
//!
//! Reports reach millions of lines, and shards of one build all have the same ones. So where the lines are is kept
//! apart from how often they ran: two shards are added without decoding either.

use std::collections::BTreeMap;

use super::super::sink::Repeat;

/// Executable lines with their hits, ascending by line; five bytes for nearly every line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// The distance of each line from the one before, LEB128.
    steps: Vec<u8>,
    /// For each line its hits, or [`WIDE`].
    hits: Vec<u32>,
    /// Hits of [`WIDE`] and more, by position among the lines.
    wide: BTreeMap<usize, u64>,
    covered: u64,
}

/// Stands for hits that are in [`Lines::wide`].
const WIDE: u32 = u32::MAX;

impl Lines {
    /// From lines in ascending order without repeats.
    pub(super) fn encode(lines: impl Iterator<Item = (u32, u64)>) -> Self {
        let mut out = Self::default();
        let mut before = 0;
        for (line, hits) in lines {
            put(&mut out.steps, line - before);
            before = line;
            out.push(hits);
        }
        out.steps.shrink_to_fit();
        out.hits.shrink_to_fit();
        out
    }

    #[inline(always)] // once a line
    fn push(&mut self, hits: u64) {
        match u32::try_from(hits) {
            Ok(narrow) if narrow != WIDE => self.hits.push(narrow),
            _ => {
                self.wide.insert(self.hits.len(), hits);
                self.hits.push(WIDE);
            }
        }
        self.covered += u64::from(hits > 0);
    }

    /// How many there are.
    pub(super) fn total(&self) -> u64 {
        self.hits.len() as u64
    }

    /// How many of them ran.
    pub(super) fn covered(&self) -> u64 {
        self.covered
    }

    /// Lines and hits, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u64)> {
        let mut rest = self.steps.as_slice();
        let mut line = 0;
        self.all_hits().map(move |hits| {
            line += take(&mut rest);
            (line, hits)
        })
    }

    fn all_hits(&self) -> impl Iterator<Item = u64> {
        self.hits.iter().enumerate().map(|(at, hits)| match *hits {
            WIDE => self.wide.get(&at).copied().unwrap_or(u64::from(WIDE)),
            narrow => u64::from(narrow),
        })
    }

    /// Adds another report's.
    pub(super) fn merge(&mut self, other: &Self, repeat: Repeat) {
        if self.steps != other.steps {
            *self = self.joined(other, repeat);
            return;
        }
        let is_added = match repeat {
            Repeat::Sum => self.add_narrow(other, u32::saturating_add),
            Repeat::Max => self.add_narrow(other, u32::max),
        };
        if !is_added {
            let lines = self.iter().zip(other.all_hits());
            *self = Self::encode(lines.map(|((line, hits), more)| (line, repeat.join(hits, more))));
        }
    }

    /// Adds the hits of the same lines if none of them is or becomes wide; else changes nothing.
    fn add_narrow(&mut self, other: &Self, join: impl Fn(u32, u32) -> u32) -> bool {
        // Both loops run to their end, so that the compiler takes several lines at once.
        let joined = self.hits.iter().zip(&other.hits).map(|(hits, more)| join(*hits, *more));
        let wide = joined.fold(0_u32, |wide, hits| wide | u32::from(hits == WIDE));
        if wide > 0 {
            return false;
        }
        let mut covered = 0_u32;
        for (hits, more) in self.hits.iter_mut().zip(&other.hits) {
            *hits = join(*hits, *more);
            covered += u32::from(*hits > 0);
        }
        self.covered = u64::from(covered);
        true
    }

    /// The lines of both.
    fn joined(&self, other: &Self, repeat: Repeat) -> Self {
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        Self::encode(std::iter::from_fn(move || match (left.peek(), right.peek()) {
            (Some(&(a, hits)), Some(&(b, more))) if a == b => {
                left.next();
                right.next();
                Some((a, repeat.join(hits, more)))
            }
            (Some((a, _)), Some((b, _))) if a < b => left.next(),
            (Some(_), None) => left.next(),
            _ => right.next(),
        }))
    }
}

#[inline(always)] // once a line
fn put(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

#[inline(always)] // once a line
fn take(bytes: &mut &[u8]) -> u32 {
    let mut value = 0;
    let mut shift = 0;
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
        shift += 7;
    }
    value
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines near each other and far apart; hits of every width, or small ones only.
    fn lines() -> impl Strategy<Value = BTreeMap<u32, u64>> {
        let of = |hits: BoxedStrategy<u64>| {
            let line = prop_oneof![1_u32..40, 1_u32..100_000, Just(u32::MAX)];
            prop::collection::btree_map(line, hits, 0..40)
        };
        prop_oneof![of((0_u64..3).boxed()), of(hits())]
    }

    fn hits() -> BoxedStrategy<u64> {
        let near = u64::from(WIDE);
        prop_oneof![Just(0), 1_u64..9, near - 2..near + 2, Just(near / 2 + 1), Just(u64::MAX), any::<u64>()].boxed()
    }

    fn encoded(lines: &BTreeMap<u32, u64>) -> Lines {
        Lines::encode(lines.iter().map(|(line, hits)| (*line, *hits)))
    }

    fn decoded(lines: &Lines) -> BTreeMap<u32, u64> {
        lines.iter().collect()
    }

    proptest! {
        #[test]
        fn lines_survive_their_encoding(lines in lines()) {
            let encoded = encoded(&lines);
            prop_assert_eq!(decoded(&encoded), lines.clone());
            prop_assert_eq!(encoded.total(), lines.len() as u64);
            prop_assert_eq!(encoded.covered(), lines.values().filter(|hits| **hits > 0).count() as u64);
        }

        #[test]
        fn merging_joins_line_by_line(a in lines(), mut b in lines(), is_alike: bool) {
            if is_alike {
                let hits = b.values().copied().chain(std::iter::repeat(1));
                b = a.keys().copied().zip(hits).collect();
            }
            for repeat in [Repeat::Sum, Repeat::Max] {
                let mut want = a.clone();
                for (line, more) in &b {
                    want.entry(*line).and_modify(|hits| *hits = repeat.join(*hits, *more)).or_insert(*more);
                }
                let mut merged = encoded(&a);
                merged.merge(&encoded(&b), repeat);
                // Whichever way was taken, the result is the one that reading it at once would give.
                prop_assert_eq!(merged, encoded(&want));
            }
        }
    }
}
