//! What is discovered about the server, and the application made from it.

use std::error::Error;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, ClientId, ClientSecret, DeviceAuthorizationUrl, EndSessionUrl, EndpointMaybeSet,
    EndpointSet, IntrospectionUrl, IssuerUrl, ProviderMetadata, RedirectUrl, RevocationUrl, Scope,
};
use serde::{Deserialize, Serialize};

use crate::http;

/// The endpoints that the library leaves to its users.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the document")]
pub(crate) struct Endpoints {
    pub(crate) end_session_endpoint: EndSessionUrl,
    device_authorization_endpoint: DeviceAuthorizationUrl,
    introspection_endpoint: IntrospectionUrl,
    revocation_endpoint: RevocationUrl,
}

impl AdditionalProviderMetadata for Endpoints {}

/// What the server says of itself.
pub(crate) type Provider = ProviderMetadata<
    Endpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// An application that knows every endpoint.
pub(crate) type Application =
    CoreClient<EndpointSet, EndpointSet, EndpointSet, EndpointSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What was printed when the application was registered.
#[derive(Deserialize)]
pub(crate) struct Registered {
    pub(crate) client_id: ClientId,
    pub(crate) client_secret: Option<ClientSecret>,
    pub(crate) redirect_uris: Vec<RedirectUrl>,
    pub(crate) id_token_signed_response_alg: CoreJwsSigningAlgorithm,
    pub(crate) scope: String,
}

impl Registered {
    /// Everything it may ask for; the library itself adds `openid` to a sign-in.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.scope.split(' ').filter(|&scope| scope != "openid").map(|scope| Scope::new(scope.to_owned()))
    }
}

/// Reads the server's document and its keys.
pub(crate) fn discover(issuer: &IssuerUrl) -> Result<Provider, Box<dyn Error>> {
    Ok(Provider::discover(issuer, &http::send)?)
}

/// The application as it is registered.
pub(crate) fn application(
    provider: Provider,
    registered: &Registered,
) -> Result<(Application, Endpoints), Box<dyn Error>> {
    let endpoints = provider.additional_metadata().clone();
    // Only an address with `https` is taken for this one; see `http`.
    let revocation = endpoints.revocation_endpoint.as_str().replacen("http://", "https://", 1);
    let application =
        CoreClient::from_provider_metadata(provider, registered.client_id.clone(), registered.client_secret.clone())
            .set_device_authorization_url(endpoints.device_authorization_endpoint.clone())
            .set_introspection_url(endpoints.introspection_endpoint.clone())
            .set_revocation_url(RevocationUrl::new(revocation)?);
    Ok(match registered.redirect_uris.first() {
        Some(address) => (application.set_redirect_uri(address.clone()), endpoints),
        None => (application, endpoints),
    })
}
