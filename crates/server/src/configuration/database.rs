//! Which database, with the password put where the driver looks for it.

use std::fmt::Write as _;
use std::path::PathBuf;

use doorward_model::secret::SecretText;

use super::Configuration;
use super::secret_file::{self, SecretFileError};

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Database {
    /// This file.
    Sqlite(PathBuf),
    /// This server; the URL holds the password.
    Postgres(SecretText),
}

impl Configuration {
    /// The database these settings name. Reads the secret files.
    pub fn database(&self) -> Result<Database, SecretFileError> {
        let url = secret_file::either(self.database_url.as_ref(), self.database_url_file.as_deref())?;
        let Some(url) = url else {
            return Ok(Database::Sqlite(self.sqlite_file()));
        };
        let password = secret_file::either(self.database_password.as_ref(), self.database_password_file.as_deref())?;
        Ok(Database::Postgres(match password {
            Some(password) => SecretText::new(with_password(url.reveal(), password.reveal())),
            None => url,
        }))
    }
}

/// Scheme, user information (without `@`) and the rest of a URL such as `postgres://user:password@host/name`.
fn parts(url: &str) -> Option<(&str, Option<&str>, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    // A raw "@" may stand in a carelessly written password, so the last one ends the user information.
    match rest[..end].rfind('@') {
        Some(at) => Some((scheme, Some(&rest[..at]), &rest[at + 1..])),
        None => Some((scheme, None, rest)),
    }
}

/// The hosts a PostgreSQL URL names, without ports: the list before the path and the `host` parameters. A path of a
/// Unix socket counts as a host that begins with `/`.
pub fn hosts_in(url: &str) -> Vec<String> {
    let Some((_, _, rest)) = parts(url) else { return Vec::new() };
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = before_query.split(['/', '#']).next().unwrap_or_default();
    let listed = authority.split(',').map(without_port);
    let named = query.split('&').filter_map(|pair| pair.strip_prefix("host=")).flat_map(|value| value.split(','));
    listed
        .chain(named)
        .map(|host| host.replace("%2F", "/").replace("%2f", "/"))
        .filter(|host| !host.is_empty())
        .collect()
}

fn without_port(host: &str) -> &str {
    if let Some(bracketed) = host.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

/// The user name in the URL, as written.
pub fn user_in(url: &str) -> Option<&str> {
    let (_, user_information, _) = parts(url)?;
    user_information?.split(':').next().filter(|user| !user.is_empty())
}

/// The password in the URL, as written: before the host or as the `password` parameter.
pub fn password_in(url: &str) -> Option<&str> {
    let (_, user_information, rest) = parts(url)?;
    let before_host =
        user_information.and_then(|information| information.split_once(':')).map(|(_, password)| password);
    let parameter = || rest.split_once('?')?.1.split('&').find_map(|pair| pair.strip_prefix("password="));
    before_host.or_else(parameter)
}

/// The URL with this password, in place of any other; every character of it arrives as it is.
fn with_password(url: &str, password: &str) -> String {
    let encoded = percent_encoded(password);
    match parts(url) {
        Some((scheme, Some(user_information), rest)) => {
            let user = user_information.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:{encoded}@{rest}")
        }
        // Without a user name before the host (a Unix socket, say) the password goes among the parameters.
        _ => format!("{url}{}password={encoded}", if url.contains('?') { '&' } else { '?' }),
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 3), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S-51
    #[test]
    fn a_password_with_url_characters_arrives_as_it_is() {
        let url = with_password("postgres://doorward@db:5432/auth?sslmode=verify-full", "p@:/#? %é");
        assert_eq!(url, "postgres://doorward:p%40%3A%2F%23%3F%20%25%C3%A9@db:5432/auth?sslmode=verify-full");
        let parsed = url::Url::parse(&url).unwrap();
        assert_eq!((parsed.host_str(), parsed.port(), parsed.path()), (Some("db"), Some(5432), "/auth"));
    }

    #[test]
    fn a_password_replaces_the_one_in_the_url() {
        assert_eq!(with_password("postgres://u:old@h/d", "new"), "postgres://u:new@h/d");
    }

    #[test]
    fn without_a_user_the_password_becomes_a_parameter() {
        assert_eq!(with_password("postgres:///d?host=/run/pg", "x"), "postgres:///d?host=/run/pg&password=x");
    }

    #[test]
    fn hosts_are_found_wherever_they_stand() {
        assert_eq!(hosts_in("postgres://u:p@a:1,b:2/d"), ["a", "b"]);
        assert_eq!(hosts_in("postgres://[::1]:5432/d"), ["::1"]);
        assert_eq!(hosts_in("postgres:///d?user=x&host=/run/pg"), ["/run/pg"]);
        assert_eq!(hosts_in("postgres://%2Frun%2Fpg/d"), ["/run/pg"]);
        assert_eq!(hosts_in("nonsense"), Vec::<String>::new());
    }

    #[test]
    fn user_and_password_are_found() {
        assert_eq!(user_in("postgres://postgres:postgres@db/d"), Some("postgres"));
        assert_eq!(password_in("postgres://postgres:postgres@db/d"), Some("postgres"));
        assert_eq!(password_in("postgres://u@db/d?password=x&a=b"), Some("x"));
        assert_eq!(password_in("postgres://u@db/d"), None);
    }
}
