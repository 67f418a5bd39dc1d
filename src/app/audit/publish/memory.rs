//! What one audit keeps for the next: in the hidden line, and in history.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Published, Subject};
use crate::app::history::Place;
use crate::history::Error;
use crate::notify::Deliveries;
use crate::retrain::champion::Reign;
use crate::retrain::{Audit, Incident, Remedy};

/// What the next audit has to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The stretch of trouble.
    #[serde(flatten)]
    pub(super) incident: Incident,
    /// The hash of what was told last.
    pub(super) content: String,
    /// Who was told.
    #[serde(default)]
    pub(super) deliveries: Deliveries,
    /// Those of them whose message says what was told before, since it could not be changed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) unheard: BTreeSet<String>,
    /// The model that a worse one has taken the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reign: Option<Reign>,
    /// What was done about this stretch of trouble and those before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) remedies: Vec<Remedy>,
    /// Before which moment nobody knows any more what was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) forgotten: Option<Timestamp>,
}

impl Kept {
    /// Of an incident that nothing else is known of any more.
    pub(super) fn forgotten(incident: Incident, at: Timestamp) -> Self {
        let (content, deliveries, remedies) = (String::new(), Deliveries::default(), Vec::new());
        let unheard = BTreeSet::new();
        Self { incident, content, deliveries, unheard, reign: None, remedies, forgotten: Some(at) }
    }
}

/// History, as far as it knows of the schedule.
pub(super) struct Memory {
    place: Place,
    key: String,
}

impl Memory {
    pub(super) fn of(subject: &Subject<'_>, audit: &Audit) -> Self {
        let key = format!("retrain:{}/{}", audit.repository.to_ascii_lowercase(), audit.workflow);
        Self { place: Place::of(subject.context, subject.config), key }
    }

    /// What is kept there, and whether something that was is lost.
    pub(super) fn recall(&self, published: &mut Published) -> (Option<Kept>, bool) {
        match self.place.ask(|store| store.kept(&self.key)) {
            Ok(Some(text)) => match serde_json::from_str(&text) {
                Ok(kept) => (Some(kept), false),
                // What cannot be read is of no use: it is written anew.
                Err(_) => (None, true),
            },
            // A store that was damaged has been replaced by one that kept nothing.
            Ok(None) => (None, !self.place.take_problems().is_empty()),
            Err(error) => {
                published.failures.push(error.into());
                (None, true)
            }
        }
    }

    /// Keeps it instead of what was kept before.
    pub(super) fn keep(&self, kept: &Kept) -> Result<(), Error> {
        let text = serde_json::to_string(kept).unwrap_or_default();
        self.place.ask(|store| store.keep(&self.key, &text))
    }
}
