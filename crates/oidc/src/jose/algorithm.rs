//! The algorithms of signatures.

/// How something is signed (RFC 7518 section 3.1, RFC 8037 section 3.1). `none` and everything with a shared secret are
/// left out on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256: the default of OpenID Connect.
    Rs256,
    /// RSA with PSS and SHA-256: read from clients (FAPI 2.0 section 5.4.1), not written.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm that is read.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];
    /// Those that Doorward signs with.
    pub const SIGNING: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// Reads the name, letter by letter. `Ed25519` is the name of RFC 9864 for what RFC 8037 calls `EdDSA`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}
