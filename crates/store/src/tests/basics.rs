//! Parameters, values, rows and errors mean the same on both databases.

use super::support::{count_items, create_items, insert_item, on_both};
use crate::{Durability, Statement, StoreError, Value};

static INSERT_OUT_OF_ORDER: Statement =
    Statement::new("tests::INSERT_OUT_OF_ORDER", "INSERT INTO items (data, flag, label, id) VALUES ($4, $3, $2, $1)");
static FIND: Statement = Statement::new("tests::FIND", "SELECT id, label, flag, data FROM items WHERE id = $1");
static LIST: Statement = Statement::new("tests::LIST", "SELECT id FROM items ORDER BY id LIMIT $1");

type Item = (i64, Option<String>, Option<bool>, Option<Vec<u8>>);

async fn round_trip(store: &crate::Store, values: [Value<'static>; 4]) -> Item {
    let written: Result<Item, StoreError> = store
        .write(move |tx| {
            tx.execute_expecting(&INSERT_OUT_OF_ORDER, &values, 1)?;
            tx.query_one(&FIND, &values[..1], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        })
        .await;
    written.unwrap()
}

#[tokio::test]
async fn parameters_are_bound_by_number_even_out_of_order() {
    on_both(|store| async move {
        create_items(&store).await;
        let item = round_trip(&store, [7_i64.into(), "label".into(), true.into(), [1u8, 2].as_slice().into()]).await;
        assert_eq!(item, (7, Some("label".to_owned()), Some(true), Some(vec![1, 2])));
    })
    .await;
}

#[tokio::test]
async fn nulls_are_typed() {
    on_both(|store| async move {
        create_items(&store).await;
        let nulls = [1_i64.into(), Value::NullText, Value::NullBoolean, Value::NullBytes];
        assert_eq!(round_trip(&store, nulls).await, (1, None, None, None));
        // The same prepared statements take values afterwards.
        let item = round_trip(&store, [2_i64.into(), "".into(), false.into(), [].as_slice().into()]).await;
        assert_eq!(item, (2, Some(String::new()), Some(false), Some(Vec::new())));
    })
    .await;
}

#[tokio::test]
async fn the_wrong_number_of_parameters_is_an_error() {
    on_both(|store| async move {
        create_items(&store).await;
        for values in [vec![], vec![1_i64.into(), 2_i64.into()]] {
            let outcome: Result<i64, StoreError> =
                store.read(move |tx| tx.query_one(&FIND, &values, |row| row.get(0))).await;
            assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn another_number_of_rows_than_expected_is_an_error_and_rolls_back() {
    on_both(|store| async move {
        create_items(&store).await;
        let outcome: Result<(), StoreError> = store
            .write(|tx| {
                tx.execute_expecting(&super::support::INSERT_ITEM, &[1_i64.into()], 1)?;
                tx.execute_expecting(&super::support::INSERT_ITEM, &[2_i64.into()], 2)
            })
            .await;
        assert!(matches!(outcome, Err(StoreError::UnexpectedRows { expected: 2, actual: 1, .. })), "{outcome:?}");
        assert_eq!(count_items(&store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_query_for_one_row_refuses_none_and_two() {
    on_both(|store| async move {
        create_items(&store).await;
        let one: Result<i64, StoreError> =
            store.read(|tx| tx.query_one(&LIST, &[9_i64.into()], |row| row.get(0))).await;
        assert!(matches!(one, Err(StoreError::UnexpectedRows { actual: 0, .. })), "{one:?}");
        insert_item(&store, 1).await.unwrap();
        insert_item(&store, 2).await.unwrap();
        let optional: Result<Option<i64>, StoreError> =
            store.read(|tx| tx.query_optional(&LIST, &[9_i64.into()], |row| row.get(0))).await;
        assert!(matches!(optional, Err(StoreError::UnexpectedRows { actual: 2, .. })), "{optional:?}");
        let all: Result<Vec<i64>, StoreError> =
            store.read(|tx| tx.query_all(&LIST, &[9_i64.into()], |row| row.get(0))).await;
        assert_eq!(all.unwrap(), [1, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_duplicate_is_a_conflict() {
    on_both(|store| async move {
        create_items(&store).await;
        insert_item(&store, 1).await.unwrap();
        let again = insert_item(&store, 1).await;
        assert!(matches!(&again, Err(StoreError::Conflict(name)) if name.contains("items")), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn nothing_runs_after_a_failed_statement_and_nothing_is_committed() {
    on_both(|store| async move {
        create_items(&store).await;
        insert_item(&store, 1).await.unwrap();
        let outcome: Result<(), StoreError> = store
            .write(|tx| {
                tx.execute(&super::support::INSERT_ITEM, &[2_i64.into()])?;
                // Swallowing the error must not commit item 2.
                assert!(tx.execute(&super::support::INSERT_ITEM, &[1_i64.into()]).is_err());
                assert!(tx.execute(&super::support::INSERT_ITEM, &[3_i64.into()]).is_err());
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        assert_eq!(count_items(&store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_read_cannot_write() {
    on_both(|store| async move {
        create_items(&store).await;
        let outcome: Result<u64, StoreError> =
            store.read(|tx| tx.execute(&super::support::INSERT_ITEM, &[1_i64.into()])).await;
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        assert_eq!(count_items(&store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_column_of_another_type_is_corrupt_not_a_guess() {
    on_both(|store| async move {
        create_items(&store).await;
        let _ =
            round_trip(&store, [1_i64.into(), "text".into(), Value::NullBoolean, [1u8; 31].as_slice().into()]).await;
        let number: Result<i64, StoreError> =
            store.read(|tx| tx.query_one(&FIND, &[1_i64.into()], |row| row.get(1))).await;
        assert!(matches!(number, Err(StoreError::Corrupt(_))), "{number:?}");
        let null: Result<bool, StoreError> =
            store.read(|tx| tx.query_one(&FIND, &[1_i64.into()], |row| row.get(2))).await;
        assert!(matches!(null, Err(StoreError::Corrupt(_))), "{null:?}");
        let hash: Result<[u8; 32], StoreError> =
            store.read(|tx| tx.query_one(&FIND, &[1_i64.into()], |row| row.get(3))).await;
        assert!(matches!(hash, Err(StoreError::Corrupt(_))), "{hash:?}");
    })
    .await;
}

#[tokio::test]
async fn text_with_a_nul_character_is_refused() {
    on_both(|store| async move {
        create_items(&store).await;
        let outcome: Result<u64, StoreError> = store
            .write(|tx| tx.execute(&INSERT_OUT_OF_ORDER, &[1_i64.into(), "a\0b".into(), true.into(), Value::NullBytes]))
            .await;
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
    })
    .await;
}

#[tokio::test]
async fn a_commit_is_durable_on_the_connections_that_commit() {
    on_both(|store| async move {
        let durability = store.durability().await.unwrap();
        assert!(durability.is_durable(), "{durability:?}");
        if store.is_sqlite() {
            let expected = Durability::Sqlite { journal_mode: "wal".to_owned(), synchronous: "2".to_owned() };
            assert_eq!(durability, expected);
        }
    })
    .await;
}

#[test]
fn debug_shows_no_value() {
    assert_eq!(format!("{:?}", [Value::Text("secret"), Value::Integer(42)]), "[Text, Integer]");
}
