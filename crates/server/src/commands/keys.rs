//! `doorward keys …`.

use doorward_app::key_rotation::ListedKey;
use doorward_app::keys::rotation::KeyChange;
use doorward_model::time::Timestamp;
use serde_json::{Value, json};

use super::failure::Failure;
use super::opened::Opened;
use super::output::Output;
use super::table;
use crate::cli::keys::{KeysCommand, Rotate};
use crate::configuration::Configuration;

/// Does what the command says.
pub async fn run(configuration: Configuration, command: KeysCommand, output: Output) -> Result<(), Failure> {
    let opened = Opened::existing(configuration).await?;
    let done = match &command {
        KeysCommand::List => list(&opened, output).await,
        KeysCommand::Rotate(flags) => rotate(&opened, flags, output).await,
    };
    opened.close().await;
    done
}

async fn list(opened: &Opened, output: Output) -> Result<(), Failure> {
    let keys = opened.app().list_keys().await?;
    let data: Vec<Value> = keys.iter().map(present).collect();
    output.answer(&json!({ "data": data }), || {
        let rows: Vec<[String; 7]> = keys.iter().map(row).collect();
        table::aligned(["ID", "ALGORITHM", "STATE", "PUBLISHED", "SIGNS FROM", "RETIRED", "GONE"], &rows)
    })
}

async fn rotate(opened: &Opened, flags: &Rotate, output: Output) -> Result<(), Failure> {
    let changes = opened.app().rotate_keys(&opened.op(), flags.emergency).await?;
    let listed: Vec<Value> = changes.iter().map(changed).collect();
    output.answer(&json!({ "changes": listed }), || {
        if changes.is_empty() {
            return "Nothing changed: a rotation is under way already. doorward keys list shows it.\n".to_owned();
        }
        let line =
            |change: &KeyChange| format!("{}  {}  {}\n", change.id, change.algorithm.as_str(), change.state.as_str());
        let lines = changes.iter().map(line);
        let next = if flags.emergency {
            "Every token signed so far is dead. Running servers follow within seconds.\n"
        } else {
            "The new keys sign as soon as every verifier can know them; a running server sees to that.\n"
        };
        lines.collect::<String>() + next
    })
}

fn changed(change: &KeyChange) -> Value {
    json!({ "id": change.id, "algorithm": change.algorithm.as_str(), "state": change.state.as_str() })
}

fn row(key: &ListedKey) -> [String; 7] {
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    [
        key.id.to_string(),
        key.algorithm.clone(),
        key.state.as_str().to_owned(),
        key.published_at.to_string(),
        key.active_at.to_string(),
        time(key.retired_at),
        time(key.gone_at),
    ]
}

fn present(key: &ListedKey) -> Value {
    json!({
        "id": key.id,
        "algorithm": key.algorithm,
        "state": key.state.as_str(),
        "published_at": key.published_at,
        "active_at": key.active_at,
        "retired_at": key.retired_at,
        "gone_at": key.gone_at,
    })
}
