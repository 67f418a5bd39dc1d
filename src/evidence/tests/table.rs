//! Tests by identity, in the order in which they were first seen.
//!
//! Two sets of hundreds of thousands of tests are added on all cores: each set is kept in parts by the hash of the
//! identities, and part meets part. Hashes are kept, so that no name is read again, and most rows stay where they are.

use std::hash::BuildHasher as _;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use rayon::prelude::*;

use super::{Identity, Repeats, Seen, Test, join};

/// More than machines commonly have cores for; few enough that walking over all of them stays cheap.
const PARTS: usize = 8;
/// Tests from which on threads are worth their while.
const MANY: usize = if cfg!(test) { 30 } else { 10_000 };
/// The most rows of a chunk.
const CHUNK: usize = if cfg!(test) { 4 } else { 512 };

/// The tests. Which part one is in says nothing: it is another in each process.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    parts: [Part; PARTS],
    /// The place of the next new test.
    next: u64,
}

#[derive(Clone, Debug, Default)]
struct Part {
    index: HashTable<Slot>,
    /// None is longer than [`CHUNK`].
    chunks: Vec<Vec<Row>>,
}

/// Where a row is. The hash stands here too, so that the index grows without a look at the rows.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    chunk: u32,
    row: u32,
}

#[derive(Clone, Debug)]
struct Row {
    /// Its place among all tests; ascending in each part.
    place: u64,
    /// What the index of its part goes by.
    hash: u32,
    identity: Identity,
    test: Test,
}

/// The part an identity belongs to, and its hash there.
fn hash(identity: &Identity) -> (usize, u32) {
    // One for the process, or the hashes of two tables would mean different things.
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    let hash = STATE.hash_one(identity);
    #[expect(clippy::cast_possible_truncation, reason = "the halves serve different ends")]
    ((hash >> 32) as usize % PARTS, hash as u32)
}

/// The hash over all bits, of which an index uses the highest and the lowest.
fn spread(hash: u32) -> u64 {
    // 2^64 by the golden ratio: Knuth, The Art of Computer Programming, volume 3, section 6.4.
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Part {
    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.chunks.iter().flatten()
    }

    fn find(&self, hash: u32, identity: &Identity) -> Option<Slot> {
        let is_it = |slot: &Slot| slot.hash == hash && self.row(*slot).identity == *identity;
        self.index.find(spread(hash), is_it).copied()
    }

    fn row(&self, slot: Slot) -> &Row {
        &self.chunks[slot.chunk as usize][slot.row as usize]
    }

    fn join(&mut self, slot: Slot, test: Test, repeats: Repeats) {
        join(&mut self.chunks[slot.chunk as usize][slot.row as usize].test, test, repeats);
    }

    /// Adds one test. Returns whether it was a repeat.
    fn add(&mut self, row: Row, repeats: Repeats) -> bool {
        if let Some(known) = self.find(row.hash, &row.identity) {
            self.join(known, row.test, repeats);
            return true;
        }
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(row),
            None => {
                // The first one grows as it is needed: most parts hold a few tests.
                let mut chunk = Vec::with_capacity(if self.chunks.is_empty() { 0 } else { CHUNK });
                chunk.push(row);
                self.chunks.push(chunk);
            }
        }
        let last = self.chunks.len() - 1;
        self.note(last, self.chunks[last].len() - 1);
        false
    }

    /// Puts rows into the index, from `first` of a chunk on.
    #[expect(clippy::cast_possible_truncation, reason = "memory ends long before 2^32 chunks")]
    fn note(&mut self, chunk: usize, first: usize) {
        for (at, row) in self.chunks[chunk].iter().enumerate().skip(first) {
            let slot = Slot { hash: row.hash, chunk: chunk as u32, row: at as u32 };
            self.index.insert_unique(spread(row.hash), slot, |slot| spread(slot.hash));
        }
    }

    /// Adds the tests of another part of the same number, behind those that are here.
    fn merge(&mut self, other: Self, first: u64, repeats: Repeats) {
        self.index.reserve(other.index.len(), |slot| spread(slot.hash));
        for mut chunk in other.chunks {
            let fresh = chunk.extract_if(.., |row| {
                row.place += first;
                self.find(row.hash, &row.identity).is_some()
            });
            let repeated: Vec<_> = fresh.collect();
            for row in repeated {
                self.add(row, repeats);
            }
            // Half full chunks are worth their list; others would make it long.
            if chunk.len() > CHUNK / 2 {
                self.chunks.push(chunk);
                self.note(self.chunks.len() - 1, 0);
            } else {
                for row in chunk {
                    self.add(row, repeats);
                }
            }
        }
    }
}

