use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::ErrorCode;
use crate::jose::test_keys::TestKey;

/// A client of these fields, as an operator writes them; fields that are null are left out.
pub(crate) fn client(fields: &Value) -> Client {
    read(fields, Author::Operator).unwrap()
}

/// A confidential client with a little of everything.
pub(crate) fn shop() -> Client {
    client(&shop_fields())
}

pub(crate) fn shop_fields() -> Value {
    json!({
        "client_name": "Shop",
        "redirect_uris": ["https://shop.example/cb"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scope": "openid profile email offline_access orders",
        "resources": ["https://api.example"],
    })
}

pub(crate) fn with(fields: &Value, name: &str, value: Value) -> Value {
    let mut fields = fields.clone();
    fields[name] = value;
    fields
}

fn read(fields: &Value, author: Author) -> Result<Client, Vec<Problem>> {
    Client::from_json(ClientId::parse("shop").unwrap(), fields.as_object().unwrap(), author)
}

fn problem_fields(fields: &Value, author: Author) -> Vec<String> {
    let problems = read(fields, author).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.field).collect()
}

#[test]
fn what_is_left_out_has_the_safe_default() {
    let client = client(&json!({"redirect_uris": ["https://shop.example/cb"]}));
    let metadata = client.metadata();
    assert!(metadata.pkce_required && !client.is_public());
    assert_eq!(metadata.consent, Consent::Ask);
    assert_eq!(metadata.rotation, Rotation::Strict);
    assert_eq!(metadata.scopes.to_string(), "openid");
    assert_eq!(metadata.id_token_algorithm, Algorithm::Rs256);
    assert_eq!(metadata.grants, [Grant::AuthorizationCode]);
    assert!(metadata.resources.is_empty());
}

/// Each row: a field, a value, and the field that the first problem names.
fn assert_named(rows: &[(&str, Value, &str)]) {
    for (name, value, field) in rows {
        let found = problem_fields(&with(&shop_fields(), name, value.clone()), Author::Operator);
        assert_eq!(found.first().map(String::as_str), Some(*field), "{name}: {value:.80}");
        // A grant that could not be read may be missed elsewhere.
        assert!(found.len() == 1 || *name == "grant_types", "{name}: {found:?}");
    }
}

/// Proves: A-111, V10.4.7
#[test]
fn each_wrong_address_or_name_is_named() {
    assert_named(&[
        ("client_name", json!(""), "client_name"),
        ("client_name", json!("a\u{202e}b"), "client_name"),
        ("client_name", json!(1), "client_name"),
        ("logo_uri", json!("javascript:alert(1)"), "logo_uri"),
        ("logo_uri", json!("http://shop.example/logo.png"), "logo_uri"),
        ("logo_uri", json!("https://user@shop.example/logo.png"), "logo_uri"),
        ("contacts", json!(["nobody"]), "contacts[0]"),
        ("redirect_uris", json!(["https://a.example", "http://b.example"]), "redirect_uris[1]"),
        ("redirect_uris", json!(["https://*.example/cb"]), "redirect_uris[0]"),
        ("redirect_uris", json!(["https://a.example#f"]), "redirect_uris[0]"),
        ("redirect_uris", json!(["https://u:p@a.example"]), "redirect_uris[0]"),
        ("redirect_uris", json!(["myapp://cb"]), "redirect_uris[0]"),
        ("redirect_uris", json!(vec!["https://a.example"; 1_000]), "redirect_uris"),
        ("redirect_uris", json!([]), "redirect_uris"),
        ("redirect_uris", json!("https://a.example"), "redirect_uris"),
        ("post_logout_redirect_uris", json!(["http://a.example"]), "post_logout_redirect_uris[0]"),
    ]);
}

/// Proves: A-111, V10.4.11
#[test]
fn each_wrong_part_of_the_protocol_is_named() {
    let key = TestKey::new(Algorithm::Es256).jwk();
    let secret_key = with(&key, "d", json!("AAAA"));
    assert_named(&[
        ("grant_types", json!(["password"]), "grant_types[0]"),
        ("grant_types", json!(["implicit"]), "grant_types[0]"),
        ("response_types", json!(["token"]), "response_types[0]"),
        ("response_types", json!(["code id_token"]), "response_types[0]"),
        ("response_types", json!([]), "response_types"),
        ("scope", json!("openid  email"), "scope"),
        ("resources", json!(["orders"]), "resources[0]"),
        ("served_resources", json!(["orders"]), "served_resources[0]"),
        ("grant_types", json!([]), "grant_types"),
        ("token_endpoint_auth_method", json!("client_secret_jwt"), "token_endpoint_auth_method"),
        ("token_endpoint_auth_method", json!("private_key_jwt"), "jwks"),
        ("token_endpoint_auth_signing_alg", json!("HS256"), "token_endpoint_auth_signing_alg"),
        ("token_endpoint_auth_signing_alg", json!("ES256"), "token_endpoint_auth_signing_alg"),
        ("jwks", json!({"keys": [secret_key]}), "jwks"),
        ("jwks", json!({"keys": []}), "jwks"),
        ("jwks", json!("{}"), "jwks"),
        ("jwks_uri", json!("file:///etc/passwd"), "jwks_uri"),
        ("jwks_uri", json!("http://169.254.169.254/jwks"), "jwks_uri"),
        ("id_token_signed_response_alg", json!("none"), "id_token_signed_response_alg"),
        ("id_token_signed_response_alg", json!("HS256"), "id_token_signed_response_alg"),
        ("id_token_signed_response_alg", json!("PS256"), "id_token_signed_response_alg"),
    ]);
    let both = with(&with(&shop_fields(), "jwks", json!({"keys": [key]})), "jwks_uri", json!("https://shop.example/k"));
    assert_eq!(problem_fields(&both, Author::Operator), ["jwks_uri"]);
}

