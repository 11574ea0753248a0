//! What of a registration this version can do. The rest is refused by name: a client that registers for a protection
//! which nobody enforces would be worse off than one that knows.

use doorward_oidc::client::{AuthenticationMethod, Grant, Metadata};

use super::ClientProblem;

/// How clients prove who they are.
pub(crate) const AUTHENTICATION_METHODS: [AuthenticationMethod; 4] = [
    AuthenticationMethod::ClientSecretBasic,
    AuthenticationMethod::ClientSecretPost,
    AuthenticationMethod::PrivateKeyJwt,
    AuthenticationMethod::None,
];
/// The grants.
pub(crate) const GRANTS: [Grant; 5] =
    [Grant::AuthorizationCode, Grant::RefreshToken, Grant::ClientCredentials, Grant::DeviceCode, Grant::TokenExchange];

/// Everything that is asked for and not there.
pub(super) fn problems(metadata: &Metadata, longest_seconds: i64) -> Vec<ClientProblem> {
    let not_yet = "is not available in this version";
    let lifetimes = metadata.lifetimes;
    let is_too_long = |seconds: u32| i64::from(seconds) > longest_seconds;
    let too_long = format!("must be at most {longest_seconds}");
    let wanted = [
        ("token_endpoint_auth_method", !AUTHENTICATION_METHODS.contains(&metadata.authentication), not_yet),
        (
            "grant_types",
            metadata.grants.iter().any(|grant| !GRANTS.contains(grant)),
            "has a grant that is not available in this version",
        ),
        // Signing keys stay published as long as the deployment's own access tokens live.
        ("access_token_seconds", is_too_long(lifetimes.access_token_seconds), too_long.as_str()),
        ("id_token_seconds", is_too_long(lifetimes.id_token_seconds), too_long.as_str()),
    ];
    let missing = wanted.into_iter().filter(|(_, is_wanted, _)| *is_wanted);
    missing.map(|(field, _, message)| ClientProblem::new(field, message)).collect()
}
