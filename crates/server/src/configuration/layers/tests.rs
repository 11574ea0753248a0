//! Layering, spelling and kinds.

use std::collections::BTreeSet;

use super::*;
use crate::configuration::{MailTransport, Rotation, template};

fn loaded(toml: &str, variables: &[(&str, &str)], flags: &Flags) -> Result<Configuration, ConfigurationError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), toml).unwrap();
    load(flags, variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())), folder.path())
}

fn from_file(toml: &str) -> Result<Configuration, ConfigurationError> {
    loaded(toml, &[], &Flags::default())
}

fn message(result: Result<Configuration, ConfigurationError>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

#[test]
fn without_any_layer_the_defaults_hold() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = load(&Flags::default(), std::iter::empty(), folder.path()).unwrap();
    assert_eq!(configuration.public_url.as_str(), "http://localhost:8080");
    let listen: Vec<String> = configuration.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["127.0.0.1:8080", "[::1]:8080"]);
    assert_eq!(configuration.ops_listen.to_string(), "127.0.0.1:9464");
    assert!(configuration.listens_on_loopback_only() && configuration.is_sqlite());
    assert_eq!(configuration.password.min_length, 15);
    assert_eq!(configuration.mail.transport, MailTransport::File);
    assert!(configuration.file.is_none());
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let toml = "service_name = \"file\"\nops_listen = \"127.0.0.1:1\"\ndata_dir = \"file\"\n[limits]\nscale = 2\n";
    let variables = [("DOORWARD_OPS_LISTEN", "127.0.0.1:2"), ("DOORWARD_DATA_DIR", "environment")];
    let flags = Flags { data_dir: Some("flag".into()), ..Flags::default() };
    let configuration = loaded(toml, &variables, &flags).unwrap();
    assert_eq!(configuration.service_name, "file");
    assert_eq!(configuration.ops_listen.port(), 2);
    assert_eq!(configuration.data_dir, PathBuf::from("flag"));
    assert!((configuration.limits.scale - 2.0).abs() < f64::EPSILON);
    assert_eq!(configuration.limits.connections, 10_000);
}

#[test]
fn one_setting_of_a_table_in_the_environment_keeps_the_others_of_the_file() {
    let toml = "[sessions]\nper_user = 5\nrotation = \"strict\"\n";
    let configuration = loaded(toml, &[("DOORWARD_SESSIONS__PER_USER", "7")], &Flags::default()).unwrap();
    assert_eq!((configuration.sessions.per_user, configuration.sessions.rotation), (7, Rotation::Strict));
}

#[test]
fn the_file_in_the_data_folder_is_found_unless_there_is_one_here() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join(FILE_NAME), "service_name = \"data\"").unwrap();
    let variables = || [("DOORWARD_DATA_DIR".to_owned(), "data".to_owned())].into_iter();
    assert_eq!(load(&Flags::default(), variables(), folder.path()).unwrap().service_name, "data");
    std::fs::write(folder.path().join(FILE_NAME), "service_name = \"here\"").unwrap();
    assert_eq!(load(&Flags::default(), variables(), folder.path()).unwrap().service_name, "here");
}

#[test]
fn a_named_file_must_exist() {
    let flags = Flags { config: Some("/nonexistent/doorward.toml".into()), ..Flags::default() };
    assert!(matches!(loaded("", &[], &flags), Err(ConfigurationError::File { .. })));
}

#[test]
fn an_unknown_name_is_refused_with_place_and_nearest_name() {
    let text = message(from_file("service_name = \"x\"\n\n[limits]\nscal = 1\n"));
    assert!(text.contains("doorward.toml, line 4: limits.scal is not a setting; did you mean limits.scale?"), "{text}");
    let text = message(from_file("scale = 1\n"));
    assert!(text.contains("line 1: scale is not a setting; did you mean limits.scale?"), "{text}");
    let text = message(from_file("[telemetry]\nendpoint = 1\n"));
    assert!(text.ends_with("line 2: telemetry.endpoint is not a setting"), "{text}");
    let text = message(loaded("", &[("DOORWARD_LIMIT__SCALE", "1")], &Flags::default()));
    assert_eq!(text, "environment: DOORWARD_LIMIT__SCALE is not a setting; did you mean DOORWARD_LIMITS__SCALE?");
}

