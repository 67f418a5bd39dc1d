//! Numbers over groups and over time in the report for programs.

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::number;
use crate::check::score::{self, Health};
use crate::record::{self, Record};

/// One number over all groups, with its parts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Score {
    /// 0 to 100.
    pub value: Option<Number>,
    /// A score from here passes.
    pub pass: Option<Number>,
    /// A score from here, and below `pass`, passes with a warning.
    pub warn: Option<Number>,
    /// `healthy`, `warning` or `critical`.
    pub health: Health,
    /// The same with its numbers.
    pub message: String,
    /// What the value would be if excused failures had passed.
    pub excused_value: Option<Number>,
    /// The groups that count; their points add up to the value.
    pub parts: Vec<ScorePart>,
}

/// A group's part of a score.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScorePart {
    /// The group.
    pub group: String,
    /// Its weight.
    pub weight: Option<Number>,
    /// Checks that passed.
    pub passed: u64,
    /// Checks that did not, and are excused.
    pub excused: u64,
    /// Checks that were planned.
    pub total: u64,
    /// Whether none of its checks was executed.
    pub missing: bool,
    /// What it adds to the value.
    pub points: Option<Number>,
    /// What it could add.
    pub full_points: Option<Number>,
}

impl From<&score::Score> for Score {
    fn from(score: &score::Score) -> Self {
        let parts = score.parts.iter().map(|part| ScorePart {
            group: part.group.clone(),
            weight: number(part.weight),
            passed: part.passed,
            excused: part.excused,
            total: part.total,
            missing: part.missing,
            points: number(part.points),
            full_points: number(part.full_points),
        });
        Self {
            value: number(score.value),
            pass: number(score.pass),
            warn: number(score.warn),
            health: score.health(),
            message: score.message(),
            excused_value: number(score.excused_value),
            parts: parts.collect(),
        }
    }
}

/// A metric over runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Trend {
    /// Its name.
    pub metric: String,
    /// Its values, oldest first; the last is this run's.
    pub points: Vec<TrendPoint>,
}

/// One value of a trend.
#[derive(Debug, Serialize, Deserialize)]
pub struct TrendPoint {
    /// The run.
    pub run: String,
    /// When it began: RFC 3339, UTC.
    pub started_at: String,
    /// The value; null where it was not a finite number.
    pub value: Option<Number>,
}

/// The trends of a record.
pub(super) fn trends(record: &Record) -> Vec<Trend> {
    let point = |point: &record::TrendPoint| TrendPoint {
        // A record does not name itself.
        run: if point.run.is_empty() { record.id.clone() } else { point.run.clone() },
        started_at: point.started_at.to_string(),
        value: point.value.and_then(number),
    };
    let trend = |trend: &record::Trend| Trend {
        metric: trend.metric.clone(),
        points: trend.points.iter().map(point).collect(),
    };
    record.trends.iter().map(trend).collect()
}
