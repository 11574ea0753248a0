//! The application with everything around it.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use doorward_app::App;
use doorward_app::hashing::{HashParameters, HasherOptions};
use doorward_app::keys::KeySettings;
use doorward_app::keys::sealing::{MasterKeyText, MasterKeys};
use doorward_app::outbound::Outbound;
use doorward_app::settings::Settings;
use doorward_model::random::Random;
use doorward_model::throttle::ThrottlePolicy;
use doorward_model::time::{Clock as _, Timestamp};
use doorward_oidc::jose::Algorithm;
use doorward_server::assembly::{Assembled, Inputs, assemble};
use doorward_store::Store;
use doorward_store::events::{self, Event};
use doorward_web::settings::{EdgeSettings, PublicUrl};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::answer::Answer;
use crate::api_client::ApiClient;
use crate::browser::Browser;
use crate::canaries::{self, Canaries};
use crate::check::check;
use crate::clock::ManualClock;
use crate::database::{Engine, Place};
use crate::mailbox::{Announcement, Letter, Mailbox};
use crate::operator::Operator;
pub use crate::request::Request;
use crate::seeded::SeededRandom;

/// Where the server says it is reached.
pub const PUBLIC_URL: &str = "https://auth.example.test";
pub(crate) const HOST: &str = "auth.example.test";
/// Hashing must not refuse a test that runs beside others.
const HASHING_PATIENCE: Duration = Duration::from_mins(1);
/// Events are read in pages of this many.
const EVENT_PAGE: i64 = 1000;

/// What a world is made with.
#[derive(Clone)]
pub struct Setup {
    /// The beginning of its randomness.
    pub seed: u64,
    /// What the use cases are told.
    pub settings: Settings,
    /// What a hash costs.
    pub hash: HashParameters,
    /// The numbers of the throttle.
    pub throttle: ThrottlePolicy,
    /// Other servers.
    pub outbound: Outbound,
    /// What there are keys to sign with. An RSA key costs half a second, so that only tests about it have one.
    pub algorithms: Vec<Algorithm>,
    /// What the edge is told.
    pub edge: EdgeSettings,
}

