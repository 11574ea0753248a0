//! Tokens, introspections and code flows beside oidc-provider from npm with its in-memory adapter: each server on the
//! first core, the generator on the other, alternating.

mod browser;
mod flows;
mod side;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use doorward_app::hashing::{HashParameters, Hasher, HasherOptions};
use doorward_model::password::Password;
use doorward_server::telemetry::sources::SystemRandom;
use serde_json::{Value, json};

use self::browser::Browser;
use self::flows::CALLBACK;
use self::side::{CONNECTIONS, Credentials, Figure, RESOURCE, Registered, Side, Work};
use crate::client::{Answer, Script, get, poll_for_answers, post};
use crate::deployment::{Account, Deployment, target};
use crate::process::{Cores, Server, free_address, leave_first_core};
use crate::statistics::median;
use crate::{Options, Outcome};

const PASSWORD: &str = "a right horse eats no battery";
/// So many that no grant meets its limit of 60 renewals at once.
const GRANTS_PER_CONNECTION: usize = 64;
const WARM_UP: Duration = Duration::from_secs(2);

/// What is compared, and how many times theirs ours is to be.
const COMPARED: [(Work, &str, f64); 4] = [
    (Work::ClientCredentials, "client_credentials", 10.0),
    (Work::Renewals, "refresh_token", 8.0),
    (Work::Introspections, "introspection", 15.0),
    (Work::CodeFlows, "code flow", 5.0),
];

/// Compares.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    leave_first_core()?;
    poll_for_answers();
    if let Some(only) = &options.only {
        return ours_only(only, options).await;
    }
    let log = tempfile::Builder::new().prefix("bench-").tempfile_in(target())?;
    let mut theirs = start_theirs(log.reopen()?).await?;
    let deployment = Deployment::new(None)?;
    let mut ours = start_ours(&deployment).await?;
    // Compiled, cached, and past the first renewal of each grant, which also records its network.
    for (work, _, _) in COMPARED {
        theirs.measure(work, WARM_UP).await?;
        ours.measure(work, WARM_UP).await?;
    }
    println!("Per second, and processor time of the server for each in µs.\n");
    println!("| what | run | theirs/s | CPU | ours/s | CPU | ratio |\n|---|---|---|---|---|---|---|");
    let mut runs: Vec<[(Figure, Figure); 4]> = Vec::new();
    for run in 1..=options.runs {
        let mut figures = [(Figure { per_second: 0.0, cpu_us: 0.0 }, Figure { per_second: 0.0, cpu_us: 0.0 }); 4];
        for ((work, name, _), pair) in COMPARED.into_iter().zip(&mut figures) {
            *pair = (theirs.measure(work, options.span).await?, ours.measure(work, options.span).await?);
            println!("| {name} | {run} {}", cells(*pair, pair.1.per_second / pair.0.per_second));
        }
        runs.push(figures);
    }
    for (place, (_, name, goal)) in COMPARED.into_iter().enumerate() {
        let middle =
            |of: fn(&(Figure, Figure)) -> f64| median(&runs.iter().map(|run| of(&run[place])).collect::<Vec<_>>());
        let pair = (
            Figure { per_second: middle(|pair| pair.0.per_second), cpu_us: middle(|pair| pair.0.cpu_us) },
            Figure { per_second: middle(|pair| pair.1.per_second), cpu_us: middle(|pair| pair.1.cpu_us) },
        );
        let ratio = middle(|pair| pair.1.per_second / pair.0.per_second);
        println!("| **{name}** | median {} goal ≥ {goal}", cells(pair, ratio));
    }
    alone(&ours, options).await?;
    theirs.server.stop()?;
    ours.server.stop()
}

fn cells((theirs, ours): (Figure, Figure), ratio: f64) -> String {
    let Figure { per_second, cpu_us } = theirs;
    format!("| {per_second:.0} | {cpu_us:.0} | {:.0} | {:.0} | {ratio:.1} |", ours.per_second, ours.cpu_us)
}

/// Asks one thing again and again that must be in every answer.
#[derive(Clone)]
struct Expecting {
    request: Vec<u8>,
    expected: &'static str,
}

impl Script for Expecting {
    fn request(&mut self) -> Option<Vec<u8>> {
        Some(self.request.clone())
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        let body = answer.expect(200)?.body;
        let is_there = std::str::from_utf8(&body)?.contains(self.expected);
        if is_there { Ok(()) } else { Err(format!("no {} in an answer", self.expected).into()) }
    }
}

/// One thing, of ours alone: for a profile.
async fn ours_only(name: &str, options: &Options) -> Outcome<()> {
    let deployment = Deployment::new(None)?;
    let mut ours = start_ours(&deployment).await?;
    let work = COMPARED.into_iter().find(|(_, known, _)| *known == name).map(|(work, ..)| work);
    if let Some(work) = work {
        ours.measure(work, WARM_UP).await?;
        let mut figures = Vec::new();
        for _ in 0..options.runs {
            figures.push(ours.measure(work, options.span).await?);
        }
        tell_alone(name, &figures);
    } else {
        alone(&ours, options).await?;
    }
    ours.server.stop()
}

fn tell_alone(name: &str, figures: &[Figure]) {
    let middle = |of: fn(&Figure) -> f64| median(&figures.iter().map(of).collect::<Vec<_>>());
    let (per_second, cpu_us) = (middle(|figure| figure.per_second), middle(|figure| figure.cpu_us));
    println!("\n{name}, ours alone: {per_second:.0}/s, {cpu_us:.1} µs of processor time");
}

