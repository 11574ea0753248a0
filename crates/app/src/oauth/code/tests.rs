use super::*;

fn code() -> Code {
    Code {
        client_id: "shop".to_owned(),
        generations: Generations { consent: i64::MIN, client: 7 },
        session_id: SessionId::from_uuid([1; 16]),
        grant_id: GrantId::from_uuid([2; 16]),
        redirect_uri: "https://shop.example/cb".to_owned(),
        challenge: Some(Challenge::from_bytes([3; 32])),
        dpop_key: Some(Thumbprint::from_bytes([4; 32])),
        nonce: Some("n\u{e9}".to_owned()),
        scope: "openid email".to_owned(),
        resources: "[\"https://api.example\"]".to_owned(),
        claims: "[]".to_owned(),
        expires_at: Timestamp::from_ms(1_800_000_000_000),
    }
}

/// Proves: A-83, V10.4.2
#[test]
fn a_code_says_what_was_put_into_it() {
    let nothing = || Code { challenge: None, dpop_key: None, nonce: None, ..code() };
    let empty = Code { nonce: Some(String::new()), scope: String::new(), ..code() };
    for code in [code(), nothing(), empty, Code { challenge: None, ..code() }, Code { dpop_key: None, ..code() }] {
        assert_eq!(Code::from_bytes(&code.to_bytes().unwrap()), Some(code));
    }
}

#[test]
fn what_is_cut_off_or_added_is_no_code() {
    let bytes = code().to_bytes().unwrap();
    for length in 0..bytes.len() {
        assert_eq!(Code::from_bytes(&bytes[..length]), None, "{length} bytes");
    }
    assert_eq!(Code::from_bytes(&[bytes.as_slice(), &[0]].concat()), None);
    assert_eq!(Code::from_bytes(&[&[FORMAT + 1], &bytes[1..]].concat()), None, "another format");
}

#[test]
fn what_cannot_be_written_is_no_code() {
    assert_eq!(Code { scope: "s".repeat(65_536), ..code() }.to_bytes(), None);
}
