//! The nearest known name to a misspelt one.

/// The candidate that a slip of the keyboard most likely meant; none when nothing is near.
pub fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).max(2);
    candidates
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many single-character changes turn one text into the other (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (row, left_char) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, right_char) in right.iter().enumerate() {
            let replaced = previous[column] + usize::from(left_char != *right_char);
            current.push(replaced.min(previous[column + 1] + 1).min(current[column] + 1));
        }
        previous = current;
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_changes() {
        assert_eq!(distance("scale", "scale"), 0);
        assert_eq!(distance("scal", "scale"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let names = ["public_url", "listen", "limits.scale"];
        assert_eq!(nearest("pubic_url", names.into_iter()), Some("public_url"));
        assert_eq!(nearest("limits.scal", names.into_iter()), Some("limits.scale"));
        assert_eq!(nearest("telemetry", names.into_iter()), None);
    }
}
