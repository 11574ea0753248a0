//! The blocklist rule: is this password mostly one thing an attacker tries first?
//!
//! Cheap is: one common password (as often as it likes), words from the context (all of them), runs. A password is
//! refused when it is a common password between padding, when cheap letters make up 70 % of it, or when they are all
//! its letters and the digits and symbols beside them are few. Several different words are a passphrase and welcome,
//! so only one common password counts: whichever covers most.

use std::collections::HashMap;
use std::ops::Range;

use super::fold::{self, Skeleton};
use super::policy::Feedback;
use super::{common, walks};

/// Cheap letters in percent of all letters from which a password is refused.
const MAX_CHEAP_PERCENT: usize = 70;
/// How many digits and symbols outweigh cheap words: ten random digits are worth as much as two and a half words.
const ENOUGH_DIGITS: usize = 10;

/// Why the blocklist refuses this password; none if it does not. Sees the whole password, however long.
pub(super) fn find_reason(password: &str, context: &[Skeleton]) -> Option<Feedback> {
    let letters = fold::skeleton(password);
    let joined = fold::without_separators(&letters);
    let mut backwards = joined.clone();
    backwards.reverse();
    let variants: [&[char]; 3] = [&letters, &joined, &backwards];
    variants.into_iter().find_map(|letters| find_reason_in(letters, context))
}

fn find_reason_in(letters: &[char], context: &[Skeleton]) -> Option<Feedback> {
    let mut occurrences = Vec::new();
    for from in 0..letters.len() {
        common::list_occurrences_at(letters, from, &mut occurrences);
    }
    if occurrences.iter().any(|occurrence| is_core(letters, &occurrence.letters)) {
        return Some(Feedback::Common);
    }

    let mut map = Map::new(letters);
    for run in walks::list_runs(letters) {
        map.cover(run);
    }
    let by_runs = map.covered;
    for word in list_context_occurrences(letters, context) {
        map.cover(word);
    }
    let by_context = map.covered - by_runs;
    if map.is_mostly_cheap(0, 0) {
        return Some(if by_context > 0 { Feedback::Context } else { Feedback::Pattern });
    }
    // A word may occur thousands of times and there may be thousands of words: count what each one adds.
    let mut gains: HashMap<usize, Gain> = HashMap::new();
    for occurrence in &occurrences {
        gains.entry(occurrence.word).or_default().add(&map, &occurrence.letters);
    }
    gains.values().any(|gain| map.is_mostly_cheap(gain.letters, gain.alphabetic)).then_some(Feedback::Common)
}

/// Whether the rest of the password is only digits and symbols. A password without letters has no core; it is
/// common when it is a line of the list as a whole.
fn is_core(letters: &[char], core: &Range<usize>) -> bool {
    let around = || letters[..core.start].iter().chain(&letters[core.end..]);
    let is_all = core.len() == letters.len();
    is_all
        || (letters[core.clone()].iter().any(|letter| letter.is_alphabetic())
            && around().all(|letter| fold::is_padding(*letter)))
}

fn list_context_occurrences(letters: &[char], context: &[Skeleton]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for word in context {
        for (from, window) in letters.windows(word.len().max(1)).enumerate() {
            if window.iter().zip(word.iter()).all(|(letter, wanted)| can_be_read_as(*letter, *wanted)) {
                found.push(from..from + word.len());
            }
        }
    }
    found
}

fn can_be_read_as(letter: char, wanted: char) -> bool {
    letter == wanted || fold::stands_for(letter).iter().any(|reading| char::from(*reading) == wanted)
}

/// Which letters are cheap whatever common password is chosen.
struct Map<'a> {
    letters: &'a [char],
    cheap: Vec<bool>,
    covered: usize,
    alphabetic: usize,
    alphabetic_covered: usize,
}

impl<'a> Map<'a> {
    fn new(letters: &'a [char]) -> Self {
        let alphabetic = letters.iter().filter(|letter| letter.is_alphabetic()).count();
        Self { letters, cheap: vec![false; letters.len()], covered: 0, alphabetic, alphabetic_covered: 0 }
    }

    fn cover(&mut self, range: Range<usize>) {
        for at in range {
            if !std::mem::replace(&mut self.cheap[at], true) {
                self.covered += 1;
                self.alphabetic_covered += usize::from(self.letters[at].is_alphabetic());
            }
        }
    }

    /// With `more` letters covered, of which `more_alphabetic` are alphabetic.
    fn is_mostly_cheap(&self, more: usize, more_alphabetic: usize) -> bool {
        let (covered, total) = (self.covered + more, self.letters.len());
        let all_words_are_cheap = self.alphabetic > 0 && self.alphabetic_covered + more_alphabetic == self.alphabetic;
        covered * 100 >= total * MAX_CHEAP_PERCENT || (all_words_are_cheap && total - covered < ENOUGH_DIGITS)
    }
}

/// What one common password covers beyond the map, its occurrences not overlapping.
#[derive(Default)]
struct Gain {
    letters: usize,
    alphabetic: usize,
    end: usize,
}

impl Gain {
    /// Occurrences come in the order of where they begin.
    fn add(&mut self, map: &Map<'_>, range: &Range<usize>) {
        if range.start < self.end {
            return;
        }
        self.end = range.end;
        for at in range.clone().filter(|at| !map.cheap[*at]) {
            self.letters += 1;
            self.alphabetic += usize::from(map.letters[at].is_alphabetic());
        }
    }
}
