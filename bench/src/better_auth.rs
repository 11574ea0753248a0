//! Session checks and sign-ins beside better-auth from npm with SQLite, as durable and with counted limits: each server
//! on the first core, the generator on the other, alternating.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use doorward_app::hashing::{HashParameters, Hasher, HasherOptions};
use doorward_model::password::Password;
use doorward_server::telemetry::sources::SystemRandom;

use crate::client::{Answer, Script, drive, get, poll_for_answers, post};
use crate::deployment::{Account, Deployment, target};
use crate::me::by_cookie;
use crate::process::{Cores, Server, Thread, command, free_address, leave_first_core};
use crate::renewal::part_rate;
use crate::statistics::median;
use crate::{Options, Outcome};

const CONNECTIONS: usize = 64;
const SIGN_IN_CONNECTIONS: usize = 4;
/// Nobody signs in twice, because a second sign-in from a new device sends a mail.
const PEOPLE: usize = 4000;
const PASSWORD: &str = "a right horse eats no battery";
/// Password checks whose cost is measured alone.
const HASHES: &str = "20";

/// Asks again and again who holds a session.
#[derive(Clone)]
struct SessionCheck {
    request: Vec<u8>,
    /// What stands in the answer for a living session; one of the two answers 200 for a dead one too.
    expected: &'static str,
}

impl Script for SessionCheck {
    fn request(&mut self) -> Option<Vec<u8>> {
        Some(self.request.clone())
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        let body = answer.expect(200)?.body;
        let found = body.windows(self.expected.len()).any(|window| window == self.expected.as_bytes());
        if found { Ok(()) } else { Err("a session was not found".into()) }
    }
}

/// Signs one person after the other in, each from another network.
struct SignIns {
    path: &'static str,
    prefix: &'static str,
    people: std::vec::IntoIter<usize>,
}

impl Script for SignIns {
    fn request(&mut self) -> Option<Vec<u8>> {
        let number = self.people.next()?;
        let mut body =
            serde_json::json!({ "email": format!("{}{number}@example.com", self.prefix), "password": PASSWORD });
        if self.prefix == OURS {
            body["mode"] = "token".into();
        }
        let network = format!("x-forwarded-for: 10.{}.{}.1\r\n", number >> 8, number & 255);
        Some(post(self.path, &body, &network))
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        answer.expect(200).map(drop)
    }
}

/// How the addresses of those who sign in begin.
const OURS: &str = "member";
const THEIRS: &str = "person";

fn sign_ins(path: &'static str, prefix: &'static str) -> Vec<SignIns> {
    let deal = |place| (0..PEOPLE).skip(place).step_by(SIGN_IN_CONNECTIONS).collect::<Vec<_>>();
    (0..SIGN_IN_CONNECTIONS).map(|place| SignIns { path, prefix, people: deal(place).into_iter() }).collect()
}

/// One side of the comparison.
struct Side {
    server: Server,
    checks: Vec<SessionCheck>,
    sign_ins: Vec<SignIns>,
    /// Which threads do more than hash.
    is_beside_the_hash: fn(&Thread) -> bool,
    /// Processor time of one password check, alone, in microseconds.
    hash_cost: fn(Duration) -> Outcome<f64>,
}

/// What one side did in one run; times are of the processor, per sign-in, in microseconds.
struct Figures {
    checks: f64,
    whole_us: f64,
    hash_us: f64,
    beside_us: f64,
}

/// Compares.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    leave_first_core()?;
    poll_for_answers();
    let data = tempfile::Builder::new().prefix("bench-").tempdir_in(target())?;
    let mut theirs = start_theirs(&data.path().join("better-auth.db"))?;
    let deployment = Deployment::new(None)?;
    let mut ours = start_ours(&deployment).await?;
    // Compiled, cached, and past their first pages.
    theirs.measure(Duration::from_secs(2)).await?;
    ours.measure(Duration::from_secs(2)).await?;
    println!("CPU is per sign-in in µs: all of it, that of the bare hash, and that of the threads that do not hash.\n");
    println!(
        "| run | theirs: checks/s | CPU | hash | beside | ours: checks/s | CPU | hash | beside | checks | beside |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut rows: Vec<[f64; 10]> = Vec::new();
    for run in 1..=options.runs {
        let (t, o) = (theirs.measure(options.span).await?, ours.measure(options.span).await?);
        let (checks, beside) = (o.checks / t.checks, o.beside_us / t.beside_us);
        let row = [
            t.checks,
            t.whole_us,
            t.hash_us,
            t.beside_us,
            o.checks,
            o.whole_us,
            o.hash_us,
            o.beside_us,
            checks,
            beside,
        ];
        println!("| {run} {}", cells(&row));
        rows.push(row);
    }
    let middle = std::array::from_fn(|column| median(&rows.iter().map(|row| row[column]).collect::<Vec<_>>()));
    println!("| median {}", cells(&middle));
    println!("\nsession checks **{:.1}** times theirs (goal ≥ 40)", middle[8]);
    println!("CPU of a sign-in beside the hash, by threads: **{:.3}** of theirs (goal ≤ 0.1)", middle[9]);
    println!(
        "the same by subtraction of the bare hash: theirs {:.0} µs, ours {:.0} µs",
        middle[1] - middle[2],
        middle[5] - middle[6]
    );
    theirs.server.stop()?;
    ours.server.stop()
}

