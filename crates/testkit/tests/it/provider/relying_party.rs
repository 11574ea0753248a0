//! An application that signs people in through the provider, with a verifier of its own: it believes nothing that it has
//! not checked, and shares no code with the server.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorward_app::clients::declared::DeclaredClient;
use doorward_model::secret::PlainToken;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, Browser, World};
use http::{Method, header};
use serde_json::{Map, Value, json};

/// Where its server is.
pub(crate) const SERVER: &str = "198.51.100.200";
pub(crate) const CALLBACK: &str = "https://shop.example/callback";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const STATE: &str = "state & co";
pub(crate) const NONCE: &str = "n-0S6_WzA2Mj";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// An application.
#[derive(Clone)]
pub(crate) struct RelyingParty {
    pub(crate) world: World,
    pub(crate) client_id: String,
    pub(crate) secret: Option<String>,
}

/// What it made of a token answer.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) id_token: String,
    pub(crate) claims: Value,
    /// Empty when it got none.
    pub(crate) refresh: String,
}

impl RelyingParty {
    /// Registers it, with these fields changed.
    pub(crate) async fn register(world: &World, changes: Value) -> Self {
        let made = world.app().create_client(&world.operator().op(), members(&changes)).await.unwrap();
        Self::of(world, made.registered.client.id().as_str(), made.secret)
    }

    /// The same under an id that the operator chooses.
    pub(crate) async fn declare(world: &World, id: &str, changes: Value) -> Self {
        let declared = DeclaredClient { id: id.to_owned(), members: members(&changes), secret: None };
        let planned = world.app().plan_clients(vec![declared], false).await.unwrap().remove(0);
        let secret = world.app().carry_out(&world.operator().op(), planned, 0).await.unwrap();
        Self::of(world, id, secret)
    }

    fn of(world: &World, client_id: &str, secret: Option<PlainToken>) -> Self {
        let secret = secret.map(|secret| secret.reveal().to_string());
        if let Some(secret) = &secret {
            world.canaries().add(secret);
        }
        Self { world: world.clone(), client_id: client_id.to_owned(), secret }
    }

    /// The address it sends people to, with these parameters changed; an empty value leaves one out.
    pub(crate) fn start(&self, changes: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("scope", "openid email"),
            ("state", STATE),
            ("nonce", NONCE),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        fields.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        format!("/oauth2/authorize?{query}")
    }

    /// What the browser brought back: checks state and issuer first (RFC 9207).
    fn arrive(browser: &Browser) -> Vec<(String, String)> {
        let location = browser.page.as_ref().unwrap().header(header::LOCATION).unwrap().to_owned();
        let (uri, query) = location.split_once('?').unwrap();
        assert_eq!(uri, CALLBACK);
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(find(&fields, "state"), Some(STATE), "{location}");
        assert_eq!(find(&fields, "iss"), Some(PUBLIC_URL), "{location}");
        fields
    }

    /// The code that the browser brought back.
    pub(crate) fn code(&self, browser: &Browser) -> String {
        let fields = Self::arrive(browser);
        let code = find(&fields, "code").unwrap_or_default().to_owned();
        assert!(!code.is_empty(), "no code in {fields:?}");
        self.world.canaries().add(&code);
        code
    }

    /// The error that the browser brought back.
    pub(crate) fn error(browser: &Browser) -> String {
        let fields = Self::arrive(browser);
        assert_eq!(find(&fields, "code"), None, "{fields:?}");
        find(&fields, "error").unwrap().to_owned()
    }

