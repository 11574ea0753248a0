//! Request-rate limits applied to one request, and the headers that tell where it stands.

use http::{HeaderName, HeaderValue};

use super::context::RequestContext;
use crate::problem::{Code, Problem};
use crate::rate_limit::{Charged, RateLimits, Refused, Subject};
use crate::route::RateClass;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts the request; says so in the answer's headers.
pub(crate) fn charge(
    limits: &RateLimits,
    class: RateClass,
    subject: Subject,
    context: &RequestContext,
) -> Result<(), Problem> {
    let charged = limits.charge(class, subject, context.now);
    describe(&charged, context);
    require(&charged)
}

/// Refuses addresses that had too many credentials refused, before the next one costs anything.
pub(crate) fn check_refused(limits: &RateLimits, kind: Refused, context: &RequestContext) -> Result<(), Problem> {
    let charged = limits.look_at_refused(kind, Subject::of_address(context.address), context.now);
    let verdict = require(&charged);
    if verdict.is_err() {
        describe(&charged, context);
    }
    verdict
}

/// Somebody tried a credential that is none: an answer that has this among its extensions counts against the limit on
/// refused credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CredentialRefused;

/// Whether a problem says that somebody tried a token that is none.
pub(crate) fn is_invalid_credential(code: Code) -> bool {
    matches!(code, Code::InvalidToken | Code::InvalidOneTimeToken)
}

fn require(charged: &Charged) -> Result<(), Problem> {
    if charged.standing.is_allowed {
        Ok(())
    } else {
        Err(Problem::new(Code::RateLimited).retry_after(charged.standing.retry_after_seconds))
    }
}

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
fn describe(charged: &Charged, context: &RequestContext) {
    let standing = charged.standing;
    let name = charged.name;
    let policy = format!("\"{name}\";q={};w={}", standing.burst, standing.window_seconds);
    let state = format!("\"{name}\";r={};t={}", standing.remaining, standing.full_after_seconds);
    for (header, text) in [(RATELIMIT_POLICY, policy), (RATELIMIT, state)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            context.add_header(header, value);
        }
    }
}
