//! The closed list of error codes: the public contract of what can go wrong.

use http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $slug:literal, $title:literal, $detail:literal;)*) => {
        /// What went wrong, as clients may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The HTTP status that goes with it.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The stable slug.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// A few words for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// A sentence that is safe for everybody to read.
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail,)* }
            }
        }
    };
}

codes! {
    /// The request cannot be read at all.
    MalformedRequest = BAD_REQUEST, "malformed_request", "Malformed request", "The request could not be read.";
    /// The request can be read, but fields are wrong.
    ValidationFailed = UNPROCESSABLE_ENTITY, "validation_failed", "Validation failed", "Some fields are not valid.";
    /// The one answer to every refused sign-in.
    InvalidCredentials = UNAUTHORIZED, "invalid_credentials", "Sign-in failed", "The e-mail address or the password is not right.";
    /// No credential, or one that is not valid.
    InvalidToken = UNAUTHORIZED, "invalid_token", "Not signed in", "A valid credential is needed.";
    /// A link or code that is wrong, used or too old.
    InvalidOneTimeToken = BAD_REQUEST, "invalid_token", "Invalid link or code", "The link or code is wrong, has been used or is too old.";
    /// The access token is past its time.
    TokenExpired = UNAUTHORIZED, "token_expired", "Token expired", "The access token has expired.";
    /// The session reached its limit.
    SessionExpired = UNAUTHORIZED, "session_expired", "Session expired", "The session has expired.";
    /// The session was ended.
    SessionRevoked = UNAUTHORIZED, "session_revoked", "Session ended", "The session has ended.";
    /// Two parties hold one refresh token.
    TokenReused = UNAUTHORIZED, "token_reused", "Token reused", "The refresh token was used before. The session has ended.";
    /// The request may come from another site.
    CsrfFailed = FORBIDDEN, "csrf_failed", "Cross-site check failed", "The request did not prove that it comes from this site.";
    /// Known, but not allowed.
    Forbidden = FORBIDDEN, "forbidden", "Forbidden", "This is not allowed.";
    /// Allowed only shortly after signing in.
    ReauthenticationRequired = FORBIDDEN, "reauthentication_required", "Sign in again", "This needs a fresh sign-in.";
    /// The current terms are not accepted.
    TermsRequired = FORBIDDEN, "terms_required", "Terms not accepted", "The current terms have to be accepted first.";
    /// Nothing here, or nothing for this caller.
    NotFound = NOT_FOUND, "not_found", "Not found", "There is nothing here.";
    /// The state does not allow it.
    Conflict = CONFLICT, "conflict", "Conflict", "The current state does not allow this.";
    /// The path exists, the method does not.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", "This method is not available here.";
    /// The body did not arrive in time.
    RequestTimeout = REQUEST_TIMEOUT, "request_timeout", "Request timeout", "The request did not arrive in time.";
    /// The body is too large.
    PayloadTooLarge = PAYLOAD_TOO_LARGE, "payload_too_large", "Body too large", "The body of the request is too large.";
    /// The body is of another type.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type", "The body of the request has the wrong type.";
    /// The URL is too long.
    UriTooLong = URI_TOO_LONG, "uri_too_long", "URL too long", "The URL is too long.";
    /// The headers are too large or too many.
    HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "Headers too large", "The headers of the request are too large.";
    /// The request names another host.
    MisdirectedRequest = MISDIRECTED_REQUEST, "misdirected_request", "Wrong host", "This server does not answer for that host.";
    /// Too many requests.
    RateLimited = TOO_MANY_REQUESTS, "rate_limited", "Too many requests", "Too many requests. Wait before trying again.";
    /// The server has more work than it takes on.
    TooBusy = SERVICE_UNAVAILABLE, "too_busy", "Too busy", "The server is too busy. Try again shortly.";
    /// Something the server depends on does not answer.
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "Unavailable", "The service cannot answer now. Try again shortly.";
    /// A defect.
    InternalError = INTERNAL_SERVER_ERROR, "internal_error", "Internal error", "Something went wrong. It has been recorded.";
}

impl Code {
    /// The code that says best what a bare status means: for answers that a library made.
    pub fn from_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::InvalidToken,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::RequestTimeout,
            409 => Self::Conflict,
            413 => Self::PayloadTooLarge,
            414 => Self::UriTooLong,
            415 => Self::UnsupportedMediaType,
            421 => Self::MisdirectedRequest,
            422 => Self::ValidationFailed,
            429 => Self::RateLimited,
            431 => Self::HeadersTooLarge,
            503 => Self::Unavailable,
            400..=499 => Self::MalformedRequest,
            _ => Self::InternalError,
        }
    }

    /// Whether signing in (again) is what helps.
    pub fn wants_sign_in(self) -> bool {
        matches!(self, Self::InvalidToken | Self::TokenExpired | Self::SessionExpired | Self::SessionRevoked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole list is the public contract: a change of a line is a change for clients.
    ///
    /// Proves: S-43, S-80
    #[test]
    fn the_list_of_codes_is_the_public_contract() {
        let list: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("{} {} | {} | {}", code.status().as_u16(), code.slug(), code.title(), code.detail()))
            .collect();
        insta::assert_snapshot!(list.join("\n"));
    }

    #[test]
    fn a_status_maps_to_a_code_of_that_status() {
        for status in [401, 403, 404, 405, 408, 409, 413, 414, 415, 421, 422, 429, 431, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Code::from_status(status).status(), status);
        }
        assert_eq!(Code::from_status(StatusCode::IM_A_TEAPOT), Code::MalformedRequest);
        assert_eq!(Code::from_status(StatusCode::BAD_GATEWAY), Code::InternalError);
    }
}
