//! An answered write survives the death of its process, and the system call that makes it survive a power cut is
//! made before the answer.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use doorward_store::{PostgresOptions, SqliteOptions, Statement, Store, StoreError};
use tempfile::TempDir;

const TARGET: &str = "DOORWARD_CRASH_TARGET";
const WRITERS: &str = "DOORWARD_CRASH_WRITERS";
const ROUNDS: &str = "DOORWARD_CRASH_ROUNDS";

static INSERT: Statement = Statement::new("crash::INSERT", "INSERT INTO answered (id, filler) VALUES ($1, $2)");
static LIST: Statement = Statement::new("crash::LIST", "SELECT id FROM answered ORDER BY id");
static CHECK: Statement = Statement::new("crash::CHECK", "SELECT integrity_check FROM pragma_integrity_check");
static CREATE: Statement =
    Statement::new("crash::CREATE", "CREATE TABLE answered (id BIGINT NOT NULL PRIMARY KEY, filler TEXT NOT NULL)");

#[expect(clippy::disallowed_methods, reason = "tests are told by their environment where PostgreSQL is")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn open(target: &str) -> Store {
    if target.starts_with("postgres") {
        Store::open_postgres(target, &PostgresOptions { connections: 8, ..PostgresOptions::default() }).unwrap()
    } else {
        Store::open_sqlite(Path::new(target), &SqliteOptions::default()).unwrap()
    }
}

