//! `doorward client …`.

mod tokens;

use std::path::Path;

use doorward_app::clients::{ClientError, RegisteredClient};
use doorward_model::secret::{PlainToken, TokenKind};
use doorward_model::time::{SECOND_MS, Timestamp};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::opened::Opened;
use super::output::Output;
use super::switch::Switch;
use super::table;
use crate::cli::client::{ClientCommand, Fields, List, RotateSecret, Update, Which};
use crate::configuration::Configuration;
use crate::telemetry::sources::SystemRandom;

/// No registration is larger.
const MAX_METADATA_BYTES: u64 = 64 * 1024;

/// Does what the command says.
pub async fn run(configuration: Configuration, command: ClientCommand, output: Output) -> Result<(), Failure> {
    if matches!(command, ClientCommand::GenerateSecret) {
        return generate_secret(output);
    }
    // Everything that was typed is judged before anything is opened.
    let fields = match &command {
        ClientCommand::Create(fields) | ClientCommand::Update(Update { fields, .. }) => members(fields)?,
        _ => Map::new(),
    };
    let opened = match &command {
        ClientCommand::Create(_) | ClientCommand::CreateToken(_) => Opened::or_new(configuration).await?,
        _ => Opened::existing(configuration).await?,
    };
    let done = match &command {
        ClientCommand::Create(_) => create(&opened, fields, output).await,
        ClientCommand::List(flags) => list(&opened, flags, output).await,
        ClientCommand::Show(which) => show(&opened, which, output).await,
        ClientCommand::Update(Update { which, .. }) => update(&opened, which, fields, output).await,
        ClientCommand::RotateSecret(flags) => rotate(&opened, flags, output).await,
        ClientCommand::Disable(which) => switch(&opened, which, Switch::Off, output).await,
        ClientCommand::Enable(which) => switch(&opened, which, Switch::On, output).await,
        ClientCommand::Delete(which) => delete(&opened, which, output).await,
        ClientCommand::CreateToken(flags) => tokens::create(&opened, flags, output).await,
        ClientCommand::ListTokens => tokens::list(&opened, output).await,
        ClientCommand::DeleteToken(which) => tokens::delete(&opened, which, output).await,
        // Answered above, without data.
        ClientCommand::GenerateSecret => Ok(()),
    };
    opened.close().await;
    done
}

fn generate_secret(output: Output) -> Result<(), Failure> {
    let secret = PlainToken::new(TokenKind::ClientSecret, &SystemRandom);
    let secret = secret.reveal();
    output.answer(&json!({"client_secret": secret.as_str()}), || format!("{}\n", secret.as_str()))
}

async fn create(opened: &Opened, mut members: Map<String, Value>, output: Output) -> Result<(), Failure> {
    // A service that nobody is sent back to asks about tokens, and gets none unless somebody says which.
    if members.contains_key("served_resources") && !members.contains_key("redirect_uris") {
        members.entry("grant_types").or_insert_with(|| json!([]));
    }
    let new = opened.app().create_client(&opened.op(), members).await.map_err(explain)?;
    tell(&new.registered, new.secret.as_ref(), output)
}

async fn list(opened: &Opened, flags: &List, output: Output) -> Result<(), Failure> {
    let mut clients = opened.app().list_clients(&flags.after, flags.limit + 1).await?;
    let limit = usize::from(flags.limit);
    let has_more = clients.len() > limit;
    clients.truncate(limit);
    let next = clients.last().filter(|_| has_more).map(|it| it.client.id().to_string());
    let data: Vec<Value> = clients.iter().map(|it| present(it, None)).collect();
    output.answer(&json!({"data": data, "next_cursor": next}), || {
        let rows: Vec<[String; 5]> = clients.iter().map(row).collect();
        let mut text = table::aligned(["CLIENT ID", "NAME", "KIND", "STATE", "MADE"], &rows);
        if let Some(next) = &next {
            text.extend(["There are more: doorward client list --after ", next, "\n"]);
        }
        text
    })
}

async fn show(opened: &Opened, which: &Which, output: Output) -> Result<(), Failure> {
    let found = opened.app().find_client(&which.client).await?;
    tell(&found.ok_or_else(|| unknown(which))?, None, output)
}

async fn update(opened: &Opened, which: &Which, members: Map<String, Value>, output: Output) -> Result<(), Failure> {
    if members.is_empty() {
        return Err(Failure::new("nothing to change is named; doorward client update --help lists what can be"));
    }
    let updated = opened.app().update_client(&opened.op(), &which.client, members).await.map_err(explain)?;
    tell(&updated.ok_or_else(|| unknown(which))?, None, output)
}

async fn rotate(opened: &Opened, flags: &RotateSecret, output: Output) -> Result<(), Failure> {
    let overlap_ms = i64::from(flags.overlap_seconds) * SECOND_MS;
    let rotated = opened.app().rotate_client_secret(&opened.op(), &flags.which.client, overlap_ms).await;
    let secret = rotated.map_err(explain)?.ok_or_else(|| unknown(&flags.which))?;
    let secret = secret.reveal();
    let answer = json!({
        "client_id": flags.which.client,
        "client_secret": secret.as_str(),
        "previous_secret_good_for_seconds": flags.overlap_seconds,
    });
    output.answer(&answer, || {
        format!(
            "client_secret  {}\nIt is shown this once; the one before stays good for {} seconds.\n",
            secret.as_str(),
            flags.overlap_seconds
        )
    })
}

