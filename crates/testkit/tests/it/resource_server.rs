//! The manual's resource server in front of the whole server: somebody signs in, calls it, is signed out, and is refused.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use doorward_testkit::world::{PUBLIC_URL, Request};
use doorward_testkit::{Answer, Browser, World, both};
use doorward_verify::client::{self, HttpClient, Limits};
use doorward_verify::{Clock, Issuer, RevocationFeed, Verifier};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tower::ServiceExt as _;

use crate::credentials::poll;
use crate::people::{AWAY, PASSWORD};
use crate::provider::relying_party::{RelyingParty, SERVER, browser};
use crate::provider::renewal::{API, granted, renewing};
use crate::provider::signed_in;

/// The server, as the resource server reaches it.
#[derive(Clone)]
struct Reached(World);

impl std::fmt::Debug for Reached {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Reached").finish_non_exhaustive()
    }
}

impl Clock for Reached {
    fn now_ms(&self) -> i64 {
        self.0.now().as_ms()
    }
}

impl HttpClient for Reached {
    fn send(&self, request: http::Request<Bytes>, _: Limits) -> client::Answer<'_> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        assert_eq!(parts.uri.to_string(), format!("{PUBLIC_URL}{path}"));
        let mut asked = Request::new(parts.method, path, SERVER);
        for (name, value) in &parts.headers {
            asked = asked.header(name.clone(), value.to_str().unwrap());
        }
        if !body.is_empty() {
            asked = asked.body(String::from_utf8(body.to_vec()).unwrap());
        }
        Box::pin(async move {
            let answer: Answer = self.0.send(asked).await;
            let mut response = Response::new(answer.body);
            *response.status_mut() = answer.status;
            Ok(response)
        })
    }
}

/// The example, following as a client of the server.
struct Service {
    router: Router,
    verifier: Verifier,
}

impl Service {
    async fn start(world: &World) -> Self {
        let fields = json!({
            "client_name": "Orders", "grant_types": ["client_credentials"], "redirect_uris": [],
            "scope": "doorward:revocations",
        });
        let own = RelyingParty::register(world, fields).await;
        let feed = RevocationFeed::with_secret(&own.client_id, own.secret.as_deref().unwrap());
        let issuer = Issuer::new(PUBLIC_URL).audience(API).follow(feed);
        let reached = Reached(world.clone());
        let verifier = Verifier::builder().issuer(issuer).http_client(reached.clone()).clock(reached).build().unwrap();
        Self { router: resource_server::service(verifier.clone()), verifier }
    }

    async fn call(&self, method: Method, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Returns when the token is refused.
    async fn refuses(&self, token: &str) {
        while self.verifier.verify(token).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.call(Method::GET, "/whoami", token, &Value::Null).await.0, StatusCode::UNAUTHORIZED);
    }
}

/// An application with scopes of the service, and somebody who let it in.
async fn let_in(world: &World) -> (RelyingParty, Browser, String) {
    let mut owner = signed_in(world).await;
    let fields = json!({ "scope": "openid email offline_access notes:read notes:write", "resources": [API] });
    let shop = RelyingParty::register(world, renewing(&fields)).await;
    let asked = [("scope", "openid notes:read notes:write"), ("resource", API)];
    let token = granted(&shop, &mut owner, &asked).await.access;
    (shop, owner, token)
}

/// Proves: S-31, S-193, S-207, V7.4.1, V9.2.3, V10.3.1, V10.3.2
#[test]
fn somebody_who_signed_out_is_refused_by_services_too() {
    both(async |world| {
        let (shop, mut owner, token) = let_in(world).await;
        poll(world).await;
        let service = Service::start(world).await;
        let (status, claims) = service.call(Method::GET, "/whoami", &token, &Value::Null).await;
        assert_eq!(
            (status, &claims["iss"], &claims["client_id"]),
            (StatusCode::OK, &json!(PUBLIC_URL), &json!(shop.client_id))
        );
        assert_eq!(claims, shop.verify(&token).await);

        let note = json!({ "text": "milk" });
        assert_eq!(service.call(Method::POST, "/notes", &token, &note).await, (StatusCode::CREATED, note.clone()));
        assert_eq!(service.call(Method::GET, "/notes", &token, &Value::Null).await, (StatusCode::OK, json!([note])));
        assert_eq!(service.call(Method::GET, "/admin", &token, &Value::Null).await.0, StatusCode::FORBIDDEN);
        // A token of the same grant for less, and one of the same person for the server itself.
        let to_read = [("scope", "openid notes:read"), ("resource", API)];
        let less = granted(&shop, &mut owner, &to_read).await.access;
        assert_eq!(service.call(Method::POST, "/notes", &less, &note).await.0, StatusCode::FORBIDDEN);
        let own = owner.fetch(Method::POST, "/api/v1/token", None).await.expect(200).string("access_token");
        assert_eq!(service.call(Method::GET, "/whoami", &own, &Value::Null).await.0, StatusCode::UNAUTHORIZED);

        // Somebody else, who stays.
        let (_, _, other) = let_in_again(world).await;
        assert_eq!(service.call(Method::GET, "/notes", &other, &Value::Null).await, (StatusCode::OK, json!([])));

        owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
        poll(world).await;
        service.refuses(&token).await;
        service.refuses(&less).await;
        assert_eq!(service.call(Method::GET, "/notes", &other, &Value::Null).await.0, StatusCode::OK);
    });
}

