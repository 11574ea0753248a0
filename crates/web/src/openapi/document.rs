//! Puts the route table and the descriptions of the calls together.

use http::Method;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathsBuilder};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ComponentsBuilder, ContentBuilder, Deprecated, InfoBuilder, OpenApi, OpenApiBuilder, OpenApiVersion,
    PathItem, Ref, RefOr, Required, Response, ResponseBuilder, ResponsesBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::call::{BodyRule, Call, Chapter};
use super::errors;
use crate::cookies::CookieName;
use crate::problem::Document;
use crate::route::{Access, CsrfRule, RouteInfo};

const SESSION: &str = "session_cookie";
const CSRF: &str = "csrf_token";
const BEARER: &str = "access_token";

const SAYS: &str = "Sign-up, sign-in, sessions and tokens. Within v1 only additions are made: ignore fields that you \
    do not know. Every error is a problem document with a stable `code`. Unsafe calls are refused when another site \
    made the browser send them.";

/// The description of those routes that have one.
pub(super) fn document(routes: &[RouteInfo], calls: &[Call]) -> OpenApi {
    let mut error_schemas = vec![(Document::name().into_owned(), Document::schema())];
    Document::schemas(&mut error_schemas);
    let mut components = ComponentsBuilder::new().schemas_from_iter(error_schemas);
    for (name, scheme) in security_schemes() {
        components = components.security_scheme(name, scheme);
    }
    let mut components = components.build();
    let mut paths = PathsBuilder::new().build();
    for route in routes {
        let Some(call) = calls.iter().find(|call| call.method == route.method && call.path == route.path) else {
            continue;
        };
        components.schemas.extend(call.schemas.iter().cloned());
        let item = PathItem::new(http_method(&route.method), operation(route, call, &mut components));
        match paths.paths.get_mut(route.path) {
            Some(known) => known.merge_operations(item),
            None => drop(paths.paths.insert(route.path.to_owned(), item)),
        }
    }
    let tags = Chapter::ALL.map(|chapter| TagBuilder::new().name(chapter.title()).build());
    OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(InfoBuilder::new().title("Doorward").version(env!("CARGO_PKG_VERSION")).description(Some(SAYS)))
        .tags(Some(tags))
        .components(Some(components))
        .paths(paths)
        .build()
}

fn security_schemes() -> [(&'static str, SecurityScheme); 3] {
    let mut cookie = ApiKeyValue::new(CookieName::Session.as_str());
    cookie.description = Some("The session of a browser.".to_owned());
    let mut header = ApiKeyValue::new("X-CSRF-Token");
    header.description = Some("With the session cookie, on unsafe calls: the answer of `/api/v1/csrf`.".to_owned());
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description =
        Some("An access token (RFC 9068, `typ` `at+jwt`). It alone counts, also beside a session cookie.".to_owned());
    [
        (SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie))),
        (CSRF, SecurityScheme::ApiKey(ApiKey::Header(header))),
        (BEARER, SecurityScheme::Http(bearer)),
    ]
}

fn operation(route: &RouteInfo, call: &Call, components: &mut Components) -> Operation {
    let mut responses = ResponsesBuilder::new();
    for answer in &call.answers {
        let mut response = ResponseBuilder::new().description(answer.says);
        if let Some((media_type, schema)) = &answer.body {
            response = response.content(*media_type, ContentBuilder::new().schema(Some(schema.clone())).build());
        }
        responses = responses.response(answer.status.as_str(), response.build());
    }
    for (status, codes) in errors::by_status(route, call) {
        let name = errors::name(&codes);
        let shared: RefOr<Response> = RefOr::Ref(Ref::from_response_name(&name));
        responses = responses.response(status.as_str(), shared);
        components.responses.insert(name, RefOr::T(errors::response(status, &codes)));
    }
    let parameters = (!call.parameters.is_empty()).then(|| call.parameters.clone());
    OperationBuilder::new()
        .operation_id(Some(call.id))
        .tag(call.chapter.title())
        .summary(Some(call.summary))
        .description(Some(says(route, call)))
        .deprecated(route.retires.map(|_| Deprecated::True))
        .parameters(parameters)
        .request_body(request_body(call))
        .responses(responses.build())
        .securities(security(route))
        .build()
}

/// What the call does, and until when.
fn says(route: &RouteInfo, call: &Call) -> String {
    let sunset = route.retires.and_then(|retirement| retirement.sunset_at);
    sunset.map_or_else(|| call.says.to_owned(), |at| format!("{} Gone after {}.", call.says, at.to_http_date()))
}

fn request_body(call: &Call) -> Option<RequestBody> {
    let (rule, schema) = call.body.as_ref()?;
    let required = if *rule == BodyRule::Required { Required::True } else { Required::False };
    let content = ContentBuilder::new().schema(Some(schema.clone())).build();
    Some(RequestBodyBuilder::new().content("application/json", content).required(Some(required)).build())
}

/// Which credentials let a caller in: one of the alternatives.
fn security(route: &RouteInfo) -> Option<Vec<SecurityRequirement>> {
    let none: [&str; 0] = [];
    let cookie = SecurityRequirement::new(SESSION, none);
    let bearer = SecurityRequirement::new(BEARER, none);
    match (route.access, route.csrf) {
        (Access::Public, CsrfRule::SessionHeader) => Some(vec![cookie.add(CSRF, none), SecurityRequirement::default()]),
        (Access::Public, _) => None,
        (Access::Optional, _) => Some(vec![cookie, bearer, SecurityRequirement::default()]),
        (Access::Session | Access::AdminSession, CsrfRule::Safe) => Some(vec![cookie, bearer]),
        (Access::Session | Access::AdminSession, _) => Some(vec![cookie.add(CSRF, none), bearer]),
    }
}

/// The contradiction check lets no other method into a table.
fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
