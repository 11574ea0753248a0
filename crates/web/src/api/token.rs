//! `POST /api/v1/token`: a new access token for the session cookie or a refresh token.

use axum::Json;
use axum::extract::State;
use doorward_app::tokens::{AccessToken, Renewal};
use doorward_model::id::SessionId;
use doorward_model::secret::SecretText;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::revealed::Revealed;
use crate::body::{Fields, FromFields, OptionalJson};
use crate::extract::{Caller, Op, SessionCookie};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// What the call takes: nothing beside the session cookie, or a refresh token.
#[derive(Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// The refresh token; without it the session cookie counts.
    #[schema(value_type = Option<String>, example = "dwr_the-refresh-token-that-the-sign-in-answered")]
    refresh_token: Option<SecretText>,
}

impl FromFields for TokenRequest {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { refresh_token: fields.optional("refresh_token")? })
    }
}

/// Mints an access token.
pub(crate) async fn create(
    State(site): State<Site>,
    Op(op): Op,
    caller: Caller,
    SessionCookie(cookie): SessionCookie,
    OptionalJson(body): OptionalJson<TokenRequest>,
) -> Result<Json<TokenAnswer>, Problem> {
    match (body.and_then(|body| body.refresh_token), cookie) {
        (Some(refresh_token), _) => {
            if !caller.may_hold_refresh_tokens {
                return Err(Code::Forbidden.into());
            }
            renew(&site, &op, &refresh_token).await
        }
        (None, Some(cookie)) => {
            let principal = site.app.authenticate_cookie(&op, &cookie).await?;
            let access = site.app.mint_access_token(&op, &principal).await?.ok_or(Code::SessionExpired)?;
            Ok(Json(present(&access, principal.session_id, None)))
        }
        (None, None) => Err(Code::InvalidToken.into()),
    }
}

async fn renew(site: &Site, op: &doorward_app::op::Op, text: &SecretText) -> Result<Json<TokenAnswer>, Problem> {
    match site.app.renew(op, text.reveal()).await? {
        Renewal::Renewed { access, refresh, session } => {
            Ok(Json(present(&access, session, Some(Revealed::new(refresh.as_str())))))
        }
        Renewal::Refused => Err(Code::InvalidToken.into()),
        Renewal::Reused => Err(Code::TokenReused.into()),
        Renewal::SlowDown { retry_after_seconds } => {
            Err(Problem::new(Code::RateLimited).retry_after(retry_after_seconds))
        }
    }
}

/// A new access token.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    /// A JWT (RFC 9068) that speaks for the session.
    #[schema(value_type = String)]
    access_token: Revealed,
    token_type: TokenType,
    /// How long it lives, in seconds.
    #[schema(minimum = 0)]
    expires_in: i64,
    session: SessionReference,
    /// The next refresh token; only for whoever sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, pattern = "^dwr_[A-Za-z0-9_-]+$")]
    refresh_token: Option<Revealed>,
}

/// How the access token is sent (RFC 6750).
#[derive(Serialize, ToSchema)]
pub(crate) enum TokenType {
    Bearer,
}

/// The session an access token speaks for.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionReference {
    /// Its id, the `sid` of the access token.
    #[schema(value_type = String, pattern = "^session_[0-9a-z]{26}$")]
    id: SessionId,
}

fn present(access: &AccessToken, session: SessionId, refresh_token: Option<Revealed>) -> TokenAnswer {
    TokenAnswer {
        access_token: Revealed::new(access.text.reveal()),
        token_type: TokenType::Bearer,
        expires_in: access.expires_in,
        session: SessionReference { id: session },
        refresh_token,
    }
}
