//! The fields of a registration that are one word out of a few.

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Reads the word.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// As on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    )*};
}

words! {
    /// `application_type` (OpenID Connect Registration 2).
    Application {
        /// Runs on a server or in a browser.
        Web = "web",
        /// Runs on a person's device.
        Native = "native",
    }
    /// `grant_types` (RFC 7591 section 2).
    Grant {
        /// A person signs in at our pages (RFC 6749 section 4.1).
        AuthorizationCode = "authorization_code",
        /// Renewal (RFC 6749 section 6).
        RefreshToken = "refresh_token",
        /// The client for itself (RFC 6749 section 4.4).
        ClientCredentials = "client_credentials",
        /// A person signs in on another device (RFC 8628).
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// A token for a token (RFC 8693).
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
    }
    /// `token_endpoint_auth_method` (RFC 7591 section 2, OpenID Connect Core 9).
    AuthenticationMethod {
        /// Not at all: a public client.
        None = "none",
        /// A secret in the `Authorization` header.
        ClientSecretBasic = "client_secret_basic",
        /// A secret in the body.
        ClientSecretPost = "client_secret_post",
        /// A signed assertion.
        PrivateKeyJwt = "private_key_jwt",
    }
    /// Whether the person is asked.
    Consent {
        /// Once for each scope.
        Ask = "ask",
        /// Never: the operator vouches for a client of their own.
        Skip = "skip",
    }
    /// What a refresh token does when it is used.
    Rotation {
        /// Changes, and two holders end the grant (RFC 9700 section 4.14.2).
        Strict = "strict",
        /// Changes, and an answer that was lost on the way is made good.
        Recover = "recover",
        /// Stays: it is bound to the client's key (FAPI 2.0 section 5.3.2.1).
        Keep = "keep",
    }
    /// `subject_type` (OpenID Connect Core 8).
    SubjectType {
        /// All clients know the person by one id.
        Public = "public",
        /// Each sector knows the person by another one.
        Pairwise = "pairwise",
    }
}
