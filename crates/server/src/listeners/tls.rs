//! Built-in TLS: 1.2 and 1.3, certificates taken up anew without a restart.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// A certificate or key that cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The file is missing, unreadable, or holds nothing of the kind.
    #[error("{path} cannot be used: {fault}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why; never a part of the file.
        fault: String,
    },
    /// The parts do not fit together, or the library refuses them.
    #[error("the certificate and the key do not fit together")]
    Mismatch(#[source] rustls::Error),
    /// The library cannot be set up.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// What changes when a file is replaced.
type Stamp = Option<(i64, i64, u64, u64)>;

/// The certificate in use and the files it came from.
pub struct TlsFiles {
    certificate_file: PathBuf,
    key_file: PathBuf,
    current: Arc<Current>,
    seen: Mutex<(Stamp, Stamp)>,
    acceptor: TlsAcceptor,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl TlsFiles {
    /// Reads both files; they must fit together.
    pub fn open(certificate_file: &Path, key_file: &Path) -> Result<Self, TlsError> {
        let seen = (stamp(certificate_file), stamp(key_file));
        let current = Arc::new(Current(RwLock::new(Arc::new(read(certificate_file, key_file)?))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?;
        Ok(Self {
            certificate_file: certificate_file.to_owned(),
            key_file: key_file.to_owned(),
            current,
            seen: Mutex::new(seen),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Takes connections with the certificate of this moment.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Reads the files again if they changed; true if another certificate is in use now. After an error the old one
    /// stays, and the same files are not tried again until they change once more.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == self.stamps() {
            return Ok(false);
        }
        self.take_up(&mut seen)
    }

    /// Reads the files again, changed or not.
    pub fn reload(&self) -> Result<bool, TlsError> {
        self.take_up(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One at a time, so that nobody puts back what another has replaced since.
    fn take_up(&self, seen: &mut (Stamp, Stamp)) -> Result<bool, TlsError> {
        // Before they are read: what is written meanwhile is a change.
        *seen = self.stamps();
        let fresh = Arc::new(read(&self.certificate_file, &self.key_file)?);
        let mut current = self.current.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_changed = current.cert != fresh.cert;
        *current = fresh;
        Ok(is_changed)
    }

    fn stamps(&self) -> (Stamp, Stamp) {
        (stamp(&self.certificate_file), stamp(&self.key_file))
    }
}

/// Follows symbolic links, as Kubernetes mounts secrets through them.
fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.mtime(), metadata.mtime_nsec(), metadata.size(), metadata.ino()))
}

/// The chain and its key, checked to belong together.
fn read(certificate_file: &Path, key_file: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = CertificateDer::pem_file_iter(certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(certificate_file, error))?;
    if chain.is_empty() {
        return Err(unusable(certificate_file, pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| unusable(key_file, error))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(TlsError::Mismatch)
}

/// The parser's own words may quote the file, and the file may be a private key.
fn unusable(path: &Path, error: pem::Error) -> TlsError {
    let fault = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "nothing of the kind is in it".to_owned(),
        _ => "it is not valid PEM".to_owned(),
    };
    TlsError::File { path: path.to_owned(), fault }
}
