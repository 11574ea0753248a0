//! What a browser is called on the device list and in mails: two words from its user agent, nothing more. The
//! sender writes the user agent, so the label is only a memory aid and is made from our own words alone.

/// The label of a browser that none of our words fit.
pub const UNKNOWN: &str = "Unknown browser";

/// Longer user agents are cut here before they are read.
const READ_BYTES: usize = 512;

// The first match counts: nearly every browser also names those it descends from.
const BROWSERS: [(&str, &str); 18] = [
    ("edg/", "Edge"),
    ("edga/", "Edge"),
    ("edgios/", "Edge"),
    ("opr/", "Opera"),
    ("opx/", "Opera"),
    ("samsungbrowser/", "Samsung Internet"),
    ("vivaldi/", "Vivaldi"),
    ("yabrowser/", "Yandex Browser"),
    ("duckduckgo/", "DuckDuckGo"),
    ("fxios/", "Firefox"),
    ("firefox/", "Firefox"),
    ("crios/", "Chrome"),
    ("chromium/", "Chromium"),
    ("headlesschrome/", "Chrome"),
    ("chrome/", "Chrome"),
    ("safari/", "Safari"),
    ("trident/", "Internet Explorer"),
    ("curl/", "curl"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("android", "Android"),
    ("cros", "ChromeOS"),
    ("windows", "Windows"),
    ("macintosh", "macOS"),
    ("freebsd", "FreeBSD"),
    ("linux", "Linux"),
];

/// A short label such as `Firefox, Linux`, from the words above only.
pub fn label(user_agent: &str) -> String {
    let read: String = user_agent.chars().take(READ_BYTES).collect::<String>().to_ascii_lowercase();
    let find =
        |words: &[(&str, &'static str)]| words.iter().find(|(mark, _)| names(&read, mark)).map(|(_, name)| *name);
    let browser = find(&BROWSERS).unwrap_or(UNKNOWN);
    match find(&SYSTEMS) {
        Some(system) => format!("{browser}, {system}"),
        None => browser.to_owned(),
    }
}

/// Whether `text` holds `mark` at the beginning of a word.
fn names(text: &str, mark: &str) -> bool {
    text.match_indices(mark).any(|(at, _)| !text[..at].ends_with(|before: char| before.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn real_user_agents_get_short_labels() {
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox, Linux"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox, Windows"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "Chrome, Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
                "Safari, macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari, iPhone",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1",
                "Chrome, iPad",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/145.0 Mobile/15E148 Safari/604.1",
                "Firefox, iPhone",
            ),
            ("Mozilla/5.0 (Android 16; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox, Android"),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome, Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; SAMSUNG SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet, Android",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "Chrome, ChromeOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 OPR/126.0.0.0",
                "Opera, Linux",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
                "Chrome, Linux",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Vivaldi/7.7",
                "Vivaldi, Linux",
            ),
            ("curl/8.14.1", "curl"),
            ("python-requests/2.32.5", UNKNOWN),
            ("NotFirefox/1.0 (Linux)", "Unknown browser, Linux"),
            ("", UNKNOWN),
        ] {
            assert_eq!(label(user_agent), expected, "{user_agent}");
        }
    }

    proptest! {
        #[test]
        fn a_label_holds_only_our_own_words(user_agent in "\\PC{0,80}(chrome/|linux|edg/|android)?.{0,900}") {
            let label = label(&user_agent);
            prop_assert!(label.len() <= 40, "{label}");
            let (browser, system) = label.split_once(", ").unwrap_or((&label, ""));
            prop_assert!(browser == UNKNOWN || BROWSERS.iter().any(|(_, name)| *name == browser));
            prop_assert!(system.is_empty() || SYSTEMS.iter().any(|(_, name)| *name == system));
        }
    }
}
