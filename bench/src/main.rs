//! The benchmarks: `cargo xtask bench NAME`. Every figure is compared with one measured in the same run.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to its terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "a developer's tool, no product code: it measures time and reads its environment"
)]

mod better_auth;
mod client;
mod deployment;
mod footprint;
mod hello;
mod me;
mod million;
mod parts;
mod process;
mod provider;
mod renewal;
mod renewal_postgres;
mod revocation;
mod sign_in;
mod statistics;
mod timing;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The result of a step; the text of an error is all anybody needs.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "\
cargo xtask bench NAME [--runs N] [--seconds N] [--samples N] [--users N] [--only WHAT]

  timing            whether answering times tell accounts apart
  renewal           POST /api/v1/token on SQLite against the limit of its parts
  renewal-postgres  the same on PostgreSQL against the same statements from pgbench
  me                GET /api/v1/me against a bare handler
  million           look-ups and renewals with a million users against a thousand
  sign-in           POST /api/v1/login against the bare hash
  start             time from start to first answer against a bare handler
  memory            resident memory idle, under 500 sign-ins, and afterwards
  better-auth       session checks and sign-ins beside better-auth from npm
  verify            doorward-verify against the bare signature, a bare handler, and its like in Node and Python
  revocation        from a sign-out to the first refusal at a resource server, while thousands sign out
  provider          tokens, introspections and code flows beside oidc-provider from npm
";

/// How much to measure.
struct Options {
    runs: usize,
    span: Duration,
    samples: usize,
    /// How many users `million` compares with a thousand.
    users: usize,
    /// What of `provider` is measured alone, without the peer.
    only: Option<String>,
    /// A throwaway PostgreSQL cluster, and the folder of its programs; `cargo xtask bench` starts it.
    postgres: Option<(String, PathBuf)>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    let texts: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match texts.as_slice() {
        ["serve-hello", address] => return hello::serve(address.parse()?),
        ["part", name, ms, file @ ..] => return part(name, Duration::from_millis(ms.parse()?), file.first().copied()),
        _ => {}
    }
    let Some((name, rest)) = texts.split_first() else {
        print!("{USAGE}");
        return Ok(());
    };
    let options = options(rest)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match *name {
            "revocation" => revocation::run(&options).await,
            "verify" => verify::run(&options).await,
            "timing" => timing::run(&options).await,
            "renewal" => renewal::run(&options).await,
            "renewal-postgres" => renewal_postgres::run(&options).await,
            "better-auth" => better_auth::run(&options).await,
            "provider" => provider::run(&options).await,
            "million" => million::run(&options).await,
            "me" => me::run(&options).await,
            "sign-in" => sign_in::run(&options).await,
            "start" => footprint::start(&options).await,
            "memory" => footprint::memory().await,
            _ => {
                print!("{USAGE}");
                Err(format!("unknown benchmark {name:?}").into())
            }
        }
    })
}

fn options(arguments: &[&str]) -> Outcome<Options> {
    let mut options =
        Options { runs: 5, span: Duration::from_secs(3), samples: 300, users: 1_000_000, only: None, postgres: None };
    let (mut url, mut programs) = (None, None);
    for pair in arguments.chunks(2) {
        match pair {
            ["--users", number] => options.users = number.parse()?,
            ["--only", name] => options.only = Some((*name).to_owned()),
            ["--postgres", text] => url = Some((*text).to_owned()),
            ["--postgres-programs", folder] => programs = Some(PathBuf::from(folder)),
            ["--runs", number] => options.runs = number.parse()?,
            ["--seconds", number] => options.span = Duration::from_secs_f64(number.parse()?),
            ["--samples", number] => options.samples = number.parse()?,
            other => return Err(format!("{other:?} is no option").into()),
        }
    }
    options.postgres = url.zip(programs);
    Ok(options)
}

/// One part alone, in a process of its own; prints its rate or its cost.
fn part(name: &str, span: Duration, file: Option<&str>) -> Outcome<()> {
    let figure = match (name, file) {
        ("hash-cost", None) => sign_in::hash_cost_us(span)?,
        (name, None) if name.starts_with("verify-") => verify::part(name, span)?,
        ("signatures", None) => parts::signatures(span)?,
        ("rotations", Some(file)) => parts::rotations(Path::new(file), span)?,
        _ => return Err(format!("unknown part {name:?}").into()),
    };
    println!("{figure}");
    Ok(())
}
