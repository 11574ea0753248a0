//! `doorward client create-token|list-tokens|delete-token`: with what applications register themselves.

use doorward_app::clients::registration::{InitialAccess, InitialAccessToken};
use doorward_model::id::InitialAccessId;
use doorward_model::time::DAY_MS;
use serde_json::{Value, json};

use crate::cli::client::{CreateToken, WhichToken};
use crate::commands::failure::Failure;
use crate::commands::opened::Opened;
use crate::commands::output::Output;
use crate::commands::table;

/// Nobody notes more.
const MAX_NOTE_CHARS: usize = 200;

pub(super) async fn create(opened: &Opened, flags: &CreateToken, output: Output) -> Result<(), Failure> {
    if flags.note.as_ref().is_some_and(|note| note.chars().count() > MAX_NOTE_CHARS || note.contains(char::is_control))
    {
        return Err(Failure::new(format!("the note must be one line of at most {MAX_NOTE_CHARS} characters")));
    }
    let access =
        InitialAccess { note: flags.note.clone(), uses: flags.uses, lifetime_ms: i64::from(flags.days) * DAY_MS };
    let (made, token) = opened.app().create_initial_token(&opened.op(), access).await?;
    let token = token.reveal();
    let mut answer = present(&made);
    answer["initial_access_token"] = json!(token.as_str());
    output.answer(&answer, || {
        let mut text = table::listed(&[
            ("token", format!("{}  (shown this once)", token.as_str())),
            ("id", made.id.to_string()),
            ("good for", format!("{} registrations", made.uses_left)),
            ("until", made.expires_at.to_string()),
        ]);
        if !opened.app().lets_clients_register() {
            text.push_str("Set applications.registration = true, or the server takes no registrations.\n");
        }
        text
    })
}

pub(super) async fn list(opened: &Opened, output: Output) -> Result<(), Failure> {
    let tokens = opened.app().list_initial_tokens(&opened.op()).await?;
    let data: Vec<Value> = tokens.iter().map(present).collect();
    output.answer(&json!({ "data": data }), || {
        let row = |it: &InitialAccessToken| {
            [
                it.id.to_string(),
                it.note.clone().unwrap_or_default(),
                it.uses_left.to_string(),
                it.expires_at.to_string(),
            ]
        };
        let rows: Vec<[String; 4]> = tokens.iter().map(row).collect();
        table::aligned(["TOKEN ID", "NOTE", "USES LEFT", "UNTIL"], &rows)
    })
}

pub(super) async fn delete(opened: &Opened, which: &WhichToken, output: Output) -> Result<(), Failure> {
    let unknown = || Failure::new(format!("there is no token {}; doorward client list-tokens shows all", which.token));
    let id = InitialAccessId::parse(&which.token).map_err(|_| unknown())?;
    if !opened.app().delete_initial_token(&opened.op(), id).await? {
        return Err(unknown());
    }
    output.answer(&json!({"deleted": id}), || format!("{id} is gone.\n"))
}

fn present(it: &InitialAccessToken) -> Value {
    json!({
        "id": it.id,
        "note": it.note,
        "uses_left": it.uses_left,
        "created_at": it.created_at,
        "expires_at": it.expires_at,
    })
}
