use super::*;

struct Fixed(u8);
impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn read(lines: &[&str]) -> Cookies {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
    }
    Cookies::read(&headers)
}

/// Proves: S-28, A-32, V3.3.1, V3.3.2, V3.3.3, V3.3.4, S-95, S-96, S-145
#[test]
fn every_cookie_has_every_attribute() {
    let token = PlainToken::new(TokenKind::Session, &Fixed(1));
    let session = session_cookie(&token, Life::Seconds(60)).unwrap();
    let browser_session = session_cookie(&token, Life::BrowserSession).unwrap();
    let others = [
        pre_cookie(&PreNonce::new(&Fixed(2))).unwrap(),
        device_cookie("sealed").unwrap(),
        ui_cookie("de.dark").unwrap(),
    ];
    let expired = CookieName::ALL.map(expired_cookie);
    for cookie in [&session, &browser_session].into_iter().chain(&others).chain(&expired) {
        let text = cookie.to_str().unwrap();
        assert!(text.starts_with("__Host-doorward"), "{text}");
        assert!(text.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{text}");
        assert!(!text.to_ascii_lowercase().contains("domain"), "{text}");
    }
    assert!(session.to_str().unwrap().ends_with("; Max-Age=60"));
    assert!(!browser_session.to_str().unwrap().contains("Max-Age"));
    assert!(expired.iter().all(|cookie| cookie.to_str().unwrap().ends_with("Max-Age=0")));
    assert!(session.is_sensitive());
}

/// Proves: V3.3.5
#[test]
fn what_does_not_fit_into_a_cookie_is_not_written() {
    for value in ["a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nSet-Cookie: x=y", "ä", &"x".repeat(4096)] {
        assert_eq!(ui_cookie(value), Err(InvalidCookieValue), "{value}");
    }
}

#[test]
fn the_session_cookie_is_read_among_others_and_across_headers() {
    let token = PlainToken::new(TokenKind::Session, &Fixed(1));
    let text = token.reveal();
    for lines in [
        vec![format!("__Host-doorward={}", *text)],
        vec![format!("theme=dark; broken; =; __Host-doorward={};x=y", *text)],
        vec!["theme=dark".to_owned(), format!("__Host-doorward={}", *text)],
    ] {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let cookies = read(&lines);
        assert!(cookies.session.present().is_some_and(|read| read.matches(&token)), "{lines:?}");
        assert!(cookies.any && !cookies.duplicated);
    }
}

/// Proves: A-33
#[test]
fn another_spelling_is_malformed_not_valid() {
    let token = PlainToken::new(TokenKind::Session, &Fixed(1));
    let text = token.reveal();
    for value in [
        String::new(),
        "x".to_owned(),
        format!("\"{}\"", *text),
        format!("{}=", *text),
        text.replace("dws_", "dwo_"),
        text.to_uppercase(),
    ] {
        let cookies = read(&[&format!("__Host-doorward={value}")]);
        assert!(matches!(cookies.session, Sent::Malformed), "{value}");
    }
    assert!(matches!(read(&["__host-doorward=x"]).session, Sent::Absent));
}

#[test]
fn two_cookies_of_our_name_are_noticed() {
    assert!(read(&["__Host-doorward=a; __Host-doorward=b"]).duplicated);
    assert!(read(&["__Host-doorward-pre=a", "__Host-doorward-pre=a"]).duplicated);
    assert!(!read(&["x=a; x=b"]).duplicated);
}

#[test]
fn the_pre_nonce_reads_back() {
    let nonce = PreNonce::new(&Fixed(9));
    let cookies = read(&[&format!("__Host-doorward-pre={}", *nonce.reveal())]);
    assert_eq!(cookies.pre.present().map(PreNonce::as_bytes), Some(&[9; 32]));
    assert!(matches!(read(&["__Host-doorward-pre=short"]).pre, Sent::Malformed));
}