/// Proves: S-31, A-122
#[test]
fn an_application_that_is_kept_out_is_refused_by_services_too() {
    both(async |world| {
        let (shop, mut owner, token) = let_in(world).await;
        let (other_shop, _, other) = let_in_again(world).await;
        poll(world).await;
        let service = Service::start(world).await;
        for token in [&token, &other] {
            assert_eq!(service.call(Method::GET, "/notes", token, &Value::Null).await.0, StatusCode::OK);
        }
        let (app, operator) = (world.app(), world.operator());
        assert!(app.disable_client(&operator.op(), &shop.client_id).await.unwrap());
        poll(world).await;
        service.refuses(&token).await;
        assert_eq!(service.call(Method::GET, "/notes", &other, &Value::Null).await.0, StatusCode::OK);
        assert!(app.enable_client(&operator.op(), &shop.client_id).await.unwrap());
        world.advance(11_000);
        poll(world).await;
        let anew = granted(&shop, &mut owner, &[("scope", "openid notes:read"), ("resource", API)]).await.access;
        assert_eq!(service.call(Method::GET, "/notes", &anew, &Value::Null).await.0, StatusCode::OK);
        service.refuses(&token).await;
        assert!(app.disable_client(&operator.op(), &other_shop.client_id).await.unwrap());
        poll(world).await;
        service.refuses(&other).await;
    });
}

/// The same application, let in by a second person.
async fn let_in_again(world: &World) -> (RelyingParty, Browser, String) {
    world.operator().create_user("second@example.org", PASSWORD).await;
    let mut second = browser(world, AWAY);
    second.sign_in("second@example.org", PASSWORD).await.expect(200);
    let fields = json!({ "scope": "openid notes:read", "resources": [API] });
    let shop = RelyingParty::register(world, renewing(&fields)).await;
    let token = granted(&shop, &mut second, &[("scope", "openid notes:read"), ("resource", API)]).await.access;
    (shop, second, token)
}

/// Proves: S-184, V4.4.3, V7.4.1
#[test]
fn a_socket_is_closed_when_its_session_ends() {
    both(async |world| {
        let (shop, mut owner, token) = let_in(world).await;
        poll(world).await;
        let service = Arc::new(Service::start(world).await);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(axum::serve(listener, service.router.clone()).into_future());

        // As a program, with a header; as a browser, with the first message.
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        let (mut program, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let (mut browser, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws")).await.unwrap();
        browser.send(Message::text(json!({ "token": token }).to_string())).await.unwrap();
        for socket in [&mut program, &mut browser] {
            let hello: Value = serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
            assert_eq!(hello["hello"], shop.verify(&token).await["sub"]);
        }
        let fresh = granted(&shop, &mut owner, &[("scope", "openid notes:read"), ("resource", API)]).await.access;
        for (message, answer) in [
            (json!("hello"), json!({ "echo": "\"hello\"" })),
            (json!({ "token": fresh }), json!({ "renewed": true })),
            (json!({ "token": "x" }), json!({ "renewed": false })),
        ] {
            program.send(Message::text(message.to_string())).await.unwrap();
            let said: Value = serde_json::from_str(program.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
            assert_eq!(said, answer);
        }

        owner.fetch(Method::POST, "/api/v1/logout", None).await.expect(204);
        poll(world).await;
        for mut socket in [program, browser] {
            let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else { panic!("it is closed") };
            assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4401, "revoked"));
        }
        // Nobody comes in with what was revoked.
        let (mut late, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws")).await.unwrap();
        late.send(Message::text(json!({ "token": token }).to_string())).await.unwrap();
        let Message::Close(Some(frame)) = late.next().await.unwrap().unwrap() else { panic!("it is closed") };
        assert_eq!(u16::from(frame.code), 4401);
        serving.abort();
    });
}
