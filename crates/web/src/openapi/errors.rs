//! Which errors a call may answer, and how they are written down.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use utoipa::openapi::schema::AllOfBuilder;
use utoipa::openapi::{ContentBuilder, Header, ObjectBuilder, Ref, Response, ResponseBuilder, Type};

use super::call::Call;
use crate::problem::Code;
use crate::route::{Access, CsrfRule, Door, RouteInfo};

/// RFC 9457 section 3.
const MEDIA_TYPE: &str = "application/problem+json";

/// Every code that `call` may answer on `route`, by status: what the edge says on all routes, what follows from the
/// route's decisions, and what the call itself adds.
pub(super) fn by_status(route: &RouteInfo, call: &Call) -> BTreeMap<StatusCode, Vec<Code>> {
    let mut codes = vec![
        Code::MalformedRequest,
        Code::PayloadTooLarge,
        Code::UnsupportedMediaType,
        Code::UriTooLong,
        Code::HeadersTooLarge,
        Code::MisdirectedRequest,
        Code::RateLimited,
        Code::InternalError,
        Code::TooBusy,
        Code::Unavailable,
    ];
    if route.door == Door::Api {
        codes.push(Code::CsrfFailed);
    }
    if matches!(route.access, Access::Session | Access::AdminSession) {
        codes.extend([Code::InvalidToken, Code::TokenExpired, Code::SessionExpired, Code::SessionRevoked]);
    }
    if route.access == Access::AdminSession {
        codes.push(Code::Forbidden);
    }
    if route.method != Method::GET {
        codes.push(Code::RequestTimeout);
    }
    // Unsafe calls without fields refuse fields.
    let has_fields = route.method != Method::GET || call.parameters.iter().any(|parameter| parameter.name == "limit");
    if has_fields && route.csrf != CsrfRule::PublicForm {
        codes.push(Code::ValidationFailed);
    }
    codes.extend_from_slice(&call.codes);
    let mut statuses: BTreeMap<StatusCode, Vec<Code>> = BTreeMap::new();
    for code in codes {
        let known = statuses.entry(code.status()).or_default();
        if !known.contains(&code) {
            known.push(code);
        }
    }
    statuses
}

/// The name under which calls with the same errors share one response.
pub(super) fn name(codes: &[Code]) -> String {
    codes.iter().map(|code| format!("{code:?}")).collect::<Vec<_>>().join("Or")
}

/// The response itself: the one form of all errors, narrowed to these codes.
pub(super) fn response(status: StatusCode, codes: &[Code]) -> Response {
    let slugs: Vec<&str> = codes.iter().map(|code| code.slug()).collect();
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(slugs));
    let narrowed = ObjectBuilder::new().schema_type(Type::Object).property("code", code);
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed);
    let says = codes.iter().map(|code| format!("`{}`: {}", code.slug(), code.detail())).collect::<Vec<_>>();
    let response = ResponseBuilder::new()
        .description(says.join(" "))
        .content(MEDIA_TYPE, ContentBuilder::new().schema(Some(schema)).build());
    match status.as_u16() {
        401 => response.header("WWW-Authenticate", header("How to present a credential.", Type::String)),
        429 | 503 => response.header("Retry-After", header("Seconds to wait before trying again.", Type::Integer)),
        _ => response,
    }
    .build()
}

fn header(says: &str, kind: Type) -> Header {
    let mut header = Header::new(ObjectBuilder::new().schema_type(kind));
    header.description = Some(says.to_owned());
    header
}
