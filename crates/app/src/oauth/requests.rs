//! Authorization requests that come in an envelope: pushed beforehand (RFC 9126) or signed (RFC 9101).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::id::UserId;
use doorward_model::random;
use doorward_model::secret::TokenHash;
use doorward_model::time::{HOUR_MS, SECOND_MS, Timestamp};
use doorward_oidc::authorize::{self, AuthorizationRequest, AuthorizeError, Envelope, PUSHED_PREFIX, Route};
use doorward_oidc::client::Client;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::{KeySet, Thumbprint};
use doorward_oidc::parameters::Parameters;
use doorward_oidc::request_object::{self, RequestObject};
use doorward_store::pushed_requests::{self, PushedRequest};
use doorward_store::{StoreError, used_ids};
use zeroize::Zeroizing;

use super::replays::Single;
use super::{ClientRequest, Proving, TokenRefusal, paths};
use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// How long a pushed request waits for its visitor (RFC 9126 section 2.2; below ten minutes by FAPI 2.0 section 5.3.2.2).
const WAITS_MS: i64 = 90 * SECOND_MS;
/// How long a visitor who has come with it may take to sign in.
pub(crate) const PUSHED_STAYS_MS: i64 = HOUR_MS;
/// What proves who pushes, and is no part of the request.
const CREDENTIALS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// What a client gets for a request it has pushed.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// What it sends its visitor with.
    pub request_uri: Zeroizing<String>,
    /// How long the visitor may take to come, in seconds.
    pub expires_in: i64,
}

/// When a request is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) now: Timestamp,
    /// When its visitor first came with it, if they were sent somewhere in between.
    pub(super) first_at: Option<Timestamp>,
    /// Whose consent is read on the way.
    pub(super) person: Option<UserId>,
}

/// A request, taken out of what it came in.
struct Opened {
    parameters: Parameters,
    route: Route,
    /// What an answer uses up.
    single: Single,
}

impl App {
    /// Keeps a request for the visitor that the client is about to send (RFC 9126 section 2).
    pub async fn push_request(&self, op: &Op, request: &ClientRequest) -> Result<Pushed, TokenRefusal> {
        let client = self.authenticate_client(op, request).await?;
        let ClientRequest { parameters: body, proofs, .. } = request;
        authorize::check_pushed(body, &client)?;
        let proving = Proving { proofs, method: "POST", path: paths::PUSHED };
        let proved_key = self.proved_key(op, &proving, None).await??;
        let (parameters, is_signed, single) = match Envelope::of(body)? {
            Envelope::Signed(object) => {
                let (inner, single) = self.open_object(&client, object, op.now, op.now).await??;
                (authorize::unpack(client.id().as_str(), body, &inner)?.clone(), true, single)
            }
            Envelope::Plain | Envelope::Pushed(_) => {
                let own = body.without(&CREDENTIALS).without(&["client_id"]);
                (own.and("client_id", client.id().as_str()), false, Single::Repeatable)
            }
        };
        let route = Route { pushed: true, signed: is_signed, proved_key, pushed_only: self.settings.pushed_only };
        authorize::read(&parameters, &client, &route).map_err(|error| error.error())?;
        let name = Zeroizing::new(URL_SAFE_NO_PAD.encode(random::bytes::<32>(op.random.as_ref())));
        let row = PushedRequest {
            client_id: client.id().to_string(),
            parameters: parameters.to_form().to_string(),
            is_signed,
            dpop_key: proved_key.map(|key| *key.as_bytes()),
            created_at: op.now,
            expires_at: op.now.plus_ms(WAITS_MS),
            used_at: None,
        };
        let (hash, now) = (TokenHash::of(name.as_bytes()), op.now);
        let kept = self.store.write(move |tx| {
            let is_first = single.take(tx, now)?;
            if is_first {
                pushed_requests::insert(tx, &hash, &row)?;
            }
            Ok::<_, StoreError>(is_first)
        });
        if !kept.await.map_err(Failure::from)? {
            return Err(single.used_before().into());
        }
        let request_uri = Zeroizing::new(format!("{PUSHED_PREFIX}{}", name.as_str()));
        Ok(Pushed { request_uri, expires_in: WAITS_MS / SECOND_MS })
    }

