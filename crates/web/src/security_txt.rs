//! `GET /.well-known/security.txt`: where to report a vulnerability (RFC 9116).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use doorward_model::time::{DAY_MS, Timestamp};
use http::{Method, header};

use crate::extract::Op;
use crate::problem::{Code, Problem};
use crate::route::{Access, CacheClass, CorsRule, CsrfRule, Door, RateClass, Route, endpoint};
use crate::site::Site;

/// How long a copy may be relied on. RFC 9116 section 2.5.5 recommends less than a year.
const VALID_MS: i64 = 180 * DAY_MS;

/// The route; 404 while no contact is configured.
pub(crate) fn routes() -> Vec<Route<Site>> {
    vec![Route {
        method: Method::GET,
        path: "/.well-known/security.txt",
        door: Door::Metadata,
        access: Access::Public,
        rate: RateClass::Metadata,
        csrf: CsrfRule::Safe,
        cache: CacheClass::PublicFor(3600),
        cors: CorsRule::Closed,
        retires: None,
        handler: endpoint(show),
    }]
}

async fn show(State(site): State<Site>, Op(op): Op) -> Result<Response, Problem> {
    let settings = &site.app.settings;
    let contact = settings.security_contact.as_deref().ok_or(Code::NotFound)?;
    let text = written(contact, &settings.public_url, op.now);
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// The configuration is checked at start: a contact is one `mailto:` or `https:` URI.
fn written(contact: &str, public_url: &str, now: Timestamp) -> String {
    format!(
        "Contact: {contact}\nExpires: {}\nPreferred-Languages: en, de\nCanonical: {public_url}/.well-known/security.txt\n",
        now.plus_ms(VALID_MS)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S-272
    #[test]
    fn the_file_names_contact_and_expiry_within_a_year() {
        let now = Timestamp::from_ms(1_795_315_487_123);
        assert_eq!(
            written("mailto:security@example.com", "https://auth.example.com", now),
            "Contact: mailto:security@example.com\nExpires: 2027-05-21T02:44:47.123Z\nPreferred-Languages: en, de\n\
             Canonical: https://auth.example.com/.well-known/security.txt\n"
        );
    }
}
