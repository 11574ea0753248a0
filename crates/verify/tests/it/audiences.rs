//! What a token must say: kind, issuer, audience, time.

use std::time::Duration;

use doorward_verify::{Issuer, Reason, Refusal, Verifier};
use serde_json::{Value, json};

use crate::issuer::{AUDIENCE, Key, NOW, ScriptedIssuer, URL, claims, claims_with, our_issuer};

async fn refused(issuer: &ScriptedIssuer, claims: &Value) -> Option<Refusal> {
    issuer.verifier().verify(&issuer.key.access_token(claims)).await.err()
}

/// Proves: V9.1.1, V9.2.4
#[tokio::test]
async fn a_good_token_gives_its_claims() {
    let issuer = ScriptedIssuer::new();
    let mut all = claims();
    all["roles"] = json!(["admin"]);
    all["custom"] = json!({"deep": [1, 2]});
    let token = issuer.verifier().verify(&issuer.key.access_token(&all)).await.unwrap();
    assert_eq!(token.subject(), Some("user_01h455vb4pex5vsknk084sn02q"));
    assert_eq!(token.client_id(), Some("client_01h455vb4pex5vsknk084sn02r"));
    assert_eq!(token.session_id(), Some("session_01h455vb4pex5vsknk084sn02s"));
    assert_eq!(token.grant_id(), Some("grant_01h455vb4pex5vsknk084sn02t"));
    assert_eq!(token.token_id(), Some("at_01h455vb4pex5vsknk084sn02u"));
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["openid", "notes:read"]);
    assert_eq!(token.authentication_class(), Some("urn:doorward:password"));
    assert_eq!(token.authentication_methods().collect::<Vec<_>>(), ["pwd"]);
    assert_eq!(token.auth_time(), Some(NOW - 100));
    assert_eq!(token.at("/custom/deep/1"), Some(&json!(2)));
    assert!(token.has_role("admin") && !token.has_role("root"));
    // As JSON it is what the issuer wrote.
    assert_eq!(serde_json::to_value(&token).unwrap(), all);
}

/// Proves: V9.2.1, A-122
#[tokio::test]
async fn a_token_is_good_between_its_times_and_a_leeway() {
    let issuer = ScriptedIssuer::new();
    let cases = [
        (claims_with("exp", json!(NOW - 4)), None),
        (claims_with("exp", json!(NOW - 5)), Some(Reason::Expired)),
        (claims_with("exp", Value::Null), Some(Reason::Expired)),
        (claims_with("nbf", json!(NOW + 5)), None),
        (claims_with("nbf", json!(NOW + 6)), Some(Reason::NotYet)),
        (claims_with("iat", json!(NOW + 5)), None),
        (claims_with("iat", json!(NOW + 6)), Some(Reason::NotYet)),
        (claims_with("iat", Value::Null), None),
        // NumericDate may have a fraction (RFC 7519 section 2).
        (claims_with("exp", json!(1_800_000_000.5)), None),
    ];
    for (claims, reason) in cases {
        assert_eq!(refused(&issuer, &claims).await, reason.map(Refusal::Token), "{claims}");
    }
}

/// Proves: V9.2.3, V10.3.1, A-122
#[tokio::test]
async fn a_token_is_taken_for_one_of_our_audiences_only() {
    let issuer = ScriptedIssuer::new();
    let taken = [json!(AUDIENCE), json!([AUDIENCE]), json!(["https://other.example.com", AUDIENCE])];
    for aud in taken {
        assert_eq!(refused(&issuer, &claims_with("aud", aud)).await, None);
    }
    let others = [
        Value::Null,
        json!([]),
        json!(""),
        json!("https://other.example.com"),
        json!("https://orders.example.com/"),
        json!("HTTPS://ORDERS.EXAMPLE.COM"),
        json!("https://orders.example.com.evil.example"),
    ];
    for aud in others {
        assert_eq!(refused(&issuer, &claims_with("aud", aud)).await, Some(Reason::Audience.into()));
    }
}