    /// Asks the token endpoint, with these fields changed.
    pub(crate) async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.grant(fields, changes).await
    }

    /// Renews, with these fields changed.
    pub(crate) async fn refresh(&self, token: &str, changes: &[(&str, &str)]) -> Answer {
        self.grant(vec![("grant_type", "refresh_token"), ("refresh_token", token)], changes).await
    }

    /// Renews, and notes what it got as nothing that may be seen elsewhere.
    pub(crate) async fn renew(&self, token: &str) -> String {
        let next = self.refresh(token, &[]).await.expect(200).string("refresh_token");
        self.world.canaries().add(&next);
        next
    }

    /// Asks the token endpoint with these fields, some of them changed; an empty value leaves one out.
    async fn grant<'a>(&'a self, mut fields: Vec<(&'a str, &'a str)>, changes: &[(&'a str, &'a str)]) -> Answer {
        if self.secret.is_none() {
            fields.push(("client_id", self.client_id.as_str()));
        }
        self.ask(form(fields, changes)).await
    }

    /// Sends a body to the token endpoint, authenticated by its secret if it has one.
    pub(crate) async fn ask(&self, body: String) -> Answer {
        self.call("/oauth2/token", body).await
    }

    /// Withdraws a token.
    pub(crate) async fn revoke(&self, token: &str) -> Answer {
        self.call("/oauth2/revoke", self.about(token)).await
    }

    /// Asks about a token.
    pub(crate) async fn introspect(&self, token: &str) -> Value {
        let answer = self.call("/oauth2/introspect", self.about(token)).await.expect(200);
        assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
        let claims = answer.json();
        assert!(claims["active"].is_boolean(), "{claims}");
        if claims["active"] == false {
            assert_eq!(claims, json!({ "active": false }), "nothing else is said");
        }
        claims
    }

    /// A form that names a token, and the client where nothing else does.
    pub(crate) fn about(&self, token: &str) -> String {
        let mut fields = vec![("token", token)];
        if self.secret.is_none() {
            fields.push(("client_id", self.client_id.as_str()));
        }
        form(fields, &[])
    }

    /// Sends a body to an endpoint, authenticated by its secret if it has one.
    pub(crate) async fn call(&self, path: &str, body: String) -> Answer {
        self.send(Request::new(Method::POST, path, SERVER), body).await
    }

    /// Sends a form, authenticated by its secret if it has one.
    pub(crate) async fn send(&self, request: Request, body: String) -> Answer {
        let mut request = request.header(header::CONTENT_TYPE, FORM);
        if let Some(secret) = &self.secret {
            let basic = STANDARD.encode(format!("{}:{secret}", self.client_id));
            request = request.header(header::AUTHORIZATION, &format!("Basic {basic}"));
        }
        self.world.send(request.body(body)).await
    }

    /// Exchanges a code and checks everything about the answer.
    pub(crate) async fn tokens(&self, code: &str) -> Tokens {
        let answer = self.exchange(code, &[]).await.expect(200);
        assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(answer.string("token_type"), "Bearer");
        let (access, id_token) = (answer.string("access_token"), answer.string("id_token"));
        self.world.canaries().add(&access);
        self.world.canaries().add(&id_token);
        let claims = self.verify(&id_token).await;
        let now = self.world.now().as_seconds();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(PUBLIC_URL), &json!(self.client_id)));
        assert_eq!((&claims["nonce"], &claims["azp"]), (&json!(NONCE), &json!(self.client_id)));
        assert!(claims["iat"].as_i64().unwrap() <= now && now < claims["exp"].as_i64().unwrap(), "{claims}");
        let hash = if header_of(&id_token)["alg"] == "EdDSA" { &SHA512 } else { &SHA256 };
        let hash = digest(hash, access.as_bytes());
        assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2]));
        let refresh = answer.json()["refresh_token"].as_str().unwrap_or_default().to_owned();
        if !refresh.is_empty() {
            self.world.canaries().add(&refresh);
        }
        Tokens { access, id_token, claims, refresh }
    }

    /// The claims of a token that one of the published keys signed with the algorithm it is for.
    pub(crate) async fn verify(&self, token: &str) -> Value {
        let (input, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = (header_of(token), input.split_once('.').unwrap().1);
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let request = Request::new(Method::GET, "/.well-known/jwks.json", SERVER);
        let keys = self.world.send(request).await.expect(200).json();
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap().clone();
        assert_eq!((&key["alg"], &key["use"]), (&header["alg"], &json!("sig")));
        let member = |name: &str| decode(key[name].as_str().unwrap());
        let (message, signature) = (input.as_bytes(), decode(signature));
        let verified = if header["alg"] == "RS256" {
            let key = RsaPublicKeyComponents { n: member("n"), e: member("e") };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature)
        } else if header["alg"] == "EdDSA" {
            UnparsedPublicKey::new(&ED25519, member("x")).verify(message, &signature)
        } else {
            assert_eq!(header["alg"], "ES256");
            let point = [vec![4], member("x"), member("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &signature)
        };
        verified.unwrap();
        serde_json::from_slice(&decode(payload)).unwrap()
    }

    /// Asks who it is.
    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::new(Method::GET, "/oauth2/userinfo", SERVER);
        self.world.send(request.header(header::AUTHORIZATION, &format!("Bearer {token}"))).await
    }
}

/// What is registered, with these fields changed.
fn members(changes: &Value) -> Map<String, Value> {
    let fields = json!({
        "client_name": "Shop",
        "redirect_uris": [CALLBACK],
        "scope": "openid profile email",
        "consent": "skip",
        // The standard's default needs a key that only some tests have.
        "id_token_signed_response_alg": "ES256",
    });
    let mut members = fields.as_object().unwrap().clone();
    members.extend(changes.as_object().unwrap().clone());
    members
}

/// A form with some fields changed; an empty value leaves one out.
pub(crate) fn form<'a>(mut fields: Vec<(&'a str, &'a str)>, changes: &[(&'a str, &'a str)]) -> String {
    fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    fields.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A browser that may be led to the application.
pub(crate) fn browser(world: &World, address: &str) -> Browser {
    let mut browser = world.browser(address);
    browser.applications.push(CALLBACK.to_owned());
    browser
}

/// What a token says about its signature.
pub(crate) fn header_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}
