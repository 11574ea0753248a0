//! Applications register themselves with a token of the operator (RFC 7591) and manage what they registered (RFC 7592).

use doorward_app::clients::registration::InitialAccess;
use doorward_model::time::DAY_MS;
use doorward_testkit::html::unescape;
use doorward_testkit::world::Request;
use doorward_testkit::{Answer, Setup, World, both, both_with};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::relying_party::{CALLBACK, RelyingParty, browser};
use super::signed_in;
use crate::credentials::count_events;
use crate::people::{AWAY, OWNER};

const REGISTER: &str = "/oauth2/register";

fn open() -> Setup {
    let mut setup = Setup::default();
    setup.settings.registration = true;
    setup.edge.limit_scale = 1_000.0;
    setup
}

async fn token(world: &World, uses: u32) -> String {
    let access = InitialAccess { note: Some("staging".into()), uses, lifetime_ms: DAY_MS };
    let (_, token) = world.app().create_initial_token(&world.operator().op(), access).await.unwrap();
    let token = token.reveal().to_string();
    world.canaries().add(&token);
    token
}

async fn send(world: &World, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let mut request = Request::new(method, path, AWAY);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, &format!("Bearer {token}"));
    }
    if let Some(body) = body {
        request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
    }
    world.send(request).await
}

async fn register(world: &World, token: &str, body: &Value) -> Answer {
    send(world, Method::POST, REGISTER, token, Some(body)).await
}

fn shop() -> Value {
    json!({
        "client_name": "Shop", "redirect_uris": [CALLBACK], "id_token_signed_response_alg": "ES256",
        "grant_types": ["authorization_code", "refresh_token"],
    })
}

/// An application, the token it manages itself with, and where.
async fn registered(world: &World) -> (Value, String, String) {
    let told = register(world, &token(world, 1).await, &shop()).await.expect(201).json();
    let [manage, uri, secret] = ["registration_access_token", "registration_client_uri", "client_secret"]
        .map(|field| told[field].as_str().unwrap().to_owned());
    for secret in [&manage, &secret] {
        world.canaries().add(secret);
    }
    let path = uri.strip_prefix("https://auth.example.test").unwrap().to_owned();
    (told, manage, path)
}

/// What the one event of an action says.
async fn facts(world: &World, action: &str) -> Value {
    let events = world.events().await;
    let event = events.iter().find(|event| event.action == action).unwrap();
    serde_json::from_str(&event.data).unwrap()
}

fn assert_challenged(answer: &Answer) {
    assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_token")));
    assert_eq!(answer.header(header::WWW_AUTHENTICATE), Some("Bearer error=\"invalid_token\""));
    assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
}

/// Proves: A-111
#[test]
fn nobody_registers_where_the_operator_has_not_said_so() {
    both(async |world| {
        let token = token(world, 1).await;
        register(world, &token, &shop()).await.expect(404);
        register(world, "", &shop()).await.expect(404);
        let document = world.send(Request::new(Method::GET, "/.well-known/openid-configuration", AWAY)).await.json();
        assert_eq!(document.get("registration_endpoint"), None);
        assert_eq!(count_events(world, "client.created").await, 0);
    });
}

/// Proves: A-111, V10.7.1
#[test]
fn an_application_registers_itself_and_people_are_told() {
    both_with(&open(), async |world| {
        let document = world.send(Request::new(Method::GET, "/.well-known/openid-configuration", AWAY)).await.json();
        assert_eq!(document["registration_endpoint"], "https://auth.example.test/oauth2/register");
        let (told, manage, path) = registered(world).await;
        assert_eq!(told["client_secret_expires_at"], 0);
        assert_eq!(told["client_id_issued_at"], world.now().as_seconds());
        assert_eq!(told["scope"], "openid profile email offline_access");
        assert_eq!((&told["consent"], &told["self_registered"]), (&json!("ask"), &json!(true)));
        let client_id = told["client_id"].as_str().unwrap().to_owned();
        let secret = told["client_secret"].as_str().map(str::to_owned);
        let shop = RelyingParty { world: world.clone(), client_id, secret };
        let mut owner = signed_in(world).await;
        let page = owner.open(&shop.start(&[])).await.expect(200);
        let text = unescape(page.text());
        assert!(text.contains("This application registered itself"), "{text}");
        owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(303);
        let tokens = shop.tokens(&shop.code(&owner)).await;
        assert_eq!(shop.userinfo(&tokens.access).await.expect(200).string("email"), OWNER);
        // What is told once is not told again.
        let shown = send(world, Method::GET, &path, &manage, None).await.expect(200).json();
        assert_eq!((shown.get("client_secret"), &shown["registration_access_token"]), (None, &json!(manage)));
        // With the registration go its grants.
        send(world, Method::DELETE, &path, &manage, None).await.expect(204);
        shop.userinfo(&tokens.access).await.expect(401);
        for method in [Method::GET, Method::DELETE] {
            assert_challenged(&send(world, method, &path, &manage, None).await);
        }
        let created = facts(world, "client.created").await;
        assert!(created["initial_token"].as_str().unwrap().starts_with("initial_"), "{created}");
        assert_eq!(facts(world, "client.deleted").await["by_itself"], true);
    });
}

