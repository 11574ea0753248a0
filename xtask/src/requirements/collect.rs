//! Reading `Proves:` lines out of test files.

use super::identifier::Identifier;
use crate::repository::SourceFile;

const MARK: &str = "Proves:";

/// How a language writes comments and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// `///` above `fn name`.
    Rust,
    /// `//` or `/** */` above `test("name"` or `fact("name"`.
    Script,
}

impl Language {
    /// The language of a file that may hold tests.
    pub(super) fn of(file: &SourceFile) -> Option<Self> {
        if file.has_extension(&["rs"]) {
            return Some(Self::Rust);
        }
        file.has_extension(&["ts", "mjs"]).then_some(Self::Script)
    }

    /// The words of a comment line, nothing for other lines.
    fn comment(self, line: &str) -> Option<&str> {
        let text = match self {
            Self::Rust => line.strip_prefix("///")?,
            Self::Script => ["//", "/**", "*/", "*"].iter().find_map(|start| line.strip_prefix(start))?,
        };
        Some(text.trim().trim_end_matches("*/").trim())
    }

    /// The name of the test that begins on this line.
    fn test_name(self, line: &str) -> Option<String> {
        match self {
            Self::Rust => {
                let (before, after) = line.split_once("fn ")?;
                let is_function = before.split_whitespace().all(|word| word == "async" || word.starts_with("pub"));
                let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                (is_function && !name.is_empty()).then_some(name)
            }
            Self::Script => {
                let call = ["test", "it", "fact"].iter().find_map(|name| line.strip_prefix(name))?;
                call.starts_with(['(', '.']).then_some(())?;
                let start = call.find(['"', '\'', '`'])?;
                let quote = call[start..].chars().next()?;
                call[start + 1..].split(quote).next().map(str::to_owned)
            }
        }
    }

    /// Whether a function proves something without being marked as a test: the checks that many tests call do.
    fn is_test_by_itself(self, name: &str) -> bool {
        self == Self::Script || name.starts_with("check_")
    }

    /// Whether a line may stand between the comment and its test.
    fn may_stand_between(self, line: &str) -> bool {
        self == Self::Rust && (line.starts_with("#[") || line.starts_with("//") || line == ")]" || line.ends_with(','))
    }
}

/// What one file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Pairs of what is proved and by which test.
    pub(super) proofs: Vec<(Identifier, String)>,
    /// `line: what is wrong`.
    pub(super) mistakes: Vec<String>,
}

/// Collects every proof of a file.
pub(super) fn collect(language: Language, text: &str) -> Found {
    let mut found = Found::default();
    let mut open: Option<Claim> = None;
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if let Some(words) = language.comment(line) {
            match (&mut open, words.strip_prefix(MARK)) {
                (Some(claim), Some(ids)) => claim.add(ids),
                (None, Some(ids)) => open = Some(Claim::new(number + 1, ids)),
                (Some(claim), None) if claim.continues => claim.add(words),
                _ => {}
            }
            continue;
        }
        let Some(claim) = &mut open else { continue };
        match language.test_name(line) {
            Some(name) if claim.is_of_a_test || language.is_test_by_itself(&name) => found.add(claim, &name),
            None if language.may_stand_between(line) => {
                claim.is_of_a_test |= line.starts_with("#[") && line.contains("test");
                continue;
            }
            Some(_) | None => found.mistakes.push(format!("{}: `{MARK}` without a test below it", claim.line)),
        }
        open = None;
    }
    if let Some(claim) = open {
        found.mistakes.push(format!("{}: `{MARK}` without a test below it", claim.line));
    }
    found
}

impl Found {
    fn add(&mut self, claim: &Claim, test: &str) {
        for word in &claim.words {
            match Identifier::parse(word) {
                Some(identifier) => self.proofs.push((identifier, test.to_owned())),
                None => self.mistakes.push(format!("{}: {word:?} is no id (S-23, V6.3.8, A-1)", claim.line)),
            }
        }
    }
}

/// The ids above a test that has not come yet.
struct Claim {
    line: usize,
    words: Vec<String>,
    /// The list ended in a comma, so it goes on in the next line.
    continues: bool,
    /// An attribute below says that it is about a test.
    is_of_a_test: bool,
}

impl Claim {
    fn new(line: usize, ids: &str) -> Self {
        let mut claim = Self { line, words: Vec::new(), continues: false, is_of_a_test: false };
        claim.add(ids);
        claim
    }

    fn add(&mut self, ids: &str) {
        let ids = ids.trim().trim_end_matches('.');
        self.continues = ids.ends_with(',');
        let words = ids.split(',').map(str::trim).filter(|word| !word.is_empty());
        self.words.extend(words.map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proofs(language: Language, text: &str) -> Vec<String> {
        let found = collect(language, text);
        assert_eq!(found.mistakes, Vec::<String>::new());
        found.proofs.iter().map(|(identifier, test)| format!("{identifier} {test}")).collect()
    }

    #[test]
    fn a_rust_test_is_found_below_its_attributes() {
        let text = "    /// Says more.\n    /// Proves: S-2, V6.3.8,\n    /// A-1\n    #[tokio::test]\n    \
            #[expect(\n        clippy::unwrap_used,\n    )]\n    async fn a_fact() {\n";
        assert_eq!(proofs(Language::Rust, text), ["S-2 a_fact", "V6.3.8 a_fact", "A-1 a_fact"]);
    }

    #[test]
    fn a_script_test_is_found_by_its_title() {
        let text = "// Proves: S-2.\ntest(`signs in`, async () => {\n/** Proves: A-3 */\ntest.skip('two \"words\"', f)";
        assert_eq!(proofs(Language::Script, text), ["S-2 signs in", "A-3 two \"words\""]);
    }

    #[test]
    fn a_claim_without_a_test_or_with_a_wrong_id_is_a_mistake() {
        let found =
            collect(Language::Rust, "/// Proves: S-1\nstruct Nothing;\n\n/// Proves: S2\n#[test]\nfn test() {}\n");
        assert_eq!(found.proofs, []);
        assert_eq!(found.mistakes.len(), 2);
        assert!(found.mistakes[0].starts_with("1: "));
        assert!(found.mistakes[1].starts_with("4: \"S2\""));
        assert_eq!(collect(Language::Rust, "/// Proves: S-1").mistakes.len(), 1);
    }

    #[test]
    fn only_tests_and_checks_prove_something() {
        let text = "/// Proves: S-1\npub(super) fn check_form(answer: &Answer) {\n";
        assert_eq!(proofs(Language::Rust, text), ["S-1 check_form"]);
        assert_eq!(collect(Language::Rust, "/// Proves: S-1\nfn product_code() {}").mistakes.len(), 1);
    }

    #[test]
    fn comments_without_the_mark_claim_nothing() {
        assert_eq!(collect(Language::Rust, "/// S-1 is nice.\nfn test() {}\n// Proves: S-1\n"), Found::default());
    }
}
