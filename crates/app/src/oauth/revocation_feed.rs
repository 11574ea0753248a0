//! The feed of revocations (docs/revocation-feed.md): for services that accept our tokens without asking about each.

use std::sync::Arc;
use std::time::Duration;

use doorward_model::network::Network;
use doorward_oidc::error::{ErrorCode, OAuthError};
use doorward_oidc::parameters::Parameters;
use doorward_oidc::scope::{REVOCATIONS, Scope};

use super::paths;
use super::userinfo::PresentedToken;
use crate::App;
use crate::failure::Failure;
use crate::op::Op;
use crate::revocations::{Cursor, PageError};

/// The longest a request may wait, in seconds.
const MOST_WAIT_SECONDS: u64 = 20;

/// The media type of a page.
pub const PAGE_MEDIA_TYPE: &str = "application/doorward-revocations+jwt";

/// What the feed answers.
pub enum FeedAnswer {
    /// A signed page.
    Page {
        /// The page.
        text: Arc<str>,
        /// Whether it says the same to everybody, and waited for nothing.
        is_public: bool,
    },
    /// A token is needed, and none was brought.
    Challenge,
    /// Why there is none.
    Refused(OAuthError),
}

/// Where to go on, and how long to wait.
struct Asked {
    cursor: Option<Cursor>,
    wait: Duration,
}

impl App {
    /// Tells a service what was revoked. The token is a client's own, or none where the operator made the feed public.
    pub async fn revocation_feed(
        &self,
        op: &Op,
        token: Option<&PresentedToken<'_>>,
        query: &str,
    ) -> Result<FeedAnswer, Failure> {
        let name = if self.settings.public_revocations {
            format!("{:?}", Network::of_optional(op.address))
        } else {
            let Some(token) = token else { return Ok(FeedAnswer::Challenge) };
            match self.follower(op, token).await? {
                Ok(client_id) => client_id,
                Err(error) => return Ok(FeedAnswer::Refused(error)),
            }
        };
        let Asked { cursor, wait } = match read(query) {
            Ok(asked) => asked,
            Err(error) => return Ok(FeedAnswer::Refused(error)),
        };
        let is_public = self.settings.public_revocations && wait.is_zero();
        match self.revocation_page(op, &name, cursor, wait).await {
            Ok(text) => Ok(FeedAnswer::Page { text, is_public }),
            Err(PageError::Failure(failure)) => Err(failure),
            Err(PageError::TooEarly) => {
                let source = "the revocations have not been read yet".into();
                Err(Failure::Unavailable { retry_after_seconds: 1, source })
            }
        }
    }

    /// Which client follows the feed with this token.
    async fn follower(&self, op: &Op, token: &PresentedToken<'_>) -> Result<Result<String, OAuthError>, Failure> {
        let invalid = || OAuthError::new(ErrorCode::InvalidToken, "the access token is not valid");
        let Some(claims) = self.read_client_token(token.text, op.now) else { return Ok(Err(invalid())) };
        if let Err(error) = self.check_binding(op, token, &claims).await? {
            return Ok(Err(error));
        }
        let may = Scope::parse(&claims.scope).is_ok_and(|scope| scope.contains(REVOCATIONS));
        let is_meant = claims.aud.contains(&self.feed_audience());
        let Some(living) = self.living_token(claims, op.now).await? else { return Ok(Err(invalid())) };
        if !may || living.held.is_some() {
            let description = "the access token is not one that a client got for itself with the scope of this feed";
            return Ok(Err(OAuthError::new(ErrorCode::InsufficientScope, description)));
        }
        // It may have been taken back.
        let is_registered = living.client.metadata().scopes.contains(REVOCATIONS);
        Ok(if is_meant && is_registered { Ok(living.claims.client_id.clone()) } else { Err(invalid()) })
    }

    /// The audience of tokens that are good for the feed.
    pub(super) fn feed_audience(&self) -> String {
        format!("{}{}", self.settings.public_url, paths::REVOCATIONS)
    }
}

fn read(query: &str) -> Result<Asked, OAuthError> {
    let parameters = Parameters::parse(query.as_bytes())?;
    parameters.refuse_repeated()?;
    let cursor = parameters.find("cursor").map(|text| Cursor::parse(text).ok_or(()));
    let cursor = cursor.transpose().map_err(|()| OAuthError::invalid_request("the cursor is not one of this feed"))?;
    let wait = parameters.find("wait").map_or(Some(0), read_seconds);
    let wait = wait.ok_or(OAuthError::invalid_request("wait is no whole number of seconds from 0 to 20"))?;
    Ok(Asked { cursor, wait: Duration::from_secs(wait) })
}

fn read_seconds(text: &str) -> Option<u64> {
    let is_plain = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|seconds| is_plain && *seconds <= MOST_WAIT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocations::PAGE_TYPE;

    #[test]
    fn only_whole_seconds_up_to_the_longest_are_waited() {
        for (text, wait) in [("", 0), ("wait=", 0), ("wait=0", 0), ("wait=7&unknown=x", 7), ("wait=20", 20)] {
            assert_eq!(read(text).unwrap().wait, Duration::from_secs(wait), "{text}");
        }
        for text in
            ["wait=21", "wait=-1", "wait=%2B1", "wait=1.5", "wait=1e1", "wait=007", "wait=%D9%A1", "wait=1&wait=1"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        for text in ["cursor=x", "cursor=%ff", "cursor=a&cursor=a"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_media_type_is_that_of_the_pages() {
        assert_eq!(PAGE_MEDIA_TYPE.strip_prefix("application/"), Some(PAGE_TYPE));
    }
}
