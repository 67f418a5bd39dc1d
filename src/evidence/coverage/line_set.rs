//! A set of line numbers of one file.
//!
//! Written as ranges (`1-4,9`), kept as bits: 64 lines a word, and only the words that hold a line, so that a hostile
//! report which names line four billion costs no more than another. Deliberately absent: hits. Who needs them asks
//! the report; what is stored, compared and shown is only which lines ran.

use std::fmt;
use std::str::FromStr;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

/// Line numbers, from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LineSet {
    /// Ascending by `at`; none is empty.
    words: Vec<Word>,
}

/// 64 lines that follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Word {
    /// The first of them, divided by 64.
    at: u32,
    /// The lowest bit is the first line.
    bits: u64,
}

/// The most lines that a set may be given by ranges: more than any source file has, less than would fill memory.
const MOST: u64 = 1 << 24;

/// A text that is not a list of line ranges.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a line or a range of lines, such as 9 or 1-4")]
pub struct NotLines(String);

impl LineSet {
    /// From lines in ascending order; lines that are out of order are added all the same, only more slowly.
    #[must_use]
    pub fn ascending(lines: impl IntoIterator<Item = u32>) -> Self {
        let mut words = Vec::new();
        lines.into_iter().for_each(|line| put(&mut words, line / 64, 1 << (line % 64)));
        Self::of(words)
    }

    /// Two sets at once, those marked and those not, from lines in any order. Quick for millions of lines.
    #[must_use]
    pub fn split(lines: impl IntoIterator<Item = (u32, bool)>) -> (Self, Self) {
        let (mut marked, mut other) = (Vec::new(), Vec::new());
        let (mut at, mut bits) = (0, [0_u64; 2]);
        let mut settle = |at: u32, bits: &mut [u64; 2]| {
            let [unmarked, is_marked] = std::mem::take(bits);
            put(&mut other, at, unmarked);
            put(&mut marked, at, is_marked);
        };
        for (line, is_marked) in lines {
            if line / 64 != at {
                settle(at, &mut bits);
                at = line / 64;
            }
            bits[usize::from(is_marked)] |= 1 << (line % 64);
        }
        settle(at, &mut bits);
        (Self::of(marked), Self::of(other))
    }

    /// From words in any order.
    fn of(mut words: Vec<Word>) -> Self {
        if !words.is_sorted_by(|a, b| a.at < b.at) {
            words.sort_unstable_by_key(|word| word.at);
            words.dedup_by(|next, word| {
                let is_same = next.at == word.at;
                word.bits |= if is_same { next.bits } else { 0 };
                is_same
            });
        }
        Self { words }
    }

    /// Adds a line. Returns whether it was not there.
    pub fn insert(&mut self, line: u32) -> bool {
        let (at, bit) = (line / 64, 1 << (line % 64));
        match self.words.binary_search_by_key(&at, |word| word.at) {
            Ok(known) => {
                let word = &mut self.words[known];
                let is_new = word.bits & bit == 0;
                word.bits |= bit;
                is_new
            }
            Err(place) => {
                self.words.insert(place, Word { at, bits: bit });
                true
            }
        }
    }

    /// Adds the lines of another set.
    pub fn extend(&mut self, other: &Self) {
        self.words.extend_from_slice(&other.words);
        *self = Self::of(std::mem::take(&mut self.words));
    }

