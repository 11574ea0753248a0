use http::HeaderValue;

use super::*;
use crate::settings::PublicUrl;

fn settings() -> EdgeSettings {
    let mut settings = EdgeSettings::new(PublicUrl::parse("https://auth.example.com").unwrap());
    settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()];
    settings
}

fn client(peer: &str, lines: &[(&'static str, &str)]) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
    client_address(Some(peer), &headers, &settings()).unwrap().to_string()
}

/// Proves: A-17, V4.1.3, V15.3.4
#[test]
fn what_a_stranger_says_about_itself_has_no_effect() {
    let many = vec!["198.51.100.1"; 50].join(", ");
    for (name, value) in [
        ("x-forwarded-for", "198.51.100.1"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", "::ffff:127.0.0.1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", many.as_str()),
        ("x-forwarded-for", "garbage"),
        ("forwarded", "for=198.51.100.1"),
        ("forwarded", "for=\"[2001:db8::1]:80\";host=evil.com"),
        ("x-real-ip", "198.51.100.1"),
        ("cf-connecting-ip", "198.51.100.1"),
        ("true-client-ip", "198.51.100.1"),
    ] {
        assert_eq!(client("203.0.113.9", &[(name, value)]), "203.0.113.9", "{name}: {value}");
    }
}

/// Proves: A-17, V15.3.4
#[test]
fn behind_a_trusted_proxy_the_nearest_stranger_is_the_client() {
    let long = "198.51.100.1, ".repeat(200) + "203.0.113.9";
    let xff = "x-forwarded-for";
    for (lines, expected) in [
        (vec![], "10.1.1.1"),
        (vec![(xff, "203.0.113.9")], "203.0.113.9"),
        (vec![(xff, "198.51.100.1, 203.0.113.9")], "203.0.113.9"),
        (vec![(xff, "198.51.100.1"), (xff, "203.0.113.9")], "203.0.113.9"),
        (vec![(xff, "198.51.100.1, 203.0.113.9, 10.2.2.2, 10.3.3.3")], "203.0.113.9"),
        (vec![(xff, "127.0.0.1, 203.0.113.9")], "203.0.113.9"),
        (vec![(xff, "203.0.113.9:51234")], "203.0.113.9"),
        (vec![(xff, "::ffff:203.0.113.9")], "203.0.113.9"),
        (vec![(xff, "[2001:db8::1]:443")], "2001:db8::1"),
        (vec![(xff, "2001:db8::1")], "2001:db8::1"),
        (vec![(xff, "10.2.2.2")], "10.2.2.2"),
        (vec![(xff, "2001:db8:ffff::1, 10.2.2.2")], "2001:db8:ffff::1"),
        (vec![(xff, "203.0.113.9, garbage")], "10.1.1.1"),
        (vec![(xff, "garbage, 203.0.113.9")], "203.0.113.9"),
        (vec![(xff, "203.0.113.9, ")], "10.1.1.1"),
        (vec![(xff, "")], "10.1.1.1"),
        (vec![(xff, long.as_str())], "10.1.1.1"),
        (vec![(xff, "203.0.113.9\u{e9}")], "10.1.1.1"),
        (vec![(xff, "203.0.113.999")], "10.1.1.1"),
        (vec![("forwarded", "for=203.0.113.9;proto=https")], "203.0.113.9"),
        (vec![("forwarded", "for=198.51.100.1, For=\"[2001:db8::9]:1\"")], "2001:db8::9"),
        (vec![("forwarded", "for=unknown")], "10.1.1.1"),
        (vec![("forwarded", "for=_hidden, for=203.0.113.9")], "203.0.113.9"),
        (vec![(xff, "203.0.113.9"), ("forwarded", "for=203.0.113.9")], "203.0.113.9"),
        (vec![(xff, "203.0.113.9"), ("forwarded", "for=198.51.100.1")], "10.1.1.1"),
        (vec![("x-real-ip", "198.51.100.1")], "10.1.1.1"),
    ] {
        assert_eq!(client("10.1.1.1", &lines), expected, "{lines:?}");
    }
}

#[test]
fn a_request_id_is_taken_only_from_a_trusted_proxy_and_only_in_our_form() {
    let given = |peer: &str, value: &str| {
        let mut headers = HeaderMap::new();
        headers.append(X_REQUEST_ID, HeaderValue::from_str(value).unwrap());
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        given_request_id(Some(peer), &headers, &settings()).map(|id| id.to_string())
    };
    let id = "req_01h455vb4pex5vsknk084sn02q";
    assert_eq!(given("10.1.1.1", id).as_deref(), Some(id));
    assert_eq!(given("203.0.113.9", id), None);
    assert!(given("10.1.1.1", "0123456789abcdef0123456789abcdef").is_some());
    for other in [
        "0123456789ABCDEF0123456789abcdef",
        "+123456789abcdef0123456789abcdef",
        "",
        "req_",
        "1",
        "user_01h455vb4pex5vsknk084sn02q",
        "<script>",
        &"x".repeat(500),
    ] {
        assert_eq!(given("10.1.1.1", other), None, "{other}");
    }
}
