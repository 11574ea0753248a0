//! Sign-ins against the bare hash, both on all cores, and what a cheap request waits meanwhile.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use doorward_app::hashing::{HashParameters, Hasher, HasherOptions};
use doorward_model::password::Password;
use doorward_server::telemetry::sources::SystemRandom;

use crate::client::{Answer, Script, drive, get, post, probe};
use crate::deployment::{Account, Deployment};
use crate::process::{Cores, own_cpu_us};
use crate::renewal::hello;
use crate::statistics::{median, percentile};
use crate::{Options, Outcome};

const CONNECTIONS: usize = 16;
/// Between two cheap requests.
const PAUSE: Duration = Duration::from_millis(1);
const PASSWORD: &str = "a right horse eats no battery";

/// Signs different people in, one after the other, each from another network.
struct SignIns {
    place: usize,
    turn: usize,
    people: usize,
}

impl Script for SignIns {
    fn request(&mut self) -> Option<Vec<u8>> {
        let number = self.turn * CONNECTIONS + self.place;
        self.turn += 1;
        let body = serde_json::json!({
            "email": format!("person{}@example.com", number % self.people),
            "password": PASSWORD,
            "mode": "token",
        });
        let network = format!("x-forwarded-for: 10.{}.{}.{}\r\n", number >> 16 & 255, number >> 8 & 255, number & 255);
        Some(post("/api/v1/login", &body, &network))
    }

    fn accept(&mut self, answer: Answer) -> Outcome<()> {
        answer.expect(200).map(drop)
    }
}

fn sign_ins(people: usize) -> Vec<SignIns> {
    (0..CONNECTIONS).map(|place| SignIns { place, turn: 0, people }).collect()
}

/// People with a password.
pub(crate) async fn deployment_with_passwords(people: usize) -> Outcome<Deployment> {
    let deployment = Deployment::new(None)?;
    let cores = std::thread::available_parallelism()?;
    let hasher = Hasher::start(HasherOptions::for_machine(HashParameters::DEFAULT, cores, 1 << 30))?;
    let password = Password::new(PASSWORD).map_err(|_| "the password is refused")?;
    let phc = hasher.hash(password, doorward_model::random::bytes(&SystemRandom)).await?;
    let filling = deployment.open().await?;
    filling.add_accounts("person", people, Account::Usual, &phc).await?;
    filling.close().await;
    Ok(deployment)
}

/// Compares.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    const PEOPLE: usize = 4000;
    let deployment = deployment_with_passwords(PEOPLE).await?;
    let server = deployment.serve(Cores::All)?;
    let bare = hello(Cores::All)?;
    let mut scripts = sign_ins(PEOPLE);
    (_, scripts) = drive(server.address, scripts, Duration::from_secs(1)).await?;
    let (mut ratios, mut tails) = (vec![], vec![]);
    println!(
        "| run | hashes/s | sign-ins/s | ratio | hello p99 ms beside hashing | cheap p99 ms beside sign-ins | ratio |"
    );
    println!("|---|---|---|---|---|---|---|");
    for run in 1..=options.runs {
        let threads = hash_on_all_cores(options.span);
        let beside = probe(bare.address, &get("/", ""), PAUSE, options.span).await?;
        let raw = collect(threads)?;
        let keys = get("/.well-known/jwks.json", "");
        let (load, cheap) = tokio::try_join!(
            drive(server.address, scripts, options.span),
            probe(server.address, &keys, PAUSE, options.span)
        )?;
        scripts = load.1;
        let (signed_in, tail) = (load.0.per_second, percentile(&cheap, 0.99));
        let bare_tail = percentile(&beside, 0.99);
        println!(
            "| {run} | {raw:.1} | {signed_in:.1} | {:.2} | {bare_tail:.2} | {tail:.2} | {:.1} |",
            signed_in / raw,
            tail / bare_tail
        );
        ratios.push(signed_in / raw);
        tails.push(tail / bare_tail);
    }
    println!("| median | | | **{:.2}** (goal ≥ 0.95) | | | **{:.1}** (goal ≤ 5) |", median(&ratios), median(&tails));
    server.stop()
}

type Hashing = std::thread::JoinHandle<Outcome<f64>>;

/// Starts a thread per core that hashes into its own buffer, again and again.
fn hash_on_all_cores(span: Duration) -> Vec<Hashing> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (0..cores).map(|_| std::thread::spawn(move || hash(span))).collect()
}

fn collect(threads: Vec<Hashing>) -> Outcome<f64> {
    let rates = threads.into_iter().map(|thread| thread.join().map_err(|_| "a hashing thread panicked")?);
    rates.sum()
}

/// Processor time of one hash on one core, in microseconds.
pub(crate) fn hash_cost_us(span: Duration) -> Outcome<f64> {
    let before = own_cpu_us()?;
    let started = Instant::now();
    let rate = hash(span)?;
    Ok((own_cpu_us()? - before) / (rate * started.elapsed().as_secs_f64()))
}

fn hash(span: Duration) -> Outcome<f64> {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(|error| error.to_string())?;
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (started, mut count, mut output) = (Instant::now(), 0u32, [0; 32]);
    while started.elapsed() < span {
        argon2
            .hash_password_into_with_memory(PASSWORD.as_bytes(), b"sixteen bytes!!!", &mut output, &mut memory)
            .map_err(|error| error.to_string())?;
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}
