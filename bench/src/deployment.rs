//! A data folder with people and sessions in it, and the server over it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use doorward_app::keys::{KeySettings, Keys};
use doorward_model::id::{FamilyId, SessionId, UserId};
use doorward_model::random::Random;
use doorward_model::rotation::{Family, Rotation, Salt};
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::{Clock, DAY_MS, Timestamp};
use doorward_server::configuration::{Flags, load};
use doorward_server::runtime::Runtime;
use doorward_server::telemetry::sources::{SystemClock, SystemRandom};
use doorward_store::sessions::{self, Session};
use doorward_store::token_families::{self, Renewed, TokenFamily};
use doorward_store::users::{self, User};
use doorward_store::{Store, StoreError};

use crate::Outcome;
use crate::process::{Cores, Server, free_address};

/// As many rows as one transaction takes while a deployment is filled.
const CHUNK: usize = 500;
/// How many people are added between two words of progress; a multiple of [`CHUNK`].
const TELL_EVERY: usize = 50_000;

/// A folder, its settings, and where it will be served.
pub(crate) struct Deployment {
    folder: tempfile::TempDir,
    address: SocketAddr,
    database_url: Option<String>,
}

/// Somebody who is signed in twice, in a browser and in an application.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) cookie: String,
    pub(crate) refresh_token: String,
    /// The id of the family that the refresh token belongs to.
    pub(crate) family: String,
}

/// An account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    Usual,
    Disabled,
    WithoutPassword,
}

impl Deployment {
    /// An empty folder beside the build, so that it lies on a disk and not in memory.
    pub(crate) fn new(database_url: Option<String>) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(target())?;
        let (address, operations) = (free_address()?, free_address()?);
        // Limits that only measure one client's patience are out of the way; they are still counted.
        let settings = format!(
            "public_url = \"http://localhost:{}\"\ndata_dir = \"{}\"\nlisten = [\"{address}\"]\nops_listen = \"{operations}\"\n\
             trusted_proxies = [\"127.0.0.1/32\"]\nmaster_key_file = \"{}\"\n[limits]\nscale = 1000000.0\n\
             connections_per_address = 5000\n[log]\nformat = \"json\"\n",
            address.port(),
            folder.path().join("data").display(),
            folder.path().join("master.key").display(),
        );
        std::fs::write(folder.path().join("doorward.toml"), settings)?;
        doorward_server::master_key::create(&folder.path().join("master.key"), &SystemRandom)?;
        Ok(Self { folder, address, database_url })
    }

    /// Adds a section to its settings.
    pub(crate) fn add_settings(&self, section: &str) -> Outcome<()> {
        let file = self.folder.path().join("doorward.toml");
        let settings = std::fs::read_to_string(&file)?;
        Ok(std::fs::write(file, settings + section)?)
    }

    pub(crate) fn sqlite_file(&self) -> PathBuf {
        self.folder.path().join("data").join("doorward.db")
    }

    fn arguments(&self) -> Vec<String> {
        let config = self.folder.path().join("doorward.toml").display().to_string();
        let mut arguments = vec!["serve".to_owned(), "--config".to_owned(), config];
        if let Some(url) = &self.database_url {
            arguments.extend(["--database-url".to_owned(), url.clone()]);
        }
        arguments
    }

    /// What a command of the server's program prints, run over this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome<String> {
        let mut command = std::process::Command::new(binary());
        let output = command.args(arguments).arg("--config").arg(self.folder.path().join("doorward.toml")).output()?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?);
        }
        Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }

    /// Where a file may lie that belongs to it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Serves it, with log lines written to a file as a service manager would.
    pub(crate) fn serve(&self, cores: Cores) -> Outcome<Server> {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        Server::start(&binary(), &self.arguments(), self.address, cores, "/.well-known/jwks.json", Stdio::from(log))
    }

    /// Opens the data for filling; nothing may serve it meanwhile.
    pub(crate) async fn open(&self) -> Outcome<Filling> {
        let flags = Flags {
            config: Some(self.folder.path().join("doorward.toml")),
            database_url: self.database_url.clone().map(doorward_model::secret::SecretText::new),
            ..Flags::default()
        };
        let runtime = Runtime::open(load(&flags, std::iter::empty(), Path::new(""))?).await?;
        runtime.prepare_schema(true).await?;
        let issuer = format!("http://localhost:{}", self.address.port());
        let settings = KeySettings::new(&issuer, &issuer);
        let masters = std::sync::Arc::clone(&runtime.master_keys);
        let keys = Keys::open(runtime.store.clone(), masters, settings, SystemClock.now(), &SystemRandom).await?;
        Ok(Filling { runtime, keys })
    }
}

