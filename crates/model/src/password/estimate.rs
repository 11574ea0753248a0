//! The strength estimate: zxcvbn, which counts the guesses a clever attacker needs.

use zeroize::Zeroizing;
use zxcvbn::feedback::Warning;
use zxcvbn::{Entropy, Score};

use super::policy::Feedback;

/// How many letters the estimator sees at most. A password that is strong in its beginning is strong.
const MAX_LETTERS: usize = 100;
/// How many ways to undo substitutions the estimator may try: it looks up every part of the text once for each, about
/// 1.5 ms for [`MAX_LETTERS`].
const MAX_WAYS: usize = 16;
/// The substitutions it tries, one entry per letter they stand for.
const SUBSTITUTIONS: [&str; 12] = ["4@", "8", "({[<", "3", "69", "1!|", "1|7", "0", "5$", "7+", "%", "2"];
/// Substitutions that stand for more than one letter: each may double the ways for the others.
const AMBIGUOUS: &str = "1|7";

/// What makes this password easy to guess; none from score 3 of 4 on (more than 10⁸ guesses).
pub(super) fn find_weakness(password: &str, context: &[&str]) -> Option<Feedback> {
    let end = password.char_indices().nth(MAX_LETTERS).map_or(password.len(), |(at, _)| at);
    let seen = &password[..end];
    let estimate = if count_ways(seen) <= MAX_WAYS {
        zxcvbn::zxcvbn(seen, context)
    } else {
        zxcvbn::zxcvbn(&with_fewer_substitutions(seen), context)
    };
    (estimate.score() < Score::Three).then(|| explain(&estimate))
}

/// How many ways there are to undo substitutions in `text`, at most.
fn count_ways(text: &str) -> usize {
    let present = |letters: &str| letters.chars().filter(|letter| text.contains(*letter)).count();
    let ways: usize = SUBSTITUTIONS.iter().map(|letters| present(letters).max(1)).product();
    ways << present(AMBIGUOUS)
}

/// The same text with one substitution per letter. A symbol is worth as many guesses as another, so this hides no
/// strength but what lies in their variety.
fn with_fewer_substitutions(text: &str) -> Zeroizing<String> {
    let first_of_its_kind = |letter: char| {
        let kind = SUBSTITUTIONS.iter().find(|letters| letters.contains(letter));
        kind.and_then(|letters| letters.chars().next()).unwrap_or(letter)
    };
    Zeroizing::new(text.chars().map(first_of_its_kind).collect())
}

fn explain(estimate: &Entropy) -> Feedback {
    match estimate.feedback().and_then(zxcvbn::feedback::Feedback::warning) {
        Some(
            Warning::StraightRowsOfKeysAreEasyToGuess
            | Warning::ShortKeyboardPatternsAreEasyToGuess
            | Warning::SequencesLikeAbcAreEasyToGuess,
        ) => Feedback::Pattern,
        Some(Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess) => {
            Feedback::Repeat
        }
        Some(
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword
            | Warning::ThisIsSimilarToACommonlyUsedPassword,
        ) => Feedback::Common,
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => Feedback::Date,
        Some(Warning::NamesAndSurnamesByThemselvesAreEasyToGuess | Warning::CommonNamesAndSurnamesAreEasyToGuess) => {
            Feedback::PersonName
        }
        Some(Warning::AWordByItselfIsEasyToGuess) | None => Feedback::MoreWords,
    }
}
