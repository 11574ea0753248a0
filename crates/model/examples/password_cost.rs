//! Measures what judging a password costs, for ordinary ones and for the strings that cost most:
//! `cargo run --release -p doorward-model --example password_cost`.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "measures and reports")]

use std::time::{Duration, Instant};

use doorward_model::email::EmailAddress;
use doorward_model::password::{Context, MAX_CODE_POINTS, Password, Policy};

/// The longest time a password may take, in a release build.
const LIMIT: Duration = Duration::from_millis(50);

const PATTERNS: [&str; 36] = [
    "violet tractor humming seventeen ",
    "x7#Kp2!vQ9@mZ4&w",
    "4@8({[<369&#!1/|0$5+7%2",
    "4@8({[<369&#!1/|0$5+7%2aeioclstxzg",
    "1!|",
    "a4@",
    "s5$",
    "l1|!7",
    "o0",
    "passw0rd",
    "p4$$w0rdl0v3",
    "1",
    "19",
    "1.1.2001",
    "1234567890",
    "19283746501029384756",
    "a",
    "ab",
    "abcd",
    "qwerty",
    "1qaz",
    "aA",
    "love",
    "lovelovelive",
    "elephantumbrella",
    "purplechristopher",
    "@$$h0l3",
    "abcdefghijklmnopqrstuvwxyz",
    "🦊",
    "\u{fdfa}",
    "1a!Z",
    "0o0O",
    "jane.doe",
    "111112",
    "ill1i!|",
    "aaaaaaaaaaab",
];

fn main() {
    let mut context = Context::of_service("Harbour", "login.harbour.example");
    if let Ok(address) = EmailAddress::parse("jane.doe@brightwater.example") {
        context = context.with_address(&address);
    }
    // The estimator reads its dictionaries when it is first used.
    let start = Instant::now();
    let _ = Password::new("violet tractor humming").map(|password| Policy::DEFAULT.check(&password, &context));
    println!("{:>12.1?}  the first time", start.elapsed());
    let mut slowest = Duration::ZERO;
    for pattern in PATTERNS {
        let text: String = pattern.chars().cycle().take(MAX_CODE_POINTS).collect();
        let Ok(password) = Password::new(&text) else { continue };
        let start = Instant::now();
        let accepted = Policy::DEFAULT.check(&password, &context).is_ok();
        let cost = start.elapsed();
        slowest = slowest.max(cost);
        println!("{cost:>12.1?}  accepted: {accepted:<5}  {pattern}");
    }
    println!("slowest {slowest:.1?}, limit {LIMIT:?}");
    std::process::exit(i32::from(slowest > LIMIT));
}
