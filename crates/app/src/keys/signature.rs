//! ES256: ECDSA with P-256 and SHA-256 (RFC 7518 section 3.4), keys kept parsed.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey,
};
use zeroize::Zeroizing;

use super::sealing::CryptographyFailed;

/// The JOSE name.
pub(super) const ALGORITHM: &str = "ES256";
/// An uncompressed point: 4, x, y (SEC 1 section 2.3.3).
pub(super) const POINT_BYTES: usize = 65;

/// A fresh key pair: the private half as PKCS #8, the public half as a point.
///
/// The library draws the private key from its own generator, which is the operating system's: it offers no way
/// to give it one, and a key made from other random numbers would be no better.
pub(super) fn generate() -> Result<(Zeroizing<Vec<u8>>, [u8; POINT_BYTES]), CryptographyFailed> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| CryptographyFailed)?;
    let private = pair.to_pkcs8v1().map_err(|_| CryptographyFailed)?;
    let point = pair.public_key().as_ref().try_into().map_err(|_| CryptographyFailed)?;
    Ok((Zeroizing::new(private.as_ref().to_vec()), point))
}

/// The private half, ready to sign.
pub(super) struct Signer(EcdsaKeyPair);

impl Signer {
    /// From PKCS #8; none when it is malformed or does not belong to `point`.
    pub(super) fn parse(pkcs8: &[u8], point: &[u8; POINT_BYTES]) -> Option<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
        (pair.public_key().as_ref() == point).then_some(Self(pair))
    }

    /// The signature as r and s, 64 bytes.
    pub(super) fn sign(&self, message: &[u8]) -> Result<impl AsRef<[u8]> + use<>, CryptographyFailed> {
        self.0.sign_digest(&digest(&SHA256, message)).map_err(|_| CryptographyFailed)
    }
}

/// The public half, ready to verify.
pub(super) struct Verifier(ParsedPublicKey);

impl Verifier {
    /// From a point; none when it is not on the curve.
    pub(super) fn parse(point: &[u8; POINT_BYTES]) -> Option<Self> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok().map(Self)
    }

    /// Whether the private half made this signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}