impl Table {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.index.len()).sum()
    }

    /// What is known of one test.
    fn get(&self, identity: &Identity) -> Option<&Test> {
        let (part, hash) = hash(identity);
        let part = &self.parts[part];
        part.find(hash, identity).map(|slot| &part.row(slot).test)
    }

    /// The tests in the order in which they were first seen.
    pub(super) fn iter(&self) -> impl Iterator<Item = Seen<'_>> {
        let mut rest = self.parts.each_ref().map(|part| part.rows().peekable());
        let mut places = rest.each_mut().map(|rows| rows.peek().map_or(u64::MAX, |row| row.place));
        std::iter::from_fn(move || {
            let mut next = 0;
            for part in 1..PARTS {
                next = if places[part] < places[next] { part } else { next };
            }
            let row = rest[next].next()?;
            places[next] = rest[next].peek().map_or(u64::MAX, |row| row.place);
            Some((&row.identity, &row.test))
        })
    }

    /// What `of` makes of the tests of each part, on all cores. Which tests share a part must not matter.
    pub(super) fn each_part<T: Send>(&self, of: impl Fn(&mut dyn Iterator<Item = &Test>) -> T + Sync) -> Vec<T> {
        self.map_parts(|part| of(&mut part.rows().map(|row| &row.test)))
    }

    /// The tests that `wanted` names, in the order in which they were first seen; looked for on all cores.
    pub(super) fn filter(&self, wanted: impl Fn(&Test) -> bool + Sync) -> Vec<Seen<'_>> {
        let found = self.map_parts(|part| part.rows().filter(|row| wanted(&row.test)).collect::<Vec<_>>());
        let mut found = found.concat();
        found.sort_unstable_by_key(|row| row.place);
        found.into_iter().map(|row| (&row.identity, &row.test)).collect()
    }

    fn map_parts<'a, T: Send>(&'a self, of: impl Fn(&'a Part) -> T + Sync) -> Vec<T> {
        if self.len() >= MANY { self.parts.par_iter().map(&of).collect() } else { self.parts.iter().map(of).collect() }
    }

    /// Adds one test; a repeat joins the one that is there. Returns whether it was a repeat.
    pub(super) fn add(&mut self, identity: Identity, test: Test, repeats: Repeats) -> bool {
        let (part, hash) = hash(&identity);
        let is_repeat = self.parts[part].add(Row { place: self.next, hash, identity, test }, repeats);
        self.next += u64::from(!is_repeat);
        is_repeat
    }

    /// Adds all tests of another table, behind those that are here.
    pub(super) fn merge(&mut self, other: Self, repeats: Repeats) {
        let (first, many) = (self.next, self.len() + other.len() >= MANY);
        self.next += other.next;
        let pairs = self.parts.iter_mut().zip(other.parts);
        let one = |(part, more): (&mut Part, Part)| part.merge(more, first, repeats);
        if many {
            pairs.par_bridge().for_each(one);
        } else {
            pairs.for_each(one);
        }
    }
}

/// The same tests; the order does not matter.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(identity, test)| other.get(identity) == Some(test))
    }
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::Outcome;

    type Sighting = (u16, bool);

    fn identity(name: u16) -> Identity {
        let empty = || "".into();
        Identity { check: empty(), suite: empty(), class: empty(), name: name.to_string().into(), file: empty() }
    }

    fn table(seen: &[Sighting]) -> Table {
        let mut table = Table::default();
        for (name, fails) in seen {
            let outcome = if *fails { Outcome::Failed } else { Outcome::Passed };
            let test = Test { outcome, flaky: false, attempts: 1, seconds: 0.1, line: None, message: None };
            table.add(identity(*name), test, Repeats::Worst);
        }
        table
    }

    proptest! {
        #[test]
        fn tables_merge_to_the_table_of_all_in_the_order_first_seen(
            seen in prop::collection::vec(prop::collection::vec((0_u16..60, any::<bool>()), 0..40), 0..4),
        ) {
            let mut merged = Table::default();
            seen.iter().for_each(|seen| merged.merge(table(seen), Repeats::Worst));
            let all = seen.concat();
            let at_once = table(&all);
            prop_assert_eq!(&merged, &at_once);
            let mut names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
            let mut known = std::collections::HashSet::new();
            names.retain(|name| known.insert(*name));
            let listed: Vec<_> = merged.iter().map(|(identity, test)| (identity.clone(), test.clone())).collect();
            prop_assert_eq!(listed.len(), merged.len());
            for ((identity, test), name) in listed.iter().zip(&names) {
                prop_assert_eq!(&*identity.name, &*name.to_string());
                let of = || all.iter().filter(|(seen, _)| seen == name);
                let (failed, passed) = (of().any(|(_, fails)| *fails), of().any(|(_, fails)| !fails));
                prop_assert_eq!((test.outcome == Outcome::Failed, test.flaky), (failed, failed && passed));
                prop_assert_eq!(test.attempts as usize, of().count());
            }
        }
    }

    #[test]
    fn other_tests_make_another_table() {
        let one = table(&[(1, false), (2, false)]);
        assert_eq!(one, table(&[(2, false), (1, false)]));
        assert_ne!(one, table(&[(1, false), (3, false)]));
        assert_ne!(one, table(&[(1, false), (2, true)]));
        assert_ne!(one, table(&[(1, false)]));
    }
}
