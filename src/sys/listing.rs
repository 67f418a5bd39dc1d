//! What came of asking somebody else for a list: the whole of it, a part, or nothing.

use super::text;

/// What came of asking for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing<T> {
    /// A list.
    Known {
        /// Its entries.
        items: Vec<T>,
        /// Whether there are more than were read.
        truncated: bool,
        /// How many entries could not be read.
        unreadable: usize,
    },
    /// There is nothing that could have such a list, or the token may not see it.
    Absent,
    /// No answer.
    Unknown {
        /// Why.
        why: String,
        /// What to do about it.
        next: String,
    },
}

impl<T> Listing<T> {
    /// A list that is known to be whole.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        Self::Known { items, truncated: false, unreadable: 0 }
    }

    /// The entries that are known.
    #[must_use]
    pub fn items(&self) -> &[T] {
        match self {
            Self::Known { items, .. } => items,
            Self::Absent | Self::Unknown { .. } => &[],
        }
    }

    /// What may be missing, in words.
    #[must_use]
    pub fn gap(&self) -> Option<String> {
        match self {
            Self::Known { truncated: true, .. } => Some("there are more than were read".to_owned()),
            Self::Known { unreadable, .. } if *unreadable > 0 => {
                Some(format!("{} could not be read", text::plural(*unreadable as u64, "entry", "entries")))
            }
            Self::Known { .. } => None,
            Self::Absent => Some("there is none, or the token may not see it".to_owned()),
            Self::Unknown { why, .. } => Some(why.clone()),
        }
    }
}

impl<T> Listing<T> {
    /// The entries that are known, to change them.
    pub fn items_mut(&mut self) -> &mut [T] {
        match self {
            Self::Known { items, .. } => items,
            Self::Absent | Self::Unknown { .. } => &mut [],
        }
    }

    /// Leaves out entries that nobody wants.
    pub fn retain(&mut self, wanted: impl Fn(&T) -> bool) {
        if let Self::Known { items, .. } = self {
            items.retain(wanted);
        }
    }
}
