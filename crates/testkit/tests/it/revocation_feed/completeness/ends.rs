//! The ways a token can end.

use doorward_model::time::SECOND_MS;
use doorward_testkit::World;
use http::Method;
use serde_json::json;

use super::{Scene, ends};
use crate::credentials::bare;
use crate::people::{AWAY, HOME, OTHER_PASSWORD, OWNER, PASSWORD};
use crate::provider::relying_party::RelyingParty;
use crate::provider::renewal::granted;

/// What comes of the session in the browser.
const OF_SESSION: [&str; 4] = ["session", "shop", "private", "exchanged"];
/// Everything about the owner.
const OF_OWNER: [&str; 6] = ["session", "native", "shop", "private", "offline", "exchanged"];
const EVERYTHING: [&str; 7] = ["session", "native", "shop", "private", "offline", "exchanged", "machine"];

/// The owner in another browser.
async fn elsewhere(world: &World) -> doorward_testkit::Browser {
    let mut browser = world.browser(AWAY);
    browser.sign_in(OWNER, PASSWORD).await.expect(200);
    browser
}

/// Proves: S-31, S-193, V7.4.1
#[test]
fn signing_out() {
    let end = async |scene: &mut Scene| {
        scene.owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
    };
    ends(end, &OF_SESSION);
}

/// Proves: S-31, V7.4.1
#[test]
fn signing_out_of_an_application() {
    let end = async |scene: &mut Scene| {
        let hint = scene.of_shop.id_token.clone();
        scene.owner.open(&format!("/oauth2/logout?id_token_hint={hint}")).await;
        scene.owner.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
    };
    ends(end, &OF_SESSION);
}

/// Proves: S-31
#[test]
fn ending_a_session_from_another_device() {
    let end = async |scene: &mut Scene| {
        let id = scene.issued[0].claims["sid"].as_str().unwrap().to_owned();
        let mut other = elsewhere(&scene.world).await;
        other.fetch(Method::DELETE, &format!("/api/v1/sessions/{id}"), None).await.expect(204);
    };
    ends(end, &OF_SESSION);
}

/// Proves: S-31, V7.4.3
#[test]
fn ending_every_other_session() {
    let end = async |scene: &mut Scene| {
        let mut other = elsewhere(&scene.world).await;
        other.fetch(Method::POST, "/api/v1/sessions/revoke-others", None).await.expect(204);
    };
    ends(end, &["session", "native", "shop", "private", "exchanged"]);
}

/// Proves: S-31, V7.4.3, A-30
#[test]
fn changing_the_password() {
    let end = async |scene: &mut Scene| {
        let mut other = elsewhere(&scene.world).await;
        let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
        other.fetch(Method::POST, "/api/v1/password/change", Some(&body)).await.expect(204);
    };
    ends(end, &OF_OWNER);
}

/// Proves: S-31, V7.4.3, A-30
#[test]
fn resetting_the_password() {
    let end = async |scene: &mut Scene| {
        let client = scene.world.api(HOME);
        let token = client.reset_token(OWNER).await;
        client.reset(&token, OTHER_PASSWORD).await.expect(204);
    };
    ends(end, &OF_OWNER);
}

/// Proves: S-31, V7.4.2
#[test]
fn disabling_the_account() {
    let end = async |scene: &mut Scene| {
        let id = scene.world.operator().find_user(OWNER).await.unwrap();
        scene.world.operator().disable(id).await;
    };
    ends(end, &OF_OWNER);
}

/// Proves: S-31
#[test]
fn too_many_sessions() {
    let end = async |scene: &mut Scene| {
        for _ in 0..19 {
            elsewhere(&scene.world).await;
        }
    };
    ends(end, &OF_SESSION);
}

/// Proves: S-31, V7.2.4
#[test]
fn signing_in_again_in_the_same_browser() {
    let end = async |scene: &mut Scene| {
        let body = json!({ "email": OWNER, "password": PASSWORD });
        scene.owner.fetch(Method::POST, "/api/v1/login", Some(&body)).await.expect(200);
    };
    ends(end, &OF_SESSION);
}

/// Proves: S-31, A-107
#[test]
fn a_copied_refresh_token_of_ones_own_program() {
    let end = async |scene: &mut Scene| {
        let client = scene.world.api(AWAY);
        let mut next = scene.native_refresh.clone();
        for _ in 0..3 {
            next = client.renew_with(&next).await.expect(200).string("refresh_token");
            scene.world.advance(11 * SECOND_MS);
        }
        client.renew_with(&scene.native_refresh).await.expect_problem(401, "token_reused");
    };
    ends(end, &["native"]);
}

/// Proves: S-31, A-107
#[test]
fn a_copied_refresh_token_of_an_application() {
    let end = async |scene: &mut Scene| {
        let mut next = scene.of_shop.refresh.clone();
        for _ in 0..3 {
            next = scene.shop.renew(&next).await;
            scene.world.advance(11 * SECOND_MS);
        }
        scene.shop.refresh(&scene.of_shop.refresh, &[]).await.expect(400);
    };
    ends(end, &["shop", "exchanged"]);
}

/// Proves: S-31, A-87
#[test]
fn a_code_that_is_redeemed_twice() {
    let end = async |scene: &mut Scene| {
        let start = scene.private.start(&[("scope", "openid orders"), ("resource", super::API)]);
        scene.owner.open(&start).await.expect(303);
        let code = scene.private.code(&scene.owner);
        let tokens = scene.private.tokens(&code).await;
        let claims = scene.private.verify(&tokens.access).await;
        let (header, token) = (super::header_of(&tokens.access), tokens.access);
        scene.issued.push(super::Issued { name: "second", token, header, claims });
        assert!(scene.dead().await.is_empty());
        scene.private.exchange(&code, &[]).await.expect(400);
    };
    ends(end, &["second"]);
}

