//! A set of line numbers of one file.
//!
//! Written as ranges (`1-4,9`), kept as a compressed bitmap. Deliberately absent: hits. Who needs them asks the
//! report; what is stored, compared and shown is only which lines ran.

use std::fmt;
use std::str::FromStr;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

/// Line numbers, from 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LineSet(RoaringBitmap);

/// A text that is not a list of line ranges.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a line or a range of lines, such as 9 or 1-4")]
pub struct NotLines(String);

impl LineSet {
    /// From lines in ascending order; a line that is out of order is added all the same, only more slowly.
    #[must_use]
    pub fn ascending(lines: impl IntoIterator<Item = u32>) -> Self {
        let mut set = RoaringBitmap::new();
        for line in lines {
            if set.try_push(line).is_err() {
                set.insert(line);
            }
        }
        Self(set)
    }

    /// Two sets at once, those marked and those not, from lines in any order. Quick for millions of lines.
    #[must_use]
    pub fn split(lines: impl IntoIterator<Item = (u32, bool)>) -> (Self, Self) {
        let (mut marked, mut other) = (Bits::default(), Bits::default());
        let mut far = (RoaringBitmap::new(), RoaringBitmap::new());
        for (line, is_marked) in lines {
            match (line < DENSE, is_marked) {
                (true, true) => marked.put(line),
                (true, false) => other.put(line),
                (false, true) => drop(far.0.insert(line)),
                (false, false) => drop(far.1.insert(line)),
            }
        }
        let set = |bits: Bits, far: RoaringBitmap| Self(RoaringBitmap::from_lsb0_bytes(0, &bits.into_bytes()) | far);
        (set(marked, far.0), set(other, far.1))
    }

    /// Adds a line. Returns whether it was not there.
    pub fn insert(&mut self, line: u32) -> bool {
        self.0.insert(line)
    }

    /// Adds the lines of another set.
    pub fn extend(&mut self, other: &Self) {
        self.0 |= &other.0;
    }

    /// The lines that are in both sets.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// Whether a line is in it.
    #[must_use]
    pub fn contains(&self, line: u32) -> bool {
        self.0.contains(line)
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter()
    }

    /// The lines from `first` to `last`, both included, ascending.
    pub fn within(&self, first: u32, last: u32) -> impl Iterator<Item = u32> {
        // An empty range has no lines, also where a range type would refuse it.
        let end = if first > last { None } else { Some(last) };
        end.into_iter().flat_map(move |last| self.0.range(first..=last))
    }

    /// Runs of consecutive lines, ascending: first and last.
    #[must_use]
    pub fn ranges(&self) -> Vec<(u32, u32)> {
        let mut out: Vec<(u32, u32)> = Vec::new();
        for line in &self.0 {
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
        let last = self.0.max().unwrap_or(0);
        if u64::from(last) / 8 <= 2 * self.len() {
            let mut bits = Bits::default();
            self.iter().for_each(|line| bits.put(line));
            let mut bytes = vec![BITS];
            bytes.append(&mut bits.into_bytes());
            return bytes;
        }
        let mut set = self.0.clone();
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
                Some(Self(RoaringBitmap::from_lsb0_bytes(0, bits)))
            }
            (&ROARING, bytes) => RoaringBitmap::deserialize_from(bytes).ok().map(Self),
            _ => None,
        }
    }
}

/// Lines below are collected as bits, one for each line up to the last: 128 KiB at most.
const DENSE: u32 = 1 << 20;

/// The first byte of a set that is written as bits, the lowest of each byte first.
const BITS: u8 = 1;
/// The first byte of a set that is written as a roaring bitmap.
const ROARING: u8 = 2;

/// Lines as bits, collected 64 at a time: quickest where they come in ascending order.
#[derive(Default)]
struct Bits {
    words: Vec<u64>,
    /// The word that is being filled and where it belongs.
    word: u64,
    at: usize,
}

impl Bits {
    fn put(&mut self, line: u32) {
        let at = line as usize / 64;
        if at != self.at {
            self.settle();
            self.at = at;
        }
        self.word |= 1 << (line % 64);
    }

    fn settle(&mut self) {
        if self.at >= self.words.len() {
            self.words.resize(self.at + 1, 0);
        }
        self.words[self.at] |= std::mem::take(&mut self.word);
    }

    /// The bits up to the last one, the lowest of each byte first.
    fn into_bytes(mut self) -> Vec<u8> {
        self.settle();
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(used);
        bytes
    }
}

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
        let mut set = RoaringBitmap::new();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let number = |text: &str| text.parse::<u32>().map_err(|_| NotLines(range.to_owned()));
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(NotLines(range.to_owned()));
            }
            set.insert_range(first..=last);
        }
        Ok(Self(set))
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
        for text in ["x", "1-", "-1", "4-1", "1-2-3", "4294967296", "1;2"] {
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
        fn splitting_is_choosing_twice(lines in lines(), marks in prop::collection::vec(any::<bool>(), 200)) {
            let marked: Vec<_> = lines.iter().copied().zip(marks).collect();
            let of = |mark| LineSet::ascending(marked.iter().filter(|(_, is)| *is == mark).map(|(line, _)| *line));
            prop_assert_eq!(LineSet::split(marked.iter().rev().copied()), (of(true), of(false)));
        }
    }

    /// Near each other as in a file, or anywhere.
    fn lines() -> impl Strategy<Value = std::collections::BTreeSet<u32>> {
        let of = |line: BoxedStrategy<u32>| prop::collection::btree_set(line, 0..200);
        prop_oneof![of((0_u32..400).boxed()), of((DENSE - 50..DENSE + 50).boxed()), of(any::<u32>().boxed())]
    }
}
