//! `history:` in `mgmt.yml`.

use std::time::Duration;

use serde_json::json;

use crate::decode::tree::Node;
use crate::decode::{Decoder, Key, schema};

/// How long records are kept, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long.
    pub keep: Duration,
    /// How many, protected ones not counted.
    pub max_runs: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { keep: Duration::from_secs(365 * 86_400), max_runs: 10_000 }
    }
}

/// The keys of `history:`.
pub const KEYS: &[Key] = &[
    Key::optional(
        "keep",
        "How long the records of runs are kept (default 365d); `mgmt history keep ID` keeps one for good.",
        schema::duration,
    ),
    Key::optional(
        "max-runs",
        "How many records are kept, the newest (default 10000).",
        || json!({ "type": "integer", "minimum": 1 }),
    ),
];

impl Settings {
    /// Decodes the map.
    pub fn decode(decoder: &mut Decoder, node: &Node) -> Option<Self> {
        let fields = decoder.fields(node, "history", &[KEYS])?;
        let mut settings = Self::default();
        if let Some(node) = fields.get("keep") {
            settings.keep = decoder.duration(node)?;
        }
        if let Some(node) = fields.get("max-runs") {
            settings.max_runs = decoder.count(node)?;
            if settings.max_runs == 0 {
                let help = Some("write 1 or more".to_owned());
                decoder.error("config.value", &node.place, "a history of no runs remembers nothing", help);
                return None;
            }
        }
        Some(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tree;

    fn decode(text: &str) -> (Option<Settings>, Vec<String>) {
        let node = tree::parse(text).unwrap().unwrap();
        let mut decoder = Decoder::default();
        let settings = Settings::decode(&mut decoder, &node);
        (settings, decoder.finish().into_iter().map(|problem| problem.message).collect())
    }

    #[test]
    fn settings_are_read_or_refused_with_a_reason() {
        let want = Settings { keep: Duration::from_secs(90 * 86_400), max_runs: 500 };
        assert_eq!(decode("{ keep: 90d, max-runs: 500 }"), (Some(want), Vec::new()));
        assert_eq!(decode("{}"), (Some(Settings::default()), Vec::new()));
        assert_eq!(decode("{ max-runs: 0 }"), (None, vec!["a history of no runs remembers nothing".into()]));
        for wrong in ["{ max-runs: -1 }", "{ max-runs: many }", "{ keep: 1y }", "{ max: 1 }"] {
            assert!(!decode(wrong).1.is_empty(), "{wrong}");
        }
    }
}
