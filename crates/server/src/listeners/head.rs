//! Looks at the heads of HTTP/1.1 requests before hyper does, so that where a request ends has one reading only.
//!
//! hyper takes some forms that RFC 9112 leaves to the recipient: a length beside chunks, which it hides, a length given
//! twice, line feeds alone. A proxy in front may read them otherwise, and then one client's bytes become the beginning
//! of another's request. Such a head gets a NUL in its place, which hyper answers with 400 and a closed connection.

/// The longest header name that matters.
const NAME_BYTES: usize = TRANSFER_ENCODING.len();
/// The longest value that matters: a length has at most twenty digits.
const VALUE_BYTES: usize = 20;
const CONTENT_LENGTH: &[u8] = b"content-length";
const TRANSFER_ENCODING: &[u8] = b"transfer-encoding";
const CHUNKED: &[u8] = b"chunked";

/// Follows the bytes of one connection.
#[derive(Debug)]
pub(super) struct HeadGuard(Mode);

#[derive(Debug)]
enum Mode {
    /// In a head, or before its first byte.
    Head(Head),
    /// So many bytes of a body are still to come.
    Body(u64),
    /// Nothing more is looked at: HTTP/2, or the connection closes after this request.
    Open,
}

#[derive(Debug, Default)]
struct Head {
    stage: Stage,
    after_return: bool,
    line: Line,
    length: Option<u64>,
    is_chunked: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing has come.
    #[default]
    Before,
    /// The request line, or an empty line before it.
    RequestLine,
    /// The fields after it.
    Fields,
}

#[derive(Debug, Default)]
struct Line {
    bytes: usize,
    name: Prefix<NAME_BYTES>,
    field: Field,
    value: Prefix<VALUE_BYTES>,
}

/// What the line is about, known from its colon on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Unnamed,
    Length,
    Coding,
    Other,
}

/// A head must not be read like this.
struct Ambiguous;

impl HeadGuard {
    /// A connection that may speak HTTP/1.1.
    pub(super) fn new() -> Self {
        Self(Mode::Head(Head::default()))
    }

    /// A connection that speaks HTTP/2.
    pub(super) fn open() -> Self {
        Self(Mode::Open)
    }

    /// Whether a head has begun and is not complete.
    pub(super) fn is_inside_head(&self) -> bool {
        matches!(&self.0, Mode::Head(head) if head.stage != Stage::Before)
    }

    /// Looks at bytes on their way to hyper.
    pub(super) fn look_at(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while let Some(rest) = bytes.get_mut(at..).filter(|rest| !rest.is_empty()) {
            match &mut self.0 {
                Mode::Open => return,
                Mode::Body(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    at += here;
                    *left -= here as u64;
                    if *left == 0 {
                        *self = Self::new();
                    }
                }
                Mode::Head(head) => {
                    let plain = head.pass_over(rest);
                    at += plain;
                    let Some(byte) = rest.get_mut(plain) else { return };
                    at += 1;
                    match head.take(*byte) {
                        Ok(None) => {}
                        Ok(Some(next)) => self.0 = next,
                        Err(Ambiguous) => {
                            *byte = 0;
                            self.0 = Mode::Open;
                        }
                    }
                }
            }
        }
    }
}

impl Head {
    /// Passes over the rest of a value that does not matter, up to the end of its line; says how many bytes that were.
    fn pass_over(&mut self, bytes: &[u8]) -> usize {
        if self.stage != Stage::Fields || self.line.field != Field::Other || self.after_return {
            return 0;
        }
        let plain = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
        self.line.bytes = self.line.bytes.saturating_add(plain);
        plain
    }

    /// Takes the next byte; says what follows when the head is complete.
    fn take(&mut self, byte: u8) -> Result<Option<Mode>, Ambiguous> {
        if self.stage == Stage::Before {
            self.stage = Stage::RequestLine;
        }
        match (byte, std::mem::replace(&mut self.after_return, byte == b'\r')) {
            (b'\n', true) => self.end_line(),
            (b'\n', false) | (_, true) => Err(Ambiguous),
            (b'\r', false) => Ok(None),
            _ if self.stage == Stage::Fields => {
                let is_framed = self.length.is_some() || self.is_chunked;
                self.line.take(byte, is_framed).map(|()| None)
            }
            _ => {
                self.line.bytes += 1;
                self.line.name.push(byte);
                Ok(None)
            }
        }
    }

    fn end_line(&mut self) -> Result<Option<Mode>, Ambiguous> {
        let line = std::mem::take(&mut self.line);
        if line.bytes == 0 {
            // RFC 9112 section 2.2: empty lines before the request line are skipped.
            return Ok((self.stage == Stage::Fields).then(|| self.what_follows()));
        }
        if self.stage != Stage::Fields {
            self.stage = Stage::Fields;
            // The preface of HTTP/2 looks like the head of a request whose method nobody has (RFC 9113 section 3.4).
            return Ok(line.name.is(b"pri * http/2.0").then_some(Mode::Open));
        }
        match line.field {
            Field::Length => self.length = Some(line.value.number().ok_or(Ambiguous)?),
            Field::Coding if line.value.is(CHUNKED) => self.is_chunked = true,
            Field::Coding => return Err(Ambiguous),
            Field::Other | Field::Unnamed => {}
        }
        Ok(None)
    }

