//! The list of common passwords: searched in the file as it is, so it costs nothing to load.
//!
//! The sorted list is walked like a tree: a [`Branch`] is the run of lines that begin with the letters read so far.

use std::ops::Range;

use super::fold;

/// See `data/README.md` for where it comes from.
const LINES: &[u8] = include_bytes!("../../data/common-passwords.txt");

/// A common password somewhere in a text.
pub(super) struct Occurrence {
    /// Which letters of the text it covers.
    pub(super) letters: Range<usize>,
    /// Which word it is: where its line begins in the list.
    pub(super) word: usize,
}

/// The lines that share their first `depth` letters: a range of bytes that begins and ends at line starts.
#[derive(Clone, Copy)]
struct Branch {
    from: usize,
    to: usize,
    depth: usize,
}

impl Branch {
    const ROOT: Self = Self { from: 0, to: LINES.len(), depth: 0 };

    /// The lines of this branch that go on with `letter`.
    fn descend(self, letter: u8) -> Option<Self> {
        let from = self.first_line_not_below(letter);
        let to = Self { from, ..self }.first_line_not_below(letter + 1);
        (from < to).then_some(Self { from, to, depth: self.depth + 1 })
    }

    /// Where the first line starts whose next letter is `letter` or greater.
    fn first_line_not_below(self, letter: u8) -> usize {
        let (mut low, mut high) = (self.from, self.to);
        while low < high {
            let start = start_of_line(usize::midpoint(low, high)).max(low);
            if LINES.get(start + self.depth).is_some_and(|found| *found < letter) {
                low = end_of_line(start);
            } else {
                high = start;
            }
        }
        low
    }

    /// Whether the letters read so far are a whole line, which then is the first one.
    fn is_word(self) -> bool {
        LINES.get(self.from + self.depth) == Some(&b'\n')
    }
}

fn start_of_line(position: usize) -> usize {
    LINES[..position].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1)
}

/// One past the line break.
fn end_of_line(position: usize) -> usize {
    LINES[position..].iter().position(|byte| *byte == b'\n').map_or(LINES.len(), |length| position + length + 1)
}

/// Every common password that begins at letter `from`, with substitutions read both ways. More substitutions than
/// letters are chance: almost any number can be read as some word.
pub(super) fn list_occurrences_at(letters: &[char], from: usize, found: &mut Vec<Occurrence>) {
    collect(&letters[from..], 0, Branch::ROOT, &mut |branch| {
        found.push(Occurrence { letters: from..from + branch.depth, word: branch.from });
    });
}

fn collect(letters: &[char], substitutions: usize, branch: Branch, found: &mut impl FnMut(Branch)) {
    if branch.is_word() && 2 * substitutions <= branch.depth {
        found(branch);
    }
    let Some(letter) = letters.get(branch.depth).copied() else { return };
    if let Some(deeper) =
        u8::try_from(letter).ok().filter(u8::is_ascii_graphic).and_then(|itself| branch.descend(itself))
    {
        collect(letters, substitutions, deeper, found);
    }
    for deeper in fold::stands_for(letter).iter().filter_map(|reading| branch.descend(*reading)) {
        collect(letters, substitutions + 1, deeper, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurrences(text: &str) -> Vec<String> {
        let letters: Vec<char> = text.chars().collect();
        let mut found = Vec::new();
        list_occurrences_at(&letters, 0, &mut found);
        let line = |word: usize| String::from_utf8_lossy(&LINES[word..end_of_line(word) - 1]).into_owned();
        found
            .iter()
            .filter(|occurrence| occurrence.letters.end == letters.len())
            .map(|occurrence| line(occurrence.word))
            .collect()
    }

    #[test]
    fn the_list_is_sorted_and_holds_lower_case_ascii() {
        assert!(LINES.ends_with(b"\n"));
        let lines: Vec<&[u8]> = LINES[..LINES.len() - 1].split(|byte| *byte == b'\n').collect();
        assert!(lines.len() > 49_000);
        assert!(lines.is_sorted_by(|one, next| one < next));
        assert!(lines.iter().all(|line| line.len() >= 3));
        assert!(LINES.iter().all(|byte| *byte == b'\n' || (byte.is_ascii_graphic() && !byte.is_ascii_uppercase())));
    }

    /// Proves: V6.2.4
    #[test]
    fn every_word_of_the_list_is_found() {
        for line in LINES[..LINES.len() - 1].split(|byte| *byte == b'\n') {
            let word = String::from_utf8_lossy(line);
            assert!(occurrences(&word).iter().any(|found| *found == word), "{word}");
        }
    }

    #[test]
    fn substitutions_are_read_as_the_letters_they_stand_for() {
        assert!(occurrences("p@$$w0rd").contains(&"password".to_owned()));
        assert!(occurrences("m1chae1").contains(&"michael".to_owned()));
        assert!(occurrences("123456").contains(&"123456".to_owned()));
        assert!(occurrences("zzyzxqqv").is_empty() && occurrences("1337@$$").is_empty());
        assert!(occurrences("").is_empty() && occurrences("日本").is_empty());
    }
}
