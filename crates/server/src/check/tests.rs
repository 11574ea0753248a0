//! Every finding, by table: each row spoils one thing of a deployment that has no finding.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use doorward_model::secret::SecretText;

use super::*;
use crate::configuration::{Encryption, MailTransport, PublicUrl};
use crate::master_key;
use crate::telemetry::sources::SystemRandom;

const USER: Facts = Facts { is_root: false };

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    set_mode(path, 0o600);
}

/// A production deployment on PostgreSQL behind a proxy, without any finding.
fn production(folder: &Path) -> Configuration {
    let (data_dir, key, password) = (folder.join("data"), folder.join("key"), folder.join("password"));
    std::fs::create_dir(&data_dir).unwrap();
    set_mode(&data_dir, 0o700);
    master_key::create(&key, &SystemRandom).unwrap();
    write(&password, "a-database-password-of-its-own\n");
    let mut configuration = Configuration {
        public_url: PublicUrl::parse("https://auth.example.com").unwrap(),
        data_dir,
        database_url: Some(SecretText::new("postgres://doorward@db.example.com/doorward".to_owned())),
        database_password_file: Some(password),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        master_key_file: Some(key),
        ..Configuration::default()
    };
    configuration.listen = vec!["0.0.0.0:8080".parse().unwrap()];
    configuration.mail.transport = MailTransport::Smtp;
    configuration.mail.host = Some("relay.example.com".to_owned());
    configuration.security.contact = Some("mailto:security@example.com".to_owned());
    configuration
}

type Spoil = fn(&mut Configuration, &Path);

fn own_authority(configuration: &mut Configuration, folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["ca.internal".to_owned()]).unwrap();
    write(&folder.join("ca.pem"), &made.cert.pem());
    configuration.applications.ca_certificate_file = Some(folder.join("ca.pem"));
}

fn database(configuration: &mut Configuration, url: &str) {
    configuration.database_url = Some(SecretText::new(url.to_owned()));
    configuration.database_password_file = None;
}

fn key(folder: &Path, text: &str) {
    write(&folder.join("key"), text);
}

fn url(text: &str) -> PublicUrl {
    PublicUrl::parse(text).unwrap()
}

