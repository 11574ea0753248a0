//! Devices with keys of their own.

use doorward_testkit::both;
use serde_json::json;

use super::{Holder, TOKEN, USERINFO, thumbprint, token, userinfo};
use crate::provider::device::{GRANT, decide, started};
use crate::provider::own_keys::OwnKey;
use crate::provider::relying_party::{RelyingParty, form};
use crate::provider::signed_in;

/// Proves, V10.3.5
#[test]
fn what_a_device_gets_is_bound_to_the_key_it_asks_with() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        for method in ["none", "client_secret_basic"] {
            let (key, other) = (OwnKey::new("ES256"), OwnKey::new("ES256"));
            let fields = json!({
                "grant_types": [GRANT, "refresh_token"], "redirect_uris": [], "dpop_bound_access_tokens": true,
                "token_endpoint_auth_method": method,
            });
            let tv = RelyingParty::register(world, fields).await;
            let nobody = RelyingParty { world: world.clone(), client_id: tv.client_id.clone(), secret: None };
            let begun = started(&tv, &[("client_id", &tv.client_id), ("scope", "openid")]).await;
            decide(&mut owner, &begun, "allow").await;
            let holder = Holder { world, key: &key, nonce: world.app().dpop_nonce(world.now()) };
            let asked = |client: &str| {
                let fields = vec![("grant_type", GRANT), ("device_code", &begun.device_code), ("client_id", client)];
                form(fields, &[])
            };
            let asked = asked(&tv.client_id);
            // Without a key, and in the application's name without its secret; nothing is used up.
            assert_eq!(token(&tv, &asked, &[]).await.expect(400).string("error"), "invalid_dpop_proof");
            if tv.secret.is_some() {
                let proof = holder.proof("POST", TOKEN, None, "nobody");
                let answer = token(&nobody, &asked, &[&proof]).await.expect(401);
                assert_eq!(answer.string("error"), "invalid_client");
                let start = form(vec![("client_id", tv.client_id.as_str())], &[]);
                let answer = nobody.call("/oauth2/device_authorization", start).await.expect(401);
                assert_eq!(answer.string("error"), "invalid_client");
            }
            let answer = token(&tv, &asked, &[&holder.proof("POST", TOKEN, None, "one")]).await.expect(200);
            assert_eq!(answer.string("token_type"), "DPoP");
            let (access, refresh) = (answer.string("access_token"), answer.string("refresh_token"));
            assert_eq!(tv.verify(&access).await["cnf"], json!({ "jkt": thumbprint(&key) }));
            userinfo(world, "Bearer", &access, &[]).await.expect(401);
            let good = holder.proof("GET", USERINFO, Some(&access), "two");
            userinfo(world, "DPoP", &access, &[&good]).await.expect(200);
            // A public one renews with its key only (RFC 9449 section 5).
            let thief = Holder { world, key: &other, nonce: holder.nonce.clone() };
            let fields =
                vec![("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_id", &tv.client_id)];
            let renewal = form(fields, &[]);
            if tv.secret.is_none() {
                let stolen = thief.proof("POST", TOKEN, None, "three");
                assert_eq!(token(&tv, &renewal, &[&stolen]).await.expect(400).string("error"), "invalid_grant");
            }
            assert_eq!(token(&tv, &renewal, &[]).await.expect(400).string("error"), "invalid_dpop_proof");
            token(&tv, &renewal, &[&holder.proof("POST", TOKEN, None, "four")]).await.expect(200);
        }
    });
}
