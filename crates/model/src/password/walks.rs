//! Runs that need no thought: the same letter again, an alphabet, a row or a walk over a keyboard.

use std::ops::Range;

/// Rows of keyboards, top to bottom, unshifted and shifted (United States, Germany, France), and a number pad.
const KEYBOARDS: [[&str; 8]; 3] = [
    [
        "1234567890-=",
        "qwertyuiop[]",
        "asdfghjkl;'",
        "zxcvbnm,./",
        "!@#$%^&*()_+",
        "qwertyuiop{}",
        "asdfghjkl:\"",
        "zxcvbnm<>?",
    ],
    [
        "1234567890ß´",
        "qwertzuiopu+",
        "asdfghjkloa#",
        "yxcvbnm,.-",
        "!\"§$%&/()=?`",
        "qwertzuiopu*",
        "asdfghjkloa'",
        "yxcvbnm;:_",
    ],
    [
        "&e\"'(-e_ca)=",
        "azertyuiop^$",
        "qsdfghjklmu*",
        "wxcvbn,;:!",
        "1234567890°+",
        "azertyuiop¨£",
        "qsdfghjklm%µ",
        "wxcvbn?./§",
    ],
];
const ROWS: usize = 4;
/// How far each row is shifted to the right, in quarters of a key.
const OFFSETS: [i32; ROWS] = [0, 2, 3, 5];
/// A key in quarters.
const KEY: i32 = 4;

/// Lines that are followed from one end to the other, also backwards: rows one after the other, columns, number pad.
const LINES: [&str; 14] = [
    "1234567890",
    "0123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1qay2wsx3edc4rfv5tgb6zhn7ujm8ik,9ol.",
    "qazwsxedcrfvtgbyhnujmikolp",
    "qaywsxedcrfvtgbzhnujmikolp",
    "7894561230",
    "147258369",
    "159357",
    "!@#$%^&*()_+",
    "!\"§$%&/()=?",
];

/// Letters in line that count: fewer occur in any word, and in any number.
const MIN_STRAIGHT: usize = 3;
/// The same for lines that are less well known, and so many that chance finds one.
const MIN_LINE: usize = 4;
/// Neighbouring keys in any direction that count.
const MIN_WALK: usize = 5;
/// Letters that count when two lines take turns (`1q2w3e4r`).
const MIN_BRAIDED: usize = 6;

/// Every run in `letters`; they may overlap.
pub(super) fn list_runs(letters: &[char]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    add_straight_runs(letters, MIN_LINE, &mut runs);
    for keyboard in &KEYBOARDS {
        let keys: Vec<_> = letters.iter().map(|letter| find_key(keyboard, *letter)).collect();
        add_runs(letters.len(), MIN_WALK, |at| are_neighbours(keys[at - 1], keys[at]), &mut runs);
    }
    add_braided_runs(letters, &mut runs);
    runs
}

fn add_straight_runs(letters: &[char], min_line: usize, runs: &mut Vec<Range<usize>>) {
    let step_to = |at: usize| step(letters[at - 1], letters[at]);
    add_runs(letters.len(), MIN_STRAIGHT, |at| letters[at - 1] == letters[at], runs);
    for direction in [1, -1] {
        add_runs(letters.len(), MIN_STRAIGHT, |at| step_to(at) == Some(direction), runs);
        add_runs(letters.len(), MIN_WALK, |at| step_to(at) == Some(2 * direction), runs);
    }
    for line in LINES {
        let places: Vec<_> = letters.iter().map(|letter| find_place(line, *letter)).collect();
        for direction in [1, -1] {
            let goes_on = |at: usize| places[at - 1].zip(places[at]).is_some_and(|(one, next)| next - one == direction);
            add_runs(letters.len(), min_line, goes_on, runs);
        }
    }
}

/// Adds every longest stretch of at least `min` letters in which each letter is linked to the one before it.
fn add_runs(length: usize, min: usize, is_linked: impl Fn(usize) -> bool, runs: &mut Vec<Range<usize>>) {
    let mut from = 0;
    for at in 1..=length {
        if at == length || !is_linked(at) {
            if at - from >= min {
                runs.push(from..at);
            }
            from = at;
        }
    }
}

/// Stretches whose every second letter makes a line, for both halves: `1q2w3e4r`, `a1b2c3d4`, `ababab`.
fn add_braided_runs(letters: &[char], runs: &mut Vec<Range<usize>>) {
    let mut is_strand = vec![false; letters.len()];
    for first in [0, 1] {
        let strand: Vec<char> = letters.iter().skip(first).step_by(2).copied().collect();
        let mut strand_runs = Vec::new();
        add_straight_runs(&strand, MIN_STRAIGHT, &mut strand_runs);
        strand_runs.into_iter().flatten().for_each(|at| is_strand[2 * at + first] = true);
    }
    add_runs(letters.len(), MIN_BRAIDED, |at| is_strand[at - 1] && is_strand[at], runs);
}

/// How far `next` comes after `one` in the alphabet of its script, or among the digits.
fn step(one: char, next: char) -> Option<i32> {
    let place = |letter: char| letter.is_alphanumeric().then(|| i32::try_from(u32::from(letter)).ok()).flatten();
    Some(place(next)? - place(one)?)
}

fn find_place(line: &str, letter: char) -> Option<i32> {
    line.chars().zip(0..).find_map(|(found, place)| (found == letter).then_some(place))
}

fn are_neighbours(one: Option<(i32, i32)>, next: Option<(i32, i32)>) -> bool {
    one.zip(next).is_some_and(|((row, column), (next_row, next_column))| match (row - next_row).abs() {
        0 => (column - next_column).abs() <= KEY,
        1 => (column - next_column).abs() < KEY,
        _ => false,
    })
}

/// Row, and place from the left in quarters of a key.
fn find_key(keyboard: &[&str; 8], letter: char) -> Option<(i32, i32)> {
    keyboard.iter().enumerate().find_map(|(index, keys)| {
        let row = index % ROWS;
        let column = i32::try_from(keys.chars().position(|key| key == letter)?).ok()?;
        Some((i32::try_from(row).ok()?, column * KEY + OFFSETS[row]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        let mut covered = vec![false; letters.len()];
        list_runs(&letters).into_iter().flatten().for_each(|at| covered[at] = true);
        covered.iter().all(|covered| *covered)
    }

    #[test]
    fn runs_over_keyboards_and_alphabets_are_seen() {
        for text in [
            "aaa",
            "abc",
            "cba",
            "123",
            "987",
            "7890",
            "qwertyuiopasdf",
            "mnbvcxz",
            "qwertzuiop",
            "azertyuiop",
            "yxcvbnm",
            "абвгде",
            "13579",
            "acegi",
            "1qaz2wsx",
            "qazwsxedc",
            "zaq1xsw2cde3",
            "1q2w3e4r5t6y",
            "a1b2c3d4",
            "qawsedrftgyh",
            "147258369",
            "!@#$%^&*",
            "abababab",
            "1212121212",
            "asdfghjkl;'",
        ] {
            assert!(covers(text), "{text}");
        }
    }

    #[test]
    fn words_are_not_runs() {
        for text in ["horse", "correct", "battery", "schmetterling", "velocity", "x7k2p9qm", "日本語の言葉"] {
            let letters: Vec<char> = text.chars().collect();
            assert!(
                list_runs(&letters).iter().map(ExactSizeIterator::len).sum::<usize>() < letters.len() / 2,
                "{text}"
            );
        }
        assert!(list_runs(&[]).is_empty());
    }
}
