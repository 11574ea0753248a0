//! Requests to a server on this machine, one connection each.

use std::io::{Error, Read as _, Write as _};
use std::net::TcpStream;

use openidconnect::{HttpRequest, HttpResponse};

/// Sends a request as HTTP/1.1 without TLS, also where the address says `https`: the library withdraws tokens only at
/// such an address, and the server under test is on loopback. Redirects are not followed.
#[expect(clippy::disallowed_methods, reason = "a client of the server under test, on this machine")]
pub(crate) fn send(request: HttpRequest) -> Result<HttpResponse, Error> {
    let (head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or_else(|| Error::other("an address without a host"))?;
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut text = Vec::new();
    write!(text, "{} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n", head.method)?;
    for (name, value) in &head.headers {
        write!(text, "{name}: {}\r\n", value.to_str().map_err(Error::other)?)?;
    }
    write!(text, "content-length: {}\r\n\r\n", body.len())?;
    let mut connection = TcpStream::connect(authority.as_str())?;
    connection.write_all(&text)?;
    connection.write_all(&body)?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    read_response(&answer)
}

/// Takes an answer apart whose end is the end of the connection.
fn read_response(answer: &[u8]) -> Result<HttpResponse, Error> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(|| Error::other("no whole head"))?;
    let head = std::str::from_utf8(&answer[..end]).map_err(Error::other)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let mut response = http::Response::builder().status(status);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| Error::other("a header without a colon"))?;
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Error::other("an answer in pieces"));
        }
        response = response.header(name, value.trim());
    }
    response.body(answer[end + 4..].to_vec()).map_err(Error::other)
}
