//! Reading the payload: every claim in its one type, none twice.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Shared;
use crate::json::Unrepeated;
use crate::refusal::Reason;

/// The most entries of `aud`, `scope` and `amr`.
const MAX_WORDS: usize = 100;
/// Times beyond the year 285,000,000 are no times (the integers that JSON numbers hold exactly, RFC 8259 section 6).
const MAX_TIME: f64 = 9_007_199_254_740_991.0;

/// What a payload says, nothing of it proved.
#[derive(Debug, Default)]
pub(crate) struct Raw<'a> {
    pub(crate) shared: Shared,
    pub(crate) subject: Option<Cow<'a, str>>,
    pub(crate) client_id: Option<Cow<'a, str>>,
    /// Whether that is what the token calls `azp`. One beside `client_id` is among the rest.
    pub(crate) is_azp: bool,
    pub(crate) session_id: Option<Cow<'a, str>>,
    pub(crate) grant_id: Option<Cow<'a, str>>,
    pub(crate) token_id: Option<Cow<'a, str>>,
    pub(crate) expires_at: i64,
    pub(crate) issued_at: Option<i64>,
    pub(crate) not_before: Option<i64>,
    pub(crate) auth_time: Option<i64>,
    pub(crate) rest: Map<String, Value>,
}

impl<'a> Raw<'a> {
    /// Reads a payload.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, Reason> {
        let Payload(mut raw, found) = serde_json::from_slice(json).map_err(|_| Reason::Malformed)?;
        raw.shared.issuer = found.issuer.ok_or(Reason::Issuer)?.into();
        raw.shared.audiences = found.audiences.unwrap_or_default();
        raw.shared.scopes = found.scope.or(found.scp).unwrap_or_default();
        raw.shared.acr = found.acr.map(Into::into);
        raw.shared.amr = found.amr.unwrap_or_default();
        // RFC 9068 section 2.2 has `client_id`; Keycloak, Zitadel and Google send `azp`.
        (raw.client_id, raw.is_azp) = match (found.client_id, found.azp) {
            (None, azp) => (azp, true),
            (client_id, azp) => {
                raw.rest.extend(azp.map(|azp| ("azp".to_owned(), azp.into())));
                (client_id, false)
            }
        };
        raw.expires_at = found.expires_at.ok_or(Reason::Expired)?;
        Ok(raw)
    }
}

#[derive(Default)]
struct Found<'a> {
    issuer: Option<Cow<'a, str>>,
    audiences: Option<Box<[Box<str>]>>,
    scope: Option<Box<[Box<str>]>>,
    scp: Option<Box<[Box<str>]>>,
    acr: Option<Cow<'a, str>>,
    amr: Option<Box<[Box<str>]>>,
    client_id: Option<Cow<'a, str>>,
    azp: Option<Cow<'a, str>>,
    expires_at: Option<i64>,
}

struct Payload<'a>(Raw<'a>, Found<'a>);

impl<'de> Deserialize<'de> for Payload<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PayloadVisitor)
    }
}

struct PayloadVisitor;

/// Fills a place once: RFC 7519 section 4 lets a reader refuse what is named twice.
fn once<'de, A: MapAccess<'de>, T: Deserialize<'de>>(place: &mut Option<T>, map: &mut A) -> Result<(), A::Error> {
    if place.is_some() {
        return Err(de::Error::custom("a claim is named twice"));
    }
    *place = Some(map.next_value()?);
    Ok(())
}

