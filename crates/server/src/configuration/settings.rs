//! The one table of settings: what may be written, what it means, and how `init` writes it.

/// What the text of an environment variable is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text, taken as it is.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Texts, separated by commas in an environment variable.
    List,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The dotted name: `limits.scale` is `scale` in `[limits]`.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// The default as written in TOML, or an example where there is no default.
    pub example: &'static str,
    /// What it means, for the commented file.
    pub meaning: &'static str,
}

impl Setting {
    /// The name of the environment variable.
    pub fn variable(&self) -> String {
        format!("DOORWARD_{}", self.name.replace('.', "__").to_ascii_uppercase())
    }
}

const fn setting(name: &'static str, shape: Shape, example: &'static str, meaning: &'static str) -> Setting {
    Setting { name, shape, example, meaning }
}

use Shape::{Boolean, List, Number, Text};

/// Every setting, in the order of the commented file: those without a table first, then table by table.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    setting("public_url", Text, "\"http://localhost:8080\"", "The address people and applications use. Links, cookies and the token issuer come from it, never from a request header. https except on loopback."),
    setting("listen", List, "[\"127.0.0.1:8080\", \"[::1]:8080\"]", "Where to listen. \"[::]:8080\" is every address of the machine."),
    setting("ops_listen", Text, "\"127.0.0.1:9464\"", "Health, readiness and metrics. Keep it away from the public."),
    setting("data_dir", Text, "\"doorward-data\"", "The folder with everything that must survive a restart. Relative paths start at the working directory."),
    setting("database_url", Text, "\"postgres://doorward@db.internal/doorward\"", "PostgreSQL instead of SQLite. TLS with a verified certificate is the default off loopback; sslmode, sslrootcert, sslcert and sslkey are understood."),
    setting("database_url_file", Text, "\"/run/secrets/database-url\"", "A file that holds the URL."),
    setting("database_password", Text, "\"…\"", "The password for database_url; any characters. Prefer the file."),
    setting("database_password_file", Text, "\"/run/secrets/database-password\"", "A file that holds the password."),
    setting("database_connections", Number, "8", "How many PostgreSQL connections this process may hold."),
    setting("trusted_proxies", List, "[\"10.0.0.0/8\"]", "Networks of proxies that may say who the client is. Without one here, forwarding headers are ignored."),
    setting("master_key_file", Text, "\"/run/secrets/doorward-master-key\"", "The master key: 32 random bytes in base64. With PostgreSQL it is required and the same on every node; with SQLite the default is master.key in data_dir."),
    setting("master_key_previous_files", List, "[]", "Earlier master keys, while a rotation is under way."),
    setting("service_name", Text, "\"Doorward\"", "The name on pages and in mails."),
    setting("limits.scale", Number, "1.0", "Multiplies every request-rate limit. Never the sign-in throttle."),
    setting("limits.connections", Number, "10000", "Most connections in all."),
    setting("limits.connections_per_address", Number, "512", "Most connections of one client address (IPv6: one /64). Trusted proxies do not count."),
    setting("sessions.idle_hours", Number, "336", "A session unused for this long ends."),
    setting("sessions.absolute_days", Number, "30", "A session ends after this long, whatever happens."),
    setting("sessions.overlap_seconds", Number, "10", "For how long the same renewal gives the same answer."),
    setting("sessions.rotation", Text, "\"recover\"", "\"recover\": a lost answer never signs anybody out. \"strict\": a late repeat ends the session."),
    setting("sessions.per_user", Number, "20", "Most sessions of one person; the oldest ends."),
    setting("tokens.access_minutes", Number, "10", "How long an access token is valid."),
    setting("tokens.audience", Text, "\"https://auth.example.com\"", "The aud of access tokens; public_url when not set."),
    setting("cors.token_origins", List, "[]", "Exact origins, such as \"https://app.example.com\", whose browser code may hold refresh tokens."),
    setting("applications.private_networks", List, "[]", "Networks besides the public internet that addresses of applications (jwks_uri, backchannel_logout_uri) may lead into, such as \"10.0.0.0/8\"."),
    setting("applications.ca_certificate_file", Text, "\"/etc/doorward/applications-ca.pem\"", "Certificate authorities (PEM) of your own, trusted beside the public ones at addresses of applications that lead into applications.private_networks, and nowhere else."),
    setting("applications.registration", Boolean, "false", "Applications may register themselves (RFC 7591) with a token of doorward client create-token."),
    setting("applications.pushed_only", Boolean, "false", "Applications must push each request (RFC 9126) before they send anybody."),
    setting("revocations.public", Boolean, "false", "Everybody may follow what is revoked (docs/revocation-feed.md); else only services registered with the scope doorward:revocations."),
    setting("tls.certificate_file", Text, "\"/etc/doorward/certificate.pem\"", "Built-in TLS: the certificate chain, leaf first. A changed file is taken up without a restart."),
    setting("tls.key_file", Text, "\"/etc/doorward/private-key.pem\"", "Its private key."),
    setting("mail.transport", Text, "\"file\"", "\"file\" writes each mail to <data_dir>/mail; \"smtp\" sends it."),
    setting("mail.from", Text, "\"doorward@localhost\"", "The sender's address; doorward@ and the host of public_url when not set."),
    setting("mail.host", Text, "\"smtp.example.com\"", "The relay."),
    setting("mail.port", Number, "587", "Its port; the usual one for the encryption when not set."),
    setting("mail.encryption", Text, "\"starttls\"", "\"starttls\", \"tls\" (from the first byte) or \"none\" (only for a relay on this machine)."),
    setting("mail.username", Text, "\"doorward\"", "The account at the relay."),
    setting("mail.password", Text, "\"…\"", "Its password. Prefer the file."),
    setting("mail.password_file", Text, "\"/run/secrets/smtp-password\"", "A file that holds the password."),
    setting("mail.ca_certificate_file", Text, "\"/etc/doorward/relay-ca.pem\"", "A certificate authority to trust beside the public ones, for a relay of your own."),
    setting("password.min_length", Number, "15", "Fewest characters of a password."),
    setting("password.composition", Boolean, "false", "Demand several kinds of characters. Not recommended: it makes passwords worse."),
    setting("password.memory_kib", Number, "19456", "Argon2id memory in KiB; less than 19456 is refused."),
    setting("password.iterations", Number, "2", "Argon2id passes; fewer than 2 are refused."),
    setting("password.parallelism", Number, "1", "Argon2id lanes."),
    setting("password.hashing_memory_mib", Number, "256", "Most memory that hashing may use at once; one hash per core when not set."),
    setting("password.breached_service_url", Text, "\"https://api.pwnedpasswords.com/range/\"", "Ask this service whether a new password is known from a breach. It is sent five hex digits of the password's SHA-1, which thousands of passwords share. Off when not set."),
    setting("password.breached_without_answer", Text, "\"accept\"", "What becomes of a new password when that service gives no answer within two seconds: \"accept\" or \"refuse\"."),
    setting("security.contact", Text, "\"mailto:security@example.com\"", "Where to report a vulnerability; published in /.well-known/security.txt."),
    setting("log.format", Text, "\"auto\"", "\"auto\" (pretty on a terminal, JSON elsewhere), \"json\" or \"pretty\"."),
    setting("log.level", Text, "\"info\"", "error, warn, info, debug or trace; or by part, such as \"info,doorward_store=debug\"."),
];

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Whether this is the name of a table such as `limits`.
pub fn is_table(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name.split_once('.').is_some_and(|(table, _)| table == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_explains_every_setting_as_the_program_does() {
        let manual = include_str!("../../../../docs/configuration.md");
        let told: Vec<&str> = manual.lines().filter(|line| line.starts_with("| `")).collect();
        let expected: Vec<String> = SETTINGS
            .iter()
            .map(|setting| {
                let meaning = setting.meaning.replace('<', "&lt;");
                format!("| `{}` | `{}` | {meaning} |", setting.name, setting.example)
            })
            .collect();
        assert_eq!(told, expected, "docs/configuration.md should hold\n{}", expected.join("\n"));
    }
}
