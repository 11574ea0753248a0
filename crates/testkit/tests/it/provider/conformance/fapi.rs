//! FAPI 2.0 Security Profile with `private_key_jwt` and DPoP.

mod party;

use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, Setup, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use self::party::{Party, Proof};
use crate::people::HOME;
use crate::provider::private_key_jwt::{TYPE, claims};
use crate::provider::pushed::form;
use crate::provider::relying_party::{CALLBACK, FORM, STATE, VERIFIER, browser};
use crate::provider::signed_in;

const PUSH: &str = "/oauth2/par";
const TOKEN: &str = "/oauth2/token";
const USERINFO: &str = "/oauth2/userinfo";

/// `fapi2-security-profile-final-happy-flow`, `-access-token-type-header-case-sensitivity`, `-refresh-token`: two
/// applications, one of which names its key with `dpop_jkt` alone, and none of which opens anything with the other's token.
#[test]
fn two_applications_of_the_profile_get_what_is_theirs() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (first, second) = (Party::register(world).await, Party::register(world).await);
        let jkt = second.thumbprint();
        let mut tokens = Vec::new();
        for (party, changes) in [(&first, &[][..]), (&second, &[("dpop_jkt", jkt.as_str())])] {
            let code = party.code(&mut owner, "push", changes, &[]).await;
            let proof = party.proof(&Proof::at(TOKEN, "token"));
            let answer = party.exchange(&code, "exchange", &[&proof]).await.expect(200);
            assert_eq!(answer.string("token_type"), "DPoP");
            let claims = party.shop.verify(&answer.string("id_token")).await;
            assert_eq!((&claims["iss"], &claims["aud"]), (&json!(PUBLIC_URL), &json!(party.shop.client_id)));
            let (access, refresh) = (answer.string("access_token"), answer.string("refresh_token"));
            world.canaries().add(&refresh);
            for (number, scheme) in ["DPoP", "dPOp", "DPOP"].into_iter().enumerate() {
                let id = format!("resource {number}");
                let proof = party.proof(&Proof::of(&access, &id));
                let answer = party.userinfo(scheme, &access, &[&proof]).await.expect(200);
                assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/json"));
            }
            // Another key for the renewed token, which is bound to it.
            let renewed = party.with_another_key();
            let fields =
                [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", "openid email")];
            let proof = renewed.proof(&Proof::at(TOKEN, "renewal"));
            let again = renewed.ask(&fields, "renewal", &[&proof]).await.expect(200);
            assert_eq!(again.string("token_type"), "DPoP");
            assert_eq!(
                again.json().get("refresh_token").map_or(refresh.as_str(), |next| next.as_str().unwrap()),
                refresh
            );
            let access = again.string("access_token");
            let proof = renewed.proof(&Proof::of(&access, "renewed"));
            renewed.userinfo("DPoP", &access, &[&proof]).await.expect(200);
            let bare = renewed.ask(&fields, "no proof", &[]).await.expect(400);
            assert_eq!(bare.string("error"), "invalid_dpop_proof");
            tokens.push((answer.string("access_token"), refresh));
        }
        let (access, refresh) = &tokens[1];
        let proof = first.proof(&Proof::of(access, "somebody else's"));
        first.userinfo("DPoP", access, &[&proof]).await.expect(401);
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let proof = first.proof(&Proof::at(TOKEN, "somebody else's refresh token"));
        let answer = first.ask(&fields, "somebody else's", &[&proof]).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_grant");
        // A token in the address is none.
        let (access, _) = &tokens[0];
        let in_address = format!("{USERINFO}?access_token={access}");
        world.send(Request::new(Method::GET, &in_address, HOME)).await.expect(401);
    });
}

