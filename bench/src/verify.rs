//! `doorward-verify` against the bare signature check, a bare handler, and what people use in Node and Python: each
//! resource server on the first core, the generator on the other, alternating.

mod issuer;
mod parts;
mod peers;

use std::path::Path;
use std::process::Stdio;

use crate::client::{Repeat, drive, get, poll_for_answers};
use crate::deployment::target;
use crate::process::{Cores, Server, free_address, leave_first_core};
use crate::renewal::hello;
use crate::statistics::median;
use crate::{Options, Outcome};

use self::issuer::TokenIssuer;

pub(crate) use self::parts::part;

const CONNECTIONS: usize = 64;
pub(crate) const AUDIENCE: &str = "https://orders.example.com";

/// Compares.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    leave_first_core()?;
    poll_for_answers();
    parts(options)?;
    let issuer = TokenIssuer::serve()?;
    let bare = hello(Cores::First)?;
    let ours = serve_ours(&issuer.url)?;
    let node = peers::serve_node(&issuer.url)?;
    let python = peers::serve_python(&issuer.url)?;
    println!(
        "\n| run | bare/s | ours/s | of bare | express + jose/s | FastAPI + PyJWT/s | ours × Node | ours × Python |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let scripts: Vec<Repeat> = (0..CONNECTIONS)
        .map(|number| {
            let token = issuer.key.access_token(&issuer.url, number);
            Repeat(get("/whoami", &format!("authorization: Bearer {token}\r\n")))
        })
        .collect();
    for server in [&ours, &node, &python] {
        drive(server.address, scripts.clone(), options.span / 2).await?;
    }
    let mut rows: Vec<[f64; 7]> = Vec::new();
    for run in 1..=options.runs {
        let hello = drive(bare.address, vec![Repeat(get("/", "")); CONNECTIONS], options.span).await?.0.per_second;
        let mut rates = [0.0; 3];
        for (rate, server) in rates.iter_mut().zip([&ours, &node, &python]) {
            *rate = drive(server.address, scripts.clone(), options.span).await?.0.per_second;
        }
        let [ours, node, python] = rates;
        let row = [hello, ours, ours / hello, node, python, ours / node, ours / python];
        println!(
            "| {run} | {hello:.0} | {ours:.0} | {:.2} | {node:.0} | {python:.0} | {:.1} | {:.1} |",
            row[2], row[5], row[6]
        );
        rows.push(row);
    }
    let middle = |column: usize| median(&rows.iter().map(|row| row[column]).collect::<Vec<_>>());
    println!(
        "| median | {:.0} | {:.0} | **{:.2}** | {:.0} | {:.0} | **{:.1}** | **{:.1}** | (goals ≥ 0.5, ≥ 10)",
        middle(0),
        middle(1),
        middle(2),
        middle(3),
        middle(4),
        middle(5),
        middle(6)
    );
    Ok(())
}

/// The checks alone, each in a process of its own on the first core.
fn parts(options: &Options) -> Outcome<()> {
    println!(
        "Times in µs. Seen before: 1,000 tokens in turn of 100,000 that are remembered; then all of them in turn.\n"
    );
    println!(
        "| run | bare check | not seen before | ratio | seen before | times faster | of all | times faster | 100,000 tokens, MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut rows: Vec<[f64; 8]> = Vec::new();
    for run in 1..=options.runs {
        let cost = |name: &str| crate::renewal::part_rate(name, None, options.span).map(|rate| 1e6 / rate);
        let (bare, unseen) = (cost("verify-bare")?, cost("verify-unseen")?);
        let (seen, any) = (cost("verify-seen")?, cost("verify-seen-any")?);
        let memory = crate::renewal::part_rate("verify-memory", None, options.span)?;
        rows.push([bare, unseen, unseen / bare, seen, unseen / seen, any, unseen / any, memory]);
        println!("{}", parts_row(&run.to_string(), rows[rows.len() - 1]));
    }
    let middle = std::array::from_fn(|column| median(&rows.iter().map(|row| row[column]).collect::<Vec<_>>()));
    println!("{} (goals ≤ 1.3, ≥ 50, < 40)", parts_row("median", middle));
    let longest = crate::renewal::part_rate("verify-hostile", None, options.span)?;
    println!("\nThe longest refusal of a text that was made to take long: {longest:.3} ms (goal < 10)");
    Ok(())
}

fn parts_row(name: &str, [bare, unseen, ratio, seen, faster, any, any_faster, memory]: [f64; 8]) -> String {
    format!(
        "| {name} | {bare:.1} | {unseen:.1} | {ratio:.2} | {seen:.2} | {faster:.0} | {any:.2} | {any_faster:.0} | {memory:.1} |"
    )
}

/// The example of the manual.
pub(crate) fn serve_ours(issuer: &str) -> Outcome<Server> {
    start_example(issuer, AUDIENCE, &["--no-feed"], Cores::First)
}

/// The example with more arguments; ready when it answers at all, and that is a refusal.
pub(crate) fn start_example(issuer: &str, audience: &str, more: &[&str], cores: Cores) -> Outcome<Server> {
    let address = free_address()?;
    let listen = address.to_string();
    let mut arguments: Vec<String> =
        ["--issuer", issuer, "--audience", audience, "--listen", &listen].map(str::to_owned).into();
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    let program = target().join("resource-server");
    if !Path::new(&program).is_file() {
        return Err("the example is not built: cargo build --release -p resource-server".into());
    }
    Server::start_refusing(&program, &arguments, address, cores, "/whoami", Stdio::null())
}
