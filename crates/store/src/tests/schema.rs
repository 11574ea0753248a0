//! Both schemas mean the same, every foreign key and look-up has its index, every statement fits.

use std::collections::{BTreeMap, BTreeSet};

use super::support::{PostgresDatabase, SqliteFile, on_both};
use crate::{Statement, StoreError, all_statements};

/// A table without the spelling of its database.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name, kind, whether it may be null; in order.
    columns: Vec<(String, String, bool)>,
    primary_key: Vec<String>,
    /// By name: unique, partial, columns.
    indexes: BTreeMap<String, (bool, bool, Vec<String>)>,
    foreign_keys: BTreeSet<ForeignKey>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ForeignKey {
    column: String,
    target: String,
    target_column: String,
    on_delete: String,
}

type Schema = BTreeMap<String, Table>;

const LIST_TABLES_SQLITE: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";

fn read_sqlite(connection: &rusqlite::Connection) -> Schema {
    texts(connection, LIST_TABLES_SQLITE, "")
        .into_iter()
        .map(|name| (name.clone(), sqlite_table(connection, &name)))
        .collect()
}

fn sqlite_table(connection: &rusqlite::Connection, name: &str) -> Table {
    let mut table = Table::default();
    let mut columns =
        connection.prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1) ORDER BY cid").unwrap();
    let mut rows = columns.query([name]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let declared: String = row.get(1).unwrap();
        let kind = match declared.as_str() {
            "TEXT" => "text",
            "BIGINT" => "integer",
            "INTEGER" => "boolean",
            "BLOB" => "bytes",
            other => panic!("{name} has a column of type {other}"),
        };
        table.columns.push((row.get(0).unwrap(), kind.to_owned(), !row.get::<_, bool>(2).unwrap()));
    }
    table.primary_key = texts(connection, "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk", name);
    let mut indexes =
        connection.prepare("SELECT name, \"unique\", partial FROM pragma_index_list(?1) WHERE origin <> 'pk'").unwrap();
    let mut rows = indexes.query([name]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let index: String = row.get(0).unwrap();
        let columns =
            texts(connection, "SELECT COALESCE(name, 'expression') FROM pragma_index_info(?1) ORDER BY seqno", &index);
        table.indexes.insert(index, (row.get(1).unwrap(), row.get(2).unwrap(), columns));
    }
    let mut keys =
        connection.prepare("SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list(?1)").unwrap();
    let mut rows = keys.query([name]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        table.foreign_keys.insert(ForeignKey {
            column: row.get(0).unwrap(),
            target: row.get(1).unwrap(),
            target_column: row.get(2).unwrap(),
            on_delete: row.get(3).unwrap(),
        });
    }
    table
}

fn texts(connection: &rusqlite::Connection, sql: &str, parameter: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    if statement.parameter_count() == 1 {
        statement.raw_bind_parameter(1, parameter).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        all.push(row.get(0).unwrap());
    }
    all
}

fn read_postgres(client: &mut postgres::Client) -> Schema {
    let mut schema = Schema::new();
    let columns =
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES', collation_name::text
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position";
    for row in client.query(columns, &[]).unwrap() {
        let (table, column, declared): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let kind = match declared.as_str() {
            "text" => "text",
            "bigint" => "integer",
            "boolean" => "boolean",
            "bytea" => "bytes",
            other => panic!("{table}.{column} is of type {other}"),
        };
        let collation: Option<String> = row.get(4);
        assert_eq!(collation.as_deref(), (kind == "text").then_some("C"), "collation of {table}.{column}");
        schema.entry(table).or_default().columns.push((column, kind.to_owned(), row.get(3)));
    }
    let indexes = "SELECT t.relname::text, i.relname::text, x.indisprimary, x.indisunique, x.indpred IS NOT NULL,
            ARRAY(SELECT CASE WHEN x.indkey[k - 1] = 0 THEN 'expression' ELSE pg_get_indexdef(x.indexrelid, k, true) END
                FROM generate_series(1, x.indnkeyatts) AS k)
        FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
        WHERE t.relnamespace = 'public'::regnamespace";
    for row in client.query(indexes, &[]).unwrap() {
        let table = schema.get_mut(&row.get::<_, String>(0)).unwrap();
        let columns: Vec<String> = row.get(5);
        if row.get(2) {
            table.primary_key = columns;
        } else {
            table.indexes.insert(row.get(1), (row.get(3), row.get(4), columns));
        }
    }
    let keys = "SELECT t.relname::text, a.attname::text, f.relname::text, b.attname::text,
            CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END
        FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid JOIN pg_class AS f ON f.oid = c.confrelid
            JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
            JOIN pg_attribute AS b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
        WHERE c.contype = 'f'";
    for row in client.query(keys, &[]).unwrap() {
        let key = ForeignKey {
            column: row.get(1),
            target: row.get(2),
            target_column: row.get(3),
            on_delete: row.get::<_, String>(4),
        };
        schema.get_mut(&row.get::<_, String>(0)).unwrap().foreign_keys.insert(key);
    }
    schema
}