    /// Reads a request of this client, whatever it comes in, and says what an answer to it uses up.
    pub(super) async fn read_request(
        &self,
        parameters: &Parameters,
        client: &Client,
        look: Look,
    ) -> Result<Result<(AuthorizationRequest, Single), AuthorizeError>, Failure> {
        let route = Route { pushed_only: self.settings.pushed_only, ..Route::default() };
        let opened = match Envelope::of(parameters) {
            Ok(Envelope::Plain) => {
                return Ok(authorize::read(parameters, client, &route).map(|request| (request, Single::Repeatable)));
            }
            Ok(envelope) => self.open(client, envelope, route, look).await?,
            Err(error) => Err(error),
        };
        let Opened { parameters: inner, route, single } = match opened {
            Ok(opened) => opened,
            // Outside may stand where the answer goes; what is inside is not believed.
            Err(error) => return Ok(Err(told_outside(error, parameters, client))),
        };
        match authorize::unpack(client.id().as_str(), parameters, &inner) {
            Ok(inner) => Ok(authorize::read(inner, client, &route).map(|request| (request, single))),
            Err(error) => Ok(Err(told_outside(error, parameters, client))),
        }
    }

    async fn open(
        &self,
        client: &Client,
        envelope: Envelope<'_>,
        route: Route,
        look: Look,
    ) -> Result<Result<Opened, OAuthError>, Failure> {
        let name = match envelope {
            Envelope::Pushed(name) => name,
            Envelope::Signed(object) => {
                let opened = self.open_object(client, object, look.now, look.first_at.unwrap_or(look.now)).await?;
                let route = Route { signed: true, ..route };
                return Ok(opened.map(|(parameters, single)| Opened { parameters, route, single }));
            }
            Envelope::Plain => return Ok(Err(OAuthError::invalid_request("there is nothing to open"))),
        };
        Ok(self.open_pushed(client, name, look).await?.and_then(|row| {
            let proved_key = row.dpop_key.map(Thumbprint::from_bytes);
            let route = Route { pushed: true, signed: row.is_signed, proved_key, ..route };
            let single = Single::Pushed(TokenHash::of(name.as_bytes()));
            Ok(Opened { parameters: Parameters::parse_kept(&row.parameters)?, route, single })
        }))
    }

    /// The parameters inside a request object that this client has signed, and what an answer uses up. It must have been
    /// good when its visitor came; one with an id that was answered is not.
    async fn open_object(
        &self,
        client: &Client,
        object: &str,
        now: Timestamp,
        came_at: Timestamp,
    ) -> Result<Result<(Parameters, Single), OAuthError>, Failure> {
        let issuer = &self.keys.settings().issuer;
        let check = |keys: &KeySet| request_object::verify(object, client, keys, issuer, came_at);
        let no_keys = OAuthError::new(ErrorCode::InvalidRequestObject, "the client has no keys that can be read");
        let opened = self.check_signature(client, now, check).await.unwrap_or(Err(no_keys));
        let RequestObject { parameters, id, expires_at } = match opened {
            Ok(object) => object,
            Err(error) => return Ok(Err(error)),
        };
        let Some(id) = id else { return Ok(Ok((parameters, Single::Repeatable))) };
        // Its visitor may take as long to sign in as that of a pushed one.
        let single = Single::signed(client.id().as_str(), &id, expires_at.plus_ms(PUSHED_STAYS_MS));
        Ok(if self.was_used(single).await? { Err(single.used_before()) } else { Ok((parameters, single)) })
    }

    /// Whether a signed request has had its answer: nobody types a password for one that gets no other.
    async fn was_used(&self, single: Single) -> Result<bool, Failure> {
        let Single::Signed { id, .. } = single else { return Ok(false) };
        Ok(self.store.read(move |tx| used_ids::is_known(tx, &id)).await?)
    }

    async fn open_pushed(
        &self,
        client: &Client,
        name: &str,
        look: Look,
    ) -> Result<Result<PushedRequest, OAuthError>, Failure> {
        let hash = TokenHash::of(name.as_bytes());
        let found = self.store.read(move |tx| pushed_requests::find(tx, &hash)).await?;
        let found = found.filter(|row| {
            let until = if look.first_at.is_some() { row.expires_at.plus_ms(PUSHED_STAYS_MS) } else { row.expires_at };
            row.client_id == client.id().as_str() && row.used_at.is_none() && look.now < until
        });
        let error = OAuthError::new(ErrorCode::InvalidRequestUri, "the pushed request is unknown, used or over");
        Ok(found.ok_or(error))
    }
}

fn told_outside(error: OAuthError, parameters: &Parameters, client: &Client) -> AuthorizeError {
    match authorize::destination(parameters, client) {
        Ok(destination) => AuthorizeError::Redirect(error, destination),
        Err(_) => AuthorizeError::Page(error),
    }
}
