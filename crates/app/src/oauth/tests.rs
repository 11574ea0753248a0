//! Tokens that our own key has signed and that are nothing to the `UserInfo` endpoint all the same.

use doorward_model::email::EmailAddress;
use doorward_model::id::{GrantId, SessionId, UserId};
use doorward_model::password::Password;
use doorward_model::time::{HOUR_MS, Timestamp};
use doorward_model::token::TOKEN_TYPE;
use doorward_oidc::id_token;
use doorward_store::grants::{self, Grant};
use doorward_store::users::User;
use doorward_store::{Store, StoreError, sessions};
use serde_json::{Value, json};

use super::{ErrorCode, PresentedToken, Proving, TokenScheme, UserInfo};
use crate::App;
use crate::login::{SignIn, SignInOutcome};
use crate::operators::NewUser;
use crate::sessions::start::Mode;
use crate::test_app::{app, op};
use crate::test_database::{at, on_both};

const EMAIL: &str = "owner@example.com";
const PASSWORD: &str = "copper lantern under the old bridge";

fn password() -> Password {
    Password::new(PASSWORD).unwrap()
}

/// A node, and the claims of a token that is good there at `at(2)`.
async fn target(store: &Store) -> (App, Value) {
    let node = app(store, at(0)).await;
    let email = EmailAddress::parse(EMAIL).unwrap();
    let new = NewUser { email, password: password(), name: None, is_verified: true, is_admin: false };
    let user: User = node.create_user(&op(at(0), 1), new).await.unwrap().unwrap();
    let input = SignIn {
        email: EMAIL.to_owned(),
        password: password(),
        mode: Mode::Cookie { remember: false },
        device_cookie: None,
        previous: None,
    };
    let Ok(SignInOutcome::SignedIn(signed_in)) = node.sign_in(&op(at(1), 2), input).await else {
        panic!("the sign-in was refused")
    };
    let Value::Object(members) = json!({
        "client_name": "Shop", "redirect_uris": ["https://shop.example/cb"], "scope": "openid", "consent": "skip",
    }) else {
        panic!("an object")
    };
    let client = node.create_client(&op(at(1), 3), members).await.unwrap().registered.client;
    let grant = Grant {
        id: GrantId::from_uuid([7; 16]),
        user_id: user.id,
        client_id: client.id().to_string(),
        session_id: Some(signed_in.session.id),
        scope: "openid email".to_owned(),
        resources: "[]".to_owned(),
        claims: "[]".to_owned(),
        amr: "[]".to_owned(),
        acr: "aal1".to_owned(),
        authenticated_at: at(1),
        created_at: at(1),
        expires_at: at(1).plus_ms(HOUR_MS),
        revoked_at: None,
    };
    let row = grant.clone();
    let inserted: Result<bool, StoreError> = store.write(move |tx| grants::insert(tx, &row)).await;
    inserted.unwrap();
    let claims = json!({
        "iss": node.keys.settings().issuer,
        "aud": [node.userinfo_audience()],
        "sub": user.id,
        "client_id": grant.client_id,
        "sid": signed_in.session.id,
        "grant_id": grant.id,
        "jti": "tok",
        "iat": at(1).as_seconds(),
        "exp": at(1).plus_ms(HOUR_MS).as_seconds(),
        "scope": grant.scope,
    });
    (node, claims)
}

/// What the endpoint answers at `now` to a token with these claims.
async fn answer(node: &App, kind: &'static str, payload: &str, now: Timestamp) -> Result<Value, ErrorCode> {
    let token = node.keys.sign_claims(kind, payload.as_bytes()).unwrap();
    let proving = Proving { proofs: &[], method: "GET", path: "/oauth2/userinfo" };
    let token = PresentedToken { text: &token, scheme: TokenScheme::Bearer, proving };
    match node.userinfo(&op(now, 9), &token).await.unwrap() {
        UserInfo::Claims(claims) => Ok(Value::Object(claims)),
        UserInfo::Signed(_) => panic!("nobody asked for a signature"),
        UserInfo::Refused(error) => Err(error.code),
    }
}

