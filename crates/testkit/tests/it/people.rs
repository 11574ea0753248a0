//! Who acts in the tests, and looks into the database that no API gives.

use doorward_store::{Statement, StoreError, Value};
use doorward_testkit::World;

/// The owner of an account.
pub(crate) const OWNER: &str = "owner@example.org";
/// Their password.
pub(crate) const PASSWORD: &str = "seven herons crossed a marsh";
/// Their next password.
pub(crate) const OTHER_PASSWORD: &str = "copper lanterns above the quay";
/// What a stranger tries.
pub(crate) const WRONG_PASSWORD: &str = "eleven badgers under an oak";
/// Where the owner is.
pub(crate) const HOME: &str = "198.51.100.7";
/// Where a stranger is.
pub(crate) const AWAY: &str = "203.0.113.66";

/// The address of the `number`th stranger: each in a network of its own.
pub(crate) fn stranger(number: usize) -> String {
    format!("10.{}.{}.9", number / 250, number % 250)
}

/// Counts rows.
pub(crate) async fn count(world: &World, statement: &'static Statement) -> i64 {
    let counted: Result<i64, StoreError> =
        world.store().read(move |tx| tx.query_one(statement, &[], |row| row.get(0))).await;
    counted.unwrap()
}

/// Reads one text.
pub(crate) async fn read_text(world: &World, statement: &'static Statement) -> String {
    let text: Result<String, StoreError> =
        world.store().read(move |tx| tx.query_one(statement, &[], |row| row.get(0))).await;
    text.unwrap()
}

/// Changes rows behind the application's back.
pub(crate) async fn change(world: &World, statement: &'static Statement, value: &str) {
    let value = value.to_owned();
    let changed: Result<(), StoreError> =
        world.store().write(move |tx| tx.execute_expecting(statement, &[Value::Text(&value)], 1)).await;
    changed.unwrap();
}
