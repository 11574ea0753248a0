//! No form makes a page fail with a server error: the first byte chooses the page, the rest follows the form's token.
#![no_main]

use axum::body::Body;
use doorward_fuzz::{routes_with_body, with_server};
use doorward_web::route::{Door, RouteInfo};
use http::header;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static PAGES: LazyLock<Vec<RouteInfo>> = LazyLock::new(|| routes_with_body(Door::Page));

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, form)) = bytes.split_first() else { return };
    let page = &PAGES[usize::from(*choice) % PAGES.len()];
    with_server(|server| {
        server.stay_signed_in();
        let mut body = format!("csrf_token={}&", server.form_token(page)).into_bytes();
        body.extend_from_slice(form);
        let request = server.own_request(page).uri(page.path);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        server.send(request.body(Body::from(body)).expect("a request"));
    });
});
