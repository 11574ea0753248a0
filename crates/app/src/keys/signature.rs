//! What our own keys sign with: RS256, ES256 and Ed25519 (RFC 7518 section 3.3 and 3.4, RFC 8037 section 3.1), keys
//! kept parsed. A key has one algorithm, and nothing a token says changes it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use doorward_oidc::jose::Algorithm;
use zeroize::Zeroizing;

use super::sealing::CryptographyFailed;

/// What our own tokens are signed with: short and fast. The other algorithms are for ID tokens and answers of clients
/// that are registered for them.
pub(crate) const OWN: Algorithm = Algorithm::Es256;

/// The modulus of RSA-3072, as strong as P-256 (NIST SP 800-57 part 1, table 2).
const MODULUS_BYTES: usize = 384;
/// What stands before and after the modulus of such a key in an `RSAPublicKey` (RFC 8017 appendix A.1.1) whose exponent
/// is 65537.
const RSA_PREFIX: [u8; 9] = [0x30, 0x82, 0x01, 0x8a, 0x02, 0x82, 0x01, 0x81, 0x00];
const RSA_SUFFIX: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];
/// The exponent of our RSA keys, 65537, as a JWK has it.
pub(super) const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// A fresh key pair: the private half as PKCS #8, the public half as it lies in a row. That is an uncompressed point (4,
/// x, y; SEC 1 section 2.3.3) of P-256, the 32 bytes of Ed25519, or a modulus.
///
/// The library draws the private key from its own generator, which is the operating system's: it offers no way
/// to give it one, and a key made from other random numbers would be no better. An RSA key takes long to make, often half
/// a second: not on the path of a request, and on no thread that others wait for.
pub(super) fn generate(algorithm: Algorithm) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), CryptographyFailed> {
    match algorithm {
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| CryptographyFailed)?;
            let private = pair.to_pkcs8v1().map_err(|_| CryptographyFailed)?;
            Ok((Zeroizing::new(private.as_ref().to_vec()), pair.public_key().as_ref().to_vec()))
        }
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate().map_err(|_| CryptographyFailed)?;
            let private = pair.to_pkcs8v1().map_err(|_| CryptographyFailed)?;
            Ok((Zeroizing::new(private.as_ref().to_vec()), pair.public_key().as_ref().to_vec()))
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(|_| CryptographyFailed)?;
            let private = pair.as_der().map_err(|_| CryptographyFailed)?;
            let modulus = modulus(pair.public_key().as_ref()).ok_or(CryptographyFailed)?;
            Ok((Zeroizing::new(private.as_ref().to_vec()), modulus.to_vec()))
        }
        // Read from clients, never written.
        Algorithm::Ps256 => Err(CryptographyFailed),
    }
}

fn modulus(public_key: &[u8]) -> Option<&[u8]> {
    let rest = public_key.strip_prefix(&RSA_PREFIX)?.strip_suffix(&RSA_SUFFIX)?;
    (rest.len() == MODULUS_BYTES).then_some(rest)
}

fn rsa_public_key(modulus: &[u8]) -> Vec<u8> {
    [&RSA_PREFIX, modulus, &RSA_SUFFIX].concat()
}

/// A private half, ready to sign.
pub(super) enum Signer {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    /// From PKCS #8; none when it is malformed or does not belong to the public half.
    pub(super) fn parse(algorithm: Algorithm, pkcs8: &[u8], public: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
                (pair.public_key().as_ref() == public).then_some(Self::Es256(pair))
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
                (pair.public_key().as_ref() == public).then_some(Self::EdDsa(pair))
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
                (pair.public_key().as_ref() == rsa_public_key(public)).then_some(Self::Rs256(pair))
            }
            Algorithm::Ps256 => None,
        }
    }

    /// The signature as a JWS has it: r and s for ES256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptographyFailed> {
        match self {
            Self::Es256(pair) => {
                let signature = pair.sign_digest(&digest(&SHA256, message)).map_err(|_| CryptographyFailed)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::EdDsa(pair) => Ok(pair.try_sign(message).map_err(|_| CryptographyFailed)?.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &digest(&SHA256, message), &mut signature)
                    .map_err(|_| CryptographyFailed)?;
                Ok(signature)
            }
        }
    }
}

/// A public half, ready to verify.
pub(super) struct Verifier(ParsedPublicKey);

impl Verifier {
    /// From the public half of a row; none when it is no key of the algorithm.
    pub(super) fn parse(algorithm: Algorithm, public: &[u8]) -> Option<Self> {
        let parsed = match algorithm {
            Algorithm::Es256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public),
            Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, public),
            Algorithm::Rs256 if public.len() == MODULUS_BYTES => {
                ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa_public_key(public))
            }
            Algorithm::Rs256 | Algorithm::Ps256 => return None,
        };
        parsed.ok().map(Self)
    }

    /// Whether the private half made this signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_signs_what_it_verifies_and_no_key_fits_another() {
        let made = Algorithm::SIGNING.map(|algorithm| (algorithm, generate(algorithm).unwrap()));
        for (algorithm, (private, public)) in &made {
            let signer = Signer::parse(*algorithm, private, public).unwrap();
            let signature = signer.sign(b"message").unwrap();
            let verifier = Verifier::parse(*algorithm, public).unwrap();
            assert!(verifier.verifies(b"message", &signature));
            assert!(!verifier.verifies(b"other", &signature));
            for (other, (other_private, other_public)) in &made {
                if other == algorithm {
                    continue;
                }
                assert!(Signer::parse(*other, private, public).is_none());
                assert!(Signer::parse(*algorithm, other_private, public).is_none());
                assert!(Signer::parse(*algorithm, private, other_public).is_none());
                assert!(Verifier::parse(*other, public).is_none(), "{algorithm:?} as {other:?}");
            }
            let (foreign, _) = generate(*algorithm).unwrap();
            assert!(Signer::parse(*algorithm, &foreign, public).is_none(), "another key's public half");
        }
        assert!(generate(Algorithm::Ps256).is_err());
    }
}