/// Proves: A-111
#[test]
fn a_registration_needs_a_token_that_is_good_and_takes_as_many_as_were_said() {
    both_with(&open(), async |world| {
        let token = token(world, 2).await;
        let own = registered(world).await.1;
        let unknown = format!("dwia_{}", "A".repeat(43));
        for wrong in ["", "nonsense", &unknown, &own, &token.replace("dwia_", "dwra_")] {
            assert_challenged(&register(world, wrong, &shop()).await);
            // What a stranger sends is not even judged.
            assert_challenged(&register(world, wrong, &json!({})).await);
        }
        let twice = Request::new(Method::POST, REGISTER, AWAY)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, &format!("Bearer {token}"))
            .header(header::AUTHORIZATION, &format!("Bearer {token}"));
        assert_challenged(&world.send(twice.body(shop().to_string())).await);
        // Nothing is used up by what is refused.
        register(world, &token, &json!({})).await.expect(400);
        register(world, &token, &shop()).await.expect(201);
        register(world, &token, &shop()).await.expect(201);
        assert_challenged(&register(world, &token, &shop()).await);
        let late = self::token(world, 1).await;
        world.advance(DAY_MS);
        assert_challenged(&register(world, &late, &shop()).await);
        let back = self::token(world, 1).await;
        let op = world.operator().op();
        let listed = world.app().list_initial_tokens(&op).await.unwrap();
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert!(world.app().delete_initial_token(&op, listed[0].id).await.unwrap());
        assert!(!world.app().delete_initial_token(&op, listed[0].id).await.unwrap());
        assert_challenged(&register(world, &back, &shop()).await);
    });
}

