//! Renewals on PostgreSQL against the same statements from pgbench: the server and pgbench take turns on one core, the
//! generator has the other, and the cluster runs on both.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use doorward_server::configuration::Configuration;

use crate::client::drive;
use crate::deployment::{Deployment, SignedIn};
use crate::process::{Cores, command, leave_first_core};
use crate::renewal::{CONNECTIONS, FAMILIES_PER_CONNECTION, scripts};
use crate::statistics::{median, percentile};
use crate::{Options, Outcome};

const DATABASE: &str = "doorward_bench";
/// As long as the keyed hash of a network.
const NETWORK: &str = "'\\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'";

/// The throwaway cluster.
struct Cluster<'a> {
    url: String,
    programs: &'a Path,
    folder: tempfile::TempDir,
    script: PathBuf,
}

/// Compares.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    let (url, programs) = options.postgres.as_ref().ok_or("run it as `cargo xtask bench renewal-postgres`")?;
    leave_first_core()?;
    let cluster = Cluster::prepare(url, programs)?;
    let pool = pool_size();
    let deployment = Deployment::new(Some(cluster.url.clone()))?;
    let filling = deployment.open().await?;
    let people = filling.add_signed_in(CONNECTIONS * FAMILIES_PER_CONNECTION + CONNECTIONS).await?;
    filling.close().await;
    // pgbench's families lie between the server's, so that both use the whole table.
    let every = people.len() / CONNECTIONS;
    let is_apart = |number: usize| number.is_multiple_of(every) && number / every < CONNECTIONS;
    let (mut theirs, mut ours): (Vec<SignedIn>, Vec<SignedIn>) = (vec![], vec![]);
    for (number, person) in people.into_iter().enumerate() {
        if is_apart(number) { theirs.push(person) } else { ours.push(person) }
    }

    let server = deployment.serve(Cores::First)?;
    let mut scripts = scripts(&ours);
    // Every family once: the first renewal of each also records its network.
    (_, scripts) = drive(server.address, scripts, Duration::from_secs(2)).await?;
    println!(
        "| run | pgbench/s, {pool} connections | {CONNECTIONS} connections | renewals/s | ratio to {pool} | to {CONNECTIONS} | p99 ms | server CPU µs |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut rows: Vec<[f64; 7]> = Vec::new();
    for run in 1..=options.runs {
        let few = cluster.rotations(pool, &theirs, options.span)?;
        let many = cluster.rotations(CONNECTIONS, &theirs, options.span)?;
        let before = server.cpu_seconds()?;
        let (load, back) = drive(server.address, scripts, options.span).await?;
        let spent = server.cpu_seconds()? - before;
        scripts = back;
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let cpu_us = spent * 1e6 / load.latencies_ms.len() as f64;
        let (rate, tail) = (load.per_second, percentile(&load.latencies_ms, 0.99));
        let row = [few, many, rate, rate / few, rate / many, tail, cpu_us];
        println!(
            "| {run} | {few:.0} | {many:.0} | {rate:.0} | {:.2} | {:.2} | {tail:.1} | {cpu_us:.0} |",
            row[3], row[4]
        );
        rows.push(row);
    }
    let middle = |column: usize| median(&rows.iter().map(|row| row[column]).collect::<Vec<_>>());
    println!(
        "| median | {:.0} | {:.0} | {:.0} | **{:.2}** | **{:.2}** | {:.1} | {:.0} | (goal ≥ 0.5)",
        middle(0),
        middle(1),
        middle(2),
        middle(3),
        middle(4),
        middle(5),
        middle(6)
    );
    server.stop()
}

/// Connections that a server holds when nobody says otherwise.
fn pool_size() -> usize {
    Configuration::default().database_connections as usize
}

impl<'a> Cluster<'a> {
    /// A database of its own, after a look at how durable the cluster is.
    fn prepare(url: &str, programs: &'a Path) -> Outcome<Self> {
        let (base, _) = url.rsplit_once('/').ok_or("the cluster's URL names no database")?;
        let folder = tempfile::tempdir()?;
        let script = folder.path().join("rotation.sql");
        std::fs::write(&script, write_script()?)?;
        let mut cluster = Self { url: url.to_owned(), programs, folder, script };
        cluster.ask(&format!("CREATE DATABASE {DATABASE}"))?;
        cluster.url = format!("{base}/{DATABASE}");
        let version = cluster.ask("SHOW server_version")?;
        let durability =
            cluster.ask("SELECT concat_ws('/', current_setting('synchronous_commit'), current_setting('fsync'))")?;
        if durability != "on/on" {
            return Err(format!("synchronous_commit/fsync are {durability}: not durable").into());
        }
        println!("PostgreSQL {version}, synchronous_commit=on, fsync=on\n");
        Ok(cluster)
    }