#[rustfmt::skip]
const TABLE: &[(&str, Level, Spoil)] = &[
    ("public_url_insecure", Level::Error, |c, _| c.public_url = url("http://auth.example.com")),
    ("public_listener_with_loopback_url", Level::Warning, |c, _| c.public_url = url("http://localhost:8080")),
    ("operations_listener_exposed", Level::Warning, |c, _| c.ops_listen = "0.0.0.0:9464".parse().unwrap()),
    ("log_level_invalid", Level::Error, |c, _| c.log.level = "info,x=loud".into()),
    ("trusted_proxy_everyone", Level::Error, |c, _| c.trusted_proxies = vec!["0.0.0.0/0".parse().unwrap()]),
    ("trusted_proxy_everyone", Level::Error, |c, _| c.trusted_proxies = vec!["::/0".parse().unwrap()]),
    ("trusted_proxy_everyone", Level::Error, |c, _| c.trusted_proxies = vec!["128.0.0.0/1".parse().unwrap()]),
    ("proxy_unknown", Level::Warning, |c, _| c.trusted_proxies.clear()),
    ("cors_wildcard", Level::Error, |c, _| c.cors.token_origins = vec!["*".into()]),
    ("cors_wildcard", Level::Error, |c, _| c.cors.token_origins = vec!["https://*.example.com".into()]),
    ("cors_wildcard", Level::Error, |c, _| c.cors.token_origins = vec!["null".into()]),
    ("cors_origin_inexact", Level::Error, |c, _| c.cors.token_origins = vec!["https://app.example.com/".into()]),
    ("cors_origin_inexact", Level::Error, |c, _| c.cors.token_origins = vec!["https://app.example.com:443".into()]),
    ("cors_origin_inexact", Level::Error, |c, _| c.cors.token_origins = vec!["https://App.example.com".into()]),
    ("cors_origin_inexact", Level::Error, |c, _| c.cors.token_origins = vec!["http://app.example.com".into()]),
    ("cors_origin_inexact", Level::Error, |c, _| c.cors.token_origins = vec!["app.example.com".into()]),
    ("revocations_public", Level::Warning, |c, _| c.revocations.public = true),
    ("applications_ca_unusable", Level::Error, |c, _| c.applications.ca_certificate_file = Some("/nonexistent".into())),
    ("applications_ca_unusable", Level::Error, |c, f| {
        write(&f.join("ca.pem"), "no certificate");
        c.applications.ca_certificate_file = Some(f.join("ca.pem"));
    }),
    ("applications_ca_unused", Level::Warning, own_authority),
    ("tls_incomplete", Level::Error, |c, _| c.tls.certificate_file = Some("/nonexistent".into())),
    ("tls_unusable", Level::Error, |c, f| {
        write(&f.join("tls.pem"), "no certificate");
        c.tls.certificate_file = Some(f.join("tls.pem"));
        c.tls.key_file = Some(f.join("tls.pem"));
    }),
    ("database_url_invalid", Level::Error, |c, _| database(c, "mysql://u:long-password@db.example.com/d")),
    ("database_password_default", Level::Error, |c, _| database(c, "postgres://postgres:postgres@db.example.com/d")),
    ("database_password_default", Level::Error, |c, _| database(c, "postgres://ada:ada@db.example.com/d")),
    ("database_password_default", Level::Error, |c, f| write(&c.database_password_file.clone().unwrap_or(f.into()), "ChangeMe\n")),
    ("database_password_default", Level::Warning, |c, _| database(c, "postgres://postgres:postgres@localhost/d")),
    ("database_password_missing", Level::Error, |c, _| database(c, "postgres://doorward@db.example.com/d")),
    ("database_password_missing", Level::Error, |c, _| database(c, "postgres://doorward:@db.example.com/d")),
    ("database_unencrypted", Level::Error, |c, _| database(c, "postgres://u:long-password@db.example.com/d?sslmode=disable")),
    ("database_unencrypted", Level::Error, |c, _| database(c, "postgres://u:long-password@db.example.com/d?sslmode=prefer")),
    ("database_unverified", Level::Warning, |c, _| database(c, "postgres://u:long-password@db.example.com/d?sslmode=require")),
    ("secret_file_unreadable", Level::Error, |c, f| c.database_password_file = Some(f.join("nothing"))),
    ("secret_file_exposed", Level::Error, |_, f| set_mode(&f.join("key"), 0o644)),
    ("secret_file_exposed", Level::Error, |_, f| set_mode(&f.join("password"), 0o604)),
    ("secret_file_exposed", Level::Error, |c, f| {
        write(&f.join("doorward.toml"), "");
        set_mode(&f.join("doorward.toml"), 0o644);
        c.file = Some(f.join("doorward.toml"));
        c.mail.username = Some("doorward".into());
        c.mail.password = Some(SecretText::new("relay-password".into()));
    }),
    ("secret_file_group_readable", Level::Warning, |_, f| set_mode(&f.join("key"), 0o640)),
    ("data_dir_writable_by_others", Level::Error, |c, _| set_mode(&c.data_dir, 0o777)),
    ("data_dir_open_to_others", Level::Warning, |c, _| set_mode(&c.data_dir, 0o755)),
    ("master_key_missing", Level::Error, |c, _| c.master_key_file = None),
    ("master_key_missing", Level::Error, |c, f| c.master_key_file = Some(f.join("nothing"))),
    ("master_key_missing", Level::Error, |c, _| {
        c.database_url = None;
        c.master_key_file = None;
        write(&c.sqlite_file(), "data without its key");
    }),
    ("master_key_missing", Level::Error, |c, f| c.master_key_previous_files = vec![f.join("nothing")]),
    ("master_key_placeholder", Level::Error, |_, f| key(f, "changeme")),
    ("master_key_placeholder", Level::Error, |_, f| key(f, "your-super-secret-key-of-at-least-32-characters")),
    ("master_key_short", Level::Error, |_, f| key(f, "c2hvcnQ=")),
    ("master_key_malformed", Level::Error, |_, f| key(f, "neither base64 nor hexadecimal!")),
    ("master_key_short", Level::Error, |_, f| key(f, " ")),
    ("master_key_predictable", Level::Error, |_, f| key(f, "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")),
    ("master_key_beside_data", Level::Warning, |c, f| {
        std::fs::copy(f.join("key"), c.data_dir.join("master.key")).unwrap();
        c.master_key_file = Some(c.data_dir.join("master.key"));
    }),
    ("password_hash_weak", Level::Error, |c, _| c.password.memory_kib = 19_455),
    ("password_hash_weak", Level::Error, |c, _| c.password.iterations = 1),
    ("password_hash_weak", Level::Error, |c, _| c.password.parallelism = 0),
    ("password_min_length_unsafe", Level::Error, |c, _| c.password.min_length = 7),
    ("password_min_length_short", Level::Warning, |c, _| c.password.min_length = 8),
    ("password_composition_on", Level::Warning, |c, _| c.password.composition = true),
    ("limiter_off", Level::Error, |c, _| c.limits.scale = 100.5),
    ("limiter_wide", Level::Warning, |c, _| c.limits.scale = 10.5),
    ("security_contact_missing", Level::Warning, |c, _| c.security.contact = None),
    ("security_contact_invalid", Level::Error, |c, _| c.security.contact = Some("security@example.com".into())),
    ("security_contact_invalid", Level::Error, |c, _| c.security.contact = Some("mailto:a@example.com\nCanonical: x".into())),
    ("mail_from_invalid", Level::Error, |c, _| c.mail.from = Some("Doorward <a@example.com>".into())),
    ("mail_to_files", Level::Warning, |c, _| c.mail.transport = MailTransport::File),
    ("mail_relay_incomplete", Level::Error, |c, _| c.mail.host = None),
    ("mail_relay_incomplete", Level::Error, |c, _| c.mail.username = Some("doorward".into())),
    ("mail_unencrypted", Level::Error, |c, _| c.mail.encryption = Encryption::None),
    ("setting_out_of_range", Level::Error, |c, _| c.limits.scale = f64::NAN),
    ("setting_out_of_range", Level::Error, |c, _| c.limits.scale = 0.0),
    ("setting_out_of_range", Level::Error, |c, _| c.sessions.overlap_seconds = 61),
    ("setting_out_of_range", Level::Error, |c, _| c.tokens.access_minutes = 0),
    ("setting_out_of_range", Level::Error, |c, _| c.password.hashing_memory_mib = Some(18)),
    ("setting_out_of_range", Level::Error, |c, _| c.service_name = "  ".into()),
];