/// Proves: A-111, V10.4.1
#[test]
fn what_a_stranger_may_not_register_is_refused_by_name() {
    both_with(&open(), async |world| {
        let token = token(world, 1).await;
        let many: Vec<String> = (0..1_000).map(|number| format!("https://shop.example/{number}")).collect();
        for (field, value, error) in [
            ("redirect_uris", json!(["http://shop.example/cb"]), "invalid_redirect_uri"),
            ("redirect_uris", json!(["https://*.example/cb"]), "invalid_redirect_uri"),
            ("redirect_uris", json!(["https://shop.example/cb#f"]), "invalid_redirect_uri"),
            ("redirect_uris", json!(["https://a@shop.example/cb"]), "invalid_redirect_uri"),
            ("redirect_uris", json!(many), "invalid_redirect_uri"),
            ("redirect_uris", json!([]), "invalid_redirect_uri"),
            ("redirect_uris", json!("https://shop.example/cb"), "invalid_redirect_uri"),
            ("jwks_uri", json!("https://10.0.0.1/keys"), "invalid_client_metadata"),
            ("jwks_uri", json!("http://shop.example/keys"), "invalid_client_metadata"),
            ("backchannel_logout_uri", json!("https://127.0.0.1/out"), "invalid_client_metadata"),
            ("logo_uri", json!("javascript:alert(1)"), "invalid_client_metadata"),
            ("client_name", json!("Sh\u{202e}op"), "invalid_client_metadata"),
            ("client_name", json!(7), "invalid_client_metadata"),
            ("scope", json!("openid orders:write"), "invalid_client_metadata"),
            ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
            (
                "grant_types",
                json!(["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]),
                "invalid_client_metadata",
            ),
            ("token_endpoint_auth_method", json!("private_key_jwt"), "invalid_client_metadata"),
        ] {
            let mut body = shop();
            body[field] = value;
            let answer = register(world, &token, &body).await.expect(400);
            assert_eq!(answer.string("error"), error, "{body}");
            let description = answer.string("error_description");
            assert!(description.len() <= 1_000 && description.is_ascii(), "{description}");
        }
        let mut both = shop();
        both["jwks"] = json!({"keys": []});
        both["jwks_uri"] = json!("https://shop.example/keys");
        register(world, &token, &both).await.expect(400);
        for body in ["", "[]", "7", "{", "{\"redirect_uris\":[],\"redirect_uris\":[]}"] {
            let request = Request::new(Method::POST, REGISTER, AWAY)
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, &format!("Bearer {token}"));
            world.send(request.body(body.into())).await.expect(400);
        }
    });
}

/// Proves: A-111
#[test]
fn what_only_an_operator_decides_is_not_heard_of_a_stranger() {
    both_with(&open(), async |world| {
        let token = token(world, 1).await;
        let mut bold = shop();
        for (field, value) in [
            ("client_id", json!("admin")),
            ("consent", json!("skip")),
            ("require_pkce", json!(false)),
            ("access_token_seconds", json!(3_600)),
            ("self_registered", json!(false)),
            ("resources", json!(["https://api.example"])),
        ] {
            bold[field] = value;
        }
        let told = register(world, &token, &bold).await.expect(201).json();
        assert!(told["client_id"].as_str().unwrap().starts_with("client_"), "{told}");
        for (field, value) in [
            ("consent", json!("ask")),
            ("require_pkce", json!(true)),
            ("access_token_seconds", json!(600)),
            ("self_registered", json!(true)),
            ("resources", json!([])),
        ] {
            assert_eq!(told[field], value, "{field}");
        }
    });
}

/// Anybody who registers could make this server lead people to them, with a request that must fail.
///
/// Proves: A-82
#[test]
fn nobody_is_led_to_an_application_that_nobody_has_looked_at_without_being_asked() {
    both_with(&open(), async |world| {
        let (told, _, _) = registered(world).await;
        let client_id = told["client_id"].as_str().unwrap().to_owned();
        let shop = RelyingParty { world: world.clone(), client_id: client_id.clone(), secret: None };
        let mut stranger = browser(world, AWAY);
        let failing = [
            [("prompt", "none"), ("", "")],
            [("scope", "openid orders"), ("", "")],
            [("code_challenge", ""), ("", "")],
            [("response_type", "token"), ("", "")],
            [("prompt", "none"), ("response_mode", "form_post")],
        ];
        for changes in &failing {
            let changes: Vec<(&str, &str)> = changes.iter().copied().filter(|(name, _)| !name.is_empty()).collect();
            let page = stranger.open(&shop.start(&changes)).await.expect(200);
            assert_eq!(page.header(header::LOCATION), None);
            let text = unescape(page.text());
            assert!(text.contains("Leave for shop.example?") && text.contains(CALLBACK), "{changes:?}: {text}");
            assert!(!text.contains("data-send-at-once"), "{text}");
        }
        // Whoever was asked and says no goes back at once, and so does everybody once an operator has looked.
        let mut owner = signed_in(world).await;
        owner.open(&shop.start(&[])).await.expect(200);
        let answer = owner.submit("/oauth2/consent", &[("decision", "deny")]).await.expect(303);
        assert!(answer.header(header::LOCATION).unwrap().contains("error=access_denied"));
        let vetted = json!({"self_registered": false}).as_object().unwrap().clone();
        world.app().update_client(&world.operator().op(), &client_id, vetted).await.unwrap().unwrap();
        let answer = stranger.open(&shop.start(&[("prompt", "none")])).await.expect(303);
        assert!(answer.header(header::LOCATION).unwrap().contains("error=login_required"));
    });
}

/// Nor by a link that signs out.
///
/// Proves
#[test]
fn only_whoever_had_somebody_in_front_of_it_leads_them_on_after_they_sign_out() {
    const BYE: &str = "https://shop.example/bye";
    both_with(&open(), async |world| {
        let mut body = shop();
        body["post_logout_redirect_uris"] = json!([BYE]);
        let told = register(world, &token(world, 1).await, &body).await.expect(201).json();
        let client_id = told["client_id"].as_str().unwrap().to_owned();
        let secret = told["client_secret"].as_str().map(str::to_owned);
        let shop = RelyingParty { world: world.clone(), client_id: client_id.clone(), secret };
        let link = |hint: &str| {
            let fields =
                [("client_id", client_id.as_str()), ("post_logout_redirect_uri", BYE), ("id_token_hint", hint)];
            let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
            format!(
                "/oauth2/logout?{}",
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
            )
        };
        let mut owner = signed_in(world).await;
        owner.open(&shop.start(&[])).await.expect(200);
        owner.submit("/oauth2/consent", &[("decision", "allow")]).await.expect(303);
        let hint = shop.tokens(&shop.code(&owner)).await.id_token;
        // Nobody is signed in here; whoever registered may well have an ID token of their own.
        let mut stranger = browser(world, AWAY);
        for link in [link(""), link(&hint)] {
            let answer = stranger.fetch(Method::GET, &link, None).await.expect(303);
            assert!(answer.header(header::LOCATION).unwrap().starts_with("/login?"), "{:?}", answer.headers);
        }
        let answer = owner.clone().fetch(Method::GET, &link(&hint), None).await.expect(303);
        assert_eq!(answer.header(header::LOCATION), Some(BYE));
        let vetted = json!({"self_registered": false}).as_object().unwrap().clone();
        world.app().update_client(&world.operator().op(), &client_id, vetted).await.unwrap().unwrap();
        let answer = stranger.fetch(Method::GET, &link(""), None).await.expect(303);
        assert_eq!(answer.header(header::LOCATION), Some(BYE));
    });
}

/// Proves: A-111
#[test]
fn an_application_changes_its_own_registration_and_no_other() {
    both_with(&open(), async |world| {
        let (told, manage, path) = registered(world).await;
        let (_, others, _) = registered(world).await;
        for wrong in ["", "nonsense", &others] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let body = (method == Method::PUT).then(shop);
                assert_challenged(&send(world, method, &path, wrong, body.as_ref()).await);
            }
        }
        // One that an operator registered has no such token, and one that does not exist is not told apart.
        let operators = RelyingParty::register(world, json!({})).await;
        for id in [operators.client_id.as_str(), "client_01h455vb4pex5vsknk084sn02q", "somebody"] {
            assert_challenged(&send(world, Method::GET, &format!("{REGISTER}/{id}"), &manage, None).await);
        }
        let mut next = told.clone();
        for field in
            ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"]
        {
            send(world, Method::PUT, &path, &manage, Some(&next)).await.expect(400);
            next.as_object_mut().unwrap().remove(field);
        }
        next["client_name"] = json!("Store");
        next["redirect_uris"] = json!(["https://shop.example/next"]);
        let changed = send(world, Method::PUT, &path, &manage, Some(&next)).await.expect(200).json();
        assert_eq!((&changed["client_name"], &changed["client_id"]), (&json!("Store"), &told["client_id"]));
        assert_eq!(changed["redirect_uris"], json!(["https://shop.example/next"]));
        for (field, value) in [
            ("client_id", json!("somebody")),
            ("client_id", Value::Null),
            ("client_secret", json!("one of my own choice")),
            ("client_secret", json!(7)),
            ("scope", json!("openid orders")),
            ("redirect_uris", json!(["https://*.example/"])),
        ] {
            let mut wrong = next.clone();
            wrong[field] = value;
            send(world, Method::PUT, &path, &manage, Some(&wrong)).await.expect(400);
        }
        // What is left out has its default.
        let op = world.operator().op();
        let vetted = json!({"self_registered": false, "consent": "skip"}).as_object().unwrap().clone();
        let id = told["client_id"].as_str().unwrap();
        world.app().update_client(&op, id, vetted).await.unwrap().unwrap();
        let bare = json!({"client_id": id, "redirect_uris": [CALLBACK], "consent": "ask"});
        let changed = send(world, Method::PUT, &path, &manage, Some(&bare)).await.expect(200).json();
        // And nobody has vouched for what it has become.
        assert_eq!((changed.get("client_name"), &changed["self_registered"]), (None, &json!(true)), "{changed}");
        assert_eq!(changed["consent"], "ask");
        // From no secret to one there is no way: nobody could be told it.
        let public = json!({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"});
        let public = register(world, &token(world, 1).await, &public).await.expect(201).json();
        assert_eq!(public.get("client_secret"), None);
        let path = format!("{REGISTER}/{}", public["client_id"].as_str().unwrap());
        let own = public["registration_access_token"].as_str().unwrap();
        let secretive = json!({"client_id": public["client_id"], "redirect_uris": [CALLBACK]});
        let answer = send(world, Method::PUT, &path, own, Some(&secretive)).await.expect(400);
        assert!(answer.string("error_description").contains("token_endpoint_auth_method"));
    });
}

/// Proves
#[test]
fn of_fifty_who_register_with_one_use_one_does() {
    both_with(&open(), async |world| {
        let token = token(world, 1).await;
        let mut asked = JoinSet::new();
        for _ in 0..50 {
            let (world, token) = (world.clone(), token.clone());
            asked.spawn(async move { register(&world, &token, &shop()).await.status.as_u16() });
        }
        let answers = asked.join_all().await;
        assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 401).count(), 49, "{answers:?}");
        assert_eq!(count_events(world, "client.created").await, 1);
    });
}
