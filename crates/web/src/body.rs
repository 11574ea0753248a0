//! Request bodies: read within bounds, parsed strictly, taken field by field so that every complaint is told at once
//! and no value is ever repeated.

mod fields;
mod form;
mod json;
mod strict_json;

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use zeroize::Zeroizing;

pub use self::fields::{Change, FieldValue, Fields, FromFields};
pub use self::form::{FormBody, FormFields, FormValues};
pub(crate) use self::json::read_object;
pub use self::json::{JsonBody, OptionalJson};
use crate::edge::MAX_BODY_BYTES;
use crate::problem::{Code, Problem};

/// Collects a body of at most 64 KiB that arrives in time. The bytes are wiped afterwards: they may hold a password.
pub(crate) async fn read_body(body: Body, timeout: Duration) -> Result<Zeroizing<Vec<u8>>, Problem> {
    match tokio::time::timeout(timeout, collect(body)).await {
        Ok(collected) => collected,
        Err(_) => Err(Code::RequestTimeout.into()),
    }
}

async fn collect(mut body: Body) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(frame) = body.frame().await {
        // A body that breaks off or is badly framed cannot be read.
        let frame = frame.map_err(|_| Code::MalformedRequest)?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MAX_BODY_BYTES {
            return Err(Code::PayloadTooLarge.into());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Whether the one `Content-Type` is `expected`, with no parameter but `charset=utf-8`.
fn is_content_type(headers: &http::HeaderMap, expected: &str) -> bool {
    let mut values = headers.get_all(http::header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let is_expected = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(expected));
    let is_utf8 = |parameter: &str| {
        ["charset=utf-8", "charset=\"utf-8\""].iter().any(|known| parameter.eq_ignore_ascii_case(known))
    };
    is_expected && parts.all(is_utf8)
}
