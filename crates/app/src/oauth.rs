//! The provider: what its endpoints decide. The rules are `doorward_oidc`'s; here is what needs the database, the keys and
//! the time.

mod authorization;
mod client_keys;
mod clients;
mod code;
pub(crate) mod consent;
mod description;
mod device;
mod exchange;
mod held;
mod introspection;
mod living;
mod logout;
mod proofs;
mod renewals;
mod replays;
mod requests;
mod revocation;
mod revocation_feed;
mod session_end;
mod subjects;
#[cfg(test)]
mod tests;
mod tokens;
mod userinfo;

pub use authorization::{Authorization, Visitor, Wishes};
pub(crate) use client_keys::ClientKeyCache;
pub use clients::ClientRequest;
pub use consent::{ConsentAnswer, ConsentQuestion, SeenQuestion};
pub use device::{DeviceQuestion, DeviceStart};
pub use doorward_oidc::client::{Client, ClientId};
pub use doorward_oidc::dpop::ALGORITHMS as PROOF_ALGORITHMS;
pub use doorward_oidc::error::{ErrorCode, OAuthError};
pub use doorward_oidc::jose::Algorithm;
pub use doorward_oidc::parameters::{Parameters, ParametersError};
pub use doorward_oidc::response::{AuthorizationResponse, Destination};
pub use exchange::{TokenAnswer, TokenRefusal};
pub use introspection::Introspection;
pub(crate) use living::{ClientTokens, MOST_CLIENT_TOKENS};
pub use logout::LogoutAnswer;
pub use proofs::{Proving, TokenScheme};
pub(crate) use replays::OTHER_CLOCKS_MS;
pub(crate) use requests::PUSHED_STAYS_MS;
pub use requests::Pushed;
pub use revocation_feed::{FeedAnswer, PAGE_MEDIA_TYPE};
pub use userinfo::{PresentedToken, UserInfo};

/// The languages that a request wishes pages to be in, the best first (OpenID Connect Core 3.1.2.1, RP-Initiated Logout 1.0
/// section 2).
pub fn ui_locales(parameters: &Parameters) -> Vec<String> {
    parameters.find("ui_locales").map(doorward_oidc::preferences::words).unwrap_or_default()
}

/// Where the endpoints are.
pub mod paths {
    /// RFC 6749 section 3.1.
    pub const AUTHORIZE: &str = "/oauth2/authorize";
    /// Which account a person wants to go on with.
    pub const ACCOUNT: &str = "/oauth2/account";
    /// What a person answers when they are asked about a client's request.
    pub const CONSENT: &str = "/oauth2/consent";
    /// OpenID Connect RP-Initiated Logout 1.0 section 2.
    pub const LOGOUT: &str = "/oauth2/logout";
    /// What a person answers when they are asked whether they want to sign out.
    pub const CONFIRM_LOGOUT: &str = "/oauth2/logout/confirm";
    /// RFC 6749 section 3.2.
    pub const TOKEN: &str = "/oauth2/token";
    /// RFC 7591 section 3.
    pub const REGISTER: &str = "/oauth2/register";
    /// RFC 7592 section 2.
    pub const REGISTERED: &str = "/oauth2/register/{client_id}";
    /// RFC 8628 section 3.1.
    pub const DEVICE_AUTHORIZATION: &str = "/oauth2/device_authorization";
    /// Where people type the code that a device shows.
    pub const DEVICE: &str = "/device";
    /// What they say to the device.
    pub const ANSWER_DEVICE: &str = "/device/answer";
    /// RFC 7009 section 2.
    pub const REVOKE: &str = "/oauth2/revoke";
    /// RFC 7662 section 2.
    pub const INTROSPECT: &str = "/oauth2/introspect";
    /// What was revoked, for services that accept our tokens.
    pub const REVOCATIONS: &str = "/oauth2/revocations";
    /// RFC 9126 section 2.
    pub const PUSHED: &str = "/oauth2/par";
    /// OpenID Connect Core 5.3.
    pub const USERINFO: &str = "/oauth2/userinfo";
    /// RFC 7517 section 5.
    pub const KEYS: &str = "/.well-known/jwks.json";
}
