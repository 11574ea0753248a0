use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::client::tests::{client, shop, shop_fields, with};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A good request with some parameters replaced; an empty value leaves one out.
fn query(changes: &[(&str, &str)]) -> Parameters {
    let mut pairs = vec![
        ("client_id", "shop"),
        ("response_type", "code"),
        ("redirect_uri", "https://shop.example/cb"),
        ("scope", "openid"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        pairs.retain(|(own, _)| own != name);
        pairs.push((name, value));
    }
    Parameters::from_pairs(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
}

fn plain(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, AuthorizeError> {
    read(&query(changes), &shop(), &Route::default())
}

#[test]
fn a_good_request_is_read() {
    let request = plain(&[
        ("scope", "openid email offline_access"),
        ("prompt", "consent"),
        ("max_age", "60"),
        ("ui_locales", "de en"),
        ("acr_values", "aal2"),
        ("resource", "https://api.example"),
        ("response_mode", "form_post"),
        ("login_hint", "a@shop.example"),
        ("id_token_hint", "a.b.c"),
        ("claims", "{\"userinfo\":{\"name\":null}}"),
        ("unknown", "1"),
    ])
    .unwrap();
    assert!(request.is_openid() && request.wants_offline_access() && request.prompt.consent);
    assert_eq!(request.destination.state.as_deref(), Some("s"));
    assert_eq!(request.destination.mode, ResponseMode::FormPost);
    assert_eq!(request.challenge, crate::pkce::Challenge::parse(CHALLENGE));
    assert_eq!(request.resources.len(), 1);
    assert_eq!(request.ui_locales, ["de", "en"]);
    assert!(request.claims.userinfo.contains_key("name"));
    assert!(!format!("{request:?}").contains("a.b.c"));
}

#[test]
fn a_claim_asked_for_by_name_asks_for_its_scope() {
    let known = shop();
    let humble = client(&with(&shop_fields(), "scope", json!("openid email")));
    for (registered, scope, claims, expected) in [
        (&known, "openid", r#"{"userinfo":{"name":{"essential":true}}}"#, "openid profile"),
        (
            &known,
            "openid",
            r#"{"id_token":{"email_verified":null},"userinfo":{"locale":null}}"#,
            "openid profile email",
        ),
        (&known, "openid email", r#"{"userinfo":{"email":null}}"#, "openid email"),
        (&known, "openid", r#"{"id_token":{"auth_time":null,"acr":null,"offline_access":null}}"#, "openid"),
        (&known, "orders", r#"{"userinfo":{"email":null}}"#, "orders"),
        (&humble, "openid", r#"{"userinfo":{"name":{"essential":true},"phone_number":null}}"#, "openid"),
        (&humble, "openid", r#"{"userinfo":{"name":null,"email":null}}"#, "openid email"),
    ] {
        let asked = query(&[("scope", scope), ("claims", claims)]);
        let request = read(&asked, registered, &Route::default()).unwrap();
        assert_eq!(request.scope.to_string(), expected, "{scope} {claims}");
    }
}

/// Proves: A-80, A-81, V10.4.1
#[test]
fn without_a_proved_redirect_uri_an_error_stays_on_a_page() {
    for uri in [
        "https://shop.example/cb/",
        "https://evil.example/cb",
        "https://shop.example.evil.example/cb",
        "https://shop.example/cb#f",
        "javascript:alert(1)",
        "",
    ] {
        let error = plain(&[("redirect_uri", uri), ("response_type", "token")]).unwrap_err();
        assert!(matches!(error, AuthorizeError::Page(_)), "{uri}: {error:?}");
    }
    let text = query(&[]).to_form();
    for twice in ["redirect_uri=https://shop.example/cb", "redirect_uri=https://evil.example", "client_id=shop"] {
        let parameters = Parameters::parse(format!("{}&{twice}", *text).as_bytes()).unwrap();
        let error = read(&parameters, &shop(), &Route::default()).unwrap_err();
        assert!(matches!(error, AuthorizeError::Page(_)), "{twice}: {error:?}");
    }
    assert!(matches!(plain(&[("client_id", "other")]), Err(AuthorizeError::Page(_))));
    assert!(matches!(plain(&[("client_id", "")]), Err(AuthorizeError::Page(_))));
}

/// Proves: A-85, A-88, A-91, V10.4.4, V10.4.6, V10.4.11, V10.4.12, V10.6.1, V9.2.4
#[test]
fn other_errors_are_told_at_the_redirect_uri() {
    for (name, value, code) in [
        ("response_type", "", ErrorCode::InvalidRequest),
        ("response_type", "token", ErrorCode::UnsupportedResponseType),
        ("response_type", "id_token", ErrorCode::UnsupportedResponseType),
        ("response_type", "code token", ErrorCode::UnsupportedResponseType),
        ("response_type", "code id_token", ErrorCode::UnsupportedResponseType),
        ("response_type", "none", ErrorCode::UnsupportedResponseType),
        ("response_type", "CODE", ErrorCode::UnsupportedResponseType),
        ("response_mode", "fragment", ErrorCode::InvalidRequest),
        ("response_mode", "web_message", ErrorCode::InvalidRequest),
        ("scope", "", ErrorCode::InvalidScope),
        ("scope", "openid admin", ErrorCode::InvalidScope),
        ("scope", "OpenID", ErrorCode::InvalidScope),
        ("scope", "*", ErrorCode::InvalidScope),
        ("scope", "openid  email", ErrorCode::InvalidScope),
        ("code_challenge", "", ErrorCode::InvalidRequest),
        ("code_challenge", "short", ErrorCode::InvalidRequest),
        ("code_challenge_method", "", ErrorCode::InvalidRequest),
        ("code_challenge_method", "plain", ErrorCode::InvalidRequest),
        ("code_challenge_method", "S512", ErrorCode::InvalidRequest),
        ("prompt", "none login", ErrorCode::InvalidRequest),
        ("prompt", "magic", ErrorCode::InvalidRequest),
        ("max_age", "soon", ErrorCode::InvalidRequest),
        ("claims", "[]", ErrorCode::InvalidRequest),
        ("resource", "https://other.example", ErrorCode::InvalidTarget),
        ("registration", "{}", ErrorCode::RegistrationNotSupported),
        ("request", "a.b.c", ErrorCode::InvalidRequest),
        ("dpop_jkt", "x", ErrorCode::InvalidRequest),
        ("nonce", "a\nb", ErrorCode::InvalidRequest),
        ("login_hint", "a\0", ErrorCode::InvalidRequest),
    ] {
        match plain(&[(name, value)]) {
            Err(AuthorizeError::Redirect(error, to)) => {
                assert_eq!(error.code, code, "{name}={value}");
                assert!(error.code.may_redirect(), "{name}={value}");
                assert_eq!((to.redirect_uri.as_str(), to.state.as_deref()), ("https://shop.example/cb", Some("s")));
            }
            other => panic!("{name}={value}: {other:?}"),
        }
    }
}

#[test]
fn a_state_that_is_repeated_or_unusable_is_not_carried_back() {
    for state in ["a\r\nb", &"x".repeat(2_049)] {
        let Err(AuthorizeError::Redirect(error, to)) = plain(&[("state", state)]) else { panic!("{state:?}") };
        assert_eq!((error.code, to.state), (ErrorCode::InvalidRequest, None));
    }
    let twice = Parameters::parse(format!("{}&state=t", *query(&[]).to_form()).as_bytes()).unwrap();
    let Err(AuthorizeError::Redirect(error, to)) = read(&twice, &shop(), &Route::default()) else { panic!() };
    assert_eq!((error.code, to.state), (ErrorCode::InvalidRequest, None));
}

/// Proves: A-85, V10.4.6
#[test]
fn the_exception_from_pkce_asks_for_a_nonce_and_does_not_weaken_a_challenge() {
    let exempt = client(&with(&shop_fields(), "require_pkce", json!(false)));
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let read = |changes: &[(&str, &str)]| read(&query(changes), &exempt, &Route::default());
    assert_eq!(read(&without).unwrap().challenge, None);
    assert!(read(&[without[0], without[1], ("nonce", "")]).is_err());
    assert!(read(&[("code_challenge_method", "plain")]).is_err());
    assert!(read(&[("code_challenge", "")]).is_err());
    assert!(read(&[]).unwrap().challenge.is_some());
}

/// Proves: A-85
#[test]
fn only_the_exception_from_the_exception_takes_a_request_with_neither_challenge_nor_nonce() {
    let neither = [("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "")];
    for (pkce, nonce, is_taken) in [(false, false, true), (false, true, false), (true, true, false)] {
        let fields = with(&with(&shop_fields(), "require_pkce", json!(pkce)), "require_nonce", json!(nonce));
        let read = read(&query(&neither), &client(&fields), &Route::default());
        assert_eq!(read.is_ok(), is_taken, "require_pkce {pkce}, require_nonce {nonce}");
    }
}

#[test]
fn one_redirect_uri_may_be_left_out_unless_it_is_openid_connect() {
    let missing = ("redirect_uri", "");
    let request = plain(&[missing, ("scope", "orders")]).unwrap();
    assert_eq!(request.destination.redirect_uri, "https://shop.example/cb");
    assert!(matches!(plain(&[missing]), Err(AuthorizeError::Page(_))));
    let uris = json!(["https://shop.example/cb", "https://shop.example/2"]);
    let several = client(&with(&shop_fields(), "redirect_uris", uris));
    let error = read(&query(&[missing, ("scope", "orders")]), &several, &Route::default());
    assert!(matches!(error, Err(AuthorizeError::Page(_))));
}

/// Proves: V10.4.13
#[test]
fn a_client_or_deployment_can_insist_on_pushed_and_signed_requests() {
    let key = crate::jose::test_keys::TestKey::new(crate::jose::Algorithm::Es256).jwk();
    let fields = with(&shop_fields(), "jwks", json!({"keys": [key]}));
    let pushing = client(&with(&fields, "require_pushed_authorization_requests", json!(true)));
    let signing = client(&with(&fields, "require_signed_request_object", json!(true)));
    let route = |pushed, signed, pushed_only| Route { pushed, signed, pushed_only, proved_key: None };
    for (client, route, accepted) in [
        (&pushing, route(false, false, false), false),
        (&pushing, route(false, true, false), false),
        (&pushing, route(true, false, false), true),
        (&signing, route(true, false, false), false),
        (&signing, route(false, true, false), true),
        (&shop(), route(false, false, true), false),
        (&shop(), route(true, false, true), true),
    ] {
        assert_eq!(read(&query(&[]), client, &route).is_ok(), accepted, "{route:?}");
    }
}

/// Proves: A-110
#[test]
fn the_key_of_a_pushed_proof_and_the_named_one_are_the_same() {
    let (one, other) = (Thumbprint::from_bytes([1; 32]), Thumbprint::from_bytes([2; 32]));
    let read_with = |proved_key, named: &str| {
        read(&query(&[("dpop_jkt", named)]), &shop(), &Route { proved_key, ..Route::default() })
            .map(|read| read.dpop_key)
    };
    assert_eq!(read_with(None, ""), Ok(None));
    assert_eq!(read_with(Some(one), ""), Ok(Some(one)));
    assert_eq!(read_with(None, &one.to_string()), Ok(Some(one)));
    assert_eq!(read_with(Some(one), &one.to_string()), Ok(Some(one)));
    assert!(read_with(Some(one), &other.to_string()).is_err());
}

#[test]
fn offline_access_is_dropped_when_the_client_cannot_renew() {
    let fields = with(&shop_fields(), "grant_types", json!(["authorization_code"]));
    let client = client(&with(&fields, "scope", json!("openid")));
    let request = read(&query(&[("scope", "openid offline_access")]), &client, &Route::default()).unwrap();
    assert!(!request.wants_offline_access());
}

/// Proves: A-98
#[test]
fn an_envelope_is_read_from_the_outside() {
    let of = |text: &str| {
        let outer = Parameters::parse(text.as_bytes()).unwrap();
        Envelope::of(&outer).map(|envelope| format!("{envelope:?}")).map_err(|error| error.code)
    };
    assert_eq!(of("client_id=shop"), Ok("Plain".to_owned()));
    assert_eq!(of("request=a.b.c"), Ok("Signed(\"a.b.c\")".to_owned()));
    assert_eq!(of("request_uri=urn:ietf:params:oauth:request_uri:x"), Ok("Pushed(\"x\")".to_owned()));
    for uri in ["https://evil.example/r", "http://169.254.169.254/", "urn:ietf:params:oauth:request_uri:", "file:///x"]
    {
        assert_eq!(of(&format!("request_uri={uri}")), Err(ErrorCode::RequestUriNotSupported), "{uri}");
    }
    let pushed = "request_uri=urn:ietf:params:oauth:request_uri:x";
    for text in [format!("request=a&{pushed}"), format!("{pushed}&{pushed}"), format!("request=a&request=b&{pushed}")] {
        assert_eq!(of(&text), Err(ErrorCode::InvalidRequest), "{text}");
    }
}

/// Proves: A-85, A-98, A-99
#[test]
fn nothing_outside_an_envelope_replaces_what_is_inside() {
    let inner = query(&[]);
    let outer = query(&[("code_challenge", "other"), ("redirect_uri", "https://evil.example"), ("scope", "orders")]);
    assert_eq!(unpack("shop", &outer, &inner), Ok(&inner));
    let refused = unpack("shop", &query(&[("response_type", "token")]), &inner).map_err(|error| error.code);
    assert_eq!(refused, Err(ErrorCode::InvalidRequestObject));
    for id in ["other", ""] {
        assert!(unpack("shop", &outer, &query(&[("client_id", id)])).is_err(), "{id}");
        assert!(unpack(id, &outer, &inner).is_err(), "{id}");
    }
    assert!(unpack("shop", &query(&[("response_type", "")]), &inner).is_ok());
    for nested in ["request", "request_uri"] {
        assert!(unpack("shop", &query(&[]), &query(&[(nested, "x")])).is_err(), "{nested}");
    }
}

/// Proves: A-98
#[test]
fn a_client_pushes_its_own_requests_and_no_reference() {
    assert!(check_pushed(&query(&[]), &shop()).is_ok());
    assert!(check_pushed(&query(&[("client_id", "")]), &shop()).is_ok());
    assert!(check_pushed(&query(&[("client_id", "other")]), &shop()).is_err());
    assert!(check_pushed(&query(&[("request_uri", "urn:ietf:params:oauth:request_uri:x")]), &shop()).is_err());
}

proptest! {
    /// Proves: A-80, A-81
    #[test]
    fn an_error_is_only_ever_sent_to_a_registered_address(
        name in "client_id|redirect_uri|response_type|response_mode|scope|state|prompt|nonce|request|claims",
        value: String,
        more in "(&[a-z_]{1,12}=[a-z0-9%&=:/.]{0,12}){0,3}",
    ) {
        let text = format!("{}{more}", *query(&[(name.as_str(), value.as_str())]).to_form());
        if let Ok(parameters) = Parameters::parse(text.as_bytes()) {
            match read(&parameters, &shop(), &Route::default()) {
                Ok(AuthorizationRequest { destination, .. }) | Err(AuthorizeError::Redirect(_, destination)) => {
                    prop_assert_eq!(destination.redirect_uri.as_str(), "https://shop.example/cb");
                }
                Err(AuthorizeError::Page(_)) => {}
            }
        }
    }
}
