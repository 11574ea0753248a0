//! The whole application in process, for targets that send requests: no bytes to any route may be answered with a
//! server error.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use doorward_app::hashing::{HashParameters, HasherOptions};
use doorward_app::keys::KeySettings;
use doorward_app::keys::sealing::{MasterKeyText, MasterKeys};
use doorward_app::outbound::Outbound;
use doorward_app::settings::Settings;
use doorward_model::id::{SessionId, UserId};
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::throttle::ThrottlePolicy;
use doorward_model::time::{Clock as _, DAY_MS};
use doorward_server::assembly::{Inputs, assemble};
use doorward_store::sessions::{self, Session};
use doorward_store::users::{self, User};
use doorward_store::{SqliteOptions, Store, StoreError};
use doorward_testkit::clock::ManualClock;
use doorward_testkit::seeded::SeededRandom;
use doorward_web::csrf::session_token;
use doorward_web::edge::PeerAddress;
use doorward_web::route::{CsrfRule, Door, RouteInfo};
use doorward_web::settings::{EdgeSettings, PublicUrl};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

/// Where the server says it is reached.
pub const PUBLIC_URL: &str = "https://auth.example.test";
const HOST: &str = "auth.example.test";
/// No machine is so busy that an answer may say so.
const PATIENCE: Duration = Duration::from_mins(10);
/// The clock moves with every request, so that nothing is throttled for ever.
const STEP_MS: i64 = 200;

/// What came back.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// The application with one person who is signed in.
pub struct Server {
    runtime: tokio::runtime::Runtime,
    router: Router,
    store: Store,
    clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
    user: UserId,
    cookie: PlainToken,
    /// The `pre` cookie with the token of its forms.
    before: (String, String),
    _folder: tempfile::TempDir,
}

/// Runs `work` with the one server of this process.
pub fn with_server<T>(work: impl FnOnce(&mut Server) -> T) -> T {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();
    work(&mut SERVER.get_or_init(|| Mutex::new(Server::start())).lock().expect("no target goes on after a panic"))
}

/// Every route of the table, in its order.
pub fn routes() -> &'static [RouteInfo] {
    static ROUTES: OnceLock<Vec<RouteInfo>> = OnceLock::new();
    ROUTES.get_or_init(|| doorward_web::routes().iter().map(|route| route.info()).collect())
}

