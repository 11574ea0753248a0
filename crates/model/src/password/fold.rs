//! One skeleton for the many spellings of a word: case, width and accents are folded away before anything is
//! compared. Substitutions (`p4ssw0rd`) are not folded but tried, because a `1` may be an `i`, an `l` or a one.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The letters of a text to compare by. Zeroed when dropped.
pub(super) type Skeleton = Zeroizing<Vec<char>>;

/// How many letters one may decompose into; the few ligatures beyond it are kept as they are.
const MAX_EXPANSION: usize = 4;

/// Lower case, compatibility forms decomposed (full-width, ligatures), accents removed.
pub(super) fn skeleton(text: &str) -> Skeleton {
    // One allocation in all but contrived cases, so that no part of a secret is left behind by a growing buffer.
    let mut letters = Vec::with_capacity(text.len() * 2);
    for letter in text.chars() {
        let decomposed = std::iter::once(letter).nfkd();
        if decomposed.clone().nth(MAX_EXPANSION).is_some() {
            letters.push(letter);
        } else {
            letters.extend(decomposed.flat_map(char::to_lowercase).filter(|letter| !is_accent(*letter)));
        }
    }
    Zeroizing::new(letters)
}

/// Diacritics of the Latin, Greek and Cyrillic scripts. Vowel signs of other scripts are letters of their own.
fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// The letters a digit or symbol is commonly put in place of.
pub(super) fn stands_for(letter: char) -> &'static [u8] {
    match letter {
        '@' | '4' => b"a",
        '8' => b"b",
        '(' | '{' | '[' | '<' => b"c",
        '3' | '€' => b"e",
        '6' => b"gb",
        '9' => b"g",
        '#' => b"h",
        '1' | '!' | '|' => b"il",
        '0' => b"o",
        '5' | '$' => b"s",
        '7' => b"tl",
        '+' => b"t",
        '2' => b"z",
        '%' => b"x",
        _ => b"",
    }
}

/// What people put around and between words.
pub(super) fn is_padding(letter: char) -> bool {
    !letter.is_alphabetic()
}

/// The same text without what people put between words.
pub(super) fn without_separators(letters: &[char]) -> Skeleton {
    Zeroizing::new(letters.iter().copied().filter(|letter| !is_separator(*letter)).collect())
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '-' | '_' | '.' | ',' | ';' | ':' | '/' | '\\' | '\'' | '"' | '*' | '~' | '=' | '&')
}
