//! What is usual, and what is out of the usual: medians, because one outlier must not move the limit it is held to.
//!
//! Values that are not finite are no measurements and are left out everywhere. Deliberately absent: means and
//! standard deviations. A single slow run among few would hide itself in both.

/// Makes the median absolute deviation of normally distributed values estimate their standard deviation: 1 / Φ⁻¹(3/4).
///
/// Source: P. J. Rousseeuw and C. Croux, *Alternatives to the Median Absolute Deviation*, Journal of the American
/// Statistical Association 88 (1993), pages 1273 to 1283.
pub const MAD_SCALE: f64 = 1.4826;

/// What is usual among some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    /// How many values it is drawn from.
    pub count: usize,
    /// The value in the middle, or half-way between the two there.
    pub median: f64,
    /// How far values usually are from the median, scaled by [`MAD_SCALE`]; in the unit of the values.
    pub deviation: f64,
}

/// How far above the usual a value may be. The widest of the three allowances counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// Fewer values than this say nothing.
    pub samples: usize,
    /// Scaled deviations.
    pub deviations: f64,
    /// A share of the median: 0.5 is half as much again.
    pub relative: f64,
    /// In the unit of the values.
    pub absolute: f64,
}

/// The value in the middle; of an even number, half-way between the two in the middle. `None` without a value.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    middle(&mut finite(values))
}

/// The median absolute deviation, times [`MAD_SCALE`]. 0 for a constant or a single value; `None` without a value.
#[must_use]
pub fn median_absolute_deviation(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    usual(values).map(|usual| usual.deviation)
}

/// Median and scaled deviation together. `None` without a value.
#[must_use]
pub fn usual(values: impl IntoIterator<Item = f64>) -> Option<Usual> {
    let mut values = finite(values);
    let count = values.len();
    let median = middle(&mut values)?;
    values.iter_mut().for_each(|value| *value = (*value - median).abs());
    let deviation = MAD_SCALE * middle(&mut values)?;
    Some(Usual { count, median, deviation })
}

impl Usual {
    /// The greatest value that is still usual: the median and the widest of the allowances. `None` if there are too
    /// few values to say.
    ///
    /// Median plus `deviations` scaled deviations is the rule of C. Leys, C. Ley, O. Klein, P. Bernard and L. Licata,
    /// *Detecting outliers: Do not use standard deviation around the mean, use absolute deviation around the median*,
    /// Journal of Experimental Social Psychology 49 (2013), pages 764 to 766. The two floors are needed because the
    /// deviation of constant or nearly constant values is 0: without them any difference at all would stand out.
    #[must_use]
    pub fn upper_bound(&self, allowance: &Allowance) -> Option<f64> {
        let widest = [
            allowance.deviations * self.deviation,
            allowance.relative * self.median.abs(),
            allowance.absolute,
            // Nothing usual is ever above its own bound, whatever the allowances say.
            0.0,
        ]
        .into_iter()
        .fold(f64::NEG_INFINITY, f64::max);
        (self.count >= allowance.samples.max(1)).then_some(self.median + widest)
    }
}

fn finite(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    values.into_iter().filter(|value| value.is_finite()).collect()
}

