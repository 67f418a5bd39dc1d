//! Whether one sample lies above another: the rank sum of Wilcoxon, Mann and Whitney, exactly.
//!
//! Counts, over every way to deal all values out to two samples of these sizes, how many have a rank sum at least as
//! great as the one seen. Equal values share the mean of their ranks, so ties are exact as well. Source: H. B. Mann and
//! D. R. Whitney, *On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other*, Annals of
//! Mathematical Statistics 18 (1947), pages 50 to 60. Deliberately absent: the normal approximation. Where the exact
//! number is out of reach, there are enough values for a proportion or an interval to be the better question.

/// Values of both samples together, at most: what counting costs grows with their fourth power.
pub const MOST: usize = 64;

/// The probability of a rank sum of `above` at least as great as this one if both samples come from the same place:
/// small where `above` lies above `below`. `None` for an empty sample, a value that is not finite, or more than
/// [`MOST`] values.
#[must_use]
pub fn p_above(above: &[f64], below: &[f64]) -> Option<f64> {
    let all: Vec<f64> = above.iter().chain(below).copied().collect();
    if above.is_empty() || below.is_empty() || all.len() > MOST || all.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let ranks = doubled_ranks(&all);
    let seen: usize = ranks[..above.len()].iter().sum();
    let most: usize = ranks.iter().sum();
    // How many ways there are to choose so many ranks with such a sum.
    let mut ways = vec![vec![0.0_f64; most + 1]; above.len() + 1];
    ways[0][0] = 1.0;
    for (dealt, rank) in ranks.iter().enumerate() {
        for chosen in (1..=above.len().min(dealt + 1)).rev() {
            let (fewer, more) = ways.split_at_mut(chosen);
            for sum in *rank..=most {
                more[0][sum] += fewer[chosen - 1][sum - rank];
            }
        }
    }
    let last = ways.last()?;
    let all: f64 = last.iter().sum();
    Some(last[seen..].iter().sum::<f64>() / all)
}

/// Twice the rank of each value, so that the mean of two ranks is whole.
fn doubled_ranks(values: &[f64]) -> Vec<usize> {
    let rank = |value: &f64| {
        let less = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        2 * less + equal + 1
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod unit_tests {
    use proptest::prelude::*;

    use super::*;

    /// By dealing the values out in every way.
    fn by_hand(above: &[f64], below: &[f64]) -> f64 {
        let all: Vec<f64> = above.iter().chain(below).copied().collect();
        // U counts pairs: an independent way to the same order.
        let u = |chosen: &[bool]| -> f64 {
            let pairs = all.iter().zip(chosen).filter(|(_, is)| **is).flat_map(|(a, _)| {
                all.iter()
                    .zip(chosen)
                    .filter(|(_, is)| !**is)
                    .map(move |(b, _)| if a > b { 1.0 } else { f64::from(a == b) / 2.0 })
            });
            pairs.sum()
        };
        let seen = u(&(0..all.len()).map(|at| at < above.len()).collect::<Vec<_>>());
        let deals = (0..1_u32 << all.len()).filter(|deal| deal.count_ones() as usize == above.len());
        let (mut ways, mut extreme) = (0.0, 0.0);
        for deal in deals {
            let chosen: Vec<_> = (0..all.len()).map(|at| deal >> at & 1 == 1).collect();
            ways += 1.0;
            extreme += f64::from(u(&chosen) >= seen - 1e-9);
        }
        extreme / ways
    }

    #[test]
    fn separated_samples_have_the_smallest_probability_there_is() {
        let (low, high) = ([1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]);
        assert!((p_above(&high, &low).unwrap() - 1.0 / 252.0).abs() < 1e-15);
        assert_eq!(p_above(&low, &high), Some(1.0));
        assert!((p_above(&[3.0, 4.0, 5.0], &[0.0, 1.0, 2.0]).unwrap() - 0.05).abs() < 1e-15);
        assert_eq!(p_above(&[1.0; 4], &[1.0; 4]), Some(1.0), "equal values are above nothing");
        for (above, below) in [(&[][..], &[1.0][..]), (&[f64::NAN], &[1.0]), (&[1.0], &[f64::INFINITY])] {
            assert_eq!(p_above(above, below), None);
        }
        assert_eq!(p_above(&[0.0; 33], &[0.0; 32]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_what_enumeration_says_with_and_without_ties(
            above in prop::collection::vec(0..6_i32, 1..7), below in prop::collection::vec(0..6_i32, 1..7),
        ) {
            let (above, below): (Vec<_>, Vec<_>) =
                (above.into_iter().map(f64::from).collect(), below.into_iter().map(f64::from).collect());
            let p = p_above(&above, &below).unwrap();
            prop_assert!((p - by_hand(&above, &below)).abs() < 1e-12, "{p}");
        }
    }
}
