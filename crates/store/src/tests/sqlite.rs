//! Group commit and the faults of a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::support::{Held, INSERT_ITEM, SqliteFile, count_items, create_items, enqueue, gate, insert_item};
use crate::{SqliteOptions, Statement, Store, StoreError, Tx, Value};

static INSERT_DATA: Statement = Statement::new("tests::INSERT_DATA", "INSERT INTO items (id, data) VALUES ($1, $2)");
static ENDLESS: Statement = Statement::new(
    "tests::ENDLESS",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
);
static PAGE_COUNT: Statement = Statement::new("tests::PAGE_COUNT", "SELECT page_count FROM pragma_page_count");
static COUNT: Statement = Statement::new("tests::COUNT", "SELECT count(*) FROM items");
static CHECK: Statement = Statement::new("tests::CHECK", "SELECT integrity_check FROM pragma_integrity_check");

fn insert(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    tx.execute_expecting(&INSERT_ITEM, &[id.into()], 1)
}

#[tokio::test]
async fn a_failing_and_a_panicking_closure_roll_back_alone() {
    let file = SqliteFile::new();
    let store = file.open();
    create_items(&store).await;
    let held = Held::writer(&store).await;
    let first = enqueue(&store, |tx| insert(tx, 1)).await;
    let failing = enqueue(&store, |tx| {
        insert(tx, 2)?;
        Err::<(), _>(StoreError::Corrupt("refused by the closure"))
    })
    .await;
    let panicking = enqueue::<()>(&store, |tx| {
        insert(tx, 3)?;
        panic!("on purpose")
    })
    .await;
    let conflicting = enqueue(&store, |tx| {
        insert(tx, 4)?;
        insert(tx, 1)
    })
    .await;
    let last = enqueue(&store, |tx| insert(tx, 5)).await;
    held.release().await;
    assert!(first.await.unwrap().is_ok());
    assert!(matches!(failing.await.unwrap(), Err(StoreError::Corrupt(_))));
    assert!(matches!(panicking.await.unwrap(), Err(StoreError::Database(_))));
    assert!(matches!(conflicting.await.unwrap(), Err(StoreError::Conflict(_))));
    assert!(last.await.unwrap().is_ok());
    assert_eq!(store.gauges().last_batch, 5, "the closures must share one commit for this test to mean anything");
    assert_eq!(count_items(&store).await, 2);
    insert_item(&store, 6).await.unwrap();
}

/// Those that did not fail run once more, and still share one commit; the next batches run each closure once.
#[tokio::test]
async fn a_failed_closure_costs_its_neighbours_one_run_and_no_commit() {
    let file = SqliteFile::new();
    let store = file.open();
    create_items(&store).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = |id: i64| {
        let runs = Arc::clone(&runs);
        move |tx: &mut Tx<'_>| {
            runs.fetch_add(1, Ordering::Relaxed);
            insert(tx, id)
        }
    };
    let held = Held::writer(&store).await;
    let first = enqueue(&store, counted(1)).await;
    let failing = enqueue(&store, |tx| {
        insert(tx, 2)?;
        Err::<(), _>(StoreError::Corrupt("refused by the closure"))
    })
    .await;
    let last = enqueue(&store, counted(3)).await;
    held.release().await;
    first.await.unwrap().unwrap();
    assert!(failing.await.unwrap().is_err());
    last.await.unwrap().unwrap();
    assert_eq!(store.gauges().last_batch, 3);
    assert_eq!(runs.load(Ordering::Relaxed), 3, "the first one twice, the last one once");
    let held = Held::writer(&store).await;
    let next = [enqueue(&store, counted(4)).await, enqueue(&store, counted(5)).await];
    held.release().await;
    for inserted in next {
        inserted.await.unwrap().unwrap();
    }
    assert_eq!(runs.load(Ordering::Relaxed), 5);
    assert_eq!(count_items(&store).await, 4);
}