    /// The lines that are in both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut rest = other.words.as_slice();
        let mut words = Vec::new();
        for word in &self.words {
            let skip = rest.iter().take_while(|other| other.at < word.at).count();
            rest = &rest[skip..];
            if let Some(other) = rest.first().filter(|other| other.at == word.at) {
                put(&mut words, word.at, word.bits & other.bits);
            }
        }
        Self { words }
    }

    /// Whether a line is in it.
    #[must_use]
    #[inline(always)] // once a changed line
    pub fn contains(&self, line: u32) -> bool {
        let known = self.words.binary_search_by_key(&(line / 64), |word| word.at);
        known.is_ok_and(|known| self.words[known].bits & 1 << (line % 64) != 0)
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.bits.count_ones())).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The lines, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().flat_map(|word| word.lines())
    }

    /// The lines from `first` to `last`, both included, ascending.
    pub fn within(&self, first: u32, last: u32) -> impl Iterator<Item = u32> {
        let start = self.words.partition_point(|word| word.at < first / 64);
        let lines =
            self.words[start..].iter().take_while(move |word| word.at <= last / 64).flat_map(|word| word.lines());
        lines.filter(move |line| (first..=last).contains(line))
    }

    /// Runs of consecutive lines, ascending: first and last.
    #[must_use]
    pub fn ranges(&self) -> Vec<(u32, u32)> {
        let mut out: Vec<(u32, u32)> = Vec::new();
        for line in self.iter() {
            match out.last_mut() {
                Some((_, last)) if line.checked_sub(1) == Some(*last) => *last = line,
                _ => out.push((line, line)),
            }
        }
        out
    }

    /// A bit for each line up to the last, or, where that is much more than there are lines, the standard
    /// serialization of roaring bitmaps (github.com/RoaringBitmap/RoaringFormatSpec).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let last = self.words.last().and_then(|word| word.lines().last()).unwrap_or(0);
        if u64::from(last) / 8 <= 2 * self.len() {
            let mut bytes = vec![BITS];
            for word in &self.words {
                bytes.resize(1 + word.at as usize * 8, 0);
                bytes.extend(word.bits.to_le_bytes());
            }
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(used);
            return bytes;
        }
        let mut set: RoaringBitmap = self.iter().collect();
        // Runs of lines take four bytes each, however long they are.
        set.optimize();
        let mut bytes = Vec::with_capacity(1 + set.serialized_size());
        bytes.push(ROARING);
        // Writing to memory cannot fail.
        let _ = set.serialize_into(&mut bytes);
        bytes
    }

    /// The reverse of [`LineSet::to_bytes`]; `None` for bytes that are no set.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&BITS, bits) if bits.len() as u64 * 8 <= u64::from(u32::MAX) => {
                let mut words = Vec::with_capacity(bits.len().div_ceil(8));
                for (at, chunk) in (0..).zip(bits.chunks(8)) {
                    let mut word = [0; 8];
                    word[..chunk.len()].copy_from_slice(chunk);
                    put(&mut words, at, u64::from_le_bytes(word));
                }
                Some(Self { words })
            }
            (&ROARING, bytes) => {
                let set = RoaringBitmap::deserialize_from(bytes).ok().filter(|set| set.len() <= MOST)?;
                Some(Self::ascending(set))
            }
            _ => None,
        }
    }
}

impl Word {
    fn lines(self) -> impl Iterator<Item = u32> {
        let mut rest = self.bits;
        std::iter::from_fn(move || {
            let next = (rest != 0).then(|| self.at * 64 + rest.trailing_zeros())?;
            rest &= rest - 1;
            Some(next)
        })
    }
}

/// Adds lines of one word, to the last word if they are in it.
#[inline(always)] // once a word
fn put(words: &mut Vec<Word>, at: u32, bits: u64) {
    match words.last_mut() {
        _ if bits == 0 => {}
        Some(last) if last.at == at => last.bits |= bits,
        _ => words.push(Word { at, bits }),
    }
}

/// The first byte of a set that is written as bits, the lowest of each byte first.
const BITS: u8 = 1;
/// The first byte of a set that is written as a roaring bitmap.
const ROARING: u8 = 2;

impl FromIterator<u32> for LineSet {
    fn from_iter<I: IntoIterator<Item = u32>>(lines: I) -> Self {
        Self::ascending(lines)
    }
}

impl fmt::Display for LineSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges().into_iter().enumerate() {
            if at > 0 {
                out.write_str(",")?;
            }
            if first == last { write!(out, "{first}")? } else { write!(out, "{first}-{last}")? }
        }
        Ok(())
    }
}

impl FromStr for LineSet {
    type Err = NotLines;

