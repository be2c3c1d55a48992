//! TLS: a certificate and its key from files, read again when the server is told to.
//!
//! Invariant: what cannot be read changes nothing: the certificate from before stays in use, and
//! connections that stand are not touched by a new one.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::ServeError;
use crate::sync::{Arc, Published};

/// Where a certificate and its key are, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that lead from it to one that clients trust.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The certificate that is shown to new connections.
pub(super) struct Certificate {
    files: TlsFiles,
    current: Published<CertifiedKey>,
}

impl Certificate {
    /// Reads it from its files.
    ///
    /// # Errors
    ///
    /// [`ServeError::Tls`] when one cannot be read, or when they do not go together.
    pub(super) fn read(files: TlsFiles) -> Result<Certificate, ServeError> {
        let current = Published::new(Arc::new(read(&files)?));
        Ok(Certificate { files, current })
    }

    /// Reads it again. Whatever is wrong, the one from before stays.
    pub(super) fn renew(&self) {
        match read(&self.files) {
            Ok(key) => {
                self.current.store(Arc::new(key));
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the certificate from before stays in use"),
        }
    }

    /// The settings of a server that shows it: TLS 1.2 and 1.3.
    ///
    /// # Errors
    ///
    /// When the library refuses its own defaults.
    pub(super) fn config(self: &Arc<Self>) -> io::Result<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        let resolver = Arc::clone(self);
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load())
    }
}

/// Shows where it is from, and nothing of the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, ServeError> {
    let TlsFiles { certificate, key } = files;
    let refused = |path: &Path, reason: String| ServeError::Tls { path: path.to_owned(), reason };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(refused(certificate, "it holds no certificate in PEM".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key);
    let private = private.map_err(|error| refused(key, error.to_string()))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider())
        .map_err(|error| refused(key, format!("it does not go with the certificate: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_good_pair_takes_the_place_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let files = TlsFiles { certificate: at("server.pem"), key: at("server.key.pem") };
        let copy = |from: &str, to: &str| {
            fs::copy(format!("tests/http/certificates/{from}"), at(to)).unwrap();
        };
        copy("one.pem", "server.pem");
        copy("one.key.pem", "server.key.pem");
        let certificate = Certificate::read(files).unwrap();
        let shown = || certificate.current.load().cert.clone();
        let first = shown();
        copy("two.pem", "server.pem");
        certificate.renew();
        assert_eq!(shown(), first, "a key that is not its own");
        fs::write(at("server.pem"), "nothing").unwrap();
        certificate.renew();
        assert_eq!(shown(), first, "no certificate");
        copy("two.pem", "server.pem");
        copy("two.key.pem", "server.key.pem");
        certificate.renew();
        assert_ne!(shown(), first);
    }
}