impl Default for Setup {
    fn default() -> Self {
        let mut edge = EdgeSettings::new(PublicUrl::parse(PUBLIC_URL).unwrap());
        edge.limit_scale = 100.0;
        edge.page_presenter = doorward_web::pages::error_page;
        Self {
            seed: seed(),
            settings: Settings::new(PUBLIC_URL),
            hash: HashParameters::new(64, 1, 1).unwrap(),
            throttle: ThrottlePolicy::default(),
            outbound: Outbound::default(),
            algorithms: vec![Algorithm::Es256],
            edge,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a failed test is run again with its seed")]
fn seed() -> u64 {
    std::env::var("DOORWARD_TEST_SEED").map_or(1, |text| text.parse().expect("DOORWARD_TEST_SEED is a number"))
}

/// The application with its database, clock and mailbox. Clones are the same world.
#[derive(Clone)]
pub struct World {
    parts: Arc<Parts>,
}

struct Parts {
    assembled: Assembled,
    ground: Arc<Ground>,
}

/// What outlives a restart of the application.
struct Ground {
    // Closed in `World::end`; the place goes after it.
    store: Store,
    place: Place,
    master_keys: Arc<MasterKeys>,
    clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
    mailbox: Mailbox,
    canaries: Canaries,
}

impl World {
    /// Starts the application on a new database.
    pub async fn start(engine: Engine, setup: Setup) -> Self {
        canaries::listen();
        let place = Place::create(engine).await;
        let store = place.open().await;
        let random = Arc::new(SeededRandom::new(setup.seed));
        let text = MasterKeyText::generate(random.as_ref());
        let canaries = Canaries::default();
        canaries.add(text.reveal().trim());
        let master_keys = Arc::new(MasterKeys::parse(text.reveal().as_bytes()).unwrap());
        let (clock, mailbox) = (Arc::default(), Mailbox::default());
        let ground = Arc::new(Ground { store, place, master_keys, clock, random, mailbox, canaries });
        Self::assemble(ground, setup).await
    }

    /// The application stopped and started again with other settings, on the same data.
    pub async fn restarted(&self, setup: Setup) -> Self {
        Self::assemble(Arc::clone(&self.parts.ground), setup).await
    }

    async fn assemble(ground: Arc<Ground>, setup: Setup) -> Self {
        let hasher = HasherOptions {
            deadline: HASHING_PATIENCE,
            ..HasherOptions::for_machine(setup.hash, NonZeroUsize::MIN.saturating_add(1), 64 << 20)
        };
        let inputs = Inputs {
            store: ground.store.clone(),
            master_keys: Arc::clone(&ground.master_keys),
            settings: setup.settings,
            keys: KeySettings { algorithms: setup.algorithms, ..KeySettings::new(PUBLIC_URL, PUBLIC_URL) },
            hasher,
            throttle: setup.throttle,
            outbound: setup.outbound,
            edge: setup.edge,
            clock: ground.clock.clone(),
            random: ground.random.clone(),
        };
        let assembled = assemble(inputs).await.unwrap();
        Self { parts: Arc::new(Parts { assembled, ground }) }
    }

    /// The use cases.
    pub fn app(&self) -> &App {
        &self.parts.assembled.site.app
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.parts.ground.store
    }

    /// What the public listener serves, for tests that need a real socket.
    pub fn router(&self) -> axum::Router {
        self.parts.assembled.router.clone()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.parts.ground.place
    }

    /// What the deployment's keys are sealed with.
    pub fn master_keys(&self) -> Arc<MasterKeys> {
        Arc::clone(&self.parts.ground.master_keys)
    }

    /// The secrets that must not turn up anywhere.
    pub fn canaries(&self) -> &Canaries {
        &self.parts.ground.canaries
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.parts.ground.clock.now()
    }

    /// Moves the clock by `ms` milliseconds.
    pub fn advance(&self, ms: i64) {
        self.parts.ground.clock.advance(ms);
    }

    /// The world's randomness.
    pub fn random(&self) -> Arc<dyn Random> {
        self.parts.ground.random.clone()
    }

    /// An application at `address`.
    pub fn api(&self, address: &str) -> ApiClient {
        ApiClient::new(self, address)
    }

    /// A browser at `address`.
    pub fn browser(&self, address: &str) -> Browser {
        Browser::new(self, address)
    }

    /// Somebody at the command line.
    pub fn operator(&self) -> Operator<'_> {
        Operator(self)
    }

    /// Delivers what is due and returns every letter so far, oldest first.
    pub async fn letters(&self) -> Vec<Letter> {
        let ground = &self.parts.ground;
        let op = self.operator().op();
        while self.app().deliver_due(&op, "tests", &ground.mailbox).await.unwrap() > 0 {}
        let letters = ground.mailbox.letters();
        for letter in &letters {
            if letter.has_code() {
                ground.canaries.add(&letter.code());
            }
            if letter.text.contains("token=") {
                ground.canaries.add(&letter.token());
            }
        }
        letters
    }

    /// Looks for sessions that have run out, as a job does every minute.
    pub async fn look_for_ended_sessions(&self) {
        let op = self.operator().op();
        while self.app().announce_ended_sessions(&op).await.unwrap() > 0 {}
    }

    /// Tells applications which sessions were ended, and returns everything they were told so far, oldest first.
    pub async fn announcements(&self) -> Vec<Announcement> {
        let (ground, op) = (&self.parts.ground, self.operator().op());
        while self.app().announce_revoked_sessions(&op).await.unwrap() > 0 {}
        while self.app().deliver_due(&op, "tests", &ground.mailbox).await.unwrap() > 0 {}
        ground.mailbox.announcements()
    }

    /// The next `times` messages to applications find nobody who listens.
    pub fn applications_are_deaf(&self, times: usize) {
        self.parts.ground.mailbox.be_deaf(times);
    }

    /// Every letter to `email` so far, oldest first.
    pub async fn letters_to(&self, email: &str) -> Vec<Letter> {
        self.letters().await.into_iter().filter(|letter| letter.to == email).collect()
    }

    /// The latest letter to `email`.
    pub async fn last_letter_to(&self, email: &str) -> Letter {
        self.letters_to(email).await.pop().unwrap_or_else(|| panic!("no letter to {email}"))
    }

    /// Every event so far, oldest first; none holds a secret.
    pub async fn events(&self) -> Vec<Event> {
        let mut all: Vec<Event> = Vec::new();
        loop {
            let after = all.last().map(|event| event.id.to_string()).unwrap_or_default();
            let page: Result<_, doorward_store::StoreError> =
                self.store().read(move |tx| events::list(tx, &after, EVENT_PAGE)).await;
            let page = page.unwrap();
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        for event in &all {
            self.canaries().check("event", &format!("{event:?}"));
        }
        all
    }

    /// The actions of every event so far, oldest first, without those of the start.
    pub async fn actions(&self) -> Vec<String> {
        let actions = self.events().await.into_iter().map(|event| event.action);
        actions.filter(|action| action != "keys.rotated").collect()
    }

    /// Sends a request and checks the answer as every answer is checked. The clock moves by a millisecond, so that
    /// events read in the order of what was asked.
    pub async fn send(&self, request: Request) -> Answer {
        self.advance(1);
        let (method, path) = (request.method.clone(), request.path.clone());
        let response = self.parts.assembled.router.clone().oneshot(request.build()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        for (name, value) in answer.cookies() {
            if name != "__Host-doorward-ui" {
                self.canaries().add(&value);
            }
        }
        if let Ok(body) = serde_json::from_slice::<serde_json::Value>(&answer.body)
            && answer.status.is_success()
        {
            self.canaries().add_json(&body);
        }
        check(&method, &path, &answer);
        self.canaries().check_new_lines();
        answer
    }

    /// Stops the application after a last look at everything it wrote.
    pub async fn end(self) {
        self.events().await;
        self.canaries().check_all_lines();
        self.store().close().await;
    }
}

/// Runs a test on both databases.
pub fn both(test: impl AsyncFn(&World)) {
    both_with(&Setup::default(), test);
}

/// Runs a test on both databases, with a setup of its own.
#[expect(clippy::needless_pass_by_value, reason = "closures are passed by value")]
pub fn both_with(setup: &Setup, test: impl AsyncFn(&World)) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        run(engine, setup, &test);
    }
}

/// Runs a test on one database: for what only that one can meet.
#[expect(clippy::needless_pass_by_value, reason = "closures are passed by value")]
pub fn only_on(engine: Engine, test: impl AsyncFn(&World)) {
    run(engine, &Setup::default(), &test);
}

fn run(engine: Engine, setup: &Setup, test: &impl AsyncFn(&World)) {
    let on_failure = Told { engine, seed: setup.seed };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::start(engine, setup.clone()).await;
        test(&world).await;
        world.end().await;
    });
    drop(on_failure);
}

/// Says how to run a failed test again.
struct Told {
    engine: Engine,
    seed: u64,
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Standard error closed: nobody is left to tell.
            let _ = writeln!(std::io::stderr(), "failed on {:?} with DOORWARD_TEST_SEED={}", self.engine, self.seed);
        }
    }
}
