//! A service that follows the feed.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_testkit::World;
use doorward_testkit::world::Request;
use http::{Method, header};
use serde_json::{Value, json};

use crate::provider::relying_party::{RelyingParty, SERVER, header_of};

pub(crate) const FEED: &str = "https://auth.example.test/oauth2/revocations";
pub(crate) const MEDIA_TYPE: &str = "application/doorward-revocations+jwt";
const PATH: &str = "/oauth2/revocations";

/// A service with a token for the feed.
#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) party: RelyingParty,
    pub(crate) client_id: String,
    pub(crate) token: String,
    pub(crate) node: World,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: String,
    pub(crate) hash: String,
    pub(crate) at: i64,
}

/// One page, verified.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) revoked: Vec<Entry>,
    pub(crate) cursor: String,
    pub(crate) more: bool,
    pub(crate) as_of: i64,
}

pub(crate) fn get(path: &str) -> Request {
    Request::new(Method::GET, path, SERVER)
}

pub(crate) fn request(query: &str, token: Option<&str>) -> Request {
    let request = get(&format!("{PATH}{query}"));
    match token {
        Some(token) => request.header(header::AUTHORIZATION, &format!("Bearer {token}")),
        None => request,
    }
}

pub(crate) fn by(method: &Method, token: &str) -> Request {
    Request::new(method.clone(), PATH, SERVER).header(header::AUTHORIZATION, &format!("Bearer {token}"))
}

impl Follower {
    pub(crate) async fn register(world: &World) -> Self {
        let fields = json!({
            "client_name": "Orders",
            "grant_types": ["client_credentials"],
            "redirect_uris": [],
            "scope": "doorward:revocations",
        });
        let party = RelyingParty::register(world, fields).await;
        let asked = "grant_type=client_credentials&scope=doorward:revocations".to_owned();
        let token = party.ask(asked).await.expect(200).string("access_token");
        Self { client_id: party.client_id.clone(), party, token, node: world.clone() }
    }

    /// The same one asking another node.
    pub(crate) fn at(&self, node: &World) -> Self {
        Self { node: node.clone(), ..self.clone() }
    }

    /// The page of a query.
    pub(crate) async fn page(&self, query: &str) -> Page {
        let answer = self.node.send(request(query, Some(&self.token))).await.expect(200);
        Page::of(&self.party.verify(answer.text()).await)
    }

    /// The page behind another.
    pub(crate) async fn after(&self, page: &Page) -> Page {
        self.page(&format!("?cursor={}", page.cursor)).await
    }
}

impl Page {
    fn of(claims: &Value) -> Self {
        let entry = |entry: &Value| {
            let text = |place: usize| entry[place].as_str().unwrap().to_owned();
            Entry { kind: text(0), hash: text(1), at: entry[2].as_i64().unwrap() }
        };
        Self {
            revoked: claims["revoked"].as_array().unwrap().iter().map(entry).collect(),
            cursor: claims["cursor"].as_str().unwrap().to_owned(),
            more: claims["more"].as_bool().unwrap(),
            as_of: claims["as_of"].as_i64().unwrap(),
        }
    }

    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.revoked.iter().map(|entry| entry.kind.as_str()).collect()
    }

    /// Whether it names what this token carries, by the rules of the protocol.
    pub(crate) async fn names(&self, party: &RelyingParty, token: &str) -> bool {
        let claims = party.verify(token).await;
        self.names_claims(&header_of(token), &claims)
    }

    /// The same for a token whose key may be gone.
    pub(crate) fn names_claims(&self, header: &Value, claims: &Value) -> bool {
        let issued_at = claims["iat"].as_i64().unwrap();
        self.revoked.iter().any(|entry| {
            let (carried, is_dated) = match entry.kind.as_str() {
                "session" => (&claims["sid"], false),
                "grant" => (&claims["grant_id"], false),
                "token" => (&claims["jti"], false),
                "key" => (&header["kid"], false),
                "client" => (&claims["client_id"], true),
                "subject" => (&claims["sub"], true),
                _ => (&Value::Null, false),
            };
            let is_named = carried
                .as_str()
                .is_some_and(|id| URL_SAFE_NO_PAD.encode(&digest(&SHA256, id.as_bytes()).as_ref()[..16]) == entry.hash);
            is_named && (!is_dated || issued_at <= entry.at.div_euclid(1_000))
        })
    }
}
