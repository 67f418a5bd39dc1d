//! The wall clock, taken as an argument by everything that stores a time.
//!
//! Durations are measured with `std::time::Instant` where they are needed; only dates come from here.

use jiff::{Timestamp, tz::TimeZone};

/// Where dates come from: the system, or one fixed moment in tests.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always this moment.
    Fixed(Timestamp),
}

impl Clock {
    /// The current moment, cut to milliseconds: records and reports store no finer time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => *at,
        };
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// A moment as a file-name stamp in UTC: `20261122T171304123Z`. Sorts as it reads.
#[must_use]
pub fn stamp(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}

/// The moment a [`stamp`] names, or `None` if the text is not one.
#[must_use]
pub fn parse_stamp(text: &str) -> Option<Timestamp> {
    let digits = |from: usize, to: usize| text.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if text.len() != 19 || text.get(8..9)? != "T" || !text.ends_with('Z') {
        return None;
    }
    let iso = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        digits(0, 4)?,
        digits(4, 6)?,
        digits(6, 8)?,
        digits(9, 11)?,
        digits(11, 13)?,
        digits(13, 15)?,
        digits(15, 18)?
    );
    iso.parse().ok()
}

/// A moment for people: `2026-11-22 17:13 UTC`.
#[must_use]
pub fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_round_trip_and_refuse_other_names() {
        let at: Timestamp = "2026-11-22T17:13:04.123Z".parse().unwrap();
        assert_eq!(stamp(at), "20261122T171304123Z");
        assert_eq!(parse_stamp("20261122T171304123Z"), Some(at));
        for other in ["", "latest", "20261122T171304Z", "20261332T171304123Z", "2026-1122T17130412Z"] {
            assert_eq!(parse_stamp(other), None, "{other}");
        }
    }
}
