//! Medians, percentiles, and the Kolmogorov–Smirnov test.

/// The value in the middle; of an empty list 0.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// The value below which the share `part` of the values lies; of an empty list 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index into a list of measurements"
)]
pub(crate) fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part).round() as usize).copied().unwrap_or_default()
}

/// How probable a distance between two samples at least as great as theirs is, if both come from one distribution: the
/// two-sided, two-sample Kolmogorov–Smirnov test with the asymptotic distribution.
#[expect(clippy::cast_precision_loss, reason = "counts of measurements")]
pub(crate) fn same_distribution(first: &[f64], second: &[f64]) -> f64 {
    let (mut a, mut b) = (first.to_vec(), second.to_vec());
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let share = |sorted: &[f64], at: f64| sorted.partition_point(|value| *value <= at) as f64 / sorted.len() as f64;
    let distance = a.iter().chain(&b).map(|at| (share(&a, *at) - share(&b, *at)).abs()).fold(0.0, f64::max);
    let root = (n * m / (n + m)).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    if lambda < 0.2 {
        // The series converges slowly here, and its sum is 1 to ten digits.
        return 1.0;
    }
    let term = |k: i32| (-1.0f64).powi(k - 1) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(from: u32, count: u32) -> Vec<f64> {
        (from..from + count).map(f64::from).collect()
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((percentile(&ramp(0, 101), 0.99) - 99.0).abs() < f64::EPSILON);
    }

    #[test]
    fn equal_samples_are_probable_and_shifted_ones_are_not() {
        assert!(same_distribution(&ramp(0, 300), &ramp(0, 300)) > 0.99);
        assert!(same_distribution(&ramp(0, 300), &ramp(100, 300)) < 1e-6);
        // Distance 0.1 with 300 each: 0.0938 by the usual tables of the asymptotic form.
        let p = same_distribution(&ramp(0, 300), &ramp(30, 300));
        assert!((0.08..0.11).contains(&p), "{p}");
    }
}
