//! Numbers as one line of marks: how they moved, at a glance.

/// From the least to the greatest value.
const MARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Where there is no finite number.
const GAP: char = '·';

/// One mark for each value, from the least (`▁`) to the greatest (`█`); values that do not differ are all in the
/// middle, and what is not a finite number is a gap. More than `width` values share marks, each the mean of as many
/// neighbours as the others, give or take one.
#[must_use]
pub fn sparkline(values: &[f64], width: usize) -> String {
    let values = fold(values, width);
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (least, greatest) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    // Halved first: the distance of two numbers can be greater than the greatest number.
    let range = greatest / 2.0 - least / 2.0;
    let mark = |value: f64| {
        if !value.is_finite() {
            return GAP;
        }
        if range <= 0.0 {
            return MARKS[3];
        }
        let part = (value / 2.0 - least / 2.0) / range * 7.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 7")]
        let at = part.round() as usize;
        MARKS[at.min(7)]
    };
    values.iter().map(|value| mark(*value)).collect()
}

fn fold(values: &[f64], width: usize) -> Vec<f64> {
    if values.len() <= width || width == 0 {
        return values.to_vec();
    }
    let bound = |at: usize| at * values.len() / width;
    (0..width).map(|at| mean(&values[bound(at)..bound(at + 1)])).collect()
}

/// The mean of what is finite; NaN if nothing is.
fn mean(values: &[f64]) -> f64 {
    let finite: Vec<_> = values.iter().copied().filter(|value| value.is_finite()).collect();
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let count = finite.len() as f64;
    if finite.is_empty() { f64::NAN } else { finite.iter().map(|value| value / count).sum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_between_the_least_and_the_greatest() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 60), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[91.1, 91.4, 90.2], 60), "▆█▁");
        assert_eq!(sparkline(&[-5.0, 5.0], 60), "▁█");
        assert_eq!(sparkline(&[f64::MIN, 0.0, f64::MAX], 60), "▁▅█");
    }

    #[test]
    fn what_does_not_move_stays_in_the_middle() {
        assert_eq!(sparkline(&[3.0, 3.0, 3.0], 60), "▄▄▄");
        assert_eq!(sparkline(&[3.0], 60), "▄");
        assert_eq!(sparkline(&[], 60), "");
    }

    #[test]
    fn what_is_no_number_is_a_gap_and_moves_nothing() {
        assert_eq!(sparkline(&[1.0, f64::NAN, 2.0, f64::INFINITY, f64::NEG_INFINITY], 60), "▁·█··");
        assert_eq!(sparkline(&[f64::NAN], 60), "·");
        assert_eq!(sparkline(&[f64::NAN, 4.0], 60), "·▄");
    }

    #[test]
    fn many_values_share_marks_and_none_is_left_out() {
        let rising: Vec<f64> = (0..1000).map(f64::from).collect();
        let line = sparkline(&rising, 16);
        assert_eq!(line.chars().count(), 16);
        assert!(line.chars().collect::<Vec<_>>().is_sorted(), "{line}");
        assert_eq!(sparkline(&[1.0, 1.0, f64::NAN, f64::NAN, 9.0, 9.0], 3), "▁·█");
        // The last of many values is seen.
        let mut flat = vec![1.0; 100];
        flat[99] = 100.0;
        assert_eq!(sparkline(&flat, 10), "▁▁▁▁▁▁▁▁▁█");
    }
}
