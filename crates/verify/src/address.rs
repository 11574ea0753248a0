//! Which addresses are asked.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

/// Whether requests may go there: `https` (RFC 8414 section 2, OpenID Connect Discovery section 3), or `http` to this
/// very machine.
pub(crate) fn is_allowed(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    plain
        && match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback(authority.host()),
            _ => false,
        }
}

/// An address that may be asked, out of a document or a setting.
pub(crate) fn parse(text: &str) -> Option<Uri> {
    // The type drops a fragment silently.
    if text.contains('#') {
        return None;
    }
    text.parse().ok().filter(is_allowed)
}

fn is_loopback(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<Ipv6Addr>().is_ok_and(|address| address == Ipv6Addr::LOCALHOST);
    }
    host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for text in [
            "https://id.example",
            "HTTPS://ID.example/path?query",
            "https://192.0.2.7:8443/",
            "http://localhost/keys",
            "http://LOCALHOST:1234",
            "http://127.0.0.1:80/",
            "http://127.1.2.3/",
            "http://[::1]:3000/keys",
        ] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "http://id.example/keys",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "https://user:password@id.example/",
            "https://id.example/#fragment",
            "http://[::ffff:127.0.0.1]/",
            "http://[fe80::1]/",
            "http://0.0.0.0/",
            "http://2130706433/",
            "http://127.1/",
            "ftp://id.example/keys",
            "file:///etc/passwd",
            "data:application/json,{}",
            "javascript:alert(1)",
            "//id.example/keys",
            "/keys",
            "id.example",
            "https:///keys",
            "https://",
            "https://id.example/a b",
            "",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
