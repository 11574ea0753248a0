//! What the discovery documents say: what is there, and nothing else.

use doorward_model::locale::Locale;
use doorward_oidc::client::SubjectType;
use doorward_oidc::discovery::{Document, Endpoints, Offer};

use super::paths;
use crate::App;
use crate::clients::{AUTHENTICATION_METHODS, GRANTS};

impl App {
    /// The document of OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2.
    pub fn describe_provider(&self) -> Document {
        let at = |path: &str| format!("{}{path}", self.settings.public_url);
        let endpoints = Endpoints {
            authorization: at(paths::AUTHORIZE),
            token: at(paths::TOKEN),
            keys: at(paths::KEYS),
            userinfo: Some(at(paths::USERINFO)),
            pushed_requests: Some(at(paths::PUSHED)),
            end_session: Some(at(paths::LOGOUT)),
            device_authorization: Some(at(paths::DEVICE_AUTHORIZATION)),
            revocation: Some(at(paths::REVOKE)),
            introspection: Some(at(paths::INTROSPECT)),
            revocation_feed: Some(at(paths::REVOCATIONS)),
            registration: self.settings.registration.then(|| at(paths::REGISTER)),
            ..Endpoints::default()
        };
        let offer = Offer {
            grants: GRANTS.to_vec(),
            authentication: AUTHENTICATION_METHODS.to_vec(),
            id_token_algorithms: self.keys.settings().algorithms.clone(),
            introspection_algorithms: self.keys.settings().algorithms.clone(),
            scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
            ui_locales: [Locale::English, Locale::German].map(|locale| locale.as_str().to_owned()).to_vec(),
            subject_types: vec![SubjectType::Public, SubjectType::Pairwise],
            userinfo_algorithms: self.keys.settings().algorithms.clone(),
            dpop: true,
            request_objects: true,
            pushed_only: self.settings.pushed_only,
            acr_values: vec!["aal1".to_owned()],
            sign_up: true,
            backchannel_logout: true,
            frontchannel_logout: true,
            consent: true,
        };
        Document::new(&self.keys.settings().issuer, endpoints, offer)
    }
}
