use std::collections::HashSet;

use super::*;

#[test]
fn every_code_stands_once_in_the_table_and_cites_its_source() {
    let codes: HashSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        let row = code.row();
        assert!(row.source.starts_with("RFC ") || row.source.starts_with("OpenID "), "{row:?}");
        assert!(row.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{row:?}");
        assert!((400..=503).contains(&row.status), "{row:?}");
    }
}

/// Proves: A-90, V10.4.10
#[test]
fn statuses_are_those_of_the_standards() {
    for (code, status, may_redirect) in [
        (ErrorCode::InvalidRequest, 400, true),
        (ErrorCode::InvalidClient, 401, false),
        (ErrorCode::InvalidGrant, 400, false),
        (ErrorCode::AccessDenied, 400, true),
        (ErrorCode::LoginRequired, 400, true),
        (ErrorCode::SlowDown, 400, false),
        (ErrorCode::UseDpopNonce, 400, false),
        (ErrorCode::InvalidToken, 401, false),
        (ErrorCode::InsufficientScope, 403, false),
        (ErrorCode::InvalidRedirectUri, 400, false),
    ] {
        assert_eq!((code.row().status, code.may_redirect()), (status, may_redirect), "{code:?}");
    }
}
