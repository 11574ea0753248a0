//! Tokens that come of no code are bound to a key as well.

use doorward_testkit::both;
use serde_json::json;

use super::{Holder, TOKEN, body, thumbprint, token};
use crate::provider::own_keys::OwnKey;
use crate::provider::relying_party::{RelyingParty, form};
use crate::provider::renewal::{API, renewing};
use crate::provider::{code, signed_in};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

fn exchange_of(subject: &str) -> String {
    let fields = vec![("grant_type", EXCHANGE), ("subject_token", subject), ("subject_token_type", ACCESS)];
    form(fields, &[("resource", API)])
}

/// Proves, V10.3.5
#[test]
fn a_machines_token_and_an_exchanged_one_are_bound_to_the_key_that_was_proved() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let (key, other) = (OwnKey::new("ES256"), OwnKey::new("ES256"));
        let grants = json!({ "grant_types": ["authorization_code", "refresh_token", "client_credentials", EXCHANGE] });
        let shop = RelyingParty::register(world, renewing(&grants)).await;
        let holder = Holder::new(&shop, &key).await;
        let thief = Holder { world, key: &other, nonce: holder.nonce.clone() };
        let proof = |id: &str| holder.proof("POST", TOKEN, None, id);
        let machine = token(&shop, "grant_type=client_credentials", &[&proof("a")]).await.expect(200);
        assert_eq!(machine.string("token_type"), "DPoP");
        let claims = shop.verify(&machine.string("access_token")).await;
        assert_eq!(claims["cnf"], json!({ "jkt": thumbprint(&key) }));
        assert_eq!(shop.introspect(&machine.string("access_token")).await["token_type"], "DPoP");
        owner.open(&shop.start(&[("scope", "openid orders"), ("resource", API)])).await.expect(303);
        let mine = shop.code(&owner);
        let bound =
            token(&shop, &body(&mine, &shop.client_id), &[&proof("b")]).await.expect(200).string("access_token");
        // Who has the token, and not the key, gets nothing for it.
        let stolen = thief.proof("POST", TOKEN, None, "c");
        for proofs in [vec![], vec![stolen.as_str()]] {
            let answer = token(&shop, &exchange_of(&bound), &proofs).await.expect(400);
            assert_eq!(answer.string("error"), "invalid_request");
        }
        let answer = token(&shop, &exchange_of(&bound), &[&proof("d")]).await.expect(200);
        let claims = shop.verify(&answer.string("access_token")).await;
        assert_eq!((&claims["cnf"], &claims["aud"]), (&json!({ "jkt": thumbprint(&key) }), &json!([API])));
        // One that is bound to nothing may be bound now.
        let free = code(&shop, &mut owner).await;
        let free = shop.exchange(&free, &[]).await.expect(200).string("refresh_token");
        let fields = vec![("grant_type", "refresh_token"), ("refresh_token", free.as_str())];
        let answer = token(&shop, &form(fields, &[]), &[&proof("e")]).await.expect(200);
        let claims = shop.verify(&answer.string("access_token")).await;
        assert_eq!(claims["cnf"], json!({ "jkt": thumbprint(&key) }));
    });
}

/// Proves: A-113
#[test]
fn a_token_that_was_exchanged_names_the_person_as_its_own_client_knows_them() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let grants = json!({ "subject_type": "pairwise" });
        let shop = RelyingParty::register(world, renewing(&grants)).await;
        let api = json!({
            "grant_types": [EXCHANGE], "redirect_uris": [], "served_resources": [API],
            "resources": ["https://files.example"], "scope": "orders",
        });
        let api = RelyingParty::register(world, api).await;
        let user = world.operator().find_user(crate::people::OWNER).await.unwrap();
        owner.open(&shop.start(&[("scope", "openid orders"), ("resource", API)])).await.expect(303);
        let tokens = shop.tokens(&shop.code(&owner)).await;
        let pairwise = shop.verify(&tokens.access).await;
        assert_ne!(pairwise["sub"], json!(user));
        let fields = vec![("grant_type", EXCHANGE), ("subject_token", &tokens.access), ("subject_token_type", ACCESS)];
        let answer = api.ask(form(fields, &[("resource", "https://files.example")])).await.expect(200);
        let claims = api.verify(&answer.string("access_token")).await;
        assert_eq!(claims["sub"], json!(user));
        assert_eq!(api.introspect(&answer.string("access_token")).await["active"], true);
        assert_eq!(api.introspect(&tokens.access).await["sub"], pairwise["sub"]);
    });
}
