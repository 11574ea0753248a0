//! `doorward client`, as an operator types it.

use std::path::Path;

use serde_json::{Value, json};

use crate::postgres::Database;
use crate::{run, text};

fn answer(folder: &Path, arguments: &[&str]) -> Value {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()), "{arguments:?}");
    text(&output.stderr)
}

const URI: &str = "https://shop.example.com/callback";

fn tokens_for_registrations_are_made_listed_and_taken_back(folder: &Path) {
    let made = answer(folder, &["client", "create-token", "--note", "staging", "--uses", "2", "--json"]);
    let (id, token) = (made["id"].as_str().unwrap(), made["initial_access_token"].as_str().unwrap());
    assert!(token.starts_with("dwia_") && id.starts_with("initial_"), "{made}");
    let listed = answer(folder, &["client", "list-tokens", "--json"]);
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["uses_left"]), (&json!(id), &json!(2)));
    assert_eq!(listed["data"][0].get("initial_access_token"), None, "shown once");
    assert_eq!(answer(folder, &["client", "delete-token", id, "--json"]), json!({"deleted": id}));
    assert!(refusal(folder, &["client", "delete-token", id]).contains("there is no token"));
    assert_eq!(answer(folder, &["client", "list-tokens", "--json"]), json!({"data": []}));
    let shown = text(&run(folder, &["client", "create-token"]).stdout);
    assert!(shown.contains("shown this once") && shown.contains("applications.registration = true"), "{shown}");
    assert!(refusal(folder, &["client", "create-token", "--note", "two\nlines"]).contains("one line"));
}

fn kept_out_and_let_in_again(folder: &Path, id: &str) {
    let disabled = answer(folder, &["client", "disable", id, "--json"]);
    assert!(disabled["disabled_at"].is_string(), "{disabled}");
    assert_eq!(answer(folder, &["client", "disable", id, "--json"]), disabled, "once is enough");
    assert!(text(&run(folder, &["client", "list"]).stdout).contains("confidential  disabled"));
    assert_eq!(answer(folder, &["client", "enable", id, "--json"])["disabled_at"], Value::Null);
    assert!(refusal(folder, &["client", "disable", "client_none"]).contains("there is no client client_none"));
}