/// Doing it twice is as good as once.
async fn switch(opened: &Opened, which: &Which, to: Switch, output: Output) -> Result<(), Failure> {
    match to {
        Switch::Off => opened.app().disable_client(&opened.op(), &which.client).await?,
        Switch::On => opened.app().enable_client(&opened.op(), &which.client).await?,
    };
    show(opened, which, output).await
}

async fn delete(opened: &Opened, which: &Which, output: Output) -> Result<(), Failure> {
    if !opened.app().delete_client(&opened.op(), &which.client).await? {
        return Err(unknown(which));
    }
    output.answer(&json!({"deleted": which.client}), || format!("{} is gone.\n", which.client))
}

/// The flags as metadata in the form of RFC 7591; what is not named is left out.
fn members(fields: &Fields) -> Result<Map<String, Value>, Failure> {
    let mut members = fields.metadata.as_deref().map(read_metadata).transpose()?.unwrap_or_default();
    let list = |values: &[String]| (!values.is_empty()).then(|| json!(values));
    let method = fields.auth_method.as_deref().or(fields.public.then_some("none"));
    let named = [
        ("client_name", fields.name.as_ref().map(|name| json!(name))),
        ("redirect_uris", list(&fields.redirect_uri)),
        ("token_endpoint_auth_method", method.map(|method| json!(method))),
        ("grant_types", list(&fields.grant)),
        ("scope", (!fields.scope.is_empty()).then(|| json!(fields.scope.join(" ")))),
        ("resources", list(&fields.resource)),
        ("served_resources", list(&fields.serves)),
        ("consent", fields.first_party.then(|| json!("skip"))),
    ];
    members.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(members)
}

fn read_metadata(path: &Path) -> Result<Map<String, Value>, Failure> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| Failure::new(format!("{shown} cannot be read: {error}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_METADATA_BYTES {
        return Err(Failure::new(format!("{shown} is too large for a registration")));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    serde_json::from_str(&text).map_err(|error| Failure::new(format!("{shown} holds no JSON object: {error}")))
}

fn unknown(which: &Which) -> Failure {
    Failure::new(format!("there is no client {}; doorward client list shows all", which.client))
}

pub(super) fn explain(error: ClientError) -> Failure {
    match error {
        ClientError::Refused(problems) => {
            let lines = problems.iter().map(|problem| format!("\n  {} {}", problem.field, problem.message));
            Failure::new(format!("the registration is refused:{}", lines.collect::<String>()))
        }
        ClientError::Changed => Failure::new("somebody else changed the client just now; try again"),
        ClientError::Failure(failure) => failure.into(),
    }
}

fn tell(it: &RegisteredClient, secret: Option<&PlainToken>, output: Output) -> Result<(), Failure> {
    let revealed = secret.map(PlainToken::reveal);
    let revealed = revealed.as_ref().map(|secret| secret.as_str());
    output.answer(&present(it, revealed), || {
        let metadata = it.client.metadata();
        let uris: Vec<&str> =
            metadata.redirect_uris.iter().map(doorward_oidc::redirect_uri::RedirectUri::as_str).collect();
        let mut facts = vec![
            ("client_id", it.client.id().to_string()),
            ("name", name(it)),
            ("authenticates by", metadata.authentication.as_str().to_owned()),
            ("redirect URIs", uris.join(" ")),
            ("scope", metadata.scopes.to_string()),
            ("consent", metadata.consent.as_str().to_owned()),
            ("ID tokens", metadata.id_token_algorithm.as_str().to_owned()),
            ("state", Switch::of(it.disabled_at).to_string()),
            ("made", it.created_at.to_string()),
            ("changed", it.updated_at.to_string()),
        ];
        if let Some(secret) = revealed {
            facts.insert(1, ("client_secret", format!("{secret}  (shown this once)")));
        }
        table::listed(&facts)
    })
}

fn row(it: &RegisteredClient) -> [String; 5] {
    let kind = if it.client.is_public() { "public" } else { "confidential" };
    let state = Switch::of(it.disabled_at).to_string();
    [it.client.id().to_string(), name(it), kind.to_owned(), state, it.created_at.to_string()]
}

fn name(it: &RegisteredClient) -> String {
    it.client.name().unwrap_or_default().to_owned()
}

/// A client for machines: the metadata of RFC 7591 section 3.2.1, and when it changed.
fn present(it: &RegisteredClient, secret: Option<&str>) -> Value {
    let mut members = it.client.to_json();
    let time = |at: Option<Timestamp>| json!(at);
    members.insert("client_id".to_owned(), json!(it.client.id()));
    if let Some(secret) = secret {
        members.insert("client_secret".to_owned(), json!(secret));
    }
    members.insert("created_at".to_owned(), time(Some(it.created_at)));
    members.insert("updated_at".to_owned(), time(Some(it.updated_at)));
    members.insert("disabled_at".to_owned(), time(it.disabled_at));
    Value::Object(members)
}
