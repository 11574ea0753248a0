//! Absolute URIs taken apart (RFC 3986 section 3), read so narrowly that browsers, libraries and this crate see the
//! same parts.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// Nothing longer is looked at.
pub const MAX_URI_BYTES: usize = 2_048;
/// The longest host name (RFC 1035 section 2.3.4).
const MAX_HOST_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// A text that is not a URI Doorward works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UriError {
    /// Longer than [`MAX_URI_BYTES`].
    #[error("is too long")]
    TooLong,
    /// Holds white space, control characters, backslashes or other characters that RFC 3986 does not know.
    #[error("holds a character that a URI may not hold")]
    Character,
    /// No scheme, or one that is not in lower case.
    #[error("has no scheme, or not in lower case")]
    Scheme,
    /// A part after `#`.
    #[error("has a fragment")]
    Fragment,
    /// A name or password before the host.
    #[error("has a user name or password")]
    Userinfo,
    /// A host that is missing, a pattern, in upper case, or a number in another spelling.
    #[error("has no plain host name or address")]
    Host,
    /// A port that is no number from 1 to 65535.
    #[error("has a port that is no number from 1 to 65535")]
    Port,
    /// Dot segments, or letters hidden behind percent signs.
    #[error("has a path that can be read in two ways")]
    Path,
    /// A broken percent sign, or a control character behind one.
    #[error("has a query that can be read in two ways")]
    Query,
}

/// Who answers at a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name, in lower case.
    Name(&'a str),
    /// An IPv4 address, four decimal numbers.
    V4(Ipv4Addr),
    /// An IPv6 address in its canonical spelling (RFC 5952).
    V6(Ipv6Addr),
}

impl Host<'_> {
    /// Whether it is one of the two loopback literals of RFC 8252 section 7.3. `localhost` is not.
    pub fn is_loopback_literal(self) -> bool {
        match self {
            Self::V4(address) => address == Ipv4Addr::LOCALHOST,
            Self::V6(address) => address == Ipv6Addr::LOCALHOST,
            Self::Name(_) => false,
        }
    }

    /// Whether it names this machine: a loopback literal or `localhost` itself.
    pub fn is_loopback(self) -> bool {
        self.is_loopback_literal() || self == Host::Name("localhost")
    }
}

/// The part after `//`. A user name or password never gets this far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host as written, with its brackets if it is an IPv6 address.
    pub host_text: &'a str,
    /// The host.
    pub host: Host<'a>,
    /// The port, if one is written.
    pub port: Option<u16>,
}

/// An absolute URI without a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// The scheme, in lower case.
    pub scheme: &'a str,
    /// The part after `//`.
    pub authority: Option<Authority<'a>>,
    /// The path; may be empty.
    pub path: &'a str,
    /// The part after `?`.
    pub query: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Takes a text apart.
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        if text.len() > MAX_URI_BYTES {
            return Err(UriError::TooLong);
        }
        if text.contains('#') {
            return Err(UriError::Fragment);
        }
        if !text.bytes().all(may_occur) {
            return Err(UriError::Character);
        }
        let (scheme, rest) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).ok_or(UriError::Scheme)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(Authority::parse(authority)?), path)
            }
            None => (None, rest),
        };
        if !is_unambiguous_path(path) {
            return Err(UriError::Path);
        }
        if query.is_some_and(|query| !is_unambiguous_query(query)) {
            return Err(UriError::Query);
        }
        Ok(Self { scheme, authority, path, query })
    }

    /// The origin of an `http` or `https` URI (RFC 6454 section 6.2), without the scheme's own port.
    pub fn origin(&self) -> Option<String> {
        let default_port = match self.scheme {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let authority = self.authority?;
        let host = authority.host_text;
        Some(match authority.port {
            Some(port) if port != default_port => format!("{}://{host}:{port}", self.scheme),
            _ => format!("{}://{host}", self.scheme),
        })
    }
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Result<Self, UriError> {
        if text.contains('@') {
            return Err(UriError::Userinfo);
        }
        let host_end = match text.find(']') {
            Some(bracket) => bracket + 1,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host_text, port) = text.split_at(host_end);
        let host = parse_host(host_text).ok_or(UriError::Host)?;
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(parse_port(digits).ok_or(UriError::Port)?),
            None if port.is_empty() => None,
            None => return Err(UriError::Host),
        };
        Ok(Self { host_text, host, port })
    }
}

/// The characters of RFC 3986 section 2, without `#`.
const fn may_occur(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'[' | b']' | b'@' | b'%')
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

/// RFC 3986 section 3.1, in lower case (section 6.2.2.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
}

fn parse_host(text: &str) -> Option<Host<'_>> {
    if let Some(rest) = text.strip_prefix('[') {
        let address = rest.strip_suffix(']')?;
        let parsed: Ipv6Addr = address.parse().ok()?;
        // One spelling only (RFC 5952), or two texts would name one host.
        return (parsed.to_string() == address).then_some(Host::V6(parsed));
    }
    let last = text.rsplit('.').next()?;
    // A browser reads such a host as a number whatever the other labels say (WHATWG URL, "ends in a number").
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return text.parse().ok().map(Host::V4);
    }
    let is_name = text.len() <= MAX_HOST_BYTES && text.split('.').all(is_label);
    is_name.then_some(Host::Name(text))
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// A port without leading zeros, so that each has one spelling.
pub(crate) fn parse_port(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// No dot segments (RFC 3986 section 6.2.2.3), and nothing behind a percent sign that could have been written plainly
/// (section 6.2.2.2) or that changes the segments once somebody decodes it.
fn is_unambiguous_path(path: &str) -> bool {
    !path.contains(['[', ']'])
        && path.split('/').all(|segment| segment != "." && segment != "..")
        && encoded_bytes(path).is_some_and(|bytes| {
            bytes.iter().all(|byte| {
                !byte.is_ascii_control()
                    && !byte.is_ascii_alphanumeric()
                    && !matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'\\' | b'%')
            })
        })
}

fn is_unambiguous_query(query: &str) -> bool {
    !query.contains(['[', ']']) && encoded_bytes(query).is_some_and(|bytes| !bytes.iter().any(u8::is_ascii_control))
}

/// The bytes behind percent signs; none when a percent sign is not followed by two hexadecimal digits.
fn encoded_bytes(text: &str) -> Option<Vec<u8>> {
    text.split('%').skip(1).map(|rest| hexadecimal(rest.as_bytes())).collect()
}

/// The byte of the first two hexadecimal digits.
pub(crate) fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| digits.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests;
