//! Which way numbers go over time, robustly: one odd run must not make a trend, nor hide one.
//!
//! The slope is the median of the slopes between any two points (H. Theil, *A rank-invariant method of linear and
//! polynomial regression analysis*, 1950; P. K. Sen, Journal of the American Statistical Association 63 (1968), pages
//! 1379 to 1389). Whether there is a trend at all is asked of the signs alone (M. G. Kendall's test with H. B. Mann's
//! variance for ties). Fewer than [`LEAST`] points have none.

use jiff::Timestamp;
use serde::Serialize;

use crate::gate::statistics;

/// Points that are needed to speak of a trend.
pub const LEAST: usize = 8;
/// Points that are looked at, the newest: what a comparison of any two costs grows with their square.
const MOST: usize = 1000;
/// Φ⁻¹(0.995): a trend by chance in one of a hundred series without one.
const Z: f64 = 2.576;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Too few points to say.
    Unknown,
    /// None that stands out from chance.
    Steady,
    /// Upward.
    Rising,
    /// Downward.
    Falling,
}

/// What a series does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// How many points were looked at.
    pub samples: usize,
    /// The value in the middle, in the unit of the values.
    pub median: Option<f64>,
    /// The last one.
    pub last: Option<f64>,
    /// How much it changes each week, where there are enough points to say.
    pub per_week: Option<f64>,
    /// Which way it goes.
    pub direction: Direction,
}

/// The trend of points in order of time. What is not finite is no point.
#[must_use]
pub fn trend(points: &[(Timestamp, f64)]) -> Trend {
    let finite: Vec<_> = points.iter().filter(|(_, value)| value.is_finite()).copied().collect();
    let points = &finite[finite.len().saturating_sub(MOST)..];
    let enough = points.len() >= LEAST;
    Trend {
        samples: points.len(),
        median: statistics::median(points.iter().map(|(_, value)| *value)),
        last: points.last().map(|(_, value)| *value),
        per_week: slope(points).filter(|_| enough),
        direction: if enough { direction(points) } else { Direction::Unknown },
    }
}

fn pairs(points: &[(Timestamp, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().enumerate().flat_map(|(at, earlier)| {
        points[at + 1..]
            .iter()
            .map(move |later| (later.0.duration_since(earlier.0).as_secs_f64() / (7.0 * 86_400.0), later.1 - earlier.1))
    })
}

fn slope(points: &[(Timestamp, f64)]) -> Option<f64> {
    statistics::median(pairs(points).filter(|(weeks, _)| *weeks > 0.0).map(|(weeks, change)| change / weeks))
}

fn direction(points: &[(Timestamp, f64)]) -> Direction {
    let sum: f64 = pairs(points).map(|(_, change)| if change == 0.0 { 0.0 } else { change.signum() }).sum();
    let part = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand points")]
    let (all, ties) = (part(points.len() as f64), ties(points).map(|count| part(count as f64)).sum::<f64>());
    let deviation = ((all - ties) / 18.0).sqrt();
    // All values equal: no deviation, and nothing that stands out.
    let z = if deviation > 0.0 { (sum.abs() - 1.0).max(0.0) / deviation } else { 0.0 };
    match (z > Z, sum > 0.0) {
        (false, _) => Direction::Steady,
        (true, true) => Direction::Rising,
        (true, false) => Direction::Falling,
    }
}

/// How many points share each value.
fn ties(points: &[(Timestamp, f64)]) -> impl Iterator<Item = usize> {
    let mut values: Vec<_> = points.iter().map(|(_, value)| *value).collect();
    values.sort_unstable_by(f64::total_cmp);
    let groups: Vec<_> = values.chunk_by(|a, b| a == b).map(<[f64]>::len).collect();
    groups.into_iter()
}

#[cfg(test)]
mod unit_tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn weekly(values: &[f64]) -> Vec<(Timestamp, f64)> {
        let start: Timestamp = "2026-01-04T18:00:00Z".parse().unwrap();
        let at = |week: usize| start + SignedDuration::from_hours(24 * 7 * i64::try_from(week).unwrap());
        values.iter().enumerate().map(|(week, value)| (at(week), *value)).collect()
    }

    #[test]
    fn a_slope_stands_out_and_one_odd_run_does_not() {
        let line: Vec<_> = (0..12).map(f64::from).collect();
        let rising = trend(&weekly(&line));
        assert_eq!((rising.direction, rising.per_week, rising.median), (Direction::Rising, Some(1.0), Some(5.5)));
        let falling = trend(&weekly(&line.iter().map(|value| -value).collect::<Vec<_>>()));
        assert_eq!((falling.direction, falling.per_week), (Direction::Falling, Some(-1.0)));
        let mut odd = [10.0; 12];
        odd[11] = 10_000.0;
        assert_eq!((trend(&weekly(&odd)).direction, trend(&weekly(&odd)).per_week), (Direction::Steady, Some(0.0)));
        let mut hidden = line;
        hidden[3] = 500.0;
        assert_eq!(trend(&weekly(&hidden)).direction, Direction::Rising);
    }

    #[test]
    fn few_points_and_no_numbers_say_nothing() {
        let few = trend(&weekly(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]));
        assert_eq!((few.direction, few.per_week, few.samples), (Direction::Unknown, None, 7));
        let none = trend(&weekly(&[f64::NAN; 20]));
        assert_eq!((none.direction, none.median, none.samples), (Direction::Unknown, None, 0));
        let same: Vec<_> = weekly(&[1.0; 9]).into_iter().map(|(_, value)| (Timestamp::UNIX_EPOCH, value)).collect();
        assert_eq!((trend(&same).direction, trend(&same).per_week), (Direction::Steady, None));
        assert_eq!(trend(&weekly(&vec![1.0; 5000])).samples, MOST);
    }

    proptest! {
        #[test]
        fn upside_down_is_the_other_direction(values in prop::collection::vec(-100.0_f64..100.0, 0..30)) {
            let (up, down) = (trend(&weekly(&values)), trend(&weekly(&values.iter().map(|v| -v).collect::<Vec<_>>())));
            let turned = match up.direction {
                Direction::Rising => Direction::Falling,
                Direction::Falling => Direction::Rising,
                same => same,
            };
            prop_assert_eq!(down.direction, turned);
        }
    }
}
