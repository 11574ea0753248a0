use proptest::prelude::*;

use super::*;

fn registered(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap()
}

/// Proves, V10.4.1
#[test]
fn what_cannot_be_registered() {
    for text in [
        "",
        "http://app.example.com/cb",
        "http://127.0.0.1.evil.com/cb",
        "http://127.0.0.2/cb",
        "http://10.0.0.1/cb",
        "http://localhost.evil.com/cb",
        "https://*.example.com/cb",
        "https://*/cb",
        "https://app.example.com/*",
        "https://app.example.com/cb#f",
        "https://user:password@app.example.com/cb",
        "https://app.example.com/a/../b",
        "https://app.example.com/cb?code=x",
        "https://app.example.com/cb?a=b&state=",
        "https://app.example.com/cb?st%61te=x",
        "https:/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "myapp://cb",
        "myapp:/cb",
        "com.example.app:cb",
        "com.example.app:",
        ".example:/cb",
        "com..app:/cb",
        "urn:ietf:wg:oauth:2.0:oob",
    ] {
        assert!(RedirectUri::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_can_be_registered() {
    for (text, host) in [
        ("https://app.example.com/cb", "app.example.com"),
        ("https://app.example.com", "app.example.com"),
        ("https://app.example.com:8443/cb?tenant=a", "app.example.com"),
        ("http://127.0.0.1/cb", "127.0.0.1"),
        ("http://[::1]:8000/cb", "[::1]"),
        ("http://localhost:3000/callback", "localhost"),
        ("com.example.app:/cb", "com.example.app"),
        ("com.example.app://callback", "com.example.app"),
    ] {
        assert_eq!(registered(text).as_str(), text);
        assert_eq!(registered(text).shown_host(), host, "{text}");
        assert!(registered(text).matches(text), "{text}");
    }
}

/// Proves: A-80, V10.4.1
#[test]
fn a_web_redirect_uri_matches_itself_and_nothing_else() {
    let uri = registered("https://app.example.com/cb");
    for text in [
        "https://app.example.com/cb/",
        "https://app.example.com/cb?x=1",
        "https://app.example.com/cb?",
        "https://app.example.com/cb#f",
        "https://app.example.com/CB",
        "HTTPS://APP.example.com/cb",
        "https://app.example.com:443/cb",
        "https://app.example.com/cb/../evil",
        "https://app.example.com/./cb",
        "https://app.example.com%2fcb",
        "https://app.example.com@evil.com/cb",
        "https://evil.com?https://app.example.com/cb",
        "https://app.example.com.evil.com/cb",
        "http://app.example.com/cb",
        "https://app.example.com\\@evil.com/cb",
        "https://app.example.com/%63b",
        " https://app.example.com/cb",
        "https://app.example.com/cb ",
        "https://app.example.com/cb\n",
        "https://app.example.com/cb\0",
        "//app.example.com/cb",
        "javascript:alert(1)",
        "https://*.example.com/cb",
        "https://\u{430}pp.example.com/cb",
        "https://app.example.com/cb?code=x",
        "myapp://cb",
        "",
    ] {
        assert!(!uri.matches(text), "{text:?}");
    }
}

/// Proves: A-80
#[test]
fn only_the_port_of_a_loopback_literal_may_differ() {
    for (registered_text, presented, matches) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1/cb", true),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:51004/cb", true),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1/cb", true),
        ("http://[::1]/cb", "http://[::1]:1/cb", true),
        ("http://127.0.0.1", "http://127.0.0.1:1", true),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb2", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/x/cb", false),
        ("http://127.0.0.1/cb", "http://localhost:51004/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.com/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.com/cb", false),
        ("http://127.0.0.1/cb", "http://[::1]:1/cb", false),
        ("http://127.0.0.1/cb", "https://127.0.0.1:1/cb", false),
        ("http://127.0.0.1/cb", "http://127.1/cb", false),
        ("http://127.0.0.1/cb", "http://2130706433/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:065/cb", false),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false),
        ("http://localhost:3000/cb", "http://localhost:3001/cb", false),
        ("https://127.0.0.1/cb", "https://127.0.0.1:1/cb", false),
    ] {
        assert_eq!(registered(registered_text).matches(presented), matches, "{registered_text} {presented}");
    }
}

/// Takes the port of a loopback literal away, by another way than the product's.
fn without_loopback_port(text: &str) -> String {
    for host in ["http://127.0.0.1", "http://[::1]"] {
        if let Some((digits, rest)) = text
            .strip_prefix(&format!("{host}:"))
            .map(|rest| rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len())))
            && digits.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == digits)
        {
            return format!("{host}{rest}");
        }
    }
    text.to_owned()
}

/// Few parts, so that equal and almost equal texts are common.
const URIS: &str = "https?://(127\\.0\\.0\\.1|\\[::1\\]|localhost)(:(1|2|0|01|70000)?)?/?[a@]?";

proptest! {
    /// Proves: A-80, V10.4.1
    #[test]
    fn matching_is_equality_of_bytes_but_for_the_port_of_a_loopback_literal(first in URIS, second in URIS) {
        if let Ok(uri) = RedirectUri::parse(&first) {
            prop_assert_eq!(uri.matches(&second), without_loopback_port(&first) == without_loopback_port(&second));
        }
    }

    /// Proves: A-80
    #[test]
    fn one_changed_byte_never_matches(at in 0usize..26, byte: u8) {
        let text = "https://app.example.com/cb";
        let mut changed = text.as_bytes().to_vec();
        changed[at] = byte;
        if let Ok(changed) = String::from_utf8(changed) {
            prop_assert_eq!(registered(text).matches(&changed), changed == text);
        }
    }

    #[test]
    fn what_is_registered_has_no_line_break_fragment_or_pattern(text in "(https://a\\.b/|com\\.a:/)?\\PC{0,4}[\\x00-\\x7f]?") {
        if let Ok(uri) = RedirectUri::parse(&text) {
            prop_assert!(!uri.as_str().contains(['#', '\\', ' ', '*', '"', '<']) && !text.chars().any(char::is_control));
        }
    }
}
