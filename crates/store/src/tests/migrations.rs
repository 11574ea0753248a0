//! Schema changes are applied once, in order, by one node at a time.

use super::support::{PostgresDatabase, SqliteFile, on_both};
use crate::migrations::{MIGRATIONS, Migration, MigrationError, run_all, status, status_of};
use crate::{Statement, Store, StoreError};

static TWO: &[Migration] = &[
    Migration { number: 1, script: Statement::new("0001_one", "CREATE TABLE one (id BIGINT NOT NULL PRIMARY KEY)") },
    Migration { number: 2, script: Statement::new("0002_two", "CREATE TABLE two (id BIGINT NOT NULL PRIMARY KEY)") },
];
static BROKEN: &[Migration] = &[
    Migration { number: 1, script: Statement::new("0001_one", "CREATE TABLE one (id BIGINT NOT NULL PRIMARY KEY)") },
    Migration { number: 2, script: Statement::new("0002_two", "CREATE TABLE one (id BIGINT NOT NULL PRIMARY KEY)") },
];

async fn change(store: &Store, sql: &'static str) {
    let statement: &'static Statement = Box::leak(Box::new(Statement::new("tests::CHANGE", sql)));
    let changed: Result<(), StoreError> = store.write(|tx| tx.execute_expecting(statement, &[], 1)).await;
    changed.unwrap();
}

#[tokio::test]
async fn migrating_twice_changes_nothing_the_second_time() {
    on_both(|store| async move {
        let before = status(&store).await.unwrap();
        assert!(before.applied.is_empty());
        assert_eq!(before.pending.len(), MIGRATIONS.len());
        let first = store.migrate().await.unwrap();
        assert_eq!(first.applied, before.pending);
        assert_eq!(store.migrate().await.unwrap(), first);
        assert_eq!(status(&store).await.unwrap(), first);
    })
    .await;
}

async fn migrate_all(stores: &[Store]) {
    let tasks: Vec<_> = stores
        .iter()
        .map(|store| {
            let store = store.clone();
            tokio::spawn(async move { store.migrate().await })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap().unwrap().pending.is_empty());
    }
    for store in stores {
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_may_start_at_once() {
    for _ in 0..3 {
        let file = SqliteFile::new();
        migrate_all(&[file.open(), file.open(), file.open(), file.open()]).await;
        let database = PostgresDatabase::new();
        migrate_all(&[database.open(), database.open(), database.open(), database.open()]).await;
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    on_both(|store| async move {
        run_all(&store, TWO).await.unwrap();
        let older = &TWO[..1];
        for outcome in [run_all(&store, older).await, status_of(&store, older).await] {
            let Err(error @ MigrationError::Newer { found: 2, known: 1 }) = outcome else { panic!("{outcome:?}") };
            assert!(error.to_string().contains("run the newer version"), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_change_with_another_content_is_refused() {
    on_both(|store| async move {
        run_all(&store, TWO).await.unwrap();
        let outcome = run_all(&store, BROKEN).await;
        assert!(matches!(&outcome, Err(MigrationError::Changed { name }) if name == "0002_two"), "{outcome:?}");
    })
    .await;
}

#[tokio::test]
async fn a_missing_older_change_is_refused() {
    on_both(|store| async move {
        run_all(&store, TWO).await.unwrap();
        change(&store, "DELETE FROM schema_migrations WHERE number = 1").await;
        let outcome = run_all(&store, TWO).await;
        assert!(matches!(&outcome, Err(MigrationError::Gap { name }) if name == "0001_one"), "{outcome:?}");
    })
    .await;
}

#[tokio::test]
async fn a_failing_change_leaves_nothing_behind() {
    on_both(|store| async move {
        let outcome = run_all(&store, BROKEN).await;
        assert!(matches!(outcome, Err(MigrationError::Store(StoreError::Database(_)))), "{outcome:?}");
        assert!(status_of(&store, TWO).await.unwrap().applied.is_empty());
        run_all(&store, TWO).await.unwrap();
    })
    .await;
}

#[test]
fn changes_are_numbered_without_gaps_and_named_after_their_number() {
    for (position, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(migration.number, i64::try_from(position).unwrap() + 1);
        assert!(migration.script.name.starts_with(&format!("{:04}_", migration.number)));
    }
}