/// The schemas after all migrations: SQLite's, PostgreSQL's.
async fn read_both() -> (Schema, Schema) {
    let file = SqliteFile::new();
    let store = file.open();
    store.migrate().await.unwrap();
    store.close().await;
    let sqlite = read_sqlite(&rusqlite::Connection::open(&file.path).unwrap());
    let database = PostgresDatabase::new();
    let store = database.open();
    store.migrate().await.unwrap();
    store.close().await;
    let url = database.url.clone();
    let postgres =
        std::thread::spawn(move || read_postgres(&mut postgres::Client::connect(&url, postgres::NoTls).unwrap()));
    (sqlite, postgres.join().unwrap())
}

#[tokio::test]
async fn both_schemas_are_the_same() {
    let (sqlite, postgres) = read_both().await;
    assert!(sqlite.contains_key("users"), "an empty schema proves nothing");
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    for (name, table) in &sqlite {
        assert_eq!(Some(table), postgres.get(name), "table {name}: SQLite left, PostgreSQL right");
    }
}

/// Proves: S-101, S-180
#[tokio::test]
async fn every_foreign_key_column_is_indexed_in_both() {
    let (sqlite, postgres) = read_both().await;
    let mut keys = 0;
    for (name, table) in sqlite.iter().chain(&postgres) {
        for key in &table.foreign_keys {
            keys += 1;
            let leads = |columns: &[String]| columns.first() == Some(&key.column);
            let indexed = leads(&table.primary_key)
                || table.indexes.values().any(|(_, is_partial, columns)| !is_partial && leads(columns));
            assert!(indexed, "{name}.{} refers to {} without an index", key.column, key.target);
        }
    }
    assert!(keys > 0);
}

#[tokio::test]
async fn every_statement_prepares_on_both() {
    on_both(|store| async move {
        store.migrate().await.unwrap();
        for statement in all_statements() {
            let prepared: Result<(), StoreError> = store.write(move |tx| tx.prepare(statement)).await;
            if let Err(error) = prepared {
                panic!("{} on {store:?}: {error:?}", statement.name);
            }
        }
    })
    .await;
}

/// Statements that read a whole table on purpose, because the table is small or the job is rare.
///
/// The keys are a handful and all wanted. `deliveries::BACKLOG` counts for the metrics what is left after the
/// retention of finished deliveries. The throttle's rows are counted once a minute, up to the bound on their number.
const FULL_SCANS: &[&str] = &[
    "migrations::LIST_APPLIED",
    "deliveries::BACKLOG",
    "secret_keys::LIST",
    "signing_keys::LIST",
    "attempts::COUNT_ROWS",
    "mail_budgets::COUNT_ROWS",
];

/// Proves: S-32, S-101
#[tokio::test]
async fn no_look_up_reads_a_whole_table() {
    let file = SqliteFile::new();
    let store = file.open();
    store.migrate().await.unwrap();
    store.close().await;
    let connection = rusqlite::Connection::open(&file.path).unwrap();
    let tables: BTreeSet<String> = texts(&connection, LIST_TABLES_SQLITE, "").into_iter().collect();
    let mut scans = Vec::new();
    for statement in all_statements().filter(|statement| !FULL_SCANS.iter().any(|name| statement.name.ends_with(name)))
    {
        for step in query_plan(&connection, statement) {
            // "SCAN users" is a full read; "SCAN users USING COVERING INDEX" walks an order that was asked for.
            if step.strip_prefix("SCAN ").is_some_and(|rest| tables.contains(rest)) {
                scans.push(format!("{}: {step}", statement.name));
            }
        }
    }
    assert!(scans.is_empty(), "{scans:#?}");
}

fn query_plan(connection: &rusqlite::Connection, statement: &Statement) -> Vec<String> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sqlite)).unwrap();
    let mut rows = explain.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

#[test]
fn every_module_with_statements_is_in_the_catalogue() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let catalogue = include_str!("../catalog.rs");
    let mut modules = 0;
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if text.lines().any(|line| line.starts_with("statements! {")) {
            modules += 1;
            let module = path.file_stem().unwrap().to_str().unwrap();
            assert!(catalogue.contains(&format!("{module}::ALL")), "{module} is missing in catalog.rs");
        }
    }
    assert!(modules >= 2);
}
