//! An application that speaks JSON and holds tokens, no cookies.

use http::{Method, header};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::mailbox::Letter;
use crate::world::{Request, World};

/// An application that speaks JSON and holds tokens, no cookies. A clone holds the same tokens.
#[derive(Clone)]
pub struct ApiClient {
    world: World,
    address: String,
    /// The access token it sends as Bearer.
    pub access_token: Option<String>,
    /// The refresh token it holds.
    pub refresh_token: Option<String>,
}

impl ApiClient {
    pub(crate) fn new(world: &World, address: &str) -> Self {
        Self { world: world.clone(), address: address.to_owned(), access_token: None, refresh_token: None }
    }

    /// Sends `body` to `path`, with the access token if it has one.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::new(method, path, &self.address);
        if let Some(token) = &self.access_token {
            request = request.header(header::AUTHORIZATION, &format!("Bearer {token}"));
        }
        if let Some(body) = body {
            self.world.canaries().add_json(body);
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        self.world.send(request).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// `POST` with a body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Asks for an account.
    pub async fn sign_up(&self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/signup", &json!({ "email": email, "password": password })).await
    }

    /// Makes an account the whole way: signs up, reads the mail, confirms with the code.
    pub async fn make_account(&self, email: &str, password: &str) -> Letter {
        let verification = self.sign_up(email, password).await.expect(202).string("verification");
        let letter = self.world.last_letter_to(email).await;
        self.confirm_code(&verification, &letter.code()).await.expect(200);
        letter
    }

    /// Confirms with a code.
    pub async fn confirm_code(&self, verification: &str, code: &str) -> Answer {
        let body = json!({ "verification": verification, "code": code });
        self.post("/api/v1/email-verifications/confirm", &body).await
    }

    /// Confirms with a link's token.
    pub async fn confirm_link(&self, token: &str, password: &str) -> Answer {
        self.post("/api/v1/email-verifications/confirm", &json!({ "token": token, "password": password })).await
    }

    /// Tries to sign in in token mode, and holds the tokens when that works.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        let answer = self.login(email, password).await;
        if answer.status.is_success() {
            self.take_tokens(&answer);
        }
        answer
    }

    /// Tries to sign in in token mode; forgets the answer's tokens.
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password, "mode": "token" });
        self.post("/api/v1/login", &body).await
    }

    /// Renews with the refresh token it holds, and holds the new tokens when that works.
    pub async fn renew(&mut self) -> Answer {
        let refresh_token = self.refresh_token.clone().expect("it holds a refresh token");
        let answer = self.renew_with(&refresh_token).await;
        if answer.status.is_success() {
            self.take_tokens(&answer);
        }
        answer
    }

    /// Renews with `refresh_token`; keeps nothing. No access token goes along.
    pub async fn renew_with(&self, refresh_token: &str) -> Answer {
        let bare = Self { access_token: None, ..self.clone() };
        bare.post("/api/v1/token", &json!({ "refresh_token": refresh_token })).await
    }

    /// Asks for a reset and returns the token of the mailed link.
    pub async fn reset_token(&self, email: &str) -> String {
        self.post("/api/v1/password/forgot", &json!({ "email": email })).await.expect(202);
        self.world.last_letter_to(email).await.token()
    }

    /// Resets a password.
    pub async fn reset(&self, token: &str, password: &str) -> Answer {
        self.post("/api/v1/password/reset", &json!({ "token": token, "password": password })).await
    }

    fn take_tokens(&mut self, answer: &Answer) {
        self.access_token = Some(answer.string("access_token"));
        self.refresh_token = Some(answer.string("refresh_token"));
    }
}
