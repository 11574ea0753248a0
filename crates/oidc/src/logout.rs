//! The end of a session: asked for by a client (OpenID Connect RP-Initiated Logout 1.0), and told to clients (Back-Channel
//! Logout 1.0, Front-Channel Logout 1.0).

use doorward_model::secret::SecretText;
use doorward_model::time::{MINUTE_MS, Timestamp};
use serde_json::{Value, json};

use crate::client::{Client, LogoutAddress};
use crate::error::OAuthError;
use crate::parameters::{Parameters, form};
use crate::preferences;

/// The `typ` of a logout token (Back-Channel Logout 1.0 section 2.4).
pub const TOKEN_TYPE: &str = "logout+jwt";
/// What happened (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a logout token holds (section 2.4: at most two minutes).
const TOKEN_LIFETIME_MS: i64 = 2 * MINUTE_MS;
/// The longest `state` that is carried back.
const MAX_STATE_BYTES: usize = 2_048;

/// What tells one client that a session is over.
#[derive(Clone, Copy, Debug)]
pub struct LogoutToken<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub client_id: &'a str,
    /// `sub`: the id by which this client knows the person.
    pub subject: &'a str,
    /// `sid`: the session, as in the client's ID token.
    pub session_id: &'a str,
    /// `jti`: the same when the delivery is repeated.
    pub id: &'a str,
    /// `iat`: when this copy is signed.
    pub issued_at: Timestamp,
}

impl LogoutToken<'_> {
    /// The claims of Back-Channel Logout 1.0 section 2.4. There is no `nonce`, so that it is never taken for an ID token.
    pub fn claims(&self) -> Value {
        json!({
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": self.subject,
            "sid": self.session_id,
            "jti": self.id,
            "iat": self.issued_at.as_seconds(),
            "exp": self.issued_at.plus_ms(TOKEN_LIFETIME_MS).as_seconds(),
            "events": { EVENT: {} },
        })
    }
}

/// The address of the frame that tells a client (Front-Channel Logout 1.0 section 2).
pub fn frontchannel_address(address: &LogoutAddress, issuer: &str, session_id: &str) -> String {
    let mut query = String::new();
    form::append_pair(&mut query, "iss", issuer);
    form::append_pair(&mut query, "sid", session_id);
    let separator = if address.uri.contains('?') { '&' } else { '?' };
    format!("{}{separator}{query}", address.uri)
}

/// What a client asks the end-session endpoint for (RP-Initiated Logout 1.0 section 2).
#[derive(Clone, Debug)]
pub struct LogoutRequest {
    /// An ID token of the session, over or not. Nobody has looked into it yet.
    pub id_token_hint: Option<SecretText>,
    /// The client, unproved.
    pub client_id: Option<String>,
    /// Where the browser is to go afterwards, unproved.
    pub post_logout_redirect_uri: Option<String>,
    /// What the client wants back untouched.
    pub state: Option<String>,
    /// The languages wanted, the best first.
    pub ui_locales: Vec<String>,
}

/// What a verified `id_token_hint` says. Its `exp` does not count (RP-Initiated Logout 1.0 section 2).
#[derive(Clone, Copy, Debug)]
pub struct Hint<'a> {
    /// Its `aud`.
    pub client_id: &'a str,
    /// Its `sid`.
    pub session_id: Option<&'a str>,
    /// Its `sub`, translated to the session's own id of the person when the client's are pairwise.
    pub subject: &'a str,
}

/// The session in the browser that asks.
#[derive(Clone, Copy, Debug)]
pub struct CurrentSession<'a> {
    /// Its id.
    pub id: &'a str,
    /// The person.
    pub subject: &'a str,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logout {
    /// Ask the person first: anybody can put this address into a link.
    pub asks: bool,
    /// Where to go afterwards; none means a page of ours.
    pub redirect_to: Option<String>,
}

impl LogoutRequest {
    /// Reads the parameters.
    pub fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        parameters.refuse_repeated()?;
        let state = parameters.find("state");
        if state.is_some_and(|state| state.len() > MAX_STATE_BYTES || state.chars().any(char::is_control)) {
            return Err(OAuthError::invalid_request("state is too long or holds control characters"));
        }
        let text = |name: &str| parameters.find(name).map(str::to_owned);
        Ok(Self {
            id_token_hint: text("id_token_hint").map(SecretText::new),
            client_id: text("client_id"),
            post_logout_redirect_uri: text("post_logout_redirect_uri"),
            state: state.map(str::to_owned),
            ui_locales: parameters.find("ui_locales").map(preferences::words).unwrap_or_default(),
        })
    }

    /// The client that asks: the hint's, which `client_id` must not contradict (RP-Initiated Logout 1.0 section 2).
    pub fn asking_client<'a>(&'a self, hint: Option<&Hint<'a>>) -> Result<Option<&'a str>, OAuthError> {
        match (hint.map(|hint| hint.client_id), self.client_id.as_deref()) {
            (Some(hinted), Some(named)) if hinted != named => {
                Err(OAuthError::invalid_request("client_id is not the client of id_token_hint"))
            }
            (hinted, named) => Ok(hinted.or(named)),
        }
    }

    /// Decides. `client` is the one of [`Self::asking_client`]. An error belongs on a page and ends nothing.
    pub fn decide(
        &self,
        hint: Option<&Hint<'_>>,
        client: Option<&Client>,
        session: Option<&CurrentSession<'_>>,
    ) -> Result<Logout, OAuthError> {
        let is_proved = session.is_some_and(|session| hint.is_some_and(|hint| is_of(hint, session)));
        let asks = session.is_some() && !is_proved;
        let Some(uri) = &self.post_logout_redirect_uri else { return Ok(Logout { asks, redirect_to: None }) };
        // Section 3: byte for byte a registered one, and of a client that can be told.
        if !client.is_some_and(|client| client.has_post_logout_redirect_uri(uri)) {
            return Err(OAuthError::invalid_request("post_logout_redirect_uri is not registered for this client"));
        }
        // Anybody can register an address and put it into a link: to one that nobody here has looked at, only a client leads
        // that had this person in front of it (RFC 9700 section 4.11.2).
        let leads = is_proved || !client.is_some_and(|client| client.metadata().self_registered);
        Ok(Logout { asks, redirect_to: leads.then(|| self.with_state(uri)) })
    }

    fn with_state(&self, uri: &str) -> String {
        let Some(state) = &self.state else { return uri.to_owned() };
        let mut query = String::new();
        form::append_pair(&mut query, "state", state);
        let separator = if uri.contains('?') { '&' } else { '?' };
        format!("{uri}{separator}{query}")
    }
}

