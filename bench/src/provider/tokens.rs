//! What is looked at in the tokens of either side.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::Outcome;

/// The text of a member of a JSON answer whose name begins it: `"name":"`. Cutting it out is cheaper than parsing.
pub(super) fn member<'a>(body: &'a str, opening: &str) -> Outcome<&'a str> {
    let (_, rest) = body.split_once(opening).ok_or_else(|| format!("no {opening} in {body}"))?;
    let (text, _) = rest.split_once('"').ok_or("an answer that ends in a text")?;
    Ok(text)
}

/// Judges the headers of one connection's tokens of one kind, which hardly ever differ.
#[derive(Clone, Default)]
pub(super) struct Headers {
    good: String,
}

impl Headers {
    /// Refuses a token that is not signed with ES256.
    pub(super) fn check(&mut self, token: &str) -> Outcome<()> {
        let (header, _) = token.split_once('.').ok_or("a token that is no JWT")?;
        if header == self.good {
            return Ok(());
        }
        if decode(header)?["alg"] != "ES256" {
            return Err(format!("not signed with ES256: {header}").into());
        }
        header.clone_into(&mut self.good);
        Ok(())
    }
}

/// The keys of a server that sign with ES256, as points of the curve.
pub(super) struct Keys(Vec<Vec<u8>>);

impl Keys {
    /// Reads a JWK Set.
    pub(super) fn read(set: &Value) -> Outcome<Self> {
        let keys = set["keys"].as_array().ok_or("no keys")?.iter();
        let points: Outcome<Vec<Vec<u8>>> = keys.filter(|key| key["crv"] == "P-256").map(point).collect();
        Ok(Self(points?))
    }

    /// The claims of a token that one of them signed.
    pub(super) fn verify(&self, token: &str) -> Outcome<Value> {
        let (message, signature) = token.rsplit_once('.').ok_or("a token that is no JWT")?;
        let signature = URL_SAFE_NO_PAD.decode(signature)?;
        let is_signed = self.0.iter().any(|point| {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message.as_bytes(), &signature).is_ok()
        });
        if !is_signed {
            return Err("a token that no key of its server signed".into());
        }
        let (_, claims) = message.split_once('.').ok_or("a token without claims")?;
        decode(claims)
    }
}

fn point(key: &Value) -> Outcome<Vec<u8>> {
    let coordinate = |name: &str| Ok(URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap_or_default())?);
    let (x, y): (Outcome<Vec<u8>>, Outcome<Vec<u8>>) = (coordinate("x"), coordinate("y"));
    Ok([vec![4], x?, y?].concat())
}

fn decode(part: &str) -> Outcome<Value> {
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

    use super::*;

    fn token(header: &str, pair: &EcdsaKeyPair) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(r#"{"sub":"ada"}"#));
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn keys_of(pair: &EcdsaKeyPair) -> Keys {
        let point = pair.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        Keys::read(&serde_json::json!({"keys": [{"kty": "RSA"}, {"crv": "P-256", "x": x, "y": y}]})).unwrap()
    }

    #[test]
    fn a_token_is_good_with_the_key_that_signed_it_and_with_no_other() {
        let [own, other] = [(); 2].map(|()| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
        let token = token(r#"{"alg":"ES256"}"#, &own);
        assert_eq!(keys_of(&own).verify(&token).unwrap()["sub"], "ada");
        assert!(keys_of(&other).verify(&token).is_err());
    }

    #[test]
    fn another_algorithm_is_an_error_also_after_a_good_one() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let mut headers = Headers::default();
        headers.check(&token(r#"{"alg":"ES256"}"#, &pair)).unwrap();
        assert!(headers.check(&token(r#"{"alg":"RS256"}"#, &pair)).is_err());
        assert!(headers.check("opaque").is_err());
    }

    #[test]
    fn a_member_is_cut_out_after_its_name() {
        let body = r#"{"access_token":"one","refresh_token":"two"}"#;
        assert_eq!(member(body, r#""refresh_token":""#).unwrap(), "two");
        assert!(member(body, r#""id_token":""#).is_err());
    }
}