/// Proves: V9.1.3, V10.3.5, A-122, A-125
#[tokio::test]
async fn an_issuer_is_trusted_to_the_letter() {
    let issuer = ScriptedIssuer::new();
    let near =
        ["", "https://auth.example.com/", "https://AUTH.example.com", "http://auth.example.com", "auth.example.com"];
    for iss in near {
        assert_eq!(refused(&issuer, &claims_with("iss", json!(iss))).await, Some(Reason::Issuer.into()), "{iss}");
    }
    assert_eq!(refused(&issuer, &claims_with("iss", Value::Null)).await, Some(Reason::Issuer.into()));
}

/// Proves: S-176, V9.2.2, V10.3.1, A-121
#[tokio::test]
async fn only_an_access_token_is_an_access_token() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.verifier();
    let with_type = |typ: Value| {
        let mut header = json!({"alg": "ES256", "kid": "first"});
        if !typ.is_null() {
            header["typ"] = typ;
        }
        issuer.key.sign(&header, &claims())
    };
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(verifier.verify(&with_type(json!(typ))).await.is_ok(), "{typ}");
    }
    let others = [
        Value::Null,
        json!(""),
        json!("JWT"),
        json!("id_token+jwt"),
        json!("logout+jwt"),
        json!("dpop+jwt"),
        json!("oauth-authz-req+jwt"),
        json!("doorward-revocations+jwt"),
        json!("at+jwt "),
        json!("application/application/at+jwt"),
    ];
    for typ in others {
        assert_eq!(verifier.verify(&with_type(typ.clone())).await.unwrap_err(), Reason::Type.into(), "{typ}");
    }
}

/// Proves: S-176, A-121
#[tokio::test]
async fn cognito_is_known_by_its_claims() {
    let issuer = ScriptedIssuer::new();
    let verifier = issuer.builder().issuer(Issuer::cognito(URL, "app")).build().unwrap();
    let token = |use_of_it: &str, client: &str| {
        let claims = json!({
            "iss": URL, "sub": "s", "client_id": client, "token_use": use_of_it, "exp": NOW + 60, "iat": NOW,
            "cognito:groups": ["staff"], "scope": "aws.cognito.signin.user.admin",
        });
        issuer.key.sign(&json!({"alg": "ES256", "kid": "first"}), &claims)
    };
    let good = verifier.verify(&token("access", "app")).await.unwrap();
    assert!(good.has_role("staff"));
    assert_eq!(verifier.verify(&token("id", "app")).await.unwrap_err(), Reason::Type.into());
    assert_eq!(verifier.verify(&token("access", "other")).await.unwrap_err(), Reason::Audience.into());
}

