//! No value of a header that we read makes a page or a call fail with a server error. The first byte chooses the route;
//! then come lines, each the choice of a header and its value.
#![no_main]

use axum::body::Body;
use doorward_fuzz::{routes, with_server};
use http::{HeaderValue, Request};
use libfuzzer_sys::{Corpus, fuzz_target};

const HEADERS: [&str; 16] = [
    "cookie",
    "accept-language",
    "x-forwarded-for",
    "forwarded",
    "host",
    "origin",
    "referer",
    "user-agent",
    "authorization",
    "content-type",
    "accept",
    "sec-fetch-site",
    "x-request-id",
    "x-csrf-token",
    "content-length",
    "if-none-match",
];

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((choice, lines)) = bytes.split_first() else { return Corpus::Reject };
    let route = &routes()[usize::from(*choice) % routes().len()];
    let mut request = Request::new(Body::empty());
    *request.method_mut() = route.method.clone();
    *request.uri_mut() = route.path.replace(['{', '}'], "").parse().expect("a path of the table");
    for line in lines.split(|byte| *byte == b'\n') {
        let Some((name, value)) = line.split_first() else { continue };
        let Ok(value) = HeaderValue::from_bytes(value) else { return Corpus::Reject };
        request.headers_mut().append(HEADERS[usize::from(*name) % HEADERS.len()], value);
    }
    with_server(|server| server.send(request));
    Corpus::Keep
});