/// A reader may answer several closures from one snapshot, but none from one that is older than the question.
#[tokio::test]
async fn a_read_sees_what_was_committed_before_it_was_asked_for() {
    let file = SqliteFile::new();
    let store = file.open_with(&SqliteOptions { readers: 1, ..SqliteOptions::default() });
    create_items(&store).await;
    let (gate, entered, release) = gate();
    let reading = tokio::spawn({
        let store = store.clone();
        async move {
            let found: Result<i64, StoreError> = store
                .read(move |tx| {
                    let count = tx.query_one(&COUNT, &[], |row| row.get(0))?;
                    gate.pass();
                    Ok(count)
                })
                .await;
            found.unwrap()
        }
    });
    entered.await.unwrap();
    insert_item(&store, 1).await.unwrap();
    let later = tokio::spawn({
        let store = store.clone();
        async move { count_items(&store).await }
    });
    // It waits in the queue.
    while store.gauges().waiting == 0 && !later.is_finished() {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    assert_eq!(reading.await.unwrap(), 0);
    assert_eq!(later.await.unwrap(), 1);
}

#[tokio::test]
async fn a_panicking_read_does_not_stop_the_reader() {
    let file = SqliteFile::new();
    let store = file.open_with(&SqliteOptions { readers: 1, ..SqliteOptions::default() });
    create_items(&store).await;
    let outcome: Result<(), StoreError> = store.read(|_| panic!("on purpose")).await;
    assert!(matches!(outcome, Err(StoreError::Database(_))));
    assert_eq!(count_items(&store).await, 0);
}

#[tokio::test]
async fn an_answer_waits_for_the_commit_of_its_batch() {
    let file = SqliteFile::new();
    let store = file.open();
    create_items(&store).await;
    let held = Held::writer(&store).await;
    let early = enqueue(&store, |tx| insert(tx, 1)).await;
    let (gate, entered, release) = gate();
    let late = enqueue(&store, move |_| {
        gate.pass();
        Ok(())
    })
    .await;
    held.release().await;
    entered.await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    // The insert has run, its neighbour still runs: nothing is committed, so nothing is answered.
    assert!(!early.is_finished());
    assert_eq!(count_items(&store).await, 0);
    release.send(()).unwrap();
    early.await.unwrap().unwrap();
    assert_eq!(count_items(&store).await, 1);
    late.await.unwrap().unwrap();
}

async fn set_max_pages(store: &Store, spare: i64) {
    let pages: Result<i64, StoreError> = store.read(|tx| tx.query_one(&PAGE_COUNT, &[], |row| row.get(0))).await;
    let sql: &'static str = format!("PRAGMA max_page_count = {}", pages.unwrap() + spare).leak();
    let statement: &'static Statement = Box::leak(Box::new(Statement::new("tests::MAX_PAGES", sql)));
    let set: Result<i64, StoreError> = store.write(|tx| tx.query_one(statement, &[], |row| row.get(0))).await;
    set.unwrap();
}

async fn assert_intact(store: &Store) {
    let verdict: Result<String, StoreError> = store.read(|tx| tx.query_one(&CHECK, &[], |row| row.get(0))).await;
    assert_eq!(verdict.unwrap(), "ok");
}

fn insert_megabyte(tx: &mut Tx<'_>, id: i64) -> Result<(), StoreError> {
    let data = vec![7u8; 1 << 20];
    tx.execute_expecting(&INSERT_DATA, &[id.into(), Value::Bytes(&data)], 1)
}

#[tokio::test]
async fn a_full_disk_fails_one_closure_and_spares_the_others() {
    let file = SqliteFile::new();
    let store = file.open();
    create_items(&store).await;
    set_max_pages(&store, 4).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let held = Held::writer(&store).await;
    let first = enqueue(&store, {
        let runs = Arc::clone(&runs);
        move |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            insert(tx, 1)
        }
    })
    .await;
    let large = enqueue(&store, |tx| insert_megabyte(tx, 2)).await;
    let last = enqueue(&store, |tx| insert(tx, 3)).await;
    held.release().await;
    assert!(matches!(large.await.unwrap(), Err(StoreError::Unavailable)));
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert_eq!(store.gauges().last_batch, 3);
    assert_eq!(runs.load(Ordering::Relaxed), 2, "SQLite rolled the whole batch back, so the first closure ran again");
    assert_eq!(count_items(&store).await, 2);
    assert_intact(&store).await;
    // Space again: recovers by itself.
    set_max_pages(&store, 100_000).await;
    store.write(|tx| insert_megabyte(tx, 2)).await.unwrap();
    assert_eq!(count_items(&store).await, 3);
}