#[test]
fn each_wrong_requirement_is_named() {
    assert_named(&[
        ("dpop_bound_access_tokens", json!("true"), "dpop_bound_access_tokens"),
        ("require_signed_request_object", json!(true), "jwks"),
        ("default_max_age", json!(-1), "default_max_age"),
        ("default_max_age", json!(1.5), "default_max_age"),
        ("default_acr_values", json!(["a b"]), "default_acr_values[0]"),
        ("subject_type", json!("private"), "subject_type"),
        ("sector_identifier_uri", json!("http://localhost/x.json"), "sector_identifier_uri"),
        ("backchannel_logout_uri", json!("http://shop.example/out"), "backchannel_logout_uri"),
        ("frontchannel_logout_uri", json!("https://other.example/out"), "frontchannel_logout_uri"),
        ("refresh_token_rotation", json!("keep"), "refresh_token_rotation"),
        ("access_token_seconds", json!(59), "access_token_seconds"),
        ("access_token_seconds", json!(3_601), "access_token_seconds"),
        ("id_token_seconds", json!(86_401), "id_token_seconds"),
        ("refresh_token_seconds", json!(31_536_001), "refresh_token_seconds"),
        ("client_nmae", json!("Shop"), "client_nmae"),
    ]);
}

#[test]
fn all_problems_are_told_at_once_with_their_codes() {
    let fields = json!({"redirect_uris": ["http://a.example"], "logo_uri": 1, "scope": "", "grant_types": []});
    let problems = read(&fields, Author::Operator).unwrap_err();
    let told: Vec<(&str, ErrorCode)> = problems.iter().map(|problem| (problem.field.as_str(), problem.code)).collect();
    assert_eq!(
        told,
        [
            ("logo_uri", ErrorCode::InvalidClientMetadata),
            ("redirect_uris[0]", ErrorCode::InvalidRedirectUri),
            ("scope", ErrorCode::InvalidClientMetadata),
            ("grant_types", ErrorCode::InvalidClientMetadata),
        ]
    );
    assert!(problems.iter().all(|problem| !problem.message.contains("a.example")));
}

/// Proves: A-111
#[test]
fn a_stranger_decides_nothing_that_is_the_operators() {
    let fields = json!({
        "redirect_uris": ["https://shop.example/cb"],
        "consent": "skip",
        "require_pkce": false,
        "require_nonce": false,
        "refresh_token_rotation": "recover",
        "access_token_seconds": 3_600,
        "resources": ["https://api.example"],
        "client_id": "chosen",
        "unknown": [1],
    });
    let client = read(&fields, Author::Stranger).unwrap();
    let plain = read(&json!({"redirect_uris": ["https://shop.example/cb"]}), Author::Stranger).unwrap();
    assert_eq!(client, plain);
    assert!(client.metadata().self_registered);
    assert_eq!(client.metadata().scopes.to_string(), "openid profile email");
}

