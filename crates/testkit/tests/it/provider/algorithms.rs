//! What ID tokens are signed with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_oidc::jose::Algorithm;
use doorward_testkit::{Setup, World, both_with};
use serde_json::{Value, json};

use super::relying_party::{RelyingParty, browser, header_of};
use super::{TYPED, code, signed_in};
use crate::people::{AWAY, OWNER, PASSWORD};

/// A deployment with all its algorithms; the RSA key is there as soon as somebody has kept the keys.
pub(crate) fn all() -> Setup {
    Setup { algorithms: Algorithm::SIGNING.to_vec(), ..Setup::default() }
}

pub(crate) async fn keep_keys(world: &World) {
    world.app().keep_keys_current(&world.operator().op()).await.unwrap();
}

async fn registered(world: &World, algorithm: Value) -> RelyingParty {
    RelyingParty::register(world, json!({ "id_token_signed_response_alg": algorithm })).await
}

/// Proves, V9.1.2
#[test]
fn id_tokens_are_signed_as_the_client_is_registered_and_by_rs256_if_it_states_nothing() {
    both_with(&all(), async |world| {
        let mut owner = signed_in(world).await;
        keep_keys(world).await;
        for (stated, algorithm) in
            [(Value::Null, "RS256"), (json!("RS256"), "RS256"), (json!("ES256"), "ES256"), (json!("EdDSA"), "EdDSA")]
        {
            let shop = registered(world, stated).await;
            let mine = code(&shop, &mut owner).await;
            let tokens = shop.tokens(&mine).await;
            assert_eq!(header_of(&tokens.id_token)["alg"], algorithm);
            assert_eq!(header_of(&tokens.access)["alg"], "ES256", "our own tokens have one algorithm");
            shop.userinfo(&tokens.access).await.expect(200);
            // As a hint each is read by its own key, and by no other.
            owner.open(&shop.start(&[("prompt", "none"), ("id_token_hint", &tokens.id_token)])).await.expect(303);
            shop.code(&owner);
            for other in ["RS256", "ES256", "EdDSA", "none", "HS256"].into_iter().filter(|other| *other != algorithm) {
                let mut header = header_of(&tokens.id_token);
                header["alg"] = json!(other);
                let rest = tokens.id_token.split_once('.').unwrap().1;
                let forged = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
                owner.open(&shop.start(&[("prompt", "none"), ("id_token_hint", &forged)])).await.expect(303);
                assert_eq!(RelyingParty::error(&owner), "login_required", "{algorithm} as {other}");
            }
            shop.userinfo(&tokens.id_token).await.expect(401);
        }
    });
}

/// The first start of a deployment does not wait for its RSA key, and nobody types a password for nothing.
#[test]
fn until_the_rsa_key_is_made_its_clients_are_told_to_come_again() {
    both_with(&all(), async |world| {
        world.operator().create_user(OWNER, PASSWORD).await;
        let (shop, other) = (registered(world, Value::Null).await, registered(world, json!("EdDSA")).await);
        let mut stranger = browser(world, AWAY);
        stranger.open(&shop.start(&[])).await.expect(303);
        assert_eq!(RelyingParty::error(&stranger), "temporarily_unavailable");
        stranger.open(&other.start(&[])).await.expect(200);
        keep_keys(world).await;
        let again = world.restarted(Setup { seed: 2, ..all() }).await;
        let mut owner = browser(&again, AWAY);
        owner.open(&shop.start(&[])).await.expect(200);
        owner.submit("/login", &TYPED).await.expect(303);
        shop.tokens(&shop.code(&owner)).await;
    });
}