/// The routes that take bodies through this door.
pub fn routes_with_body(door: Door) -> Vec<RouteInfo> {
    let takes =
        |route: &&RouteInfo| route.door == door && (route.method == Method::POST || route.method == Method::PATCH);
    routes().iter().filter(takes).cloned().collect()
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let options = SqliteOptions {
            acquire_timeout: PATIENCE,
            read_budget: PATIENCE,
            write_budget: PATIENCE,
            ..SqliteOptions::default()
        };
        let store = Store::open_sqlite(&folder.path().join("doorward.db"), &options).expect("a database");
        let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
        let router = runtime.block_on(assemble_router(&store, &clock, &random));
        let user = UserId::new(clock.now(), random.as_ref());
        let cookie = PlainToken::new(TokenKind::Session, random.as_ref());
        let before = (String::new(), String::new());
        let mut server = Self { runtime, router, store, clock, random, user, cookie, before, _folder: folder };
        server.insert_user();
        server.sign_in();
        server.before = server.open_form();
        server.check_the_way_in();
        server
    }

    /// What is refused at the door reaches no reader, and a target behind it would find nothing for ever.
    fn check_the_way_in(&mut self) {
        let find = |method: Method, path: &str| {
            routes().iter().find(|route| route.method == method && route.path == path).expect("a route of the table")
        };
        for (path, media, body, expected) in [
            ("/api/v1/me", "application/json", "{\"name\":\"Another name\"}", StatusCode::OK),
            ("/account", "application/x-www-form-urlencoded", "name=A+name", StatusCode::SEE_OTHER),
            ("/forgot", "application/x-www-form-urlencoded", "email=nobody", StatusCode::UNPROCESSABLE_ENTITY),
        ] {
            let route = find(if path.starts_with("/api") { Method::PATCH } else { Method::POST }, path);
            let token = self.form_token(route);
            let body = if route.door == Door::Page { format!("csrf_token={token}&{body}") } else { body.to_owned() };
            let request = self.own_request(route).uri(path).header(header::CONTENT_TYPE, media);
            let answer = self.send(request.body(Body::from(body)).expect("a request"));
            assert_eq!(answer.status, expected, "{path}: {}", String::from_utf8_lossy(&answer.body));
        }
    }

    /// A request with everything that a page of ours would add, for a route of the table.
    pub fn own_request(&self, route: &RouteInfo) -> http::request::Builder {
        let cookies = format!("__Host-doorward={}; {}", self.cookie.reveal().as_str(), self.before.0);
        let mut request = Request::builder()
            .method(route.method.clone())
            .header(header::HOST, HOST)
            .header(header::ORIGIN, PUBLIC_URL)
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, cookies);
        if route.csrf == CsrfRule::SessionHeader {
            request = request.header("x-csrf-token", session_token(&self.cookie).reveal().as_str());
        }
        request
    }

    /// The hidden field without which a form of this route is refused.
    pub fn form_token(&self, route: &RouteInfo) -> String {
        let own = session_token(&self.cookie).reveal().to_string();
        if route.csrf == CsrfRule::PublicForm { self.before.1.clone() } else { own }
    }

    /// Sends a request as from a trusted proxy, and checks what holds for every answer.
    pub fn send(&mut self, mut request: Request<Body>) -> Answer {
        self.clock.advance(STEP_MS);
        if !request.headers().contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, HeaderValue::from_static(HOST));
        }
        request.extensions_mut().insert(PeerAddress(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let router = self.router.clone();
        let answer = self.runtime.block_on(async move {
            let (parts, body) = router.oneshot(request).await.expect("a router answers").into_parts();
            let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
            Answer { status: parts.status, headers: parts.headers, body }
        });
        assert!(!answer.status.is_server_error(), "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        let media = answer.headers.get(header::CONTENT_TYPE).map_or(b"".as_slice(), HeaderValue::as_bytes);
        if media.ends_with(b"json") {
            assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok(), "a body that is no JSON");
        }
        answer
    }

    /// Begins a session again if the last one was ended by what was sent.
    pub fn stay_signed_in(&mut self) {
        let hash = self.cookie.hash();
        let found: Result<_, StoreError> =
            self.runtime.block_on(self.store.read(move |tx| sessions::find_by_credential(tx, &hash)));
        let now = self.clock.now();
        let lives = |session: &Session| session.revoked_at.is_none() && session.expires_at > now;
        if !found.expect("the database answers").as_ref().is_some_and(lives) {
            self.sign_in();
        }
    }

    fn sign_in(&mut self) {
        let now = self.clock.now();
        self.cookie = PlainToken::new(TokenKind::Session, self.random.as_ref());
        let id = SessionId::new(now, self.random.as_ref());
        let row = Session {
            credential_hash: Some(self.cookie.hash()),
            remember: true,
            ..Session::by_password(id, self.user, now, 14 * DAY_MS, now.plus_ms(30 * DAY_MS))
        };
        let inserted: Result<(), StoreError> =
            self.runtime.block_on(self.store.write(move |tx| sessions::insert(tx, &row)));
        inserted.expect("a session is inserted");
    }

    fn insert_user(&mut self) {
        let (email, now) = ("person@example.com".to_owned(), self.clock.now());
        let row = User { email_verified_at: Some(now), ..User::new(self.user, email.clone(), email, now) };
        let inserted: Result<bool, StoreError> =
            self.runtime.block_on(self.store.write(move |tx| users::insert(tx, &row)));
        assert!(inserted.expect("a user is inserted"));
    }

    /// Opens the page for signing in as a stranger: its cookie and the token in its form.
    fn open_form(&mut self) -> (String, String) {
        let answer = self.send(Request::get("/login").body(Body::empty()).expect("a request"));
        let cookies = answer.headers.get_all(header::SET_COOKIE);
        let cookie = cookies.iter().find_map(|value| value.to_str().ok().filter(|text| text.contains("-pre=")));
        let page = String::from_utf8(answer.body).expect("a page of text");
        let token = page.split("name=\"csrf_token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let cookie = cookie.and_then(|text| text.split(';').next()).expect("a cookie");
        (cookie.to_owned(), token.expect("a form with a token").to_owned())
    }
}

async fn assemble_router(store: &Store, clock: &Arc<ManualClock>, random: &Arc<SeededRandom>) -> Router {
    store.migrate().await.expect("a schema");
    let mut edge = EdgeSettings::new(PublicUrl::parse(PUBLIC_URL).expect("an origin"));
    edge.limit_scale = 1e9;
    edge.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    edge.token_origins = vec!["https://app.example.test".to_owned()];
    edge.page_presenter = doorward_web::pages::error_page;
    let text = MasterKeyText::generate(random.as_ref());
    let hash = HashParameters::new(64, 1, 1).expect("a cheap hash");
    let hasher = HasherOptions { deadline: PATIENCE, ..HasherOptions::for_machine(hash, NonZeroUsize::MIN, 64 << 20) };
    let inputs = Inputs {
        store: store.clone(),
        master_keys: Arc::new(MasterKeys::parse(text.reveal().as_bytes()).expect("a master key")),
        settings: Settings::new(PUBLIC_URL),
        keys: KeySettings::new(PUBLIC_URL, PUBLIC_URL),
        hasher,
        throttle: ThrottlePolicy::default(),
        outbound: Outbound::default(),
        edge,
        clock: clock.clone(),
        random: random.clone(),
    };
    assemble(inputs).await.expect("an application").router
}