#[tokio::test]
async fn a_completely_full_disk_refuses_writes_and_still_reads() {
    let file = SqliteFile::new();
    let store = file.open();
    create_items(&store).await;
    insert_item(&store, 1).await.unwrap();
    set_max_pages(&store, 0).await;
    let held = Held::writer(&store).await;
    let mut tasks = Vec::new();
    for id in 10..20 {
        tasks.push(enqueue(&store, move |tx| insert_megabyte(tx, id)).await);
    }
    held.release().await;
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Err(StoreError::Unavailable)));
    }
    assert_eq!(count_items(&store).await, 1);
    set_max_pages(&store, 100_000).await;
    store.write(|tx| insert_megabyte(tx, 10)).await.unwrap();
    assert_intact(&store).await;
}

#[tokio::test]
async fn an_endless_read_is_cut_off_and_the_reader_goes_on() {
    let file = SqliteFile::new();
    let options = SqliteOptions { readers: 1, read_budget: Duration::from_millis(50), ..SqliteOptions::default() };
    let store = file.open_with(&options);
    create_items(&store).await;
    let outcome: Result<i64, StoreError> = store.read(|tx| tx.query_one(&ENDLESS, &[], |row| row.get(0))).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable)), "{outcome:?}");
    assert_eq!(count_items(&store).await, 0);
}

#[tokio::test]
async fn an_endless_write_is_cut_off_and_its_neighbours_commit() {
    static ENDLESS_INSERT: Statement = Statement::new(
        "tests::ENDLESS_INSERT",
        "INSERT INTO items (id) WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    );
    let file = SqliteFile::new();
    let store = file.open_with(&SqliteOptions { write_budget: Duration::from_millis(50), ..SqliteOptions::default() });
    create_items(&store).await;
    let held = Held::writer(&store).await;
    let first = enqueue(&store, |tx| insert(tx, 1)).await;
    let endless = enqueue(&store, |tx| tx.execute(&ENDLESS_INSERT, &[])).await;
    let last = enqueue(&store, |tx| insert(tx, 2)).await;
    held.release().await;
    assert!(matches!(endless.await.unwrap(), Err(StoreError::Unavailable)));
    first.await.unwrap().unwrap();
    last.await.unwrap().unwrap();
    assert_eq!(count_items(&store).await, 2);
}

#[tokio::test]
async fn a_file_held_by_another_process_is_unavailable_not_an_error() {
    let file = SqliteFile::new();
    let store = file.open_with(&SqliteOptions { busy_timeout: Duration::from_millis(20), ..SqliteOptions::default() });
    create_items(&store).await;
    let other = rusqlite::Connection::open(&file.path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(insert_item(&store, 1).await, Err(StoreError::Unavailable)));
    other.execute_batch("ROLLBACK").unwrap();
    insert_item(&store, 1).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let file = SqliteFile::new();
    let store = file.open();
    create_items(&store).await;
    for entry in std::fs::read_dir(file.path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_reported_and_left_alone() {
    let file = SqliteFile::new();
    let content = "not a database ".repeat(1000);
    std::fs::write(&file.path, &content).unwrap();
    let opened = Store::open_sqlite(&file.path, &SqliteOptions::default());
    assert!(matches!(opened, Err(StoreError::Corrupt(_))), "{opened:?}");
    assert_eq!(std::fs::read_to_string(&file.path).unwrap(), content);
}
