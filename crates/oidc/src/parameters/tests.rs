use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Parameters {
    Parameters::parse(text.as_bytes()).unwrap()
}

#[test]
fn a_parameter_without_a_value_is_omitted() {
    let parameters = parse("a=1&b=&c&=d&&e=%20&f=1=2");
    for (name, value) in [("a", Some("1")), ("b", None), ("c", None), ("e", Some(" ")), ("f", Some("1=2")), ("g", None)]
    {
        assert_eq!(parameters.find(name), value, "{name}");
        assert_eq!(parameters.contains(name), value.is_some(), "{name}");
    }
}

/// Proves: A-80
#[test]
fn a_parameter_sent_twice_is_refused_and_never_answered() {
    for text in ["state=1&state=2", "state=1&state=1", "state=&state=2", "state&state", "x=1&x=2", "st%61te=1&state=2"]
    {
        assert!(parse(text).refuse_repeated().is_err(), "{text}");
    }
    assert_eq!(parse("state=1&state=2").find("state"), None);
    assert_eq!(parse("state=1&st%61te=1").find("state"), None);
    let several = parse("resource=a&resource=b&audience=c&audience=d&x=1");
    assert!(several.refuse_repeated().is_ok());
    assert_eq!(several.list("resource").collect::<Vec<_>>(), ["a", "b"]);
}

/// Proves
#[test]
fn what_is_broken_or_huge_is_refused() {
    for text in ["a=%", "a=%4", "a=%zz", "%g0=a", "a=%ff", "a=%C3", "a=%ed%a0%80"] {
        assert_eq!(Parameters::parse(text.as_bytes()), Err(ParametersError::Malformed), "{text}");
    }
    assert_eq!(Parameters::parse(b"a=\xff"), Err(ParametersError::Malformed));
    assert_eq!(Parameters::parse(&vec![b'a'; MAX_BYTES + 1]), Err(ParametersError::TooLarge));
    assert!(Parameters::parse("a=1&".repeat(MAX_COUNT).as_bytes()).is_ok());
    assert_eq!(Parameters::parse("a=1&".repeat(MAX_COUNT + 1).as_bytes()), Err(ParametersError::TooMany));
}

/// Proves: A-90
#[test]
fn parameters_of_a_body_are_not_taken_from_the_address() {
    assert_eq!(Parameters::parse_body(Some("client_secret=x"), b"a=1"), Err(ParametersError::InQuery));
    assert!(Parameters::parse_body(Some(""), b"a=1").is_ok());
    assert!(Parameters::parse_body(None, b"a=1").is_ok());
}

#[test]
fn the_largest_request_can_be_kept() {
    let largest = [b"a=".as_slice(), &vec![b'+'; MAX_BYTES - 2]].concat();
    let parameters = Parameters::parse(&largest).unwrap();
    assert_eq!(Parameters::parse_kept(&parameters.to_form()), Ok(parameters));
}

/// Proves: A-150
#[test]
fn debug_shows_names_only() {
    assert_eq!(format!("{:?}", parse("client_secret=hunter2")), "{\"client_secret\"}");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(pairs in proptest::collection::vec((".*", ".*"), 0..8)) {
        let written = Parameters::from_pairs(pairs);
        prop_assert_eq!(Parameters::parse_kept(&written.to_form()), Ok(written));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        let _ = Parameters::parse(&bytes);
    }
}
