//! Whose certificates are believed of other servers.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use thiserror::Error;

use crate::configuration::Configuration;

/// Certificate authorities.
#[derive(Clone, Debug)]
pub struct Authorities {
    /// Believed wherever an address leads.
    pub(super) everywhere: RootCertStore,
    /// Believed instead in networks that the operator has named; without them, those of everywhere.
    pub(super) in_own_networks: Option<RootCertStore>,
}

/// A file without authorities that could be believed.
#[derive(Debug, Error)]
pub enum AuthoritiesError {
    /// It cannot be read, or is no PEM.
    #[error("the certificates in {path}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: pem::Error,
    },
    /// What it holds is no certificate of an authority.
    #[error("a certificate in {path}")]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: rustls::Error,
    },
}

impl Authorities {
    /// The public ones.
    pub fn public() -> Self {
        Self { everywhere: RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, in_own_networks: None }
    }

    /// Those that are believed of applications: the public ones, and in the operator's own networks the operator's own
    /// too. Whoever holds the key of those has no say about anybody outside.
    pub fn of_applications(configuration: &Configuration) -> Result<Self, AuthoritiesError> {
        match &configuration.applications.ca_certificate_file {
            Some(path) => Self::public().with_own(path),
            None => Ok(Self::public()),
        }
    }

    fn with_own(self, path: &Path) -> Result<Self, AuthoritiesError> {
        let mut within = self.everywhere.clone();
        add_file(&mut within, path)?;
        Ok(Self { in_own_networks: Some(within), ..self })
    }
}

fn add_file(store: &mut RootCertStore, path: &Path) -> Result<(), AuthoritiesError> {
    let unreadable = |cause| AuthoritiesError::Unreadable { path: path.to_owned(), cause };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(unreadable(pem::Error::NoItemsFound));
    }
    for certificate in certificates {
        store.add(certificate).map_err(|cause| AuthoritiesError::Unusable { path: path.to_owned(), cause })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