/// Ours alone, for orientation: who a person is, and the keys.
async fn alone(ours: &Side, options: &Options) -> Outcome<()> {
    let userinfo = ours.path("userinfo_endpoint")?;
    let of = |token: &str| Expecting {
        request: get(userinfo, &format!("authorization: Bearer {token}\r\n")),
        expected: r#"@example.com""#,
    };
    let grants = ours.grants(RESOURCE, 1).await?;
    let people: Vec<Expecting> = grants.concat().iter().map(|tokens| of(&tokens.access)).collect();
    let keys = Expecting { request: get(ours.path("jwks_uri")?, ""), expected: r#""P-256""# };
    for (name, scripts) in [("userinfo", people), ("JWKS", vec![keys; CONNECTIONS])] {
        let mut figures = Vec::new();
        for _ in 0..options.runs {
            figures.push(ours.drive(scripts.clone(), options.span).await?.0);
        }
        tell_alone(name, &figures);
    }
    Ok(())
}

/// Registers clients by the command, and signs everybody in by the API.
async fn start_ours(deployment: &Deployment) -> Outcome<Side> {
    let hasher = Hasher::start(HasherOptions::for_machine(
        HashParameters::DEFAULT,
        std::thread::available_parallelism()?,
        1 << 30,
    ))?;
    let password = Password::new(PASSWORD).map_err(|_| "the password is refused")?;
    let phc = hasher.hash(password, doorward_model::random::bytes(&SystemRandom)).await?;
    let filling = deployment.open().await?;
    filling.add_accounts("member", CONNECTIONS, Account::Usual, &phc).await?;
    filling.close().await;
    let registered = register(deployment)?;
    let mut side = Side::new(deployment.serve(Cores::First)?, registered).await?;
    for number in 0..CONNECTIONS {
        let mut browser = Browser::open(side.server.address).await?;
        let who = json!({ "email": format!("member{number}@example.com"), "password": PASSWORD });
        browser.exchange(&post("/api/v1/login", &who, "")).await?.expect(200)?;
        side.enter(browser).await?;
    }
    Ok(side)
}

fn register(deployment: &Deployment) -> Outcome<Registered> {
    let metadata = deployment.path("shop.json");
    std::fs::write(&metadata, json!({ "id_token_signed_response_alg": "ES256" }).to_string())?;
    let metadata = metadata.display().to_string();
    let create = |name: &str, more: &[&str]| -> Outcome<Credentials> {
        let arguments = [&["client", "create", "--json", "--name", name], more].concat();
        let client: Value = serde_json::from_str(&deployment.run(&arguments)?)?;
        let field = |name: &str| client[name].as_str().map(str::to_owned).ok_or("a client without id or secret");
        Ok(Credentials { id: field("client_id")?, secret: field("client_secret")? })
    };
    let scopes = ["--scope", "openid", "--scope", "email", "--scope", "orders"];
    let grants = ["--grant", "authorization_code", "--grant", "refresh_token"];
    let shop = ["--first-party", "--redirect-uri", CALLBACK, "--resource", RESOURCE, "--metadata", &metadata];
    let machine = ["--grant", "client_credentials", "--scope", "orders", "--resource", RESOURCE];
    Ok(Registered {
        machine: create("Nightly", &machine)?,
        shop: create("Shop", &[&shop[..], &scopes, &grants].concat())?,
        service: create("Orders", &["--serves", RESOURCE])?,
        asked_resource: RESOURCE,
        grants_per_connection: GRANTS_PER_CONNECTION,
        keeps_grants: true,
    })
}

/// Registers the same clients, and lets everybody go through its pages once.
async fn start_theirs(log: std::fs::File) -> Outcome<Side> {
    let secret = |id: &str| Credentials { id: id.to_owned(), secret: format!("{id} {id} {id} {id} {id} {id}") };
    let registered = Registered {
        machine: secret("nightly"),
        shop: secret("shop"),
        service: secret("orders"),
        // It gives out JWTs without keeping them, and answers questions about other tokens only.
        asked_resource: "https://asking.example.com",
        // Its adapter holds a thousand things and forgets the oldest.
        grants_per_connection: 1,
        keeps_grants: false,
    };
    let client = |of: &Credentials, grants: &[&str], redirect_uris: &[&str]| {
        let response_types: &[&str] = if redirect_uris.is_empty() { &[] } else { &["code"] };
        json!({
            "client_id": of.id, "client_secret": of.secret, "grant_types": grants, "redirect_uris": redirect_uris,
            "response_types": response_types, "id_token_signed_response_alg": "ES256",
        })
    };
    let clients = json!([
        client(&registered.machine, &["client_credentials"], &[]),
        client(&registered.shop, &["authorization_code", "refresh_token"], &[CALLBACK]),
        client(&registered.service, &[], &[]),
    ]);
    let address = free_address()?;
    let arguments = ["NODE_ENV=production".to_owned(), node()?.display().to_string()];
    let script = [folder().join("peer.mjs").display().to_string(), address.port().to_string(), clients.to_string()];
    let arguments = [arguments.as_slice(), &script].concat();
    let ready = "/.well-known/openid-configuration";
    let server = Server::start(Path::new("env"), &arguments, address, Cores::First, ready, Stdio::from(log))?;
    let mut side = Side::new(server, registered).await?;
    for _ in 0..CONNECTIONS {
        let browser = Browser::open(side.server.address).await?;
        side.enter(browser).await?;
    }
    Ok(side)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/oidc-provider")
}

/// The Node.js that its packages bring, where there is one for this machine: it asks for a newer one than many systems
/// have.
fn node() -> Outcome<PathBuf> {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let own = folder().join(format!("node_modules/node-linux-{machine}/bin/node"));
    let found = if own.is_file() { own } else { PathBuf::from("node") };
    let version = std::process::Command::new(&found).arg("--version").output()?;
    println!("oidc-provider runs on Node.js {}", String::from_utf8(version.stdout)?.trim());
    Ok(found)
}
