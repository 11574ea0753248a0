//! `doorward apply`, as an operator types it.

use std::path::Path;

use serde_json::{Value, json};

use crate::postgres::Database;
use crate::{run, text};

fn answer(folder: &Path, arguments: &[&str]) -> Value {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn apply(folder: &Path, file: &str, flags: &[&str]) -> Value {
    std::fs::write(folder.join("clients.toml"), file).unwrap();
    let path = folder.join("clients.toml");
    answer(folder, &[&["apply", path.to_str().unwrap(), "--json"], flags].concat())["clients"].clone()
}

fn refusal(folder: &Path, file: &str) -> String {
    std::fs::write(folder.join("clients.toml"), file).unwrap();
    let path = folder.join("clients.toml");
    let output = run(folder, &["apply", path.to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    text(&output.stderr)
}

fn ids(folder: &Path) -> Vec<String> {
    let all = answer(folder, &["client", "list", "--json"]);
    all["data"].as_array().unwrap().iter().map(|it| it["client_id"].as_str().unwrap().to_owned()).collect()
}

fn actions(told: &Value) -> Vec<(&str, &str)> {
    told.as_array()
        .unwrap()
        .iter()
        .map(|it| (it["client_id"].as_str().unwrap(), it["action"].as_str().unwrap()))
        .collect()
}

const SHOP: &str = r#"
[[client]]
client_id = "shop"
client_name = "Shop"
redirect_uris = ["https://shop.example.com/callback"]
consent = "skip"
"#;
const BOARD: &str = r#"
[[client]]
client_id = "board"
redirect_uris = ["https://board.example.com/"]
token_endpoint_auth_method = "none"
scope = "openid email"
consent = "skip"
"#;

fn applications_become_what_the_file_says(folder: &Path) {
    // Data, and an application that was registered by command.
    let create = ["client", "create", "--redirect-uri", "https://x.example/", "--first-party", "--json"];
    let by_command = answer(folder, &create)["client_id"].as_str().unwrap().to_owned();
    let both = format!("{SHOP}{BOARD}");
    let told = apply(folder, &both, &["--dry-run"]);
    assert_eq!(actions(&told), [("shop", "create"), ("board", "create")]);
    assert_eq!(told[0].get("client_secret"), None);
    assert_eq!(ids(folder), [by_command.as_str()], "nothing was changed");
    let told = apply(folder, &both, &[]);
    assert_eq!(actions(&told), [("shop", "create"), ("board", "create")]);
    assert!(told[0]["client_secret"].as_str().unwrap().starts_with("dwcs_"));
    assert_eq!(told[1].get("client_secret"), None, "a public application has none");
    assert_eq!(answer(folder, &["client", "show", "board", "--json"])["scope"], "openid email");
    assert_eq!(actions(&apply(folder, &both, &["--prune"])), [("shop", "keep"), ("board", "keep")]);

    // Who is kept out stays so.
    answer(folder, &["client", "disable", "shop", "--json"]);
    assert_eq!(actions(&apply(folder, &both, &[])), [("shop", "keep"), ("board", "keep")]);
    assert!(answer(folder, &["client", "show", "shop", "--json"])["disabled_at"].is_string());

    let changed = both.replace("shop.example.com", "store.example.com").replace("client_name = \"Shop\"\n", "");
    let told = apply(folder, &changed, &["--dry-run"]);
    let uris = |host: &str| json!([format!("https://{host}.example.com/callback")]);
    let expected = json!([
        {"field": "client_name", "before": "Shop", "after": null},
        {"field": "redirect_uris", "before": uris("shop"), "after": uris("store")},
    ]);
    assert_eq!((&told[0]["changes"], &told[0]["new_secret"]), (&expected, &json!(false)));
    apply(folder, &changed, &[]);
    let shown = answer(folder, &["client", "show", "shop", "--json"]);
    assert_eq!((&shown["redirect_uris"], shown.get("client_name")), (&uris("store"), None));

    let secret = answer(folder, &["client", "generate-secret", "--json"])["client_secret"].as_str().unwrap().to_owned();
    std::fs::write(folder.join("shop.secret"), format!("{secret}\n")).unwrap();
    let with_secret = format!("{SHOP}client_secret_file = \"shop.secret\"\n");
    let told = apply(folder, &with_secret, &[]);
    assert_eq!((&told[0]["action"], &told[0]["new_secret"]), (&json!("change"), &json!(true)));
    assert_eq!(told[0].get("client_secret"), None, "whoever gave it has it");
    assert_eq!(actions(&apply(folder, &with_secret, &[])), [("shop", "keep")]);

    // The file names the shop alone now.
    assert_eq!(actions(&apply(folder, SHOP, &["--prune"])), [("shop", "keep"), ("board", "remove")]);
    assert_eq!(ids(folder), [by_command.as_str(), "shop"]);
    assert_eq!(actions(&apply(folder, "", &["--prune"])), [("shop", "remove")]);
    assert_eq!(ids(folder), [by_command.as_str()]);
}

#[test]
fn applications_become_what_the_file_says_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    applications_become_what_the_file_says(folder.path());
}

#[test]
fn applications_become_what_the_file_says_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let _database = Database::configured_in(folder.path());
    applications_become_what_the_file_says(folder.path());
}

/// Everything that is wrong is named at once, and nothing of the file is done.
#[test]
fn a_file_with_a_mistake_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    apply(folder, SHOP, &[]);
    let hostile = BOARD.replace("https://board.example.com/", "http://board.example.com/*");
    let told = refusal(folder, &format!("{}{hostile}", SHOP.replace("Shop", "Store")));
    assert!(told.contains("board: redirect_uris[0]") && told.contains("nothing was changed"), "{told}");
    assert_eq!(answer(folder, &["client", "show", "shop", "--json"])["client_name"], "Shop");
    std::fs::write(folder.join("weak.secret"), "correct horse").unwrap();
    for (file, expected) in [
        (format!("{SHOP}{SHOP}"), "shop: client_id stands twice"),
        (SHOP.replace("client_id", "id"), "has no client_id"),
        (SHOP.replace("\"shop\"", "\"user_x\""), "a client id has"),
        (SHOP.replace("redirect_uris", "redirect_uri"), "redirect_uri"),
        (format!("{SHOP}client_secret_file = \"weak.secret\""), "generate-secret"),
        (format!("{SHOP}client_secret_file = \"none.secret\""), "cannot be read"),
        (format!("{SHOP}client_secret_file = 7"), "is no text"),
        (format!("{BOARD}client_secret_file = \"weak.secret\""), "uses no secret"),
        ("client = 1".to_owned(), "[[client]]"),
        ("clients = []".to_owned(), "clients is no part of it"),
        ("[[client]".to_owned(), "is no TOML"),
    ] {
        let told = refusal(folder, &file);
        assert!(told.contains(expected), "{expected}: {told}");
        assert!(!told.contains("correct horse"), "{told}");
    }
    assert_eq!(ids(folder), ["shop"]);
}

#[test]
fn the_manuals_applications_for_the_conformance_suite_are_taken() {
    let manual = include_str!("../../../../docs/conformance.md");
    let file = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let told = apply(folder.path(), file, &[]);
    let expected = ["conformance", "conformance-2", "conformance-post", "conformance-fapi", "conformance-fapi-2"]
        .map(|id| (id, "create"));
    assert_eq!(actions(&told), expected);
    let secrets = told.as_array().unwrap().iter().filter(|it| it.get("client_secret").is_some());
    assert_eq!(secrets.count(), 3, "the manual says how many are printed");
    for channel in ["backchannel", "frontchannel"] {
        let line = manual.split('`').find(|text| text.starts_with(&format!("{channel}_logout_uri = "))).unwrap();
        let with_logout = file.replacen("require_pkce = false", &format!("require_pkce = false\n{line}"), 1);
        let told = apply(folder.path(), &with_logout, &["--dry-run"]);
        assert_eq!(actions(&told)[0], ("conformance", "change"), "{line}");
    }
}
