//! The slots as a calendar: one line for each day, week or year, one sign for each slot.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::retrain::slot::{Class, Row, STATES, Slot, State};

/// Signs in a line.
const WIDTH: usize = 60;
/// Lines; more slots share signs only within a line, so older ones are counted.
const LINES: usize = 100;

/// One line of the strip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The day, or the first day of the week or the year.
    pub label: String,
    /// The state behind each sign; where several slots share one, the worst of them.
    pub states: Vec<State>,
    /// How many slots share a sign, at most.
    pub share: usize,
}

impl Line {
    /// Its signs.
    #[must_use]
    pub fn signs(&self) -> String {
        self.states.iter().map(|state| state.row().sign).collect()
    }
}

/// The lines in order of time, and how many older slots they leave out.
#[must_use]
pub fn strip(slots: &[Slot]) -> (Vec<Line>, usize) {
    let label = labels(slots);
    let groups: Vec<_> = slots.chunk_by(|a, b| label(a.expected_at) == label(b.expected_at)).collect();
    let from = groups.len().saturating_sub(LINES);
    let left = groups[..from].iter().map(|group| group.len()).sum();
    let line = |group: &&[Slot]| {
        let share = group.len().div_ceil(WIDTH).max(1);
        let worst = |slots: &[Slot]| slots.iter().map(|slot| slot.state).max_by_key(|state| rank(*state));
        let states = group.chunks(share).filter_map(worst).collect();
        let label = group.first().map(|slot| label(slot.expected_at)).unwrap_or_default();
        Line { label, states, share }
    };
    (groups[from..].iter().map(line).collect(), left)
}

/// From best to worst; of faults the first in order of precedence.
fn rank(state: State) -> (Class, std::cmp::Reverse<usize>) {
    (state.class(), std::cmp::Reverse(state.precedence()))
}

fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// A day where there are several slots in one, a week where there are several in one, else a year.
fn labels(slots: &[Slot]) -> impl Fn(Timestamp) -> String {
    let days = match (slots.first(), slots.last()) {
        (Some(first), Some(last)) => last.expected_at.duration_since(first.expected_at).as_secs_f64() / 86_400.0,
        _ => 0.0,
    };
    #[expect(clippy::cast_precision_loss, reason = "no history has 2^53 slots")]
    let by_day = slots.len() as f64 / days.max(1.0);
    move |at| {
        let date = date(at);
        let monday = date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).unwrap_or(date);
        if by_day > 1.5 {
            date.to_string()
        } else if by_day * 7.0 > 1.5 {
            monday.to_string()
        } else {
            date.year().to_string()
        }
    }
}

/// The rows of the states that occur, the good ones first.
#[must_use]
pub fn legend(slots: &[Slot]) -> Vec<&'static Row> {
    STATES.iter().rev().filter(|row| slots.iter().any(|slot| slot.state == row.state)).collect()
}
