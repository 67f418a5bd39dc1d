//! Tests by identity, in the order in which they were first seen.
//!
//! Two sets of hundreds of thousands of tests are added on all cores: each set is kept in parts by the hash of the
//! identities, and part meets part. Hashes are kept, so that no name is read again.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher};
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use indexmap::map::{Entry, Slice};
use rayon::prelude::*;

use super::{Identity, Repeats, Test, join};

/// More than machines commonly have cores for; few enough that walking over all of them stays cheap.
const PARTS: usize = 8;
/// Tests from which on threads are worth their while.
const MANY: usize = if cfg!(test) { 30 } else { 10_000 };

/// The tests. Which part one is in says nothing: it is another in each process.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    parts: [Part; PARTS],
    /// The place of the next new test.
    next: u64,
}

type Part = IndexMap<Key, Row, BuildHasherDefault<Known>>;

#[derive(Clone, Debug)]
struct Row {
    /// Its place among all tests; ascending in each part.
    place: u64,
    test: Test,
}

/// An identity with its hash.
#[derive(Clone, Debug)]
struct Key {
    hash: u64,
    identity: Identity,
}

impl Key {
    fn new(identity: Identity) -> Self {
        // One for the process, or the hashes of two tables would mean different things.
        static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::default);
        Self { hash: STATE.hash_one(&identity), identity }
    }

    fn part(&self) -> usize {
        // The lowest and the highest bits choose the place in the part.
        (self.hash >> 32) as usize % PARTS
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.identity == other.identity
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Takes the hash that a [`Key`] brings.
#[derive(Clone, Copy, Debug, Default)]
struct Known(u64);

impl Hasher for Known {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        unreachable!("{} bytes are not a hash", bytes.len());
    }
}

impl Table {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(IndexMap::len).sum()
    }

    /// What is known of one test.
    fn get(&self, key: &Key) -> Option<&Test> {
        self.parts[key.part()].get(key).map(|row| &row.test)
    }

    /// The tests in the order in which they were first seen.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Identity, &Test)> {
        self.rows().map(|(key, row)| (&key.identity, &row.test))
    }

    /// What `of` makes of the tests of each part, on all cores. Which tests share a part must not matter.
    pub(super) fn each_part<T: Send>(&self, of: impl Fn(&mut dyn Iterator<Item = &Test>) -> T + Sync) -> Vec<T> {
        let of = |part: &Part| of(&mut part.values().map(|row| &row.test));
        if self.len() >= MANY { self.parts.par_iter().map(of).collect() } else { self.parts.iter().map(of).collect() }
    }

    fn rows(&self) -> impl Iterator<Item = (&Key, &Row)> {
        let mut rest = self.parts.each_ref().map(|part| part.as_slice());
        let place = |part: &Slice<Key, Row>| part.first().map_or(u64::MAX, |(_, row)| row.place);
        let mut places = rest.map(place);
        std::iter::from_fn(move || {
            let mut next = 0;
            for part in 1..PARTS {
                next = if places[part] < places[next] { part } else { next };
            }
            let (first, more) = rest[next].split_first()?;
            (rest[next], places[next]) = (more, place(more));
            Some(first)
        })
    }

    /// Adds one test; a repeat joins the one that is there. Returns whether it was a repeat.
    pub(super) fn add(&mut self, identity: Identity, test: Test, repeats: Repeats) -> bool {
        let key = Key::new(identity);
        let row = Row { place: self.next, test };
        let is_repeat = add(&mut self.parts[key.part()], key, row, repeats);
        self.next += u64::from(!is_repeat);
        is_repeat
    }

    /// Adds all tests of another table, behind those that are here.
    pub(super) fn merge(&mut self, other: Self, repeats: Repeats) {
        let (first, many) = (self.next, self.len() + other.len() >= MANY);
        self.next += other.next;
        let pairs = self.parts.iter_mut().zip(other.parts);
        let one = |(part, more): (&mut Part, Part)| {
            part.reserve(more.len());
            for (key, row) in more {
                add(part, key, Row { place: first + row.place, ..row }, repeats);
            }
        };
        if many {
            pairs.par_bridge().for_each(one);
        } else {
            pairs.for_each(one);
        }
    }
}

/// Adds one test to its part. Returns whether it was a repeat.
fn add(part: &mut Part, key: Key, row: Row, repeats: Repeats) -> bool {
    match part.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(row);
            false
        }
        Entry::Occupied(mut entry) => {
            join(&mut entry.get_mut().test, row.test, repeats);
            true
        }
    }
}

/// The same tests; the order does not matter.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.rows().all(|(key, row)| other.get(key) == Some(&row.test))
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