/// Proves: A-121
#[tokio::test]
async fn keycloak_zitadel_and_google_are_known_by_what_they_send() {
    let issuer = ScriptedIssuer::new();
    let sign = |header: Value, claims: Value| issuer.key.sign(&header, &claims);
    let header = json!({"alg": "ES256", "kid": "first", "typ": "JWT"});

    let keycloak = issuer.builder().issuer(Issuer::keycloak(URL, AUDIENCE)).build().unwrap();
    let mut claims = json!({"iss": URL, "aud": [AUDIENCE, "account"], "azp": "web", "typ": "Bearer", "sub": "s",
        "exp": NOW + 60, "iat": NOW, "realm_access": {"roles": ["admin"]}});
    let token = keycloak.verify(&sign(header.clone(), claims.clone())).await.unwrap();
    assert!(token.has_role("admin"));
    assert_eq!(token.client_id(), Some("web"));
    // What calls itself something else in the header is that, whatever its claims say.
    for other in ["logout+jwt", "dpop+jwt", "id_token+jwt"] {
        let header = json!({"alg": "ES256", "kid": "first", "typ": other});
        assert_eq!(keycloak.verify(&sign(header, claims.clone())).await.unwrap_err(), Reason::Type.into(), "{other}");
    }
    claims["typ"] = json!("ID");
    assert_eq!(keycloak.verify(&sign(header.clone(), claims)).await.unwrap_err(), Reason::Type.into());

    let roles = "/urn:zitadel:iam:org:project:roles";
    let zitadel =
        Issuer::new(URL).audience("2137").roles_at(roles).organization_at("/urn:zitadel:iam:user:resourceowner:id");
    let zitadel = issuer.builder().issuer(zitadel).build().unwrap();
    let claims = json!({"iss": URL, "aud": ["2137"], "sub": "1", "exp": NOW + 60, "iat": NOW,
        "urn:zitadel:iam:org:project:roles": {"editor": {"45": "acme.example.com"}},
        "urn:zitadel:iam:user:resourceowner:id": "45"});
    let token = zitadel.verify(&sign(json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"}), claims)).await.unwrap();
    assert!(token.has_role("editor") && !token.has_role("45"));
    assert_eq!(token.organization(), Some("45"));

    // Of ID tokens, only those for the client that is named; an access token is none.
    let google = issuer.builder().issuer(Issuer::new(URL).audience("app").id_tokens()).build().unwrap();
    let claims = json!({"iss": URL, "aud": "app", "azp": "app", "sub": "1", "exp": NOW + 60, "iat": NOW});
    assert!(google.verify(&sign(header.clone(), claims.clone())).await.is_ok());
    let access = sign(json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"}), claims);
    assert_eq!(google.verify(&access).await.unwrap_err(), Reason::Type.into());
}

/// Proves: V9.1.2, A-117
#[tokio::test]
async fn only_the_named_algorithms_are_taken() {
    let issuer = ScriptedIssuer::new();
    let (p256, ed25519, rsa) = (Key::p256("e"), Key::ed25519("d"), Key::rsa("r"));
    issuer.publish(&[&p256, &ed25519, &rsa]);
    let verifier = issuer.verifier();
    for key in [&p256, &ed25519, &rsa] {
        assert!(verifier.verify(&key.access_token(&claims())).await.is_ok(), "{}", key.algorithm());
    }
    let strict = our_issuer().algorithms([doorward_verify::Algorithm::EdDsa]);
    let strict = issuer.builder().issuer(strict).build().unwrap();
    assert!(strict.verify(&ed25519.access_token(&claims())).await.is_ok());
    for key in [&p256, &rsa] {
        assert_eq!(strict.verify(&key.access_token(&claims())).await.unwrap_err(), Reason::Algorithm.into());
    }
}

/// Settings that would take too much are no settings.
/// Proves: V10.3.1
#[test]
fn a_verifier_without_an_audience_is_refused() {
    let fault = |issuer: Issuer| Verifier::new(issuer).map(drop).unwrap_err().to_string();
    assert!(fault(Issuer::new(URL)).contains("no audience"));
    assert!(fault(Issuer::new(URL).audience("")).contains("no audience"));
    assert!(fault(Issuer::new("").audience("a")).contains("no address"));
    assert!(fault(Issuer::new(URL).audience("a").algorithms([])).contains("no algorithm"));
    assert!(fault(Issuer::new(URL).audience("a").leeway(Duration::from_secs(61))).contains("leeway"));
    assert!(fault(Issuer::new(URL).audience("a").roles_at("roles")).contains("JSON pointer"));
    assert!(fault(Issuer::new(URL).audience("a").only_with_proof()).contains("public_url"));
    let nowhere = Verifier::builder().issuer(Issuer::new(URL).audience("a")).public_url("orders.example.com");
    assert!(nowhere.build().map(drop).unwrap_err().to_string().contains("https://"));
    let twice = Verifier::builder().issuer(Issuer::new(URL).audience("a")).issuer(Issuer::new(URL).audience("b"));
    assert!(twice.build().map(drop).unwrap_err().to_string().contains("twice"));
    assert!(Verifier::builder().build().map(drop).unwrap_err().to_string().contains("no issuer"));
}