/// Proves: A-171, S-5, S-7, S-16, S-21, S-48, S-108, S-121, S-254, S-255, S-257, S-262, V6.2.1, V6.2.5, V11.4.2,
/// V12.2.1, V12.3.1, V13.2.3, V13.3.2, S-256
#[test]
fn each_unsafe_setting_is_found_by_its_name_and_nothing_else_is() {
    for (row, (name, level, spoil)) in TABLE.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let mut configuration = production(folder.path());
        assert_eq!(findings(&configuration, USER), [], "before row {row}");
        spoil(&mut configuration, folder.path());
        let found = findings(&configuration, USER);
        let seen: Vec<_> = found.iter().map(|finding| (finding.name, finding.level)).collect();
        assert_eq!(seen, [(*name, *level)], "row {row}");
        assert_eq!(allows_serving(&found), *level == Level::Warning, "row {row}");
    }
}

#[test]
fn an_authority_for_networks_that_are_named_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let mut configuration = production(folder.path());
    own_authority(&mut configuration, folder.path());
    configuration.applications.private_networks = vec!["10.1.0.0/16".parse().unwrap()];
    assert_eq!(findings(&configuration, USER), []);
}

#[test]
fn built_in_tls_wants_an_https_url() {
    let folder = tempfile::tempdir().unwrap();
    let mut configuration = Configuration { data_dir: folder.path().join("new"), ..Configuration::default() };
    let (certificate, key) = (folder.path().join("tls.pem"), folder.path().join("tls.key"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    write(&certificate, &made.cert.pem());
    write(&key, &made.signing_key.serialize_pem());
    configuration.tls.certificate_file = Some(certificate);
    configuration.tls.key_file = Some(key);
    let found = findings(&configuration, USER);
    assert_eq!(found.iter().map(|finding| finding.name).collect::<Vec<_>>(), ["tls_without_https_url"]);
    configuration.public_url = url("https://localhost:8080");
    assert_eq!(findings(&configuration, USER), []);
}

#[test]
fn the_superuser_is_warned() {
    let folder = tempfile::tempdir().unwrap();
    let found = findings(&production(folder.path()), Facts { is_root: true });
    assert_eq!(found.iter().map(|finding| finding.name).collect::<Vec<_>>(), ["running_as_root"]);
}

#[test]
fn the_defaults_have_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = Configuration { data_dir: folder.path().join("new"), ..Configuration::default() };
    assert_eq!(findings(&configuration, USER), []);
}

#[test]
fn limits_may_be_off_on_loopback_but_never_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut configuration = Configuration { data_dir: folder.path().join("new"), ..Configuration::default() };
    configuration.limits.scale = 1_000.0;
    let found = findings(&configuration, USER);
    assert!(allows_serving(&found));
    assert_eq!(found[0].name, "limiter_wide");
}

/// Proves: A-171, S-21
#[test]
fn no_finding_holds_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut configuration = production(folder.path());
    database(&mut configuration, "postgres://hunter2:hunter2@db.example.com/d?sslmode=disable");
    configuration.cors.token_origins = vec!["hunter2".to_owned()];
    configuration.mail.from = Some("hunter2".to_owned());
    configuration.security.contact = Some("hunter2".to_owned());
    key(folder.path(), "changeme-hunter2");
    let found = findings(&configuration, USER);
    assert!(found.len() >= 6, "{found:?}");
    assert!(!serde_json::to_string(&found).unwrap().contains("hunter2"));
}

/// Every name the check can say, from its sources, stands in the table (or has a test of its own).
#[test]
fn every_finding_has_its_row() {
    let sources = [
        include_str!("network.rs"),
        include_str!("database.rs"),
        include_str!("files.rs"),
        include_str!("accounts.rs"),
        include_str!("mail.rs"),
        include_str!("numbers.rs"),
        include_str!("mod.rs"),
    ];
    let said: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.split("error(").skip(1).chain(source.split("warning(").skip(1)))
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .collect();
    let tested: BTreeSet<&str> = TABLE
        .iter()
        .map(|(name, ..)| *name)
        .chain(["running_as_root", "tls_without_https_url", "cryptography_failed"])
        .collect();
    assert!(said.len() > 25, "the sources no longer spell findings as expected: {said:?}");
    assert_eq!(said.difference(&tested).collect::<Vec<_>>(), Vec::<&&str>::new());
}
