//! By which id an application knows a person, and in which form it is told about them.

use std::sync::Arc;

use doorward_app::clients::ClientError;
use doorward_testkit::{World, both, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use super::own_keys::Documents;
use super::relying_party::{CALLBACK, RelyingParty, header_of};
use super::{algorithms, code, signed_in};

const SECTOR: &str = "https://sector.example/redirects.json";

/// Proves: A-97
#[test]
fn applications_of_two_sectors_cannot_tell_that_they_know_the_same_person() {
    let documents = Arc::new(Documents::default());
    documents.put(SECTOR, Some(&json!(["https://shop.example/callback"])));
    both_with(&documents.setup(), async |world| {
        let mut owner = signed_in(world).await;
        let pairwise = json!({ "subject_type": "pairwise" });
        let first = RelyingParty::register(world, pairwise.clone()).await;
        let same_host = RelyingParty::register(world, pairwise).await;
        let sectors = json!({ "subject_type": "pairwise", "sector_identifier_uri": SECTOR });
        let elsewhere = RelyingParty::register(world, sectors).await;
        let open = RelyingParty::register(world, json!({})).await;
        let (mut subjects, mut sessions) = (Vec::new(), Vec::new());
        for shop in [&first, &same_host, &elsewhere, &open] {
            let mine = code(shop, &mut owner).await;
            let tokens = shop.tokens(&mine).await;
            let access = shop.verify(&tokens.access).await;
            let info = shop.userinfo(&tokens.access).await.expect(200).json();
            assert_eq!((&access["sub"], &info["sub"]), (&tokens.claims["sub"], &tokens.claims["sub"]));
            let is_open = shop.client_id == open.client_id;
            assert_eq!(access.get("sid").is_some(), is_open, "a session would tell them too");
            sessions.push(tokens.claims["sid"].as_str().unwrap().to_owned());
            let user = tokens.claims["sub"].as_str().unwrap().to_owned();
            assert_eq!(user.starts_with("user_"), is_open, "{user}");
            // As a hint it names the person to this client, and nobody to another.
            owner.open(&shop.start(&[("prompt", "none"), ("id_token_hint", &tokens.id_token)])).await.expect(303);
            shop.code(&owner);
            let other = if is_open { &first } else { &open };
            owner.open(&other.start(&[("prompt", "none"), ("id_token_hint", &tokens.id_token)])).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "login_required");
            // It is the same tomorrow.
            let again = code(shop, &mut owner).await;
            assert_eq!(shop.tokens(&again).await.claims["sub"], tokens.claims["sub"]);
            subjects.push(user);
        }
        assert_eq!(subjects[0], subjects[1], "one sector");
        assert!(subjects[0] != subjects[2] && subjects[2] != subjects[3] && subjects[0] != subjects[3]);
        assert_eq!(sessions[0], sessions[1], "one sector");
        assert!(sessions[0] != sessions[2] && sessions[2] != sessions[3] && sessions[0] != sessions[3]);
        // By the names that the client knows it proves whose session it is all the same.
        let mine = code(&first, &mut owner).await;
        let hint = first.tokens(&mine).await.id_token;
        owner.open(&format!("/oauth2/logout?id_token_hint={hint}")).await;
        owner.fetch(Method::GET, "/api/v1/me", None).await.expect(401);
    });
}

/// Proves: A-157
#[test]
fn a_sector_that_does_not_vouch_for_the_application_is_refused() {
    let documents = Arc::new(Documents::default());
    both_with(&documents.setup(), async |world| {
        let at = |document: Option<Value>| documents.put(SECTOR, document.as_ref());
        for (document, address, uris) in [
            (None, SECTOR, json!(["https://shop.example/callback"])),
            (Some(json!([])), SECTOR, json!(["https://shop.example/callback"])),
            (Some(json!({})), SECTOR, json!(["https://shop.example/callback"])),
            (
                Some(json!(["https://shop.example/callback"])),
                SECTOR,
                json!(["https://shop.example/callback", "https://evil.example/cb"]),
            ),
            (Some(json!([])), "https://127.0.0.1/sector", json!(["https://shop.example/callback"])),
            (Some(json!([])), "http://sector.example/", json!(["https://shop.example/callback"])),
        ] {
            at(document.clone());
            let Value::Object(members) = json!({
                "client_name": "Shop", "redirect_uris": uris, "subject_type": "pairwise",
                "sector_identifier_uri": address,
            }) else {
                unreachable!()
            };
            let refused = world.app().create_client(&world.operator().op(), members).await.map(drop);
            let Err(ClientError::Refused(problems)) = refused else { unreachable!("{document:?} was registered") };
            assert!(problems.iter().any(|problem| problem.field == "sector_identifier_uri"), "{problems:?}");
        }
    });
}

/// Proves
#[test]
fn nobody_is_asked_about_a_sector_at_an_address_inside() {
    let documents = Arc::new(Documents::default());
    let inside = "https://127.0.0.1/sector";
    documents.put(inside, Some(&json!([CALLBACK])));
    both_with(&documents.setup(), async |world| {
        for (subject, uri) in [("pairwise", inside), ("public", inside)] {
            let fields = json!({
                "redirect_uris": [CALLBACK], "subject_type": subject, "sector_identifier_uri": uri,
            });
            refused_for_its_sector(world, fields).await;
        }
        assert_eq!(documents.take_asked(), 0);
    });
}