fn cells(row: &[f64; 10]) -> String {
    let [before @ .., checks, beside] = row;
    let before: Vec<String> = before.iter().map(|figure| format!("{figure:.0}")).collect();
    format!("| {} | {checks:.1} | {beside:.3} |", before.join(" | "))
}

impl Side {
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    async fn measure(&mut self, span: Duration) -> Outcome<Figures> {
        let checks = drive(self.server.address, self.checks.clone(), span).await?.0.per_second;
        let first_cost = (self.hash_cost)(span)?;
        let before = self.server.threads()?;
        let (load, back) = drive(self.server.address, std::mem::take(&mut self.sign_ins), span).await?;
        self.sign_ins = back;
        let after = self.server.threads()?;
        let done = load.latencies_ms.len() as f64;
        let spent = |counts: fn(&Thread) -> bool| {
            let sum = |threads: &[Thread]| {
                threads.iter().filter(|thread| counts(thread)).map(|thread| thread.cpu_us).sum::<f64>()
            };
            (sum(&after) - sum(&before)) / done
        };
        // Before and after, because the speed of the machine moves.
        let hash_us = f64::midpoint(first_cost, (self.hash_cost)(span)?);
        Ok(Figures { checks, whole_us: spent(|_| true), hash_us, beside_us: spent(self.is_beside_the_hash) })
    }
}

async fn start_ours(deployment: &Deployment) -> Outcome<Side> {
    let hasher = Hasher::start(HasherOptions::for_machine(
        HashParameters::DEFAULT,
        std::thread::available_parallelism()?,
        1 << 30,
    ))?;
    let password = Password::new(PASSWORD).map_err(|_| "the password is refused")?;
    let phc = hasher.hash(password, doorward_model::random::bytes(&SystemRandom)).await?;
    let filling = deployment.open().await?;
    filling.add_accounts(OURS, PEOPLE, Account::Usual, &phc).await?;
    let people = filling.add_signed_in(CONNECTIONS).await?;
    filling.close().await;
    let check = |cookie: &str| SessionCheck { request: by_cookie(cookie), expected: "@example.com" };
    Ok(Side {
        server: deployment.serve(Cores::First)?,
        checks: people.iter().map(|person| check(&person.cookie)).collect(),
        sign_ins: sign_ins("/api/v1/login", OURS),
        is_beside_the_hash: |thread| !thread.name.starts_with("hash-"),
        hash_cost: |span| part_rate("hash-cost", None, span),
    })
}

fn start_theirs(file: &Path) -> Outcome<Side> {
    let (people, sessions) = (PEOPLE.to_string(), CONNECTIONS.to_string());
    let seeded = peer(&["seed", &file.display().to_string(), &people, &sessions])?;
    let address = free_address()?;
    let mut arguments = vec!["NODE_ENV=production".to_owned(), "node".to_owned(), script().display().to_string()];
    arguments.extend(["serve".to_owned(), file.display().to_string(), address.port().to_string()]);
    let log = std::fs::File::create(file.with_extension("log"))?;
    let server = Server::start(Path::new("env"), &arguments, address, Cores::First, "/api/auth/ok", Stdio::from(log))?;
    let check = |cookie: &str| SessionCheck {
        request: get("/api/auth/get-session", &format!("cookie: {cookie}\r\nx-forwarded-for: 10.200.0.1\r\n")),
        expected: "@example.com",
    };
    Ok(Side {
        server,
        checks: seeded.lines().map(check).collect(),
        sign_ins: sign_ins("/api/auth/sign-in/email", THEIRS),
        // Its hashes run on the threads of libuv. Those that collect garbage and compile cannot be told from them
        // and are left out too, in its favour.
        is_beside_the_hash: |thread| thread.is_first,
        hash_cost: |_| Ok(peer(&["hash", HASHES])?.trim().parse()?),
    })
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/better-auth/peer.mjs")
}

/// Runs a command of the peer's script to its end, on the first core.
fn peer(arguments: &[&str]) -> Outcome<String> {
    let mut node: Command = command(Path::new("node"), Cores::First);
    let output = node.arg(script()).args(arguments).env("NODE_ENV", "production").output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("better-auth: {}", String::from_utf8_lossy(&output.stderr)).into())
}