/// Data that is being put in.
pub(crate) struct Filling {
    runtime: Runtime,
    keys: Keys,
}

impl Filling {
    pub(crate) fn store(&self) -> &Store {
        &self.runtime.store
    }

    pub(crate) async fn close(self) {
        self.runtime.close().await;
    }

    /// Adds accounts of one kind, `{prefix}{number}@example.com`; `phc` is everybody's password.
    pub(crate) async fn add_accounts(&self, prefix: &str, count: usize, kind: Account, phc: &str) -> Outcome<()> {
        for from in (0..count).step_by(CHUNK) {
            let now = SystemClock.now();
            let people: Vec<User> =
                (from..count.min(from + CHUNK)).map(|n| user(&format!("{prefix}{n}"), now)).collect();
            let phc = phc.to_owned();
            self.runtime
                .store
                .write(move |tx| {
                    for person in &people {
                        users::insert(tx, person)?;
                        if kind != Account::WithoutPassword {
                            users::set_password(tx, person.id, &phc, "1:15", now)?;
                        }
                        if kind == Account::Disabled {
                            users::disable(tx, person.id, now)?;
                        }
                    }
                    Ok::<_, StoreError>(())
                })
                .await?;
        }
        Ok(())
    }

    /// Adds people who are signed in, and says with what.
    pub(crate) async fn add_signed_in(&self, count: usize) -> Outcome<Vec<SignedIn>> {
        self.add_many_signed_in(count, 1).await
    }

    /// Adds people who are signed in, and says with what one of every `keep` of them is. Tells how far it has come.
    pub(crate) async fn add_many_signed_in(&self, count: usize, keep: usize) -> Outcome<Vec<SignedIn>> {
        let mut all = Vec::with_capacity(count / keep + 1);
        for from in (0..count).step_by(CHUNK) {
            let chunk = CHUNK.min(count - from);
            let (credentials, rows): (Vec<_>, Vec<_>) = (0..chunk).map(|n| self.sign_in(from + n)).unzip();
            self.runtime
                .store
                .write(move |tx| {
                    for row in &rows {
                        users::insert(tx, &row.user)?;
                        sessions::insert(tx, &row.browser)?;
                        sessions::insert(tx, &row.application)?;
                        token_families::insert(tx, &row.family)?;
                    }
                    Ok::<_, StoreError>(())
                })
                .await?;
            all.extend(
                credentials.into_iter().zip(from..).filter(|(_, number)| number % keep == 0).map(|(kept, _)| kept),
            );
            if from % TELL_EVERY == 0 && from > 0 {
                eprintln!("{from} of {count} people");
            }
        }
        Ok(all)
    }

    fn sign_in(&self, number: usize) -> (SignedIn, Rows) {
        let now = SystemClock.now();
        let user = user(&format!("person{number}"), now);
        let cookie = PlainToken::new(TokenKind::Session, &SystemRandom);
        let mut browser = session(user.id, now);
        browser.credential_hash = Some(cookie.hash());
        let application = session(user.id, now);
        let state = Family::new(now, Rotation::Recover, application.expires_at);
        let (id, salt) = (FamilyId::new(now, &SystemRandom), Salt::new(&SystemRandom));
        let refresh_token = self.keys.refresh_mac().token(id, state.counters.issued, &salt).to_string();
        let family = TokenFamily::new(id, Renewed::Session(application.id), &salt, &state);
        let credentials =
            SignedIn { cookie: cookie.reveal().to_string(), refresh_token, family: family.id.to_string() };
        (credentials, Rows { user, browser, application, family })
    }
}

struct Rows {
    user: User,
    browser: Session,
    application: Session,
    family: TokenFamily,
}

fn user(name: &str, now: Timestamp) -> User {
    let email = format!("{name}@example.com");
    let id = UserId::new(now, &SystemRandom as &dyn Random);
    User { email_verified_at: Some(now), locale: Some("en".to_owned()), ..User::new(id, email.clone(), email, now) }
}

fn session(user: UserId, now: Timestamp) -> Session {
    let id = SessionId::new(now, &SystemRandom as &dyn Random);
    Session {
        device_label: "Firefox, Linux".to_owned(),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned()),
        address: Some("127.0.0.1".to_owned()),
        remember: true,
        ..Session::by_password(id, user, now, 14 * DAY_MS, now.plus_ms(30 * DAY_MS))
    }
}

/// The folder this program was built into.
pub(crate) fn target() -> PathBuf {
    std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf)).unwrap_or_default()
}

/// The server, built beside this program.
fn binary() -> PathBuf {
    target().join("doorward")
}
