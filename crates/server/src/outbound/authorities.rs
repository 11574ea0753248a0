//! Whose certificates are believed of other servers.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use thiserror::Error;

use crate::configuration::Configuration;

/// Certificate authorities.
#[derive(Clone, Debug)]
pub struct Authorities(pub(super) RootCertStore);

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
        Self(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// Those that are believed of applications: the public ones, and the operator's own.
    pub fn of_applications(configuration: &Configuration) -> Result<Self, AuthoritiesError> {
        let mut all = Self::public();
        if let Some(path) = &configuration.applications.ca_certificate_file {
            all.add_file(path)?;
        }
        Ok(all)
    }

    fn add_file(&mut self, path: &Path) -> Result<(), AuthoritiesError> {
        let unreadable = |cause| AuthoritiesError::Unreadable { path: path.to_owned(), cause };
        let certificates: Vec<_> =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(unreadable)?;
        if certificates.is_empty() {
            return Err(unreadable(pem::Error::NoItemsFound));
        }
        for certificate in certificates {
            self.0.add(certificate).map_err(|cause| AuthoritiesError::Unusable { path: path.to_owned(), cause })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use doorward_app::outbound::{ClientDocuments as _, NoDocument};
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::outbound::client_documents::FetchedDocuments;

    fn trusting(file: Option<PathBuf>) -> FetchedDocuments {
        let mut configuration = Configuration::default();
        configuration.applications.ca_certificate_file = file;
        let networks = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()).to_vec();
        FetchedDocuments::new(networks, Authorities::of_applications(&configuration).unwrap()).unwrap()
    }

    /// Proves: V12.3.2
    #[tokio::test]
    async fn applications_of_the_operators_own_authority_are_believed_where_it_is_named() {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://localhost:{}/jwks", listener.local_addr().unwrap().port());
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            assert!(acceptor.accept(stream).await.is_err(), "a stranger is not spoken to");
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n\r\n") {
                heard.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            stream.shutdown().await.unwrap();
        });
        assert!(matches!(trusting(None).fetch(&address).await, Err(NoDocument::Connection(_))));
        assert_eq!(trusting(Some(file)).fetch(&address).await.unwrap(), b"{}");
        served.await.unwrap();
    }

    #[test]
    fn a_file_without_authorities_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let mut configuration = Configuration::default();
        configuration.applications.ca_certificate_file = Some(file.clone());
        let read = || Authorities::of_applications(&configuration);
        assert!(matches!(read(), Err(AuthoritiesError::Unreadable { .. })), "there is none");
        for text in ["", "no certificate"] {
            std::fs::write(&file, text).unwrap();
            assert!(matches!(read(), Err(AuthoritiesError::Unreadable { .. })), "{text:?}");
        }
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(matches!(read(), Err(AuthoritiesError::Unusable { .. })));
    }
}
