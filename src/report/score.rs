//! The score with its parts: the same words in every form of report.

use crate::check::score::{self, Score};
use crate::sys::text;

/// A group's part, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The group.
    pub group: &'a str,
    /// Checks that passed: `1 of 3, 1 excused`.
    pub passed: String,
    /// Its weight.
    pub weight: String,
    /// What it adds to the score: `16.7 of 50`.
    pub points: String,
}

/// The score, with as many decimals as tell it from one that passes.
#[must_use]
pub fn value(score: &Score) -> String {
    text::number_pair(score.value, score.pass, 1).0
}

/// Its parts, in the order of the settings.
#[must_use]
pub fn parts(score: &Score) -> Vec<Part<'_>> {
    score.parts.iter().map(part).collect()
}

fn part(part: &score::Part) -> Part<'_> {
    let note = match (part.missing, part.excused) {
        (true, _) => ", none executed".to_owned(),
        (false, 0) => String::new(),
        (false, excused) => format!(", {excused} excused"),
    };
    let points = text::number_pair(part.points, part.full_points, 1).0;
    let full = text::number_pair(part.full_points, f64::NAN, 1).0;
    Part {
        group: &part.group,
        passed: format!("{} of {}{note}", part.passed, part.total),
        weight: text::number(part.weight),
        points: format!("{points} of {full}"),
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::record::Record;

    #[test]
    fn parts_say_what_was_excused_and_what_was_not_looked_at() {
        let record: Record = serde_json::from_str(include_str!("../../tests/fixtures/records/small.json")).unwrap();
        let mut score = record.score.unwrap();
        score.parts[0].missing = true;
        let told: Vec<_> = parts(&score)
            .into_iter()
            .map(|part| format!("{}: {}; {}; {}", part.group, part.passed, part.weight, part.points))
            .collect();
        assert_eq!(value(&score), "83.3");
        assert_eq!(told, ["lint: 1 of 2, none executed; 1; 16.6 of 33.3", "test: 1 of 1, 1 excused; 2; 66.65 of 66.7"]);
    }
}
