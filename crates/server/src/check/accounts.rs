//! Passwords and request limits.

use super::{Finding, error, warning};
use crate::configuration::Configuration;

/// OWASP's floor for Argon2id: 19 MiB, two passes, one lane.
const FEWEST_KIB: u32 = 19 * 1024;
const FEWEST_PASSES: u32 = 2;
/// NIST SP 800-63B-4 section 3.1.1.2: 15 alone, 8 only beside a second factor.
const SHORT_ALONE: u32 = 15;
const SHORT_EVER: u32 = 8;

pub(super) fn judge(configuration: &Configuration, found: &mut Vec<Finding>) {
    let password = &configuration.password;
    if password.memory_kib < FEWEST_KIB || password.iterations < FEWEST_PASSES || password.parallelism < 1 {
        found.push(error(
            "password_hash_weak",
            "password.memory_kib",
            "Hash with at least 19456 KiB, 2 iterations and 1 lane.",
        ));
    }
    if password.min_length < SHORT_EVER {
        found.push(error(
            "password_min_length_unsafe",
            "password.min_length",
            "Demand at least 15 characters; fewer than 8 are never accepted.",
        ));
    } else if password.min_length < SHORT_ALONE {
        found.push(warning(
            "password_min_length_short",
            "password.min_length",
            "Demand at least 15 characters while a password alone signs people in.",
        ));
    }
    if password.composition {
        found.push(warning(
            "password_composition_on",
            "password.composition",
            "Rules about kinds of characters make passwords worse; length and the list of common ones protect.",
        ));
    }
    let (scale, is_loopback) = (configuration.limits.scale, configuration.public_url.is_loopback());
    if scale > 100.0 && !is_loopback {
        found.push(error(
            "limiter_off",
            "limits.scale",
            "Above 100 the request limits protect nothing; stay at or below 10.",
        ));
    } else if scale > 10.0 {
        found.push(warning(
            "limiter_wide",
            "limits.scale",
            "Above 10 the request limits let a single client do a lot of harm.",
        ));
    }
    security_contact(configuration, found);
}

fn security_contact(configuration: &Configuration, found: &mut Vec<Finding>) {
    match configuration.security.contact.as_deref() {
        // RFC 9116 section 2.5.3: a URI; web ones must be https.
        Some(contact)
            if ["mailto:", "https://", "tel:"].iter().any(|scheme| contact.starts_with(scheme))
                && !contact.chars().any(|c| c.is_control() || c == ' ') => {}
        Some(_) => {
            found.push(error(
                "security_contact_invalid",
                "security.contact",
                "Write a URI: mailto:, https:// or tel:.",
            ));
        }
        None if configuration.public_url.is_loopback() => {}
        None => found.push(warning(
            "security_contact_missing",
            "security.contact",
            "Say where to report a vulnerability; it is published in /.well-known/security.txt.",
        )),
    }
}