fn clients_are_managed_from_the_command_line(folder: &Path) {
    let create = ["client", "create", "--name", "Shop", "--redirect-uri", URI, "--first-party", "--json"];
    let made = answer(folder, &create);
    let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    assert!(secret.starts_with("dwcs_"), "{secret}");
    assert_eq!((&made["client_name"], &made["redirect_uris"]), (&json!("Shop"), &json!([URI])));

    let shown = answer(folder, &["client", "show", id, "--json"]);
    assert_eq!(shown.get("client_secret"), None, "shown once");
    let public = answer(
        folder,
        &[
            "client",
            "create",
            "--redirect-uri",
            URI,
            "--public",
            "--first-party",
            "--scope",
            "openid",
            "--scope",
            "email",
            "--json",
        ],
    );
    assert_eq!(public.get("client_secret"), None);
    assert_eq!((&public["token_endpoint_auth_method"], &public["scope"]), (&json!("none"), &json!("openid email")));
    let page = answer(folder, &["client", "list", "--limit", "1", "--json"]);
    assert_eq!((&page["data"], &page["next_cursor"]), (&json!([shown]), &json!(id)));
    let page = answer(folder, &["client", "list", "--after", id, "--json"]);
    assert_eq!((&page["data"][0]["client_id"], &page["next_cursor"]), (&public["client_id"], &Value::Null));

    std::fs::write(folder.join("more.json"), r#"{"client_name": "Old", "default_max_age": 600}"#).unwrap();
    let file = folder.join("more.json");
    let update = ["client", "update", id, "--name", "Store", "--metadata", file.to_str().unwrap(), "--json"];
    let updated = answer(folder, &update);
    assert_eq!((&updated["client_name"], &updated["default_max_age"]), (&json!("Store"), &json!(600)), "flags win");
    assert_eq!(updated["redirect_uris"], json!([URI]), "the rest stays");

    let rotated = answer(folder, &["client", "rotate-secret", id, "--json"]);
    assert_ne!(rotated["client_secret"], secret);
    let public_id = public["client_id"].as_str().unwrap();
    assert!(refusal(folder, &["client", "rotate-secret", public_id]).contains("uses a secret"));

    kept_out_and_let_in_again(folder, id);
    assert_eq!(answer(folder, &["client", "delete", id, "--json"]), json!({"deleted": id}));
    assert!(refusal(folder, &["client", "show", id]).contains("there is no client"));
    assert!(refusal(folder, &["client", "delete", id]).contains("there is no client"));

    let service = answer(folder, &["client", "create", "--serves", "https://api.example.com", "--json"]);
    assert_eq!(
        (&service["served_resources"], &service["grant_types"]),
        (&json!(["https://api.example.com"]), &json!([]))
    );
    let grant = ["client", "create", "--grant", "client_credentials", "--scope", "orders", "--json"];
    assert!(refusal(folder, &grant).contains("resources must have an entry"));
    let job = answer(folder, &[&grant[..], &["--resource", "https://api.example.com"]].concat());
    assert_eq!((&job["resources"], &job["scope"]), (&json!(["https://api.example.com"]), &json!("orders")));

    let asked_about = answer(folder, &["client", "create", "--redirect-uri", URI, "--json"]);
    assert_eq!(asked_about["consent"], "ask", "of others unless the operator says otherwise");
    let refused = refusal(folder, &["client", "create", "--redirect-uri", "http://shop.example.com/", "--first-party"]);
    assert!(refused.contains("redirect_uris"), "{refused}");
    assert!(refusal(folder, &["client", "update", public_id]).contains("nothing to change"));
}

#[test]
fn an_application_is_registered_to_prove_who_it_is_with_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let create = ["client", "create", "--redirect-uri", URI, "--auth-method", "private_key_jwt", "--json"];
    assert!(refusal(folder.path(), &create).contains("jwks is needed for private_key_jwt"));
    let file = folder.path().join("keys.json");
    std::fs::write(&file, r#"{"jwks_uri": "https://shop.example.com/keys"}"#).unwrap();
    let made = answer(folder.path(), &[&create[..], &["--metadata", file.to_str().unwrap()]].concat());
    assert_eq!((&made["token_endpoint_auth_method"], made.get("client_secret")), (&json!("private_key_jwt"), None));
}

/// `check` looks at what is registered, changes nothing, and needs no data.
fn an_exception_from_pkce_is_named(folder: &Path) {
    let names = |folder: &Path| {
        let report = answer(folder, &["check", "--json"]);
        let found = report["findings"].as_array().unwrap().clone();
        let is_exempt = |it: &Value| it["name"].as_str().is_some_and(|name| name.starts_with("client_without_pkce"));
        found.into_iter().filter(is_exempt).collect::<Vec<_>>()
    };
    assert_eq!(names(folder), [] as [Value; 0], "there is no data yet");
    assert!(!folder.join("doorward-data").join("doorward.db").exists());
    let file = folder.join("more.json");
    std::fs::write(&file, r#"{"require_pkce": false}"#).unwrap();
    answer(folder, &["client", "create", "--redirect-uri", URI, "--json"]);
    assert_eq!(names(folder), [] as [Value; 0]);
    let create = ["client", "create", "--redirect-uri", URI, "--metadata", file.to_str().unwrap(), "--json"];
    let exempt = answer(folder, &create)["client_id"].clone();
    let found = names(folder);
    assert_eq!((found.len(), &found[0]["client"], &found[0]["level"]), (1, &exempt, &json!("warning")));
    let told = text(&run(folder, &["check"]).stdout);
    assert!(told.contains("client_without_pkce") && told.contains(exempt.as_str().unwrap()), "{told}");
    std::fs::write(&file, r#"{"require_nonce": false}"#).unwrap();
    answer(folder, &["client", "update", exempt.as_str().unwrap(), "--metadata", file.to_str().unwrap(), "--json"]);
    assert_eq!(names(folder)[0]["name"], "client_without_pkce_and_nonce");
}

#[test]
fn an_exception_from_pkce_is_named_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    an_exception_from_pkce_is_named(folder.path());
}

#[test]
fn an_exception_from_pkce_is_named_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let _database = Database::configured_in(folder.path());
    an_exception_from_pkce_is_named(folder.path());
}

#[test]
fn clients_are_managed_from_the_command_line_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    clients_are_managed_from_the_command_line(folder.path());
    tokens_for_registrations_are_made_listed_and_taken_back(folder.path());
}

#[test]
fn clients_are_managed_from_the_command_line_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let _database = Database::configured_in(folder.path());
    clients_are_managed_from_the_command_line(folder.path());
    tokens_for_registrations_are_made_listed_and_taken_back(folder.path());
}
