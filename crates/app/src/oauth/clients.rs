//! Who a request comes from.

use doorward_model::id::UserId;
use doorward_model::secret::{PlainToken, SecretText, TokenHash, TokenKind};
use doorward_model::time::Timestamp;
use doorward_oidc::client::{Client, ClientId};
use doorward_oidc::client_assertion::{self, Expectation};
use doorward_oidc::client_authentication::{ClientAuthentication, Presented};
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::jose::KeySet;
use doorward_oidc::parameters::Parameters;
use doorward_store::clients::{self, ClientRow};
use doorward_store::consents::{self, Consent, Generations};
use doorward_store::{StoreError, Tx};
use subtle::ConstantTimeEq as _;

use super::TokenRefusal;
use super::replays::Shown;
use crate::App;
use crate::failure::Failure;
use crate::op::Op;

/// A form that a client sends to an endpoint of its own, and what it may prove who it is with.
#[derive(Debug)]
pub struct ClientRequest {
    /// The parameters, all of them in the body.
    pub parameters: Parameters,
    /// The values of the `Authorization` headers.
    pub authorization: Vec<String>,
    /// Those of the `DPoP` headers (RFC 9449 section 4.1).
    pub proofs: Vec<String>,
}

impl App {
    /// The client with this id, unless it is kept out.
    pub(super) async fn active_client(&self, id: &str) -> Result<Option<Client>, Failure> {
        Ok(self.active_client_and_consent(id, None).await?.map(|(client, _)| client))
    }

    /// The same, and what `person` lets it have, in one visit to the database.
    pub(super) async fn active_client_and_consent(
        &self,
        id: &str,
        person: Option<UserId>,
    ) -> Result<Option<(Client, Option<(Consent, Generations)>)>, Failure> {
        // Nothing else can be an id, and strangers choose this text.
        if ClientId::parse(id).is_err() {
            return Ok(None);
        }
        let id = id.to_owned();
        let found = self.store.read(move |tx| {
            let Some(row) = clients::find(tx, &id)? else { return Ok(None) };
            let seen = person.map(|person| consents::find(tx, person, &id)).transpose()?.flatten();
            Ok::<_, StoreError>(Some((row, seen)))
        });
        let Some((row, seen)) = found.await? else { return Ok(None) };
        Ok(self.active(&row)?.map(|client| (client, seen)))
    }

    /// The client that has proved who it is; a public one says so only.
    pub(super) async fn authenticate_client(&self, op: &Op, request: &ClientRequest) -> Result<Client, TokenRefusal> {
        self.authenticate_client_and(op, request, |_| Ok(())).await.map(|(client, ())| client)
    }

    /// The same, with what `also` reads in the same visit to the database.
    pub(super) async fn authenticate_client_and<T: Send + 'static>(
        &self,
        op: &Op,
        request: &ClientRequest,
        also: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(Client, T), TokenRefusal> {
        let ClientRequest { parameters, authorization, .. } = request;
        let presented = ClientAuthentication::read(authorization.iter().map(String::as_str), parameters)
            .map_err(|error| TokenRefusal::OAuth { error, asks_for_basic: !authorization.is_empty() })?;
        let refuse = |error| TokenRefusal::OAuth { error, asks_for_basic: presented.answers_with_basic() };
        let wrong = OAuthError::new(ErrorCode::InvalidClient, "the client is unknown or has not proved who it is");
        let found = self.client_with_secrets(&presented.client_id, op.now, also).await?;
        let (client, secrets, read) = found.ok_or_else(|| refuse(wrong))?;
        presented.check_method(&client).map_err(refuse)?;
        let is_proved = match &presented.presented {
            Presented::Nothing => true,
            Presented::BasicSecret(secret) | Presented::PostedSecret(secret) => is_one_of(secret, secrets.iter()),
            Presented::Assertion(assertion) => self.is_assertion_of(op, &client, assertion.reveal()).await?,
        };
        if is_proved { Ok((client, read)) } else { Err(refuse(wrong)) }
    }

    /// Whether the client made this assertion, for us, for now, and shows it for the first time.
    async fn is_assertion_of(&self, op: &Op, client: &Client, text: &str) -> Result<bool, Failure> {
        let client_id = client.id().as_str();
        let expected = Expectation {
            client_id,
            issuer: &self.keys.settings().issuer,
            algorithm: client.metadata().authentication_algorithm,
            now: op.now,
        };
        let check = |keys: &KeySet| client_assertion::verify(text, keys, &expected);
        match self.check_signature(client, op.now, check).await {
            Some(Ok(assertion)) => {
                self.is_first_showing(Shown::Assertion(client_id), &assertion.id, assertion.remember_until).await
            }
            Some(Err(error)) => {
                tracing::debug!(client.id = client_id, %error, "an assertion is refused");
                Ok(false)
            }
            None => Ok(false),
        }
    }

    /// The client with this id, unless it is kept out, its secrets that are good, and what else is read, as they stand
    /// together.
    async fn client_with_secrets<T: Send + 'static>(
        &self,
        id: &str,
        now: Timestamp,
        also: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<(Client, Vec<TokenHash>, T)>, Failure> {
        // Nothing else can be an id, and strangers choose this text.
        if ClientId::parse(id).is_err() {
            return Ok(None);
        }
        let id = id.to_owned();
        let found = self.store.read(move |tx| {
            let Some((row, secrets)) = clients::find_with_secrets(tx, &id, now)? else { return Ok(None) };
            Ok::<_, StoreError>(Some((row, secrets, also(tx)?)))
        });
        let Some((row, secrets, read)) = found.await? else { return Ok(None) };
        Ok(self.active(&row)?.map(|client| (client, secrets, read)))
    }

    /// The client of a row, unless it is kept out.
    pub(super) fn active(&self, row: &ClientRow) -> Result<Option<Client>, Failure> {
        let registered = self.read_clients.read(row)?;
        Ok(registered.disabled_at.is_none().then_some(registered.client))
    }

    /// Whether this is a secret of the client that is good now.
    pub(crate) async fn is_secret_of(&self, op: &Op, client: &Client, secret: &SecretText) -> Result<bool, Failure> {
        let (id, now) = (client.id().to_string(), op.now);
        let good = self.store.read(move |tx| clients::list_secrets(tx, &id, now)).await?;
        Ok(is_one_of(secret, good.iter().map(|row| &row.hash)))
    }
}

/// Whether a text is one of these secrets.
fn is_one_of<'a>(secret: &SecretText, mut good: impl Iterator<Item = &'a TokenHash>) -> bool {
    let Some(secret) = PlainToken::parse(TokenKind::ClientSecret, secret.reveal()) else { return false };
    let hash = secret.hash();
    good.any(|one| one.as_bytes().ct_eq(hash.as_bytes()).into())
}
