//! What is told: one notice, the same for every receiver. Plain text throughout; each receiver escapes for itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How bad it is; the worst one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Somebody has to look now. The only level that may ping.
    Critical,
    /// Something is broken.
    Error,
    /// Something is about to be.
    Warning,
    /// Something was done, and is told for the record. Disturbs nobody where a receiver can be quiet.
    Audit,
}

impl Level {
    /// The words of the configuration, the worst one first.
    pub const WORDS: &[(&str, Self)] =
        &[("critical", Self::Critical), ("error", Self::Error), ("warning", Self::Warning), ("audit", Self::Audit)];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, level)| *level == self).map_or("", |(word, _)| word)
    }
}

/// Where the incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It has begun; also for what is told once and has no end.
    Opened,
    /// It goes on.
    Ongoing,
    /// It is over.
    Recovered,
}

/// A short fact beside the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// What it is.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How bad it is.
    pub level: Level,
    /// What all notices about one incident have in common.
    pub incident: String,
    /// Where the incident stands.
    pub state: State,
    /// One line.
    pub title: String,
    /// Lines.
    pub body: String,
    /// Facts, the most useful ones first: where a receiver has no room, the last ones are left out.
    pub fields: Vec<Field>,
    /// A page that tells more: http or https.
    pub link: Option<String>,
    /// When it came to be known.
    pub time: Timestamp,
}

impl Notice {
    /// Level and state in capitals, as the first word of a message: `CRITICAL`, `ERROR, ongoing`, `RECOVERED`.
    #[must_use]
    pub fn label(&self) -> String {
        let level = self.level.word().to_uppercase();
        match self.state {
            State::Opened => level,
            State::Ongoing => format!("{level}, ongoing"),
            State::Recovered => "RECOVERED".to_owned(),
        }
    }

    /// The colour that says the same, as `0xRRGGBB`.
    #[must_use]
    pub fn colour(&self) -> u32 {
        match (self.state, self.level) {
            (State::Recovered, _) => 0x2e_9e_5b,
            (_, Level::Critical) => 0xb3_00_1b,
            (_, Level::Error) => 0xe0_55_2d,
            (_, Level::Warning) => 0xf0_b4_29,
            (_, Level::Audit) => 0x5b_6b_7b,
        }
    }

    /// Its link, if it is one that can stand in any message: http or https, bounded, nothing in it that could end it.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        let link = self.link.as_deref()?.trim();
        let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"))?;
        let is_plain = link.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"|\\^`{}".contains(&byte));
        (is_plain && link.len() <= 2_048 && rest.starts_with(|ch: char| ch.is_ascii_alphanumeric())).then_some(link)
    }
}

#[cfg(test)]
pub(crate) fn sample() -> Notice {
    Notice {
        level: Level::Error,
        incident: "retrain-2026-47".to_owned(),
        state: State::Opened,
        title: "The weekly retrain did not run".to_owned(),
        body: "Expected on Sunday at 18:00 UTC.\nNothing has started within 12 h.".to_owned(),
        fields: vec![
            Field { name: "Workflow".to_owned(), value: "model-training.yml".to_owned() },
            Field { name: "Next".to_owned(), value: "2026-11-29 18:00 UTC".to_owned() },
        ],
        link: Some("https://github.com/org/app/actions".to_owned()),
        time: "2026-11-23T06:00:00Z".parse().expect("a time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells_level_and_state() {
        let mut notice = sample();
        assert_eq!(notice.label(), "ERROR");
        notice.state = State::Ongoing;
        assert_eq!(notice.label(), "ERROR, ongoing");
        notice.state = State::Recovered;
        assert_eq!((notice.label().as_str(), notice.colour()), ("RECOVERED", 0x2e_9e_5b));
        assert!(Level::Critical < Level::Error && Level::Warning < Level::Audit, "the worst one comes first");
    }

    #[test]
    fn a_link_is_one_or_none() {
        let mut notice = sample();
        for (link, good) in [
            ("https://github.com/o/r/actions/runs/1?x=1#s", true),
            (" http://127.0.0.1:8/x ", true),
            ("javascript:alert(1)", false),
            ("https://", false),
            ("https:///x", false),
            ("https://a.example/>|<!channel>", false),
            ("https://a.example/a b", false),
            ("https://é.example", false),
        ] {
            notice.link = Some(link.to_owned());
            assert_eq!(notice.link(), good.then(|| link.trim()), "{link}");
        }
        notice.link = Some(format!("https://a.example/{}", "x".repeat(2_048)));
        assert_eq!(notice.link(), None);
    }
}
