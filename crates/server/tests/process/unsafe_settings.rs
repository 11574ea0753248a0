//! What `check` names and `serve` refuses, by the binary itself; and that neither ever shows a value.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::{doorward, run, text};

/// Stands for every value that must not be shown.
const VALUE: &str = "hunter2";
/// Thirty-two bytes that somebody rolled dice for, in base64.
const KEY: &str = "uY3mC1oTq0gF9Zb7XwV5r2KJ8NhLsPeD4aHiQkRtWxE=";
const PRODUCTION: &str = "public_url = \"https://auth.hunter2.example\"\nmaster_key_file = \"key\"\n";

/// One unsafe setting: the finding, what is in `doorward.toml`, what is in the key file, and the key file's mode.
#[rustfmt::skip]
const TABLE: &[(&str, &str, &str, u32)] = &[
    ("master_key_placeholder", "", "your-super-secret-key-of-at-least-32-characters", 0o600),
    ("master_key_short", "", "aHVudGVyMg==", 0o600),
    ("master_key_malformed", "", "hunter2 hunter2 hunter2", 0o600),
    ("secret_file_exposed", "", KEY, 0o644),
    ("cors_wildcard", "[cors]\ntoken_origins = [\"https://*.hunter2.example\"]", KEY, 0o600),
    ("cors_wildcard", "[cors]\ntoken_origins = [\"*\"]", KEY, 0o600),
    ("database_password_default", "database_url = \"postgres://hunter2:hunter2@db.example.com/d\"", KEY, 0o600),
    ("database_password_default", "database_url = \"postgres://postgres:postgres@db.example.com/d\"", KEY, 0o600),
    ("limiter_off", "[limits]\nscale = 100.5", KEY, 0o600),
    ("password_hash_weak", "[password]\nmemory_kib = 4096", KEY, 0o600),
    ("password_min_length_unsafe", "[password]\nmin_length = 7", KEY, 0o600),
    ("trusted_proxy_everyone", "trusted_proxies = [\"0.0.0.0/0\"]", KEY, 0o600),
    ("trusted_proxy_everyone", "trusted_proxies = [\"::/0\"]", KEY, 0o600),
    ("mail_unencrypted", "[mail]\ntransport = \"smtp\"\nhost = \"relay.hunter2.example\"\nencryption = \"none\"", KEY, 0o600),
];

fn assert_shows_no_value(what: &str, output: &Output) {
    let shown = text(&output.stdout) + &text(&output.stderr);
    for value in [VALUE, KEY, "aHVudGVyMg", "your-super-secret", "postgres:postgres"] {
        assert!(!shown.contains(value), "{what} shows {value}: {shown}");
    }
}

fn write(path: &Path, content: &str, mode: u32) {
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Proves: A-171, S-5, S-7, S-16, S-21, S-48, S-108, V13.3.2
#[test]
fn serve_refuses_each_error_that_check_names_and_neither_shows_a_value() {
    for (name, settings, key, mode) in TABLE {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("doorward.toml"), &format!("{PRODUCTION}{settings}\n"), 0o600);
        write(&folder.path().join("key"), &format!("{key}\n"), *mode);
        let json = run(folder.path(), &["check", "--json"]);
        let report: Value = serde_json::from_slice(&json.stdout).unwrap();
        let errors: Vec<&Value> =
            report["findings"].as_array().unwrap().iter().filter(|finding| finding["level"] == "error").collect();
        assert_eq!(errors.iter().map(|error| error["name"].as_str().unwrap()).collect::<Vec<_>>(), [*name]);
        let plain = run(folder.path(), &["check"]);
        let serve = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
        assert!(text(&plain.stdout).contains(name), "{name}: {}", text(&plain.stdout));
        assert!(text(&serve.stderr).contains(name), "{name}: {}", text(&serve.stderr));
        for output in [json, plain, serve] {
            assert_eq!(output.status.code(), Some(1), "{name}");
            assert_shows_no_value(name, &output);
        }
        assert!(!folder.path().join("doorward-data").exists(), "{name}: serve touched something");
    }
}

/// Proves: A-171, S-16, V13.3.2
#[test]
fn a_setting_that_cannot_be_read_is_named_without_its_value() {
    for (settings, variable) in [
        ("database_url = 5 # hunter2", None),
        ("hunter2_url = \"hunter2\"", None),
        ("trusted_proxies = [\"hunter2\"]", None),
        ("public_url = \"hunter2\"", None),
        ("", Some(("DOORWARD_LISTEN", "hunter2"))),
        ("", Some(("DOORWARD_LIMITS__SCALE", "hunter2"))),
        ("", Some(("DOORWARD_MASTER_KEY_FILE", "/nowhere/hunter2"))),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("doorward.toml"), &format!("{settings}\n"), 0o600);
        for arguments in [&["check"][..], &["check", "--json"], &["serve"]] {
            let mut command = doorward(folder.path());
            command.args(arguments).envs(variable);
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{settings} {variable:?}");
            let shown = (text(&output.stdout) + &text(&output.stderr)).replace("hunter2_url", "");
            assert!(!shown.contains(VALUE), "{settings} {variable:?} {arguments:?}: {shown}");
        }
    }
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(folder.path(), &["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}: {}", text(&output.stderr));
        let script = text(&output.stdout);
        for word in ["serve", "init", "check", "migrate", "user", "keys", "completions", "--data-dir", "rotate"] {
            assert!(script.contains(word.trim_start_matches('-')), "{shell} does not know {word}");
        }
    }
    let script = folder.path().join("doorward.bash");
    std::fs::write(&script, run(folder.path(), &["completions", "bash"]).stdout).unwrap();
    // The shell itself says what it would offer after `doorward k`.
    let asked = "source doorward.bash; COMP_WORDS=(doorward k); COMP_CWORD=1; _doorward doorward k doorward; \
                 printf '%s\\n' \"${COMPREPLY[@]}\"";
    let offered = std::process::Command::new("bash").current_dir(folder.path()).args(["-c", asked]).output().unwrap();
    assert_eq!(text(&offered.stdout), "keys\n", "{}", text(&offered.stderr));
}
