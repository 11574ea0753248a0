use proptest::prelude::*;

use super::*;

/// Proves: A-80
#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    for (text, error) in [
        ("", UriError::Scheme),
        ("/cb", UriError::Scheme),
        ("//app.example.com/cb", UriError::Scheme),
        ("HTTPS://app.example.com/cb", UriError::Scheme),
        ("1a://app.example.com", UriError::Scheme),
        ("https://app.example.com/cb#f", UriError::Fragment),
        ("https://app.example.com/cb#", UriError::Fragment),
        (" https://app.example.com/cb", UriError::Character),
        ("https://app.example.com/cb\n", UriError::Character),
        ("https://app.example.com/cb\0", UriError::Character),
        ("https://app.example.com\\@evil.com/cb", UriError::Character),
        ("https://\u{430}pp.example.com/cb", UriError::Character),
        ("https://app.example.com@evil.com/cb", UriError::Userinfo),
        ("https://:@evil.com/cb", UriError::Userinfo),
        ("https:///cb", UriError::Host),
        ("https://*.example.com/cb", UriError::Host),
        ("https://APP.example.com/cb", UriError::Host),
        ("https://app.example.com./cb", UriError::Host),
        ("https://app..example.com/cb", UriError::Host),
        ("https://app.example.com%2fcb", UriError::Host),
        ("https://127.1/cb", UriError::Host),
        ("https://2130706433/cb", UriError::Host),
        ("https://0x7f000001/cb", UriError::Host),
        ("https://0177.0.0.1/cb", UriError::Host),
        ("https://evil.0x7f/cb", UriError::Host),
        ("https://[::01]/cb", UriError::Host),
        ("https://[::1", UriError::Host),
        ("https://[::1]x/cb", UriError::Host),
        ("https://[fe80::1%25eth0]/", UriError::Host),
        ("https://app.example.com:/cb", UriError::Port),
        ("https://app.example.com:0/cb", UriError::Port),
        ("https://app.example.com:0443/cb", UriError::Port),
        ("https://app.example.com:65536/cb", UriError::Port),
        ("https://app.example.com:+443/cb", UriError::Port),
        ("https://app.example.com/./cb", UriError::Path),
        ("https://app.example.com/cb/../evil", UriError::Path),
        ("https://app.example.com/cb/..", UriError::Path),
        ("https://app.example.com/%63b", UriError::Path),
        ("https://app.example.com/%2e%2E/cb", UriError::Path),
        ("https://app.example.com/a%2fb", UriError::Path),
        ("https://app.example.com/a%5cb", UriError::Path),
        ("https://app.example.com/a%00", UriError::Path),
        ("https://app.example.com/a%0d%0aLocation:x", UriError::Path),
        ("https://app.example.com/a%252e", UriError::Path),
        ("https://app.example.com/a%zz", UriError::Path),
        ("https://app.example.com/a%", UriError::Path),
        ("https://app.example.com/a[0]", UriError::Path),
        ("https://app.example.com/?a=%0a", UriError::Query),
        ("https://app.example.com/?a=%2", UriError::Query),
    ] {
        assert_eq!(Uri::parse(text), Err(error), "{text:?}");
    }
    assert_eq!(Uri::parse(&format!("https://app.example.com/{}", "a".repeat(2_048))), Err(UriError::TooLong));
}

#[test]
fn a_uri_is_taken_apart() {
    let uri = Uri::parse("https://app.example.com:8443/a/%C3%A4?b=c?d").unwrap();
    let authority = uri.authority.unwrap();
    assert_eq!((uri.scheme, uri.path, uri.query), ("https", "/a/%C3%A4", Some("b=c?d")));
    assert_eq!((authority.host, authority.port), (Host::Name("app.example.com"), Some(8443)));
    assert_eq!(uri.origin().as_deref(), Some("https://app.example.com:8443"));
    assert_eq!(Uri::parse("https://a.example:443").unwrap().origin().as_deref(), Some("https://a.example"));
    assert_eq!(Uri::parse("urn:example:orders").unwrap().path, "example:orders");
    assert_eq!(Uri::parse("urn:example:orders").unwrap().origin(), None);
}

proptest! {
    /// Proves: A-80
    #[test]
    fn a_browser_reads_the_same_host_port_and_path(
        text in "https?://[a-z0-9.:@\\[\\]x-]{1,24}(/[a-zA-Z0-9.%/-]{0,12})?(\\?[a-z=&%0-9]{0,8})?"
    ) {
        if let (Ok(ours), Ok(theirs)) = (Uri::parse(&text), url::Url::parse(&text)) {
            let authority = ours.authority.unwrap();
            prop_assert_eq!(theirs.host_str(), Some(authority.host_text));
            prop_assert_eq!(Some(theirs.origin().ascii_serialization()), ours.origin());
            prop_assert_eq!(theirs.path(), if ours.path.is_empty() { "/" } else { ours.path });
            prop_assert_eq!(theirs.query(), ours.query);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text: String) {
        let _ = Uri::parse(&text);
    }
}