impl<'de> Visitor<'de> for PayloadVisitor {
    type Value = Payload<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut raw, mut found) = (Raw::default(), Found::default());
        let (mut own, mut times): ([Option<Text<'de>>; 4], [Option<Seconds>; 4]) = Default::default();
        let (mut issuer, mut acr, mut client_id, mut azp): (Option<Text<'de>>, _, _, _) = Default::default();
        let mut words: [Option<Words>; 4] = Default::default();
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "iss" => once(&mut issuer, &mut map)?,
                "aud" => once(&mut words[0], &mut map)?,
                "scope" => once(&mut words[1], &mut map)?,
                "scp" => once(&mut words[2], &mut map)?,
                "amr" => once(&mut words[3], &mut map)?,
                "sub" => once(&mut own[0], &mut map)?,
                "sid" => once(&mut own[1], &mut map)?,
                "grant_id" => once(&mut own[2], &mut map)?,
                "jti" => once(&mut own[3], &mut map)?,
                "client_id" => once(&mut client_id, &mut map)?,
                "azp" => once(&mut azp, &mut map)?,
                "acr" => once(&mut acr, &mut map)?,
                "exp" => once(&mut times[0], &mut map)?,
                "iat" => once(&mut times[1], &mut map)?,
                "nbf" => once(&mut times[2], &mut map)?,
                "auth_time" => once(&mut times[3], &mut map)?,
                _ => {
                    if raw.rest.insert(name.into_owned(), map.next_value_seed(Unrepeated)?).is_some() {
                        return Err(de::Error::custom("a claim is named twice"));
                    }
                }
            }
        }
        let text = |text: Option<Text<'de>>| text.map(|Text(text)| text);
        [raw.subject, raw.session_id, raw.grant_id, raw.token_id] = own.map(text);
        let [audiences, scope, scp, amr] = words;
        found.audiences = audiences.map(Words::whole);
        (found.scope, found.scp) = (scope.map(Words::split), scp.map(Words::split));
        found.amr = amr.map(Words::whole);
        (found.issuer, found.acr) = (text(issuer), text(acr));
        (found.client_id, found.azp) = (text(client_id), text(azp));
        [found.expires_at, raw.issued_at, raw.not_before, raw.auth_time] =
            times.map(|time| time.map(|Seconds(seconds)| seconds));
        Ok(Payload(raw, found))
    }
}

/// A text, taken from the payload without copying where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A `NumericDate` (RFC 7519 section 2), whose fraction is cut off.
struct Seconds(i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecondsVisitor;
        impl Visitor<'_> for SecondsVisitor {
            type Value = Seconds;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of seconds since 1970")
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
                i64::try_from(seconds).map_err(|_| E::custom("no time")).and_then(|seconds| self.visit_i64(seconds))
            }
            #[expect(clippy::cast_precision_loss, reason = "compared with a bound that both types hold exactly")]
            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Seconds, E> {
                if !(0.0..=MAX_TIME).contains(&(seconds as f64)) {
                    return Err(E::custom("no time"));
                }
                Ok(Seconds(seconds))
            }
            #[expect(clippy::cast_possible_truncation, reason = "the range was checked; the fraction is to be cut off")]
            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Seconds, E> {
                if !(0.0..=MAX_TIME).contains(&seconds) {
                    return Err(E::custom("no time"));
                }
                Ok(Seconds(seconds as i64))
            }
        }
        deserializer.deserialize_any(SecondsVisitor)
    }
}

/// A text or a list of texts.
struct Words(Vec<Box<str>>);

impl Words {
    fn whole(self) -> Box<[Box<str>]> {
        self.0.into()
    }

    /// A scope is words in one text (RFC 6749 section 3.3); some issuers send a list.
    fn split(self) -> Box<[Box<str>]> {
        self.0.iter().flat_map(|words| words.split(' ')).filter(|word| !word.is_empty()).map(Into::into).collect()
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordsVisitor;
        impl<'de> Visitor<'de> for WordsVisitor {
            type Value = Words;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text or a list of texts")
            }
            fn visit_str<E>(self, text: &str) -> Result<Words, E> {
                Ok(Words(vec![text.into()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    if words.len() == MAX_WORDS {
                        return Err(de::Error::custom("too many"));
                    }
                    words.push(word);
                }
                Ok(Words(words))
            }
        }
        deserializer.deserialize_any(WordsVisitor)
    }
}