/// `fapi2-security-profile-final-ensure-invalid-client-assertions-fail`, and the modules it took the place of.
#[test]
fn no_request_is_pushed_with_an_assertion_that_is_not_right() {
    let mut setup = Setup::default();
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let party = Party::register(world).await;
        let now = world.now().as_seconds();
        for (name, value) in [
            ("sub", Value::Null),
            ("sub", json!("somebody")),
            ("iss", Value::Null),
            ("iss", json!("somebody")),
            ("aud", Value::Null),
            ("aud", json!("https://other.example")),
            ("aud", json!(format!("{PUBLIC_URL}{PUSH}"))),
            ("aud", json!(format!("{PUBLIC_URL}{TOKEN}"))),
            ("aud", json!([PUBLIC_URL, "https://other.example"])),
            ("exp", json!(now - 300)),
            ("iat", json!(now + 70)),
            ("nbf", json!(now + 70)),
        ] {
            let mut said = claims(&party.shop, &format!("{name} {value}"));
            if value.is_null() {
                said.as_object_mut().unwrap().remove(name);
            } else {
                said[name] = value.clone();
            }
            let answer = party.push(&[], &party.key.sign(&json!({"alg": "ES256"}), &said), &[]).await;
            not_proved(&answer, &format!("{name}: {value}"));
        }
        let unsigned = party.key.sign(&json!({"alg": "none"}), &claims(&party.shop, "unsigned"));
        let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
        let honest = party.assertion("changed");
        let (input, signature) = honest.rsplit_once('.').unwrap();
        let changed = format!("{input}.{}", signature.chars().rev().collect::<String>());
        for assertion in [format!("{unsigned}."), changed] {
            not_proved(&party.push(&[], &assertion, &[]).await, &assertion);
        }
        for kind in ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"] {
            let answer = party.post(PUSH, with_type(&party, kind), &[]).await;
            not_proved(&answer, kind);
        }
        not_proved(&party.post(PUSH, form(&party.shop, &[]), &[]).await, "no assertion");
        // A clock that is a little ahead is none of it (FAPI 2.0 section 5.3.2.1).
        let mut ahead = claims(&party.shop, "ahead");
        (ahead["iat"], ahead["nbf"]) = (json!(now + 8), json!(now + 8));
        party.push(&[], &party.key.sign(&json!({"alg": "ES256"}), &ahead), &[]).await.expect(201);
        party.push(&[], &party.assertion("valid"), &[]).await.expect(201);
    });
}

fn with_type(party: &Party, kind: &str) -> String {
    let assertion = party.assertion(&format!("type {kind}"));
    form(&party.shop, &[("client_assertion", &assertion), ("client_assertion_type", kind)])
}

fn not_proved(answer: &Answer, name: &str) {
    assert!([400, 401].contains(&answer.status.as_u16()), "{name}: {}", answer.status);
    assert!(
        ["invalid_client", "invalid_request"].contains(&answer.string("error").as_str()),
        "{name}: {}",
        answer.text()
    );
}

/// `fapi2-security-profile-final-check-dpop-proof-nbf-exp`, `-ensure-dpopproof-with-iat-10seconds-before-succeeds`,
/// `-ensure-dpopproof-with-iat-10seconds-after-succeeds`, and the proofs of `-dpop-negative-tests` that must be taken.
#[test]
fn a_proof_is_taken_that_is_a_little_off_or_says_more_than_it_must() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let party = Party::register(world).await;
        let now = world.now().as_seconds();
        for (number, more) in [
            json!({"iat": now - 10}),
            json!({"iat": now + 10}),
            json!({"nbf": now, "exp": now + 300}),
            json!({"and": "something", "else": [1, 2]}),
        ]
        .into_iter()
        .enumerate()
        {
            let (first, second, third) =
                (format!("push {number}"), format!("token {number}"), format!("resource {number}"));
            let proof = party.proof(&Proof::at(PUSH, &first).with(more.clone()));
            let code = party.code(&mut owner, &first, &[], &[&proof]).await;
            let proof = party.proof(&Proof::at(TOKEN, &second).with(more.clone()));
            let access = party.exchange(&code, &second, &[&proof]).await.expect(200).string("access_token");
            let mut proof = Proof::of(&access, &third).with(more);
            proof.header = json!({"more": "of the header"});
            let proof = party.proof(&proof);
            party.userinfo("DPoP", &access, &[&proof]).await.expect(200);
            // The same once more is the same proof.
            party.userinfo("DPoP", &access, &[&proof]).await.expect(401);
        }
    });
}

/// `fapi2-security-profile-final-ensure-dpopproof-at-par-endpoint-binding-success`, `-ensure-dpop-auth-code-binding-success`,
/// `-ensure-mismatched-dpop-jkt-fails`, `-ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt`,
/// `-ensure-token-endpoint-fails-with-mismatched-dpop-jkt`, `-ensure-holder-of-key-required`.
#[test]
fn a_code_is_for_the_key_that_its_request_was_pushed_with() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let party = Party::register(world).await;
        let other = party.with_another_key();
        let (mine, others) = (party.thumbprint(), other.thumbprint());
        let proof = party.proof(&Proof::at(PUSH, "mismatched"));
        let answer = party.push(&[("dpop_jkt", &others)], &party.assertion("mismatched"), &[&proof]).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_request");
        for (number, (jkt, with_proof)) in
            [("", true), (mine.as_str(), true), (mine.as_str(), false)].into_iter().enumerate()
        {
            let id = format!("push {number}");
            let proof = party.proof(&Proof::at(PUSH, &id));
            let proofs = if with_proof { vec![proof.as_str()] } else { Vec::new() };
            let code = party.code(&mut owner, &id, &[("dpop_jkt", jkt)], &proofs).await;
            let wrong = other.proof(&Proof::at(TOKEN, &format!("other {number}")));
            let answer = party.exchange(&code, &format!("other {number}"), &[&wrong]).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_grant", "{jkt} {with_proof}");
            let answer = party.exchange(&code, &format!("bare {number}"), &[]).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_dpop_proof");
            let right = party.proof(&Proof::at(TOKEN, &format!("own {number}")));
            party.exchange(&code, &format!("own {number}"), &[&right]).await.expect(200);
        }
    });
}

