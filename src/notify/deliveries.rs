//! What receivers have been told of one incident: a small value that the caller keeps between its calls, in a marker
//! of an issue or in history. It holds no address.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::notice::Level;

/// Receivers by name, and what they were told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Deliveries(BTreeMap<String, Delivery>);

/// What one receiver was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// It has a message about the incident.
    Told {
        /// Of this level.
        level: Level,
        /// The message's id, where there is one: it is edited from then on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// It was sent a message, and nobody knows whether it arrived.
    Unclear {
        /// Of this level.
        level: Level,
    },
    /// Its webhook is gone; one at another address may be asked again.
    Gone {
        /// The beginning of the SHA-256 of the address.
        webhook: String,
    },
}

impl Deliveries {
    /// What this receiver was told, if it was told anything.
    #[must_use]
    pub fn of(&self, receiver: &str) -> Option<&Delivery> {
        self.0.get(receiver)
    }

    /// The receiver's message, where it has one that can be edited.
    #[must_use]
    pub fn message(&self, receiver: &str) -> Option<&str> {
        match self.of(receiver)? {
            Delivery::Told { message, .. } => message.as_deref(),
            Delivery::Unclear { .. } | Delivery::Gone { .. } => None,
        }
    }

    /// Remembers.
    pub fn set(&mut self, receiver: &str, delivery: Delivery) {
        self.0.insert(receiver.to_owned(), delivery);
    }

    /// Whether nobody was told anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_being_written() {
        let mut deliveries = Deliveries::default();
        deliveries.set("discord", Delivery::Told { level: Level::Critical, message: Some("123".into()) });
        deliveries.set("slack", Delivery::Told { level: Level::Error, message: None });
        deliveries.set("hook", Delivery::Unclear { level: Level::Audit });
        deliveries.set("old", Delivery::Gone { webhook: "0a1b2c".into() });
        let text = serde_json::to_string(&deliveries).unwrap();
        insta::assert_snapshot!(text, @r#"
        {"discord":{"told":{"level":"critical","message":"123"}},"hook":{"unclear":{"level":"audit"}},"old":{"gone":{"webhook":"0a1b2c"}},"slack":{"told":{"level":"error"}}}
        "#);
        assert_eq!(serde_json::from_str::<Deliveries>(&text).unwrap(), deliveries);
        assert_eq!((deliveries.message("discord"), deliveries.message("slack")), (Some("123"), None));
        assert!(serde_json::from_str::<Deliveries>("{}").unwrap().is_empty());
    }
}