/// The process that the tests below start and kill: several tasks write, and each prints an id once its write was
/// answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the other tests of this file"]
async fn storm() {
    let target = environment(TARGET).expect("started by the other tests of this file");
    let number = |name| environment(name).unwrap().parse::<i64>().unwrap();
    let (writers, rounds) = (number(WRITERS), number(ROUNDS));
    let store = open(&target);
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for count in 0..rounds {
                    insert(&store, writer * 1_000_000 + count).await.unwrap();
                    let line = format!("answered {}\n", writer * 1_000_000 + count);
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                    std::io::stdout().flush().unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    store.close().await;
}

async fn insert(store: &Store, id: i64) -> Result<(), StoreError> {
    let filler = "x".repeat(200);
    store.write(move |tx| tx.execute_expecting(&INSERT, &[id.into(), (&filler).into()], 1)).await
}

async fn create_table(target: &str) {
    let store = open(target);
    let created: Result<u64, StoreError> = store.write(|tx| tx.execute(&CREATE, &[])).await;
    created.unwrap();
    store.close().await;
}

fn start_storm(mut command: Command, target: &str, writers: u32, rounds: u32) -> Child {
    command
        .args(["--exact", "storm", "--ignored", "--nocapture", "--test-threads", "1"])
        .env(TARGET, target)
        .env(WRITERS, writers.to_string())
        .env(ROUNDS, rounds.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn this_program() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

fn answered(line: &str) -> Option<i64> {
    line.strip_prefix("answered ")?.parse().ok()
}

/// Kills the writing process in full flight and returns the ids it had answered.
fn kill_in_flight(target: &str, after: usize) -> BTreeSet<i64> {
    let mut child = start_storm(this_program(), target, 16, 1_000_000);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ids = BTreeSet::new();
    while ids.len() < after {
        let line = lines.next().expect("the storm ended by itself").unwrap();
        ids.extend(answered(&line));
    }
    child.kill().unwrap();
    // What stands in the pipe was answered too. A last line without its end may be a shortened number.
    let mut rest: Vec<String> = lines.map(Result::unwrap).collect();
    rest.pop();
    ids.extend(rest.iter().filter_map(|line| answered(line)));
    child.wait().unwrap();
    ids
}

async fn assert_nothing_lost(target: &str) {
    create_table(target).await;
    for after in [1, 200, 1500] {
        let answered = kill_in_flight(target, after);
        let store = open(target);
        let kept: Result<Vec<i64>, StoreError> = store.read(|tx| tx.query_all(&LIST, &[], |row| row.get(0))).await;
        let kept: BTreeSet<i64> = kept.unwrap().into_iter().collect();
        let lost: Vec<_> = answered.difference(&kept).collect();
        assert!(lost.is_empty(), "{} of {} answered writes are lost: {lost:?}", lost.len(), answered.len());
        if store.is_sqlite() {
            let verdict: Result<String, StoreError> =
                store.read(|tx| tx.query_one(&CHECK, &[], |row| row.get(0))).await;
            assert_eq!(verdict.unwrap(), "ok");
        }
        let emptied: Result<u64, StoreError> = store.write(|tx| tx.execute(&DELETE, &[])).await;
        assert!(emptied.unwrap() >= answered.len() as u64);
        store.close().await;
    }
}

static DELETE: Statement = Statement::new("crash::DELETE", "DELETE FROM answered");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_no_answered_write_on_sqlite() {
    let folder = TempDir::new().unwrap();
    assert_nothing_lost(folder.path().join("storm.db").to_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_no_answered_write_on_postgres() {
    let server = environment("DOORWARD_TEST_POSTGRES_URL")
        .expect("DOORWARD_TEST_POSTGRES_URL is not set: run the tests with `cargo xtask test`");
    let name = format!("store_storm_{}", std::process::id());
    administer(&server, &format!("CREATE DATABASE {name}"));
    let target = format!("{}/{name}", &server[..server.rfind('/').unwrap()]);
    assert_nothing_lost(&target).await;
    administer(&server, &format!("DROP DATABASE {name} WITH (FORCE)"));
}

fn administer(server: &str, sql: &str) {
    let (server, sql) = (server.to_owned(), sql.to_owned());
    let worker = std::thread::spawn(move || {
        postgres::Client::connect(&server, postgres::NoTls).unwrap().batch_execute(&sql).unwrap();
    });
    worker.join().unwrap();
}

/// What a traced storm did, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Synced,
    Answered,
}

/// Runs a storm under strace and returns its syncs and answers in order.
fn trace_storm(database: &Path, trace: &Path, writers: u32, rounds: u32) -> Vec<Step> {
    assert!(
        Command::new("strace").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success()),
        "strace is missing: apt-get install strace"
    );
    let mut strace = Command::new("strace");
    strace.args(["-f", "-s", "64", "-e", "trace=fdatasync,fsync,write", "-o"]).arg(trace);
    strace.arg(std::env::current_exe().unwrap());
    let child = start_storm(strace, database.to_str().unwrap(), writers, rounds);
    assert!(child.wait_with_output().unwrap().status.success());
    let mut steps = Vec::new();
    for line in std::fs::read_to_string(trace).unwrap().lines() {
        let is_sync = line.contains("fdatasync") || line.contains("fsync");
        if is_sync && line.trim_end().ends_with("= 0") {
            // Either the whole call or the line that resumes it: it has returned.
            steps.push(Step::Synced);
        } else if line.contains("\"answered ") {
            steps.push(Step::Answered);
        }
    }
    steps
}

#[tokio::test]
async fn each_commit_is_synced_before_its_answer() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("storm.db");
    create_table(database.to_str().unwrap()).await;
    let steps = trace_storm(&database, &folder.path().join("trace"), 1, 40);
    let mut synced = false;
    let mut answers = 0;
    for step in steps {
        match step {
            Step::Synced => synced = true,
            Step::Answered => {
                assert!(synced, "answer {answers} came without a sync since the one before it");
                synced = false;
                answers += 1;
            }
        }
    }
    assert_eq!(answers, 40);
}

#[tokio::test]
async fn writes_that_wait_together_share_a_sync() {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("storm.db");
    create_table(database.to_str().unwrap()).await;
    let steps = trace_storm(&database, &folder.path().join("trace"), 32, 10);
    let syncs = steps.iter().filter(|step| **step == Step::Synced).count();
    let answers = steps.len() - syncs;
    assert_eq!(answers, 320);
    assert!(syncs * 2 < answers, "{syncs} syncs for {answers} answers");
}
