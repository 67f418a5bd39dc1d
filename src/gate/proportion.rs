//! How sure a proportion is, and the difference of two: intervals at 95 %.
//!
//! Sources: E. B. Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, Journal of the
//! American Statistical Association 22 (1927), pages 209 to 212; R. G. Newcombe, *Interval estimation for the
//! difference between independent proportions*, Statistics in Medicine 17 (1998), pages 873 to 890, method 10. Both
//! stay right at 0 and 1 and for small numbers, where the textbook's interval collapses.

/// Φ⁻¹(0.975).
const Z: f64 = 1.959_963_984_540_054;

/// A share of so many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proportion {
    share: f64,
    of: f64,
}

impl Proportion {
    /// From 0 to 1, of at least one.
    #[must_use]
    pub fn new(share: f64, of: f64) -> Option<Self> {
        ((0.0..=1.0).contains(&share) && of.is_finite() && of >= 1.0).then_some(Self { share, of })
    }

    /// The interval that holds the true share (Wilson's score interval).
    #[must_use]
    pub fn interval(self) -> (f64, f64) {
        let Self { share, of } = self;
        let square = Z * Z;
        let middle = 2.0 * of * share + square;
        let half = Z * (square + 4.0 * of * share * (1.0 - share)).sqrt();
        let all = 2.0 * (of + square);
        (((middle - half) / all).max(0.0), ((middle + half) / all).min(1.0))
    }

    /// The interval that holds the true difference to another share (Newcombe's hybrid score interval).
    #[must_use]
    pub fn difference(self, other: Self) -> (f64, f64) {
        let difference = self.share - other.share;
        let ((low, high), (other_low, other_high)) = (self.interval(), other.interval());
        let down = (self.share - low).hypot(other_high - other.share);
        let up = (high - self.share).hypot(other.share - other_low);
        (difference - down, difference + up)
    }
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;

    fn of(count: f64, of: f64) -> Proportion {
        Proportion::new(count / of, of).unwrap()
    }

    fn near(found: (f64, f64), wanted: (f64, f64)) {
        assert!((found.0 - wanted.0).abs() < 5e-5 && (found.1 - wanted.1).abs() < 5e-5, "{found:?}, not {wanted:?}");
    }

    #[test]
    fn published_intervals_come_out() {
        near(of(81.0, 263.0).interval(), (0.2553, 0.3662));
        near(of(0.0, 20.0).interval(), (0.0, 0.1611));
        // Newcombe's table: 56/70 and 48/80; 9/10 and 3/10; 10/10 and 0/10.
        near(of(56.0, 70.0).difference(of(48.0, 80.0)), (0.0524, 0.3339));
        near(of(9.0, 10.0).difference(of(3.0, 10.0)), (0.1705, 0.8090));
        near(of(10.0, 10.0).difference(of(0.0, 10.0)), (0.6075, 1.0));
    }

    #[test]
    fn what_is_no_share_is_none() {
        for (share, of) in
            [(f64::NAN, 10.0), (1.1, 10.0), (-0.1, 10.0), (0.5, 0.0), (0.5, f64::NAN), (0.5, f64::INFINITY)]
        {
            assert_eq!(Proportion::new(share, of), None);
        }
    }

    proptest! {
        #[test]
        fn more_samples_say_more_and_the_difference_lies_within(
            a in 0.0_f64..=1.0, b in 0.0_f64..=1.0, n in 1.0_f64..1e6, times in 1.0_f64..100.0,
        ) {
            let (few, other) = (Proportion::new(a, n).unwrap(), Proportion::new(b, n).unwrap());
            let (low, high) = few.interval();
            prop_assert!(low <= a + 1e-12 && a <= high + 1e-12 && low >= 0.0 && high <= 1.0);
            let (least, most) = few.difference(other);
            prop_assert!(least <= a - b + 1e-12 && a - b <= most + 1e-12);
            let (more, others) = (Proportion::new(a, n * times).unwrap(), Proportion::new(b, n * times).unwrap());
            let narrow = more.difference(others);
            prop_assert!(narrow.1 - narrow.0 <= most - least + 1e-9);
        }
    }
}