/// Proves: A-122, V9.2.1, V9.2.3
#[tokio::test]
async fn userinfo_takes_a_token_for_itself_for_now_and_for_what_lives() {
    on_both(|store| async move {
        let (node, claims) = target(&store).await;
        let now = at(2);
        let good = answer(&node, TOKEN_TYPE, &claims.to_string(), now).await.unwrap();
        assert_eq!(good["email"], EMAIL);
        let issuer = claims["iss"].as_str().unwrap();
        let mut wrong: Vec<(String, Value)> = Vec::new();
        for (name, values) in [
            ("iss", vec![json!(format!("{issuer}/")), json!(issuer.to_uppercase()), json!([issuer]), Value::Null]),
            ("aud", vec![json!([]), json!([issuer]), json!(""), claims["aud"][0].clone(), json!({}), Value::Null]),
            (
                "exp",
                vec![json!(now.as_seconds()), json!("9999999999"), json!([1]), json!(-1), json!(1e30), Value::Null],
            ),
            ("iat", vec![json!(now.as_seconds() + 120), json!("1"), json!(-1e30), Value::Null]),
            ("sub", vec![json!("user_01h455vb4pex5vsknk084sn02q"), json!(""), json!(7), Value::Null]),
            ("client_id", vec![json!("client_01h455vb4pex5vsknk084sn02q"), json!("doorward"), json!(""), Value::Null]),
            ("grant_id", vec![json!("grant_01h455vb4pex5vsknk084sn02q"), json!("' OR 1=1 --"), Value::Null]),
            ("scope", vec![json!(["openid"]), json!("openid\u{0}"), json!(1), Value::Null]),
        ] {
            for value in values {
                let mut changed = claims.clone();
                if value.is_null() {
                    changed.as_object_mut().unwrap().remove(name);
                } else {
                    changed[name] = value;
                }
                wrong.push((format!("{name}: {}", changed[name]), changed));
            }
        }
        for (name, changed) in wrong {
            let refused = answer(&node, TOKEN_TYPE, &changed.to_string(), now).await;
            assert_eq!(refused, Err(ErrorCode::InvalidToken), "{name}");
        }
        let twice = claims.to_string().replacen('{', "{\"exp\":9999999999,", 1);
        assert_eq!(answer(&node, TOKEN_TYPE, &twice, now).await, Err(ErrorCode::InvalidToken));
        for scope in ["profile", "email"] {
            let mut changed = claims.clone();
            changed["scope"] = json!(scope);
            let refused = answer(&node, TOKEN_TYPE, &changed.to_string(), now).await;
            assert_eq!(refused, Err(ErrorCode::InsufficientScope), "{scope}");
        }
        for kind in [id_token::TOKEN_TYPE, "logout+jwt", "dpop+jwt", "application/at+jwt", "AT+JWT", ""] {
            let refused = answer(&node, kind, &claims.to_string(), now).await;
            assert_eq!(refused, Err(ErrorCode::InvalidToken), "{kind}");
        }
    })
    .await;
}

/// Proves
#[tokio::test]
async fn userinfo_asks_each_time_whether_grant_client_session_and_person_live() {
    for end in ["grant", "client", "session", "person"] {
        on_both(|store| async move {
            let (node, claims) = target(&store).await;
            let payload = claims.to_string();
            answer(&node, TOKEN_TYPE, &payload, at(2)).await.unwrap();
            let member = |name: &str| claims[name].as_str().unwrap().to_owned();
            let user = || UserId::parse(&member("sub")).unwrap();
            match end {
                "grant" => {
                    let id = GrantId::parse(&member("grant_id")).unwrap();
                    let revoked: Result<bool, StoreError> =
                        store.write(move |tx| grants::revoke(tx, id, at(2), "test")).await;
                    assert!(revoked.unwrap());
                }
                "client" => assert!(node.delete_client(&op(at(2), 4), &member("client_id")).await.unwrap()),
                "session" => {
                    let (id, user) = (SessionId::parse(&member("sid")).unwrap(), user());
                    let revoked: Result<_, StoreError> =
                        store.write(move |tx| sessions::revoke(tx, id, user, at(2), "test")).await;
                    revoked.unwrap();
                }
                _ => assert!(node.disable_user(&op(at(2), 4), user()).await.unwrap()),
            }
            assert_eq!(answer(&node, TOKEN_TYPE, &payload, at(3)).await, Err(ErrorCode::InvalidToken), "{end}");
        })
        .await;
    }
}
