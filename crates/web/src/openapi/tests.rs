//! The description is true, whole, committed, and does not break within v1.

mod breaking;
mod requests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use doorward_model::time::Timestamp;
use serde_json::Value;

use super::compatibility::breaking_changes;
use super::*;
use crate::problem::Code;
use crate::route::Retirement;

/// Set by `cargo xtask openapi`: write the committed description instead of comparing it.
const UPDATE_VARIABLE: &str = "DOORWARD_UPDATE_OPENAPI";

fn described() -> Value {
    serde_json::from_str(&json().unwrap()).unwrap()
}

fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

fn members(value: &Value) -> Vec<(&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect()
}

#[test]
fn the_committed_description_is_the_one_the_types_make() {
    let path = committed("openapi.json");
    let made = json().unwrap();
    #[expect(clippy::disallowed_methods, reason = "a developer asks for the file to be written")]
    if std::env::var_os(UPDATE_VARIABLE).is_some() {
        std::fs::write(&path, made).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "docs/openapi.json is not what the types say: run `cargo xtask openapi` and commit it");
}

fn released() -> Value {
    serde_json::from_str(&std::fs::read_to_string(committed("openapi-released.json")).unwrap()).unwrap()
}

/// The file is what clients were promised last; a release copies `openapi.json` over it.
///
/// Proves: S-118
#[test]
fn nothing_of_the_released_description_is_broken() {
    let changes = breaking_changes(&released(), &described());
    assert!(changes.is_empty(), "breaking changes within v1:\n{}", changes.join("\n"));
}

#[test]
fn a_call_that_will_go_is_described_as_deprecated_and_until_when() {
    let retirement = Retirement {
        deprecated_at: Timestamp::from_ms(1_782_864_000_000),
        sunset_at: Some(Timestamp::from_ms(1_814_400_000_000)),
    };
    let mut routes: Vec<_> = api::routes().iter().map(Route::info).collect();
    for route in routes.iter_mut().filter(|route| route.path == "/api/v1/csrf") {
        route.retires = Some(retirement);
    }
    let changed = serde_json::to_value(document::document(&routes, &calls::calls())).unwrap();
    let call = &changed["paths"]["/api/v1/csrf"]["get"];
    assert_eq!(call["deprecated"], true);
    assert!(call["description"].as_str().unwrap().ends_with("Gone after Thu, 01 Jul 2027 00:00:00 GMT."), "{call}");
    assert_eq!(changed["paths"]["/api/v1/me"]["get"]["deprecated"], Value::Null);
    assert_eq!(breaking_changes(&described(), &changed), Vec::<String>::new(), "announcing is no breaking change");
}

#[test]
fn every_route_of_the_api_is_described_and_nothing_else() {
    // RFC 9116 describes security.txt, which is for people and not part of the API; the discovery documents and what they
    // name are described by their standards.
    const ELSEWHERE: [&str; 3] =
        ["/.well-known/security.txt", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];
    let is_public =
        |path: &str| (path.starts_with("/api/") || path.starts_with("/.well-known/")) && !ELSEWHERE.contains(&path);
    let routed: BTreeSet<String> = crate::routes()
        .iter()
        .filter(|route| is_public(route.path))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let called: Vec<String> = calls::calls().iter().map(|call| format!("{} {}", call.method, call.path)).collect();
    let description = described();
    let mut written = BTreeSet::new();
    for (path, item) in members(&description["paths"]) {
        written.extend(members(item).iter().map(|(method, _)| format!("{} {path}", method.to_uppercase())));
    }
    assert!(routed.len() >= 17, "{routed:?}");
    assert_eq!(routed, written);
    assert_eq!(called.len(), routed.len(), "a call is described twice or has no route");
}

#[test]
fn every_reference_leads_somewhere_and_every_call_has_a_name_of_its_own() {
    fn check_references(value: &Value, document: &Value) {
        if let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
        match value {
            Value::Object(object) => object.values().for_each(|value| check_references(value, document)),
            Value::Array(list) => list.iter().for_each(|value| check_references(value, document)),
            _ => {}
        }
    }
    let description = described();
    check_references(&description, &description);
    let names: BTreeSet<&str> = calls::calls().iter().map(|call| call.id).collect();
    assert_eq!(names.len(), calls::calls().len());
    assert_eq!(description["openapi"], "3.1.0");
}

/// Proves: S-43
#[test]
fn every_call_names_its_errors_in_the_one_form() {
    let description = described();
    let slugs: BTreeSet<&str> = Code::ALL.iter().map(|code| code.slug()).collect();
    for (path, item) in members(&description["paths"]) {
        for (method, call) in members(item) {
            for status in ["400", "413", "414", "415", "421", "429", "431", "500", "503"] {
                assert!(call["responses"][status].is_object(), "{method} {path} {status}");
            }
        }
    }
    for (name, response) in members(&description["components"]["responses"]) {
        let schema = &response["content"]["application/problem+json"]["schema"]["allOf"];
        assert_eq!(schema[0]["$ref"], "#/components/schemas/Problem", "{name}");
        let codes = schema[1]["properties"]["code"]["enum"].as_array().unwrap();
        assert!(codes.iter().all(|code| slugs.contains(code.as_str().unwrap())), "{name}");
    }
}

#[test]
fn who_may_call_is_said_as_the_route_table_says_it() {
    let description = described();
    let paths = &description["paths"];
    for route in api::routes() {
        let method = route.method.as_str().to_lowercase();
        let security = &paths[route.path][method.as_str()]["security"];
        let needs_session = route.access == Access::Session;
        let alternatives = security.as_array().cloned().unwrap_or_default();
        let is_open = alternatives.is_empty() || alternatives.contains(&serde_json::json!({}));
        assert_eq!(needs_session, !is_open, "{method} {}", route.path);
        let names_csrf = alternatives.iter().any(|one| one["csrf_token"].is_array());
        assert_eq!(names_csrf, route.csrf == CsrfRule::SessionHeader, "{method} {}", route.path);
    }
}

#[test]
fn a_copy_is_named_by_its_tag() {
    let tag = HeaderValue::from_static("\"abc\"");
    for (sent, is_known) in [
        ("\"abc\"", true),
        ("W/\"abc\"", true),
        ("\"x\", \"abc\"", true),
        ("*", true),
        ("\"ab\"", false),
        ("abc", false),
    ] {
        assert_eq!(names_tag(&HeaderValue::from_static(sent), &tag), is_known, "{sent}");
    }
}