#[test]
fn every_unknown_name_is_reported_at_once() {
    let text = message(loaded("foo = 1\n[limits]\nbar = 2\n", &[("DOORWARD_BAZ", "3")], &Flags::default()));
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn variables_of_tests_and_of_kubernetes_are_not_ours() {
    let variables = [
        ("DOORWARD_TEST_POSTGRES_URL", "x"),
        ("DOORWARD_PORT", "tcp://10.0.0.1:80"),
        ("DOORWARD_PORT_80_TCP", "x"),
        ("DOORWARD_SERVICE_HOST", "10.0.0.1"),
        ("PATH", "/bin"),
    ];
    assert!(loaded("", &variables, &Flags::default()).is_ok());
}

/// Proves: A-171
#[test]
fn a_value_of_the_wrong_kind_names_the_setting_and_never_shows_the_value() {
    for (toml, expected) in [
        ("public_url = \"hunter2\"", "line 1: public_url is not a URL"),
        ("listen = \"hunter2\"", "listen must be an address with a port"),
        ("listen = []", "listen must name at least one address"),
        ("trusted_proxies = [\"hunter2\"]", "trusted_proxies must be a network"),
        ("trusted_proxies = \"hunter2\"", "trusted_proxies must be a list of texts"),
        ("[mail]\npassword = 4711", "line 2: mail.password must be a text in quotes"),
        ("[mail]\ntransport = \"hunter2\"", "mail.transport must be one of \"file\", \"smtp\""),
        ("[mail]\nport = \"hunter2\"", "mail.port must be a whole number"),
        ("[sessions]\nper_user = -4711", "sessions.per_user is out of range"),
        ("[limits]\nscale = \"hunter2\"", "limits.scale must be a number"),
        ("[password]\ncomposition = \"hunter2\"", "password.composition must be true or false"),
        ("limits = \"hunter2\"", "limits is not a table of settings"),
        ("database_password = \"hunter2", "is not valid TOML: TOML parse error at line 1"),
    ] {
        let text = message(from_file(toml));
        assert!(text.contains(expected), "{toml}: {text}");
        assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");
    }
    let text = message(loaded("", &[("DOORWARD_MAIL__PORT", "hunter2")], &Flags::default()));
    assert_eq!(text, "environment: DOORWARD_MAIL__PORT must be a whole number");
    let text = message(loaded("", &[], &Flags { public_url: Some("hunter2".into()), ..Flags::default() }));
    assert!(text.starts_with("command line: --public-url is not a URL"), "{text}");
}

#[test]
fn a_text_variable_that_looks_like_a_number_stays_a_text() {
    let variables = [("DOORWARD_DATABASE_PASSWORD", "0123"), ("DOORWARD_TRUSTED_PROXIES", "10.0.0.0/8, ::1")];
    let configuration = loaded("", &variables, &Flags::default()).unwrap();
    assert_eq!(configuration.database_password.unwrap().reveal(), "0123");
    assert_eq!(configuration.trusted_proxies.len(), 2);
}

#[test]
fn debug_output_of_the_configuration_shows_no_secret() {
    let toml =
        "database_url = \"postgres://u:hunter2@h/d\"\ndatabase_password = \"hunter2\"\n[mail]\npassword = \"hunter2\"";
    let configuration = from_file(toml).unwrap();
    assert!(!format!("{configuration:?}").contains("hunter2"));
    assert_eq!(configuration.inline_secrets(), ["database_url", "database_password", "mail.password"]);
}

/// The names a table of the typed configuration knows, from what serde says about a name it does not know.
fn typed_names(table: &str) -> Vec<String> {
    let probe = if table.is_empty() { "zzz = 1".to_owned() } else { format!("[{table}]\nzzz = 1") };
    let error = Figment::from(Toml::string(&probe)).extract::<Configuration>().unwrap_err();
    let figment::error::Kind::UnknownField(_, known) = error.kind else { panic!("{error}") };
    known.iter().map(|name| if table.is_empty() { (*name).to_owned() } else { format!("{table}.{name}") }).collect()
}

#[test]
fn the_table_of_settings_and_the_types_know_the_same_names() {
    let (tables, plain): (Vec<String>, Vec<String>) =
        typed_names("").into_iter().partition(|name| settings::is_table(name));
    let typed: BTreeSet<String> = plain.into_iter().chain(tables.iter().flat_map(|table| typed_names(table))).collect();
    let listed: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
    assert_eq!(typed, listed);
}

#[test]
fn the_generated_file_changes_nothing_and_with_every_comment_removed_still_reads() {
    let untouched = from_file(&template::commented(&[])).unwrap();
    assert_eq!(
        format!("{untouched:?}").replace(&format!("{:?}", untouched.file), "None"),
        format!("{:?}", Configuration::default())
    );
    let active: Vec<(&str, String)> =
        SETTINGS.iter().map(|setting| (setting.name, setting.example.to_owned())).collect();
    let all = from_file(&template::commented(&active)).unwrap();
    assert_eq!(all.sessions.idle_hours, Configuration::default().sessions.idle_hours);
    assert_eq!(all.mail.port, Some(587));
}

#[test]
fn chosen_settings_survive_a_round_trip() {
    let odd = "Ünïcode \"quoted\" \\ name";
    let text = template::commented(&[
        ("service_name", template::quoted(odd)),
        ("public_url", template::quoted("https://auth.example.com")),
        ("mail.host", template::quoted("relay.example.com")),
    ]);
    let configuration = from_file(&text).unwrap();
    assert_eq!(configuration.service_name, odd);
    assert_eq!(configuration.public_url.as_str(), "https://auth.example.com");
    assert_eq!(configuration.mail.host.as_deref(), Some("relay.example.com"));
}
