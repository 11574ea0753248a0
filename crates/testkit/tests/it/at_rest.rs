//! What lies in the database opens nothing: neither a copy of it nor a backup signs anybody in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_store::{Statement, StoreError};
use doorward_testkit::{World, both};
use http::Method;

use crate::credentials::{application, csrf, me_by_cookie};
use crate::people::{AWAY, HOME};

const EMAIL: &str = crate::credentials::EMAIL;
const PASSWORD: &str = crate::credentials::PASSWORD;
const PENDING: &str = "pending@example.org";
const PENDING_PASSWORD: &str = "nineteen kites over a canal";

static COLUMNS: Statement = Statement::differing(
    "it::at_rest::COLUMNS",
    "SELECT t.name, c.name, lower(c.type) FROM sqlite_schema AS t, pragma_table_info(t.name) AS c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'",
    "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns \
     WHERE table_schema = 'public'",
);
static CREDENTIAL_HASHES: Statement = Statement::new(
    "it::at_rest::CREDENTIAL_HASHES",
    "SELECT credential_hash FROM sessions WHERE credential_hash IS NOT NULL",
);

/// Every value of every row: where it lies, and as text or as hexadecimal digits.
async fn dump(world: &World) -> Vec<(String, String)> {
    let columns: Result<Vec<(String, String, String)>, StoreError> =
        world.store().read(|tx| tx.query_all(&COLUMNS, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))).await;
    let mut all = Vec::new();
    for (table, column, kind) in columns.unwrap() {
        let (sqlite, postgres) = match kind.as_str() {
            "text" => (column.clone(), column.clone()),
            "blob" | "bytea" => (format!("lower(hex({column}))"), format!("encode({column}, 'hex')")),
            _ => continue,
        };
        let select = |shown: &str| format!("SELECT {shown} FROM {table} WHERE {column} IS NOT NULL").leak();
        let statement: &'static Statement =
            Box::leak(Box::new(Statement::differing("it::at_rest::VALUES", select(&sqlite), select(&postgres))));
        let values: Result<Vec<String>, StoreError> =
            world.store().read(move |tx| tx.query_all(statement, &[], |row| row.get(0))).await;
        all.extend(values.unwrap().into_iter().map(|value| (format!("{table}.{column}"), value)));
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// How a secret could lie in a row: as it is, as its characters in bytes, as what its characters stand for.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), hex(secret.as_bytes())];
    let digits = secret.split_once('_').map_or(secret, |(_, digits)| digits);
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode(digits) {
        // The end of a refresh token is its MAC; what stands before it are no secrets.
        forms.push(hex(&bytes[bytes.len().saturating_sub(32)..]));
    }
    forms
}

fn assert_absent(rows: &[(String, String)], secrets: &[(&str, &str)]) {
    for (what, secret) in secrets {
        assert!(secret.len() >= 16, "{what} is no secret: {secret}");
        for form in forms(secret) {
            let place = rows.iter().find(|(_, value)| value.contains(&form)).map(|(place, _)| place);
            assert_eq!(place, None, "{what} lies there as it is");
        }
    }
}

/// Proves, S-29, S-157, S-230
#[test]
fn nothing_that_opens_anything_is_stored_as_it_is_shown() {
    both(async |world| {
        let link = world.operator().administrator_link().await.unwrap();
        let setup = link.split_once("token=").unwrap().1;
        world.operator().create_user(EMAIL, PASSWORD).await;
        let mut browser = world.browser(HOME);
        browser.sign_in(EMAIL, PASSWORD).await.expect(200);
        let cookie = browser.session_cookie().unwrap().to_owned();
        let device = browser.jar["__Host-doorward-device"].clone();
        let token = csrf(world, &cookie).await;
        let held = application(world, EMAIL).await;
        let (_, signature) = held.access.rsplit_once('.').unwrap();
        let stranger = world.api(AWAY);
        let handle = stranger.sign_up(PENDING, PENDING_PASSWORD).await.expect(202).string("verification");
        stranger.post("/api/v1/password/forgot", &serde_json::json!({ "email": EMAIL })).await.expect(202);

        // The mails wait in the queue, then they are sent.
        let waiting = dump(world).await;
        let (reset, confirm) = (world.last_letter_to(EMAIL).await.token(), world.last_letter_to(PENDING).await.token());
        let sent = dump(world).await;
        let secrets = [
            ("the password", PASSWORD),
            ("the password of a sign-up", PENDING_PASSWORD),
            ("the session cookie", cookie.as_str()),
            ("the device cookie", device.as_str()),
            ("the CSRF token", token.as_str()),
            ("the access token", held.access.as_str()),
            ("its signature", signature),
            ("the refresh token", held.refresh.as_str()),
            ("the handle of a sign-up", handle.as_str()),
            ("the token of the reset link", reset.as_str()),
            ("the token of the link of a sign-up", confirm.as_str()),
            ("the token of the administrator's link", setup),
        ];
        for rows in [&waiting, &sent] {
            let has = |place: &str, text: &str| rows.iter().any(|(at, value)| at == place && value.contains(text));
            assert!(has("users.email", EMAIL) && has("passwords.phc", "$argon2id$"), "the dump sees what is there");
            assert_absent(rows, &secrets);
        }
        browser.fetch(Method::GET, "/api/v1/me", None).await.expect(200);
    });
}

/// Proves: A-33
#[test]
fn what_is_stored_of_a_cookie_is_no_cookie() {
    both(async |world| {
        crate::credentials::register(world, EMAIL).await;
        let held = crate::credentials::browser(world, EMAIL).await;
        let hashes: Result<Vec<Vec<u8>>, StoreError> =
            world.store().read(|tx| tx.query_all(&CREDENTIAL_HASHES, &[], |row| row.get(0))).await;
        let hashes = hashes.unwrap();
        assert_eq!(hashes.len(), 1);
        for hash in hashes {
            let digits = URL_SAFE_NO_PAD.encode(&hash);
            assert_eq!(digits.len(), held.cookie.len() - "dws_".len(), "as long as a cookie: only its value is wrong");
            for text in [format!("dws_{digits}"), digits, hex(&hash)] {
                me_by_cookie(world, &text).await.expect_problem(401, "invalid_token");
            }
        }
        me_by_cookie(world, &held.cookie).await.expect(200);
    });
}
