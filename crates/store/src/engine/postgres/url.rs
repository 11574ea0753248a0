//! Reads a database URL: the TLS parameters are ours, because tokio-postgres knows only part of them.

use std::net::IpAddr;
use std::path::PathBuf;

use postgres::Config;
use postgres::config::Host;

use crate::error::Fault;

/// How a connection is protected, in libpq's terms
/// (<https://www.postgresql.org/docs/current/libpq-ssl.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS when the server offers it; protects against nobody who can change packets.
    Prefer,
    /// TLS with any certificate, or one of `sslrootcert` when that is given.
    Require,
    /// TLS with a certificate of a trusted authority, for whatever name.
    VerifyCa,
    /// TLS with a certificate of a trusted authority for this host.
    VerifyFull,
}

/// A URL taken apart.
pub(super) struct DatabaseUrl {
    /// Everything that tokio-postgres understands.
    pub(super) config: Config,
    pub(super) ssl_mode: SslMode,
    /// Authorities to trust in place of the public ones.
    pub(super) ssl_root_cert: Option<PathBuf>,
    /// Client certificate chain and key.
    pub(super) ssl_cert: Option<(PathBuf, PathBuf)>,
}

impl DatabaseUrl {
    /// Errors never quote the URL, which may hold a password.
    pub(super) fn parse(url: &str) -> Result<Self, Fault> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(refused("it must begin with postgres:// or postgresql://"));
        }
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let mut ours = Parameters::default();
        let mut theirs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !ours.take(name, &percent_decode(value)?)? {
                theirs.push(pair);
            }
        }
        // Its errors could quote what stands where a value is expected.
        let config: Config = format!("{address}?{}", theirs.join("&"))
            .parse()
            .map_err(|_| refused("it has the form postgres://user@host:port/database?name=value"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(refused("it names no host"));
        }
        let ssl_mode = ours.mode.unwrap_or(if is_local(&config) { SslMode::Disable } else { SslMode::VerifyFull });
        let ssl_cert = match (ours.cert, ours.key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(refused("sslcert and sslkey belong together")),
        };
        Ok(Self { config, ssl_mode, ssl_root_cert: ours.root_cert, ssl_cert })
    }
}

/// What a database URL asks for, without opening it: for the check of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresUrlReport {
    /// Every address is a Unix socket or this machine.
    pub is_local: bool,
    /// The server has to prove with a certificate who it is.
    pub is_verified: bool,
    /// A password stands in the URL itself.
    pub has_password: bool,
}

/// Reads a database URL; refuses what [`crate::Store::open_postgres`] would refuse without connecting.
pub fn inspect_postgres_url(url: &str) -> Result<PostgresUrlReport, crate::StoreError> {
    let url = DatabaseUrl::parse(url)?;
    Ok(PostgresUrlReport {
        is_local: is_local(&url.config),
        is_verified: matches!(url.ssl_mode, SslMode::VerifyCa | SslMode::VerifyFull),
        has_password: url.config.get_password().is_some(),
    })
}

#[derive(Default)]
struct Parameters {
    mode: Option<SslMode>,
    root_cert: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Parameters {
    /// Whether the parameter was one of ours.
    fn take(&mut self, name: &str, value: &str) -> Result<bool, Fault> {
        match name {
            "sslmode" => self.mode = Some(mode(value)?),
            // The public authorities are the default already.
            "sslrootcert" => self.root_cert = (value != "system").then(|| value.into()),
            "sslcert" => self.cert = Some(value.into()),
            "sslkey" => self.key = Some(value.into()),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn mode(text: &str) -> Result<SslMode, Fault> {
    Ok(match text {
        "disable" => SslMode::Disable,
        "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        "allow" => return Err(refused("sslmode=allow gives no protection: use disable, or require and above")),
        _ => return Err(refused("sslmode is one of disable, prefer, require, verify-ca, verify-full")),
    })
}

/// Whether every address is a Unix socket or this machine.
fn is_local(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        return addresses.iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    })
}

fn percent_decode(text: &str) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(refused("a % must be followed by two hexadecimal digits"));
        };
        bytes.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(bytes).map_err(|_| refused("a parameter is not UTF-8"))
}

fn refused(why: &str) -> Fault {
    Fault::new("url", "url", format!("the database URL cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(url: &str) -> SslMode {
        DatabaseUrl::parse(url).unwrap().ssl_mode
    }

    #[test]
    fn only_local_connections_are_plain_by_default() {
        for url in [
            "postgres://u@localhost/d",
            "postgres://u@127.0.0.1:5433/d",
            "postgres://u@[::1]/d",
            "postgres://u@%2Fvar%2Frun%2Fpostgresql/d",
            "postgres:///d?host=/run/postgresql",
        ] {
            assert_eq!(mode_of(url), SslMode::Disable, "{url}");
        }
        for url in [
            "postgres://u@db.example/d",
            "postgres://u@10.0.0.1/d",
            "postgres://u@localhost,db.example/d",
            "postgres://u@localhost/d?hostaddr=10.0.0.1",
            "postgres://u@localhost.example/d",
        ] {
            assert_eq!(mode_of(url), SslMode::VerifyFull, "{url}");
        }
    }

    #[test]
    fn an_unprotected_or_password_bearing_url_is_reported() {
        let report = |url| inspect_postgres_url(url).unwrap();
        let expected = |is_local, is_verified, has_password| PostgresUrlReport { is_local, is_verified, has_password };
        assert_eq!(report("postgres://u@localhost/d"), expected(true, false, false));
        assert_eq!(report("postgres://u:p@db.example/d"), expected(false, true, true));
        assert_eq!(report("postgres://u@db.example/d?sslmode=require"), expected(false, false, false));
    }

    #[test]
    fn tls_parameters_are_read_and_the_others_passed_on() {
        let url = DatabaseUrl::parse(
            "postgres://u:p@db.example/d?sslmode=verify-ca&connect_timeout=3&sslrootcert=%2Fetc%2Fca.pem&sslcert=c&sslkey=k",
        )
        .unwrap();
        assert_eq!(url.ssl_mode, SslMode::VerifyCa);
        assert_eq!(url.ssl_root_cert.as_deref(), Some(std::path::Path::new("/etc/ca.pem")));
        assert_eq!(url.ssl_cert, Some(("c".into(), "k".into())));
        assert_eq!(url.config.get_connect_timeout(), Some(&std::time::Duration::from_secs(3)));
    }

    #[test]
    fn a_refused_url_is_not_quoted() {
        for url in [
            "mysql://u:hunter2@db.example/d",
            "postgres://u:hunter2@db.example/d?sslmode=hunter2",
            "postgres://u:hunter2@db.example/d?sslmode=allow",
            "postgres://u:hunter2@db.example/d?hunter2=1",
            "postgres://u:hunter2@db.example:hunter2/d",
            "postgres://u:hunter2@db.example/d?sslcert=hunter2",
            "postgres://u:hunter2@db.example/d?sslkey=%zz&hunter2",
            "postgres://u:hunter2@/d",
        ] {
            let Err(fault) = DatabaseUrl::parse(url) else { panic!("{url} was accepted") };
            assert!(!format!("{fault} {fault:?}").contains("hunter2"), "{fault}");
        }
    }
}