/// Proves: S-31, A-109
#[test]
fn an_application_withdraws_an_access_token() {
    let end = async |scene: &mut Scene| {
        scene.shop.revoke(&scene.of_shop.access).await.expect(200);
    };
    ends(end, &["shop"]);
}

/// Proves: S-31, A-109
#[test]
fn a_machine_withdraws_its_access_token() {
    let end = async |scene: &mut Scene| {
        let token = &scene.issued.last().unwrap().token;
        scene.machine.revoke(token).await.expect(200);
    };
    ends(end, &["machine"]);
}

/// Proves: S-31, A-109
#[test]
fn an_application_withdraws_its_refresh_token() {
    let end = async |scene: &mut Scene| {
        scene.offline.revoke(&scene.of_offline.refresh).await.expect(200);
    };
    ends(end, &["offline"]);
}

/// Proves: S-31
#[test]
fn a_person_takes_back_what_an_application_may_have() {
    let end = async |scene: &mut Scene| {
        let path = format!("/api/v1/applications/{}", scene.shop.client_id);
        scene.owner.fetch(Method::DELETE, &path, None).await.expect(204);
    };
    ends(end, &["shop", "exchanged"]);
}

/// Proves: S-31
#[test]
fn more_grants_than_one_person_may_give_one_application() {
    let end = async |scene: &mut Scene| {
        for _ in 0..20 {
            let asked = [("scope", "openid orders offline_access"), ("resource", super::API)];
            granted(&scene.offline, &mut scene.owner, &asked).await;
        }
    };
    ends(end, &["offline"]);
}

async fn delete(world: &World, party: &RelyingParty) {
    assert!(world.app().delete_client(&world.operator().op(), &party.client_id).await.unwrap());
}

/// Proves: S-31, A-122
#[test]
fn deleting_an_application() {
    ends(async |scene: &mut Scene| delete(&scene.world, &scene.shop).await, &["shop", "exchanged"]);
}

/// Proves: S-31, A-122
#[test]
fn deleting_an_application_that_knows_people_by_other_names() {
    ends(async |scene: &mut Scene| delete(&scene.world, &scene.private).await, &["private"]);
}

/// Proves: S-31, A-122
#[test]
fn deleting_an_application_with_grants_that_outlive_sessions() {
    ends(async |scene: &mut Scene| delete(&scene.world, &scene.offline).await, &["offline"]);
}

/// Proves: S-31, A-122
#[test]
fn deleting_a_service_that_acts_for_people() {
    ends(async |scene: &mut Scene| delete(&scene.world, &scene.service).await, &["exchanged"]);
}

/// Proves: S-31, A-122
#[test]
fn deleting_a_machine() {
    ends(async |scene: &mut Scene| delete(&scene.world, &scene.machine).await, &["machine"]);
}

async fn disable(world: &World, party: &RelyingParty) {
    assert!(world.app().disable_client(&world.operator().op(), &party.client_id).await.unwrap());
}

/// Proves: S-31, A-122
#[test]
fn disabling_an_application() {
    ends(async |scene: &mut Scene| disable(&scene.world, &scene.shop).await, &["shop", "exchanged"]);
}

/// Proves: S-31, A-122
#[test]
fn disabling_an_application_that_knows_people_by_other_names() {
    ends(async |scene: &mut Scene| disable(&scene.world, &scene.private).await, &["private"]);
}

/// Proves: S-31, A-122
#[test]
fn disabling_an_application_with_grants_that_outlive_sessions() {
    ends(async |scene: &mut Scene| disable(&scene.world, &scene.offline).await, &["offline"]);
}

/// Proves: S-31, A-122
#[test]
fn disabling_a_service_that_acts_for_people() {
    ends(async |scene: &mut Scene| disable(&scene.world, &scene.service).await, &["exchanged"]);
}

/// Proves: S-31, A-122
#[test]
fn disabling_a_machine() {
    ends(async |scene: &mut Scene| disable(&scene.world, &scene.machine).await, &["machine"]);
}

/// Those who are let in again have to begin anew.
///
/// Proves: S-31, A-122
#[test]
fn disabling_applications_that_are_let_in_again() {
    let end = async |scene: &mut Scene| {
        for party in [&scene.shop, &scene.offline, &scene.machine] {
            disable(&scene.world, party).await;
            assert!(scene.world.app().enable_client(&scene.world.operator().op(), &party.client_id).await.unwrap());
        }
    };
    ends(end, &["shop", "offline", "exchanged", "machine"]);
}

async fn rename_people(world: &World, party: &RelyingParty, subject_type: &str) {
    let changes = json!({ "subject_type": subject_type }).as_object().unwrap().clone();
    world.app().update_client(&world.operator().op(), &party.client_id, changes).await.unwrap().unwrap();
}

/// Proves: S-31
#[test]
fn giving_people_names_of_an_applications_own() {
    ends(async |scene: &mut Scene| rename_people(&scene.world, &scene.shop, "pairwise").await, &["shop"]);
}

/// Proves: S-31
#[test]
fn giving_people_the_names_that_all_know() {
    ends(async |scene: &mut Scene| rename_people(&scene.world, &scene.private, "public").await, &["private"]);
}

/// Proves: S-31, A-124
#[test]
fn changing_all_keys_in_an_emergency() {
    let end = async |scene: &mut Scene| {
        let op = scene.world.operator().op();
        scene.world.app().rotate_keys(&op, true).await.unwrap();
        // It keeps the keys of those who must go on.
        scene.world.send(bare(&Method::GET, "/.well-known/jwks.json")).await.expect(200);
    };
    ends(end, &EVERYTHING);
}