    fn from_str(text: &str) -> Result<Self, NotLines> {
        let mut words = Vec::new();
        let mut left = MOST;
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let number = |text: &str| text.parse::<u32>().map_err(|_| NotLines(range.to_owned()));
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (number(first)?, number(last)?);
            let count = last.checked_sub(first).map(|more| u64::from(more) + 1);
            left = count.and_then(|count| left.checked_sub(count)).ok_or_else(|| NotLines(range.to_owned()))?;
            (first..=last).for_each(|line| put(&mut words, line / 64, 1 << (line % 64)));
        }
        Ok(Self::of(words))
    }
}

impl From<LineSet> for String {
    fn from(set: LineSet) -> Self {
        set.to_string()
    }
}

impl TryFrom<String> for LineSet {
    type Error = NotLines;

    fn try_from(text: String) -> Result<Self, NotLines> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_fold_into_ranges() {
        let set: LineSet = [1, 2, 3, 7, 9, 10, u32::MAX].into_iter().collect();
        assert_eq!(set.to_string(), "1-3,7,9-10,4294967295");
        assert_eq!(LineSet::default().to_string(), "");
        assert_eq!(set.within(3, 9).collect::<Vec<_>>(), [3, 7, 9]);
        assert_eq!(set.within(9, 3).count(), 0);
        assert_eq!(LineSet::ascending([5, 1, 5]).to_string(), "1,5");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["x", "1-", "-1", "4-1", "1-2-3", "1-99999999", "4294967296", "1;2"] {
            assert!(text.parse::<LineSet>().is_err(), "{text}");
        }
        for bytes in [&b"no bitmap"[..], b"", b"\x02no bitmap", b"\x03"] {
            assert_eq!(LineSet::from_bytes(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn sets_survive_all_their_forms(lines in lines()) {
            let set = LineSet::ascending(lines.iter().copied());
            prop_assert_eq!(set.to_string().parse::<LineSet>().unwrap(), set.clone());
            prop_assert_eq!(LineSet::from_bytes(&set.to_bytes()), Some(set.clone()));
            // Two bytes a line are what a list of them would take; a set that is one byte larger says how it is written.
            prop_assert!(set.to_bytes().len() <= 64 + 18 * lines.len());
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), lines.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn sets_are_what_a_tree_of_lines_is(a in lines(), b in lines(), (first, last) in (0_u32..400, 0_u32..400)) {
            let set = |lines: &BTreeSet<u32>| LineSet::ascending(lines.iter().copied());
            let (left, right) = (set(&a), set(&b));
            prop_assert_eq!(left.and(&right), set(&(&a & &b)));
            let mut both = left.clone();
            both.extend(&right);
            prop_assert_eq!(&both, &set(&(&a | &b)));
            let mut one_by_one = left.clone();
            for line in &b {
                prop_assert_eq!(one_by_one.insert(*line), !a.contains(line));
                prop_assert!(one_by_one.contains(*line));
                prop_assert_eq!(left.contains(*line), a.contains(line));
            }
            prop_assert_eq!(both, one_by_one);
            prop_assert_eq!((left.len(), left.is_empty()), (a.len() as u64, a.is_empty()));
            let within = a.iter().copied().filter(|line| (first..=last).contains(line));
            prop_assert_eq!(left.within(first, last).collect::<Vec<_>>(), within.collect::<Vec<_>>());
        }

        #[test]
        fn splitting_is_choosing_twice(lines in lines(), marks in prop::collection::vec(any::<bool>(), 200)) {
            let marked: Vec<_> = lines.iter().copied().zip(marks).collect();
            let of = |mark| LineSet::ascending(marked.iter().filter(|(_, is)| *is == mark).map(|(line, _)| *line));
            prop_assert_eq!(LineSet::split(marked.iter().rev().copied()), (of(true), of(false)));
        }
    }

    /// Near each other as in a file, far down in it, or anywhere.
    fn lines() -> impl Strategy<Value = BTreeSet<u32>> {
        let of = |line: BoxedStrategy<u32>| prop::collection::btree_set(line, 0..200);
        prop_oneof![of((0_u32..400).boxed()), of((1_048_526_u32..1_048_626).boxed()), of(any::<u32>().boxed())]
    }
}
