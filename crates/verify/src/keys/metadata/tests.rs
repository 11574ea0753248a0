use proptest::prelude::*;
use serde_json::json;

use super::*;

const ISSUER: &str = "https://id.example/tenant";

fn document() -> Value {
    json!({"issuer": ISSUER, "jwks_uri": "https://id.example/keys"})
}

fn parse(document: &Value) -> Result<Metadata, KeysUnavailable> {
    Metadata::parse(document.to_string().as_bytes(), ISSUER)
}

#[test]
fn a_document_is_read() {
    let mut full = document();
    full["token_endpoint"] = json!("https://id.example/token");
    full["doorward_revocation_feed_endpoint"] = json!("https://id.example/revocations");
    full["unknown"] = json!({"a": [1]});
    let metadata = parse(&full).unwrap();
    assert_eq!(metadata.jwks_uri, "https://id.example/keys");
    assert_eq!(metadata.token_endpoint.as_deref(), Some("https://id.example/token"));
    assert_eq!(metadata.doorward_revocation_feed_endpoint.as_deref(), Some("https://id.example/revocations"));
    let least = parse(&document()).unwrap();
    assert_eq!((least.token_endpoint, least.doorward_revocation_feed_endpoint), (None, None));
}

/// Proves: A-115
#[test]
fn a_document_of_another_issuer_is_refused() {
    for issuer in [
        json!("https://id.example/tenant/"),
        json!("https://id.example/Tenant"),
        json!("https://ID.example/tenant"),
        json!("https://id.example:443/tenant"),
        json!("https://id.example"),
        json!("https://evil.example/tenant"),
        json!([ISSUER]),
        json!(null),
    ] {
        let mut other = document();
        other["issuer"] = issuer.clone();
        assert_eq!(parse(&other), Err(KeysUnavailable::Issuer), "{issuer}");
    }
    assert_eq!(parse(&json!({"jwks_uri": "https://id.example/keys"})), Err(KeysUnavailable::Issuer));
}

/// Proves: A-119, V9.1.3
#[test]
fn an_address_that_may_not_be_asked_makes_the_document_wrong() {
    for name in ["jwks_uri", "token_endpoint", "doorward_revocation_feed_endpoint"] {
        for address in [
            "http://id.example/keys",
            "http://127.0.0.1/keys",
            "http://localhost/keys",
            "ftp://id.example/keys",
            "file:///etc/keys",
            "https://user@id.example/keys",
            "//id.example/keys",
            "/keys",
            "",
        ] {
            let mut other = document();
            other[name] = json!(address);
            assert_eq!(parse(&other), Err(KeysUnavailable::Address), "{name}: {address}");
        }
        for value in [json!(null), json!(1), json!(["https://id.example/keys"])] {
            let mut other = document();
            other[name] = value.clone();
            assert_eq!(parse(&other), Err(KeysUnavailable::Document), "{name}: {value}");
        }
    }
    assert_eq!(parse(&json!({"issuer": ISSUER})), Err(KeysUnavailable::Document));
    // An issuer on this machine may use what is on this machine.
    let local = json!({"issuer": "http://localhost:1", "jwks_uri": "http://127.0.0.1:2/keys"}).to_string();
    assert!(Metadata::parse(local.as_bytes(), "http://localhost:1").is_ok());
}

#[test]
fn what_is_no_document_is_refused() {
    let twice = document().to_string().replacen('{', r#"{"issuer": "https://evil.example","#, 1);
    let deep = format!(r#"{{"issuer": "{ISSUER}", "a": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("{}{}", document(), " ".repeat(Metadata::MAX_BYTES));
    for text in ["", "[]", "null", "<html>", &twice, &deep, &long] {
        assert_eq!(Metadata::parse(text.as_bytes(), ISSUER), Err(KeysUnavailable::Document), "{text:.60}");
    }
}

#[test]
fn the_document_is_where_the_standards_say() {
    for (issuer, openid, oauth) in [
        (
            "https://id.example",
            "https://id.example/.well-known/openid-configuration",
            "https://id.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://id.example/",
            "https://id.example/.well-known/openid-configuration",
            "https://id.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://id.example:8443/a/b/",
            "https://id.example:8443/a/b/.well-known/openid-configuration",
            "https://id.example:8443/.well-known/oauth-authorization-server/a/b",
        ),
    ] {
        assert_eq!(Metadata::addresses(issuer), Some([openid.to_owned(), oauth.to_owned()]), "{issuer}");
    }
    for issuer in ["http://id.example", "https://id.example?a", "https://id.example#a", "id.example", ""] {
        assert_eq!(Metadata::addresses(issuer), None, "{issuer}");
    }
}

proptest! {
    #[test]
    fn whatever_is_accepted_names_the_issuer_and_leads_to_https(text in "[a-z:/.@#?0-9\\[\\]]{0,24}") {
        let issuer = "https://id.example";
        let document = json!({"issuer": issuer, "jwks_uri": text}).to_string();
        if let Ok(metadata) = Metadata::parse(document.as_bytes(), issuer) {
            prop_assert_eq!(metadata.issuer, issuer);
            prop_assert!(metadata.jwks_uri.starts_with("https://"));
        }
    }
}