    fn what_follows(&self) -> Mode {
        match self.length {
            // The listener closes the connection after a chunked request.
            _ if self.is_chunked => Mode::Open,
            Some(length) if length > 0 => Mode::Body(length),
            _ => Mode::Head(Self::default()),
        }
    }
}

impl Line {
    /// Takes the next byte of a field; `is_framed` says that an earlier field tells where the body ends.
    fn take(&mut self, byte: u8, is_framed: bool) -> Result<(), Ambiguous> {
        self.bytes += 1;
        let is_blank = matches!(byte, b' ' | b'\t');
        match self.field {
            // A field that goes on in a second line (RFC 9112 section 5.2).
            Field::Unnamed if self.bytes == 1 && is_blank => return Err(Ambiguous),
            Field::Unnamed if byte == b':' => {
                self.field = match () {
                    () if self.name.is(CONTENT_LENGTH) => Field::Length,
                    () if self.name.is(TRANSFER_ENCODING) => Field::Coding,
                    () => Field::Other,
                };
                if is_framed && self.field != Field::Other {
                    return Err(Ambiguous);
                }
            }
            Field::Unnamed => self.name.push(byte),
            Field::Length | Field::Coding if is_blank && self.value.length == 0 => {}
            Field::Length | Field::Coding => self.value.push(byte),
            Field::Other => {}
        }
        Ok(())
    }
}

/// The beginning of a text in lower case, and how long the whole is.
#[derive(Debug)]
struct Prefix<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Prefix<N> {
    fn default() -> Self {
        Self { bytes: [0; N], length: 0 }
    }
}

impl<const N: usize> Prefix<N> {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte.to_ascii_lowercase();
        }
        self.length = self.length.saturating_add(1);
    }

    /// The text without blanks at its end; none when it is longer than what is kept.
    fn whole(&self) -> Option<&[u8]> {
        self.bytes.get(..self.length).map(<[u8]>::trim_ascii_end)
    }

    /// Whether this is the whole text.
    fn is(&self, text: &[u8]) -> bool {
        self.whole() == Some(text)
    }

    /// The text as a number that is written with digits alone.
    fn number(&self) -> Option<u64> {
        let digits = self.whole().filter(|text| text.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What hyper gets, in pieces of every size.
    fn seen(text: &str) -> String {
        let whole = pieces(text, text.len());
        for size in 1..8 {
            assert_eq!(pieces(text, size), whole, "{text:?} in pieces of {size}");
        }
        whole
    }

    fn pieces(text: &str, size: usize) -> String {
        let mut guard = HeadGuard::new();
        let mut bytes = text.as_bytes().to_vec();
        bytes.chunks_mut(size).for_each(|piece| guard.look_at(piece));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_has_one_reading_passes_unchanged() {
        for text in [
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost:\ta \r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n\na\rbGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:0\r\n\r\nPOST / HTTP/1.1\r\ncontent-length: 1 \r\n\r\n\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nx-content-length: 1\r\ncontent-lengthy: 2\r\ncontent-length: 3\r\n\r\n\n\n\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\r\n \n",
        ] {
            assert_eq!(seen(text), text);
        }
    }

    /// Proves: V4.2.1
    #[test]
    fn what_two_readers_may_read_differently_is_spoilt() {
        for text in [
            "GET / HTTP/1.1|\n",
            "|\nGET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nhost: a|\n",
            "GET / HTTP/1.1\r\nhost: a\r\n|\n",
            "GET / HTTP/1.1\r|\r\n",
            "GET / HTTP/1.1\r\nhost: a\r|b",
            "GET / HTTP/1.1\r\nhost: a\r\n| b",
            "GET / HTTP/1.1\r\nhost: a\r\n|\tb",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length|: 1\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\nTransfer-Encoding|: chunked\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH|: 1\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ntransfer-encoding|: chunked\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: xchunked\r|\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r|\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: identity\r|\n",
            "POST / HTTP/1.1\r\ntransfer-encoding:\r|\n",
            "POST / HTTP/1.1\r\ncontent-length: +1\r|\n",
            "POST / HTTP/1.1\r\ncontent-length: 1, 1\r|\n",
            "POST / HTTP/1.1\r\ncontent-length:\r|\n",
            "POST / HTTP/1.1\r\ncontent-length: 18446744073709551616\r|\n",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\nxGET / HTTP/1.1|\n",
        ] {
            let (before, after) = text.split_once('|').unwrap();
            let expected = format!("{before}\0{}", &after[1..]);
            assert_eq!(seen(&format!("{before}{after}")), expected);
        }
    }

    #[test]
    fn half_a_head_is_told_from_a_pause() {
        let mut guard = HeadGuard::new();
        assert!(!guard.is_inside_head());
        for (bytes, is_inside) in [
            ("POST / HT", true),
            ("TP/1.1\r\ncontent-length: 3\r\n\r\n", false),
            ("ab", false),
            ("cG", true),
            ("ET / HTTP/1.1\r\n\r\n", false),
            ("\r", true),
        ] {
            guard.look_at(&mut bytes.as_bytes().to_vec());
            assert_eq!(guard.is_inside_head(), is_inside, "{bytes}");
        }
    }
}