    fn ask(&self, sql: &str) -> Outcome<String> {
        run_program(
            Command::new(self.programs.join("psql"))
                .args(["--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql])
                .arg(&self.url),
        )
    }

    /// Rotations per second from pgbench over so many connections, each with a family of its own.
    fn rotations(&self, connections: usize, people: &[SignedIn], span: Duration) -> Outcome<f64> {
        let ids: Vec<&str> = people.iter().take(connections).map(|person| person.family.as_str()).collect();
        let ids = ids.join(",");
        let issued = format!("SELECT sum(issued) FROM token_families WHERE id = ANY (string_to_array('{ids}', ','))");
        let before: u64 = self.ask(&issued)?.parse()?;
        let seconds = span.as_secs().max(1).to_string();
        let report = run_program(
            command(&self.programs.join("pgbench"), Cores::First)
                .current_dir(self.folder.path())
                .args(["-n", "-M", "prepared", "-j", "1", "-c", &connections.to_string(), "-T", &seconds])
                .args(["-D", "ready=0", "-D", &format!("ids={ids}"), "-f"])
                .arg(&self.script)
                .arg(&self.url),
        )?;
        let done: u64 = find_figure(&report, "number of transactions actually processed: ")?.parse()?;
        let rate: f64 = find_figure(&report, "tps = ")?.parse()?;
        let moved = self.ask(&issued)?.parse::<u64>()? - before;
        if moved != done {
            return Err(format!("pgbench reports {done} rotations, but {moved} happened:\n{report}").into());
        }
        Ok(rate)
    }
}

/// What the server sends for a renewal. Each connection rotates one family: with more, it would spend a short run
/// on planning the same statements once for each.
fn write_script() -> Outcome<String> {
    let find = write_statement("doorward_store::token_families::FIND_WITH_SESSION", &[":id"])?;
    let to = [":id", ":f_presented", ":f_issued", ":f_issued", ":f_next", ":f_issued_at", NETWORK];
    let advance = write_statement("doorward_store::token_families::ADVANCE", &to)?;
    // Its own id once; then what the server does.
    Ok(format!(
        "\\if :ready = 0\nSELECT (string_to_array(:ids, ','))[:client_id + 1] AS id \\gset\n\\set ready 1\n\\endif\n\
         BEGIN READ WRITE;\n{find} \\gset f_\n\\set f_next :f_issued + 1\n{advance};\nCOMMIT;\n"
    ))
}

/// A statement of the product with `arguments` in place of `$1..$n`.
fn write_statement(name: &str, arguments: &[&str]) -> Outcome<String> {
    let statement = doorward_store::all_statements().find(|statement| statement.name == name);
    let mut text = statement.ok_or_else(|| format!("{name} is no statement"))?.postgres.to_owned();
    // From the back, because `$1` is also how `$10` begins.
    for (number, argument) in arguments.iter().enumerate().rev() {
        text = text.replace(&format!("${}", number + 1), argument);
    }
    if text.contains('$') { Err(format!("{name} has more parameters").into()) } else { Ok(text) }
}

fn find_figure<'a>(report: &'a str, label: &str) -> Outcome<&'a str> {
    let rest = report.lines().find_map(|line| line.strip_prefix(label));
    let figure = rest.and_then(|rest| rest.split([' ', '/']).next());
    figure.ok_or_else(|| format!("no {label:?} in\n{report}").into())
}

fn run_program(command: &mut Command) -> Outcome<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?.trim().to_owned());
    }
    Err(format!("{}: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_holds_every_statement_of_a_renewal_and_no_parameter_without_a_value() {
        let script = write_script().unwrap();
        assert!(!script.contains('$'), "{script}");
        let count = |text: &str| script.matches(text).count();
        assert_eq!(count("UPDATE token_families SET presented = :f_issued, issued = :f_next"), 1);
        assert_eq!((count("BEGIN READ WRITE;"), count("COMMIT;")), (1, 1));
        assert_eq!(count("WHERE f.id = :id"), 1);
    }

    #[test]
    fn figures_are_read_from_the_report() {
        let report = "number of transactions actually processed: 812\ntps = 270.3 (without initial connection time)\n";
        assert_eq!(find_figure(report, "tps = ").unwrap(), "270.3");
        assert_eq!(find_figure(report, "number of transactions actually processed: ").unwrap(), "812");
        assert!(find_figure(report, "latency").is_err());
    }
}
