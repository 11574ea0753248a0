//! `POST /api/v1/token`: a new access token for the session cookie or a refresh token.

use axum::Json;
use axum::extract::State;
use doorward_app::tokens::{AccessToken, Renewal};
use doorward_model::id::SessionId;
use doorward_model::secret::SecretText;
use serde_json::{Value, json};

use crate::body::{Fields, FromFields, OptionalJson};
use crate::extract::{Caller, Op, SessionCookie};
use crate::problem::{Code, Problem};
use crate::site::Site;

/// What the call takes: nothing beside the session cookie, or a refresh token.
#[derive(Default)]
pub(crate) struct Body {
    refresh_token: Option<SecretText>,
}

impl FromFields for Body {
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
    OptionalJson(body): OptionalJson<Body>,
) -> Result<Json<Value>, Problem> {
    match (body.and_then(|body| body.refresh_token), cookie) {
        (Some(refresh_token), _) => {
            if !caller.may_hold_refresh_tokens {
                return Err(Code::Forbidden.into());
            }
            renew(&site, &op, &refresh_token).await
        }
        (None, Some(cookie)) => {
            let principal = site.app.authenticate_cookie(&op, &cookie).await?;
            let access = site.app.mint_access_token(&op, &principal).await?.ok_or(Code::SessionRevoked)?;
            Ok(Json(present(&access, principal.session_id)))
        }
        (None, None) => Err(Code::InvalidToken.into()),
    }
}

async fn renew(site: &Site, op: &doorward_app::op::Op, text: &SecretText) -> Result<Json<Value>, Problem> {
    match site.app.renew(op, text.reveal()).await? {
        Renewal::Renewed { access, refresh, session } => {
            let mut body = present(&access, session);
            body["refresh_token"] = refresh.as_str().into();
            Ok(Json(body))
        }
        Renewal::Refused => Err(Code::InvalidToken.into()),
        Renewal::Reused => Err(Code::TokenReused.into()),
        Renewal::SlowDown { retry_after_seconds } => {
            Err(Problem::new(Code::RateLimited).retry_after(retry_after_seconds))
        }
    }
}

fn present(access: &AccessToken, session: SessionId) -> Value {
    json!({
        "access_token": access.text.reveal(),
        "token_type": "Bearer",
        "expires_in": access.expires_in,
        "session": { "id": session },
    })
}
