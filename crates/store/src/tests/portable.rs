//! Statements stay in the subset that both databases share, and that databases with PostgreSQL's protocol share too.

use super::support::SqliteFile;
use crate::{Statement, all_statements};

/// What ties a statement to one database, one connection or the clock of the database.
const FORBIDDEN: &[&str] = &[
    "SKIP LOCKED",
    "LISTEN",
    "NOTIFY",
    "ADVISORY",
    "NEXTVAL",
    "ROWID",
    "AUTOINCREMENT",
    "SERIAL",
    "NOW(",
    "'NOW'",
    "CURRENT_TIME",
    "CURRENT_DATE",
    "CLOCK_TIMESTAMP",
    "RANDOM(",
    "GEN_RANDOM",
];

/// The lock of the migrations is taken at start, and the comparison of the two clocks has to ask for the other one.
const MAY: &[(&str, &str)] = &[
    ("migrations::", "ADVISORY"),
    ("database_clock::", "NOW("),
    ("database_clock::", "'NOW'"),
    ("database_clock::", "CLOCK_TIMESTAMP"),
];

fn texts(statement: &Statement) -> [String; 2] {
    [statement.sqlite, statement.postgres].map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn fewer_than_ten_statements_differ() {
    let differing: Vec<_> =
        all_statements().filter(|each| each.sqlite != each.postgres).map(|each| each.name).collect();
    assert!(differing.len() < 10, "{differing:#?}");
    assert!(!differing.is_empty(), "reading the clock of the database has no common spelling");
}

#[test]
fn no_statement_leaves_the_shared_subset() {
    let mut found = Vec::new();
    for statement in all_statements() {
        for text in texts(statement).map(|text| text.to_uppercase()) {
            for word in FORBIDDEN.iter().filter(|word| text.contains(**word)) {
                if !MAY.iter().any(|(module, allowed)| statement.name.contains(module) && allowed == word) {
                    found.push(format!("{}: {word}", statement.name));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The two databases disagree about where rows without a value go.
#[tokio::test]
async fn nothing_is_ordered_by_what_may_be_missing_without_saying_where_that_goes() {
    let file = SqliteFile::new();
    let store = file.open();
    store.migrate().await.unwrap();
    store.close().await;
    let connection = rusqlite::Connection::open(&file.path).unwrap();
    let mut columns = connection
        .prepare("SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' AND c.\"notnull\" = 0")
        .unwrap();
    let nullable: Vec<(String, String)> =
        columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert!(nullable.iter().any(|(_, column)| column == "revoked_at"), "a schema without such columns proves nothing");
    let mut orders = 0;
    for statement in all_statements() {
        for text in texts(statement) {
            for order in text.split("ORDER BY ").skip(1) {
                orders += 1;
                let end = ["LIMIT", "RETURNING", ")"].iter().filter_map(|end| order.find(end)).min();
                for term in order[..end.unwrap_or(order.len())].split(',') {
                    let column = term.split_whitespace().next().unwrap().rsplit('.').next().unwrap();
                    let of_this_statement = |(table, missing): &(String, String)| {
                        missing == column
                            && text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == table)
                    };
                    let is_said = !nullable.iter().any(of_this_statement) || term.contains("NULLS ");
                    assert!(is_said, "{}: ORDER BY {term}", statement.name);
                }
            }
        }
    }
    assert!(orders > 10, "{orders}");
}
