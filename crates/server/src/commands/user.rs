//! `doorward user …`.

use std::io::Read as _;

use doorward_app::op::Op;
use doorward_app::operators::NewUser;
use doorward_app::profile::User;
use doorward_app::signup::PasswordError;
use doorward_app::text::Texts;
use doorward_model::email::EmailAddress;
use doorward_model::id::UserId;
use doorward_model::locale::Locale;
use doorward_model::name::DisplayName;
use doorward_model::password::{Password, Violation};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::opened::Opened;
use super::output::Output;
use super::switch::Switch;
use super::table;
use crate::cli::user::{Create, List, UserCommand, Which};
use crate::configuration::Configuration;

/// More bytes than any password that is accepted.
const MAX_PASSWORD_BYTES: u64 = 8 * 1024;

/// Does what the command says.
pub async fn run(configuration: Configuration, command: UserCommand, output: Output) -> Result<(), Failure> {
    match command {
        UserCommand::Create(flags) => create(configuration, flags, output).await,
        UserCommand::List(flags) => list(configuration, &flags, output).await,
        UserCommand::Show(which) => {
            let opened = Opened::existing(configuration).await?;
            let user = find(&opened, &which).await;
            opened.close().await;
            show(&user?, output)
        }
        UserCommand::Disable(which) => switch(configuration, &which, Switch::Off, output).await,
        UserCommand::Enable(which) => switch(configuration, &which, Switch::On, output).await,
    }
}

async fn create(configuration: Configuration, flags: Create, output: Output) -> Result<(), Failure> {
    // Everything that was typed is judged before anything is opened.
    let email = parse_email(&flags.email)?;
    let name = flags.name.as_deref().map(DisplayName::parse).transpose()?;
    let password = read_password(std::io::stdin().lock())?;
    let opened = Opened::or_new(configuration).await?;
    let new = NewUser { email, password, name, is_verified: flags.verified, is_admin: flags.admin };
    let created = opened.app().create_user(&opened.op(), new).await;
    opened.close().await;
    match created {
        Ok(Some(user)) => show(&user, output),
        Ok(None) => Err(Failure::new(format!(
            "{} has an account already; doorward user show {} shows it",
            flags.email, flags.email
        ))),
        Err(PasswordError::Refused(violations)) => Err(refused(&violations)),
        Err(PasswordError::Failure(failure)) => Err(failure.into()),
    }
}

async fn list(configuration: Configuration, flags: &List, output: Output) -> Result<(), Failure> {
    let opened = Opened::existing(configuration).await?;
    let found = opened.app().list_users(flags.after, flags.limit + 1).await;
    opened.close().await;
    let mut users = found?;
    let limit = usize::from(flags.limit);
    let has_more = users.len() > limit;
    users.truncate(limit);
    let next = users.last().filter(|_| has_more).map(|user| user.id);
    let data: Vec<Value> = users.iter().map(present).collect();
    output.answer(&json!({"data": data, "next_cursor": next}), || {
        let rows: Vec<[String; 5]> = users.iter().map(row).collect();
        let mut text = table::aligned(["ID", "E-MAIL", "STATE", "ADMINISTRATOR", "LAST SIGN-IN"], &rows);
        if let Some(next) = next {
            text.extend(["There are more: doorward user list --after ", &next.to_string(), "\n"]);
        }
        text
    })
}

async fn switch(configuration: Configuration, which: &Which, to: Switch, output: Output) -> Result<(), Failure> {
    let opened = Opened::existing(configuration).await?;
    let user = switch_found(&opened, &opened.op(), which, to).await;
    opened.close().await;
    show(&user?, output)
}

/// Doing it twice is as good as once.
async fn switch_found(opened: &Opened, op: &Op, which: &Which, to: Switch) -> Result<User, Failure> {
    let id = find(opened, which).await?.id;
    match to {
        Switch::Off => opened.app().disable_user(op, id).await?,
        Switch::On => opened.app().enable_user(op, id).await?,
    };
    opened.app().find_user(id).await?.ok_or_else(|| unknown(which))
}

async fn find(opened: &Opened, which: &Which) -> Result<User, Failure> {
    let found = match UserId::parse(&which.user) {
        Ok(id) => opened.app().find_user(id).await?,
        Err(_) => opened.app().find_user_by_email(&parse_email(&which.user)?).await?,
    };
    found.ok_or_else(|| unknown(which))
}

fn unknown(which: &Which) -> Failure {
    Failure::new(format!("there is no user {}; doorward user list shows all", which.user))
}

fn parse_email(text: &str) -> Result<EmailAddress, Failure> {
    EmailAddress::parse(text).map_err(|error| Failure::new(format!("{text} is no e-mail address: {error}")))
}

/// The password without the line break that an editor or `echo` puts at its end.
fn read_password(from: impl std::io::Read) -> Result<Password, Failure> {
    // As large as it can get, so that no copy is left behind by a growing buffer.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_PASSWORD_BYTES + 1)?));
    from.take(MAX_PASSWORD_BYTES + 1).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::new("the password on standard input is not UTF-8"))?;
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err(Failure::new("there is no password on standard input; use --password-stdin < FILE"));
    }
    Password::new(line).map_err(|violation| refused(&[violation]))
}

fn refused(violations: &[Violation]) -> Failure {
    let texts = Texts::for_locale(Locale::English);
    let reasons = violations
        .iter()
        .map(|violation| format!("\n  {}: {}", violation.code.as_str(), texts.say(violation.feedback.key())));
    Failure::new(format!("the password is refused:{}", reasons.collect::<String>()))
}

fn show(user: &User, output: Output) -> Result<(), Failure> {
    let time =
        |at: Option<_>| at.map_or_else(|| "never".to_owned(), |at: doorward_model::time::Timestamp| at.to_string());
    output.answer(&present(user), || {
        table::listed(&[
            ("id", user.id.to_string()),
            ("e-mail", user.email.clone()),
            ("verified", time(user.email_verified_at)),
            ("name", user.name.clone().unwrap_or_default()),
            ("administrator", yes(user.is_admin)),
            ("state", Switch::of(user.disabled_at).to_string()),
            ("last sign-in", time(user.last_signed_in_at)),
            ("made", user.created_at.to_string()),
        ])
    })
}

fn row(user: &User) -> [String; 5] {
    [
        user.id.to_string(),
        user.email.clone(),
        Switch::of(user.disabled_at).to_string(),
        yes(user.is_admin),
        user.last_signed_in_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
    ]
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// A user for machines: the names of the JSON API, and what only operators see.
fn present(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified_at.is_some(),
        "name": user.name,
        "locale": user.locale,
        "is_admin": user.is_admin,
        "disabled_at": user.disabled_at,
        "last_signed_in_at": user.last_signed_in_at,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_the_password() {
        for (input, password) in
            [("a b \n", "a b "), ("word\r\n", "word"), ("word", "word"), ("word\n\n", "word\n"), (" \t", " \t")]
        {
            assert_eq!(read_password(input.as_bytes()).unwrap().reveal(), password);
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused_without_repeating_it() {
        assert!(read_password(&b"\n"[..]).unwrap_err().text().contains("no password"));
        assert!(read_password(&[0xff, 0xfe][..]).unwrap_err().text().contains("UTF-8"));
        let long = "x".repeat(20_000);
        let refusal = read_password(long.as_bytes()).unwrap_err();
        assert!(refusal.text().contains("too_long") && !refusal.text().contains("xxx"), "{}", refusal.text());
    }
}
