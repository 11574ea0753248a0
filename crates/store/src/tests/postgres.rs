//! The faults of a server and a network.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use super::support::{Held, INSERT_ITEM, PostgresDatabase, administer, count_items, create_items, insert_item};
use crate::engine::moment;
use crate::{PostgresOptions, Statement, Store, StoreError};

static TOUCH: Statement = Statement::new("tests::TOUCH", "UPDATE items SET label = 'x' WHERE id = $1");
static SLEEP: Statement = Statement::new("tests::SLEEP", "SELECT 1 FROM (SELECT pg_sleep(30)) AS slept");
static LOSE_RACE: Statement =
    Statement::new("tests::LOSE_RACE", "DO $do$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $do$");
static SERIALIZABLE: Statement = Statement::new("tests::SERIALIZABLE", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");

fn terminate_connections(database: &str) {
    administer(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"));
}

/// Gets its side (1 or 2) and a way to meet the other side.
type Contender = fn(&mut crate::Tx<'_>, i64, &dyn Fn()) -> Result<(), StoreError>;

/// Two closures that touch items 1 and 2 in opposite order, in step on their first run.
async fn run_against_each_other(store: &Store, work: Contender) -> usize {
    let runs = Arc::new(AtomicUsize::new(0));
    let barrier = Arc::new(Barrier::new(2));
    let mut tasks = Vec::new();
    for side in [1_i64, 2] {
        let (store, runs, barrier) = (store.clone(), Arc::clone(&runs), Arc::clone(&barrier));
        let own_runs = AtomicUsize::new(0);
        tasks.push(tokio::spawn(async move {
            store
                .write(move |tx| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    let is_first = own_runs.fetch_add(1, Ordering::Relaxed) == 0;
                    work(tx, side, &|| {
                        if is_first {
                            barrier.wait();
                        }
                    })
                })
                .await
        }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    runs.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_deadlock_is_resolved_by_running_again() {
    let database = PostgresDatabase::new();
    administer(&format!("ALTER DATABASE {} SET deadlock_timeout = '20ms'", database.name()));
    let store = database.open();
    create_items(&store).await;
    insert_item(&store, 1).await.unwrap();
    insert_item(&store, 2).await.unwrap();
    let runs = run_against_each_other(&store, |tx, side, meet| {
        tx.execute_expecting(&TOUCH, &[side.into()], 1)?;
        meet();
        tx.execute_expecting(&TOUCH, &[(3 - side).into()], 1)
    })
    .await;
    assert!(runs >= 3, "without a deadlock this test proves nothing: {runs} runs");
    store.close().await;
}

#[tokio::test]
async fn a_serialization_failure_is_resolved_by_running_again() {
    let database = PostgresDatabase::new();
    let store = database.open();
    create_items(&store).await;
    let runs = run_against_each_other(&store, |tx, side, meet| {
        tx.execute(&SERIALIZABLE, &[])?;
        let count: i64 = tx.query_one(&super::support::COUNT_ITEMS, &[], |row| row.get(0))?;
        meet();
        tx.execute_expecting(&INSERT_ITEM, &[(10 * side + count).into()], 1)
    })
    .await;
    assert!(runs >= 3, "without a conflict this test proves nothing: {runs} runs");
    assert_eq!(count_items(&store).await, 2);
    store.close().await;
}

#[tokio::test]
async fn a_statement_prepared_before_a_schema_change_is_prepared_again() {
    static FIND: Statement = Statement::new("tests::FIND", "SELECT label FROM items WHERE id = $1");
    static ALTER: Statement = Statement::new("tests::ALTER", "ALTER TABLE items ALTER COLUMN label TYPE VARCHAR(100)");
    let database = PostgresDatabase::new();
    let store = database.open_with(&PostgresOptions { connections: 1, ..PostgresOptions::default() });
    create_items(&store).await;
    insert_item(&store, 1).await.unwrap();
    for alter in [true, false] {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let found: Result<Option<String>, StoreError> = store
            .write(move |tx| {
                counted.fetch_add(1, Ordering::Relaxed);
                tx.query_one(&FIND, &[1_i64.into()], |row| row.get(0))
            })
            .await;
        assert_eq!(found.unwrap(), None);
        assert_eq!(runs.load(Ordering::Relaxed), if alter { 1 } else { 2 });
        if alter {
            let altered: Result<u64, StoreError> = store.write(|tx| tx.execute(&ALTER, &[])).await;
            altered.unwrap();
        }
    }
    store.close().await;
}

#[tokio::test]
async fn a_closure_that_always_loses_is_given_up() {
    let database = PostgresDatabase::new();
    let store = database.open();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let outcome: Result<u64, StoreError> = store
        .write(move |tx| {
            counted.fetch_add(1, Ordering::Relaxed);
            tx.execute(&LOSE_RACE, &[])
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Unavailable)), "{outcome:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 8);
    store.close().await;
}

#[tokio::test]
async fn a_killed_idle_connection_is_replaced_unnoticed() {
    let database = PostgresDatabase::new();
    let store = database.open();
    create_items(&store).await;
    for id in 0..3 {
        terminate_connections(database.name());
        insert_item(&store, id).await.unwrap();
        terminate_connections(database.name());
        assert_eq!(count_items(&store).await, id + 1);
    }
    store.close().await;
}

#[tokio::test]
async fn a_connection_killed_inside_a_transaction_runs_the_closure_again() {
    let database = PostgresDatabase::new();
    let store = database.open();
    create_items(&store).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let (counted, name) = (Arc::clone(&runs), database.name().to_owned());
    let outcome: Result<(), StoreError> = store
        .write(move |tx| {
            tx.execute_expecting(&INSERT_ITEM, &[1_i64.into()], 1)?;
            if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                terminate_connections(&name);
            }
            tx.execute_expecting(&INSERT_ITEM, &[2_i64.into()], 1)
        })
        .await;
    outcome.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(count_items(&store).await, 2);
    store.close().await;
}

#[tokio::test]
async fn a_connection_killed_before_its_commit_is_not_reported_as_committed() {
    let database = PostgresDatabase::new();
    let store = database.open();
    create_items(&store).await;
    let name = database.name().to_owned();
    let outcome: Result<(), StoreError> = store
        .write(move |tx| {
            tx.execute_expecting(&INSERT_ITEM, &[1_i64.into()], 1)?;
            terminate_connections(&name);
            Ok(())
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Unavailable)), "{outcome:?}");
    assert_eq!(count_items(&store).await, 0);
    store.close().await;
}

/// Proves: S-228
#[tokio::test]
async fn a_database_that_goes_away_is_unavailable_until_it_is_back() {
    let database = PostgresDatabase::new();
    let store = database.open();
    create_items(&store).await;
    administer(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", database.name()));
    terminate_connections(database.name());
    for id in 0..20 {
        assert!(matches!(insert_item(&store, id).await, Err(StoreError::Unavailable)));
    }
    administer(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", database.name()));
    let patience: Instant = moment::now() + Duration::from_secs(20);
    while let Err(error) = insert_item(&store, 1).await {
        assert!(matches!(error, StoreError::Unavailable) && moment::now() < patience, "{error:?}");
        tokio::task::yield_now().await;
    }
    store.close().await;
}

/// Proves: S-228
#[tokio::test]
async fn a_slow_statement_is_cut_off() {
    let database = PostgresDatabase::new();
    let options =
        PostgresOptions { connections: 1, statement_timeout: Duration::from_millis(50), ..PostgresOptions::default() };
    let store = database.open_with(&options);
    create_items(&store).await;
    let outcome: Result<(), StoreError> = store.read(|tx| tx.query_one(&SLEEP, &[], |_| Ok(()))).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable)), "{outcome:?}");
    assert_eq!(count_items(&store).await, 0);
    store.close().await;
}

#[tokio::test]
async fn a_panicking_closure_rolls_back_and_its_worker_goes_on() {
    let database = PostgresDatabase::new();
    let store = database.open_with(&PostgresOptions { connections: 1, ..PostgresOptions::default() });
    create_items(&store).await;
    let outcome: Result<(), StoreError> = store
        .write(|tx| {
            tx.execute(&INSERT_ITEM, &[1_i64.into()])?;
            panic!("on purpose")
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
    assert_eq!(count_items(&store).await, 0);
    store.close().await;
}

#[tokio::test]
async fn writes_use_several_connections_at_once() {
    let database = PostgresDatabase::new();
    let store = database.open();
    create_items(&store).await;
    let held = Held::writer(&store).await;
    insert_item(&store, 1).await.unwrap();
    assert!(store.gauges().in_use >= 1);
    held.release().await;
    store.close().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_start() {
    // Port 1 on this machine: nothing listens.
    let opened = Store::open_postgres("postgres://nobody@127.0.0.1:1/none", &PostgresOptions::default());
    assert!(matches!(opened, Err(StoreError::Unavailable)), "{opened:?}");
}

#[tokio::test]
async fn the_password_is_in_no_error_and_no_debug_text() {
    let database = PostgresDatabase::new();
    let url = database.url.replace("postgres://doorward@", "postgres://nobody:hunter2@");
    let options = PostgresOptions {
        password: Some(doorward_model::secret::SecretText::new("hunter3".to_owned())),
        ..PostgresOptions::default()
    };
    let Err(error) = Store::open_postgres(&url, &options) else { panic!("there is no such role") };
    let text = format!("{error} {error:?} {options:?}");
    assert!(text.contains("28"), "an authorization error was expected: {text}");
    assert!(!text.contains("hunter"), "{text}");
}
