//! `doorward apply`.

use std::path::{Path, PathBuf};

use doorward_app::clients::declared::{DeclaredClient, DeclaredError, FieldChange, PlannedClient, Step};
use doorward_model::secret::{PlainToken, SecretText};
use doorward_model::time::SECOND_MS;
use serde_json::{Map, Value, json};

use super::client::explain;
use super::failure::Failure;
use super::opened::Opened;
use super::output::Output;
use crate::cli::apply::Apply;
use crate::configuration::Configuration;

/// No list of applications is larger.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// No file with a secret is larger.
const MAX_SECRET_BYTES: u64 = 1024;
/// No value is shown longer.
const SHOWN: usize = 100;

/// What happened to one application, or would happen.
struct Told {
    id: String,
    step: Step,
    secret: Option<PlainToken>,
}

/// Does what the command says.
pub async fn run(configuration: Configuration, flags: Apply, output: Output) -> Result<(), Failure> {
    // Everything that was written is judged before anything is opened.
    let declared = read(&flags.file)?;
    let opened =
        if flags.dry_run { Opened::existing(configuration).await? } else { Opened::or_new(configuration).await? };
    let done = apply(&opened, declared, &flags).await;
    opened.close().await;
    tell(&done?, &flags, output)
}

async fn apply(opened: &Opened, declared: Vec<DeclaredClient>, flags: &Apply) -> Result<Vec<Told>, Failure> {
    let planned =
        opened.app().plan_clients(declared, flags.prune).await.map_err(|error| refused(&flags.file, error))?;
    let mut told = Vec::new();
    for client in planned {
        let (id, step) = (client.id.clone(), client.step.clone());
        let secret = if flags.dry_run { None } else { carry_out(opened, client, flags).await? };
        told.push(Told { id, step, secret });
    }
    Ok(told)
}

async fn carry_out(opened: &Opened, client: PlannedClient, flags: &Apply) -> Result<Option<PlainToken>, Failure> {
    let id = client.id.clone();
    let overlap_ms = i64::from(flags.overlap_seconds) * SECOND_MS;
    let done = opened.app().carry_out(&opened.op(), client, overlap_ms).await;
    done.map_err(|error| {
        Failure::new(format!("{id}: {}; what stands before it in the file is done", explain(error).text()))
    })
}

fn refused(file: &Path, error: DeclaredError) -> Failure {
    match error {
        DeclaredError::Failure(failure) => failure.into(),
        DeclaredError::Refused(problems) => {
            let lines =
                problems.iter().map(|it| format!("\n  {}: {} {}", it.client, it.problem.field, it.problem.message));
            Failure::new(format!(
                "{} is refused, and nothing was changed:{}",
                file.display(),
                lines.collect::<String>()
            ))
        }
    }
}

fn read(file: &Path) -> Result<Vec<DeclaredClient>, Failure> {
    let shown = file.display();
    let text = read_text(file, MAX_FILE_BYTES)?;
    let malformed = |what: &str| Failure::new(format!("{shown}: {what}; doorward apply --help shows the form"));
    let mut table: Map<String, Value> =
        toml::from_str(&text).map_err(|error| Failure::new(format!("{shown} is no TOML: {error}")))?;
    let clients = table.remove("client").unwrap_or_else(|| json!([]));
    if let Some(name) = table.keys().next() {
        return Err(malformed(&format!("{name} is no part of it")));
    }
    let Value::Array(clients) = clients else { return Err(malformed("client is no list: write [[client]]")) };
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let read = clients.into_iter().enumerate().map(|(index, client)| {
        let Value::Object(mut members) = client else { return Err(malformed("client is no list of tables")) };
        let Some(Value::String(id)) = members.remove("client_id") else {
            return Err(malformed(&format!("application {} has no client_id", index + 1)));
        };
        let secret = match members.remove("client_secret_file") {
            None => None,
            Some(Value::String(name)) => Some(read_secret(&folder.join(PathBuf::from(name)))?),
            Some(_) => return Err(malformed(&format!("client_secret_file of {id} is no text"))),
        };
        Ok(DeclaredClient { id, members, secret })
    });
    read.collect()
}

fn read_secret(file: &Path) -> Result<SecretText, Failure> {
    let text = zeroize::Zeroizing::new(read_text(file, MAX_SECRET_BYTES)?);
    Ok(SecretText::new(text.trim().to_owned()))
}

fn read_text(file: &Path, most: u64) -> Result<String, Failure> {
    let shown = file.display();
    let unreadable = |error: std::io::Error| Failure::new(format!("{shown} cannot be read: {error}"));
    if std::fs::metadata(file).map_err(unreadable)?.len() > most {
        return Err(Failure::new(format!("{shown} is larger than {most} bytes")));
    }
    std::fs::read_to_string(file).map_err(unreadable)
}

fn tell(told: &[Told], flags: &Apply, output: Output) -> Result<(), Failure> {
    let clients: Vec<Value> = told.iter().map(present).collect();
    output.answer(&json!({"dry_run": flags.dry_run, "clients": clients}), || {
        let changes = told.iter().filter(|it| it.step != Step::Keep).count();
        let sum = match (changes, flags.dry_run) {
            (0, _) => format!("Nothing to do: {} as the file says.\n", counted(told.len())),
            (_, true) => format!("{} would change. Nothing was changed.\n", counted(changes)),
            (_, false) => format!("{} changed.\n", counted(changes)),
        };
        told.iter().flat_map(describe).chain([sum]).collect()
    })
}

fn counted(number: usize) -> String {
    if number == 1 { "1 application".to_owned() } else { format!("{number} applications") }
}

fn word(step: &Step) -> &'static str {
    match step {
        Step::Create => "create",
        Step::Change { .. } => "change",
        Step::Remove => "remove",
        Step::Keep => "keep",
    }
}

fn present(it: &Told) -> Value {
    let mut client = json!({"client_id": it.id, "action": word(&it.step)});
    if let Step::Change { fields, has_new_secret } = &it.step {
        let change =
            |change: &FieldChange| json!({"field": change.field, "before": change.before, "after": change.after});
        client["changes"] = fields.iter().map(change).collect();
        client["new_secret"] = json!(has_new_secret);
    }
    if let Some(secret) = &it.secret {
        client["client_secret"] = json!(secret.reveal().as_str());
    }
    client
}

fn describe(it: &Told) -> Vec<String> {
    let sign = match &it.step {
        Step::Create => '+',
        Step::Change { .. } => '~',
        Step::Remove => '-',
        Step::Keep => '=',
    };
    let mut lines = vec![format!("{sign} {}\n", it.id)];
    if let Step::Change { fields, has_new_secret } = &it.step {
        lines.extend(fields.iter().map(|change| {
            let (before, after) = (show(change.before.as_ref()), show(change.after.as_ref()));
            format!("    {}: {before} -> {after}\n", change.field)
        }));
        if *has_new_secret {
            lines.push("    another client_secret\n".to_owned());
        }
    }
    if let Some(secret) = &it.secret {
        lines.push(format!("    client_secret {}  (shown this once)\n", secret.reveal().as_str()));
    }
    lines
}

/// A value on one line.
fn show(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['\u{2026}']).collect() }
}
