//! Bounds on what is read, because reports come from outside: each with the name under which a project moves it.
//!
//! The defaults are far above what tools write. Passing one is never silent: [`ReadError::Limit`] and the problems made
//! here name the bound, its value and its setting.

use std::borrow::Cow;

use super::problem::LIMIT;
use super::tests::bounds::{cut, hash};
use super::{Problem, ReadError};
use crate::sys::text;

/// Bounds on what a reader accepts. Reports come from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one line, tag or document that must be held at once.
    pub item_bytes: usize,
    /// Nesting of elements or objects.
    pub depth: usize,
    /// Bytes of one name (test, file, function, metric); a longer one is cut, and said to be.
    pub name_bytes: usize,
    /// Bytes of all names of one report together: a few bytes of a report may repeat a long name.
    pub all_names_bytes: usize,
    /// Bytes kept of one failure message.
    pub message_bytes: usize,
    /// Test cases, files or metrics in one report.
    pub entries: usize,
    /// Bytes of one report after decompression.
    pub total_bytes: u64,
    /// Report files of one check.
    pub reports: usize,
    /// Bytes of all report files of one check, as they lie on disk.
    pub reports_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            item_bytes: 16 << 20,
            depth: 200,
            name_bytes: 4 << 10,
            all_names_bytes: 2 << 30,
            message_bytes: 4 << 10,
            entries: 5_000_000,
            total_bytes: 8 << 30,
            reports: 10_000,
            reports_bytes: 32 << 30,
        }
    }
}

/// One of the [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`Limits::item_bytes`].
    Item,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::name_bytes`].
    Name,
    /// [`Limits::all_names_bytes`].
    AllNames,
    /// [`Limits::message_bytes`].
    Message,
    /// [`Limits::entries`].
    Entries,
    /// [`Limits::total_bytes`].
    Report,
    /// [`Limits::reports`].
    Reports,
    /// [`Limits::reports_bytes`].
    AllReports,
}

/// What a bound counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Bytes.
    Bytes,
    /// Whole things.
    Count,
}

impl Bound {
    /// Every bound, in the order of its setting in documents.
    pub const ALL: &'static [Self] = &[
        Self::Item,
        Self::Depth,
        Self::Name,
        Self::AllNames,
        Self::Message,
        Self::Entries,
        Self::Report,
        Self::Reports,
        Self::AllReports,
    ];

    /// Its key under `limits:`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Depth => "depth",
            Self::Name => "name",
            Self::AllNames => "all-names",
            Self::Message => "message",
            Self::Entries => "entries",
            Self::Report => "report",
            Self::Reports => "reports",
            Self::AllReports => "all-reports",
        }
    }

    /// One sentence.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Item => "Bytes of one line, tag, test or metrics document (default 16MiB).",
            Self::Depth => "Nesting of elements, lists and objects (default 200).",
            Self::Name => "Bytes of the name of a test, file, function or metric; longer ones are cut (default 4KiB).",
            Self::AllNames => "Bytes of all names in one report (default 2GiB).",
            Self::Message => "Bytes kept of what a failed test says (default 4KiB).",
            Self::Entries => {
                "Test cases, source files or numbers in one report; lines and branches 16 times that (default 5000000)."
            }
            Self::Report => "Bytes of one report after decompression (default 8GiB).",
            Self::Reports => "Report files of one check (default 10000).",
            Self::AllReports => "Bytes of all report files of one check (default 32GiB).",
        }
    }

    /// What it counts.
    #[must_use]
    pub const fn measure(self) -> Measure {
        match self {
            Self::Depth | Self::Entries | Self::Reports => Measure::Count,
            Self::Item | Self::Name | Self::AllNames | Self::Message | Self::Report | Self::AllReports => {
                Measure::Bytes
            }
        }
    }

    /// The bound with this key.
    #[must_use]
    pub fn find(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|bound| bound.key() == key)
    }

    /// The next step for whoever meets it.
    #[must_use]
    pub fn hint(self) -> String {
        let key = self.key();
        format!(
            "if the report is what it should be, raise `limits: {{ {key}: … }}` in mgmt.yml (`--limit {key}=…` for `inspect` and `convert`)"
        )
    }

    /// The problem of having passed it.
    #[must_use]
    pub fn problem(self, told: impl Into<String>) -> Problem {
        Problem { hint: Some(self.hint()), ..Problem::new(&LIMIT, told) }
    }
}

impl Limits {
    /// The value of a bound.
    #[must_use]
    pub fn get(&self, bound: Bound) -> u64 {
        match bound {
            Bound::Item => self.item_bytes as u64,
            Bound::Depth => self.depth as u64,
            Bound::Name => self.name_bytes as u64,
            Bound::AllNames => self.all_names_bytes as u64,
            Bound::Message => self.message_bytes as u64,
            Bound::Entries => self.entries as u64,
            Bound::Report => self.total_bytes,
            Bound::Reports => self.reports as u64,
            Bound::AllReports => self.reports_bytes,
        }
    }

    /// Sets a bound.
    pub fn set(&mut self, bound: Bound, value: u64) {
        let size = usize::try_from(value).unwrap_or(usize::MAX);
        match bound {
            Bound::Item => self.item_bytes = size,
            Bound::Depth => self.depth = size,
            Bound::Name => self.name_bytes = size,
            Bound::AllNames => self.all_names_bytes = size,
            Bound::Message => self.message_bytes = size,
            Bound::Entries => self.entries = size,
            Bound::Report => self.total_bytes = value,
            Bound::Reports => self.reports = size,
            Bound::AllReports => self.reports_bytes = value,
        }
    }

    /// A bound's value in words: `16.0 MiB`, `200 levels`.
    #[must_use]
    pub fn show(&self, bound: Bound) -> String {
        match (bound, bound.measure()) {
            (Bound::Depth, _) => text::plural(self.depth as u64, "level", "levels"),
            (_, Measure::Bytes) => text::bytes(self.get(bound)),
            (_, Measure::Count) => self.get(bound).to_string(),
        }
    }

    /// The error for `what` being past a bound.
    #[must_use]
    pub fn passed(&self, bound: Bound, what: &'static str) -> ReadError {
        ReadError::Limit { bound, what, limit: self.show(bound) }
    }

    /// A name within the bound. A longer one is cut and keeps a hash of the whole, so that two never meet.
    #[must_use]
    pub(super) fn name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if name.len() <= self.name_bytes {
            return Cow::Borrowed(name);
        }
        let hash = hash(name.as_bytes());
        Cow::Owned(format!("{}…#{hash:016x}", cut(name.to_owned(), self.name_bytes)))
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn every_bound_can_be_found_read_and_set() {
        for (at, bound) in Bound::ALL.iter().enumerate() {
            let mut limits = Limits::default();
            limits.set(*bound, 7_000 + at as u64);
            let moved: Vec<_> =
                Bound::ALL.iter().filter(|other| limits.get(**other) != Limits::default().get(**other)).collect();
            assert_eq!((moved, limits.get(*bound)), (vec![bound], 7_000 + at as u64));
            assert_eq!(Bound::find(bound.key()), Some(*bound));
            assert!(bound.hint().contains(&format!("limits: {{ {}: ", bound.key())), "{}", bound.hint());
            // The sentence states the default as it is written in a setting.
            let default = match bound.measure() {
                Measure::Bytes => text::bytes_setting(Limits::default().get(*bound)),
                Measure::Count => Limits::default().get(*bound).to_string(),
            };
            assert!(bound.doc().ends_with(&format!("(default {default}).")), "{}", bound.doc());
        }
    }
}
