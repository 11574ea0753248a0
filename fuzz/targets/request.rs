//! A request of any method, path, headers and body is answered, and never with a server error.
#![no_main]

use axum::body::Body;
use doorward_fuzz::with_server;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(request) = read(bytes) else { return Corpus::Reject };
    with_server(|server| server.send(request));
    Corpus::Keep
});

/// Reads `METHOD path`, lines with headers, an empty line, and the body.
fn read(bytes: &[u8]) -> Option<Request<Body>> {
    let split = bytes.windows(2).position(|window| window == b"\n\n").unwrap_or(bytes.len());
    let mut lines = bytes[..split].split(|byte| *byte == b'\n');
    let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
    let mut request = Request::new(Body::from(bytes.get(split + 2..).unwrap_or_default().to_vec()));
    *request.method_mut() = Method::from_bytes(first.next()?).ok()?;
    *request.uri_mut() = Uri::try_from(first.next()?).ok()?;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        request.headers_mut().try_append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?).ok()?;
    }
    Some(request)
}
