//! What a server needs of its machine and leaves there: one folder to write to, and no secret outside it.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::operations::{make_account, post};
use crate::operator::{PASSWORD, body, sign_in, who_am_i};
use crate::{Server, get};

/// The user of a program that must not be able to do anything.
const NOBODY: u32 = 65_534;
const EMAIL: &str = "ann.of.the.canaries@example.com";

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Every file and folder below `folder`, as paths relative to `root`.
fn list(root: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(root, &path, found);
        }
        found.insert(path.strip_prefix(root).unwrap().to_owned());
    }
}

/// Started by root, this runs as nobody; started by anybody else, as that user.
///
/// Proves: A-176, S-15, V13.2.5, V16.2.3
#[test]
fn an_ordinary_user_and_one_folder_to_write_to_are_enough() {
    let root = tempfile::tempdir().unwrap();
    let (programs, state) = (root.path().join("programs"), root.path().join("state"));
    for folder in [&programs, &state] {
        std::fs::create_dir(folder).unwrap();
    }
    let program = programs.join("doorward");
    std::fs::copy(env!("CARGO_BIN_EXE_doorward"), &program).unwrap();
    for path in [root.path(), &program, &programs] {
        set_mode(path, 0o555);
    }
    let mut command = Command::new(&program);
    command.current_dir(&state).env_clear().stdin(Stdio::null());
    if std::fs::metadata(&state).unwrap().uid() == 0 {
        chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    let server = Server::spawn(command);
    make_account(&state, &server.public, EMAIL);
    let session = sign_in(&server.public, EMAIL);
    assert!(session.starts_with("HTTP/1.1 200"), "{session}");
    assert!(get(&server.operations, "/readyz").starts_with("HTTP/1.1 200"));
    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));

    let mut found = BTreeSet::new();
    list(root.path(), root.path(), &mut found);
    let data = Path::new("state/doorward-data");
    assert!(found.contains(&data.join("doorward.db")), "{found:?}");
    let outside: Vec<_> = found.iter().filter(|path| !path.starts_with(data)).collect();
    assert_eq!(outside, ["programs", "programs/doorward", "state"].map(Path::new));
    set_mode(&programs, 0o755);
    set_mode(root.path(), 0o755);
}

/// Everything secret or personal that one person's visit makes, by the answers' own fields.
fn secrets_of(answers: &[Value]) -> Vec<String> {
    let fields = ["verification", "access_token", "refresh_token", "csrf_token"];
    let found = answers.iter().flat_map(|answer| fields.iter().filter_map(|field| answer[*field].as_str()));
    found.map(str::to_owned).collect()
}

/// Proves: A-150, S-70, V16.2.2, V16.2.5, V14.2.4
#[test]
fn not_even_the_finest_log_nor_the_metrics_hold_a_secret_or_an_address() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("doorward.toml"), "[log]\nlevel = \"trace\"\n").unwrap();
    let mut server = Server::start(folder.path());
    let lines = std::mem::replace(&mut server.lines, Box::new(std::iter::empty()));
    let log = std::thread::spawn(move || lines.map(|line| line.unwrap()).collect::<Vec<String>>());

    make_account(folder.path(), &server.public, EMAIL);
    let signed_up = body(&post(&server.public, "/api/v1/signup", &json!({"email": EMAIL, "password": PASSWORD})));
    let wrong = "the wrong password of a canary";
    post(&server.public, "/api/v1/login", &json!({"email": EMAIL, "password": wrong}));
    let session = body(&sign_in(&server.public, EMAIL));
    let token = session["access_token"].as_str().unwrap();
    assert!(who_am_i(&server.public, token).starts_with("HTTP/1.1 200"));
    let renewed = body(&post(&server.public, "/api/v1/token", &json!({"refresh_token": session["refresh_token"]})));
    post(&server.public, "/api/v1/password/forgot", &json!({"email": EMAIL}));
    // Secrets where they do not belong.
    get(&server.public, &format!("/login?token={token}"));
    get(&server.public, &format!("/{token}"));
    let metrics = get(&server.operations, "/metrics");
    let data = folder.path().join("doorward-data");
    let link = std::fs::read_to_string(data.join("admin-link")).unwrap();
    let key = std::fs::read_to_string(data.join("master.key")).unwrap();
    server.signal("-TERM");
    assert_eq!(server.process.wait().unwrap().code(), Some(0));

    let mut secrets = secrets_of(&[signed_up, session, renewed]);
    assert!(secrets.len() >= 5, "{}", secrets.len());
    secrets.extend([PASSWORD, wrong, EMAIL, "ann.of.the.canaries", key.trim()].map(str::to_owned));
    secrets.push(link.trim().split_once("token=").unwrap().1.to_owned());
    let lines = log.join().unwrap();
    assert!(lines.iter().filter(|line| line.contains("\"http.route\":\"/api/v1/login\"")).count() >= 2);
    for line in lines.iter().map(String::as_str).chain([metrics.as_str()]) {
        for secret in &secrets {
            assert!(!line.contains(secret.as_str()), "{secret} in {line}");
        }
    }
    for line in &lines {
        let entry: Value = serde_json::from_str(line).unwrap();
        let time = entry["timestamp"].as_str().unwrap();
        assert!(time.len() >= 20 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{line}");
    }
}
