//! JSON as one text can mean it: no duplicate keys, no depth without end, nothing after the value.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deeply arrays and objects may nest.
pub(crate) const MAX_DEPTH: usize = 32;

/// A text that is not strict JSON. What exactly was wrong stays unsaid: it could quote the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotStrictJson;

/// Reads `bytes` as UTF-8 JSON (RFC 8259) without byte order mark, duplicate keys or lone surrogates.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, NotStrictJson> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(|_| NotStrictJson)?;
    deserializer.end().map_err(|_| NotStrictJson)?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH { Err(E::custom("too deep")) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let element = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(element)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let member = self.deeper()?;
        let mut values = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(member)?;
            if values.insert(key, value).is_some() {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_json_is_read() {
        let value = parse(br#" {"a":[1,-2,0.5,true,null,"x\u00e9\ud83d\ude00"],"b":{}} "#).unwrap();
        assert_eq!(value, serde_json::json!({"a":[1,-2,0.5,true,null,"x\u{e9}\u{1f600}"],"b":{}}));
    }

    /// Proves: A-139, S-219, V1.5.3
    #[test]
    fn what_could_be_read_in_two_ways_or_without_end_is_not_read() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        for text in [
            nested(MAX_DEPTH + 1),
            nested(100_000),
            "[".repeat(100_000),
            "{\"a\":".repeat(100_000),
            r#"{"a":1,"a":2}"#.to_owned(),
            r#"{"a":{"b":1,"\u0062":2}}"#.to_owned(),
            r#"{"a":1} {"#.to_owned(),
            r#"{"a":1}{"a":1}"#.to_owned(),
            r#"{"a":1}x"#.to_owned(),
            r#"{"a":"\ud800"}"#.to_owned(),
            r#"{"a":"\udc00\ud800"}"#.to_owned(),
            r#"{"a":1e400}"#.to_owned(),
            r#"{"a":NaN}"#.to_owned(),
            r#"{"a":Infinity}"#.to_owned(),
            r#"{"a":01}"#.to_owned(),
            r#"{"a":+1}"#.to_owned(),
            r#"{"a":.5}"#.to_owned(),
            r#"{"a":0x10}"#.to_owned(),
            r"{'a':1}".to_owned(),
            r"{a:1}".to_owned(),
            r#"{"a":1,}"#.to_owned(),
            r#"{"a":1 /* x */}"#.to_owned(),
            "{\"a\":\"\n\"}".to_owned(),
            "{\"a\":\"\0\"}".to_owned(),
            "\u{feff}{}".to_owned(),
            String::new(),
            " ".to_owned(),
            "{".to_owned(),
            "\"".to_owned(),
            "nul".to_owned(),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(NotStrictJson), "{}", &text[..text.len().min(60)]);
        }
        for bytes in
            [b"{\"a\":\"\xff\"}".as_slice(), b"{\"a\":\"\xc0\xaf\"}", b"{\0}\0", b"\xff\xfe{\0}\0", b"\xed\xa0\x80"]
        {
            assert_eq!(parse(bytes), Err(NotStrictJson), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_says_the_same_to_the_plain_parser(text in r#"[\[\]{}:,"ab0-9\\u .e-]{0,40}"#) {
            if let Ok(value) = parse(text.as_bytes()) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            }
        }

        #[test]
        fn nothing_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