/// Anybody's application may claim a scheme or an address on the device.
///
/// Proves: A-97
#[test]
fn applications_on_a_device_are_no_sector_of_their_own() {
    both(async |world| {
        for uris in [
            json!(["com.example.app:/cb"]),
            json!(["http://127.0.0.1/cb"]),
            json!(["http://[::1]/cb"]),
            json!(["http://127.0.0.1/cb", "http://127.0.0.1/other"]),
            json!(["https://shop.example/callback", "com.example.app:/cb"]),
            json!(["https://shop.example/callback", "https://shop.example.org/callback"]),
        ] {
            let fields = json!({ "redirect_uris": uris, "subject_type": "pairwise", "application_type": "native" });
            refused_for_its_sector(world, fields).await;
        }
    });
}

async fn refused_for_its_sector(world: &World, fields: Value) {
    let Value::Object(mut members) = fields.clone() else { unreachable!() };
    members.insert("client_name".to_owned(), json!("Shop"));
    let refused = world.app().create_client(&world.operator().op(), members).await.map(drop);
    let Err(ClientError::Refused(problems)) = refused else { unreachable!("{fields} was registered") };
    assert!(problems.iter().any(|problem| problem.field == "sector_identifier_uri"), "{fields}: {problems:?}");
}

/// Else an application that has the ids of one sector would add an address of its own to them.
///
/// Proves: A-157
#[test]
fn a_sector_vouches_for_what_is_changed_as_well() {
    let documents = Arc::new(Documents::default());
    documents.put(SECTOR, Some(&json!([CALLBACK])));
    both_with(&documents.setup(), async |world| {
        let sector = json!({ "subject_type": "pairwise", "sector_identifier_uri": SECTOR });
        let shop = RelyingParty::register(world, sector.clone()).await;
        let plain = RelyingParty::register(world, json!({})).await;
        let evil = "https://evil.example/cb";
        let op = world.operator().op();
        for (party, mut change) in [(&shop, json!({})), (&plain, sector)] {
            change["redirect_uris"] = json!([CALLBACK, evil]);
            let Value::Object(change) = change else { unreachable!() };
            let changed = world.app().update_client(&op, &party.client_id, change).await.map(drop);
            let Err(ClientError::Refused(problems)) = changed else { unreachable!("it was changed") };
            assert!(problems.iter().any(|problem| problem.field == "sector_identifier_uri"), "{problems:?}");
            let found = world.app().find_client(&party.client_id).await.unwrap().unwrap();
            assert_eq!(found.client.metadata().redirect_uris.len(), 1, "nothing is changed");
        }
    });
}

/// What a service was told by the name of before is not told again under it.
///
/// Proves
#[test]
fn a_token_under_the_name_of_before_is_over_when_an_application_gets_names_of_its_own() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mine = code(&shop, &mut owner).await;
        let tokens = shop.tokens(&mine).await;
        shop.userinfo(&tokens.access).await.expect(200);
        let Value::Object(pairwise) = json!({ "subject_type": "pairwise" }) else { unreachable!() };
        world.app().update_client(&world.operator().op(), &shop.client_id, pairwise).await.unwrap();
        shop.userinfo(&tokens.access).await.expect(401);
        assert_eq!(shop.introspect(&tokens.access).await, json!({ "active": false }));
        let again = code(&shop, &mut owner).await;
        let again = shop.tokens(&again).await;
        let info = shop.userinfo(&again.access).await.expect(200).json();
        assert_ne!(info["sub"], tokens.claims["sub"]);
    });
}

#[test]
fn userinfo_is_signed_for_an_application_that_is_registered_for_it() {
    both_with(&algorithms::all(), async |world| {
        world.app().keep_keys_current(&world.operator().op()).await.unwrap();
        let mut owner = signed_in(world).await;
        for algorithm in ["RS256", "ES256", "EdDSA"] {
            let shop = RelyingParty::register(world, json!({ "userinfo_signed_response_alg": algorithm })).await;
            let mine = code(&shop, &mut owner).await;
            let tokens = shop.tokens(&mine).await;
            let answer = shop.userinfo(&tokens.access).await.expect(200);
            assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/jwt"));
            let signed = answer.text().to_owned();
            let told = header_of(&signed);
            assert_eq!((&told["alg"], &told["typ"]), (&json!(algorithm), &json!("userinfo+jwt")));
            let claims = shop.verify(&signed).await;
            assert_eq!((&claims["aud"], &claims["iss"]), (&json!(shop.client_id), &json!("https://auth.example.test")));
            assert_eq!((&claims["sub"], &claims["email_verified"]), (&tokens.claims["sub"], &json!(true)));
            // It is an answer and nothing else.
            shop.userinfo(&signed).await.expect(401);
            owner.open(&shop.start(&[("prompt", "none"), ("id_token_hint", &signed)])).await.expect(303);
            assert_eq!(RelyingParty::error(&owner), "login_required");
        }
    });
}

#[test]
fn userinfo_is_plain_for_everybody_else() {
    both(async |world| {
        let mut owner = signed_in(world).await;
        let shop = RelyingParty::register(world, json!({})).await;
        let mine = code(&shop, &mut owner).await;
        let answer = shop.userinfo(&shop.tokens(&mine).await.access).await.expect(200);
        assert_eq!(answer.header(header::CONTENT_TYPE), Some("application/json"));
    });
}