/// Proves: A-111
#[test]
fn what_an_operator_gave_a_client_it_keeps_and_takes_no_more() {
    let shop =
        json!({"redirect_uris": ["https://shop.example/cb"], "grant_types": ["authorization_code", "refresh_token"]});
    let registered = read(&shop, Author::Stranger).unwrap();
    assert_eq!(registered.metadata().scopes.to_string(), "openid profile email offline_access");
    let given =
        json!({"consent": "skip", "scope": "openid orders", "access_token_seconds": 60, "self_registered": false});
    let mut members = registered.to_json();
    members.extend(given.as_object().unwrap().clone());
    let vetted = read(&Value::Object(members.clone()), Author::Operator).unwrap();
    // As it hears them, it sends the fields back; what it says of the operator's own counts for nothing.
    members.insert("access_token_seconds".into(), json!(600));
    members.insert("self_registered".into(), json!(true));
    assert_eq!(vetted.rewritten(&members).unwrap(), vetted);
    // What becomes something else, nobody has vouched for.
    members.insert("client_name".into(), json!("Bank"));
    let rewritten = vetted.rewritten(&members).unwrap();
    assert_eq!((rewritten.shown_name(), rewritten.metadata().consent), ("Bank", Consent::Ask));
    assert!(rewritten.metadata().self_registered);
    for field in ["scope", "access_token_seconds", "grant_types"] {
        assert_eq!(rewritten.to_json()[field], vetted.to_json()[field], "{field}");
    }
    for (field, value) in [
        ("scope", json!("openid orders refunds")),
        ("grant_types", json!(["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"])),
        ("redirect_uris", json!(["http://shop.example/cb"])),
    ] {
        let mut more = members.clone();
        more.insert(field.into(), value);
        let problems = vetted.rewritten(&more).unwrap_err();
        assert!(problems.iter().all(|problem| problem.field.starts_with(field)), "{problems:?}");
    }
    // A field that is left out has its default, as in a registration.
    let bare = vetted.rewritten(json!({"redirect_uris": ["https://shop.example/cb"]}).as_object().unwrap()).unwrap();
    assert_eq!((bare.name(), bare.metadata().scopes.to_string().as_str()), (None, "openid profile email"));
}

/// Proves: V10.7.1
#[test]
fn exceptions_have_conditions() {
    let public = with(&json!({"redirect_uris": ["com.example.app:/cb"]}), "token_endpoint_auth_method", json!("none"));
    for (fields, field) in [
        (with(&public, "require_pkce", json!(false)), Some("require_pkce")),
        (with(&public, "consent", json!("skip")), Some("consent")),
        (with(&public, "grant_types", json!(["authorization_code", "client_credentials"])), Some("grant_types")),
        (with(&public, "subject_type", json!("pairwise")), Some("sector_identifier_uri")),
        (with(&public, "scope", json!("openid offline_access")), Some("scope")),
        (with(&shop_fields(), "require_pkce", json!(false)), None),
        (with(&with(&shop_fields(), "require_pkce", json!(false)), "scope", json!("orders")), Some("require_pkce")),
        (with(&shop_fields(), "require_nonce", json!(false)), Some("require_nonce")),
        (with(&with(&shop_fields(), "require_pkce", json!(false)), "require_nonce", json!(false)), None),
        (with(&shop_fields(), "consent", json!("skip")), None),
        (with(&shop_fields(), "subject_type", json!("pairwise")), None),
        (
            with(
                &with(&shop_fields(), "refresh_token_rotation", json!("keep")),
                "dpop_bound_access_tokens",
                json!(true),
            ),
            None,
        ),
    ] {
        let found = problem_fields(&fields, Author::Operator);
        assert_eq!(found.first().map(String::as_str), field, "{fields}");
    }
}

#[test]
fn a_service_that_only_asks_needs_no_grant_and_a_machine_needs_a_service() {
    let service = json!({"grant_types": [], "served_resources": ["https://api.example"]});
    assert_eq!(client(&service).to_json()["served_resources"], json!(["https://api.example"]));
    let public = with(&service, "token_endpoint_auth_method", json!("none"));
    assert_eq!(problem_fields(&public, Author::Operator), ["served_resources"]);
    // What a stranger registers is no service, whatever they say.
    assert_eq!(problem_fields(&service, Author::Stranger), ["grant_types"]);
    let machine = json!({"grant_types": ["client_credentials"], "scope": "orders"});
    assert_eq!(problem_fields(&machine, Author::Operator), ["resources"]);
    let stranger = problem_fields(&with(&machine, "resources", json!(["urn:a:b"])), Author::Stranger);
    assert_eq!(stranger, ["grant_types", "scope", "resources"]);
}

#[test]
fn a_machine_needs_no_redirect_uri() {
    let fields =
        json!({"grant_types": ["client_credentials"], "scope": "orders", "resources": ["https://api.example"]});
    let client = client(&fields);
    assert_eq!(client.to_json()["response_types"], json!([]));
}

#[test]
fn scripts_come_from_the_pages_of_a_client_without_a_secret() {
    let mut fields = json!({"redirect_uris": [
        "https://shop.example/cb", "https://shop.example/other", "http://127.0.0.1/cb", "com.example.app:/cb",
    ]});
    assert!(client(&fields).script_origins().is_empty(), "it calls from its server");
    fields["token_endpoint_auth_method"] = json!("none");
    let origins: Vec<String> = client(&fields).script_origins().into_iter().collect();
    assert_eq!(origins, ["http://127.0.0.1", "https://shop.example"]);
}

