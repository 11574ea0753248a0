//! No query or body makes a reader of requests panic, and no error is sent to an address that is not registered.
#![no_main]

use std::sync::LazyLock;

use doorward_oidc::authorize::{self, AuthorizeError, Envelope, Route};
use doorward_oidc::client::{Author, Client, ClientId};
use doorward_oidc::client_authentication::ClientAuthentication;
use doorward_oidc::logout::LogoutRequest;
use doorward_oidc::parameters::Parameters;
use doorward_oidc::token_query::TokenQuery;
use doorward_oidc::token_request::TokenRequest;
use libfuzzer_sys::fuzz_target;

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let fields = r#"{"redirect_uris": ["https://shop.example/cb"], "scope": "openid offline_access orders",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"]}"#;
    let fields = serde_json::from_str(fields).expect("an object");
    Client::from_json(ClientId::parse("shop").expect("an id"), &fields, Author::Operator).expect("a client")
});

fuzz_target!(|input: (&[u8], &str)| {
    let (bytes, header) = input;
    let Ok(parameters) = Parameters::parse(bytes) else { return };
    match authorize::read(&parameters, &CLIENT, &Route::default()) {
        Ok(request) => assert_eq!(request.destination.redirect_uri, "https://shop.example/cb"),
        Err(AuthorizeError::Redirect(_, to)) => assert_eq!(to.redirect_uri, "https://shop.example/cb"),
        Err(AuthorizeError::Page(_)) => {}
    }
    let _ = Envelope::of(&parameters);
    let _ = ClientAuthentication::read([header], &parameters);
    let _ = TokenRequest::read(&parameters, &CLIENT);
    let _ = TokenQuery::read(&parameters);
    let _ = LogoutRequest::read(&parameters);
    assert_eq!(Parameters::parse_kept(&parameters.to_form()).as_ref(), Ok(&parameters));
});
