//! `application/x-www-form-urlencoded` (RFC 6749 appendix B): one strict reader and one writer.

use crate::uri::hexadecimal;

/// The text behind a form-encoded one; none when a percent sign is broken or the bytes are no UTF-8.
pub(crate) fn decode(encoded: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'+' | b'%')) {
        let (plain, encoded) = rest.split_at(at);
        bytes.extend_from_slice(plain);
        rest = match encoded {
            [b'%', tail @ ..] => {
                bytes.push(hexadecimal(tail)?);
                tail.get(2..)?
            }
            [_, tail @ ..] => {
                bytes.push(b' ');
                tail
            }
            [] => encoded,
        };
    }
    bytes.extend_from_slice(rest);
    String::from_utf8(bytes).ok()
}

/// Appends a text with everything encoded but RFC 3986's unreserved characters. A space becomes `%20`, which readers
/// of queries and of forms understand alike.
pub(crate) fn encode(text: &str, out: &mut String) {
    out.reserve(text.len());
    let mut rest = text;
    while let Some((at, letter)) = rest.char_indices().find(|(_, letter)| !is_unreserved(*letter)) {
        let (plain, encoded) = rest.split_at(at);
        out.push_str(plain);
        let (letter, tail) = encoded.split_at(letter.len_utf8());
        for byte in letter.bytes() {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789ABCDEF"[usize::from(half)]));
            }
        }
        rest = tail;
    }
    out.push_str(rest);
}

const fn is_unreserved(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~')
}

/// Appends `name=value`, after `&` when something stands before it.
pub(crate) fn append_pair(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    encode(name, out);
    out.push('=');
    encode(value, out);
}
