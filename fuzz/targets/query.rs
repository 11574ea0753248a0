//! No query and no id in a path makes anything that is read by its owner fail with a server error. The first byte
//! chooses the route; the rest up to a question mark stands for the id, what follows is the query.
#![no_main]

use axum::body::Body;
use doorward_fuzz::{routes, with_server};
use http::Uri;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((choice, rest)) = bytes.split_first() else { return Corpus::Reject };
    let route = &routes()[usize::from(*choice) % routes().len()];
    let mark = rest.iter().position(|byte| *byte == b'?').unwrap_or(rest.len());
    let (before, after) = route.path.split_once('{').unwrap_or((route.path, ""));
    let after = after.split_once('}').map_or("", |(_, after)| after);
    let id = if before == route.path { b"".as_slice() } else { &rest[..mark] };
    let path = [before.as_bytes(), id, after.as_bytes(), &rest[mark..]].concat();
    let Ok(uri) = Uri::try_from(path) else { return Corpus::Reject };
    with_server(|server| {
        server.stay_signed_in();
        server.send(server.own_request(route).uri(uri).body(Body::empty()).expect("a request"));
    });
    Corpus::Keep
});
