//! Everything signed that travels between applications and the provider, shown at every place that reads something
//! signed: each is good where it belongs and nowhere else.

use std::sync::Arc;

use doorward_testkit::html::forms;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, Browser, Setup, World, both_with};
use http::{Method, header};
use serde_json::{Value, json};

use super::own_keys::{Documents, OwnKey};
use super::private_key_jwt::{TYPE, assertion};
use super::pushed::{claims as request_claims, signed as request_address};
use super::relying_party::{CALLBACK, FORM, RelyingParty, STATE, VERIFIER, browser, form};
use super::renewal::API;
use super::signed_in;
use crate::credentials::{bare, with_bearer};
use crate::people::{AWAY, HOME, OWNER, PASSWORD};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const NO_CODE: &str = "dwac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An application that signs and is sent everything there is.
struct Party {
    world: World,
    shop: RelyingParty,
    key: OwnKey,
    /// For proofs and assertions that count once.
    ids: std::cell::Cell<u32>,
}

impl Party {
    async fn register(world: &World) -> Self {
        let key = OwnKey::new("ES256");
        let fields = json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": key.set(),
            "grant_types": ["authorization_code", "client_credentials", EXCHANGE],
            "scope": "openid email orders",
            "resources": [API],
            "served_resources": [API],
            "userinfo_signed_response_alg": "ES256",
            "introspection_signed_response_alg": "ES256",
            "backchannel_logout_uri": "https://shop.example/backchannel",
        });
        let shop = RelyingParty::register(world, fields).await;
        Self { world: world.clone(), shop, key, ids: std::cell::Cell::new(0) }
    }

    fn id(&self) -> String {
        self.ids.set(self.ids.get() + 1);
        format!("id {}", self.ids.get())
    }

    fn assertion(&self) -> String {
        assertion(&self.shop, &self.key, &self.id())
    }

    fn proof(&self) -> String {
        let now = self.world.now();
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.jwk() });
        let claims = json!({
            "jti": self.id(), "htm": "POST", "htu": format!("{PUBLIC_URL}/oauth2/token"), "iat": now.as_seconds(),
            "nonce": self.world.app().dpop_nonce(now),
        });
        self.key.sign(&header, &claims)
    }

    fn request(&self, header: &Value) -> String {
        self.key.sign(header, &request_claims(&self.shop, &json!({ "jti": self.id() })))
    }

    /// Sends a form with an assertion of its own.
    async fn send(&self, request: Request, fields: &[(&str, &str)]) -> Answer {
        let own = self.assertion();
        let mut all = vec![("client_assertion_type", TYPE), ("client_assertion", own.as_str())];
        all.extend(fields);
        self.world.send(request.header(header::CONTENT_TYPE, FORM).body(form(all, &[]))).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Request::new(Method::POST, path, HOME), fields).await
    }

    /// Signs in; gives the access token and the ID token.
    async fn tokens(&self, owner: &mut Browser) -> (String, String) {
        owner.open(&self.shop.start(&[("scope", "openid email orders"), ("resource", API)])).await.expect(303);
        let code = self.shop.code(owner);
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let answer = self.post("/oauth2/token", &fields).await.expect(200);
        let (access, id_token) = (answer.string("access_token"), answer.string("id_token"));
        self.world.canaries().add(&access);
        self.world.canaries().add(&id_token);
        (access, id_token)
    }

    /// What the server signs, by name.
    async fn served(&self, owner: &mut Browser) -> Vec<(&'static str, String)> {
        let (access, id_token) = self.tokens(owner).await;
        let mut away = browser(&self.world, AWAY);
        away.sign_in(OWNER, PASSWORD).await.expect(200);
        self.tokens(&mut away).await;
        away.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
        let told = self.world.announcements().await.pop().unwrap();
        let info = self.shop.userinfo(&access).await.expect(200);
        assert_eq!(info.header(header::CONTENT_TYPE), Some("application/jwt"));
        let asked = Request::new(Method::POST, "/oauth2/introspect", HOME)
            .header(header::ACCEPT, "application/token-introspection+jwt");
        let introspected = self.send(asked, &[("token", &access)]).await.expect(200).text().to_owned();
        let own = [("grant_type", "client_credentials"), ("scope", "orders")];
        let own = self.post("/oauth2/token", &own).await.expect(200).string("access_token");
        let first_party = owner.fetch(Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        vec![
            ("access token", access),
            ("ID token", id_token),
            ("logout token", told.token),
            ("UserInfo answer", info.text().to_owned()),
            ("introspection answer", introspected),
            ("client's own token", own),
            ("first-party access token", first_party),
        ]
    }

    /// What the application signs, anew for each showing.
    fn made(&self) -> Vec<(&'static str, String)> {
        let untyped = json!({ "alg": "ES256" });
        vec![
            ("assertion", self.assertion()),
            ("assertion without typ", self.key.sign(&untyped, &super::private_key_jwt::claims(&self.shop, &self.id()))),
            ("proof", self.proof()),
            ("request object", self.request(&json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" }))),
            ("request object without typ", self.request(&untyped)),
        ]
    }

    /// Whether the text is taken at a place.
    async fn is_taken(&self, place: &str, text: &str, owner: &Browser) -> bool {
        let (world, shop) = (&self.world, &self.shop);
        let code = [("grant_type", "authorization_code"), ("code", NO_CODE), ("client_id", shop.client_id.as_str())];
        match place {
            "API" => world.send(with_bearer(bare(&Method::GET, "/api/v1/me"), text)).await.status == 200,
            "UserInfo" => shop.userinfo(text).await.status == 200,
            "client_assertion" => {
                let fields = [("client_assertion_type", TYPE), ("client_assertion", text)];
                let answer = shop.ask(form([code.as_slice(), &fields].concat(), &[])).await;
                let taken = answer.string("error") == "invalid_grant";
                assert!(taken || ["invalid_client", "invalid_request"].contains(&answer.string("error").as_str()));
                taken
            }
            "DPoP" => {
                let request = Request::new(Method::POST, "/oauth2/token", HOME).header("dpop", text);
                let answer = self.send(request, &code).await.expect(400);
                let taken = answer.string("error") == "invalid_grant";
                assert!(taken || answer.string("error") == "invalid_dpop_proof", "{}", answer.text());
                taken
            }
            "pushed request" => {
                let answer = self.post("/oauth2/par", &[("request", text)]).await;
                let taken = answer.status == 201;
                assert!(taken || answer.string("error") == "invalid_request_object", "{}", answer.text());
                taken
            }
            "introspection" => {
                let answer = self.post("/oauth2/introspect", &[("token", text)]).await.expect(200).json();
                let taken = answer["active"] == true;
                assert!(taken || answer == json!({ "active": false }), "{answer}");
                taken
            }
            "subject_token" => {
                let fields = [("grant_type", EXCHANGE), ("subject_token", text), ("subject_token_type", ACCESS)];
                let answer = self.post("/oauth2/token", &fields).await;
                assert!(answer.status == 200 || answer.string("error") == "invalid_request", "{}", answer.text());
                answer.status == 200
            }
            "code" => {
                let fields = [("grant_type", "authorization_code"), ("code", text), ("code_verifier", VERIFIER)];
                let answer = self.post("/oauth2/token", &fields).await;
                assert!(answer.status == 200 || answer.string("error") == "invalid_grant", "{}", answer.text());
                answer.status == 200
            }
            _ => self.leads_on(place, text, owner.clone()).await,
        }
    }

    /// The same where a browser brings it.
    async fn leads_on(&self, place: &str, text: &str, mut owner: Browser) -> bool {
        let shop = &self.shop;
        match place {
            "id_token_hint" => {
                owner.open(&shop.start(&[("prompt", "none"), ("id_token_hint", text)])).await.expect(303);
                let location = owner.page.as_ref().unwrap().header(header::LOCATION).unwrap();
                let taken = location.contains("code=");
                assert!(taken || location.contains("error=login_required"), "{location}");
                taken
            }
            "logout" => {
                let query = form(vec![("id_token_hint", text)], &[]);
                let page = owner.open(&format!("/oauth2/logout?{query}")).await.expect(200);
                !forms(page.text()).iter().any(|form| form.action == "/oauth2/logout/confirm")
            }
            "request" => {
                let outside = [("redirect_uri", CALLBACK), ("state", STATE)];
                owner.open(&request_address(shop, text, &outside)).await.expect(303);
                let location = owner.page.as_ref().unwrap().header(header::LOCATION).unwrap();
                let taken = location.contains("code=");
                assert!(taken || location.contains("error=invalid_request_object"), "{location}");
                taken
            }
            other => unreachable!("{other}"),
        }
    }
}

/// What each place takes.
const PLACES: [(&str, &[&str]); 11] = [
    ("API", &["first-party access token"]),
    ("UserInfo", &["access token"]),
    ("client_assertion", &["assertion", "assertion without typ"]),
    ("DPoP", &["proof"]),
    ("id_token_hint", &["ID token"]),
    ("request", &["request object", "request object without typ"]),
    ("pushed request", &["request object", "request object without typ"]),
    ("introspection", &["access token", "client's own token"]),
    ("subject_token", &["access token"]),
    ("code", &[]),
    // The last: it ends the session.
    ("logout", &["ID token"]),
];

/// Proves: A-121, V9.2.2, V9.2.3
#[test]
fn whatever_is_signed_is_good_at_its_own_place_and_at_no_other() {
    let documents = Arc::new(Documents::default());
    let mut setup = Setup { ..documents.setup() };
    setup.edge.limit_scale = 1_000.0;
    both_with(&setup, async |world| {
        let mut owner = signed_in(world).await;
        let party = Party::register(world).await;
        let served = party.served(&mut owner).await;
        for (place, takes) in PLACES {
            let kinds = [served.clone(), party.made()].concat();
            assert_eq!(kinds.len(), 12);
            let (good, bad): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|(name, _)| takes.contains(name));
            assert_eq!(good.len(), takes.len(), "{place}");
            for (name, text) in bad {
                assert!(!party.is_taken(place, &text, &owner).await, "{name} at {place}");
            }
            // The way these tests show it is right.
            for (name, text) in good {
                assert!(party.is_taken(place, &text, &owner).await, "{name} at {place}");
            }
        }
        assert_eq!(documents.take_asked(), 0, "nobody was asked for anything");
    });
}
