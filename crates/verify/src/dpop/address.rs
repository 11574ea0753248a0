//! Addresses as they are compared in proofs.

/// An address without query and fragment, after syntax- and scheme-based normalization (RFC 9449 section 4.3 check 9,
/// RFC 3986 sections 6.2.2 and 6.2.3): scheme and host in lower case, no default port, a path, nothing behind percent
/// signs that needs none. None when it is no `http` address, or one with a user name, which belongs into no request.
///
/// Dot segments stay: a client that proves an address with them must also have asked for it with them.
pub(super) fn normalized(address: &str) -> Option<String> {
    if !address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return None;
    }
    let address = address.split(['?', '#']).next()?;
    let (scheme, rest) = address.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    // An empty port is no port (RFC 3986 section 6.2.3).
    let authority = authority.strip_suffix(default_port).or_else(|| authority.strip_suffix(':')).unwrap_or(&authority);
    if authority.is_empty() || authority.starts_with(':') || authority.contains(['@', '%']) {
        return None;
    }
    let path = if path.is_empty() { "/" } else { path };
    Some(format!("{scheme}://{authority}{}", decoded(path)?))
}

/// Unreserved characters written plainly, other encoded ones in upper case (RFC 3986 sections 6.2.2.1 and 6.2.2.2).
/// None when a percent sign stands alone.
fn decoded(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let digits = part.get(..2)?;
        let byte =
            digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok())??;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&digits.to_ascii_uppercase());
        }
        text.push_str(part.get(2..)?);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Proves: A-110
    #[test]
    fn different_spellings_of_one_address_are_one() {
        for (address, expected) in [
            ("https://a.example", Some("https://a.example/")),
            ("https://a.example/?b#c", Some("https://a.example/")),
            ("HTTPS://A.Example:443/x?y", Some("https://a.example/x")),
            ("http://a.example:80/x#y?z", Some("http://a.example/x")),
            ("http://a.example:/x", Some("http://a.example/x")),
            ("http://a.example:443/x", Some("http://a.example:443/x")),
            ("https://a.example:80/x", Some("https://a.example:80/x")),
            ("https://[::1]:443/x", Some("https://[::1]/x")),
            ("https://a.example/%7euser/%61%2fb%2F", Some("https://a.example/~user/a%2Fb%2F")),
            ("https://a.example/X", Some("https://a.example/X")),
            ("https://a.example//x/./../", Some("https://a.example//x/./../")),
            ("https://a.example/%", None),
            ("https://a.example/%4", None),
            ("https://a.example/%+1", None),
            ("https://a.example/%zz", None),
            ("https://a.example\\@evil.example/", None),
            ("https://a.example@evil.example/", None),
            ("https://user:password@a.example/", None),
            ("https://a%2eexample/", None),
            ("https://a.example/ x", None),
            ("https://a.example/é", None),
            ("https:///x", None),
            ("https://:443/x", None),
            ("ftp://a.example/", None),
            ("//a.example/", None),
            ("a.example", None),
            ("/x", None),
            ("", None),
        ] {
            assert_eq!(normalized(address).as_deref(), expected, "{address}");
        }
    }

    proptest! {
        #[test]
        fn normalizing_twice_changes_nothing(address in "[htpsHTPS]{4,5}://[a-zA-Z.:0-9\\[\\]@%]{0,12}(/[a-zA-Z/?#%0-9.~]{0,12})?") {
            if let Some(once) = normalized(&address) {
                prop_assert!(!once.contains(['?', '#', '@']));
                let twice = normalized(&once);
                prop_assert_eq!(twice.as_ref(), Some(&once));
            }
        }

        #[test]
        fn query_and_fragment_never_count(path in "/[a-z/.%0-9]{0,12}", tail in "[?#][a-z?#/@]{0,12}") {
            let address = format!("https://a.example{path}");
            let with_tail = format!("{address}{tail}");
            prop_assert_eq!(normalized(&with_tail), normalized(&address));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = normalized(&text);
            let _ = normalized(&format!("https://{text}"));
        }
    }
}
