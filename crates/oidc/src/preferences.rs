//! Wishes of a request that are followed where they can be: `display`, `ui_locales`, `acr_values`
//! (OpenID Connect Core 3.1.2.1).

/// Nobody reads more words than this in one parameter.
const MAX_WORDS: usize = 20;
/// Nobody names longer ones.
const MAX_WORD_BYTES: usize = 128;

/// How the pages should look. Doorward's pages fit every window, so this is known and changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Display {
    /// A whole window.
    #[default]
    Page,
    /// A small window.
    Popup,
    /// A device without a mouse.
    Touch,
    /// An old telephone.
    Wap,
}

impl Display {
    /// Reads the parameter; an unknown word means the default, as for every wish.
    pub fn parse(text: &str) -> Self {
        match text {
            "popup" => Self::Popup,
            "touch" => Self::Touch,
            "wap" => Self::Wap,
            _ => Self::Page,
        }
    }
}

/// The words of `ui_locales` or `acr_values` in order of preference. Unusable ones are left out.
pub fn words(text: &str) -> Vec<String> {
    let usable = |word: &&str| {
        !word.is_empty() && word.len() <= MAX_WORD_BYTES && word.bytes().all(|byte| byte.is_ascii_graphic())
    };
    text.split(' ').filter(usable).take(MAX_WORDS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_never_fail() {
        assert_eq!(words("de-AT de  en"), ["de-AT", "de", "en"]);
        assert_eq!(words("de\n \u{e4} "), Vec::<String>::new());
        assert_eq!(words(&"x ".repeat(1_000)).len(), MAX_WORDS);
        assert_eq!(words(&"x".repeat(1_000)), Vec::<String>::new());
        assert_eq!(Display::parse("popup"), Display::Popup);
        assert_eq!(Display::parse("hologram"), Display::Page);
    }
}
