//! Addresses, proxies, origins, TLS, log level.

use std::net::SocketAddr;

use ipnet::IpNet;

use super::{Finding, error, warning};
use crate::configuration::{Configuration, PublicUrl};
use crate::listeners::tls::TlsFiles;
use crate::outbound::Authorities;
use crate::telemetry::logging;

pub(super) fn judge(configuration: &Configuration, found: &mut Vec<Finding>) {
    let url = &configuration.public_url;
    if !url.is_https() && !url.is_loopback() {
        found.push(error(
            "public_url_insecure",
            "public_url",
            "Use https: over http everybody on the way reads passwords and cookies.",
        ));
    }
    if url.is_loopback() && !configuration.listens_on_loopback_only() {
        found.push(warning(
            "public_listener_with_loopback_url",
            "listen",
            "Listen on loopback, or set public_url to the address people use: links point to it and cookies need it.",
        ));
    }
    if !is_loopback(&configuration.ops_listen) {
        found.push(warning("operations_listener_exposed", "ops_listen", "Metrics and health are not for the public: listen on loopback or on a network only your monitoring reaches."));
    }
    if logging::targets(&configuration.log.level).is_err() {
        found.push(error(
            "log_level_invalid",
            "log.level",
            "Write error, warn, info, debug or trace, or a list such as \"info,doorward_store=debug\".",
        ));
    }
    if configuration.revocations.public {
        found.push(warning("revocations_public", "revocations.public", "Everybody can see how much is revoked and when, and who knows an id, whether it was: leave it off, and register each service that follows with the scope doorward:revocations."));
    }
    proxies(configuration, found);
    origins(&configuration.cors.token_origins, found);
    tls(configuration, found);
    applications(configuration, found);
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn proxies(configuration: &Configuration, found: &mut Vec<Finding>) {
    // The widest networks that are one organization's own: 10.0.0.0/8 and fc00::/7 (RFC 1918, RFC 4193).
    let covers_strangers = |network: &IpNet| match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(network) => network.prefix_len() < 7,
    };
    if configuration.trusted_proxies.iter().any(covers_strangers) {
        found.push(error(
            "trusted_proxy_everyone",
            "trusted_proxies",
            "Name the networks of your proxies only: whoever is trusted here may claim any client address.",
        ));
    }
    let has_tls = configuration.tls.certificate_file.is_some();
    if configuration.public_url.is_https() && !has_tls && configuration.trusted_proxies.is_empty() {
        found.push(warning("proxy_unknown", "trusted_proxies", "With https outside and no built-in TLS there is a proxy in front: name its network, or all clients look like one address."));
    }
}

fn origins(origins: &[String], found: &mut Vec<Finding>) {
    for origin in origins {
        if origin.contains('*') || origin == "null" {
            found.push(error(
                "cors_wildcard",
                "cors.token_origins",
                "List each origin exactly; with a wildcard any site could hold its visitors' tokens.",
            ));
            continue;
        }
        match PublicUrl::parse(origin) {
            Ok(exact) if exact.as_str() == origin && (exact.is_https() || exact.is_loopback()) => {}
            _ => found.push(error("cors_origin_inexact", "cors.token_origins", "Write an origin as browsers send it, such as \"https://app.example.com\": scheme, host, port if unusual, no path, no slash at the end; https off loopback.")),
        }
    }
}

fn applications(configuration: &Configuration, found: &mut Vec<Finding>) {
    if Authorities::of_applications(configuration).is_err() {
        found.push(error(
            "applications_ca_unusable",
            "applications.ca_certificate_file",
            "The file must be readable PEM with the certificates of authorities.",
        ));
    } else if configuration.applications.ca_certificate_file.is_some()
        && configuration.applications.private_networks.is_empty()
    {
        found.push(warning(
            "applications_ca_unused",
            "applications.ca_certificate_file",
            "Name the networks in applications.private_networks: elsewhere these authorities are not believed.",
        ));
    }
}

fn tls(configuration: &Configuration, found: &mut Vec<Finding>) {
    match (&configuration.tls.certificate_file, &configuration.tls.key_file) {
        (None, None) => {}
        (Some(certificate), Some(key)) => {
            if TlsFiles::open(certificate, key).is_err() {
                found.push(error(
                    "tls_unusable",
                    "tls.certificate_file",
                    "Both files must be readable PEM, and the key must be the certificate's.",
                ));
            }
            if !configuration.public_url.is_https() {
                found.push(warning(
                    "tls_without_https_url",
                    "public_url",
                    "With built-in TLS public_url should begin with https://.",
                ));
            }
        }
        _ => found.push(error("tls_incomplete", "tls", "Set both certificate_file and key_file, or neither.")),
    }
}