/// `fapi2-security-profile-final-ensure-client-id-in-token-endpoint`, `-ensure-authorization-code-is-bound-to-client`,
/// `-ensure-client-assertion-in-token-endpoint`, `-attempt-reuse-authorization-code-after-one-second`.
#[test]
fn a_code_is_for_the_application_that_pushed_the_request_and_for_once() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (party, other) = (Party::register(world).await, Party::register(world).await);
        let code = party.code(&mut owner, "push", &[], &[]).await;
        let proof = other.proof(&Proof::at(TOKEN, "another application"));
        let answer = other.exchange(&code, "another application", &[&proof]).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_grant");
        // The other's name with this one's key.
        let forged = party.key.sign(&json!({"alg": "ES256"}), &claims(&other.shop, "forged"));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", &other.shop.client_id),
        ];
        let forged = [("client_assertion", forged.as_str()), ("client_assertion_type", TYPE)];
        for proved in [&forged[..], &[]] {
            let body =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).extend_pairs(proved).finish();
            let id = format!("forged {}", proved.len());
            let proof = party.proof(&Proof::at(TOKEN, &id));
            let answer = party.post(TOKEN, body, &[&proof]).await.expect(401);
            assert_eq!(answer.string("error"), "invalid_client");
        }
        let proof = party.proof(&Proof::at(TOKEN, "own"));
        let access = party.exchange(&code, "own", &[&proof]).await.expect(200).string("access_token");
        world.advance(1_000);
        let proof = party.proof(&Proof::at(TOKEN, "again"));
        let answer = party.exchange(&code, "again", &[&proof]).await.expect(400);
        assert_eq!(answer.string("error"), "invalid_grant");
        let proof = party.proof(&Proof::of(&access, "over"));
        party.userinfo("DPoP", &access, &[&proof]).await.expect(401);
    });
}

/// `fapi2-security-profile-final-par-attempt-invalid-http-method`, `-ensure-request-object-with-64-char-nonce-success`,
/// `-ensure-request-object-with-long-nonce`, `-ensure-request-object-with-long-state`,
/// `-ensure-authorization-request-without-state-success`, `-ensure-authorization-request-without-nonce-success`,
/// `-state-only-outside-request-object-not-used`, `-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds`.
#[test]
fn what_was_pushed_is_what_is_answered_whatever_its_length() {
    both(async |world| {
        let party = Party::register(world).await;
        let put = Request::new(Method::PUT, PUSH, HOME).header(header::CONTENT_TYPE, FORM);
        world.send(put.body(form(&party.shop, &[]))).await.expect(405);
        let mut owner = signed_in(world).await;
        let long = "n".repeat(384);
        for (number, (state, nonce)) in
            [(STATE, long.as_str()), (STATE, &long[..64]), (&long, "n"), (STATE, ""), ("", "n")].into_iter().enumerate()
        {
            let id = number.to_string();
            let pushed =
                party.push(&[("state", state), ("nonce", nonce)], &party.assertion(&id), &[]).await.expect(201);
            let fields = [
                ("client_id", party.shop.client_id.as_str()),
                ("request_uri", &pushed.string("request_uri")),
                ("state", "outside"),
                ("nonce", "outside"),
            ];
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            let path = format!("/oauth2/authorize?{query}");
            // Whoever only looked has used nothing up.
            browser(world, HOME).open(&path).await.expect(200);
            owner.open(&path).await.expect(303);
            let location = url::Url::parse(owner.page.as_ref().unwrap().header(header::LOCATION).unwrap()).unwrap();
            let find = |name: &str| {
                location.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
            };
            assert_eq!(find("state").unwrap_or_default(), state);
            let code = find("code").unwrap();
            world.canaries().add(&code);
            let proof = party.proof(&Proof::at(TOKEN, &id));
            let answer = party.exchange(&code, &format!("token {id}"), &[&proof]).await.expect(200);
            let claims = party.shop.verify(&answer.string("id_token")).await;
            assert_eq!(claims["nonce"].as_str().unwrap_or_default(), nonce);
        }
    });
}