/// Whether the hint proves that the client knows this very session.
fn is_of(hint: &Hint<'_>, session: &CurrentSession<'_>) -> bool {
    hint.subject == session.subject && hint.session_id == Some(session.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::{client, shop_fields, with};

    const BYE: &str = "https://shop.example/bye";

    fn shop() -> Client {
        client(&with(&shop_fields(), "post_logout_redirect_uris", json!([BYE, "https://shop.example/bye?a=b"])))
    }

    fn request(text: &str) -> LogoutRequest {
        LogoutRequest::read(&Parameters::parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_logout_token_has_the_claims_of_the_standard() {
        let token = LogoutToken {
            issuer: "https://id.example",
            client_id: "shop",
            subject: "user_1",
            session_id: "session_1",
            id: "delivery_1",
            issued_at: Timestamp::from_ms(1_000_000),
        };
        let claims = token.claims();
        assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_000), &json!(1_120)));
        assert_eq!(claims.as_object().unwrap().len(), 8);
        assert_eq!(claims.get("nonce"), None);
    }

    /// Proves: A-105, V10.6.2
    #[test]
    fn only_a_hint_of_this_session_spares_the_question() {
        let session = CurrentSession { id: "session_1", subject: "user_1" };
        let right = Hint { client_id: "shop", session_id: Some("session_1"), subject: "user_1" };
        for (hint, session, asks) in [
            (None, Some(session), true),
            (Some(right), Some(session), false),
            (Some(Hint { session_id: Some("session_2"), ..right }), Some(session), true),
            (Some(Hint { session_id: None, ..right }), Some(session), true),
            (Some(Hint { subject: "user_2", ..right }), Some(session), true),
            (None, None, false),
        ] {
            let decided = request("").decide(hint.as_ref(), Some(&shop()), session.as_ref());
            assert_eq!(decided, Ok(Logout { asks, redirect_to: None }), "{hint:?}");
        }
    }

    /// Proves: A-105, V10.6.2
    #[test]
    fn a_browser_goes_to_registered_addresses_only() {
        let decide = |text: &str, client: Option<&Client>| {
            request(text).decide(None, client, None).map(|logout| logout.redirect_to).map_err(|error| error.code)
        };
        let with_state = format!("post_logout_redirect_uri={BYE}&state=a%26b");
        assert_eq!(decide(&with_state, Some(&shop())), Ok(Some(format!("{BYE}?state=a%26b"))));
        let with_query = "post_logout_redirect_uri=https://shop.example/bye?a=b&state=s";
        assert_eq!(decide(with_query, Some(&shop())), Ok(Some(format!("{BYE}?a=b&state=s"))));
        assert!(decide(&with_state, None).is_err());
        for uri in
            ["https://evil.example", "https://shop.example/bye/", "https://shop.example/cb", "javascript:alert(1)", "/"]
        {
            assert!(decide(&format!("post_logout_redirect_uri={uri}"), Some(&shop())).is_err(), "{uri}");
        }
    }

    /// Proves: A-105
    #[test]
    fn a_client_id_does_not_contradict_the_hint() {
        let hint = Hint { client_id: "shop", session_id: None, subject: "user_1" };
        assert_eq!(request("client_id=shop").asking_client(Some(&hint)), Ok(Some("shop")));
        assert_eq!(request("").asking_client(Some(&hint)), Ok(Some("shop")));
        assert_eq!(request("client_id=shop").asking_client(None), Ok(Some("shop")));
        assert_eq!(request("").asking_client(None), Ok(None));
        assert!(request("client_id=other").asking_client(Some(&hint)).is_err());
    }

    #[test]
    fn what_is_repeated_or_unprintable_is_refused() {
        for text in ["state=a&state=b", "state=%0d%0a", "client_id=a&client_id=a"] {
            assert!(LogoutRequest::read(&Parameters::parse(text.as_bytes()).unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_frame_names_issuer_and_session() {
        let address = |uri: &str| LogoutAddress { uri: uri.to_owned(), session_required: true };
        let frame = frontchannel_address(&address("https://shop.example/out?a=b"), "https://id.example", "session_1");
        assert_eq!(frame, "https://shop.example/out?a=b&iss=https%3A%2F%2Fid.example&sid=session_1");
    }
}