/// Reorders the values, all of them finite.
fn middle(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let at = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(at, f64::total_cmp);
    let upper = *upper;
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(lower) if even => Some(f64::midpoint(lower, upper)),
        _ => Some(upper),
    }
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;

    const ALLOWANCE: Allowance = Allowance { samples: 5, deviations: 3.0, relative: 0.5, absolute: 0.1 };

    #[test]
    fn textbook_values_come_out() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 3.0, 2.0]), Some(2.5));
        // The example of the definition: 1, 1, 2, 2, 4, 6, 9 has the median 2 and deviations with the median 1.
        assert_eq!(median_absolute_deviation([1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), Some(MAD_SCALE));
        assert_eq!(median([f64::MAX, f64::MAX]), Some(f64::MAX), "no overflow half-way between two");
    }

    #[test]
    fn few_equal_and_unmeasured_values_are_no_trouble() {
        assert_eq!(median([]), None);
        assert_eq!(usual([f64::NAN, f64::INFINITY, f64::NEG_INFINITY]), None);
        assert_eq!(usual([7.0, f64::NAN]), Some(Usual { count: 1, median: 7.0, deviation: 0.0 }));
        assert_eq!(usual([2.0; 9]), Some(Usual { count: 9, median: 2.0, deviation: 0.0 }));
        assert_eq!(usual([2.0; 4]).unwrap().upper_bound(&ALLOWANCE), None);
        assert_eq!(usual([2.0; 5]).unwrap().upper_bound(&ALLOWANCE), Some(3.0));
        assert_eq!(usual([0.0; 5]).unwrap().upper_bound(&ALLOWANCE), Some(0.1));
        let none = Allowance { samples: 0, deviations: f64::NAN, relative: -1.0, absolute: -1.0 };
        assert_eq!(usual([2.0]).unwrap().upper_bound(&none), Some(2.0));
    }

    #[test]
    fn one_outlier_hardly_moves_the_bound() {
        let calm = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0];
        let with_outlier = [1.0, 1.1, 0.9, 1.05, 0.95, 500.0];
        let bound = |values: [f64; 6]| usual(values).unwrap().upper_bound(&ALLOWANCE).unwrap();
        assert!(bound(with_outlier) < bound(calm) + 0.1, "{} {}", bound(with_outlier), bound(calm));
    }

    proptest! {
        #[test]
        fn order_and_what_is_not_measured_change_nothing(mut values in prop::collection::vec(-1e9_f64..1e9, 1..40)) {
            let before = usual(values.iter().copied());
            values.reverse();
            values.push(f64::NAN);
            values.insert(0, f64::INFINITY);
            prop_assert_eq!(usual(values), before);
        }

        #[test]
        fn half_of_the_values_lie_on_each_side(values in prop::collection::vec(-1e9_f64..1e9, 1..40)) {
            let usual = usual(values.iter().copied()).unwrap();
            let below = values.iter().filter(|value| **value <= usual.median).count();
            let above = values.iter().filter(|value| **value >= usual.median).count();
            prop_assert!(below * 2 >= values.len() && above * 2 >= values.len());
            prop_assert!(usual.deviation >= 0.0);
            let near = values.iter().filter(|value| (**value - usual.median).abs() <= usual.deviation / MAD_SCALE + 1e-6);
            prop_assert!(near.count() * 2 >= values.len());
        }

        #[test]
        fn the_bound_is_never_below_the_median_and_grows_with_each_allowance(
            values in prop::collection::vec(0.0_f64..1e6, 5..40), more in 0.0_f64..10.0,
        ) {
            let usual = usual(values).unwrap();
            let bound = usual.upper_bound(&ALLOWANCE).unwrap();
            prop_assert!(bound >= usual.median);
            for wider in [
                Allowance { deviations: ALLOWANCE.deviations + more, ..ALLOWANCE },
                Allowance { relative: ALLOWANCE.relative + more, ..ALLOWANCE },
                Allowance { absolute: ALLOWANCE.absolute + more, ..ALLOWANCE },
            ] {
                prop_assert!(usual.upper_bound(&wider).unwrap() >= bound);
            }
        }

        #[test]
        fn values_shifted_and_scaled_shift_and_scale_what_is_usual(
            values in prop::collection::vec(-1e3_f64..1e3, 1..20), shift in -1e3_f64..1e3, scale in 0.1_f64..10.0,
        ) {
            let before = usual(values.iter().copied()).unwrap();
            let after = usual(values.iter().map(|value| value * scale + shift)).unwrap();
            prop_assert!((after.median - (before.median * scale + shift)).abs() < 1e-6);
            prop_assert!((after.deviation - before.deviation * scale).abs() < 1e-6);
        }
    }
}
