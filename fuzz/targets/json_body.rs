//! No body makes a call of the JSON API fail with a server error: the first byte chooses the call, the rest is sent.
#![no_main]

use axum::body::Body;
use doorward_fuzz::{routes_with_body, with_server};
use doorward_web::route::{Door, RouteInfo};
use http::header;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static CALLS: LazyLock<Vec<RouteInfo>> = LazyLock::new(|| routes_with_body(Door::Api));

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else { return };
    let call = &CALLS[usize::from(*choice) % CALLS.len()];
    with_server(|server| {
        server.stay_signed_in();
        let request = server.own_request(call).uri(call.path).header(header::CONTENT_TYPE, "application/json");
        server.send(request.body(Body::from(body.to_vec())).expect("a request"));
    });
});