#[test]
fn a_service_is_known_by_what_it_is_registered_for_byte_for_byte() {
    let service = client(&json!({"grant_types": [], "served_resources": ["https://api.example"]}));
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert!(service.serves(&names(&["https://files.example", "https://api.example"])));
    for foreign in [&[][..], &["https://api.example/"], &["https://api.example.evil"], &["HTTPS://api.example"]] {
        assert!(!service.serves(&names(foreign)), "{foreign:?}");
    }
}

#[test]
fn people_read_the_name_of_a_client_or_its_id() {
    let mut fields = json!({"redirect_uris": ["https://shop.example/cb"]});
    assert_eq!((client(&fields).name(), client(&fields).shown_name()), (None, "shop"));
    fields["client_name"] = json!("The Shop");
    assert_eq!((client(&fields).name(), client(&fields).shown_name()), (Some("The Shop"), "The Shop"));
}

#[test]
fn a_full_registration_reads_back() {
    let key = TestKey::new(Algorithm::EdDsa).jwk();
    let fields = json!({
        "client_name": "Shop", "logo_uri": "https://shop.example/l.png", "client_uri": "https://shop.example",
        "policy_uri": "https://shop.example/p", "tos_uri": "https://shop.example/t", "contacts": ["a@shop.example"],
        "application_type": "web", "redirect_uris": ["https://shop.example/cb"],
        "post_logout_redirect_uris": ["https://shop.example/bye"],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": ["code"], "scope": "openid offline_access", "resources": ["https://api.example"],
        "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "EdDSA",
        "jwks": {"keys": [key]}, "id_token_signed_response_alg": "ES256", "userinfo_signed_response_alg": "RS256",
        "introspection_signed_response_alg": "EdDSA", "request_object_signing_alg": "EdDSA",
        "dpop_bound_access_tokens": true, "require_pushed_authorization_requests": true,
        "require_signed_request_object": true, "require_pkce": true, "require_nonce": true, "consent": "skip",
        "refresh_token_rotation": "keep", "subject_type": "pairwise",
        "sector_identifier_uri": "https://shop.example/sector", "default_max_age": 3_600,
        "default_acr_values": ["aal2"], "backchannel_logout_uri": "https://shop.example/out",
        "backchannel_logout_session_required": true, "frontchannel_logout_uri": "https://shop.example/bye",
        "frontchannel_logout_session_required": false, "access_token_seconds": 300, "id_token_seconds": 300,
        "refresh_token_seconds": 86_400,
    });
    let client = client(&fields);
    assert_eq!(Value::Object(client.to_json()), fields);
    assert_eq!(Client::new(client.id().clone(), client.clone().into_metadata()), Ok(client));
}

proptest! {
    #[test]
    fn whatever_is_accepted_reads_back(
        method in "none|client_secret_basic|client_secret_post",
        grants in proptest::collection::vec("authorization_code|refresh_token|client_credentials", 0..3),
        scope in "openid( offline_access)?( [a-c])?",
        uri in "(https://[ab]\\.c|http://127\\.0\\.0\\.1|com\\.a:)/[a-z]",
        pkce: bool,
        consent in "ask|skip",
    ) {
        let fields = json!({"token_endpoint_auth_method": method, "grant_types": grants, "scope": scope,
            "redirect_uris": [uri], "require_pkce": pkce, "consent": consent});
        if let Ok(client) = read(&fields, Author::Operator) {
            prop_assert!(client.metadata().pkce_required || !client.is_public());
            prop_assert_eq!(read(&Value::Object(client.to_json()), Author::Operator), Ok(client));
        }
    }
}

/// The manual's tables: a field and its default, where it has one.
fn told_fields() -> Vec<(String, Option<Value>)> {
    let manual = include_str!("../../../../docs/application-settings.md");
    let rows = manual.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (field, rest) = row.split_once("` | ").unwrap_or_else(|| panic!("{row}"));
        let default = rest.split(" | ").next().filter(|default| *default != "—");
        let value =
            default.map(|text| serde_json::from_str(text.trim_matches('`')).unwrap_or_else(|_| panic!("{row}")));
        (field.to_owned(), value)
    })
    .collect()
}

#[test]
fn the_manual_explains_every_field_and_no_other() {
    let mut told: Vec<String> = told_fields().into_iter().map(|(field, _)| field).collect();
    let mut known = super::read::fields();
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known, "docs/application-settings.md");
}

#[test]
fn the_defaults_are_those_of_the_manual() {
    let shop = json!({"redirect_uris": ["https://shop.example/cb"],
        "backchannel_logout_uri": "https://shop.example/b", "frontchannel_logout_uri": "https://shop.example/f"});
    let shown = read(&shop, Author::Operator).unwrap().to_json();
    let left_out = |field: &str| shop.get(field).is_none();
    for (field, told) in told_fields().into_iter().filter(|(field, _)| left_out(field)) {
        assert_eq!(shown.get(&field), told.as_ref(), "{field}");
    }
}
